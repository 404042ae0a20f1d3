/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The durable log between the sources of a pipeline and its sinks, as its lane sees it.
 */

#pragma once

#include "pen-lane.h"
#include "pen-spool-store.h"
#include "pen-workers.h"

G_BEGIN_DECLS

typedef struct _PenSpool PenSpool;
typedef struct _PenSpoolReader PenSpoolReader;

typedef struct
{
  const char *state_folder;
  const char *pipeline;
  guint64 max_bytes; /* of the file; what is full takes nothing */
  gint64 keep_us;    /* how long what everybody has is kept for a replay */
} PenSpoolOptions;

/* How a spool speaks to its owner; all on the lane, never after pen_spool_abandon (). */
typedef struct
{
  /* the file is open, locked, and verified */
  void (*opened) (gpointer owner);
  /* it takes no more, or has room again */
  void (*full) (gpointer owner, gboolean is_full);
  /* something was committed or handed over: pen_spool_is_idle () or pen_spool_is_at_end () may have
   * changed */
  void (*changed) (gpointer owner);
  /* it will never work; takes @error */
  void (*failed) (gpointer owner, GError *error);
  /* the file is closed, or never was open */
  void (*closed) (gpointer owner);
} PenSpoolFunctions;

/* A message for a reader. @is_known: it has been delivered, and comes again only so that what was
 * held can be rebuilt. */
typedef void (*PenSpoolReadFunc) (gpointer owner, const PenSpoolRecord *record, gboolean is_known);

/* All on the lane. */
PEN_RUNTIME_EXPORT
PenSpool *pen_spool_new (const PenSpoolOptions *options,
                         PenLane *lane,
                         PenWorkers *workers,
                         const PenSpoolFunctions *functions,
                         gpointer owner);
/* Before pen_spool_open (). (transfer none): lives as long as the spool; paused at first. */
PEN_RUNTIME_EXPORT
PenSpoolReader *
pen_spool_add_reader (PenSpool *self, const char *sink, PenSpoolReadFunc func, gpointer owner);
/* Opens the file, again and again if need be. */
PEN_RUNTIME_EXPORT
void pen_spool_open (PenSpool *self);
/* Takes @event, and drops it, and with it its token, when it is committed. */
PEN_RUNTIME_EXPORT
void pen_spool_take (PenSpool *self, const char *source, PenEvent *event);
/* Everything taken is committed. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_is_idle (PenSpool *self);
/* It is idle, and every reader has had everything. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_is_at_end (PenSpool *self);
/* Saves how far the readers are, and closes the file. What was taken and cannot be committed is
 * dropped: the owner has made sure that it is not acknowledged. @all_settled: nothing is under way
 * behind the readers; the next run does not have to mark anything as replayed. */
PEN_RUNTIME_EXPORT
void pen_spool_close (PenSpool *self, gboolean all_settled);
/* Says nothing any more. FALSE: it is under way on a worker and may never come back; the spool
 * keeps itself alive for it. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_abandon (PenSpool *self);
PEN_RUNTIME_EXPORT
void pen_spool_unref (PenSpool *self);

PEN_RUNTIME_EXPORT
void pen_spool_reader_pause (PenSpoolReader *self);
PEN_RUNTIME_EXPORT
void pen_spool_reader_resume (PenSpoolReader *self);
/* Everything up to @delivered has its outcome; @needed and what follows must be kept. */
PEN_RUNTIME_EXPORT
void pen_spool_reader_settle (PenSpoolReader *self, guint64 delivered, guint64 needed);
/* Whether it has not yet had all up to @position. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_reader_is_behind (const PenSpoolReader *self, guint64 position);
/* Whether it has had all that has come, also what is not committed yet. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_reader_is_at_end (const PenSpoolReader *self);
/* How many messages have no outcome yet for it. */
PEN_RUNTIME_EXPORT
guint64 pen_spool_reader_count_waiting (const PenSpoolReader *self);
/* When the oldest of those arrived that are committed; 0: none waits. */
PEN_RUNTIME_EXPORT
gint64 pen_spool_reader_get_oldest (const PenSpoolReader *self);
/* Of the file, without what is free in it. */
PEN_RUNTIME_EXPORT
guint64 pen_spool_get_used_bytes (const PenSpool *self);
/* After opened: where the reader stands. */
PEN_RUNTIME_EXPORT
guint64 pen_spool_reader_get_delivered (const PenSpoolReader *self);
PEN_RUNTIME_EXPORT
guint64 pen_spool_reader_get_needed (const PenSpoolReader *self);

G_END_DECLS
