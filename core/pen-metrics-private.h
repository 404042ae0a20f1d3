/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Histograms, which the runtime alone counts.
 */

#pragma once

#include "pen-metrics.h"

#include <time.h>

G_BEGIN_DECLS

/* What is distributed, and so between which bounds. */
typedef enum
{
  PEN_HISTOGRAM_WORK,    /* nanoseconds that a piece of work takes: 5 µs to 10 s */
  PEN_HISTOGRAM_LATENCY, /* microseconds that an event is under way: 1 ms to a day */
  PEN_HISTOGRAM_EVENTS,  /* how many: 1 to 10,000 */
} PenHistogramKind;

#define PEN_HISTOGRAM_MAX_BOUNDS 12

typedef struct
{
  double unit; /* of a value, in what it is told in: 1e-9 of nanoseconds */
  guint n_bounds;
  gint64 bounds[PEN_HISTOGRAM_MAX_BOUNDS + 1]; /* each at least twice the one before; an end */
  guint8 first[64];                            /* for each power of two, the first not below it */
} PenHistogramScale;

/* One distribution. It lives as long as its metrics. */
typedef struct
{
  const PenHistogramScale *scale;
  PenMetric sum;
  PenMetric counts[PEN_HISTOGRAM_MAX_BOUNDS + 1]; /* of each bucket alone; the last has no bound */
} PenHistogram;

typedef void (*PenHistogramFunc) (const char *name,
                                  const PenHistogram *histogram,
                                  gpointer user_data);

PEN_RUNTIME_EXPORT
PenHistogram *pen_metrics_get_histogram (PenMetrics *self, PenHistogramKind kind, const char *name);
/* As pen_metrics_foreach (). */
PEN_RUNTIME_EXPORT
void pen_metrics_foreach_histogram (PenMetrics *self, PenHistogramFunc func, gpointer user_data);

/* @n times @value; one thread at a time. As bounds at least double, one is in reach of a value of
 * which the highest bit is known: no search, some ten instructions. */
static inline void
pen_histogram_add_alone (PenHistogram *self, gint64 value, gint64 n)
{
  gint64 known = MAX (value, 0); /* a clock was set back */
  guint index = self->scale->first[63 - __builtin_clzll ((guint64) known | 1)];

  index += known > self->scale->bounds[index];
  pen_metric_add_alone (&self->counts[index], n);
  pen_metric_add_alone (&self->sum, known * n);
}

/* Time that pieces of work take, of which not all are measured: reading the clock twice costs as
 * much as some of them. One in PEN_STOPWATCH_EVERY is, and stands for those before it; and one
 * that comes PEN_STOPWATCH_GAP_US or more after the last that was measured, so that a quiet
 * pipeline's are measured all. */
#define PEN_STOPWATCH_EVERY 16
#define PEN_STOPWATCH_GAP_US G_USEC_PER_SEC

typedef struct
{
  PenHistogram *histogram;
  guint n_unmeasured;
  gint64 measured_us; /* when the last came that was measured */
  gint64 begun_ns;
} PenStopwatch;

static inline gint64
pen_stopwatch_read_clock (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* Work begins on what came at @arrival_us. Whether it is measured: then the end is to be told. */
static inline gboolean
pen_stopwatch_begin (PenStopwatch *self, gint64 arrival_us)
{
  self->n_unmeasured++;
  if (self->n_unmeasured < PEN_STOPWATCH_EVERY
      && (guint64) (arrival_us - self->measured_us) < PEN_STOPWATCH_GAP_US)
    return FALSE;
  self->measured_us = arrival_us;
  self->begun_ns = pen_stopwatch_read_clock ();
  return TRUE;
}

static inline void
pen_stopwatch_end (PenStopwatch *self)
{
  pen_histogram_add_alone (self->histogram, pen_stopwatch_read_clock () - self->begun_ns,
                           self->n_unmeasured);
  self->n_unmeasured = 0;
}

G_END_DECLS
