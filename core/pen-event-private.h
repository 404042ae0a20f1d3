/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only the runtime does to an event.
 */

#pragma once

#include "pen-event.h"

G_BEGIN_DECLS

/* Takes @token: the event now stands for that message. */
PEN_RUNTIME_EXPORT
void pen_event_take_token (PenEvent *self, PenToken *token);
/* (transfer full): the same message, for another to take a token with */
PEN_RUNTIME_EXPORT
PenEvent *pen_event_copy (const PenEvent *self);
/* (transfer full): takes @self: the same event, which holds @token besides what it holds */
PEN_RUNTIME_EXPORT
PenEvent *pen_event_hold (PenEvent *self, PenToken *token);
/* (transfer none): the single message that the event was made from, itself if it is one; NULL if
 * there were several */
PEN_RUNTIME_EXPORT
PenEvent *pen_event_get_single_origin (PenEvent *self);
/* Whether both were made of the same message, or one of the other if that was made of several. */
PEN_RUNTIME_EXPORT
gboolean pen_event_is_of_same (PenEvent *self, PenEvent *other);

G_END_DECLS
