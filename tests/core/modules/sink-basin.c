/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink for the tests of definitions: a path that is written, and numbers of every width.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_BASIN_SINK (pen_basin_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenBasinSink, pen_basin_sink, PEN, BASIN_SINK, PenSink)

struct _PenBasinSink
{
  PenSink parent_instance;

  char *path;
  int level;
  gint64 offset;
  guint64 volume;
  guint valves;
  double slope;
};

enum
{
  PROP_0,
  PROP_PATH,
  PROP_LEVEL,
  PROP_OFFSET,
  PROP_VOLUME,
  PROP_VALVES,
  PROP_SLOPE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenBasinSink, pen_basin_sink, PEN_TYPE_SINK)

static gboolean
pen_basin_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  return TRUE;
}

static void
pen_basin_sink_finalize (GObject *object)
{
  g_free (PEN_BASIN_SINK (object)->path);
  G_OBJECT_CLASS (pen_basin_sink_parent_class)->finalize (object);
}

static void
pen_basin_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PenBasinSink *self = PEN_BASIN_SINK (object);

  switch (id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_LEVEL:
      g_value_set_int (value, self->level);
      break;
    case PROP_OFFSET:
      g_value_set_int64 (value, self->offset);
      break;
    case PROP_VOLUME:
      g_value_set_uint64 (value, self->volume);
      break;
    case PROP_VALVES:
      g_value_set_uint (value, self->valves);
      break;
    case PROP_SLOPE:
      g_value_set_double (value, self->slope);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_basin_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenBasinSink *self = PEN_BASIN_SINK (object);

  switch (id)
    {
    case PROP_PATH:
      g_free (self->path);
      self->path = g_value_dup_string (value);
      break;
    case PROP_LEVEL:
      self->level = g_value_get_int (value);
      break;
    case PROP_OFFSET:
      self->offset = g_value_get_int64 (value);
      break;
    case PROP_VOLUME:
      self->volume = g_value_get_uint64 (value);
      break;
    case PROP_VALVES:
      self->valves = g_value_get_uint (value);
      break;
    case PROP_SLOPE:
      self->slope = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_basin_sink_class_init (PenBasinSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = PEN_PARAM_DEFAULTS;

  object_class->finalize = pen_basin_sink_finalize;
  object_class->get_property = pen_basin_sink_get_property;
  object_class->set_property = pen_basin_sink_set_property;
  PEN_SINK_CLASS (klass)->write = pen_basin_sink_write;

  properties[PROP_PATH]
      = g_param_spec_string ("path", NULL, "Where it goes", "-", flags | PEN_PARAM_PATH);
  properties[PROP_LEVEL] = g_param_spec_int ("level", NULL, "Level in m", -5, 5, 0, flags);
  properties[PROP_OFFSET]
      = g_param_spec_int64 ("offset", NULL, "Offset in events", G_MININT64, G_MAXINT64, 0, flags);
  properties[PROP_VOLUME]
      = g_param_spec_uint64 ("volume", NULL, "Volume in l", 0, G_MAXUINT64, 0, flags);
  properties[PROP_VALVES] = g_param_spec_uint ("valves", NULL, "Number of valves", 1, 8, 1, flags);
  properties[PROP_SLOPE] = g_param_spec_double ("slope", NULL, "Slope in m/m", 0, 0.5, 0, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_basin_sink_init (PenBasinSink *self)
{
  self->path = g_strdup ("-");
  self->valves = 1;
}

PEN_PLUGIN_DEFINE ("basin",
                   "Takes everything",
                   "1",
                   "LGPL-2.1-or-later",
                   "",
                   pen_basin_sink_get_type)
