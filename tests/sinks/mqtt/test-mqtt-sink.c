/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The MQTT sink in a harness, against a real Mosquitto over TLS: what arrives, what is refused, and
 * what happens when the broker is killed, suspended, or does not want us.
 */

#include "config.h"

#include "pen-batch-private.h"
#include "pen-broker.h"
#include "pen-certificates.h"
#include "pen-harness.h"
#include "pen-mqtt-receiver.h"
#include "pen-mqtt-sink.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000
#define MANY 1000

typedef struct
{
  char *folder;
  PenBroker *broker;
} TestFixture;

typedef void (*TestFunc) (TestFixture *fixture);

static void
test_run (gconstpointer user_data)
{
  TestFunc func = (TestFunc) user_data;
  TestFixture fixture = { NULL, NULL };

  if (pen_broker_find_program () == NULL)
    {
      g_test_skip ("Mosquitto is not installed");
      return;
    }
  g_free (pen_test_take_log ());
  fixture.folder = pen_test_make_folder ();
  pen_certificates_make (fixture.folder);
  func (&fixture);
  g_clear_pointer (&fixture.broker, pen_broker_free);
  pen_test_remove_folder (fixture.folder);
}

static void
test_start_broker (TestFixture *fixture, const char *extra)
{
  const PenBrokerOptions options = { .certificate = "server", .extra = extra };

  fixture->broker = pen_broker_new (fixture->folder, &options);
  pen_broker_start (fixture->broker);
}

/* Properties by name, ended by NULL; the topic is "t" unless set. */
static PenHarness *
test_make (TestFixture *fixture, const char *property, ...)
{
  g_autofree char *cafile = g_build_filename (fixture->folder, "ca.crt", NULL);
  PenElement *element
      = g_object_new (PEN_TYPE_MQTT_SINK, "host", "127.0.0.1", "cafile", cafile, "topic", "t",
                      "port", pen_broker_get_port (fixture->broker), NULL);
  va_list arguments;

  va_start (arguments, property);
  g_object_set_valist (G_OBJECT (element), property, arguments);
  va_end (arguments);
  return pen_harness_new (element);
}

static PenBatch *
test_make_batch (guint n_events)
{
  PenBatch *batch = pen_batch_new ();

  for (guint i = 0; i < n_events; i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"n\": %u}", i);
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "in/topic");

      pen_batch_append (batch, event);
    }
  return batch;
}

static guint
test_count_open (PenBatch *batch)
{
  guint n_open = 0;

  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    n_open += pen_batch_is_open (batch, i);
  return n_open;
}

/* --- What arrives --- */

static void
test_deliver (TestFixture *fixture, int qos, const char *version)
{
  g_autoptr (PenMqttReceiver) receiver
      = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  g_autoptr (PenHarness) harness
      = test_make (fixture, "qos", qos, "version", g_str_equal (version, "5"), NULL);
  g_autoptr (PenBatch) batch = test_make_batch (MANY);
  g_autofree char *published = g_strdup_printf ("PUBLISH from penstock-test-sink (d0, q%d", qos);
  g_autofree char *log = NULL;
  g_autoptr (GError) error = NULL;

  g_test_message ("QoS %d, MQTT %s", qos, version);
  pen_harness_start (harness);
  pen_harness_write (harness, batch, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (test_count_open (batch), ==, 0);
  g_assert_true (pen_mqtt_receiver_wait (receiver, MANY));
  for (guint i = 0; i < MANY; i++)
    {
      const PenMqttReceived *message = pen_mqtt_receiver_get (receiver, i);
      g_autofree char *text = g_strdup_printf ("{\"n\": %u}", i);

      g_assert_cmpstr (message->payload, ==, text);
      g_assert_cmpstr (message->topic, ==, "t");
      g_assert_cmpint (message->qos, ==, MIN (qos, 1));
      g_assert_false (message->retain);
    }
  log = pen_broker_read_log (fixture->broker);
  g_assert_nonnull (strstr (log, published));
  pen_harness_stop (harness);
  g_assert_cmpuint (pen_mqtt_receiver_count (receiver), ==, MANY);
}

static void
test_qualities (TestFixture *fixture)
{
  /* the broker would drop what a subscriber does not take at once */
  test_start_broker (fixture, "max_queued_messages 0");
  for (int qos = 0; qos <= 2; qos++)
    {
      test_deliver (fixture, qos, "5");
      test_deliver (fixture, qos, "3.1.1");
    }
}

static void
test_retain (TestFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttReceiver) receiver = NULL;
  g_autoptr (PenBatch) batch = test_make_batch (3);

  test_start_broker (fixture, NULL);
  harness = test_make (fixture, "retain", TRUE, "topic", "last/{topic:2}", NULL);
  pen_harness_start (harness);
  g_assert_true (pen_harness_write (harness, batch, NULL));
  receiver = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  g_assert_true (pen_mqtt_receiver_wait (receiver, 1));
  g_assert_cmpstr (pen_mqtt_receiver_get (receiver, 0)->payload, ==, "{\"n\": 2}");
  g_assert_cmpstr (pen_mqtt_receiver_get (receiver, 0)->topic, ==, "last/topic");
  g_assert_true (pen_mqtt_receiver_get (receiver, 0)->retain);
}

