/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Named values of an event: members in any order, paths, what else is known of it.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

static PenFields *
test_make_fields (const char *places)
{
  PenFields *fields = pen_fields_new ("site");
  g_auto (GStrv) list = g_strsplit (places, ";", -1);

  for (guint i = 0; list[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;

      pen_fields_add (fields, list[i], &error);
      g_assert_no_error (error);
    }
  return fields;
}

static PenEvent *
test_make_event (const char *text)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  return pen_event_new (payload, "a/b", -1500000);
}

/* What is at all places: "-" where there is nothing. */
static char *
test_read (PenFields *fields, const char *text)
{
  g_autoptr (PenEvent) event = test_make_event (text);
  g_autoptr (GError) error = NULL;
  GString *result = g_string_new (NULL);

  pen_fields_read (fields, event, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < pen_fields_get_n_places (fields); i++)
    {
      const PenFieldValue *value = pen_fields_get_value (fields, i);
      g_autofree char *decoded = pen_field_value_decode (value, NULL);

      g_string_append_printf (result, "%s%s", i > 0 ? ";" : "", value->is_there ? decoded : "-");
    }
  return g_string_free (result, FALSE);
}

#define test_assert_read(fields, text, expected)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *values_ = test_read ((fields), (text));                                       \
    g_assert_cmpstr (values_, ==, (expected));                                                     \
  }                                                                                                \
  G_STMT_END

static void
test_fields_members (void)
{
  g_autoptr (PenFields) fields = test_make_fields ("a;b;c;a");

  test_assert_read (fields, "{\"a\":1,\"b\":\"two\",\"c\":[3, 4]}", "1;two;[3, 4];1");
  test_assert_read (fields, "{\"c\":{\"a\":5},\"x\":0,\"a\":1.50}", "1.50;-;{\"a\":5};1.50");
  test_assert_read (fields, " { } ", "-;-;-;-");
  test_assert_read (fields, "{\"\\u0061\":\"q\\\"\\u00e4\",\"b\":null}", "q\"ä;null;-;q\"ä");
  test_assert_read (fields, "{\"a\":1,\"a\":2}", "2;-;-;2");
}

static void
test_fields_paths (void)
{
  g_autoptr (PenFields) fields = test_make_fields ("m.u;m.d.x;m;p[0];p[-1].q;[\"p.q\"]");

  test_assert_read (fields, "{\"m\":{\"d\":{\"y\":0,\"x\":[1]},\"u\":\"C\"},\"p\":[1]}",
                    "C;[1];{\"d\":{\"y\":0,\"x\":[1]},\"u\":\"C\"};1;-;-");
  test_assert_read (fields, "{\"m\":{\"u\":1},\"m.u\":2,\"p.q\":3}", "1;-;{\"u\":1};-;-;3");
  test_assert_read (fields, "{\"p\":[{},{\"q\":\"\\n\"}]}", "-;-;-;{};\n;-");
  test_assert_read (fields, "{\"m\":{\"d\":5}}", "-;-;{\"d\":5};-;-;-");
}

static void
test_fields_others (void)
{
  g_autoptr (PenFields) fields = test_make_fields (
      "@topic;@pipeline;@payload;@arrival;@arrival-s;@arrival-ms;@retained;@content-type");

  test_assert_read (fields, "no JSON",
                    "a/b;site;no JSON;1969-12-31T23:59:58.500000+00:00;-2;-1500;false;-");
}

static void
test_fields_refuses (void)
{
  g_autoptr (PenFields) fields = test_make_fields ("a");
  static const struct
  {
    const char *text;
    PenJsonError code;
  } cases[] = {
    { "", PEN_JSON_ERROR_INVALID },
    { "{\"a\":1", PEN_JSON_ERROR_INVALID },
    { "[1]", PEN_JSON_ERROR_TYPE },
    { "1", PEN_JSON_ERROR_TYPE },
    { "{\"a\":1} x", PEN_JSON_ERROR_INVALID },
    { "{\"a\":1,\"b\":{]}", PEN_JSON_ERROR_INVALID },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PenEvent) event = test_make_event (cases[i].text);
      g_autoptr (GError) error = NULL;

      g_assert_false (pen_fields_read (fields, event, &error));
      g_assert_error (error, PEN_JSON_ERROR, (gint) cases[i].code);
    }
}

static void
test_fields_place (void)
{
  g_autoptr (PenFields) fields = pen_fields_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (pen_fields_add (fields, "@when", &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_clear_error (&error);
  g_assert_false (pen_fields_add (fields, "a[", &error));
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_true (pen_fields_add_member (fields, "@when", NULL));
  test_assert_read (fields, "{\"@when\":1}", "1");
  for (guint i = 1; i < PEN_FIELDS_MAX; i++)
    g_assert_true (pen_fields_add (fields, "a", NULL));
  g_assert_false (pen_fields_add (fields, "a", NULL));
}

static void
test_fields_other_member (void)
{
  g_autoptr (PenFields) fields = test_make_fields ("a;m");
  g_autoptr (PenEvent) plain = test_make_event ("{\"m\":{\"x\":1},\"a\":1}");
  g_autoptr (PenEvent) event = test_make_event ("{\"a\":1,\"n\\n\":\"x\",\"o\":2}");
  PenFieldValue value;
  g_autofree char *none = NULL;
  g_autofree char *name = NULL;

  g_assert_true (pen_fields_read (fields, plain, NULL));
  none = pen_fields_dup_other (fields, &value);
  g_assert_null (none);
  g_assert_true (pen_fields_read (fields, event, NULL));
  name = pen_fields_dup_other (fields, &value);
  g_assert_cmpstr (name, ==, "n\n");
  g_assert_cmpint (value.type, ==, PEN_JSON_STRING);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/fields/members", test_fields_members);
  g_test_add_func ("/fields/paths", test_fields_paths);
  g_test_add_func ("/fields/others", test_fields_others);
  g_test_add_func ("/fields/refuses", test_fields_refuses);
  g_test_add_func ("/fields/place", test_fields_place);
  g_test_add_func ("/fields/other-member", test_fields_other_member);
  return g_test_run ();
}
