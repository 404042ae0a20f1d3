/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the SQLite sink makes of events: tables, columns, types, keys, rejections, retention.
 */

#include "config.h"

#include "pen-sqlite-fixture.h"

#include <string.h>

#define START_US (G_GINT64_CONSTANT (1718000000) * G_USEC_PER_SEC)
#define MINUTE_US (60 * G_USEC_PER_SEC)

/* The reason for which an event of a batch was rejected is told with the batch's private header
 * alone; here it is enough that it was, and that the others went in. */
static void
test_assert_rejected (PenBatch *batch, const char *expected)
{
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    g_assert_cmpint (pen_batch_is_open (batch, i), ==, expected[i] == '.');
}

/* --- Tables and types --- */

static void
test_sqlite_numbers (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch (
      "{\"number\": 42, \"epochtime\": \"1718000000\"}",
      "{\"epochtime\": \"1718000001\", \"number\": 7, \"more\": [1]}", "{\"number\": 1}", NULL);

  g_object_set (fixture->sink, "table", "messages", NULL);
  pen_sqlite_fixture_set_columns (fixture, "number INTEGER;epochtime INTEGER");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path,
                           "SELECT number, epochtime, typeof(epochtime) FROM messages",
                           "42|1718000000|integer\n7|1718000001|integer\n1|NULL|null");
  pen_sqlite_assert_query (fixture->path, "SELECT sql FROM sqlite_master",
                           "CREATE TABLE \"messages\" (\"number\" INTEGER, \"epochtime\" INTEGER)");
}

/* What SQLite itself makes of a text with a column's affinity is what the sink makes of it. */
static void
test_sqlite_affinities (PenSqliteFixture *fixture, gconstpointer data)
{
  static const char *const texts[] = { "0",
                                       "-0",
                                       "42",
                                       "007",
                                       "-7",
                                       "1718000000",
                                       "9223372036854775807",
                                       "1e3",
                                       "1.5",
                                       "50.0",
                                       "0.1",
                                       "abc",
                                       "",
                                       "-",
                                       " 42 ",
                                       "+5",
                                       "12abc",
                                       "0x10",
                                       ".5",
                                       "5.",
                                       "-9223372036854775808",
                                       "1e30",
                                       "1E2",
                                       "123456789012345678",
                                       "inf",
                                       "NaN" };
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autoptr (GString) sql = g_string_new ("CREATE TABLE own (t TEXT, i INTEGER, n NUMERIC, "
                                          "r REAL, x);");

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"a\":\"%s\"}", texts[i]);
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "topic");

      pen_batch_append (batch, event);
      g_string_append_printf (sql, "INSERT INTO own VALUES ('%s','%s','%s','%s','%s');", texts[i],
                              texts[i], texts[i], texts[i], texts[i]);
    }
  pen_sqlite_fixture_set_columns (fixture, "t TEXT=a;i INTEGER=a;n NUMERIC=a;r REAL=a;x=a");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_run (fixture->path, sql->str);
  pen_sqlite_assert_query (
      fixture->path,
      "SELECT own.t, quote(own.i), quote(ours.i), quote(own.r), quote(ours.r), quote(ours.x) "
      "FROM own JOIN events AS ours ON own.rowid = ours.rowid WHERE own.t IS NOT ours.t "
      "OR quote(own.i) <> quote(ours.i) OR quote(own.n) <> quote(ours.n) "
      "OR quote(own.r) <> quote(ours.r) OR quote(own.x) <> quote(ours.x)",
      "");
  pen_sqlite_assert_query (fixture->path, "SELECT count(*) FROM events", "26");
}

static void
test_sqlite_values (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch (
      "{\"a\":1.10}", "{\"a\":true}", "{\"a\":null}", "{\"a\":{ \"b\": [1.0, 2]}}",
      "{\"a\":\"\\u00e4\\n\\\"\"}", "{\"a\":18446744073709551616}", "{\"a\":1e400}", NULL);

  pen_sqlite_fixture_set_columns (fixture, "t TEXT=a");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT t FROM events",
                           "1.10\ntrue\nNULL\n{ \"b\": [1.0, 2]}\nä\n\"\n18446744073709551616\n"
                           "1e400");
}

