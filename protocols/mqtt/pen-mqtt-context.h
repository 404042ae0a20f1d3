/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What TLS connections with the same settings share.
 */

#pragma once

#include "pen-mqtt-tls.h"

G_BEGIN_DECLS

typedef struct _PenMqttContext PenMqttContext;

PenMqttContext *pen_mqtt_context_get (const PenMqttTlsOptions *options, char **fault);
SSL_CTX *pen_mqtt_context_get_ssl (PenMqttContext *self);
PenMqttExpiry pen_mqtt_context_get_expiry (PenMqttContext *self);
void pen_mqtt_context_unref (PenMqttContext *self);
guint pen_mqtt_context_count_loads (void);

G_END_DECLS
