/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What comes from a real broker, and what is acknowledged when. A message is acknowledged when it
 * has settled and not before: pulled out of the socket and then forgotten, it comes again.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <string.h>

static const PenBrokerOptions test_plain = { NULL };
static const PenBrokerOptions test_tls = { .certificate = "server" };

static PenHarness *
test_run_tls (PenMqttFixture *fixture)
{
  g_autofree char *cafile = pen_mqtt_fixture_find (fixture, "ca.crt");

  return pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "cafile", cafile, NULL));
}

static void
test_qos_1 (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenEvent) event = NULL;
  gint64 before_us = g_get_real_time ();

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "qos", 1, NULL));
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  event = pen_harness_pull (harness);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "t/a");
  g_assert_cmpint (pen_event_get_flags (event), ==, PEN_EVENT_NONE);
  g_assert_cmpint (pen_event_get_arrival (event), >=, before_us);
  g_assert_cmpint (pen_event_get_arrival (event), <=, g_get_real_time ());
  g_assert_null (pen_event_get_content_type (event));
  g_assert_cmpint (pen_harness_get_count (harness, "connections", NULL), ==, 1);
}

static void
test_qos_0 (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "qos", 0, NULL));
  publisher = pen_mqtt_fixture_publish (fixture);
  pen_mqtt_publisher_send (publisher, "t/a", "zero", -1, 0);
  pen_mqtt_publisher_send (publisher, "t/b", "one", -1, 1);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  pen_mqtt_fixture_assert_next (harness, "t/a", "zero");
  pen_mqtt_fixture_assert_next (harness, "t/b", "one");
}

static void
test_qos_2_publisher (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  publisher = pen_mqtt_fixture_publish (fixture);
  pen_mqtt_publisher_send (publisher, "t/a", "two", -1, 2);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  pen_mqtt_fixture_assert_next (harness, "t/a", "two");
}

static void
test_metadata (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  g_autoptr (PenEvent) event = NULL;
  const char *name = NULL;
  const char *value = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  publisher = pen_mqtt_fixture_publish (fixture);
  pen_mqtt_publisher_describe (publisher, "t/a", "{}", "application/json", "site", "Müh\"le");
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  event = pen_harness_pull (harness);
  g_assert_cmpstr (pen_event_get_content_type (event), ==, "application/json");
  g_assert_cmpuint (pen_event_get_n_user_properties (event), ==, 1);
  pen_event_get_user_property (event, 0, &name, &value);
  g_assert_cmpstr (name, ==, "site");
  g_assert_cmpstr (value, ==, "Müh\"le");
}

static void
test_retained (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  g_autoptr (PenEvent) event = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  publisher = pen_mqtt_fixture_publish (fixture);
  pen_mqtt_publisher_retain (publisher, "t/kept", "old");
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  event = pen_harness_pull (harness);
  g_assert_cmpint (pen_event_get_flags (event), ==, PEN_EVENT_RETAINED);
  g_assert_cmpint (pen_harness_get_count (harness, "messages_retained", NULL), ==, 1);
}

static void
test_retained_not_wanted (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  PenElement *element;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  publisher = pen_mqtt_fixture_publish (fixture);
  pen_mqtt_publisher_retain (publisher, "t/kept", "old");
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  element = pen_mqtt_fixture_make (fixture, "retain-handling", 2, NULL);
  harness = pen_mqtt_fixture_run (element);
  pen_mqtt_fixture_send (fixture, "t/new", "new");
  pen_mqtt_fixture_assert_next (harness, "t/new", "new");
}

static void
test_old_version (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_tls);
  {
    g_autofree char *cafile = pen_mqtt_fixture_find (fixture, "ca.crt");

    harness = pen_mqtt_fixture_run (
        pen_mqtt_fixture_make (fixture, "cafile", cafile, "version", 0, NULL));
  }
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  pen_mqtt_fixture_assert_next (harness, "t/a", "one");
}

