/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the SQLite sink has written is read back through PenStore.
 */

#include "config.h"

#include "pen-sqlite-fixture.h"

static gboolean
test_append (const char *row, gsize length, gpointer data)
{
  GString *text = data;

  g_string_append_len (text, row, (gssize) length);
  g_string_append_c (text, '\n');
  return TRUE;
}

static gboolean
test_append_one (const char *row, gsize length, gpointer data)
{
  test_append (row, length, data);
  return FALSE;
}

static char *
test_query (PenSqliteFixture *fixture, const PenStoreQuery *query)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  pen_store_query (PEN_STORE (fixture->sink), query, test_append, text, &error);
  g_assert_no_error (error);
  return g_string_free (text, FALSE);
}

#define test_assert_query(fixture, query, expected)                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *rows_ = test_query ((fixture), &(query));                                     \
    g_assert_cmpstr (rows_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

static void
test_fill (PenSqliteFixture *fixture)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch (
      "{\"id\":\"1\",\"v\":47.17777777777778,\"t\":10,\"x\":null}",
      "{\"id\":\"2\",\"v\":0.1,\"t\":30,\"x\":\"q\\\"\"}", "{\"id\":\"1\",\"v\":3,\"t\":20}", NULL);

  pen_sqlite_fixture_set_columns (fixture, "id TEXT;v REAL;t INTEGER;x");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
}

#define ROW_10 "{\"id\":\"1\",\"v\":47.17777777777778,\"t\":10,\"x\":null}\n"
#define ROW_30 "{\"id\":\"2\",\"v\":0.1,\"t\":30,\"x\":\"q\\\"\"}\n"
#define ROW_20 "{\"id\":\"1\",\"v\":3.0,\"t\":20,\"x\":null}\n"

static void
test_store_rows (PenSqliteFixture *fixture, gconstpointer data)
{
  PenStoreQuery all = { .limit = 10 };
  PenStoreQuery part = { .limit = 1, .skip = 1 };
  PenStoreQuery sorted = { .limit = 2, .order = "t", .is_descending = TRUE };
  g_auto (GStrv) columns = NULL;
  g_autofree char *names = NULL;

  test_fill (fixture);
  columns = pen_store_list_columns (PEN_STORE (fixture->sink), NULL);
  names = g_strjoinv (",", columns);
  g_assert_cmpstr (names, ==, "id,v,t,x");
  test_assert_query (fixture, all, ROW_10 ROW_30 ROW_20);
  test_assert_query (fixture, part, ROW_30);
  test_assert_query (fixture, sorted, ROW_30 ROW_20);
}

static void
test_store_filters (PenSqliteFixture *fixture, gconstpointer data)
{
  const PenStoreFilter of_id[] = { { "id", PEN_STORE_EQUAL, "1" } };
  const PenStoreFilter of_range[]
      = { { "t", PEN_STORE_GREATER_OR_EQUAL, "20" }, { "t", PEN_STORE_LESS, "30" } };
  const PenStoreFilter hostile[] = { { "id", PEN_STORE_EQUAL, "1' OR '1'='1" } };
  PenStoreQuery query = { .filters = of_id, .n_filters = 1, .limit = 1000 };

  test_fill (fixture);
  test_assert_query (fixture, query, ROW_10 ROW_20);
  query.filters = of_range;
  query.n_filters = 2;
  test_assert_query (fixture, query, ROW_20);
  query.filters = hostile;
  query.n_filters = 1;
  test_assert_query (fixture, query, "");
}

static void
test_assert_refused (PenSqliteFixture *fixture, const PenStoreQuery *query)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (pen_store_query (PEN_STORE (fixture->sink), query, test_append, text, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
  g_assert_cmpuint (text->len, ==, 0);
}

static void
test_store_refuses (PenSqliteFixture *fixture, gconstpointer data)
{
  const PenStoreFilter unknown[] = { { "nothing", PEN_STORE_EQUAL, "nothing" } };
  const PenStoreQuery queries[] = {
    { .limit = 0 },
    { .limit = PEN_STORE_MAX_ROWS + 1 },
    { .limit = 1, .skip = G_MAXUINT64 },
    { .limit = 1, .order = "nothing" },
    { .limit = 1, .order = "t\"; DROP TABLE events; --" },
    { .limit = 1, .filters = unknown, .n_filters = 1 },
    { .limit = 1, .filters = unknown, .n_filters = PEN_STORE_MAX_FILTERS + 1 },
  };

  test_fill (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (queries); i++)
    test_assert_refused (fixture, &queries[i]);
}

static void
test_store_stops (PenSqliteFixture *fixture, gconstpointer data)
{
  PenStoreQuery all = { .limit = 10 };
  g_autoptr (GString) text = g_string_new (NULL);

  test_fill (fixture);
  g_assert_true (pen_store_query (PEN_STORE (fixture->sink), &all, test_append_one, text, NULL));
  g_assert_cmpstr (text->str, ==, ROW_10);
}

static void
test_store_no_table (PenSqliteFixture *fixture, gconstpointer data)
{
  PenStoreQuery all = { .limit = 10 };
  g_autoptr (GError) error = NULL;

  pen_harness_start (fixture->harness);
  g_assert_false (pen_store_query (PEN_STORE (fixture->sink), &all, test_append, NULL, &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_RETRY);
}

/* --- While it is written --- */

typedef struct
{
  PenStore *store;
  gint is_done; /* atomic */
  guint n_rows;
  guint n_queries;
} TestReader;

static gboolean
test_count (const char *row, gsize length, gpointer data)
{
  TestReader *reader = data;

  reader->n_rows++;
  return TRUE;
}

static gpointer
test_read_on (gpointer data)
{
  TestReader *reader = data;
  PenStoreQuery all = { .limit = PEN_STORE_MAX_ROWS };

  do
    {
      reader->n_rows = 0;
      if (!pen_store_query (reader->store, &all, test_count, reader, NULL)
          || reader->n_rows % 10 != 0)
        return NULL;
      reader->n_queries++;
    }
  while (!g_atomic_int_get (&reader->is_done));
  return reader;
}

/* Another thread sees whole batches and nothing else. */
static void
test_store_threads (PenSqliteFixture *fixture, gconstpointer data)
{
  TestReader reader = { .store = PEN_STORE (fixture->sink) };
  GThread *thread = NULL;

  pen_sqlite_fixture_set_columns (fixture, "a");
  pen_harness_start (fixture->harness);
  thread = g_thread_new ("reader", test_read_on, &reader);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (PenBatch) batch = pen_batch_new ();
      g_autoptr (PenEvent) event = pen_harness_make_event ("{\"a\":1}", "t");

      for (guint j = 0; j < 10; j++)
        pen_batch_append (batch, event);
      pen_sqlite_fixture_write (fixture, batch);
    }
  g_atomic_int_set (&reader.is_done, 1);
  g_assert_nonnull (g_thread_join (thread));
  g_assert_cmpuint (reader.n_queries, >, 0);
}

#define test_add(path, func)                                                                       \
  g_test_add ("/sqlite-store/" path, PenSqliteFixture, NULL, pen_sqlite_fixture_set_up, func,      \
              pen_sqlite_fixture_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  test_add ("rows", test_store_rows);
  test_add ("filters", test_store_filters);
  test_add ("refuses", test_store_refuses);
  test_add ("stops", test_store_stops);
  test_add ("no-table", test_store_no_table);
  test_add ("threads", test_store_threads);
  return g_test_run ();
}
