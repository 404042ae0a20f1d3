/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How events become lines, and how lines reach a descriptor that takes them in pieces.
 */

#include "config.h"

#include "pen-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char *
test_format_text (PenLineFormat format, const char *text)
{
  g_autoptr (GBytes) payload = g_bytes_new_static (text, strlen (text));
  g_autoptr (GBytes) formatted = pen_line_format_payload (format, payload, NULL);

  if (formatted == NULL)
    return NULL;
  return g_strndup (g_bytes_get_data (formatted, NULL), g_bytes_get_size (formatted));
}

#define assert_formats(format, text, expected)                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *formatted_ = test_format_text ((format), (text));                             \
    g_assert_cmpstr (formatted_, ==, (expected));                                                  \
  }                                                                                                \
  G_STMT_END

#define assert_bytes(bytes, expected)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *text_                                                                         \
        = g_strndup (g_bytes_get_data ((bytes), NULL), g_bytes_get_size (bytes));                  \
    g_assert_cmpstr (text_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

static void
test_format_lines (void)
{
  assert_formats (PEN_LINE_FORMAT_LINES, "{\"a\": 0.06}", "{\"a\": 0.06}");
  assert_formats (PEN_LINE_FORMAT_LINES, "not JSON", "not JSON");
  assert_formats (PEN_LINE_FORMAT_LINES, "", "");
  assert_formats (PEN_LINE_FORMAT_LINES, "{\n\"a\":\r\n1}\n", "{ \"a\":  1} ");
  assert_formats (PEN_LINE_FORMAT_LINES, "[\"a\\nb\"\n]", "[\"a\\nb\" ]");
  assert_formats (PEN_LINE_FORMAT_LINES, "carriage\rreturn\r", "carriage\rreturn\r");
}

static void
test_format_lines_refuses (void)
{
  assert_formats (PEN_LINE_FORMAT_LINES, "two\nlines", NULL);
  assert_formats (PEN_LINE_FORMAT_LINES, "one line\n", NULL);
  assert_formats (PEN_LINE_FORMAT_LINES, "{\"a\": \"b\nc\"}", NULL);
  assert_formats (PEN_LINE_FORMAT_LINES, "\n", NULL);
}

/* The event's own bytes, its flags, and only what is known. */
static void
test_format_envelope (void)
{
  static const char json[] = "{\"E\":9007199254740993.10}";
  static const char damaged[] = { 'a', (char) 0xff };
  g_autoptr (GBytes) text = g_bytes_new_static (json, strlen (json));
  g_autoptr (GBytes) bytes = g_bytes_new_static (damaged, sizeof damaged);
  g_autoptr (PenEvent) full = pen_event_new (text, "a/b", G_GINT64_CONSTANT (1767323045678901));
  g_autoptr (PenEvent) bare = pen_event_new (bytes, NULL, 0);
  g_autoptr (GBytes) line = NULL;
  g_autoptr (GBytes) other = NULL;

  pen_event_set_flags (full, PEN_EVENT_REPLAYED | PEN_EVENT_DUPLICATE);
  pen_event_set_content_type (full, "application/json");
  pen_event_add_user_property (full, "site", "7");
  line = pen_line_format_event (PEN_LINE_FORMAT_ENVELOPE, full, NULL);
  other = pen_line_format_event (PEN_LINE_FORMAT_ENVELOPE, bare, NULL);
  assert_bytes (line, "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"topic\":\"a/b\","
                      "\"content_type\":\"application/json\",\"duplicate\":true,"
                      "\"replayed\":true,\"user_properties\":[{\"name\":\"site\",\"value\":\"7\"}],"
                      "\"payload\":\"{\\\"E\\\":9007199254740993.10}\"}");
  assert_bytes (other, "{\"time\":\"1970-01-01T00:00:00.000000+00:00\","
                       "\"payload_base64\":\"Yf8=\"}");
}

static void
test_format_raw (void)
{
  assert_formats (PEN_LINE_FORMAT_RAW, "two\nlines\n", "two\nlines\n");
  assert_formats (PEN_LINE_FORMAT_RAW, "", "");
}

static void
test_format_pretty (void)
{
  g_autofree char *pretty = test_format_text (PEN_LINE_FORMAT_PRETTY, "{\"a\":[1.50,{}]}");
  g_autofree char *again = test_format_text (PEN_LINE_FORMAT_PRETTY, pretty);

  g_assert_nonnull (strstr (pretty, "\n"));
  g_assert_nonnull (strstr (pretty, "1.50"));
  g_assert_false (g_str_has_suffix (pretty, "\n"));
  g_assert_cmpstr (again, ==, pretty);
  assert_formats (PEN_LINE_FORMAT_PRETTY, "not\nJSON", "not\nJSON");
}

/* The payload itself is written, not a copy. */
static void
test_format_copies_nothing (void)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("{\"a\":1}", 7);
  g_autoptr (GBytes) formatted = pen_line_format_payload (PEN_LINE_FORMAT_LINES, payload, NULL);

  g_assert_true (formatted == payload);
}

