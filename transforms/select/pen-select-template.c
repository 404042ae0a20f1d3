/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A text with places that are filled with what is known of an event beside its payload: {topic},
 * {topic:N} for its Nth level, counted from 1 or, with a minus, from the end, and {arrival}.
 */

#include "config.h"

#include "pen-select-template.h"

#include <string.h>

/* MQTT's topics are at most 65,535 bytes long. */
#define MAX_LEVEL 65536

typedef enum
{
  PEN_SELECT_TEXT,
  PEN_SELECT_TOPIC,
  PEN_SELECT_LEVEL,
  PEN_SELECT_ARRIVAL,
} PenSelectPieceKind;

typedef struct
{
  PenSelectPieceKind kind;
  char *text;
  gint64 level;
} PenSelectPiece;

struct _PenSelectTemplate
{
  GArray *pieces; /* of PenSelectPiece */
};

static void
pen_select_piece_clear (gpointer data)
{
  g_free (((PenSelectPiece *) data)->text);
}

/* Takes @text. */
static void
pen_select_template_add (PenSelectTemplate *self, PenSelectPieceKind kind, char *text, gint64 level)
{
  PenSelectPiece piece = { .kind = kind, .text = text, .level = level };

  g_array_append_val (self->pieces, piece);
}

/* @place: what stands between the braces */
static gboolean
pen_select_template_add_place (PenSelectTemplate *self, const char *place, GError **error)
{
  gint64 level = 0;

  if (g_str_equal (place, "topic"))
    pen_select_template_add (self, PEN_SELECT_TOPIC, NULL, 0);
  else if (g_str_equal (place, "arrival"))
    pen_select_template_add (self, PEN_SELECT_ARRIVAL, NULL, 0);
  else if (g_str_has_prefix (place, "topic:")
           && g_ascii_string_to_signed (place + strlen ("topic:"), 10, -MAX_LEVEL, MAX_LEVEL,
                                        &level, NULL)
           && level != 0)
    pen_select_template_add (self, PEN_SELECT_LEVEL, NULL, level);
  else
    {
      g_set_error (
          error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL,
          "'{%s}' is no place that is filled in; there are {topic}, {topic:N} with N from 1 "
          "or, counted from the end, from -1, and {arrival}; a brace is written {{",
          place);
      return FALSE;
    }
  return TRUE;
}

static gboolean
pen_select_template_parse (PenSelectTemplate *self, const char *text, GError **error)
{
  while (*text != '\0')
    {
      gsize length = strcspn (text, "{}");
      const char *end = NULL;
      g_autofree char *place = NULL;

      if (length > 0)
        pen_select_template_add (self, PEN_SELECT_TEXT, g_strndup (text, length), 0);
      text += length;
      if (*text == '\0')
        break;
      if (text[0] == text[1])
        {
          pen_select_template_add (self, PEN_SELECT_TEXT, g_strndup (text, 1), 0);
          text += 2;
          continue;
        }
      end = *text == '{' ? strchr (text, '}') : NULL;
      if (end == NULL)
        {
          g_set_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL,
                       "'%s' is a brace without its other one; alone it is written twice", text);
          return FALSE;
        }
      place = g_strndup (text + 1, (gsize) (end - text) - 1);
      if (!pen_select_template_add_place (self, place, error))
        return FALSE;
      text = end + 1;
    }
  return TRUE;
}

PenSelectTemplate *
pen_select_template_new (const char *text, GError **error)
{
  g_autoptr (PenSelectTemplate) self = g_new0 (PenSelectTemplate, 1);

  self->pieces = g_array_new (FALSE, FALSE, sizeof (PenSelectPiece));
  g_array_set_clear_func (self->pieces, pen_select_piece_clear);
  return pen_select_template_parse (self, text, error) ? g_steal_pointer (&self) : NULL;
}

void
pen_select_template_free (PenSelectTemplate *self)
{
  g_array_unref (self->pieces);
  g_free (self);
}

static gboolean
pen_select_append_level (const char *topic, gint64 level, GString *text)
{
  gint64 n_levels = 1;

  for (const char *p = topic; *p != '\0'; p++)
    n_levels += *p == '/';
  level = level > 0 ? level - 1 : n_levels + level;
  if (level < 0 || level >= n_levels)
    return FALSE;
  for (; level > 0; level--)
    topic = strchr (topic, '/') + 1;
  g_string_append_len (text, topic, (gssize) strcspn (topic, "/"));
  return TRUE;
}

static gboolean
pen_select_append_topic (const char *topic, const PenSelectPiece *piece, GString *text)
{
  if (piece->kind != PEN_SELECT_TOPIC)
    return pen_select_append_level (topic, piece->level, text);
  g_string_append (text, topic);
  return TRUE;
}

gboolean
pen_select_template_expand (const PenSelectTemplate *self, const PenEvent *event, GString *text)
{
  const char *topic = pen_event_get_topic (event);
  char time[PEN_TIME_MAX_LENGTH + 1];

  for (guint i = 0; i < self->pieces->len; i++)
    {
      const PenSelectPiece *piece = &g_array_index (self->pieces, PenSelectPiece, i);

      if (piece->kind == PEN_SELECT_TEXT)
        g_string_append (text, piece->text);
      else if (piece->kind == PEN_SELECT_ARRIVAL)
        g_string_append_len (text, time,
                             (gssize) pen_time_format (pen_event_get_arrival (event), time));
      else if (topic == NULL || !pen_select_append_topic (topic, piece, text))
        return FALSE;
    }
  return TRUE;
}
