/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With a spool: the branches, one for each sink, that read from it.
 *
 * A sink that is down for hours must not hold up another, so nothing is shared but the spool: each
 * branch has its own place in it and its own instances of the transforms on the sink's way. A
 * transform that several sinks share is the keyfile's element in the first of their branches and a
 * copy in the others; copies count and reject nothing, or each rejection would be told twice.
 *
 * How far a branch is are two positions. The tokens of its messages settle in order: what has not
 * settled is needed, because a transform still holds it or the sink has not written it. Where no
 * transform holds anything, the same position says what was delivered. Where one does (a window),
 * the messages behind what it holds may long be delivered; there a second queue of tokens says up
 * to which message everything that was put out while it was processed has been written. After a
 * crash the messages between the two are processed again, so that what was held is held again, and
 * what they put out is dropped: it was written before. What the oldest message that is not
 * delivered found held is needed as well, as it will be processed once more.
 */

#include "config.h"

#include "pen-pipeline-private.h"

#include "pen-event-private.h"

#define LATE_TICK_US (100 * 1000)

/* What was needed when the processing of a message began. */
typedef struct
{
  guint64 position;
  guint64 needed;
} PenPipelineMark;

/* All that feed the element @index, and itself. */
static void
pen_pipeline_mark_feeding (const PenDefinition *definition, guint index, gboolean *marks)
{
  const PenElementDefinition *element = pen_definition_get_element (definition, index);

  if (marks[index])
    return;
  marks[index] = TRUE;
  for (guint i = 0; i < element->n_inputs; i++)
    pen_pipeline_mark_feeding (definition, element->inputs[i], marks);
}

/* How many transforms have to be there once more because several sinks share them. */
guint
pen_pipeline_count_copies (const PenDefinition *definition)
{
  guint n_elements = pen_definition_get_n_elements (definition);
  g_autofree guint *n_branches = g_new0 (guint, n_elements);
  guint n_copies = 0;

  for (guint i = 0; i < n_elements; i++)
    {
      g_autofree gboolean *marks = g_new0 (gboolean, n_elements);

      if (pen_definition_get_element (definition, i)->kind == PEN_KIND_SINK)
        pen_pipeline_mark_feeding (definition, i, marks);
      for (guint j = 0; j < n_elements; j++)
        if (marks[j] && pen_definition_get_element (definition, j)->kind == PEN_KIND_TRANSFORM
            && n_branches[j]++ > 0)
          n_copies++;
    }
  return n_copies;
}

/* Wires what feeds the sink: the entries stand where the sources are. */
static void
pen_pipeline_branch_wire (PenPipelineBranch *self, const gboolean *marks, PenPipelineNode **nodes)
{
  const PenDefinition *definition = self->pipeline->definition;

  for (guint i = 0; i < self->pipeline->n_elements; i++)
    {
      const PenElementDefinition *element = pen_definition_get_element (definition, i);

      if (!marks[i])
        continue;
      if (element->kind == PEN_KIND_SOURCE && self->first_entry == NULL)
        self->first_entry = &self->entries[i];
      for (guint j = 0; j < element->n_inputs; j++)
        {
          guint input = element->inputs[j];

          pen_pipeline_node_add_reader (nodes[input] != NULL ? nodes[input] : &self->entries[input],
                                        nodes[i]);
        }
    }
}

