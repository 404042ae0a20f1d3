/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a store knows of its database once that is open, and whether it is whole: SQLite's own look
 * at its pages, then the CRC of every row.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#define REPORT_EACH_RECORDS 1024
#define REPORT_EACH_STEPS 100000 /* of SQLite's machine; some milliseconds */

static gboolean
pen_spool_store_load_cursor (PenSpoolStore *self, const PenSpoolCursorRow *row)
{
  PenSpoolHeldCursor *held = NULL;

  if (row->id == 0)
    {
      self->status.newest = MAX (self->status.newest, row->delivered);
      self->status.cursors_lost = row->needed != 0;
      self->state = (PenSpoolState) row->until;
      return TRUE;
    }
  if (row->sink.data == NULL)
    return FALSE;
  held = g_new0 (PenSpoolHeldCursor, 1);
  held->id = row->id;
  held->cursor.sink = g_strndup (row->sink.data, row->sink.length);
  held->cursor.delivered = row->delivered;
  held->cursor.needed = row->needed;
  held->cursor.until = row->until;
  g_ptr_array_add (self->cursors, held);
  return TRUE;
}

static gboolean
pen_spool_store_set_damaged (PenSpoolStore *self, const char *what, GError **error)
{
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED, "spool \"%s\" is damaged: %s",
               self->path, what);
  return FALSE;
}

