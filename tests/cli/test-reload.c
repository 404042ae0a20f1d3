/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keyfiles that change while their pipelines run: by SIGHUP, by --watch, and when the new one is
 * faulty.
 */

#include "config.h"

#include "pen-command.h"

#include <glib/gstdio.h>
#include <signal.h>

#define FOLLOW "[source file]\npath=in-%s.txt\nfollow=true\n[sink stdout]\n"

typedef struct
{
  char *folder;
  GSubprocess *process;
  PenLineReader *output;
  PenLineReader *errors;
} Fixture;

/* NAME.pipeline, which follows in-INPUT.txt. */
static void
test_write_pipeline (Fixture *fixture, const char *name, const char *input)
{
  g_autofree char *file = g_strconcat (name, ".pipeline", NULL);
  g_autofree char *text = g_strdup_printf (FOLLOW, input);

  pen_test_write_file (fixture->folder, file, text);
}

static void
test_start (Fixture *fixture, const char *option)
{
  fixture->folder = pen_test_make_folder ();
  pen_test_write_file (fixture->folder, "in-a.txt", "a\n");
  pen_test_write_file (fixture->folder, "in-b.txt", "b\n");
  pen_test_write_file (fixture->folder, "in-c.txt", "c\n");
  test_write_pipeline (fixture, "one", "a");
  fixture->process
      = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, "run",
                           fixture->folder, option, NULL);
  fixture->output = pen_line_reader_new (g_subprocess_get_stdout_pipe (fixture->process));
  fixture->errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (fixture->process));
  pen_line_reader_await (fixture->output, "a");
}

/* @summary: in the last line of the log */
static void
test_end (Fixture *fixture, const char *summary)
{
  g_subprocess_send_signal (fixture->process, SIGTERM);
  pen_line_reader_await (fixture->errors, summary);
  pen_command_await_exit (fixture->process);
  g_assert_true (g_subprocess_get_successful (fixture->process));
  pen_line_reader_free (fixture->output);
  pen_line_reader_free (fixture->errors);
  g_object_unref (fixture->process);
  pen_test_remove_folder (fixture->folder);
}

static void
test_reload_by_signal (void)
{
  Fixture fixture = { NULL };

  test_start (&fixture, NULL);
  test_write_pipeline (&fixture, "two", "b");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "info: two: is new: starting");
  pen_line_reader_await (fixture.errors, "reloaded: 1 unchanged, 0 replaced, 1 started, 0 stopped");
  pen_line_reader_await (fixture.output, "b");

  test_write_pipeline (&fixture, "two", "c");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "info: two: has changed: draining, then starting again");
  pen_line_reader_await (fixture.output, "c");
  /* what the first "two" counted is not forgotten */
  test_end (&fixture, "done: received 3, delivered 3");
}

static void
test_reload_faulty (void)
{
  Fixture fixture = { NULL };
  g_autofree char *input = NULL;
  g_autoptr (GError) error = NULL;

  test_start (&fixture, NULL);
  pen_test_write_file (fixture.folder, "one.pipeline", "[source file]\nrath=x\n");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "one.pipeline:2:1: error: unknown key 'rath'");
  pen_line_reader_await (fixture.errors, "info: one: keeps running as it was: its file is faulty");
  pen_line_reader_await (fixture.errors, "1 kept as they were");
  input = g_build_filename (fixture.folder, "in-a.txt", NULL);
  pen_test_write_file (fixture.folder, "in-a.txt", "a\nstill here\n");
  pen_line_reader_await (fixture.output, "still here");
  test_end (&fixture, "done: received ");
}

static void
test_reload_by_watching (void)
{
  Fixture fixture = { NULL };
  g_autofree char *path = NULL;

  test_start (&fixture, "--watch");
  test_write_pipeline (&fixture, "two", "b");
  pen_line_reader_await (fixture.errors, "reloaded: 1 unchanged, 0 replaced, 1 started, 0 stopped");
  pen_line_reader_await (fixture.output, "b");
  path = g_build_filename (fixture.folder, "two.pipeline", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  pen_line_reader_await (fixture.errors, "info: two: is gone: draining");
  test_end (&fixture, "done: received 2, delivered 2");
}

/* Editors write a new file and rename it over the old one. */
static void
test_reload_renamed_over (void)
{
  Fixture fixture = { NULL };
  g_autofree char *draft = NULL;
  g_autofree char *path = NULL;

  test_start (&fixture, "--watch");
  draft = g_build_filename (fixture.folder, "one.pipeline~", NULL);
  path = g_build_filename (fixture.folder, "one.pipeline", NULL);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *text = g_strdup_printf (FOLLOW, i == 0 ? "b" : "c");

      pen_test_write_file (fixture.folder, "one.pipeline~", text);
      g_assert_cmpint (g_rename (draft, path), ==, 0);
      pen_line_reader_await (fixture.errors,
                             "info: one: has changed: draining, then starting again");
      pen_line_reader_await (fixture.errors, "reloaded: 0 unchanged, 1 replaced");
      pen_line_reader_await (fixture.output, i == 0 ? "b" : "c");
    }
  test_end (&fixture, "done: received 3, delivered 3");
}

/* Signals that come while it drains and while it reads are not lost: the last file wins. */
static void
test_reload_storm (void)
{
  Fixture fixture = { NULL };

  test_start (&fixture, NULL);
  for (guint i = 0; i < 50; i++)
    {
      test_write_pipeline (&fixture, "one", i % 2 == 0 ? "b" : "a");
      g_subprocess_send_signal (fixture.process, SIGHUP);
    }
  test_write_pipeline (&fixture, "one", "c");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.output, "c");
  test_end (&fixture, "done: received ");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/reload/by-signal", test_reload_by_signal);
  g_test_add_func ("/reload/faulty", test_reload_faulty);
  g_test_add_func ("/reload/by-watching", test_reload_by_watching);
  g_test_add_func ("/reload/renamed-over", test_reload_renamed_over);
  g_test_add_func ("/reload/storm", test_reload_storm);
  return g_test_run ();
}
