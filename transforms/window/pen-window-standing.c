/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Windows that stand still: tumbling ones, one behind the other, and hopping ones, which overlap.
 * Each is a bucket, which only knows what was computed of it and not the events, and which closes
 * when the newest event is as late as its end and the allowed lateness behind that.
 */

#include "config.h"

#include "pen-window-state-private.h"

#include <string.h>

typedef struct
{
  PenWindowGroup *group;
  guint window;
  gint64 start_us;
  gint64 end_us;
  guint64 order; /* in which the buckets were made */
  guint n_events;
  gsize n_bytes;
  gint64 arrival_us;
  gboolean is_replayed;
  char *topic; /* (nullable): of the last event */
  PenWindowHold hold;
  GSequenceIter *iter;
  PenWindowTally tallies[];
} PenWindowBucket;

static int
pen_window_compare_buckets (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenWindowBucket *first = a;
  const PenWindowBucket *second = b;

  if (first->end_us != second->end_us)
    return first->end_us < second->end_us ? -1 : 1;
  if (first->window != second->window)
    return first->window < second->window ? -1 : 1;
  return (first->order > second->order) - (first->order < second->order);
}

static PenWindowBucket *
pen_window_bucket_new (PenWindowState *state, PenWindowGroup *group, guint window, gint64 start_us)
{
  guint n_fields = state->plan->fields->len;
  gsize n_bytes = sizeof (PenWindowBucket) + n_fields * sizeof (PenWindowTally);
  PenWindowBucket *self = g_malloc0 (n_bytes);

  self->group = group;
  self->window = window;
  self->start_us = start_us;
  self->end_us = start_us + PEN_WINDOW_GET_SIZE (state->plan, window)->size_us;
  self->order = state->n_orders++;
  self->n_bytes = n_bytes;
  for (guint i = 0; i < n_fields; i++)
    pen_window_tally_init (&self->tallies[i], PEN_WINDOW_GET_FIELD (state->plan, i)->needs, i,
                           FALSE);
  self->iter = g_sequence_insert_sorted (state->queue, self, pen_window_compare_buckets, NULL);
  group->n_buckets++;
  state->n_bytes += n_bytes;
  return self;
}

/* Takes it out of all places. */
static void
pen_window_bucket_free (PenWindowBucket *self, PenWindowState *state)
{
  g_ptr_array_remove (self->group->buckets[self->window], self);
  g_sequence_remove (self->iter);
  self->group->n_buckets--;
  state->n_bytes -= self->n_bytes;
  state->n_events -= self->n_events;
  for (guint i = 0; i < state->plan->fields->len; i++)
    pen_window_tally_clear (&self->tallies[i]);
  pen_window_hold_release (&self->hold);
  g_free (self->topic);
  g_free (self);
}

/* @event: (nullable): the one that is put out for; NULL when the window closes */
static void
pen_window_bucket_emit (PenWindowBucket *self,
                        const PenWindowState *state,
                        const PenEvent *event,
                        PenOutput *output)
{
  const PenWindowPlan *plan = state->plan;
  const PenWindowGroup *group = self->group;
  GString *text = pen_window_state_begin_result (state, group);
  PenEvent *result = NULL;

  pen_window_state_add_time (state, text, pen_window_plan_get_start_field (plan), self->start_us);
  pen_window_state_add_time (state, text, pen_window_plan_get_end_field (plan), self->end_us);
  pen_window_state_add_columns (state, text, self->window, self->tallies, self->n_events);
  result = pen_window_state_end_result (text, group->topic != NULL ? group->topic : self->topic,
                                        self->arrival_us, self->is_replayed);
  pen_window_hold_give (&self->hold, result);
  for (guint i = 0; event != NULL && i < pen_event_get_n_tokens (event); i++)
    pen_event_add_token (result, pen_event_get_nth_token (event, i));
  pen_output_push (output, result);
}

/* --- Closing --- */

static void
pen_window_standing_close_bucket (PenWindowState *self, PenWindowBucket *bucket, PenOutput *output)
{
  PenWindowGroup *group = bucket->group;

  if (self->plan->settings->emit == PEN_WINDOW_EMIT_CLOSE)
    pen_window_bucket_emit (bucket, self, NULL, output);
  pen_window_bucket_free (bucket, self);
  if (group->n_buckets == 0)
    pen_window_state_remove_group (self, group);
}

static PenWindowBucket *
pen_window_standing_get_first (const PenWindowState *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->queue);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

/* @time_us minus what it takes for a window that ended then to be closed */
static gint64
pen_window_standing_get_watermark (const PenWindowState *self, gint64 time_us)
{
  gint64 lateness_us = self->plan->settings->allowed_lateness_us;

  return time_us > G_MININT64 + lateness_us ? time_us - lateness_us : G_MININT64;
}