static gboolean
pen_spool_store_load_cursors (PenSpoolStore *self, GError **error)
{
  PenSpoolDatabase *database = self->database;
  sqlite3_stmt *statement = pen_spool_database_get (database, PEN_SPOOL_SQL_CURSORS, error);
  gboolean has_own = FALSE;
  gboolean is_good = TRUE;
  int code;

  if (statement == NULL)
    return FALSE;
  g_ptr_array_set_size (self->cursors, 0);
  while (is_good && (code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      PenSpoolCursorRow row;

      is_good = pen_spool_database_get_cursor (statement, &row)
                && pen_spool_store_load_cursor (self, &row);
      has_own = has_own || row.id == 0;
    }
  if (is_good && code != SQLITE_DONE)
    pen_spool_database_set_error (database, code, "read", error);
  else if (!is_good)
    pen_spool_store_set_damaged (self, "a cursor's CRC is wrong", error);
  else if (!has_own)
    is_good
        = pen_spool_store_set_damaged (self, "the row that speaks of the spool is missing", error);
  sqlite3_reset (statement);
  return is_good && code == SQLITE_DONE;
}

typedef struct
{
  PenSpoolStore *store;
  double done;
  gboolean is_broken_off;
} PenSpoolVerification;

static int
pen_spool_verification_progress (gpointer user_data)
{
  PenSpoolVerification *self = user_data;

  self->is_broken_off = !pen_spool_store_report (self->store, "verifying", self->done, NULL);
  return self->is_broken_off;
}

/* SQLite's machine counts steps, of which nobody knows how many there will be. */
static gboolean
pen_spool_store_check_pages (PenSpoolStore *self, GError **error)
{
  PenSpoolVerification verification = { self, 0, FALSE };
  sqlite3 *handle = self->database->handle;
  sqlite3_stmt *statement = NULL;
  gboolean is_good = FALSE;
  int code;

  sqlite3_progress_handler (handle, REPORT_EACH_STEPS, pen_spool_verification_progress,
                            &verification);
  code = sqlite3_prepare_v2 (handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step (statement);
  if (verification.is_broken_off)
    pen_spool_store_report (self, "verifying", 0, error);
  else if (code != SQLITE_ROW)
    pen_spool_database_set_error (self->database, code, "read", error);
  else if (g_strcmp0 ((const char *) sqlite3_column_text (statement, 0), "ok") != 0)
    pen_spool_store_set_damaged (self, (const char *) sqlite3_column_text (statement, 0), error);
  else
    is_good = TRUE;
  sqlite3_finalize (statement);
  sqlite3_progress_handler (handle, 0, NULL, NULL);
  return is_good;
}

static gboolean
pen_spool_store_check_row (PenSpoolStore *self, sqlite3_stmt *statement, GError **error)
{
  PenSpoolStatus *status = &self->status;
  PenSpoolRow row;

  if (!pen_spool_database_get_row (statement, &row))
    {
      g_autofree char *what
          = g_strdup_printf ("the CRC of message %" G_GUINT64_FORMAT " is wrong", row.position);

      return pen_spool_store_set_damaged (self, what, error);
    }
  status->n_records++;
  if (status->n_records % REPORT_EACH_RECORDS != 0)
    return TRUE;
  return pen_spool_store_report (self, "verifying",
                                 (double) (row.position - status->oldest)
                                     / (double) (status->newest - status->oldest + 1),
                                 error);
}

static gboolean
pen_spool_store_check_rows (PenSpoolStore *self, GError **error)
{
  sqlite3_stmt *statement = pen_spool_database_get (self->database, PEN_SPOOL_SQL_READ, error);
  gboolean is_good = TRUE;
  int code;

  if (statement == NULL)
    return FALSE;
  self->status.n_records = 0;
  sqlite3_bind_int64 (statement, 1, 0);
  sqlite3_bind_int64 (statement, 2, -1);
  while (is_good && (code = sqlite3_step (statement)) == SQLITE_ROW)
    is_good = pen_spool_store_check_row (self, statement, error);
  if (is_good && code != SQLITE_DONE)
    pen_spool_database_set_error (self->database, code, "read", error);
  sqlite3_reset (statement);
  return is_good && code == SQLITE_DONE;
}

/* documented in the private header */
gboolean
pen_spool_store_measure (PenSpoolStore *self, guint64 *used_bytes, GError **error)
{
  gint64 n_pages;
  gint64 n_free;

  if (!pen_spool_database_run_sql (self->database, PEN_SPOOL_SQL_PAGES, &n_pages, error)
      || !pen_spool_database_run_sql (self->database, PEN_SPOOL_SQL_FREE_PAGES, &n_free, error))
    return FALSE;
  *used_bytes = (guint64) MAX (0, n_pages - n_free) * PEN_SPOOL_PAGE_BYTES;
  return TRUE;
}

/* Position of the first message; behind the newest if there is none. */
gboolean
pen_spool_store_find_oldest (PenSpoolStore *self, guint64 newest, guint64 *oldest, GError **error)
{
  sqlite3_stmt *statement = pen_spool_database_get (self->database, PEN_SPOOL_SQL_FIRST, error);
  gint64 position;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, 0);
  sqlite3_bind_int64 (statement, 2, G_MAXINT64);
  if (!pen_spool_database_run (self->database, statement, &position, error))
    return FALSE;
  *oldest = position != G_MAXINT64 ? (guint64) position : newest + 1;
  return TRUE;
}

/* documented in the private header */
gboolean
pen_spool_store_load (PenSpoolStore *self, gboolean is_thorough, GError **error)
{
  PenSpoolStatus *status = &self->status;
  gint64 value;

  status->newest = 0;
  if ((is_thorough && !pen_spool_store_check_pages (self, error))
      || !pen_spool_store_load_cursors (self, error)
      || !pen_spool_database_run_sql (self->database, PEN_SPOOL_SQL_NEWEST, &value, error))
    return FALSE;
  if (value != G_MAXINT64)
    status->newest = MAX (status->newest, (guint64) value);
  if (!pen_spool_store_find_oldest (self, status->newest, &status->oldest, error)
      || !pen_spool_store_measure (self, &status->used_bytes, error))
    return FALSE;
  if (is_thorough)
    return pen_spool_store_check_rows (self, error);
  if (!pen_spool_database_run_sql (self->database, PEN_SPOOL_SQL_COUNT, &value, error))
    return FALSE;
  status->n_records = (guint64) value;
  return TRUE;
}
