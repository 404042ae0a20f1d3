/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink that a test plays through its properties: fails, blocks, and tells what it wrote.
 */

#include "config.h"

#include <penstock.h>

#define PEN_TYPE_SCRIPT_SINK (pen_script_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenScriptSink, pen_script_sink, PEN, SCRIPT_SINK, PenSink)

struct _PenScriptSink
{
  PenSink parent_instance;

  GMutex lock; /* everything below */
  GCond released;
  GString *story;
  int fail_code;
  guint n_failures;
  gboolean is_held;
  gboolean blocks;
  char *hangs_in; /* "start", "write", "flush" or "stop", which never return then */
};

enum
{
  PROP_0,
  PROP_FAIL_CODE,
  PROP_FAILURES,
  PROP_HELD,
  PROP_BLOCKS,
  PROP_HANGS_IN,
  PROP_STORY,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenScriptSink, pen_script_sink, PEN_TYPE_SINK)

static void
pen_script_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (object);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  switch (id)
    {
    case PROP_FAIL_CODE:
      self->fail_code = g_value_get_int (value);
      break;
    case PROP_FAILURES:
      self->n_failures = g_value_get_uint (value);
      break;
    case PROP_HELD:
      self->is_held = g_value_get_boolean (value);
      g_cond_broadcast (&self->released);
      break;
    case PROP_BLOCKS:
      self->blocks = g_value_get_boolean (value);
      break;
    case PROP_HANGS_IN:
      g_free (self->hangs_in);
      self->hangs_in = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_script_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (object);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_value_set_string (value, self->story->str);
}

static void
pen_script_sink_enter (PenScriptSink *self, const char *step)
{
  if (g_strcmp0 (self->hangs_in, step) == 0)
    pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_INFO, "hangs in %s", step);
  while (g_strcmp0 (self->hangs_in, step) == 0)
    g_cond_wait (&self->released, &self->lock);
}

static gboolean
pen_script_sink_may_pass (PenScriptSink *self, GError **error)
{
  while (self->is_held)
    g_cond_wait (&self->released, &self->lock);
  if (self->n_failures == 0)
    return TRUE;
  self->n_failures--;
  pen_element_set_error (error, (PenElementError) self->fail_code, "script", "the test wants it");
  return FALSE;
}

static gboolean
pen_script_sink_start (PenElement *element, GError **error)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (element);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  pen_script_sink_enter (self, "start");
  if (self->hangs_in != NULL)
    pen_element_log (element, G_LOG_LEVEL_INFO, "opens");
  return pen_script_sink_may_pass (self, error);
}

static void
pen_script_sink_stop (PenElement *element)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (element);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  pen_script_sink_enter (self, "stop");
  g_string_append (self->story, "stop");
}

static gboolean
pen_script_sink_flush (PenSink *sink, GError **error)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (sink);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  pen_script_sink_enter (self, "flush");
  return TRUE;
}

static gboolean
pen_script_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (sink);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  pen_script_sink_enter (self, "write");
  if (!pen_script_sink_may_pass (self, error))
    return FALSE;
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      gsize length = 0;
      PenEvent *event = pen_batch_get_event (batch, i);
      const char *text = pen_event_get_data (event, &length);
      gboolean is_replayed = (pen_event_get_flags (event) & PEN_EVENT_REPLAYED) != 0;

      if (length > 1 && text[1] == 'x')
        pen_batch_reject (batch, i, "has_x", "'%.*s' has an x", (int) length, text);
      else
        g_string_append_printf (self->story, "%s%.*s;", is_replayed ? "replayed " : "",
                                (int) length, text);
    }
  return TRUE;
}

static gboolean
pen_script_sink_blocks (PenSink *sink)
{
  return PEN_SCRIPT_SINK (sink)->blocks;
}

static void
pen_script_sink_finalize (GObject *object)
{
  PenScriptSink *self = PEN_SCRIPT_SINK (object);

  g_string_free (self->story, TRUE);
  g_free (self->hangs_in);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->released);
  G_OBJECT_CLASS (pen_script_sink_parent_class)->finalize (object);
}

static void
pen_script_sink_class_init (PenScriptSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = pen_script_sink_set_property;
  object_class->get_property = pen_script_sink_get_property;
  object_class->finalize = pen_script_sink_finalize;
  PEN_ELEMENT_CLASS (class)->start = pen_script_sink_start;
  PEN_ELEMENT_CLASS (class)->stop = pen_script_sink_stop;
  PEN_SINK_CLASS (class)->write = pen_script_sink_write;
  PEN_SINK_CLASS (class)->flush = pen_script_sink_flush;
  PEN_SINK_CLASS (class)->blocks = pen_script_sink_blocks;

  properties[PROP_FAIL_CODE]
      = g_param_spec_int ("fail-code", NULL, "How it fails", 0, 3, 1, G_PARAM_WRITABLE);
  properties[PROP_FAILURES] = g_param_spec_uint ("failures", NULL, "How often it fails", 0,
                                                 G_MAXUINT, 0, G_PARAM_WRITABLE);
  properties[PROP_HELD]
      = g_param_spec_boolean ("held", NULL, "Whether it hangs", FALSE, G_PARAM_WRITABLE);
  properties[PROP_BLOCKS]
      = g_param_spec_boolean ("blocks", NULL, "Whether it may block", FALSE, G_PARAM_WRITABLE);
  properties[PROP_HANGS_IN]
      = g_param_spec_string ("hangs-in", NULL, "Where it hangs for ever", NULL, G_PARAM_WRITABLE);
  properties[PROP_STORY]
      = g_param_spec_string ("story", NULL, "What happened", NULL, G_PARAM_READABLE);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_script_sink_init (PenScriptSink *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->released);
  self->fail_code = PEN_ELEMENT_ERROR_RETRY;
  self->story = g_string_new (NULL);
}

PEN_PLUGIN_DEFINE ("script",
                   "Writes, fails or hangs as a test says",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_script_sink_get_type)
