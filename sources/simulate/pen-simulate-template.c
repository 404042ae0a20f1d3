/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A text with places for the values of an event, parsed once.
 *
 * A place is a name in braces. A brace before anything else is itself, so that JSON is written as
 * it is: {"number": {number}}. In a JSON template a value inside quotation marks is escaped, and
 * one outside of them is written whole: a number as its digits, a text with its quotation marks.
 */

#include "config.h"

#include "pen-simulate-template.h"

#include <string.h>

typedef struct
{
  char *literal; /* NULL: a place */
  gsize length;
  guint position;
  gboolean in_string; /* inside quotation marks of JSON */
} PenSimulatePiece;

struct _PenSimulateTemplate
{
  GArray *pieces; /* of PenSimulatePiece */
  gboolean is_json;
};

typedef struct
{
  gboolean in_string;
  gboolean is_escaped;
} PenSimulateQuotes;

static void
pen_simulate_piece_clear (gpointer data)
{
  g_free (((PenSimulatePiece *) data)->literal);
}

/* The length of what stands in brackets, brackets included, or 0: an index, or a name as JSON. */
static gsize
pen_simulate_template_measure_bracket (const char *text)
{
  const char *end;

  if (text[1] != '"')
    {
      end = strchr (text, ']');
      return end != NULL ? (gsize) (end - text) + 1 : 0;
    }
  for (end = text + 2; *end != '\0' && *end != '"'; end++)
    {
      if (*end == '\\' && end[1] != '\0')
        end++;
    }
  return *end == '"' && end[1] == ']' ? (gsize) (end - text) + 2 : 0;
}

/* The length of a place that @text begins with, braces included, or 0. */
static gsize
pen_simulate_template_measure_place (const char *text)
{
  gsize length = 1;
  gsize step = 1;

  if (*text != '{' || !(g_ascii_isalpha (text[1]) || text[1] == '_'))
    return 0;
  while (step > 0)
    {
      if (text[length] == '[')
        step = pen_simulate_template_measure_bracket (text + length);
      else
        step = g_ascii_isalnum (text[length])
               || (text[length] != '\0' && strchr ("_-.", text[length]));
      length += step;
    }
  return text[length] == '}' ? length + 1 : 0;
}

static void
pen_simulate_quotes_pass (PenSimulateQuotes *self, char byte)
{
  if (self->is_escaped)
    self->is_escaped = FALSE;
  else if (byte == '\\' && self->in_string)
    self->is_escaped = TRUE;
  else if (byte == '"')
    self->in_string = !self->in_string;
}

static void
pen_simulate_template_add_literal (PenSimulateTemplate *self, const char *text, gsize length)
{
  PenSimulatePiece piece = { .literal = g_strndup (text, length), .length = length };

  g_array_append_val (self->pieces, piece);
}

PenSimulateTemplate *
pen_simulate_template_new (const char *text,
                           gboolean is_json,
                           PenSimulateResolveFunc resolve,
                           gpointer user_data,
                           GError **error)
{
  g_autoptr (PenSimulateTemplate) self = g_new0 (PenSimulateTemplate, 1);
  PenSimulateQuotes quotes = { FALSE, FALSE };
  const char *start = text;
  const char *cursor = text;

  self->pieces = g_array_new (FALSE, FALSE, sizeof (PenSimulatePiece));
  g_array_set_clear_func (self->pieces, pen_simulate_piece_clear);
  self->is_json = is_json;
  while (*cursor != '\0')
    {
      gsize length = pen_simulate_template_measure_place (cursor);
      g_autofree char *name = NULL;
      PenSimulatePiece piece = { .in_string = quotes.in_string };
      int position;

      if (length == 0)
        {
          pen_simulate_quotes_pass (&quotes, *cursor++);
          continue;
        }
      name = g_strndup (cursor + 1, length - 2);
      position = resolve (name, user_data, error);
      if (position < 0)
        {
          g_prefix_error (error, "character %ld: ", g_utf8_pointer_to_offset (text, cursor) + 1);
          return NULL;
        }
      if (cursor > start)
        pen_simulate_template_add_literal (self, start, (gsize) (cursor - start));
      piece.position = (guint) position;
      g_array_append_val (self->pieces, piece);
      cursor += length;
      start = cursor;
    }
  if (cursor > start)
    pen_simulate_template_add_literal (self, start, (gsize) (cursor - start));
  return g_steal_pointer (&self);
}

void
pen_simulate_template_free (PenSimulateTemplate *self)
{
  g_array_unref (self->pieces);
  g_free (self);
}

static void
pen_simulate_template_append_json (GString *text, const PenSimulateValue *value, gboolean in_string)
{
  PenJsonWriter writer;
  gsize start = text->len;

  pen_json_writer_init (&writer, text);
  pen_json_writer_string (&writer, value->text->str, (gssize) value->text->len);
  if (!in_string)
    return;
  g_string_erase (text, (gssize) start, 1);
  g_string_truncate (text, text->len - 1);
}

void
pen_simulate_template_fill (const PenSimulateTemplate *self,
                            const PenSimulateValue *const *values,
                            GString *text)
{
  for (guint i = 0; i < self->pieces->len; i++)
    {
      const PenSimulatePiece *piece = &g_array_index (self->pieces, PenSimulatePiece, i);
      const PenSimulateValue *value;
      gboolean is_plain;

      if (piece->literal != NULL)
        {
          g_string_append_len (text, piece->literal, (gssize) piece->length);
          continue;
        }
      value = values[piece->position];
      is_plain = !self->is_json || (value->is_raw && !piece->in_string);
      if (is_plain)
        g_string_append_len (text, value->text->str, (gssize) value->text->len);
      else
        pen_simulate_template_append_json (text, value, piece->in_string);
    }
}
