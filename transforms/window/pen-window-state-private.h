/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What windows that stand still and windows that slide have in common.
 */

#pragma once

#include "pen-window-state.h"

G_BEGIN_DECLS

typedef struct _PenWindowGroup PenWindowGroup;
typedef struct _PenWindowEntry PenWindowEntry;

/* Of windows that slide: one of them, as a group has it. */
typedef struct
{
  GSequenceIter *first; /* the first entry that is in it */
  guint n_events;
  PenWindowTally *tallies; /* of each field */
} PenWindowSpan;

struct _PenWindowGroup
{
  char *key;
  char **texts;
  char *topic; /* (nullable) */
  gint64 newest_us;
  gsize n_bytes;
  /* standing */
  GPtrArray **buckets; /* for each size, in the order in which they begin */
  guint n_buckets;
  /* sliding */
  GSequence *entries; /* (nullable): of PenWindowEntry, by time */
  PenWindowSpan *spans;
  PenWindowEntry *oldest; /* by arrival */
  PenWindowEntry *latest;
  GSequenceIter *iter; /* among the groups by their newest time */
};

struct _PenWindowState
{
  const PenWindowPlan *plan;
  GHashTable *groups; /* key → PenWindowGroup */
  gint64 newest_us;   /* of all events; G_MININT64 before the first */
  guint64 n_orders;
  guint n_events;
  gsize n_bytes;
  GSequence
      *queue; /* standing: of the buckets by their end; sliding: of the groups by their time */
  /* standing, by the time of arrival: what the clock has closed and no event yet */
  gint64 ticked_us;
  gint64 unconfirmed_us;
  PenWindowHold unconfirmed;
};

/* pen-window-state.c */
PenWindowGroup *pen_window_state_find_group (const PenWindowState *self, const char *key);
PenWindowGroup *pen_window_state_add_group (PenWindowState *self, const PenWindowInput *input);
void pen_window_state_remove_group (PenWindowState *self, PenWindowGroup *group);
/* Whether there is room for @n_bytes more, and for another group if that is NULL. */
PenWindowVerdict
pen_window_state_find_room (const PenWindowState *self, const PenWindowGroup *group, gsize n_bytes);
/* The beginning of a result. */
GString *pen_window_state_begin_result (const PenWindowState *self, const PenWindowGroup *group);
void pen_window_state_add_time (const PenWindowState *self,
                                GString *text,
                                const char *name,
                                gint64 time_us);
void pen_window_state_add_columns (const PenWindowState *self,
                                   GString *text,
                                   guint window,
                                   PenWindowTally *tallies,
                                   guint64 n_events);
PenEvent *pen_window_state_end_result (GString *text,
                                       const char *topic,
                                       gint64 arrival_us,
                                       gboolean replayed);

/* pen-window-standing.c */
PenWindowVerdict
pen_window_standing_add (PenWindowState *self, const PenWindowInput *input, PenOutput *output);
void pen_window_standing_close (PenWindowState *self, gint64 until_us, PenOutput *output);
gint64 pen_window_standing_get_next_end (const PenWindowState *self);
void pen_window_standing_clear_group (PenWindowState *self, PenWindowGroup *group);

/* pen-window-sliding.c */
PenWindowVerdict
pen_window_sliding_add (PenWindowState *self, const PenWindowInput *input, PenOutput *output);
void pen_window_sliding_clear_group (PenWindowState *self, PenWindowGroup *group);

G_END_DECLS
