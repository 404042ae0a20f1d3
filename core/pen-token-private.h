/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The messages that one source has handed on and that have no outcome yet, in their order.
 */

#pragma once

#include "pen-token.h"

G_BEGIN_DECLS

typedef struct _PenTokenQueue PenTokenQueue;

/* Called on the lane when every token up to @position has settled. */
typedef void (*PenTokenSettleFunc) (guint64 position, gpointer user_data);

PEN_RUNTIME_EXPORT
PenTokenQueue *
pen_token_queue_new (GMainContext *context, PenTokenSettleFunc settle, gpointer user_data);
PEN_RUNTIME_EXPORT
void pen_token_queue_close (PenTokenQueue *self);
PEN_RUNTIME_EXPORT
PenToken *pen_token_queue_take (PenTokenQueue *self);
PEN_RUNTIME_EXPORT
PenToken *pen_token_queue_take_at (PenTokenQueue *self, guint64 position);
PEN_RUNTIME_EXPORT
guint pen_token_queue_get_n_open (PenTokenQueue *self);
PEN_RUNTIME_EXPORT
guint64 pen_token_queue_get_pushed (PenTokenQueue *self);
PEN_RUNTIME_EXPORT
guint64 pen_token_queue_get_settled (PenTokenQueue *self);

G_END_DECLS
