/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A transform that a test program plays.
 */

#include "config.h"

#include "pen-puppet.h"

#define PEN_TYPE_PUPPET_TRANSFORM (pen_puppet_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenPuppetTransform, pen_puppet_transform, PEN, PUPPET_TRANSFORM, PenTransform)

struct _PenPuppetTransform
{
  PenTransform parent_instance;

  gboolean holds;
};

enum
{
  PROP_0,
  PROP_HOLDS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenPuppetTransform, pen_puppet_transform, PEN_TYPE_TRANSFORM)

static gboolean
pen_puppet_transform_process (PenTransform *transform,
                              PenEvent *event,
                              PenOutput *output,
                              GError **error)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (transform);

  return strings->process (strings->data, transform, event, output, error);
}

static void
pen_puppet_transform_tick (PenTransform *transform, gint64 now_us, PenOutput *output)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (transform);

  strings->tick (strings->data, transform, output);
}

static void
pen_puppet_transform_drain (PenTransform *transform, PenOutput *output)
{
  const PenPuppetStrings *strings = pen_puppet_get_strings (transform);

  strings->drain (strings->data, transform, output);
}

static gboolean
pen_puppet_transform_holds (PenTransform *transform)
{
  return PEN_PUPPET_TRANSFORM (transform)->holds;
}

static void
pen_puppet_transform_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  PEN_PUPPET_TRANSFORM (object)->holds = g_value_get_boolean (value);
}

static void
pen_puppet_transform_class_init (PenPuppetTransformClass *class)
{
  G_OBJECT_CLASS (class)->set_property = pen_puppet_transform_set_property;
  PEN_ELEMENT_CLASS (class)->start = pen_puppet_start;
  PEN_ELEMENT_CLASS (class)->stop = pen_puppet_stop;
  PEN_TRANSFORM_CLASS (class)->process = pen_puppet_transform_process;
  PEN_TRANSFORM_CLASS (class)->tick = pen_puppet_transform_tick;
  PEN_TRANSFORM_CLASS (class)->drain = pen_puppet_transform_drain;
  PEN_TRANSFORM_CLASS (class)->holds = pen_puppet_transform_holds;

  properties[PROP_HOLDS]
      = g_param_spec_boolean ("holds", NULL, "Whether it keeps events", FALSE, G_PARAM_WRITABLE);
  g_object_class_install_properties (G_OBJECT_CLASS (class), N_PROPERTIES, properties);
}

static void
pen_puppet_transform_init (PenPuppetTransform *self)
{
}

PEN_PLUGIN_DEFINE ("puppet",
                   "Is played by a test",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_puppet_transform_get_type)
