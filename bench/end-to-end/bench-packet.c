/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As much of MQTT 3.1.1 and 5 as it takes to publish, from either side. The clauses are those of
 * the OASIS standards "MQTT Version 3.1.1" and "MQTT Version 5.0".
 */

#include "config.h"

#include "bench-packet.h"

#include <gio/gio.h>
#include <string.h>

/* Larger ones do not come from a subscriber. */
#define MAX_PACKET 65536
#define RECEIVE_MAXIMUM 0x21
#define NO_RECEIVE_MAXIMUM 65535

/* Lengths of the properties of CONNECT (MQTT 5, 3.1.2.11); 0: begins with its length. */
typedef struct
{
  guint8 id;
  guint8 length;
  guint8 n_strings;
} BenchProperty;

static const BenchProperty connect_properties[] = {
  { 0x11, 4, 0 }, { RECEIVE_MAXIMUM, 2, 0 },
  { 0x27, 4, 0 }, { 0x22, 2, 0 },
  { 0x19, 1, 0 }, { 0x17, 1, 0 },
  { 0x26, 0, 2 }, { 0x15, 0, 1 },
  { 0x16, 0, 1 },
};

static gboolean
bench_packet_fail (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "what came is no MQTT: %s", what);
  return FALSE;
}

/* Variable byte integer (MQTT 5, 1.5.5): its bytes, or 0 if it is not all there. */
static gsize
bench_packet_read_varint (const guint8 *data, gsize length, gsize *value)
{
  *value = 0;
  for (gsize i = 0; i < MIN (length, 4); i++)
    {
      *value |= (gsize) (data[i] & 0x7f) << (7 * i);
      if ((data[i] & 0x80) == 0)
        return i + 1;
    }
  return 0;
}

static void
bench_packet_put_varint (GByteArray *to, gsize value)
{
  do
    {
      guint8 byte = (guint8) (value & 0x7f);

      value >>= 7;
      byte |= value > 0 ? 0x80 : 0;
      g_byte_array_append (to, &byte, 1);
    }
  while (value > 0);
}

static void
bench_packet_put_number (GByteArray *to, guint value)
{
  guint8 bytes[] = { (guint8) (value >> 8), (guint8) value };

  g_byte_array_append (to, bytes, 2);
}

static void
bench_packet_put_text (GByteArray *to, const char *text)
{
  gsize length = strlen (text);

  bench_packet_put_number (to, (guint) length);
  g_byte_array_append (to, (const guint8 *) text, (guint) length);
}

static guint
bench_packet_get_number (const guint8 *data)
{
  return (guint) data[0] << 8 | data[1];
}

/* The first packet of @data, which @used counts; @used stays 0 if it is not all there. */
gboolean
bench_packet_next (const guint8 *data,
                   gsize length,
                   gsize *used,
                   BenchPacket *packet,
                   GError **error)
{
  gsize n_length;
  gsize body_length;

  *used = 0;
  if (length < 2)
    return TRUE;
  n_length = bench_packet_read_varint (data + 1, length - 1, &body_length);
  if (n_length == 0)
    return length < 5 || bench_packet_fail (error, "a length without an end");
  if (body_length > MAX_PACKET)
    return bench_packet_fail (error, "a packet that is too large");
  if (length < 1 + n_length + body_length)
    return TRUE;
  packet->type = data[0] >> 4;
  packet->body = data + 1 + n_length;
  packet->length = body_length;
  *used = 1 + n_length + body_length;
  return TRUE;
}

/* The length of the property at @data, or 0. */
static gsize
bench_packet_measure_property (const guint8 *data, gsize length)
{
  for (guint i = 0; i < G_N_ELEMENTS (connect_properties); i++)
    {
      const BenchProperty *property = &connect_properties[i];
      gsize end = 1 + property->length;

      if (property->id != data[0])
        continue;
      for (guint n = 0; n < property->n_strings; n++)
        end += end + 2 <= length ? 2 + bench_packet_get_number (data + end) : length;
      return end <= length ? end : 0;
    }
  return 0;
}

gboolean
bench_packet_read_connect (const BenchPacket *packet, BenchPacketGreeting *greeting, GError **error)
{
  static const guint8 name[] = { 0, 4, 'M', 'Q', 'T', 'T' };
  const guint8 *at = packet->body + 10; /* behind name, version, flags, keep-alive */
  gsize left;

  greeting->receive_maximum = NO_RECEIVE_MAXIMUM;
  if (packet->type != BENCH_PACKET_CONNECT || packet->length < 11
      || memcmp (packet->body, name, sizeof name) != 0)
    return bench_packet_fail (error, "it does not begin with CONNECT");
  greeting->version = packet->body[6];
  if (greeting->version != 4 && greeting->version != 5)
    return bench_packet_fail (error, "a version that is neither 3.1.1 nor 5");
  if (greeting->version == 4)
    return TRUE;
  at += bench_packet_read_varint (at, packet->length - 10, &left);
  if (left > packet->length - (gsize) (at - packet->body))
    return bench_packet_fail (error, "properties that are too long");
  while (left > 0)
    {
      gsize used = bench_packet_measure_property (at, left);

      if (used == 0)
        return bench_packet_fail (error, "a property of CONNECT");
      if (at[0] == RECEIVE_MAXIMUM)
        greeting->receive_maximum = bench_packet_get_number (at + 1);
      at += used;
      left -= used;
    }
  return TRUE;
}

