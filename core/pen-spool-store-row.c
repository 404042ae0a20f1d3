/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows of a spool: records and cursors as the tables have them, each with a CRC-32 over all of it.
 * The CRC begins with the name of the table and the version of the format: a row of another table,
 * or of a later version, is none of these.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#include "pen-event-private.h"

#include <string.h>
#include <zlib.h>

#define MESSAGE_LABEL "penstock spool 1 message"
#define CURSOR_LABEL "penstock spool 1 cursor"

G_DEFINE_QUARK (pen - spool - error - quark, pen_spool_error)

/*
 * pen_spool_record_new:
 * @source: name of the source that received it
 * @event: (transfer full): the message
 *
 * Returns: (transfer full): a record without a position
 *
 * Threads: any
 */
PenSpoolRecord *
pen_spool_record_new (const char *source, PenEvent *event)
{
  PenSpoolRecord *self = g_new0 (PenSpoolRecord, 1);

  self->source = g_strdup (source);
  self->event = event;
  return self;
}

/* Threads: any */
void
pen_spool_record_free (PenSpoolRecord *self)
{
  g_free (self->source);
  g_free (self->sink);
  g_clear_pointer (&self->event, pen_event_unref);
  g_free (self);
}

/* Threads: any */
PenSpoolCursor *
pen_spool_cursor_new (const char *sink, guint64 delivered, guint64 needed, guint64 until)
{
  PenSpoolCursor *self = g_new0 (PenSpoolCursor, 1);

  self->sink = g_strdup (sink);
  self->delivered = delivered;
  self->needed = needed;
  self->until = until;
  return self;
}

/* Threads: any */
void
pen_spool_cursor_free (PenSpoolCursor *self)
{
  g_free (self->sink);
  g_free (self);
}

static PenSpoolBytes
pen_spool_bytes_of_text (const char *text)
{
  return (PenSpoolBytes){ text, text != NULL ? strlen (text) : 0 };
}

static void
pen_spool_pack_properties (const PenEvent *event, GByteArray *bytes)
{
  guint n_properties = pen_event_get_n_user_properties (event);

  g_byte_array_set_size (bytes, 0);
  for (guint i = 0; i < n_properties; i++)
    {
      const char *name;
      const char *value;

      pen_event_get_user_property (event, i, &name, &value);
      g_byte_array_append (bytes, (const guint8 *) name, (guint) strlen (name) + 1);
      g_byte_array_append (bytes, (const guint8 *) value, (guint) strlen (value) + 1);
    }
}

static gboolean
pen_spool_unpack_properties (const PenSpoolBytes *bytes, PenEvent *event)
{
  const char *p = bytes->data;
  const char *end = p + bytes->length;

  if (bytes->length > 0 && end[-1] != '\0')
    return FALSE;
  while (p < end)
    {
      const char *name = p;
      const char *value = name + strlen (name) + 1;

      if (value >= end)
        return FALSE;
      pen_event_add_user_property (event, name, value);
      p = value + strlen (value) + 1;
    }
  return TRUE;
}

/* documented in the private header */
void
pen_spool_row_from_record (PenSpoolRow *self,
                           guint64 position,
                           const PenSpoolRecord *record,
                           GByteArray *properties)
{
  const PenEvent *event = record->event;
  gsize length = 0;
  const char *payload = pen_event_get_data (event, &length);
  guint64 full_size = pen_event_get_full_size (event);

  pen_spool_pack_properties (event, properties);
  self->position = position;
  self->arrival_us = pen_event_get_arrival (event);
  self->flags = pen_event_get_flags (event);
  self->full_size = full_size > length ? full_size : 0;
  self->fields[PEN_SPOOL_SOURCE] = pen_spool_bytes_of_text (record->source);
  self->fields[PEN_SPOOL_SINK] = pen_spool_bytes_of_text (record->sink);
  self->fields[PEN_SPOOL_TOPIC] = pen_spool_bytes_of_text (pen_event_get_topic (event));
  self->fields[PEN_SPOOL_CONTENT_TYPE]
      = pen_spool_bytes_of_text (pen_event_get_content_type (event));
  self->fields[PEN_SPOOL_PROPERTIES]
      = (PenSpoolBytes){ properties->len > 0 ? properties->data : NULL, properties->len };
  self->fields[PEN_SPOOL_PAYLOAD] = (PenSpoolBytes){ payload != NULL ? payload : "", length };
}

