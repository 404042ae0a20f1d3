/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements of one keyfile, wired to each other on a lane.
 */

#pragma once

#include "pen-definition.h"
#include "pen-engine.h"
#include "pen-lane.h"
#include "pen-status.h"
#include "pen-tap.h"
#include "pen-workers.h"

G_BEGIN_DECLS

typedef struct _PenPipeline PenPipeline;

/* Both on the lane. */
typedef struct
{
  /* nothing of it runs any more; the pipeline may be freed, but not from within */
  void (*ended) (gpointer owner, PenPipeline *pipeline);
  /* whoever read its output has gone: the whole run is to end */
  void (*closed) (gpointer owner, PenPipeline *pipeline);
} PenPipelineFunctions;

PEN_RUNTIME_EXPORT
PenPipeline *pen_pipeline_new (PenDefinition *definition,
                               PenLane *lane,
                               PenWorkers *workers,
                               const PenPipelineFunctions *functions,
                               gpointer owner);
/* Before it starts: where a spool is. */
PEN_RUNTIME_EXPORT
void pen_pipeline_set_state_folder (PenPipeline *self, const char *state_folder);
/* On the lane, or after it was ended. */
PEN_RUNTIME_EXPORT
void pen_pipeline_free (PenPipeline *self);
/* On the lane. */
PEN_RUNTIME_EXPORT
void pen_pipeline_start (PenPipeline *self);
/* On the lane: drains for at most the drain timeout, then ends. */
PEN_RUNTIME_EXPORT
void pen_pipeline_stop (PenPipeline *self);
/* After it has ended. */
PEN_RUNTIME_EXPORT
PenOutcome pen_pipeline_get_outcome (PenPipeline *self);
/* After it has ended: whether a sink never came back. */
PEN_RUNTIME_EXPORT
gboolean pen_pipeline_has_abandoned (PenPipeline *self);
/* (transfer none) (nullable): the element of that kind and name */
PEN_RUNTIME_EXPORT
PenElement *pen_pipeline_get_element (PenPipeline *self, PenElementKind kind, const char *name);
/* On the lane: @tap sees what passes the elements that it wants to see, until it is removed or the
 * pipeline goes; it is told that it is open, or that there is no such element. */
PEN_RUNTIME_EXPORT
void pen_pipeline_add_tap (PenPipeline *self, PenTap *tap);
PEN_RUNTIME_EXPORT
void pen_pipeline_remove_tap (PenPipeline *self, PenTap *tap);
/* From any thread. */
PEN_RUNTIME_EXPORT
const char *pen_pipeline_get_name (PenPipeline *self);
/* (transfer none): what may be looked at from any thread, and outlives it */
PEN_RUNTIME_EXPORT
PenStatus *pen_pipeline_get_status (PenPipeline *self);
PEN_RUNTIME_EXPORT
void
pen_pipeline_foreach_metrics (PenPipeline *self, PenEngineMetricsFunc func, gpointer user_data);

G_END_DECLS
