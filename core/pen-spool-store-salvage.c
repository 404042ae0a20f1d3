/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be saved of a damaged spool, and what is missing then.
 *
 * SQLite gives up at the first page that is wrong. Here every page is looked at alone: a leaf of
 * the table of messages needs no tree above it, and a row that lies on it is right if its CRC is.
 *
 * Rows on pages that are live are taken as they are. Those on free pages and on older images of
 * pages have mostly been deleted on purpose; but what a cursor waits for is never deleted on
 * purpose, so a copy of that is taken wherever it lies. Positions are given once, so a copy is
 * always of the same message. Without cursors everything is waited for.
 */

#include "config.h"

#include "pen-spool-pages.h"
#include "pen-spool-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define N_MESSAGE_COLUMNS 11
#define N_CURSOR_COLUMNS 6
#define MAX_CURSOR_BYTES 4096
#define MAX_TOLD_GAPS 5

typedef struct
{
  PenSpoolStore *store;
  PenSpoolPages *pages;
  PenSpoolDatabase *database; /* the new one */
  GPtrArray *cursors;         /* PenSpoolHeldCursor */
  gboolean has_own;           /* the row that speaks of the spool, in its live image */
  gboolean has_bad_cursor;
  guint64 newest;
  guint64 n_saved;
  GError *error;
} PenSpoolSalvage;

static PenSpoolBytes
pen_spool_bytes_of_column (const PenSpoolColumn *column)
{
  return (PenSpoolBytes){ column->data, column->length };
}

/* --- cursors --- */

static gboolean
pen_spool_salvage_parse_cursor (const PenSpoolCell *cell, PenSpoolCursorRow *row)
{
  PenSpoolColumn columns[N_CURSOR_COLUMNS];

  if (!pen_spool_record_parse (cell->record, cell->length, columns, N_CURSOR_COLUMNS))
    return FALSE;
  row->id = cell->row_id;
  row->delivered = (guint64) columns[2].number;
  row->needed = (guint64) columns[3].number;
  row->until = (guint64) columns[4].number;
  row->sink = pen_spool_bytes_of_column (&columns[5]);
  return columns[1].number == pen_spool_cursor_row_get_crc (row);
}

static gboolean
pen_spool_salvage_has_cursor (PenSpoolSalvage *self, const PenSpoolCursorRow *row)
{
  for (guint i = 0; i < self->cursors->len; i++)
    {
      const PenSpoolHeldCursor *held = g_ptr_array_index (self->cursors, i);

      if (held->id == row->id
          || (strlen (held->cursor.sink) == row->sink.length
              && memcmp (held->cursor.sink, row->sink.data, row->sink.length) == 0))
        return TRUE;
    }
  return FALSE;
}

static gboolean
pen_spool_salvage_wants_cursor (gint64 row_id,
                                PenSpoolPageKind kind,
                                gsize length,
                                gpointer user_data)
{
  return row_id >= 0 && length <= MAX_CURSOR_BYTES;
}

/* Comes from the newest image to the oldest: the first one counts. */
static gboolean
pen_spool_salvage_take_cursor (const PenSpoolCell *cell, gpointer user_data)
{
  PenSpoolSalvage *self = user_data;
  PenSpoolCursorRow row;
  PenSpoolHeldCursor *held = NULL;

  if (!pen_spool_salvage_parse_cursor (cell, &row))
    return FALSE;
  self->newest = MAX (self->newest, row.delivered);
  if (row.id == 0)
    self->has_own = self->has_own || cell->kind == PEN_SPOOL_PAGE_LIVE;
  if (row.id == 0 || row.sink.data == NULL || pen_spool_salvage_has_cursor (self, &row))
    return TRUE;
  held = g_new0 (PenSpoolHeldCursor, 1);
  held->id = row.id;
  held->cursor.sink = g_strndup (row.sink.data, row.sink.length);
  held->cursor.delivered = row.delivered;
  held->cursor.needed = row.needed;
  held->cursor.until = row.until;
  g_ptr_array_add (self->cursors, held);
  return TRUE;
}

