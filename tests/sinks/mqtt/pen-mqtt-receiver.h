/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A subscriber for tests that keeps all that it is sent.
 */

#pragma once

#include "pen-test.h"

G_BEGIN_DECLS

typedef struct
{
  char *topic;
  char *payload;
  int qos;
  gboolean retain;
  char *content_type;
  char *user_property; /* the first: "name=value" */
  guint32 expiry_s;
} PenMqttReceived;

typedef struct _PenMqttReceiver PenMqttReceiver;

/* Subscribes to all topics, at QoS 1; returns when that is so. Comes back to a broker that went: to
 * the session of @client_id, or without one if that is NULL. */
PenMqttReceiver *pen_mqtt_receiver_new (guint port, const char *client_id);
void pen_mqtt_receiver_free (PenMqttReceiver *self);
guint pen_mqtt_receiver_count (PenMqttReceiver *self);
gboolean pen_mqtt_receiver_wait (PenMqttReceiver *self, guint n_messages);
guint pen_mqtt_receiver_count_different (PenMqttReceiver *self);
/* Waits for as many different payloads. */
gboolean pen_mqtt_receiver_wait_different (PenMqttReceiver *self, guint n_payloads);
/* Valid until the receiver is freed. */
const PenMqttReceived *pen_mqtt_receiver_get (PenMqttReceiver *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenMqttReceiver, pen_mqtt_receiver_free)

G_END_DECLS
