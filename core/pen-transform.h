/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is done to events on their way.
 */

#pragma once

#include "pen-element.h"
#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PenOutput:
 *
 * Where a transform puts what it makes; valid during the call that it is an argument of.
 */
typedef struct _PenOutput PenOutput;

#define PEN_TYPE_TRANSFORM (pen_transform_get_type ())
PEN_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (PenTransform, pen_transform, PEN, TRANSFORM, PenElement)

/**
 * PenTransformClass:
 * @process: required: takes one event and puts none, one or many into @output. A transform that
 *   keeps events (a window) keeps references, and with them their acknowledgement. On failure it
 *   returns %FALSE with %PEN_ELEMENT_ERROR_REJECT and a reason: the event becomes a dead letter,
 *   and what this call has put into @output of the same message is thrown away; what it had kept of
 *   others goes on. Threads: lane
 * @tick: optional: the time asked for with [method@Transform.schedule] has come. Threads: lane
 * @drain: optional: the run ends: put out what is kept. Threads: lane
 * @holds: optional: whether, with its properties as they are, it keeps events or their tokens
 *   longer than the call that brought them. Asked before it starts. What such a transform has
 *   processed comes again, in order, when a run with a spool begins, as far back as the oldest that
 *   it or its neighbours keep; so what it does must follow from its events alone. Which of them
 *   belong together must follow from what they are (their time), not from how many came before.
 *   Threads: any
 *
 * What a transform overrides beside the functions of [class@Element].
 */
struct _PenTransformClass
{
  PenElementClass parent_class;

  gboolean (*process) (PenTransform *self, PenEvent *event, PenOutput *output, GError **error);
  void (*tick) (PenTransform *self, gint64 now_us, PenOutput *output);
  void (*drain) (PenTransform *self, PenOutput *output);
  gboolean (*holds) (PenTransform *self);

  /*< private >*/
  gpointer padding[11];
};

PEN_AVAILABLE_IN_1_0
void pen_transform_schedule (PenTransform *self, gint64 monotonic_us);

PEN_AVAILABLE_IN_1_0
void pen_output_push (PenOutput *self, PenEvent *event);
PEN_AVAILABLE_IN_1_0
void pen_output_drop (PenOutput *self, const char *reason);
PEN_AVAILABLE_IN_1_0
void pen_output_skip (PenOutput *self, const char *reason, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
