/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink that a test program plays.
 */

#include "config.h"

#include "pen-puppet.h"

#define PEN_TYPE_PUPPET_SINK (pen_puppet_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenPuppetSink, pen_puppet_sink, PEN, PUPPET_SINK, PenSink)

struct _PenPuppetSink
{
  PenSink parent_instance;

  gboolean blocks;
};

enum
{
  PROP_0,
  PROP_BLOCKS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenPuppetSink, pen_puppet_sink, PEN_TYPE_SINK)

static gboolean
pen_puppet_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (sink);

  return strings->write (strings->data, sink, batch, error);
}

static gboolean
pen_puppet_sink_blocks (PenSink *sink)
{
  return PEN_PUPPET_SINK (sink)->blocks;
}

static void
pen_puppet_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  PEN_PUPPET_SINK (object)->blocks = g_value_get_boolean (value);
}

static void
pen_puppet_sink_class_init (PenPuppetSinkClass *class)
{
  G_OBJECT_CLASS (class)->set_property = pen_puppet_sink_set_property;
  PEN_ELEMENT_CLASS (class)->start = pen_puppet_start;
  PEN_ELEMENT_CLASS (class)->stop = pen_puppet_stop;
  PEN_SINK_CLASS (class)->write = pen_puppet_sink_write;
  PEN_SINK_CLASS (class)->blocks = pen_puppet_sink_blocks;

  properties[PROP_BLOCKS]
      = g_param_spec_boolean ("blocks", NULL, "Whether it may block", FALSE, G_PARAM_WRITABLE);
  g_object_class_install_properties (G_OBJECT_CLASS (class), N_PROPERTIES, properties);
}

static void
pen_puppet_sink_init (PenPuppetSink *self)
{
}

PEN_PLUGIN_DEFINE ("puppet",
                   "Is played by a test",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_puppet_sink_get_type)
