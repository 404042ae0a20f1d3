/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where events come from. What is pushed and what has settled is counted here, so that a source can
 * ask at any time whether it still holds something.
 */

#include "config.h"

#include "pen-source.h"

#include "pen-element-private.h"

typedef struct
{
  /* lane */
  guint64 pushed;
  guint64 settled;
  gboolean is_paused;
} PenSourcePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (PenSource, pen_source, PEN_TYPE_ELEMENT)

static PenSourcePrivate *
pen_source_get_private (PenSource *self)
{
  return pen_source_get_instance_private (self);
}

static PenHost *
pen_source_get_host (PenSource *self)
{
  return pen_element_get_host (PEN_ELEMENT (self));
}

static void
pen_source_real_pause (PenSource *self)
{
}

static void
pen_source_real_resume (PenSource *self)
{
}

static void
pen_source_real_settle (PenSource *self, guint64 position)
{
}

static gboolean
pen_source_real_must_settle_soon (PenSource *self)
{
  return FALSE;
}

static void
pen_source_class_init (PenSourceClass *class)
{
  class->pause = pen_source_real_pause;
  class->resume = pen_source_real_resume;
  class->settle = pen_source_real_settle;
  class->must_settle_soon = pen_source_real_must_settle_soon;
}

static void
pen_source_init (PenSource *self)
{
}

/* No effect on a source that is paused already. */
void
pen_source_pause (PenSource *self)
{
  PenSourcePrivate *private = pen_source_get_private (self);

  if (private->is_paused)
    return;
  private->is_paused = TRUE;
  PEN_SOURCE_GET_CLASS (self)->pause (self);
}

/* No effect on a source that is not paused. */
void
pen_source_resume (PenSource *self)
{
  PenSourcePrivate *private = pen_source_get_private (self);

  if (!private->is_paused)
    return;
  private->is_paused = FALSE;
  PEN_SOURCE_GET_CLASS (self)->resume (self);
}

/* Everything up to @position has its outcome. */
void
pen_source_settle (PenSource *self, guint64 position)
{
  pen_source_get_private (self)->settled = position;
  PEN_SOURCE_GET_CLASS (self)->settle (self, position);
}

/* As the class has it. */
gboolean
pen_source_must_settle_soon (PenSource *self)
{
  return PEN_SOURCE_GET_CLASS (self)->must_settle_soon (self);
}

/**
 * pen_source_push:
 * @self: a source that runs
 * @event: (transfer full): a message that it received
 *
 * Hands an event on. It may pass the whole pipeline before this returns, and the source may be
 * paused meanwhile; that it is settled is told later.
 *
 * Returns: its position: a number that grows with each event, from 1
 *
 * Threads: lane
 */
guint64
pen_source_push (PenSource *self, PenEvent *event)
{
  PenHost *host = pen_source_get_host (self);
  guint64 position = host->functions->push (host, self, event);

  pen_source_get_private (self)->pushed = position;
  return position;
}

/**
 * pen_source_reject:
 * @self: a source that runs
 * @event: (transfer full): a message that it received and cannot hand on
 * @reason: label under which it is counted: a word of the field such as `too_large`
 * @format: what is wrong with it
 * @...: for @format
 *
 * Makes a dead letter of a message.
 *
 * Returns: its position, as [method@Source.push]
 *
 * Threads: lane
 */
guint64
pen_source_reject (PenSource *self, PenEvent *event, const char *reason, const char *format, ...)
{
  PenHost *host = pen_source_get_host (self);
  g_autofree char *message = NULL;
  va_list arguments;
  guint64 position = 0;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  position = host->functions->reject (host, self, event, reason, message);
  pen_source_get_private (self)->pushed = position;
  return position;
}

/**
 * pen_source_get_pushed:
 * @self: a source
 *
 * Returns: position of the last event; 0 before the first
 *
 * Threads: lane
 */
guint64
pen_source_get_pushed (PenSource *self)
{
  return pen_source_get_private (self)->pushed;
}

/**
 * pen_source_get_settled:
 * @self: a source
 *
 * Returns: position up to which every event has its outcome, as far as `settle` has told
 *
 * Threads: lane
 */
guint64
pen_source_get_settled (PenSource *self)
{
  return pen_source_get_private (self)->settled;
}

/**
 * pen_source_is_paused:
 * @self: a source
 *
 * Returns: whether it must not read
 *
 * Threads: lane
 */
gboolean
pen_source_is_paused (PenSource *self)
{
  return pen_source_get_private (self)->is_paused;
}

/**
 * pen_source_set_connected:
 * @self: a source that runs
 * @connected: whether it can receive
 *
 * Tells whoever watches the pipeline.
 *
 * Threads: lane
 */
void
pen_source_set_connected (PenSource *self, gboolean connected)
{
  PenHost *host = pen_source_get_host (self);

  host->functions->set_connected (host, self, connected);
}

/**
 * pen_source_finish:
 * @self: a source that runs
 *
 * Says that there will be nothing more (the end of a file). When all sources of a pipeline have
 * finished it drains and ends.
 *
 * Threads: lane
 */
void
pen_source_finish (PenSource *self)
{
  PenHost *host = pen_source_get_host (self);

  host->functions->finish (host, self);
}
