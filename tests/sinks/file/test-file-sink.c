/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file sink: what is in which file after what, and what is accepted.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-file-sink.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define NOW_US G_GINT64_CONSTANT (1767323045678901) /* 2026-01-02T03:04:05.678901Z */
#define FSYNC_NEVER 0
#define FSYNC_INTERVAL 2

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
  fixture->path = g_build_filename (fixture->folder, "out.jsonl", NULL);
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->harness, pen_harness_free);
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->path);
}

/* A sink of @name in the folder with the properties that follow; it is not started. */
static PenHarness *
test_make (TestFixture *fixture, const char *name, const char *first_property, ...)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  GObject *sink = g_object_new (PEN_TYPE_FILE_SINK, "path", path, NULL);
  va_list arguments;
  PenHarness *harness;

  va_start (arguments, first_property);
  if (first_property != NULL)
    g_object_set_valist (sink, first_property, arguments);
  va_end (arguments);
  harness = pen_harness_new (PEN_ELEMENT (sink));
  pen_harness_use_test_clock (harness, NOW_US);
  return harness;
}

static void
test_write (PenHarness *harness, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pen_harness_write_texts (harness, &error, text, NULL));
  g_assert_no_error (error);
}

static void
test_write_topic (PenHarness *harness, const char *text, const char *topic)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autoptr (PenEvent) event = pen_harness_make_event (text, topic);
  g_autoptr (GError) error = NULL;

  pen_batch_append (batch, event);
  g_assert_true (pen_harness_write (harness, batch, &error));
  g_assert_no_error (error);
}

static int
test_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* "name:text|" for each file of @folder, sorted; line breaks are shown as '/'. */
static char *
test_show (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GString *shown = g_string_new (NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, (char *) name);
  g_ptr_array_sort (names, test_compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, g_ptr_array_index (names, i), NULL);
      g_autofree char *text = NULL;

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        text = test_show (path);
      else
        text = g_strdelimit (pen_test_read_file (path, NULL), "\n", '/');
      g_string_append_printf (shown, "%s:%s|", (const char *) g_ptr_array_index (names, i), text);
    }
  return g_string_free (shown, FALSE);
}

#define test_assert_shows(fixture, expected)                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *shown_ = test_show ((fixture)->folder);                                       \
    g_assert_cmpstr (shown_, ==, (expected));                                                      \
  }                                                                                                \
  G_STMT_END

static void
test_sink_appends (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  const char *const texts[] = { "{\"a\":1}", "[\n]", "two\nlines", "" };

  pen_test_write_file (fixture->folder, "out.jsonl", "before\n");
  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (PenEvent) event = pen_harness_make_event (texts[i], "topic");

      pen_batch_append (batch, event);
    }
  g_assert_true (pen_harness_write (fixture->harness, batch, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_false (pen_batch_is_open (batch, i));
  test_write (fixture->harness, "next");
  test_assert_shows (fixture, "out.jsonl:before/{\"a\":1}/[ ]//next/|");
}

static void
test_sink_formats (TestFixture *fixture, gconstpointer data)
{
  fixture->harness = test_make (fixture, "raw", "format", PEN_LINE_FORMAT_RAW, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "a\nb");
  test_write (fixture->harness, "c");
  g_clear_pointer (&fixture->harness, pen_harness_free);
  fixture->harness = test_make (fixture, "pretty", "format", PEN_LINE_FORMAT_PRETTY, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "[]");
  test_assert_shows (fixture, "pretty:[]/|raw:a/bc|");
}

/* A batch of several topics: each file has its lines in their order. */
static void
test_sink_topics (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  const char *const events[][2]
      = { { "1", "a/x" }, { "2", "b" }, { "3", "a/x" }, { "4", ".." }, { "5", "b" } };

  fixture->harness
      = test_make (fixture, "{pipeline}/{topic}/{time:%Y-%m-%d}.jsonl", "max-open-files", 1, NULL);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    {
      g_autoptr (PenEvent) event = pen_harness_make_event (events[i][0], events[i][1]);

      pen_batch_append (batch, event);
    }
  g_assert_true (pen_harness_write (fixture->harness, batch, NULL));
  g_assert_true (pen_harness_write_texts (fixture->harness, NULL, "6", NULL));
  test_assert_shows (fixture, "test:%2E.:2026-01-02.jsonl:4/||a+x:2026-01-02.jsonl:1/3/||"
                              "b:2026-01-02.jsonl:2/5/||test+topic:2026-01-02.jsonl:6/|||");
}

static guint
test_count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n_fds = 0;

  while (g_dir_read_name (dir) != NULL)
    n_fds++;
  return n_fds;
}