static void
test_describe (TestFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttReceiver) receiver = NULL;
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autoptr (PenEvent) plain = pen_harness_make_event ("1", "a/b");
  g_autoptr (PenEvent) rich = pen_harness_make_event ("2", "a/b");
  const PenMqttReceived *message;

  test_start_broker (fixture, NULL);
  pen_event_set_content_type (rich, "application/json");
  pen_event_add_user_property (rich, "site", "7");
  pen_batch_append (batch, plain);
  pen_batch_append (batch, rich);
  receiver = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  harness = test_make (fixture, "topic", "{topic}", "content-type", "text/plain", "message-expiry",
                       (gint64) 90 * G_USEC_PER_SEC, NULL);
  pen_harness_start (harness);
  g_assert_true (pen_harness_write (harness, batch, NULL));
  g_assert_true (pen_mqtt_receiver_wait (receiver, 2));
  message = pen_mqtt_receiver_get (receiver, 0);
  g_assert_cmpstr (message->content_type, ==, "text/plain");
  g_assert_null (message->user_property);
  g_assert_cmpuint (message->expiry_s, ==, 90);
  message = pen_mqtt_receiver_get (receiver, 1);
  g_assert_cmpstr (message->topic, ==, "a/b");
  g_assert_cmpstr (message->content_type, ==, "application/json");
  g_assert_cmpstr (message->user_property, ==, "site=7");
}

/* --- What is refused --- */

/* The reason, or NULL; @batch's event @index. */
static void
test_assert_rejected (PenBatch *batch, guint index, const char *reason, const char *pattern)
{
  const char *found = NULL;
  const char *message = NULL;

  g_assert_true (pen_batch_get_rejection (batch, index, &found, &message));
  g_test_message ("%s: %s", found, message);
  g_assert_cmpstr (found, ==, reason);
  g_assert_true (g_pattern_match_simple (pattern, message));
}

static void
test_append (PenBatch *batch, const char *text, const char *topic)
{
  g_autoptr (PenEvent) event = pen_harness_make_event (text, topic);

  pen_batch_append (batch, event);
}

/* A topic that the login may not publish to: dead letters, and the others go on. */
static void
test_denied (TestFixture *fixture)
{
  g_autofree char *extra = g_strdup_printf ("acl_file %s/acl", fixture->folder);
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttReceiver) receiver = NULL;

  pen_test_write_file (fixture->folder, "acl", "topic readwrite good/#\n");
  test_start_broker (fixture, extra);
  receiver = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  for (int qos = 1; qos <= 2; qos++)
    {
      g_autoptr (PenBatch) batch = pen_batch_new ();
      g_autoptr (GError) error = NULL;

      harness = test_make (fixture, "topic", "{topic}", "qos", qos, NULL);
      pen_harness_start (harness);
      test_append (batch, "1", "good/a");
      test_append (batch, "2", "bad/a");
      test_append (batch, "3", "good/+");
      test_append (batch, "4", "good/b");
      g_assert_true (pen_harness_write (harness, batch, &error));
      g_assert_no_error (error);
      test_assert_rejected (batch, 1, "not_authorised",
                            "*the broker refused the message for topic 'bad/a': not authorised*");
      test_assert_rejected (batch, 2, "bad_topic", "*'good/+': it has a wildcard");
      g_assert_true (pen_mqtt_receiver_wait (receiver, (guint) qos * 2));
      g_clear_pointer (&harness, pen_harness_free);
    }
}

