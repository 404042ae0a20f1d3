/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands before a sink.
 *
 * Events fill a batch. It is closed when it is full, or ripe: at the end of the lane's round, or
 * after the linger time. Closed batches wait in a queue; one at a time is given to the sink, on the
 * lane or on a worker. While a worker has one, the next goes on filling, so that a slow sink gets
 * large batches by itself. What the sink does is a sequence of steps (start, write, flush, stop),
 * of which at most one is under way; between `execute` and `finish_step` its fields belong to the
 * worker. A step that fails for now is tried again after a growing time, for ever: giving up is
 * the owner's business.
 */

#include "config.h"

#include "pen-outlet.h"

#include "pen-backoff.h"
#include "pen-batch-private.h"
#include "pen-element-private.h"
#include "pen-metrics-private.h"
#include "pen-tap.h"

/* a full queue has room again when it is half empty: not an event at a time */
#define ROOM_DIVISOR 2
/* one is written, the other fills */
#define LITTLE_BATCHES 2

typedef enum
{
  PEN_STEP_NONE,
  PEN_STEP_START,
  PEN_STEP_WRITE,
  PEN_STEP_FLUSH,
  PEN_STEP_STOP,
} PenStep;

typedef enum
{
  PEN_OUTLET_CLOSED,
  PEN_OUTLET_OPEN,
  PEN_OUTLET_FAILED,
} PenOutletState;

struct _PenOutlet
{
  /* constant after start */
  gatomicrefcount references;
  gboolean blocks;
  PenSink *sink;
  PenLane *lane;
  PenWorkers *workers;
  const PenOutletFunctions *functions;
  gpointer owner;
  guint batch_events;
  guint queue_events;
  guint64 batch_bytes;
  gint64 linger_us;
  guint64 queue_bytes;
  PenMetric *n_received;
  PenMetric *n_sent;
  PenMetric *n_bytes_sent;
  PenMetric *n_batches;
  PenMetric *n_failures;
  PenMetric *n_retries;
  PenMetric *n_queued;
  PenMetric *oldest_us; /* arrival of the oldest that has no outcome; 0: nothing waits */
  PenHistogram *latency;
  PenHistogram *batch_sizes;

  /* lane */
  PenOutletState state;
  gboolean is_open; /* start succeeded, stop did not happen yet */
  GPtrArray *taps;  /* of PenTap, or NULL: nobody looks */
  PenBatch *filling;
  guint n_last; /* events of the batch before, which the next is most like */
  gboolean is_ripe;
  gboolean is_draining;
  GQueue closed; /* of PenBatch */
  guint n_events;
  guint64 n_bytes;
  gboolean is_full;
  gboolean wants_start;
  gboolean wants_flush;
  gboolean wants_stop;
  gboolean is_flushed;
  gboolean is_abandoned;
  PenLaneDeferred ripen;
  guint linger_timer;
  guint retry_timer;
  guint flush_timer;
  PenBackoff backoff;

  /* lane, or the worker while a step is under way */
  PenStep step;
  PenBatch *writing;
  PenStopwatch stopwatch;
  gboolean succeeded;
  GError *error;
};

static void pen_outlet_pump (PenOutlet *self);

static void
pen_outlet_write (PenOutlet *self)
{
  gint64 arrival_us = pen_event_get_arrival (pen_batch_get_event (self->writing, 0));
  gboolean is_measured = pen_stopwatch_begin (&self->stopwatch, arrival_us);

  self->succeeded = pen_sink_write (self->sink, self->writing, &self->error);
  if (is_measured)
    pen_stopwatch_end (&self->stopwatch);
}

static void
pen_outlet_execute (PenOutlet *self)
{
  PenElement *element = PEN_ELEMENT (self->sink);

  self->succeeded = TRUE;
  switch (self->step)
    {
    case PEN_STEP_START:
      self->succeeded = pen_element_start (element, &self->error);
      break;
    case PEN_STEP_WRITE:
      pen_outlet_write (self);
      break;
    case PEN_STEP_FLUSH:
      self->succeeded = pen_sink_flush (self->sink, &self->error);
      break;
    case PEN_STEP_STOP:
      pen_element_stop (element);
      break;
    case PEN_STEP_NONE:
    default:
      break;
    }
}

