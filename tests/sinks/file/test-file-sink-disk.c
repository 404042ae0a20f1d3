/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file sink on a disk that is really full, and killed while it writes. The processes that are
 * killed are this program itself, started with --write.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-file-sink.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 20000
#define LINE_BYTES 100000
#define LINES_A_BATCH 20

static const char *test_program;

/* Lines of one letter each, "aaa…", "bbb…", so that a mixture shows. */
static PenBatch *
test_make_batch (guint n_lines)
{
  PenBatch *batch = pen_batch_new ();

  for (guint i = 0; i < n_lines; i++)
    {
      g_autofree char *text = g_strnfill (LINE_BYTES, (char) ('a' + i % 26));
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "topic");

      pen_batch_append (batch, event);
    }
  return batch;
}

/* How many whole lines of one letter @path holds; it must hold nothing else. */
static guint
test_count_lines (const char *path)
{
  gsize length;
  g_autofree char *text = pen_test_read_file (path, &length);
  guint n_lines = 0;

  g_assert_cmpuint (length % (LINE_BYTES + 1), ==, 0);
  for (const char *line = text; line < text + length; line += LINE_BYTES + 1)
    {
      g_assert_true (memcmp (line, line + 1, LINE_BYTES - 1) == 0);
      g_assert_cmpint (line[LINE_BYTES], ==, '\n');
      n_lines++;
    }
  return n_lines;
}

static PenHarness *
test_start_sink (const char *path)
{
  PenHarness *harness = pen_harness_new (g_object_new (PEN_TYPE_FILE_SINK, "path", path, NULL));

  pen_harness_start (harness);
  return harness;
}

/* --- A full disk --- */

static guint
test_count_open (PenBatch *batch)
{
  guint n_open = 0;

  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    n_open += pen_batch_is_open (batch, i) ? 1 : 0;
  return n_open;
}

static void
test_fill_disk (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "out.jsonl", NULL);
  g_autofree char *ballast_path = g_build_filename (folder, "ballast", NULL);
  g_autofree char *ballast = g_strnfill (500000, 'x');
  g_autoptr (PenBatch) batch = test_make_batch (LINES_A_BATCH);
  g_autoptr (GError) error = NULL;
  g_autoptr (PenHarness) harness = NULL;
  g_autofree char *expected = NULL;
  guint n_open;

  pen_test_write_file (folder, "ballast", ballast);
  harness = test_start_sink (path);
  g_assert_false (pen_harness_write (harness, batch, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  expected = g_strdup_printf (
      "cannot write to '%s': No space left on device; make room, it goes on by itself", path);
  g_assert_cmpstr (error->message, ==, expected);

  /* what is accepted is there, whole, and nothing else */
  n_open = test_count_open (batch);
  g_assert_cmpuint (n_open, >, 0);
  g_assert_cmpuint (n_open, <, LINES_A_BATCH);
  g_assert_cmpuint (test_count_lines (path), ==, LINES_A_BATCH - n_open);
  g_assert_false (pen_harness_write (harness, batch, NULL));
  g_assert_cmpuint (test_count_lines (path), ==, LINES_A_BATCH - test_count_open (batch));

  /* the operator makes room */
  g_assert_no_errno (g_unlink (ballast_path));
  g_clear_error (&error);
  pen_harness_write (harness, batch, &error);
  g_assert_cmpuint (test_count_open (batch), <, n_open);
  g_assert_cmpuint (test_count_lines (path), ==, LINES_A_BATCH - test_count_open (batch));
}

static void
test_disk_full (void)
{
  pen_test_run_on_small_disk (1024 * 1024, test_fill_disk);
}

/* --- Killed --- */

/* What the process that is to be killed does: writes until then. */
static int
test_write_for_ever (const char *path)
{
  g_autoptr (PenHarness) harness = test_start_sink (path);

  for (;;)
    {
      g_autoptr (PenBatch) batch = test_make_batch (LINES_A_BATCH);

      if (!pen_harness_write (harness, batch, NULL))
        return 1;
    }
}

typedef struct
{
  const char *path;
  off_t size;
} TestGrowth;

static gboolean
test_has_grown (gpointer data)
{
  const TestGrowth *growth = data;
  struct stat status;

  return stat (growth->path, &status) == 0 && status.st_size > growth->size;
}

static GPid
test_spawn_writer (const char *path)
{
  const char *const arguments[] = { test_program, "--write", path, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **) arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                 &error);
  g_assert_no_error (error);
  return pid;
}

static void
test_kill (GPid pid)
{
  g_assert_no_errno (kill (pid, SIGKILL));
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_spawn_close_pid (pid);
}

/* Killed ten times at different moments: the file always has whole lines after the next start. */
static void
test_disk_killed (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "out.jsonl", NULL);
  guint n_lines = 0;

  for (guint i = 0; i < 10; i++)
    {
      TestGrowth growth = { .path = path };
      GPid pid = test_spawn_writer (path);
      g_autoptr (PenHarness) harness = NULL;
      guint n_lines_now;

      growth.size = (off_t) n_lines * (LINE_BYTES + 1) + i * 70000;
      g_assert_true (pen_test_wait (test_has_grown, &growth, TIMEOUT_MS));
      test_kill (pid);
      harness = test_start_sink (path);
      n_lines_now = test_count_lines (path);
      g_assert_cmpuint (n_lines_now, >=, n_lines);
      n_lines = n_lines_now;
    }
  pen_test_remove_folder (folder);
}

/* The message names the process that has the file. */
static void
test_disk_locked (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "out.jsonl", NULL);
  GPid pid = test_spawn_writer (path);
  TestGrowth growth = { .path = path };
  g_autoptr (PenHarness) harness
      = pen_harness_new (g_object_new (PEN_TYPE_FILE_SINK, "path", path, NULL));
  g_autoptr (GError) error = NULL;
  g_autofree char *expected
      = g_strdup_printf ("cannot write to '%s': process %d writes to it; give each a file of its "
                         "own",
                         path, pid);

  g_assert_true (pen_test_wait (test_has_grown, &growth, TIMEOUT_MS));
  error = pen_harness_start_fails (harness);
  test_kill (pid);
  if (g_str_has_prefix (strstr (error->message, "': "), "': another process"))
    g_test_skip ("/proc/locks does not tell processes here");
  else
    g_assert_cmpstr (error->message, ==, expected);
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--write"))
    return test_write_for_ever (argv[2]);
  test_program = argv[0];
  pen_test_init (&argc, &argv);
  g_test_add_func ("/file-sink-disk/full", test_disk_full);
  g_test_add_func ("/file-sink-disk/killed", test_disk_killed);
  g_test_add_func ("/file-sink-disk/locked", test_disk_locked);
  return g_test_run ();
}
