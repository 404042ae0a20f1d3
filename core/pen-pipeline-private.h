/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts of a pipeline share: its nodes, its branches, and how events pass between them.
 */

#pragma once

#include "pen-element-private.h"
#include "pen-metrics-private.h"
#include "pen-outlet.h"
#include "pen-pipeline.h"
#include "pen-spool.h"
#include "pen-status.h"
#include "pen-tap.h"
#include "pen-token-private.h"

G_BEGIN_DECLS

typedef struct _PenPipelineNode PenPipelineNode;
typedef struct _PenPipelineBranch PenPipelineBranch;

/* What a transform puts out while it has an event under way: kept until process () has returned. */
typedef struct
{
  PenOutput output; /* first: the transform sees only this */
  PenPipelineNode *node;
  GPtrArray *events;  /* of PenEvent */
  GPtrArray *skipped; /* reason, message, reason, message, … */
  guint n_skipped;    /* also those that are not kept */
  guint part;         /* of those, while they are rejected; otherwise 0 */
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
  PenPipelineBranch *branch; /* (nullable): with a spool, that which a transform or sink is of */
  gboolean is_copy;          /* of a transform that several branches share */
  PenMetric *n_received;
  PenMetric *n_bytes_received;
  PenMetric *n_sent;
  PenMetric *is_connected;
  PenMetric *n_reconnects;
  PenMetric *connection_changed_us;
  GPtrArray *taps;        /* of PenTap, or NULL: nobody looks at what it puts out, or takes if it
                             is a sink */
  GHashTable *complaints; /* reason → PenComplaint: rejections that nothing keeps */

  /* a source */
  PenTokenQueue *tokens; /* NULL once nothing is acknowledged any more */
  guint64 last_position; /* counts on without a queue */
  guint64 settled;
  PenLaneDeferred settle;
  gboolean is_finished;
  gboolean is_started;
  gboolean was_connected;
  guint n_full; /* outlets on its way that are full */

  /* a transform */
  PenPipelineOutput output;
  PenStopwatch stopwatch;
  guint tick_timer;

  /* a sink */
  PenOutlet *outlet;
  PenPipelineNode **sources; /* those that feed it */
  guint n_sources;
  gboolean is_outlet_started;
  gboolean is_outlet_stopped;
};

/* With a spool: what feeds one sink. */
struct _PenPipelineBranch
{
  /* constant after start */
  PenPipeline *pipeline;
  PenPipelineNode *sink;
  PenPipelineNode *entries; /* in the places of the sources; only their readers matter */
  PenPipelineNode *first_entry;
  gboolean holds; /* one of its transforms holds messages */
  PenSpoolReader *reader;
  PenMetric *n_spooled;       /* what waits for it in the spool */
  PenMetric *spool_oldest_us; /* arrival of the oldest of that; 0: nothing waits */

  /* lane */
  PenTokenQueue *tokens;
  PenTokenQueue *progress; /* NULL unless it holds */
  PenToken *under_way;     /* of the message that is being processed, unless it is known */
  gboolean is_alone;       /* the message that is being processed is played again for it alone */
  gboolean is_rebuilding;  /* the message that is being processed is known */
  guint64 known;           /* what has been delivered in earlier runs */
  guint64 delivered;
  guint64 needed;
  GQueue marks; /* of PenPipelineMark: of the messages behind those that are delivered */
  guint n_full; /* outlets on its way that are full */
};

typedef enum
{
  PEN_PIPELINE_NEW,
  PEN_PIPELINE_STARTING, /* the sinks open, or the spool */
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
  PenWorkers *workers;
  char *state_folder;
  PenPipelineNode *nodes; /* in file order, then the copies */
  guint n_nodes;
  guint n_elements; /* of the keyfile */
  PenPipelineNode *dead_letter;
  PenStatus *status;
  GPtrArray *branches; /* (element-type PenPipelineBranch) (nullable): NULL without a spool */
  PenSpool *spool;

  /* lane */
  PenPipelineState state;
  PenOutcome outcome;
  gboolean is_asked_to_stop;
  gboolean has_abandoned;
  gboolean has_given_up; /* something that was under way was dropped */
  gboolean is_drained;   /* the transforms have put out what they held */
  gboolean is_spool_open;
  gboolean is_spool_closing;
  gboolean is_spool_closed;
  guint drain_timer;
  PenLaneDeferred advance; /* looks whether the next state is due */
};

/* pen-pipeline-flow.c: how events pass. */
extern const PenHostFunctions pen_pipeline_host_functions;
PenPipelineNode *pen_pipeline_find_node (PenPipeline *self, PenElement *element);
void pen_pipeline_node_init_output (PenPipelineNode *node);
void pen_pipeline_node_drain (PenPipelineNode *node);
void pen_pipeline_give_token (PenEvent *event, PenToken *token);
void pen_pipeline_node_hand_on (PenPipelineNode *node, PenEvent *event);
void pen_pipeline_reject (PenPipelineNode *node,
                          PenEvent *event,
                          const char *reason,
                          const char *message);

/* pen-pipeline-branch.c: how a spool feeds the sinks. */
guint pen_pipeline_count_copies (const PenDefinition *definition);
void pen_pipeline_grow_branches (PenPipeline *self);
void pen_pipeline_update_branches (PenPipeline *self);
void pen_pipeline_open_spool (PenPipeline *self);
void pen_pipeline_branch_close_tokens (PenPipelineBranch *self);
void pen_pipeline_branch_deliver (PenPipelineBranch *self, PenOutlet *outlet, PenEvent *event);
gboolean pen_pipeline_branch_is_mute (const PenPipelineBranch *self, const PenPipelineNode *node);
gint64 pen_pipeline_branch_get_tick_delay (PenPipelineBranch *self);
void pen_pipeline_branch_begin_tick (PenPipelineBranch *self);
void pen_pipeline_branch_end_tick (PenPipelineBranch *self);
void pen_pipeline_branch_update (PenPipelineBranch *self);
void pen_pipeline_branch_throttle (PenPipelineBranch *self, gboolean is_full);

/* pen-pipeline.c: how it lives. */
void pen_pipeline_node_add_reader (PenPipelineNode *node, PenPipelineNode *reader);
void pen_pipeline_init_copy (PenPipelineNode *node, PenPipeline *self, guint index);
void pen_pipeline_source_throttle (PenPipelineNode *source, gboolean is_full);
void pen_pipeline_fail (PenPipeline *self, PenElement *element, GError *error);
void pen_pipeline_source_finished (PenPipeline *self, PenPipelineNode *node);

G_END_DECLS