/* A fraction is the double that it is nearest to: SQLite's own conversion is not always. */
static void
test_sqlite_doubles (PenSqliteFixture *fixture, gconstpointer data)
{
  static const double numbers[]
      = { 47.17777777777778, 0.1, 1e23, 2.2250738585072014e-308, 8.41e21, 9.5e-310, 1.7976e308 };
  sqlite3 *handle = NULL;
  sqlite3_stmt *statement = NULL;

  pen_sqlite_fixture_set_columns (fixture, "r REAL=a;n NUMERIC=a;s REAL=b");
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      const char *written = g_ascii_dtostr (number, sizeof number, numbers[i]);
      g_autofree char *text = g_strdup_printf ("{\"a\":%s,\"b\":\"%s\"}", written, written);
      g_autoptr (PenBatch) batch = pen_sqlite_make_batch (text, NULL);

      pen_sqlite_fixture_write (fixture, batch);
    }
  handle = pen_sqlite_open (fixture->path);
  g_assert_cmpint (sqlite3_prepare_v2 (handle, "SELECT * FROM events", -1, &statement, NULL), ==,
                   SQLITE_OK);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
      for (int j = 0; j < 3; j++)
        g_assert_true (sqlite3_column_double (statement, j) == numbers[i]);
    }
  sqlite3_finalize (statement);
  sqlite3_close (handle);
}

static void
test_sqlite_places (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  const char text[] = "{\"m\":{\"u\":{\"x\":\"C\"}},\"m.d\":5}";
  g_autoptr (GBytes) payload = g_bytes_new_static (text, sizeof text - 1);
  g_autoptr (PenEvent) event = pen_event_new (payload, "a/b", START_US + 1500);

  pen_event_set_flags (event, PEN_EVENT_RETAINED);
  pen_batch_append (batch, event);
  pen_sqlite_fixture_set_columns (
      fixture,
      "unit TEXT=m.u.x;dotted=[\"m.d\"];topic TEXT=@topic;at TEXT=@arrival;s INTEGER=@arrival-s;"
      "ms INTEGER=@arrival-ms;us INTEGER=@arrival-us;raw TEXT=@payload;"
      "kept INTEGER=@retained;again INTEGER=@duplicate;\"who = what\" TEXT=@pipeline");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT * FROM events",
                           "C|5|a/b|2024-06-10T06:13:20.001500+00:00|1718000000|1718000000001|"
                           "1718000000001500|{\"m\":{\"u\":{\"x\":\"C\"}},\"m.d\":5}|1|0|test");
}

/* --- Columns from events --- */

static void
test_sqlite_first_event (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch (
      "no JSON", "[1]", "{}", "{\"n\":1,\"f\":1.5,\"s\":\"x\",\"b\":true,\"o\":{},\"a\\\"b\":null}",
      "{\"n\":2,\"z\":1}", "{\"s\":\"y\"}", NULL);

  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  test_assert_rejected (batch, "xxx.x.");
  pen_sqlite_assert_query (fixture->path, "SELECT sql FROM sqlite_master",
                           "CREATE TABLE \"events\" (\"n\" INTEGER, \"f\" REAL, \"s\" TEXT, "
                           "\"b\" BOOLEAN, \"o\" TEXT, \"a\"\"b\")");
  pen_sqlite_assert_query (fixture->path, "SELECT * FROM events",
                           "1|1.5|x|1|{}|NULL\nNULL|NULL|y|NULL|NULL|NULL");
}

static void
test_sqlite_add_columns (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch ("{\"n\":1}", "{\"n\":2,\"z\":1}", "{\"N\":3}",
                                                      "{\"y\":\"q\",\"z\":2}", NULL);

  g_object_set (fixture->sink, "add-columns", TRUE, NULL);
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  test_assert_rejected (batch, "..x.");
  pen_sqlite_assert_query (fixture->path, "SELECT n, z, y FROM events",
                           "1|NULL|NULL\n2|1|NULL\nNULL|2|q");
}

