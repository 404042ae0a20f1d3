/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows that are older than their time are deleted, a portion in a transaction, so that nobody waits
 * for long behind it. The pages of deleted rows are used again, so the file stops growing. What a
 * burst has made it is given back little by little, if the file was made for it (auto_vacuum).
 *
 * A row whose time is NULL, or text where it should be a number, is not older than anything.
 */

#include "config.h"

#include "pen-sqlite-retention.h"

#include <string.h>

#define PORTION "10000"
#define MAX_PORTIONS 20
#define MAX_RUN_US (1 * G_USEC_PER_SEC)
/* Free pages are given back from a quarter of the file on, and no fewer than these. */
#define LEAST_FREE_PAGES 256
#define FREE_DIVISOR 4
#define PAGES_GIVEN_BACK "1000"

static const struct
{
  const char *place;
  PenSqliteUnit unit;
} arrivals[] = {
  { "@arrival", PEN_SQLITE_UNIT_TEXT },
  { "@arrival-s", PEN_SQLITE_UNIT_SECONDS },
  { "@arrival-ms", PEN_SQLITE_UNIT_MILLISECONDS },
  { "@arrival-us", PEN_SQLITE_UNIT_MICROSECONDS },
};

/* documented in the header */
const PenSqliteColumn *
pen_sqlite_retention_find_column (GPtrArray *columns, const char *name, PenSqliteUnit *unit)
{
  for (guint i = 0; i < columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (columns, i);
      gboolean is_named = name != NULL && g_ascii_strcasecmp (name, column->name) == 0;

      if (name != NULL && !is_named)
        continue;
      for (guint j = 0; j < G_N_ELEMENTS (arrivals); j++)
        if (g_str_equal (arrivals[j].place, column->place))
          {
            *unit = arrivals[j].unit;
            return column;
          }
      if (is_named)
        return column;
    }
  return NULL;
}

/* documented in the header */
void
pen_sqlite_retention_free (PenSqliteRetention *self)
{
  sqlite3_finalize (self->delete);
  g_free (self->column);
  g_free (self);
}

/* Whether an index begins with the column. */
static gboolean
pen_sqlite_retention_has_index (PenSqliteRetention *self)
{
  const char *sql = "SELECT 1 FROM pragma_index_list (?1) AS list "
                    "JOIN pragma_index_info (list.name) AS info "
                    "WHERE info.seqno = 0 AND lower (info.name) = lower (?2)";
  g_autoptr (sqlite3_stmt) statement
      = pen_sqlite_database_prepare (self->table->database, sql, "read", NULL);

  if (statement == NULL)
    return TRUE; /* it cannot be known: none is made */
  sqlite3_bind_text (statement, 1, self->table->options->name, -1, SQLITE_STATIC);
  sqlite3_bind_text (statement, 2, self->column, -1, SQLITE_STATIC);
  return sqlite3_step (statement) != SQLITE_DONE;
}

static gboolean
pen_sqlite_retention_make_index (PenSqliteRetention *self, GError **error)
{
  const char *table = self->table->options->name;
  g_autofree char *index = g_strdup_printf ("penstock_%s_%s", table, self->column);
  g_autofree char *quoted_index = pen_sqlite_quote (index);
  g_autofree char *quoted_table = pen_sqlite_quote (table);
  g_autofree char *quoted_column = pen_sqlite_quote (self->column);
  g_autofree char *sql = g_strdup_printf ("CREATE INDEX IF NOT EXISTS %s ON %s (%s)", quoted_index,
                                          quoted_table, quoted_column);

  return pen_sqlite_retention_has_index (self)
         || pen_sqlite_database_execute (self->table->database, sql, "make an index in", error);
}

static gboolean
pen_sqlite_retention_prepare (PenSqliteRetention *self, GError **error)
{
  g_autofree char *table = pen_sqlite_quote (self->table->options->name);
  g_autofree char *column = pen_sqlite_quote (self->column);
  g_autofree char *in_portions
      = g_strdup_printf ("DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s WHERE %s < ?1 "
                         "ORDER BY %s LIMIT " PORTION ")",
                         table, table, column, column);
  g_autofree char *at_once = g_strdup_printf ("DELETE FROM %s WHERE %s < ?1", table, column);

  self->delete = pen_sqlite_database_prepare (self->table->database, in_portions, "clear", NULL);
  if (self->delete == NULL) /* a table WITHOUT ROWID */
    self->delete = pen_sqlite_database_prepare (self->table->database, at_once, "clear", error);
  return self->delete != NULL;
}

