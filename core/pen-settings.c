/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a keyfile says of a pipeline as a whole. The name is set by whoever loads the keyfile when
 * that does not say it: it is the file's name then.
 */

#include "config.h"

#include "pen-settings.h"
#include "pen-value.h"

#define DEFAULT_DRAIN_TIMEOUT_US (10 * (gint64) G_USEC_PER_SEC)
#define MAX_DRAIN_TIMEOUT_US (3600 * (gint64) G_USEC_PER_SEC)
#define DEFAULT_SPOOL_SIZE_BYTES ((guint64) 1 << 30)
#define MIN_SPOOL_SIZE_BYTES ((guint64) 1 << 20)
#define MAX_SPOOL_SIZE_BYTES ((guint64) 1 << 40)
#define MAX_SPOOL_KEEP_US (3650 * 86400 * (gint64) G_USEC_PER_SEC)

struct _PenSettings
{
  GObject parent_instance;

  /* constant after the definition is loaded */
  char *name;
  char *description;
  gint64 drain_timeout_us;
  gboolean spool;
  guint64 spool_size_bytes;
  gint64 spool_keep_us;
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_DESCRIPTION,
  PROP_DRAIN_TIMEOUT,
  PROP_SPOOL,
  PROP_SPOOL_SIZE,
  PROP_SPOOL_KEEP,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenSettings, pen_settings, G_TYPE_OBJECT)

static void
pen_settings_finalize (GObject *object)
{
  PenSettings *self = PEN_SETTINGS (object);

  g_free (self->name);
  g_free (self->description);
  G_OBJECT_CLASS (pen_settings_parent_class)->finalize (object);
}

static void
pen_settings_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PenSettings *self = PEN_SETTINGS (object);

  switch (id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_DESCRIPTION:
      g_value_set_string (value, self->description);
      break;
    case PROP_DRAIN_TIMEOUT:
      g_value_set_int64 (value, self->drain_timeout_us);
      break;
    case PROP_SPOOL:
      g_value_set_boolean (value, self->spool);
      break;
    case PROP_SPOOL_SIZE:
      g_value_set_uint64 (value, self->spool_size_bytes);
      break;
    case PROP_SPOOL_KEEP:
      g_value_set_int64 (value, self->spool_keep_us);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_settings_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenSettings *self = PEN_SETTINGS (object);

  switch (id)
    {
    case PROP_NAME:
      g_free (self->name);
      self->name = g_value_dup_string (value);
      break;
    case PROP_DESCRIPTION:
      g_free (self->description);
      self->description = g_value_dup_string (value);
      break;
    case PROP_DRAIN_TIMEOUT:
      self->drain_timeout_us = g_value_get_int64 (value);
      break;
    case PROP_SPOOL:
      self->spool = g_value_get_boolean (value);
      break;
    case PROP_SPOOL_SIZE:
      self->spool_size_bytes = g_value_get_uint64 (value);
      break;
    case PROP_SPOOL_KEEP:
      self->spool_keep_us = g_value_get_int64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_settings_class_init (PenSettingsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = pen_settings_finalize;
  object_class->get_property = pen_settings_get_property;
  object_class->set_property = pen_settings_set_property;

  properties[PROP_NAME]
      = g_param_spec_string ("name", NULL, "Name of the pipeline; the default is the file's name",
                             NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_DESCRIPTION] = g_param_spec_string (
      "description", NULL, "What the pipeline is for, one line", NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_DRAIN_TIMEOUT] = pen_param_spec_duration (
      "drain-timeout", "How long to wait, when told to stop, for what is still in flight", 0,
      MAX_DRAIN_TIMEOUT_US, DEFAULT_DRAIN_TIMEOUT_US, PEN_PARAM_DEFAULTS);
  properties[PROP_SPOOL] = g_param_spec_boolean (
      "spool", NULL,
      "Keep what arrives on disk until every sink has it; acknowledge once it is kept", FALSE,
      PEN_PARAM_DEFAULTS);
  properties[PROP_SPOOL_SIZE] = pen_param_spec_size (
      "spool-size", "How much the spool may hold; when it is full, the sources pause",
      MIN_SPOOL_SIZE_BYTES, MAX_SPOOL_SIZE_BYTES, DEFAULT_SPOOL_SIZE_BYTES, PEN_PARAM_DEFAULTS);
  properties[PROP_SPOOL_KEEP] = pen_param_spec_duration (
      "spool-keep", "How long the spool keeps what is delivered, so that it can be replayed", 0,
      MAX_SPOOL_KEEP_US, 0, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_settings_init (PenSettings *self)
{
  self->drain_timeout_us = DEFAULT_DRAIN_TIMEOUT_US;
  self->spool_size_bytes = DEFAULT_SPOOL_SIZE_BYTES;
}

/*
 * pen_settings_new:
 *
 * Returns: (transfer full): the defaults, without a name
 *
 * Threads: any
 */
PenSettings *
pen_settings_new (void)
{
  return g_object_new (PEN_TYPE_SETTINGS, NULL);
}

/*
 * pen_settings_get_name:
 *
 * Returns: (nullable): the pipeline's name; never %NULL in a definition
 *
 * Threads: any
 */
const char *
pen_settings_get_name (PenSettings *self)
{
  return self->name;
}

/*
 * pen_settings_get_description:
 *
 * Returns: (nullable): what the pipeline is for
 *
 * Threads: any
 */
const char *
pen_settings_get_description (PenSettings *self)
{
  return self->description;
}

/*
 * pen_settings_get_drain_timeout:
 *
 * Returns: how long to wait for what is in flight when the pipeline is stopped, in microseconds
 *
 * Threads: any
 */
gint64
pen_settings_get_drain_timeout (PenSettings *self)
{
  return self->drain_timeout_us;
}

/*
 * pen_settings_get_spool:
 *
 * Returns: whether a durable log stands between the sources and the rest
 *
 * Threads: any
 */
gboolean
pen_settings_get_spool (PenSettings *self)
{
  return self->spool;
}

/*
 * pen_settings_get_spool_size:
 *
 * Returns: how much the spool may hold, in bytes
 *
 * Threads: any
 */
guint64
pen_settings_get_spool_size (PenSettings *self)
{
  return self->spool_size_bytes;
}

/*
 * pen_settings_get_spool_keep:
 *
 * Returns: how long the spool keeps what every sink has, in microseconds; 0: not at all
 *
 * Threads: any
 */
gint64
pen_settings_get_spool_keep (PenSettings *self)
{
  return self->spool_keep_us;
}

/*
 * pen_settings_equal:
 *
 * Returns: whether all settings are the same
 *
 * Threads: any
 */
gboolean
pen_settings_equal (PenSettings *self, PenSettings *other)
{
  return g_strcmp0 (self->name, other->name) == 0
         && g_strcmp0 (self->description, other->description) == 0
         && self->drain_timeout_us == other->drain_timeout_us && self->spool == other->spool
         && self->spool_size_bytes == other->spool_size_bytes
         && self->spool_keep_us == other->spool_keep_us;
}
