/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The window transform as an element: what it puts out, drops, rejects, refuses and counts.
 */

#include "config.h"

#include "pen-harness.h"
#include "pen-window-plan.h"
#include "pen-window-transform.h"

#include <string.h>

/* Sets a list from a text with ';' in it. */
static void
test_window_set_list (PenElement *element, const char *property, const char *text)
{
  g_auto (GStrv) list = g_strsplit (text, ";", -1);

  g_object_set (element, property, list, NULL);
}

static PenElement *
test_window_make (const char *windows, const char *functions)
{
  PenElement *element = g_object_new (PEN_TYPE_WINDOW_TRANSFORM, "time-field", "t", NULL);

  test_window_set_list (element, "windows", windows);
  test_window_set_list (element, "functions", functions);
  return element;
}

static PenHarness *
test_window_start (PenElement *element)
{
  PenHarness *harness = pen_harness_new (element);

  pen_harness_start (harness);
  return harness;
}

static void
test_window_push (PenHarness *harness, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_strdelimit (text, "'", '"');
  pen_harness_push_text (harness, text);
}

/* @expected: with ' for ", NULL for nothing */
static void
test_window_expect (PenHarness *harness, const char *expected)
{
  g_autofree char *actual = pen_harness_pull_text (harness);
  g_autofree char *quoted = g_strdup (expected);

  if (quoted != NULL)
    g_strdelimit (quoted, "'", '"');
  g_assert_cmpstr (actual, ==, quoted);
}

static void
test_window_expect_rejection (PenHarness *harness, const char *reason, const char *pattern)
{
  g_autofree char *actual_reason = NULL;
  g_autofree char *message = NULL;

  g_assert_true (pen_harness_pull_rejection (harness, NULL, &actual_reason, &message));
  g_assert_cmpstr (actual_reason, ==, reason);
  if (!g_pattern_match_simple (pattern, message))
    g_test_fail_printf ("'%s' is not '%s'", message, pattern);
}

static void
test_window_tumbles (void)
{
  g_autoptr (PenHarness) harness = test_window_start (test_window_make ("1min", "mean(x)"));

  test_window_push (harness, "{'t':0,'x':1}");
  test_window_push (harness, "{'t':'59.999','x':2}");
  test_window_expect (harness, NULL);
  test_window_push (harness, "{'t':'1970-01-01T00:01:00Z','x':7}");
  test_window_expect (
      harness,
      "{'start':'1970-01-01T00:00:00+00:00','end':'1970-01-01T00:01:00+00:00','x_mean':1.5}");
  test_window_push (harness, "{'t':3,'x':100}");
  g_assert_cmpint (pen_harness_get_count (harness, "events_dropped", "late"), ==, 1);
  pen_harness_drain (harness);
  test_window_expect (
      harness,
      "{'start':'1970-01-01T00:01:00+00:00','end':'1970-01-01T00:02:00+00:00','x_mean':7.0}");
  test_window_expect (harness, NULL);
}

static void
test_window_slides (void)
{
  PenElement *element = test_window_make ("1min;2min", "count(*);sum(x)");
  g_autoptr (PenHarness) harness = NULL;

  g_object_set (element, "kind", PEN_WINDOW_SLIDING, "name", "{function}_{window}", "blanks", TRUE,
                NULL);
  test_window_set_list (element, "functions", "sum(x);count(*) as n_{window}");
  harness = test_window_start (element);
  test_window_push (harness, "{'t':100,'x':1}");
  test_window_expect (harness, "{'sum_1min': 1, 'n_1min': 1, 'sum_2min': 1, 'n_2min': 1}");
  test_window_push (harness, "{'t':160,'x':2}"); /* 60 s: inclusive */
  test_window_expect (harness, "{'sum_1min': 3, 'n_1min': 2, 'sum_2min': 3, 'n_2min': 2}");
  test_window_push (harness, "{'t':161,'x':4.5}");
  test_window_expect (harness, "{'sum_1min': 6.5, 'n_1min': 2, 'sum_2min': 7.5, 'n_2min': 3}");
  test_window_push (harness, "{'t':41,'x':16}"); /* only in the longer one */
  test_window_expect (harness, "{'sum_1min': 6.5, 'n_1min': 2, 'sum_2min': 23.5, 'n_2min': 4}");
  test_window_push (harness, "{'t':40,'x':1000}"); /* in none; the result is what it was */
  test_window_expect (harness, "{'sum_1min': 6.5, 'n_1min': 2, 'sum_2min': 23.5, 'n_2min': 4}");
}