static void
pen_outlet_update_room (PenOutlet *self)
{
  pen_metric_set (self->n_queued, self->n_events);
  if (!self->is_full)
    {
      if (self->n_events < self->queue_events && self->n_bytes < self->queue_bytes)
        return;
    }
  else if (self->n_events > self->queue_events / ROOM_DIVISOR
           || self->n_bytes > self->queue_bytes / ROOM_DIVISOR)
    return;
  self->is_full = !self->is_full;
  if (!self->is_abandoned)
    self->functions->full (self->owner, self->is_full);
}

/* What is oldest now that a batch is done. */
static void
pen_outlet_update_oldest (PenOutlet *self)
{
  PenBatch *batch = self->closed.length > 0 ? self->closed.head->data : self->filling;

  pen_metric_set (self->oldest_us,
                  batch != NULL ? pen_event_get_arrival (pen_batch_get_event (batch, 0)) : 0);
}

/* Every event of the batch has its outcome: those that are still open are written. */
static void
pen_outlet_settle_batch (PenOutlet *self)
{
  g_autoptr (PenBatch) batch = g_steal_pointer (&self->writing);
  guint n_events = pen_batch_get_n_events (batch);
  gint64 now_us = pen_lane_get_real_time (self->lane);
  guint64 n_bytes = 0;
  guint n_rejected = 0;

  for (guint i = 0; i < n_events; i++)
    {
      const char *reason = NULL;
      const char *message = NULL;
      PenEvent *event = pen_batch_get_event (batch, i);

      if (pen_batch_get_rejection (batch, i, &reason, &message))
        {
          n_rejected++;
          self->functions->reject (self->owner, self->sink, event, reason, message);
        }
      else
        {
          n_bytes += g_bytes_get_size (pen_event_get_payload (event));
          pen_histogram_add_alone (self->latency, now_us - pen_event_get_arrival (event), 1);
        }
    }
  pen_metric_add_alone (self->n_sent, n_events - n_rejected);
  pen_metric_add_alone (self->n_bytes_sent, (gint64) n_bytes);
  pen_metric_add_alone (self->n_batches, 1);
  pen_histogram_add_alone (self->batch_sizes, n_events, 1);
  pen_outlet_update_oldest (self);
  self->n_events -= n_events;
  self->n_bytes -= pen_batch_get_n_bytes (batch);
  pen_outlet_update_room (self);
}

static void
pen_outlet_reject_open (PenOutlet *self, const GError *error)
{
  guint n_events = pen_batch_get_n_events (self->writing);

  for (guint i = 0; i < n_events; i++)
    if (pen_batch_is_open (self->writing, i))
      pen_batch_reject (self->writing, i, pen_element_error_get_reason (error), "%s",
                        error->message);
}

static void
pen_outlet_retry (gpointer data)
{
  PenOutlet *self = data;

  self->retry_timer = 0;
  pen_outlet_pump (self);
}

static void
pen_outlet_schedule_retry (PenOutlet *self)
{
  pen_metric_add (self->n_retries, 1);
  self->retry_timer
      = pen_lane_add_timer (self->lane, pen_backoff_next (&self->backoff), pen_outlet_retry, self);
}

static void
pen_outlet_discard (PenOutlet *self)
{
  g_clear_pointer (&self->filling, pen_batch_unref);
  g_queue_clear_full (&self->closed, (GDestroyNotify) pen_batch_unref);
  g_clear_pointer (&self->writing, pen_batch_unref);
  self->n_events = 0;
  self->n_bytes = 0;
  pen_metric_set (self->n_queued, 0);
  pen_metric_set (self->oldest_us, 0);
}

static void
pen_outlet_fail (PenOutlet *self, GError *error)
{
  self->state = PEN_OUTLET_FAILED;
  self->functions->failed (self->owner, self->sink, error);
  /* the owner has seen to it that this acknowledges nothing */
  pen_outlet_discard (self);
}

/* A step failed: what its error says is to be done. Errors of other domains are bugs of a plugin
 * that lose nothing if they are taken as passing. */
