/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table that a sink writes. Its columns are those that the keyfile names; otherwise those that
 * it has; otherwise, as there is no such table yet, the members of the first event.
 *
 * What becomes of a value depends on the type that a column really has, so the types are asked back
 * from SQLite, also of a table that was made here.
 */

#include "config.h"

#include "pen-sqlite-table.h"

#include <string.h>

/* Columns that events can give a table: their names come from outside. */
#define MAX_FOUND_COLUMNS 500
/* What a statement of many rows has: from here on more rows save next to nothing, and the statement
 * of a wide table becomes large. */
#define MANY_ROWS 32
#define MANY_PARAMETERS 800

/* Of PRAGMA table_xinfo. */
enum
{
  INFO_NAME = 1,
  INFO_TYPE = 2,
  INFO_HIDDEN = 6,
};

/* documented in the header */
GPtrArray *
pen_sqlite_table_parse_columns (const char *const *texts, GError **error)
{
  g_autoptr (GPtrArray) columns
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_sqlite_column_free);

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      PenSqliteColumn *column = pen_sqlite_column_parse (texts[i], error);

      if (column == NULL)
        return NULL;
      if (pen_sqlite_columns_find (columns, column->name) != NULL)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                                 "the column '%s' is named twice; case makes no difference",
                                 column->name);
          pen_sqlite_column_free (column);
          return NULL;
        }
      g_ptr_array_add (columns, column);
    }
  return g_steal_pointer (&columns);
}

/* documented in the header */
PenSqliteColumn *
pen_sqlite_columns_find (GPtrArray *columns, const char *name)
{
  for (guint i = 0; i < columns->len; i++)
    {
      PenSqliteColumn *column = g_ptr_array_index (columns, i);

      if (g_ascii_strcasecmp (column->name, name) == 0)
        return column;
    }
  return NULL;
}

/* documented in the header */
GPtrArray *
pen_sqlite_table_list_columns (PenSqliteDatabase *database, const char *name, GError **error)
{
  g_autoptr (GPtrArray) columns
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_sqlite_column_free);
  g_autofree char *quoted = pen_sqlite_quote (name);
  g_autofree char *sql = g_strdup_printf ("PRAGMA table_xinfo(%s)", quoted);
  g_autoptr (sqlite3_stmt) statement
      = pen_sqlite_database_prepare (database, sql, "read the columns of a table of", error);
  int code;

  if (statement == NULL)
    return NULL;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      PenSqliteColumn *column;

      if (sqlite3_column_int (statement, INFO_HIDDEN) != 0)
        continue; /* made by the table itself */
      column = pen_sqlite_column_new_for_member (
          (const char *) sqlite3_column_text (statement, INFO_NAME), "" /* declaration */);
      column->affinity
          = pen_sqlite_affinity_of ((const char *) sqlite3_column_text (statement, INFO_TYPE));
      g_ptr_array_add (columns, column);
    }
  if (code == SQLITE_DONE)
    return g_steal_pointer (&columns);
  pen_sqlite_database_set_error (database, "read the columns of a table of", error);
  return NULL;
}

/* documented in the header */
void
pen_sqlite_table_free (PenSqliteTable *self)
{
  sqlite3_finalize (self->insert);
  sqlite3_finalize (self->insert_many);
  g_clear_pointer (&self->fields, pen_fields_free);
  g_clear_pointer (&self->columns, g_ptr_array_unref);
  g_free (self);
}

/* --- SQL --- */

static void
pen_sqlite_append_names (GString *sql, const char *const *names)
{
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *quoted = pen_sqlite_quote (names[i]);

      g_string_append_printf (sql, "%s%s", i > 0 ? "," : "", quoted);
    }
}

static gboolean
pen_sqlite_table_has_key (const PenSqliteTable *self)
{
  return self->options->key != NULL && self->options->key[0] != NULL;
}

