/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a spool no longer needs, and when it is worth deleting.
 *
 * A sink of the keyfile waits for all from min (needed, delivered + 1) on; one that is gone waits
 * for what lies between delivered and until. The rest may go, if it came before what is to be kept.
 * A page is only free when all of its messages are, and each deletion writes pages on the way to
 * it, so a little is left until it is worth it; how little depends on how much there is, or a
 * small spool would never have room.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#define WORTH_BYTES (1024 * 1024)
#define PORTION_BYTES (16 * 1024 * 1024)
#define PORTION_RECORDS 4096
#define IDLE_FACTOR 8

typedef struct
{
  PenSpoolStore *store;
  gint64 keep_after_us;
  guint64 worth_records;
  guint64 left_records; /* of the portion */
  guint64 n_deleted;
} PenSpoolTrim;

/* (out) position and arrival of the first message from @first to @last; position 0: none */
static gboolean
pen_spool_trim_find (PenSpoolTrim *self,
                     guint64 first,
                     guint64 last,
                     guint64 *position,
                     gint64 *arrival_us,
                     GError **error)
{
  PenSpoolDatabase *database = self->store->database;
  sqlite3_stmt *statement = pen_spool_database_get (database, PEN_SPOOL_SQL_FIRST, error);
  int code;

  *position = 0;
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) first);
  sqlite3_bind_int64 (statement, 2, (gint64) last);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    {
      *position = (guint64) sqlite3_column_int64 (statement, 0);
      *arrival_us = sqlite3_column_int64 (statement, 1);
    }
  else if (code != SQLITE_DONE)
    pen_spool_database_set_error (database, code, "read", error);
  sqlite3_reset (statement);
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* *@last becomes that of the last message before the first that is to be kept. */
static gboolean
pen_spool_trim_find_kept (PenSpoolTrim *self, guint64 first, guint64 *last, GError **error)
{
  PenSpoolDatabase *database = self->store->database;
  sqlite3_stmt *statement = pen_spool_database_get (database, PEN_SPOOL_SQL_FIRST_KEPT, error);
  gint64 kept = G_MAXINT64;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) first);
  sqlite3_bind_int64 (statement, 2, (gint64) *last);
  sqlite3_bind_int64 (statement, 3, self->keep_after_us);
  if (!pen_spool_database_run (database, statement, &kept, error))
    return FALSE;
  if (kept != G_MAXINT64)
    *last = (guint64) kept - 1;
  return TRUE;
}

static gboolean
pen_spool_trim_delete (PenSpoolTrim *self, guint64 first, guint64 last, GError **error)
{
  PenSpoolDatabase *database = self->store->database;
  sqlite3_stmt *statement = pen_spool_database_get (database, PEN_SPOOL_SQL_DELETE, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) first);
  sqlite3_bind_int64 (statement, 2, (gint64) last);
  if (!pen_spool_database_run (database, statement, NULL, error))
    return FALSE;
  self->n_deleted += (guint64) sqlite3_changes64 (database->handle);
  self->left_records -= MIN (self->left_records, last - first + 1);
  return TRUE;
}

/* Nobody waits for what lies from @first to @last. */
static gboolean
pen_spool_trim_range (PenSpoolTrim *self, guint64 first, guint64 last, GError **error)
{
  guint64 position;
  gint64 arrival_us;
  guint64 probe;

  if (self->left_records == 0 || first > last || last - first + 1 < self->worth_records)
    return TRUE;
  if (!pen_spool_trim_find (self, first, last, &position, &arrival_us, error))
    return FALSE;
  if (position == 0 || arrival_us >= self->keep_after_us
      || last - position + 1 < self->worth_records)
    return TRUE;
  first = position;
  last = MIN (last, first + self->left_records - 1);
  if (self->keep_after_us != G_MAXINT64)
    {
      /* one look tells most of the time that there is too little to go */
      probe = first + self->worth_records - 1;
      if (!pen_spool_trim_find (self, probe, last, &position, &arrival_us, error))
        return FALSE;
      if (position != 0 && arrival_us >= self->keep_after_us && self->worth_records > 1)
        return TRUE;
      if (!pen_spool_trim_find_kept (self, first, &last, error))
        return FALSE;
    }
  return pen_spool_trim_delete (self, first, last, error);
}