static void
pen_outlet_handle_error (PenOutlet *self, PenStep step)
{
  g_autoptr (GError) error = g_steal_pointer (&self->error);
  int code = PEN_ELEMENT_ERROR_RETRY;

  if (error == NULL)
    error = pen_element_error_new (PEN_ELEMENT_ERROR_RETRY, NULL, "failed without saying why");
  if (error->domain == PEN_ELEMENT_ERROR)
    code = error->code;
  pen_metric_add (self->n_failures, 1);
  if (step == PEN_STEP_FLUSH)
    {
      pen_element_complain (PEN_ELEMENT (self->sink), "%s", error->message);
      return;
    }
  if (code == PEN_ELEMENT_ERROR_REJECT && step == PEN_STEP_WRITE)
    {
      pen_outlet_reject_open (self, error);
      pen_outlet_settle_batch (self);
      return;
    }
  if (step == PEN_STEP_START && self->wants_stop)
    {
      self->wants_start = FALSE;
      self->wants_stop = FALSE;
      self->functions->stopped (self->owner);
      return;
    }
  if (code == PEN_ELEMENT_ERROR_FAIL || code == PEN_ELEMENT_ERROR_CLOSED)
    {
      pen_outlet_fail (self, g_steal_pointer (&error));
      return;
    }
  pen_element_complain (PEN_ELEMENT (self->sink), "%s; trying again", error->message);
  pen_outlet_schedule_retry (self);
}

static void
pen_outlet_flush_is_due (gpointer data)
{
  PenOutlet *self = data;

  self->flush_timer = pen_lane_add_timer (self->lane, pen_sink_get_flush_interval (self->sink),
                                          pen_outlet_flush_is_due, self);
  self->wants_flush = TRUE;
  pen_outlet_pump (self);
}

static void
pen_outlet_handle_success (PenOutlet *self, PenStep step)
{
  if (pen_backoff_end (&self->backoff))
    pen_element_recover (PEN_ELEMENT (self->sink), "works again");
  if (step == PEN_STEP_START)
    {
      self->state = PEN_OUTLET_OPEN;
      self->is_open = TRUE;
      if (pen_sink_get_flush_interval (self->sink) > 0)
        self->flush_timer = pen_lane_add_timer (
            self->lane, pen_sink_get_flush_interval (self->sink), pen_outlet_flush_is_due, self);
      self->functions->started (self->owner);
    }
  else if (step == PEN_STEP_WRITE)
    pen_outlet_settle_batch (self);
}

static void
pen_outlet_finish_step (PenOutlet *self)
{
  PenStep step = self->step;

  self->step = PEN_STEP_NONE;
  if (step == PEN_STEP_FLUSH)
    {
      self->wants_flush = FALSE;
      self->is_flushed = TRUE;
    }
  if (!self->succeeded)
    pen_outlet_handle_error (self, step);
  else if (step == PEN_STEP_STOP)
    {
      self->state = PEN_OUTLET_CLOSED;
      self->is_open = FALSE;
      self->wants_start = FALSE;
      self->wants_stop = FALSE;
      self->functions->stopped (self->owner);
    }
  else
    pen_outlet_handle_success (self, step);
}

/* The worker has come back. */
static void
pen_outlet_come_back (gpointer data)
{
  PenOutlet *self = data;

  if (self->is_abandoned)
    {
      /* nobody waits for it any more; its events go without a word, their queue is closed */
      self->step = PEN_STEP_NONE;
      g_clear_error (&self->error);
      g_clear_pointer (&self->writing, pen_batch_unref);
    }
  else
    {
      pen_outlet_finish_step (self);
      pen_outlet_pump (self);
    }
  pen_outlet_unref (self);
}

static void
pen_outlet_work (gpointer data)
{
  PenOutlet *self = data;

  pen_outlet_execute (self);
  pen_lane_invoke (self->lane, pen_outlet_come_back, self);
}

static void
pen_outlet_close_filling (PenOutlet *self)
{
  self->is_ripe = FALSE;
  if (self->linger_timer != 0)
    pen_lane_remove_timer (self->lane, self->linger_timer);
  self->linger_timer = 0;
  if (self->filling == NULL)
    return;
  self->n_last = pen_batch_get_n_events (self->filling);
  g_queue_push_tail (&self->closed, g_steal_pointer (&self->filling));
}

