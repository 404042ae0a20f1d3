/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A JSON value as another type. Nothing is rounded and nothing is guessed: what has no value of the
 * other type that means the same cannot be cast.
 */

#include "config.h"

#include "pen-select-cast.h"

#include <string.h>

static const char *const clock_names[] = { "any", "iso", "s", "ms", "us" };

static gboolean
pen_select_parse_clock (const char *text, gsize length, PenSelectClock *clock)
{
  for (guint i = PEN_SELECT_ISO; i < G_N_ELEMENTS (clock_names); i++)
    if (strlen (clock_names[i]) == length && strncmp (clock_names[i], text, length) == 0)
      {
        *clock = (PenSelectClock) i;
        return TRUE;
      }
  return FALSE;
}

/* "iso", or "ms-iso" */
static gboolean
pen_select_cast_parse_time (PenSelectCast *self, const char *text)
{
  const char *dash = strchr (text, '-');

  self->type = PEN_SELECT_TIME;
  self->from = PEN_SELECT_ANY;
  if (dash == NULL)
    return pen_select_parse_clock (text, strlen (text), &self->to);
  return pen_select_parse_clock (text, (gsize) (dash - text), &self->from)
         && pen_select_parse_clock (dash + 1, strlen (dash + 1), &self->to);
}

gboolean
pen_select_cast_parse (PenSelectCast *self, const char *text, GError **error)
{
  static const struct
  {
    const char *name;
    PenSelectType type;
  } types[] = { { "integer", PEN_SELECT_INTEGER },
                { "number", PEN_SELECT_NUMBER },
                { "string", PEN_SELECT_STRING },
                { "boolean", PEN_SELECT_BOOLEAN } };

  *self = (PenSelectCast){ .type = PEN_SELECT_AS_IT_IS };
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (types[i].name, text))
      self->type = types[i].type;
  if (self->type != PEN_SELECT_AS_IT_IS || pen_select_cast_parse_time (self, text))
    return TRUE;
  g_set_error (
      error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL,
      "there is no type '%s'; there are integer, number, string, boolean, and times as iso, "
      "s, ms or us, with what they are before it as in ms-iso",
      text);
  return FALSE;
}

const char *
pen_select_cast_describe (const PenSelectCast *self)
{
  static const char *const descriptions[]
      = { "a value",  "an integer of 64 bits", "a number",
          "a string", "true or false",         "a time of the years 1 to 9999" };

  return descriptions[self->type];
}

/* (nullable) (transfer full): the text of a string, if it has no NUL */
static char *
pen_select_decode (const PenJsonSlice *value, gsize *length)
{
  char *text = pen_json_slice_decode (value, length);

  if (text != NULL && strlen (text) == *length)
    return text;
  g_free (text);
  return NULL;
}

/* A number, or a string that holds one and nothing else. @buffer: what must outlive @number */
static gboolean
pen_select_find_number (const PenJsonSlice *value, PenJsonSlice *number, char **buffer)
{
  PenJsonScanner scanner;
  gsize length = 0;

  *number = *value;
  if (value->type == PEN_JSON_NUMBER)
    return TRUE;
  if (value->type != PEN_JSON_STRING)
    return FALSE;
  *buffer = pen_select_decode (value, &length);
  if (*buffer == NULL)
    return FALSE;
  pen_json_scanner_init (&scanner, *buffer, length);
  return pen_json_scanner_begin (&scanner, number) && pen_json_scanner_finish (&scanner, NULL)
         && number->type == PEN_JSON_NUMBER && number->length == length;
}

static gboolean
pen_select_write_number (const PenJsonSlice *value, gboolean is_integer, PenJsonWriter *writer)
{
  g_autofree char *buffer = NULL;
  PenJsonSlice number;
  gint64 integer;

  if (value->type == PEN_JSON_TRUE || value->type == PEN_JSON_FALSE)
    {
      pen_json_writer_int64 (writer, value->type == PEN_JSON_TRUE);
      return TRUE;
    }
  if (!pen_select_find_number (value, &number, &buffer))
    return FALSE;
  if (!is_integer)
    {
      pen_json_writer_raw (writer, number.text, number.length);
      return TRUE;
    }
  if (!pen_json_slice_get_int64 (&number, &integer, NULL))
    return FALSE;
  pen_json_writer_int64 (writer, integer);
  return TRUE;
}

