/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is done to events on their way.
 */

#include "config.h"

#include "pen-transform.h"

#include "pen-element-private.h"

G_DEFINE_ABSTRACT_TYPE (PenTransform, pen_transform, PEN_TYPE_ELEMENT)

static void
pen_transform_real_tick (PenTransform *self, gint64 now_us, PenOutput *output)
{
}

static void
pen_transform_real_drain (PenTransform *self, PenOutput *output)
{
}

static gboolean
pen_transform_real_holds (PenTransform *self)
{
  return FALSE;
}

static void
pen_transform_class_init (PenTransformClass *class)
{
  class->tick = pen_transform_real_tick;
  class->drain = pen_transform_real_drain;
  class->holds = pen_transform_real_holds;
}

static void
pen_transform_init (PenTransform *self)
{
}

/* As the class has it. */
gboolean
pen_transform_process (PenTransform *self, PenEvent *event, PenOutput *output, GError **error)
{
  return PEN_TRANSFORM_GET_CLASS (self)->process (self, event, output, error);
}

/* As the class has it. */
void
pen_transform_tick (PenTransform *self, gint64 now_us, PenOutput *output)
{
  PEN_TRANSFORM_GET_CLASS (self)->tick (self, now_us, output);
}

/* As the class has it. */
void
pen_transform_drain (PenTransform *self, PenOutput *output)
{
  PEN_TRANSFORM_GET_CLASS (self)->drain (self, output);
}

/* As the class has it. */
gboolean
pen_transform_holds (PenTransform *self)
{
  return PEN_TRANSFORM_GET_CLASS (self)->holds (self);
}

/**
 * pen_transform_schedule:
 * @self: a transform that runs
 * @monotonic_us: when, by [method@Element.get_monotonic_time]
 *
 * Asks for a call of `tick`, instead of what was asked for before.
 *
 * Threads: lane
 */
void
pen_transform_schedule (PenTransform *self, gint64 monotonic_us)
{
  PenHost *host = pen_element_get_host (PEN_ELEMENT (self));

  host->functions->schedule (host, self, monotonic_us);
}

/**
 * pen_output_push: (skip)
 * @self: an output
 * @event: (transfer full): what goes on
 *
 * Threads: lane
 */
void
pen_output_push (PenOutput *self, PenEvent *event)
{
  self->push (self, event);
}

/**
 * pen_output_drop: (skip)
 * @self: an output
 * @reason: label under which it is counted: a word of the field such as `empty`
 *
 * Says that an event ends here on purpose. It counts as delivered.
 *
 * Threads: lane
 */
void
pen_output_drop (PenOutput *self, const char *reason)
{
  self->drop (self, reason);
}

/**
 * pen_output_skip: (skip)
 * @self: an output
 * @reason: label under which it is counted: a word of the field such as `reading_no_vid`
 * @format: which part of the event, and what is wrong with it
 * @...: for @format
 *
 * Says that a part of the event that is processed does not go on while the rest does. A dead letter
 * keeps the event; of one event at most a hundred and one are written, the last with a count.
 *
 * Threads: lane
 */
void
pen_output_skip (PenOutput *self, const char *reason, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->skip (self, reason, message);
}