static PenStep
pen_outlet_choose_step (PenOutlet *self)
{
  if (self->state == PEN_OUTLET_CLOSED)
    return self->wants_start && !self->wants_stop ? PEN_STEP_START : PEN_STEP_NONE;
  if (self->state == PEN_OUTLET_FAILED)
    return self->is_open && self->wants_stop ? PEN_STEP_STOP : PEN_STEP_NONE;
  if (self->writing != NULL)
    return PEN_STEP_WRITE; /* once more */
  if (self->closed.length == 0 && self->is_ripe)
    pen_outlet_close_filling (self);
  if (self->closed.length > 0)
    {
      self->writing = g_queue_pop_head (&self->closed);
      self->is_flushed = FALSE;
      return PEN_STEP_WRITE;
    }
  if (self->wants_flush || (self->wants_stop && !self->is_flushed))
    return PEN_STEP_FLUSH;
  return self->wants_stop ? PEN_STEP_STOP : PEN_STEP_NONE;
}

static void
pen_outlet_pump (PenOutlet *self)
{
  g_atomic_ref_count_inc (&self->references); /* the owner may drop it in a callback */
  while (self->step == PEN_STEP_NONE && self->retry_timer == 0 && !self->is_abandoned)
    {
      PenStep step = pen_outlet_choose_step (self);

      if (step == PEN_STEP_NONE)
        break;
      self->step = step;
      if (self->blocks)
        {
          g_atomic_ref_count_inc (&self->references);
          pen_workers_push (self->workers, pen_outlet_work, self);
          break;
        }
      pen_outlet_execute (self);
      pen_outlet_finish_step (self);
    }
  if (!self->is_abandoned && pen_outlet_is_idle (self))
    self->functions->idle (self->owner);
  pen_outlet_unref (self);
}

static void
pen_outlet_become_ripe (gpointer data)
{
  PenOutlet *self = data;

  self->is_ripe = self->filling != NULL;
  pen_outlet_pump (self);
}

static void
pen_outlet_end_linger (gpointer data)
{
  PenOutlet *self = data;

  self->linger_timer = 0;
  pen_outlet_become_ripe (self);
}

static void
pen_outlet_init_metrics (PenOutlet *self, PenMetrics *metrics)
{
  self->n_received = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_received", NULL);
  self->n_sent = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_sent", NULL);
  self->n_bytes_sent = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "bytes_sent", NULL);
  self->n_batches = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "batches", NULL);
  self->n_failures = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "failures", NULL);
  self->n_retries = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "retries", NULL);
  self->n_queued = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "queue_events", NULL);
  self->oldest_us = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "queue_oldest_timestamp_us", NULL);
  self->latency
      = pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_LATENCY, "delivery_latency_seconds");
  self->batch_sizes = pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_EVENTS, "batch_events");
  self->stopwatch.histogram
      = pen_metrics_get_histogram (metrics, PEN_HISTOGRAM_WORK, "write_seconds");
}

/* documented in the header, as what follows */
PenOutlet *
pen_outlet_new (PenSink *sink,
                PenLane *lane,
                PenWorkers *workers,
                const PenOutletFunctions *functions,
                gpointer owner)
{
  PenOutlet *self = g_new0 (PenOutlet, 1);

  g_atomic_ref_count_init (&self->references);
  self->sink = g_object_ref (sink);
  self->lane = lane;
  self->workers = workers;
  self->functions = functions;
  self->owner = owner;
  self->batch_events = pen_sink_get_batch_events (sink);
  self->batch_bytes = pen_sink_get_batch_bytes (sink);
  self->linger_us = pen_sink_get_linger (sink);
  self->queue_events = pen_sink_get_queue_events (sink);
  self->queue_bytes = pen_sink_get_queue_bytes (sink);
  pen_outlet_init_metrics (self, pen_element_get_metrics (PEN_ELEMENT (sink)));
  self->ripen.func = pen_outlet_become_ripe;
  self->ripen.user_data = self;
  g_queue_init (&self->closed);
  return self;
}

void
pen_outlet_keep_little (PenOutlet *self)
{
  self->queue_events = MIN (self->queue_events, LITTLE_BATCHES * self->batch_events);
  self->queue_bytes = MIN (self->queue_bytes, LITTLE_BATCHES * self->batch_bytes);
}