static PenPipelineBranch *
pen_pipeline_branch_new (PenPipelineNode *sink, guint sink_index, guint *next_copy)
{
  PenPipelineBranch *self = g_new0 (PenPipelineBranch, 1);
  PenPipeline *pipeline = sink->pipeline;
  g_autofree gboolean *marks = g_new0 (gboolean, pipeline->n_elements);
  g_autofree PenPipelineNode **nodes = g_new0 (PenPipelineNode *, pipeline->n_elements);

  self->pipeline = pipeline;
  self->sink = sink;
  self->entries = g_new0 (PenPipelineNode, pipeline->n_elements);
  self->n_spooled = pen_metrics_get (pen_element_get_metrics (sink->element), PEN_METRIC_GAUGE,
                                     "spool_events", NULL);
  self->spool_oldest_us = pen_metrics_get (pen_element_get_metrics (sink->element),
                                           PEN_METRIC_GAUGE, "spool_oldest_timestamp_us", NULL);
  sink->branch = self;
  pen_outlet_keep_little (sink->outlet);
  nodes[sink_index] = sink;
  pen_pipeline_mark_feeding (pipeline->definition, sink_index, marks);
  for (guint i = 0; i < pipeline->n_elements; i++)
    {
      if (!marks[i] || pipeline->nodes[i].kind != PEN_KIND_TRANSFORM)
        continue;
      nodes[i] = &pipeline->nodes[i];
      if (nodes[i]->branch != NULL)
        {
          nodes[i] = &pipeline->nodes[(*next_copy)++];
          pen_pipeline_init_copy (nodes[i], pipeline, i);
        }
      nodes[i]->branch = self;
      self->holds |= pen_transform_holds (PEN_TRANSFORM (nodes[i]->element));
    }
  pen_pipeline_branch_wire (self, marks, nodes);
  return self;
}

static void
pen_pipeline_branch_free (gpointer data)
{
  PenPipelineBranch *self = data;

  for (guint i = 0; i < self->pipeline->n_elements; i++)
    g_free (self->entries[i].readers);
  g_free (self->entries);
  g_queue_clear_full (&self->marks, g_free);
  g_free (self);
}

/* Once, after the keyfile's elements are there. */
void
pen_pipeline_grow_branches (PenPipeline *self)
{
  guint next_copy = self->n_elements;

  self->branches = g_ptr_array_new_with_free_func (pen_pipeline_branch_free);
  for (guint i = 0; i < self->n_elements; i++)
    if (self->nodes[i].kind == PEN_KIND_SINK)
      g_ptr_array_add (self->branches, pen_pipeline_branch_new (&self->nodes[i], i, &next_copy));
}

/* --- How far it is --- */

/* What is not delivered is processed again after a crash, and must find what was held when it was
 * processed first, though that may have been put out, written and settled since: a window that is
 * put out again has to be whole. */
static void
pen_pipeline_branch_save (PenPipelineBranch *self)
{
  const PenPipelineMark *mark = NULL;

  while ((mark = g_queue_peek_head (&self->marks)) != NULL && mark->position <= self->delivered)
    g_free (g_queue_pop_head (&self->marks));
  pen_spool_reader_settle (self->reader, self->delivered,
                           mark != NULL ? MIN (mark->needed, self->needed) : self->needed);
}

static void
pen_pipeline_branch_mark (PenPipelineBranch *self, guint64 position)
{
  PenPipelineMark *mark = g_new (PenPipelineMark, 1);

  *mark = (PenPipelineMark){ .position = position, .needed = self->needed };
  g_queue_push_tail (&self->marks, mark);
}

static void
pen_pipeline_branch_settled (guint64 position, gpointer user_data)
{
  PenPipelineBranch *self = user_data;

  self->needed = position + 1;
  if (!self->holds)
    self->delivered = MAX (self->delivered, position);
  pen_pipeline_branch_save (self);
}

static void
pen_pipeline_branch_progressed (guint64 position, gpointer user_data)
{
  PenPipelineBranch *self = user_data;

  self->delivered = MAX (self->delivered, position);
  pen_pipeline_branch_save (self);
}

/* The spool is open and knows where the branch was. */
static void
pen_pipeline_branch_begin (PenPipelineBranch *self)
{
  GMainContext *context = pen_lane_get_context (self->pipeline->lane);

  self->delivered = pen_spool_reader_get_delivered (self->reader);
  self->needed = pen_spool_reader_get_needed (self->reader);
  self->known = self->delivered;
  self->tokens = pen_token_queue_new (context, pen_pipeline_branch_settled, self);
  if (self->holds)
    self->progress = pen_token_queue_new (context, pen_pipeline_branch_progressed, self);
}

