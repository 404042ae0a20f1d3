/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A topic with places that are filled for each event: '{topic}', one of its levels, a field of the
 * payload, the pipeline's name, the time of arrival.
 *
 * What comes from data cannot choose where a message goes beyond the place that it was given: a
 * level or a field that holds a '/' or a wildcard, or nothing, makes the event a dead letter, and
 * so does data that begins with a '$'. Bending such a value into a harmless one would let two
 * things share a topic, which nobody would notice.
 */

#include "config.h"

#include "pen-mqtt-topic-template.h"

#include <stdlib.h>
#include <string.h>

#define REASON "bad_topic"
/* What MQTT can express (1.5.4), and what one level of an event's topic is counted to. */
#define MAXIMUM_TOPIC 65535
#define MAXIMUM_LEVEL 1000
/* Of a value that is told to be wrong. */
#define MAXIMUM_TOLD 80

typedef enum
{
  PEN_MQTT_PIECE_TEXT,
  PEN_MQTT_PIECE_TOPIC,
  PEN_MQTT_PIECE_LEVEL,
  PEN_MQTT_PIECE_FIELD,
  PEN_MQTT_PIECE_PIPELINE,
  PEN_MQTT_PIECE_TIME,
} PenMqttPieceKind;

typedef struct
{
  PenMqttPieceKind kind;
  char *text; /* of a text itself, a field's name, a time's format */
  int level;  /* from 1; from the end: below 0 */
} PenMqttPiece;

struct _PenMqttTopicTemplate
{
  GArray *pieces; /* of PenMqttPiece */
  GString *topic; /* of the last event */
};

static void
pen_mqtt_piece_clear (gpointer data)
{
  PenMqttPiece *piece = data;

  g_free (piece->text);
}

/* --- Reading the template --- */

static void
pen_mqtt_topic_template_add (PenMqttTopicTemplate *self,
                             PenMqttPieceKind kind,
                             const char *text,
                             gsize length)
{
  PenMqttPiece piece = { .kind = kind, .text = g_strndup (text, length) };

  g_array_append_val (self->pieces, piece);
}

static gboolean
pen_mqtt_topic_template_add_level (PenMqttTopicTemplate *self, const char *number)
{
  PenMqttPiece piece = { .kind = PEN_MQTT_PIECE_LEVEL };
  gint64 level;

  if (!g_ascii_string_to_signed (number, 10, -MAXIMUM_LEVEL, MAXIMUM_LEVEL, &level, NULL)
      || level == 0)
    return FALSE;
  piece.level = (int) level;
  g_array_append_val (self->pieces, piece);
  return TRUE;
}

/* The @format gives a text for a time. */
static gboolean
pen_mqtt_topic_template_add_time (PenMqttTopicTemplate *self, const char *format)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (0);
  g_autofree char *text = g_date_time_format (time, format);

  if (text == NULL || *text == '\0')
    return FALSE;
  pen_mqtt_topic_template_add (self, PEN_MQTT_PIECE_TIME, format, strlen (format));
  return TRUE;
}

static gboolean
pen_mqtt_topic_template_add_place (PenMqttTopicTemplate *self, const char *place)
{
  if (g_str_equal (place, "topic"))
    pen_mqtt_topic_template_add (self, PEN_MQTT_PIECE_TOPIC, "", 0);
  else if (g_str_equal (place, "pipeline"))
    pen_mqtt_topic_template_add (self, PEN_MQTT_PIECE_PIPELINE, "", 0);
  else if (g_str_has_prefix (place, "topic:"))
    return pen_mqtt_topic_template_add_level (self, place + strlen ("topic:"));
  else if (g_str_has_prefix (place, "time:"))
    return pen_mqtt_topic_template_add_time (self, place + strlen ("time:"));
  else if (g_str_has_prefix (place, "field:") && place[strlen ("field:")] != '\0')
    pen_mqtt_topic_template_add (self, PEN_MQTT_PIECE_FIELD, place + strlen ("field:"),
                                 strlen (place + strlen ("field:")));
  else
    return FALSE;
  return TRUE;
}

/* A place, a doubled brace, or what is wrong; @cursor goes behind it. */
static gboolean
pen_mqtt_topic_template_parse_brace (PenMqttTopicTemplate *self,
                                     const char **cursor,
                                     GError **error)
{
  const char *end = **cursor == '{' ? strchr (*cursor, '}') : NULL;
  g_autofree char *place = NULL;

  if ((*cursor)[0] == (*cursor)[1])
    {
      pen_mqtt_topic_template_add (self, PEN_MQTT_PIECE_TEXT, *cursor, 1);
      *cursor += 2;
      return TRUE;
    }
  if (end == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "topic",
                             "'%c' without its partner; a brace itself is written '%c%c'", **cursor,
                             **cursor, **cursor);
      return FALSE;
    }
  place = g_strndup (*cursor + 1, (gsize) (end - *cursor - 1));
  *cursor = end + 1;
  if (pen_mqtt_topic_template_add_place (self, place))
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "topic",
                         "unknown place '{%s}'; there are '{topic}', '{topic:N}' (its Nth level; "
                         "-1 is the last), '{field:NAME}' (of a JSON payload), '{pipeline}' and "
                         "'{time:FORMAT}', as in '{time:%%Y-%%m-%%d}'",
                         place);
  return FALSE;
}