/* Empty, 1 MiB, and one byte more than that. */
static void
test_payload_sizes (PenMqttFixture *fixture)
{
  const gsize limit = 1024 * 1024;
  g_autofree char *payload = g_strnfill (limit + 1, 'x');
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *message = NULL;
  g_autoptr (PenEvent) rejected = NULL;
  gsize length = 0;

  pen_mqtt_fixture_start_broker (fixture, &test_tls);
  harness = test_run_tls (fixture);
  publisher = pen_mqtt_fixture_publish (fixture);
  pen_mqtt_publisher_send (publisher, "t/empty", "", 0, 1);
  pen_mqtt_publisher_send (publisher, "t/large", payload, (gssize) limit, 1);
  pen_mqtt_publisher_send (publisher, "t/larger", payload, (gssize) limit + 1, 1);
  pen_mqtt_publisher_send (publisher, "t/after", "after", -1, 1);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  pen_mqtt_fixture_assert_next (harness, "t/empty", "");
  payload[limit] = '\0';
  pen_mqtt_fixture_assert_next (harness, "t/large", payload);
  pen_mqtt_fixture_assert_next (harness, "t/after", "after");
  g_assert_true (pen_harness_pull_rejection (harness, &rejected, &reason, &message));
  g_assert_cmpstr (reason, ==, "too_large");
  g_assert_cmpstr (message, ==, "the payload has 1048577 bytes; max-payload is 1048576");
  g_assert_cmpstr (pen_event_get_topic (rejected), ==, "t/larger");
  pen_event_get_data (rejected, &length);
  g_assert_cmpuint (length, ==, limit + 1);
}

/* More than the broker's window of 20, than a record, than a round of the lane. */
static void
test_many (PenMqttFixture *fixture)
{
  const guint n_messages = 20000;
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  const PenBrokerOptions options = { .certificate = "server", .extra = "max_queued_messages 0" };

  pen_mqtt_fixture_start_broker (fixture, &options);
  harness = test_run_tls (fixture);
  publisher = pen_mqtt_fixture_publish (fixture);
  for (guint i = 0; i < n_messages; i++)
    {
      g_autofree char *payload = g_strdup_printf ("%u", i);

      pen_mqtt_publisher_send (publisher, "t/n", payload, -1, 1);
    }
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  g_assert_true (pen_harness_wait (harness, n_messages, WAIT_MS));
  for (guint i = 0; i < n_messages; i++)
    {
      g_autofree char *text = pen_harness_pull_text (harness);

      g_assert_cmpuint ((guint) g_ascii_strtoull (text, NULL, 10), ==, i);
    }
  g_assert_cmpint (pen_harness_get_count (harness, "connections", NULL), ==, 1);
}

/* --- Acknowledgements --- */

/* Takes @n_messages and forgets them: the connection goes down without their acknowledgement. */
static void
test_receive_and_forget (PenMqttFixture *fixture, PenHarness *harness, guint n_messages)
{
  pen_harness_hold (harness);
  for (guint i = 0; i < n_messages; i++)
    {
      g_autofree char *payload = g_strdup_printf ("m%u", i);

      pen_mqtt_fixture_send (fixture, "t/a", payload);
    }
  g_assert_true (pen_harness_wait (harness, n_messages, WAIT_MS));
  pen_harness_stop (harness);
}

static void
test_come_again (PenHarness *harness, guint n_messages)
{
  g_assert_true (pen_harness_wait (harness, n_messages, WAIT_MS));
  for (guint i = 0; i < n_messages; i++)
    {
      g_autofree char *payload = g_strdup_printf ("m%u", i);
      g_autoptr (PenEvent) event = pen_harness_pull (harness);
      gsize length = 0;
      const char *data = pen_event_get_data (event, &length);

      g_assert_cmpmem (data, length, payload, strlen (payload));
      g_assert_cmpint (pen_event_get_flags (event), ==, PEN_EVENT_DUPLICATE);
    }
  g_assert_cmpint (pen_harness_get_count (harness, "messages_duplicate", NULL), ==, n_messages);
}

static void
test_stopped_while_held (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_tls);
  first = test_run_tls (fixture);
  test_receive_and_forget (fixture, first, 3);
  second = test_run_tls (fixture);
  test_come_again (second, 3);
}

static void
test_stopped_while_held_plain (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  first = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "version", 0, NULL));
  test_receive_and_forget (fixture, first, 3);
  second = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "version", 0, NULL));
  test_come_again (second, 3);
}

/* What has settled when it stops is not sent again. */
static void
test_stopped_when_settled (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_tls);
  first = test_run_tls (fixture);
  pen_harness_hold (first);
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  g_assert_true (pen_harness_wait (first, 1, WAIT_MS));
  pen_harness_release (first);
  pen_harness_stop (first);
  second = test_run_tls (fixture);
  pen_mqtt_fixture_send (fixture, "t/a", "two");
  pen_mqtt_fixture_assert_next (second, "t/a", "two");
}

