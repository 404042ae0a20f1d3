/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishes events to an MQTT broker. An event is accepted when the broker has acknowledged it
 * (QoS 1: PUBACK; 2: PUBCOMP), with QoS 0 when it is in the socket.
 *
 * A batch is published as a whole, as far as the window of acknowledgements allows, and then waited
 * for: so a round trip is paid once for a window, not for each event. When the connection breaks,
 * those that were acknowledged are done, and the others are tried again on the next one.
 *
 * It blocks, so it runs on a worker. `write` means "written when it returns", and here that takes a
 * round trip; an event-driven sink would need a `write` that ends later, which the interface does
 * not have and which one sink alone does not justify. A worker is used only while a batch is on its
 * way: between batches a pipeline costs its socket, and `flush`, some times in a keep-alive, sends
 * the pings, notices that the broker has gone, and connects again.
 */

#include "config.h"

#include "pen-mqtt-sink.h"

#include "pen-mqtt-sender.h"
#include "pen-mqtt-sink-settings.h"
#include "pen-mqtt-topic-template.h"

#include <mqtt_protocol.h>

/* The broker gives up after 1.5 times the keep-alive; these are the intervals in it. */
#define FLUSHES_PER_KEEP_ALIVE 8
#define LONGEST_FLUSH_US (10 * (gint64) G_USEC_PER_SEC)
/* Reason codes from here on are refusals (MQTT 5, 2.4). */
#define FIRST_REFUSAL 128
/* What MQTT 5 says at the login, and 3.1.1 does not: brokers throw out who has more of QoS 2. */
#define USUAL_RECEIVE_MAXIMUM 20

struct _PenMqttSink
{
  PenSink parent;

  /* constant after start */
  PenMqttSinkSettings settings;
  char *client_id;
  char *address; /* "host:port", for messages */

  /* worker */
  PenMqttTopicTemplate *template;
  PenMqttSender *sender;
  PenBatch *batch; /* that is being written */
  guint n_refused; /* of it, for now */
  int refusal;
};

G_DEFINE_FINAL_TYPE (PenMqttSink, pen_mqtt_sink, PEN_TYPE_SINK)

/* --- What becomes of an event --- */

/* What will never be taken, however often it is sent. */
static const char *
pen_mqtt_sink_describe_rejection (int reason)
{
  switch (reason)
    {
    case MQTT_RC_NOT_AUTHORIZED:
      return "not authorised: this login may not publish to it";
    case MQTT_RC_TOPIC_NAME_INVALID:
      return "it does not accept this topic";
    case MQTT_RC_PACKET_TOO_LARGE:
      return "the message is larger than it takes";
    case MQTT_RC_PAYLOAD_FORMAT_INVALID:
      return "it does not accept this payload";
    default:
      return NULL;
    }
}

static const char *
pen_mqtt_sink_name_rejection (int reason)
{
  switch (reason)
    {
    case MQTT_RC_NOT_AUTHORIZED:
      return "not_authorised";
    case MQTT_RC_TOPIC_NAME_INVALID:
      return "bad_topic";
    case MQTT_RC_PACKET_TOO_LARGE:
      return "too_large";
    default:
      return "refused";
    }
}

static void
pen_mqtt_sink_on_outcome (gpointer user_data, guint number, int reason)
{
  PenMqttSink *self = user_data;
  PenEvent *event = pen_batch_get_event (self->batch, number);
  const char *rejection = pen_mqtt_sink_describe_rejection (reason);
  g_autoptr (GError) error = NULL;

  if (reason < FIRST_REFUSAL)
    pen_batch_accept (self->batch, number);
  else if (rejection != NULL)
    pen_batch_reject (
        self->batch, number, pen_mqtt_sink_name_rejection (reason),
        "%s: the broker refused the message for topic '%s': %s", self->address,
        pen_mqtt_topic_template_expand (
            self->template, pen_element_get_pipeline_name (PEN_ELEMENT (self)), event, &error),
        rejection);
  else
    {
      self->n_refused++;
      self->refusal = reason;
    }
}

/* What libmosquitto does not take for the message's sake; FALSE with what may pass later. */
static gboolean
pen_mqtt_sink_reject (PenMqttSink *self, guint index, int status, GError **error)
{
  switch (status)
    {
    case MOSQ_ERR_SUCCESS:
      return TRUE;
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_PAYLOAD_SIZE:
      pen_batch_reject (self->batch, index, "too_large",
                        "%s: the message is larger than the broker takes (its Maximum Packet Size)",
                        self->address);
      return TRUE;
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
      pen_batch_reject (self->batch, index, "bad_message", "it cannot be a message of MQTT: %s",
                        mosquitto_strerror (status));
      return TRUE;
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "qos",
                             "%s: the broker does not take QoS %d: set a lower qos", self->address,
                             self->settings.qos);
      return FALSE;
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "retain",
                             "%s: the broker keeps no retained messages: set retain=false",
                             self->address);
      return FALSE;
    default:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "publish", "%s: cannot publish: %s",
                             self->address, mosquitto_strerror (status));
      return FALSE;
    }
}

