/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Durations and sizes: what is read, what is refused with which words, what reads back.
 */

#include "config.h"

#include "pen-test.h"
#include "pen-value-private.h"

typedef struct
{
  const char *text;
  guint64 value;
} ValueCase;

typedef struct
{
  const char *text;
  PenValueError code;
  const char *message;
} FaultCase;

static const ValueCase durations[] = {
  { "0s", 0 },
  { "0d", 0 },
  { "7us", 7 },
  { "500ms", 500000 },
  { "30s", 30000000 },
  { "030s", 30000000 },
  { "5min", 300000000 },
  { "2h", 7200000000 },
  { "7d", 604800000000 },
  { "106751991d", 9223372022400000000u },
  { "9223372036854775807us", G_MAXINT64 },
};

static const FaultCase duration_faults[] = {
  { "", PEN_VALUE_ERROR_SYNTAX,
    "'' is not a duration; write a whole number and a unit, such as 500ms, 30s, 5min, 2h or 7d" },
  { "soon", PEN_VALUE_ERROR_SYNTAX,
    "'soon' is not a duration; write a whole number and a unit, such as 500ms, 30s, 5min, 2h or "
    "7d" },
  { "-5s", PEN_VALUE_ERROR_SYNTAX,
    "'-5s' is not a duration; write a whole number and a unit, such as 500ms, 30s, 5min, 2h or "
    "7d" },
  { "1.5s", PEN_VALUE_ERROR_SYNTAX,
    "'1.5s' is not a duration; write a whole number and a unit, such as 500ms, 30s, 5min, 2h or "
    "7d" },
  { "30", PEN_VALUE_ERROR_UNIT, "the duration '30' has no unit; did you mean '30s'?" },
  { "5m", PEN_VALUE_ERROR_UNIT,
    "the duration '5m' has the unknown unit 'm'; did you mean '5min'?" },
  { "30 s", PEN_VALUE_ERROR_UNIT,
    "the duration '30 s' has the unknown unit ' s'; did you mean '30s'?" },
  { "3Hours", PEN_VALUE_ERROR_UNIT,
    "the duration '3Hours' has the unknown unit 'Hours'; did you mean '3h'?" },
  { "1h30min", PEN_VALUE_ERROR_UNIT,
    "the duration '1h30min' has the unknown unit 'h30min'; the units are us, ms, s, min, h and d" },
  { "106751992d", PEN_VALUE_ERROR_RANGE,
    "the duration '106751992d' is too large; the largest is 106751991d" },
  { "99999999999999999999999s", PEN_VALUE_ERROR_RANGE,
    "the duration '99999999999999999999999s' is too large; the largest is 106751991d" },
};

static const ValueCase sizes[] = {
  { "0B", 0 },
  { "1B", 1 },
  { "512KiB", 524288 },
  { "64MiB", 67108864 },
  { "1GiB", 1073741824 },
  { "16777215TiB", 18446742974197923840u },
  { "18446744073709551615B", G_MAXUINT64 },
};

static const FaultCase size_faults[] = {
  { "big", PEN_VALUE_ERROR_SYNTAX,
    "'big' is not a size; write a whole number and a unit, such as 512KiB or 64MiB" },
  { "65536", PEN_VALUE_ERROR_UNIT, "the size '65536' has no unit; did you mean '64KiB'?" },
  { "1000", PEN_VALUE_ERROR_UNIT,
    "the size '1000' has no unit; the units are B, KiB, MiB, GiB and TiB" },
  { "1025", PEN_VALUE_ERROR_UNIT, "the size '1025' has no unit; did you mean '1025B'?" },
  { "10MB", PEN_VALUE_ERROR_UNIT,
    "the size '10MB' has the unknown unit 'MB'; did you mean '10MiB'?" },
  { "10kib", PEN_VALUE_ERROR_UNIT,
    "the size '10kib' has the unknown unit 'kib'; did you mean '10KiB'?" },
  { "3PiB", PEN_VALUE_ERROR_UNIT,
    "the size '3PiB' has the unknown unit 'PiB'; the units are B, KiB, MiB, GiB and TiB" },
  { "16777216TiB", PEN_VALUE_ERROR_RANGE,
    "the size '16777216TiB' is too large; the largest is 16777215TiB" },
  { "18446744073709551616B", PEN_VALUE_ERROR_RANGE,
    "the size '18446744073709551616B' is too large; the largest is 16777215TiB" },
};

static void
test_value_reads_durations (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (durations); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 duration_us = -1;

      g_assert_true (pen_duration_parse (durations[i].text, &duration_us, &error));
      g_assert_no_error (error);
      g_assert_cmpint (duration_us, ==, (gint64) durations[i].value);
    }
}

static void
test_value_refuses_durations (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (duration_faults); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 duration_us = -1;

      g_assert_false (pen_duration_parse (duration_faults[i].text, &duration_us, &error));
      g_assert_error (error, PEN_VALUE_ERROR, (int) duration_faults[i].code);
      g_assert_cmpstr (error->message, ==, duration_faults[i].message);
      g_assert_cmpint (duration_us, ==, -1);
    }
}

static void
test_value_reads_sizes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size_bytes = 99;

      g_assert_true (pen_size_parse (sizes[i].text, &size_bytes, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (size_bytes, ==, sizes[i].value);
    }
}