static void
test_sink_bounds_open_files (TestFixture *fixture, gconstpointer data)
{
  guint n_before;

  fixture->harness
      = test_make (fixture, "{topic}", "max-open-files", 5, "fsync", FSYNC_INTERVAL, NULL);
  pen_harness_start (fixture->harness);
  n_before = test_count_descriptors ();
  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < 100; i++)
      {
        g_autofree char *topic = g_strdup_printf ("%u", i);

        test_write_topic (fixture->harness, "x", topic);
        g_assert_cmpuint (test_count_descriptors (), <=, n_before + 5);
      }
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%u", fixture->folder, i);
      g_autofree char *text = pen_test_read_file (path, NULL);

      g_assert_cmpstr (text, ==, "x\nx\n");
    }
}

static void
test_sink_modes (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_build_filename (fixture->folder, "new", NULL);
  g_autofree char *path = g_build_filename (folder, "out", NULL);
  struct stat status;
  mode_t umask_before = umask (0077);

  fixture->harness = test_make (fixture, "new/out", "mode", "0664", NULL);
  pen_harness_start (fixture->harness);
  umask (umask_before);
  g_assert_no_errno (stat (path, &status));
  g_assert_cmpint (status.st_mode & 0777, ==, 0664);
}

/* --- Where it runs --- */

static void
test_sink_blocks (TestFixture *fixture, gconstpointer data)
{
  PenSink *sink;

  fixture->harness = test_make (fixture, "out", NULL, NULL);
  sink = PEN_SINK (pen_harness_get_element (fixture->harness));
  g_assert_true (PEN_SINK_GET_CLASS (sink)->blocks (sink));
  g_object_set (sink, "fsync", FSYNC_INTERVAL, NULL);
  g_assert_true (PEN_SINK_GET_CLASS (sink)->blocks (sink));
  g_object_set (sink, "fsync", FSYNC_NEVER, NULL);
  g_assert_false (PEN_SINK_GET_CLASS (sink)->blocks (sink));
  g_object_set (sink, "path", "/dev/full", NULL);
  g_assert_true (PEN_SINK_GET_CLASS (sink)->blocks (sink));
}

/* --- Other hands on the file --- */

static void
test_sink_moved (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *moved = g_strconcat (fixture->path, ".1", NULL);

  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "one");
  g_assert_no_errno (g_rename (fixture->path, moved));
  test_write (fixture->harness, "two");
  g_assert_no_errno (g_unlink (fixture->path));
  test_write (fixture->harness, "three");
  test_assert_shows (fixture, "out.jsonl:three/|out.jsonl.1:one/|");
}

/* logrotate's copytruncate, and somebody who appends by hand */
static void
test_sink_cut_and_extended (TestFixture *fixture, gconstpointer data)
{
  int fd;

  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "one");
  g_assert_no_errno (truncate (fixture->path, 0));
  test_write (fixture->harness, "two");
  fd = open (fixture->path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (write (fd, "by hand\n", 8), ==, 8);
  close (fd);
  test_write (fixture->harness, "three");
  test_assert_shows (fixture, "out.jsonl:two/by hand/three/|");
}

static void
test_sink_locked (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenHarness) other = test_make (fixture, "out.jsonl", NULL, NULL);
  g_autoptr (GError) error = NULL;

  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  error = pen_harness_start_fails (other);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_cmpstr (pen_element_error_get_reason (error), ==, "locked");
  g_assert_nonnull (strstr (error->message, "give each a file of its own"));
  pen_harness_stop (fixture->harness);
  pen_harness_start (other);
  test_write (other, "mine now");
  test_assert_shows (fixture, "out.jsonl:mine now/|");
}

/* --- Repair --- */

static void
test_sink_repairs (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *torn = g_strnfill (200000, 't');
  g_autofree char *text = g_strconcat ("one\ntwo\n", torn, NULL);
  g_autofree char *expected
      = g_strdup_printf ("out.jsonl:one/two/three/|out.jsonl.torn:before/%s/|", torn);

  pen_test_write_file (fixture->folder, "out.jsonl", text);
  pen_test_write_file (fixture->folder, "out.jsonl.torn", "before\n");
  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "three");
  test_assert_shows (fixture, expected);
}

