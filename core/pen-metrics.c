/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an element counts. A metric is looked up once by name and reason and then added to without a
 * lock. The number of reasons a name may have is bounded, because some come from outside: what
 * comes later is counted under "other".
 */

#include "config.h"

#include "pen-metrics-private.h"

#define MAX_METRICS 256
/* of an element; the runtime has two */
#define MAX_HISTOGRAMS 8
#define END G_MAXINT64

typedef struct
{
  PenMetric metric; /* first, so that its address is the entry's */
  PenMetricKind kind;
  const char *name; /* interned */
  char *reason;
} PenMetricEntry;

typedef struct
{
  PenHistogram histogram; /* first, so that its address is the entry's */
  const char *name;       /* interned */
} PenHistogramEntry;

struct _PenMetrics
{
  gatomicrefcount references;
  GMutex lock; /* guards what follows */
  GPtrArray *entries;
  PenHistogramEntry *histograms[MAX_HISTOGRAMS];
  guint n_histograms;
};

static PenHistogramScale scales[] = {
  [PEN_HISTOGRAM_WORK] = { 1e-9,
                           12,
                           { 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 25000000,
                             100000000, 1000000000, G_GINT64_CONSTANT (10000000000), END } },
  [PEN_HISTOGRAM_LATENCY]
  = { 1e-6,
      12,
      { 1000, 2500, 5000, 25000, 100000, 500000, 2500000, 10000000, 60000000, 600000000,
        G_GINT64_CONSTANT (3600000000), G_GINT64_CONSTANT (86400000000), END } },
  [PEN_HISTOGRAM_EVENTS] = { 1, 10, { 1, 2, 5, 10, 25, 50, 100, 250, 1000, 10000, END } },
};

static void
pen_metric_entry_free (gpointer data)
{
  PenMetricEntry *entry = data;

  g_free (entry->reason);
  g_free (entry);
}

/**
 * pen_metrics_new: (skip)
 *
 * Returns: (transfer full): metrics with nothing in them
 *
 * Threads: any
 */
PenMetrics *
pen_metrics_new (void)
{
  PenMetrics *self = g_new0 (PenMetrics, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->entries = g_ptr_array_new_with_free_func (pen_metric_entry_free);
  return self;
}

/**
 * pen_metrics_ref: (skip)
 * @self: metrics
 *
 * Returns: (transfer full): @self
 *
 * Threads: any
 */
PenMetrics *
pen_metrics_ref (PenMetrics *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * pen_metrics_unref: (skip)
 * @self: (transfer full): metrics
 *
 * Threads: any
 */
void
pen_metrics_unref (PenMetrics *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_ptr_array_unref (self->entries);
  for (guint i = 0; i < self->n_histograms; i++)
    g_free (self->histograms[i]);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static PenMetricEntry *
pen_metrics_find_locked (PenMetrics *self, const char *name, const char *reason)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      PenMetricEntry *entry = g_ptr_array_index (self->entries, i);

      if (g_str_equal (entry->name, name) && g_strcmp0 (entry->reason, reason) == 0)
        return entry;
    }
  return NULL;
}

/**
 * pen_metrics_get: (skip)
 * @self: metrics
 * @kind: counter or gauge
 * @name: what is counted: `events_dropped`
 * @reason: (nullable): value of the reason label; a name of the field, never text from outside
 *
 * Looks a metric up, or makes it at 0. Meant to be called once for each figure, not for each event.
 *
 * Returns: (transfer none): the metric; it lives as long as @self
 *
 * Threads: any
 */
PenMetric *
pen_metrics_get (PenMetrics *self, PenMetricKind kind, const char *name, const char *reason)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  PenMetricEntry *entry = pen_metrics_find_locked (self, name, reason);

  if (entry == NULL && self->entries->len >= MAX_METRICS)
    {
      reason = "other";
      entry = pen_metrics_find_locked (self, name, reason);
    }
  if (entry == NULL)
    {
      entry = g_new0 (PenMetricEntry, 1);
      entry->kind = kind;
      entry->name = g_intern_string (name);
      entry->reason = g_strdup (reason);
      g_ptr_array_add (self->entries, entry);
    }
  return &entry->metric;
}

/**
 * pen_metrics_foreach: (skip)
 * @self: metrics
 * @func: called for each metric, in the order in which they were first asked for
 * @user_data: for @func
 *
 * @func must not ask @self for anything.
 *
 * Threads: any
 */
void
pen_metrics_foreach (PenMetrics *self, PenMetricsFunc func, gpointer user_data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < self->entries->len; i++)
    {
      PenMetricEntry *entry = g_ptr_array_index (self->entries, i);

      func (entry->name, entry->reason, entry->kind, pen_metric_get (&entry->metric), user_data);
    }
}

static void
pen_metrics_prepare_scales (void)
{
  static gsize is_prepared = 0;

  if (!g_once_init_enter (&is_prepared))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (scales); i++)
    for (guint bit = 0; bit < G_N_ELEMENTS (scales[i].first); bit++)
      while (scales[i].first[bit] < scales[i].n_bounds
             && (guint64) scales[i].bounds[scales[i].first[bit]] < G_GUINT64_CONSTANT (1) << bit)
        scales[i].first[bit]++;
  g_once_init_leave (&is_prepared, 1);
}

/*
 * pen_metrics_get_histogram:
 * @self: metrics
 * @kind: what is distributed
 * @name: of what: `write_seconds`
 *
 * Looks a histogram up, or makes it empty.
 *
 * Returns: (transfer none): the histogram; it lives as long as @self
 *
 * Threads: any
 */
PenHistogram *
pen_metrics_get_histogram (PenMetrics *self, PenHistogramKind kind, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  PenHistogramEntry *entry = NULL;

  for (guint i = 0; i < self->n_histograms; i++)
    if (g_str_equal (self->histograms[i]->name, name))
      return &self->histograms[i]->histogram;
  g_return_val_if_fail (self->n_histograms < MAX_HISTOGRAMS, NULL);
  pen_metrics_prepare_scales ();
  entry = g_new0 (PenHistogramEntry, 1);
  entry->histogram.scale = &scales[kind];
  entry->name = g_intern_string (name);
  self->histograms[self->n_histograms++] = entry;
  return &entry->histogram;
}

/*
 * pen_metrics_foreach_histogram:
 * @self: metrics
 * @func: called for each histogram, which may be added to meanwhile
 * @user_data: for @func
 *
 * @func must not ask @self for anything.
 *
 * Threads: any
 */
void
pen_metrics_foreach_histogram (PenMetrics *self, PenHistogramFunc func, gpointer user_data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < self->n_histograms; i++)
    func (self->histograms[i]->name, &self->histograms[i]->histogram, user_data);
}
