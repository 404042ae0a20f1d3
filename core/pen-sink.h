/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where events go.
 */

#pragma once

#include "pen-batch.h"
#include "pen-element.h"
#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_TYPE_SINK (pen_sink_get_type ())
PEN_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (PenSink, pen_sink, PEN, SINK, PenElement)

/**
 * PenSinkClass:
 * @write: required: writes the events of @batch that are open ([method@Batch.is_open]), in their
 *   order. %TRUE: all that were not rejected are written. %FALSE: those not yet accepted are tried
 *   again (%PEN_ELEMENT_ERROR_RETRY), become dead letters (%PEN_ELEMENT_ERROR_REJECT), or stop the
 *   pipeline. Never called twice at a time. Threads: lane, or worker if the sink blocks
 * @flush: optional: brings to its place what @write left in buffers; called in the interval of
 *   [method@Sink.set_flush_interval] and before `stop`, never while @write runs. Threads: as @write
 * @blocks: optional: whether `start`, @write, @flush and `stop` may block and so belong on the
 *   worker pool; asked once, before `start`. The default says what @may_block says. Threads: lane
 * @may_block: what the default of @blocks answers; %FALSE unless the class sets it
 *
 * What a sink overrides beside the functions of [class@Element].
 */
struct _PenSinkClass
{
  PenElementClass parent_class;

  gboolean (*write) (PenSink *self, PenBatch *batch, GError **error);
  gboolean (*flush) (PenSink *self, GError **error);
  gboolean (*blocks) (PenSink *self);
  gboolean may_block;

  /*< private >*/
  gpointer padding[12];
};

PEN_AVAILABLE_IN_1_0
void pen_sink_set_flush_interval (PenSink *self, gint64 interval_us);
PEN_AVAILABLE_IN_1_0
guint pen_sink_get_batch_events (PenSink *self);
PEN_AVAILABLE_IN_1_0
void pen_sink_set_batch_events (PenSink *self, guint batch_events);
PEN_AVAILABLE_IN_1_0
guint64 pen_sink_get_batch_bytes (PenSink *self);
PEN_AVAILABLE_IN_1_0
gint64 pen_sink_get_linger (PenSink *self);
PEN_AVAILABLE_IN_1_0
guint pen_sink_get_queue_events (PenSink *self);
PEN_AVAILABLE_IN_1_0
guint64 pen_sink_get_queue_bytes (PenSink *self);

G_END_DECLS
