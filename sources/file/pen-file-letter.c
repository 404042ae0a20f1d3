/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Dead letters, read to be played again: from the JSON object back to the event that the source had
 * received. Only a letter that gives exactly those bytes is played; a guess would be worse than a
 * letter that stays one.
 */

#include "config.h"

#include "pen-file-letter.h"

#include <string.h>

static gboolean
pen_file_letter_is_true (const PenJson *json, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, 0, name);

  return node != PEN_JSON_NO_NODE && pen_json_get_node_type (json, node) == PEN_JSON_TRUE;
}

static gboolean
pen_file_letter_is_false (const PenJson *json, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, 0, name);

  return node != PEN_JSON_NO_NODE && pen_json_get_node_type (json, node) == PEN_JSON_FALSE;
}

/* The text of a member, which may hold NUL bytes; NULL if there is none or it is no text. */
static char *
pen_file_letter_get_text (const PenJson *json, const char *name, gsize *length)
{
  PenJsonNode node = pen_json_get_member (json, 0, name);
  PenJsonSlice slice;

  if (node == PEN_JSON_NO_NODE || pen_json_get_node_type (json, node) != PEN_JSON_STRING)
    return NULL;
  pen_json_get_slice (json, node, &slice);
  return pen_json_slice_decode (&slice, length);
}

/* g_base64_decode () takes anything; this takes what it would have been encoded as. */
static GBytes *
pen_file_letter_decode_base64 (const char *text)
{
  gsize length;
  guchar *data = g_base64_decode (text, &length);
  g_autofree char *again = g_base64_encode (data, length);

  if (g_str_equal (again, text))
    return g_bytes_new_take (data, length);
  g_free (data);
  return NULL;
}

static GBytes *
pen_file_letter_get_payload (const PenJson *json, GError **error)
{
  gsize length;
  char *text = pen_file_letter_get_text (json, "payload", &length);
  g_autofree char *base64 = NULL;
  GBytes *payload;

  if (text != NULL)
    return g_bytes_new_take (text, length);
  base64 = pen_file_letter_get_text (json, "payload_base64", &length);
  if (base64 == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_letter",
                             "not a dead letter: it has no text 'payload' or 'payload_base64'");
      return NULL;
    }
  payload = strlen (base64) == length ? pen_file_letter_decode_base64 (base64) : NULL;
  if (payload == NULL)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_letter",
                           "not a dead letter: 'payload_base64' is not base64");
  return payload;
}

/* The time of arrival; @now_us if the letter does not tell. */
static gboolean
pen_file_letter_get_time (const PenJson *json, gint64 now_us, gint64 *time_us, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = NULL;
  g_autofree char *text = NULL;
  gsize length;

  *time_us = now_us;
  if (pen_json_get_member (json, 0, "time") == PEN_JSON_NO_NODE)
    return TRUE;
  text = pen_file_letter_get_text (json, "time", &length);
  time = text != NULL ? g_date_time_new_from_iso8601 (text, utc) : NULL;
  if (time == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_letter",
                             "not a dead letter: 'time' is not a time such as "
                             "2026-01-02T03:04:05.678901+00:00");
      return FALSE;
    }
  *time_us = g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
  return TRUE;
}

static gboolean
pen_file_letter_is_playable (const PenJson *json, GError **error)
{
  if (pen_json_get_node_type (json, 0) != PEN_JSON_OBJECT)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_letter",
                             "not a dead letter: the line is JSON, but no object");
      return FALSE;
    }
  if (pen_file_letter_is_true (json, "truncated"))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "truncated",
                             "cannot be played again: the letter holds only the beginning of the "
                             "message");
      return FALSE;
    }
  if (pen_file_letter_is_false (json, "replayable"))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "not_replayable",
                             "cannot be played again: the event was made from several messages");
      return FALSE;
    }
  return TRUE;
}

/* Which of the parts that were skipped the letter is about; 0: it is about the whole event. What
 * makes no sense is 0 as well: then the message is played once more than need be. */
static guint
pen_file_letter_get_part (const PenJson *json)
{
  PenJsonNode node = pen_json_get_member (json, 0, "part");
  gint64 part = 0;

  if (node == PEN_JSON_NO_NODE || !pen_json_get_int64 (json, node, &part, NULL) || part < 0
      || part > G_MAXINT)
    return 0;
  return (guint) part;
}

/* The event of a dead letter, or NULL and why it cannot be played again. @part: (out) (optional):
 * which part of the event it is about, 0 for all of it. */
PenEvent *
pen_file_letter_read (GBytes *letter,
                      gsize max_payload,
                      const char *default_topic,
                      gint64 now_us,
                      guint *part,
                      GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (PenJson) json = pen_json_new_from_bytes (letter, &cause);
  g_autoptr (GBytes) payload = NULL;
  g_autofree char *topic = NULL;
  gint64 arrival_us;
  gsize length;
  PenEvent *event;

  if (json == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_letter", "not a dead letter: %s",
                             cause->message);
      return NULL;
    }
  if (!pen_file_letter_is_playable (json, error)
      || !pen_file_letter_get_time (json, now_us, &arrival_us, error))
    return NULL;
  payload = pen_file_letter_get_payload (json, error);
  if (payload == NULL)
    return NULL;
  if (g_bytes_get_size (payload) > max_payload)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "too_large",
                             "the message has %" G_GSIZE_FORMAT " bytes, more than max-line allows",
                             g_bytes_get_size (payload));
      return NULL;
    }
  topic = pen_file_letter_get_text (json, "topic", &length);
  event = pen_event_new (payload, topic != NULL ? topic : default_topic, arrival_us);
  pen_event_set_flags (event, PEN_EVENT_REPLAYED);
  if (part != NULL)
    *part = pen_file_letter_get_part (json);
  return event;
}
