/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As much of MQTT 3.1.1 and 5 as it takes to publish, from either side.
 */

#pragma once

#include <glib.h>

/* The first four bits of a packet. */
typedef enum
{
  BENCH_PACKET_CONNECT = 1,
  BENCH_PACKET_CONNACK = 2,
  BENCH_PACKET_PUBLISH = 3,
  BENCH_PACKET_PUBACK = 4,
  BENCH_PACKET_SUBSCRIBE = 8,
  BENCH_PACKET_SUBACK = 9,
  BENCH_PACKET_UNSUBSCRIBE = 10,
  BENCH_PACKET_UNSUBACK = 11,
  BENCH_PACKET_PINGREQ = 12,
  BENCH_PACKET_PINGRESP = 13,
  BENCH_PACKET_DISCONNECT = 14,
} BenchPacketType;

typedef struct
{
  BenchPacketType type;
  const guint8 *body;
  gsize length;
} BenchPacket;

/* What a client says in its CONNECT. */
typedef struct
{
  guint version;         /* 4: 3.1.1, 5 */
  guint receive_maximum; /* of unacknowledged messages */
} BenchPacketGreeting;

gboolean bench_packet_next (const guint8 *data,
                            gsize length,
                            gsize *used,
                            BenchPacket *packet,
                            GError **error);
gboolean bench_packet_read_connect (const BenchPacket *packet,
                                    BenchPacketGreeting *greeting,
                                    GError **error);
guint bench_packet_read_id (const BenchPacket *packet);
void bench_packet_put_connect (GByteArray *to,
                               const char *client_id,
                               const char *username,
                               const char *password);
void bench_packet_put_connack (GByteArray *to, guint version);
gboolean bench_packet_put_suback (GByteArray *to,
                                  guint version,
                                  const BenchPacket *subscribe,
                                  guint *qos,
                                  GError **error);
void bench_packet_put_unsuback (GByteArray *to, guint version, const BenchPacket *unsubscribe);
guint8 *bench_packet_put_publish (GByteArray *to,
                                  guint version,
                                  const char *topic,
                                  guint qos,
                                  guint id,
                                  gsize payload_length);
void bench_packet_put_empty (GByteArray *to, BenchPacketType type);
