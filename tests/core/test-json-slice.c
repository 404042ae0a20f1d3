/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be asked of a slice: equality and hash by decoded value, its text, a number's value.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

static PenJsonSlice
test_slice_scan (const char *text)
{
  PenJsonScanner scanner;
  PenJsonSlice slice = { 0 };

  pen_json_scanner_init (&scanner, text, strlen (text));
  g_assert_true (pen_json_scanner_begin (&scanner, &slice));
  g_assert_true (pen_json_scanner_skip (&scanner, &slice));
  return slice;
}

static PenJsonSlice
test_slice_scan_key (const char *text)
{
  PenJsonScanner scanner;
  PenJsonMember member;

  pen_json_scanner_init (&scanner, text, strlen (text));
  g_assert_true (pen_json_scanner_begin (&scanner, &member.value));
  g_assert_true (pen_json_scanner_enter (&scanner));
  g_assert_true (pen_json_scanner_next (&scanner, &member));
  return member.key;
}

static void
test_slice_decodes (void)
{
  static const struct
  {
    const char *text;
    const char *decoded;
    gsize length;
  } cases[] = {
    { "\"\"", "", 0 },
    { "\"plain\"", "plain", 5 },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
    { "\"a\\u0000b\"", "a\0b", 3 },
    { "\"\\u00e9\\u20AC\\uD834\\uDD1E\"", "\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e", 9 },
    { "[\"\\n\"]", "[\"\\n\"]", 6 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PenJsonSlice slice = test_slice_scan (cases[i].text);
      gsize length;
      g_autofree char *decoded = pen_json_slice_decode (&slice, &length);

      g_assert_cmpmem (decoded, length, cases[i].decoded, cases[i].length);
      g_assert_cmpint (decoded[length], ==, '\0');
    }
}

static void
test_slice_assert_equality (const PenJsonSlice *a, const PenJsonSlice *b, gboolean expected)
{
  g_assert_cmpint (pen_json_slice_equal (a, b), ==, expected);
  g_assert_cmpint (pen_json_slice_equal (b, a), ==, expected);
  if (expected)
    g_assert_cmpuint (pen_json_slice_hash (a), ==, pen_json_slice_hash (b));
}

static void
test_slice_compares_decoded_values (void)
{
  PenJsonSlice key = test_slice_scan_key ("{\"_v\\u0069d\":1}");
  PenJsonSlice plain_key = test_slice_scan_key ("{\"_vid\":1}");
  PenJsonSlice string = test_slice_scan ("\"_vid\"");
  PenJsonSlice escaped = test_slice_scan ("\"\\u005fv\\u0069d\"");
  PenJsonSlice other = test_slice_scan ("\"_vix\"");
  PenJsonSlice quotes = test_slice_scan_key ("{\"\\\"\\\"\":1}");
  PenJsonSlice empty_key = test_slice_scan_key ("{\"\":1}");
  PenJsonSlice empty = test_slice_scan ("\"\"");
  PenJsonSlice one = test_slice_scan ("1");
  PenJsonSlice one_point = test_slice_scan ("1.0");

  test_slice_assert_equality (&key, &plain_key, TRUE);
  test_slice_assert_equality (&key, &string, TRUE);
  test_slice_assert_equality (&escaped, &string, TRUE);
  test_slice_assert_equality (&escaped, &other, FALSE);
  test_slice_assert_equality (&empty_key, &empty, TRUE);
  test_slice_assert_equality (&quotes, &empty, FALSE);
  test_slice_assert_equality (&one, &one, TRUE);
  test_slice_assert_equality (&one, &one_point, FALSE);
  test_slice_assert_equality (&one, &string, FALSE);
  g_assert_true (pen_json_key_equal (&key, "_vid"));
  g_assert_true (pen_json_key_equal (&string, "_vid"));
  g_assert_true (pen_json_key_equal (&plain_key, "_vid"));
  g_assert_false (pen_json_key_equal (&key, "_vi"));
  g_assert_false (pen_json_key_equal (&key, "_v\\u0069d"));
}

/* Integers by their value, however they are written; strings of digits by none. */
static void
test_slice_reads_integers (void)
{
  static const struct
  {
    const char *text;
    gint64 value;
    const char *message;
  } cases[] = {
    { "0", 0, NULL },
    { "-0", 0, NULL },
    { "42", 42, NULL },
    { "50.0", 50, NULL },
    { "1e3", 1000, NULL },
    { "-12.5e1", -125, NULL },
    { "1.6255761e9", 1625576100, NULL },
    { "1000e-3", 1, NULL },
    { "0e999999999999999999999999", 0, NULL },
    { "0.000e-999999999999999999999999", 0, NULL },
    { "9223372036854775807", G_MAXINT64, NULL },
    { "-9223372036854775808", G_MININT64, NULL },
    { "9223372036854775808", 0,
      "number 9223372036854775808 is outside the range of 64-bit integers" },
    { "-9223372036854775809", 0,
      "number -9223372036854775809 is outside the range of 64-bit integers" },
    { "1e19", 0, "number 1e19 is outside the range of 64-bit integers" },
    { "1e999999999999999999999999", 0,
      "number 1e999999999999999999999999 is outside the range of 64-bit integers" },
    { "0.5", 0, "number 0.5 is not an integer" },
    { "1e-1", 0, "number 1e-1 is not an integer" },
    { "1e-999999999999999999999999", 0, "number 1e-999999999999999999999999 is not an integer" },
    { "0.12345678901234567890123456789012345678901234567890", 0,
      "number 0.12345678901234567890123456789012345678… is not an integer" },
    { "\"1\"", 0, "a number was expected, found a string" },
    { "null", 0, "a number was expected, found null" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PenJsonSlice slice = test_slice_scan (cases[i].text);
      g_autoptr (GError) error = NULL;
      gint64 value = 0;

      g_assert_cmpint (pen_json_slice_get_int64 (&slice, &value, &error), ==,
                       cases[i].message == NULL);
      g_assert_cmpstr (error != NULL ? error->message : NULL, ==, cases[i].message);
      g_assert_cmpint (value, ==, cases[i].value);
    }
}

static void
test_slice_reads_doubles (void)
{
  PenJsonSlice slice = test_slice_scan ("229.70000000000002");
  g_autoptr (GError) error = NULL;
  double value = 0;

  g_assert_true (pen_json_slice_get_double (&slice, &value, &error));
  g_assert_cmpfloat (value, ==, 229.70000000000002);
  slice = test_slice_scan ("5e-324");
  g_assert_true (pen_json_slice_get_double (&slice, &value, &error));
  g_assert_cmpfloat (value, ==, 5e-324);
  slice = test_slice_scan ("-1e400");
  g_assert_false (pen_json_slice_get_double (&slice, &value, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_RANGE);
  g_clear_error (&error);
  slice = test_slice_scan ("[]");
  g_assert_false (pen_json_slice_get_double (&slice, &value, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/json-slice/decodes", test_slice_decodes);
  g_test_add_func ("/json-slice/compares-decoded-values", test_slice_compares_decoded_values);
  g_test_add_func ("/json-slice/reads-integers", test_slice_reads_integers);
  g_test_add_func ("/json-slice/reads-doubles", test_slice_reads_doubles);
  return g_test_run ();
}
