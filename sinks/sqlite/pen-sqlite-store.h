/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the rows of a table back, over a connection of its own.
 */

#pragma once

#include "pen-sqlite-database.h"

G_BEGIN_DECLS

typedef struct _PenSqliteStore PenSqliteStore;

/* (transfer full): nothing is opened before it is asked */
PenSqliteStore *pen_sqlite_store_new (const char *path, const char *table);
void pen_sqlite_store_free (PenSqliteStore *self);
/* What PenStore has, on any thread. */
char **pen_sqlite_store_list_columns (PenSqliteStore *self, GError **error);
gboolean pen_sqlite_store_query (PenSqliteStore *self,
                                 const PenStoreQuery *query,
                                 PenStoreRowFunc func,
                                 gpointer user_data,
                                 GError **error);

G_END_DECLS
