/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counters of an element: found again, read back, bounded.
 */

#include "config.h"

#include "pen-metrics-private.h"
#include "pen-test.h"

static void
test_metrics_counts (void)
{
  g_autoptr (PenMetrics) metrics = pen_metrics_new ();
  PenMetric *metric = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_dropped", "empty");

  pen_metric_add (metric, 2);
  pen_metric_add (metric, 3);

  g_assert_true (pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_dropped", "empty")
                 == metric);
  g_assert_cmpint (pen_metric_get (metric), ==, 5);
}

static void
test_metrics_count (const char *name,
                    const char *reason,
                    PenMetricKind kind,
                    gint64 value,
                    gpointer data)
{
  guint *n_metrics = data;

  *n_metrics += 1;
}

static void
test_metrics_bounds_reasons (void)
{
  g_autoptr (PenMetrics) metrics = pen_metrics_new ();
  guint n_metrics = 0;

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *reason = g_strdup_printf ("reason_%u", i);

      pen_metric_add (pen_metrics_get (metrics, PEN_METRIC_COUNTER, "n", reason), 1);
    }
  pen_metrics_foreach (metrics, test_metrics_count, &n_metrics);

  g_assert_cmpuint (n_metrics, ==, 257);
  g_assert_cmpint (pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, "n", "other")), ==,
                   744);
}

static void
test_metrics_live_as_long_as_held (void)
{
  PenMetrics *metrics = pen_metrics_new ();
  g_autoptr (PenMetrics) held = pen_metrics_ref (metrics);
  PenMetric *metric = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "connected", NULL);

  pen_metric_add (metric, 1);
  pen_metrics_unref (metrics);
  g_assert_cmpint (pen_metric_get (pen_metrics_get (held, PEN_METRIC_GAUGE, "connected", NULL)), ==,
                   1);
}

/* The slow and plain way to say which bucket a value is of. */
static guint
test_find_bucket (const PenHistogramScale *scale, gint64 value)
{
  guint index = 0;

  while (index < scale->n_bounds && value > scale->bounds[index])
    index++;
  return index;
}

static void
test_histogram_finds_buckets (gconstpointer data)
{
  g_autoptr (PenMetrics) metrics = pen_metrics_new ();
  PenHistogram *histogram
      = pen_metrics_get_histogram (metrics, (PenHistogramKind) GPOINTER_TO_UINT (data), "it");
  const PenHistogramScale *scale = histogram->scale;
  gint64 expected[PEN_HISTOGRAM_MAX_BOUNDS + 1] = { 0 };
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < 50; i++)
    for (int j = -1; j <= 1; j++)
      {
        gint64 value = (gint64) (G_GUINT64_CONSTANT (1) << i) + j;

        g_array_append_val (values, value);
      }
  for (guint i = 0; i < scale->n_bounds; i++)
    for (int j = -1; j <= 1; j++)
      {
        gint64 value = scale->bounds[i] + j;

        g_assert_true (i == 0 || scale->bounds[i] >= 2 * scale->bounds[i - 1]);
        g_array_append_val (values, value);
      }
  for (guint i = 0; i < values->len; i++)
    {
      gint64 value = g_array_index (values, gint64, i);

      expected[test_find_bucket (scale, value)] += 3;
      pen_histogram_add_alone (histogram, value, 3);
    }
  for (guint i = 0; i <= scale->n_bounds; i++)
    g_assert_cmpint (pen_metric_get (&histogram->counts[i]), ==, expected[i]);
  pen_histogram_add_alone (histogram, -5, 1);
  g_assert_cmpint (pen_metric_get (&histogram->counts[0]), ==, expected[0] + 1);
}

static void
test_histogram_sums (void)
{
  g_autoptr (PenMetrics) metrics = pen_metrics_new ();
  PenHistogram *histogram = pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_EVENTS, "it");

  pen_histogram_add_alone (histogram, 500, 2);
  pen_histogram_add_alone (histogram, -5, 7);
  g_assert_cmpint (pen_metric_get (&histogram->sum), ==, 1000);
  g_assert_true (pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_EVENTS, "it") == histogram);
}

/* Of many that come together one in sixteen is measured, and stands for all; of those that come
 * alone each. */
static void
test_stopwatch_stands_for_all (void)
{
  g_autoptr (PenMetrics) metrics = pen_metrics_new ();
  PenStopwatch watch
      = { .histogram = pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_WORK, "it") };
  gint64 arrival_us = G_GINT64_CONSTANT (1767323045678901);
  gint64 n_told = 0;
  guint n_measured = 0;

  for (guint i = 0; i < 161; i++)
    if (pen_stopwatch_begin (&watch, arrival_us + i))
      {
        n_measured++;
        pen_stopwatch_end (&watch);
      }
  g_assert_cmpuint (n_measured, ==, 11);
  for (guint i = 1; i <= 5; i++)
    {
      g_assert_true (pen_stopwatch_begin (&watch, arrival_us + i * 2 * G_USEC_PER_SEC));
      pen_stopwatch_end (&watch);
    }
  for (guint i = 0; i <= watch.histogram->scale->n_bounds; i++)
    n_told += pen_metric_get (&watch.histogram->counts[i]);
  g_assert_cmpint (n_told, ==, 166);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/metrics/counts", test_metrics_counts);
  g_test_add_func ("/metrics/bounds-reasons", test_metrics_bounds_reasons);
  g_test_add_func ("/metrics/live-as-long-as-held", test_metrics_live_as_long_as_held);
  g_test_add_data_func ("/histogram/finds-buckets/work", GUINT_TO_POINTER (PEN_HISTOGRAM_WORK),
                        test_histogram_finds_buckets);
  g_test_add_data_func ("/histogram/finds-buckets/latency",
                        GUINT_TO_POINTER (PEN_HISTOGRAM_LATENCY), test_histogram_finds_buckets);
  g_test_add_data_func ("/histogram/finds-buckets/events", GUINT_TO_POINTER (PEN_HISTOGRAM_EVENTS),
                        test_histogram_finds_buckets);
  g_test_add_func ("/histogram/sums", test_histogram_sums);
  g_test_add_func ("/stopwatch/stands-for-all", test_stopwatch_stands_for_all);
  return g_test_run ();
}
