/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The select transform: what it makes of payloads, what it refuses, and what check says.
 */

#include "config.h"

#include "pen-harness.h"
#include "pen-select-transform.h"

#include <string.h>

/* Lists as a keyfile has them, NULL where it has none; ' stands for ". */
typedef struct
{
  const char *fields;
  const char *set;
  const char *drop; /* with rest=true, if there is one, even "" */
  const char *payload;
  const char *expected;
} TestCase;

static void
test_select_set_list (PenElement *element, const char *property, const char *text)
{
  g_auto (GStrv) list = NULL;

  if (text == NULL || *text == '\0')
    return;
  list = g_strsplit (text, ";", -1);
  for (guint i = 0; list[i] != NULL; i++)
    g_strdelimit (list[i], "'", '"');
  g_object_set (element, property, list, NULL);
}

static PenElement *
test_select_make (const char *fields, const char *set, const char *drop)
{
  PenElement *element = g_object_new (PEN_TYPE_SELECT_TRANSFORM, "rest", drop != NULL, NULL);

  test_select_set_list (element, "fields", fields);
  test_select_set_list (element, "set", set);
  test_select_set_list (element, "drop", drop);
  return element;
}

static void
test_select_push (PenHarness *harness, const char *payload)
{
  g_autofree char *quoted = g_strdup (payload);

  pen_harness_push (harness,
                    pen_harness_make_event (g_strdelimit (quoted, "'", '"'), "plants/north/7"));
}

static void
test_select_expect (PenHarness *harness, const char *expected)
{
  g_autofree char *actual = pen_harness_pull_text (harness);
  g_autofree char *quoted = g_strdup (expected);

  if (quoted != NULL)
    g_strdelimit (quoted, "'", '"');
  g_assert_cmpstr (actual, ==, quoted);
}

static void
test_select_expect_rejection (PenHarness *harness, const char *reason, const char *pattern)
{
  g_autofree char *actual = NULL;
  g_autofree char *message = NULL;

  g_assert_true (pen_harness_pull_rejection (harness, NULL, &actual, &message));
  g_assert_cmpstr (actual, ==, reason);
  if (!g_pattern_match_simple (pattern, message))
    g_test_fail_printf ("'%s' is not '%s'", message, pattern);
}

static void
test_select_run (const TestCase *cases, gsize n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      const TestCase *this = &cases[i];
      g_autoptr (PenHarness) harness
          = pen_harness_new (test_select_make (this->fields, this->set, this->drop));

      pen_harness_start (harness);
      test_select_push (harness, this->payload);
      test_select_expect (harness, this->expected);
      g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
    }
}

static void
test_select_chooses (void)
{
  static const TestCase cases[] = {
    { "a;b.c;d[-1].e as f", NULL, NULL, "{'b':{'c':1.50},'a':'\\u0061','d':[0,{'e':[1, 2]}]}",
      "{'a':'\\u0061','c':1.50,'f':[1, 2]}" },
    { "['x.y'] as y;['t:z']", NULL, NULL, "{'x.y':-0.0e0,'t:z':null}", "{'y':-0.0e0,'t:z':null}" },
    { "p[*] as u{number};p[*]", NULL, NULL, "{'p':[229.80,null]}",
      "{'u1':229.80,'u2':null,'p_0':229.80,'p_1':null}" },
    { "p[*];a;b", NULL, NULL, "{'p':5,'a':1}", "{'a':1}" },
    { "[1] as second", NULL, NULL, "[1,2]", "{'second':2}" },
    { NULL, "plant={topic:2};last={topic:-1};all={{{topic}}}", NULL, "{}",
      "{'plant':'north','last':'7','all':'{plants/north/7}'}" },
    { NULL, "n:integer=7.0;ok:boolean=true;x:number=1.50;empty=", NULL, "{}",
      "{'n':7,'ok':true,'x':1.50,'empty':''}" },
    { NULL, "gone={topic:4};here=1", NULL, "{}", "{'here':'1'}" },
  };

  test_select_run (cases, G_N_ELEMENTS (cases));
}

static void
test_select_keeps_the_rest (void)
{
  static const TestCase cases[] = {
    { NULL, NULL, "", "{'b':1.0, 'a':[ 1 ],'\\u00e4':2,'k\\u0000':3}",
      "{'b':1.0,'a':[ 1 ],'\\u00e4':2,'k\\u0000':3}" },
    { "a as z", NULL, "", "{'a':1,'b':2}", "{'b':2,'z':1}" },
    { "a:string", "c=x", "", "{'a':1,'b':2,'c':3}", "{'b':2,'a':'1','c':'x'}" },
    { NULL, NULL, "a.x;b[0];c", "{'a':{'x':1,'y': 2},'b':[1,2],'c':3,'d':{'x': 1}}",
      "{'a':{'y':2},'b':[2],'d':{'x': 1}}" },
    { "m.lat", NULL, "", "{'m':{'lat':1,'lng':2}}", "{'m':{'lng':2},'lat':1}" },
  };

  test_select_run (cases, G_N_ELEMENTS (cases));
}

