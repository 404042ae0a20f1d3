/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties that only the MQTT sink has, on top of what all who connect to a broker have.
 */

#include "config.h"

#include "pen-mqtt-sink-settings.h"

#include "pen-mqtt-topic-template.h"

#include <string.h>

#define SECOND_US ((gint64) G_USEC_PER_SEC)

#define DEFAULT_QOS 1
#define DEFAULT_RETAIN FALSE
#define DEFAULT_USER_PROPERTIES TRUE
#define DEFAULT_MESSAGE_EXPIRY 0
#define DEFAULT_MAX_PAYLOAD (1024 * 1024)
#define DEFAULT_IN_FLIGHT 100
#define DEFAULT_ACKNOWLEDGE_TIMEOUT (30 * SECOND_US)

/* The largest packet that MQTT can express, less room for its header. */
#define MAXIMUM_PAYLOAD (255 * 1024 * 1024)
#define MAXIMUM_MESSAGE_EXPIRY (G_MAXUINT32 * SECOND_US)
/* Packets have ids of 16 bits. */
#define MAXIMUM_IN_FLIGHT 10000
#define MAXIMUM_STRING 65535

enum
{
  PROP_TOPIC = PEN_MQTT_PROP_OWN,
  PROP_QOS,
  PROP_RETAIN,
  PROP_CONTENT_TYPE,
  PROP_USER_PROPERTIES,
  PROP_MESSAGE_EXPIRY,
  PROP_MAX_PAYLOAD,
  PROP_IN_FLIGHT,
  PROP_ACKNOWLEDGE_TIMEOUT,
  N_PROPERTIES
};

G_STATIC_ASSERT (N_PROPERTIES <= PEN_MQTT_PROP_OWN_LAST + 1);

/* Where a property's value is in PenMqttSinkSettings; its type is the field's. */
static const gsize pen_mqtt_sink_offsets[N_PROPERTIES] = {
  [PROP_TOPIC] = G_STRUCT_OFFSET (PenMqttSinkSettings, topic),
  [PROP_QOS] = G_STRUCT_OFFSET (PenMqttSinkSettings, qos),
  [PROP_RETAIN] = G_STRUCT_OFFSET (PenMqttSinkSettings, retain),
  [PROP_CONTENT_TYPE] = G_STRUCT_OFFSET (PenMqttSinkSettings, content_type),
  [PROP_USER_PROPERTIES] = G_STRUCT_OFFSET (PenMqttSinkSettings, user_properties),
  [PROP_MESSAGE_EXPIRY] = G_STRUCT_OFFSET (PenMqttSinkSettings, message_expiry_us),
  [PROP_MAX_PAYLOAD] = G_STRUCT_OFFSET (PenMqttSinkSettings, max_payload_bytes),
  [PROP_IN_FLIGHT] = G_STRUCT_OFFSET (PenMqttSinkSettings, in_flight),
  [PROP_ACKNOWLEDGE_TIMEOUT] = G_STRUCT_OFFSET (PenMqttSinkSettings, acknowledge_timeout_us),
};

static gboolean
pen_mqtt_sink_settings_is_own (guint id)
{
  return id >= PEN_MQTT_PROP_OWN && id < N_PROPERTIES;
}

static void
pen_mqtt_sink_settings_make_message (GParamSpec **specs)
{
  specs[PROP_TOPIC] = g_param_spec_string (
      "topic", NULL,
      "Topic to publish to, with places that are filled for each event: {topic}, {topic:N}, "
      "{field:NAME}, {pipeline}, {time:FORMAT}",
      NULL, PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED);
  specs[PROP_QOS] = g_param_spec_int (
      "qos", NULL, "Quality of service: 1 (at least once), 2, or 0 (may lose messages)", 0, 2,
      DEFAULT_QOS, PEN_PARAM_DEFAULTS);
  specs[PROP_RETAIN] = g_param_spec_boolean (
      "retain", NULL, "Whether the broker keeps the last message of each topic for who comes later",
      DEFAULT_RETAIN, PEN_PARAM_DEFAULTS);
  specs[PROP_CONTENT_TYPE] = g_param_spec_string (
      "content-type", NULL, "Content type of messages whose event has none (MQTT 5)", NULL,
      PEN_PARAM_DEFAULTS);
  specs[PROP_USER_PROPERTIES] = g_param_spec_boolean (
      "user-properties", NULL, "Pass the user properties of events on (MQTT 5)",
      DEFAULT_USER_PROPERTIES, PEN_PARAM_DEFAULTS);
  specs[PROP_MESSAGE_EXPIRY] = pen_param_spec_duration (
      "message-expiry",
      "How long the broker keeps a message for a client that is away; 0s: for ever (MQTT 5)", 0,
      MAXIMUM_MESSAGE_EXPIRY, DEFAULT_MESSAGE_EXPIRY, PEN_PARAM_DEFAULTS);
  specs[PROP_MAX_PAYLOAD] = pen_param_spec_size (
      "max-payload", "Largest payload in bytes; larger ones become dead letters", 1,
      MAXIMUM_PAYLOAD, DEFAULT_MAX_PAYLOAD, PEN_PARAM_DEFAULTS);
}