static void
test_sink_repairs_only_line (TestFixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->folder, "out.jsonl", "{\"cut");
  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "{}");
  test_assert_shows (fixture, "out.jsonl:{}/|out.jsonl.torn:{\"cut/|");
}

static void
test_sink_repairs_pretty (TestFixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->folder, "out.jsonl", "[\n 1,");
  fixture->harness = test_make (fixture, "out.jsonl", "format", PEN_LINE_FORMAT_PRETTY, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "[]");
  test_assert_shows (fixture, "out.jsonl:[/ 1,/[]/|");
}

static void
test_sink_leaves_raw (TestFixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->folder, "out.jsonl", "abc");
  fixture->harness = test_make (fixture, "out.jsonl", "format", PEN_LINE_FORMAT_RAW, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "def");
  test_assert_shows (fixture, "out.jsonl:abcdef|");
}

/* --- Rotation --- */

static void
test_sink_rotates_by_size (TestFixture *fixture, gconstpointer data)
{
  fixture->harness = test_make (fixture, "out.jsonl", "rotate-size", (guint64) 10, NULL);
  pen_harness_start (fixture->harness);
  g_assert_true (pen_harness_write_texts (fixture->harness, NULL, "1234", "5678", "9",
                                          "more than ten", "x", NULL));
  test_write (fixture->harness, "y");
  test_assert_shows (fixture, "out.jsonl:x/y/|"
                              "out.jsonl.20260102T030405.678Z:1234/5678/|"
                              "out.jsonl.20260102T030405.679Z:9/|"
                              "out.jsonl.20260102T030405.680Z:more than ten/|");
}

/* What counts is the file's true size: here somebody has emptied it. */
static void
test_sink_rotates_by_true_size (TestFixture *fixture, gconstpointer data)
{
  fixture->harness = test_make (fixture, "out.jsonl", "rotate-size", (guint64) 10, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "12345678");
  g_assert_no_errno (truncate (fixture->path, 0));
  test_write (fixture->harness, "1234");
  test_assert_shows (fixture, "out.jsonl:1234/|");
}

static void
test_sink_rotates_by_time (TestFixture *fixture, gconstpointer data)
{
  fixture->harness = test_make (fixture, "out.jsonl", "rotate-interval", G_TIME_SPAN_HOUR, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "03:04");
  pen_harness_advance (fixture->harness, 55 * G_TIME_SPAN_MINUTE);
  test_write (fixture->harness, "03:59");
  pen_harness_advance (fixture->harness, G_TIME_SPAN_MINUTE);
  test_write (fixture->harness, "04:00");
  test_assert_shows (fixture, "out.jsonl:04:00/|out.jsonl.20260102T040005.678Z:03:04/03:59/|");

  /* a quiet file is rotated without an event, too, and not twice */
  pen_harness_advance (fixture->harness, 2 * G_TIME_SPAN_HOUR);
  g_assert_true (pen_harness_flush (fixture->harness, NULL));
  pen_harness_advance (fixture->harness, 2 * G_TIME_SPAN_HOUR);
  g_assert_true (pen_harness_flush (fixture->harness, NULL));
  test_assert_shows (fixture, "out.jsonl.20260102T040005.678Z:03:04/03:59/|"
                              "out.jsonl.20260102T060005.678Z:04:00/|");
}

/* A file of an earlier day is not written on after a restart. */
static void
test_sink_rotates_at_start (TestFixture *fixture, gconstpointer data)
{
  const struct timespec times[2] = { { .tv_sec = 1767225599 }, { .tv_sec = 1767225599 } };

  pen_test_write_file (fixture->folder, "out.jsonl", "yesterday\n");
  g_assert_no_errno (utimensat (AT_FDCWD, fixture->path, times, 0));
  fixture->harness = test_make (fixture, "out.jsonl", "rotate-interval", G_TIME_SPAN_DAY, NULL);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "today");
  test_assert_shows (fixture, "out.jsonl:today/|out.jsonl.20260102T030405.678Z:yesterday/|");
}

