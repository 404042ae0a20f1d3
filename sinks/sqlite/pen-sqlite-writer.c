/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the events of a batch become rows. A statement that inserts many rows costs SQLite half the
 * instructions that as many statements with a row cost, so as long as there are enough events they
 * go in by dozens. When such a statement fails, SQLite undoes it alone, and its events are tried
 * one by one, so that the one at fault is found and the others go in.
 */

#include "config.h"

#include "pen-sqlite-writer.h"

#include "pen-sqlite-row.h"

/* Whether @error speaks of the event, and not of the file. */
static gboolean
pen_sqlite_writer_is_of_event (const GError *error)
{
  return error->domain == PEN_JSON_ERROR
         || g_error_matches (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
}

static void
pen_sqlite_writer_reject (PenBatch *batch, guint index, const GError *error)
{
  const char *reason
      = error->domain == PEN_ELEMENT_ERROR ? pen_element_error_get_reason (error) : "invalid_json";

  if (g_error_matches (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE))
    reason = "not_an_object";
  pen_batch_reject (batch, index, reason, "%s", error->message);
}

/* --- An event --- */

/* A member that no column is for: of a table whose columns the keyfile does not name. */
static gboolean
pen_sqlite_writer_handle_other (PenSqliteWriter *self, PenEvent *event, GError **error)
{
  PenSqliteTable *table = self->table;
  PenFieldValue value;
  g_autofree char *name = pen_fields_dup_other (table->fields, &value);

  if (G_LIKELY (name == NULL))
    return TRUE;
  if (table->options->add_columns)
    {
      self->has_changed_table = TRUE;
      return pen_sqlite_table_extend_for (table, event, error);
    }
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "no_column",
                         "the table '%s' has no column '%.100s'; add-columns=true would add it, "
                         "and columns= says which members are wanted",
                         table->options->name, name);
  return FALSE;
}

static gboolean
pen_sqlite_writer_read (PenSqliteWriter *self, PenEvent *event, GError **error)
{
  PenSqliteTable *table = self->table;
  guint n_columns;

  if (G_UNLIKELY (table->columns->len == 0))
    {
      self->has_changed_table = TRUE;
      if (!pen_sqlite_table_create_for (table, event, error))
        return FALSE;
    }
  n_columns = table->columns->len;
  if (!pen_fields_read (table->fields, event, error))
    return FALSE;
  if (G_LIKELY (table->is_fixed))
    return TRUE;
  return pen_sqlite_writer_handle_other (self, event, error)
         && (table->columns->len == n_columns || pen_fields_read (table->fields, event, error));
}

/* Gives the values of the event that was read to the row @slot of @statement. */
static gboolean
pen_sqlite_writer_bind (PenSqliteWriter *self, sqlite3_stmt *statement, guint slot, GError **error)
{
  PenSqliteTable *table = self->table;
  guint n_columns = table->columns->len;

  for (guint i = 0; i < n_columns; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (table->columns, i);
      const PenFieldValue *value = pen_fields_get_value (table->fields, i);

      if (G_UNLIKELY (column->is_key && value->type == PEN_JSON_NULL))
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "no_key",
                                 "the event has no value for the key '%s'", column->name);
          return FALSE;
        }
      if (!pen_sqlite_bind (statement, (int) (slot * n_columns + i) + 1, column, value, error))
        return FALSE;
    }
  return TRUE;
}

/* Runs a statement of @n_rows; an error of a row is PEN_ELEMENT_ERROR_REJECT. */
static gboolean
pen_sqlite_writer_step (PenSqliteWriter *self,
                        sqlite3_stmt *statement,
                        guint n_rows,
                        GError **error)
{
  PenSqliteDatabase *database = self->table->database;
  int code = sqlite3_step (statement);

  if (G_UNLIKELY (code != SQLITE_DONE))
    {
      code &= 0xff;
      if ((code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH || code == SQLITE_TOOBIG)
          && !sqlite3_get_autocommit (database->handle))
        pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT,
                               code == SQLITE_TOOBIG ? "too_large" : "constraint",
                               "the table '%s' refuses the row: %s", self->table->options->name,
                               sqlite3_errmsg (database->handle));
      else
        pen_sqlite_database_set_error (database, "write to", error);
    }
  else
    self->n_ignored += n_rows - sqlite3_changes (database->handle);
  sqlite3_reset (statement);
  return code == SQLITE_DONE;
}

