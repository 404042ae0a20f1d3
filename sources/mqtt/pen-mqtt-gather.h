/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between OpenSSL and the socket: many small records in one write.
 */

#pragma once

#include <glib.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

/* Part of a connection; zero-initialised. */
typedef struct
{
  BIO *filter;        /* as long as its SSL */
  GByteArray *unsent; /* records that are made but not written, in their order; or NULL */
  gboolean is_open;   /* gathers */
} PenMqttGather;

void pen_mqtt_gather_insert (PenMqttGather *self, SSL *ssl);
void pen_mqtt_gather_begin (PenMqttGather *self);
gboolean pen_mqtt_gather_end (PenMqttGather *self);
gboolean pen_mqtt_gather_has_unsent (const PenMqttGather *self);

G_END_DECLS