/* Of MQTT 5; FALSE: one of them is not possible. */
static gboolean
pen_mqtt_sink_make_properties (PenMqttSink *self, PenEvent *event, mosquitto_property **properties)
{
  const char *content_type = pen_event_get_content_type (event);
  gint64 expiry_us = self->settings.message_expiry_us;
  int status = MOSQ_ERR_SUCCESS;

  if (content_type == NULL)
    content_type = self->settings.content_type;
  if (expiry_us > 0)
    status = mosquitto_property_add_int32 (
        properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
        (guint32) ((expiry_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC));
  if (status == MOSQ_ERR_SUCCESS && content_type != NULL)
    status = mosquitto_property_add_string (properties, MQTT_PROP_CONTENT_TYPE, content_type);
  if (!self->settings.user_properties)
    return status == MOSQ_ERR_SUCCESS;
  for (guint i = 0; i < pen_event_get_n_user_properties (event); i++)
    {
      const char *name;
      const char *value;

      pen_event_get_user_property (event, i, &name, &value);
      if (status == MOSQ_ERR_SUCCESS)
        status
            = mosquitto_property_add_string_pair (properties, MQTT_PROP_USER_PROPERTY, name, value);
    }
  return status == MOSQ_ERR_SUCCESS;
}

static gboolean
pen_mqtt_sink_publish (PenMqttSink *self, PenMqttMessage *message, guint index, GError **error)
{
  PenEvent *event = pen_batch_get_event (self->batch, index);
  mosquitto_property *properties = NULL;
  gboolean is_good = TRUE;
  int status = MOSQ_ERR_MALFORMED_UTF8;

  if (self->settings.broker.version == PEN_MQTT_VERSION_5)
    is_good = pen_mqtt_sink_make_properties (self, event, &properties);
  message->properties = properties;
  if (is_good)
    status = pen_mqtt_sender_publish (self->sender, message, index);
  mosquitto_property_free_all (&properties);
  return pen_mqtt_sink_reject (self, index, status, error);
}

static gboolean
pen_mqtt_sink_write_event (PenMqttSink *self, guint index, GError **error)
{
  PenEvent *event = pen_batch_get_event (self->batch, index);
  PenMqttMessage message = { .qos = self->settings.qos, .retain = self->settings.retain };
  g_autoptr (GError) refusal = NULL;

  message.payload = pen_event_get_data (event, &message.length);
  message.topic = pen_mqtt_topic_template_expand (
      self->template, pen_element_get_pipeline_name (PEN_ELEMENT (self)), event, &refusal);
  if (message.topic == NULL)
    pen_batch_reject (self->batch, index, pen_element_error_get_reason (refusal), "%s",
                      refusal->message);
  else if (message.length > self->settings.max_payload_bytes)
    pen_batch_reject (self->batch, index, "too_large",
                      "the payload has %" G_GSIZE_FORMAT
                      " bytes; max-payload is %" G_GUINT64_FORMAT,
                      message.length, self->settings.max_payload_bytes);
  else
    return pen_mqtt_sink_publish (self, &message, index, error);
  return TRUE;
}

static gboolean
pen_mqtt_sink_write_open (PenMqttSink *self, GError **error)
{
  guint window = (guint) self->settings.in_flight;

  for (guint i = 0; i < pen_batch_get_n_events (self->batch); i++)
    {
      if (!pen_batch_is_open (self->batch, i))
        continue;
      /* half of it is still on its way while the rest is filled up */
      if (pen_mqtt_sender_get_n_under_way (self->sender) >= window
          && !pen_mqtt_sender_await (self->sender, window / 2, error))
        return FALSE;
      if (!pen_mqtt_sink_write_event (self, i, error))
        return FALSE;
    }
  if (!pen_mqtt_sender_await (self->sender, 0, error))
    return FALSE;
  if (self->n_refused == 0)
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "refused",
                         "%s: the broker refused %u of %u messages for now: %s", self->address,
                         self->n_refused, pen_batch_get_n_events (self->batch),
                         mosquitto_reason_string (self->refusal));
  return FALSE;
}

static gboolean
pen_mqtt_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  PenMqttSink *self = PEN_MQTT_SINK (sink);
  gboolean is_good;

  if (!pen_mqtt_sender_connect (self->sender, error))
    return FALSE;
  self->batch = batch;
  self->n_refused = 0;
  is_good = pen_mqtt_sink_write_open (self, error);
  /* what has no outcome is published again: an answer that comes late must not count for that */
  if (pen_mqtt_sender_get_n_under_way (self->sender) > 0)
    pen_mqtt_sender_drop (self->sender);
  self->batch = NULL;
  return is_good;
}

static gboolean
pen_mqtt_sink_flush (PenSink *sink, GError **error)
{
  return pen_mqtt_sender_keep (PEN_MQTT_SINK (sink)->sender, error);
}

/* --- Life --- */

