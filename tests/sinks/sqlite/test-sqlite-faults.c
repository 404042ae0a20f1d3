/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The SQLite sink among other programs and on a disk that fails: locked by the sqlite3 shell, full,
 * damaged, taken away, killed while it writes. The processes that are killed are this program
 * itself, started with --write.
 */

#include "config.h"

#include "pen-sqlite-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS_A_BATCH 50
#define N_KILLS 5
#define START_US (G_GINT64_CONSTANT (1718000000) * G_USEC_PER_SEC)
#define MINUTE_US (60 * G_USEC_PER_SEC)

static const char *test_program;

static PenBatch *
test_make_rows (gint64 first, guint n_rows, const char *padding)
{
  PenBatch *batch = pen_batch_new ();

  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *text
          = g_strdup_printf ("{\"id\":%" G_GINT64_FORMAT ",\"t\":\"%s\"}", first + i, padding);
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "topic");

      pen_batch_append (batch, event);
    }
  return batch;
}

static void
test_start (PenSqliteFixture *fixture)
{
  pen_sqlite_fixture_set_columns (fixture, "id INTEGER;t TEXT");
  pen_harness_start (fixture->harness);
}

static void
test_assert_fails (PenSqliteFixture *fixture, PenBatch *batch, const char *pattern)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (pen_harness_write (fixture->harness, batch, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  if (!g_pattern_match_simple (pattern, error->message))
    g_test_fail_printf ("not like '%s': %s", pattern, error->message);
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    g_assert_true (pen_batch_is_open (batch, i));
}

/* --- Other programs --- */

/* Runs the sqlite3 shell, which does what it is told on its standard input. */
static GSubprocess *
test_spawn_shell (const char *path)
{
  g_autofree char *shell = g_find_program_in_path ("sqlite3");
  g_autoptr (GError) error = NULL;
  GSubprocess *process = NULL;

  if (shell == NULL)
    return NULL;
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                              &error, shell, "-batch", path, NULL);
  g_assert_no_error (error);
  return process;
}

/* Returns (transfer full) the line that it answers with. */
static char *
test_ask_shell (GSubprocess *shell, GDataInputStream *answers, const char *sql)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_subprocess_get_stdin_pipe (shell), sql, strlen (sql), NULL, NULL,
                             &error);
  g_assert_no_error (error);
  return g_data_input_stream_read_line (answers, NULL, NULL, NULL);
}

static void
test_faults_locked (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_rows (1, 2, "x");
  g_autoptr (GSubprocess) shell = NULL;
  g_autoptr (GDataInputStream) answers = NULL;
  g_autofree char *locked = NULL;
  g_autofree char *released = NULL;
  g_autofree char *read = NULL;

  g_object_set (fixture->sink, "busy-timeout", (gint64) 20000, NULL);
  test_start (fixture);
  shell = test_spawn_shell (fixture->path);
  if (shell == NULL)
    {
      g_test_skip ("no sqlite3 shell");
      return;
    }
  answers = g_data_input_stream_new (g_subprocess_get_stdout_pipe (shell));
  locked = test_ask_shell (
      shell, answers, "BEGIN IMMEDIATE; INSERT INTO events VALUES (0, 'shell'); SELECT 'on';\n");
  g_assert_cmpstr (locked, ==, "on");
  test_assert_fails (fixture, batch,
                     "cannot write to '*/test.db': another program has it locked;*");
  released = test_ask_shell (shell, answers, "COMMIT; SELECT 'off';\n");
  g_assert_cmpstr (released, ==, "off");
  pen_sqlite_fixture_write (fixture, batch);
  read = test_ask_shell (shell, answers, "SELECT group_concat(id || t) FROM events;\n");
  g_assert_cmpstr (read, ==, "0shell,1x,2x");
  g_subprocess_force_exit (shell);
  g_subprocess_wait (shell, NULL, NULL);
}

