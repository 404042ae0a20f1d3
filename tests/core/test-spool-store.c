/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file of a spool: what goes in comes out, in order, and only what nobody waits for goes.
 */

#include "config.h"

#include "pen-test-spool.h"
#include "pen-test.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static PenSpoolStatus
test_get_status (PenTestSpool *spool)
{
  PenSpoolStatus status;

  pen_spool_store_get_status (spool->store, &status);
  return status;
}

static void
test_idle (PenTestSpool *spool, gint64 keep_after_us)
{
  g_autoptr (GError) error = NULL;

  pen_spool_store_commit (spool->store, NULL, NULL, keep_after_us, &error);
  g_assert_no_error (error);
}

static void
test_spool_store_starts_empty (PenTestSpool *spool, gconstpointer data)
{
  PenSpoolStatus status = test_get_status (spool);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = pen_spool_store_get_cursors (spool->store, &error);
  g_autofree char *folder = g_path_get_dirname (spool->path);
  struct stat file_status;

  g_assert_cmpstr (pen_spool_store_get_path (spool->store), ==, spool->path);
  g_assert_cmpuint (status.oldest, ==, 1);
  g_assert_cmpuint (status.newest, ==, 0);
  g_assert_cmpuint (status.n_records, ==, 0);
  g_assert_cmpuint (cursors->len, ==, 0);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 0);
  g_assert_cmpint (g_stat (folder, &file_status), ==, 0);
  g_assert_cmpint (file_status.st_mode & 0777, ==, 0700);
  g_assert_cmpint (g_stat (spool->path, &file_status), ==, 0);
  g_assert_cmpint (file_status.st_mode & 0777, ==, 0600);
}

static void
test_spool_store_keeps_all_of_a_record (PenTestSpool *spool, gconstpointer data)
{
  PenSpoolStatus status;

  pen_test_spool_fill (spool, 1, 300);
  pen_test_spool_fill (spool, 301, 1);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 301);
  g_assert_cmpuint (pen_test_spool_count (spool, 250, 0), ==, 51);
  status = test_get_status (spool);
  g_assert_cmpuint (status.oldest, ==, 1);
  g_assert_cmpuint (status.newest, ==, 301);
  g_assert_cmpuint (status.n_records, ==, 301);
  g_assert_cmpuint (status.used_bytes, >, 301 * 900);

  pen_test_spool_open (spool, PEN_SPOOL_STORE_MUST_EXIST);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 301);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 301);
  g_assert_cmpstr (spool->told->str, ==, "");
}

static void
test_spool_store_reads_in_portions (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) few = NULL;
  g_autoptr (GPtrArray) one = NULL;
  g_autoptr (GPtrArray) rest = NULL;
  guint64 last;

  pen_test_spool_fill (spool, 1, 20);
  few = pen_spool_store_read (spool->store, 5, 3, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (few->len, ==, 3);
  g_assert_cmpuint (last, ==, 8);
  one = pen_spool_store_read (spool->store, 0, 100, 0, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpuint (last, ==, 1);
  rest = pen_spool_store_read (spool->store, 18, 100, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rest->len, ==, 2);
  g_assert_cmpuint (last, ==, 20);
}

static void
test_assert_cursor (GPtrArray *cursors, guint index, const char *sink, guint64 delivered)
{
  const PenSpoolCursor *cursor = g_ptr_array_index (cursors, index);

  g_assert_cmpstr (cursor->sink, ==, sink);
  g_assert_cmpuint (cursor->delivered, ==, delivered);
  g_assert_cmpuint (cursor->needed, ==, delivered + 1);
}

static void
test_spool_store_keeps_cursors (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = NULL;
  g_autoptr (GPtrArray) left = NULL;

  pen_test_spool_fill (spool, 1, 20);
  pen_test_spool_move (spool, "sql", 3, 0);
  pen_test_spool_move (spool, "file", 5, 9);
  pen_test_spool_move (spool, "sql", 7, 0);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  cursors = pen_spool_store_get_cursors (spool->store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (cursors->len, ==, 2);
  test_assert_cursor (cursors, 0, "sql", 7);
  test_assert_cursor (cursors, 1, "file", 5);
  g_assert_cmpuint (((PenSpoolCursor *) g_ptr_array_index (cursors, 1))->until, ==, 9);

  g_assert_true (pen_spool_store_drop_cursor (spool->store, "sql", &error));
  g_assert_true (pen_spool_store_drop_cursor (spool->store, "nobody", &error));
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  left = pen_spool_store_get_cursors (spool->store, &error);
  g_assert_cmpuint (left->len, ==, 1);
  test_assert_cursor (left, 0, "file", 5);
}

static void
test_spool_store_moves_no_cursor_back (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = NULL;

  pen_test_spool_fill (spool, 1, 20);
  pen_test_spool_move (spool, "sql", 7, 0);
  g_test_expect_message ("penstock", G_LOG_LEVEL_WARNING, "*cursor->delivered*");
  pen_test_spool_move (spool, "sql", 6, 0);
  g_test_assert_expected_messages ();
  cursors = pen_spool_store_get_cursors (spool->store, &error);
  g_assert_cmpuint (((PenSpoolCursor *) g_ptr_array_index (cursors, 0))->delivered, ==, 7);
}

static void
test_spool_store_deletes_what_nobody_waits_for (PenTestSpool *spool, gconstpointer data)
{
  pen_test_spool_fill (spool, 1, 100);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 1); /* no cursor, no deletion */

  pen_test_spool_move (spool, "slow", 10, 0);
  pen_test_spool_move (spool, "sql", 60, 0);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 11);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 90);

  /* now slow is gone, and waits for up to 30 */
  pen_test_spool_move (spool, "slow", 20, 30);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 21);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 10 + 40);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 50);

  pen_test_spool_move (spool, "slow", 30, 30);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 61);
  pen_test_spool_move (spool, "sql", 100, 0);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 101);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 0);

  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_cmpuint (test_get_status (spool).newest, ==, 100);
  pen_test_spool_fill (spool, 101, 1);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 1);
}

