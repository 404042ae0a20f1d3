/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows that are older than their time are deleted.
 */

#pragma once

#include "pen-sqlite-table.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_SQLITE_UNIT_SECONDS,
  PEN_SQLITE_UNIT_MILLISECONDS,
  PEN_SQLITE_UNIT_MICROSECONDS,
  PEN_SQLITE_UNIT_TEXT, /* 2026-01-02T03:04:05…, UTC */
} PenSqliteUnit;

typedef struct
{
  PenSqliteTable *table;
  char *column;
  PenSqliteUnit unit;
  gint64 age_us;
  sqlite3_stmt *delete;
} PenSqliteRetention;

/* (transfer none) (nullable): which of @columns says how old a row is: the one called @name, or the
 * first that holds the time of arrival. @unit (inout): that of the time of arrival, if it is one */
const PenSqliteColumn *
pen_sqlite_retention_find_column (GPtrArray *columns, const char *name, PenSqliteUnit *unit);
/* (transfer full) (nullable): by the column @name (nullable) of @table, which outlives it; makes an
 * index if there is none */
PenSqliteRetention *pen_sqlite_retention_new (PenSqliteTable *table,
                                              const char *name,
                                              PenSqliteUnit unit,
                                              gint64 age_us,
                                              GError **error);
void pen_sqlite_retention_free (PenSqliteRetention *self);
/* Deletes one portion of what is too old at @now_us; @n_deleted (out). */
gboolean pen_sqlite_retention_run_once (PenSqliteRetention *self,
                                        gint64 now_us,
                                        gint64 *n_deleted,
                                        GError **error);
/* Deletes what is too old at @now_us, in portions, for a bounded time, outside any transaction;
 * gives pages back where the file has many that are free. */
gboolean pen_sqlite_retention_run (PenSqliteRetention *self,
                                   gint64 now_us,
                                   gint64 *n_deleted,
                                   GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSqliteRetention, pen_sqlite_retention_free)

G_END_DECLS
