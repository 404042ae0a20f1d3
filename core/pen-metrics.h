/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an element counts.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PenMetrics:
 *
 * The counters and gauges of one element. Thread-safe, reference-counted.
 */
typedef struct _PenMetrics PenMetrics;

/**
 * PenMetricKind:
 * @PEN_METRIC_COUNTER: only grows
 * @PEN_METRIC_GAUGE: goes up and down
 */
typedef enum
{
  PEN_METRIC_COUNTER,
  PEN_METRIC_GAUGE,
} PenMetricKind;

/**
 * PenMetric:
 *
 * One figure. It lives as long as its [struct@Metrics]; look it up once and keep the pointer.
 */
typedef struct
{
  /*< private >*/
  gint64 value; /* atomic, relaxed */
} PenMetric;

/**
 * PenMetricsFunc:
 * @name: name of the metric, without unit prefix of any exporter: `events_dropped`; interned
 * @reason: (nullable): value of its reason label
 * @kind: counter or gauge
 * @value: value now
 * @user_data: the caller's
 */
typedef void (*PenMetricsFunc) (const char *name,
                                const char *reason,
                                PenMetricKind kind,
                                gint64 value,
                                gpointer user_data);

PEN_AVAILABLE_IN_1_0
PenMetrics *pen_metrics_new (void);
PEN_AVAILABLE_IN_1_0
PenMetrics *pen_metrics_ref (PenMetrics *self);
PEN_AVAILABLE_IN_1_0
void pen_metrics_unref (PenMetrics *self);
PEN_AVAILABLE_IN_1_0
PenMetric *
pen_metrics_get (PenMetrics *self, PenMetricKind kind, const char *name, const char *reason);
PEN_AVAILABLE_IN_1_0
void pen_metrics_foreach (PenMetrics *self, PenMetricsFunc func, gpointer user_data);

/**
 * pen_metric_add:
 * @metric: a counter or gauge
 * @amount: what to add
 *
 * Threads: any
 */
static inline void
pen_metric_add (PenMetric *metric, gint64 amount)
{
  __atomic_fetch_add (&metric->value, amount, __ATOMIC_RELAXED);
}

/**
 * pen_metric_add_alone:
 * @metric: a counter or gauge that only one thread at a time changes, by this function alone
 * @amount: what to add
 *
 * Does as [func@metric_add], for what happens with each event: that one's locked instruction costs
 * as much as twenty others. Any thread may read the metric meanwhile.
 *
 * Threads: one at a time
 */
static inline void
pen_metric_add_alone (PenMetric *metric, gint64 amount)
{
  __atomic_store_n (&metric->value, __atomic_load_n (&metric->value, __ATOMIC_RELAXED) + amount,
                    __ATOMIC_RELAXED);
}

/**
 * pen_metric_set:
 * @metric: a gauge
 * @value: its new value
 *
 * Threads: any
 */
static inline void
pen_metric_set (PenMetric *metric, gint64 value)
{
  __atomic_store_n (&metric->value, value, __ATOMIC_RELAXED);
}

/**
 * pen_metric_get:
 * @metric: a counter or gauge
 *
 * Returns: its value now
 *
 * Threads: any
 */
static inline gint64
pen_metric_get (const PenMetric *metric)
{
  return __atomic_load_n (&metric->value, __ATOMIC_RELAXED);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenMetrics, pen_metrics_unref)

G_END_DECLS
