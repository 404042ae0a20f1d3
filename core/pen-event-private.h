/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only the host of a source does to an event.
 */

#pragma once

#include "pen-event.h"

G_BEGIN_DECLS

/* Takes @token: the event now stands for that message. */
PEN_RUNTIME_EXPORT
void pen_event_take_token (PenEvent *self, PenToken *token);
/* (transfer none): the single message that the event was made from, itself if it is one; NULL if
 * there were several */
PEN_RUNTIME_EXPORT
PenEvent *pen_event_get_single_origin (PenEvent *self);

G_END_DECLS
