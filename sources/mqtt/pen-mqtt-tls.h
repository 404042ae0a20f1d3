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
  SSL *ssl;          /* libmosquitto's, once the connection is open */
  char *fault;       /* why the broker's certificate was not accepted */
  gint64 expiry_s;   /* of the broker's certificate; 0: not seen */
  guint reads_left;  /* of the socket, in this round */
  gboolean is_empty; /* the last read of the socket brought nothing */
  gint64 round_us;   /* when this round began */
  guint n_close;     /* rounds in a row that came soon after the one before */
  gboolean is_busy;  /* keeps its buffers from round to round */
} PenMqttTls;

SSL_CTX *pen_mqtt_tls_make_context (const PenMqttTlsOptions *options, char **fault);
void pen_mqtt_tls_verify_for (PenMqttTls *self);
void pen_mqtt_tls_read_ahead (PenMqttTls *self, SSL *ssl);
void pen_mqtt_tls_begin_round (PenMqttTls *self, guint n_reads);
void pen_mqtt_tls_rest (PenMqttTls *self);
gboolean pen_mqtt_tls_has_more (const PenMqttTls *self);
char *
pen_mqtt_tls_describe (const PenMqttTls *self, const PenMqttTlsOptions *options, const char *log);
void pen_mqtt_tls_clear (PenMqttTls *self);

G_END_DECLS
