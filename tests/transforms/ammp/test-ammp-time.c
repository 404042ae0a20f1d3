/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Unix seconds as a JSON number become RFC 3339: fractions, exponents, bounds, the calendar.
 */

#include "config.h"

#include "pen-ammp-time.h"
#include "pen-test.h"

#include <string.h>

static char *
test_ammp_time_convert (const char *number)
{
  PenJsonSlice slice = { .text = number, .length = strlen (number), .type = PEN_JSON_NUMBER };
  g_autoptr (GError) error = NULL;
  char time[PEN_AMMP_TIME_MAX_LENGTH];
  gsize length;

  if (pen_ammp_time_convert (&slice, time, &length, &error))
    return g_strndup (time, length);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
  g_assert_cmpstr (pen_element_error_get_reason (error), ==, "bad_timestamp");
  return g_strdup (error->message);
}

typedef struct
{
  const char *number;
  const char *expected;
} TimeCase;

static void
test_ammp_time_check (const TimeCase *cases, guint n_cases)
{
  for (guint i = 0; i < n_cases; i++)
    {
      g_autofree char *result = test_ammp_time_convert (cases[i].number);

      g_test_message ("%s", cases[i].number);
      g_assert_cmpstr (result, ==, cases[i].expected);
    }
}

static void
test_ammp_time_whole_seconds (void)
{
  static const TimeCase cases[] = {
    { "0", "1970-01-01T00:00:00+00:00" },
    { "-0", "1970-01-01T00:00:00+00:00" },
    { "1625576100", "2021-07-06T12:55:00+00:00" },
    { "1625576100.0", "2021-07-06T12:55:00+00:00" },
    { "1625576100.000000000000000000000", "2021-07-06T12:55:00+00:00" },
    { "1.6255761e9", "2021-07-06T12:55:00+00:00" },
    { "1.6255761E+9", "2021-07-06T12:55:00+00:00" },
    { "16255761e2", "2021-07-06T12:55:00+00:00" },
    { "0.16255761e10", "2021-07-06T12:55:00+00:00" },
    { "0.00016255761e13", "2021-07-06T12:55:00+00:00" },
    { "16255761000000000000000000000000e-22", "2021-07-06T12:55:00+00:00" },
    { "-1", "1969-12-31T23:59:59+00:00" },
    { "-86400", "1969-12-31T00:00:00+00:00" },
    { "951782400", "2000-02-29T00:00:00+00:00" },
    { "951868800", "2000-03-01T00:00:00+00:00" },
    { "-2203891200", "1900-03-01T00:00:00+00:00" },
    { "-2203977600", "1900-02-28T00:00:00+00:00" },
    { "1735689599", "2024-12-31T23:59:59+00:00" },
    { "1735689600", "2025-01-01T00:00:00+00:00" },
    { "0e999999999999999999999999999999", "1970-01-01T00:00:00+00:00" },
    { "-0.000E+400", "1970-01-01T00:00:00+00:00" },
  };

  test_ammp_time_check (cases, G_N_ELEMENTS (cases));
}

static void
test_ammp_time_fractions (void)
{
  static const TimeCase cases[] = {
    { "1625576100.25", "2021-07-06T12:55:00.25+00:00" },
    { "1625576100.250", "2021-07-06T12:55:00.25+00:00" },
    { "1625576100.123456789", "2021-07-06T12:55:00.123456789+00:00" },
    { "1625576100.1234567899", "2021-07-06T12:55:00.123456789+00:00" },
    { "1625576100.000000001", "2021-07-06T12:55:00.000000001+00:00" },
    { "1625576100.0000000009", "2021-07-06T12:55:00+00:00" },
    { "1625576100.9999999999", "2021-07-06T12:55:00.999999999+00:00" },
    { "162557610025e-2", "2021-07-06T12:55:00.25+00:00" },
    { "1e-9", "1970-01-01T00:00:00.000000001+00:00" },
    { "1e-10", "1970-01-01T00:00:00+00:00" },
    { "1e-999999999999999999999999999999", "1970-01-01T00:00:00+00:00" },
    { "0.5", "1970-01-01T00:00:00.5+00:00" },
    { "0.05", "1970-01-01T00:00:00.05+00:00" },
    /* Towards the past, not towards zero. */
    { "-0.5", "1969-12-31T23:59:59.5+00:00" },
    { "-0.25", "1969-12-31T23:59:59.75+00:00" },
    { "-1.000000001", "1969-12-31T23:59:58.999999999+00:00" },
    { "-1.0000000001", "1969-12-31T23:59:58.999999999+00:00" },
    { "-0.9999999999", "1969-12-31T23:59:59+00:00" },
    { "-1e-999999999999999999999999999999", "1969-12-31T23:59:59.999999999+00:00" },
    { "-0.0000000000", "1970-01-01T00:00:00+00:00" },
  };

  test_ammp_time_check (cases, G_N_ELEMENTS (cases));
}

