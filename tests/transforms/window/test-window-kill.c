/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A window that is killed: a run with a spool dies with SIGKILL, or is stopped, in the middle of
 * its windows, again and again, and what comes out is what an undisturbed run gives. Messages come
 * through a pipe, and a sink beside the window tells which of them are safe.
 */

#include "config.h"

#include "pen-command.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define TIMEOUT_MS 60000
#define N_MESSAGES 400
#define N_KILLS 4

#define SOURCE "[source file]\npath=-\n[sink file raw]\npath=raw.jsonl\nfsync=never\n"
#define SINK "[sink file]\npath=out.jsonl\nfsync=never\n"

typedef struct
{
  char *folder;
  char *keyfile;
  char *raw;
  char *out;
  GPtrArray *messages; /* lines */
  GSubprocess *process;
  guint n_fed;
} Fixture;

static void
test_set_up (Fixture *fixture, gconstpointer data)
{
  gint64 time = 1718000000;

  fixture->folder = pen_test_make_folder ();
  fixture->keyfile = g_build_filename (fixture->folder, "stats.pipeline", NULL);
  fixture->raw = g_build_filename (fixture->folder, "raw.jsonl", NULL);
  fixture->out = g_build_filename (fixture->folder, "out.jsonl", NULL);
  fixture->messages = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < N_MESSAGES; i++)
    {
      time += g_test_rand_int_range (1, 30);
      g_ptr_array_add (
          fixture->messages,
          g_strdup_printf ("{\"number\": %d, \"epochtime\": \"%" G_GINT64_FORMAT "\", \"i\": %u}\n",
                           g_test_rand_int_range (1, 100),
                           time - (i % 3 == 0 ? g_test_rand_int_range (0, 60) : 0), i));
    }
}

static void
test_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->process);
  g_ptr_array_unref (fixture->messages);
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->keyfile);
  g_free (fixture->raw);
  g_free (fixture->out);
}

/* Whole lines. */
static GPtrArray *
test_read_lines (const char *path)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = NULL;
  const char *p = NULL;
  const char *end = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return lines;
  for (p = text; (end = strchr (p, '\n')) != NULL; p = end + 1)
    g_ptr_array_add (lines, g_strndup (p, (gsize) (end - p)));
  return lines;
}

/* Whether the last message is in the spool, and so safe: a sink that reads from there has it. */
static gboolean
test_is_safe (gpointer data)
{
  const Fixture *fixture = data;
  const char *last = g_ptr_array_index (fixture->messages, fixture->n_fed - 1);
  g_autofree char *text = NULL;

  return g_file_get_contents (fixture->raw, &text, NULL, NULL) && strstr (text, last) != NULL;
}

static void
test_start (Fixture *fixture)
{
  g_clear_object (&fixture->process);
  fixture->process
      = pen_command_spawn (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, "run",
                           "--state-dir", fixture->folder, fixture->keyfile, NULL);
}

static void
test_feed (Fixture *fixture, guint n_messages)
{
  GOutputStream *pipe = g_subprocess_get_stdin_pipe (fixture->process);

  for (guint behind = fixture->n_fed + n_messages; fixture->n_fed < behind; fixture->n_fed++)
    {
      const char *line = g_ptr_array_index (fixture->messages, fixture->n_fed);

      g_assert_true (g_output_stream_write_all (pipe, line, strlen (line), NULL, NULL, NULL));
    }
}

static void
test_end (Fixture *fixture, int signal)
{
  g_subprocess_send_signal (fixture->process, signal);
  pen_command_await_exit (fixture->process);
}

static void
test_finish (Fixture *fixture)
{
  g_assert_true (
      g_output_stream_close (g_subprocess_get_stdin_pipe (fixture->process), NULL, NULL));
  pen_command_await_exit (fixture->process);
  g_assert_true (g_subprocess_get_successful (fixture->process));
}

/* What a run gives that nobody kills, with a spool of its own. */
static GPtrArray *
test_run_undisturbed (Fixture *fixture, const char *transform)
{
  g_autofree char *text
      = g_strconcat ("[pipeline]\nname=undisturbed\nspool=true\n", SOURCE,
                     "[transform window]\ntime-field=epochtime\n", transform, SINK, NULL);
  GPtrArray *lines = NULL;

  pen_test_write_file (fixture->folder, "stats.pipeline", text);
  test_start (fixture);
  test_feed (fixture, N_MESSAGES);
  test_finish (fixture);
  lines = test_read_lines (fixture->out);
  g_assert_cmpint (g_unlink (fixture->out), ==, 0);
  g_assert_cmpint (g_unlink (fixture->raw), ==, 0);
  fixture->n_fed = 0;
  return lines;
}

