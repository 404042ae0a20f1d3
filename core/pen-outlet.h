/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands before a sink: its queue, its batches, its retries.
 */

#pragma once

#include "pen-lane.h"
#include "pen-sink.h"
#include "pen-workers.h"

G_BEGIN_DECLS

typedef struct _PenOutlet PenOutlet;

/* How an outlet speaks to its owner; all on the lane, never after pen_outlet_abandon (). */
typedef struct
{
  /* the sink is open */
  void (*started) (gpointer owner);
  /* the sink will never take @event */
  void (*reject) (gpointer owner,
                  PenSink *sink,
                  PenEvent *event,
                  const char *reason,
                  const char *message);
  /* the queue has become full, or has room again */
  void (*full) (gpointer owner, gboolean is_full);
  /* nothing waits and nothing is under way */
  void (*idle) (gpointer owner);
  /* nothing will ever pass (again); takes @error. What waits is dropped after this: the owner
   * makes sure that it is not acknowledged */
  void (*failed) (gpointer owner, PenSink *sink, GError *error);
  /* the sink is closed */
  void (*stopped) (gpointer owner);
} PenOutletFunctions;

PEN_RUNTIME_EXPORT
PenOutlet *pen_outlet_new (PenSink *sink,
                           PenLane *lane,
                           PenWorkers *workers,
                           const PenOutletFunctions *functions,
                           gpointer owner);
/* Before it starts: what waits is elsewhere, so two batches in memory are enough. */
PEN_RUNTIME_EXPORT
void pen_outlet_keep_little (PenOutlet *self);
/* (element-type PenTap) (nullable): those that see what it takes from now on */
PEN_RUNTIME_EXPORT
void pen_outlet_set_taps (PenOutlet *self, GPtrArray *taps);
/* Opens the sink, again and again if need be. */
PEN_RUNTIME_EXPORT
void pen_outlet_start (PenOutlet *self);
/* Takes @event. */
PEN_RUNTIME_EXPORT
void pen_outlet_take (PenOutlet *self, PenEvent *event);
/* Writes what there is without waiting for more, now and from now on. */
PEN_RUNTIME_EXPORT
void pen_outlet_drain (PenOutlet *self);
PEN_RUNTIME_EXPORT
gboolean pen_outlet_is_idle (PenOutlet *self);
PEN_RUNTIME_EXPORT
guint pen_outlet_get_n_events (PenOutlet *self);
/* Flushes and closes the sink, which must be idle unless it never opened. */
PEN_RUNTIME_EXPORT
void pen_outlet_stop (PenOutlet *self);
/* Drops everything, and says nothing any more. FALSE: the sink is under way on a worker and may
 * never come back; the outlet keeps itself alive for it. */
PEN_RUNTIME_EXPORT
gboolean pen_outlet_abandon (PenOutlet *self);
PEN_RUNTIME_EXPORT
void pen_outlet_unref (PenOutlet *self);

G_END_DECLS
