/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How events pass through a pipeline: from a source through the transforms, as plain calls, to the
 * outlets of the sinks; and what becomes of those that cannot. An event is rejected at most once:
 * what fails in the dead-letter sink is counted and told, and goes no further.
 */

#include "config.h"

#include "pen-pipeline-private.h"

#include "pen-dead-letter.h"
#include "pen-event-private.h"
#include "pen-log.h"

#define MAX_SKIPPED_LETTERS 100

/* The pipelines are small; an element knows its host, and the host its few nodes. */
PenPipelineNode *
pen_pipeline_find_node (PenPipeline *self, PenElement *element)
{
  for (guint i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].element == element)
      return &self->nodes[i];
  return NULL;
}

static void
pen_pipeline_complaint_free (gpointer data)
{
  pen_complaint_clear (data);
  g_free (data);
}

/* Nothing keeps it, so it is at least told: once a minute for each reason, with a count. */
static void
pen_pipeline_tell_rejection (PenPipelineNode *node, const char *reason, const char *message)
{
  PenComplaint *complaint = NULL;
  g_autofree char *told = NULL;

  if (node->complaints == NULL)
    node->complaints
        = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, pen_pipeline_complaint_free);
  complaint = g_hash_table_lookup (node->complaints, reason);
  if (complaint == NULL)
    {
      complaint = g_new0 (PenComplaint, 1);
      g_hash_table_insert (node->complaints, g_strdup (reason), complaint);
    }
  told
      = pen_complaint_raise (complaint, pen_lane_get_monotonic_time (node->pipeline->lane), reason);
  if (told != NULL)
    pen_element_log (node->element, G_LOG_LEVEL_WARNING, "rejected: %s [%s]%s", message, told,
                     node->kind == PEN_KIND_DEAD_LETTER
                         ? "; this dead letter is lost"
                         : "; a [dead-letter …] group in the keyfile would keep it");
}

/* The event will not pass @node. It is not consumed. */
void
pen_pipeline_reject (PenPipelineNode *node,
                     PenEvent *event,
                     const char *reason,
                     const char *message)
{
  PenPipeline *self = node->pipeline;

  if (node->branch != NULL && pen_pipeline_branch_is_mute (node->branch, node))
    return;
  pen_element_count (node->element, "events_rejected", reason, 1);
  if (self->dead_letter != NULL && node != self->dead_letter && self->dead_letter->outlet != NULL)
    {
      pen_element_count (node->element, "events_dead_lettered", reason, 1);
      PenOutlet *outlet = self->dead_letter->outlet;
      PenEvent *letter
          = pen_dead_letter_new_for_part (event, self->name, pen_element_get_label (node->element),
                                          reason, message, node->output.part);

      if (node->branch != NULL)
        pen_pipeline_branch_deliver (node->branch, outlet, letter);
      else
        pen_outlet_take (outlet, letter);
      return;
    }
  self->outcome = MAX (self->outcome, PEN_OUTCOME_UNDELIVERED);
  pen_pipeline_tell_rejection (node, reason, message);
}

static void
pen_pipeline_output_push (PenOutput *output, PenEvent *event)
{
  g_ptr_array_add (((PenPipelineOutput *) output)->events, event);
}

static void
pen_pipeline_output_drop (PenOutput *output, const char *reason)
{
  pen_element_count (((PenPipelineOutput *) output)->node->element, "events_dropped", reason, 1);
}

static void
pen_pipeline_output_skip (PenOutput *output, const char *reason, const char *message)
{
  PenPipelineOutput *self = (PenPipelineOutput *) output;

  pen_element_count (self->node->element, "parts_skipped", reason, 1);
  self->n_skipped++;
  self->last_reason = g_intern_string (reason);
  if (self->n_skipped > MAX_SKIPPED_LETTERS)
    return;
  g_ptr_array_add (self->skipped, g_strdup (reason));
  g_ptr_array_add (self->skipped, g_strdup (message));
}

