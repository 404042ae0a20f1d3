/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink that can be read back. What a query may ask for is bounded here, for all of them.
 */

#include "config.h"

#include "pen-store.h"

G_DEFINE_INTERFACE (PenStore, pen_store, PEN_TYPE_ELEMENT)

static void
pen_store_default_init (PenStoreInterface *iface)
{
}

/**
 * pen_store_list_columns:
 * @self: a store
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the names of its columns, in their order; %NULL with
 *   %PEN_ELEMENT_ERROR
 *
 * Threads: any that may block
 */
char **
pen_store_list_columns (PenStore *self, GError **error)
{
  g_return_val_if_fail (PEN_IS_STORE (self), NULL);

  return PEN_STORE_GET_IFACE (self)->list_columns (self, error);
}

/**
 * pen_store_query:
 * @self: a store
 * @query: which rows
 * @func: (scope call): called for each of them
 * @user_data: for @func
 * @error: return location
 *
 * Reads rows, without waiting for what the sink writes meanwhile.
 *
 * Returns: %FALSE with %PEN_ELEMENT_ERROR; some rows may have been given before
 *
 * Threads: any that may block
 */
gboolean
pen_store_query (PenStore *self,
                 const PenStoreQuery *query,
                 PenStoreRowFunc func,
                 gpointer user_data,
                 GError **error)
{
  g_return_val_if_fail (PEN_IS_STORE (self), FALSE);

  if (query->limit < 1 || query->limit > PEN_STORE_MAX_ROWS)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "query",
                           "%u rows at a time: it must be 1 to %d", query->limit,
                           PEN_STORE_MAX_ROWS);
  else if (query->skip > G_MAXINT64)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "query", "too many rows to skip");
  else if (query->n_filters > PEN_STORE_MAX_FILTERS)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "query",
                           "%u filters: there may be %d at most", query->n_filters,
                           PEN_STORE_MAX_FILTERS);
  else
    return PEN_STORE_GET_IFACE (self)->query (self, query, func, user_data, error);
  return FALSE;
}