/* Installs the properties, also those that all have. Threads: any */
void
pen_mqtt_sink_settings_install (GObjectClass *class)
{
  GParamSpec *specs[N_PROPERTIES] = { NULL };

  pen_mqtt_sink_settings_make_message (specs);
  specs[PROP_IN_FLIGHT] = g_param_spec_int (
      "in-flight", NULL, "Messages that are sent before their acknowledgements have come", 1,
      MAXIMUM_IN_FLIGHT, DEFAULT_IN_FLIGHT, PEN_PARAM_DEFAULTS);
  specs[PROP_ACKNOWLEDGE_TIMEOUT] = pen_param_spec_duration (
      "acknowledge-timeout",
      "How long the broker may take for the next acknowledgement before the connection is given up",
      SECOND_US / 10, 3600 * SECOND_US, DEFAULT_ACKNOWLEDGE_TIMEOUT, PEN_PARAM_DEFAULTS);
  pen_mqtt_settings_install (class);
  for (guint id = PEN_MQTT_PROP_OWN; id < N_PROPERTIES; id++)
    g_object_class_install_property (class, id, specs[id]);
}

/* Threads: any */
void
pen_mqtt_sink_settings_init (PenMqttSinkSettings *self)
{
  pen_mqtt_settings_init (&self->broker);
  self->qos = DEFAULT_QOS;
  self->retain = DEFAULT_RETAIN;
  self->user_properties = DEFAULT_USER_PROPERTIES;
  self->message_expiry_us = DEFAULT_MESSAGE_EXPIRY;
  self->max_payload_bytes = DEFAULT_MAX_PAYLOAD;
  self->in_flight = DEFAULT_IN_FLIGHT;
  self->acknowledge_timeout_us = DEFAULT_ACKNOWLEDGE_TIMEOUT;
}

/* Threads: any */
void
pen_mqtt_sink_settings_clear (PenMqttSinkSettings *self)
{
  pen_mqtt_settings_clear (&self->broker);
  g_free (self->topic);
  g_free (self->content_type);
}

/* Stores @value; TRUE if that changes anything. Threads: any */
gboolean
pen_mqtt_sink_settings_set (PenMqttSinkSettings *self, guint id, const GValue *value)
{
  if (!pen_mqtt_sink_settings_is_own (id))
    return pen_mqtt_settings_set (&self->broker, id, value);
  return pen_mqtt_field_set (G_STRUCT_MEMBER_P (self, pen_mqtt_sink_offsets[id]), value);
}

/* Fills @value. Threads: any */
void
pen_mqtt_sink_settings_get (const PenMqttSinkSettings *self, guint id, GValue *value)
{
  if (pen_mqtt_sink_settings_is_own (id))
    pen_mqtt_field_get (G_STRUCT_MEMBER_P (self, pen_mqtt_sink_offsets[id]), value);
  else
    pen_mqtt_settings_get (&self->broker, id, value);
}

/* --- What can be wrong with them --- */

static void
pen_mqtt_sink_settings_check_topic (const PenMqttSinkSettings *self, PenCheck *check)
{
  g_autoptr (PenMqttTopicTemplate) template = NULL;
  g_autoptr (GError) error = NULL;

  if (self->topic == NULL)
    return;
  template = pen_mqtt_topic_template_new (self->topic, &error);
  if (template == NULL)
    pen_check_error (check, "topic", "%s", error->message);
  else if (g_str_has_prefix (self->topic, "$share/"))
    pen_check_error (check, "topic",
                     "'%s' is a shared subscription: one publishes to the topic "
                     "behind the group's name",
                     self->topic);
}

/* Says all that is wrong with the properties as a whole. Threads: any */
void
pen_mqtt_sink_settings_check (const PenMqttSinkSettings *self, PenCheck *check)
{
  static const char *const of_mqtt_5[] = { "content-type", "user-properties", "message-expiry" };

  pen_mqtt_sink_settings_check_topic (self, check);
  for (guint i = 0; i < G_N_ELEMENTS (of_mqtt_5); i++)
    if (self->broker.version == PEN_MQTT_VERSION_3_1_1 && pen_check_is_set (check, of_mqtt_5[i]))
      pen_check_error (check, of_mqtt_5[i], "MQTT 3.1.1 does not have it: set version=5");
  if (self->content_type != NULL
      && (strlen (self->content_type) > MAXIMUM_STRING
          || !g_utf8_validate (self->content_type, -1, NULL)))
    pen_check_error (check, "content-type", "it must be UTF-8 and have at most 65535 bytes");
  if (self->qos == 0 && pen_check_is_set (check, "acknowledge-timeout"))
    pen_check_warning (check, "acknowledge-timeout", "it has no effect with qos=0");
  pen_mqtt_settings_check (&self->broker, check);
}