static void
test_window_hops_and_groups (void)
{
  PenElement *element = test_window_make ("20s", "max");
  g_autoptr (PenHarness) harness = NULL;

  g_object_set (element, "kind", PEN_WINDOW_HOPPING, "hop", 10 * G_USEC_PER_SEC, "time-format",
                PEN_WINDOW_UNIT_SECONDS, "end-field", "", NULL);
  test_window_set_list (element, "group-by", "m.id as id");
  test_window_set_list (element, "fields", "m.x as x");
  harness = test_window_start (element);
  test_window_push (harness, "{'t':15,'m':{'id':'a','x':1.50}}");
  test_window_push (harness, "{'t':15,'m':{'id':'\\u0061','x':1.5}}");
  test_window_push (harness, "{'t':16,'m':{'id':7,'x':-1e3}}");
  test_window_push (harness, "{'t':29,'m':{'id':'a','x':1.0}}");
  test_window_expect (harness, "{'id':'a','start':0,'x_max':1.5}");
  test_window_expect (harness, "{'id':7,'start':0,'x_max':-1e3}");
  pen_harness_drain (harness);
  test_window_expect (harness, "{'id':'a','start':10,'x_max':1.5}");
  test_window_expect (harness, "{'id':7,'start':10,'x_max':-1e3}");
  test_window_expect (harness, "{'id':'a','start':20,'x_max':1.0}");
  test_window_expect (harness, NULL);
}

static void
test_window_computes_all (void)
{
  PenElement *element = test_window_make (
      "10s", "count;sum;avg;min;max;first;last;median;p25;p99.9;stddev;rate;coverage");
  g_autoptr (PenHarness) harness = NULL;

  g_object_set (element, "name", "{function}", "start-field", "", "end-field", "",
                "expected-interval", G_USEC_PER_SEC, NULL);
  test_window_set_list (element, "fields", "x");
  harness = test_window_start (element);
  test_window_push (harness, "{'t':4,'x':4.00}");
  test_window_push (harness, "{'t':1,'x':1}");
  test_window_push (harness, "{'t':3,'x':4.0}");
  test_window_push (harness, "{'t':2,'x':0.1}");
  test_window_push (harness, "{'t':2,'x':null}");
  test_window_push (harness, "{'t':2}");
  pen_harness_drain (harness);
  test_window_expect (harness, "{'count':4,'sum':9.1,'avg':2.275,'min':0.1,'max':4.00,'first':1,"
                               "'last':4.00,'median':2.5,'p25':0.775,'p99.9':4.0,"
                               "'stddev':2.0254629100529096,'rate':1.0,'coverage':0.4}");
}

static void
test_window_rejects (void)
{
  PenElement *element = test_window_make ("1min", "mean(x)");
  g_autoptr (PenHarness) harness = NULL;

  g_object_set (element, "late", PEN_WINDOW_REFUSE_REJECT, "max-ahead", G_USEC_PER_SEC, NULL);
  harness = test_window_start (element);
  test_window_push (harness, "{'t':0,");
  test_window_expect_rejection (harness, "invalid_json", "invalid JSON*");
  test_window_push (harness, "{'x':0}");
  test_window_expect_rejection (harness, "no_time", "the event has no 't'*");
  test_window_push (harness, "{'t':'soon','x':0}");
  test_window_expect_rejection (harness, "bad_time", "'t' is no time*\"soon\"*");
  test_window_push (harness, "{'t':'9999-01-01','x':0}");
  test_window_expect_rejection (harness, "ahead", "*more than 1s later*");
  test_window_push (harness, "{'t':0,'x':'5'}");
  test_window_expect_rejection (harness, "bad_value", "'x' is no number: \"5\"");
  test_window_push (harness, "{'t':0,'x':1e999}");
  test_window_expect_rejection (harness, "bad_value", "'x' is a number that is too large*");
  test_window_push (harness, "{'t':60,'x':1}");
  test_window_push (harness, "{'t':59,'x':1}");
  test_window_expect_rejection (harness, "late", "all windows*");
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
}

static void
test_window_has_bounds (void)
{
  PenElement *element = test_window_make ("1min", "last(x)");
  g_autoptr (PenHarness) harness = NULL;
  g_autofree char *long_text = g_strnfill (70000, 'a');

  g_object_set (element, "max-groups", 2, "max-events", 3, "max-bytes", (guint64) 65536, NULL);
  test_window_set_list (element, "group-by", "g");
  harness = test_window_start (element);
  test_window_push (harness, "{'t':0,'g':1,'x':'%s'}", long_text);
  test_window_expect_rejection (harness, "too_many_bytes", "*leaves no room*");
  test_window_push (harness, "{'t':0,'g':1,'x':1}");
  test_window_push (harness, "{'t':0,'g':2,'x':1}");
  test_window_push (harness, "{'t':0,'g':3,'x':1}");
  test_window_expect_rejection (harness, "too_many_groups", "there are 2 groups*");
  test_window_push (harness, "{'t':0,'g':2,'x':1}");
  test_window_push (harness, "{'t':0,'g':2,'x':1}");
  test_window_expect_rejection (harness, "too_many_events", "there are 3 events*");
  test_window_push (harness, "{'t':60,'g':3,'x':1}");
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 2);
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
}