static void
test_sqlite_existing_table (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch ("{\"v\":\"5\"}", "{\"v\":\"6\"}", NULL);

  pen_sqlite_run (fixture->path,
                  "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, v INTEGER, "
                  "w GENERATED ALWAYS AS (v * 2))");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT id, v, w FROM events", "1|5|10\n2|6|12");
}

static void
test_sqlite_lacks_column (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch ("{\"a\":1,\"b\":2}", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *findings = NULL;
  g_autofree char *expected_findings = NULL;

  pen_sqlite_run (fixture->path, "CREATE TABLE events (a)");
  pen_sqlite_fixture_set_columns (fixture, "a;b INTEGER");
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  expected = g_strdup_printf (
      "the table 'events' in '%s' has no column 'b'; add-columns=true would add it", fixture->path);
  g_assert_cmpstr (error->message, ==, expected);
  findings = pen_harness_check (fixture->sink, "columns", TRUE);
  expected_findings = g_strdup_printf ("error: columns: %s\n", expected);
  g_assert_cmpstr (findings, ==, expected_findings);

  g_object_set (fixture->sink, "add-columns", TRUE, NULL);
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT a, b FROM events", "1|2");
}

/* What only SQLite can tell of a declaration stops the pipeline: nobody else will set it right. */
static void
test_sqlite_wrong_sql (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  pen_sqlite_fixture_set_columns (fixture, "a INTEGER NOT SO");
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_true (g_pattern_match_simple ("cannot create a table in '*': near \"SO\": syntax error",
                                         error->message));
}

/* --- Keys and constraints --- */

static void
test_sqlite_key (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch
      = pen_sqlite_make_batch ("{\"d\":\"x\",\"t\":1,\"v\":10}", "{\"d\":\"x\",\"t\":1,\"v\":11}",
                               "{\"d\":\"y\",\"t\":1,\"v\":12}", "{\"d\":\"y\",\"v\":13}", NULL);

  pen_sqlite_fixture_set_columns (fixture, "d TEXT;t INTEGER;v");
  pen_sqlite_fixture_set_key (fixture, "d;t");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  test_assert_rejected (batch, "...x");
  pen_sqlite_assert_query (fixture->path, "SELECT * FROM events", "x|1|10\ny|1|12");
  g_assert_cmpint (pen_harness_get_count (fixture->harness, "rows_ignored", NULL), ==, 1);
}

static void
test_sqlite_update (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch
      = pen_sqlite_make_batch ("{\"d\":\"x\",\"v\":10}", "{\"d\":\"x\",\"v\":11}", NULL);

  pen_sqlite_fixture_set_columns (fixture, "d TEXT PRIMARY KEY;v INTEGER NOT NULL");
  pen_sqlite_fixture_set_key (fixture, "d");
  g_object_set (fixture->sink, "on-conflict", 1, NULL);
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path, "SELECT * FROM events", "x|11");
}

static void
test_sqlite_key_without_index (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  pen_sqlite_run (fixture->path, "CREATE TABLE events (a, b)");
  pen_sqlite_fixture_set_key (fixture, "a;b");
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_true (g_pattern_match_simple ("*CREATE UNIQUE INDEX on_key ON \"events\" (\"a\",\"b\")*",
                                         error->message));
}

/* A bad row is a dead letter, and the rest of the batch goes in. */
static void
test_sqlite_bad_rows (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_sqlite_make_batch (
      "{\"v\":1}", "{\"v\":null}", "{\"v\":-1}", "{\"v\":18446744073709551616}", "{\"v\":1e400}",
      "{\"v\":-9223372036854775809}", "{\"v\":\"18446744073709551616\"}", "{\"v\":2", "{\"v\":2}",
      NULL);

  pen_sqlite_fixture_set_columns (fixture, "v INTEGER NOT NULL CHECK (v > 0)");
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, batch);
  test_assert_rejected (batch, ".xxxxxxx.");
  pen_sqlite_assert_query (fixture->path, "SELECT * FROM events", "1\n2");
}

/* Dozens of rows go in with one statement: bad ones among them are found, the others are those of
 * their event each, in their order. */
