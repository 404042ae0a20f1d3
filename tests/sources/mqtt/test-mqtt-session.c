/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What becomes of a session when the broker, the network, the sinks, the keyfile or another client
 * get in the way.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <string.h>

#define SECOND_US ((gint64) G_USEC_PER_SEC)

static const PenBrokerOptions test_plain = { .extra = "max_queued_messages 0" };

typedef struct
{
  PenMqttFixture *fixture;
  const char *text;
} TestBrokerLog;

static gboolean
test_has_broker_log (gpointer user_data)
{
  const TestBrokerLog *wanted = user_data;
  g_autofree char *text = pen_broker_read_log (wanted->fixture->broker);

  return strstr (text, wanted->text) != NULL;
}

static void
test_wait_broker_log (PenMqttFixture *fixture, PenHarness *harness, const char *text)
{
  TestBrokerLog wanted = { fixture, text };

  g_assert_true (pen_harness_wait_for (harness, test_has_broker_log, &wanted, WAIT_MS));
}

static void
test_send_numbers (PenMqttPublisher *publisher, guint first, guint last)
{
  for (guint i = first; i < last; i++)
    {
      g_autofree char *payload = g_strdup_printf ("%u", i);

      pen_mqtt_publisher_send (publisher, "t/n", payload, -1, 1);
    }
}

/* Pulls until each of the numbers has come; how many came twice is said, not judged. */
typedef struct
{
  PenHarness *harness;
  GHashTable *seen;
  guint n_pulled;
  guint n_wanted;
} TestNumbers;

static gboolean
test_has_numbers (gpointer user_data)
{
  TestNumbers *numbers = user_data;

  while (pen_harness_get_n_events (numbers->harness) > 0)
    {
      g_hash_table_add (numbers->seen, pen_harness_pull_text (numbers->harness));
      numbers->n_pulled++;
    }
  return g_hash_table_size (numbers->seen) >= numbers->n_wanted;
}

static void
test_wait_numbers (PenHarness *harness, guint n_wanted)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  TestNumbers numbers = { harness, seen, 0, n_wanted };

  g_assert_true (pen_harness_wait_for (harness, test_has_numbers, &numbers, WAIT_MS));
  for (guint i = 0; i < n_wanted; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);

      g_assert_true (g_hash_table_contains (seen, number));
    }
  g_test_message ("%u numbers, %u more than once", n_wanted, numbers.n_pulled - n_wanted);
}

/* --- The broker --- */

static void
test_broker_restarts (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_mqtt_fixture_send (fixture, "t/a", "before");
  pen_mqtt_fixture_assert_next (harness, "t/a", "before");
  pen_broker_stop (fixture->broker);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, FALSE));
  g_assert_true (pen_mqtt_fixture_wait_log (harness, "127.0.0.1:*; trying again"));
  pen_broker_start (fixture->broker);
  pen_mqtt_fixture_send (fixture, "t/a", "between");
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  pen_mqtt_fixture_assert_next (harness, "t/a", "between");
  g_assert_true (pen_mqtt_fixture_has_log ("127.0.0.1:*: connected and subscribed again"));
}

/* Killed while messages flow; what it has confirmed to the publisher arrives. */
static void
test_broker_killed (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .saves_at_once = TRUE, .extra = "max_queued_messages 0" };
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  publisher = pen_mqtt_fixture_publish (fixture);
  test_send_numbers (publisher, 0, 200);
  g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  pen_broker_kill (fixture->broker);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, FALSE));
  pen_broker_start (fixture->broker);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  test_send_numbers (publisher, 200, 300);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  test_wait_numbers (harness, 300);
}

static void
test_broker_is_not_there (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  fixture->broker = pen_broker_new (fixture->folder, &test_plain);
  harness = pen_harness_new (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_log (
      harness, "127.0.0.1:*: cannot connect: Connection refused; trying again"));
  pen_broker_start (fixture->broker);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
}

/* What was published while we were away, also over a restart of the broker. */
static void
test_while_away (PenMqttFixture *fixture)
{
  PenHarness *first;
  g_autoptr (PenHarness) second = NULL;
  PenMqttPublisher *publisher;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  first = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_harness_free (first);
  publisher = pen_mqtt_fixture_publish (fixture);
  test_send_numbers (publisher, 0, 100);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  pen_mqtt_publisher_free (publisher);
  pen_broker_stop (fixture->broker);
  pen_broker_start (fixture->broker);
  second = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  test_wait_numbers (second, 100);
}

