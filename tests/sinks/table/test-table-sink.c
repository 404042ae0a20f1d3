/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table sink: layout, headers, formats, and what a hostile payload does to a terminal. The
 * test's own standard output is put aside while the sink writes.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-table-sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct
{
  char *folder;
  char *path;
  PenElement *sink;
  PenHarness *harness;
  int own_stdout;
} TestFixture;

static void
test_set_up (TestFixture *fixture, gconstpointer data)
{
  fixture->folder = pen_test_make_folder ();
  fixture->path = g_build_filename (fixture->folder, "out", NULL);
  fixture->sink = g_object_new (PEN_TYPE_TABLE_SINK, NULL);
  fixture->harness = pen_harness_new (fixture->sink);
  fixture->own_stdout = -1;
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->harness, pen_harness_free);
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->path);
}

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
  dup2 (fixture->own_stdout, STDOUT_FILENO);
  close (fixture->own_stdout);
}

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

static char *
test_write (TestFixture *fixture, PenBatch *batch)
{
  gboolean is_good;

  test_redirect (fixture, open (fixture->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  pen_harness_start (fixture->harness);
  is_good = pen_harness_write (fixture->harness, batch, NULL);
  test_restore (fixture);
  g_assert_true (is_good);
  return pen_test_read_file (fixture->path, NULL);
}

#define FIRST "{\"avg_1min\": 46.0, \"avg_5min\": 45.7, \"avg_30min\": 47.17777777777778}"
#define SECOND "{\"avg_1min\": 4.25, \"avg_5min\": 45.7, \"avg_30min\": 123456789.5}"
#define HEADER "  avg_1min    avg_5min    avg_30min\n----------  ----------  -----------\n"
#define FIRST_ROW "        46        45.7      47.1778\n"
#define SECOND_ROW "      4.25        45.7  1.23457e+08\n"

static void
test_table_averages (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (FIRST, SECOND, NULL);
  g_autofree char *text = test_write (fixture, batch);

  g_assert_cmpstr (text, ==, HEADER FIRST_ROW SECOND_ROW);
}

/* Each message printed as a table of its own, as a script that prints tabulate () does. */
static void
test_table_each (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (
      FIRST, "{\"avg_1min\":123456.789012,\"avg_5min\":1,\"avg_30min\":\"\"}", FIRST, NULL);
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "header-every", 1, NULL);
  text = test_write (fixture, batch);
  g_assert_cmpstr (text, ==,
                   HEADER FIRST_ROW "  avg_1min    avg_5min  avg_30min\n"
                                    "----------  ----------  -----------\n"
                                    "    123457           1\n" HEADER FIRST_ROW);
}

static void
test_table_header_every (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (FIRST, SECOND, FIRST, SECOND, SECOND, NULL);
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "header-every", 2, NULL);
  text = test_write (fixture, batch);
  g_assert_cmpstr (text, ==,
                   HEADER FIRST_ROW SECOND_ROW HEADER FIRST_ROW SECOND_ROW HEADER SECOND_ROW);
}

static void
test_table_mixed (TestFixture *fixture, gconstpointer data)
{
  static const char *const columns[] = { "name", "n", "on=b", "topic=@topic", "u=m.u", NULL };
  g_autoptr (PenBatch) batch = test_make_batch (
      "{\"name\":\"x\",\"n\":1,\"b\":true,\"m\":{\"u\":\"C\"}}",
      "{\"name\":\"日本 longer\",\"n\":1234567,\"b\":false,\"m\":{}}", "[]", "{}", NULL);
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "columns", columns, NULL);
  text = test_write (fixture, batch);
  g_assert_cmpstr (text, ==,
                   "name      n  on    topic    u\n"
                   "------  ---  ----  -------  ---\n"
                   "x         1  true  topic    C\n"
                   "日本 longer  1234567  false  topic\n"
                   "                             topic\n");
  g_assert_false (pen_batch_is_open (batch, 2));
}

static void
test_table_hostile (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (
      "{\"a\\u001b\":\"\\u001b]0;x\\u0007\\n\\u009b2J\\u202e\\u0000\\ud83d\\ude00\"}",
      "{\"a\\u001b\":\"x\"}", NULL);
  g_autofree char *text = test_write (fixture, batch);

  for (const char *p = text; *p != '\0'; p++)
    g_assert_true (*p == '\n' || !g_ascii_iscntrl (*p));
  g_assert_true (g_str_has_prefix (text, "a\\x1b"));
  g_assert_nonnull (strstr (text, "\n\\x1b]0;x\\x07\\n\\x9b2J\\u202e\\x00😀\n"));
}

