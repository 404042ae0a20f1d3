/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is known of one field within one window.
 */

#pragma once

#include "pen-window-function.h"
#include "pen-window-sum.h"

G_BEGIN_DECLS

/* What an event brought. Of two with one time, the one with the lower order came first. */
typedef struct
{
  gint64 time_us;
  guint64 order;
  const PenWindowValue *values; /* of all fields */
} PenWindowSample;

/* A value that outlives its event. */
typedef struct
{
  gboolean is_set;
  gint64 time_us;
  guint64 order;
  PenWindowValue value;
  char *text;
} PenWindowKept;

typedef struct
{
  PenWindowNeeds needs;
  guint field;
  gboolean is_sliding; /* values are taken away again, and samples outlive their time in it */
  guint64 n_values;
  PenWindowSum sum;
  PenWindowSum squares;
  /* sliding */
  GSequence *by_value; /* (nullable): of PenWindowSample */
  GSequence *by_time;  /* (nullable) */
  /* otherwise */
  PenWindowKept first;
  PenWindowKept last;
  PenWindowKept least;
  PenWindowKept greatest;
  GArray *reals; /* (nullable): of double */
  guint n_sorted;
} PenWindowTally;

void pen_window_tally_init (PenWindowTally *self,
                            PenWindowNeeds needs,
                            guint field,
                            gboolean is_sliding);
void pen_window_tally_clear (PenWindowTally *self);
/* Returns by how many bytes it grew. */
gsize pen_window_tally_add (PenWindowTally *self, const PenWindowSample *sample);
/* Sliding only: what was added before. */
void pen_window_tally_remove (PenWindowTally *self, const PenWindowSample *sample);
/* Writes a JSON value: null where there are too few values. Not for coverage. */
void pen_window_tally_write (PenWindowTally *self, const PenWindowCall *call, GString *text);

G_END_DECLS
