/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where events come from.
 */

#pragma once

#include "pen-element.h"
#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_TYPE_SOURCE (pen_source_get_type ())
PEN_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (PenSource, pen_source, PEN, SOURCE, PenElement)

/**
 * PenSourceClass:
 * @pause: optional: stop reading: what comes after the source is full, or the pipeline stops. An
 *   event pushed all the same is taken. Not called twice without a @resume between. A source
 *   that cannot be paused leaves this out and is bounded by what it makes. Threads: lane
 * @resume: optional: read on. Threads: lane
 * @settle: optional: every event pushed with a position up to and including @position has its
 *   outcome, and what has to be acknowledged for them may be now. Called in order, at most once a
 *   batch, never from within [method@Source.push]. Threads: lane
 * @must_settle_soon: optional: whether, with its properties as they are, what it has pushed must
 *   settle soon, because it gets nothing more meanwhile: a broker sends a few messages ahead of
 *   their acknowledgements. A transform that holds events behind such a source needs a spool. The
 *   default says no. Asked before it starts. Threads: any
 *
 * What a source overrides beside the functions of [class@Element]. It starts reading in `start`,
 * and is paused before it is stopped.
 */
struct _PenSourceClass
{
  PenElementClass parent_class;

  void (*pause) (PenSource *self);
  void (*resume) (PenSource *self);
  void (*settle) (PenSource *self, guint64 position);
  gboolean (*must_settle_soon) (PenSource *self);

  /*< private >*/
  gpointer padding[11];
};

PEN_AVAILABLE_IN_1_0
guint64 pen_source_push (PenSource *self, PenEvent *event);
PEN_AVAILABLE_IN_1_0
guint64
pen_source_reject (PenSource *self, PenEvent *event, const char *reason, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
PEN_AVAILABLE_IN_1_0
guint64 pen_source_get_pushed (PenSource *self);
PEN_AVAILABLE_IN_1_0
guint64 pen_source_get_settled (PenSource *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_source_is_paused (PenSource *self);
PEN_AVAILABLE_IN_1_0
void pen_source_set_connected (PenSource *self, gboolean connected);
PEN_AVAILABLE_IN_1_0
void pen_source_finish (PenSource *self);

G_END_DECLS
