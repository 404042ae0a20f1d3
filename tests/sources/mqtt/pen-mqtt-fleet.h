/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many pipelines in one penstock process, between a real broker and files, under load.
 */

#pragma once

#include "pen-mqtt-fixture.h"

G_BEGIN_DECLS

typedef struct
{
  PenMqttFixture *fixture;
  char *folder; /* of the keyfiles */
  char *log;    /* path of what the process says */
  GSubprocess *process;
} PenMqttFleet;

/* What a sink has written: numbers, one a line. */
typedef struct
{
  guint n_lines;
  guint n_numbers; /* 0, 1, 2, … without a gap */
  guint n_twice;
  gboolean is_ordered; /* but for what came again, from its first number on */
} PenMqttTally;

PenMqttFleet *pen_mqtt_fleet_new (PenMqttFixture *fixture);
void pen_mqtt_fleet_free (PenMqttFleet *self);
/* NAME.pipeline, which receives @topics; @more: lines of its source, then of the other groups */
void
pen_mqtt_fleet_write (PenMqttFleet *self, const char *name, const char *topics, const char *more);
char *pen_mqtt_fleet_find (PenMqttFleet *self, const char *name);
void pen_mqtt_fleet_run (PenMqttFleet *self, const char *option);
void pen_mqtt_fleet_signal (PenMqttFleet *self, int signal_number);
/* Waits for its end; returns the exit status, or -SIGNAL. */
int pen_mqtt_fleet_await_exit (PenMqttFleet *self);
/* How often its log has @text, and waiting for that. */
guint pen_mqtt_fleet_count_log (PenMqttFleet *self, const char *text);
void pen_mqtt_fleet_await_log (PenMqttFleet *self, const char *text, guint at_least);
guint pen_mqtt_fleet_count_broker_log (PenMqttFleet *self, const char *text);
void pen_mqtt_fleet_await_broker_log (PenMqttFleet *self, const char *text, guint at_least);
/* Anonymous resident memory. */
guint pen_mqtt_fleet_get_memory_kib (PenMqttFleet *self);
/* (transfer full): inodes of its sockets */
GHashTable *pen_mqtt_fleet_get_sockets (PenMqttFleet *self);

void pen_mqtt_tally_text (PenMqttTally *self, const char *text);
/* Reads @path; no file is an empty one. */
void pen_mqtt_tally_file (PenMqttTally *self, const char *path);
/* how often what has come is tallied */
#define PEN_MQTT_TALLY_US (G_USEC_PER_SEC / 4)
/* Waits until the file NAME of the keyfiles' folder has @n_numbers, as long as more come, and
 * tallies it. */
void pen_mqtt_fleet_await_numbers (PenMqttFleet *self,
                                   const char *name,
                                   guint n_numbers,
                                   PenMqttTally *tally);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenMqttFleet, pen_mqtt_fleet_free)

/* Publishes 0, 1, 2, … at QoS 1 on a thread of its own, until it is stopped. */
typedef struct _PenMqttLoad PenMqttLoad;

/* @payload_bytes: the number is followed by a blank and x's up to that length */
PenMqttLoad *pen_mqtt_load_start (PenMqttFixture *fixture,
                                  const char *topic,
                                  guint messages_a_second,
                                  gsize payload_bytes);
/* How many were handed to the broker. */
guint pen_mqtt_load_get_n_sent (PenMqttLoad *self);
void pen_mqtt_load_await (PenMqttLoad *self, guint n_sent);
/* (transfer full of @self): the broker has confirmed so many */
guint pen_mqtt_load_stop (PenMqttLoad *self);

G_END_DECLS
