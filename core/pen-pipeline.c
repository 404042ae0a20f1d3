/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements of one keyfile, wired to each other on a lane, from start to end.
 *
 * Sinks open first, sources start last, so nothing arrives that has nowhere to go. The end is the
 * same for every reason: the sources are paused, what is in flight goes on to the sinks, the
 * sources hear what settled and are closed, then the sinks are. If the run was asked to stop, or
 * failed, all that is bounded by the drain timeout; what is not delivered by then is not
 * acknowledged either: the token queues are closed before its events are dropped. Whether the next
 * step of the end is due is looked at in one place, at the end of a round of the lane
 * (pen_pipeline_advance).
 */

#include "config.h"

#include "pen-pipeline-private.h"

/* For the last commit of a spool, after the time to drain is over; the engine waits a little longer
 * before it leaves the lane behind. */
#define CLOSE_TIMEOUT_US (3 * (gint64) G_USEC_PER_SEC)

/* @reader gets what @node puts out. */
void
pen_pipeline_node_add_reader (PenPipelineNode *node, PenPipelineNode *reader)
{
  node->readers = g_renew (PenPipelineNode *, node->readers, node->n_readers + 1);
  node->readers[node->n_readers++] = reader;
}

static void
pen_pipeline_set_readers (PenPipeline *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    {
      const PenElementDefinition *definition = pen_definition_get_element (self->definition, i);

      for (guint j = 0; j < definition->n_inputs; j++)
        pen_pipeline_node_add_reader (&self->nodes[definition->inputs[j]], &self->nodes[i]);
    }
}

static gboolean
pen_pipeline_node_reaches (const PenPipelineNode *node, const PenPipelineNode *goal)
{
  for (guint i = 0; i < node->n_readers; i++)
    if (node->readers[i] == goal || pen_pipeline_node_reaches (node->readers[i], goal))
      return TRUE;
  return FALSE;
}

static void
pen_pipeline_set_sources (PenPipeline *self, PenPipelineNode *sink)
{
  sink->sources = g_new0 (PenPipelineNode *, self->n_nodes);
  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenPipelineNode *node = &self->nodes[i];

      if (node->kind == PEN_KIND_SOURCE
          && (sink == self->dead_letter || pen_pipeline_node_reaches (node, sink)))
        sink->sources[sink->n_sources++] = node;
    }
}

static void
pen_pipeline_source_settled (guint64 position, gpointer user_data)
{
  PenPipelineNode *node = user_data;

  node->settled = position;
  pen_lane_defer (node->pipeline->lane, &node->settle);
}

static void
pen_pipeline_tell_settled (gpointer data)
{
  PenPipelineNode *node = data;

  if (node->tokens != NULL)
    pen_source_settle (PEN_SOURCE (node->element), node->settled);
}

static void
pen_pipeline_outlet_started (gpointer owner)
{
  PenPipelineNode *node = owner;

  node->is_outlet_started = TRUE;
  if (node->branch != NULL)
    pen_pipeline_branch_update (node->branch);
  pen_lane_defer (node->pipeline->lane, &node->pipeline->advance);
}

static void
pen_pipeline_outlet_reject (gpointer owner,
                            PenSink *sink,
                            PenEvent *event,
                            const char *reason,
                            const char *message)
{
  pen_pipeline_reject (owner, event, reason, message);
}

/* What comes after @source is full, or has room again. */
void
pen_pipeline_source_throttle (PenPipelineNode *source, gboolean is_full)
{
  source->n_full += is_full ? 1 : (guint) -1;
  if (source->pipeline->state != PEN_PIPELINE_RUNNING || !source->is_started)
    return;
  if (source->n_full > 0)
    pen_source_pause (PEN_SOURCE (source->element));
  else if (!source->is_finished)
    pen_source_resume (PEN_SOURCE (source->element));
}