/* A reader in the middle of a transaction: it goes on to see what it saw, and nobody waits. */
static void
test_faults_read_meanwhile (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) first = test_make_rows (1, 2, "x");
  g_autoptr (PenBatch) second = test_make_rows (3, 2, "x");
  sqlite3 *reader = NULL;
  sqlite3_stmt *count = NULL;

  test_start (fixture);
  pen_sqlite_fixture_write (fixture, first);
  reader = pen_sqlite_open (fixture->path);
  g_assert_cmpint (sqlite3_exec (reader, "BEGIN", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_prepare_v2 (reader, "SELECT count(*) FROM events", -1, &count, NULL);
  g_assert_cmpint (sqlite3_step (count), ==, SQLITE_ROW);
  pen_sqlite_fixture_write (fixture, second);
  sqlite3_reset (count);
  g_assert_cmpint (sqlite3_step (count), ==, SQLITE_ROW);
  g_assert_cmpint (sqlite3_column_int (count, 0), ==, 2);
  sqlite3_finalize (count);
  sqlite3_exec (reader, "COMMIT", NULL, NULL, NULL);
  sqlite3_close (reader);
  pen_sqlite_assert_query (fixture->path, "SELECT count(*) FROM events", "4");
}

/* In SQLite's old mode a reader keeps a commit away: the batch is undone, and goes in once. */
static void
test_faults_read_without_log (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_rows (1, 2, "x");
  sqlite3 *reader = NULL;

  g_object_set (fixture->sink, "journal", 1, "busy-timeout", (gint64) 20000, NULL);
  test_start (fixture);
  reader = pen_sqlite_open (fixture->path);
  g_assert_cmpint (sqlite3_exec (reader, "BEGIN; SELECT count(*) FROM events", NULL, NULL, NULL),
                   ==, SQLITE_OK);
  test_assert_fails (fixture, batch,
                     "cannot write to '*/test.db': another program has it locked;*");
  test_assert_fails (fixture, batch,
                     "cannot write to '*/test.db': another program has it locked;*");
  g_assert_cmpint (sqlite3_exec (reader, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (reader);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT count(*) FROM events", "2");
  pen_sqlite_assert_query (fixture->path, "PRAGMA journal_mode", "delete");
}

static gpointer
test_write_many (gpointer data)
{
  PenSink *sink = PEN_SINK (data);

  for (guint i = 0; i < 40; i++)
    {
      g_autoptr (PenBatch) batch = test_make_rows (i * ROWS_A_BATCH, ROWS_A_BATCH, "x");

      if (!PEN_SINK_GET_CLASS (sink)->write (sink, batch, NULL))
        return NULL;
    }
  return sink;
}

/* Two pipelines with one table: the one waits for the other. */
static void
test_faults_two_writers (PenSqliteFixture *fixture, gconstpointer data)
{
  PenHarness *other = NULL;
  GThread *threads[2];

  g_object_set (fixture->sink, "busy-timeout", (gint64) 20 * G_USEC_PER_SEC, NULL);
  test_start (fixture);
  other = pen_sqlite_fixture_make_sink (fixture);
  g_object_set (pen_harness_get_element (other), "busy-timeout", (gint64) 20 * G_USEC_PER_SEC,
                NULL);
  pen_harness_stop (other);
  pen_harness_start (other);
  threads[0] = g_thread_new ("one", test_write_many, fixture->sink);
  threads[1] = g_thread_new ("other", test_write_many, pen_harness_get_element (other));
  for (guint i = 0; i < 2; i++)
    g_assert_nonnull (g_thread_join (threads[i]));
  pen_harness_free (other);
  pen_sqlite_assert_query (fixture->path, "SELECT count(*), count(DISTINCT id) FROM events",
                           "4000|2000");
}

/* --- The file --- */

static void
test_faults_not_a_database (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  pen_test_write_file (fixture->folder, "test.db", "this is a text, and no database at all");
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_true (g_str_has_suffix (
      error->message,
      "the file is not an SQLite database; name another file, or move this one aside"));
}

/* Taken away while it is in use: the next batch goes into a new file. */
static void
test_faults_removed (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) first = test_make_rows (1, 2, "x");
  g_autoptr (PenBatch) second = test_make_rows (3, 2, "x");
  g_autofree char *aside = g_strconcat (fixture->path, ".aside", NULL);

  test_start (fixture);
  pen_sqlite_fixture_write (fixture, first);
  g_assert_no_errno (g_rename (fixture->path, aside));
  pen_sqlite_fixture_write (fixture, second);
  pen_sqlite_assert_query (fixture->path, "SELECT group_concat(id) FROM events", "3,4");
}

static void
test_scribble (const char *path)
{
  char noise[4096];
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  memset (noise, 0x5a, sizeof noise);
  g_assert_cmpint (fd, >=, 0);
  for (off_t page = 1; page < 20; page++)
    g_assert_cmpint (pwrite (fd, noise, sizeof noise, page * (off_t) sizeof noise), ==,
                     sizeof noise);
  close (fd);
}

/* Damaged between two runs: nothing is lost, as nothing is acknowledged, and moving the file aside
 * helps. */
static void
test_faults_damaged (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autofree char *padding = g_strnfill (500, 'x');
  g_autoptr (PenBatch) first = test_make_rows (1, 500, padding);
  g_autoptr (PenBatch) second = test_make_rows (501, 2, padding);
  g_autofree char *aside = g_strconcat (fixture->path, ".aside", NULL);

  test_start (fixture);
  pen_sqlite_fixture_write (fixture, first);
  pen_harness_stop (fixture->harness);
  test_scribble (fixture->path);
  pen_harness_start (fixture->harness);
  test_assert_fails (fixture, second,
                     "cannot write to '*/test.db': the database is damaged; move*");
  g_assert_no_errno (g_rename (fixture->path, aside));
  pen_sqlite_fixture_write (fixture, second);
  pen_sqlite_assert_query (fixture->path, "SELECT group_concat(id) FROM events", "501,502");
}

/* Somebody drops the table: it is made again. */
static void
test_faults_dropped (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = test_make_rows (1, 2, "x");

  test_start (fixture);
  pen_sqlite_run (fixture->path, "DROP TABLE events");
  test_assert_fails (fixture, batch, "*no such table: events*");
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT count(*) FROM events", "2");
}

static void
test_fill_disk (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "test.db", NULL);
  g_autofree char *ballast_path = g_build_filename (folder, "ballast", NULL);
  g_autofree char *ballast = g_strnfill (1400000, 'x');
  g_autofree char *padding = g_strnfill (5000, 'x');
  g_autoptr (PenBatch) small = test_make_rows (1, 5, "x");
  g_autoptr (PenBatch) large = test_make_rows (6, 100, padding);
  g_autoptr (GError) error = NULL;
  PenHarness *harness
      = pen_harness_new (g_object_new (PEN_TYPE_SQLITE_SINK, "database", path, NULL));

  pen_test_write_file (folder, "ballast", ballast);
  pen_harness_start (harness);
  g_assert_true (pen_harness_write (harness, small, &error));
  g_assert_false (pen_harness_write (harness, large, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
  g_assert_true (g_str_has_suffix (error->message,
                                   "no space is left for it; make room, it goes on by itself"));
  pen_sqlite_assert_query (path, "SELECT count(*) FROM events", "5");

  /* the operator makes room: only for the log, and then for the file */
  g_assert_no_errno (g_unlink (ballast_path));
  g_clear_error (&error);
  pen_harness_write (harness, large, &error);
  pen_sqlite_assert_query (path, "SELECT count(*), count(DISTINCT id) FROM events",
                           error == NULL ? "105|105" : "5|5");
  pen_harness_free (harness);
}

static void
test_faults_full (void)
{
  pen_test_run_on_small_disk (1800 * 1024, test_fill_disk);
}

/* --- Killed --- */

/* What the process that is to be killed does: writes until then, and tells of each batch that is
 * written. It begins one batch before @first, as a source that was not acknowledged does. */
static int
test_write_for_ever (const char *path, gint64 first)
{
  PenElement *sink = g_object_new (PEN_TYPE_SQLITE_SINK, "database", path, NULL);
  g_autoptr (PenHarness) harness = pen_harness_new (sink);
  static const char *const columns[] = { "id INTEGER", "t TEXT", NULL };
  static const char *const key[] = { "id", NULL };

  g_object_set (sink, "columns", columns, "key", key, NULL);
  pen_harness_start (harness);
  for (gint64 next = MAX (first - ROWS_A_BATCH, 0);; next += ROWS_A_BATCH)
    {
      g_autoptr (PenBatch) batch = test_make_rows (next, ROWS_A_BATCH, "some text");
      gint64 until = next + ROWS_A_BATCH;

      if (!pen_harness_write (harness, batch, NULL)
          || write (STDERR_FILENO, &until, sizeof until) != sizeof until)
        return 1;
    }
}

/* Lets it write until some batches are told of; returns where it was when it was killed. */
static gint64
test_run_and_kill (const char *path, gint64 first)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, first);
  const char *const arguments[] = { test_program, "--write", path, text, NULL };
  g_autoptr (GError) error = NULL;
  gint64 until = 0;
  GPid pid;
  int fd;

  g_spawn_async_with_pipes (NULL, (char **) arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &pid, NULL, NULL, &fd, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (read (fd, &until, sizeof until), ==, sizeof until);
  g_assert_no_errno (kill (pid, SIGKILL));
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  while (read (fd, &until, sizeof until) == sizeof until)
    continue;
  close (fd);
  g_spawn_close_pid (pid);
  return until;
}

static void
test_faults_killed (PenSqliteFixture *fixture, gconstpointer data)
{
  gint64 n_rows = 0;

  for (guint i = 0; i < N_KILLS; i++)
    {
      g_autofree char *sql = NULL;

      n_rows = test_run_and_kill (fixture->path, n_rows);
      /* all that it told of is there once, and what else is there are whole batches */
      sql = g_strdup_printf ("SELECT count(*) >= %" G_GINT64_FORMAT
                             ", count(*) = max(id) + 1, count(*) %% %d, "
                             "count(*) = count(DISTINCT id) FROM events",
                             n_rows, ROWS_A_BATCH);
      pen_sqlite_assert_query (fixture->path, sql, "1|1|0|1");
      pen_sqlite_assert_query (fixture->path, "PRAGMA integrity_check", "ok");
    }
}

/* --- Size --- */

static goffset
test_get_size (const char *path)
{
  GStatBuf status;

  return g_stat (path, &status) == 0 ? status.st_size : 0;
}

/* A minute of readings for each minute of the clock, ten times as long as they are kept: once the
 * time is over for the first of them, the file does not grow. */
static void
test_faults_plateau (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autofree char *log = g_strconcat (fixture->path, "-wal", NULL);
  goffset size = 0;

  pen_sqlite_fixture_set_columns (fixture, "number INTEGER;epochtime INTEGER");
  g_object_set (fixture->sink, "retention", (gint64) 35 * MINUTE_US, "retention-column",
                "epochtime", "synchronous", 0 /* off: only the size matters here */, NULL);
  pen_harness_use_test_clock (fixture->harness, START_US);
  pen_harness_start (fixture->harness);
  for (guint minute = 0; minute < 350; minute++)
    {
      g_autoptr (PenBatch) batch = pen_batch_new ();

      for (guint i = 0; i < 100; i++)
        {
          g_autofree char *text = g_strdup_printf ("{\"number\":%u,\"epochtime\":\"%u\"}", i,
                                                   1718000000 + minute * 60 + i % 60);
          g_autoptr (PenEvent) event = pen_harness_make_event (text, "DATA");

          pen_batch_append (batch, event);
        }
      pen_sqlite_fixture_write (fixture, batch);
      pen_harness_advance (fixture->harness, MINUTE_US);
      g_assert_true (pen_harness_flush (fixture->harness, NULL));
      if (minute == 70)
        {
          pen_sqlite_run (fixture->path, "PRAGMA wal_checkpoint(PASSIVE)");
          size = test_get_size (fixture->path);
        }
    }
  pen_sqlite_assert_query (fixture->path, "SELECT count(*) FROM events", "3500");
  pen_sqlite_run (fixture->path, "PRAGMA wal_checkpoint(PASSIVE)");
  g_test_message ("%u bytes after 2 times 35 minutes, %u after 10 times", (guint) size,
                  (guint) test_get_size (fixture->path));
  g_assert_cmpint (size, >, 0);
  g_assert_cmpint (test_get_size (fixture->path), <=, size + size / 10);
  g_assert_cmpint (test_get_size (log), <, 8388608);
}

/* What a burst has made large becomes small again. */
static void
test_faults_shrinks (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autofree char *padding = g_strnfill (1000, 'x');
  goffset size;

  pen_sqlite_fixture_set_columns (fixture, "id INTEGER;t TEXT;at INTEGER=@arrival-s");
  g_object_set (fixture->sink, "retention", MINUTE_US, NULL);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (PenBatch) batch = test_make_rows (i * 500, 500, padding);

      pen_sqlite_fixture_write (fixture, batch);
    }
  pen_sqlite_run (fixture->path, "PRAGMA wal_checkpoint(PASSIVE)");
  size = test_get_size (fixture->path);
  g_assert_cmpint (size, >, 4000000);
  pen_harness_stop (fixture->harness);
  pen_harness_use_test_clock (fixture->harness, g_get_real_time () + 2 * MINUTE_US);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < 5; i++)
    g_assert_true (pen_harness_flush (fixture->harness, NULL));
  pen_harness_stop (fixture->harness);
  g_assert_cmpint (test_get_size (fixture->path), <, size / 2);
}

#define test_add(path, func)                                                                       \
  g_test_add ("/sqlite-faults/" path, PenSqliteFixture, NULL, pen_sqlite_fixture_set_up, func,     \
              pen_sqlite_fixture_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  if (argc == 4 && g_str_equal (argv[1], "--write"))
    return test_write_for_ever (argv[2], g_ascii_strtoll (argv[3], NULL, 10));
  test_program = argv[0];
  test_add ("locked", test_faults_locked);
  test_add ("read-meanwhile", test_faults_read_meanwhile);
  test_add ("read-without-log", test_faults_read_without_log);
  test_add ("two-writers", test_faults_two_writers);
  test_add ("not-a-database", test_faults_not_a_database);
  test_add ("removed", test_faults_removed);
  test_add ("damaged", test_faults_damaged);
  test_add ("dropped", test_faults_dropped);
  g_test_add_func ("/sqlite-faults/full", test_faults_full);
  test_add ("killed", test_faults_killed);
  test_add ("plateau", test_faults_plateau);
  test_add ("shrinks", test_faults_shrinks);
  return g_test_run ();
}