static gboolean
pen_spool_salvage_take_live_cursor (const PenSpoolCell *cell, gpointer user_data)
{
  PenSpoolSalvage *self = user_data;
  PenSpoolColumn columns[N_CURSOR_COLUMNS];

  if (pen_spool_salvage_take_cursor (cell, user_data))
    return TRUE;
  if (pen_spool_record_parse (cell->record, cell->length, columns, N_CURSOR_COLUMNS))
    self->has_bad_cursor = TRUE;
  return FALSE;
}

/* Behind the place where the log is damaged, it says what came since. */
static gboolean
pen_spool_salvage_take_newest (const PenSpoolCell *cell, gpointer user_data)
{
  PenSpoolSalvage *self = user_data;
  PenSpoolCursorRow row;

  if (!pen_spool_salvage_parse_cursor (cell, &row))
    return FALSE;
  self->newest = MAX (self->newest, row.delivered);
  return TRUE;
}

static gboolean
pen_spool_salvage_has_all_cursors (const PenSpoolSalvage *self)
{
  return self->store->trusted != NULL || (self->has_own && !self->has_bad_cursor);
}

/* Older images only if the live ones are not whole: a cursor that was thrown away stays so. */
static void
pen_spool_salvage_find_cursors (PenSpoolSalvage *self)
{
  PenSpoolPageFunctions functions
      = { pen_spool_salvage_wants_cursor, pen_spool_salvage_take_live_cursor, NULL };

  if (self->store->trusted != NULL)
    return;
  pen_spool_pages_foreach (self->pages, PEN_SPOOL_PAGE_LIVE, &functions, self);
  functions.take = pen_spool_salvage_has_all_cursors (self) ? pen_spool_salvage_take_newest
                                                            : pen_spool_salvage_take_cursor;
  if (!pen_spool_salvage_has_all_cursors (self) || pen_spool_pages_is_log_damaged (self->pages))
    pen_spool_pages_foreach (self->pages, PEN_SPOOL_PAGE_FREE | PEN_SPOOL_PAGE_STALE, &functions,
                             self);
}

/* How many from @first to @last the cursors wait for. */
static guint64
pen_spool_salvage_count_wanted (PenSpoolSalvage *self, guint64 first, guint64 last)
{
  guint64 n_wanted = 0;

  if (first > last)
    return 0;
  if (self->cursors->len == 0)
    return last - first + 1;
  for (guint i = 0; i < self->cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (self->cursors, i);
      guint64 from = cursor->delivered + 1;
      guint64 to = cursor->until == 0 ? last : MIN (last, cursor->until);

      if (cursor->until == 0)
        from = MIN (from, cursor->needed);
      from = MAX (from, first);
      if (from <= to)
        n_wanted = MAX (n_wanted, to - from + 1);
    }
  return n_wanted;
}

/* --- messages --- */

static gboolean
pen_spool_salvage_is_there (PenSpoolSalvage *self, guint64 position)
{
  sqlite3_stmt *statement
      = pen_spool_database_get (self->database, PEN_SPOOL_SQL_FIRST, &self->error);
  gint64 found = G_MAXINT64;

  if (statement == NULL)
    return TRUE;
  sqlite3_bind_int64 (statement, 1, (gint64) position);
  sqlite3_bind_int64 (statement, 2, (gint64) position);
  pen_spool_database_run (self->database, statement, &found, &self->error);
  return found != G_MAXINT64;
}

static gboolean
pen_spool_salvage_wants_message (gint64 row_id,
                                 PenSpoolPageKind kind,
                                 gsize length,
                                 gpointer user_data)
{
  PenSpoolSalvage *self = user_data;

  if (row_id <= 0 || row_id == G_MAXINT64 || self->error != NULL)
    return FALSE;
  return kind == PEN_SPOOL_PAGE_LIVE
         || (pen_spool_salvage_count_wanted (self, (guint64) row_id, (guint64) row_id) > 0
             && !pen_spool_salvage_is_there (self, (guint64) row_id));
}

