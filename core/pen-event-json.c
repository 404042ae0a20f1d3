/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How an event is written as members of a JSON object.
 */

#include "config.h"

#include "pen-event-json.h"

#include <string.h>

/* documented in the header, as what follows */
void
pen_event_json_put_time (PenJsonWriter *writer, const char *key, gint64 real_us)
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
pen_event_json_put_text (PenJsonWriter *writer, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  pen_json_writer_key (writer, key);
  pen_json_writer_string (writer, valid, -1);
}

/* documented in the header */
void
pen_event_json_put_bytes (PenJsonWriter *writer,
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

void
pen_event_json_put_cut (PenJsonWriter *writer, gsize length, guint64 full_size)
{
  if (length >= full_size)
    return;
  pen_json_writer_key (writer, "size");
  pen_json_writer_uint64 (writer, full_size);
  pen_json_writer_key (writer, "truncated");
  pen_json_writer_boolean (writer, TRUE);
}

static void
pen_event_json_put_flags (PenJsonWriter *writer, PenEventFlags flags)
{
  static const struct
  {
    PenEventFlags flag;
    const char *name;
  } names[] = {
    { PEN_EVENT_RETAINED, "retained" },
    { PEN_EVENT_DUPLICATE, "duplicate" },
    { PEN_EVENT_REPLAYED, "replayed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      if ((flags & names[i].flag) == 0)
        continue;
      pen_json_writer_key (writer, names[i].name);
      pen_json_writer_boolean (writer, TRUE);
    }
}

static void
pen_event_json_put_properties (PenJsonWriter *writer, const PenEvent *event)
{
  guint n_properties = pen_event_get_n_user_properties (event);

  if (n_properties == 0)
    return;
  /* a name may be there several times, so it is no object */
  pen_json_writer_key (writer, "user_properties");
  pen_json_writer_begin_array (writer);
  for (guint i = 0; i < n_properties; i++)
    {
      const char *name = NULL;
      const char *value = NULL;

      pen_event_get_user_property (event, i, &name, &value);
      pen_json_writer_begin_object (writer);
      pen_event_json_put_text (writer, "name", name);
      pen_event_json_put_text (writer, "value", value);
      pen_json_writer_end_object (writer);
    }
  pen_json_writer_end_array (writer);
}

static void
pen_event_json_put_payload (PenJsonWriter *writer, const PenEvent *event)
{
  gsize length = 0;
  const char *data = pen_event_get_data (event, &length);
  guint64 full_size = pen_event_get_full_size (event);

  pen_event_json_put_bytes (writer, "payload", data, length, length < full_size);
  pen_event_json_put_cut (writer, length, full_size);
}

/* documented in the header */
void
pen_event_json_put_content (PenJsonWriter *writer, const PenEvent *event)
{
  if (pen_event_get_topic (event) != NULL)
    pen_event_json_put_text (writer, "topic", pen_event_get_topic (event));
  if (pen_event_get_content_type (event) != NULL)
    pen_event_json_put_text (writer, "content_type", pen_event_get_content_type (event));
  pen_event_json_put_flags (writer, pen_event_get_flags (event));
  pen_event_json_put_properties (writer, event);
  pen_event_json_put_payload (writer, event);
}