static void
pen_pipeline_outlet_full (gpointer owner, gboolean is_full)
{
  PenPipelineNode *sink = owner;
  const GPtrArray *branches = sink->pipeline->branches;

  if (sink->branch != NULL)
    pen_pipeline_branch_throttle (sink->branch, is_full);
  for (guint i = 0; i < sink->n_sources; i++)
    pen_pipeline_source_throttle (sink->sources[i], is_full);
  for (guint i = 0; sink->kind == PEN_KIND_DEAD_LETTER && branches != NULL && i < branches->len;
       i++)
    pen_pipeline_branch_throttle (g_ptr_array_index (branches, i), is_full);
}

static void
pen_pipeline_outlet_idle (gpointer owner)
{
  PenPipelineNode *node = owner;

  if (node->pipeline->state == PEN_PIPELINE_DRAINING)
    pen_lane_defer (node->pipeline->lane, &node->pipeline->advance);
}

static void
pen_pipeline_outlet_failed (gpointer owner, PenSink *sink, GError *error)
{
  PenPipelineNode *node = owner;

  pen_pipeline_fail (node->pipeline, PEN_ELEMENT (sink), error);
}

static void
pen_pipeline_outlet_stopped (gpointer owner)
{
  PenPipelineNode *node = owner;

  node->is_outlet_stopped = TRUE;
  pen_lane_defer (node->pipeline->lane, &node->pipeline->advance);
}

static const PenOutletFunctions pen_pipeline_outlet_functions = {
  .started = pen_pipeline_outlet_started,
  .reject = pen_pipeline_outlet_reject,
  .full = pen_pipeline_outlet_full,
  .idle = pen_pipeline_outlet_idle,
  .failed = pen_pipeline_outlet_failed,
  .stopped = pen_pipeline_outlet_stopped,
};

static gboolean
pen_pipeline_is_only_of_kind (PenPipeline *self, PenElementKind kind)
{
  guint n_of_kind = 0;

  for (guint i = 0; i < self->n_elements; i++)
    n_of_kind += pen_definition_get_element (self->definition, i)->kind == kind;
  return n_of_kind == 1;
}

static void
pen_pipeline_init_outlet (PenPipelineNode *node)
{
  node->outlet = pen_outlet_new (PEN_SINK (node->element), node->pipeline->lane,
                                 node->pipeline->workers, &pen_pipeline_outlet_functions, node);
}

static void
pen_pipeline_init_source (PenPipelineNode *node)
{
  PenMetrics *metrics = pen_element_get_metrics (node->element);

  node->n_bytes_received = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "bytes_received", NULL);
  node->is_connected = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "connected", NULL);
  node->n_reconnects = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "reconnects", NULL);
  node->connection_changed_us
      = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "connection_changed_timestamp_us", NULL);
  node->tokens = pen_token_queue_new (pen_lane_get_context (node->pipeline->lane),
                                      pen_pipeline_source_settled, node);
  node->settle.func = pen_pipeline_tell_settled;
  node->settle.user_data = node;
}

/* @node becomes an instance of the keyfile's element @index. */
static void
pen_pipeline_init_node (PenPipelineNode *node, PenPipeline *self, guint index)
{
  const PenElementDefinition *definition = pen_definition_get_element (self->definition, index);
  PenMetrics *metrics = NULL;

  node->pipeline = self;
  node->kind = definition->kind;
  node->element = pen_definition_create_element (self->definition, index);
  pen_element_attach (node->element, &self->host, node->kind, self->name, definition->name,
                      pen_pipeline_is_only_of_kind (self, node->kind));
  metrics = pen_element_get_metrics (node->element);
  node->n_received = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_received", NULL);
  if (node->kind == PEN_KIND_SOURCE || node->kind == PEN_KIND_TRANSFORM)
    node->n_sent = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_sent", NULL);
  if (node->kind == PEN_KIND_SOURCE)
    pen_pipeline_init_source (node);
  else if (node->kind == PEN_KIND_TRANSFORM)
    {
      pen_pipeline_node_init_output (node);
      node->stopwatch.histogram
          = pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_WORK, "process_seconds");
    }
  else
    pen_pipeline_init_outlet (node);
}

