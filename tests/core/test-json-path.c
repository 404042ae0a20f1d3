/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Paths into documents: what they find, and what is no path. And computed doubles as text.
 */

#include "config.h"

#include "pen-test.h"

#include <math.h>
#include <string.h>

static void
test_path_finds (void)
{
  static const char document[]
      = "{\"a\":{\"b\":[10,[20,21],{\"c\":30}]},\"x.y\":1,\"\":2,\"cpu load\":3,\"k\":4,\"k\":5,"
        "\"q\\\"]\":6,\"\\u00e4\":7}";
  static const struct
  {
    const char *path;
    const char *expected; /* (nullable): NULL for nothing */
  } cases[] = {
    { "a.b[0]", "10" },      { "a.b[-1].c", "30" },    { "a.b[1][1]", "21" },
    { "a.b[3]", NULL },      { "a.b[-4]", NULL },      { "[\"x.y\"]", "1" },
    { "[\"\"]", "2" },       { "cpu load", "3" },      { "k", "5" },
    { "[\"q\\\"]\"]", "6" }, { "[\"\\u00e4\"]", "7" }, { "\xc3\xa4", "7" },
    { "a[\"b\"][0]", "10" }, { "a.b.c", NULL },        { "a[0]", NULL },
    { "k[0]", NULL },        { "nothing.here", NULL }, { "[0]", NULL },
  };
  g_autoptr (GBytes) bytes = g_bytes_new_static (document, strlen (document));
  g_autoptr (PenJson) json = pen_json_new_from_bytes (bytes, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PenJsonPath) path = pen_json_path_new (cases[i].path, &error);
      PenJsonNode node;
      PenJsonSlice slice;

      g_assert_no_error (error);
      g_assert_cmpstr (pen_json_path_get_text (path), ==, cases[i].path);
      node = pen_json_path_find (path, json);
      g_assert_cmpint (node == PEN_JSON_NO_NODE, ==, cases[i].expected == NULL);
      if (node == PEN_JSON_NO_NODE)
        continue;
      pen_json_get_slice (json, node, &slice);
      g_assert_cmpmem (slice.text, slice.length, cases[i].expected, strlen (cases[i].expected));
    }
}

static void
test_path_is_refused (void)
{
  static const struct
  {
    const char *path;
    const char *pattern;
  } cases[] = {
    { "", "*character 1 a name is missing" },
    { "a..b", "*character 3 a name is missing" },
    { "a.", "*character 3 a name is missing" },
    { ".a", "*character 1 a name is missing" },
    { "a]", "*character 2 a name with this*" },
    { "a\"b", "*character 2 a name with this*" },
    { "a[", "*character 3 must be an index*" },
    { "a[x]", "*character 3 must be an index*" },
    { "a[1.5]", "*character 3 must be an index*" },
    { "a[99999999999]", "*character 3 must be an index*" },
    { "a[\"b]", "*character 3 begins a name*" },
    { "a[\"\\x\"]", "*character 3 begins a name*" },
    { "a[\"\\u0000\"]", "*character 3 is a name that no key*" },
    { "a[0]b", "*character 5 a '.' or '[' is missing" },
    { "\xff", "a path is not UTF-8" },
  };
  g_autofree char *deep = g_strnfill (200, '.');

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pen_json_path_new (cases[i].path, &error));
      if (!g_pattern_match_simple (cases[i].pattern, error->message))
        g_test_fail_printf ("'%s' is not '%s'", error->message, cases[i].pattern);
    }
  for (guint i = 0; i < 200; i += 2)
    deep[i] = 'a';
  deep[199] = '\0';
  g_assert_null (pen_json_path_new (deep, NULL));
}

static void
test_double_is_written_as_in_python (void)
{
  static const struct
  {
    double value;
    const char *expected;
  } cases[] = {
    { 0.0, "0.0" },
    { -0.0, "-0.0" },
    { 46.0, "46.0" },
    { 47.17777777777778, "47.17777777777778" },
    { 0.1, "0.1" },
    { -0.0001, "-0.0001" },
    { 0.00001, "1e-05" },
    { 1e15, "1000000000000000.0" },
    { 123456789012345680.0, "1.2345678901234568e+17" },
    { 9007199254740993.0, "9007199254740992.0" },
    { 1e16, "1e+16" },
    { 1e100, "1e+100" },
    { 5e-324, "5e-324" },
    { 2.2250738585072014e-308, "2.2250738585072014e-308" },
    { 1.7976931348623157e308, "1.7976931348623157e+308" },
    { 5.684341886080802e-14, "5.684341886080802e-14" },
    { 100.0, "100.0" },
    { 1.5, "1.5" },
    { INFINITY, "null" },
    { NAN, "null" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char text[PEN_JSON_DOUBLE_SIZE];

      g_assert_cmpuint (pen_json_format_double (cases[i].value, text), ==, strlen (text));
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

static void
test_double_is_read_again (void)
{
  for (guint i = 0; i < 100000; i++)
    {
      guint64 bits = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
      char text[PEN_JSON_DOUBLE_SIZE];
      double value;

      memcpy (&value, &bits, sizeof value);
      pen_json_format_double (value, text);
      g_assert_true (pen_json_validate (text, strlen (text), NULL));
      if (isfinite (value))
        g_assert_true (g_ascii_strtod (text, NULL) == value);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/json/path/finds", test_path_finds);
  g_test_add_func ("/json/path/is-refused", test_path_is_refused);
  g_test_add_func ("/json/double/is-written-as-in-python", test_double_is_written_as_in_python);
  g_test_add_func ("/json/double/is-read-again", test_double_is_read_again);
  return g_test_run ();
}
