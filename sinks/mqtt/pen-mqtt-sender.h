/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A connection to a broker, driven by whoever waits for it.
 */

#pragma once

#include "pen-mqtt-settings.h"

#include <penstock.h>

G_BEGIN_DECLS

/* What the broker, or the socket for QoS 0, says of the message that was published as @number;
 * @reason is MQTT 5's, from 128 on a refusal. */
typedef void (*PenMqttOutcomeFunc) (gpointer user_data, guint number, int reason);

/* All of it is the caller's, as long as the sender lives. */
typedef struct
{
  PenElement *element; /* whose log and counters are used */
  const PenMqttSettings *settings;
  const char *client_id;
  const char *address; /* "host:port", for messages */
  guint in_flight;
  gint64 acknowledge_timeout_us;
  PenMqttOutcomeFunc outcome;
  gpointer user_data;
} PenMqttSenderOptions;

typedef struct _PenMqttSender PenMqttSender;

PenMqttSender *pen_mqtt_sender_new (const PenMqttSenderOptions *options);
void pen_mqtt_sender_free (PenMqttSender *self);
gboolean pen_mqtt_sender_connect (PenMqttSender *self, GError **error);
gboolean pen_mqtt_sender_keep (PenMqttSender *self, GError **error);
int pen_mqtt_sender_publish (PenMqttSender *self, const PenMqttMessage *message, guint number);
guint pen_mqtt_sender_get_n_under_way (PenMqttSender *self);
gboolean pen_mqtt_sender_await (PenMqttSender *self, guint n_left, GError **error);
void pen_mqtt_sender_drop (PenMqttSender *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenMqttSender, pen_mqtt_sender_free)

G_END_DECLS