static void
test_select_casts (void)
{
  static const TestCase cases[] = {
    { "a:integer;b:integer;c:integer;d:integer", NULL, NULL, "{'a':'-12','b':5.0,'c':1e3,'d':true}",
      "{'a':-12,'b':5,'c':1000,'d':1}" },
    { "a:number;b:number", NULL, NULL, "{'a':'230.10','b':1E2}", "{'a':230.10,'b':1E2}" },
    { "a:string;b:string;c:string", NULL, NULL, "{'a':230.10,'b':'\\n','c':[true]}",
      "{'a':'230.10','b':'\\n','c':'[true]'}" },
    { "a:boolean;b:boolean;c:boolean;d:boolean", NULL, NULL,
      "{'a':1,'b':'false','c':false,'d':'1'}", "{'a':true,'b':false,'c':false,'d':true}" },
    { "t:iso as a;t:ms as b;t:us as c;t:s as d", NULL, NULL, "{'t':'1718000000.25'}",
      "{'a':'2024-06-10T06:13:20.250000+00:00','b':1718000000250,'c':1718000000250000,"
      "'d':1718000000.25}" },
    { "t:ms-iso as a;t:ms-s as b", NULL, NULL, "{'t':1718000000001}",
      "{'a':'2024-06-10T06:13:20.001000+00:00','b':1718000000.001}" },
    { "t:iso-ms as a", NULL, NULL, "{'t':'2024-06-10 08:13:20+02:00'}", "{'a':1718000000000}" },
    { "t:iso", NULL, NULL, "{'t':null}", "{'t':null}" },
  };

  test_select_run (cases, G_N_ELEMENTS (cases));
}

static void
test_select_says_when_it_came (void)
{
  g_autoptr (PenHarness) harness
      = pen_harness_new (test_select_make (NULL, "at={arrival};ms:ms={arrival}", NULL));
  g_autoptr (GBytes) payload = g_bytes_new_static ("{}", 2);

  pen_harness_start (harness);
  pen_harness_push (harness, pen_event_new (payload, NULL, 1718000000250000));
  test_select_expect (harness, "{'at':'2024-06-10T06:13:20.250000+00:00','ms':1718000000250}");
}

static void
test_select_refuses (void)
{
  static const char *const bad[]
      = { "{'x':1.5}", "{'x':'1.5'}", "{'x':''}", "{'x':' 5'}", "{'x':[5]}", "{'x':'9e99'}" };
  PenElement *element = test_select_make ("x:integer;y", NULL, NULL);
  g_autoptr (PenHarness) harness = pen_harness_new (element);

  pen_harness_start (harness);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      test_select_push (harness, bad[i]);
      test_select_expect_rejection (harness, "bad_value", "'x:integer' cannot be an integer*");
    }
  g_object_set (element, "invalid", PEN_SELECT_NULL, "missing", PEN_SELECT_NULL, NULL);
  test_select_push (harness, "{'x':[]}");
  test_select_expect (harness, "{'x':null,'y':null}");
  g_object_set (element, "invalid", PEN_SELECT_SKIP, NULL);
  test_select_push (harness, "{'x':{},'y':1}");
  test_select_expect (harness, "{'y':1}");
  g_object_set (element, "missing", PEN_SELECT_REJECT, NULL);
  test_select_push (harness, "{'x':1}");
  test_select_expect_rejection (harness, "missing_field", "*nothing for 'y'");
  test_select_push (harness, "{'x':1,}");
  test_select_expect_rejection (harness, "invalid_json", "*");
  g_object_set (element, "rest", TRUE, NULL);
  test_select_push (harness, "[1]");
  test_select_expect_rejection (harness, "not_object", "*");
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
}

static void
test_select_drops (void)
{
  PenElement *element = test_select_make ("x", NULL, NULL);
  const char *const required[] = { "id", NULL };
  g_autoptr (PenHarness) harness = NULL;

  g_object_set (element, "require", required, NULL);
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  test_select_push (harness, "{'x':1}");
  test_select_push (harness, "{'x':1,'id':null}");
  test_select_push (harness, "{'id':1}");
  test_select_push (harness, "{'id':1,'x':2}");
  test_select_expect (harness, "{'x':2}");
  test_select_expect (harness, NULL);
  g_assert_cmpint (pen_harness_get_count (harness, "events_dropped", "required"), ==, 2);
  g_assert_cmpint (pen_harness_get_count (harness, "events_dropped", "empty"), ==, 1);
}

static void
test_select_is_checked (void)
{
  static const TestCase cases[] = {
    { "a", NULL, NULL, NULL, "" },
    { NULL, NULL, NULL, NULL, "error: *nothing is chosen*" },
    { "a..b", NULL, NULL, NULL, "error: *'a..b'*" },
    { "a:integre", NULL, NULL, NULL, "error: *no type 'integre'*" },
    { "a:iso-", NULL, NULL, NULL, "error: *no type 'iso-'*" },
    { "a as ", NULL, NULL, NULL, "error: *no name behind 'as'*" },
    { "a;b as a", NULL, NULL, NULL, "error: *two members would be called 'a'*" },
    { "a[*] as b", NULL, NULL, NULL, "error: *{index}*" },
    { "a", "b", NULL, NULL, "error: *'b' sets nothing*" },
    { "a", "=b", NULL, NULL, "error: *no name before*" },
    { "a", "b={tpoic}", NULL, NULL, "error: *'{tpoic}' is no place*" },
    { "a", "b={topic:0}", NULL, NULL, "error: *'{topic:0}' is no place*" },
    { "a", "b=}", NULL, NULL, "error: *without its other one*" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PenElement) element
          = test_select_make (cases[i].fields, cases[i].set, cases[i].drop);
      g_autofree char *told = pen_harness_check (element, NULL, TRUE);

      if (!g_pattern_match_simple (cases[i].expected, told))
        g_test_fail_printf ("case %u: '%s' is not '%s'", (guint) i, told, cases[i].expected);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/select/chooses", test_select_chooses);
  g_test_add_func ("/select/keeps-the-rest", test_select_keeps_the_rest);
  g_test_add_func ("/select/casts", test_select_casts);
  g_test_add_func ("/select/says-when-it-came", test_select_says_when_it_came);
  g_test_add_func ("/select/refuses", test_select_refuses);
  g_test_add_func ("/select/drops", test_select_drops);
  g_test_add_func ("/select/is-checked", test_select_is_checked);
  return g_test_run ();
}
