/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What becomes of an event that cannot pass: one JSON object, so that any sink can carry it, which
 * has the message as the source received it, so that it can be played again.
 */

#include "config.h"

#include "pen-dead-letter.h"

#include "pen-event-private.h"

#include <string.h>

/* of a message over the source's limit, this much is kept */
#define TRUNCATED_BYTES (64 * 1024)
#define REASON_TOO_LARGE "too_large"

/* documented in the header */
void
pen_dead_letter_put_time (PenJsonWriter *writer, const char *key, gint64 real_us)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) time
      = seconds != NULL ? g_date_time_add (seconds, real_us % G_USEC_PER_SEC) : NULL;
  g_autofree char *text
      = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S.%f+00:00") : NULL;

  pen_json_writer_key (writer, key);
  pen_json_writer_string (writer, text != NULL ? text : "", -1);
}

/* documented in the header */
void
pen_dead_letter_put_text (PenJsonWriter *writer, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  pen_json_writer_key (writer, key);
  pen_json_writer_string (writer, valid, -1);
}

/* documented in the header */
void
pen_dead_letter_put_bytes (PenJsonWriter *writer,
                           const char *key,
                           const char *data,
                           gsize length,
                           gboolean is_cut)
{
  const char *end = NULL;

  if (length == 0 || g_utf8_validate_len (data, length, &end)
      || (is_cut && length - (gsize) (end - data) < 4 && memchr (data, '\0', length) == NULL))
    {
      pen_json_writer_key (writer, key);
      pen_json_writer_string (writer, length > 0 ? data : "",
                              length > 0 ? (gssize) (end - data) : 0);
    }
  else
    {
      g_autofree char *base64_key = g_strconcat (key, "_base64", NULL);
      g_autofree char *base64 = g_base64_encode ((const guchar *) data, length);

      pen_json_writer_key (writer, base64_key);
      pen_json_writer_string (writer, base64, -1);
    }
}

static void
pen_dead_letter_write_payloads (PenJsonWriter *writer, PenEvent *event, const char *reason)
{
  PenEvent *origin = pen_event_get_single_origin (event);
  gsize length = 0;
  const char *data = pen_event_get_data (origin != NULL ? origin : event, &length);
  guint64 full_size = pen_event_get_full_size (origin != NULL ? origin : event);
  gsize kept = length;

  if (g_str_equal (reason, REASON_TOO_LARGE))
    kept = MIN (length, TRUNCATED_BYTES);
  pen_dead_letter_put_bytes (writer, "payload", data, kept, kept < full_size);
  if (kept < full_size)
    {
      pen_json_writer_key (writer, "size");
      pen_json_writer_uint64 (writer, full_size);
      pen_json_writer_key (writer, "truncated");
      pen_json_writer_boolean (writer, TRUE);
    }
  if (origin == NULL)
    {
      pen_json_writer_key (writer, "replayable");
      pen_json_writer_boolean (writer, FALSE);
    }
  else if (pen_event_get_payload (origin) != pen_event_get_payload (event))
    {
      data = pen_event_get_data (event, &length);
      pen_dead_letter_put_bytes (writer, "stage_payload", data, length, FALSE);
    }
}

/* documented in the header */
PenEvent *
pen_dead_letter_new_for_part (PenEvent *event,
                              const char *pipeline,
                              const char *element,
                              const char *reason,
                              const char *message,
                              guint part)
{
  PenJsonWriter writer;
  GString *text = g_string_sized_new (512 + g_bytes_get_size (pen_event_get_payload (event)));
  g_autoptr (GBytes) payload = NULL;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_dead_letter_put_time (&writer, "time", pen_event_get_arrival (event));
  pen_dead_letter_put_text (&writer, "pipeline", pipeline);
  pen_dead_letter_put_text (&writer, "element", element);
  pen_dead_letter_put_text (&writer, "reason", reason);
  pen_dead_letter_put_text (&writer, "message", message);
  if (part > 0)
    {
      pen_json_writer_key (&writer, "part");
      pen_json_writer_uint64 (&writer, part);
    }
  if (pen_event_get_topic (event) != NULL)
    pen_dead_letter_put_text (&writer, "topic", pen_event_get_topic (event));
  pen_dead_letter_write_payloads (&writer, event, reason);
  pen_json_writer_end_object (&writer);
  payload = g_string_free_to_bytes (text);
  return pen_event_derive (event, payload);
}

/* documented in the header */
PenEvent *
pen_dead_letter_new (PenEvent *event,
                     const char *pipeline,
                     const char *element,
                     const char *reason,
                     const char *message)
{
  return pen_dead_letter_new_for_part (event, pipeline, element, reason, message, 0 /* part */);
}
