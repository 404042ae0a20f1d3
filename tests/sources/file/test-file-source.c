/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file source on every kind of file that there is, finite and followed.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-file-source.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS 10000

typedef struct
{
  char *folder;
  char *path;
  PenHarness *harness;
} TestFixture;

static void
test_set_up (TestFixture *fixture, gconstpointer data)
{
  fixture->folder = pen_test_make_folder ();
  fixture->path = g_build_filename (fixture->folder, "in.jsonl", NULL);
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->harness, pen_harness_free);
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->path);
}

static void
test_append (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  close (fd);
}

/* A source of @path with the properties that follow; it is not started. */
static void
test_make (TestFixture *fixture, const char *path, const char *first_property, ...)
{
  GObject *source = g_object_new (PEN_TYPE_FILE_SOURCE, "path", path, NULL);
  va_list arguments;

  va_start (arguments, first_property);
  if (first_property != NULL)
    g_object_set_valist (source, first_property, arguments);
  va_end (arguments);
  fixture->harness = pen_harness_new (PEN_ELEMENT (source));
}

static gboolean
test_is_finished (gpointer data)
{
  return pen_harness_is_finished (data);
}

static gboolean
test_has_failed (gpointer data)
{
  return pen_harness_get_failure (data) != NULL;
}

static void
test_run_to_end (TestFixture *fixture)
{
  pen_harness_start (fixture->harness);
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_is_finished, fixture->harness, TIMEOUT_MS));
}

#define test_assert_next(fixture, expected)                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *text_ = pen_harness_pull_text ((fixture)->harness);                           \
    g_assert_cmpstr (text_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

/* Waits for the next event and compares it. */
#define test_assert_comes(fixture, expected)                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_true (pen_harness_wait ((fixture)->harness, 1, TIMEOUT_MS));                          \
    test_assert_next ((fixture), (expected));                                                      \
  }                                                                                                \
  G_STMT_END

static void
test_source_lines (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenEvent) event = NULL;

  test_append (fixture->path, "{\"a\":1}\n\n  \r\nbytes \xff as they are\r\nlast");
  test_make (fixture, fixture->path, "topic", "a/b", NULL);
  test_run_to_end (fixture);

  event = pen_harness_pull (fixture->harness);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "a/b");
  g_assert_cmpint (g_get_real_time () - pen_event_get_arrival (event), <, 60 * G_USEC_PER_SEC);
  g_assert_cmpuint (pen_event_get_flags (event), ==, PEN_EVENT_NONE);
  test_assert_next (fixture, "bytes \xff as they are\r");
  test_assert_next (fixture, "last");
  test_assert_next (fixture, NULL);
  g_assert_false (pen_harness_is_connected (fixture->harness));
}

static void
test_source_empty (TestFixture *fixture, gconstpointer data)
{
  test_append (fixture->path, "");
  test_make (fixture, fixture->path, NULL);
  test_run_to_end (fixture);
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
}

static void
test_source_null_device (TestFixture *fixture, gconstpointer data)
{
  test_make (fixture, "/dev/null", NULL);
  test_run_to_end (fixture);
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
}

static void
test_source_too_large (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenEvent) event = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *message = NULL;
  g_autofree char *expected = NULL;
  gsize length;

  test_append (fixture->path, "12345678\n123456789\n1\n");
  test_make (fixture, fixture->path, "max-line", (guint64) 8, NULL);
  test_run_to_end (fixture);

  test_assert_next (fixture, "12345678");
  test_assert_next (fixture, "1");
  g_assert_true (pen_harness_pull_rejection (fixture->harness, &event, &reason, &message));
  g_assert_cmpstr (reason, ==, "too_large");
  expected = g_strdup_printf ("line 2 of '%s' has 9 bytes, more than max-line (8B) allows",
                              fixture->path);
  g_assert_cmpstr (message, ==, expected);
  pen_event_get_data (event, &length);
  g_assert_cmpuint (length, ==, 9);
  g_assert_cmpuint (pen_event_get_full_size (event), ==, 9);
  g_assert_false (pen_harness_pull_rejection (fixture->harness, NULL, NULL, NULL));
}

