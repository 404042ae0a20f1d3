/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stdout sink on every kind of standard output: the test's own is put aside while the sink
 * writes, because the results are told there.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-stdout-sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  char *folder;
  char *path;
  PenHarness *harness;
  int own_stdout;
} TestFixture;

/* Makes @fd standard output and takes it over. */
static void
test_redirect (TestFixture *fixture, int fd)
{
  g_assert_cmpint (fd, >=, 0);
  fflush (stdout);
  fixture->own_stdout = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  g_assert_cmpint (dup2 (fd, STDOUT_FILENO), ==, STDOUT_FILENO);
  close (fd);
}

static void
test_restore (TestFixture *fixture)
{
  if (fixture->own_stdout < 0)
    return;
  dup2 (fixture->own_stdout, STDOUT_FILENO);
  close (fixture->own_stdout);
  fixture->own_stdout = -1;
}

static void
test_set_up (TestFixture *fixture, gconstpointer data)
{
  fixture->folder = pen_test_make_folder ();
  fixture->path = g_build_filename (fixture->folder, "out", NULL);
  fixture->harness = pen_harness_new (g_object_new (PEN_TYPE_STDOUT_SINK, NULL));
  fixture->own_stdout = -1;
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  test_restore (fixture);
  g_clear_pointer (&fixture->harness, pen_harness_free);
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->path);
}