/* documented in the header */
PenSqliteRetention *
pen_sqlite_retention_new (PenSqliteTable *table,
                          const char *name,
                          PenSqliteUnit unit,
                          gint64 age_us,
                          GError **error)
{
  g_autoptr (PenSqliteRetention) self = g_new0 (PenSqliteRetention, 1);
  const PenSqliteColumn *column = pen_sqlite_retention_find_column (table->columns, name, &unit);

  if (column == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "retention",
                             "the table '%s' in '%s' has no column '%s', by which its rows are to "
                             "be deleted",
                             table->options->name, table->database->path,
                             name != NULL ? name : "@arrival");
      return NULL;
    }
  self->table = table;
  self->column = g_strdup (column->name);
  self->unit = unit;
  self->age_us = age_us;
  if (!pen_sqlite_retention_make_index (self, error) || !pen_sqlite_retention_prepare (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

static void
pen_sqlite_retention_bind (PenSqliteRetention *self, gint64 limit_us)
{
  g_autoptr (GDateTime) time = NULL;
  g_autofree char *text = NULL;

  switch (self->unit)
    {
    case PEN_SQLITE_UNIT_SECONDS:
      sqlite3_bind_double (self->delete, 1, (double) limit_us / G_USEC_PER_SEC);
      break;
    case PEN_SQLITE_UNIT_MILLISECONDS:
      sqlite3_bind_double (self->delete, 1, (double) limit_us / 1000);
      break;
    case PEN_SQLITE_UNIT_TEXT:
      time = g_date_time_new_from_unix_utc (limit_us / G_USEC_PER_SEC);
      text = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S") : NULL;
      if (text != NULL)
        sqlite3_bind_text (self->delete, 1, g_steal_pointer (&text), -1, g_free);
      break;
    case PEN_SQLITE_UNIT_MICROSECONDS:
    default:
      sqlite3_bind_int64 (self->delete, 1, limit_us);
    }
}

static void
pen_sqlite_retention_give_back (PenSqliteDatabase *database)
{
  gint64 n_free = pen_sqlite_database_get_number (database, "PRAGMA freelist_count", 0);
  gint64 n_pages = pen_sqlite_database_get_number (database, "PRAGMA page_count", 0);

  if (n_free >= LEAST_FREE_PAGES && n_free >= n_pages / FREE_DIVISOR)
    pen_sqlite_database_execute (database, "PRAGMA incremental_vacuum(" PAGES_GIVEN_BACK ")",
                                 "shrink", NULL);
}

/* documented in the header */
gboolean
pen_sqlite_retention_run_once (PenSqliteRetention *self,
                               gint64 now_us,
                               gint64 *n_deleted,
                               GError **error)
{
  PenSqliteDatabase *database = self->table->database;
  int code;

  pen_sqlite_retention_bind (self, now_us - self->age_us);
  code = sqlite3_step (self->delete);
  if (code == SQLITE_DONE)
    *n_deleted = sqlite3_changes (database->handle);
  else
    pen_sqlite_database_set_error (database, "delete old rows of", error);
  sqlite3_reset (self->delete);
  return code == SQLITE_DONE;
}

/* documented in the header */
gboolean
pen_sqlite_retention_run (PenSqliteRetention *self,
                          gint64 now_us,
                          gint64 *n_deleted,
                          GError **error)
{
  gint64 until_us = g_get_monotonic_time () + MAX_RUN_US;
  gint64 n_now = 1;

  *n_deleted = 0;
  for (guint i = 0; i < MAX_PORTIONS && n_now > 0 && g_get_monotonic_time () < until_us; i++)
    {
      if (!pen_sqlite_retention_run_once (self, now_us, &n_now, error))
        return FALSE;
      *n_deleted += n_now;
    }
  pen_sqlite_retention_give_back (self->table->database);
  return TRUE;
}
