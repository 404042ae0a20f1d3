/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A transform that passes, splits, drops, rejects and merges, and does the same in every run.
 */

#include "config.h"

#include "pen-loom.h"

#include <penstock.h>
#include <string.h>

#define MAX_SIZE 10
#define DEFAULT_SIZE 2

#define PEN_TYPE_LOOM_TRANSFORM (pen_loom_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenLoomTransform, pen_loom_transform, PEN, LOOM_TRANSFORM, PenTransform)

struct _PenLoomTransform
{
  PenTransform parent_instance;

  guint size;
  GPtrArray *held; /* of PenEvent */
};

enum
{
  PROP_0,
  PROP_SIZE,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenLoomTransform, pen_loom_transform, PEN_TYPE_TRANSFORM)

static char *
pen_loom_transform_get_text (const PenEvent *event)
{
  gsize length = 0;
  const char *data = pen_event_get_data (event, &length);

  return g_strndup (data, length);
}

static void
pen_loom_transform_put_out (PenLoomTransform *self,
                            PenOutput *output,
                            PenEvent *event,
                            const char *suffix)
{
  const char *name = pen_element_get_name (PEN_ELEMENT (self));
  g_autofree char *text = pen_loom_transform_get_text (event);
  char *made = g_strconcat (text, ".", name, suffix, NULL);
  g_autoptr (GBytes) payload = g_bytes_new_take (made, strlen (made));

  pen_output_push (output, pen_event_derive (event, payload));
}

/* One event of those that are held of @group. */
static void
pen_loom_transform_merge (PenLoomTransform *self, PenOutput *output, guint group)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_event_unref);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GBytes) payload = NULL;

  g_string_append_printf (text, "(%u:", group * self->size);
  for (guint i = 0; i < self->held->len;)
    {
      g_autofree char *part = pen_loom_transform_get_text (g_ptr_array_index (self->held, i));

      if (pen_loom_get_group (part, self->size) != group)
        {
          i++;
          continue;
        }
      g_string_append_printf (text, "%s%s", parts->len == 0 ? "" : "+", part);
      g_ptr_array_add (parts, g_ptr_array_steal_index (self->held, i));
    }
  g_string_append_printf (text, ").%s", pen_element_get_name (PEN_ELEMENT (self)));
  payload = g_bytes_new (text->str, text->len);
  pen_output_push (output, pen_event_merge ((PenEvent *const *) parts->pdata, parts->len, payload));
}

/* The groups before @group, the earliest first. */
static void
pen_loom_transform_close (PenLoomTransform *self, PenOutput *output, guint group)
{
  guint earliest = 0;

  while (earliest < group)
    {
      earliest = group;
      for (guint i = 0; i < self->held->len; i++)
        {
          g_autofree char *text = pen_loom_transform_get_text (g_ptr_array_index (self->held, i));

          earliest = MIN (earliest, pen_loom_get_group (text, self->size));
        }
      if (earliest < group)
        pen_loom_transform_merge (self, output, earliest);
    }
}

static gboolean
pen_loom_transform_process (PenTransform *transform,
                            PenEvent *event,
                            PenOutput *output,
                            GError **error)
{
  PenLoomTransform *self = PEN_LOOM_TRANSFORM (transform);
  g_autofree char *text = pen_loom_transform_get_text (event);
  PenLoomAction action = pen_loom_choose (pen_element_get_name (PEN_ELEMENT (self)), text);

  if (action != PEN_LOOM_REJECT)
    pen_loom_transform_close (self, output, pen_loom_get_group (text, self->size));
  switch (action)
    {
    case PEN_LOOM_DROP:
      pen_output_drop (output, "unneeded");
      break;
    case PEN_LOOM_REJECT:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad", "not wanted");
      return FALSE;
    case PEN_LOOM_HOLD:
      g_ptr_array_add (self->held, pen_event_ref (event));
      break;
    case PEN_LOOM_SPLIT:
      pen_loom_transform_put_out (self, output, event, "0");
      pen_loom_transform_put_out (self, output, event, "1");
      break;
    case PEN_LOOM_PASS:
    default:
      pen_loom_transform_put_out (self, output, event, "");
      break;
    }
  return TRUE;
}

static void
pen_loom_transform_drain (PenTransform *transform, PenOutput *output)
{
  pen_loom_transform_close (PEN_LOOM_TRANSFORM (transform), output, G_MAXUINT);
}

static gboolean
pen_loom_transform_holds (PenTransform *transform)
{
  return TRUE;
}

static void
pen_loom_transform_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  PEN_LOOM_TRANSFORM (object)->size = g_value_get_uint (value);
}

static void
pen_loom_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  g_value_set_uint (value, PEN_LOOM_TRANSFORM (object)->size);
}

static void
pen_loom_transform_finalize (GObject *object)
{
  g_ptr_array_unref (PEN_LOOM_TRANSFORM (object)->held);
  G_OBJECT_CLASS (pen_loom_transform_parent_class)->finalize (object);
}

static void
pen_loom_transform_class_init (PenLoomTransformClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = pen_loom_transform_set_property;
  object_class->get_property = pen_loom_transform_get_property;
  object_class->finalize = pen_loom_transform_finalize;
  PEN_TRANSFORM_CLASS (class)->process = pen_loom_transform_process;
  PEN_TRANSFORM_CLASS (class)->drain = pen_loom_transform_drain;
  PEN_TRANSFORM_CLASS (class)->holds = pen_loom_transform_holds;

  properties[PROP_SIZE] = g_param_spec_uint ("size", NULL, "Messages a window", 1, MAX_SIZE,
                                             DEFAULT_SIZE, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_loom_transform_init (PenLoomTransform *self)
{
  self->size = DEFAULT_SIZE;
  self->held = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_event_unref);
}

PEN_PLUGIN_DEFINE ("loom",
                   "Makes one of several, and several of one",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_loom_transform_get_type)
