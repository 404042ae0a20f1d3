/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Windows that slide: of each group, the events whose time is at most a window's length before that
 * of its newest event, inclusive. Each event gives a result. What has left the longest window is
 * forgotten; what comes with such a time is never kept, and the result says what it said before.
 * Groups that fall silent are forgotten as well, when the newest event of all is two lengths of the
 * longest window newer; no event of an older time is in any window, so that what is in them never
 * depends on when something was forgotten.
 */

#include "config.h"

#include "pen-window-state-private.h"

#include <string.h>

/* An event that is in a window, with its values and their texts behind them. */
struct _PenWindowEntry
{
  PenWindowSample sample; /* first: the tallies see only this */
  gsize n_bytes;
  PenWindowHold hold;
  PenWindowEntry *older; /* by arrival */
  PenWindowEntry *younger;
  PenWindowValue values[];
};

/* A node of a sequence. */
#define NODE_BYTES 64

static int
pen_window_compare_entries (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenWindowSample *first = a;
  const PenWindowSample *second = b;

  if (first->time_us != second->time_us)
    return first->time_us < second->time_us ? -1 : 1;
  return (first->order > second->order) - (first->order < second->order);
}

static gsize
pen_window_entry_measure (const PenWindowState *state, const PenWindowInput *input)
{
  guint n_fields = state->plan->fields->len;
  gsize n_bytes = sizeof (PenWindowEntry) + n_fields * sizeof (PenWindowValue);

  for (guint i = 0; i < n_fields; i++)
    n_bytes += input->values[i].length;
  return n_bytes;
}

static PenWindowEntry *
pen_window_entry_new (PenWindowState *state, const PenWindowInput *input)
{
  guint n_fields = state->plan->fields->len;
  PenWindowEntry *self = g_malloc0 (pen_window_entry_measure (state, input));
  char *text = (char *) (self->values + n_fields);

  self->sample.time_us = input->time_us;
  self->sample.order = state->n_orders++;
  self->sample.values = self->values;
  for (guint i = 0; i < n_fields; i++)
    {
      self->values[i] = input->values[i];
      if (self->values[i].text == NULL)
        continue;
      memcpy (text, input->values[i].text, input->values[i].length);
      self->values[i].text = text;
      text += input->values[i].length;
    }
  if (state->plan->settings->hold)
    pen_window_hold_add_event (&self->hold, input->event);
  return self;
}

/* How many bytes it takes with the nodes of the sequences that it is in. */
static gsize
pen_window_sliding_weigh (const PenWindowState *self, gsize n_bytes)
{
  gsize n_nodes = 1;

  for (guint i = 0; i < self->plan->fields->len; i++)
    {
      PenWindowNeeds needs = PEN_WINDOW_GET_FIELD (self->plan, i)->needs;
      gboolean by_value = (needs & (PEN_WINDOW_NEEDS_EXTREMES | PEN_WINDOW_NEEDS_QUANTILES)) != 0;
      gboolean by_time = (needs & PEN_WINDOW_NEEDS_ENDS) != 0;

      n_nodes += self->plan->sizes->len * (gsize) (by_value + by_time);
    }
  return n_bytes + n_nodes * NODE_BYTES;
}

static int
pen_window_compare_groups (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenWindowGroup *first = a;
  const PenWindowGroup *second = b;

  return (first->newest_us > second->newest_us) - (first->newest_us < second->newest_us);
}