/* 200,000 lines; several rounds, and a pause in the middle that nothing passes. */
static void
test_source_many_lines_paused (TestFixture *fixture, gconstpointer data)
{
  const guint n_lines = 200000;
  g_autoptr (GString) text = g_string_new (NULL);
  guint n_events;

  for (guint i = 0; i < n_lines; i++)
    g_string_append_printf (text, "%u\n", i);
  g_assert_true (g_file_set_contents (fixture->path, text->str, (gssize) text->len, NULL));
  test_make (fixture, fixture->path, NULL);
  pen_harness_start (fixture->harness);
  g_assert_true (pen_harness_wait (fixture->harness, 1, TIMEOUT_MS));
  pen_harness_pause (fixture->harness);
  n_events = pen_harness_get_n_events (fixture->harness);
  g_assert_cmpuint (n_events, <, n_lines / 4);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, n_events);
  pen_harness_resume (fixture->harness);
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_is_finished, fixture->harness, TIMEOUT_MS));

  for (guint i = 0; i < n_lines; i++)
    {
      g_autofree char *line = pen_harness_pull_text (fixture->harness);

      g_assert_cmpuint (g_ascii_strtoull (line, NULL, 10), ==, i);
    }
  test_assert_next (fixture, NULL);
}

static void
test_source_fails (TestFixture *fixture, const char *path, const char *expected)
{
  g_autoptr (GError) error = NULL;

  test_make (fixture, path, NULL);
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_source_missing (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *expected
      = g_strdup_printf ("cannot open '%s': No such file or directory", fixture->path);

  test_source_fails (fixture, fixture->path, expected);
}

static void
test_source_folder (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *expected
      = g_strdup_printf ("cannot read '%s': Is a directory; name a file in it", fixture->folder);

  test_source_fails (fixture, fixture->folder, expected);
}

static void
test_source_unreadable (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *expected = g_strdup_printf (
      "cannot open '%s': Permission denied; check the owner and mode of the file and of its "
      "folders",
      fixture->path);
  gboolean is_root = geteuid () == 0;

  test_append (fixture->path, "x\n");
  g_assert_no_errno (g_chmod (fixture->path, 0));
  /* root may read everything */
  if (is_root)
    g_assert_no_errno (seteuid (65534));
  test_source_fails (fixture, fixture->path, expected);
  if (is_root)
    g_assert_no_errno (seteuid (0));
}

static GBytes *
test_compress (const char *text)
{
  g_autoptr (GConverter) compressor
      = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, compressor);

  g_assert_true (g_output_stream_write_all (stream, text, strlen (text), NULL, NULL, NULL));
  g_assert_true (g_output_stream_close (stream, NULL, NULL));
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static void
test_write_compressed (TestFixture *fixture, guint n_members, gsize n_missing)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();

  for (guint i = 0; i < n_members; i++)
    {
      g_autofree char *text = g_strdup_printf ("first of %u\nsecond of %u\n", i, i);
      g_autoptr (GBytes) member = test_compress (text);

      g_byte_array_append (file, g_bytes_get_data (member, NULL),
                           (guint) g_bytes_get_size (member));
    }
  g_free (fixture->path);
  fixture->path = g_build_filename (fixture->folder, "in.jsonl.gz", NULL);
  g_assert_true (g_file_set_contents (fixture->path, (const char *) file->data,
                                      (gssize) (file->len - n_missing), NULL));
}

static void
test_source_compressed (TestFixture *fixture, gconstpointer data)
{
  test_write_compressed (fixture, 2, 0);
  test_make (fixture, fixture->path, NULL);
  test_run_to_end (fixture);
  test_assert_next (fixture, "first of 0");
  test_assert_next (fixture, "second of 0");
  test_assert_next (fixture, "first of 1");
  test_assert_next (fixture, "second of 1");
  test_assert_next (fixture, NULL);
}