static gboolean
test_has_two_compressed (gpointer data)
{
  TestFixture *fixture = data;
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  guint n_compressed = 0;
  guint n_others = 0;
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, "Z.gz"))
      n_compressed++;
    else
      n_others++;
  return n_compressed == 2 && n_others == 1;
}

static void
test_sink_compresses (TestFixture *fixture, gconstpointer data)
{
  fixture->harness = test_make (fixture, "out.jsonl", "rotate-size", (guint64) 3, "compress", 1,
                                "keep", 2, NULL);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < 20; i++)
    test_write (fixture->harness, "xy");
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_has_two_compressed, fixture, TIMEOUT_MS));
}

/* What a run left uncompressed is compressed by the next. */
static void
test_sink_compresses_leftovers (TestFixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->folder, "out.jsonl.20260101T000000.000Z", "one\n");
  pen_test_write_file (fixture->folder, "out.jsonl.20260101T000001.000Z", "two\n");
  fixture->harness = test_make (fixture, "out.jsonl", "compress", 1, NULL);
  pen_harness_start (fixture->harness);
  g_assert_true (
      pen_harness_wait_for (fixture->harness, test_has_two_compressed, fixture, TIMEOUT_MS));
}

/* --- Failures --- */

/* Starting a sink of @name fails with @expected, in which PATH stands for the whole path. */
static void
test_assert_start_fails (TestFixture *fixture, const char *name, const char *expected)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  g_autoptr (GString) message = g_string_new (expected);
  g_autoptr (GError) error = NULL;

  g_string_replace (message, "PATH", path, 0);
  g_clear_pointer (&fixture->harness, pen_harness_free);
  fixture->harness = test_make (fixture, name, NULL, NULL);
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_cmpstr (error->message, ==, message->str);
}

static void
test_sink_cannot_open (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_build_filename (fixture->folder, "folder", NULL);
  gboolean is_root = geteuid () == 0;

  g_assert_no_errno (g_mkdir (folder, 0755));
  pen_test_write_file (fixture->folder, "file", "");
  test_assert_start_fails (fixture, "folder",
                           "cannot open 'PATH': Is a directory; path must name a file");
  test_assert_start_fails (fixture, "file/x", "cannot open 'PATH': Not a directory");
  /* root may write everywhere */
  g_assert_no_errno (g_chmod (fixture->folder, 0755));
  if (is_root)
    g_assert_no_errno (seteuid (65534));
  else
    g_assert_no_errno (g_chmod (folder, 0555));
  test_assert_start_fails (fixture, "folder/x",
                           "cannot open 'PATH': Permission denied; check the owner and mode of the "
                           "file and of its folders");
  if (is_root)
    g_assert_no_errno (seteuid (0));
}

/* One of three files cannot be opened: the events for the others are written and accepted. */
static void
test_sink_failure_of_one_file (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autofree char *folder = g_build_filename (fixture->folder, "b", NULL);
  g_autoptr (GError) error = NULL;
  const char *const topics[] = { "a", "b", "c", "b" };

  g_assert_no_errno (g_mkdir (folder, 0755));
  fixture->harness = test_make (fixture, "{topic}", NULL, NULL);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < G_N_ELEMENTS (topics); i++)
    {
      g_autoptr (PenEvent) event = pen_harness_make_event ("x", topics[i]);

      pen_batch_append (batch, event);
    }
  g_assert_false (pen_harness_write (fixture->harness, batch, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_false (pen_batch_is_open (batch, 0));
  g_assert_true (pen_batch_is_open (batch, 1));
  g_assert_false (pen_batch_is_open (batch, 2));
  g_assert_true (pen_batch_is_open (batch, 3));

  g_assert_no_errno (g_rmdir (folder));
  g_assert_true (pen_harness_write (fixture->harness, batch, NULL));
  test_assert_shows (fixture, "a:x/|b:x/x/|c:x/|");
}

static void
test_sink_name_too_long (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autofree char *topic = g_strnfill (150, 't');
  g_autoptr (PenEvent) too_long = pen_harness_make_event ("1", topic);
  g_autoptr (PenEvent) good = pen_harness_make_event ("2", "t");
  g_autoptr (GError) error = NULL;

  fixture->harness = test_make (fixture, "{topic}{topic}", NULL, NULL);
  pen_harness_start (fixture->harness);
  pen_batch_append (batch, too_long);
  pen_batch_append (batch, good);
  g_assert_true (pen_harness_write (fixture->harness, batch, &error));
  g_assert_no_error (error);
  g_assert_false (pen_batch_is_open (batch, 0));
  test_assert_shows (fixture, "tt:2/|");
}

static void
test_sink_full_device (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->harness = pen_harness_new (g_object_new (PEN_TYPE_FILE_SINK, "path", "/dev/full", NULL));
  pen_harness_start (fixture->harness);
  g_assert_false (pen_harness_write_texts (fixture->harness, &error, "x", NULL));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_cmpstr (error->message, ==,
                   "cannot write to '/dev/full': No space left on device; make room, it goes on by "
                   "itself");
}

static void
test_limit_file_size (rlim_t n_bytes)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  limit.rlim_cur = n_bytes;
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
}

