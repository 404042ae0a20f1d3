/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file source and the sinks stdout and file in whole runs of the penstock command.
 */

#include "config.h"

#include "pen-test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define N_LINES 1000

typedef struct
{
  char *folder;
  char *input; /* N_LINES lines, each different, some long */
} TestFixture;

static void
test_set_up (TestFixture *fixture, gconstpointer data)
{
  GString *input = g_string_new (NULL);

  fixture->folder = pen_test_make_folder ();
  for (guint i = 0; i < N_LINES; i++)
    {
      g_autofree char *filler = g_strnfill (i * 37 % 5000, 'x');

      g_string_append_printf (input, "{\"number\": %u.0, \"filler\": \"%s\"}\n", i, filler);
    }
  fixture->input = g_string_free (input, FALSE);
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->input);
}

static char *
test_read (TestFixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  return pen_test_read_file (path, NULL);
}

/* Runs @keyfile with @input on its standard input; returns its output, @status its exit status. */
static char *
test_run (TestFixture *fixture, const char *keyfile, const char *input, int *status)
{
  g_autofree char *path = g_build_filename (fixture->folder, "test.pipeline", NULL);
  g_autoptr (GSubprocess) run = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  pen_test_write_file (fixture->folder, "test.pipeline", keyfile);
  run = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                          g_getenv ("PENSTOCK_COMMAND"), "run", path, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (run, input, NULL /* cancellable */, &output, NULL /* stderr */,
                                 &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (run));
  *status = g_subprocess_get_exit_status (run);
  return output;
}

static void
test_run_stdin_to_stdout (TestFixture *fixture, gconstpointer data)
{
  int status;
  g_autofree char *output
      = test_run (fixture, "[source file]\npath=-\n\n[sink stdout]\n", fixture->input, &status);

  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (output, ==, fixture->input);
}

/* Two sinks on one standard output, each with every line in order, no line mingled. */
static void
test_run_two_pipelines (TestFixture *fixture, gconstpointer data)
{
  int status;
  g_autofree char *output = test_run (
      fixture, "[source file]\npath=-\n\n[sink stdout one]\n\n[sink stdout two]\nbatch-events=7\n",
      fixture->input, &status);
  g_auto (GStrv) expected = g_strsplit (fixture->input, "\n", -1);
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (g_strv_length (lines), ==, 2 * N_LINES + 1);
  for (guint i = 0; i < 2 * N_LINES; i++)
    {
      guint n_seen = GPOINTER_TO_UINT (g_hash_table_lookup (seen, lines[i]));

      g_hash_table_insert (seen, lines[i], GUINT_TO_POINTER (n_seen + 1));
    }
  for (guint i = 0; i < N_LINES; i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (seen, expected[i])), ==, 2);
}

/* A queue of one event: the source is paused and resumed all the time. */
static void
test_run_file_to_file (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *copy = NULL;
  g_autofree char *output = NULL;
  int status;

  pen_test_write_file (fixture->folder, "in.jsonl", fixture->input);
  output = test_run (fixture,
                     "[source file]\npath=in.jsonl\n\n"
                     "[sink file]\npath=new/{pipeline}.jsonl\nqueue-events=1\nbatch-events=1\n"
                     "fsync=interval\n",
                     "", &status);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (output, ==, "");
  copy = test_read (fixture, "new/test.jsonl");
  g_assert_cmpstr (copy, ==, fixture->input);
}

/* Lines over the bound become dead letters; with a larger bound they are played again. */
static void
test_run_dead_letters (TestFixture *fixture, gconstpointer data)
{
  g_auto (GStrv) lines = g_strsplit (fixture->input, "\n", -1);
  g_autoptr (GString) short_lines = g_string_new (NULL);
  g_autoptr (GString) long_lines = g_string_new (NULL);
  g_autofree char *output = NULL;
  g_autofree char *played = NULL;
  int status;

  for (guint i = 0; i < N_LINES; i++)
    g_string_append_printf (strlen (lines[i]) <= 2048 ? short_lines : long_lines, "%s\n", lines[i]);
  output = test_run (fixture,
                     "[source file]\npath=-\nmax-line=2KiB\n\n[sink stdout]\n\n"
                     "[dead-letter file]\npath=dead.jsonl\n",
                     fixture->input, &status);
  g_assert_cmpstr (output, ==, short_lines->str);
  played
      = test_run (fixture, "[source file]\npath=dead.jsonl\nformat=dead-letters\n\n[sink stdout]\n",
                  "", &status);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (played, ==, long_lines->str);
}

/* `penstock run … | head -1` */
static void
test_run_closed_pipe (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "test.pipeline", NULL);
  g_autoptr (GString) input = g_string_new (NULL);
  g_autoptr (GSubprocess) run = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  g_autofree char *line = NULL;

  for (guint i = 0; i < 20; i++)
    g_string_append (input, fixture->input);
  pen_test_write_file (fixture->folder, "in.jsonl", input->str);
  pen_test_write_file (fixture->folder, "test.pipeline",
                       "[source file]\npath=in.jsonl\n\n[sink stdout]\n");
  run = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, g_getenv ("PENSTOCK_COMMAND"),
                          "run", path, NULL);
  g_assert_no_error (error);
  lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (run));
  line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
  g_assert_cmpstr (line, ==, "{\"number\": 0.0, \"filler\": \"\"}");
  g_input_stream_close (g_subprocess_get_stdout_pipe (run), NULL, NULL);
  g_assert_true (g_subprocess_wait (run, NULL, NULL));
  g_assert_true (g_subprocess_get_if_exited (run));
  g_assert_cmpint (g_subprocess_get_exit_status (run), ==, 0);
}

#define test_add(path, func)                                                                       \
  g_test_add ("/file-run/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
  test_add ("stdin-to-stdout", test_run_stdin_to_stdout);
  test_add ("two-pipelines", test_run_two_pipelines);
  test_add ("file-to-file", test_run_file_to_file);
  test_add ("dead-letters", test_run_dead_letters);
  test_add ("closed-pipe", test_run_closed_pipe);
  return g_test_run ();
}
