/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The simulate source on a test clock: when events come, when they end, what a pause does.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-simulate-source.h"

#include <string.h>

#define TIMEOUT_MS 30000
/* 2026-06-01T00:00:00Z */
#define DAY_US (G_GINT64_CONSTANT (1780272000) * G_TIME_SPAN_SECOND)

static PenHarness *
test_make (const char *fields, const char *first_property, ...)
{
  g_auto (GStrv) list = g_strsplit (fields, ";", -1);
  GObject *source = g_object_new (PEN_TYPE_SIMULATE_SOURCE, "fields", list, NULL);
  PenHarness *harness;
  va_list arguments;

  va_start (arguments, first_property);
  g_object_set_valist (source, first_property, arguments);
  va_end (arguments);
  harness = pen_harness_new (PEN_ELEMENT (source));
  return harness;
}

/* On a clock that stands still at DAY_US. */
static void
test_start (PenHarness *harness)
{
  pen_harness_use_test_clock (harness, DAY_US);
  pen_harness_start (harness);
  pen_harness_advance (harness, 0);
}

static gboolean
test_is_finished (gpointer data)
{
  return pen_harness_is_finished (data);
}

#define test_assert_next(harness, expected)                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *text_ = pen_harness_pull_text (harness);                                      \
    g_assert_cmpstr (text_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

static void
test_source_interval (void)
{
  g_autoptr (PenHarness) harness = test_make ("n=counter;t=time(epoch)", "interval",
                                              60 * G_TIME_SPAN_SECOND, "topic", "c/{n}", NULL);
  g_autoptr (PenEvent) event = NULL;

  test_start (harness);
  g_assert_true (pen_harness_is_connected (harness));
  event = pen_harness_pull (harness);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "c/1");
  g_assert_cmpint (pen_event_get_arrival (event), ==, DAY_US);
  pen_harness_advance (harness, 59 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
  pen_harness_advance (harness, 1 * G_TIME_SPAN_SECOND);
  test_assert_next (harness, "{\"n\":2,\"t\":1780272060}");
  pen_harness_advance (harness, 119 * G_TIME_SPAN_SECOND);
  test_assert_next (harness, "{\"n\":3,\"t\":1780272120}");
  test_assert_next (harness, NULL);
}

static void
test_source_random_interval (void)
{
  g_autoptr (PenHarness) harness
      = test_make ("t=time(epoch-ms)", "interval-minimum", 1 * G_TIME_SPAN_SECOND,
                   "interval-maximum", 29 * G_TIME_SPAN_SECOND, "realtime", FALSE, "count",
                   (guint64) 5000, "start", "2026-06-01", "seed", (guint64) 3, NULL);
  gint64 last_ms = 0;
  gint64 least_ms = G_MAXINT64;
  gint64 largest_ms = 0;

  pen_harness_start (harness);
  g_assert_true (pen_harness_wait_for (harness, test_is_finished, harness, TIMEOUT_MS));
  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *text = pen_harness_pull_text (harness);
      gint64 time_ms = g_ascii_strtoll (text + strlen ("{\"t\":"), NULL, 10);

      if (i > 0)
        {
          least_ms = MIN (least_ms, time_ms - last_ms);
          largest_ms = MAX (largest_ms, time_ms - last_ms);
        }
      last_ms = time_ms;
    }
  test_assert_next (harness, NULL);
  g_assert_cmpint (least_ms, >=, 999);
  g_assert_cmpint (least_ms, <, 1500);
  g_assert_cmpint (largest_ms, <=, 29001);
  g_assert_cmpint (largest_ms, >, 28500);
}

/* The same seed, the same events; another one, others. */
static void
test_source_seed (void)
{
  g_autofree char *texts[3] = { NULL };

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (PenHarness) harness
          = test_make ("a=integer(1,1000000);b=decimal(0,1);c=walk(0,9,1);t=time(epoch-us)", "seed",
                       (guint64) (i < 2 ? 7 : 8), "count", (guint64) 50, "realtime", FALSE, "start",
                       "2026-06-01T12:00:00+02:00", "interval-maximum", G_TIME_SPAN_SECOND, NULL);
      GString *all = g_string_new (NULL);
      char *text;

      pen_harness_start (harness);
      g_assert_true (pen_harness_wait_for (harness, test_is_finished, harness, TIMEOUT_MS));
      while ((text = pen_harness_pull_text (harness)) != NULL)
        {
          g_string_append (all, text);
          g_free (text);
        }
      texts[i] = g_string_free (all, FALSE);
    }
  g_assert_cmpstr (texts[0], ==, texts[1]);
  g_assert_cmpstr (texts[0], !=, texts[2]);
  g_assert_nonnull (strstr (texts[0], "\"t\":1780308000000000}"));
  g_free (g_steal_pointer (&texts[1]));
  g_free (g_steal_pointer (&texts[2]));
}