static void
test_table_cut (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch ("{\"a\":\"日本日本日本\"}", "{\"a\":\"abcdefg\"}",
                                                "{\"a\":\"abcdef\"}", NULL);
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "max-width", 6, NULL);
  text = test_write (fixture, batch);
  g_assert_cmpstr (text, ==, "a\n-----\n日本…\nabcde…\nabcdef\n");
}

static void
test_table_csv (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (
      "{\"n\":47.17777777777778000,\"s\":\"a,b\",\"q\":\"say \\\"x\\\"\",\"e\":\"\",\"z\":null}",
      "{\"n\":1e400,\"s\":\"line\\nbreak\",\"q\":{\"a\":1},\"e\":true}", NULL);
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "format", 1, NULL);
  text = test_write (fixture, batch);
  g_assert_cmpstr (text, ==,
                   "n,s,q,e,z\n"
                   "47.17777777777778000,\"a,b\",\"say \"\"x\"\"\",\"\",\n"
                   "1e400,\"line\nbreak\",\"{\"\"a\"\":1}\",true,\n");
}

static void
test_table_markdown (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch
      = test_make_batch ("{\"n\":1.50,\"s|t\":\"a|b\\\\\\nc\"}", "{\"n\":2}", NULL);
  g_autofree char *text = NULL;

  g_object_set (fixture->sink, "format", 2, NULL);
  text = test_write (fixture, batch);
  g_assert_cmpstr (text, ==,
                   "| n | s\\|t |\n| ---: | --- |\n| 1.5 | a\\|b\\\\\\\\nc |\n| 2 |  |\n");
}

/* A pipe whose reader has gone ends the run; a disk that is full is tried again, and what was
 * written is not written twice, nor are the headers. */
static void
test_table_failures (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (FIRST, SECOND, FIRST, NULL);
  struct rlimit limit = { 0 };
  g_autofree char *text = NULL;
  gboolean was_good[3];
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  close (fds[0]);
  test_redirect (fixture, fds[1]);
  pen_harness_start (fixture->harness);
  was_good[0] = pen_harness_write (fixture->harness, batch, NULL);
  dup2 (open (fixture->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDOUT_FILENO);
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = strlen (HEADER FIRST_ROW) + 5;
  setrlimit (RLIMIT_FSIZE, &limit);
  was_good[1] = pen_harness_write (fixture->harness, batch, NULL);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_FSIZE, &limit);
  was_good[2] = pen_harness_write (fixture->harness, batch, NULL);
  test_restore (fixture);

  g_assert_false (was_good[0]);
  g_assert_false (was_good[1]);
  g_assert_true (was_good[2]);
  text = pen_test_read_file (fixture->path, NULL);
  g_assert_cmpstr (text, ==, HEADER FIRST_ROW SECOND_ROW FIRST_ROW);
}

/* The headers themselves are torn: they are completed, and not written again. */
static void
test_table_torn_header (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_batch (FIRST, SECOND, NULL);
  struct rlimit limit = { 0 };
  g_autofree char *text = NULL;
  gboolean was_good;
  gboolean is_good;

  test_redirect (fixture, open (fixture->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  pen_harness_start (fixture->harness);
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 10;
  setrlimit (RLIMIT_FSIZE, &limit);
  was_good = pen_harness_write (fixture->harness, batch, NULL);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_FSIZE, &limit);
  is_good = pen_harness_write (fixture->harness, batch, NULL);
  test_restore (fixture);

  g_assert_false (was_good);
  g_assert_true (is_good);
  text = pen_test_read_file (fixture->path, NULL);
  g_assert_cmpstr (text, ==, HEADER FIRST_ROW SECOND_ROW);
}

#define test_add(path, func)                                                                       \
  g_test_add ("/table-sink/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);
  test_add ("averages", test_table_averages);
  test_add ("each", test_table_each);
  test_add ("header-every", test_table_header_every);
  test_add ("mixed", test_table_mixed);
  test_add ("hostile", test_table_hostile);
  test_add ("cut", test_table_cut);
  test_add ("csv", test_table_csv);
  test_add ("markdown", test_table_markdown);
  test_add ("failures", test_table_failures);
  test_add ("torn-header", test_table_torn_header);
  return g_test_run ();
}
