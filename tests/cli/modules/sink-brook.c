/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink that shares its name with another plugin.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_BROOK_SINK (pen_brook_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenBrookSink, pen_brook_sink, PEN, BROOK_SINK, PenSink)

struct _PenBrookSink
{
  PenSink parent_instance;
};

G_DEFINE_FINAL_TYPE (PenBrookSink, pen_brook_sink, PEN_TYPE_SINK)

static gboolean
pen_brook_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  return TRUE;
}

static void
pen_brook_sink_class_init (PenBrookSinkClass *class)
{
  PEN_SINK_CLASS (class)->write = pen_brook_sink_write;
}

static void
pen_brook_sink_init (PenBrookSink *self)
{
}

PEN_PLUGIN_DEFINE ("brook", "Forgets", "1", "LGPL-2.1-or-later", "", pen_brook_sink_get_type)