static gboolean
pen_spool_salvage_parse_message (const PenSpoolCell *cell, PenSpoolRow *row)
{
  PenSpoolColumn columns[N_MESSAGE_COLUMNS];

  if (!pen_spool_record_parse (cell->record, cell->length, columns, N_MESSAGE_COLUMNS))
    return FALSE;
  row->position = (guint64) cell->row_id;
  row->arrival_us = columns[2].number;
  row->flags = columns[3].number;
  row->full_size = (guint64) columns[4].number;
  for (guint i = 0; i < PEN_SPOOL_N_FIELDS; i++)
    row->fields[i] = pen_spool_bytes_of_column (&columns[5 + i]);
  return columns[1].number == pen_spool_row_get_crc (row)
         && row->fields[PEN_SPOOL_SOURCE].data != NULL
         && row->fields[PEN_SPOOL_PAYLOAD].data != NULL;
}

static gboolean
pen_spool_salvage_take_message (const PenSpoolCell *cell, gpointer user_data)
{
  PenSpoolSalvage *self = user_data;
  PenSpoolRow row;

  if (!pen_spool_salvage_parse_message (cell, &row))
    return FALSE;
  if (self->error == NULL
      && pen_spool_database_insert (self->database, PEN_SPOOL_SQL_SAVE, &row, &self->error))
    {
      self->n_saved += (guint64) sqlite3_changes64 (self->database->handle);
      self->newest = MAX (self->newest, row.position);
    }
  return TRUE;
}

static gboolean
pen_spool_salvage_progress (double done, gpointer user_data)
{
  PenSpoolSalvage *self = user_data;

  return self->error == NULL
         && pen_spool_store_report (self->store, "salvaging", done, &self->error);
}

/* --- what became of it --- */

typedef struct
{
  guint64 n_lost;
  guint n_gaps;
  GString *gaps;
} PenSpoolLosses;

static void
pen_spool_losses_add (PenSpoolLosses *self, PenSpoolSalvage *salvage, guint64 first, guint64 last)
{
  guint64 n_lost = pen_spool_salvage_count_wanted (salvage, first, last);

  if (n_lost == 0)
    return;
  self->n_lost += n_lost;
  self->n_gaps++;
  if (self->n_gaps > MAX_TOLD_GAPS)
    return;
  g_string_append_printf (self->gaps, "%s%" G_GUINT64_FORMAT, self->n_gaps > 1 ? ", " : "", first);
  if (last > first)
    g_string_append_printf (self->gaps, "-%" G_GUINT64_FORMAT, last);
}

/* Without cursors nobody knows where the beginning was. */
static void
pen_spool_losses_find (PenSpoolLosses *self, PenSpoolSalvage *salvage)
{
  sqlite3_stmt *statement
      = pen_spool_database_get (salvage->database, PEN_SPOOL_SQL_POSITIONS, &salvage->error);
  guint64 next = salvage->cursors->len > 0 ? 1 : 0;

  while (statement != NULL && sqlite3_step (statement) == SQLITE_ROW)
    {
      guint64 position = (guint64) sqlite3_column_int64 (statement, 0);

      if (next > 0)
        pen_spool_losses_add (self, salvage, next, position - 1);
      next = position + 1;
    }
  sqlite3_reset (statement);
  if (next > 0)
    pen_spool_losses_add (self, salvage, next, salvage->newest);
}

