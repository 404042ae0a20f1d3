/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Messages of an MQTT broker.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_MQTT_SOURCE (pen_mqtt_source_get_type ())
G_DECLARE_FINAL_TYPE (PenMqttSource, pen_mqtt_source, PEN, MQTT_SOURCE, PenSource)

G_END_DECLS
