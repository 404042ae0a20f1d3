/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Points in time: what is read, what is refused, and that what is written is read again; GDateTime
 * is the judge of the calendar.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

#define FIRST_SECOND G_GINT64_CONSTANT (-62135596800)
#define LAST_SECOND G_GINT64_CONSTANT (253402300799)

static void
test_time_reads_iso (void)
{
  static const struct
  {
    const char *text;
    gint64 time_us; /* G_MININT64: refused */
  } cases[] = {
    { "1970-01-01", 0 },
    { "1970-01-01T00:00", 0 },
    { "1970-01-01 00:00:01", 1000000 },
    { "1970-01-01T00:00:00.5", 500000 },
    { "1970-01-01T00:00:00,1234569Z", 123456 },
    { "1970-01-01T01:00:00+01:00", 0 },
    { "1970-01-01t01:30:00+0130", 0 },
    { "1969-12-31T23:00:00-01", 0 },
    { "1969-12-31T23:59:59.999999z", -1 },
    { "2024-06-14T18:27:45.123456", 1718389665123456 },
    { "0001-01-01T00:00:00Z", FIRST_SECOND * 1000000 },
    { "9999-12-31T23:59:59Z", LAST_SECOND * 1000000 },
    { "0001-01-01T00:00:00+00:01", G_MININT64 },
    { "9999-12-31T23:59:59-00:01", G_MININT64 },
    { "0000-01-01", G_MININT64 },
    { "2023-02-29", G_MININT64 },
    { "2024-13-01", G_MININT64 },
    { "2024-1-01", G_MININT64 },
    { "2024-01-01T", G_MININT64 },
    { "2024-01-01T24:00", G_MININT64 },
    { "2024-01-01T00:00:60", G_MININT64 },
    { "2024-01-01T00:00:00.", G_MININT64 },
    { "2024-01-01T00:00:00+1", G_MININT64 },
    { "2024-01-01T00:00:00+01:", G_MININT64 },
    { "2024-01-01T00:00:00 Z", G_MININT64 },
    { "2024-01-01T00:00:00Zx", G_MININT64 },
    { "1718389665", G_MININT64 },
    { "", G_MININT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 time_us = G_MININT64;
      gboolean is_good = pen_time_parse (cases[i].text, strlen (cases[i].text), &time_us);

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (is_good, ==, cases[i].time_us != G_MININT64);
      if (is_good)
        g_assert_cmpint (time_us, ==, cases[i].time_us);
    }
}

static void
test_time_reads_numbers (void)
{
  static const struct
  {
    const char *text;
    PenTimeUnit unit;
    gint64 time_us; /* G_MININT64: refused */
  } cases[] = {
    { "0", PEN_TIME_UNIT_SECONDS, 0 },
    { "-0.0e9", PEN_TIME_UNIT_SECONDS, 0 },
    { "1718000000", PEN_TIME_UNIT_SECONDS, 1718000000000000 },
    { "1718000000.25", PEN_TIME_UNIT_SECONDS, 1718000000250000 },
    { "1718000000.9999999", PEN_TIME_UNIT_SECONDS, 1718000000999999 },
    { "-0.0000001", PEN_TIME_UNIT_SECONDS, -1 },
    { "-1.5", PEN_TIME_UNIT_SECONDS, -1500000 },
    { "1.718e9", PEN_TIME_UNIT_SECONDS, 1718000000000000 },
    { "17180000000E-1", PEN_TIME_UNIT_SECONDS, 1718000000000000 },
    { "1e-999999999999999999999", PEN_TIME_UNIT_SECONDS, 0 },
    { "0.0001e+4", PEN_TIME_UNIT_SECONDS, 1000000 },
    { "1718000000123", PEN_TIME_UNIT_MILLISECONDS, 1718000000123000 },
    { "1718000000123456", PEN_TIME_UNIT_MICROSECONDS, 1718000000123456 },
    { "253402300799.999999", PEN_TIME_UNIT_SECONDS, LAST_SECOND * 1000000 + 999999 },
    { "253402300800", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "-62135596801", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "1e999999999999999999999", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "99999999999999999999", PEN_TIME_UNIT_MICROSECONDS, G_MININT64 },
    { "", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "-", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { ".5", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "5.", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "5e", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "1.2.3", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "+5", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { " 5", PEN_TIME_UNIT_SECONDS, G_MININT64 },
    { "0x5", PEN_TIME_UNIT_SECONDS, G_MININT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *text = cases[i].text;
      gint64 time_us = G_MININT64;
      gboolean is_good = pen_time_parse_number (text, strlen (text), cases[i].unit, &time_us);

      g_test_message ("%s", text);
      g_assert_cmpint (is_good, ==, cases[i].time_us != G_MININT64);
      if (is_good)
        g_assert_cmpint (time_us, ==, cases[i].time_us);
    }
}

static void
test_time_expect_round_trip (gint64 time_us)
{
  static const PenTimeUnit units[]
      = { PEN_TIME_UNIT_SECONDS, PEN_TIME_UNIT_MILLISECONDS, PEN_TIME_UNIT_MICROSECONDS };
  char text[PEN_TIME_MAX_LENGTH + 1];
  gint64 again_us;

  g_assert_cmpuint (pen_time_format (time_us, text), ==, strlen (text));
  g_assert_true (pen_time_parse (text, strlen (text), &again_us));
  g_assert_cmpint (again_us, ==, time_us);
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    {
      g_assert_cmpuint (pen_time_format_number (time_us, units[i], text), ==, strlen (text));
      g_assert_true (pen_time_parse_number (text, strlen (text), units[i], &again_us));
      g_assert_cmpint (again_us, ==, time_us);
    }
}

static void
test_time_writes_what_is_read (void)
{
  char text[PEN_TIME_MAX_LENGTH + 1];

  pen_time_format (0, text);
  g_assert_cmpstr (text, ==, "1970-01-01T00:00:00+00:00");
  pen_time_format (-1, text);
  g_assert_cmpstr (text, ==, "1969-12-31T23:59:59.999999+00:00");
  pen_time_format_number (-1500, PEN_TIME_UNIT_MILLISECONDS, text);
  g_assert_cmpstr (text, ==, "-1.5");
  pen_time_format_number (1000001, PEN_TIME_UNIT_SECONDS, text);
  g_assert_cmpstr (text, ==, "1.000001");
  test_time_expect_round_trip (FIRST_SECOND * 1000000);
  test_time_expect_round_trip (LAST_SECOND * 1000000 + 999999);
}

static void
test_time_agrees_with_glib (void)
{
  for (guint i = 0; i < 100000; i++)
    {
      gint64 second
          = FIRST_SECOND + (gint64) (g_test_rand_double () * (double) (LAST_SECOND - FIRST_SECOND));
      g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (second);
      g_autofree char *expected = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S+00:00");
      char text[PEN_TIME_MAX_LENGTH + 1];

      pen_time_format (second * G_USEC_PER_SEC, text);
      /* %Y has no leading zeros everywhere */
      g_assert_true (g_str_has_suffix (text, expected));
      test_time_expect_round_trip (second * G_USEC_PER_SEC + g_test_rand_int_range (0, 1000000));
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/time/reads-iso", test_time_reads_iso);
  g_test_add_func ("/time/reads-numbers", test_time_reads_numbers);
  g_test_add_func ("/time/writes-what-is-read", test_time_writes_what_is_read);
  g_test_add_func ("/time/agrees-with-glib", test_time_agrees_with_glib);
  return g_test_run ();
}
