/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the events of a batch become rows, within a transaction.
 */

#pragma once

#include "pen-sqlite-table.h"

G_BEGIN_DECLS

typedef struct
{
  PenSqliteTable *table;
  gboolean has_changed_table; /* out: it was made, or has more columns */
  gint64 n_ignored;           /* out: events whose key was there */
} PenSqliteWriter;

/* Writes all open events of @batch; those that can never be rows are rejected. FALSE: the
 * transaction has to be undone. */
gboolean pen_sqlite_writer_write (PenSqliteWriter *self, PenBatch *batch, GError **error);

G_END_DECLS