/* --- Events, one by one or many at a time --- */

static gboolean
pen_sqlite_writer_write_one (PenSqliteWriter *self, PenBatch *batch, guint index, GError **error)
{
  g_autoptr (GError) own_error = NULL;

  if (pen_sqlite_writer_read (self, pen_batch_get_event (batch, index), &own_error)
      && pen_sqlite_writer_bind (self, self->table->insert, 0, &own_error)
      && pen_sqlite_writer_step (self, self->table->insert, 1, &own_error))
    return TRUE;
  if (!pen_sqlite_writer_is_of_event (own_error))
    {
      g_propagate_error (error, g_steal_pointer (&own_error));
      return FALSE;
    }
  pen_sqlite_writer_reject (batch, index, own_error);
  return TRUE;
}

/* Gives events from *@next on to the statement of many until it is full, and tells how many. Those
 * that have no row are rejected. */
static gboolean
pen_sqlite_writer_bind_many (PenSqliteWriter *self,
                             sqlite3_stmt *statement,
                             PenBatch *batch,
                             guint *next,
                             guint *n_bound,
                             GError **error)
{
  PenSqliteTable *table = self->table;
  guint n_columns = table->columns->len;
  guint n_events = pen_batch_get_n_events (batch);

  for (*n_bound = 0; *next < n_events && *n_bound < table->n_many; (*next)++)
    {
      g_autoptr (GError) own_error = NULL;
      gboolean is_good;

      if (!pen_batch_is_open (batch, *next))
        continue;
      is_good = pen_sqlite_writer_read (self, pen_batch_get_event (batch, *next), &own_error);
      if (table->columns->len != n_columns)
        return TRUE; /* the statement is not the one that it was */
      if (is_good && pen_sqlite_writer_bind (self, statement, *n_bound, &own_error))
        (*n_bound)++;
      else if (pen_sqlite_writer_is_of_event (own_error))
        pen_sqlite_writer_reject (batch, *next, own_error);
      else
        {
          g_propagate_error (error, g_steal_pointer (&own_error));
          return FALSE;
        }
    }
  return TRUE;
}

/* Writes events from *@next on with one statement; those for which it does not do, one by one. */
static gboolean
pen_sqlite_writer_write_many (PenSqliteWriter *self,
                              sqlite3_stmt *statement,
                              PenBatch *batch,
                              guint *next,
                              GError **error)
{
  g_autoptr (GError) own_error = NULL;
  guint first = *next;
  guint n_bound;

  if (!pen_sqlite_writer_bind_many (self, statement, batch, next, &n_bound, error))
    return FALSE;
  if (n_bound == self->table->n_many)
    {
      if (pen_sqlite_writer_step (self, statement, n_bound, &own_error))
        return TRUE;
      if (!pen_sqlite_writer_is_of_event (own_error))
        {
          g_propagate_error (error, g_steal_pointer (&own_error));
          return FALSE;
        }
    }
  for (guint i = first; i < *next; i++)
    if (pen_batch_is_open (batch, i) && !pen_sqlite_writer_write_one (self, batch, i, error))
      return FALSE;
  return TRUE;
}

/* documented in the header */
gboolean
pen_sqlite_writer_write (PenSqliteWriter *self, PenBatch *batch, GError **error)
{
  guint n_events = pen_batch_get_n_events (batch);
  guint next = 0;

  while (next < n_events)
    {
      sqlite3_stmt *statement = pen_sqlite_table_get_many (self->table, n_events - next);

      if (statement != NULL)
        {
          if (!pen_sqlite_writer_write_many (self, statement, batch, &next, error))
            return FALSE;
          continue;
        }
      if (pen_batch_is_open (batch, next)
          && !pen_sqlite_writer_write_one (self, batch, next, error))
        return FALSE;
      next++;
    }
  return TRUE;
}