/* Closes what the newest event of @group has closed of its windows; that may be the end of it. */
static void
pen_window_standing_close_own (PenWindowState *self, PenWindowGroup *group, PenOutput *output)
{
  gint64 watermark_us = pen_window_standing_get_watermark (self, group->newest_us);

  for (guint i = 0; i < self->plan->sizes->len; i++)
    {
      GPtrArray *buckets = group->buckets[i];

      while (buckets->len > 0)
        {
          PenWindowBucket *bucket = g_ptr_array_index (buckets, 0);
          gboolean is_last = group->n_buckets == 1;

          if (bucket->end_us > watermark_us)
            break;
          pen_window_standing_close_bucket (self, bucket, output);
          if (is_last)
            return;
        }
    }
}

/* Closes what the events so far have closed: all that ended long enough before the newest of any
 * group, and those of @group that ended before the newest of its own. */
static void
pen_window_standing_close_ended (PenWindowState *self, PenWindowGroup *group, PenOutput *output)
{
  gint64 lag_us = self->plan->settings->group_lag_us;
  gint64 watermark_us = pen_window_standing_get_watermark (self, self->newest_us - lag_us);
  PenWindowBucket *bucket = NULL;

  if (lag_us > 0 && group != NULL)
    pen_window_standing_close_own (self, group, output);
  while ((bucket = pen_window_standing_get_first (self)) != NULL && bucket->end_us <= watermark_us)
    pen_window_standing_close_bucket (self, bucket, output);
}

void
pen_window_standing_close (PenWindowState *self, gint64 until_us, PenOutput *output)
{
  gint64 watermark_us = pen_window_standing_get_watermark (self, until_us);
  PenWindowBucket *bucket = NULL;

  if (until_us == G_MAXINT64)
    watermark_us = G_MAXINT64;
  while ((bucket = pen_window_standing_get_first (self)) != NULL && bucket->end_us <= watermark_us)
    {
      /* Until an event confirms it, all of it must come again after a crash. */
      pen_window_hold_add_hold (&self->unconfirmed, &bucket->hold);
      self->unconfirmed_us = MAX (self->unconfirmed_us, bucket->end_us);
      pen_window_standing_close_bucket (self, bucket, output);
    }
  self->ticked_us = MAX (self->ticked_us, watermark_us);
}

gint64
pen_window_standing_get_next_end (const PenWindowState *self)
{
  const PenWindowBucket *bucket = pen_window_standing_get_first (self);

  return bucket != NULL ? bucket->end_us + self->plan->settings->allowed_lateness_us : G_MAXINT64;
}

void
pen_window_standing_clear_group (PenWindowState *self, PenWindowGroup *group)
{
  for (guint i = 0; group->buckets != NULL && i < self->plan->sizes->len; i++)
    {
      while (group->buckets[i]->len > 0)
        pen_window_bucket_free (g_ptr_array_index (group->buckets[i], group->buckets[i]->len - 1),
                                self);
      g_ptr_array_unref (group->buckets[i]);
    }
  g_free (group->buckets);
}

/* --- Adding --- */

/* The last that begins no later than @time_us. */
static gint64
pen_window_standing_find_start (const PenWindowState *self, guint window, gint64 time_us)
{
  const PenWindowSettings *settings = self->plan->settings;
  gint64 hop_us = settings->kind == PEN_WINDOW_HOPPING
                      ? settings->hop_us
                      : PEN_WINDOW_GET_SIZE (self->plan, window)->size_us;
  gint64 rest_us = (time_us - settings->offset_us) % hop_us;

  return time_us - rest_us - (rest_us < 0 ? hop_us : 0);
}

/* Finds the bucket or makes it. */
static PenWindowBucket *
pen_window_standing_get_bucket (PenWindowState *self,
                                PenWindowGroup *group,
                                guint window,
                                gint64 start_us)
{
  GPtrArray *buckets = group->buckets[window];
  guint i = buckets->len;
  PenWindowBucket *bucket = NULL;

  for (; i > 0; i--)
    {
      bucket = g_ptr_array_index (buckets, i - 1);
      if (bucket->start_us == start_us)
        return bucket;
      if (bucket->start_us < start_us)
        break;
    }
  bucket = pen_window_bucket_new (self, group, window, start_us);
  g_ptr_array_insert (buckets, (int) i, bucket);
  return bucket;
}

static void
pen_window_bucket_add (PenWindowBucket *self,
                       PenWindowState *state,
                       const PenWindowSample *sample,
                       const PenEvent *event)
{
  const char *topic = pen_event_get_topic (event);
  gsize n_bytes = 0;

  self->n_events++;
  state->n_events++;
  for (guint i = 0; i < state->plan->fields->len; i++)
    n_bytes += pen_window_tally_add (&self->tallies[i], sample);
  self->n_bytes += n_bytes;
  state->n_bytes += n_bytes;
  self->arrival_us = pen_event_get_arrival (event);
  self->is_replayed |= (pen_event_get_flags (event) & PEN_EVENT_REPLAYED) != 0;
  if (self->group->topic == NULL && g_strcmp0 (topic, self->topic) != 0)
    {
      g_free (self->topic);
      self->topic = g_strdup (topic);
    }
  if (state->plan->settings->hold)
    pen_window_hold_add_event (&self->hold, event);
}