static void
test_sqlite_many (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  g_autoptr (GString) expected = g_string_new (NULL);

  pen_sqlite_fixture_set_columns (
      fixture, "id INTEGER UNIQUE;t TEXT CHECK (t <> 'bad');at TEXT=@arrival;u TEXT=m.u");
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *text
          = i % 41 == 7 ? g_strdup ("no JSON")
                        : g_strdup_printf ("{\"id\":%u,\"t\":\"%s%u\",\"m\":{\"u\":\"\\n%u\"}}",
                                           i == 150 ? 149 : i, i == 99 ? "" : "t\\u0041", i, i);
      g_autofree char *bad = g_strdup_printf ("{\"id\":%u,\"t\":\"bad\"}", i);
      gboolean is_bad = i == 99 || i == 150 || i % 41 == 7;
      g_autoptr (GBytes) payload = NULL;
      g_autoptr (PenEvent) event = NULL;

      payload = g_bytes_new (i == 99 ? bad : text, strlen (i == 99 ? bad : text));
      event = pen_event_new (payload, "t", START_US + i * G_USEC_PER_SEC);
      pen_batch_append (batch, event);
      if (!is_bad)
        g_string_append_printf (expected, "%s%u|tA%u|1718000%03u|\n%u", i > 0 ? "\n" : "", i, i, i,
                                i);
    }
  pen_sqlite_fixture_write (fixture, batch);
  for (guint i = 0; i < 200; i++)
    g_assert_cmpint (pen_batch_is_open (batch, i), ==, i != 99 && i != 150 && i % 41 != 7);
  pen_sqlite_assert_query (fixture->path,
                           "SELECT id, t, strftime('%s', at), u FROM events ORDER BY rowid",
                           expected->str);
}

/* With a key: what is there is left out of a statement of many, and counted. */
static void
test_sqlite_many_again (PenSqliteFixture *fixture, gconstpointer data)
{
  pen_sqlite_fixture_set_columns (fixture, "id INTEGER;v");
  pen_sqlite_fixture_set_key (fixture, "id");
  pen_harness_start (fixture->harness);
  for (guint first = 0; first <= 50; first += 50)
    {
      g_autoptr (PenBatch) batch = pen_batch_new ();

      for (guint i = first; i < first + 100; i++)
        {
          g_autofree char *text = g_strdup_printf ("{\"id\":%u,\"v\":%u}", i, first);
          g_autoptr (PenEvent) event = pen_harness_make_event (text, "t");

          pen_batch_append (batch, event);
        }
      pen_sqlite_fixture_write (fixture, batch);
    }
  pen_sqlite_assert_query (fixture->path, "SELECT v, count(*) FROM events GROUP BY v",
                           "0|100\n50|50");
  g_assert_cmpint (pen_harness_get_count (fixture->harness, "rows_ignored", NULL), ==, 50);
}

/* In the middle of dozens of rows an event brings a new column. */
static void
test_sqlite_many_columns (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();

  g_object_set (fixture->sink, "add-columns", TRUE, NULL);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < 120; i++)
    {
      g_autofree char *text = i == 50 ? g_strdup_printf ("{\"id\":%u,\"new\":\"x\"}", i)
                                      : g_strdup_printf ("{\"id\":%u}", i);
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "t");

      pen_batch_append (batch, event);
    }
  pen_sqlite_fixture_write (fixture, batch);
  pen_sqlite_assert_query (fixture->path,
                           "SELECT count(*), sum(id = rowid - 1), max(new), sum(new = 'x') "
                           "FROM events",
                           "120|120|x|1");
}

/* --- Retention --- */

static void
test_sqlite_retention (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  pen_sqlite_fixture_set_columns (fixture, "number INTEGER;epochtime INTEGER");
  g_object_set (fixture->sink, "retention", (gint64) 35 * 60 * G_USEC_PER_SEC, "retention-column",
                "epochtime", NULL);
  pen_harness_use_test_clock (fixture->harness, START_US);
  pen_harness_start (fixture->harness);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *text
          = g_strdup_printf ("{\"number\":%u,\"epochtime\":\"%u\"}", i, 1718000000 + i * 60);
      g_autoptr (PenBatch) batch = pen_sqlite_make_batch (text, NULL);

      pen_sqlite_fixture_write (fixture, batch);
      g_assert_true (pen_harness_flush (fixture->harness, &error));
      pen_harness_advance (fixture->harness, 60 * G_USEC_PER_SEC);
    }
  /* the last look was at minute 99: what is exactly 35 minutes old is not older */
  pen_sqlite_assert_query (fixture->path, "SELECT count(*), min(number), max(number) FROM events",
                           "36|64|99");
  g_assert_cmpint (pen_harness_get_count (fixture->harness, "rows_deleted", NULL), ==, 64);
}

