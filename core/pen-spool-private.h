/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A spool: what its lane knows of it, and what a job on a worker takes with it.
 */

#pragma once

#include "pen-backoff.h"
#include "pen-log.h"
#include "pen-spool.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_SPOOL_JOB_OPEN,
  PEN_SPOOL_JOB_WORK,
  PEN_SPOOL_JOB_CLOSE,
} PenSpoolJobKind;

typedef enum
{
  PEN_SPOOL_IS_NEW,
  PEN_SPOOL_IS_OPENING,
  PEN_SPOOL_IS_OPEN,
  PEN_SPOOL_IS_ENDED,
} PenSpoolPhase;

struct _PenSpoolReader
{
  /* constant after start */
  PenSpool *spool;
  char *sink;
  PenSpoolReadFunc func;
  gpointer owner;

  /* lane */
  guint64 next; /* position of what it gets next */
  guint64 known;
  guint64 delivered;
  guint64 needed;
  gboolean is_unsaved;
  gboolean is_paused;
  GPtrArray *records; /* read ahead */
  guint n_handed;     /* of them */
  gint64 oldest_us;   /* arrival of what waits, as the last job found it; 0: nothing did */

  /* lane, or the worker while a job is under way */
  gboolean is_reading;
  GPtrArray *read;
  guint64 read_after;
  guint64 read_last;
  guint64 look_after;
  gint64 found_us;
};

struct _PenSpool
{
  /* constant after start */
  gatomicrefcount references;
  char *state_folder;
  char *pipeline;
  guint64 max_bytes;
  gint64 keep_us;
  PenLane *lane;
  PenWorkers *workers;
  const PenSpoolFunctions *functions;
  gpointer owner;
  GPtrArray *readers; /* of PenSpoolReader */

  /* lane */
  PenSpoolPhase phase;
  GPtrArray *pending; /* of PenSpoolRecord: for the next commit */
  guint64 pending_bytes;
  guint64 committing_bytes;
  gboolean is_full;
  gboolean is_save_due;
  gboolean has_waste; /* something at the front that nobody needs */
  gboolean wants_close;
  gboolean all_settled;
  gboolean is_busy;
  gboolean is_abandoned;
  PenLaneDeferred pump;
  guint retry_timer;
  guint save_timer;
  PenBackoff backoff;
  PenComplaint complaint;
  PenComplaint fullness;
  PenSpoolStatus status;
  gboolean has_left_behind; /* something waits for a sink that is gone */
  guint64 newest_before; /* of the last run, if that did not end in order: from here on it is new */

  /* lane, or the worker while a job is under way */
  PenSpoolStore *store;
  PenSpoolJobKind job;
  GPtrArray *records; /* (nullable) */
  GPtrArray *cursors; /* (nullable) */
  gboolean wants_commit;
  gboolean is_committed;
  gint64 keep_after_us;
  PenSpoolStatus new_status;
  GError *error;
};

/* pen-spool-job.c; on any thread */
void pen_spool_tell (GLogLevelFlags level, const char *message, gpointer user_data);
/* On a worker: @data is the spool. */
void pen_spool_execute (gpointer data);

G_END_DECLS
