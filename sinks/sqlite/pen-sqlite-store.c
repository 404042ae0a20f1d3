/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the rows of a table back. The connection is apart from the one that writes: in WAL mode
 * neither waits for the other, and a query on a thread of its own sees whole batches.
 *
 * Names go into SQL only if the table has them: SQLite takes a quoted name that is no column for a
 * text, and would compare with that. Values are parameters.
 */

#include "config.h"

#include "pen-sqlite-store.h"

#include "pen-sqlite-table.h"

#define BUSY_TIMEOUT_US (1 * G_USEC_PER_SEC)
#define MAX_QUERY_US (5 * G_USEC_PER_SEC)
/* Instructions of SQLite's machine between two looks at the clock. */
#define INSTRUCTIONS_A_LOOK 10000

struct _PenSqliteStore
{
  /* constant */
  char *path;
  char *table;

  GMutex lock; /* guards what follows */
  PenSqliteDatabase *database;
  gint64 until_us;
};

static const char *const comparisons[] = {
  [PEN_STORE_EQUAL] = "=",   [PEN_STORE_NOT_EQUAL] = "<>",
  [PEN_STORE_LESS] = "<",    [PEN_STORE_LESS_OR_EQUAL] = "<=",
  [PEN_STORE_GREATER] = ">", [PEN_STORE_GREATER_OR_EQUAL] = ">=",
};

/* documented in the header */
PenSqliteStore *
pen_sqlite_store_new (const char *path, const char *table)
{
  PenSqliteStore *self = g_new0 (PenSqliteStore, 1);

  self->path = g_strdup (path);
  self->table = g_strdup (table);
  g_mutex_init (&self->lock);
  return self;
}

/* documented in the header */
void
pen_sqlite_store_free (PenSqliteStore *self)
{
  g_clear_pointer (&self->database, pen_sqlite_database_free);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self->table);
  g_free (self);
}

static int
pen_sqlite_store_is_late (gpointer data)
{
  const PenSqliteStore *self = data;

  return g_get_monotonic_time () > self->until_us;
}

/* (transfer full) (nullable) */
static GPtrArray *
pen_sqlite_store_open_locked (PenSqliteStore *self, GError **error)
{
  g_autoptr (GPtrArray) columns = NULL;

  if (self->database != NULL && pen_sqlite_database_is_moved (self->database))
    g_clear_pointer (&self->database, pen_sqlite_database_abandon);
  if (self->database == NULL)
    self->database = pen_sqlite_database_open_to_read (self->path, BUSY_TIMEOUT_US, error);
  if (self->database == NULL)
    return NULL;
  self->until_us = g_get_monotonic_time () + MAX_QUERY_US;
  sqlite3_progress_handler (self->database->handle, INSTRUCTIONS_A_LOOK, pen_sqlite_store_is_late,
                            self);
  columns = pen_sqlite_table_list_columns (self->database, self->table, error);
  if (columns != NULL && columns->len > 0)
    return g_steal_pointer (&columns);
  if (columns != NULL)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "no_table",
                           "there is no table '%s' in '%s' yet", self->table, self->path);
  return NULL;
}

/* documented in the header */
char **
pen_sqlite_store_list_columns (PenSqliteStore *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GPtrArray) columns = pen_sqlite_store_open_locked (self, error);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  if (columns == NULL)
    return NULL;
  for (guint i = 0; i < columns->len; i++)
    g_strv_builder_add (names, ((PenSqliteColumn *) g_ptr_array_index (columns, i))->name);
  return g_strv_builder_end (names);
}

/* --- The query --- */

static gboolean
pen_sqlite_store_append_name (GPtrArray *columns, const char *name, GString *sql, GError **error)
{
  const PenSqliteColumn *column = pen_sqlite_columns_find (columns, name);
  g_autofree char *quoted = NULL;

  if (column == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "query", "there is no column '%s'",
                             name);
      return FALSE;
    }
  quoted = pen_sqlite_quote (column->name);
  g_string_append (sql, quoted);
  return TRUE;
}

static gboolean
pen_sqlite_store_append_filters (GPtrArray *columns,
                                 const PenStoreQuery *query,
                                 GString *sql,
                                 GError **error)
{
  for (guint i = 0; i < query->n_filters; i++)
    {
      const PenStoreFilter *filter = &query->filters[i];

      g_string_append (sql, i == 0 ? " WHERE " : " AND ");
      if (!pen_sqlite_store_append_name (columns, filter->column, sql, error))
        return FALSE;
      g_string_append_printf (sql, "%s?%u", comparisons[filter->comparison], i + 1);
    }
  return TRUE;
}

static gboolean
pen_sqlite_store_append_order (GPtrArray *columns,
                               const PenStoreQuery *query,
                               const char *row_id,
                               GString *sql,
                               GError **error)
{
  const char *direction = query->is_descending ? " DESC" : "";
  const char *separator = " ORDER BY ";

  if (query->order != NULL)
    {
      g_string_append (sql, separator);
      if (!pen_sqlite_store_append_name (columns, query->order, sql, error))
        return FALSE;
      g_string_append (sql, direction);
      separator = ",";
    }
  if (row_id != NULL)
    g_string_append_printf (sql, "%s%s%s", separator, row_id, direction);
  g_string_append_printf (sql, " LIMIT %u OFFSET %" G_GUINT64_FORMAT, query->limit, query->skip);
  return TRUE;
}