static void
pen_spool_salvage_tell (PenSpoolSalvage *self,
                        const char *why,
                        const char *aside,
                        const PenSpoolLosses *losses)
{
  g_autoptr (GString) text = g_string_new (why);
  /* which was the last that came */
  gboolean is_known = self->store->trusted != NULL
                      || (self->has_own && (self->cursors->len > 0 || self->n_saved > 0)
                          && !pen_spool_pages_is_log_damaged (self->pages));

  g_string_append_printf (text, "; %" G_GUINT64_FORMAT " messages were saved into a new one",
                          self->n_saved);
  if (losses->n_lost == 0 && !is_known)
    g_string_append (text, ", how many are lost is not known");
  else if (losses->n_lost == 0)
    g_string_append (text, ", none that is still needed is missing");
  else
    g_string_append_printf (text, ", up to %" G_GUINT64_FORMAT " are lost: %s%s", losses->n_lost,
                            losses->gaps->str, losses->n_gaps > MAX_TOLD_GAPS ? " and more" : "");
  if (!pen_spool_salvage_has_all_cursors (self))
    g_string_append (text, "; how far a sink had come may be lost: it gets again what is there");
  if (aside != NULL)
    g_string_append_printf (text, "; the damaged one is kept as \"%s\"", aside);
  pen_spool_store_tell (self->store, G_LOG_LEVEL_WARNING, "%s", text->str);
}

/* --- the new spool --- */

static gboolean
pen_spool_salvage_write_cursors (PenSpoolSalvage *self, GError **error)
{
  PenSpoolCursorRow own = { .until = PEN_SPOOL_CLOSED, .delivered = self->newest };

  own.needed = !pen_spool_salvage_has_all_cursors (self);
  if (self->store->trusted == NULL
      && (!self->has_own || pen_spool_pages_is_log_damaged (self->pages)))
    own.delivered += PEN_SPOOL_SKIPPED_POSITIONS;
  for (guint i = 0; i < self->cursors->len; i++)
    {
      const PenSpoolHeldCursor *held = g_ptr_array_index (self->cursors, i);
      const PenSpoolCursor *cursor = &held->cursor;
      const PenSpoolCursorRow row = { .id = held->id,
                                      .sink = { cursor->sink, strlen (cursor->sink) },
                                      .delivered = cursor->delivered,
                                      .needed = cursor->needed,
                                      .until = cursor->until };

      if (!pen_spool_database_set_cursor (self->database, &row, error))
        return FALSE;
    }
  return pen_spool_database_set_cursor (self->database, &own, error);
}

static gboolean
pen_spool_salvage_fill (PenSpoolSalvage *self, GError **error)
{
  static const PenSpoolPageFunctions functions
      = { pen_spool_salvage_wants_message, pen_spool_salvage_take_message,
          pen_spool_salvage_progress };

  pen_spool_salvage_find_cursors (self);
  if (!pen_spool_database_run_sql (self->database, PEN_SPOOL_SQL_BEGIN, NULL, error))
    return FALSE;
  pen_spool_pages_foreach (self->pages,
                           PEN_SPOOL_PAGE_LIVE | PEN_SPOOL_PAGE_FREE | PEN_SPOOL_PAGE_STALE,
                           &functions, self);
  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  return pen_spool_salvage_write_cursors (self, error)
         && pen_spool_database_run_sql (self->database, PEN_SPOOL_SQL_COMMIT, NULL, error);
}

static gboolean
pen_spool_salvage_run (PenSpoolSalvage *self, const char *why, GError **error)
{
  PenSpoolStore *store = self->store;
  g_autofree char *tmp_path = pen_spool_store_get_beside (store, ".tmp");
  g_autofree char *aside = NULL;
  g_autoptr (GString) gaps = g_string_new (NULL);
  PenSpoolLosses losses = { 0, 0, gaps };
  gboolean is_good;

  g_unlink (tmp_path);
  self->database = pen_spool_database_create (tmp_path, error);
  if (self->database == NULL)
    return FALSE;
  is_good = pen_spool_salvage_fill (self, error);
  if (is_good)
    pen_spool_losses_find (&losses, self);
  g_clear_pointer (&self->database, pen_spool_database_free);
  if (!is_good || !pen_spool_store_complete (store, error)
      || !pen_spool_store_finish (store, &aside, error))
    {
      g_unlink (tmp_path);
      return FALSE;
    }
  pen_spool_salvage_tell (self, why, aside, &losses);
  return TRUE;
}

/* The files of a damaged spool; -1 if there is none. */
typedef struct
{
  int fd;
  int wal_fd;
} PenSpoolFiles;

