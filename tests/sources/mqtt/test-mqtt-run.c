/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The penstock command between a real broker and a file, over TLS, killed without a warning: after
 * that, every message that the broker had confirmed to its publisher is in the file.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <signal.h>
#include <string.h>

#define N_KILLS 5
#define N_PER_KILL 400

typedef struct
{
  PenMqttFixture *fixture;
  GSubprocess *process;
  GHashTable *wanted; /* lines of the output, or NULL */
  guint n_lines;
} TestRun;

static const char *
test_find_command (void)
{
  const char *command = g_getenv ("PENSTOCK_COMMAND");

  return command != NULL ? command : "penstock";
}

/* Writes run.pipeline: from the broker to @sink. */
static void
test_write_keyfile (PenMqttFixture *fixture, const char *more, const char *sink)
{
  g_autofree char *text = g_strdup_printf ("[pipeline]\nname=site\n\n"
                                           "[source mqtt]\nhost=127.0.0.1\nport=%u\n"
                                           "cafile=ca.crt\ntopics=t/#\n%s\n%s\n",
                                           pen_broker_get_port (fixture->broker), more, sink);

  pen_test_write_file (fixture->folder, "run.pipeline", text);
}

static GSubprocess *
test_spawn (PenMqttFixture *fixture, const char *output)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *keyfile = pen_mqtt_fixture_find (fixture, "run.pipeline");
  g_autofree char *log = pen_mqtt_fixture_find (fixture, "run.log");
  g_autofree char *output_path = output == NULL ? NULL : pen_mqtt_fixture_find (fixture, output);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      output == NULL ? G_SUBPROCESS_FLAGS_STDOUT_PIPE : G_SUBPROCESS_FLAGS_NONE);
  GSubprocess *process;

  g_subprocess_launcher_set_stderr_file_path (launcher, log);
  if (output != NULL)
    g_subprocess_launcher_set_stdout_file_path (launcher, output_path);
  process
      = g_subprocess_launcher_spawn (launcher, &error, test_find_command (), "run", keyfile, NULL);
  g_assert_no_error (error);
  return process;
}

static void
test_kill (GSubprocess *process)
{
  g_subprocess_force_exit (process);
  g_subprocess_wait (process, NULL, NULL);
  g_object_unref (process);
}

static gboolean
test_has_lines (gpointer user_data)
{
  TestRun *run = user_data;
  g_autofree char *path = pen_mqtt_fixture_find (run->fixture, "out");
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  run->n_lines = 0;
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    {
      run->n_lines++;
      if (g_hash_table_contains (run->wanted, lines[i]))
        g_hash_table_add (seen, lines[i]);
    }
  return g_hash_table_size (seen) == g_hash_table_size (run->wanted);
}

/* Returns how many lines there are besides. */
static guint
test_wait_lines (PenMqttFixture *fixture, GHashTable *wanted)
{
  TestRun run = { .fixture = fixture, .wanted = wanted };

  g_assert_true (pen_test_wait (test_has_lines, &run, WAIT_MS));
  return run.n_lines - g_hash_table_size (wanted);
}

/* Standard output is a pipe that nobody reads: received, not written, killed. */
static void
test_killed_before_write (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  g_autofree char *large = g_strnfill (200 * 1024, 'x');
  g_autoptr (GHashTable) wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *broker_log = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "", "[sink stdout]");
  {
    GSubprocess *process = test_spawn (fixture, NULL);

    pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
    for (guint i = 0; i < 3; i++)
      {
        char *payload = g_strdup_printf ("%u %s", i, large);

        pen_mqtt_fixture_send (fixture, "t/a", payload);
        g_hash_table_add (wanted, payload);
      }
    pen_mqtt_fixture_await_broker_log (fixture, "Sending PUBLISH to penstock-site (d0, q1, r0, m3");
    test_kill (process);
  }
  broker_log = pen_broker_read_log (fixture->broker);
  g_assert_null (strstr (broker_log, "Received PUBACK from penstock-site"));
  {
    GSubprocess *process = test_spawn (fixture, "out");

    g_assert_cmpuint (test_wait_lines (fixture, wanted), ==, 0);
    test_kill (process);
  }
}