/* The second line is torn: the first is accepted, and no part of the second stays. */
static void
test_sink_torn_write (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autoptr (PenEvent) first = pen_harness_make_event ("first", "topic");
  g_autoptr (PenEvent) second = pen_harness_make_event ("second", "topic");
  g_autoptr (GError) error = NULL;
  gboolean is_good;

  fixture->harness = test_make (fixture, "out.jsonl", NULL, NULL);
  pen_harness_start (fixture->harness);
  pen_batch_append (batch, first);
  pen_batch_append (batch, second);
  test_limit_file_size (9);
  is_good = pen_harness_write (fixture->harness, batch, &error);
  test_limit_file_size (RLIM_INFINITY);
  g_assert_false (is_good);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_false (pen_batch_is_open (batch, 0));
  g_assert_true (pen_batch_is_open (batch, 1));
  test_assert_shows (fixture, "out.jsonl:first/|");
  g_assert_true (pen_harness_write (fixture->harness, batch, NULL));
  test_assert_shows (fixture, "out.jsonl:first/second/|");
}

/* A named pipe nobody reads is waited for, and a reader that goes away is told. */
static void
test_sink_pipe (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  char buffer[16] = "";
  int fd;

  g_assert_no_errno (mkfifo (fixture->path, 0600));
  test_assert_start_fails (fixture, "out.jsonl",
                           "cannot open 'PATH': No such device or address; no process reads from "
                           "this pipe");
  fd = open (fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "one");
  g_assert_cmpint (read (fd, buffer, sizeof buffer), ==, 4);
  g_assert_cmpstr (buffer, ==, "one\n");
  close (fd);
  g_assert_false (pen_harness_write_texts (fixture->harness, &error, "two", NULL));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_true (g_str_has_suffix (error->message, ": Broken pipe"));
  g_clear_error (&error);
  g_assert_false (pen_harness_write_texts (fixture->harness, &error, "two", NULL));
  g_assert_true (g_str_has_suffix (error->message, "no process reads from this pipe"));

  fd = open (fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  test_write (fixture->harness, "two");
  g_assert_cmpint (read (fd, buffer, sizeof buffer), ==, 4);
  g_assert_cmpstr (buffer, ==, "two\n");
  close (fd);
}

/* One that takes the place of a file whose sink is on a lane would hold up the whole lane. */
static void
test_sink_pipe_later (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PenSink *sink;
  int fd;

  fixture->harness = test_make (fixture, "out.jsonl", "fsync", FSYNC_NEVER, NULL);
  sink = PEN_SINK (pen_harness_get_element (fixture->harness));
  g_assert_false (PEN_SINK_GET_CLASS (sink)->blocks (sink));
  pen_harness_start (fixture->harness);
  test_write (fixture->harness, "one");
  g_assert_no_errno (g_unlink (fixture->path));
  g_assert_no_errno (mkfifo (fixture->path, 0600));
  fd = open (fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_false (pen_harness_write_texts (fixture->harness, &error, "two", NULL));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_nonnull (strstr (error->message, "it is a pipe or a device, and was none when"));
  g_assert_no_errno (g_unlink (fixture->path));
  test_write (fixture->harness, "two");
  close (fd);
}

/* --- Check --- */

static void
test_assert_finds (TestFixture *fixture, const char *set, const char *expected)
{
  PenElement *sink = pen_harness_get_element (fixture->harness);
  g_autofree char *findings = pen_harness_check (sink, set, TRUE);

  g_assert_cmpstr (findings, ==, expected);
}

static void
test_sink_check (TestFixture *fixture, gconstpointer data)
{
  PenElement *sink;
  g_autofree char *expected
      = g_strdup_printf ("error: path: '%s' is a folder; name a file in it\n", fixture->folder);

  fixture->harness = test_make (fixture, "new/folder/{topic}.jsonl", NULL, NULL);
  sink = pen_harness_get_element (fixture->harness);
  test_assert_finds (fixture, "path", "");
  test_assert_finds (fixture, "path compress keep fsync-interval",
                     "warning: compress: only rotated files are compressed; set rotate-size or "
                     "rotate-interval\n"
                     "warning: keep: only rotated files are removed; set rotate-size or "
                     "rotate-interval\n"
                     "warning: fsync-interval: has no effect without fsync=interval\n");
  g_object_set (sink, "path", "-", NULL);
  test_assert_finds (fixture, "path",
                     "error: path: standard output is [sink stdout], not a file called '-'\n");
  g_object_set (sink, "path", "x/", NULL);
  test_assert_finds (fixture, "path", "error: path: 'x/' is a folder; name a file in it\n");
  g_object_set (sink, "path", fixture->folder, NULL);
  test_assert_finds (fixture, "path", expected);
  g_object_set (sink, "path", "{when}", NULL);
  test_assert_finds (fixture, "path",
                     "error: path: unknown place '{when}'; there are '{topic}', '{pipeline}' and "
                     "'{time:FORMAT}', and '{{' is a brace\n");
  g_object_set (sink, "path", "/dev/null/x", "mode", "0640", NULL);
  test_assert_finds (fixture, "path", "error: path: '/dev/null' is not a folder\n");
}

static void
test_sink_check_mode (TestFixture *fixture, gconstpointer data)
{
  const char *const faulty[] = { "", "0440", "01777", "640x", "888", "rw-r-----", "-600" };

  fixture->harness = test_make (fixture, "x", NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (faulty); i++)
    {
      g_autofree char *expected
          = g_strdup_printf ("error: mode: '%s' is not a file's mode: octal, at most 0777, and its "
                             "owner must be able to read and write, for example 0640\n",
                             faulty[i]);

      g_object_set (pen_harness_get_element (fixture->harness), "mode", faulty[i], NULL);
      test_assert_finds (fixture, "mode", expected);
    }
  g_object_set (pen_harness_get_element (fixture->harness), "mode", "600", NULL);
  test_assert_finds (fixture, "mode", "");
}

#define test_add(path, func)                                                                       \
  g_test_add ("/file-sink/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

static void
test_add_writing (void)
{
  test_add ("appends", test_sink_appends);
  test_add ("formats", test_sink_formats);
  test_add ("topics", test_sink_topics);
  test_add ("bounds-open-files", test_sink_bounds_open_files);
  test_add ("modes", test_sink_modes);
  test_add ("blocks", test_sink_blocks);
  test_add ("moved", test_sink_moved);
  test_add ("cut-and-extended", test_sink_cut_and_extended);
  test_add ("locked", test_sink_locked);
  test_add ("repairs", test_sink_repairs);
  test_add ("repairs/only-line", test_sink_repairs_only_line);
  test_add ("repairs/pretty", test_sink_repairs_pretty);
  test_add ("repairs/raw", test_sink_leaves_raw);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);
  test_add_writing ();
  test_add ("rotates/by-size", test_sink_rotates_by_size);
  test_add ("rotates/by-true-size", test_sink_rotates_by_true_size);
  test_add ("rotates/by-time", test_sink_rotates_by_time);
  test_add ("rotates/at-start", test_sink_rotates_at_start);
  test_add ("compresses", test_sink_compresses);
  test_add ("compresses/leftovers", test_sink_compresses_leftovers);
  test_add ("cannot-open", test_sink_cannot_open);
  test_add ("failure-of-one-file", test_sink_failure_of_one_file);
  test_add ("name-too-long", test_sink_name_too_long);
  test_add ("full-device", test_sink_full_device);
  test_add ("torn-write", test_sink_torn_write);
  test_add ("pipe", test_sink_pipe);
  test_add ("pipe-later", test_sink_pipe_later);
  test_add ("check", test_sink_check);
  test_add ("check/mode", test_sink_check_mode);
  return g_test_run ();
}