static void
test_source_any_seed (void)
{
  g_autoptr (PenHarness) harness = test_make ("a=counter", "count", (guint64) 1, NULL);

  pen_harness_start (harness);
  g_assert_true (pen_test_has_logged ("*makes data up with seed=*"));
}

static void
test_source_duration (void)
{
  g_autoptr (PenHarness) harness
      = test_make ("n=counter", "duration", 10 * G_TIME_SPAN_SECOND, "realtime", FALSE, NULL);

  pen_harness_start (harness);
  g_assert_true (pen_harness_wait_for (harness, test_is_finished, harness, TIMEOUT_MS));
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 10);
  g_assert_false (pen_harness_is_connected (harness));
}

/* With the clock's time: the last of what was due comes, the rest is counted. */
static void
test_source_pause (void)
{
  g_autoptr (PenHarness) harness = test_make ("n=counter;t=time(epoch)", NULL);

  test_start (harness);
  test_assert_next (harness, "{\"n\":1,\"t\":1780272000}");
  pen_harness_pause (harness);
  pen_harness_advance (harness, 7 * G_TIME_SPAN_SECOND / 2);
  test_assert_next (harness, NULL);
  pen_harness_resume (harness);
  pen_harness_advance (harness, 0);
  test_assert_next (harness, "{\"n\":2,\"t\":1780272003}");
  test_assert_next (harness, NULL);
  g_assert_cmpint (pen_harness_get_count (harness, "intervals_missed", NULL), ==, 2);
  pen_harness_advance (harness, G_TIME_SPAN_SECOND / 2);
  test_assert_next (harness, "{\"n\":3,\"t\":1780272004}");
}

/* With a time of its own, time stands still. */
static void
test_source_pause_own_time (void)
{
  g_autoptr (PenHarness) harness = test_make ("n=counter;t=time(epoch)", "speed", 10.0, "interval",
                                              10 * G_TIME_SPAN_SECOND, NULL);

  test_start (harness);
  test_assert_next (harness, "{\"n\":1,\"t\":1780272000}");
  pen_harness_advance (harness, 1 * G_TIME_SPAN_SECOND);
  test_assert_next (harness, "{\"n\":2,\"t\":1780272010}");
  pen_harness_advance (harness, G_TIME_SPAN_SECOND / 2);
  pen_harness_pause (harness);
  pen_harness_advance (harness, 100 * G_TIME_SPAN_SECOND);
  pen_harness_resume (harness);
  pen_harness_advance (harness, 0);
  test_assert_next (harness, NULL);
  pen_harness_advance (harness, G_TIME_SPAN_SECOND / 2);
  test_assert_next (harness, "{\"n\":3,\"t\":1780272020}");
  test_assert_next (harness, NULL);
}

static void
test_source_items (void)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "items.json", NULL);
  g_autoptr (PenHarness) harness = NULL;
  static const char *const expected[] = { "a1", "b1", "a2", "b2", "a3", NULL };

  pen_test_write_file (folder, "items.json", "{\"a\":1,\"b\":2}");
  harness = test_make ("n=counter", "items-file", path, "template", "\"{item}{n}\"", "count",
                       (guint64) 5, "realtime", FALSE, NULL);
  pen_harness_start (harness);
  g_assert_true (pen_harness_wait_for (harness, test_is_finished, harness, TIMEOUT_MS));
  for (guint i = 0; i < 6; i++)
    {
      g_autofree char *text = expected[i] != NULL ? g_strdup_printf ("\"%s\"", expected[i]) : NULL;

      test_assert_next (harness, text);
    }
  g_clear_pointer (&harness, pen_harness_free);
  pen_test_remove_folder (g_steal_pointer (&folder));
}

