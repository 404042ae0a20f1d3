/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counters of an element: found again, read back, bounded.
 */

#include "config.h"

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

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/metrics/counts", test_metrics_counts);
  g_test_add_func ("/metrics/bounds-reasons", test_metrics_bounds_reasons);
  g_test_add_func ("/metrics/live-as-long-as-held", test_metrics_live_as_long_as_held);
  return g_test_run ();
}
