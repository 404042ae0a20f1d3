/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink that can be read back: rows with columns, in portions.
 */

#pragma once

#include "pen-element.h"
#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PEN_STORE_MAX_ROWS:
 *
 * How many rows one query gives at most.
 */
#define PEN_STORE_MAX_ROWS 1000

/**
 * PEN_STORE_MAX_FILTERS:
 *
 * How many filters a query has at most.
 */
#define PEN_STORE_MAX_FILTERS 32

#define PEN_TYPE_STORE (pen_store_get_type ())
PEN_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (PenStore, pen_store, PEN, STORE, PenElement)

/**
 * PenStoreOperator:
 *
 * How a column is compared with a value. Nothing is true of a column that holds nothing.
 */
typedef enum
{
  PEN_STORE_EQUAL,
  PEN_STORE_NOT_EQUAL,
  PEN_STORE_LESS,
  PEN_STORE_LESS_OR_EQUAL,
  PEN_STORE_GREATER,
  PEN_STORE_GREATER_OR_EQUAL,
} PenStoreOperator;

/**
 * PenStoreFilter:
 * @column: (not nullable): name of a column
 * @comparison: how it is compared
 * @value: (not nullable): with what, as text; a column of numbers compares it as a number
 *
 * What must be true of a row.
 */
typedef struct
{
  const char *column;
  PenStoreOperator comparison;
  const char *value;
} PenStoreFilter;

/**
 * PenStoreQuery:
 * @filters: (array length=n_filters) (nullable): all must be true
 * @n_filters: how many, at most %PEN_STORE_MAX_FILTERS
 * @order: (nullable): the column by which rows are sorted, in the order in which they were written
 *   where it is the same; %NULL: by that alone
 * @is_descending: whether the last comes first
 * @skip: rows passed over
 * @limit: rows given, 1 to %PEN_STORE_MAX_ROWS
 *
 * Which rows are wanted.
 */
typedef struct
{
  const PenStoreFilter *filters;
  guint n_filters;
  const char *order;
  gboolean is_descending;
  guint64 skip;
  guint limit;
} PenStoreQuery;

/**
 * PenStoreRowFunc:
 * @row: (array length=length): a JSON object with a member for each column, in their order;
 *   valid during the call
 * @length: number of bytes
 * @user_data: the caller's
 *
 * Takes a row. It must not ask the same store for anything.
 *
 * Returns: whether more are wanted
 *
 * Threads: that of pen_store_query()
 */
typedef gboolean (*PenStoreRowFunc) (const char *row, gsize length, gpointer user_data);

/**
 * PenStoreInterface:
 * @list_columns: required: the names of all columns, in their order; %NULL with @error. Threads:
 *   any that may block, also several at a time, and while the sink writes
 * @query: required: hands the rows that @query asks for to @func; %FALSE with @error. @query is
 *   within its bounds. Ends by itself after a time, with %PEN_ELEMENT_ERROR_RETRY. Threads: as
 *   @list_columns
 *
 * What a sink implements that can be read back. It can be asked once it has started. Errors are
 * %PEN_ELEMENT_ERROR_REJECT (the query is wrong), %PEN_ELEMENT_ERROR_RETRY (it may work later).
 */
struct _PenStoreInterface
{
  GTypeInterface parent_interface;

  char **(*list_columns) (PenStore *self, GError **error);
  gboolean (*query) (PenStore *self,
                     const PenStoreQuery *query,
                     PenStoreRowFunc func,
                     gpointer user_data,
                     GError **error);

  /*< private >*/
  gpointer padding[8];
};

PEN_AVAILABLE_IN_1_0
char **pen_store_list_columns (PenStore *self, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_store_query (PenStore *self,
                          const PenStoreQuery *query,
                          PenStoreRowFunc func,
                          gpointer user_data,
                          GError **error);

G_END_DECLS
