/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties that all who connect to an MQTT broker have.
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

/* Ids of the properties. A class has its own between PEN_MQTT_PROP_OWN and PEN_MQTT_PROP_OWN_LAST,
 * which is where they are listed. */
enum
{
  PEN_MQTT_PROP_HOST = 1,
  PEN_MQTT_PROP_PORT,
  PEN_MQTT_PROP_OWN,
  PEN_MQTT_PROP_OWN_LAST = PEN_MQTT_PROP_OWN + 31,
  PEN_MQTT_PROP_VERSION,
  PEN_MQTT_PROP_CLIENT_ID,
  PEN_MQTT_PROP_KEEP_ALIVE,
  PEN_MQTT_PROP_USERNAME,
  PEN_MQTT_PROP_PASSWORD,
  PEN_MQTT_PROP_WILL_TOPIC,
  PEN_MQTT_PROP_WILL_PAYLOAD,
  PEN_MQTT_PROP_WILL_QOS,
  PEN_MQTT_PROP_WILL_RETAIN,
  PEN_MQTT_PROP_TLS,
  PEN_MQTT_PROP_CAFILE,
  PEN_MQTT_PROP_CERTFILE,
  PEN_MQTT_PROP_KEYFILE,
  PEN_MQTT_PROP_KEY_PASSWORD,
  PEN_MQTT_PROP_TLS_INSECURE,
  PEN_MQTT_PROP_CONNECT_TIMEOUT,
  PEN_MQTT_N_PROPERTIES
};

/* What the properties hold, as they were set. */
typedef struct
{
  char *host;
  int port; /* 0: by tls */
  PenMqttVersion version;
  char *client_id; /* NULL: made of the pipeline's name */
  gint64 keep_alive_us;
  char *username;
  char *password;
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
} PenMqttSettings;

/* One field by its property's type. */
gboolean pen_mqtt_field_set (gpointer field, const GValue *value);
void pen_mqtt_field_get (gconstpointer field, GValue *value);

void pen_mqtt_settings_init (PenMqttSettings *self);
void pen_mqtt_settings_clear (PenMqttSettings *self);
void pen_mqtt_settings_install (GObjectClass *class);
gboolean pen_mqtt_settings_set (PenMqttSettings *self, guint id, const GValue *value);
void pen_mqtt_settings_get (const PenMqttSettings *self, guint id, GValue *value);
void pen_mqtt_settings_check (const PenMqttSettings *self, PenCheck *check);
void pen_mqtt_settings_check_client_id (const PenMqttSettings *self,
                                        const char *client_id,
                                        PenCheck *check);
void pen_mqtt_settings_warn (const PenMqttSettings *self, PenElement *element, const char *address);
gboolean pen_mqtt_settings_uses_tls (const PenMqttSettings *self);
guint pen_mqtt_settings_get_port (const PenMqttSettings *self);
PenMqttOptions *pen_mqtt_settings_make_options (const PenMqttSettings *self, const char *client_id);

G_END_DECLS