/* @node becomes one more instance of a transform. */
void
pen_pipeline_init_copy (PenPipelineNode *node, PenPipeline *self, guint index)
{
  pen_pipeline_init_node (node, self, index);
  node->is_copy = TRUE;
}

/* Nothing that settles from now on is acknowledged. */
static void
pen_pipeline_close_tokens (PenPipeline *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    g_clear_pointer (&self->nodes[i].tokens, pen_token_queue_close);
  for (guint i = 0; self->branches != NULL && i < self->branches->len; i++)
    pen_pipeline_branch_close_tokens (g_ptr_array_index (self->branches, i));
}

/* For whoever looks from outside, a failure is the last state. */
static void
pen_pipeline_set_state (PenPipeline *self, PenPipelineState state)
{
  static const PenStatusState seen[] = {
    [PEN_PIPELINE_NEW] = PEN_STATUS_STARTING,      [PEN_PIPELINE_STARTING] = PEN_STATUS_STARTING,
    [PEN_PIPELINE_RUNNING] = PEN_STATUS_RUNNING,   [PEN_PIPELINE_DRAINING] = PEN_STATUS_DRAINING,
    [PEN_PIPELINE_STOPPING] = PEN_STATUS_DRAINING, [PEN_PIPELINE_ENDED] = PEN_STATUS_ENDED,
  };

  self->state = state;
  if (self->outcome != PEN_OUTCOME_FAILED && pen_status_get_state (self->status) != seen[state])
    pen_status_set_state (self->status, seen[state]);
}

static void
pen_pipeline_end (PenPipeline *self)
{
  pen_pipeline_set_state (self, PEN_PIPELINE_ENDED);
  if (self->drain_timer != 0)
    pen_lane_remove_timer (self->lane, self->drain_timer);
  self->drain_timer = 0;
  self->functions->ended (self->owner, self);
}

static void
pen_pipeline_pause_sources (PenPipeline *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].kind == PEN_KIND_SOURCE && self->nodes[i].is_started)
      pen_source_pause (PEN_SOURCE (self->nodes[i].element));
}

static void
pen_pipeline_close_kind (PenPipeline *self, PenElementKind kind)
{
  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenPipelineNode *node = &self->nodes[i];

      if (node->kind != kind)
        continue;
      if (node->is_started)
        pen_element_stop (node->element);
      node->is_started = FALSE;
      if (node->tick_timer != 0)
        pen_lane_remove_timer (self->lane, node->tick_timer);
      node->tick_timer = 0;
    }
}

/* What a transform lets go when it stops has no outcome, and a source that is closed cannot
 * acknowledge. */
static void
pen_pipeline_close_sources (PenPipeline *self)
{
  pen_pipeline_close_kind (self, PEN_KIND_SOURCE);
  pen_pipeline_close_tokens (self);
  pen_pipeline_close_kind (self, PEN_KIND_TRANSFORM);
}

static void
pen_pipeline_give_up_outlet (PenPipelineNode *node)
{
  guint n_events = pen_outlet_get_n_events (node->outlet);
  gboolean has_come_back = pen_outlet_abandon (node->outlet);

  node->is_outlet_stopped = TRUE;
  node->pipeline->has_abandoned |= !has_come_back;
  if (has_come_back && n_events == 0)
    return; /* it waited for others */
  pen_element_log (
      node->element, G_LOG_LEVEL_WARNING,
      node->pipeline->spool != NULL
          ? "not done when the time to drain was over: %u events were not written, and "
            "stay in the spool"
          : "not done when the time to drain was over: %u events were not written and "
            "not acknowledged",
      n_events);
}

static void
pen_pipeline_log_spool (PenPipeline *self, GLogLevelFlags level, const char *message)
{
  g_log_structured ("penstock", level, "PENSTOCK_PIPELINE", self->name, "PENSTOCK_ELEMENT", "spool",
                    "MESSAGE", "%s", message);
}

