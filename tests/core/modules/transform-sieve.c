/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A transform for the tests of definitions: a mesh, and lists of files to read. One with the mesh
 * "fine" holds events.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_SIEVE_TRANSFORM (pen_sieve_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenSieveTransform, pen_sieve_transform, PEN, SIEVE_TRANSFORM, PenTransform)

struct _PenSieveTransform
{
  PenTransform parent_instance;

  char *mesh;
  GStrv maps;
};

enum
{
  PROP_0,
  PROP_MESH,
  PROP_MAPS,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenSieveTransform, pen_sieve_transform, PEN_TYPE_TRANSFORM)

static gboolean
pen_sieve_transform_process (PenTransform *transform,
                             PenEvent *event,
                             PenOutput *output,
                             GError **error)
{
  pen_output_push (output, event);
  return TRUE;
}

static gboolean
pen_sieve_transform_holds (PenTransform *transform)
{
  return g_strcmp0 (PEN_SIEVE_TRANSFORM (transform)->mesh, "fine") == 0;
}

static void
pen_sieve_transform_finalize (GObject *object)
{
  PenSieveTransform *self = PEN_SIEVE_TRANSFORM (object);

  g_free (self->mesh);
  g_strfreev (self->maps);
  G_OBJECT_CLASS (pen_sieve_transform_parent_class)->finalize (object);
}

static void
pen_sieve_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PenSieveTransform *self = PEN_SIEVE_TRANSFORM (object);

  switch (id)
    {
    case PROP_MESH:
      g_value_set_string (value, self->mesh);
      break;
    case PROP_MAPS:
      g_value_set_boxed (value, self->maps);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_sieve_transform_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenSieveTransform *self = PEN_SIEVE_TRANSFORM (object);

  switch (id)
    {
    case PROP_MESH:
      g_free (self->mesh);
      self->mesh = g_value_dup_string (value);
      break;
    case PROP_MAPS:
      g_strfreev (self->maps);
      self->maps = g_value_dup_boxed (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_sieve_transform_class_init (PenSieveTransformClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = pen_sieve_transform_finalize;
  object_class->get_property = pen_sieve_transform_get_property;
  object_class->set_property = pen_sieve_transform_set_property;
  PEN_TRANSFORM_CLASS (klass)->process = pen_sieve_transform_process;
  PEN_TRANSFORM_CLASS (klass)->holds = pen_sieve_transform_holds;

  properties[PROP_MESH]
      = g_param_spec_string ("mesh", NULL, "What to hold back", NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_MAPS]
      = g_param_spec_boxed ("maps", NULL, "Files to read", G_TYPE_STRV,
                            PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_INPUT);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_sieve_transform_init (PenSieveTransform *self)
{
}

PEN_PLUGIN_DEFINE ("sieve",
                   "Hands everything on",
                   "1",
                   "LGPL-2.1-or-later",
                   "",
                   pen_sieve_transform_get_type)