void
pen_outlet_set_taps (PenOutlet *self, GPtrArray *taps)
{
  g_clear_pointer (&self->taps, g_ptr_array_unref);
  self->taps = taps != NULL ? g_ptr_array_ref (taps) : NULL;
}

void
pen_outlet_start (PenOutlet *self)
{
  self->blocks = pen_sink_blocks (self->sink);
  self->wants_start = TRUE;
  pen_outlet_pump (self);
}

static void
pen_outlet_ripen_later (PenOutlet *self)
{
  if (self->is_ripe)
    return;
  if (self->linger_us == 0 || self->is_draining)
    pen_lane_defer (self->lane, &self->ripen);
  else if (self->linger_timer == 0)
    self->linger_timer
        = pen_lane_add_timer (self->lane, self->linger_us, pen_outlet_end_linger, self);
}

void
pen_outlet_take (PenOutlet *self, PenEvent *event)
{
  gsize n_bytes = g_bytes_get_size (pen_event_get_payload (event));

  if (self->is_abandoned || self->state == PEN_OUTLET_FAILED)
    {
      pen_event_unref (event);
      return;
    }
  if (self->filling != NULL
      && (pen_batch_get_n_events (self->filling) >= self->batch_events
          || pen_batch_get_n_bytes (self->filling) + n_bytes > self->batch_bytes))
    pen_outlet_close_filling (self);
  if (G_UNLIKELY (self->taps != NULL))
    pen_taps_show (self->taps, pen_element_get_label (PEN_ELEMENT (self->sink)), event);
  if (self->filling == NULL)
    self->filling = pen_batch_new_for (self->n_last);
  pen_batch_take (self->filling, event);
  pen_metric_add_alone (self->n_received, 1);
  if (self->n_events == 0)
    pen_metric_set (self->oldest_us, pen_event_get_arrival (event));
  self->n_events++;
  self->n_bytes += n_bytes;
  pen_outlet_ripen_later (self);
  pen_outlet_update_room (self);
  if (self->closed.length > 0)
    pen_outlet_pump (self);
}

void
pen_outlet_drain (PenOutlet *self)
{
  self->is_draining = TRUE;
  if (self->filling != NULL)
    pen_outlet_become_ripe (self);
}

gboolean
pen_outlet_is_idle (PenOutlet *self)
{
  return self->step == PEN_STEP_NONE && self->n_events == 0;
}

guint
pen_outlet_get_n_events (PenOutlet *self)
{
  return self->n_events;
}

void
pen_outlet_stop (PenOutlet *self)
{
  if (self->flush_timer != 0)
    pen_lane_remove_timer (self->lane, self->flush_timer);
  self->flush_timer = 0;
  if (!self->is_open && self->step == PEN_STEP_NONE)
    {
      /* it never opened: there is nothing to close */
      if (self->retry_timer != 0)
        pen_lane_remove_timer (self->lane, self->retry_timer);
      self->retry_timer = 0;
      self->wants_start = FALSE;
      self->functions->stopped (self->owner);
      return;
    }
  self->wants_stop = TRUE;
  pen_outlet_pump (self);
}

gboolean
pen_outlet_abandon (PenOutlet *self)
{
  self->is_abandoned = TRUE;
  pen_lane_cancel_deferred (self->lane, &self->ripen);
  if (self->linger_timer != 0)
    pen_lane_remove_timer (self->lane, self->linger_timer);
  if (self->retry_timer != 0)
    pen_lane_remove_timer (self->lane, self->retry_timer);
  if (self->flush_timer != 0)
    pen_lane_remove_timer (self->lane, self->flush_timer);
  self->linger_timer = self->retry_timer = self->flush_timer = 0;
  g_clear_pointer (&self->filling, pen_batch_unref);
  g_queue_clear_full (&self->closed, (GDestroyNotify) pen_batch_unref);
  if (self->step != PEN_STEP_NONE && self->blocks)
    return FALSE;
  g_clear_pointer (&self->writing, pen_batch_unref);
  return TRUE;
}

void
pen_outlet_unref (PenOutlet *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  pen_outlet_abandon (self);
  pen_outlet_set_taps (self, NULL);
  g_clear_error (&self->error);
  g_object_unref (self->sink);
  g_free (self);
}
