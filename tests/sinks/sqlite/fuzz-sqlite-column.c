/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: columns as a keyfile declares them. What is accepted is one column to SQLite, with
 * the name that was read, or a mistake of SQL: never anything more.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-sqlite-column.h"

#include <sqlite3.h>

static int
test_check_name (gpointer data, int n_values, char **values, char **names)
{
  const PenSqliteColumn *column = data;

  g_assert_cmpint (n_values, ==, 2);
  g_assert_cmpstr (values[0], ==, "1");
  g_assert_cmpstr (values[1], ==, column->name);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (PenSqliteColumn) column = pen_sqlite_column_parse (text, NULL);
  g_autofree char *name = NULL;
  g_autofree char *sql = NULL;
  sqlite3 *handle = NULL;

  if (column == NULL)
    return 0;
  name = pen_sqlite_quote (column->name);
  sql = g_strdup_printf ("CREATE TABLE t (%s %s)", name, column->declaration);
  g_assert_cmpint (sqlite3_open (":memory:", &handle), ==, SQLITE_OK);
  if (sqlite3_exec (handle, sql, NULL, NULL, NULL) == SQLITE_OK)
    sqlite3_exec (handle,
                  "SELECT (SELECT count(*) FROM pragma_table_xinfo ('t')), name "
                  "FROM pragma_table_xinfo ('t')",
                  test_check_name, column, NULL);
  sqlite3_close (handle);
  return 0;
}