static void
test_clean_session (PenMqttFixture *fixture)
{
  PenHarness *first;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  first = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "clean-session", TRUE, NULL));
  pen_harness_free (first);
  pen_mqtt_fixture_send (fixture, "t/a", "unheard");
  second = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "clean-session", TRUE, NULL));
  pen_mqtt_fixture_send (fixture, "t/a", "heard");
  pen_mqtt_fixture_assert_next (second, "t/a", "heard");
}

/* Each message goes to one of the two. */
static void
test_shared (PenMqttFixture *fixture)
{
  const char *const topics[] = { "$share/g/t/#", NULL };
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  guint n_first;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  first = pen_mqtt_fixture_run (
      pen_mqtt_fixture_make (fixture, "topics", topics, "client-id", "one", NULL));
  second = pen_mqtt_fixture_run (
      pen_mqtt_fixture_make (fixture, "topics", topics, "client-id", "two", NULL));
  publisher = pen_mqtt_fixture_publish (fixture);
  test_send_numbers (publisher, 0, 100);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  g_assert_true (pen_harness_wait (first, 10, WAIT_MS));
  n_first = pen_harness_get_n_events (first);
  while (n_first + pen_harness_get_n_events (second) < 100)
    {
      g_assert_true (pen_harness_wait (second, 100 - n_first, WAIT_MS));
      n_first = pen_harness_get_n_events (first);
    }
  g_assert_cmpuint (pen_harness_get_n_events (second), >=, 10);
  g_assert_cmpuint (n_first + pen_harness_get_n_events (second), ==, 100);
}

/* --- Slow sinks --- */

/* Held for longer than the keep-alive: given up without an acknowledgement, made again later. */
static void
test_held_too_long (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_harness_new (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_harness_use_test_clock (harness, g_get_real_time ());
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  pen_harness_hold (harness);
  pen_mqtt_fixture_send (fixture, "t/a", "slow");
  g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  pen_harness_advance (harness, 60 * SECOND_US);
  g_assert_true (pen_harness_is_connected (harness));
  pen_harness_advance (harness, 30 * SECOND_US);
  g_assert_false (pen_harness_is_connected (harness));
  g_assert_cmpint (pen_harness_get_count (harness, "connections_parked", NULL), ==, 1);
  pen_harness_advance (harness, 600 * SECOND_US);
  g_assert_false (pen_harness_is_connected (harness));
  pen_harness_release (harness);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  pen_mqtt_fixture_assert_next (harness, "t/a", "slow");
  pen_mqtt_fixture_assert_next (harness, "t/a", "slow");
  g_assert_cmpint (pen_harness_get_count (harness, "messages_duplicate", NULL), ==, 1);
}

/* Paused with nothing held: says good-bye properly, so that nothing comes twice. */
static void
test_paused_too_long (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_harness_new (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_harness_use_test_clock (harness, g_get_real_time ());
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  pen_mqtt_fixture_assert_next (harness, "t/a", "one");
  pen_harness_pause (harness);
  pen_harness_advance (harness, 90 * SECOND_US);
  g_assert_false (pen_harness_is_connected (harness));
  pen_mqtt_fixture_send (fixture, "t/a", "two");
  pen_harness_resume (harness);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  pen_mqtt_fixture_assert_next (harness, "t/a", "two");
  g_assert_cmpint (pen_harness_get_count (harness, "messages_duplicate", NULL), ==, 0);
}

/* The connection breaks while something is held: it settles, and comes again all the same. */
static void
test_broken_while_held (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_harness_hold (harness);
  pen_mqtt_fixture_send (fixture, "t/a", "held");
  g_assert_true (pen_harness_wait (harness, 1, WAIT_MS));
  pen_broker_stop (fixture->broker);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, FALSE));
  pen_broker_start (fixture->broker);
  pen_harness_release (harness);
  g_assert_true (pen_mqtt_fixture_wait_connected (harness, TRUE));
  pen_mqtt_fixture_assert_next (harness, "t/a", "held");
  pen_mqtt_fixture_assert_next (harness, "t/a", "held");
}

/* --- Another client with our id --- */

/* Newer brokers say so, older ones only close the connection. */
static void
test_taken_over (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  first = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  second = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  g_assert_true (pen_mqtt_fixture_wait_log (first, "127.0.0.1:*another client*"));
  pen_harness_stop (second);
  g_assert_true (pen_mqtt_fixture_wait_connected (first, TRUE));
}

/* MQTT 3.1.1 has no word for it: only that it happens again and again. */
static void
test_taken_over_silently (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) first = NULL;
  g_autoptr (PenHarness) second = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  first = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "version", 0, NULL));
  second = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "version", 0, NULL));
  g_assert_true (pen_mqtt_fixture_wait_log (first, "127.0.0.1:*is another client using the id*"));
}

