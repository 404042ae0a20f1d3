/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A transform that does what the first letter of a message says: d(rop), r(eject), o(ut, and then
 * reject), s(kip a part), m(any parts skipped), k(eep until the next or the end), t(ick in a
 * second), w(ait for the next w, and make one of both), 2 (twice); all else passes.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_SCRIPT_TRANSFORM (pen_script_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenScriptTransform, pen_script_transform, PEN, SCRIPT_TRANSFORM, PenTransform)

struct _PenScriptTransform
{
  PenTransform parent_instance;

  PenEvent *kept;
  PenEvent *waiting;
};

G_DEFINE_FINAL_TYPE (PenScriptTransform, pen_script_transform, PEN_TYPE_TRANSFORM)

static void
pen_script_transform_release (PenScriptTransform *self, PenOutput *output)
{
  if (self->kept != NULL)
    pen_output_push (output, g_steal_pointer (&self->kept));
}

static void
pen_script_transform_push_marked (PenEvent *event, PenOutput *output)
{
  gsize length = 0;
  const char *text = pen_event_get_data (event, &length);
  g_autofree char *marked = g_strdup_printf ("<%.*s>", (int) length, text);
  g_autoptr (GBytes) payload = g_bytes_new (marked, strlen (marked));

  pen_output_push (output, pen_event_derive (event, payload));
}

static void
pen_script_transform_wait (PenScriptTransform *self, PenEvent *event, PenOutput *output)
{
  g_autoptr (PenEvent) first = g_steal_pointer (&self->waiting);
  g_autoptr (GBytes) payload = NULL;
  PenEvent *both[] = { first, event };
  gsize first_length = 0;
  gsize second_length = 0;
  const char *first_text = NULL;
  const char *second_text = NULL;
  char *text = NULL;

  if (first == NULL)
    {
      self->waiting = pen_event_ref (event);
      return;
    }
  first_text = pen_event_get_data (first, &first_length);
  second_text = pen_event_get_data (event, &second_length);
  text = g_strdup_printf ("%.*s+%.*s", (int) first_length, first_text, (int) second_length,
                          second_text);
  payload = g_bytes_new_take (text, strlen (text));
  pen_output_push (output, pen_event_merge (both, G_N_ELEMENTS (both), payload));
}

static gboolean
pen_script_transform_process (PenTransform *transform,
                              PenEvent *event,
                              PenOutput *output,
                              GError **error)
{
  PenScriptTransform *self = PEN_SCRIPT_TRANSFORM (transform);
  gsize length = 0;
  const char *text = pen_event_get_data (event, &length);

  pen_script_transform_release (self, output);
  switch (length > 0 ? text[0] : ' ')
    {
    case 'd':
      pen_output_drop (output, "unneeded");
      return TRUE;
    case 'o':
      pen_script_transform_push_marked (event, output);
      G_GNUC_FALLTHROUGH;
    case 'r':
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_letter", "begins with %c",
                             text[0]);
      return FALSE;
    case 'k':
      self->kept = pen_event_ref (event);
      return TRUE;
    case 't':
      self->kept = pen_event_ref (event);
      pen_transform_schedule (transform,
                              pen_element_get_monotonic_time (PEN_ELEMENT (self)) + G_USEC_PER_SEC);
      return TRUE;
    case 'w':
      pen_script_transform_wait (self, event, output);
      return TRUE;
    case 'm':
      for (guint i = 0; i < 150; i++)
        pen_output_skip (output, "part_bad", "part %u", i);
      break;
    case 's':
      pen_output_skip (output, "part_bad", "part %d", 0);
      break;
    case '2':
      pen_script_transform_push_marked (event, output);
      break;
    default:
      break;
    }
  pen_script_transform_push_marked (event, output);
  return TRUE;
}

static void
pen_script_transform_tick (PenTransform *transform, gint64 now_us, PenOutput *output)
{
  pen_script_transform_release (PEN_SCRIPT_TRANSFORM (transform), output);
}

static void
pen_script_transform_drain (PenTransform *transform, PenOutput *output)
{
  pen_script_transform_release (PEN_SCRIPT_TRANSFORM (transform), output);
}

static gboolean
pen_script_transform_holds (PenTransform *transform)
{
  return TRUE;
}

static void
pen_script_transform_dispose (GObject *object)
{
  g_clear_pointer (&PEN_SCRIPT_TRANSFORM (object)->kept, pen_event_unref);
  g_clear_pointer (&PEN_SCRIPT_TRANSFORM (object)->waiting, pen_event_unref);
  G_OBJECT_CLASS (pen_script_transform_parent_class)->dispose (object);
}

static void
pen_script_transform_class_init (PenScriptTransformClass *class)
{
  G_OBJECT_CLASS (class)->dispose = pen_script_transform_dispose;
  PEN_TRANSFORM_CLASS (class)->process = pen_script_transform_process;
  PEN_TRANSFORM_CLASS (class)->tick = pen_script_transform_tick;
  PEN_TRANSFORM_CLASS (class)->drain = pen_script_transform_drain;
  PEN_TRANSFORM_CLASS (class)->holds = pen_script_transform_holds;
}

static void
pen_script_transform_init (PenScriptTransform *self)
{
}

PEN_PLUGIN_DEFINE ("script",
                   "Does what a message says",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_script_transform_get_type)
