/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A transform with a property of every type and flag, for the tests of 'penstock inspect'.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_SHOWCASE_TRANSFORM (pen_showcase_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenShowcaseTransform,
                      pen_showcase_transform,
                      PEN,
                      SHOWCASE_TRANSFORM,
                      PenTransform)

enum
{
  PROP_0,
  PROP_TEXT,
  PROP_NEEDED,
  PROP_SECRET,
  PROP_PATH,
  PROP_SWITCH,
  PROP_COUNT,
  PROP_OFFSET,
  PROP_FACTOR,
  PROP_WAIT,
  PROP_LIMIT,
  PROP_COLOUR,
  PROP_SHAPE,
  PROP_ITEMS,
  PROP_MAPS,
  PROP_LONG,
  N_PROPERTIES,
};

struct _PenShowcaseTransform
{
  PenTransform parent_instance;

  GValue values[N_PROPERTIES];
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenShowcaseTransform, pen_showcase_transform, PEN_TYPE_TRANSFORM)

static GType
pen_showcase_get_colour_type (void)
{
  static const GEnumValue values[] = { { 0, "PEN_SHOWCASE_RED", "red" },
                                       { 1, "PEN_SHOWCASE_GREEN", "green" },
                                       { 0, NULL, NULL } };

  return g_enum_register_static ("PenShowcaseColour", values);
}

static GType
pen_showcase_get_shape_type (void)
{
  static const GEnumValue values[] = { { 0, "the same width everywhere", "round" },
                                       { 1,
                                         "four corners, of which each has the same right to be "
                                         "mentioned as the others",
                                         "square" },
                                       { 0, NULL, NULL } };

  return g_enum_register_static ("PenShowcaseShape", values);
}

static gboolean
pen_showcase_transform_process (PenTransform *transform,
                                PenEvent *event,
                                PenOutput *output,
                                GError **error)
{
  pen_output_push (output, event);
  return TRUE;
}

static void
pen_showcase_transform_finalize (GObject *object)
{
  PenShowcaseTransform *self = PEN_SHOWCASE_TRANSFORM (object);

  for (guint i = 1; i < N_PROPERTIES; i++)
    g_value_unset (&self->values[i]);
  G_OBJECT_CLASS (pen_showcase_transform_parent_class)->finalize (object);
}

static void
pen_showcase_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_copy (&PEN_SHOWCASE_TRANSFORM (object)->values[id], value);
}

static void
pen_showcase_transform_set_property (GObject *object,
                                     guint id,
                                     const GValue *value,
                                     GParamSpec *pspec)
{
  g_value_copy (value, &PEN_SHOWCASE_TRANSFORM (object)->values[id]);
}

static void
pen_showcase_transform_make_texts (void)
{
  properties[PROP_TEXT]
      = g_param_spec_string ("text", NULL, "What to say", "hello", PEN_PARAM_DEFAULTS);
  properties[PROP_NEEDED]
      = g_param_spec_string ("needed", NULL, "What nobody can guess", NULL,
                             PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED | PEN_PARAM_MUTABLE);
  properties[PROP_SECRET] = g_param_spec_string ("secret", NULL, "What nobody may read", NULL,
                                                 PEN_PARAM_DEFAULTS | PEN_PARAM_SECRET);
  properties[PROP_PATH]
      = g_param_spec_string ("path", NULL, "Where it is", "-", PEN_PARAM_DEFAULTS | PEN_PARAM_PATH);
  properties[PROP_ITEMS]
      = g_param_spec_boxed ("items", NULL, "What there is", G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_MAPS] = g_param_spec_boxed ("maps", NULL, "Files to read", G_TYPE_STRV,
                                              PEN_PARAM_DEFAULTS | PEN_PARAM_PATH);
}

static void
pen_showcase_transform_make_numbers (void)
{
  properties[PROP_SWITCH]
      = g_param_spec_boolean ("switch", NULL, "Whether at all", TRUE, PEN_PARAM_DEFAULTS);
  properties[PROP_COUNT]
      = g_param_spec_uint ("count", NULL, "How many", 1, 10, 3, PEN_PARAM_DEFAULTS);
  properties[PROP_OFFSET]
      = g_param_spec_int64 ("offset", NULL, "From where", G_MININT64, 100, -5, PEN_PARAM_DEFAULTS);
  properties[PROP_FACTOR]
      = g_param_spec_double ("factor", NULL, "How much of it", 0, 1, 0.06, PEN_PARAM_DEFAULTS);
  properties[PROP_WAIT]
      = pen_param_spec_duration ("wait", "How long to wait", 500 * G_TIME_SPAN_MILLISECOND,
                                 G_TIME_SPAN_DAY, 30 * G_TIME_SPAN_SECOND, PEN_PARAM_DEFAULTS);
  properties[PROP_LIMIT] = pen_param_spec_size ("limit", "How large it may be", 1024, G_MAXINT64,
                                                64 << 20, PEN_PARAM_DEFAULTS);
  properties[PROP_COLOUR] = g_param_spec_enum (
      "colour", NULL, "How it looks", pen_showcase_get_colour_type (), 1, PEN_PARAM_DEFAULTS);
  properties[PROP_SHAPE] = g_param_spec_enum (
      "shape", NULL, "How it feels", pen_showcase_get_shape_type (), 0, PEN_PARAM_DEFAULTS);
  properties[PROP_LONG]
      = g_param_spec_boolean ("a-name-that-is-long-enough", NULL,
                              "Whether a description that does not fit on a line of a page is "
                              "broken between words",
                              FALSE, PEN_PARAM_DEFAULTS);
}

static void
pen_showcase_transform_class_init (PenShowcaseTransformClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->finalize = pen_showcase_transform_finalize;
  object_class->get_property = pen_showcase_transform_get_property;
  object_class->set_property = pen_showcase_transform_set_property;
  PEN_TRANSFORM_CLASS (class)->process = pen_showcase_transform_process;
  pen_showcase_transform_make_texts ();
  pen_showcase_transform_make_numbers ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_showcase_transform_init (PenShowcaseTransform *self)
{
  for (guint i = 1; i < N_PROPERTIES; i++)
    {
      g_value_init (&self->values[i], properties[i]->value_type);
      g_param_value_set_default (properties[i], &self->values[i]);
    }
}

PEN_PLUGIN_DEFINE ("showcase",
                   "Hands everything on, and has a property of every type to show how properties "
                   "are described",
                   "1.2.3",
                   "LGPL-2.1-or-later",
                   "https://example.org/showcase",
                   pen_showcase_transform_get_type)
