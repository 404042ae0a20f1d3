/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of the MQTT sink.
 */

#pragma once

#include "pen-mqtt-settings.h"

G_BEGIN_DECLS

/* What the properties hold, as they were set. */
typedef struct
{
  PenMqttSettings broker;
  char *topic;
  int qos;
  gboolean retain;
  char *content_type;
  gboolean user_properties;
  gint64 message_expiry_us; /* 0: never */
  guint64 max_payload_bytes;
  int in_flight;
  gint64 acknowledge_timeout_us;
} PenMqttSinkSettings;

void pen_mqtt_sink_settings_init (PenMqttSinkSettings *self);
void pen_mqtt_sink_settings_clear (PenMqttSinkSettings *self);
void pen_mqtt_sink_settings_install (GObjectClass *class);
gboolean pen_mqtt_sink_settings_set (PenMqttSinkSettings *self, guint id, const GValue *value);
void pen_mqtt_sink_settings_get (const PenMqttSinkSettings *self, guint id, GValue *value);
void pen_mqtt_sink_settings_check (const PenMqttSinkSettings *self, PenCheck *check);

G_END_DECLS
