/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All open windows of a transform: its groups, its bounds, and what a result looks like.
 *
 * Invariant: what is in a window, and when it closes, follows from the times of the events alone;
 * the newest of them is in a window that is open. So when all messages from the oldest that is held
 * come again, the same windows are open at their end as before.
 */

#include "config.h"

#include "pen-window-state-private.h"

#include <string.h>

/* What an entry of a hash table, or a node of a sequence, takes besides what it points to. */
#define OVERHEAD_BYTES 64

static guint
pen_window_hash_key (gconstpointer key)
{
  PenJsonSlice slice = { .text = key, .length = strlen (key), .type = PEN_JSON_STRING };

  return pen_json_slice_hash (&slice);
}

PenWindowState *
pen_window_state_new (const PenWindowPlan *plan)
{
  PenWindowState *self = g_new0 (PenWindowState, 1);

  self->plan = plan;
  self->newest_us = G_MININT64;
  self->ticked_us = G_MININT64;
  self->unconfirmed_us = G_MININT64;
  self->groups = g_hash_table_new (pen_window_hash_key, g_str_equal);
  self->queue = g_sequence_new (NULL);
  return self;
}

void
pen_window_state_free (PenWindowState *self)
{
  GHashTableIter iter;
  gpointer group = NULL;

  for (g_hash_table_iter_init (&iter, self->groups); g_hash_table_iter_next (&iter, NULL, &group);
       g_hash_table_iter_init (&iter, self->groups))
    pen_window_state_remove_group (self, group);
  g_hash_table_unref (self->groups);
  g_sequence_free (self->queue);
  pen_window_hold_release (&self->unconfirmed);
  g_free (self);
}

/* --- Groups --- */

PenWindowGroup *
pen_window_state_find_group (const PenWindowState *self, const char *key)
{
  return g_hash_table_lookup (self->groups, key);
}

PenWindowGroup *
pen_window_state_add_group (PenWindowState *self, const PenWindowInput *input)
{
  PenWindowGroup *group = g_new0 (PenWindowGroup, 1);
  const char *topic = pen_event_get_topic (input->event);

  group->key = g_strdup (input->key);
  group->texts = g_strdupv (input->group_texts);
  group->newest_us = input->time_us;
  if (self->plan->settings->group_by_topic)
    group->topic = g_strdup (topic);
  group->n_bytes = sizeof *group + 3 * (strlen (input->key) + OVERHEAD_BYTES);
  self->n_bytes += group->n_bytes;
  g_hash_table_insert (self->groups, group->key, group);
  return group;
}

void
pen_window_state_remove_group (PenWindowState *self, PenWindowGroup *group)
{
  if (self->plan->settings->kind == PEN_WINDOW_SLIDING)
    pen_window_sliding_clear_group (self, group);
  else
    pen_window_standing_clear_group (self, group);
  g_hash_table_remove (self->groups, group->key);
  self->n_bytes -= group->n_bytes;
  g_free (group->key);
  g_strfreev (group->texts);
  g_free (group->topic);
  g_free (group);
}

PenWindowVerdict
pen_window_state_find_room (const PenWindowState *self, const PenWindowGroup *group, gsize n_bytes)
{
  const PenWindowSettings *settings = self->plan->settings;

  if (group == NULL && g_hash_table_size (self->groups) >= settings->max_groups)
    return PEN_WINDOW_TOO_MANY_GROUPS;
  if (self->n_events >= settings->max_events)
    return PEN_WINDOW_TOO_MANY_EVENTS;
  if (self->n_bytes + n_bytes > settings->max_bytes)
    return PEN_WINDOW_TOO_MANY_BYTES;
  return PEN_WINDOW_ADDED;
}

/* --- Results --- */

static void
pen_window_state_add_key (const PenWindowState *self, GString *text, const char *name)
{
  gboolean blanks = self->plan->settings->blanks;
  PenJsonWriter writer;

  if (text->len > 1)
    g_string_append (text, blanks ? ", " : ",");
  pen_json_writer_init (&writer, text);
  pen_json_writer_string (&writer, name, -1);
  g_string_append (text, blanks ? ": " : ":");
}