static sqlite3_stmt *
pen_sqlite_store_prepare_with (PenSqliteStore *self,
                               GPtrArray *columns,
                               const PenStoreQuery *query,
                               const char *row_id,
                               GError **error)
{
  g_autofree char *table = pen_sqlite_quote (self->table);
  g_autoptr (GString) sql = g_string_new ("SELECT ");

  for (guint i = 0; i < columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (columns, i);

      g_string_append (sql, i > 0 ? "," : "");
      if (!pen_sqlite_store_append_name (columns, column->name, sql, error))
        return NULL;
    }
  g_string_append_printf (sql, " FROM %s", table);
  if (!pen_sqlite_store_append_filters (columns, query, sql, error)
      || !pen_sqlite_store_append_order (columns, query, row_id, sql, error))
    return NULL;
  return pen_sqlite_database_prepare (self->database, sql->str, "read", error);
}

static sqlite3_stmt *
pen_sqlite_store_prepare (PenSqliteStore *self,
                          GPtrArray *columns,
                          const PenStoreQuery *query,
                          GError **error)
{
  sqlite3_stmt *statement = pen_sqlite_store_prepare_with (self, columns, query, "rowid", NULL);

  if (statement == NULL) /* a table WITHOUT ROWID, or a mistake that is told now */
    statement = pen_sqlite_store_prepare_with (self, columns, query, NULL /* row_id */, error);
  for (guint i = 0; statement != NULL && i < query->n_filters; i++)
    sqlite3_bind_text (statement, (int) i + 1, query->filters[i].value, -1, SQLITE_STATIC);
  return statement;
}

static void
pen_sqlite_store_put_value (PenJsonWriter *writer, sqlite3_stmt *statement, int index)
{
  g_autofree char *base64 = NULL;
  char number[PEN_JSON_DOUBLE_SIZE];
  gsize size;
  int length;

  switch (sqlite3_column_type (statement, index))
    {
    case SQLITE_INTEGER:
      pen_json_writer_int64 (writer, sqlite3_column_int64 (statement, index));
      break;
    case SQLITE_FLOAT:
      size = pen_json_format_double (sqlite3_column_double (statement, index), number);
      pen_json_writer_raw (writer, number, size);
      break;
    case SQLITE_TEXT:
      pen_json_writer_string (writer, (const char *) sqlite3_column_text (statement, index),
                              sqlite3_column_bytes (statement, index));
      break;
    case SQLITE_BLOB:
      length = sqlite3_column_bytes (statement, index);
      base64 = length > 0 ? g_base64_encode (sqlite3_column_blob (statement, index), (gsize) length)
                          : g_strdup ("");
      pen_json_writer_string (writer, base64, -1);
      break;
    case SQLITE_NULL:
    default:
      pen_json_writer_null (writer);
    }
}

static void
pen_sqlite_store_lay_out (GPtrArray *columns, sqlite3_stmt *statement, GString *text)
{
  PenJsonWriter writer;

  g_string_truncate (text, 0);
  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  for (guint i = 0; i < columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (columns, i);

      pen_json_writer_key (&writer, column->name);
      pen_sqlite_store_put_value (&writer, statement, (int) i);
    }
  pen_json_writer_end_object (&writer);
}

static gboolean
pen_sqlite_store_query_locked (PenSqliteStore *self,
                               const PenStoreQuery *query,
                               PenStoreRowFunc func,
                               gpointer user_data,
                               GError **error)
{
  g_autoptr (GPtrArray) columns = pen_sqlite_store_open_locked (self, error);
  g_autoptr (sqlite3_stmt) statement = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  int code;

  if (columns == NULL)
    return FALSE;
  statement = pen_sqlite_store_prepare (self, columns, query, error);
  if (statement == NULL)
    return FALSE;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      pen_sqlite_store_lay_out (columns, statement, text);
      if (!func (text->str, text->len, user_data))
        return TRUE;
    }
  if (code == SQLITE_DONE)
    return TRUE;
  if ((code & 0xff) == SQLITE_INTERRUPT)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "slow",
                           "the query took more than %d s; ask for fewer rows, or make an index",
                           (int) (MAX_QUERY_US / G_USEC_PER_SEC));
  else
    pen_sqlite_database_set_error (self->database, "read", error);
  return FALSE;
}

/* documented in the header */
gboolean
pen_sqlite_store_query (PenSqliteStore *self,
                        const PenStoreQuery *query,
                        PenStoreRowFunc func,
                        gpointer user_data,
                        GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GError) own_error = NULL;

  if (pen_sqlite_store_query_locked (self, query, func, user_data, &own_error))
    return TRUE;
  pen_sqlite_soften_error (own_error);
  g_propagate_error (error, g_steal_pointer (&own_error));
  return FALSE;
}