static void
test_redirect_to_file (TestFixture *fixture)
{
  test_redirect (fixture, open (fixture->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

static void
test_set_format (TestFixture *fixture, PenLineFormat format)
{
  g_object_set (pen_harness_get_element (fixture->harness), "format", format, NULL);
}

#define test_assert_file(fixture, expected)                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *text_ = pen_test_read_file ((fixture)->path, NULL);                           \
    g_assert_cmpstr (text_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

static PenBatch *
test_make_batch (const char *first, ...)
{
  PenBatch *batch = pen_batch_new ();
  va_list texts;

  va_start (texts, first);
  for (const char *text = first; text != NULL; text = va_arg (texts, const char *))
    {
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "topic");

      pen_batch_append (batch, event);
    }
  va_end (texts);
  return batch;
}

/* What a pipeline does after a failure: only the events that are open are written. */
static guint
test_count_open (PenBatch *batch)
{
  guint n_open = 0;

  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    n_open += pen_batch_is_open (batch, i) ? 1 : 0;
  return n_open;
}

static void
test_stdout_lines (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch ("{\"a\":1}", "{\n}", "two\nlines", "x", NULL);
  g_autoptr (GError) error = NULL;
  gboolean is_good;

  test_redirect_to_file (fixture);
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write (fixture->harness, batch, &error);
  test_restore (fixture);

  g_assert_no_error (error);
  g_assert_true (is_good);
  test_assert_file (fixture, "{\"a\":1}\n{ }\nx\n");
  g_assert_false (pen_batch_is_open (batch, 2));
}

static void
test_stdout_raw (TestFixture *fixture, gconstpointer data)
{
  gboolean is_good;

  test_set_format (fixture, PEN_LINE_FORMAT_RAW);
  test_redirect_to_file (fixture);
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write_texts (fixture->harness, NULL, "a\n", "b", NULL);
  test_restore (fixture);
  g_assert_true (is_good);
  test_assert_file (fixture, "a\nb");
}

static void
test_stdout_pretty (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  gboolean is_good;

  test_set_format (fixture, PEN_LINE_FORMAT_PRETTY);
  test_redirect_to_file (fixture);
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write_texts (fixture->harness, NULL, "[0.06]", "not JSON", NULL);
  test_restore (fixture);
  g_assert_true (is_good);
  text = pen_test_read_file (fixture->path, NULL);
  g_assert_true (g_str_has_prefix (text, "[\n"));
  g_assert_true (g_str_has_suffix (text, "0.06\n]\nnot JSON\n"));
}

/* --- Where it runs --- */

static gboolean
test_blocks (TestFixture *fixture, int fd)
{
  PenSink *sink = PEN_SINK (pen_harness_get_element (fixture->harness));
  gboolean blocks;

  test_redirect (fixture, fd);
  blocks = PEN_SINK_GET_CLASS (sink)->blocks (sink);
  test_restore (fixture);
  return blocks;
}

static void
test_stdout_blocks (TestFixture *fixture, gconstpointer data)
{
  int fds[2];

  g_assert_false (
      test_blocks (fixture, open (fixture->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
  g_assert_false (test_blocks (fixture, open ("/dev/null", O_WRONLY | O_CLOEXEC)));
  g_assert_true (test_blocks (fixture, open ("/dev/full", O_WRONLY | O_CLOEXEC)));
  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  g_assert_true (test_blocks (fixture, fds[1]));
  close (fds[0]);
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  g_assert_true (test_blocks (fixture, fds[1]));
  close (fds[0]);
}

/* --- Failures --- */

static void
test_stdout_closed_pipe (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch ("one", "two", NULL);
  g_autoptr (GError) error = NULL;
  gboolean is_good;
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  close (fds[0]);
  test_redirect (fixture, fds[1]);
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write (fixture->harness, batch, &error);
  test_restore (fixture);

  g_assert_false (is_good);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_CLOSED);
  g_assert_cmpstr (error->message, ==, "standard output: whoever read it has gone away");
  g_assert_cmpuint (test_count_open (batch), ==, 2);
}

static void
test_stdout_full (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean is_good;

  test_redirect (fixture, open ("/dev/full", O_WRONLY | O_CLOEXEC));
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write_texts (fixture->harness, &error, "one", NULL);
  test_restore (fixture);

  g_assert_false (is_good);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_cmpstr (error->message, ==,
                   "cannot write to standard output: No space left on device; make room, it goes "
                   "on by itself");
}

static void
test_stdout_not_writable (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean is_good;

  test_redirect (fixture, open ("/dev/null", O_RDONLY | O_CLOEXEC));
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write_texts (fixture->harness, &error, "one", NULL);
  test_restore (fixture);

  g_assert_false (is_good);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
}

static void
test_limit_file_size (rlim_t n_bytes)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  limit.rlim_cur = n_bytes;
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
}

/* The third line is torn behind three bytes: what was written whole is accepted, the rest of the
 * line comes first the next time, and no byte twice. */
static void
test_stdout_torn (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch ("first", "second", "third", "fourth", NULL);
  g_autoptr (GError) error = NULL;
  gboolean was_good;
  gboolean is_good;
  guint n_open;

  test_redirect_to_file (fixture);
  pen_harness_start (fixture->harness);
  test_limit_file_size (6 + 7 + 3);
  was_good = pen_harness_write (fixture->harness, batch, NULL);
  test_limit_file_size (RLIM_INFINITY);
  n_open = test_count_open (batch);
  is_good = pen_harness_write (fixture->harness, batch, &error);
  test_restore (fixture);

  g_assert_false (was_good);
  g_assert_cmpuint (n_open, ==, 2);
  g_assert_no_error (error);
  g_assert_true (is_good);
  test_assert_file (fixture, "first\nsecond\nthird\nfourth\n");
}

/* Another pipeline writes in between: it completes the torn line first. */
static void
test_stdout_torn_between_two (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenHarness) other = pen_harness_new (g_object_new (PEN_TYPE_STDOUT_SINK, NULL));
  g_autoptr (PenBatch) batch = test_make_batch ("first", "second", NULL);
  gboolean was_good;
  gboolean other_is_good;
  gboolean is_good;

  test_redirect_to_file (fixture);
  pen_harness_start (fixture->harness);
  pen_harness_start (other);
  test_limit_file_size (3);
  was_good = pen_harness_write (fixture->harness, batch, NULL);
  test_limit_file_size (RLIM_INFINITY);
  other_is_good = pen_harness_write_texts (other, NULL, "other", NULL);
  is_good = pen_harness_write (fixture->harness, batch, NULL);
  test_restore (fixture);

  g_assert_false (was_good);
  g_assert_true (other_is_good);
  g_assert_true (is_good);
  test_assert_file (fixture, "first\nother\nsecond\n");
}

/* The pipeline of a torn line is stopped: whoever writes next completes it. */
static void
test_stdout_torn_and_stopped (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenHarness) other = pen_harness_new (g_object_new (PEN_TYPE_STDOUT_SINK, NULL));
  gboolean was_good;
  gboolean other_is_good;

  test_redirect_to_file (fixture);
  pen_harness_start (fixture->harness);
  pen_harness_start (other);
  test_limit_file_size (3);
  was_good = pen_harness_write_texts (fixture->harness, NULL, "first", "second", NULL);
  test_limit_file_size (RLIM_INFINITY);
  pen_harness_stop (fixture->harness);
  other_is_good = pen_harness_write_texts (other, NULL, "other", NULL);
  test_restore (fixture);

  g_assert_false (was_good);
  g_assert_true (other_is_good);
  test_assert_file (fixture, "first\nother\n");
}

/* --- Several writers --- */

#define N_BATCHES 200
#define N_LINES 20
#define LINE_BYTES 300

static gpointer
test_write_batches (gpointer data)
{
  PenSink *sink = data;
  const char *letter = g_object_get_data (G_OBJECT (sink), "letter");
  g_autofree char *text = g_strnfill (LINE_BYTES, *letter);

  for (guint i = 0; i < N_BATCHES; i++)
    {
      g_autoptr (PenBatch) batch = pen_batch_new ();

      for (guint j = 0; j < N_LINES; j++)
        {
          g_autoptr (PenEvent) event = pen_harness_make_event (text, "topic");

          pen_batch_append (batch, event);
        }
      if (!PEN_SINK_GET_CLASS (sink)->write (sink, batch, NULL))
        return NULL;
    }
  return sink;
}

static gpointer
test_read_all (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  GString *text = g_string_new (NULL);
  char buffer[1000];
  ssize_t n_bytes;

  while ((n_bytes = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, n_bytes);
  close (fd);
  return text;
}

/* Two pipelines on two threads into a pipe that takes a page at a time, non-blocking as a shell may
 * leave it: whole lines, and the lines of a batch together. */
static void
test_stdout_two_writers (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenHarness) other = pen_harness_new (g_object_new (PEN_TYPE_STDOUT_SINK, NULL));
  PenElement *sinks[]
      = { pen_harness_get_element (fixture->harness), pen_harness_get_element (other) };
  g_autoptr (GString) text = NULL;
  GThread *writers[2];
  GThread *reader;
  gboolean is_good = TRUE;
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC | O_NONBLOCK));
  g_assert_no_errno (fcntl (fds[0], F_SETFL, 0));
  g_assert_cmpint (fcntl (fds[1], F_SETPIPE_SZ, 4096), >, 0);
  reader = g_thread_new ("reader", test_read_all, GINT_TO_POINTER (fds[0]));
  test_redirect (fixture, fds[1]);
  pen_harness_start (fixture->harness);
  pen_harness_start (other);
  for (guint i = 0; i < 2; i++)
    {
      g_object_set_data (G_OBJECT (sinks[i]), "letter", (char *) (i == 0 ? "a" : "b"));
      writers[i] = g_thread_new ("writer", test_write_batches, sinks[i]);
    }
  for (guint i = 0; i < 2; i++)
    is_good = g_thread_join (writers[i]) != NULL && is_good;
  test_restore (fixture);
  text = g_thread_join (reader);

  g_assert_true (is_good);
  g_assert_cmpuint (text->len, ==, 2 * N_BATCHES * N_LINES * (LINE_BYTES + 1));
  for (guint i = 0; i < 2 * N_BATCHES; i++)
    {
      const char *first = text->str + i * N_LINES * (LINE_BYTES + 1);

      for (guint j = 0; j < N_LINES * (LINE_BYTES + 1); j++)
        g_assert_cmpint (first[j], ==, j % (LINE_BYTES + 1) == LINE_BYTES ? '\n' : first[0]);
    }
}

#define test_add(path, func)                                                                       \
  g_test_add ("/stdout-sink/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);
  test_add ("lines", test_stdout_lines);
  test_add ("raw", test_stdout_raw);
  test_add ("pretty", test_stdout_pretty);
  test_add ("blocks", test_stdout_blocks);
  test_add ("closed-pipe", test_stdout_closed_pipe);
  test_add ("full", test_stdout_full);
  test_add ("not-writable", test_stdout_not_writable);
  test_add ("torn", test_stdout_torn);
  test_add ("torn/between-two", test_stdout_torn_between_two);
  test_add ("torn/and-stopped", test_stdout_torn_and_stopped);
  test_add ("two-writers", test_stdout_two_writers);
  return g_test_run ();
}