/* Old rows go with the transaction that brings new ones: nobody has to wait for a timer. */
static void
test_sqlite_retention_with_rows (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (PenBatch) old = pen_sqlite_make_batch ("{\"t\":1717999000}", "{\"t\":null}", NULL);
  g_autoptr (PenBatch) new = pen_sqlite_make_batch ("{\"t\":1718000000}", NULL);

  pen_sqlite_fixture_set_columns (fixture, "t INTEGER");
  g_object_set (fixture->sink, "retention", (gint64) MINUTE_US, "retention-column", "t", NULL);
  pen_harness_use_test_clock (fixture->harness, START_US - 1000 * G_USEC_PER_SEC);
  pen_harness_start (fixture->harness);
  pen_sqlite_fixture_write (fixture, old);
  pen_harness_advance (fixture->harness, 1000 * G_USEC_PER_SEC);
  pen_sqlite_fixture_write (fixture, new);
  pen_sqlite_assert_query (fixture->path, "SELECT t FROM events", "NULL\n1718000000");
}

static void
test_sqlite_retention_no_column (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  pen_sqlite_run (fixture->path, "CREATE TABLE events (a)");
  g_object_set (fixture->sink, "retention", (gint64) MINUTE_US, "retention-column", "t", NULL);
  error = pen_harness_start_fails (fixture->harness);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_true (g_pattern_match_simple ("the table 'events' in '*' has no column 't', by which*",
                                         error->message));
}

static void
test_sqlite_retention_of_arrival (PenSqliteFixture *fixture, gconstpointer data)
{
  static const char *const columns[] = { "at TEXT=@arrival", "at INTEGER=@arrival-s",
                                         "at INTEGER=@arrival-ms", "at INTEGER=@arrival-us" };
  g_autoptr (GBytes) payload = g_bytes_new_static ("x", 1);
  gint64 now_us = START_US + 100 * G_USEC_PER_SEC;

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      g_autofree char *table = g_strdup_printf ("of_%u", i);
      g_autofree char *sql = g_strdup_printf ("SELECT n FROM %s ORDER BY n", table);
      g_autofree char *list = g_strdup_printf ("n INTEGER=@arrival-s;%s", columns[i]);
      g_autoptr (PenHarness) harness
          = pen_harness_new (g_object_new (PEN_TYPE_SQLITE_SINK, "database", fixture->path, "table",
                                           table, "retention", (gint64) 10 * G_USEC_PER_SEC, NULL));
      g_auto (GStrv) parts = g_strsplit (list, ";", -1);
      g_autoptr (PenBatch) batch = pen_batch_new ();

      for (gint64 age = 0; age < 20; age += 5)
        {
          g_autoptr (PenEvent) event = pen_event_new (payload, "t", now_us - age * G_USEC_PER_SEC);

          pen_batch_append (batch, event);
        }
      g_object_set (pen_harness_get_element (harness), "columns", parts, "retention-column", "at",
                    NULL);
      pen_harness_use_test_clock (harness, now_us);
      pen_harness_start (harness);
      g_assert_true (pen_harness_write (harness, batch, NULL));
      g_assert_true (pen_harness_flush (harness, NULL));
      pen_sqlite_assert_query (fixture->path, sql, "1718000090\n1718000095\n1718000100");
    }
}

/* --- What check says --- */