/* The broker says how large a packet may be, and we say how large a payload. */
static void
test_too_large (TestFixture *fixture)
{
  g_autofree char *large = g_strnfill (3000, 'x');
  g_autofree char *larger = g_strnfill (5001, 'x');
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttReceiver) receiver = NULL;
  g_autoptr (PenBatch) batch = pen_batch_new ();

  test_start_broker (fixture, "max_packet_size 2000");
  receiver = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  harness = test_make (fixture, "max-payload", (guint64) 5000, NULL);
  pen_harness_start (harness);
  test_append (batch, large, "a");
  test_append (batch, "small", "a");
  test_append (batch, larger, "a");
  g_assert_true (pen_harness_write (harness, batch, NULL));
  test_assert_rejected (batch, 0, "too_large", "*larger than the broker takes*");
  test_assert_rejected (batch, 2, "too_large", "the payload has 5001 bytes; max-payload is 5000");
  g_assert_true (pen_mqtt_receiver_wait (receiver, 1));
  g_assert_cmpstr (pen_mqtt_receiver_get (receiver, 0)->payload, ==, "small");
}

static void
test_wrong_password (TestFixture *fixture)
{
  const PenBrokerOptions options
      = { .certificate = "server", .username = "site", .password = "right" };
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (GError) error = NULL;

  fixture->broker = pen_broker_new (fixture->folder, &options);
  pen_broker_start (fixture->broker);
  harness = test_make (fixture, "username", "site", "password", "gneiss", NULL);
  error = pen_harness_start_fails (harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_nonnull (strstr (error->message, "the broker refused the login of 'site'"));
  g_assert_null (strstr (error->message, "gneiss"));
  g_clear_pointer (&harness, pen_harness_free);
  harness = test_make (fixture, "username", "site", "password", "right", NULL);
  pen_harness_start (harness);
}

/* A broker that is not there, or that nobody vouches for. */
static void
test_cannot_connect (TestFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autofree char *other = g_build_filename (fixture->folder, "ca-expired.crt", NULL);
  g_autoptr (GError) refused = NULL;
  g_autoptr (GError) untrusted = NULL;

  test_start_broker (fixture, NULL);
  harness = test_make (fixture, "cafile", other, NULL);
  untrusted = pen_harness_start_fails (harness);
  g_assert_error (untrusted, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_clear_pointer (&harness, pen_harness_free);
  pen_broker_stop (fixture->broker);
  harness = test_make (fixture, "topic", "t", NULL);
  refused = pen_harness_start_fails (harness);
  g_assert_error (refused, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_nonnull (strstr (refused->message, "cannot connect: Connection refused"));
}

/* --- When the broker goes --- */

typedef struct
{
  PenBroker *broker;
  PenMqttReceiver *receiver;
} TestKiller;

static gpointer
test_kill_soon (gpointer user_data)
{
  const TestKiller *killer = user_data;

  /* not pen_test_wait (), which is the main thread's */
  while (pen_mqtt_receiver_count (killer->receiver) < MANY)
    g_thread_yield ();
  pen_broker_kill (killer->broker);
  return NULL;
}

/* Killed in the middle of a batch: what was acknowledged is not sent again, the rest is. */
static void
test_killed (TestFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttReceiver) before = NULL;
  g_autoptr (PenMqttReceiver) after = NULL;
  g_autoptr (PenBatch) batch = test_make_batch (MANY * 20);
  g_autoptr (GError) error = NULL;
  TestKiller killer;
  GThread *thread;
  guint n_open;

  test_start_broker (fixture, "max_queued_messages 0");
  before = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  harness = test_make (fixture, "topic", "t", NULL);
  pen_harness_start (harness);
  killer = (TestKiller){ fixture->broker, before };
  thread = g_thread_new ("killer", test_kill_soon, &killer);
  g_assert_false (pen_harness_write (harness, batch, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_thread_join (thread);
  n_open = test_count_open (batch);
  g_assert_cmpuint (n_open, <, MANY * 20);
  g_assert_cmpuint (n_open, >, 0);
  pen_broker_start (fixture->broker);
  after = pen_mqtt_receiver_new (pen_broker_get_plain_port (fixture->broker), NULL);
  g_assert_true (pen_harness_write (harness, batch, NULL));
  g_assert_true (pen_mqtt_receiver_wait (after, n_open));
  /* all that was accepted before had been handed on before */
  g_assert_cmpuint (pen_mqtt_receiver_count (before), >=, MANY * 20 - n_open);
  g_assert_cmpuint (pen_mqtt_receiver_count (after), >=, n_open);
}

static gboolean
test_has_reconnected (gpointer user_data)
{
  PenHarness *harness = user_data;

  pen_harness_flush (harness, NULL);
  return pen_harness_get_count (harness, "connections", NULL) == 2;
}

/* Killed while nothing is published: noticed and made good between batches. */
static void
test_killed_idle (TestFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (GError) error = NULL;

  test_start_broker (fixture, NULL);
  harness = test_make (fixture, "topic", "t", NULL);
  pen_harness_start (harness);
  g_assert_true (pen_harness_flush (harness, NULL));
  pen_broker_kill (fixture->broker);
  g_assert_false (pen_harness_flush (harness, &error));
  g_assert_nonnull (strstr (error->message, "the broker closed the connection"));
  pen_broker_start (fixture->broker);
  g_assert_true (pen_test_wait (test_has_reconnected, harness, WAIT_MS));
  /* and by the next batch where nobody has looked */
  pen_broker_kill (fixture->broker);
  pen_broker_start (fixture->broker);
  g_assert_true (pen_harness_write_texts (harness, NULL, "1", NULL));
  g_assert_cmpint (pen_harness_get_count (harness, "connections", NULL), ==, 3);
}

/* One that does not answer is not waited for longer than was said. */
static void
test_silent (TestFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (GError) error = NULL;
  gint64 begun_us;

  test_start_broker (fixture, NULL);
  harness = test_make (fixture, "acknowledge-timeout", (gint64) 300 * 1000, NULL);
  pen_harness_start (harness);
  pen_broker_suspend (fixture->broker, TRUE);
  begun_us = g_get_monotonic_time ();
  g_assert_false (pen_harness_write_texts (harness, &error, "1", "2", NULL));
  g_assert_cmpint (g_get_monotonic_time () - begun_us, >=, 300 * 1000);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_nonnull (strstr (error->message, "has not acknowledged anything"));
  pen_broker_suspend (fixture->broker, FALSE);
  g_assert_true (pen_harness_write_texts (harness, NULL, "1", "2", NULL));
}

static void
test_add (const char *path, TestFunc func)
{
  g_test_add_data_func (path, (gconstpointer) func, test_run);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  test_add ("/mqtt-sink/qualities", test_qualities);
  test_add ("/mqtt-sink/retain", test_retain);
  test_add ("/mqtt-sink/describe", test_describe);
  test_add ("/mqtt-sink/denied", test_denied);
  test_add ("/mqtt-sink/too-large", test_too_large);
  test_add ("/mqtt-sink/wrong-password", test_wrong_password);
  test_add ("/mqtt-sink/cannot-connect", test_cannot_connect);
  test_add ("/mqtt-sink/killed", test_killed);
  test_add ("/mqtt-sink/killed-idle", test_killed_idle);
  test_add ("/mqtt-sink/silent", test_silent);
  return g_test_run ();
}
