/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which payloads are taken for equal, and how a difference is told.
 */

#include "config.h"

#include "pen-test.h"
#include "pen-trial-compare.h"
#include "pen-trial.h"

#include <string.h>

typedef struct
{
  const char *expected;
  const char *actual;
  const char *difference; /* NULL: they are equal */
} TestCase;

static const TestCase cases[] = {
  { "x", "x", NULL },
  { "x", "y", "they differ from byte 1 on" },
  { "abc", "abcd", "they differ from byte 4 on" },
  { "{\"a\":1,\"b\":2}", "{ \"b\" : 2, \"a\" : 1 }", NULL },
  { "[1, 2]", "[1,2]", NULL },
  { "\"\\u00e9\"", "\"\xc3\xa9\"", NULL },
  { "\"a\"", "\"b\"", "$: expected \"a\", got \"b\"" },
  { "1", "1.0", "$: expected 1, got 1.0" },
  { "36.103000000000002", "36.103", "$: expected 36.103000000000002, got 36.103" },
  { "1e3", "1000", "$: expected 1e3, got 1000" },
  { "null", "false", "$: expected null, got false" },
  { "{\"a\":{\"b\":[1,{\"c\":2}]}}", "{\"a\":{\"b\":[1,{\"c\":3}]}}",
    "$.a.b[1].c: expected 2, got 3" },
  { "{\"a\":1}", "{}", "$.a is missing: 1" },
  { "{}", "{\"a\":1}", "$.a was not expected: 1" },
  { "{\"a\":1,\"a\":1}", "{\"a\":1}", "$: expected {\"a\":1,\"a\":1}, got {\"a\":1}" },
  { "[1,2]", "[2,1]", "$[0]: expected 1, got 2" },
  { "[1]", "[1,2]", "$: expected 1 elements, got 2" },
  { "{\"a\":1}", "[1]", "$: expected {\"a\":1}, got [1]" },
  { "{\"a\":1}", "no json", "they differ from byte 1 on" },
};

static void
test_trial_compare (gconstpointer data)
{
  const TestCase *test = data;
  g_autoptr (GBytes) expected = g_bytes_new_static (test->expected, strlen (test->expected));
  g_autoptr (GBytes) actual = g_bytes_new_static (test->actual, strlen (test->actual));
  g_autofree char *difference = pen_trial_compare (expected, actual, FALSE);

  g_assert_cmpstr (difference, ==, test->difference);
}

static void
test_trial_exact (void)
{
  g_autoptr (GBytes) expected = g_bytes_new_static ("[1, 2]", 6);
  g_autoptr (GBytes) actual = g_bytes_new_static ("[1,2]", 5);
  g_autofree char *difference = pen_trial_compare (expected, actual, TRUE);
  g_autofree char *none = pen_trial_compare (actual, actual, TRUE);

  g_assert_cmpstr (difference, ==, "they differ from byte 4 on");
  g_assert_null (none);
}

/* Long values are cut between two characters. */
static void
test_trial_long (void)
{
  g_autofree char *filler = g_strnfill (58, 'x');
  g_autofree char *text = g_strdup_printf ("\"%s\xc3\xa9\xc3\xa9\"", filler);
  g_autofree char *wanted = g_strdup_printf ("$: expected \"%s…, got 1", filler);
  g_autoptr (GBytes) expected = g_bytes_new (text, strlen (text));
  g_autoptr (GBytes) actual = g_bytes_new_static ("1", 1);
  g_autofree char *difference = pen_trial_compare (expected, actual, FALSE);

  g_assert_cmpstr (difference, ==, wanted);
}

static void
test_trial_time (void)
{
  g_autoptr (PenTrial) trial = pen_trial_new ("a test", (PenPlace){ 3, 1 });
  gint64 start_us = 0;

  g_assert_true (pen_trial_get_start (trial, &start_us));
  g_assert_cmpint (start_us, ==, G_GINT64_CONSTANT (1767225600000000));
  g_object_set (trial, "time", "2026-06-01T14:00:00.5+02:00", NULL);
  g_assert_true (pen_trial_get_start (trial, &start_us));
  g_assert_cmpint (start_us, ==, G_GINT64_CONSTANT (1780315200500000));
  g_object_set (trial, "time", "noon", NULL);
  g_assert_false (pen_trial_get_start (trial, &start_us));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/trial/compare/%u", i);

      g_test_add_data_func (path, &cases[i], test_trial_compare);
    }
  g_test_add_func ("/trial/exact", test_trial_exact);
  g_test_add_func ("/trial/long", test_trial_long);
  g_test_add_func ("/trial/time", test_trial_time);
  return g_test_run ();
}