/* --- Topics that the keyfile no longer names --- */

static void
test_leave_session (PenMqttFixture *fixture, int version, const char *first, const char *second)
{
  const char *const topics[] = { first, second, NULL };

  pen_harness_free (pen_mqtt_fixture_run (
      pen_mqtt_fixture_make (fixture, "topics", topics, "version", version, NULL)));
}

static void
test_reconciles (PenMqttFixture *fixture, int version)
{
  const char *const topics[] = { "t/#", NULL };
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenEvent) event = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *message = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  test_leave_session (fixture, version, "t/#", "old/+/data");
  harness = pen_mqtt_fixture_run (
      pen_mqtt_fixture_make (fixture, "topics", topics, "version", version, NULL));
  pen_mqtt_fixture_send (fixture, "old/7/data", "unexpected");
  test_wait_broker_log (fixture, harness, "Sending UNSUBACK");
  g_assert_true (pen_harness_pull_rejection (harness, &event, &reason, &message));
  g_assert_cmpstr (reason, ==, "unexpected_topic");
  g_assert_cmpstr (message, ==,
                   "topic 'old/7/data' is none of ours: the broker's session of client id "
                   "'penstock-test' still holds an older subscription");
  pen_mqtt_fixture_send (fixture, "old/8/data", "no longer there");
  pen_mqtt_fixture_send (fixture, "t/a", "expected");
  pen_mqtt_fixture_assert_next (harness, "t/a", "expected");
  g_assert_cmpint (pen_harness_get_count (harness, "events_received", NULL), ==, 2);
}

static void
test_reconciles_version_5 (PenMqttFixture *fixture)
{
  test_reconciles (fixture, 1);
}

static void
test_reconciles_version_3 (PenMqttFixture *fixture)
{
  test_reconciles (fixture, 0);
}

/* An old topic within a new one brings everything twice, once. */
static void
test_reconciles_overlap (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  test_leave_session (fixture, 1, "t/a", "t/b");
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, NULL, NULL));
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  test_wait_broker_log (fixture, harness, "Sending UNSUBACK");
  pen_mqtt_fixture_send (fixture, "t/a", "two");
  pen_mqtt_fixture_send (fixture, "t/c", "end");
  g_assert_true (pen_harness_wait (harness, 4, WAIT_MS));
  pen_mqtt_fixture_assert_next (harness, "t/a", "one");
  pen_mqtt_fixture_assert_next (harness, "t/a", "one");
  pen_mqtt_fixture_assert_next (harness, "t/a", "two");
  pen_mqtt_fixture_assert_next (harness, "t/c", "end");
}

/* The ids of two sources of one pipeline. */
static void
test_client_id (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;
  PenElement *element;

  pen_mqtt_fixture_start_broker (fixture, &test_plain);
  element = pen_mqtt_fixture_make (fixture, NULL, NULL);
  harness = pen_harness_new_named (element, "north", FALSE);
  pen_harness_start (harness);
  g_assert_true (
      pen_mqtt_fixture_wait_log (harness, "*connected as 'penstock-test-north', new session"));
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/session/broker-restarts", test_broker_restarts);
  pen_mqtt_fixture_add ("/mqtt/session/broker-killed", test_broker_killed);
  pen_mqtt_fixture_add ("/mqtt/session/broker-is-not-there", test_broker_is_not_there);
  pen_mqtt_fixture_add ("/mqtt/session/while-away", test_while_away);
  pen_mqtt_fixture_add ("/mqtt/session/clean", test_clean_session);
  pen_mqtt_fixture_add ("/mqtt/session/shared", test_shared);
  pen_mqtt_fixture_add ("/mqtt/session/held-too-long", test_held_too_long);
  pen_mqtt_fixture_add ("/mqtt/session/paused-too-long", test_paused_too_long);
  pen_mqtt_fixture_add ("/mqtt/session/broken-while-held", test_broken_while_held);
  pen_mqtt_fixture_add ("/mqtt/session/taken-over", test_taken_over);
  pen_mqtt_fixture_add ("/mqtt/session/taken-over-silently", test_taken_over_silently);
  pen_mqtt_fixture_add ("/mqtt/session/reconciles", test_reconciles_version_5);
  pen_mqtt_fixture_add ("/mqtt/session/reconciles-3.1.1", test_reconciles_version_3);
  pen_mqtt_fixture_add ("/mqtt/session/reconciles-overlap", test_reconciles_overlap);
  pen_mqtt_fixture_add ("/mqtt/session/client-id", test_client_id);
  return g_test_run ();
}