static void
test_spool_store_keeps_what_is_needed (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GPtrArray) cursors
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);
  g_autoptr (GError) error = NULL;

  pen_test_spool_fill (spool, 1, 100);
  g_ptr_array_add (cursors, pen_spool_cursor_new ("sql", 80, 30, 0));
  g_assert_true (pen_spool_store_commit (spool->store, NULL, cursors, G_MAXINT64, &error));
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 30);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 71);
}

/* Message n arrived at n ms. */
static void
test_spool_store_keeps_what_is_young (PenTestSpool *spool, gconstpointer data)
{
  pen_test_spool_fill (spool, 1, 100);
  pen_test_spool_move (spool, "sql", 100, 0);
  test_idle (spool, 41 * 1000);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 41);
  test_idle (spool, 41 * 1000);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 41);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 0);
}

static void
test_spool_store_reuses_its_space (PenTestSpool *spool, gconstpointer data)
{
  struct stat status;

  for (guint i = 0; i < 100; i++)
    {
      pen_test_spool_fill (spool, 1 + 200 * i, 200);
      pen_test_spool_move (spool, "sql", 200 * (i + 1), 0);
    }
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 0);
  g_assert_cmpuint (test_get_status (spool).used_bytes, <=, 8 * 8192);
  pen_test_spool_close (spool, TRUE);
  /* 40 MB went through it */
  g_assert_cmpint (g_stat (spool->path, &status), ==, 0);
  g_assert_cmpint (status.st_size, <, 8 * 1024 * 1024);
}

static void
test_spool_store_knows_how_it_was_closed (PenTestSpool *spool, gconstpointer data)
{
  pen_test_spool_close (spool, TRUE);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_true (test_get_status (spool).was_closed);
  pen_test_spool_close (spool, FALSE);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_false (test_get_status (spool).was_closed);
}

static void
test_spool_store_is_read_beside_a_writer (PenTestSpool *spool, gconstpointer data)
{
  PenTestSpool reader = *spool;
  g_autoptr (GError) error = NULL;

  pen_test_spool_fill (spool, 1, 50);
  reader.store = pen_test_spool_try_open (&reader, PEN_SPOOL_STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pen_test_spool_count (&reader, 0, 0), ==, 50);
  pen_test_spool_fill (spool, 51, 50);
  pen_test_spool_move (spool, "sql", 10, 0);
  test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (pen_test_spool_count (&reader, 0, 0), ==, 90);
  g_assert_cmpuint (test_get_status (&reader).n_records, ==, 90);
  g_assert_cmpuint (test_get_status (&reader).oldest, ==, 11);
  pen_spool_store_close (reader.store, TRUE);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_false (test_get_status (spool).was_closed);
}