static gboolean
pen_select_write_boolean (const PenJsonSlice *value, PenJsonWriter *writer)
{
  g_autofree char *buffer = NULL;
  PenJsonSlice number;
  gsize length;
  gint64 integer;

  if (value->type == PEN_JSON_TRUE || value->type == PEN_JSON_FALSE)
    {
      pen_json_writer_boolean (writer, value->type == PEN_JSON_TRUE);
      return TRUE;
    }
  if (value->type == PEN_JSON_STRING)
    {
      g_autofree char *text = pen_select_decode (value, &length);

      if (text != NULL && (g_str_equal (text, "true") || g_str_equal (text, "false")))
        {
          pen_json_writer_boolean (writer, text[0] == 't');
          return TRUE;
        }
    }
  if (!pen_select_find_number (value, &number, &buffer)
      || !pen_json_slice_get_int64 (&number, &integer, NULL) || integer < 0 || integer > 1)
    return FALSE;
  pen_json_writer_boolean (writer, integer == 1);
  return TRUE;
}

static gboolean
pen_select_read_time (PenSelectClock from, const PenJsonSlice *value, gint64 *time_us)
{
  g_autofree char *text = NULL;
  gsize length = value->length;
  PenTimeUnit unit = from == PEN_SELECT_MILLISECONDS   ? PEN_TIME_UNIT_MILLISECONDS
                     : from == PEN_SELECT_MICROSECONDS ? PEN_TIME_UNIT_MICROSECONDS
                                                       : PEN_TIME_UNIT_SECONDS;

  if (value->type == PEN_JSON_STRING)
    text = pen_select_decode (value, &length);
  else if (value->type == PEN_JSON_NUMBER)
    text = g_strndup (value->text, value->length);
  if (text == NULL)
    return FALSE;
  if (from != PEN_SELECT_ISO && pen_time_parse_number (text, length, unit, time_us))
    return TRUE;
  return from <= PEN_SELECT_ISO && pen_time_parse (text, length, time_us);
}

static gboolean
pen_select_write_time (const PenSelectCast *self, const PenJsonSlice *value, PenJsonWriter *writer)
{
  char text[PEN_TIME_MAX_LENGTH + 1];
  gint64 time_us;
  gsize length;

  if (!pen_select_read_time (self->from, value, &time_us))
    return FALSE;
  if (self->to == PEN_SELECT_ISO)
    {
      length = pen_time_format (time_us, text);
      pen_json_writer_string (writer, text, (gssize) length);
      return TRUE;
    }
  length
      = pen_time_format_number (time_us,
                                self->to == PEN_SELECT_MILLISECONDS   ? PEN_TIME_UNIT_MILLISECONDS
                                : self->to == PEN_SELECT_MICROSECONDS ? PEN_TIME_UNIT_MICROSECONDS
                                                                      : PEN_TIME_UNIT_SECONDS,
                                text);
  pen_json_writer_raw (writer, text, length);
  return TRUE;
}

gboolean
pen_select_cast_write (const PenSelectCast *self, const PenJsonSlice *value, PenJsonWriter *writer)
{
  if (self->type == PEN_SELECT_AS_IT_IS || value->type == PEN_JSON_NULL
      || (self->type == PEN_SELECT_STRING && value->type == PEN_JSON_STRING))
    {
      pen_json_writer_raw (writer, value->text, value->length);
      return TRUE;
    }
  switch (self->type)
    {
    case PEN_SELECT_INTEGER:
    case PEN_SELECT_NUMBER:
      return pen_select_write_number (value, self->type == PEN_SELECT_INTEGER, writer);
    case PEN_SELECT_BOOLEAN:
      return pen_select_write_boolean (value, writer);
    case PEN_SELECT_TIME:
      return pen_select_write_time (self, value, writer);
    case PEN_SELECT_STRING:
    case PEN_SELECT_AS_IT_IS:
    default:
      pen_json_writer_string (writer, value->text, (gssize) value->length);
      return TRUE;
    }
}
