/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The messages that a window holds open: of each source only the oldest, which keeps all behind it.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *tokens; /* (nullable): of PenToken */
} PenWindowHold;

void pen_window_hold_add (PenWindowHold *self, PenToken *token);
void pen_window_hold_add_event (PenWindowHold *self, const PenEvent *event);
void pen_window_hold_add_hold (PenWindowHold *self, const PenWindowHold *other);
void pen_window_hold_release (PenWindowHold *self);
/* Makes @event hold them as well. */
void pen_window_hold_give (const PenWindowHold *self, PenEvent *event);

G_END_DECLS