static gboolean
pen_sqlite_table_is_key (const PenSqliteTable *self, const char *name)
{
  for (guint i = 0; self->options->key != NULL && self->options->key[i] != NULL; i++)
    if (g_ascii_strcasecmp (self->options->key[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* The constraint that makes the key one, unless a column declares it. */
static void
pen_sqlite_table_append_key (const PenSqliteTable *self, GString *sql)
{
  gboolean has_primary_key = FALSE;

  if (!pen_sqlite_table_has_key (self))
    return;
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (self->columns, i);
      gboolean is_primary = pen_sqlite_column_declares (column, "PRIMARY KEY");

      has_primary_key = has_primary_key || is_primary;
      if (self->options->key[1] == NULL && pen_sqlite_table_is_key (self, column->name)
          && (is_primary || pen_sqlite_column_declares (column, "UNIQUE")))
        return;
    }
  g_string_append (sql, has_primary_key ? ", UNIQUE (" : ", PRIMARY KEY (");
  pen_sqlite_append_names (sql, self->options->key);
  g_string_append_c (sql, ')');
}

static char *
pen_sqlite_table_get_create_sql (const PenSqliteTable *self)
{
  g_autofree char *name = pen_sqlite_quote (self->options->name);
  GString *sql = g_string_new (NULL);

  g_string_append_printf (sql, "CREATE TABLE %s (", name);
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (self->columns, i);
      g_autofree char *quoted = pen_sqlite_quote (column->name);

      g_string_append_printf (sql, "%s%s%s%s", i > 0 ? ", " : "", quoted,
                              *column->declaration != '\0' ? " " : "", column->declaration);
    }
  pen_sqlite_table_append_key (self, sql);
  g_string_append_c (sql, ')');
  return g_string_free (sql, FALSE);
}

static void
pen_sqlite_table_append_conflict (const PenSqliteTable *self, GString *sql)
{
  const char *separator = " DO UPDATE SET ";

  if (!pen_sqlite_table_has_key (self))
    return;
  g_string_append (sql, " ON CONFLICT (");
  pen_sqlite_append_names (sql, self->options->key);
  g_string_append_c (sql, ')');
  if (self->options->on_conflict == PEN_SQLITE_CONFLICT_UPDATE)
    for (guint i = 0; i < self->columns->len; i++)
      {
        const PenSqliteColumn *column = g_ptr_array_index (self->columns, i);
        g_autofree char *quoted = pen_sqlite_quote (column->name);

        if (pen_sqlite_table_is_key (self, column->name))
          continue;
        g_string_append_printf (sql, "%s%s=excluded.%s", separator, quoted, quoted);
        separator = ",";
      }
  if (*separator != ',')
    g_string_append (sql, " DO NOTHING");
}

static char *
pen_sqlite_table_get_insert_sql (const PenSqliteTable *self, guint n_rows)
{
  g_autofree char *name = pen_sqlite_quote (self->options->name);
  GString *sql = g_string_new (NULL);

  g_string_append_printf (sql, "INSERT INTO %s (", name);
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (self->columns, i);
      g_autofree char *quoted = pen_sqlite_quote (column->name);

      g_string_append_printf (sql, "%s%s", i > 0 ? "," : "", quoted);
    }
  g_string_append (sql, ") VALUES ");
  for (guint i = 0; i < n_rows; i++)
    {
      g_string_append (sql, i > 0 ? ",(?" : "(?");
      for (guint j = 1; j < self->columns->len; j++)
        g_string_append (sql, ",?");
      g_string_append_c (sql, ')');
    }
  pen_sqlite_table_append_conflict (self, sql);
  return g_string_free (sql, FALSE);
}

/* --- Making it ready --- */

static gboolean
pen_sqlite_table_check_key (const PenSqliteTable *self, GError **error)
{
  for (guint i = 0; self->options->key != NULL && self->options->key[i] != NULL; i++)
    if (pen_sqlite_columns_find (self->columns, self->options->key[i]) == NULL)
      {
        pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "key",
                               "the key '%s' is no column of the table '%s'", self->options->key[i],
                               self->options->name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
pen_sqlite_table_collect_places (PenSqliteTable *self, GError **error)
{
  g_clear_pointer (&self->fields, pen_fields_free);
  self->fields = pen_fields_new (self->options->pipeline);
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (self->columns, i);
      gboolean is_good = column->is_member && !self->is_fixed
                             ? pen_fields_add_member (self->fields, column->place, error)
                             : pen_fields_add (self->fields, column->place, error);

      if (!is_good)
        return FALSE;
    }
  return TRUE;
}

static void
pen_sqlite_table_explain_key (const PenSqliteTable *self, GError **error)
{
  g_autofree char *name = pen_sqlite_quote (self->options->name);
  g_autoptr (GString) key = g_string_new (NULL);

  pen_sqlite_append_names (key, self->options->key);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "key",
                         "the table '%s' in '%s' lets several rows have the same key; once CREATE "
                         "UNIQUE INDEX on_key ON %s (%s) has succeeded, key= works",
                         self->options->name, self->database->path, name, key->str);
}

/* Takes the types from the table that there is, and prepares the statement. */
static gboolean
pen_sqlite_table_prepare (PenSqliteTable *self, GError **error)
{
  g_autoptr (GPtrArray) existing
      = pen_sqlite_table_list_columns (self->database, self->options->name, error);
  g_autofree char *sql = NULL;
  g_autoptr (GError) own_error = NULL;

  if (existing == NULL || !pen_sqlite_table_check_key (self, error)
      || !pen_sqlite_table_collect_places (self, error))
    return FALSE;
  for (guint i = 0; i < self->columns->len; i++)
    {
      PenSqliteColumn *column = g_ptr_array_index (self->columns, i);
      const PenSqliteColumn *found = pen_sqlite_columns_find (existing, column->name);

      column->is_key = pen_sqlite_table_is_key (self, column->name);
      if (found != NULL)
        column->affinity = found->affinity;
    }
  g_clear_pointer (&self->insert, sqlite3_finalize);
  g_clear_pointer (&self->insert_many, sqlite3_finalize);
  self->n_many = MIN (MANY_ROWS, MANY_PARAMETERS / MAX (self->columns->len, 1));
  sql = pen_sqlite_table_get_insert_sql (self, 1);
  self->insert = pen_sqlite_database_prepare (self->database, sql, "write to", &own_error);
  if (self->insert != NULL)
    return TRUE;
  if (strstr (own_error->message, "ON CONFLICT clause does not match") != NULL)
    pen_sqlite_table_explain_key (self, error);
  else
    g_propagate_error (error, g_steal_pointer (&own_error));
  return FALSE;
}

static gboolean
pen_sqlite_table_create (PenSqliteTable *self, GError **error)
{
  g_autofree char *sql = NULL;

  if (!pen_sqlite_table_check_key (self, error))
    return FALSE;
  sql = pen_sqlite_table_get_create_sql (self);
  return pen_sqlite_database_execute (self->database, sql, "create a table in", error);
}

static gboolean
pen_sqlite_table_add_column (PenSqliteTable *self, const PenSqliteColumn *column, GError **error)
{
  g_autofree char *table = pen_sqlite_quote (self->options->name);
  g_autofree char *name = pen_sqlite_quote (column->name);
  g_autofree char *sql
      = g_strdup_printf ("ALTER TABLE %s ADD COLUMN %s %s", table, name, column->declaration);

  return pen_sqlite_database_execute (self->database, sql, "add a column to a table of", error);
}

/* The table is there: has it what the keyfile names? */
static gboolean
pen_sqlite_table_complete (PenSqliteTable *self, GPtrArray *existing, GError **error)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenSqliteColumn *column = g_ptr_array_index (self->columns, i);

      if (pen_sqlite_columns_find (existing, column->name) != NULL)
        continue;
      if (!self->options->add_columns)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "no_column",
                                 "the table '%s' in '%s' has no column '%s'; add-columns=true "
                                 "would add it",
                                 self->options->name, self->database->path, column->name);
          return FALSE;
        }
      if (!pen_sqlite_table_add_column (self, column, error))
        return FALSE;
    }
  return TRUE;
}

