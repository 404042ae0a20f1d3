/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A subscriber for tests that keeps all that it is sent, on libmosquitto's own thread: so a sink
 * that blocks the test's thread is watched while it does.
 */

#include "config.h"

#include "pen-mqtt-receiver.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#define WAIT_MS 60000

struct _PenMqttReceiver
{
  struct mosquitto *client;
  gint is_subscribed; /* atomic */
  GMutex lock;        /* guards what follows */
  GPtrArray *messages;
  GHashTable *payloads;
};

static void
pen_mqtt_received_free (gpointer data)
{
  PenMqttReceived *message = data;

  g_free (message->topic);
  g_free (message->payload);
  g_free (message->content_type);
  g_free (message->user_property);
  g_free (message);
}

static void
pen_mqtt_receiver_on_connect (struct mosquitto *client,
                              void *user_data,
                              int reason,
                              int flags,
                              const mosquitto_property *properties)
{
  mosquitto_subscribe (client, NULL, "#", 1);
}

static void
pen_mqtt_receiver_on_subscribe (struct mosquitto *client,
                                void *user_data,
                                int id,
                                int n_topics,
                                const int *granted,
                                const mosquitto_property *properties)
{
  PenMqttReceiver *self = user_data;

  g_atomic_int_set (&self->is_subscribed, 1);
}

static void
pen_mqtt_receiver_on_message (struct mosquitto *client,
                              void *user_data,
                              const struct mosquitto_message *message,
                              const mosquitto_property *properties)
{
  PenMqttReceiver *self = user_data;
  PenMqttReceived *received = g_new0 (PenMqttReceived, 1);
  char *name = NULL;
  char *value = NULL;

  received->topic = g_strdup (message->topic);
  received->payload = g_strndup (message->payload, (gsize) message->payloadlen);
  received->qos = message->qos;
  received->retain = message->retain;
  mosquitto_property_read_string (properties, MQTT_PROP_CONTENT_TYPE, &received->content_type,
                                  false);
  mosquitto_property_read_int32 (properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &received->expiry_s,
                                 false);
  if (mosquitto_property_read_string_pair (properties, MQTT_PROP_USER_PROPERTY, &name, &value,
                                           false)
      != NULL)
    received->user_property = g_strdup_printf ("%s=%s", name, value);
  free (name);
  free (value);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->messages, received);
  g_hash_table_add (self->payloads, received->payload);
  g_mutex_unlock (&self->lock);
}

static gboolean
pen_mqtt_receiver_is_subscribed (gpointer user_data)
{
  return g_atomic_int_get (&((PenMqttReceiver *) user_data)->is_subscribed);
}

PenMqttReceiver *
pen_mqtt_receiver_new (guint port, const char *client_id)
{
  mosquitto_property *properties = NULL;
  PenMqttReceiver *self = g_new0 (PenMqttReceiver, 1);

  g_mutex_init (&self->lock);
  self->messages = g_ptr_array_new_with_free_func (pen_mqtt_received_free);
  self->payloads = g_hash_table_new (g_str_hash, g_str_equal);
  mosquitto_lib_init ();
  self->client = mosquitto_new (client_id, client_id == NULL, self);
  mosquitto_int_option (self->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_connect_v5_callback_set (self->client, pen_mqtt_receiver_on_connect);
  mosquitto_subscribe_v5_callback_set (self->client, pen_mqtt_receiver_on_subscribe);
  mosquitto_message_v5_callback_set (self->client, pen_mqtt_receiver_on_message);
  mosquitto_reconnect_delay_set (self->client, 1, 1, FALSE);
  if (client_id != NULL)
    mosquitto_property_add_int32 (&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
  g_assert_cmpint (
      mosquitto_connect_bind_v5 (self->client, "127.0.0.1", (int) port, 60, NULL, properties), ==,
      0);
  mosquitto_property_free_all (&properties);
  g_assert_cmpint (mosquitto_loop_start (self->client), ==, 0);
  g_assert_true (pen_test_wait (pen_mqtt_receiver_is_subscribed, self, WAIT_MS));
  return self;
}

void
pen_mqtt_receiver_free (PenMqttReceiver *self)
{
  mosquitto_disconnect (self->client);
  mosquitto_loop_stop (self->client, TRUE);
  mosquitto_destroy (self->client);
  g_hash_table_unref (self->payloads);
  g_ptr_array_unref (self->messages);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint
pen_mqtt_receiver_count (PenMqttReceiver *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->messages->len;
}

typedef struct
{
  PenMqttReceiver *receiver;
  guint n_wanted;
} PenMqttReceiverWait;

static gboolean
pen_mqtt_receiver_has (gpointer user_data)
{
  const PenMqttReceiverWait *wait = user_data;

  return pen_mqtt_receiver_count (wait->receiver) >= wait->n_wanted;
}

gboolean
pen_mqtt_receiver_wait (PenMqttReceiver *self, guint n_messages)
{
  PenMqttReceiverWait wait = { self, n_messages };

  return pen_test_wait (pen_mqtt_receiver_has, &wait, WAIT_MS);
}

guint
pen_mqtt_receiver_count_different (PenMqttReceiver *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_size (self->payloads);
}

static gboolean
pen_mqtt_receiver_has_different (gpointer user_data)
{
  const PenMqttReceiverWait *wait = user_data;

  return pen_mqtt_receiver_count_different (wait->receiver) >= wait->n_wanted;
}

gboolean
pen_mqtt_receiver_wait_different (PenMqttReceiver *self, guint n_payloads)
{
  PenMqttReceiverWait wait = { self, n_payloads };

  return pen_test_wait (pen_mqtt_receiver_has_different, &wait, WAIT_MS);
}

const PenMqttReceived *
pen_mqtt_receiver_get (PenMqttReceiver *self, guint index)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_assert_cmpuint (index, <, self->messages->len);
  return g_ptr_array_index (self->messages, index);
}