/* In order from the first to the last; what was written when a run died may come once more. */
static void
test_expect_lines (GPtrArray *actual, GPtrArray *expected)
{
  guint n_seen = 0;

  for (guint i = 0; i < actual->len; i++)
    {
      const char *line = g_ptr_array_index (actual, i);
      guint index;

      if (!g_ptr_array_find_with_equal_func (expected, line, g_str_equal, &index))
        g_test_fail_printf ("line %u is none of the undisturbed run: %s", i, line);
      else if (index > n_seen)
        g_test_fail_printf ("line %u came instead of line %u: %s", index, n_seen, line);
      else if (index == n_seen)
        n_seen++;
    }
  g_assert_cmpuint (n_seen, ==, expected->len);
}

static void
test_survives (Fixture *fixture, gconstpointer data)
{
  const char *transform = data;
  g_autoptr (GPtrArray) expected = test_run_undisturbed (fixture, transform);
  g_autoptr (GPtrArray) actual = NULL;
  g_autofree char *text
      = g_strconcat ("[pipeline]\nspool=true\n", SOURCE,
                     "[transform window]\ntime-field=epochtime\n", transform, SINK, NULL);

  g_assert_cmpuint (expected->len, >, 10);
  pen_test_write_file (fixture->folder, "stats.pipeline", text);
  for (guint i = 0; i < N_KILLS; i++)
    {
      test_start (fixture);
      test_feed (fixture, (guint) g_test_rand_int_range (1, N_MESSAGES / N_KILLS));
      g_assert_true (pen_test_wait (test_is_safe, fixture, TIMEOUT_MS));
      test_end (fixture, i % 2 == 0 ? SIGKILL : SIGTERM);
    }
  test_start (fixture);
  test_feed (fixture, N_MESSAGES - fixture->n_fed);
  test_finish (fixture);
  actual = test_read_lines (fixture->out);
  test_expect_lines (actual, expected);
}

static void
test_is_refused_without_a_spool (void)
{
  static const char *const text = "[source mqtt]\nhost=localhost\ntopics=a\n[transform window]\n"
                                  "windows=1min\nfunctions=mean(x)\n%s[sink stdout]\n";
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.pipeline", NULL);
  g_autofree char *held = g_strdup_printf (text, "");
  g_autofree char *released = g_strdup_printf (text, "hold=false\n");
  g_auto (PenCommand) refused = { 0 };
  g_auto (PenCommand) accepted = { 0 };

  pen_test_write_file (folder, "a.pipeline", held);
  pen_command_run (&refused, NULL, "check", path, NULL);
  g_assert_cmpint (refused.status, !=, 0);
  g_assert_nonnull (strstr (refused.output, "a.pipeline:4:1: error: [transform window] keeps"));
  g_assert_nonnull (strstr (refused.output, "spool=true"));
  pen_test_write_file (folder, "a.pipeline", released);
  pen_command_run (&accepted, NULL, "check", path, NULL);
  g_assert_cmpint (accepted.status, ==, 0);
  pen_test_remove_folder (folder);
}

#define ADD(name, transform)                                                                       \
  g_test_add ("/window/kill/" name, Fixture, transform, test_set_up, test_survives, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  ADD ("sliding", "kind=sliding\nwindows=1min;5min;30min\nend-field=newest\n"
                  "functions=mean(number);last(i) as {window};count(*) as n_{window}\n"
                  "name=avg_{window}\n");
  ADD ("tumbling", "windows=1min;7min\nallowed-lateness=1min\nfields=number\n"
                   "functions=count;mean;median;max\n");
  ADD ("hopping", "kind=hopping\nwindows=5min\nhop=50s\nallowed-lateness=1min\nfields=number\n"
                  "functions=count;sum;first\n");
  g_test_add_func ("/window/kill/is-refused-without-a-spool", test_is_refused_without_a_spool);
  return g_test_run ();
}