static char *
pen_mqtt_sink_make_client_id (PenMqttSink *self)
{
  PenElement *element = PEN_ELEMENT (self);
  const char *pipeline = pen_element_get_pipeline_name (element);
  const char *label = pen_element_get_label (element);

  if (self->settings.broker.client_id != NULL)
    return g_strdup (self->settings.broker.client_id);
  if (label != NULL && g_str_has_prefix (label, "dead-letter "))
    return g_strdup_printf ("penstock-%s-dead-letter", pipeline);
  if (pen_element_is_only_of_kind (element))
    return g_strdup_printf ("penstock-%s-sink", pipeline);
  return g_strdup_printf ("penstock-%s-sink-%s", pipeline, pen_element_get_name (element));
}

static void
pen_mqtt_sink_release (PenMqttSink *self)
{
  g_clear_pointer (&self->sender, pen_mqtt_sender_free);
  g_clear_pointer (&self->template, pen_mqtt_topic_template_free);
  g_clear_pointer (&self->client_id, g_free);
  g_clear_pointer (&self->address, g_free);
}

static gboolean
pen_mqtt_sink_prepare (PenMqttSink *self, GError **error)
{
  const PenMqttSettings *broker = &self->settings.broker;
  gboolean is_cautious = self->settings.qos == 2 && broker->version == PEN_MQTT_VERSION_3_1_1;
  PenMqttSenderOptions options = {
    .element = PEN_ELEMENT (self),
    .settings = broker,
    .in_flight = (guint) (is_cautious ? MIN (self->settings.in_flight, USUAL_RECEIVE_MAXIMUM)
                                      : self->settings.in_flight),
    .acknowledge_timeout_us = self->settings.acknowledge_timeout_us,
    .outcome = pen_mqtt_sink_on_outcome,
    .user_data = self,
  };

  if (broker->host == NULL || self->settings.topic == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "bad_settings",
                             "host and topic must be set");
      return FALSE;
    }
  self->template = pen_mqtt_topic_template_new (self->settings.topic, error);
  if (self->template == NULL)
    return FALSE;
  self->client_id = pen_mqtt_sink_make_client_id (self);
  self->address = g_strdup_printf ("%s:%u", broker->host, pen_mqtt_settings_get_port (broker));
  options.client_id = self->client_id;
  options.address = self->address;
  pen_mqtt_settings_warn (broker, PEN_ELEMENT (self), self->address);
  self->sender = pen_mqtt_sender_new (&options);
  return TRUE;
}

static gboolean
pen_mqtt_sink_start (PenElement *element, GError **error)
{
  PenMqttSink *self = PEN_MQTT_SINK (element);

  pen_sink_set_flush_interval (
      PEN_SINK (self),
      MIN (self->settings.broker.keep_alive_us / FLUSHES_PER_KEEP_ALIVE, LONGEST_FLUSH_US));
  if (pen_mqtt_sink_prepare (self, error) && pen_mqtt_sender_connect (self->sender, error))
    return TRUE;
  pen_mqtt_sink_release (self);
  return FALSE;
}

static void
pen_mqtt_sink_stop (PenElement *element)
{
  pen_mqtt_sink_release (PEN_MQTT_SINK (element));
}

static void
pen_mqtt_sink_check (PenElement *element, PenCheck *check)
{
  PenMqttSink *self = PEN_MQTT_SINK (element);
  g_autofree char *client_id = pen_mqtt_sink_make_client_id (self);

  pen_mqtt_sink_settings_check (&self->settings, check);
  if (self->settings.broker.host != NULL)
    pen_mqtt_settings_check_client_id (&self->settings.broker, client_id, check);
}

static void
pen_mqtt_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  if (pen_mqtt_sink_settings_set (&PEN_MQTT_SINK (object)->settings, id, value))
    g_object_notify_by_pspec (object, spec);
}

static void
pen_mqtt_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  pen_mqtt_sink_settings_get (&PEN_MQTT_SINK (object)->settings, id, value);
}

static void
pen_mqtt_sink_finalize (GObject *object)
{
  PenMqttSink *self = PEN_MQTT_SINK (object);

  if (self->sender != NULL)
    pen_mqtt_sender_drop (self->sender);
  pen_mqtt_sink_release (self);
  pen_mqtt_sink_settings_clear (&self->settings);
  G_OBJECT_CLASS (pen_mqtt_sink_parent_class)->finalize (object);
}

static void
pen_mqtt_sink_class_init (PenMqttSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSinkClass *sink_class = PEN_SINK_CLASS (class);

  object_class->set_property = pen_mqtt_sink_set_property;
  object_class->get_property = pen_mqtt_sink_get_property;
  object_class->finalize = pen_mqtt_sink_finalize;
  element_class->check = pen_mqtt_sink_check;
  element_class->start = pen_mqtt_sink_start;
  element_class->stop = pen_mqtt_sink_stop;
  sink_class->write = pen_mqtt_sink_write;
  sink_class->flush = pen_mqtt_sink_flush;
  sink_class->may_block = TRUE;
  pen_mqtt_sink_settings_install (object_class);
}

static void
pen_mqtt_sink_init (PenMqttSink *self)
{
  pen_mqtt_sink_settings_init (&self->settings);
}

PEN_PLUGIN_DEFINE ("mqtt",
                   "Publishes events to an MQTT broker and accepts them when acknowledged",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sinks/mqtt/README.md",
                   pen_mqtt_sink_get_type)
