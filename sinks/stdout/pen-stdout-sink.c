/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes events to standard output, a batch at a time.
 */

#include "config.h"

#include "pen-stdout-sink.h"

#define DEFAULT_FORMAT PEN_LINE_FORMAT_LINES

struct _PenStdoutSink
{
  PenSink parent_instance;

  /* constant after start */
  PenLineFormat format;

  /* lane, or worker if it blocks */
  PenStandardOutput *output;
};

enum
{
  PROP_0,
  PROP_FORMAT,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenStdoutSink, pen_stdout_sink, PEN_TYPE_SINK)

static void
pen_stdout_sink_lay_out (PenLines *lines, PenBatch *batch, guint index, gpointer user_data)
{
  pen_lines_append (lines, batch, index);
}

static gboolean
pen_stdout_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  return pen_standard_output_write (PEN_STDOUT_SINK (sink)->output, batch, pen_stdout_sink_lay_out,
                                    NULL /* user_data */, error);
}

static gboolean
pen_stdout_sink_blocks (PenSink *sink)
{
  return pen_standard_output_blocks ();
}

static gboolean
pen_stdout_sink_start (PenElement *element, GError **error)
{
  PenStdoutSink *self = PEN_STDOUT_SINK (element);

  g_clear_pointer (&self->output, pen_standard_output_free);
  self->output = pen_standard_output_new (self->format, error);
  return self->output != NULL;
}

static void
pen_stdout_sink_stop (PenElement *element)
{
  g_clear_pointer (&PEN_STDOUT_SINK (element)->output, pen_standard_output_free);
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

  g_clear_pointer (&self->output, pen_standard_output_free);
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