static PenBatch *
test_make_batch (guint n_events, gsize length)
{
  PenBatch *batch = pen_batch_new ();

  for (guint i = 0; i < n_events; i++)
    {
      g_autofree char *text = g_strnfill (length, (char) ('a' + i % 26));
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "topic");

      pen_batch_append (batch, event);
    }
  return batch;
}

static PenLines *
test_lay_out (PenBatch *batch, PenLineFormat format)
{
  PenLines *lines = pen_lines_new (format);

  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    g_assert_true (pen_lines_append (lines, batch, i));
  return lines;
}

static gpointer
test_read_all (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  GString *text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n_bytes;

  while ((n_bytes = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, n_bytes);
  close (fd);
  return text;
}

/* More pieces than one writev() takes, into a pipe that holds a page at a time. */
static void
test_write_through_pipe (int flags)
{
  g_autoptr (PenBatch) batch = test_make_batch (3000, 100);
  g_autoptr (PenLines) lines = test_lay_out (batch, PEN_LINE_FORMAT_LINES);
  g_autoptr (GString) text = NULL;
  int fds[2];
  GThread *reader;

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  g_assert_no_errno (fcntl (fds[1], F_SETFL, flags));
  g_assert_cmpint (fcntl (fds[1], F_SETPIPE_SZ, 4096), >, 0);
  reader = g_thread_new ("reader", test_read_all, GINT_TO_POINTER (fds[0]));

  g_assert_cmpuint (pen_lines_get_n_bytes (lines), ==, 3000 * 101);
  g_assert_cmpint (pen_lines_write (lines, fds[1]), ==, 0);
  close (fds[1]);
  text = g_thread_join (reader);

  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 3000);
  g_assert_cmpuint (pen_lines_get_n_bytes (lines), ==, 0);
  g_assert_cmpuint (text->len, ==, 3000 * 101);
  for (guint i = 0; i < 3000; i++)
    {
      const char *line = text->str + i * 101;

      g_assert_cmpint (line[0], ==, 'a' + (int) (i % 26));
      g_assert_true (memcmp (line, line + 1, 99) == 0);
      g_assert_cmpint (line[100], ==, '\n');
    }
}

static void
test_lines_partial_writes (void)
{
  test_write_through_pipe (0);
}

static void
test_lines_non_blocking (void)
{
  test_write_through_pipe (O_NONBLOCK);
}

static void
test_lines_closed_pipe (void)
{
  g_autoptr (PenBatch) batch = test_make_batch (2, 10);
  g_autoptr (PenLines) lines = test_lay_out (batch, PEN_LINE_FORMAT_LINES);
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  close (fds[0]);
  g_assert_cmpint (pen_lines_write (lines, fds[1]), ==, EPIPE);
  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 0);
  g_assert_cmpuint (pen_lines_get_n_torn (lines), ==, 0);
  g_assert_null (pen_lines_steal_torn (lines));
  close (fds[1]);
}

static void
test_limit_file_size (rlim_t n_bytes)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  limit.rlim_cur = n_bytes;
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
}

/* Three lines of eleven bytes into a file that may have 25: the third is torn behind 3 bytes. */
static PenLines *
test_tear (PenBatch *batch, int fd)
{
  g_autoptr (PenLines) lines = test_lay_out (batch, PEN_LINE_FORMAT_LINES);

  test_limit_file_size (25);
  g_assert_cmpint (pen_lines_write (lines, fd), ==, EFBIG);
  test_limit_file_size (RLIM_INFINITY);
  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 2);
  g_assert_cmpuint (pen_lines_get_n_torn (lines), ==, 3);
  g_assert_cmpuint (pen_lines_get_n_bytes (lines), ==, 8);
  return g_steal_pointer (&lines);
}