static void
test_sqlite_check (PenSqliteFixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *columns;
    const char *key;
    const char *finding;
  } cases[] = {
    { "a INTEGER;b TEXT=@topic;c=m.n", "a", "" },
    { "a INTEGER;A TEXT", NULL, "error: columns: the column 'A' is named twice*" },
    { "a; DROP TABLE x", NULL, "" }, /* a column called DROP, declared as "TABLE x" */
    { "a --", NULL, "error: columns: '--' behind the column 'a' is not what SQL says*" },
    { "a INTEGER, b", NULL, "error: columns: 'INTEGER, b' behind*" },
    { "a TEXT)", NULL, "error: columns: 'TEXT)' behind*" },
    { "\"a", NULL, "error: columns: '\"a' is not a column: its quote does not end*" },
    { "a=@when", NULL, "error: columns: the column 'a': '@when' is nothing that an event has*" },
    { "a", "b", "error: key: 'b' is none of the columns*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *findings = NULL;

      pen_sqlite_fixture_set_columns (fixture, cases[i].columns);
      pen_sqlite_fixture_set_key (fixture, cases[i].key != NULL ? cases[i].key : "");
      if (cases[i].key == NULL)
        g_object_set (fixture->sink, "key", NULL, NULL);
      findings = pen_harness_check (fixture->sink, "columns", TRUE);
      if (!g_pattern_match_simple (cases[i].finding, findings))
        g_test_fail_printf ("%s: %s", cases[i].columns, findings);
    }
}

static void
test_sqlite_check_retention (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autofree char *without = NULL;
  g_autofree char *of_text = NULL;
  g_autofree char *good = NULL;

  g_object_set (fixture->sink, "retention", (gint64) G_USEC_PER_SEC, NULL);
  pen_sqlite_fixture_set_columns (fixture, "a TEXT");
  without = pen_harness_check (fixture->sink, "retention", TRUE);
  g_assert_true (g_str_has_prefix (without, "error: retention: nothing says how old a row is"));
  g_object_set (fixture->sink, "retention-column", "a", NULL);
  of_text = pen_harness_check (fixture->sink, "retention", TRUE);
  g_assert_true (g_str_has_prefix (of_text, "error: retention-column: the column 'a' is TEXT"));
  pen_sqlite_fixture_set_columns (fixture, "a INTEGER");
  good = pen_harness_check (fixture->sink, "retention", TRUE);
  g_assert_cmpstr (good, ==, "");
}

static void
test_sqlite_check_file (PenSqliteFixture *fixture, gconstpointer data)
{
  g_autofree char *findings = NULL;

  pen_test_write_file (fixture->folder, "test.db", "this is a text, and no database at all");
  findings = pen_harness_check (fixture->sink, "database", TRUE);
  g_assert_true (g_str_has_prefix (findings, "error: database: cannot"));
  g_assert_true (g_pattern_match_simple ("*the file is not an SQLite database*", findings));
}

#define test_add(path, func)                                                                       \
  g_test_add ("/sqlite-sink/" path, PenSqliteFixture, NULL, pen_sqlite_fixture_set_up, func,       \
              pen_sqlite_fixture_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  test_add ("numbers", test_sqlite_numbers);
  test_add ("affinities", test_sqlite_affinities);
  test_add ("values", test_sqlite_values);
  test_add ("doubles", test_sqlite_doubles);
  test_add ("places", test_sqlite_places);
  test_add ("first-event", test_sqlite_first_event);
  test_add ("add-columns", test_sqlite_add_columns);
  test_add ("existing-table", test_sqlite_existing_table);
  test_add ("lacks-column", test_sqlite_lacks_column);
  test_add ("wrong-sql", test_sqlite_wrong_sql);
  test_add ("key", test_sqlite_key);
  test_add ("key/update", test_sqlite_update);
  test_add ("key/without-index", test_sqlite_key_without_index);
  test_add ("bad-rows", test_sqlite_bad_rows);
  test_add ("many", test_sqlite_many);
  test_add ("many/again", test_sqlite_many_again);
  test_add ("many/columns", test_sqlite_many_columns);
  test_add ("retention", test_sqlite_retention);
  test_add ("retention/with-rows", test_sqlite_retention_with_rows);
  test_add ("retention/no-column", test_sqlite_retention_no_column);
  test_add ("retention/of-arrival", test_sqlite_retention_of_arrival);
  test_add ("check", test_sqlite_check);
  test_add ("check/retention", test_sqlite_check_retention);
  test_add ("check/file", test_sqlite_check_file);
  return g_test_run ();
}