/* The disk does not answer. */
static void
pen_pipeline_give_up_spool (gpointer data)
{
  PenPipeline *self = data;

  self->drain_timer = 0;
  pen_pipeline_log_spool (
      self, G_LOG_LEVEL_WARNING,
      "is not closed when the time for that is over: what it has saved is safe, "
      "the rest was not acknowledged");
  if (!pen_spool_abandon (self->spool))
    self->has_abandoned = TRUE;
  pen_pipeline_end (self);
}

static void
pen_pipeline_close_spool (PenPipeline *self)
{
  if (self->is_spool_closing)
    return;
  self->is_spool_closing = TRUE;
  pen_spool_close (self->spool, !self->has_given_up);
}

/* The time to drain is over: whatever is not written is not acknowledged. */
static void
pen_pipeline_give_up (gpointer data)
{
  PenPipeline *self = data;

  self->drain_timer = 0;
  self->has_given_up = TRUE;
  pen_pipeline_close_tokens (self);
  pen_pipeline_close_sources (self);
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].outlet != NULL && !self->nodes[i].is_outlet_stopped)
      pen_pipeline_give_up_outlet (&self->nodes[i]);
  if (self->spool == NULL)
    {
      pen_pipeline_end (self);
      return;
    }
  pen_pipeline_set_state (self, PEN_PIPELINE_STOPPING);
  self->drain_timer
      = pen_lane_add_timer (self->lane, CLOSE_TIMEOUT_US, pen_pipeline_give_up_spool, self);
  pen_pipeline_close_spool (self);
  pen_lane_defer (self->lane, &self->advance);
}

/* Appends the transforms behind @node, and then itself. */
static void
pen_pipeline_sort_transforms (PenPipelineNode *node, GPtrArray *sorted)
{
  if (node->kind != PEN_KIND_TRANSFORM || g_ptr_array_find (sorted, node, NULL /* index */))
    return;
  for (guint i = node->n_readers; i > 0; i--)
    pen_pipeline_sort_transforms (node->readers[i - 1], sorted);
  g_ptr_array_add (sorted, node);
}

/* What one puts out another may hold: they are drained in the direction of the flow, which need not
 * be that of the file, and is not with copies. */
static void
pen_pipeline_drain_transforms (PenPipeline *self)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  self->is_drained = TRUE;
  for (guint i = self->n_nodes; i > 0; i--)
    pen_pipeline_sort_transforms (&self->nodes[i - 1], sorted);
  for (guint i = sorted->len; i > 0; i--)
    pen_pipeline_node_drain (g_ptr_array_index (sorted, i - 1));
}

static void
pen_pipeline_begin_drain (PenPipeline *self)
{
  pen_pipeline_set_state (self, PEN_PIPELINE_DRAINING);
  pen_pipeline_pause_sources (self);
  pen_pipeline_update_branches (self);
  if (!self->is_asked_to_stop && self->spool == NULL)
    pen_pipeline_drain_transforms (self);
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].outlet != NULL)
      pen_outlet_drain (self->nodes[i].outlet);
  pen_lane_defer (self->lane, &self->advance);
}

static void
pen_pipeline_begin_stop (PenPipeline *self)
{
  pen_pipeline_set_state (self, PEN_PIPELINE_STOPPING);
  pen_pipeline_close_sources (self);
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].outlet != NULL)
      pen_outlet_stop (self->nodes[i].outlet);
  pen_lane_defer (self->lane, &self->advance);
}

static gboolean
pen_pipeline_all_outlets (PenPipeline *self, gboolean (*is_so) (const PenPipelineNode *node))
{
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].outlet != NULL && !is_so (&self->nodes[i]))
      return FALSE;
  return TRUE;
}

static gboolean
pen_pipeline_is_outlet_started (const PenPipelineNode *node)
{
  return node->is_outlet_started;
}

static gboolean
pen_pipeline_is_outlet_idle (const PenPipelineNode *node)
{
  return pen_outlet_is_idle (node->outlet);
}

static gboolean
pen_pipeline_is_outlet_stopped (const PenPipelineNode *node)
{
  return node->is_outlet_stopped;
}