void
pen_pipeline_branch_close_tokens (PenPipelineBranch *self)
{
  g_clear_pointer (&self->tokens, pen_token_queue_close);
  g_clear_pointer (&self->progress, pen_token_queue_close);
}

/* --- How messages pass --- */

/* (nullable): where what @source received enters the branch */
static PenPipelineNode *
pen_pipeline_branch_find_entry (PenPipelineBranch *self, const char *source)
{
  for (guint i = 0; i < self->pipeline->n_elements; i++)
    {
      const PenElementDefinition *definition
          = pen_definition_get_element (self->pipeline->definition, i);

      if (definition->kind == PEN_KIND_SOURCE && g_str_equal (definition->name, source))
        return &self->entries[i];
    }
  /* its source has another name by now: it goes where the first goes rather than nowhere */
  return self->first_entry;
}

static void
pen_pipeline_branch_read (gpointer owner, const PenSpoolRecord *record, gboolean is_known)
{
  PenPipelineBranch *self = owner;
  PenToken *token = NULL;

  if (self->tokens == NULL)
    return; /* it was given up */
  token = pen_token_queue_take_at (self->tokens, record->position);
  if (self->progress != NULL && !is_known)
    {
      self->under_way = pen_token_queue_take_at (self->progress, record->position);
      pen_pipeline_branch_mark (self, record->position);
    }
  if (record->sink == NULL
      || g_str_equal (record->sink, pen_element_get_name (self->sink->element)))
    {
      PenEvent *event = pen_event_copy (record->event);

      pen_pipeline_give_token (event, g_steal_pointer (&token));
      self->is_alone = record->sink != NULL;
      self->is_rebuilding = is_known;
      pen_pipeline_node_hand_on (pen_pipeline_branch_find_entry (self, record->source), event);
      self->is_rebuilding = FALSE;
    }
  g_clear_pointer (&token, pen_token_unref);
  g_clear_pointer (&self->under_way, pen_token_unref);
}

/* Whether nobody is to hear that @node rejects what it processes: it is told by the element that it
 * is a copy of, or was told before. */
gboolean
pen_pipeline_branch_is_mute (const PenPipelineBranch *self, const PenPipelineNode *node)
{
  return self->is_rebuilding || (node->is_copy && !self->is_alone);
}

/* Takes @event, which an element of the branch has put out, to an outlet. */
void
pen_pipeline_branch_deliver (PenPipelineBranch *self, PenOutlet *outlet, PenEvent *event)
{
  if (self->is_rebuilding)
    pen_event_unref (event);
  else if (self->under_way != NULL)
    pen_outlet_take (outlet, pen_event_hold (event, self->under_way));
  else
    pen_outlet_take (outlet, event);
}

/* What a transform has to do in time waits until it holds again what it held, and until it has had
 * what came before: with a sink that was down, that may be hours old. */
gint64
pen_pipeline_branch_get_tick_delay (PenPipelineBranch *self)
{
  return pen_spool_reader_is_behind (self->reader, self->known)
                 || !pen_spool_reader_is_at_end (self->reader)
             ? LATE_TICK_US
             : 0;
}

/* What is put out between two messages is delivered with the one before: what comes behind that is
 * processed once more after a crash, and not taken for known, as long as this is not written. */
void
pen_pipeline_branch_begin_tick (PenPipelineBranch *self)
{
  guint64 position = 0;

  if (self->progress == NULL)
    return;
  position = MAX (pen_token_queue_get_pushed (self->progress), self->delivered);
  self->under_way = pen_token_queue_take_at (self->progress, position);
}

void
pen_pipeline_branch_end_tick (PenPipelineBranch *self)
{
  g_clear_pointer (&self->under_way, pen_token_unref);
}

/* --- When it reads --- */

/* Something has changed that says whether the branch may read. */
void
pen_pipeline_branch_update (PenPipelineBranch *self)
{
  const PenPipeline *pipeline = self->pipeline;
  gboolean is_on = pipeline->state == PEN_PIPELINE_RUNNING
                   || (pipeline->state == PEN_PIPELINE_DRAINING && !pipeline->is_asked_to_stop);

  if (is_on && self->sink->is_outlet_started && self->n_full == 0)
    pen_spool_reader_resume (self->reader);
  else if (self->reader != NULL)
    pen_spool_reader_pause (self->reader);
}