static void
test_source_compressed_cut_off (TestFixture *fixture, gconstpointer data)
{
  const GError *error;

  test_write_compressed (fixture, 2, 5);
  test_make (fixture, fixture->path, NULL);
  pen_harness_start (fixture->harness);
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_has_failed, fixture->harness, TIMEOUT_MS));
  error = pen_harness_get_failure (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_nonnull (strstr (error->message, "in.jsonl.gz' behind byte "));
  g_assert_true (g_str_has_suffix (error->message, ": the file is cut off"));
  test_assert_next (fixture, "first of 0");
}

static void
test_source_compressed_damaged (TestFixture *fixture, gconstpointer data)
{
  g_free (fixture->path);
  fixture->path = g_build_filename (fixture->folder, "in.jsonl.gz", NULL);
  test_append (fixture->path, "this was never compressed\n");
  test_make (fixture, fixture->path, NULL);
  pen_harness_start (fixture->harness);
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_has_failed, fixture->harness, TIMEOUT_MS));
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
}

static void
test_source_pipe (TestFixture *fixture, gconstpointer data)
{
  int fd;

  g_assert_no_errno (mkfifo (fixture->path, 0600));
  test_make (fixture, fixture->path, NULL);
  pen_harness_start (fixture->harness);
  fd = open (fixture->path, O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (write (fd, "one\ntw", 6), ==, 6);
  test_assert_comes (fixture, "one");
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
  g_assert_cmpint (write (fd, "o\nthree", 7), ==, 7);
  test_assert_comes (fixture, "two");
  close (fd);
  test_assert_comes (fixture, "three");
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_is_finished, fixture->harness, TIMEOUT_MS));
}

/* Runs @body with the read end of a new pipe as standard input. */
static int
test_replace_stdin (int *saved)
{
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  *saved = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  g_assert_no_errno (dup2 (fds[0], STDIN_FILENO));
  close (fds[0]);
  return fds[1];
}

static void
test_restore_stdin (int saved)
{
  if (saved >= 0)
    {
      dup2 (saved, STDIN_FILENO);
      close (saved);
    }
}

static void
test_source_stdin (TestFixture *fixture, gconstpointer data)
{
  int saved;
  int fd = test_replace_stdin (&saved);
  g_autoptr (PenHarness) second
      = pen_harness_new (g_object_new (PEN_TYPE_FILE_SOURCE, "path", "-", NULL));
  g_autoptr (GError) error = NULL;

  test_make (fixture, "-", NULL);
  pen_harness_start (fixture->harness);
  error = pen_harness_start_fails (second);
  g_assert_cmpstr (error->message, ==,
                   "cannot read standard input: another source of this process does");

  /* Paused: nothing is read, and resuming does not block though there is nothing. */
  pen_harness_pause (fixture->harness);
  g_assert_cmpint (write (fd, "one\n", 4), ==, 4);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
  pen_harness_resume (fixture->harness);
  test_assert_comes (fixture, "one");
  pen_harness_pause (fixture->harness);
  pen_harness_resume (fixture->harness);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (write (fd, "two", 3), ==, 3);
  close (fd);
  test_assert_comes (fixture, "two");
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_is_finished, fixture->harness, TIMEOUT_MS));
  pen_harness_start (second); /* it is free again */
  test_restore_stdin (saved);
}

/* --- Following --- */

static void
test_follow (TestFixture *fixture)
{
  test_make (fixture, fixture->path, "follow", TRUE, "poll-interval", G_GINT64_CONSTANT (10000),
             NULL);
  pen_harness_start (fixture->harness);
}