/* A source that has not said otherwise when it has started has nothing to connect to. */
static void
pen_pipeline_source_assume (PenPipelineNode *node)
{
  if (pen_metric_get (node->connection_changed_us) != 0)
    return;
  pen_metric_set (node->is_connected, TRUE);
  pen_metric_set (node->connection_changed_us, pen_lane_get_real_time (node->pipeline->lane));
}

/* The sinks are open: transforms, then sources. A start that fails is the end. */
static void
pen_pipeline_start_rest (PenPipeline *self)
{
  static const PenElementKind order[] = { PEN_KIND_TRANSFORM, PEN_KIND_SOURCE };

  pen_pipeline_set_state (self, PEN_PIPELINE_RUNNING);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    for (guint j = 0; j < self->n_nodes && self->state == PEN_PIPELINE_RUNNING; j++)
      {
        PenPipelineNode *node = &self->nodes[j];
        GError *error = NULL;

        if (node->kind != order[i])
          continue;
        node->is_started = pen_element_start (node->element, &error);
        if (!node->is_started)
          pen_pipeline_fail (self, node->element, error);
        else if (node->kind == PEN_KIND_SOURCE)
          pen_pipeline_source_assume (node);
        if (node->is_started && node->kind == PEN_KIND_SOURCE && node->n_full > 0)
          pen_source_pause (PEN_SOURCE (node->element));
      }
  pen_pipeline_update_branches (self);
}

static gboolean
pen_pipeline_has_settling (PenPipeline *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].settle.is_queued)
      return TRUE;
  return FALSE;
}

/* Whether what was to be delivered is. */
static gboolean
pen_pipeline_is_empty (PenPipeline *self)
{
  if (!pen_pipeline_all_outlets (self, pen_pipeline_is_outlet_idle))
    return FALSE;
  if (self->spool == NULL)
    return TRUE;
  return self->is_asked_to_stop ? pen_spool_is_idle (self->spool)
                                : pen_spool_is_at_end (self->spool);
}

static void
pen_pipeline_advance_drain (PenPipeline *self)
{
  if (!pen_pipeline_is_empty (self))
    return;
  if (!self->is_drained && !self->is_asked_to_stop)
    {
      pen_pipeline_drain_transforms (self);
      pen_lane_defer (self->lane, &self->advance);
    }
  else if (pen_pipeline_has_settling (self)) /* the sources hear it before they close */
    pen_lane_defer (self->lane, &self->advance);
  else
    pen_pipeline_begin_stop (self);
}

static void
pen_pipeline_advance_stop (PenPipeline *self)
{
  if (!pen_pipeline_all_outlets (self, pen_pipeline_is_outlet_stopped))
    return;
  if (self->spool != NULL)
    pen_pipeline_close_spool (self);
  if (self->spool == NULL || self->is_spool_closed)
    pen_pipeline_end (self);
}

static void
pen_pipeline_advance (gpointer data)
{
  PenPipeline *self = data;

  if (self->state == PEN_PIPELINE_STARTING
      && (self->spool != NULL ? self->is_spool_open
                              : pen_pipeline_all_outlets (self, pen_pipeline_is_outlet_started)))
    pen_pipeline_start_rest (self);
  else if (self->state == PEN_PIPELINE_DRAINING)
    pen_pipeline_advance_drain (self);
  else if (self->state == PEN_PIPELINE_STOPPING)
    pen_pipeline_advance_stop (self);
}

/* An element will never work (again), or the spool if it is NULL; takes @error. */
void
pen_pipeline_fail (PenPipeline *self, PenElement *element, GError *error)
{
  g_autoptr (GError) taken = error;

  if (element == NULL)
    {
      pen_pipeline_log_spool (self, G_LOG_LEVEL_CRITICAL, error->message);
      self->outcome = PEN_OUTCOME_FAILED;
      pen_status_fail (self->status, error->message);
      pen_pipeline_stop (self);
      return;
    }

  if (g_error_matches (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_CLOSED))
    {
      pen_element_log (element, G_LOG_LEVEL_INFO, "%s", error->message);
      self->functions->closed (self->owner, self);
    }
  else
    {
      pen_element_log (element, G_LOG_LEVEL_CRITICAL, "%s", error->message);
      self->outcome = PEN_OUTCOME_FAILED;
      pen_status_fail (self->status, error->message);
    }
  if (PEN_IS_SINK (element))
    {
      /* what waits for it is never written, nor acknowledged */
      self->has_given_up = TRUE;
      pen_pipeline_close_tokens (self);
    }
  pen_pipeline_stop (self);
}

