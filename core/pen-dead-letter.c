/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What becomes of an event that cannot pass: one JSON object, so that any sink can carry it, which
 * has the message as the source received it, so that it can be played again.
 */

#include "config.h"

#include "pen-dead-letter.h"

#include "pen-event-json.h"
#include "pen-event-private.h"

/* of a message over the source's limit, this much is kept */
#define TRUNCATED_BYTES (64 * 1024)
#define REASON_TOO_LARGE "too_large"

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
  pen_event_json_put_bytes (writer, "payload", data, kept, kept < full_size);
  pen_event_json_put_cut (writer, kept, full_size);
  if (origin == NULL)
    {
      pen_json_writer_key (writer, "replayable");
      pen_json_writer_boolean (writer, FALSE);
    }
  else if (pen_event_get_payload (origin) != pen_event_get_payload (event))
    {
      data = pen_event_get_data (event, &length);
      pen_event_json_put_bytes (writer, "stage_payload", data, length, FALSE);
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
  pen_event_json_put_time (&writer, "time", pen_event_get_arrival (event));
  pen_event_json_put_text (&writer, "pipeline", pipeline);
  pen_event_json_put_text (&writer, "element", element);
  pen_event_json_put_text (&writer, "reason", reason);
  pen_event_json_put_text (&writer, "message", message);
  if (part > 0)
    {
      pen_json_writer_key (&writer, "part");
      pen_json_writer_uint64 (&writer, part);
    }
  if (pen_event_get_topic (event) != NULL)
    pen_event_json_put_text (&writer, "topic", pen_event_get_topic (event));
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
