/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the values of an event go into the parameters of a statement.
 */

#pragma once

#include "pen-sqlite-column.h"

#include <sqlite3.h>

G_BEGIN_DECLS

/* Gives @value to the parameter @index (from 1) of a column. What it points to must live until the
 * statement has run, unless the column is fleeting. PEN_ELEMENT_ERROR_REJECT: the column cannot
 * hold it without changing it. */
gboolean pen_sqlite_bind (sqlite3_stmt *statement,
                          int index,
                          const PenSqliteColumn *column,
                          const PenFieldValue *value,
                          GError **error);

G_END_DECLS
