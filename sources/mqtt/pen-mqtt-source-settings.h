/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of the MQTT source.
 */

#pragma once

#include "pen-mqtt-settings.h"

G_BEGIN_DECLS

/* The values are those of MQTT 5, 3.8.3.1. */
typedef enum
{
  PEN_MQTT_RETAIN_ALWAYS = 0,
  PEN_MQTT_RETAIN_NEW = 1,
  PEN_MQTT_RETAIN_NEVER = 2,
} PenMqttRetainHandling;

/* What the properties hold, as they were set. */
typedef struct
{
  PenMqttSettings broker;
  GStrv topics;
  int qos;
  gboolean clean_session;
  gint64 session_expiry_us;
  PenMqttRetainHandling retain_handling;
  guint64 max_payload_bytes;
  gboolean reconnect;
} PenMqttSourceSettings;

void pen_mqtt_source_settings_init (PenMqttSourceSettings *self);
void pen_mqtt_source_settings_clear (PenMqttSourceSettings *self);
void pen_mqtt_source_settings_install (GObjectClass *class);
gboolean pen_mqtt_source_settings_set (PenMqttSourceSettings *self, guint id, const GValue *value);
void pen_mqtt_source_settings_get (const PenMqttSourceSettings *self, guint id, GValue *value);
void pen_mqtt_source_settings_check (const PenMqttSourceSettings *self, PenCheck *check);
void pen_mqtt_source_settings_check_fleet (const PenMqttSourceSettings *self,
                                           const char *client_id,
                                           PenCheck *check);
PenMqttOptions *pen_mqtt_source_settings_make_options (const PenMqttSourceSettings *self,
                                                       const char *client_id);

G_END_DECLS
