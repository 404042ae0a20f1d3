/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an element counts. A metric is looked up once by name and reason and then added to without a
 * lock. The number of reasons a name may have is bounded, because some come from outside: what
 * comes later is counted under "other".
 */

#include "config.h"

#include "pen-metrics.h"

#define MAX_METRICS 256

typedef struct
{
  PenMetric metric; /* first, so that its address is the entry's */
  PenMetricKind kind;
  char *name;
  char *reason;
} PenMetricEntry;

struct _PenMetrics
{
  gatomicrefcount references;
  GMutex lock; /* guards entries */
  GPtrArray *entries;
};

static void
pen_metric_entry_free (gpointer data)
{
  PenMetricEntry *entry = data;

  g_free (entry->name);
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
      entry->name = g_strdup (name);
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