static void
pen_window_sliding_prepare_group (PenWindowState *self, PenWindowGroup *group)
{
  guint n_fields = self->plan->fields->len;
  gsize n_bytes
      = self->plan->sizes->len * (sizeof (PenWindowSpan) + n_fields * sizeof (PenWindowTally));

  group->entries = g_sequence_new (NULL);
  group->spans = g_new0 (PenWindowSpan, self->plan->sizes->len);
  for (guint i = 0; i < self->plan->sizes->len; i++)
    {
      PenWindowSpan *span = &group->spans[i];

      span->first = g_sequence_get_end_iter (group->entries);
      span->tallies = g_new (PenWindowTally, n_fields);
      for (guint j = 0; j < n_fields; j++)
        pen_window_tally_init (&span->tallies[j], PEN_WINDOW_GET_FIELD (self->plan, j)->needs, j,
                               TRUE);
    }
  group->n_bytes += n_bytes;
  self->n_bytes += n_bytes;
  group->iter = g_sequence_insert_sorted (self->queue, group, pen_window_compare_groups, NULL);
}

static void
pen_window_sliding_free_entry (PenWindowState *self, PenWindowGroup *group, PenWindowEntry *entry)
{
  if (entry->older != NULL)
    entry->older->younger = entry->younger;
  else
    group->oldest = entry->younger;
  if (entry->younger != NULL)
    entry->younger->older = entry->older;
  else
    group->latest = entry->older;
  self->n_events--;
  self->n_bytes -= entry->n_bytes;
  pen_window_hold_release (&entry->hold);
  g_free (entry);
}

void
pen_window_sliding_clear_group (PenWindowState *self, PenWindowGroup *group)
{
  for (guint i = 0; i < self->plan->sizes->len; i++)
    {
      for (guint j = 0; j < self->plan->fields->len; j++)
        pen_window_tally_clear (&group->spans[i].tallies[j]);
      g_free (group->spans[i].tallies);
    }
  g_free (group->spans);
  g_sequence_free (group->entries);
  while (group->oldest != NULL)
    pen_window_sliding_free_entry (self, group, group->oldest);
  g_sequence_remove (group->iter);
}

/* No event of an earlier time is in any window. */
static gint64
pen_window_sliding_get_horizon (const PenWindowState *self)
{
  return self->newest_us - 2 * self->plan->longest_us - self->plan->settings->group_lag_us;
}

/* Groups whose events are all behind that. */
static void
pen_window_sliding_forget_groups (PenWindowState *self)
{
  gint64 horizon_us = pen_window_sliding_get_horizon (self);
  GSequenceIter *iter = NULL;

  while (!g_sequence_iter_is_end (iter = g_sequence_get_begin_iter (self->queue)))
    {
      PenWindowGroup *group = g_sequence_get (iter);

      if (group->newest_us >= horizon_us)
        return;
      pen_window_state_remove_group (self, group);
    }
}

/* Takes what is older than @oldest_us out of a window. */
static void
pen_window_sliding_trim (const PenWindowState *self, PenWindowSpan *span, gint64 oldest_us)
{
  for (; !g_sequence_iter_is_end (span->first); span->first = g_sequence_iter_next (span->first))
    {
      const PenWindowEntry *entry = g_sequence_get (span->first);

      if (entry->sample.time_us >= oldest_us)
        break;
      span->n_events--;
      for (guint i = 0; i < self->plan->fields->len; i++)
        pen_window_tally_remove (&span->tallies[i], &entry->sample);
    }
}

/* The time from which on events are in the group's window of this length. */
static gint64
pen_window_sliding_get_oldest (const PenWindowState *self,
                               const PenWindowGroup *group,
                               gint64 size_us)
{
  return MAX (group->newest_us - size_us, pen_window_sliding_get_horizon (self));
}

/* Time has moved on: takes what has left each window out of it. */
static void
pen_window_sliding_advance (PenWindowState *self, PenWindowGroup *group, gint64 time_us)
{
  gint64 oldest_us;
  GSequenceIter *iter = NULL;

  if (time_us > group->newest_us)
    {
      group->newest_us = time_us;
      g_sequence_sort_changed (group->iter, pen_window_compare_groups, NULL);
    }
  for (guint i = 0; i < self->plan->sizes->len; i++)
    pen_window_sliding_trim (
        self, &group->spans[i],
        pen_window_sliding_get_oldest (self, group, PEN_WINDOW_GET_SIZE (self->plan, i)->size_us));
  oldest_us = pen_window_sliding_get_oldest (self, group, self->plan->longest_us);
  while (!g_sequence_iter_is_end (iter = g_sequence_get_begin_iter (group->entries)))
    {
      PenWindowEntry *entry = g_sequence_get (iter);

      if (entry->sample.time_us >= oldest_us)
        return;
      g_sequence_remove (iter);
      pen_window_sliding_free_entry (self, group, entry);
    }
}