GString *
pen_window_state_begin_result (const PenWindowState *self, const PenWindowGroup *group)
{
  GString *text = g_string_new ("{");

  for (guint i = 0; i < self->plan->groups->len; i++)
    {
      pen_window_state_add_key (self, text, PEN_WINDOW_GET_GROUP (self->plan, i)->name);
      g_string_append (text, group->texts[i]);
    }
  return text;
}

void
pen_window_state_add_time (const PenWindowState *self,
                           GString *text,
                           const char *name,
                           gint64 time_us)
{
  static const PenTimeUnit units[]
      = { PEN_TIME_UNIT_SECONDS, PEN_TIME_UNIT_MILLISECONDS, PEN_TIME_UNIT_MICROSECONDS };
  char buffer[PEN_TIME_MAX_LENGTH + 1];
  PenWindowUnit format = self->plan->settings->time_format;

  if (name == NULL)
    return;
  pen_window_state_add_key (self, text, name);
  if (format == PEN_WINDOW_UNIT_ISO)
    {
      pen_time_format (time_us, buffer);
      g_string_append_printf (text, "\"%s\"", buffer);
      return;
    }
  pen_time_format_number (time_us, units[format], buffer);
  g_string_append (text, buffer);
}

static void
pen_window_state_write_coverage (const PenWindowState *self,
                                 GString *text,
                                 guint window,
                                 guint64 n_seen)
{
  double expected = (double) PEN_WINDOW_GET_SIZE (self->plan, window)->size_us
                    / (double) self->plan->settings->expected_interval_us;
  char buffer[PEN_JSON_DOUBLE_SIZE];

  pen_json_format_double ((double) n_seen / expected, buffer);
  g_string_append (text, buffer);
}

void
pen_window_state_add_columns (const PenWindowState *self,
                              GString *text,
                              guint window,
                              PenWindowTally *tallies,
                              guint64 n_events)
{
  for (guint i = 0; i < self->plan->columns->len; i++)
    {
      const PenWindowColumn *column = PEN_WINDOW_GET_COLUMN (self->plan, i);
      PenWindowTally *tally = column->field >= 0 ? &tallies[column->field] : NULL;

      pen_window_state_add_key (self, text, column->names[window]);
      if (column->call->function == PEN_WINDOW_COVERAGE)
        pen_window_state_write_coverage (self, text, window,
                                         tally != NULL ? tally->n_values : n_events);
      else if (tally != NULL)
        pen_window_tally_write (tally, column->call, text);
      else
        g_string_append_printf (text, "%" G_GUINT64_FORMAT, n_events);
    }
}

PenEvent *
pen_window_state_end_result (GString *text, const char *topic, gint64 arrival_us, gboolean replayed)
{
  g_autoptr (GBytes) payload = NULL;
  PenEvent *event = NULL;

  g_string_append_c (text, '}');
  payload = g_string_free_to_bytes (text);
  event = pen_event_new (payload, topic, arrival_us);
  if (replayed)
    pen_event_set_flags (event, PEN_EVENT_REPLAYED);
  return event;
}

/* --- What happens --- */

PenWindowVerdict
pen_window_state_add (PenWindowState *self, const PenWindowInput *input, PenOutput *output)
{
  if (self->plan->settings->kind == PEN_WINDOW_SLIDING)
    return pen_window_sliding_add (self, input, output);
  return pen_window_standing_add (self, input, output);
}

void
pen_window_state_close_until (PenWindowState *self, gint64 now_us, PenOutput *output)
{
  if (self->plan->settings->kind != PEN_WINDOW_SLIDING)
    pen_window_standing_close (self, now_us, output);
}

void
pen_window_state_drain (PenWindowState *self, PenOutput *output)
{
  pen_window_state_close_until (self, G_MAXINT64, output);
}

gint64
pen_window_state_get_next_end (const PenWindowState *self)
{
  if (self->plan->settings->kind == PEN_WINDOW_SLIDING)
    return G_MAXINT64;
  return pen_window_standing_get_next_end (self);
}

guint
pen_window_state_get_n_groups (const PenWindowState *self)
{
  return g_hash_table_size (self->groups);
}

guint
pen_window_state_get_n_events (const PenWindowState *self)
{
  return self->n_events;
}

gsize
pen_window_state_get_n_bytes (const PenWindowState *self)
{
  return self->n_bytes;
}