/* Once, for a transform. */
void
pen_pipeline_node_init_output (PenPipelineNode *node)
{
  node->output.output.push = pen_pipeline_output_push;
  node->output.output.drop = pen_pipeline_output_drop;
  node->output.output.skip = pen_pipeline_output_skip;
  node->output.node = node;
  node->output.events = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_event_unref);
  node->output.skipped = g_ptr_array_new_with_free_func (g_free);
}

static void
pen_pipeline_output_clear (PenPipelineOutput *self)
{
  g_ptr_array_set_size (self->events, 0);
  if (self->n_skipped == 0)
    return;
  g_ptr_array_set_size (self->skipped, 0);
  self->n_skipped = 0;
}

/* A letter for each part that was skipped, up to a bound, and one for the rest. */
static void
pen_pipeline_reject_skipped (PenPipelineNode *node, PenEvent *event)
{
  PenPipelineOutput *output = &node->output;

  for (guint i = 0; i + 1 < output->skipped->len; i += 2)
    {
      output->part++;
      pen_pipeline_reject (node, event, g_ptr_array_index (output->skipped, i),
                           g_ptr_array_index (output->skipped, i + 1));
    }
  if (output->n_skipped > MAX_SKIPPED_LETTERS)
    {
      g_autofree char *message = g_strdup_printf ("%u more were skipped, the last for this reason",
                                                  output->n_skipped - MAX_SKIPPED_LETTERS);

      output->part++;
      pen_pipeline_reject (node, event, output->last_reason, message);
    }
  output->part = 0;
}

/* What a branch puts out to hold again what it held was seen before. */
static void
pen_pipeline_node_show_output (const PenPipelineNode *node)
{
  const GPtrArray *events = node->output.events;

  if (node->branch != NULL && node->branch->is_rebuilding)
    return;
  for (guint i = 0; i < events->len; i++)
    pen_taps_show (node->taps, pen_element_get_label (node->element),
                   g_ptr_array_index (events, i));
}

static void
pen_pipeline_node_hand_on_output (PenPipelineNode *node)
{
  GPtrArray *events = node->output.events;

  pen_metric_add_alone (node->n_sent, events->len);
  if (G_UNLIKELY (node->taps != NULL))
    pen_pipeline_node_show_output (node);
  for (guint i = 0; i < events->len; i++)
    pen_pipeline_node_hand_on (node, g_steal_pointer (&g_ptr_array_index (events, i)));
  /* stolen: nothing is left to free */
  events->len = 0;
}

/* What was put out of the message that was rejected does not go on: its dead letter, which is all
 * of it, will be played again. What the transform had kept of others does: nobody else has it. */
static void
pen_pipeline_output_forget (PenPipelineOutput *self, PenEvent *event)
{
  for (guint i = self->events->len; i-- > 0;)
    if (pen_event_is_of_same (g_ptr_array_index (self->events, i), event))
      g_ptr_array_remove_index (self->events, i);
}

/* Takes @event. */
static void
pen_pipeline_node_process (PenPipelineNode *node, PenEvent *event)
{
  g_autoptr (GError) error = NULL;
  gboolean is_measured = pen_stopwatch_begin (&node->stopwatch, pen_event_get_arrival (event));
  gboolean is_processed;

  pen_metric_add_alone (node->n_received, 1);
  is_processed
      = pen_transform_process (PEN_TRANSFORM (node->element), event, &node->output.output, &error);
  if (is_measured)
    pen_stopwatch_end (&node->stopwatch);
  if (is_processed)
    {
      if (node->output.n_skipped > 0)
        pen_pipeline_reject_skipped (node, event);
    }
  else
    {
      pen_pipeline_reject (node, event,
                           error != NULL ? pen_element_error_get_reason (error) : "error",
                           error != NULL ? error->message : "failed without saying why");
      pen_pipeline_output_forget (&node->output, event);
    }
  pen_pipeline_node_hand_on_output (node);
  pen_pipeline_output_clear (&node->output);
  pen_event_unref (event);
}