static void
test_source_follows (TestFixture *fixture, gconstpointer data)
{
  test_append (fixture->path, "one\ntw");
  test_follow (fixture);
  test_assert_comes (fixture, "one");
  test_append (fixture->path, "o\nthree\n");
  test_assert_comes (fixture, "two");
  test_assert_comes (fixture, "three");
  g_assert_false (pen_harness_is_finished (fixture->harness));
  g_assert_true (pen_harness_is_connected (fixture->harness));
}

static void
test_source_follows_from_end (TestFixture *fixture, gconstpointer data)
{
  test_append (fixture->path, "old\n");
  test_make (fixture, fixture->path, "follow", TRUE, "poll-interval", G_GINT64_CONSTANT (10000),
             "start-at", 1, NULL);
  pen_harness_start (fixture->harness);
  test_append (fixture->path, "new\n");
  test_assert_comes (fixture, "new");
}

static gboolean
test_is_connected (gpointer data)
{
  return pen_harness_is_connected (data);
}

static void
test_source_follows_later (TestFixture *fixture, gconstpointer data)
{
  test_follow (fixture);
  g_assert_false (pen_harness_is_connected (fixture->harness));
  test_append (fixture->path, "one\n");
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_is_connected, fixture->harness, TIMEOUT_MS));
  test_assert_comes (fixture, "one");
}

/* Renamed by logrotate: the old file is read to its end, a line without newline included. */
static void
test_source_follows_rotation (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *rotated = g_strconcat (fixture->path, ".1", NULL);

  test_append (fixture->path, "one\n");
  test_follow (fixture);
  test_assert_comes (fixture, "one");
  g_assert_no_errno (g_rename (fixture->path, rotated));
  test_append (rotated, "two\nthree");
  test_append (fixture->path, "four\n");
  test_assert_comes (fixture, "two");
  test_assert_comes (fixture, "three");
  test_assert_comes (fixture, "four");
}

/* Who wrote to the old file goes on for a moment after it was renamed. */
static void
test_source_follows_late_writer (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *rotated = g_strconcat (fixture->path, ".1", NULL);

  test_append (fixture->path, "one\n");
  test_make (fixture, fixture->path, "follow", TRUE, NULL);
  pen_harness_use_test_clock (fixture->harness, G_GINT64_CONSTANT (1767323045678901));
  pen_harness_start (fixture->harness);
  pen_harness_advance (fixture->harness, 0);
  pen_harness_advance (fixture->harness, 0);
  test_assert_comes (fixture, "one");
  g_assert_no_errno (g_rename (fixture->path, rotated));
  test_append (fixture->path, "three\n");
  pen_harness_advance (fixture->harness, G_USEC_PER_SEC); /* sees that it was renamed */
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
  test_append (rotated, "two\n");
  for (guint i = 0; i < 5; i++)
    pen_harness_advance (fixture->harness, G_USEC_PER_SEC);
  test_assert_comes (fixture, "two");
  test_assert_comes (fixture, "three");
}

static void
test_source_follows_deletion (TestFixture *fixture, gconstpointer data)
{
  test_append (fixture->path, "one\n");
  test_follow (fixture);
  test_assert_comes (fixture, "one");
  g_assert_no_errno (g_unlink (fixture->path));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  test_append (fixture->path, "two\n");
  test_assert_comes (fixture, "two");
}

static gboolean
test_has_rejection (gpointer data)
{
  TestFixture *fixture = data;
  g_autofree char *reason = NULL;

  if (!pen_harness_pull_rejection (fixture->harness, NULL, &reason, NULL))
    return FALSE;
  g_assert_cmpstr (reason, ==, "torn_line");
  return TRUE;
}

static void
test_source_follows_truncation (TestFixture *fixture, gconstpointer data)
{
  test_append (fixture->path, "one\nto");
  test_follow (fixture);
  test_assert_comes (fixture, "one");
  g_assert_no_errno (truncate (fixture->path, 0));
  g_assert_true (pen_harness_wait_for (fixture->harness, test_has_rejection, fixture, TIMEOUT_MS));
  test_append (fixture->path, "new\n");
  test_assert_comes (fixture, "new");
}