/* Two of three have settled: all three come again, for an acknowledgement cannot go alone. */
static void
test_settled_in_part (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_tls);
  first = test_run_tls (fixture);
  pen_harness_hold (first);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *payload = g_strdup_printf ("m%u", i);

      pen_mqtt_fixture_send (fixture, "t/a", payload);
    }
  g_assert_true (pen_harness_wait (first, 3, WAIT_MS));
  pen_harness_settle (first, 2);
  pen_harness_stop (first);
  second = test_run_tls (fixture);
  test_come_again (second, 3);
}

/* The broker's window fills, nothing more comes, and after the settling everything does. */
static void
test_window (PenMqttFixture *fixture, int version, guint window)
{
  const PenBrokerOptions options = { .certificate = "server", .extra = "max_queued_messages 0" };
  g_autofree char *cafile = pen_mqtt_fixture_find (fixture, "ca.crt");
  guint n_messages = window * 3;
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  harness = pen_mqtt_fixture_run (
      pen_mqtt_fixture_make (fixture, "cafile", cafile, "version", version, NULL));
  pen_harness_hold (harness);
  publisher = pen_mqtt_fixture_publish (fixture);
  for (guint i = 0; i < n_messages; i++)
    pen_mqtt_publisher_send (publisher, "t/a", "x", -1, 1);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  g_assert_true (pen_harness_wait (harness, window, WAIT_MS));
  g_assert_false (pen_harness_wait (harness, window + 1, 300));
  pen_harness_release (harness);
  g_assert_true (pen_harness_wait (harness, n_messages, WAIT_MS));
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, n_messages);
}

static void
test_window_of_broker (PenMqttFixture *fixture)
{
  test_window (fixture, 0, 20);
}

static void
test_window_of_ours (PenMqttFixture *fixture)
{
  test_window (fixture, 1, 1000);
}

/* A broker that knows no window: reading stops at a thousand, until all of them have settled. */
static void
test_no_window (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .extra = "max_queued_messages 0\nmax_inflight_messages 0" };
  const guint n_messages = 4000;
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "version", 0, NULL));
  pen_harness_hold (harness);
  publisher = pen_mqtt_fixture_publish (fixture);
  for (guint i = 0; i < n_messages; i++)
    pen_mqtt_publisher_send (publisher, "t/a", "x", -1, 1);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  g_assert_true (pen_harness_wait (harness, 1000, WAIT_MS));
  /* a round may have begun just below the limit */
  g_assert_false (pen_harness_wait (harness, 1000 + 256, 300));
  pen_harness_settle (harness, 999);
  g_assert_false (pen_harness_wait (harness, 3000, 300));
  pen_harness_release (harness);
  g_assert_true (pen_harness_wait (harness, n_messages, WAIT_MS));
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, n_messages);
}

static void
test_paused (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_tls);
  harness = test_run_tls (fixture);
  pen_harness_pause (harness);
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  g_assert_false (pen_harness_wait (harness, 1, 200));
  pen_harness_resume (harness);
  pen_mqtt_fixture_assert_next (harness, "t/a", "one");
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/delivery/qos-1", test_qos_1);
  pen_mqtt_fixture_add ("/mqtt/delivery/qos-0", test_qos_0);
  pen_mqtt_fixture_add ("/mqtt/delivery/qos-2-publisher", test_qos_2_publisher);
  pen_mqtt_fixture_add ("/mqtt/delivery/metadata", test_metadata);
  pen_mqtt_fixture_add ("/mqtt/delivery/retained", test_retained);
  pen_mqtt_fixture_add ("/mqtt/delivery/retained-not-wanted", test_retained_not_wanted);
  pen_mqtt_fixture_add ("/mqtt/delivery/version-3.1.1", test_old_version);
  pen_mqtt_fixture_add ("/mqtt/delivery/payload-sizes", test_payload_sizes);
  pen_mqtt_fixture_add ("/mqtt/delivery/many", test_many);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/stopped-while-held", test_stopped_while_held);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/stopped-while-held-plain",
                        test_stopped_while_held_plain);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/stopped-when-settled", test_stopped_when_settled);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/settled-in-part", test_settled_in_part);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/window-of-broker", test_window_of_broker);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/window-of-ours", test_window_of_ours);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/no-window", test_no_window);
  pen_mqtt_fixture_add ("/mqtt/acknowledgement/paused", test_paused);
  return g_test_run ();
}