static int
pen_spool_trim_compare (gconstpointer a, gconstpointer b)
{
  const PenSpoolCursor *one = *(PenSpoolCursor *const *) a;
  const PenSpoolCursor *other = *(PenSpoolCursor *const *) b;

  return (one->delivered > other->delivered) - (one->delivered < other->delivered);
}

/* @floor (out): the oldest that a sink of the keyfile waits for, or what lies behind all that gone
 * ones wait for if there are only such. (transfer container): those gone that wait, in order */
static GPtrArray *
pen_spool_trim_look_at_cursors (GPtrArray *cursors, guint64 *floor)
{
  GPtrArray *gone = g_ptr_array_new ();
  guint64 behind = 1;

  *floor = G_MAXUINT64;
  for (guint i = 0; i < cursors->len; i++)
    {
      PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);

      if (cursor->until == 0)
        *floor = MIN (*floor, MIN (cursor->needed, cursor->delivered + 1));
      else if (cursor->delivered < cursor->until)
        g_ptr_array_add (gone, cursor);
      behind = MAX (behind, cursor->until + 1);
    }
  if (*floor == G_MAXUINT64)
    *floor = behind;
  g_ptr_array_sort (gone, pen_spool_trim_compare);
  return gone;
}

/* documented in the private header */
gboolean
pen_spool_store_trim (PenSpoolStore *self,
                      GPtrArray *cursors,
                      guint64 newest,
                      gint64 keep_after_us,
                      gboolean is_idle,
                      guint64 *n_deleted,
                      GError **error)
{
  const PenSpoolStatus *status = &self->status;
  guint64 record_bytes = status->used_bytes / MAX (1, status->n_records) + 1;
  guint64 worth_bytes = MIN (WORTH_BYTES, status->used_bytes / 16);
  guint64 portion = MIN (PORTION_BYTES / record_bytes, PORTION_RECORDS);
  PenSpoolTrim trim
      = { self, keep_after_us, MAX (1, worth_bytes / record_bytes), MAX (1, portion), 0 };
  g_autoptr (GPtrArray) gone = NULL;
  guint64 floor;
  guint64 first = status->oldest;
  gboolean is_good = TRUE;

  /* more goes than comes */
  trim.left_records = MAX (trim.left_records, 4 * (newest - status->newest));
  if (is_idle)
    {
      trim.worth_records = 1;
      trim.left_records *= IDLE_FACTOR;
    }
  *n_deleted = 0;
  if (status->cursors_lost) /* somebody may wait of whom nothing is known */
    return TRUE;
  gone = pen_spool_trim_look_at_cursors (cursors, &floor);
  floor = MIN (floor, newest + 1);
  for (guint i = 0; i < gone->len && is_good && first < floor; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (gone, i);

      is_good = pen_spool_trim_range (&trim, first, MIN (cursor->delivered, floor - 1), error);
      first = MAX (first, cursor->until + 1);
    }
  if (is_good && first < floor)
    is_good = pen_spool_trim_range (&trim, first, floor - 1, error);
  *n_deleted = trim.n_deleted;
  return is_good;
}

/* documented in the public header */
gint64
pen_spool_store_find_arrival (PenSpoolStore *self, guint64 after)
{
  PenSpoolTrim trim = { .store = self };
  guint64 position = 0;
  gint64 arrival_us = 0;

  if (!pen_spool_trim_find (&trim, after + 1, G_MAXINT64, &position, &arrival_us, NULL))
    return 0;
  return position != 0 ? arrival_us : 0;
}
