/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a session is subscribed to, and what it should not be.
 */

#pragma once

#include <glib.h>
#include <mosquitto.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_MQTT_EXPECTED,   /* one of our subscriptions brought it */
  PEN_MQTT_OVERLAPPED, /* one of ours would have, but another one did */
  PEN_MQTT_UNEXPECTED, /* none of ours would have */
} PenMqttVerdict;

typedef struct
{
  /* constant after start */
  const char *const *topics;
  guint32 identifier;
  /* lane, of one connection */
  gboolean has_session;     /* the broker remembers us */
  gboolean has_identifiers; /* and marks messages with the subscription's identifier */
  GHashTable *strange;      /* topics that were looked into */
} PenMqttSubscriptions;

void pen_mqtt_subscriptions_init (PenMqttSubscriptions *self, const char *const *topics, int qos);
void pen_mqtt_subscriptions_clear (PenMqttSubscriptions *self);
void pen_mqtt_subscriptions_begin (PenMqttSubscriptions *self,
                                   gboolean has_session,
                                   gboolean has_identifiers);
PenMqttVerdict pen_mqtt_subscriptions_judge (const PenMqttSubscriptions *self,
                                             const char *topic,
                                             const mosquitto_property *properties);
GPtrArray *pen_mqtt_subscriptions_suspect (PenMqttSubscriptions *self, const char *topic);

G_END_DECLS
