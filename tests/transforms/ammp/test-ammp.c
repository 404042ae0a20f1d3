/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ammp transform as an element: what it forwards, drops, skips, rejects and counts.
 */

#include "config.h"

#include "pen-ammp-transform.h"
#include "pen-harness.h"

#include <string.h>

static PenHarness *
test_ammp_start (const char *missing_vid)
{
  PenElement *element = g_object_new (PEN_TYPE_AMMP_TRANSFORM, NULL);
  PenHarness *harness;

  if (missing_vid != NULL)
    {
      GParamSpec *pspec
          = g_object_class_find_property (G_OBJECT_GET_CLASS (element), "missing-vid");
      GEnumClass *class = G_PARAM_SPEC_ENUM (pspec)->enum_class;

      g_object_set (element, "missing-vid", g_enum_get_value_by_nick (class, missing_vid)->value,
                    NULL);
    }
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  return harness;
}

static void
test_ammp_assert_rejection (PenHarness *harness, const char *reason, const char *message)
{
  g_autofree char *actual_reason = NULL;
  g_autofree char *actual_message = NULL;

  g_assert_true (pen_harness_pull_rejection (harness, NULL, &actual_reason, &actual_message));
  g_assert_cmpstr (actual_reason, ==, reason);
  g_assert_cmpstr (actual_message, ==, message);
}

static void
test_ammp_forwards (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start (NULL);
  g_autoptr (PenEvent) event = NULL;
  const char *data;
  gsize length;

  pen_harness_push (harness, pen_harness_make_event (
                                 "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":1.50}]}", "a/1/u/data"));
  event = pen_harness_pull (harness);
  data = pen_event_get_data (event, &length);
  g_assert_cmpmem (data, length,
                   "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"a\":{\"x\":1.50}}}", 60);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "a/1/u/data");
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
}

static void
test_ammp_rejects (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start (NULL);

  pen_harness_push_text (harness, "{\"t\":0,\"r\":[{\"_vid\":5}],}");
  test_ammp_assert_rejection (
      harness, "invalid_json",
      "invalid JSON at byte offset 24: found '}', expected a key in double quotes");
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
  pen_harness_push (harness, pen_harness_make_event ("", NULL));
  test_ammp_assert_rejection (harness, "invalid_json",
                              "invalid JSON at byte offset 0: the text ends, expected a value");
}

static void
test_ammp_counts_conflicts (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start (NULL);
  g_autofree char *text = NULL;

  g_assert_cmpint (pen_harness_get_count (harness, "values_replaced", "field_conflict"), ==, 0);
  pen_harness_push_text (harness, "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":1,\"x\":2},"
                                  "{\"_vid\":\"a\",\"x\":3,\"x\":null}]}");
  text = pen_harness_pull_text (harness);
  g_assert_cmpstr (text, ==, "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"a\":{\"x\":3}}}");
  g_assert_cmpint (pen_harness_get_count (harness, "values_replaced", "field_conflict"), ==, 2);
}

static void
test_ammp_drops_the_empty (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start (NULL);

  pen_harness_push_text (harness, "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":null},7]}");
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
  g_assert_cmpint (pen_harness_get_count (harness, "events_dropped", "empty"), ==, 1);
  test_ammp_assert_rejection (harness, "reading_not_object", "r[1] is a number, not an object");
}

static void
test_ammp_skips_readings (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start ("skip");
  g_autofree char *text = NULL;

  pen_harness_push_text (harness, "{\"t\":0,\"r\":[null,{\"_d\":\"dse\\u0038\",\"y\":2},"
                                  "{\"_vid\":\"a\",\"x\":1}]}");
  text = pen_harness_pull_text (harness);
  g_assert_cmpstr (text, ==, "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"a\":{\"x\":1}}}");
  test_ammp_assert_rejection (harness, "reading_not_object", "r[0] is null, not an object");
  test_ammp_assert_rejection (harness, "reading_no_vid",
                              "r[1] (device \"dse\\u0038\") has no _vid");
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
}

static void
test_ammp_takes_devices (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start ("device");
  g_autofree char *text = NULL;

  pen_harness_push_text (harness, "{\"t\":0,\"r\":[{\"_d\":\"dse8\",\"y\":2}]}");
  text = pen_harness_pull_text (harness);
  g_assert_cmpstr (text, ==,
                   "{\"time\":\"1970-01-01T00:00:00+00:00\",\"data\":{\"dse8\":{\"y\":2}}}");
}

static void
test_ammp_rejects_the_whole (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start ("reject");

  pen_harness_push_text (harness, "{\"t\":0,\"r\":[3,{\"_vid\":\"a\",\"y\":2},{\"_vid\":\"\"}]}");
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
  test_ammp_assert_rejection (harness, "reading_no_vid", "r[2] has an empty _vid, and no _d");
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
}

/* A payload of nothing but faults costs a letter each; only the first ones are described. */
static void
test_ammp_bounds_descriptions (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start (NULL);
  g_autoptr (GString) text = g_string_new ("{\"t\":0,\"r\":[1");

  for (guint i = 1; i < 102; i++)
    g_string_append (text, ",1");
  g_string_append (text, "]}");
  pen_harness_push_text (harness, text->str);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *message = g_strdup_printf ("r[%u] is a number, not an object", i);

      test_ammp_assert_rejection (harness, "reading_not_object", message);
    }
  for (guint i = 100; i < 102; i++)
    test_ammp_assert_rejection (harness, "reading_not_object", "another reading");
  g_assert_false (pen_harness_pull_rejection (harness, NULL, NULL, NULL));
}

static void
test_ammp_starts_again (void)
{
  g_autoptr (PenHarness) harness = test_ammp_start (NULL);

  pen_harness_stop (harness);
  pen_harness_start (harness);
  pen_harness_push_text (harness, "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":1}]}");
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 1);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/ammp/forwards", test_ammp_forwards);
  g_test_add_func ("/ammp/rejects", test_ammp_rejects);
  g_test_add_func ("/ammp/counts-conflicts", test_ammp_counts_conflicts);
  g_test_add_func ("/ammp/drops-the-empty", test_ammp_drops_the_empty);
  g_test_add_func ("/ammp/skips-readings", test_ammp_skips_readings);
  g_test_add_func ("/ammp/takes-devices", test_ammp_takes_devices);
  g_test_add_func ("/ammp/rejects-the-whole", test_ammp_rejects_the_whole);
  g_test_add_func ("/ammp/bounds-descriptions", test_ammp_bounds_descriptions);
  g_test_add_func ("/ammp/starts-again", test_ammp_starts_again);
  return g_test_run ();
}
