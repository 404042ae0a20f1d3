/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts of a pipeline share: its nodes, and how events pass between them.
 */

#pragma once

#include "pen-element-private.h"
#include "pen-outlet.h"
#include "pen-pipeline.h"
#include "pen-token-private.h"

G_BEGIN_DECLS

typedef struct _PenPipelineNode PenPipelineNode;

/* What a transform puts out while it has an event under way: kept until process () has returned. */
typedef struct
{
  PenOutput output; /* first: the transform sees only this */
  PenPipelineNode *node;
  GPtrArray *events;  /* of PenEvent */
  GPtrArray *skipped; /* reason, message, reason, message, … */
  guint n_skipped;    /* also those that are not kept */
  const char *last_reason;
} PenPipelineOutput;

/* An element in its place. Everything is the lane's, but for what is constant after start. */
struct _PenPipelineNode
{
  /* constant after start */
  PenPipeline *pipeline;
  PenElementKind kind;
  PenElement *element;
  PenPipelineNode **readers; /* those that get what it puts out */
  guint n_readers;
  PenMetric *n_received;
  PenMetric *n_bytes_received;
  PenMetric *n_sent;
  PenMetric *is_connected;
  GHashTable *complaints; /* reason → PenComplaint: rejections that nothing keeps */

  /* a source */
  PenTokenQueue *tokens; /* NULL once nothing is acknowledged any more */
  guint64 last_position; /* counts on without a queue */
  guint64 settled;
  PenLaneDeferred settle;
  gboolean is_finished;
  gboolean is_started;
  guint n_full; /* outlets on its way that are full */

  /* a transform */
  PenPipelineOutput output;
  guint tick_timer;

  /* a sink */
  PenOutlet *outlet;
  PenPipelineNode **sources; /* those that feed it */
  guint n_sources;
  gboolean is_outlet_started;
  gboolean is_outlet_stopped;
};

typedef enum
{
  PEN_PIPELINE_NEW,
  PEN_PIPELINE_STARTING, /* the sinks open */
  PEN_PIPELINE_RUNNING,
  PEN_PIPELINE_DRAINING, /* the sources are paused, what is in flight goes on */
  PEN_PIPELINE_STOPPING, /* the sources are closed, the sinks close */
  PEN_PIPELINE_ENDED,
} PenPipelineState;

struct _PenPipeline
{
  PenHost host; /* first: the elements see only this */
  /* constant after start */
  PenDefinition *definition;
  char *name;
  PenLane *lane;
  const PenPipelineFunctions *functions;
  gpointer owner;
  PenPipelineNode *nodes; /* in file order */
  guint n_nodes;
  PenPipelineNode *dead_letter;

  /* lane */
  PenPipelineState state;
  PenOutcome outcome;
  gboolean is_asked_to_stop;
  gboolean has_abandoned;
  guint drain_timer;
  PenLaneDeferred advance; /* looks whether the next state is due */
};

/* pen-pipeline-flow.c: how events pass. */
extern const PenHostFunctions pen_pipeline_host_functions;
PenPipelineNode *pen_pipeline_find_node (PenPipeline *self, PenElement *element);
void pen_pipeline_node_init_output (PenPipelineNode *node);
void pen_pipeline_node_drain (PenPipelineNode *node);
void pen_pipeline_reject (PenPipelineNode *node,
                          PenEvent *event,
                          const char *reason,
                          const char *message);

/* pen-pipeline.c: how it lives. */
void pen_pipeline_fail (PenPipeline *self, PenElement *element, GError *error);
void pen_pipeline_source_finished (PenPipeline *self, PenPipelineNode *node);

G_END_DECLS