/* 100,000 events without waiting, with pauses in between that lose none. */
static void
test_source_many (void)
{
  const guint n_events = 100000;
  g_autoptr (PenHarness) harness
      = test_make ("n=counter;t=time(epoch)", "count", (guint64) n_events, "realtime", FALSE,
                   "start", "2026-06-01", NULL);

  pen_harness_start (harness);
  g_assert_true (pen_harness_wait (harness, 1, TIMEOUT_MS));
  for (guint i = 0; i < 10; i++)
    {
      pen_harness_pause (harness);
      g_main_context_iteration (NULL, FALSE);
      pen_harness_resume (harness);
      g_main_context_iteration (NULL, FALSE);
    }
  g_assert_true (pen_harness_wait_for (harness, test_is_finished, harness, TIMEOUT_MS));
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, n_events);
  for (guint i = 0; i < n_events; i++)
    {
      g_autofree char *expected = g_strdup_printf ("{\"n\":%u,\"t\":%u}", i + 1, 1780272000 + i);

      test_assert_next (harness, expected);
    }
}

#define test_assert_check(expected, set, ...)                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (PenSimulateSource) source_ = g_object_new (PEN_TYPE_SIMULATE_SOURCE, __VA_ARGS__);  \
    g_autofree char *found_ = pen_harness_check (PEN_ELEMENT (source_), (set), TRUE);              \
    if (!g_pattern_match_simple ((expected), found_))                                              \
      g_error ("'%s' does not match '%s'", found_, (expected));                                    \
  }                                                                                                \
  G_STMT_END

static void
test_source_check (void)
{
  static const char *const fields[] = { "n=counter", NULL };
  static const char *const wrong[] = { "n=count", NULL };
  gint64 second_us = G_TIME_SPAN_SECOND;

  test_assert_check ("", "", "fields", fields, NULL);
  test_assert_check ("", "", "template", "{}", NULL);
  test_assert_check ("error: *there is nothing to make up; *", "", NULL);
  test_assert_check ("error: *'count' is no generator; *", "", "fields", wrong, NULL);
  test_assert_check ("error: *random intervals need interval-maximum too*", "interval-minimum",
                     "fields", fields, "interval-minimum", second_us, NULL);
  test_assert_check ("error: *is less than interval-minimum*", "interval-minimum interval-maximum",
                     "fields", fields, "interval-minimum", 2 * second_us, "interval-maximum",
                     second_us, NULL);
  test_assert_check ("error: *either fixed * or random *", "interval interval-maximum", "fields",
                     fields, "interval-maximum", second_us, NULL);
  test_assert_check ("error: *'today' is no time; *", "start", "fields", fields, "start", "today",
                     NULL);
  test_assert_check ("warning: *without a pause and without an end*", "realtime", "fields", fields,
                     "realtime", FALSE, NULL);
  test_assert_check ("warning: *has no effect with realtime=false*", "realtime speed count",
                     "fields", fields, "realtime", FALSE, "count", (guint64) 1, NULL);
  test_assert_check ("error: *cannot read '/nowhere/items.json': *", "items-file", "fields", fields,
                     "items-file", "/nowhere/items.json", NULL);
}

static void
test_source_start_fails (void)
{
  g_autoptr (PenHarness) harness = test_make ("n=counter", "template", "{\"a\": {b}}", NULL);
  g_autoptr (GError) error = pen_harness_start_fails (harness);

  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_cmpstr (error->message, ==,
                   "template: character 7: there is no field for '{b}'; there are {n}");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/simulate-source/interval", test_source_interval);
  g_test_add_func ("/simulate-source/random-interval", test_source_random_interval);
  g_test_add_func ("/simulate-source/seed", test_source_seed);
  g_test_add_func ("/simulate-source/any-seed", test_source_any_seed);
  g_test_add_func ("/simulate-source/duration", test_source_duration);
  g_test_add_func ("/simulate-source/pause", test_source_pause);
  g_test_add_func ("/simulate-source/pause-own-time", test_source_pause_own_time);
  g_test_add_func ("/simulate-source/items", test_source_items);
  g_test_add_func ("/simulate-source/many", test_source_many);
  g_test_add_func ("/simulate-source/check", test_source_check);
  g_test_add_func ("/simulate-source/start-fails", test_source_start_fails);
  return g_test_run ();
}
