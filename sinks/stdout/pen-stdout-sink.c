/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes events to standard output, a batch at a time.
 *
 * There is one standard output for all pipelines of the process, so what concerns it is the
 * process's: a lock, under which a batch is written, and the rest of a line in whose middle a write
 * failed. Nothing is written before that rest, whoever writes next; so no line is ever torn,
 * mingled with another, or begun twice.
 */

#include "config.h"

#include "pen-stdout-sink.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEFAULT_FORMAT PEN_LINE_FORMAT_LINES
/* Linux: character device 1, 3; see null(4) */
#define NULL_DEVICE makedev (1, 3)

struct _PenStdoutSink
{
  PenSink parent_instance;

  /* constant after start */
  PenLineFormat format;

  /* lane, or worker if it blocks */
  PenLines *lines;
  PenEvent *torn; /* its line was begun; it is written as soon as there is no pen_stdout_rest */
};

enum
{
  PROP_0,
  PROP_FORMAT,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static GMutex pen_stdout_lock; /* guards what is written to standard output and pen_stdout_rest */
static PenLines *pen_stdout_rest;

G_DEFINE_FINAL_TYPE (PenStdoutSink, pen_stdout_sink, PEN_TYPE_SINK)

static gboolean
pen_stdout_sink_fail (GError **error, int error_number)
{
  if (error_number == EPIPE)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_CLOSED, "closed",
                           "standard output: whoever read it has gone away");
  else if (error_number == EBADF)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "write",
                           "cannot write to standard output: it is not open for writing");
  else
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "write",
                           "cannot write to standard output: %s%s", g_strerror (error_number),
                           error_number == ENOSPC || error_number == EDQUOT
                               ? "; make room, it goes on by itself"
                               : "");
  return FALSE;
}

/* Completes the line that a failure tore, whosever it is; 0 or an errno. */
static int
pen_stdout_finish_rest_locked (void)
{
  int error_number;

  if (pen_stdout_rest == NULL)
    return 0;
  error_number = pen_lines_write (pen_stdout_rest, STDOUT_FILENO);
  if (error_number == 0)
    g_clear_pointer (&pen_stdout_rest, pen_lines_free);
  return error_number;
}

static void
pen_stdout_sink_lay_out_locked (PenStdoutSink *self, PenBatch *batch)
{
  g_autoptr (PenEvent) completed = g_steal_pointer (&self->torn);

  pen_lines_clear (self->lines);
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      if (!pen_batch_is_open (batch, i))
        continue;
      if (completed != NULL && pen_batch_get_event (batch, i) == completed)
        pen_batch_accept (batch, i);
      else
        pen_lines_append (self->lines, batch, i);
    }
}

static int
pen_stdout_sink_write_locked (PenStdoutSink *self, PenBatch *batch)
{
  int error_number = pen_stdout_finish_rest_locked ();
  guint n_written;

  if (error_number != 0)
    return error_number;
  pen_stdout_sink_lay_out_locked (self, batch);
  error_number = pen_lines_write (self->lines, STDOUT_FILENO);
  n_written = pen_lines_get_n_written (self->lines);
  for (guint i = 0; i < n_written; i++)
    pen_batch_accept (batch, pen_lines_get_index (self->lines, i));
  if (error_number != 0 && pen_lines_get_n_torn (self->lines) > 0)
    {
      guint index = pen_lines_get_index (self->lines, n_written);

      self->torn = pen_event_ref (pen_batch_get_event (batch, index));
      pen_stdout_rest = pen_lines_steal_torn (self->lines);
    }
  pen_lines_clear (self->lines);
  return error_number;
}

static gboolean
pen_stdout_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  PenStdoutSink *self = PEN_STDOUT_SINK (sink);
  int error_number;

  g_mutex_lock (&pen_stdout_lock);
  error_number = pen_stdout_sink_write_locked (self, batch);
  g_mutex_unlock (&pen_stdout_lock);
  return error_number == 0 || pen_stdout_sink_fail (error, error_number);
}

/* A file on a disk and the null device take everything at once; whoever reads a pipe, a socket or a
 * terminal may take its time. */
static gboolean
pen_stdout_sink_blocks (PenSink *sink)
{
  struct stat status;

  if (fstat (STDOUT_FILENO, &status) < 0)
    return FALSE;
  return !S_ISREG (status.st_mode) && !(S_ISCHR (status.st_mode) && status.st_rdev == NULL_DEVICE);
}

static gboolean
pen_stdout_sink_start (PenElement *element, GError **error)
{
  PenStdoutSink *self = PEN_STDOUT_SINK (element);
  struct stat status;

  if (fstat (STDOUT_FILENO, &status) < 0)
    return pen_stdout_sink_fail (error, errno);
  g_clear_pointer (&self->lines, pen_lines_free);
  self->lines = pen_lines_new (self->format);
  return TRUE;
}

static void
pen_stdout_sink_stop (PenElement *element)
{
  PenStdoutSink *self = PEN_STDOUT_SINK (element);

  g_clear_pointer (&self->torn, pen_event_unref);
  g_clear_pointer (&self->lines, pen_lines_free);
}

static void
pen_stdout_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenStdoutSink *self = PEN_STDOUT_SINK (object);

  switch (id)
    {
    case PROP_FORMAT:
      g_value_set_enum (value, (gint) self->format);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_stdout_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenStdoutSink *self = PEN_STDOUT_SINK (object);

  switch (id)
    {
    case PROP_FORMAT:
      self->format = (PenLineFormat) g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_stdout_sink_finalize (GObject *object)
{
  PenStdoutSink *self = PEN_STDOUT_SINK (object);

  g_clear_pointer (&self->torn, pen_event_unref);
  g_clear_pointer (&self->lines, pen_lines_free);
  G_OBJECT_CLASS (pen_stdout_sink_parent_class)->finalize (object);
}

static void
pen_stdout_sink_class_init (PenStdoutSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSinkClass *sink_class = PEN_SINK_CLASS (class);

  object_class->get_property = pen_stdout_sink_get_property;
  object_class->set_property = pen_stdout_sink_set_property;
  object_class->finalize = pen_stdout_sink_finalize;
  element_class->start = pen_stdout_sink_start;
  element_class->stop = pen_stdout_sink_stop;
  sink_class->write = pen_stdout_sink_write;
  sink_class->blocks = pen_stdout_sink_blocks;

  properties[PROP_FORMAT] = g_param_spec_enum (
      "format", NULL,
      "How an event is written: on one line, raw (bytes as they are, nothing between them) or "
      "pretty (JSON indented)",
      PEN_TYPE_LINE_FORMAT, (gint) DEFAULT_FORMAT, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_stdout_sink_init (PenStdoutSink *self)
{
  self->format = DEFAULT_FORMAT;
}

PEN_PLUGIN_DEFINE ("stdout",
                   "Writes events to standard output, one line each",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sinks/stdout/README.md",
                   pen_stdout_sink_get_type)
