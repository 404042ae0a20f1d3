/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reader and the numbers that other tests take for the truth: held against the corpus, against
 * offsets counted by hand, and against json-glib where that is faithful.
 */

#include "config.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "pen-corpus.h"
#include "pen-random-json.h"
#include "pen-slow-json.h"
#include "pen-slow-number.h"
#include "pen-test.h"

static void
test_check_file (const char *name, const char *text, gsize length, gpointer user_data)
{
  g_autoptr (PenSlowJson) json = pen_slow_json_parse (text, length);

  if (json->verdict != pen_corpus_get_verdict (name))
    g_test_fail_printf ("%s: verdict %d, failed at %zu", name, json->verdict, json->failed_at);
}

static void
test_slow_json_corpus (void)
{
  g_assert_cmpuint (pen_corpus_foreach ("core/corpus/json", test_check_file, NULL), >, 400);
}

static void
test_slow_json_fails_where_it_must (void)
{
  static const struct
  {
    const char *text;
    gsize failed_at;
  } cases[] = {
    { "", 0 },
    { " ", 1 },
    { "nulx", 3 },
    { "-", 1 },
    { "01", 1 },
    { "1.e", 2 },
    { "[1 2]", 3 },
    { "[1,]", 3 },
    { "{\"a\"}", 4 },
    { "{\"a\":1,}", 7 },
    { "{} x", 3 },
    { "\"\\x\"", 2 },
    { "\"\\u12g4\"", 5 },
    { "\"\\udc00\"", 4 },
    { "\"\\ud800\"", 7 },
    { "\"\\ud800\\u0041\"", 9 },
    { "\"\\ud800\\ud800\"", 10 },
    { "\"\xe0\x80\x80\"", 2 },
    { "\"\xed\xa0\x80\"", 2 },
    { "\"\xf4\x90\x80\x80\"", 2 },
    { "\"\xe2\x82", 3 },
    { "\"\n\"", 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PenSlowJson) json = pen_slow_json_parse (cases[i].text, strlen (cases[i].text));

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (json->verdict, ==, PEN_SLOW_JSON_INVALID);
      g_assert_cmpuint (json->failed_at, ==, cases[i].failed_at);
    }
}

static void
test_slow_json_nodes (void)
{
  static const char text[] = " {\"a\" : [1, \"x\"], \"b\":{}}";
  g_autoptr (PenSlowJson) json = pen_slow_json_parse (text, strlen (text));
  const PenSlowNode *array = pen_slow_json_get (json, 1);
  const PenSlowNode *string = pen_slow_json_get (json, 3);

  g_assert_cmpuint (json->nodes->len, ==, 5);
  g_assert_cmpuint (pen_slow_json_first_child (json, 0), ==, 1);
  g_assert_cmpuint (pen_slow_json_get (json, 0)->n_children, ==, 2);
  g_assert_cmpmem (text + array->offset, array->length, "[1, \"x\"]", 8);
  g_assert_cmpmem (text + array->key_offset, array->key_length, "a", 1);
  g_assert_cmpuint (array->next_sibling, ==, 4);
  g_assert_cmpmem (text + string->offset, string->length, "\"x\"", 3);
  g_assert_false (string->has_key);
  g_assert_cmpuint (string->next_sibling, ==, PEN_SLOW_JSON_NONE);
  g_assert_cmpuint (pen_slow_json_first_child (json, 4), ==, PEN_SLOW_JSON_NONE);
}

/* --- Against json-glib --- */

/* json-glib 1.6 cuts strings at NUL; such texts are left out. */
static gboolean
test_is_faithful (const GString *text)
{
  return strstr (text->str, "\\u0000") == NULL;
}

static void
test_compare_number (const PenSlowJson *json, const PenSlowNode *expected, JsonNode *node)
{
  g_autofree char *text = g_strndup (json->text + expected->offset, expected->length);
  gboolean is_integer = strpbrk (text, ".eE") == NULL;
  g_autoptr (PenSlowNumber) number = pen_slow_number_new (text, expected->length);
  double value = g_ascii_strtod (text, NULL);
  gint64 integer;

  if (is_integer && pen_slow_number_to_int64 (number, &integer))
    g_assert_cmpint (json_node_get_int (node), ==, integer);
  else if (!is_integer && isfinite (value))
    g_assert_cmpfloat (json_node_get_double (node), ==, value);
}

static void test_compare_node (const PenSlowJson *json, guint index, JsonNode *node);

