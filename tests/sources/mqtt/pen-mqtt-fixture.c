/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A broker, its certificates, and MQTT sources that run in a harness against it. Each test has a
 * folder and a broker of its own. Everything that is logged is kept, to be looked for.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <stdarg.h>
#include <string.h>

void
pen_mqtt_fixture_init (int *argc, char ***argv)
{
  pen_test_init (argc, argv);
}

static void
pen_mqtt_fixture_run_test (gconstpointer user_data)
{
  PenMqttTestFunc func = (PenMqttTestFunc) user_data;
  PenMqttFixture fixture = { NULL, NULL };

  if (pen_broker_find_program () == NULL)
    {
      g_test_skip ("Mosquitto is not installed");
      return;
    }
  pen_mqtt_fixture_clear_log ();
  fixture.folder = pen_test_make_folder ();
  pen_certificates_make (fixture.folder);
  func (&fixture);
  g_clear_pointer (&fixture.broker, pen_broker_free);
  pen_test_remove_folder (fixture.folder);
}

void
pen_mqtt_fixture_add (const char *path, PenMqttTestFunc func)
{
  g_test_add_data_func (path, (gconstpointer) func, pen_mqtt_fixture_run_test);
}

void
pen_mqtt_fixture_start_broker (PenMqttFixture *self, const PenBrokerOptions *options)
{
  self->broker = pen_broker_new (self->folder, options);
  pen_broker_start (self->broker);
}

/* The path of a file in the test's folder. */
typedef struct
{
  PenBroker *broker;
  const char *text;
} PenMqttLogWait;

static gboolean
pen_mqtt_log_wait_is_over (gpointer user_data)
{
  const PenMqttLogWait *wait = user_data;
  g_autofree char *log = pen_broker_read_log (wait->broker);

  return strstr (log, wait->text) != NULL;
}

void
pen_mqtt_fixture_await_broker_log (PenMqttFixture *self, const char *text)
{
  PenMqttLogWait wait = { self->broker, text };

  g_assert_true (pen_test_wait (pen_mqtt_log_wait_is_over, &wait, WAIT_MS));
}

char *
pen_mqtt_fixture_find (PenMqttFixture *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

PenElement *
pen_mqtt_fixture_make (PenMqttFixture *self, const char *property, ...)
{
  const char *const topics[] = { "t/#", NULL };
  PenElement *element
      = g_object_new (PEN_TYPE_MQTT_SOURCE, "host", "127.0.0.1", "topics", topics, NULL);
  va_list arguments;

  if (self->broker != NULL)
    g_object_set (element, "port", pen_broker_get_port (self->broker), NULL);
  va_start (arguments, property);
  g_object_set_valist (G_OBJECT (element), property, arguments);
  va_end (arguments);
  return element;
}

PenHarness *
pen_mqtt_fixture_run (PenElement *element)
{
  PenHarness *harness = pen_harness_new (element);

  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  return harness;
}

PenMqttPublisher *
pen_mqtt_fixture_publish (PenMqttFixture *self)
{
  return pen_mqtt_publisher_new (pen_broker_get_plain_port (self->broker), NULL, NULL);
}

/* One message at QoS 1; returns when the broker has it. */
void
pen_mqtt_fixture_send (PenMqttFixture *self, const char *topic, const char *payload)
{
  g_autoptr (PenMqttPublisher) publisher = pen_mqtt_fixture_publish (self);

  pen_mqtt_publisher_send (publisher, topic, payload, -1, 1);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
}

typedef struct
{
  PenHarness *harness;
  const char *text;
  gint64 number;
} PenMqttWait;

static gboolean
pen_mqtt_fixture_is_connected (gpointer user_data)
{
  const PenMqttWait *wait = user_data;

  return pen_harness_is_connected (wait->harness) == (wait->number != 0);
}

gboolean
pen_mqtt_fixture_wait_connected (PenHarness *harness, gboolean connected)
{
  PenMqttWait wait = { harness, NULL, connected };

  return pen_harness_wait_for (harness, pen_mqtt_fixture_is_connected, &wait, WAIT_MS);
}

static gboolean
pen_mqtt_fixture_has_count (gpointer user_data)
{
  const PenMqttWait *wait = user_data;

  return pen_harness_get_count (wait->harness, wait->text, NULL) >= wait->number;
}

gboolean
pen_mqtt_fixture_wait_count (PenHarness *harness, const char *name, gint64 at_least)
{
  PenMqttWait wait = { harness, name, at_least };

  return pen_harness_wait_for (harness, pen_mqtt_fixture_has_count, &wait, WAIT_MS);
}

gboolean
pen_mqtt_fixture_has_log (const char *pattern)
{
  return pen_test_has_logged (pattern);
}

static gboolean
pen_mqtt_fixture_has_waited_log (gpointer user_data)
{
  const PenMqttWait *wait = user_data;

  return pen_mqtt_fixture_has_log (wait->text);
}

gboolean
pen_mqtt_fixture_wait_log (PenHarness *harness, const char *pattern)
{
  PenMqttWait wait = { harness, pattern, 0 };

  return pen_harness_wait_for (harness, pen_mqtt_fixture_has_waited_log, &wait, WAIT_MS);
}

void
pen_mqtt_fixture_clear_log (void)
{
  g_free (pen_test_take_log ());
}

/* Waits for an event, and compares it. */
void
pen_mqtt_fixture_assert_next (PenHarness *harness, const char *topic, const char *payload)
{
  g_autoptr (PenEvent) event = NULL;
  const char *data;
  gsize length = 0;

  if (pen_harness_get_n_events (harness) == 0)
    g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  event = pen_harness_pull (harness);
  g_assert_nonnull (event);
  data = pen_event_get_data (event, &length);
  g_assert_cmpmem (data, length, payload, strlen (payload));
  g_assert_cmpstr (pen_event_get_topic (event), ==, topic);
}
