/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a connection needs of the OpenSSL below libmosquitto.
 */

#pragma once

#include "pen-mqtt-certificates.h"

#include <glib.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

typedef struct
{
  const char *host;
  PenMqttCertificates files;
  gboolean accepts_any; /* verifies nothing */
} PenMqttTlsOptions;

/* Part of a connection; zero-initialised. */
typedef struct
{
  char *fault;     /* why the broker's certificate was not accepted */
  gint64 expiry_s; /* of the broker's certificate; 0: not seen */
} PenMqttTls;

SSL_CTX *pen_mqtt_tls_make_context (const PenMqttTlsOptions *options, char **fault);
void pen_mqtt_tls_verify_for (PenMqttTls *self);
char *
pen_mqtt_tls_describe (const PenMqttTls *self, const PenMqttTlsOptions *options, const char *log);
void pen_mqtt_tls_clear (PenMqttTls *self);

G_END_DECLS