/* json-glib keeps the last of several members with one key. */
static void
test_compare_object (const PenSlowJson *json, guint index, JsonObject *object)
{
  g_autoptr (GHashTable) last = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint child = pen_slow_json_first_child (json, index);
  GHashTableIter iter;
  gpointer key;
  gpointer value;

  for (; child != PEN_SLOW_JSON_NONE; child = pen_slow_json_get (json, child)->next_sibling)
    {
      const PenSlowNode *node = pen_slow_json_get (json, child);
      gsize length;
      char *name = pen_slow_json_decode (json->text + node->key_offset, node->key_length, &length);

      g_hash_table_replace (last, name, GUINT_TO_POINTER (child));
    }
  g_assert_cmpuint (json_object_get_size (object), ==, g_hash_table_size (last));
  g_hash_table_iter_init (&iter, last);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      g_assert_true (json_object_has_member (object, key));
      test_compare_node (json, GPOINTER_TO_UINT (value), json_object_get_member (object, key));
    }
}

static void
test_compare_array (const PenSlowJson *json, guint index, JsonArray *array)
{
  guint child = pen_slow_json_first_child (json, index);
  guint n_elements = 0;

  g_assert_cmpuint (json_array_get_length (array), ==, pen_slow_json_get (json, index)->n_children);
  for (; child != PEN_SLOW_JSON_NONE; child = pen_slow_json_get (json, child)->next_sibling)
    test_compare_node (json, child, json_array_get_element (array, n_elements++));
}

static void
test_compare_string (const PenSlowJson *json, const PenSlowNode *expected, JsonNode *node)
{
  gsize length;
  g_autofree char *decoded
      = pen_slow_json_decode (json->text + expected->offset + 1, expected->length - 2, &length);

  g_assert_cmpstr (json_node_get_string (node), ==, decoded);
}

static void
test_compare_node (const PenSlowJson *json, guint index, JsonNode *node)
{
  const PenSlowNode *expected = pen_slow_json_get (json, index);

  switch (expected->type)
    {
    case PEN_JSON_NULL:
      g_assert_true (JSON_NODE_HOLDS_NULL (node));
      break;
    case PEN_JSON_FALSE:
    case PEN_JSON_TRUE:
      g_assert_cmpint (json_node_get_value_type (node), ==, G_TYPE_BOOLEAN);
      g_assert_cmpint (json_node_get_boolean (node), ==, expected->type == PEN_JSON_TRUE);
      break;
    case PEN_JSON_NUMBER:
      test_compare_number (json, expected, node);
      break;
    case PEN_JSON_STRING:
      test_compare_string (json, expected, node);
      break;
    case PEN_JSON_ARRAY:
      test_compare_array (json, index, json_node_get_array (node));
      break;
    default:
      test_compare_object (json, index, json_node_get_object (node));
      break;
    }
}

static void
test_slow_json_agrees_with_json_glib (void)
{
  guint n_compared = 0;

  for (guint i = 0; i < 4000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (JsonParser) parser = json_parser_new ();
      g_autoptr (PenSlowJson) json = NULL;
      g_autoptr (GError) error = NULL;

      pen_random_json_space (text);
      pen_random_json_value (text, 6);
      pen_random_json_space (text);
      json = pen_slow_json_parse (text->str, text->len);
      g_assert_cmpint (json->verdict, ==, PEN_SLOW_JSON_ACCEPTED);
      if (!test_is_faithful (text))
        continue;
      json_parser_load_from_data (parser, text->str, (gssize) text->len, &error);
      g_assert_no_error (error);
      test_compare_node (json, 0, json_parser_get_root (parser));
      n_compared++;
    }
  g_assert_cmpuint (n_compared, >, 1000);
}

/* --- Numbers --- */

static void
test_slow_number (void)
{
  static const struct
  {
    const char *text, *integer, *fraction;
  } cases[] = {
    { "0", "", "" },         { "-0.0e5", "", "" },    { "12.50", "12", "5" },
    { "1e3", "1000", "" },   { "120E-2", "1", "2" },  { "1.6255761e9", "1625576100", "" },
    { "0.001e1", "", "01" }, { "0.01e4", "100", "" }, { "5e-3", "", "005" },
  };
  g_autoptr (PenSlowNumber) huge = pen_slow_number_new ("1e999999999999", 14);
  g_autoptr (PenSlowNumber) tiny = pen_slow_number_new ("1e-999999999999", 15);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PenSlowNumber) number
          = pen_slow_number_new (cases[i].text, strlen (cases[i].text));

      g_assert_cmpstr (number->integer, ==, cases[i].integer);
      g_assert_cmpstr (number->fraction, ==, cases[i].fraction);
    }
  g_assert_cmpuint (strlen (huge->integer), ==, 1000);
  g_assert_cmpuint (strlen (tiny->fraction), ==, 1001);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/slow-json/corpus", test_slow_json_corpus);
  g_test_add_func ("/slow-json/fails-where-it-must", test_slow_json_fails_where_it_must);
  g_test_add_func ("/slow-json/nodes", test_slow_json_nodes);
  g_test_add_func ("/slow-json/agrees-with-json-glib", test_slow_json_agrees_with_json_glib);
  g_test_add_func ("/slow-json/number", test_slow_number);
  return g_test_run ();
}
