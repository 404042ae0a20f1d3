/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One keyfile for a fleet: what the rows of [sites] make of it, which of them a mistake keeps out,
 * and that thousands of rows have neither thousands of the same finding nor wait for each other.
 */

#include "config.h"

#include <string.h>

#include "pen-definition.h"
#include "pen-test.h"

#define PATH "fleet.pipeline"
#define ELEMENTS                                                                                   \
  "[source mqtt]\nhost=broker.example\ntopics=a/${node}/u/data\n"                                  \
  "[sink file]\npath=/nowhere/${site}.jsonl\n"

typedef struct
{
  PenRegistry *registry;
  GPtrArray *findings;
  GPtrArray *definitions;
  guint n_faulty;
} Fixture;

static void
test_fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture->registry = pen_registry_new (NULL);
}

static void
test_fixture_clear (Fixture *fixture)
{
  g_clear_pointer (&fixture->findings, g_ptr_array_unref);
  g_clear_pointer (&fixture->definitions, g_ptr_array_unref);
}

static void
test_fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  test_fixture_clear (fixture);
  pen_registry_free (fixture->registry);
}

static void
test_sites_parse (Fixture *fixture, const char *text)
{
  test_fixture_clear (fixture);
  fixture->findings = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  fixture->definitions = pen_definition_parse_sites (PATH, text, strlen (text), fixture->registry,
                                                     PEN_DEFINITION_NO_ENVIRONMENT,
                                                     fixture->findings, &fixture->n_faulty);
}

/* The last findings as a text. */
static char *
test_sites_tell (const Fixture *fixture)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < fixture->findings->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (fixture->findings->pdata[i]);

      g_string_append_printf (text, "%s\n", line);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The names of the last pipelines, separated by blanks. */
static char *
test_sites_list (const Fixture *fixture)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < fixture->definitions->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                            pen_definition_get_name (fixture->definitions->pdata[i]));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_sites_assert (Fixture *fixture, const char *text, const char *names, const char *told)
{
  g_autofree char *listed = NULL;
  g_autofree char *findings = NULL;

  test_sites_parse (fixture, text);
  listed = test_sites_list (fixture);
  findings = test_sites_tell (fixture);
  g_assert_cmpstr (findings, ==, told);
  g_assert_cmpstr (listed, ==, names);
}

static PenDefinition *
test_sites_find (const Fixture *fixture, const char *name)
{
  for (guint i = 0; i < fixture->definitions->len; i++)
    if (g_str_equal (pen_definition_get_name (fixture->definitions->pdata[i]), name))
      return fixture->definitions->pdata[i];
  g_assert_not_reached ();
}

/* What element @index of a pipeline is set to. */
static char *
test_sites_get (const Fixture *fixture, const char *name, guint index, const char *key)
{
  g_autoptr (PenElement) element
      = pen_definition_create_element (test_sites_find (fixture, name), index);
  char *text = NULL;

  g_object_get (element, key, &text, NULL);
  return text;
}

static void
test_sites_fills_in (Fixture *fixture, gconstpointer data)
{
  static const char text[] = "[pipeline]\ndescription=Of ${site}\n"
                             "[sites]\ncolumns=node; id\nb=1\\;2;x$$y\na= 2 ;z\n" ELEMENTS
                             "[sink file second]\npath=/nowhere/${id}-{pipeline}\n";
  g_autofree char *path = NULL;
  g_autofree char *other_path = NULL;
  g_autofree char *second = NULL;
  g_autoptr (PenElement) source = NULL;
  g_auto (GStrv) topics = NULL;

  test_sites_assert (fixture, text, "fleet-b fleet-a", "");
  path = test_sites_get (fixture, "fleet-a", 1, "path");
  other_path = test_sites_get (fixture, "fleet-b", 1, "path");
  second = test_sites_get (fixture, "fleet-b", 2, "path");
  source = pen_definition_create_element (test_sites_find (fixture, "fleet-b"), 0);
  g_object_get (source, "topics", &topics, NULL);
  g_assert_cmpstr (path, ==, "/nowhere/a.jsonl");
  g_assert_cmpstr (other_path, ==, "/nowhere/b.jsonl");
  g_assert_cmpstr (second, ==, "/nowhere/x$y-{pipeline}");
  g_assert_cmpstr (topics[0], ==, "a/1;2/u/data");
  g_assert_cmpstr (pen_settings_get_description (
                       pen_definition_get_settings (test_sites_find (fixture, "fleet-a"))),
                   ==, "Of a");
}

