/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of the MQTT source.
 */

#pragma once

#include "pen-mqtt-connection.h"

#include <penstock.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_MQTT_TLS_AUTO,
  PEN_MQTT_TLS_ON,
  PEN_MQTT_TLS_OFF,
} PenMqttTlsMode;

typedef enum
{
  PEN_MQTT_VERSION_3_1_1,
  PEN_MQTT_VERSION_5,
} PenMqttVersion;

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
  char *host;
  int port; /* 0: by tls */
  GStrv topics;
  int qos;
  PenMqttVersion version;
  char *client_id; /* NULL: made of the pipeline's name */
  gboolean clean_session;
  gint64 session_expiry_us;
  gint64 keep_alive_us;
  PenMqttRetainHandling retain_handling;
  char *username;
  char *password;
  guint64 max_payload_bytes;
  char *will_topic;
  char *will_payload;
  int will_qos;
  gboolean will_retain;
  PenMqttTlsMode tls;
  char *cafile;
  char *certfile;
  char *keyfile;
  char *key_password;
  gboolean tls_insecure;
  gint64 connect_timeout_us;
  gboolean reconnect;
} PenMqttSettings;

void pen_mqtt_settings_init (PenMqttSettings *self);
void pen_mqtt_settings_clear (PenMqttSettings *self);
void pen_mqtt_settings_install (GObjectClass *class);
gboolean pen_mqtt_settings_set (PenMqttSettings *self, guint id, const GValue *value);
void pen_mqtt_settings_get (const PenMqttSettings *self, guint id, GValue *value);
void pen_mqtt_settings_check (const PenMqttSettings *self, PenCheck *check);
void
pen_mqtt_settings_check_fleet (const PenMqttSettings *self, const char *client_id, PenCheck *check);
gboolean pen_mqtt_settings_uses_tls (const PenMqttSettings *self);
guint pen_mqtt_settings_get_port (const PenMqttSettings *self);
PenMqttOptions *pen_mqtt_settings_make_options (const PenMqttSettings *self, const char *client_id);

G_END_DECLS
