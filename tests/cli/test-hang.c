/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sinks that never return, at each step, on a worker and on a lane: a stop, a reload and a
 * neighbour do not wait for them longer than they must.
 */

#include "config.h"

#include "pen-command.h"

#include <glib/gstdio.h>
#include <signal.h>

#define HANGING                                                                                    \
  "[pipeline]\ndrain-timeout=1s\n[source file]\npath=in.txt\nfollow=true\n"                        \
  "[sink script]\nblocks=%s\nhangs-in=%s\n"
#define WELL                                                                                       \
  "[pipeline]\ndrain-timeout=1s\n[source file]\npath=in.txt\nfollow=true\n[sink stdout]\n"

typedef struct
{
  char *folder;
  GSubprocess *process;
  PenLineReader *output;
  PenLineReader *errors;
} Fixture;

static void
test_write_hanging (Fixture *fixture, const char *blocks, const char *step)
{
  g_autofree char *text = g_strdup_printf (HANGING, blocks, step);

  pen_test_write_file (fixture->folder, "hanging.pipeline", text);
}

/* One that hangs in @step, and one that is well. */
static void
test_start (Fixture *fixture, const char *blocks, const char *step)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);

  fixture->folder = pen_test_make_folder ();
  pen_test_write_file (fixture->folder, "in.txt", "one\ntwo\n");
  test_write_hanging (fixture, blocks, step);
  pen_test_write_file (fixture->folder, "well.pipeline", WELL);
  fixture->process
      = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                           "--plugin-path", modules, "run", fixture->folder, NULL);
  fixture->output = pen_line_reader_new (g_subprocess_get_stdout_pipe (fixture->process));
  fixture->errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (fixture->process));
}

/* In start and write it hangs by itself, in flush and stop when it is to end. */
static void
test_await_hanging (Fixture *fixture, const char *step)
{
  gboolean hangs = g_str_equal (step, "start") || g_str_equal (step, "write");

  pen_line_reader_await (fixture->output, "two");
  pen_line_reader_await (fixture->errors,
                         hangs ? "hanging: sink script: hangs in " : "hanging: sink script: opens");
}

static void
test_end (Fixture *fixture, int status)
{
  pen_line_reader_await (fixture->errors, "info: done: ");
  pen_command_await_exit (fixture->process);
  g_assert_true (g_subprocess_get_if_exited (fixture->process));
  g_assert_cmpint (g_subprocess_get_exit_status (fixture->process), ==, status);
  pen_line_reader_free (fixture->output);
  pen_line_reader_free (fixture->errors);
  g_object_unref (fixture->process);
  pen_test_remove_folder (fixture->folder);
}

static void
test_worker (gconstpointer step)
{
  Fixture fixture = { NULL };

  test_start (&fixture, "true", step);
  test_await_hanging (&fixture, step);
  g_subprocess_send_signal (fixture.process, SIGTERM);
  pen_line_reader_await (fixture.errors,
                         "warning: hanging: sink script: not done when the time to drain was over");
  test_end (&fixture, 0);
}

/* Nothing on the lane goes on, but the process ends, and says whose fault it is. */
static void
test_lane (gconstpointer step)
{
  Fixture fixture = { NULL };

  test_start (&fixture, "false", step);
  pen_line_reader_await (fixture.errors, "running 2 pipelines");
  pen_line_reader_await (fixture.errors, g_str_equal (step, "start")
                                             ? "hanging: sink script: hangs in "
                                             : "hanging: sink script: opens");
  g_subprocess_send_signal (fixture.process, SIGTERM);
  pen_line_reader_await (fixture.errors, "error: hanging: does not stop: an element of it");
  test_end (&fixture, 3);
}

/* What a reload puts in its place starts all the same. */
static void
test_replaced (gconstpointer step)
{
  Fixture fixture = { NULL };

  test_start (&fixture, "true", step);
  test_await_hanging (&fixture, step);
  pen_test_write_file (fixture.folder, "hanging.pipeline",
                       "[source file]\npath=other.txt\nfollow=true\n[sink stdout]\n");
  pen_test_write_file (fixture.folder, "other.txt", "successor\n");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "hanging: has changed: draining, then starting again");
  pen_line_reader_await (fixture.errors,
                         "warning: hanging: sink script: not done when the time to drain was over");
  pen_line_reader_await (fixture.output, "successor");
  g_subprocess_send_signal (fixture.process, SIGTERM);
  test_end (&fixture, 0);
}

/* Removed while it hangs, and there again while it drains. */
static void
test_comes_back (void)
{
  Fixture fixture = { NULL };
  g_autofree char *path = NULL;

  test_start (&fixture, "true", "write");
  test_await_hanging (&fixture, "write");
  path = g_build_filename (fixture.folder, "hanging.pipeline", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "hanging: is gone: draining");
  test_write_hanging (&fixture, "true", "write");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "reloaded: 1 unchanged, 1 replaced");
  pen_line_reader_await (fixture.errors, "events were not written");
  g_subprocess_send_signal (fixture.process, SIGTERM);
  test_end (&fixture, 0);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_data_func ("/hang/worker/start", "start", test_worker);
  g_test_add_data_func ("/hang/worker/write", "write", test_worker);
  g_test_add_data_func ("/hang/worker/flush", "flush", test_worker);
  g_test_add_data_func ("/hang/worker/stop", "stop", test_worker);
  g_test_add_data_func ("/hang/lane/start", "start", test_lane);
  g_test_add_data_func ("/hang/lane/stop", "stop", test_lane);
  g_test_add_data_func ("/hang/replaced/start", "start", test_replaced);
  g_test_add_data_func ("/hang/replaced/write", "write", test_replaced);
  g_test_add_data_func ("/hang/replaced/stop", "stop", test_replaced);
  g_test_add_func ("/hang/comes-back", test_comes_back);
  return g_test_run ();
}
