/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between OpenSSL and the socket: many small records in one read, and in one write.
 */

#pragma once

#include <glib.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

/* Part of a connection; zero-initialised. */
typedef struct
{
  BIO *filter; /* as long as its SSL */
  SSL *ssl;
  gboolean is_busy; /* keeps OpenSSL's buffers from round to round */
  gint64 round_us;  /* when this round began */
  guint n_close;    /* rounds in a row that came soon after the one before */

  gboolean is_reading;
  guint reads_left;    /* of the socket, in this round */
  gboolean is_empty;   /* the last read of the socket brought nothing */
  const guint8 *ahead; /* what was read and not taken yet: in the lane's memory, or in @kept */
  gsize n_ahead;
  guint8 *kept;

  gboolean is_writing;
  GByteArray *unsent; /* records that are made but not written, in their order; or NULL */
} PenMqttWire;

void pen_mqtt_wire_insert (PenMqttWire *self, SSL *ssl);
void pen_mqtt_wire_begin_reading (PenMqttWire *self, guint n_reads);
void pen_mqtt_wire_end_reading (PenMqttWire *self);
gboolean pen_mqtt_wire_has_ahead (const PenMqttWire *self);
gboolean pen_mqtt_wire_has_more (const PenMqttWire *self);
gboolean pen_mqtt_wire_was_cut_short (const PenMqttWire *self);
void pen_mqtt_wire_rest (PenMqttWire *self);
void pen_mqtt_wire_begin_writing (PenMqttWire *self);
gboolean pen_mqtt_wire_end_writing (PenMqttWire *self);
gboolean pen_mqtt_wire_has_unsent (const PenMqttWire *self);

G_END_DECLS