/* The last place in the order of arrival is its own. */
static void
pen_window_sliding_keep (PenWindowState *self, PenWindowGroup *group, PenWindowEntry *entry)
{
  GSequenceIter *iter = NULL;

  entry->older = group->latest;
  if (group->latest != NULL)
    group->latest->younger = entry;
  else
    group->oldest = entry;
  group->latest = entry;
  self->n_events++;
  self->n_bytes += entry->n_bytes;
  iter = g_sequence_insert_sorted (group->entries, entry, pen_window_compare_entries, NULL);
  for (guint i = 0; i < self->plan->sizes->len; i++)
    {
      PenWindowSpan *span = &group->spans[i];

      if (group->newest_us - entry->sample.time_us > PEN_WINDOW_GET_SIZE (self->plan, i)->size_us)
        continue;
      span->n_events++;
      for (guint j = 0; j < self->plan->fields->len; j++)
        pen_window_tally_add (&span->tallies[j], &entry->sample);
      if (g_sequence_iter_is_end (span->first) || g_sequence_iter_compare (iter, span->first) < 0)
        span->first = iter;
    }
}

static void
pen_window_sliding_emit (PenWindowState *self,
                         const PenWindowGroup *group,
                         const PenEvent *event,
                         PenOutput *output)
{
  GString *text = pen_window_state_begin_result (self, group);
  gboolean is_replayed = (pen_event_get_flags (event) & PEN_EVENT_REPLAYED) != 0;
  PenEvent *result = NULL;

  pen_window_state_add_time (self, text, pen_window_plan_get_end_field (self->plan),
                             group->newest_us);
  for (guint i = 0; i < self->plan->sizes->len; i++)
    pen_window_state_add_columns (self, text, i, group->spans[i].tallies, group->spans[i].n_events);
  result = pen_window_state_end_result (text, pen_event_get_topic (event),
                                        pen_event_get_arrival (event), is_replayed);
  if (group->oldest != NULL)
    pen_window_hold_give (&group->oldest->hold, result);
  for (guint i = 0; i < pen_event_get_n_tokens (event); i++)
    pen_event_add_token (result, pen_event_get_nth_token (event, i));
  pen_output_push (output, result);
}

PenWindowVerdict
pen_window_sliding_add (PenWindowState *self, const PenWindowInput *input, PenOutput *output)
{
  PenWindowGroup *group = NULL;
  gsize n_bytes = pen_window_sliding_weigh (self, pen_window_entry_measure (self, input));
  PenWindowVerdict verdict;

  self->newest_us = MAX (self->newest_us, input->time_us);
  pen_window_sliding_forget_groups (self);
  group = pen_window_state_find_group (self, input->key);
  if (group != NULL)
    pen_window_sliding_advance (self, group, input->time_us);
  verdict = pen_window_state_find_room (self, group, n_bytes);
  if (verdict != PEN_WINDOW_ADDED)
    return verdict;
  if (group == NULL)
    {
      group = pen_window_state_add_group (self, input);
      pen_window_sliding_prepare_group (self, group);
    }
  if (input->time_us >= pen_window_sliding_get_oldest (self, group, self->plan->longest_us))
    {
      PenWindowEntry *entry = pen_window_entry_new (self, input);

      entry->n_bytes = n_bytes;
      pen_window_sliding_keep (self, group, entry);
    }
  pen_window_sliding_emit (self, group, input->event, output);
  return PEN_WINDOW_ADDED;
}