/* A source has ended by itself. */
void
pen_pipeline_source_finished (PenPipeline *self, PenPipelineNode *node)
{
  node->is_finished = TRUE;
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].kind == PEN_KIND_SOURCE && !self->nodes[i].is_finished)
      return;
  if (self->state == PEN_PIPELINE_RUNNING)
    pen_pipeline_begin_drain (self);
}

/* documented in the header, as what follows */
PenPipeline *
pen_pipeline_new (PenDefinition *definition,
                  PenLane *lane,
                  PenWorkers *workers,
                  const PenPipelineFunctions *functions,
                  gpointer owner)
{
  PenPipeline *self = g_new0 (PenPipeline, 1);
  gboolean has_spool = pen_settings_get_spool (pen_definition_get_settings (definition));

  self->host.functions = &pen_pipeline_host_functions;
  self->definition = pen_definition_ref (definition);
  self->name = g_strdup (pen_definition_get_name (definition));
  self->status = pen_status_new (self->name, pen_definition_get_path (definition),
                                 pen_definition_get_site (definition) != NULL);
  self->lane = lane;
  self->functions = functions;
  self->owner = owner;
  self->advance.func = pen_pipeline_advance;
  self->advance.user_data = self;
  self->workers = workers;
  self->n_elements = pen_definition_get_n_elements (definition);
  self->n_nodes = self->n_elements + (has_spool ? pen_pipeline_count_copies (definition) : 0);
  self->nodes = g_new0 (PenPipelineNode, self->n_nodes);
  for (guint i = 0; i < self->n_elements; i++)
    {
      pen_pipeline_init_node (&self->nodes[i], self, i);
      if (self->nodes[i].kind == PEN_KIND_DEAD_LETTER)
        self->dead_letter = &self->nodes[i];
      pen_status_add_element (self->status, self->nodes[i].kind,
                              pen_definition_get_element (definition, i)->plugin->name,
                              self->nodes[i].element);
    }
  if (has_spool)
    pen_pipeline_grow_branches (self);
  else
    pen_pipeline_set_readers (self);
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].outlet != NULL)
      pen_pipeline_set_sources (self, &self->nodes[i]);
  return self;
}

void
pen_pipeline_set_state_folder (PenPipeline *self, const char *state_folder)
{
  g_free (self->state_folder);
  self->state_folder = g_strdup (state_folder);
}

void
pen_pipeline_free (PenPipeline *self)
{
  pen_lane_cancel_deferred (self->lane, &self->advance);
  pen_status_detach (self->status);
  pen_status_unref (self->status);
  pen_pipeline_close_tokens (self);
  if (self->spool != NULL)
    pen_spool_abandon (self->spool);
  g_clear_pointer (&self->spool, pen_spool_unref);
  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenPipelineNode *node = &self->nodes[i];

      pen_lane_cancel_deferred (self->lane, &node->settle);
      if (node->outlet != NULL)
        pen_outlet_abandon (node->outlet);
      g_clear_pointer (&node->outlet, pen_outlet_unref);
      g_clear_pointer (&node->output.events, g_ptr_array_unref);
      g_clear_pointer (&node->output.skipped, g_ptr_array_unref);
      g_clear_pointer (&node->complaints, g_hash_table_unref);
      g_clear_pointer (&node->taps, g_ptr_array_unref);
      g_free (node->readers);
      g_free (node->sources);
      pen_element_detach (node->element);
      g_object_unref (node->element);
    }
  g_clear_pointer (&self->branches, g_ptr_array_unref);
  g_free (self->nodes);
  g_free (self->state_folder);
  g_free (self->name);
  pen_definition_unref (self->definition);
  g_free (self);
}

