/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sliding windows against SQL: with every message, the averages that SQLite computes of all
 * messages so far, to the last digit. Times have gaps, repeat, and come out of order.
 */

#include "config.h"

#include "pen-harness.h"
#include "pen-window-plan.h"
#include "pen-window-transform.h"

#include <sqlite3.h>
#include <string.h>

#define N_MESSAGES 100000

/* The condition is the second one; the first says the same in a way that can use an index. */
static const char average_sql[] = "SELECT AVG (number) FROM messages "
                                  "WHERE epochtime >= (SELECT MAX (epochtime) FROM messages) - ?1 "
                                  "AND (SELECT MAX (epochtime) FROM messages) - epochtime <= ?1";

typedef struct
{
  sqlite3 *database;
  sqlite3_stmt *insert;
  sqlite3_stmt *average;
} TestSql;

static void
test_sql_open (TestSql *self)
{
  g_assert_cmpint (sqlite3_open (":memory:", &self->database), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (self->database,
                                 "CREATE TABLE messages (number INTEGER, epochtime INTEGER);"
                                 "CREATE INDEX times ON messages (epochtime, number)",
                                 NULL, NULL, NULL),
                   ==, SQLITE_OK);
  sqlite3_prepare_v2 (self->database, "INSERT INTO messages VALUES (?1, ?2)", -1, &self->insert,
                      NULL);
  sqlite3_prepare_v2 (self->database, average_sql, -1, &self->average, NULL);
  g_assert_nonnull (self->average);
}

static void
test_sql_close (TestSql *self)
{
  sqlite3_finalize (self->insert);
  sqlite3_finalize (self->average);
  sqlite3_close (self->database);
}

static void
test_sql_insert (TestSql *self, gint64 number, gint64 time)
{
  sqlite3_bind_int64 (self->insert, 1, number);
  sqlite3_bind_int64 (self->insert, 2, time);
  g_assert_cmpint (sqlite3_step (self->insert), ==, SQLITE_DONE);
  sqlite3_reset (self->insert);
}

static double
test_sql_average (TestSql *self, gint64 seconds)
{
  double average;

  sqlite3_bind_int64 (self->average, 1, seconds);
  g_assert_cmpint (sqlite3_step (self->average), ==, SQLITE_ROW);
  average = sqlite3_column_double (self->average, 0);
  sqlite3_reset (self->average);
  return average;
}

static void
test_sql_append (TestSql *self, GString *text, const char *name, gint64 seconds)
{
  char number[PEN_JSON_DOUBLE_SIZE];

  pen_json_format_double (test_sql_average (self, seconds), number);
  g_string_append_printf (text, "%s\"%s\": %s", text->len > 0 ? ", " : "{", name, number);
}

static PenHarness *
test_sql_start_window (void)
{
  const char *const windows[] = { "1min", "5min", "30min", NULL };
  const char *const functions[] = { "mean(number)", NULL };
  PenElement *element = g_object_new (PEN_TYPE_WINDOW_TRANSFORM, "windows", windows, "functions",
                                      functions, "time-field", "epochtime", "name", "avg_{window}",
                                      "blanks", TRUE, "kind", PEN_WINDOW_SLIDING, NULL);
  PenHarness *harness = pen_harness_new (element);

  pen_harness_start (harness);
  return harness;
}

/* Mostly a few seconds on; now and then a gap, the same second again, or a step back. */
static gint64
test_sql_choose_time (GRand *random, gint64 greatest)
{
  switch (g_rand_int_range (random, 0, 20))
    {
    case 0:
      return greatest + g_rand_int_range (random, 0, 4000);
    case 1:
    case 2:
    case 3:
      return greatest - g_rand_int_range (random, 0, 100);
    case 4:
      return greatest - g_rand_int_range (random, 0, 3000);
    case 5:
    case 6:
      return greatest;
    default:
      return greatest + g_rand_int_range (random, 1, 30);
    }
}

static void
test_sql_agrees (void)
{
  g_autoptr (PenHarness) harness = test_sql_start_window ();
  g_autoptr (GRand) random = g_rand_new_with_seed (20240610);
  TestSql sql = { NULL };
  gint64 greatest = 1718000000;

  test_sql_open (&sql);
  for (guint i = 0; i < N_MESSAGES; i++)
    {
      gint64 time = test_sql_choose_time (random, greatest);
      gint32 number = g_rand_int_range (random, 1, 100);
      g_autoptr (GString) expected = g_string_new (NULL);
      g_autofree char *message = g_strdup_printf (
          "{\"number\": %d, \"epochtime\": \"%" G_GINT64_FORMAT "\"}", number, time);
      g_autofree char *actual = NULL;

      pen_harness_push_text (harness, message);
      actual = pen_harness_pull_text (harness);
      test_sql_insert (&sql, number, time);
      test_sql_append (&sql, expected, "avg_1min", 60);
      test_sql_append (&sql, expected, "avg_5min", 300);
      test_sql_append (&sql, expected, "avg_30min", 1800);
      g_string_append_c (expected, '}');
      g_assert_cmpstr (actual, ==, expected->str);
      greatest = MAX (greatest, time);
    }
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
  test_sql_close (&sql);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/window/sql/agrees", test_sql_agrees);
  return g_test_run ();
}
