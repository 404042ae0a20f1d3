/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The document: its nodes are found, their text is as it came, look-ups of what is not there say
 * so.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

static PenJson *
test_document_parse (const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  PenJson *json = pen_json_new_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return json;
}

static void
test_document_assert_slice (PenJson *json, PenJsonNode node, const char *expected)
{
  PenJsonSlice slice;

  pen_json_get_slice (json, node, &slice);
  g_assert_cmpmem (slice.text, slice.length, expected, strlen (expected));
}

static void
test_document_finds_nodes (void)
{
  g_autoptr (PenJson) json = test_document_parse (
      "{\"t\": 1.50, \"r\": [{\"a\":[]}, {}, 7, \"x\\n\"], \"\\u0074\": -0 ,\"e\":{}}");
  PenJsonNode readings = pen_json_get_member (json, 0, "r");
  PenJsonNode child = pen_json_get_first_child (json, 0);
  PenJsonSlice key;

  g_assert_cmpuint (pen_json_get_n_nodes (json), ==, 10);
  g_assert_cmpint (pen_json_get_node_type (json, 0), ==, PEN_JSON_OBJECT);
  g_assert_cmpuint (pen_json_get_length (json, 0), ==, 4);
  test_document_assert_slice (json, child, "1.50");
  g_assert_true (pen_json_get_key (json, child, &key));
  g_assert_cmpmem (key.text, key.length, "t", 1);
  g_assert_true (pen_json_get_next_sibling (json, child) == readings);

  g_assert_cmpuint (pen_json_get_length (json, readings), ==, 4);
  test_document_assert_slice (json, readings, "[{\"a\":[]}, {}, 7, \"x\\n\"]");
  test_document_assert_slice (json, pen_json_get_element (json, readings, 0), "{\"a\":[]}");
  test_document_assert_slice (json, pen_json_get_element (json, readings, 1), "{}");
  test_document_assert_slice (json, pen_json_get_element (json, readings, 3), "\"x\\n\"");
  g_assert_false (pen_json_get_key (json, pen_json_get_element (json, readings, 0), &key));
  g_assert_false (pen_json_get_key (json, 0, &key));
  /* Of two members with one key, however it is written, the last one counts. */
  test_document_assert_slice (json, pen_json_get_member (json, 0, "t"), "-0");
  test_document_assert_slice (json, pen_json_get_member (json, 0, "e"), "{}");
}

static void
test_document_elements_of_scalars (void)
{
  g_autoptr (PenJson) json = test_document_parse ("[0,1,2,3]");

  for (guint i = 0; i < 4; i++)
    {
      gint64 value = -1;

      g_assert_true (pen_json_get_int64 (json, pen_json_get_element (json, 0, i), &value, NULL));
      g_assert_cmpint (value, ==, i);
    }
  g_assert_cmpuint (pen_json_get_element (json, 0, 4), ==, PEN_JSON_NO_NODE);
}

static void
test_document_lacks_nodes (void)
{
  g_autoptr (PenJson) json = test_document_parse ("[{},5]");
  PenJsonNode empty = pen_json_get_first_child (json, 0);
  g_autoptr (GError) error = NULL;
  PenJsonSlice key;
  double value;

  g_assert_cmpuint (pen_json_get_first_child (json, empty), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_member (json, empty, "a"), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_member (json, 0, "a"), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_element (json, empty, 0), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_next_sibling (json, 0), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_next_sibling (json, PEN_JSON_NO_NODE), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_element (json, PEN_JSON_NO_NODE, 0), ==, PEN_JSON_NO_NODE);
  g_assert_cmpuint (pen_json_get_length (json, PEN_JSON_NO_NODE), ==, 0);
  g_assert_cmpint (pen_json_get_node_type (json, PEN_JSON_NO_NODE), ==, PEN_JSON_NULL);
  g_assert_false (pen_json_get_key (json, PEN_JSON_NO_NODE, &key));
  g_assert_false (pen_json_get_double (json, PEN_JSON_NO_NODE, &value, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE);
}

static void
test_document_reads_values (void)
{
  g_autoptr (PenJson) json
      = test_document_parse ("[\"\\u00e9\",\"a\\u0000b\",0.1,12,[1,2],\"0.1\"]");
  g_autoptr (GError) error = NULL;
  g_autofree char *string = pen_json_dup_string (json, 1, &error);
  double number = 0;

  g_assert_no_error (error);
  g_assert_cmpstr (string, ==, "\xc3\xa9");
  g_assert_null (pen_json_dup_string (json, 2, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_RANGE);
  g_clear_error (&error);
  g_assert_true (pen_json_get_double (json, 3, &number, &error));
  g_assert_cmpfloat (number, ==, 0.1);
  g_assert_null (pen_json_dup_string (json, 5, &error));
  g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE);
  g_assert_cmpstr (error->message, ==, "a string was expected, found [1,2]");
}

static void
test_document_refuses (void)
{
  static const char *const texts[] = { "", "[", "[1}", "{\"a\":}", "1 2", "{\"a\":1]", "x" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (texts[i], strlen (texts[i]));
      g_autoptr (GError) error = NULL;

      g_assert_null (pen_json_new_from_bytes (bytes, &error));
      g_assert_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID);
    }
}

static void
test_document_goes_64_deep (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (PenJson) json = NULL;
  PenJsonNode node = 0;

  for (guint i = 0; i < 32; i++)
    g_string_append (text, "[{\"a\":");
  g_string_append (text, "\"bottom\"");
  for (guint i = 0; i < 32; i++)
    g_string_append (text, "}]");
  json = test_document_parse (text->str);
  for (guint i = 0; i < 32; i++)
    node = pen_json_get_member (json, pen_json_get_element (json, node, 0), "a");
  test_document_assert_slice (json, node, "\"bottom\"");
}

/* As a value of GObject, which a binding makes of it; the last reference keeps the bytes. */
static void
test_document_is_boxed (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new ("[1]", 3);
  PenJson *document = pen_json_new_from_bytes (bytes, NULL);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_set_boxed (g_value_init (&value, PEN_TYPE_JSON), document);
  pen_json_unref (document);
  g_clear_pointer (&bytes, g_bytes_unref);
  g_assert_cmpuint (pen_json_get_length (g_value_get_boxed (&value), 0), ==, 1);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/json-document/finds-nodes", test_document_finds_nodes);
  g_test_add_func ("/json-document/elements-of-scalars", test_document_elements_of_scalars);
  g_test_add_func ("/json-document/lacks-nodes", test_document_lacks_nodes);
  g_test_add_func ("/json-document/reads-values", test_document_reads_values);
  g_test_add_func ("/json-document/refuses", test_document_refuses);
  g_test_add_func ("/json-document/goes-64-deep", test_document_goes_64_deep);
  g_test_add_func ("/json-document/is-boxed", test_document_is_boxed);
  return g_test_run ();
}