void
pen_pipeline_start (PenPipeline *self)
{
  if (self->state != PEN_PIPELINE_NEW)
    return;
  pen_pipeline_set_state (self, PEN_PIPELINE_STARTING);
  if (self->branches != NULL)
    pen_pipeline_open_spool (self);
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].outlet != NULL && self->state == PEN_PIPELINE_STARTING)
      pen_outlet_start (self->nodes[i].outlet);
}

void
pen_pipeline_stop (PenPipeline *self)
{
  PenPipelineState state = self->state;

  if (state == PEN_PIPELINE_ENDED || self->is_asked_to_stop)
    return;
  self->is_asked_to_stop = TRUE;
  self->drain_timer = pen_lane_add_timer (
      self->lane, pen_settings_get_drain_timeout (pen_definition_get_settings (self->definition)),
      pen_pipeline_give_up, self);
  if (state == PEN_PIPELINE_NEW || state == PEN_PIPELINE_STARTING)
    pen_pipeline_begin_stop (self);
  else if (state == PEN_PIPELINE_RUNNING)
    pen_pipeline_begin_drain (self);
  else if (state == PEN_PIPELINE_DRAINING)
    {
      /* what is in the spool may stay there */
      pen_pipeline_update_branches (self);
      pen_lane_defer (self->lane, &self->advance);
    }
}

PenOutcome
pen_pipeline_get_outcome (PenPipeline *self)
{
  /* who was asked to stop leaves the rest for the next run */
  if (self->is_asked_to_stop && self->outcome == PEN_OUTCOME_UNDELIVERED)
    return PEN_OUTCOME_DONE;
  return self->outcome;
}

gboolean
pen_pipeline_has_abandoned (PenPipeline *self)
{
  return self->has_abandoned;
}

PenElement *
pen_pipeline_get_element (PenPipeline *self, PenElementKind kind, const char *name)
{
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].kind == kind
        && g_str_equal (pen_element_get_name (self->nodes[i].element), name))
      return self->nodes[i].element;
  return NULL;
}

static void
pen_pipeline_node_add_tap (PenPipelineNode *node, PenTap *tap)
{
  if (node->taps == NULL)
    node->taps = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_tap_unref);
  g_ptr_array_add (node->taps, pen_tap_ref (tap));
  if (node->outlet != NULL)
    pen_outlet_set_taps (node->outlet, node->taps);
}

void
pen_pipeline_add_tap (PenPipeline *self, PenTap *tap)
{
  PenTapState state = PEN_TAP_NO_PLACE;

  /* the copies of a transform put out what it does */
  for (guint i = 0; i < self->n_elements; i++)
    if (pen_tap_fits (tap, self->nodes[i].kind, pen_element_get_name (self->nodes[i].element)))
      {
        pen_pipeline_node_add_tap (&self->nodes[i], tap);
        state = PEN_TAP_OPEN;
      }
  pen_tap_set_state (tap, state);
}

void
pen_pipeline_remove_tap (PenPipeline *self, PenTap *tap)
{
  for (guint i = 0; i < self->n_elements; i++)
    {
      PenPipelineNode *node = &self->nodes[i];

      if (node->taps == NULL || !g_ptr_array_remove (node->taps, tap) || node->taps->len > 0)
        continue;
      if (node->outlet != NULL)
        pen_outlet_set_taps (node->outlet, NULL);
      g_clear_pointer (&node->taps, g_ptr_array_unref);
    }
}

const char *
pen_pipeline_get_name (PenPipeline *self)
{
  return self->name;
}

PenStatus *
pen_pipeline_get_status (PenPipeline *self)
{
  return self->status;
}

void
pen_pipeline_foreach_metrics (PenPipeline *self, PenEngineMetricsFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->n_elements; i++)
    func (self->name, self->nodes[i].kind, pen_element_get_name (self->nodes[i].element),
          pen_element_get_metrics (self->nodes[i].element), user_data);
}
