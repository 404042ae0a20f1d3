/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The events that a sink writes together.
 */

#pragma once

#include "pen-event.h"
#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_TYPE_BATCH (pen_batch_get_type ())

/**
 * PenBatch:
 *
 * Events in their order, and what became of each. Reference-counted.
 */
typedef struct _PenBatch PenBatch;

PEN_AVAILABLE_IN_1_0
GType pen_batch_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
PenBatch *pen_batch_new (void);
PEN_AVAILABLE_IN_1_0
PenBatch *pen_batch_ref (PenBatch *self);
PEN_AVAILABLE_IN_1_0
void pen_batch_unref (PenBatch *self);
PEN_AVAILABLE_IN_1_0
void pen_batch_append (PenBatch *self, PenEvent *event);
PEN_AVAILABLE_IN_1_0
guint pen_batch_get_n_events (const PenBatch *self);
PEN_AVAILABLE_IN_1_0
gsize pen_batch_get_n_bytes (const PenBatch *self);
PEN_AVAILABLE_IN_1_0
PenEvent *pen_batch_get_event (const PenBatch *self, guint index);
PEN_AVAILABLE_IN_1_0
void pen_batch_accept (PenBatch *self, guint index);
PEN_AVAILABLE_IN_1_0
void pen_batch_reject (PenBatch *self, guint index, const char *reason, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
PEN_AVAILABLE_IN_1_0
gboolean pen_batch_is_open (const PenBatch *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenBatch, pen_batch_unref)

G_END_DECLS