void
pen_pipeline_update_branches (PenPipeline *self)
{
  for (guint i = 0; self->branches != NULL && i < self->branches->len; i++)
    pen_pipeline_branch_update (g_ptr_array_index (self->branches, i));
}

void
pen_pipeline_branch_throttle (PenPipelineBranch *self, gboolean is_full)
{
  self->n_full += is_full ? 1 : (guint) -1;
  pen_pipeline_branch_update (self);
}

/* --- The spool --- */

static void
pen_pipeline_measure_branches (PenPipeline *self)
{
  pen_metric_set (pen_metrics_get (pen_status_get_metrics (self->status), PEN_METRIC_GAUGE,
                                   "spool_size_bytes", NULL),
                  (gint64) pen_spool_get_used_bytes (self->spool));
  for (guint i = 0; i < self->branches->len; i++)
    {
      const PenPipelineBranch *branch = g_ptr_array_index (self->branches, i);

      pen_metric_set (branch->n_spooled, (gint64) pen_spool_reader_count_waiting (branch->reader));
      pen_metric_set (branch->spool_oldest_us, pen_spool_reader_get_oldest (branch->reader));
    }
}

static void
pen_pipeline_spool_opened (gpointer owner)
{
  PenPipeline *self = owner;

  for (guint i = 0; i < self->branches->len; i++)
    pen_pipeline_branch_begin (g_ptr_array_index (self->branches, i));
  self->is_spool_open = TRUE;
  pen_pipeline_measure_branches (self);
  pen_lane_defer (self->lane, &self->advance);
}

static void
pen_pipeline_spool_full (gpointer owner, gboolean is_full)
{
  PenPipeline *self = owner;

  for (guint i = 0; i < self->n_elements; i++)
    if (self->nodes[i].kind == PEN_KIND_SOURCE)
      pen_pipeline_source_throttle (&self->nodes[i], is_full);
}

static void
pen_pipeline_spool_changed (gpointer owner)
{
  PenPipeline *self = owner;

  pen_pipeline_measure_branches (self);
  if (self->state == PEN_PIPELINE_DRAINING)
    pen_lane_defer (self->lane, &self->advance);
}

static void
pen_pipeline_spool_failed (gpointer owner, GError *error)
{
  pen_pipeline_fail (owner, NULL /* element */, error);
}

static void
pen_pipeline_spool_closed (gpointer owner)
{
  PenPipeline *self = owner;

  pen_pipeline_measure_branches (self);
  self->is_spool_closed = TRUE;
  pen_lane_defer (self->lane, &self->advance);
}

static const PenSpoolFunctions pen_pipeline_spool_functions = {
  .opened = pen_pipeline_spool_opened,
  .full = pen_pipeline_spool_full,
  .changed = pen_pipeline_spool_changed,
  .failed = pen_pipeline_spool_failed,
  .closed = pen_pipeline_spool_closed,
};

/* Once, when the pipeline starts. */
void
pen_pipeline_open_spool (PenPipeline *self)
{
  PenSettings *settings = pen_definition_get_settings (self->definition);
  const PenSpoolOptions options = {
    .state_folder = self->state_folder,
    .pipeline = self->name,
    .max_bytes = pen_settings_get_spool_size (settings),
    .keep_us = pen_settings_get_spool_keep (settings),
  };

  self->spool
      = pen_spool_new (&options, self->lane, self->workers, &pen_pipeline_spool_functions, self);
  for (guint i = 0; i < self->branches->len; i++)
    {
      PenPipelineBranch *branch = g_ptr_array_index (self->branches, i);

      branch->reader
          = pen_spool_add_reader (self->spool, pen_element_get_name (branch->sink->element),
                                  pen_pipeline_branch_read, branch);
    }
  pen_spool_open (self->spool);
}
