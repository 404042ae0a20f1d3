/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The writer: commas, escapes, numbers; texts put onto one line and laid out for people.
 */

#include "config.h"

#include "pen-test.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void
test_writer_minds_commas (void)
{
  g_autoptr (GString) text = g_string_new ("> ");
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_json_writer_key (&writer, "a");
  pen_json_writer_begin_array (&writer);
  pen_json_writer_int64 (&writer, G_MININT64);
  pen_json_writer_uint64 (&writer, G_MAXUINT64);
  pen_json_writer_begin_object (&writer);
  pen_json_writer_end_object (&writer);
  pen_json_writer_begin_array (&writer);
  pen_json_writer_end_array (&writer);
  pen_json_writer_null (&writer);
  pen_json_writer_end_array (&writer);
  pen_json_writer_key (&writer, "b\"");
  pen_json_writer_raw (&writer, "1.50", 4);
  pen_json_writer_key (&writer, "c");
  pen_json_writer_boolean (&writer, TRUE);
  pen_json_writer_key (&writer, "d");
  pen_json_writer_boolean (&writer, FALSE);
  pen_json_writer_end_object (&writer);

  g_assert_cmpstr (text->str, ==,
                   "> {\"a\":[-9223372036854775808,18446744073709551615,{},[],null],"
                   "\"b\\\"\":1.50,\"c\":true,\"d\":false}");
}

static void
test_writer_escapes (void)
{
  static const struct
  {
    const char *text;
    gssize length;
    const char *expected;
  } cases[] = {
    { "", -1, "\"\"" },
    { "plain \xc3\xa9 \xf0\x9d\x84\x9e \x7f", -1, "\"plain \xc3\xa9 \xf0\x9d\x84\x9e \x7f\"" },
    { "\"\\/\b\f\n\r\t\x01\x1f", -1, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\"" },
    { "a\0b", 3, "\"a\\u0000b\"" },
    { "a\xff\xc3\0\xed\xa0\x80", 7,
      "\"a\xef\xbf\xbd\xef\xbf\xbd\\u0000\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    { "cut \xe2\x82", -1, "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      PenJsonWriter writer;

      pen_json_writer_init (&writer, text);
      pen_json_writer_string (&writer, cases[i].text, cases[i].length);
      g_assert_cmpstr (text->str, ==, cases[i].expected);
      g_assert_true (pen_json_validate (text->str, text->len, &error));
      g_assert_no_error (error);
    }
}

static void
test_writer_writes_doubles (void)
{
  static const double numbers[]
      = { 0.06, 17.2, 229.70000000000002, 1e21, 5e-324, DBL_MAX, -0.0, 1e5, 1.0 / 3 };
  g_autoptr (GString) text = g_string_new (NULL);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_array (&writer);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_assert_true (pen_json_writer_double (&writer, numbers[i]));
  g_assert_false (pen_json_writer_double (&writer, (double) INFINITY));
  g_assert_false (pen_json_writer_double (&writer, (double) NAN));
  pen_json_writer_end_array (&writer);
  g_assert_cmpstr (text->str, ==,
                   "[0.06,17.2,229.70000000000002,1e+21,4.94065645841247e-324,"
                   "1.7976931348623157e+308,-0,100000,0.3333333333333333,null,null]");
}

static void
test_writer_unfolds (void)
{
  const char *folded = " {\r\n\t\"a\\n\" :\n[1.0,\n\n2]}\n";
  g_autoptr (GBytes) text = g_bytes_new_static (folded, strlen (folded));
  g_autoptr (GBytes) line = pen_json_unfold (text, NULL);
  g_autoptr (GBytes) again = pen_json_unfold (line, NULL);
  g_autoptr (GBytes) invalid = g_bytes_new_static ("{\n", 2);
  g_autoptr (GError) error = NULL;

  g_assert_cmpmem (g_bytes_get_data (line, NULL), g_bytes_get_size (line),
                   " {  \t\"a\\n\" : [1.0,  2]} ", strlen (folded));
  g_assert_true (again == line);
  g_assert_null (pen_json_unfold (invalid, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID);
}

static void
test_writer_prettifies (void)
{
  static const char *const cases[][2] = {
    { " 1.50 ", "1.50" },
    { "[]", "[]" },
    { "{ }", "{}" },
    { "[1,[ ] ,{\"a\":\"\\u0041\",\"b\\\"\" :[2.0]},{}]",
      "[\n  1,\n  [],\n  {\n    \"a\": \"\\u0041\",\n    \"b\\\"\": [\n      2.0\n    ]\n  },\n"
      "  {}\n]" },
  };
  g_autoptr (GBytes) invalid = g_bytes_new_static ("[1,", 3);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) text = g_bytes_new_static (cases[i][0], strlen (cases[i][0]));
      g_autofree char *pretty = pen_json_prettify (text, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (pretty, ==, cases[i][1]);
    }
  g_assert_null (pen_json_prettify (invalid, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/json-writer/minds-commas", test_writer_minds_commas);
  g_test_add_func ("/json-writer/escapes", test_writer_escapes);
  g_test_add_func ("/json-writer/writes-doubles", test_writer_writes_doubles);
  g_test_add_func ("/json-writer/unfolds", test_writer_unfolds);
  g_test_add_func ("/json-writer/prettifies", test_writer_prettifies);
  return g_test_run ();
}