/* Takes @event: to all that read from @node. In a branch, nobody may: its sink reads from another
 * source. */
void
pen_pipeline_node_hand_on (PenPipelineNode *node, PenEvent *event)
{
  if (node->n_readers == 0)
    pen_event_unref (event);
  for (guint i = 0; i < node->n_readers; i++)
    {
      PenPipelineNode *reader = node->readers[i];

      if (i + 1 < node->n_readers)
        pen_event_ref (event);
      if (reader->kind == PEN_KIND_TRANSFORM)
        pen_pipeline_node_process (reader, event);
      else if (reader->branch != NULL)
        pen_pipeline_branch_deliver (reader->branch, reader->outlet, event);
      else
        pen_outlet_take (reader->outlet, event);
    }
}

/* The sources of its pipeline have ended: what the transform keeps goes out. */
void
pen_pipeline_node_drain (PenPipelineNode *node)
{
  pen_transform_drain (PEN_TRANSFORM (node->element), &node->output.output);
  pen_pipeline_node_hand_on_output (node);
  pen_pipeline_output_clear (&node->output);
}

static void
pen_pipeline_tick (gpointer data)
{
  PenPipelineNode *node = data;
  gint64 delay_us = node->branch != NULL ? pen_pipeline_branch_get_tick_delay (node->branch) : 0;

  node->tick_timer = 0;
  if (delay_us > 0)
    {
      node->tick_timer
          = pen_lane_add_timer (node->pipeline->lane, delay_us, pen_pipeline_tick, node);
      return;
    }
  if (node->branch != NULL)
    pen_pipeline_branch_begin_tick (node->branch);
  pen_transform_tick (PEN_TRANSFORM (node->element),
                      pen_lane_get_monotonic_time (node->pipeline->lane), &node->output.output);
  pen_pipeline_node_hand_on_output (node);
  pen_pipeline_output_clear (&node->output);
  if (node->branch != NULL)
    pen_pipeline_branch_end_tick (node->branch);
}

/* --- What the elements ask of their host --- */

static PenPipeline *
pen_pipeline_from_host (PenHost *host)
{
  return (PenPipeline *) host;
}

/* Makes @event hold @token, which it takes, until it is written or has another outcome. */
void
pen_pipeline_give_token (PenEvent *event, PenToken *token)
{
#ifdef PEN_UNSAFE_ACKNOWLEDGE
  /* settled before anything has become of it: the kill matrix has to notice */
  pen_token_unref (token);
#else
  pen_event_take_token (event, token);
#endif
}

static guint64
pen_pipeline_take_position (PenPipelineNode *node, PenEvent *event)
{
  node->last_position++;
  if (node->tokens != NULL)
    pen_pipeline_give_token (event, pen_token_queue_take (node->tokens));
  pen_metric_add_alone (node->n_received, 1);
  pen_metric_add_alone (node->n_bytes_received,
                        (gint64) g_bytes_get_size (pen_event_get_payload (event)));
  return node->last_position;
}

static guint64
pen_pipeline_host_push (PenHost *host, PenSource *source, PenEvent *event)
{
  PenPipeline *self = pen_pipeline_from_host (host);
  PenPipelineNode *node = pen_pipeline_find_node (self, PEN_ELEMENT (source));
  guint64 position = pen_pipeline_take_position (node, event);

  pen_metric_add_alone (node->n_sent, 1);
  if (G_UNLIKELY (node->taps != NULL))
    pen_taps_show (node->taps, pen_element_get_label (node->element), event);
  if (self->spool != NULL)
    pen_spool_take (self->spool, pen_element_get_name (node->element), event);
  else
    pen_pipeline_node_hand_on (node, event);
  return position;
}

static guint64
pen_pipeline_host_reject (PenHost *host,
                          PenSource *source,
                          PenEvent *event,
                          const char *reason,
                          const char *message)
{
  PenPipelineNode *node
      = pen_pipeline_find_node (pen_pipeline_from_host (host), PEN_ELEMENT (source));
  guint64 position = pen_pipeline_take_position (node, event);

  pen_pipeline_reject (node, event, reason, message);
  pen_event_unref (event);
  return position;
}

