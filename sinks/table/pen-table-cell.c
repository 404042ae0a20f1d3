/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a value looks like in a table. A payload comes from somebody else, and a terminal obeys what
 * it is sent: it moves its cursor, changes its title, answers as if somebody typed. So no control
 * character reaches it, nor one that turns the direction of writing.
 */

#include "config.h"

#include "pen-table-cell.h"

#include <string.h>

#define MAX_DIGITS_FORMAT 16
#define ELLIPSIS "…"

static void
pen_table_append_number (GString *text, const PenFieldValue *value, guint digits)
{
  PenJsonSlice slice = { .text = value->text, .length = value->length, .type = PEN_JSON_NUMBER };
  char format[MAX_DIGITS_FORMAT];
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean is_whole = TRUE;
  double parsed;

  for (gsize i = 0; i < value->length; i++)
    is_whole = is_whole && value->text[i] != '.' && (value->text[i] | 0x20) != 'e';
  if (is_whole || digits == 0 || !pen_json_slice_get_double (&slice, &parsed, NULL))
    {
      g_string_append_len (text, value->text, (gssize) value->length);
      return;
    }
  g_snprintf (format, sizeof format, "%%.%ug", digits);
  g_string_append (text, g_ascii_formatd (number, sizeof number, format, parsed));
}

/* documented in the header */
void
pen_table_append_value (GString *text, const PenFieldValue *value, guint digits)
{
  g_autofree char *decoded = NULL;
  gsize length;

  switch (value->type)
    {
    case PEN_JSON_NULL:
      break;
    case PEN_JSON_NUMBER:
      pen_table_append_number (text, value, digits);
      break;
    case PEN_JSON_STRING:
      decoded = pen_field_value_decode (value, &length);
      g_string_append_len (text, decoded, (gssize) length);
      break;
    case PEN_JSON_FALSE:
    case PEN_JSON_TRUE:
    case PEN_JSON_ARRAY:
    case PEN_JSON_OBJECT:
    default:
      g_string_append_len (text, value->text, (gssize) value->length);
    }
}

/* What a terminal obeys, and what is not to be seen: controls of both kinds, turns of the
 * direction (U+202A to U+202E, U+2066 to U+2069), line and paragraph separators, private use. */
static gboolean
pen_table_is_harmful (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return TRUE;
    default:
      return FALSE;
    }
}

static void
pen_table_append_escape (GString *text, gunichar c)
{
  switch (c)
    {
    case '\n':
      g_string_append (text, "\\n");
      break;
    case '\r':
      g_string_append (text, "\\r");
      break;
    case '\t':
      g_string_append (text, "\\t");
      break;
    default:
      g_string_append_printf (text, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    }
}

/* documented in the header */
char *
pen_table_make_harmless (const char *text, gsize length)
{
  GString *harmless = g_string_sized_new (length);
  const char *end = text + length;

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (harmless, "\\x%02x", (guint8) *text++);
          continue;
        }
      if (pen_table_is_harmful (c))
        pen_table_append_escape (harmless, c);
      else
        g_string_append_unichar (harmless, c);
      text += c == 0 ? 1 : g_utf8_next_char (text) - text;
    }
  return g_string_free (harmless, FALSE);
}

static guint
pen_table_get_width_of (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

/* documented in the header */
guint
pen_table_get_width (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += pen_table_get_width_of (g_utf8_get_char (text));
  return width;
}

/* documented in the header */
void
pen_table_cut (char **text, guint max_width)
{
  const char *p = *text;
  guint width = 0;
  char *cut;

  if (strlen (*text) <= max_width || pen_table_get_width (*text) <= max_width)
    return;
  for (; *p != '\0'; p = g_utf8_next_char (p))
    {
      width += pen_table_get_width_of (g_utf8_get_char (p));
      if (width > max_width - 1)
        break;
    }
  cut = g_strdup_printf ("%.*s" ELLIPSIS, (int) (p - *text), *text);
  g_free (*text);
  *text = cut;
}