static gboolean
pen_spool_files_open_one (const char *path, int *fd, GError **error)
{
  *fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (*fd >= 0 || errno == ENOENT)
    return TRUE;
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot read \"%s\": %s", path,
               g_strerror (errno));
  return FALSE;
}

static void
pen_spool_files_close (PenSpoolFiles *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->wal_fd >= 0)
    close (self->wal_fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenSpoolFiles, pen_spool_files_close)

static gboolean
pen_spool_files_open (PenSpoolFiles *self, PenSpoolStore *store, GError **error)
{
  return pen_spool_files_open_one (store->path, &self->fd, error)
         && pen_spool_files_open_one (store->wal_path, &self->wal_fd, error);
}

/* documented in the private header */
gboolean
pen_spool_store_salvage (PenSpoolStore *self, const char *why, GError **error)
{
  g_auto (PenSpoolFiles) files = { -1, -1 };
  g_autoptr (PenSpoolPages) pages = NULL;
  g_autoptr (GPtrArray) cursors
      = self->trusted != NULL
            ? pen_spool_held_cursors_copy (self->trusted)
            : g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_held_cursor_free);
  PenSpoolSalvage salvage = { .store = self, .cursors = cursors };

  if (!pen_spool_files_open (&files, self, error))
    return FALSE;
  pages = pen_spool_pages_new (files.fd, files.wal_fd);
  salvage.pages = pages;
  if (self->trusted != NULL)
    {
      salvage.has_own = TRUE;
      salvage.newest = self->status.newest;
    }
  if (!pen_spool_salvage_run (&salvage, why, error))
    return FALSE;
  g_clear_pointer (&self->trusted, g_ptr_array_unref);
  return TRUE;
}

/* documented in the private header */
gboolean
pen_spool_store_check_log (PenSpoolStore *self, GError **error)
{
  g_auto (PenSpoolFiles) files = { -1, -1 };
  g_autoptr (PenSpoolPages) pages = NULL;

  if (!pen_spool_files_open (&files, self, error))
    return FALSE;
  if (files.wal_fd < 0)
    return TRUE;
  pages = pen_spool_pages_new (files.fd, files.wal_fd);
  if (!pen_spool_pages_is_log_damaged (pages))
    return TRUE;
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED,
               "spool \"%s\" is damaged: its log breaks off before its end", self->path);
  return FALSE;
}

/* --- whose it is --- */

typedef struct
{
  gboolean is_ours;
} PenSpoolSearch;

static gboolean
pen_spool_search_wants (gint64 row_id, PenSpoolPageKind kind, gsize length, gpointer user_data)
{
  PenSpoolSearch *self = user_data;

  return !self->is_ours;
}

static gboolean
pen_spool_search_take (const PenSpoolCell *cell, gpointer user_data)
{
  PenSpoolSearch *self = user_data;
  PenSpoolCursorRow cursor;
  PenSpoolRow message;

  self->is_ours = self->is_ours || pen_spool_salvage_parse_cursor (cell, &cursor)
                  || pen_spool_salvage_parse_message (cell, &message);
  return self->is_ours;
}

static gboolean
pen_spool_search_progress (double done, gpointer user_data)
{
  PenSpoolSearch *self = user_data;

  return !self->is_ours;
}

/* documented in the private header */
gboolean
pen_spool_store_has_rows (PenSpoolStore *self)
{
  static const PenSpoolPageFunctions functions
      = { pen_spool_search_wants, pen_spool_search_take, pen_spool_search_progress };
  g_auto (PenSpoolFiles) files = { -1, -1 };
  g_autoptr (PenSpoolPages) pages = NULL;
  PenSpoolSearch search = { FALSE };

  if (!pen_spool_files_open (&files, self, NULL))
    return FALSE;
  pages = pen_spool_pages_new (files.fd, files.wal_fd);
  pen_spool_pages_foreach (pages, PEN_SPOOL_PAGE_LIVE | PEN_SPOOL_PAGE_FREE, &functions, &search);
  return search.is_ours;
}