static gint64
pen_pipeline_host_get_real_time (PenHost *host)
{
  return pen_lane_get_real_time (pen_pipeline_from_host (host)->lane);
}

static void
pen_pipeline_host_set_connected (PenHost *host, PenSource *source, gboolean connected)
{
  PenPipelineNode *node
      = pen_pipeline_find_node (pen_pipeline_from_host (host), PEN_ELEMENT (source));

  if ((pen_metric_get (node->is_connected) != 0) == connected
      && pen_metric_get (node->connection_changed_us) != 0)
    return;
  if (connected && node->was_connected)
    pen_metric_add (node->n_reconnects, 1);
  node->was_connected |= connected;
  pen_metric_set (node->is_connected, connected);
  pen_metric_set (node->connection_changed_us, pen_pipeline_host_get_real_time (host));
}

static void
pen_pipeline_host_finish (PenHost *host, PenSource *source)
{
  PenPipeline *self = pen_pipeline_from_host (host);

  pen_pipeline_source_finished (self, pen_pipeline_find_node (self, PEN_ELEMENT (source)));
}

static void
pen_pipeline_host_fail (PenHost *host, PenElement *element, GError *error)
{
  pen_pipeline_fail (pen_pipeline_from_host (host), element, error);
}

static void
pen_pipeline_host_schedule (PenHost *host, PenTransform *transform, gint64 monotonic_us)
{
  PenPipeline *self = pen_pipeline_from_host (host);
  PenPipelineNode *node = pen_pipeline_find_node (self, PEN_ELEMENT (transform));

  if (node->tick_timer != 0)
    pen_lane_remove_timer (self->lane, node->tick_timer);
  node->tick_timer = pen_lane_add_timer (
      self->lane, monotonic_us - pen_lane_get_monotonic_time (self->lane), pen_pipeline_tick, node);
}

static gint64
pen_pipeline_host_get_monotonic_time (PenHost *host)
{
  return pen_lane_get_monotonic_time (pen_pipeline_from_host (host)->lane);
}

static void
pen_pipeline_host_watch (PenHost *host,
                         PenElement *element,
                         int fd,
                         GIOCondition condition,
                         PenWatchFunc func)
{
  pen_lane_watch (pen_pipeline_from_host (host)->lane, element, fd, condition, func);
}

static void
pen_pipeline_host_unwatch (PenHost *host, PenElement *element, int fd)
{
  pen_lane_unwatch (pen_pipeline_from_host (host)->lane, fd);
}

static guint
pen_pipeline_host_add_timer (PenHost *host,
                             PenElement *element,
                             gint64 delay_us,
                             PenTimerFunc func,
                             gpointer user_data)
{
  return pen_lane_add_element_timer (pen_pipeline_from_host (host)->lane, element, delay_us, func,
                                     user_data);
}

static void
pen_pipeline_host_remove_timer (PenHost *host, PenElement *element, guint timer)
{
  pen_lane_remove_timer (pen_pipeline_from_host (host)->lane, timer);
}

const PenHostFunctions pen_pipeline_host_functions = {
  .push = pen_pipeline_host_push,
  .reject = pen_pipeline_host_reject,
  .set_connected = pen_pipeline_host_set_connected,
  .finish = pen_pipeline_host_finish,
  .fail = pen_pipeline_host_fail,
  .schedule = pen_pipeline_host_schedule,
  .get_monotonic_time = pen_pipeline_host_get_monotonic_time,
  .get_real_time = pen_pipeline_host_get_real_time,
  .watch = pen_pipeline_host_watch,
  .unwatch = pen_pipeline_host_unwatch,
  .add_timer = pen_pipeline_host_add_timer,
  .remove_timer = pen_pipeline_host_remove_timer,
};
