/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many sites at a real broker, by one keyfile: with a connection for each row of [sites], which
 * come, change and go one by one, and with one connection for all.
 */

#include "config.h"

#include "pen-mqtt-fleet.h"

#include <signal.h>
#include <string.h>

typedef struct
{
  char *path;
  const char *text;
} TestFile;

static gboolean
test_has_text (gpointer user_data)
{
  const TestFile *file = user_data;
  g_autofree char *content = NULL;

  return g_file_get_contents (file->path, &content, NULL, NULL)
         && strstr (content, file->text) != NULL;
}

/* Waits until the file NAME of the keyfiles' folder has @text. */
static void
test_await_text (PenMqttFleet *fleet, const char *name, const char *text)
{
  g_autofree char *path = pen_mqtt_fleet_find (fleet, name);

  g_assert_true (pen_test_wait (test_has_text, &(TestFile){ path, text }, WAIT_MS));
}

/* A data logger's payload of one reading. */
static void
test_publish (PenMqttFixture *fixture, const char *node, guint value)
{
  g_autofree char *topic = g_strdup_printf ("a/%s/u/data", node);
  g_autofree char *payload
      = g_strdup_printf ("{\"t\":1700000000,\"r\":[{\"_vid\":\"v-%s\",\"P\":%u}]}", node, value);

  pen_mqtt_fixture_send (fixture, topic, payload);
}

static void
test_write_fleet (PenMqttFleet *fleet, const char *rows)
{
  g_autofree char *text = g_strdup_printf (
      "[sites]\ncolumns=node\n%s[source mqtt]\nhost=127.0.0.1\nport=%u\ntopics=a/${node}/u/data\n"
      "[sink file]\npath=${site}.txt\nfsync=never\n",
      rows, pen_broker_get_plain_port (fleet->fixture->broker));

  pen_test_write_file (fleet->folder, "fleet.pipeline", text);
}

/* SIGHUP; what is told of it has to be @summary. */
static void
test_reload (PenMqttFleet *fleet, const char *summary)
{
  guint n_before = pen_mqtt_fleet_count_log (fleet, "reloaded: ");
  guint n_same = pen_mqtt_fleet_count_log (fleet, summary);

  pen_mqtt_fleet_signal (fleet, SIGHUP);
  pen_mqtt_fleet_await_log (fleet, "reloaded: ", n_before + 1);
  g_assert_cmpuint (pen_mqtt_fleet_count_log (fleet, summary), ==, n_same + 1);
}

static void
test_assert_connections (PenMqttFleet *fleet, guint one, guint two, guint three)
{
  g_assert_cmpuint (pen_mqtt_fleet_count_broker_log (fleet, " as penstock-fleet-one "), ==, one);
  g_assert_cmpuint (pen_mqtt_fleet_count_broker_log (fleet, " as penstock-fleet-two "), ==, two);
  g_assert_cmpuint (pen_mqtt_fleet_count_broker_log (fleet, " as penstock-fleet-three "), ==,
                    three);
}

static void
test_row_by_row (PenMqttFixture *fixture)
{
  PenMqttFleet *fleet;

  pen_mqtt_fixture_start_broker (fixture, &(PenBrokerOptions){ NULL });
  fleet = pen_mqtt_fleet_new (fixture);
  test_write_fleet (fleet, "one=n1\ntwo=n2\n");
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-fleet-", 2);
  test_publish (fixture, "n1", 1);
  test_publish (fixture, "n2", 2);
  test_await_text (fleet, "one.txt", "v-n1");
  test_await_text (fleet, "two.txt", "v-n2");

  /* one more, and one that is no good: the others keep their connections */
  test_write_fleet (fleet, "bad=x;y\nthree=n3\ntwo=n2\none=n1\n");
  test_reload (fleet, "reloaded: 2 unchanged, 0 replaced, 1 started, 0 stopped, 0 kept");
  pen_mqtt_fleet_await_log (fleet, "fleet.pipeline:3:5: error: 'bad' has 2 values", 1);
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-fleet-three", 1);
  test_publish (fixture, "n3", 3);
  test_await_text (fleet, "three.txt", "v-n3");
  test_assert_connections (fleet, 1, 1, 1);

  /* a row that is gone beside one that is no good may be that */
  test_write_fleet (fleet, "bad=x;y\ntwo=n2\nthree=n4\n");
  test_reload (fleet, "reloaded: 1 unchanged, 1 replaced, 0 started, 0 stopped, 1 kept");
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-fleet-three", 2);
  test_write_fleet (fleet, "two=n2\nthree=n4\n");
  test_reload (fleet, "reloaded: 2 unchanged, 0 replaced, 0 started, 1 stopped, 0 kept");
  test_publish (fixture, "n4", 4);
  test_publish (fixture, "n2", 5);
  test_await_text (fleet, "three.txt", "v-n4");
  test_await_text (fleet, "two.txt", "\"P\":5");
  test_assert_connections (fleet, 1, 1, 2);
  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
  pen_mqtt_fleet_free (fleet);
}

/* The other way: sites are told apart by their topics. */
static void
test_one_connection (PenMqttFixture *fixture)
{
  PenMqttFleet *fleet;

  pen_mqtt_fixture_start_broker (fixture, &(PenBrokerOptions){ .certificate = "server" });
  fleet = pen_mqtt_fleet_new (fixture);
  pen_mqtt_fleet_write (fleet, "all", "a/+/u/data",
                        "[transform ammp]\n[sink file]\npath={topic}.jsonl\nfsync=never\n");
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-all", 1);
  for (guint i = 0; i < 3; i++)
    {
      test_publish (fixture, "n1", i);
      test_publish (fixture, "n2", i);
    }
  test_await_text (fleet, "a+n1+u+data.jsonl", "\"P\":2");
  test_await_text (fleet, "a+n2+u+data.jsonl", "\"P\":2");
  test_await_text (fleet, "a+n2+u+data.jsonl", "v-n2");
  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
  pen_mqtt_fleet_free (fleet);
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/sites/row-by-row", test_row_by_row);
  pen_mqtt_fixture_add ("/mqtt/sites/one-connection", test_one_connection);
  return g_test_run ();
}