static void
test_sites_names (Fixture *fixture, gconstpointer data)
{
  test_sites_assert (fixture, "[pipeline]\nname=north\n[sites]\ncolumns=node\na=1\nb=2\n" ELEMENTS,
                     "north-a north-b", "");
  test_sites_assert (fixture,
                     "[pipeline]\nname=${site}.x\n[sites]\ncolumns=node\na=1\nb=2\n" ELEMENTS,
                     "a.x b.x", "");
  test_sites_assert (fixture,
                     "[pipeline]\nname=${id}\n[sites]\ncolumns=node;id\na=1;x\nb=2;x\n"
                     "c=3;a b\n" ELEMENTS,
                     "x",
                     PATH ":6:1: error: there is a pipeline 'x' already, in line 5; a name is used "
                          "once\n" PATH ":7:5: error: 'a b' is not a name; a name has at most 64 "
                          "letters, digits, '-', '_' and '.', and begins with a letter or digit\n");
  g_assert_cmpuint (fixture->n_faulty, ==, 2);
  test_sites_assert (fixture, "[pipeline]\nname=/\n[sites]\ncolumns=node\na=1\nb=2\n" ELEMENTS, "",
                     PATH ":2:6: error: '/' is not a name; a name has at most 64 letters, digits, "
                          "'-', '_' and '.', and begins with a letter or digit\n");
  g_assert_cmpuint (fixture->n_faulty, ==, 1);
}

static void
test_sites_share_nothing (Fixture *fixture, gconstpointer data)
{
  test_sites_assert (fixture,
                     "[sites]\ncolumns=node;id;out\na=1;x;x\nb=2;x;y\nc=3;z;x\nd=3;w;w\n"
                     "[source mqtt]\nhost=broker.example\nclient-id=${id}\ntopics=a/${node}\n"
                     "[sink file]\npath=/nowhere/${out}\n",
                     "fleet-a fleet-d",
                     PATH ":4:5: error: client id 'x' at broker.example:1883 is used in line 3 "
                          "already: two clients with one id throw each other out for ever\n" PATH
                          ":5:7: error: file '/nowhere/x' is used in line 3 already: their lines "
                          "and their rotation would get mixed up\n");
  g_assert_cmpuint (fixture->n_faulty, ==, 2);
  test_sites_assert (fixture,
                     "[sites]\ncolumns=node\na=1\nb=2\nc=3\n"
                     "[source mqtt]\nhost=broker.example\nclient-id=x\ntopics=a/${node}\n"
                     "[sink file]\npath=/nowhere/x\n",
                     "",
                     PATH ":4:1: error: client id 'x' at broker.example:1883 is used in line 3 "
                          "already: two clients with one id throw each other out for ever\n" PATH
                          ":5:1: error: client id 'x' at broker.example:1883 is used in line 3 "
                          "already: two clients with one id throw each other out for ever\n" PATH
                          ":11:6: error: file '/nowhere/x' would be used by every site: their "
                          "lines and their rotation would get mixed up; put ${site} into it\n");
}

/* Hundreds of rows, each of which finds what is wrong with all. */
static GString *
test_sites_make (guint n_rows, const char *rest)
{
  GString *text = g_string_new ("[sites]\ncolumns=node\n");

  for (guint i = 0; i < n_rows; i++)
    g_string_append_printf (text, "site-%05u=%08x\n", i, i);
  g_string_append (text, rest);
  return text;
}

static void
test_sites_tell_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text
      = test_sites_make (2000, "[source mqtt]\nhost=broker.example\npassword=hunter2-${node}\n"
                               "topics=a/${node}/${typo};b/#/${node}\nkepalive=5\n[sink stdout]\n");

  test_sites_assert (
      fixture, text->str, "",
      PATH
      ":3:12: warning: the secret 'password' stands in the file itself, in this row and "
      "perhaps in others; put it into ${env:NAME}, ${file:PATH} or ${credential:NAME}\n" PATH
      ":2005:10: error: 'password' in [source mqtt]: a password without username\n" PATH
      ":2005:10: warning: 'password' in [source mqtt]: it is sent without encryption: everyone "
      "on the way can read it; set tls=on and the broker's TLS port\n" PATH
      ":2006:18: error: 'typo' is neither in [variables] nor a column of "
      "[sites]; an environment variable is written ${env:NAME}, and a dollar sign $$\n" PATH
      ":2007:1: error: unknown key 'kepalive' in [source mqtt]; did you mean 'keep-alive'?\n");
  g_assert_cmpuint (fixture->n_faulty, ==, 1);
}