/* The clock closes windows by the time of arrival. */
static void
test_window_goes_by_arrival (void)
{
  PenElement *element = test_window_make ("10s", "count(*)");
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (GBytes) payload = g_bytes_new_static ("{}", 2);

  g_object_set (element, "time-field", NULL, "end-field", "", "time-format",
                PEN_WINDOW_UNIT_SECONDS, NULL);
  harness = pen_harness_new (element);
  pen_harness_use_test_clock (harness, 103 * G_USEC_PER_SEC);
  pen_harness_start (harness);
  pen_harness_push (harness, pen_event_new (payload, NULL, 103 * G_USEC_PER_SEC));
  pen_harness_push (harness, pen_event_new (payload, NULL, 104 * G_USEC_PER_SEC));
  pen_harness_advance (harness, 6 * G_USEC_PER_SEC);
  test_window_expect (harness, NULL);
  pen_harness_advance (harness, 1 * G_USEC_PER_SEC);
  test_window_expect (harness, "{'start':100,'count':2}");
  pen_harness_push (harness, pen_event_new (payload, NULL, 111 * G_USEC_PER_SEC));
  pen_harness_advance (harness, 10 * G_USEC_PER_SEC);
  test_window_expect (harness, "{'start':110,'count':1}");
}

static void
test_window_waits_for_groups (void)
{
  PenElement *element = test_window_make ("10s", "count(*)");
  g_autoptr (PenHarness) harness = NULL;

  g_object_set (element, "group-lag", 100 * G_USEC_PER_SEC, "end-field", "", "time-format",
                PEN_WINDOW_UNIT_SECONDS, NULL);
  test_window_set_list (element, "group-by", "g");
  harness = test_window_start (element);
  test_window_push (harness, "{'t':5,'g':'slow'}");
  test_window_push (harness, "{'t':50,'g':'fast'}");
  test_window_push (harness, "{'t':6,'g':'slow'}");
  test_window_expect (harness, NULL);
  test_window_push (harness, "{'t':15,'g':'slow'}");
  test_window_expect (harness, "{'g':'slow','start':0,'count':2}");
  test_window_push (harness, "{'t':120,'g':'fast'}");
  test_window_expect (harness, "{'g':'fast','start':50,'count':1}");
  test_window_expect (harness, "{'g':'slow','start':10,'count':1}");
  test_window_push (harness, "{'t':16,'g':'slow'}");
  g_assert_cmpint (pen_harness_get_count (harness, "events_dropped", "late"), ==, 1);
}

static void
test_window_is_checked (void)
{
  static const struct
  {
    const char *windows;
    const char *functions;
    PenWindowKind kind;
    const char *expected;
  } cases[] = {
    { "1min", "mean(x)", PEN_WINDOW_TUMBLING, "" },
    { "1 min;5", "mean(x)", PEN_WINDOW_TUMBLING, "error: *windows*" },
    { "0s", "mean(x)", PEN_WINDOW_TUMBLING, "error: *0s is not*" },
    { "100000000d", "mean(x)", PEN_WINDOW_SLIDING, "error: *100000000d is not*" },
    { "1min", "mean", PEN_WINDOW_TUMBLING, "error: *'mean' needs a field*" },
    { "1min", "middle(x)", PEN_WINDOW_TUMBLING, "error: *no function 'middle'*" },
    { "1min", "mean(a..b)", PEN_WINDOW_TUMBLING, "error: *'a..b'*character 3*" },
    { "1min", "mean(x", PEN_WINDOW_TUMBLING, "error: *without a ')'*" },
    { "1min", "p101(x)", PEN_WINDOW_TUMBLING, "error: *no function 'p101'*" },
    { "1min", "coverage(*)", PEN_WINDOW_TUMBLING, "error: *expected-interval*" },
    { "1min", "mean(x);avg(x) as x_mean", PEN_WINDOW_TUMBLING, "error: *'x_mean'*" },
    { "1min", "mean(x) as {windw}", PEN_WINDOW_TUMBLING, "error: *{windw}*" },
    { "1min;5min", "mean(x)", PEN_WINDOW_SLIDING, "error: *'x_mean'*{window}*" },
    { "1min", "mean(x)", PEN_WINDOW_HOPPING, "error: *hop*" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PenElement *element = test_window_make (cases[i].windows, cases[i].functions);
      g_autofree char *told = NULL;

      g_object_set (element, "kind", cases[i].kind, NULL);
      told = pen_harness_check (element, "windows functions kind", TRUE);
      if (!g_pattern_match_simple (cases[i].expected, told))
        g_test_fail_printf ("case %u: '%s' is not '%s'", (guint) i, told, cases[i].expected);
      g_object_unref (element);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/window/tumbles", test_window_tumbles);
  g_test_add_func ("/window/slides", test_window_slides);
  g_test_add_func ("/window/hops-and-groups", test_window_hops_and_groups);
  g_test_add_func ("/window/computes-all", test_window_computes_all);
  g_test_add_func ("/window/rejects", test_window_rejects);
  g_test_add_func ("/window/has-bounds", test_window_has_bounds);
  g_test_add_func ("/window/goes-by-arrival", test_window_goes_by_arrival);
  g_test_add_func ("/window/waits-for-groups", test_window_waits_for_groups);
  g_test_add_func ("/window/is-checked", test_window_is_checked);
  return g_test_run ();
}