static void
test_ammp_time_bounds (void)
{
  static const TimeCase cases[] = {
    { "-62135596800", "0001-01-01T00:00:00+00:00" },
    { "-6.21355968e10", "0001-01-01T00:00:00+00:00" },
    { "-62135596799.5", "0001-01-01T00:00:00.5+00:00" },
    { "253402300799", "9999-12-31T23:59:59+00:00" },
    { "253402300799.999999999", "9999-12-31T23:59:59.999999999+00:00" },
    { "253402300799.9999999999", "9999-12-31T23:59:59.999999999+00:00" },
    { "-62135596801", "t is -62135596801: outside years 1 to 9999" },
    { "-62135596800.0000000001", "t is -62135596800.0000000001: outside years 1 to 9999" },
    { "253402300800", "t is 253402300800: outside years 1 to 9999; are these milliseconds?" },
    { "1625576100000", "t is 1625576100000: outside years 1 to 9999; are these milliseconds?" },
    { "1625576100000.5", "t is 1625576100000.5: outside years 1 to 9999; are these milliseconds?" },
    { "1625576100000000",
      "t is 1625576100000000: outside years 1 to 9999; are these microseconds?" },
    { "1625576100000000000",
      "t is 1625576100000000000: outside years 1 to 9999; are these nanoseconds?" },
    { "1e20", "t is 1e20: outside years 1 to 9999" },
    { "-1625576100000", "t is -1625576100000: outside years 1 to 9999" },
    { "1e999999999999999999999999999999",
      "t is 1e999999999999999999999999999999: outside years 1 to 9999" },
    { "1111111111222222222233333333334444444444",
      "t is 1111111111222222222233333333334444444444: outside years 1 to 9999" },
    { "11111111112222222222333333333344444444445",
      "t is 1111111111222222222233333333334444444444…: outside years 1 to 9999" },
  };

  test_ammp_time_check (cases, G_N_ELEMENTS (cases));
}

/* Every day of four centuries and a bit more, against GLib's calendar. */
static void
test_ammp_time_every_day (void)
{
  g_autoptr (GDate) date = g_date_new_dmy (1, G_DATE_JANUARY, 1);
  gint64 second = -G_GINT64_CONSTANT (62135596800);

  for (guint i = 0; i < 410 * 366; i++)
    {
      g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, second);
      g_autofree char *result = test_ammp_time_convert (number);
      g_autofree char *expected
          = g_strdup_printf ("%04d-%02d-%02dT00:00:00+00:00", g_date_get_year (date),
                             g_date_get_month (date), g_date_get_day (date));

      g_assert_cmpstr (result, ==, expected);
      g_date_add_days (date, 1);
      second += 86400;
    }
}

/* A number of a million digits is one look at each of them. */
static void
test_ammp_time_long_numbers (void)
{
  g_autofree char *zeros = g_strnfill (1000000, '0');
  g_autofree char *small = g_strconcat ("-0.", zeros, "1", NULL);
  g_autofree char *shifted = g_strconcat ("0.", zeros, "16255761e1000010", NULL);
  g_autofree char *unshifted = g_strconcat ("1625576100", zeros, "e-1000000", NULL);
  g_autofree char *small_result = test_ammp_time_convert (small);
  g_autofree char *shifted_result = test_ammp_time_convert (shifted);
  g_autofree char *unshifted_result = test_ammp_time_convert (unshifted);

  g_assert_cmpstr (small_result, ==, "1969-12-31T23:59:59.999999999+00:00");
  g_assert_cmpstr (shifted_result, ==, "2021-07-06T12:55:00+00:00");
  g_assert_cmpstr (unshifted_result, ==, "2021-07-06T12:55:00+00:00");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/ammp-time/whole-seconds", test_ammp_time_whole_seconds);
  g_test_add_func ("/ammp-time/fractions", test_ammp_time_fractions);
  g_test_add_func ("/ammp-time/bounds", test_ammp_time_bounds);
  g_test_add_func ("/ammp-time/every-day", test_ammp_time_every_day);
  g_test_add_func ("/ammp-time/long-numbers", test_ammp_time_long_numbers);
  return g_test_run ();
}
