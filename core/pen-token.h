/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who still holds a message.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_TYPE_TOKEN (pen_token_get_type ())

/**
 * PenToken:
 *
 * Stands for a message that a source received and may have to acknowledge. Every event made from
 * the message holds a reference; when the last one is dropped the token settles, and the source
 * hears of it in the order in which it received. Only a transform that keeps a token without its
 * event (a watermark) has to do with tokens itself.
 */
typedef struct _PenToken PenToken;

PEN_AVAILABLE_IN_1_0
GType pen_token_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
PenToken *pen_token_ref (PenToken *self);
PEN_AVAILABLE_IN_1_0
void pen_token_unref (PenToken *self);
PEN_AVAILABLE_IN_1_0
guint64 pen_token_get_position (const PenToken *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_token_covers (const PenToken *self, const PenToken *other);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenToken, pen_token_unref)

G_END_DECLS