static void
test_lines_torn (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "torn", NULL);
  g_autoptr (PenBatch) batch = test_make_batch (3, 10);
  g_autoptr (PenLines) lines = NULL;
  g_autoptr (PenLines) rest = NULL;
  g_autofree char *text = NULL;
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  lines = test_tear (batch, fd);
  rest = pen_lines_steal_torn (lines);
  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 2);
  g_assert_cmpuint (pen_lines_get_index (lines, 1), ==, 1);
  g_assert_cmpuint (pen_lines_get_n_bytes (rest), ==, 8);
  pen_lines_clear (lines);
  g_assert_cmpint (pen_lines_write (rest, fd), ==, 0);
  close (fd);

  text = pen_test_read_file (path, NULL);
  g_assert_cmpstr (text, ==, "aaaaaaaaaa\nbbbbbbbbbb\ncccccccccc\n");
  pen_test_remove_folder (folder);
}

/* Calling write again goes on at the byte where it stopped. */
static void
test_lines_resumed (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "torn", NULL);
  g_autoptr (PenBatch) batch = test_make_batch (3, 10);
  g_autoptr (PenLines) lines = NULL;
  g_autofree char *text = NULL;
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  lines = test_tear (batch, fd);
  g_assert_cmpint (pen_lines_write (lines, fd), ==, 0);
  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 3);
  g_assert_cmpuint (pen_lines_get_n_torn (lines), ==, 0);
  close (fd);

  text = pen_test_read_file (path, NULL);
  g_assert_cmpstr (text, ==, "aaaaaaaaaa\nbbbbbbbbbb\ncccccccccc\n");
  pen_test_remove_folder (folder);
}

static void
test_lines_full_device (void)
{
  g_autoptr (PenBatch) batch = test_make_batch (2, 10);
  g_autoptr (PenLines) lines = test_lay_out (batch, PEN_LINE_FORMAT_LINES);
  int fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pen_lines_write (lines, fd), ==, ENOSPC);
  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 0);
  close (fd);
}

/* Events without a byte are written, too, in a format that adds none. */
static void
test_lines_empty_payloads (void)
{
  g_autoptr (PenBatch) batch = test_make_batch (3, 0);
  g_autoptr (PenLines) lines = test_lay_out (batch, PEN_LINE_FORMAT_RAW);
  int fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  g_assert_cmpuint (pen_lines_get_n_bytes (lines), ==, 0);
  g_assert_cmpint (pen_lines_write (lines, fd), ==, 0);
  g_assert_cmpuint (pen_lines_get_n_written (lines), ==, 3);
  close (fd);
}

static void
test_lines_rejects (void)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autoptr (PenEvent) good = pen_harness_make_event ("[\n]", "topic");
  g_autoptr (PenEvent) bad = pen_harness_make_event ("two\nlines", "topic");
  g_autoptr (PenLines) lines = pen_lines_new (PEN_LINE_FORMAT_LINES);

  pen_batch_append (batch, bad);
  pen_batch_append (batch, good);
  g_assert_false (pen_lines_append (lines, batch, 0));
  g_assert_true (pen_lines_append (lines, batch, 1));
  g_assert_false (pen_batch_is_open (batch, 0));
  g_assert_true (pen_batch_is_open (batch, 1));
  g_assert_cmpuint (pen_lines_get_n_lines (lines), ==, 1);
  g_assert_cmpuint (pen_lines_get_index (lines, 0), ==, 1);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);
  g_test_add_func ("/line-format/lines", test_format_lines);
  g_test_add_func ("/line-format/lines/refuses", test_format_lines_refuses);
  g_test_add_func ("/line-format/envelope", test_format_envelope);
  g_test_add_func ("/line-format/raw", test_format_raw);
  g_test_add_func ("/line-format/pretty", test_format_pretty);
  g_test_add_func ("/line-format/copies-nothing", test_format_copies_nothing);
  g_test_add_func ("/lines/partial-writes", test_lines_partial_writes);
  g_test_add_func ("/lines/non-blocking", test_lines_non_blocking);
  g_test_add_func ("/lines/closed-pipe", test_lines_closed_pipe);
  g_test_add_func ("/lines/torn", test_lines_torn);
  g_test_add_func ("/lines/resumed", test_lines_resumed);
  g_test_add_func ("/lines/full-device", test_lines_full_device);
  g_test_add_func ("/lines/empty-payloads", test_lines_empty_payloads);
  g_test_add_func ("/lines/rejects", test_lines_rejects);
  return g_test_run ();
}
