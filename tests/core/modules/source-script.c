/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A source that a test plays through its properties.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_SCRIPT_SOURCE (pen_script_source_get_type ())
G_DECLARE_FINAL_TYPE (PenScriptSource, pen_script_source, PEN, SCRIPT_SOURCE, PenSource)

struct _PenScriptSource
{
  PenSource parent_instance;

  GString *story;
  gboolean fails_to_start;
  guint n_events; /* pushed by itself, before it finishes */
};

enum
{
  PROP_0,
  PROP_PUSH,
  PROP_REJECT,
  PROP_FINISH,
  PROP_FAIL,
  PROP_STORY,
  PROP_FAILS_TO_START,
  PROP_EVENTS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenScriptSource, pen_script_source, PEN_TYPE_SOURCE)

static PenEvent *
pen_script_source_make_event (const char *text)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  return pen_event_new (payload, "script/topic", G_GINT64_CONSTANT (1767323045678901));
}

static void
pen_script_source_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenScriptSource *self = PEN_SCRIPT_SOURCE (object);
  PenSource *source = PEN_SOURCE (self);

  switch (id)
    {
    case PROP_PUSH:
      pen_source_push (source, pen_script_source_make_event (g_value_get_string (value)));
      break;
    case PROP_REJECT:
      pen_source_reject (source, pen_script_source_make_event (g_value_get_string (value)),
                         "unwanted", "the test does not want it");
      break;
    case PROP_FINISH:
      pen_source_finish (source);
      break;
    case PROP_FAIL:
      pen_element_fail (
          PEN_ELEMENT (self),
          pen_element_error_new (PEN_ELEMENT_ERROR_FAIL, NULL, "%s", g_value_get_string (value)));
      break;
    case PROP_FAILS_TO_START:
      self->fails_to_start = g_value_get_boolean (value);
      break;
    case PROP_EVENTS:
      self->n_events = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_script_source_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_string (value, PEN_SCRIPT_SOURCE (object)->story->str);
}

static void
pen_script_source_push_all (PenElement *element, gpointer user_data)
{
  PenScriptSource *self = PEN_SCRIPT_SOURCE (element);

  while (self->n_events > 0)
    {
      g_autofree char *text = g_strdup_printf ("%u", self->n_events--);

      pen_source_push (PEN_SOURCE (self), pen_script_source_make_event (text));
    }
  pen_source_finish (PEN_SOURCE (self));
}

static gboolean
pen_script_source_start (PenElement *element, GError **error)
{
  PenScriptSource *self = PEN_SCRIPT_SOURCE (element);

  if (self->fails_to_start)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, NULL, "the test wants no start");
      return FALSE;
    }
  pen_source_set_connected (PEN_SOURCE (element), TRUE);
  g_string_append (self->story, "start;");
  if (self->n_events > 0)
    pen_element_add_timer (element, 0, pen_script_source_push_all, NULL);
  return TRUE;
}

static void
pen_script_source_stop (PenElement *element)
{
  PenSource *source = PEN_SOURCE (element);

  g_string_append_printf (PEN_SCRIPT_SOURCE (element)->story, "stop with %d held;",
                          (int) (pen_source_get_pushed (source) - pen_source_get_settled (source)));
}

static void
pen_script_source_pause (PenSource *source)
{
  g_string_append (PEN_SCRIPT_SOURCE (source)->story, "pause;");
}

static void
pen_script_source_resume (PenSource *source)
{
  g_string_append (PEN_SCRIPT_SOURCE (source)->story, "resume;");
}

static void
pen_script_source_settle (PenSource *source, guint64 position)
{
  g_string_append_printf (PEN_SCRIPT_SOURCE (source)->story, "settle %d;", (int) position);
}

static void
pen_script_source_finalize (GObject *object)
{
  g_string_free (PEN_SCRIPT_SOURCE (object)->story, TRUE);
  G_OBJECT_CLASS (pen_script_source_parent_class)->finalize (object);
}

static void
pen_script_source_class_init (PenScriptSourceClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = pen_script_source_set_property;
  object_class->get_property = pen_script_source_get_property;
  object_class->finalize = pen_script_source_finalize;
  PEN_ELEMENT_CLASS (class)->start = pen_script_source_start;
  PEN_ELEMENT_CLASS (class)->stop = pen_script_source_stop;
  PEN_SOURCE_CLASS (class)->pause = pen_script_source_pause;
  PEN_SOURCE_CLASS (class)->resume = pen_script_source_resume;
  PEN_SOURCE_CLASS (class)->settle = pen_script_source_settle;

  properties[PROP_PUSH] = g_param_spec_string ("push", NULL, "A message", NULL, G_PARAM_WRITABLE);
  properties[PROP_REJECT]
      = g_param_spec_string ("reject", NULL, "A message to reject", NULL, G_PARAM_WRITABLE);
  properties[PROP_FINISH] = g_param_spec_boolean ("finish", NULL, "Ends", FALSE, G_PARAM_WRITABLE);
  properties[PROP_FAIL] = g_param_spec_string ("fail", NULL, "Fails", NULL, G_PARAM_WRITABLE);
  properties[PROP_STORY]
      = g_param_spec_string ("story", NULL, "What happened", NULL, G_PARAM_READABLE);
  properties[PROP_FAILS_TO_START] = g_param_spec_boolean (
      "fails-to-start", NULL, "Whether it fails to start", FALSE, G_PARAM_WRITABLE);
  properties[PROP_EVENTS] = g_param_spec_uint ("events", NULL, "Events that it pushes by itself", 0,
                                               G_MAXUINT, 0, G_PARAM_WRITABLE);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_script_source_init (PenScriptSource *self)
{
  self->story = g_string_new (NULL);
}

PEN_PLUGIN_DEFINE ("script",
                   "Plays what a test says",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_script_source_get_type)
