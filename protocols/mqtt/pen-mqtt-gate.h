/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How many connections are being made at a time.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of one broker. Mosquitto's listen() takes 100, of all its clients. */
#define PEN_MQTT_GATE_PER_ADDRESS 32

typedef void (*PenMqttTurnFunc) (gpointer user_data);

typedef struct _PenMqttGateAddress PenMqttGateAddress;

/* Part of a connection, zero-initialised. All of it is the gate's. */
typedef struct
{
  PenMqttTurnFunc func;
  gpointer user_data;
  PenMqttGateAddress *address; /* NULL once it is over */
  GList link;
  gboolean is_waiting;
  gboolean has_begun;  /* a thread took it up */
  gboolean is_counted; /* among those of its address that are under way */
} PenMqttTurn;

void pen_mqtt_turn_await (PenMqttTurn *self,
                          const char *host,
                          guint port,
                          PenMqttTurnFunc func,
                          gpointer user_data);
gboolean pen_mqtt_turn_has_begun (PenMqttTurn *self);
void pen_mqtt_turn_yield (PenMqttTurn *self);
gboolean pen_mqtt_turn_end (PenMqttTurn *self);

G_END_DECLS