static char *
pen_spool_bytes_to_text (const PenSpoolBytes *bytes)
{
  return bytes->data != NULL ? g_strndup (bytes->data, bytes->length) : NULL;
}

/* documented in the private header */
PenSpoolRecord *
pen_spool_row_to_record (const PenSpoolRow *self)
{
  const PenSpoolBytes *fields = self->fields;
  g_autofree char *topic = pen_spool_bytes_to_text (&fields[PEN_SPOOL_TOPIC]);
  g_autofree char *content_type = pen_spool_bytes_to_text (&fields[PEN_SPOOL_CONTENT_TYPE]);
  g_autofree char *source = pen_spool_bytes_to_text (&fields[PEN_SPOOL_SOURCE]);
  g_autoptr (GBytes) payload = NULL;
  g_autoptr (PenEvent) event = NULL;
  PenSpoolRecord *record = NULL;

  if (source == NULL || fields[PEN_SPOOL_PAYLOAD].data == NULL)
    return NULL;
  payload = g_bytes_new (fields[PEN_SPOOL_PAYLOAD].data, fields[PEN_SPOOL_PAYLOAD].length);
  event = pen_event_new (payload, topic, self->arrival_us);
  pen_event_set_flags (event, (PenEventFlags) self->flags);
  if (self->full_size > 0)
    pen_event_set_full_size (event, self->full_size);
  if (content_type != NULL)
    pen_event_set_content_type (event, content_type);
  if (!pen_spool_unpack_properties (&fields[PEN_SPOOL_PROPERTIES], event))
    return NULL;
  record = pen_spool_record_new (source, g_steal_pointer (&event));
  record->position = self->position;
  record->sink = pen_spool_bytes_to_text (&fields[PEN_SPOOL_SINK]);
  return record;
}

static void
pen_spool_put_number (guint8 *place, guint64 number)
{
  guint64 little = GUINT64_TO_LE (number);

  memcpy (place, &little, sizeof little);
}

static guint32
pen_spool_crc_add (guint32 crc, const PenSpoolBytes *bytes)
{
  return bytes->length > 0 ? (guint32) crc32_z (crc, bytes->data, bytes->length) : crc;
}

/* All numbers and lengths first, in one piece: a call of crc32 () costs as much as 60 bytes. */
guint32
pen_spool_row_get_crc (const PenSpoolRow *self)
{
  guint8 head[sizeof MESSAGE_LABEL - 1 + (4 + PEN_SPOOL_N_FIELDS) * sizeof (guint64)];
  guint8 *p = head + sizeof MESSAGE_LABEL - 1;
  guint32 crc;

  memcpy (head, MESSAGE_LABEL, sizeof MESSAGE_LABEL - 1);
  pen_spool_put_number (p, self->position);
  pen_spool_put_number (p + 8, (guint64) self->arrival_us);
  pen_spool_put_number (p + 16, (guint64) self->flags);
  pen_spool_put_number (p + 24, self->full_size);
  p += 32;
  for (guint i = 0; i < PEN_SPOOL_N_FIELDS; i++, p += 8)
    pen_spool_put_number (p, self->fields[i].data != NULL ? self->fields[i].length : G_MAXUINT64);
  crc = (guint32) crc32_z (0, head, sizeof head);
  for (guint i = 0; i < PEN_SPOOL_N_FIELDS; i++)
    crc = pen_spool_crc_add (crc, &self->fields[i]);
  return crc;
}

/* documented in the private header */
guint32
pen_spool_cursor_row_get_crc (const PenSpoolCursorRow *self)
{
  guint8 head[sizeof CURSOR_LABEL - 1 + 5 * sizeof (guint64)];
  guint8 *p = head + sizeof CURSOR_LABEL - 1;

  memcpy (head, CURSOR_LABEL, sizeof CURSOR_LABEL - 1);
  pen_spool_put_number (p, (guint64) self->id);
  pen_spool_put_number (p + 8, self->delivered);
  pen_spool_put_number (p + 16, self->needed);
  pen_spool_put_number (p + 24, self->until);
  pen_spool_put_number (p + 32, self->sink.data != NULL ? self->sink.length : G_MAXUINT64);
  return pen_spool_crc_add ((guint32) crc32_z (0, head, sizeof head), &self->sink);
}
