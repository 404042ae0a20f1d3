/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A SQLite sink in a folder of its own, and a look at its database as another program has it.
 */

#include "config.h"

#include "pen-sqlite-fixture.h"

#include <stdarg.h>

#define READ_TIMEOUT_MS 20000

/* documented in the header, as what follows */
void
pen_sqlite_fixture_set_up (PenSqliteFixture *self, gconstpointer data)
{
  self->folder = pen_test_make_folder ();
  self->path = g_build_filename (self->folder, "test.db", NULL);
  self->sink = g_object_new (PEN_TYPE_SQLITE_SINK, "database", self->path, NULL);
  self->harness = pen_harness_new (self->sink);
}

/* documented in the header */
void
pen_sqlite_fixture_tear_down (PenSqliteFixture *self, gconstpointer data)
{
  g_clear_pointer (&self->harness, pen_harness_free);
  pen_test_remove_folder (self->folder);
  g_free (self->path);
}

static void
pen_sqlite_fixture_set_list (PenSqliteFixture *self, const char *name, const char *text)
{
  g_auto (GStrv) list = g_strsplit (text, ";", -1);

  g_object_set (self->sink, name, list, NULL);
}

/* documented in the header */
void
pen_sqlite_fixture_set_columns (PenSqliteFixture *self, const char *columns)
{
  pen_sqlite_fixture_set_list (self, "columns", columns);
}

/* documented in the header */
void
pen_sqlite_fixture_set_key (PenSqliteFixture *self, const char *key)
{
  pen_sqlite_fixture_set_list (self, "key", key);
}

/* documented in the header */
PenHarness *
pen_sqlite_fixture_make_sink (PenSqliteFixture *self)
{
  PenHarness *harness
      = pen_harness_new (g_object_new (PEN_TYPE_SQLITE_SINK, "database", self->path, NULL));

  pen_harness_start (harness);
  return harness;
}

/* documented in the header */
void
pen_sqlite_fixture_write (PenSqliteFixture *self, PenBatch *batch)
{
  g_autoptr (GError) error = NULL;
  gboolean is_good = pen_harness_write (self->harness, batch, &error);

  g_assert_no_error (error);
  g_assert_true (is_good);
}

/* documented in the header */
PenBatch *
pen_sqlite_make_batch (const char *first, ...)
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

/* documented in the header */
sqlite3 *
pen_sqlite_open (const char *path)
{
  sqlite3 *handle = NULL;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  sqlite3_busy_timeout (handle, READ_TIMEOUT_MS);
  return handle;
}

/* documented in the header */
void
pen_sqlite_run (const char *path, const char *sql)
{
  sqlite3 *handle = pen_sqlite_open (path);

  if (sqlite3_exec (handle, sql, NULL, NULL, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (handle));
  sqlite3_close (handle);
}

static int
pen_sqlite_append_row (gpointer data, int n_values, char **values, char **names)
{
  GString *text = data;

  if (text->len > 0)
    g_string_append_c (text, '\n');
  for (int i = 0; i < n_values; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "|" : "", values[i] != NULL ? values[i] : "NULL");
  return 0;
}

/* documented in the header */
char *
pen_sqlite_query (const char *path, const char *sql)
{
  GString *text = g_string_new (NULL);
  sqlite3 *handle = pen_sqlite_open (path);

  if (sqlite3_exec (handle, sql, pen_sqlite_append_row, text, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (handle));
  sqlite3_close (handle);
  return g_string_free (text, FALSE);
}
