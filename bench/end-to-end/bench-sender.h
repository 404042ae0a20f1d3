/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishes N payloads on a link, as fast as it takes them or at a rate.
 */

#pragma once

#include "bench-corpus.h"
#include "bench-link.h"
#include "bench-packet.h"

typedef struct
{
  guint64 count;
  guint64 warm_up; /* messages before those */
  guint rate;      /* messages a second; 0: as fast as they are taken */
  guint qos;
  guint batch;  /* messages in one write, which is one TLS record */
  guint window; /* messages that may be unacknowledged */
  guint n_topics;
  const char *topic; /* with %, which becomes a number from 0 to n_topics - 1 */
  const char *corpus;
  const char *stamp;   /* field, or NULL */
  gboolean stamp_time; /* with the microsecond instead of the message's number */
} BenchSenderOptions;

typedef struct _BenchSender BenchSender;

/* Of packets other than PUBACK. FALSE ends the sending. */
typedef gboolean (*BenchSenderFunc) (const BenchPacket *packet, gpointer user_data, GError **error);

GOptionGroup *bench_sender_make_options (BenchSenderOptions *options);
gboolean bench_sender_check (const BenchSenderOptions *options, GError **error);
BenchSender *bench_sender_new (const BenchSenderOptions *options, BenchLink *link, GError **error);
void bench_sender_free (BenchSender *self);
void bench_sender_set_peer (BenchSender *self, guint version, guint receive_maximum);
void bench_sender_set_handler (BenchSender *self, BenchSenderFunc handler, gpointer user_data);
GByteArray *bench_sender_get_output (BenchSender *self);
gboolean bench_sender_step (BenchSender *self, int other, gboolean *other_ready, GError **error);
gboolean bench_sender_send (BenchSender *self, guint64 count, GError **error);
void bench_sender_finish (BenchSender *self);
gboolean bench_sender_is_closed (BenchSender *self);
void bench_sender_tell (const char *what, gint64 time_us, const char *more);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchSender, bench_sender_free)
