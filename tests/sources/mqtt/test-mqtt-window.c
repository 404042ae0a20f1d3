/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The penstock command with a spool and a transform that holds a message until another comes,
 * killed while it holds it: what was held is held again, and whatever is written twice says so.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <signal.h>
#include <string.h>

#define N_KILLS 5
#define REPLAYED "\"replayed\":true"   /* by us */
#define DUPLICATE "\"duplicate\":true" /* by the broker: we were killed before it heard of it */

typedef struct
{
  PenMqttFixture *fixture;
  const char *part;
} TestWindow;

static void
test_write_keyfile (PenMqttFixture *fixture)
{
  g_autofree char *text = g_strdup_printf ("[pipeline]\nname=site\nspool=true\n"
                                           "[source mqtt]\nhost=127.0.0.1\nport=%u\n"
                                           "cafile=ca.crt\ntopics=t/#\n"
                                           "[transform script]\n"
                                           "[sink file]\npath=out\nformat=envelope\n",
                                           pen_broker_get_port (fixture->broker));

  pen_test_write_file (fixture->folder, "run.pipeline", text);
}

static GSubprocess *
test_spawn (PenMqttFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  const char *command = g_getenv ("PENSTOCK_COMMAND");
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  g_autofree char *state = pen_mqtt_fixture_find (fixture, "state");
  g_autofree char *keyfile = pen_mqtt_fixture_find (fixture, "run.pipeline");
  GSubprocess *process = g_subprocess_launcher_spawn (
      launcher, &error, command != NULL ? command : "penstock", "run", "--plugin-path", modules,
      "--state-dir", state, keyfile, NULL);

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

static char *
test_read_output (PenMqttFixture *fixture)
{
  g_autofree char *path = pen_mqtt_fixture_find (fixture, "out");
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

static gboolean
test_has_written (gpointer data)
{
  const TestWindow *window = data;
  g_autofree char *text = test_read_output (window->fixture);

  return strstr (text, window->part) != NULL;
}

static void
test_await (PenMqttFixture *fixture, const char *part)
{
  TestWindow window = { fixture, part };

  g_assert_true (pen_test_wait (test_has_written, &window, WAIT_MS));
}

/* How many lines have @part; all but the first must be marked. */
static guint
test_count_lines (const char *text, const char *part)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], part) != NULL && n++ > 0)
      g_assert_true (strstr (lines[i], REPLAYED) != NULL || strstr (lines[i], DUPLICATE) != NULL);
  return n;
}

static void
test_killed_while_it_holds (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  GSubprocess *process = NULL;
  g_autofree char *text = NULL;

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_write_keyfile (fixture);
  process = test_spawn (fixture);
  pen_mqtt_fixture_await_broker_log (fixture, "Sending SUBACK to penstock-site");
  pen_mqtt_fixture_send (fixture, "t/1", "w1");
  pen_mqtt_fixture_await_broker_log (fixture, "Received PUBACK from penstock-site");
  for (guint i = 0; i < N_KILLS; i++)
    {
      g_autofree char *payload = g_strdup_printf ("number %u", i);

      pen_mqtt_fixture_send (fixture, "t/1", payload);
      test_await (fixture, payload);
      test_kill (process);
      process = test_spawn (fixture);
    }
  pen_mqtt_fixture_send (fixture, "t/1", "w2");
  pen_mqtt_fixture_send (fixture, "t/1", "end");
  test_await (fixture, "<end>");
  g_subprocess_send_signal (process, SIGTERM);
  g_subprocess_wait (process, NULL, NULL);
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
  g_object_unref (process);

  text = test_read_output (fixture);
  g_test_message ("%s", text);
  g_assert_cmpuint (test_count_lines (text, "w1+w2"), ==, 1);
  for (guint i = 0; i < N_KILLS; i++)
    {
      g_autofree char *payload = g_strdup_printf ("<number %u>", i);

      g_assert_cmpuint (test_count_lines (text, payload), >=, 1);
    }
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/window/killed-while-it-holds", test_killed_while_it_holds);
  return g_test_run ();
}