/* The poll interval is the clock's, not the wall's. */
static void
test_source_follows_by_the_clock (TestFixture *fixture, gconstpointer data)
{
  test_append (fixture->path, "one\n");
  test_make (fixture, fixture->path, "follow", TRUE, NULL);
  pen_harness_use_test_clock (fixture->harness, G_GINT64_CONSTANT (1767323045678901));
  pen_harness_start (fixture->harness);
  pen_harness_advance (fixture->harness, 0);
  test_assert_comes (fixture, "one");
  pen_harness_advance (fixture->harness, 0);
  test_append (fixture->path, "two\n");
  pen_harness_advance (fixture->harness, G_USEC_PER_SEC - 1);
  g_assert_cmpuint (pen_harness_get_n_events (fixture->harness), ==, 0);
  pen_harness_advance (fixture->harness, 1);
  test_assert_comes (fixture, "two");
}

/* --- Dead letters --- */

static void
test_source_dead_letters (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenEvent) event = NULL;
  g_autoptr (PenEvent) letter = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *message = NULL;
  g_autofree char *text = NULL;
  g_autofree char *expected = NULL;
  const char *payload;
  gsize length;

  test_append (fixture->path, "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"topic\":\"a/b\","
                              "\"payload\":\"{\\\"t\\\":1}\"}\n"
                              "{\"payload\":\"x\",\"truncated\":true}\n");
  test_make (fixture, fixture->path, "format", 1, "max-line", (guint64) 10, NULL);
  test_run_to_end (fixture);

  event = pen_harness_pull (fixture->harness);
  payload = pen_event_get_data (event, &length);
  g_assert_cmpmem (payload, length, "{\"t\":1}", 7);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "a/b");
  g_assert_cmpint (pen_event_get_arrival (event), ==, G_GINT64_CONSTANT (1767323045678901));
  g_assert_cmpuint (pen_event_get_flags (event), ==, PEN_EVENT_REPLAYED);

  g_assert_true (pen_harness_pull_rejection (fixture->harness, &letter, &reason, &message));
  g_assert_cmpstr (reason, ==, "truncated");
  expected = g_strdup_printf ("line 2 of '%s': cannot be played again: the letter holds only the "
                              "beginning of the message",
                              fixture->path);
  g_assert_cmpstr (message, ==, expected);
  payload = pen_event_get_data (letter, &length);
  text = g_strndup (payload, length);
  g_assert_cmpstr (text, ==, "{\"payload\":\"x\",\"truncated\":true}");
}

/* The letters of one message's skipped parts play it once; nothing else is left out. */
static void
test_source_joins_parts (TestFixture *fixture, gconstpointer data)
{
#define AT "{\"time\":\"2026-01-02T03:04:05+00:00\",\"topic\":\"t\",\"payload\":"
  static const struct
  {
    const char *line;
    const char *payload; /* NULL: not played */
  } rows[] = {
    { AT "\"a\",\"part\":1}", "a" },
    { AT "\"a\",\"part\":2}", NULL },
    { AT "\"a\",\"part\":101}", NULL },
    { AT "\"a\",\"part\":1}", "a" }, /* the same came twice */
    { AT "\"a\"}", "a" },
    { AT "\"b\",\"part\":2}", "b" },
    { AT "\"a\",\"part\":3}", "a" },
    { "{\"time\":\"2026-01-02T03:04:06+00:00\",\"topic\":\"t\",\"payload\":\"a\",\"part\":4}",
      "a" },
    { "{\"time\":\"2026-01-02T03:04:06+00:00\",\"topic\":\"u\",\"payload\":\"a\",\"part\":5}",
      "a" },
    { "{\"time\":\"2026-01-02T03:04:06+00:00\",\"topic\":\"u\",\"payload\":\"a\",\"part\":6}",
      NULL },
  };
#undef AT
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_string_append_printf (text, "%s\n", rows[i].line);
  test_append (fixture->path, text->str);
  test_make (fixture, fixture->path, "format", 1, NULL);
  test_run_to_end (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (PenEvent) event = NULL;
      const char *payload;
      gsize length;

      if (rows[i].payload == NULL)
        continue;
      event = pen_harness_pull (fixture->harness);
      payload = pen_event_get_data (event, &length);
      g_assert_cmpmem (payload, length, rows[i].payload, strlen (rows[i].payload));
    }
  g_assert_null (pen_harness_pull (fixture->harness));
  g_assert_cmpint (pen_harness_get_count (fixture->harness, "letters_joined", NULL), ==, 3);
}

