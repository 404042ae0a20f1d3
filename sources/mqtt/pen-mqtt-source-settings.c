/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties that only the MQTT source has, on top of what all who connect to a broker have.
 */

#include "config.h"

#include "pen-mqtt-source-settings.h"

#include "pen-mqtt-topics.h"

#define SECOND_US G_USEC_PER_SEC
#define DAY_US (24 * 3600 * (gint64) G_USEC_PER_SEC)

#define DEFAULT_QOS 1
#define DEFAULT_CLEAN_SESSION FALSE
#define DEFAULT_SESSION_EXPIRY (7 * DAY_US)
#define DEFAULT_RETAIN_HANDLING PEN_MQTT_RETAIN_ALWAYS
#define DEFAULT_MAX_PAYLOAD (1024 * 1024)
#define DEFAULT_RECONNECT TRUE

/* The largest packet that MQTT can express. */
#define MAXIMUM_PAYLOAD (256 * 1024 * 1024)
#define MAXIMUM_SESSION_EXPIRY (G_MAXUINT32 * (gint64) SECOND_US)

enum
{
  PROP_TOPICS = PEN_MQTT_PROP_OWN,
  PROP_QOS,
  PROP_CLEAN_SESSION,
  PROP_SESSION_EXPIRY,
  PROP_RETAIN_HANDLING,
  PROP_MAX_PAYLOAD,
  PROP_RECONNECT,
  N_PROPERTIES
};

G_STATIC_ASSERT (N_PROPERTIES <= PEN_MQTT_PROP_OWN_LAST + 1);

/* Where a property's value is in PenMqttSourceSettings; its type is the field's. */
static const gsize pen_mqtt_source_offsets[N_PROPERTIES] = {
  [PROP_TOPICS] = G_STRUCT_OFFSET (PenMqttSourceSettings, topics),
  [PROP_QOS] = G_STRUCT_OFFSET (PenMqttSourceSettings, qos),
  [PROP_CLEAN_SESSION] = G_STRUCT_OFFSET (PenMqttSourceSettings, clean_session),
  [PROP_SESSION_EXPIRY] = G_STRUCT_OFFSET (PenMqttSourceSettings, session_expiry_us),
  [PROP_RETAIN_HANDLING] = G_STRUCT_OFFSET (PenMqttSourceSettings, retain_handling),
  [PROP_MAX_PAYLOAD] = G_STRUCT_OFFSET (PenMqttSourceSettings, max_payload_bytes),
  [PROP_RECONNECT] = G_STRUCT_OFFSET (PenMqttSourceSettings, reconnect),
};

static GType
pen_mqtt_retain_handling_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { PEN_MQTT_RETAIN_ALWAYS, "with every subscription", "always" },
    { PEN_MQTT_RETAIN_NEW, "with a subscription that the session did not have", "new" },
    { PEN_MQTT_RETAIN_NEVER, "never", "never" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenMqttRetainHandling", values));
  return type;
}

static gboolean
pen_mqtt_source_settings_is_own (guint id)
{
  return id >= PEN_MQTT_PROP_OWN && id < N_PROPERTIES;
}

/* Installs the properties, also those that all have. Threads: any */
void
pen_mqtt_source_settings_install (GObjectClass *class)
{
  GParamSpec *specs[N_PROPERTIES] = { NULL };

  specs[PROP_TOPICS] = g_param_spec_boxed (
      "topics", NULL, "Topics to subscribe to, with wildcards, or $share/GROUP/TOPIC", G_TYPE_STRV,
      PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED);
  specs[PROP_QOS] = g_param_spec_int (
      "qos", NULL, "Quality of service: 1 (at least once) or 0 (may lose messages)", 0, 2,
      DEFAULT_QOS, PEN_PARAM_DEFAULTS);
  specs[PROP_CLEAN_SESSION] = g_param_spec_boolean (
      "clean-session", NULL, "Begin without what the broker kept while we were away",
      DEFAULT_CLEAN_SESSION, PEN_PARAM_DEFAULTS);
  specs[PROP_SESSION_EXPIRY] = pen_param_spec_duration (
      "session-expiry", "How long the broker keeps the session while we are away (MQTT 5)", 0,
      MAXIMUM_SESSION_EXPIRY, DEFAULT_SESSION_EXPIRY, PEN_PARAM_DEFAULTS);
  specs[PROP_RETAIN_HANDLING] = g_param_spec_enum (
      "retain-handling", NULL, "When the broker sends retained messages (MQTT 5)",
      pen_mqtt_retain_handling_get_type (), DEFAULT_RETAIN_HANDLING, PEN_PARAM_DEFAULTS);
  specs[PROP_MAX_PAYLOAD] = pen_param_spec_size (
      "max-payload", "Largest payload in bytes; larger ones become dead letters", 1,
      MAXIMUM_PAYLOAD, DEFAULT_MAX_PAYLOAD, PEN_PARAM_DEFAULTS);
  specs[PROP_RECONNECT] = g_param_spec_boolean (
      "reconnect", NULL, "Connect again, for ever; otherwise the first failure ends the pipeline",
      DEFAULT_RECONNECT, PEN_PARAM_DEFAULTS);
  pen_mqtt_settings_install (class);
  for (guint id = PEN_MQTT_PROP_OWN; id < N_PROPERTIES; id++)
    g_object_class_install_property (class, id, specs[id]);
}