/* Killed again and again while messages flow into a file. */
static void
test_killed_in_a_loop (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server", .extra = "max_queued_messages 0" };
  g_autoptr (GHashTable) wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (PenMqttPublisher) publisher = NULL;
  g_autofree char *sink = g_strdup_printf ("[sink file]\npath=%s/out", fixture->folder);
  GSubprocess *process = NULL;
  guint n_more;

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "", sink);
  process = test_spawn (fixture, "stdout");
  pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
  publisher = pen_mqtt_fixture_publish (fixture);
  for (guint kill_number = 0; kill_number < N_KILLS; kill_number++)
    {
      for (guint i = 0; i < N_PER_KILL; i++)
        {
          char *payload = g_strdup_printf ("{\"kill\":%u,\"number\":%u}", kill_number, i);

          pen_mqtt_publisher_send (publisher, "t/n", payload, -1, 1);
          g_hash_table_add (wanted, payload);
        }
      /* The broker has confirmed them, and passes them on while we kill. */
      g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
      test_kill (process);
      process = test_spawn (fixture, "stdout");
    }
  n_more = test_wait_lines (fixture, wanted);
  test_kill (process);
  g_test_message ("%u messages, none lost, %u twice", g_hash_table_size (wanted), n_more);
}

/* SIGTERM: what was received is written and acknowledged, and does not come again. */
static void
test_terminated (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  g_autoptr (GHashTable) first = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *sink = g_strdup_printf ("[sink file]\npath=%s/out", fixture->folder);
  GSubprocess *process;

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "", sink);
  process = test_spawn (fixture, "stdout");
  pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
  pen_mqtt_fixture_send (fixture, "t/a", "one");
  g_hash_table_add (first, (gpointer) "one");
  g_assert_cmpuint (test_wait_lines (fixture, first), ==, 0);
  g_subprocess_send_signal (process, SIGTERM);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
  g_object_unref (process);
  pen_mqtt_fixture_await_broker_log (fixture, "Received DISCONNECT from penstock-site");
  pen_mqtt_fixture_send (fixture, "t/a", "two");
  g_hash_table_add (first, (gpointer) "two");
  process = test_spawn (fixture, "stdout");
  g_assert_cmpuint (test_wait_lines (fixture, first), ==, 0);
  test_kill (process);
}

/* --- Dead letters --- */

#define N_LETTERS 4

static char *
test_read (PenMqttFixture *fixture, const char *name)
{
  g_autofree char *path = pen_mqtt_fixture_find (fixture, name);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

static guint
test_count_text (const char *text, const char *part)
{
  guint n = 0;

  for (const char *at = strstr (text, part); at != NULL; at = strstr (at + 1, part))
    n++;
  return n;
}

static gboolean
test_has_letters (gpointer user_data)
{
  const TestRun *run = user_data;
  g_autofree char *letters = test_read (run->fixture, "dead");

  return test_count_text (letters, "\n") == N_LETTERS;
}

static gboolean
test_has_acknowledged (gpointer user_data)
{
  const TestRun *run = user_data;
  g_autofree char *log = pen_broker_read_log (run->fixture->broker);

  return test_count_text (log, "Received PUBACK from penstock-site") == N_LETTERS;
}

/* What is wrong with the messages: one has a reading too many, one is no JSON, one is no text, one
 * is too large. */
static void
test_send_faulty (PenMqttFixture *fixture)
{
  g_autoptr (PenMqttPublisher) publisher = pen_mqtt_fixture_publish (fixture);
  g_autofree char *large = g_strnfill (100 * 1024, 'x');
  const char *const payloads[N_LETTERS] = {
    "{\"t\":1625576100,\"r\":[{\"_vid\":\"grid\",\"P\":1},{\"_d\":\"meter\",\"Q\":2}]}",
    "{\"t\":",
    "\xff\xfe",
    large,
  };

  for (guint i = 0; i < N_LETTERS; i++)
    {
      g_autofree char *topic = g_strdup_printf ("t/%u", i);

      pen_mqtt_publisher_send (publisher, topic, payloads[i], -1, 1);
    }
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
}

/* The same messages through a mended pipeline; returns the exit status. */
static int
test_play_letters (PenMqttFixture *fixture)
{
  static const char text[] = "[source file]\npath=dead\nformat=dead-letters\n"
                             "[transform ammp]\nmissing-vid=device\n"
                             "[sink file]\npath=again\n"
                             "[dead-letter file]\npath=dead-again\n";
  g_autoptr (GSubprocess) process = NULL;

  pen_test_write_file (fixture->folder, "run.pipeline", text);
  process = test_spawn (fixture, "stdout");
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_exited (process));
  return g_subprocess_get_exit_status (process);
}