/* Up to where windows are closed for @group. */
static gint64
pen_window_standing_get_closed (const PenWindowState *self, const PenWindowGroup *group)
{
  gint64 newest_us = self->newest_us - self->plan->settings->group_lag_us;

  if (group != NULL)
    newest_us = MAX (newest_us, group->newest_us);
  return MAX (pen_window_standing_get_watermark (self, newest_us), self->ticked_us);
}

/* How many windows of the event are open. */
static guint
pen_window_standing_count_open (const PenWindowState *self,
                                gint64 time_us,
                                gint64 closed_us,
                                guint *n_closed)
{
  const PenWindowSettings *settings = self->plan->settings;
  guint n_open = 0;

  *n_closed = 0;
  for (guint i = 0; i < self->plan->sizes->len; i++)
    {
      gint64 size_us = PEN_WINDOW_GET_SIZE (self->plan, i)->size_us;
      gint64 hop_us = settings->kind == PEN_WINDOW_HOPPING ? settings->hop_us : size_us;

      for (gint64 start_us = pen_window_standing_find_start (self, i, time_us);
           start_us + size_us > time_us; start_us -= hop_us)
        {
          if (start_us + size_us > closed_us)
            n_open++;
          else
            (*n_closed)++;
        }
    }
  return n_open;
}

static void
pen_window_standing_add_to_windows (PenWindowState *self,
                                    PenWindowGroup *group,
                                    const PenWindowInput *input,
                                    gint64 closed_us,
                                    PenOutput *output)
{
  const PenWindowSettings *settings = self->plan->settings;
  const PenWindowSample sample
      = { .time_us = input->time_us, .order = self->n_orders++, .values = input->values };

  for (guint i = 0; i < self->plan->sizes->len; i++)
    {
      gint64 size_us = PEN_WINDOW_GET_SIZE (self->plan, i)->size_us;
      gint64 hop_us = settings->kind == PEN_WINDOW_HOPPING ? settings->hop_us : size_us;

      for (gint64 start_us = pen_window_standing_find_start (self, i, input->time_us);
           start_us + size_us > MAX (input->time_us, closed_us); start_us -= hop_us)
        {
          PenWindowBucket *bucket = pen_window_standing_get_bucket (self, group, i, start_us);

          pen_window_bucket_add (bucket, self, &sample, input->event);
          if (settings->emit == PEN_WINDOW_EMIT_EVENT)
            pen_window_bucket_emit (bucket, self, input->event, output);
        }
    }
}

static void
pen_window_standing_prepare_group (const PenWindowState *self, PenWindowGroup *group)
{
  group->buckets = g_new (GPtrArray *, self->plan->sizes->len);
  for (guint i = 0; i < self->plan->sizes->len; i++)
    group->buckets[i] = g_ptr_array_new ();
}

static gsize
pen_window_standing_estimate (const PenWindowState *self, const PenWindowInput *input, guint n_open)
{
  gsize n_bytes = sizeof (PenWindowBucket) + self->plan->fields->len * sizeof (PenWindowTally);

  for (guint i = 0; i < self->plan->fields->len; i++)
    n_bytes += 4 * input->values[i].length;
  return n_open * n_bytes;
}

PenWindowVerdict
pen_window_standing_add (PenWindowState *self, const PenWindowInput *input, PenOutput *output)
{
  PenWindowGroup *group = pen_window_state_find_group (self, input->key);
  gint64 closed_us;
  guint n_closed;
  guint n_open;
  PenWindowVerdict verdict;

  self->newest_us = MAX (self->newest_us, input->time_us);
  if (group != NULL)
    group->newest_us = MAX (group->newest_us, input->time_us);
  pen_window_standing_close_ended (self, group, output);
  if (self->newest_us >= self->unconfirmed_us)
    pen_window_hold_release (&self->unconfirmed);
  group = pen_window_state_find_group (self, input->key); /* its last window may have closed */
  closed_us = pen_window_standing_get_closed (self, group);
  n_open = pen_window_standing_count_open (self, input->time_us, closed_us, &n_closed);
  if (n_open == 0)
    return PEN_WINDOW_LATE;
  verdict = pen_window_state_find_room (self, group,
                                        pen_window_standing_estimate (self, input, n_open));
  if (verdict != PEN_WINDOW_ADDED)
    return verdict;
  if (group == NULL)
    {
      group = pen_window_state_add_group (self, input);
      pen_window_standing_prepare_group (self, group);
    }
  pen_window_standing_add_to_windows (self, group, input, closed_us, output);
  return n_closed > 0 ? PEN_WINDOW_PARTLY_LATE : PEN_WINDOW_ADDED;
}
