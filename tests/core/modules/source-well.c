/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A source for the tests of definitions, with a property of every type that a keyfile can set, and
 * some that it cannot.
 */

#include "config.h"

#include <penstock.h>

#define MAX_KEEP_ALIVE_US (3600 * (gint64) G_USEC_PER_SEC)
#define DEFAULT_KEEP_ALIVE_US (60 * (gint64) G_USEC_PER_SEC)
#define DEFAULT_PORT 1883
#define DEFAULT_MAX_PAYLOAD_BYTES (1024 * 1024)

typedef enum
{
  PEN_WELL_TLS_AUTO,
  PEN_WELL_TLS_ON,
  PEN_WELL_TLS_OFF,
} PenWellTls;

static const GEnumValue tls_values[] = {
  { PEN_WELL_TLS_AUTO, "PEN_WELL_TLS_AUTO", "auto" },
  { PEN_WELL_TLS_ON, "PEN_WELL_TLS_ON", "on" },
  { PEN_WELL_TLS_OFF, "PEN_WELL_TLS_OFF", "off" },
  { 0, NULL, NULL },
};

#define PEN_TYPE_WELL_SOURCE (pen_well_source_get_type ())
G_DECLARE_FINAL_TYPE (PenWellSource, pen_well_source, PEN, WELL_SOURCE, PenSource)

/* The properties keep their values as they are set: nothing reads them but the tests. */
enum
{
  PROP_0,
  PROP_HOST,
  PROP_PORT,
  PROP_TOPICS,
  PROP_QOS,
  PROP_CLIENT_ID,
  PROP_CLEAN_SESSION,
  PROP_USERNAME,
  PROP_PASSWORD,
  PROP_TLS,
  PROP_CAFILE,
  PROP_KEEP_ALIVE,
  PROP_MAX_PAYLOAD,
  PROP_FIXED,
  PROP_DEPTH,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

struct _PenWellSource
{
  PenSource parent_instance;

  GValue values[N_PROPERTIES];
};

G_DEFINE_FINAL_TYPE (PenWellSource, pen_well_source, PEN_TYPE_SOURCE)

static GType
pen_well_tls_get_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWellTls", tls_values));
  return type;
}

static void
pen_well_source_check (PenElement *element, PenCheck *check)
{
  PenWellSource *self = PEN_WELL_SOURCE (element);
  const char *host = g_value_get_string (&self->values[PROP_HOST]);
  int tls = g_value_get_enum (&self->values[PROP_TLS]);

  if (pen_check_is_set (check, "password")
      && g_value_get_string (&self->values[PROP_USERNAME]) == NULL)
    pen_check_error (check, "password", "a password needs a 'username' beside it");
  if (pen_check_is_set (check, "password") && tls == PEN_WELL_TLS_OFF)
    pen_check_warning (check, "tls", "the password goes over the network in clear");
  if (host == NULL || *host == '\0')
    pen_check_error (check, "host", "'host' is empty");
  if (!pen_check_is_set (check, "client-id") && pen_check_is_set (check, "clean-session")
      && !g_value_get_boolean (&self->values[PROP_CLEAN_SESSION]))
    pen_check_error (check, NULL, "a session that is kept needs a 'client-id'");
  if (pen_check_wants_environment (check) && g_strcmp0 (host, "nowhere.example") == 0)
    pen_check_warning (check, "host", "there is no 'nowhere.example'");
}

static gboolean
pen_well_source_must_settle_soon (PenSource *source)
{
  return g_value_get_uint (&PEN_WELL_SOURCE (source)->values[PROP_QOS]) > 0;
}

static void
pen_well_source_finalize (GObject *object)
{
  PenWellSource *self = PEN_WELL_SOURCE (object);

  for (guint i = 1; i < N_PROPERTIES; i++)
    g_value_unset (&self->values[i]);
  G_OBJECT_CLASS (pen_well_source_parent_class)->finalize (object);
}

static void
pen_well_source_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_copy (&PEN_WELL_SOURCE (object)->values[id], value);
}

static void
pen_well_source_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  g_value_copy (value, &PEN_WELL_SOURCE (object)->values[id]);
}

static void
pen_well_source_install_login (void)
{
  GParamFlags flags = PEN_PARAM_DEFAULTS;

  properties[PROP_CLIENT_ID]
      = g_param_spec_string ("client-id", NULL, "Name of the session", NULL, flags);
  properties[PROP_CLEAN_SESSION]
      = g_param_spec_boolean ("clean-session", NULL, "Whether to forget the session", FALSE, flags);
  properties[PROP_USERNAME] = g_param_spec_string ("username", NULL, "Who draws", NULL, flags);
  properties[PROP_PASSWORD]
      = g_param_spec_string ("password", NULL, "Its secret", NULL, flags | PEN_PARAM_SECRET);
  properties[PROP_TLS] = g_param_spec_enum ("tls", NULL, "Whether to encrypt",
                                            pen_well_tls_get_type (), PEN_WELL_TLS_AUTO, flags);
  properties[PROP_CAFILE]
      = g_param_spec_string ("cafile", NULL, "Whom to trust", NULL,
                             flags | PEN_PARAM_PATH | PEN_PARAM_INPUT | PEN_PARAM_CONTENT);
}

static void
pen_well_source_class_init (PenWellSourceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = PEN_PARAM_DEFAULTS;

  object_class->finalize = pen_well_source_finalize;
  object_class->get_property = pen_well_source_get_property;
  object_class->set_property = pen_well_source_set_property;
  PEN_ELEMENT_CLASS (klass)->check = pen_well_source_check;
  PEN_SOURCE_CLASS (klass)->must_settle_soon = pen_well_source_must_settle_soon;

  properties[PROP_HOST]
      = g_param_spec_string ("host", NULL, "Where to draw from", NULL, flags | PEN_PARAM_REQUIRED);
  properties[PROP_PORT]
      = g_param_spec_int ("port", NULL, "Port to draw from", 1, G_MAXUINT16, DEFAULT_PORT, flags);
  properties[PROP_TOPICS] = g_param_spec_boxed ("topics", NULL, "What to draw", G_TYPE_STRV,
                                                flags | PEN_PARAM_REQUIRED);
  properties[PROP_QOS] = g_param_spec_uint ("qos", NULL, "How sure to be", 0, 1, 1, flags);
  pen_well_source_install_login ();
  properties[PROP_KEEP_ALIVE]
      = pen_param_spec_duration ("keep-alive", "Time between signs of life", 5 * G_USEC_PER_SEC,
                                 MAX_KEEP_ALIVE_US, DEFAULT_KEEP_ALIVE_US, flags);
  properties[PROP_MAX_PAYLOAD] = pen_param_spec_size (
      "max-payload", "Largest bucket", 1, 64 * 1024 * 1024, DEFAULT_MAX_PAYLOAD_BYTES, flags);
  properties[PROP_FIXED] = g_param_spec_string ("fixed", NULL, "Set when it is made", NULL,
                                                flags | G_PARAM_CONSTRUCT_ONLY);
  properties[PROP_DEPTH] = g_param_spec_uint ("depth", NULL, "What is left in m", 0, 100, 0,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_well_source_init (PenWellSource *self)
{
  for (guint i = 1; i < N_PROPERTIES; i++)
    {
      g_value_init (&self->values[i], properties[i]->value_type);
      g_param_value_set_default (properties[i], &self->values[i]);
    }
}

PEN_PLUGIN_DEFINE ("well", "Gives nothing", "1", "LGPL-2.1-or-later", "", pen_well_source_get_type)
