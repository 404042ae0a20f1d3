/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the runtime asks a batch after a sink had it.
 */

#pragma once

#include "pen-batch.h"

G_BEGIN_DECLS

/* (transfer full): without events, and with memory for @n_events of them */
PEN_RUNTIME_EXPORT
PenBatch *pen_batch_new_for (guint n_events);
/* Takes @event. */
PEN_RUNTIME_EXPORT
void pen_batch_take (PenBatch *self, PenEvent *event);
/* FALSE unless the sink rejected the event; @reason and @message are the batch's. */
PEN_RUNTIME_EXPORT
gboolean pen_batch_get_rejection (const PenBatch *self,
                                  guint index,
                                  const char **reason,
                                  const char **message);
PEN_RUNTIME_EXPORT
guint pen_batch_get_n_open (const PenBatch *self);

G_END_DECLS