/* Threads: any */
void
pen_mqtt_source_settings_init (PenMqttSourceSettings *self)
{
  pen_mqtt_settings_init (&self->broker);
  self->qos = DEFAULT_QOS;
  self->clean_session = DEFAULT_CLEAN_SESSION;
  self->session_expiry_us = DEFAULT_SESSION_EXPIRY;
  self->retain_handling = DEFAULT_RETAIN_HANDLING;
  self->max_payload_bytes = DEFAULT_MAX_PAYLOAD;
  self->reconnect = DEFAULT_RECONNECT;
}

/* Threads: any */
void
pen_mqtt_source_settings_clear (PenMqttSourceSettings *self)
{
  pen_mqtt_settings_clear (&self->broker);
  g_strfreev (self->topics);
}

/* Stores @value; TRUE if that changes anything. Threads: any */
gboolean
pen_mqtt_source_settings_set (PenMqttSourceSettings *self, guint id, const GValue *value)
{
  if (!pen_mqtt_source_settings_is_own (id))
    return pen_mqtt_settings_set (&self->broker, id, value);
  return pen_mqtt_field_set (G_STRUCT_MEMBER_P (self, pen_mqtt_source_offsets[id]), value);
}

/* Fills @value. Threads: any */
void
pen_mqtt_source_settings_get (const PenMqttSourceSettings *self, guint id, GValue *value)
{
  if (pen_mqtt_source_settings_is_own (id))
    pen_mqtt_field_get (G_STRUCT_MEMBER_P (self, pen_mqtt_source_offsets[id]), value);
  else
    pen_mqtt_settings_get (&self->broker, id, value);
}

/* For one connection. Threads: any */
PenMqttOptions *
pen_mqtt_source_settings_make_options (const PenMqttSourceSettings *self, const char *client_id)
{
  PenMqttOptions *options = pen_mqtt_settings_make_options (&self->broker, client_id);

  options->clean_session = self->clean_session;
  options->session_expiry_s
      = self->clean_session ? 0 : (guint32) (self->session_expiry_us / SECOND_US);
  return options;
}

/* --- What can be wrong with them --- */

static void
pen_mqtt_source_settings_check_topics (const PenMqttSourceSettings *self, PenCheck *check)
{
  gboolean is_shared = FALSE;

  for (guint i = 0; self->topics != NULL && self->topics[i] != NULL; i++)
    {
      const char *topic = self->topics[i];
      const char *fault = pen_mqtt_filter_find_fault (topic);

      if (fault != NULL)
        pen_check_error (check, "topics", "topic '%s' cannot be subscribed to: %s", topic, fault);
      for (guint before = 0; before < i; before++)
        if (g_str_equal (topic, self->topics[before]))
          pen_check_error (check, "topics", "topic '%s' is listed twice", topic);
      is_shared = is_shared || pen_mqtt_filter_is_shared (topic);
    }
  if (pen_check_is_set (check, "topics") && (self->topics == NULL || self->topics[0] == NULL))
    pen_check_error (check, "topics", "no topic to subscribe to; '#' means all");
  if (is_shared && self->broker.client_id == NULL)
    pen_check_warning (check, "topics",
                       "instances that share a subscription need different ids: set client-id, for "
                       "example to site-${env:HOSTNAME}");
}

static void
pen_mqtt_source_settings_check_session (const PenMqttSourceSettings *self, PenCheck *check)
{
  if (self->qos == 2)
    pen_check_error (check, "qos",
                     "2 is not offered: libmosquitto would confirm a message before it is "
                     "delivered; use 1, which QoS 2 publishers are served at as well");
  if (self->broker.version == PEN_MQTT_VERSION_3_1_1 && pen_check_is_set (check, "session-expiry"))
    pen_check_error (check, "session-expiry", "MQTT 3.1.1 does not have it: set version=5");
  if (self->broker.version == PEN_MQTT_VERSION_3_1_1 && pen_check_is_set (check, "retain-handling"))
    pen_check_error (check, "retain-handling", "MQTT 3.1.1 does not have it: set version=5");
  if (self->clean_session && pen_check_is_set (check, "session-expiry"))
    pen_check_warning (check, "session-expiry", "it has no effect with clean-session=true");
}

/* Says all that is wrong with the properties as a whole. Threads: any */
void
pen_mqtt_source_settings_check (const PenMqttSourceSettings *self, PenCheck *check)
{
  pen_mqtt_source_settings_check_topics (self, check);
  pen_mqtt_source_settings_check_session (self, check);
  pen_mqtt_settings_check (&self->broker, check);
}

/* Says what no other client of the broker may have, and what none should. Threads: any */
void
pen_mqtt_source_settings_check_fleet (const PenMqttSourceSettings *self,
                                      const char *client_id,
                                      PenCheck *check)
{
  g_autofree char *host = g_ascii_strdown (self->broker.host, -1);
  g_autofree char *where
      = g_strdup_printf ("topics at %s:%u", host, pen_mqtt_settings_get_port (&self->broker));

  pen_mqtt_settings_check_client_id (&self->broker, client_id, check);
  for (guint i = 0; self->topics != NULL && self->topics[i] != NULL; i++)
    {
      const char *topic = self->topics[i];
      g_autofree char *prefix = NULL;

      if (pen_mqtt_filter_find_fault (topic) != NULL)
        continue;
      prefix = pen_mqtt_filter_get_prefix (topic);
      pen_check_interest (check, "topics",
                          &(PenInterest){ .where = where,
                                          .what = topic,
                                          .prefix = prefix,
                                          .overlaps = pen_mqtt_filter_repeats,
                                          .why = "a message that matches both is processed twice; "
                                                 "narrow one of them, or give both one shared "
                                                 "subscription: $share/GROUP/TOPIC" });
    }
}
