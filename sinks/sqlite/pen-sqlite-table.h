/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table that a sink writes: made, completed, and the statement that puts a row into it.
 */

#pragma once

#include "pen-sqlite-column.h"
#include "pen-sqlite-database.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_SQLITE_CONFLICT_IGNORE,
  PEN_SQLITE_CONFLICT_UPDATE,
} PenSqliteConflict;

/* What the keyfile says of it. */
typedef struct
{
  const char *name;
  const char *const *columns; /* (nullable): none: the table's, or the first event's */
  const char *const *key;     /* (nullable) */
  PenSqliteConflict on_conflict;
  gboolean add_columns;
  const char *pipeline;
} PenSqliteTableOptions;

typedef struct
{
  PenSqliteDatabase *database;
  const PenSqliteTableOptions *options;
  GPtrArray *columns; /* (element-type PenSqliteColumn): empty until the first event if need be */
  gboolean is_fixed;  /* the keyfile names the columns */
  PenFields *fields;  /* the places of the columns, in their order */
  sqlite3_stmt *insert;
  sqlite3_stmt *insert_many; /* NULL: not needed yet */
  guint n_many;              /* rows of that; 0: there is none */
} PenSqliteTable;

/* (transfer full) (nullable): of a table that is there, or is made now if its columns are known;
 * @database and @options outlive it. In a transaction. */
PenSqliteTable *pen_sqlite_table_open (PenSqliteDatabase *database,
                                       const PenSqliteTableOptions *options,
                                       GError **error);
void pen_sqlite_table_free (PenSqliteTable *self);
/* Makes it of the members of the first event, in a transaction. PEN_ELEMENT_ERROR_REJECT: it is not
 * an event for a table. */
gboolean pen_sqlite_table_create_for (PenSqliteTable *self, PenEvent *event, GError **error);
/* Gives it columns for all members of @event that it has none for, in a transaction. */
gboolean pen_sqlite_table_extend_for (PenSqliteTable *self, PenEvent *event, GError **error);
/* (transfer none) (nullable): a statement of n_many rows, one behind the other; NULL if @n_rows are
 * fewer */
sqlite3_stmt *pen_sqlite_table_get_many (PenSqliteTable *self, guint n_rows);
/* (transfer full) (element-type PenSqliteColumn) (nullable): what the keyfile says; NULL with an
 * error */
GPtrArray *pen_sqlite_table_parse_columns (const char *const *texts, GError **error);
/* (transfer full) (element-type PenSqliteColumn) (nullable): those that the table has, none if it
 * is not there */
GPtrArray *
pen_sqlite_table_list_columns (PenSqliteDatabase *database, const char *name, GError **error);
/* (transfer none) (nullable): as SQLite compares names, without regard to the case of ASCII */
PenSqliteColumn *pen_sqlite_columns_find (GPtrArray *columns, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSqliteTable, pen_sqlite_table_free)

G_END_DECLS