/* Faulty messages are acknowledged when their letters are written, and played again after a fix. */
static void
test_dead_letters (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  TestRun run = { .fixture = fixture };
  GSubprocess *process;
  g_autofree char *letters = NULL;
  g_autofree char *out = NULL;
  g_autofree char *again = NULL;
  g_autofree char *dead_again = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "max-payload=4KiB",
                      "[transform ammp]\n[sink file]\npath=out\n[dead-letter file]\npath=dead");
  process = test_spawn (fixture, "stdout");
  pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
  test_send_faulty (fixture);
  g_assert_true (pen_test_wait (test_has_letters, &run, WAIT_MS));
  g_assert_true (pen_test_wait (test_has_acknowledged, &run, WAIT_MS));
  test_kill (process);
  out = test_read (fixture, "out");
  g_assert_cmpstr (out, ==,
                   "{\"time\":\"2021-07-06T12:55:00+00:00\",\"data\":{\"grid\":{\"P\":1}}}\n");
  letters = test_read (fixture, "dead");
  g_assert_nonnull (strstr (letters, "\"reason\":\"reading_no_vid\""));
  g_assert_nonnull (strstr (letters, "\"part\":1,\"topic\":\"t/0\""));
  g_assert_nonnull (strstr (letters, "\"topic\":\"t/1\",\"payload\":\"{\\\"t\\\":\"}"));
  g_assert_nonnull (strstr (letters, "\"topic\":\"t/2\",\"payload_base64\":\"//4=\"}"));
  g_assert_nonnull (strstr (letters, "\"element\":\"source mqtt\",\"reason\":\"too_large\""));
  g_assert_nonnull (strstr (letters, "\"size\":102400,\"truncated\":true}"));
  g_assert_cmpint (test_play_letters (fixture), ==, 0);
  again = test_read (fixture, "again");
  g_assert_cmpstr (again, ==,
                   "{\"time\":\"2021-07-06T12:55:00+00:00\",\"data\":{\"grid\":{\"P\":1},"
                   "\"meter\":{\"Q\":2}}}\n");
  dead_again = test_read (fixture, "dead-again");
  g_assert_cmpuint (test_count_text (dead_again, "\n"), ==, N_LETTERS - 1);
  g_assert_nonnull (strstr (dead_again, "\"reason\":\"truncated\""));
}

static void
test_gives_up (PenMqttFixture *fixture)
{
  const PenBrokerOptions options
      = { .certificate = "server", .username = "site", .password = "right" };
  g_autofree char *log_path = pen_mqtt_fixture_find (fixture, "run.log");
  g_autofree char *log = NULL;
  g_autoptr (GSubprocess) process = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "username=site\npassword=guess\nreconnect=false\n", "[sink stdout]");
  process = test_spawn (fixture, "out");
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 3);
  log = pen_test_read_file (log_path, NULL);
  g_assert_nonnull (strstr (log, "the broker refused the login of 'site': not authorised"));
  g_assert_null (strstr (log, "guess"));
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/run/killed-before-write", test_killed_before_write);
  pen_mqtt_fixture_add ("/mqtt/run/killed-in-a-loop", test_killed_in_a_loop);
  pen_mqtt_fixture_add ("/mqtt/run/terminated", test_terminated);
  pen_mqtt_fixture_add ("/mqtt/run/dead-letters", test_dead_letters);
  pen_mqtt_fixture_add ("/mqtt/run/gives-up", test_gives_up);
  return g_test_run ();
}
