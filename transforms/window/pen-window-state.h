/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All open windows of a transform.
 */

#pragma once

#include "pen-window-hold.h"
#include "pen-window-plan.h"
#include "pen-window-tally.h"

G_BEGIN_DECLS

/* An event, taken apart. */
typedef struct
{
  PenEvent *event;
  gint64 time_us;
  const PenWindowValue *values; /* of all fields */
  const char *key;              /* of its group */
  char **group_texts;           /* (nullable): JSON values of the group's fields */
} PenWindowInput;

typedef enum
{
  PEN_WINDOW_ADDED,
  PEN_WINDOW_PARTLY_LATE, /* some of its windows are closed */
  PEN_WINDOW_LATE,
  PEN_WINDOW_TOO_MANY_GROUPS,
  PEN_WINDOW_TOO_MANY_EVENTS,
  PEN_WINDOW_TOO_MANY_BYTES,
} PenWindowVerdict;

typedef struct _PenWindowState PenWindowState;

PenWindowState *pen_window_state_new (const PenWindowPlan *plan);
void pen_window_state_free (PenWindowState *self);
PenWindowVerdict
pen_window_state_add (PenWindowState *self, const PenWindowInput *input, PenOutput *output);
/* Closes what has ended by the wall clock, for windows by the time of arrival. */
void pen_window_state_close_until (PenWindowState *self, gint64 now_us, PenOutput *output);
/* Closes everything. */
void pen_window_state_drain (PenWindowState *self, PenOutput *output);
/* When the next window is over by the wall clock; G_MAXINT64 if there is none. */
gint64 pen_window_state_get_next_end (const PenWindowState *self);
guint pen_window_state_get_n_groups (const PenWindowState *self);
guint pen_window_state_get_n_events (const PenWindowState *self);
gsize pen_window_state_get_n_bytes (const PenWindowState *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenWindowState, pen_window_state_free)

G_END_DECLS