/* documented in the header */
PenSqliteTable *
pen_sqlite_table_open (PenSqliteDatabase *database,
                       const PenSqliteTableOptions *options,
                       GError **error)
{
  g_autoptr (PenSqliteTable) self = g_new0 (PenSqliteTable, 1);
  g_autoptr (GPtrArray) existing = NULL;

  self->database = database;
  self->options = options;
  self->columns = pen_sqlite_table_parse_columns (options->columns, error);
  if (self->columns == NULL)
    return NULL;
  self->is_fixed = self->columns->len > 0;
  existing = pen_sqlite_table_list_columns (database, options->name, error);
  if (existing == NULL)
    return NULL;
  if (existing->len == 0 && !self->is_fixed)
    {
      self->fields = pen_fields_new (options->pipeline);
      return g_steal_pointer (&self);
    }
  if (!self->is_fixed)
    {
      g_ptr_array_unref (self->columns);
      self->columns = g_ptr_array_ref (existing);
    }
  else if (existing->len == 0 ? !pen_sqlite_table_create (self, error)
                              : !pen_sqlite_table_complete (self, existing, error))
    return NULL;
  return pen_sqlite_table_prepare (self, error) ? g_steal_pointer (&self) : NULL;
}

/* documented in the header */
sqlite3_stmt *
pen_sqlite_table_get_many (PenSqliteTable *self, guint n_rows)
{
  g_autofree char *sql = NULL;

  if (self->n_many < 2 || n_rows < self->n_many)
    return NULL;
  if (self->insert_many != NULL)
    return self->insert_many;
  sql = pen_sqlite_table_get_insert_sql (self, self->n_many);
  self->insert_many = pen_sqlite_database_prepare (self->database, sql, "write to", NULL);
  if (self->insert_many == NULL)
    self->n_many = 0; /* one by one does as well */
  return self->insert_many;
}