static void
test_sites_tell_overlaps_once (Fixture *fixture, gconstpointer data)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "fleet.pipeline", NULL);
  const char *const paths[] = { path, path, NULL };
  g_autoptr (GString) text = test_sites_make (
      500, "[source mqtt]\nhost=broker.example\ntopics=a/${node};b/#\n[sink stdout]\n");
  g_autofree char *told = NULL;
  g_autoptr (GString) shown = NULL;

  pen_test_write_file (folder, "fleet.pipeline", text->str);
  fixture->findings = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  fixture->definitions
      = pen_definition_load_all (paths, fixture->registry, PEN_DEFINITION_NO_ENVIRONMENT,
                                 fixture->findings, &fixture->n_faulty);
  told = test_sites_tell (fixture);
  shown = g_string_new (told);
  g_string_replace (shown, folder, "FOLDER", 0);
  g_assert_cmpstr (shown->str, ==,
                   "FOLDER/fleet.pipeline:4:12: warning: 'b/#' is read by more than one site: a "
                   "message that matches both is processed twice; narrow one of them, or give both "
                   "one shared subscription: $share/GROUP/TOPIC\n"
                   "FOLDER/fleet.pipeline: error: this file is given twice\n");
  g_assert_cmpuint (fixture->definitions->len, ==, 500);
  g_assert_cmpuint (fixture->n_faulty, ==, 1);
  pen_test_remove_folder (folder);
}

/* It is the columns that are wrong if all rows have the same. */
static void
test_sites_tell_columns_once (Fixture *fixture, gconstpointer data)
{
  static const char rest[] = "[source file]\npath=${site}\n[sink stdout]\n";
  g_autofree char *more = g_strconcat ("[sites]\ncolumns=a;b\nx=1\ny=2\nz=3\n", rest, NULL);
  g_autofree char *none = g_strconcat ("[sites]\nx=1;2\ny=2;3\nz=3;4\n", rest, NULL);
  g_autofree char *misspelt = g_strconcat ("[sites]\ncolums=1\ny=2\nz=3\n", rest, NULL);

  test_sites_assert (fixture, more, "",
                     PATH ":2:9: error: there are 2 columns, and each row has 1 value\n");
  test_sites_assert (fixture, none, "",
                     PATH ":1:1: error: [sites] has no columns, and each row has 2 values; name "
                          "them in a first line: columns=NAME;NAME\n");
  test_sites_assert (fixture, misspelt, "",
                     PATH ":1:1: error: [sites] has no columns; did you mean 'columns' by "
                          "'colums' in line 2?\n");
}

/* A row that is added, moved or removed is no difference to the others. */
static void
test_sites_are_equal_one_by_one (Fixture *fixture, gconstpointer data)
{
  static const char before[] = "[sites]\ncolumns=node\na=1\nb=2\nc=3\n" ELEMENTS;
  static const char after[] = "[sites]\ncolumns=node\nd=4\nc=3\n\n# moved\nb=5\na=1\n" ELEMENTS;
  g_autoptr (GPtrArray) first = NULL;
  Fixture past = { 0 };

  test_sites_assert (fixture, before, "fleet-a fleet-b fleet-c", "");
  first = g_steal_pointer (&fixture->definitions);
  past.definitions = first;
  test_sites_assert (fixture, after, "fleet-d fleet-c fleet-b fleet-a", "");
  g_assert_true (pen_definition_equal (test_sites_find (&past, "fleet-a"),
                                       test_sites_find (fixture, "fleet-a")));
  g_assert_true (pen_definition_equal (test_sites_find (&past, "fleet-c"),
                                       test_sites_find (fixture, "fleet-c")));
  g_assert_false (pen_definition_equal (test_sites_find (&past, "fleet-b"),
                                        test_sites_find (fixture, "fleet-b")));
  g_assert_false (pen_definition_equal (test_sites_find (&past, "fleet-a"),
                                        test_sites_find (fixture, "fleet-c")));
}

static void
test_sites_are_bounded (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text
      = test_sites_make (100002, "[source file]\npath=${site}-${node}\n[sink stdout]\n");

  test_sites_parse (fixture, text->str);
  g_assert_cmpuint (fixture->definitions->len, ==, 100000);
  g_assert_cmpuint (fixture->n_faulty, ==, 1);
  g_assert_cmpuint (fixture->findings->len, ==, 1);
  g_assert_cmpstr (((PenDiagnostic *) fixture->findings->pdata[0])->message, ==,
                   "too many rows; [sites] has at most 100000, and none of those from here on "
                   "runs");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/sites/fills-in", test_sites_fills_in);
  ADD ("/sites/names", test_sites_names);
  ADD ("/sites/share-nothing", test_sites_share_nothing);
  ADD ("/sites/tell-once", test_sites_tell_once);
  ADD ("/sites/tell-overlaps-once", test_sites_tell_overlaps_once);
  ADD ("/sites/tell-columns-once", test_sites_tell_columns_once);
  ADD ("/sites/are-equal-one-by-one", test_sites_are_equal_one_by_one);
  ADD ("/sites/are-bounded", test_sites_are_bounded);
#undef ADD
  return g_test_run ();
}
