/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A broker, its certificates, and MQTT sources that run in a harness against it.
 */

#pragma once

#include "pen-broker.h"
#include "pen-certificates.h"
#include "pen-harness.h"
#include "pen-mqtt-publisher.h"
#include "pen-mqtt-source.h"

G_BEGIN_DECLS

#define WAIT_MS 60000

typedef struct
{
  char *folder;
  PenBroker *broker;
} PenMqttFixture;

/* Of tests that need Mosquitto: skips all of them where it is missing. */
typedef void (*PenMqttTestFunc) (PenMqttFixture *self);

void pen_mqtt_fixture_init (int *argc, char ***argv);
void pen_mqtt_fixture_add (const char *path, PenMqttTestFunc func);

void pen_mqtt_fixture_start_broker (PenMqttFixture *self, const PenBrokerOptions *options);
/* Waits until the broker has logged @text. */
void pen_mqtt_fixture_await_broker_log (PenMqttFixture *self, const char *text);
char *pen_mqtt_fixture_find (PenMqttFixture *self, const char *name);
/* Properties by name, ended by NULL; topics is "t/#" unless set. */
PenElement *
pen_mqtt_fixture_make (PenMqttFixture *self, const char *property, ...) G_GNUC_NULL_TERMINATED;
/* Starts @element and waits until it has subscribed. */
PenHarness *pen_mqtt_fixture_run (PenElement *element);
PenMqttPublisher *pen_mqtt_fixture_publish (PenMqttFixture *self);
void pen_mqtt_fixture_send (PenMqttFixture *self, const char *topic, const char *payload);

gboolean pen_mqtt_fixture_wait_connected (PenHarness *harness, gboolean connected);
gboolean pen_mqtt_fixture_wait_count (PenHarness *harness, const char *name, gint64 at_least);
/* Waits for a log line that matches @pattern, since the test began or the last clearing. */
gboolean pen_mqtt_fixture_wait_log (PenHarness *harness, const char *pattern);
gboolean pen_mqtt_fixture_has_log (const char *pattern);
void pen_mqtt_fixture_clear_log (void);
void pen_mqtt_fixture_assert_next (PenHarness *harness, const char *topic, const char *payload);

G_END_DECLS
