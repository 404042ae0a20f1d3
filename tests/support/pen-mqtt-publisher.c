/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A small MQTT publisher for tests, on libmosquitto, MQTT 5, without TLS. It has a connection of
 * its own, kept through broker restarts: what the broker has not confirmed is sent again.
 */

#include "config.h"

#include "pen-mqtt-publisher.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

struct _PenMqttPublisher
{
  struct mosquitto *client;
  guint port;
  guint n_sent;
  guint n_confirmed;
  gboolean is_connected;
  PenMqttPublisherFunc confirmed;
  gpointer user_data;
};

static void
pen_mqtt_publisher_on_connect (struct mosquitto *client,
                               void *user_data,
                               int reason,
                               int flags,
                               const mosquitto_property *all)
{
  PenMqttPublisher *self = user_data;

  self->is_connected = reason == 0;
}

static void
pen_mqtt_publisher_on_publish (struct mosquitto *client,
                               void *user_data,
                               int id,
                               int reason,
                               const mosquitto_property *all)
{
  PenMqttPublisher *self = user_data;

  self->n_confirmed++;
  if (self->confirmed != NULL)
    self->confirmed (id, self->user_data);
}

/* Waits up to five seconds until the broker has accepted it. */
PenMqttPublisher *
pen_mqtt_publisher_new (guint port, const char *username, const char *password)
{
  PenMqttPublisher *self = g_new0 (PenMqttPublisher, 1);
  gint64 deadline = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  int status;

  mosquitto_lib_init ();
  self->port = port;
  self->client = mosquitto_new (NULL, TRUE, self);
  mosquitto_int_option (self->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option (self->client, MOSQ_OPT_SEND_MAXIMUM, 0);
  mosquitto_username_pw_set (self->client, username, password);
  mosquitto_connect_v5_callback_set (self->client, pen_mqtt_publisher_on_connect);
  mosquitto_publish_v5_callback_set (self->client, pen_mqtt_publisher_on_publish);
  status = mosquitto_connect (self->client, "127.0.0.1", (int) port, 60);
  g_assert_cmpint (status, ==, MOSQ_ERR_SUCCESS);
  while (!self->is_connected && g_get_monotonic_time () < deadline)
    mosquitto_loop (self->client, 10, 1);
  g_assert_true (self->is_connected);
  return self;
}

void
pen_mqtt_publisher_free (PenMqttPublisher *self)
{
  mosquitto_disconnect (self->client);
  mosquitto_destroy (self->client);
  g_free (self);
}

void
pen_mqtt_publisher_send (PenMqttPublisher *self,
                         const char *topic,
                         const char *payload,
                         gssize length,
                         int qos)
{
  int n_bytes = (int) (length < 0 ? (gssize) strlen (payload) : length);

  g_assert_cmpint (mosquitto_publish (self->client, NULL, topic, n_bytes, payload, qos, FALSE), ==,
                   MOSQ_ERR_SUCCESS);
  self->n_sent++;
}

void
pen_mqtt_publisher_retain (PenMqttPublisher *self, const char *topic, const char *payload)
{
  g_assert_cmpint (
      mosquitto_publish (self->client, NULL, topic, (int) strlen (payload), payload, 1, TRUE), ==,
      MOSQ_ERR_SUCCESS);
  self->n_sent++;
}

/* At QoS 1, with a content type and a user property. */
void
pen_mqtt_publisher_describe (PenMqttPublisher *self,
                             const char *topic,
                             const char *payload,
                             const char *content_type,
                             const char *name,
                             const char *value)
{
  mosquitto_property *properties = NULL;

  mosquitto_property_add_string (&properties, MQTT_PROP_CONTENT_TYPE, content_type);
  mosquitto_property_add_string_pair (&properties, MQTT_PROP_USER_PROPERTY, name, value);
  g_assert_cmpint (mosquitto_publish_v5 (self->client, NULL, topic, (int) strlen (payload), payload,
                                         1, FALSE, properties),
                   ==, MOSQ_ERR_SUCCESS);
  mosquitto_property_free_all (&properties);
  self->n_sent++;
}

/* @confirmed is told of each message that the broker has confirmed. */
void
pen_mqtt_publisher_set_handler (PenMqttPublisher *self,
                                PenMqttPublisherFunc confirmed,
                                gpointer user_data)
{
  self->confirmed = confirmed;
  self->user_data = user_data;
}

/* At QoS 1. Returns the id by which the handler is told; of 65,535 messages in a row each has one
 * of its own. A connection that is lost here does not lose the message. */
int
pen_mqtt_publisher_queue (PenMqttPublisher *self,
                          const char *topic,
                          const char *payload,
                          gsize length)
{
  int id = 0;
  int status
      = mosquitto_publish (self->client, &id, topic, (int) length, payload, 1 /* qos */, FALSE);

  g_assert_cmpint (status, !=, MOSQ_ERR_INVAL);
  g_assert_cmpint (status, !=, MOSQ_ERR_NOMEM);
  self->n_sent++;
  return id;
}

/* A round of the connection, of at most @timeout_ms; one that was lost is made again. Returns
 * whether there is one. */
gboolean
pen_mqtt_publisher_run (PenMqttPublisher *self, guint timeout_ms)
{
  int status = mosquitto_loop (self->client, (int) timeout_ms, 1);

  if (status == MOSQ_ERR_SUCCESS)
    return self->is_connected;
  self->is_connected = FALSE;
  mosquitto_reconnect (self->client);
  return FALSE;
}

/* Until the broker has confirmed everything (of QoS 0: until it is written); FALSE on time-out. */
gboolean
pen_mqtt_publisher_flush (PenMqttPublisher *self, guint timeout_ms)
{
  gint64 deadline = g_get_monotonic_time () + timeout_ms * G_GINT64_CONSTANT (1000);

  while (self->n_confirmed < self->n_sent && g_get_monotonic_time () < deadline)
    pen_mqtt_publisher_run (self, 10);
  return self->n_confirmed >= self->n_sent;
}
