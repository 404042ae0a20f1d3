/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Looking into a process between a real broker and a file: a tap under load keeps nothing from the
 * sink, also while the pipeline is replaced, and accounts for all that passes; 'penstock top' tells
 * a connection from none.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <signal.h>
#include <string.h>

#define N_MESSAGES 3000
#define RATE "5"

typedef struct
{
  PenMqttFixture *fixture;
  const char *file;
  const char *text;
  guint n_lines; /* different ones */
} Goal;

static const char *
test_find_command (void)
{
  const char *command = g_getenv ("PENSTOCK_COMMAND");

  return command != NULL ? command : "penstock";
}

static void
test_write_keyfile (PenMqttFixture *fixture, const char *more)
{
  g_autofree char *text = g_strdup_printf ("[source mqtt]\nhost=127.0.0.1\nport=%u\ntopics=t/#\n%s"
                                           "[sink file]\npath=out\n",
                                           pen_broker_get_plain_port (fixture->broker), more);

  pen_test_write_file (fixture->folder, "site.pipeline", text);
}

/* Runs the command in the fixture's folder, its output in the file @output, up to NULL. */
static GSubprocess *
test_spawn (PenMqttFixture *fixture, const char *output, const char *first, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autofree char *path = pen_mqtt_fixture_find (fixture, output);
  GSubprocess *process;
  va_list more;

  va_start (more, first);
  g_ptr_array_add (arguments, (gpointer) test_find_command ());
  for (const char *argument = first; argument != NULL; argument = va_arg (more, const char *))
    g_ptr_array_add (arguments, (gpointer) argument);
  va_end (more);
  g_ptr_array_add (arguments, NULL);
  g_subprocess_launcher_set_cwd (launcher, fixture->folder);
  g_subprocess_launcher_set_stdout_file_path (launcher, path);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments->pdata, &error);
  g_assert_no_error (error);
  return process;
}

static void
test_await_end (GSubprocess *process)
{
  g_subprocess_wait (process, NULL, NULL);
  g_assert_true (g_subprocess_get_successful (process));
  g_object_unref (process);
}

static gboolean
test_has_text (gpointer user_data)
{
  const Goal *goal = user_data;
  g_autofree char *path = pen_mqtt_fixture_find (goal->fixture, goal->file);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && strstr (text, goal->text) != NULL;
}

static gboolean
test_has_lines (gpointer user_data)
{
  const Goal *goal = user_data;
  g_autofree char *path = pen_mqtt_fixture_find (goal->fixture, goal->file);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    g_hash_table_add (seen, lines[i]);
  return g_hash_table_size (seen) >= goal->n_lines;
}

/* Whether 'penstock top' says so now. */
static gboolean
test_top_says (gpointer user_data)
{
  const Goal *goal = user_data;

  test_await_end (test_spawn (goal->fixture, goal->file, "top", "--state-dir=state",
                              "--format=json", "--interval=100ms", NULL));
  return test_has_text (user_data);
}

static void
test_publish (PenMqttPublisher *publisher, guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    {
      g_autofree char *payload = g_strdup_printf ("message %u", i);

      pen_mqtt_publisher_send (publisher, "t/n", payload, -1, 1);
    }
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
}

/* What the tap showed, and said that it did not. */
static guint64
test_sum_up (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint64 n = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "{\"not_shown\":"))
      n += g_ascii_strtoull (strchr (lines[i], ':') + 1, NULL, 10);
    else if (strstr (lines[i], "\"event\":{") != NULL)
      n++;
  return n;
}

static void
test_tapped_under_load (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { NULL };
  g_autoptr (PenMqttPublisher) publisher = NULL;
  g_autofree char *tapped_path = pen_mqtt_fixture_find (fixture, "tapped");
  g_autofree char *tapped = NULL;
  GSubprocess *run = NULL;
  GSubprocess *tap = NULL;

  g_setenv ("XDG_RUNTIME_DIR", fixture->folder, TRUE);
  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "");
  run = test_spawn (fixture, "run.out", "run", "--state-dir=state", "site.pipeline", NULL);
  pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
  tap = test_spawn (fixture, "tapped", "tap", "--state-dir=state", "--format=json", "--rate=" RATE,
                    "site.source mqtt", NULL);
  g_assert_true (pen_test_wait (test_has_text,
                                &(Goal){ fixture, "tapped", "{\"state\":\"open\"}", 0 }, WAIT_MS));
  publisher = pen_mqtt_fixture_publish (fixture);
  test_publish (publisher, 0, N_MESSAGES / 2);
  test_write_keyfile (fixture, "max-payload=1MiB\n");
  g_subprocess_send_signal (run, SIGHUP);
  test_publish (publisher, N_MESSAGES / 2, N_MESSAGES / 2);
  g_assert_true (
      pen_test_wait (test_has_lines, &(Goal){ fixture, "out", NULL, N_MESSAGES }, WAIT_MS));
  g_subprocess_send_signal (run, SIGTERM);
  test_await_end (run);
  test_await_end (tap);
  g_assert_true (g_file_get_contents (tapped_path, &tapped, NULL, NULL));
  g_assert_nonnull (strstr (tapped, "{\"state\":\"replaced\"}"));
  g_assert_nonnull (strstr (tapped, "\"topic\":\"t/n\",\"payload\":\"message 0\"}"));
  g_assert_true (g_str_has_suffix (tapped, "{\"state\":\"ended\"}\n"));
  g_assert_cmpuint (test_sum_up (tapped), >=, N_MESSAGES);
}

static void
test_seen_without_broker (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { NULL };
  GSubprocess *run = NULL;

  g_setenv ("XDG_RUNTIME_DIR", fixture->folder, TRUE);
  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture, "");
  run = test_spawn (fixture, "run.out", "run", "--state-dir=state", "site.pipeline", NULL);
  pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
  pen_mqtt_fixture_send (fixture, "t/n", "x");
  g_assert_true (pen_test_wait (
      test_top_says, &(Goal){ fixture, "top", "\"sources\":1,\"connected\":1,\"received\":1,", 0 },
      WAIT_MS));
  pen_broker_stop (fixture->broker);
  g_assert_true (pen_test_wait (
      test_top_says,
      &(Goal){ fixture, "top", "\"complaint_of\":\"source mqtt\",\"complaint\":\"127.0.0.1:", 0 },
      WAIT_MS));
  g_assert_true (test_has_text (&(Goal){ fixture, "top", "\"connected\":0,", 0 }));
  g_subprocess_send_signal (run, SIGTERM);
  test_await_end (run);
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/live/tapped-under-load", test_tapped_under_load);
  pen_mqtt_fixture_add ("/mqtt/live/seen-without-broker", test_seen_without_broker);
  return g_test_run ();
}