static void
test_spool_store_lists_pipelines (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;
  g_auto (GStrv) none = NULL;
  PenSpoolStore *other
      = pen_spool_store_open (spool->folder, "a.b", PEN_SPOOL_STORE_NONE, NULL, NULL, &error);

  g_assert_no_error (error);
  names = pen_spool_store_list (spool->folder, &error);
  g_assert_no_error (error);
  g_assert_cmpstrv (names, ((const char *const[]){ "a.b", "site-7", NULL }));
  pen_spool_store_close (other, FALSE);
  none = pen_spool_store_list ("/nowhere", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
}

static void
test_spool_store_tells_that_there_is_none (PenTestSpool *spool, gconstpointer data)
{
  static const PenSpoolStoreFlags flags[]
      = { PEN_SPOOL_STORE_MUST_EXIST, PEN_SPOOL_STORE_READ_ONLY };

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pen_spool_store_open (spool->folder, "other", flags[i], NULL, NULL, &error));
      g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_MISSING);
      g_assert_nonnull (strstr (error->message, "other.db"));
    }
}

static void
test_spool_store_is_for_one_process (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *pid = g_strdup_printf ("process %d ", (int) getpid ());

  g_assert_null (pen_test_spool_try_open (spool, PEN_SPOOL_STORE_NONE, &error));
  g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_LOCKED);
  g_assert_nonnull (strstr (error->message, pid));
  g_assert_nonnull (strstr (error->message, "test-spool-store"));
}

static void
test_execute (const char *path, const char *sql)
{
  sqlite3 *handle = NULL;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
}

static void
test_spool_store_leaves_others_alone (PenTestSpool *spool, gconstpointer data)
{
  g_autofree char *other = g_build_filename (spool->folder, "spool", "other.db", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  gsize length_after;

  test_execute (other, "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
  before = pen_test_read_file (other, &length);
  g_assert_null (
      pen_spool_store_open (spool->folder, "other", PEN_SPOOL_STORE_NONE, NULL, NULL, &error));
  g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FOREIGN);
  after = pen_test_read_file (other, &length_after);
  g_assert_cmpmem (before, length, after, length_after);
}

static void
test_spool_store_refuses_a_later_version (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  pen_test_spool_close (spool, TRUE);
  test_execute (spool->path, "PRAGMA user_version=2; UPDATE cursors SET crc = 1;");
  g_assert_null (pen_test_spool_try_open (spool, PEN_SPOOL_STORE_NONE, &error));
  g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FOREIGN);
  g_assert_nonnull (strstr (error->message, "format 2"));
}

static void
test_spool_store_holds_many (PenTestSpool *spool, gconstpointer data)
{
  for (guint i = 0; i < 100; i++)
    pen_test_spool_fill (spool, 1 + 1000 * i, 1000);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 100000);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 100000);
  g_assert_cmpuint (pen_test_spool_count (spool, 99000, 0), ==, 1000);
  pen_test_spool_move (spool, "sql", 100000, 0);
  while (test_get_status (spool).n_records > 0)
    test_idle (spool, G_MAXINT64);
  g_assert_cmpuint (test_get_status (spool).oldest, ==, 100001);
}

#define ADD(path, function)                                                                        \
  g_test_add ("/spool-store/" path, PenTestSpool, NULL, pen_test_spool_set_up,                     \
              test_spool_store_##function, pen_test_spool_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);

  ADD ("starts-empty", starts_empty);
  ADD ("keeps-all-of-a-record", keeps_all_of_a_record);
  ADD ("reads-in-portions", reads_in_portions);
  ADD ("keeps-cursors", keeps_cursors);
  ADD ("moves-no-cursor-back", moves_no_cursor_back);
  ADD ("deletes-what-nobody-waits-for", deletes_what_nobody_waits_for);
  ADD ("keeps-what-is-needed", keeps_what_is_needed);
  ADD ("keeps-what-is-young", keeps_what_is_young);
  ADD ("reuses-its-space", reuses_its_space);
  ADD ("knows-how-it-was-closed", knows_how_it_was_closed);
  ADD ("is-read-beside-a-writer", is_read_beside_a_writer);
  ADD ("lists-pipelines", lists_pipelines);
  ADD ("tells-that-there-is-none", tells_that_there_is_none);
  ADD ("is-for-one-process", is_for_one_process);
  ADD ("leaves-others-alone", leaves_others_alone);
  ADD ("refuses-a-later-version", refuses_a_later_version);
  ADD ("holds-many", holds_many);

  return g_test_run ();
}