static gboolean
pen_mqtt_topic_template_parse (PenMqttTopicTemplate *self, const char *text, GError **error)
{
  const char *cursor = text;

  if (*text == '\0')
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "topic", "it is empty");
      return FALSE;
    }
  while (*cursor != '\0')
    {
      gsize n_plain = strcspn (cursor, "{}");

      if (strcspn (cursor, "+#") < n_plain)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "topic",
                                 "'%s' has a wildcard: one publishes to a topic, not to a pattern",
                                 text);
          return FALSE;
        }
      if (n_plain > 0)
        pen_mqtt_topic_template_add (self, PEN_MQTT_PIECE_TEXT, cursor, n_plain);
      cursor += n_plain;
      if (*cursor != '\0' && !pen_mqtt_topic_template_parse_brace (self, &cursor, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * pen_mqtt_topic_template_new:
 * @text: of the keyfile
 * @error: what is wrong with it
 *
 * Returns: (nullable) (transfer full): a template of @text
 *
 * Threads: any
 */
PenMqttTopicTemplate *
pen_mqtt_topic_template_new (const char *text, GError **error)
{
  g_autoptr (PenMqttTopicTemplate) self = g_new0 (PenMqttTopicTemplate, 1);

  self->pieces = g_array_new (FALSE, FALSE, sizeof (PenMqttPiece));
  g_array_set_clear_func (self->pieces, pen_mqtt_piece_clear);
  self->topic = g_string_new (NULL);
  if (!pen_mqtt_topic_template_parse (self, text, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Threads: any */
void
pen_mqtt_topic_template_free (PenMqttTopicTemplate *self)
{
  g_array_unref (self->pieces);
  g_string_free (self->topic, TRUE);
  g_free (self);
}

/* --- Filling it --- */

G_GNUC_PRINTF (2, 3)
static gboolean
pen_mqtt_topic_refuse (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, REASON, "%s", message);
  return FALSE;
}

/* Something of @text that can be logged. */
static char *
pen_mqtt_topic_quote (const char *text, gsize length)
{
  g_autofree char *part = g_strndup (text, MIN (length, MAXIMUM_TOLD));
  g_autofree char *valid = g_utf8_make_valid (part, -1);

  return g_strescape (valid, NULL);
}

static gboolean
pen_mqtt_topic_template_append_level (PenMqttTopicTemplate *self,
                                      int level,
                                      const char *topic,
                                      GError **error)
{
  g_auto (GStrv) levels = g_strsplit (topic, "/", MAXIMUM_LEVEL + 1);
  int n_levels = (int) g_strv_length (levels);
  int index = level > 0 ? level - 1 : n_levels + level;

  if (index < 0 || index >= n_levels)
    return pen_mqtt_topic_refuse (error, "topic '%s' has no level %d", topic, level);
  if (levels[index][0] == '\0')
    return pen_mqtt_topic_refuse (error, "level %d of topic '%s' is empty", level, topic);
  g_string_append (self->topic, levels[index]);
  return TRUE;
}

/* @value is to be one level of a topic. */
static gboolean
pen_mqtt_topic_template_append_value (PenMqttTopicTemplate *self,
                                      const char *name,
                                      const char *value,
                                      gsize length,
                                      GError **error)
{
  gboolean is_good = length > 0;

  for (gsize i = 0; i < length && is_good; i++)
    is_good = (guchar) value[i] >= ' ' && value[i] != 0x7f && strchr ("/+#", value[i]) == NULL;
  if (!is_good)
    {
      g_autofree char *told = pen_mqtt_topic_quote (value, length);

      return pen_mqtt_topic_refuse (error,
                                    "field '%s' is '%s', which cannot be a level of a topic: it is "
                                    "empty, or holds '/', '+', '#' or a control character",
                                    name, told);
    }
  g_string_append_len (self->topic, value, (gssize) length);
  return TRUE;
}

static gboolean
pen_mqtt_topic_template_append_field (PenMqttTopicTemplate *self,
                                      const char *name,
                                      PenEvent *event,
                                      GError **error)
{
  PenJson *json = pen_event_get_json (event, NULL);
  PenJsonNode node = PEN_JSON_NO_NODE;
  PenJsonSlice slice;
  g_autofree char *decoded = NULL;
  gsize length = 0;

  if (json == NULL || pen_json_get_node_type (json, 0) != PEN_JSON_OBJECT)
    return pen_mqtt_topic_refuse (
        error, "the payload is not a JSON object, so it has no field '%s'", name);
  node = pen_json_get_member (json, 0, name);
  if (node == PEN_JSON_NO_NODE)
    return pen_mqtt_topic_refuse (error, "the payload has no field '%s'", name);
  pen_json_get_slice (json, node, &slice);
  if (slice.type == PEN_JSON_STRING)
    {
      decoded = pen_json_slice_decode (&slice, &length);
      return pen_mqtt_topic_template_append_value (self, name, decoded, length, error);
    }
  if (slice.type != PEN_JSON_NUMBER && slice.type != PEN_JSON_TRUE && slice.type != PEN_JSON_FALSE)
    return pen_mqtt_topic_refuse (error, "field '%s' is neither a string nor a number", name);
  return pen_mqtt_topic_template_append_value (self, name, slice.text, slice.length, error);
}

static void
pen_mqtt_topic_template_append_time (PenMqttTopicTemplate *self, const char *format, gint64 time_us)
{
  /* A time that GDateTime cannot hold (beyond the year 9999) is written as the epoch. */
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autofree char *text = NULL;

  if (time == NULL)
    time = g_date_time_new_from_unix_utc (0);
  text = g_date_time_format (time, format);
  g_string_append (self->topic, text != NULL ? text : "");
}

static gboolean
pen_mqtt_topic_template_append (PenMqttTopicTemplate *self,
                                const PenMqttPiece *piece,
                                const char *pipeline,
                                PenEvent *event,
                                GError **error)
{
  const char *topic = pen_event_get_topic (event);

  switch (piece->kind)
    {
    case PEN_MQTT_PIECE_TOPIC:
    case PEN_MQTT_PIECE_LEVEL:
      if (topic == NULL || *topic == '\0')
        return pen_mqtt_topic_refuse (error, "the event has no topic of its own");
      if (piece->kind == PEN_MQTT_PIECE_LEVEL)
        return pen_mqtt_topic_template_append_level (self, piece->level, topic, error);
      g_string_append (self->topic, topic);
      return TRUE;
    case PEN_MQTT_PIECE_FIELD:
      return pen_mqtt_topic_template_append_field (self, piece->text, event, error);
    case PEN_MQTT_PIECE_TIME:
      pen_mqtt_topic_template_append_time (self, piece->text, pen_event_get_arrival (event));
      return TRUE;
    case PEN_MQTT_PIECE_PIPELINE:
      g_string_append (self->topic, pipeline);
      return TRUE;
    case PEN_MQTT_PIECE_TEXT:
    default:
      g_string_append (self->topic, piece->text);
      return TRUE;
    }
}

/* What MQTT does not allow (4.7), and topics that no data may choose. */
static gboolean
pen_mqtt_topic_template_is_valid (PenMqttTopicTemplate *self, GError **error)
{
  const PenMqttPiece *first = &g_array_index (self->pieces, PenMqttPiece, 0);
  const char *topic = self->topic->str;
  const char *fault = NULL;
  g_autofree char *told = NULL;

  if (self->topic->len == 0)
    fault = "it is empty";
  else if (self->topic->len > MAXIMUM_TOPIC)
    fault = "it is longer than 65535 bytes";
  else if (strpbrk (topic, "+#") != NULL)
    fault = "it has a wildcard";
  else if (!g_utf8_validate (topic, -1, NULL))
    fault = "it is not UTF-8";
  else if (topic[0] == '$' && first->kind != PEN_MQTT_PIECE_TEXT)
    fault = "topics that begin with '$' are the broker's own";
  for (const char *byte = topic; fault == NULL && *byte != '\0'; byte++)
    if ((guchar) *byte < ' ' || *byte == 0x7f)
      fault = "it has a control character";
  if (fault == NULL)
    return TRUE;
  told = pen_mqtt_topic_quote (topic, self->topic->len);
  return pen_mqtt_topic_refuse (error, "cannot publish to topic '%s': %s", told, fault);
}

/**
 * pen_mqtt_topic_template_expand:
 * @self: a template
 * @pipeline: the pipeline's name
 * @event: what is published
 * @error: why @event has no topic: a rejection
 *
 * Returns: (nullable) (transfer none): the topic, valid until the next call
 *
 * Threads: any, one at a time
 */
const char *
pen_mqtt_topic_template_expand (PenMqttTopicTemplate *self,
                                const char *pipeline,
                                PenEvent *event,
                                GError **error)
{
  g_string_truncate (self->topic, 0);
  for (guint i = 0; i < self->pieces->len; i++)
    if (!pen_mqtt_topic_template_append (self, &g_array_index (self->pieces, PenMqttPiece, i),
                                         pipeline, event, error))
      return NULL;
  return pen_mqtt_topic_template_is_valid (self, error) ? self->topic->str : NULL;
}
