/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One connection to a broker, from name look-up to its end.
 */

#pragma once

#include "pen-mqtt-certificates.h"

#include <glib.h>
#include <mosquitto.h>

G_BEGIN_DECLS

/* Messages of QoS 1 that may be without an acknowledgement at a time; MQTT 5 tells the broker. */
#define PEN_MQTT_MAXIMUM_HELD 1000

typedef struct
{
  char *host;
  guint port;
  char *client_id;
  gboolean clean_session;
  guint32 session_expiry_s;
  guint keep_alive_s;
  gboolean is_mqtt_5;
  char *username;
  char *password;
  char *will_topic;
  char *will_payload;
  int will_qos;
  gboolean will_retain;
  gboolean tls;
  char *cafile;
  char *certfile;
  char *keyfile;
  char *key_password;
  gboolean tls_insecure;
  gint64 connect_timeout_us;
  guint send_maximum; /* messages that are sent before their acknowledgements; 0: 20 */
} PenMqttOptions;

void pen_mqtt_options_free (PenMqttOptions *self);

#define PEN_MQTT_NO_DESCRIPTOR                                                                     \
  "no file descriptor is left, and each connection takes three: raise the hard limit of open "     \
  "files (LimitNOFILE= in the systemd unit, ulimit -Hn)"

/* What a connection tells, from within pen_mqtt_connection_read (); it must not be closed there.
 * Whoever does not subscribe may leave out the second and the third, and who does not publish the
 * last, which has the reason code of MQTT 5, 0 with 3.1.1. */
typedef struct
{
  void (*greeted) (gpointer owner, int reason, int flags, const mosquitto_property *properties);
  void (*received) (gpointer owner,
                    const struct mosquitto_message *message,
                    const mosquitto_property *properties,
                    gboolean is_duplicate);
  void (*subscribed) (gpointer owner, int n_topics, const int *granted);
  void (*published) (gpointer owner, int id, int reason);
} PenMqttHandlers;

typedef enum
{
  PEN_MQTT_READ_DONE, /* there is nothing more to read now */
  PEN_MQTT_READ_MORE, /* there is, and no descriptor will tell: read again in the next round */
  PEN_MQTT_READ_LOST, /* the connection has ended */
} PenMqttReadStatus;

/* What is published. */
typedef struct
{
  const char *topic;
  const char *payload;
  gsize length;
  int qos;
  gboolean retain;
  const mosquitto_property *properties; /* (nullable): of MQTT 5 */
} PenMqttMessage;

/* Days that the certificates have left; G_MAXINT64: there is none. */
typedef struct
{
  gint64 ca;
  gint64 certificate;
  gint64 broker;
} PenMqttDaysLeft;

typedef struct _PenMqttConnection PenMqttConnection;

PenMqttConnection *
pen_mqtt_connection_open (PenMqttOptions *options, const PenMqttHandlers *handlers, gpointer owner);
gboolean pen_mqtt_connection_has_begun (PenMqttConnection *self);
void pen_mqtt_connection_let_others (PenMqttConnection *self);
int pen_mqtt_connection_get_wake_fd (PenMqttConnection *self);
gboolean pen_mqtt_connection_finish_open (PenMqttConnection *self, char **reason);
int pen_mqtt_connection_get_fd (PenMqttConnection *self);
PenMqttReadStatus pen_mqtt_connection_read (PenMqttConnection *self, const gboolean *is_enough);
gboolean pen_mqtt_connection_has_buffered (PenMqttConnection *self);
gboolean pen_mqtt_connection_write (PenMqttConnection *self);
gboolean pen_mqtt_connection_wants_write (PenMqttConnection *self);
gboolean pen_mqtt_connection_tick (PenMqttConnection *self);
int pen_mqtt_connection_subscribe (PenMqttConnection *self,
                                   const char *const *topics,
                                   int qos,
                                   int options,
                                   guint32 identifier);
int pen_mqtt_connection_unsubscribe (PenMqttConnection *self, GPtrArray *filters);
int pen_mqtt_connection_publish (PenMqttConnection *self, const PenMqttMessage *message, int *id);
void pen_mqtt_connection_get_days_left (PenMqttConnection *self, PenMqttDaysLeft *days);
char *pen_mqtt_connection_describe_end (PenMqttConnection *self);
void pen_mqtt_connection_close (PenMqttConnection *self);
void pen_mqtt_connection_drop (PenMqttConnection *self);

G_END_DECLS