static void
test_value_refuses_sizes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (size_faults); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size_bytes = 99;

      g_assert_false (pen_size_parse (size_faults[i].text, &size_bytes, &error));
      g_assert_error (error, PEN_VALUE_ERROR, (int) size_faults[i].code);
      g_assert_cmpstr (error->message, ==, size_faults[i].message);
      g_assert_cmpuint (size_bytes, ==, 99);
    }
}

static void
test_value_formats (void)
{
  static const struct
  {
    gint64 us;
    const char *text;
  } cases[] = {
    { 0, "0s" },
    { 1, "1us" },
    { 1500, "1500us" },
    { 500000, "500ms" },
    { 90000000, "90s" },
    { 60000000, "1min" },
    { 3600000000, "1h" },
    { 86400000000, "1d" },
    { -60000000, "-1min" },
    { G_MININT64, "-9223372036854775808us" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = pen_duration_format (cases[i].us);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

/* Every order of magnitude, with values that a unit divides and values that none does. */
static void
test_value_reads_back_what_it_formats (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      guint64 value = ((guint64) g_test_rand_int () << 32) | (guint32) g_test_rand_int ();
      g_autofree char *duration = NULL;
      g_autofree char *size = NULL;
      gint64 duration_us = -1;
      guint64 size_bytes = 0;

      value >>= (guint) g_test_rand_int_range (0, 64);
      if (g_test_rand_bit ())
        value -= value % 3600000;
      size = pen_size_format (value);
      g_assert_true (pen_size_parse (size, &size_bytes, NULL));
      g_assert_cmpuint (size_bytes, ==, value);

      value &= G_MAXINT64;
      duration = pen_duration_format ((gint64) value);
      g_assert_true (pen_duration_parse (duration, &duration_us, NULL));
      g_assert_cmpint (duration_us, ==, (gint64) value);
    }
}

static void
test_value_suggests_nothing_for_nonsense (void)
{
  static const char *const texts[] = { "", "x", "-1", "12345678901234567890123", "5parsecs" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_null (pen_duration_suggest (texts[i]));
      g_assert_null (pen_size_suggest (texts[i]));
    }
}

static void
test_value_suggests_whole_numbers (void)
{
  static const struct
  {
    const char *text;
    const char *suggestion;
  } cases[] = {
    { "0.5s", "500ms" }, { "1.5h", "90min" }, { "2.0d", "2d" }, { "0.1us", NULL },
    { "1.5x", NULL },    { "1.5.5s", NULL },  { "0.0s", NULL }, { "1e3.5s", NULL },
  };
  g_autofree char *size = pen_size_suggest ("1.5MiB");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *suggestion = pen_duration_suggest (cases[i].text);

      g_assert_cmpstr (suggestion, ==, cases[i].suggestion);
    }
  g_assert_cmpstr (size, ==, "1536KiB");
}

/* The derived types must behave as their parents do: default, validation, value type. */
static void
test_value_param_specs (void)
{
  GParamFlags flags = PEN_PARAM_DEFAULTS | PEN_PARAM_MUTABLE;
  g_autoptr (GParamSpec) duration
      = g_param_spec_ref_sink (pen_param_spec_duration ("linger", "Wait", 10, 50, 20, flags));
  g_autoptr (GParamSpec) size
      = g_param_spec_ref_sink (pen_param_spec_size ("limit", "Most", 1, 5, 2, flags));
  g_auto (GValue) value = G_VALUE_INIT;

  g_assert_true (PEN_IS_PARAM_SPEC_DURATION (duration));
  g_assert_true (G_IS_PARAM_SPEC_INT64 (duration));
  g_assert_false (PEN_IS_PARAM_SPEC_SIZE (duration));
  g_assert_true (PEN_IS_PARAM_SPEC_SIZE (size));
  g_assert_true (G_IS_PARAM_SPEC_UINT64 (size));
  g_assert_cmpuint (duration->value_type, ==, G_TYPE_INT64);
  g_assert_cmpuint (size->value_type, ==, G_TYPE_UINT64);
  g_assert_cmpint (g_value_get_int64 (g_param_spec_get_default_value (duration)), ==, 20);
  g_assert_cmpuint (g_value_get_uint64 (g_param_spec_get_default_value (size)), ==, 2);
  g_assert_true ((duration->flags & PEN_PARAM_MUTABLE) != 0);
  g_assert_true ((duration->flags & PEN_PARAM_SECRET) == 0);

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, 51);
  g_assert_true (g_param_value_validate (duration, &value));
  g_assert_cmpint (g_value_get_int64 (&value), ==, 50);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/value/reads-durations", test_value_reads_durations);
  g_test_add_func ("/value/refuses-durations", test_value_refuses_durations);
  g_test_add_func ("/value/reads-sizes", test_value_reads_sizes);
  g_test_add_func ("/value/refuses-sizes", test_value_refuses_sizes);
  g_test_add_func ("/value/formats", test_value_formats);
  g_test_add_func ("/value/reads-back-what-it-formats", test_value_reads_back_what_it_formats);
  g_test_add_func ("/value/suggests-nothing-for-nonsense",
                   test_value_suggests_nothing_for_nonsense);
  g_test_add_func ("/value/suggests-whole-numbers", test_value_suggests_whole_numbers);
  g_test_add_func ("/value/param-specs", test_value_param_specs);
  return g_test_run ();
}