/* --- Columns that come with events --- */

static gboolean
pen_sqlite_table_take_member (PenSqliteTable *self,
                              const char *name,
                              const PenFieldValue *value,
                              GError **error)
{
  const char *fault = pen_sqlite_find_fault (name);
  g_autofree char *shown = NULL;

  if (fault == NULL && self->columns->len >= MAX_FOUND_COLUMNS)
    fault = "the table has as many columns as events can give it";
  if (fault == NULL && pen_sqlite_columns_find (self->columns, name) != NULL)
    fault = "there is such a column but for its case, which SQLite does not tell apart; name the "
            "columns with columns=";
  if (fault == NULL)
    {
      g_ptr_array_add (self->columns,
                       pen_sqlite_column_new_for_member (name, pen_sqlite_type_of (value)));
      return TRUE;
    }
  shown = g_utf8_make_valid (name, (gssize) MIN (strlen (name), 100));
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "column_name",
                         "the member '%s' cannot be a column: %s", shown, fault);
  return FALSE;
}

/* Appends a column for each member that has none; the places are read again for each. */
static gboolean
pen_sqlite_table_discover (PenSqliteTable *self, PenEvent *event, GError **error)
{
  g_autofree char *name = NULL;
  PenFieldValue value;

  for (;;)
    {
      if (!pen_fields_read (self->fields, event, error))
        return FALSE;
      name = pen_fields_dup_other (self->fields, &value);
      if (name == NULL)
        return TRUE;
      if (!pen_sqlite_table_take_member (self, name, &value, error)
          || !pen_fields_add_member (self->fields, name, error))
        return FALSE;
      g_clear_pointer (&name, g_free);
    }
}

/* As before the event that gave columns. */
static void
pen_sqlite_table_forget (PenSqliteTable *self, guint n_columns)
{
  g_ptr_array_set_size (self->columns, (gint) n_columns);
  pen_sqlite_table_collect_places (self, NULL);
}

/* documented in the header */
gboolean
pen_sqlite_table_create_for (PenSqliteTable *self, PenEvent *event, GError **error)
{
  gboolean is_good = pen_sqlite_table_discover (self, event, error);

  if (is_good && self->columns->len == 0)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "no_columns",
                             "the first event has no members of which a table could be made");
      return FALSE;
    }
  if (is_good && !pen_sqlite_table_check_key (self, NULL))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "no_key",
                             "the first event has no member for the key of the table '%s'",
                             self->options->name);
      is_good = FALSE;
    }
  is_good
      = is_good && pen_sqlite_table_create (self, error) && pen_sqlite_table_prepare (self, error);
  if (!is_good)
    pen_sqlite_table_forget (self, 0);
  return is_good;
}

/* documented in the header */
gboolean
pen_sqlite_table_extend_for (PenSqliteTable *self, PenEvent *event, GError **error)
{
  guint n_columns = self->columns->len;
  gboolean is_good = pen_sqlite_table_discover (self, event, error);

  for (guint i = n_columns; is_good && i < self->columns->len; i++)
    is_good = pen_sqlite_table_add_column (self, g_ptr_array_index (self->columns, i), error);
  is_good = is_good && pen_sqlite_table_prepare (self, error);
  if (!is_good)
    pen_sqlite_table_forget (self, n_columns);
  return is_good;
}
