/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An event loop that many pipelines share.
 */

#pragma once

#include "pen-element.h"

G_BEGIN_DECLS

typedef struct _PenLane PenLane;

typedef void (*PenLaneFunc) (gpointer user_data);

/* What is to be done at the end of the round in which it is asked for; part of the struct that
 * asks, and zero-initialised but for the first two. */
typedef struct
{
  PenLaneFunc func;
  gpointer user_data;
  /* lane */
  gboolean is_queued;
} PenLaneDeferred;

/* On a context that the caller runs, or with a thread of its own if @context is NULL. */
PEN_RUNTIME_EXPORT
PenLane *pen_lane_new (GMainContext *context);
/* Ends the thread, if any, after what was invoked before. Not from the lane itself. */
PEN_RUNTIME_EXPORT
void pen_lane_join (PenLane *self);
/* Joins it if nobody has; after all that refers to it has gone. */
PEN_RUNTIME_EXPORT
void pen_lane_free (PenLane *self);
PEN_RUNTIME_EXPORT
GMainContext *pen_lane_get_context (PenLane *self);

/* From any thread: @func runs on the lane, later. */
PEN_RUNTIME_EXPORT
void pen_lane_invoke (PenLane *self, PenLaneFunc func, gpointer user_data);

/* The rest: on the lane only. */
PEN_RUNTIME_EXPORT
gboolean pen_lane_is_current (PenLane *self);
PEN_RUNTIME_EXPORT
gint64 pen_lane_get_monotonic_time (PenLane *self);
PEN_RUNTIME_EXPORT
gint64 pen_lane_get_real_time (PenLane *self);
PEN_RUNTIME_EXPORT
void pen_lane_defer (PenLane *self, PenLaneDeferred *deferred);
/* Before the struct that holds it goes away. */
PEN_RUNTIME_EXPORT
void pen_lane_cancel_deferred (PenLane *self, PenLaneDeferred *deferred);
PEN_RUNTIME_EXPORT
void pen_lane_watch (PenLane *self,
                     PenElement *element,
                     int fd,
                     GIOCondition condition,
                     PenWatchFunc func);
PEN_RUNTIME_EXPORT
void pen_lane_unwatch (PenLane *self, int fd);
/* Never 0. */
PEN_RUNTIME_EXPORT
guint pen_lane_add_timer (PenLane *self, gint64 delay_us, PenLaneFunc func, gpointer user_data);
PEN_RUNTIME_EXPORT
guint pen_lane_add_element_timer (PenLane *self,
                                  PenElement *element,
                                  gint64 delay_us,
                                  PenTimerFunc func,
                                  gpointer user_data);
PEN_RUNTIME_EXPORT
void pen_lane_remove_timer (PenLane *self, guint timer);

/* For tests: a clock that stands still until it is moved, and timers that follow it. */
PEN_RUNTIME_EXPORT
void pen_lane_set_test_clock (PenLane *self, gint64 monotonic_us, gint64 real_us);
PEN_RUNTIME_EXPORT
void pen_lane_advance (PenLane *self, gint64 us);

G_END_DECLS
