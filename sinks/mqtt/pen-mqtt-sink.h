/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishes events to an MQTT broker.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_MQTT_SINK (pen_mqtt_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenMqttSink, pen_mqtt_sink, PEN, MQTT_SINK, PenSink)

G_END_DECLS
