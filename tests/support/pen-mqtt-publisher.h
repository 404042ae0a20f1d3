/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A small MQTT publisher for tests.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _PenMqttPublisher PenMqttPublisher;
typedef void (*PenMqttPublisherFunc) (int id, gpointer user_data);

PenMqttPublisher *pen_mqtt_publisher_new (guint port, const char *username, const char *password);
void pen_mqtt_publisher_free (PenMqttPublisher *self);
void pen_mqtt_publisher_send (PenMqttPublisher *self,
                              const char *topic,
                              const char *payload,
                              gssize length,
                              int qos);
void pen_mqtt_publisher_retain (PenMqttPublisher *self, const char *topic, const char *payload);
void pen_mqtt_publisher_describe (PenMqttPublisher *self,
                                  const char *topic,
                                  const char *payload,
                                  const char *content_type,
                                  const char *name,
                                  const char *value);
void pen_mqtt_publisher_set_handler (PenMqttPublisher *self,
                                     PenMqttPublisherFunc confirmed,
                                     gpointer user_data);
int pen_mqtt_publisher_queue (PenMqttPublisher *self,
                              const char *topic,
                              const char *payload,
                              gsize length);
gboolean pen_mqtt_publisher_run (PenMqttPublisher *self, guint timeout_ms);
gboolean pen_mqtt_publisher_flush (PenMqttPublisher *self, guint timeout_ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenMqttPublisher, pen_mqtt_publisher_free)

G_END_DECLS