/* Of PUBACK, SUBSCRIBE, UNSUBSCRIBE: its packet identifier, or 0, which none has. */
guint
bench_packet_read_id (const BenchPacket *packet)
{
  return packet->length >= 2 ? bench_packet_get_number (packet->body) : 0;
}

/* MQTT 3.1.1, with a clean session and no keep-alive. */
void
bench_packet_put_connect (GByteArray *to,
                          const char *client_id,
                          const char *username,
                          const char *password)
{
  static const guint8 name[] = { 0, 4, 'M', 'Q', 'T', 'T', 4 };
  g_autoptr (GByteArray) body = g_byte_array_new ();
  guint8 type = BENCH_PACKET_CONNECT << 4;
  guint8 flags = 0x02;

  flags |= username != NULL ? 0x80 : 0;
  flags |= password != NULL ? 0x40 : 0;
  g_byte_array_append (body, name, sizeof name);
  g_byte_array_append (body, &flags, 1);
  bench_packet_put_number (body, 0);
  bench_packet_put_text (body, client_id);
  if (username != NULL)
    bench_packet_put_text (body, username);
  if (password != NULL)
    bench_packet_put_text (body, password);
  g_byte_array_append (to, &type, 1);
  bench_packet_put_varint (to, body->len);
  g_byte_array_append (to, body->data, body->len);
}

void
bench_packet_put_connack (GByteArray *to, guint version)
{
  static const guint8 accepted[] = { BENCH_PACKET_CONNACK << 4, 2, 0, 0 };
  static const guint8 accepted_5[] = { BENCH_PACKET_CONNACK << 4, 3, 0, 0, 0 };

  if (version == 5)
    g_byte_array_append (to, accepted_5, sizeof accepted_5);
  else
    g_byte_array_append (to, accepted, sizeof accepted);
}

/* Where the topic filters of a SUBSCRIBE or UNSUBSCRIBE begin. */
static gsize
bench_packet_find_filters (guint version, const BenchPacket *packet)
{
  gsize at = 2;
  gsize properties;

  if (version == 5 && packet->length > 2)
    {
      at += bench_packet_read_varint (packet->body + 2, packet->length - 2, &properties);
      at += properties;
    }
  return at;
}

/* Grants each filter what it asks for, but no QoS 2. @qos is the least that was granted. */
gboolean
bench_packet_put_suback (GByteArray *to,
                         guint version,
                         const BenchPacket *subscribe,
                         guint *qos,
                         GError **error)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  guint8 type = BENCH_PACKET_SUBACK << 4;
  gsize at = bench_packet_find_filters (version, subscribe);

  *qos = 1;
  bench_packet_put_number (body, bench_packet_read_id (subscribe));
  if (version == 5)
    bench_packet_put_varint (body, 0);
  while (at + 2 <= subscribe->length)
    {
      guint8 granted;

      at += 2 + bench_packet_get_number (subscribe->body + at);
      if (at >= subscribe->length)
        return bench_packet_fail (error, "a topic filter in SUBSCRIBE");
      granted = MIN (subscribe->body[at] & 3, 1);
      *qos = MIN (*qos, granted);
      g_byte_array_append (body, &granted, 1);
      at++;
    }
  g_byte_array_append (to, &type, 1);
  bench_packet_put_varint (to, body->len);
  g_byte_array_append (to, body->data, body->len);
  return TRUE;
}

void
bench_packet_put_unsuback (GByteArray *to, guint version, const BenchPacket *unsubscribe)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  guint8 type = BENCH_PACKET_UNSUBACK << 4;
  guint8 done = 0;
  gsize at = bench_packet_find_filters (version, unsubscribe);

  bench_packet_put_number (body, bench_packet_read_id (unsubscribe));
  if (version == 5)
    {
      bench_packet_put_varint (body, 0);
      for (; at + 2 <= unsubscribe->length; g_byte_array_append (body, &done, 1))
        at += 2 + bench_packet_get_number (unsubscribe->body + at);
    }
  g_byte_array_append (to, &type, 1);
  bench_packet_put_varint (to, body->len);
  g_byte_array_append (to, body->data, body->len);
}

/* Returns the room for the payload, which the next call may move. */
guint8 *
bench_packet_put_publish (GByteArray *to,
                          guint version,
                          const char *topic,
                          guint qos,
                          guint id,
                          gsize payload_length)
{
  guint8 type = (guint8) (BENCH_PACKET_PUBLISH << 4 | qos << 1);
  gsize length = 2 + strlen (topic) + (qos > 0 ? 2 : 0) + (version == 5 ? 1 : 0) + payload_length;

  g_byte_array_append (to, &type, 1);
  bench_packet_put_varint (to, length);
  bench_packet_put_text (to, topic);
  if (qos > 0)
    bench_packet_put_number (to, id);
  if (version == 5)
    bench_packet_put_varint (to, 0); /* properties */
  g_byte_array_set_size (to, to->len + (guint) payload_length);
  return to->data + to->len - payload_length;
}

/* A packet that is only its type. */
void
bench_packet_put_empty (GByteArray *to, BenchPacketType type)
{
  guint8 bytes[] = { (guint8) (type << 4), 0 };

  g_byte_array_append (to, bytes, 2);
}