/* --- Check --- */

static void
test_source_check (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenElement) source = g_object_new (PEN_TYPE_FILE_SOURCE, "path", "-", NULL);
  g_autofree char *good = pen_harness_check (source, "path", TRUE);
  g_autofree char *idle = pen_harness_check (source, "path start-at poll-interval", TRUE);
  g_autofree char *followed = NULL;
  g_autofree char *compressed = NULL;
  g_autofree char *missing = NULL;
  g_autofree char *missing_expected = NULL;
  g_autofree char *elsewhere = NULL;

  g_assert_cmpstr (good, ==, "");
  g_assert_cmpstr (idle, ==,
                   "warning: start-at: has no effect without follow=true\n"
                   "warning: poll-interval: has no effect without follow=true\n");
  g_object_set (source, "follow", TRUE, NULL);
  followed = pen_harness_check (source, "path follow", TRUE);
  g_assert_cmpstr (followed, ==,
                   "error: follow: standard input cannot be followed; without follow it is read "
                   "to its end\n");
  g_object_set (source, "path", "x.gz", NULL);
  compressed = pen_harness_check (source, "path follow", FALSE);
  g_assert_cmpstr (compressed, ==, "error: follow: a compressed file cannot be followed: 'x.gz'\n");
  g_object_set (source, "path", fixture->path, "follow", FALSE, NULL);
  missing = pen_harness_check (source, "path", TRUE);
  missing_expected = g_strdup_printf ("error: path: cannot read '%s': No such file or directory\n",
                                      fixture->path);
  g_assert_cmpstr (missing, ==, missing_expected);
  elsewhere = pen_harness_check (source, "path", FALSE);
  g_assert_cmpstr (elsewhere, ==, "");
}

#define test_add(path, func)                                                                       \
  g_test_add ("/file-source/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  test_add ("lines", test_source_lines);
  test_add ("empty", test_source_empty);
  test_add ("null-device", test_source_null_device);
  test_add ("too-large", test_source_too_large);
  test_add ("many-lines-paused", test_source_many_lines_paused);
  test_add ("missing", test_source_missing);
  test_add ("folder", test_source_folder);
  test_add ("unreadable", test_source_unreadable);
  test_add ("compressed", test_source_compressed);
  test_add ("compressed/cut-off", test_source_compressed_cut_off);
  test_add ("compressed/damaged", test_source_compressed_damaged);
  test_add ("pipe", test_source_pipe);
  test_add ("stdin", test_source_stdin);
  test_add ("follow", test_source_follows);
  test_add ("follow/from-end", test_source_follows_from_end);
  test_add ("follow/later", test_source_follows_later);
  test_add ("follow/rotation", test_source_follows_rotation);
  test_add ("follow/late-writer", test_source_follows_late_writer);
  test_add ("follow/deletion", test_source_follows_deletion);
  test_add ("follow/truncation", test_source_follows_truncation);
  test_add ("follow/by-the-clock", test_source_follows_by_the_clock);
  test_add ("dead-letters", test_source_dead_letters);
  test_add ("joins-parts", test_source_joins_parts);
  test_add ("check", test_source_check);
  return g_test_run ();
}
