/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Standard output, which all sinks of the process that write to it share.
 */

#pragma once

#include "pen-line-format.h"
#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PenStandardOutput:
 *
 * A sink's part in standard output. What one sink writes at a time stays together, and a line in
 * whose middle a write failed is completed before anything else is written, whoever writes next.
 */
typedef struct _PenStandardOutput PenStandardOutput;

/**
 * PenLayOutFunc:
 * @lines: what is to be written
 * @batch: a batch
 * @index: which of its events
 * @user_data: the sink's
 *
 * Lays out an event behind the others, or rejects it.
 *
 * Threads: as `write`
 */
typedef void (*PenLayOutFunc) (PenLines *lines, PenBatch *batch, guint index, gpointer user_data);

PEN_AVAILABLE_IN_1_0
PenStandardOutput *pen_standard_output_new (PenLineFormat format, GError **error);
PEN_AVAILABLE_IN_1_0
void pen_standard_output_free (PenStandardOutput *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_standard_output_blocks (void);
PEN_AVAILABLE_IN_1_0
PenEvent *pen_standard_output_get_torn (const PenStandardOutput *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_standard_output_write (PenStandardOutput *self,
                                    PenBatch *batch,
                                    PenLayOutFunc lay_out,
                                    gpointer user_data,
                                    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenStandardOutput, pen_standard_output_free)

G_END_DECLS
