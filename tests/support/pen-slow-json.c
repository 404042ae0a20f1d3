/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second JSON reader, for tests only. It is slow and plain on purpose: one function for each rule
 * of RFC 8259 (sections 2 to 7) and of RFC 3629's UTF-8 (section 4), no tables, no look-ahead, so
 * that it can be checked by reading it beside the RFCs. It shares nothing with the library's.
 *
 * Two rules are stricter than the RFC's grammar, as the library promises: an escaped surrogate must
 * be one half of a pair, and nesting ends at PEN_JSON_MAX_DEPTH.
 *
 * Every function consumes what it matched and returns TRUE, or notes where it failed.
 */

#include "config.h"

#include "pen-slow-json.h"

#include <string.h>

typedef struct
{
  PenSlowJson *json;
  gsize at;
  guint depth;
} PenSlowReader;

static gboolean pen_slow_value (PenSlowReader *reader, const PenSlowNode *key, guint *index);

/* The byte at hand, or -1 at the end. */
static int
pen_slow_peek (const PenSlowReader *reader)
{
  if (reader->at == reader->json->length)
    return -1;
  return (guint8) reader->json->text[reader->at];
}

static gboolean
pen_slow_fail (PenSlowReader *reader, PenSlowVerdict verdict)
{
  reader->json->verdict = verdict;
  reader->json->failed_at = reader->at;
  return FALSE;
}

static gboolean
pen_slow_range (PenSlowReader *reader, int first, int last)
{
  int byte = pen_slow_peek (reader);

  if (byte < first || byte > last)
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  reader->at++;
  return TRUE;
}

static gboolean
pen_slow_literal (PenSlowReader *reader, const char *literal)
{
  for (const char *c = literal; *c != '\0'; c++)
    if (!pen_slow_range (reader, *c, *c))
      return FALSE;
  return TRUE;
}

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static void
pen_slow_white_space (PenSlowReader *reader)
{
  int byte = pen_slow_peek (reader);

  while (byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d)
    {
      reader->at++;
      byte = pen_slow_peek (reader);
    }
}

static gboolean
pen_slow_is_digit (int byte)
{
  return byte >= '0' && byte <= '9';
}

/* 1*DIGIT */
static gboolean
pen_slow_digits (PenSlowReader *reader)
{
  if (!pen_slow_range (reader, '0', '9'))
    return FALSE;
  while (pen_slow_is_digit (pen_slow_peek (reader)))
    reader->at++;
  return TRUE;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static gboolean
pen_slow_number (PenSlowReader *reader)
{
  if (pen_slow_peek (reader) == '-')
    reader->at++;
  if (pen_slow_peek (reader) == '0')
    reader->at++;
  else if (!pen_slow_digits (reader))
    return FALSE;
  if (pen_slow_peek (reader) == '.')
    {
      reader->at++;
      if (!pen_slow_digits (reader))
        return FALSE;
    }
  if (pen_slow_peek (reader) == 'e' || pen_slow_peek (reader) == 'E')
    {
      reader->at++;
      if (pen_slow_peek (reader) == '+' || pen_slow_peek (reader) == '-')
        reader->at++;
      return pen_slow_digits (reader);
    }
  return TRUE;
}

static gboolean
pen_slow_hex (PenSlowReader *reader)
{
  if (!g_ascii_isxdigit (MAX (pen_slow_peek (reader), 0)))
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  reader->at++;
  return TRUE;
}

/* What follows "\ud": 0-7 and two more digits are a character by themselves; 8-b and two more are
 * the first half of a pair, whose second half must follow; c-f would be a second half alone. */
static gboolean
pen_slow_surrogate (PenSlowReader *reader)
{
  int byte = pen_slow_peek (reader);

  if (byte >= '0' && byte <= '7')
    return pen_slow_hex (reader) && pen_slow_hex (reader) && pen_slow_hex (reader);
  if (byte != '8' && byte != '9' && g_ascii_tolower (MAX (byte, 0)) != 'a'
      && g_ascii_tolower (MAX (byte, 0)) != 'b')
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  if (!pen_slow_hex (reader) || !pen_slow_hex (reader) || !pen_slow_hex (reader)
      || !pen_slow_literal (reader, "\\u"))
    return FALSE;
  byte = pen_slow_peek (reader);
  if (byte != 'd' && byte != 'D')
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  reader->at++;
  byte = g_ascii_tolower (MAX (pen_slow_peek (reader), 0));
  if (byte < 'c' || byte > 'f')
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  return pen_slow_hex (reader) && pen_slow_hex (reader) && pen_slow_hex (reader);
}

/* escape ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / %x75 4HEXDIG ) */
static gboolean
pen_slow_escape (PenSlowReader *reader)
{
  int byte;

  reader->at++;
  byte = pen_slow_peek (reader);
  if (byte == 'u')
    {
      reader->at++;
      byte = pen_slow_peek (reader);
      if (byte == 'd' || byte == 'D')
        {
          reader->at++;
          return pen_slow_surrogate (reader);
        }
      return pen_slow_hex (reader) && pen_slow_hex (reader) && pen_slow_hex (reader)
             && pen_slow_hex (reader);
    }
  if (byte <= 0 || strchr ("\"\\/bfnrt", byte) == NULL)
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  reader->at++;
  return TRUE;
}

static gboolean
pen_slow_tail (PenSlowReader *reader)
{
  return pen_slow_range (reader, 0x80, 0xbf);
}

/* RFC 3629, section 4: UTF8-2, UTF8-3, UTF8-4 */
static gboolean
pen_slow_utf8 (PenSlowReader *reader)
{
  int byte = pen_slow_peek (reader);

  if (byte < 0xc2 || byte > 0xf4)
    return pen_slow_fail (reader, PEN_SLOW_JSON_INVALID);
  reader->at++;
  if (byte <= 0xdf)
    return pen_slow_tail (reader);
  if (byte == 0xe0)
    return pen_slow_range (reader, 0xa0, 0xbf) && pen_slow_tail (reader);
  if (byte == 0xed)
    return pen_slow_range (reader, 0x80, 0x9f) && pen_slow_tail (reader);
  if (byte <= 0xef)
    return pen_slow_tail (reader) && pen_slow_tail (reader);
  if (byte == 0xf0)
    return pen_slow_range (reader, 0x90, 0xbf) && pen_slow_tail (reader) && pen_slow_tail (reader);
  if (byte <= 0xf3)
    return pen_slow_tail (reader) && pen_slow_tail (reader) && pen_slow_tail (reader);
  return pen_slow_range (reader, 0x80, 0x8f) && pen_slow_tail (reader) && pen_slow_tail (reader);
}

/* string = quotation-mark *char quotation-mark */
static gboolean
pen_slow_string (PenSlowReader *reader)
{
  int byte;

  if (!pen_slow_literal (reader, "\""))
    return FALSE;
  for (byte = pen_slow_peek (reader); byte != '"'; byte = pen_slow_peek (reader))
    {
      gboolean matched = byte == '\\'  ? pen_slow_escape (reader)
                         : byte < 0x80 ? pen_slow_range (reader, 0x20, 0x7f)
                                       : pen_slow_utf8 (reader);

      if (!matched)
        return FALSE;
    }
  reader->at++;
  return TRUE;
}

/* What stands between two values of an array or object: says whether there is a further one. */
static gboolean
pen_slow_separator (PenSlowReader *reader, int closing, gboolean *more)
{
  pen_slow_white_space (reader);
  *more = pen_slow_peek (reader) == ',';
  if (!*more)
    return pen_slow_range (reader, closing, closing);
  reader->at++;
  pen_slow_white_space (reader);
  return TRUE;
}

/* member = string name-separator, up to its value */
static gboolean
pen_slow_key (PenSlowReader *reader, PenSlowNode *key)
{
  key->has_key = TRUE;
  key->key_offset = reader->at + 1;
  if (!pen_slow_string (reader))
    return FALSE;
  key->key_length = reader->at - 1 - key->key_offset;
  pen_slow_white_space (reader);
  if (!pen_slow_literal (reader, ":"))
    return FALSE;
  pen_slow_white_space (reader);
  return TRUE;
}

/* array = begin-array [ value *( value-separator value ) ] end-array, and object likewise */
static gboolean
pen_slow_container (PenSlowReader *reader, guint parent, gboolean is_object)
{
  int closing = is_object ? '}' : ']';
  guint previous = PEN_SLOW_JSON_NONE;
  gboolean more = TRUE;

  if (reader->depth == PEN_JSON_MAX_DEPTH)
    return pen_slow_fail (reader, PEN_SLOW_JSON_TOO_DEEP);
  reader->at++;
  pen_slow_white_space (reader);
  if (pen_slow_peek (reader) == closing)
    {
      reader->at++;
      return TRUE;
    }
  reader->depth++;
  while (more)
    {
      PenSlowNode key = { 0 };
      guint child;

      if ((is_object && !pen_slow_key (reader, &key)) || !pen_slow_value (reader, &key, &child)
          || !pen_slow_separator (reader, closing, &more))
        return FALSE;
      if (previous != PEN_SLOW_JSON_NONE)
        g_array_index (reader->json->nodes, PenSlowNode, previous).next_sibling = child;
      g_array_index (reader->json->nodes, PenSlowNode, parent).n_children++;
      previous = child;
    }
  reader->depth--;
  return TRUE;
}

static PenJsonType
pen_slow_type (int first)
{
  switch (first)
    {
    case 'n':
      return PEN_JSON_NULL;
    case 'f':
      return PEN_JSON_FALSE;
    case 't':
      return PEN_JSON_TRUE;
    case '"':
      return PEN_JSON_STRING;
    case '[':
      return PEN_JSON_ARRAY;
    case '{':
      return PEN_JSON_OBJECT;
    default:
      return PEN_JSON_NUMBER;
    }
}

/* value = false / null / true / object / array / number / string */
static gboolean
pen_slow_value (PenSlowReader *reader, const PenSlowNode *key, guint *index)
{
  PenSlowNode node = *key;
  gboolean matched;

  node.type = pen_slow_type (pen_slow_peek (reader));
  node.offset = reader->at;
  node.next_sibling = PEN_SLOW_JSON_NONE;
  *index = reader->json->nodes->len;
  g_array_append_val (reader->json->nodes, node);
  if (node.type == PEN_JSON_NULL)
    matched = pen_slow_literal (reader, "null");
  else if (node.type == PEN_JSON_FALSE)
    matched = pen_slow_literal (reader, "false");
  else if (node.type == PEN_JSON_TRUE)
    matched = pen_slow_literal (reader, "true");
  else if (node.type == PEN_JSON_STRING)
    matched = pen_slow_string (reader);
  else if (node.type == PEN_JSON_NUMBER)
    matched = pen_slow_number (reader);
  else
    matched = pen_slow_container (reader, *index, node.type == PEN_JSON_OBJECT);
  g_array_index (reader->json->nodes, PenSlowNode, *index).length = reader->at - node.offset;
  return matched;
}

/* JSON-text = ws value ws. The text must outlive what is returned. */
PenSlowJson *
pen_slow_json_parse (const char *text, gsize length)
{
  PenSlowJson *self = g_new0 (PenSlowJson, 1);
  PenSlowReader reader = { .json = self };
  PenSlowNode no_key = { 0 };
  guint top;

  self->text = text;
  self->length = length;
  self->nodes = g_array_new (FALSE, FALSE, sizeof (PenSlowNode));
  self->verdict = PEN_SLOW_JSON_ACCEPTED;
  pen_slow_white_space (&reader);
  if (pen_slow_value (&reader, &no_key, &top))
    {
      pen_slow_white_space (&reader);
      if (reader.at != length)
        pen_slow_fail (&reader, PEN_SLOW_JSON_INVALID);
    }
  return self;
}

void
pen_slow_json_free (PenSlowJson *self)
{
  g_array_unref (self->nodes);
  g_free (self);
}

const PenSlowNode *
pen_slow_json_get (const PenSlowJson *self, guint node)
{
  g_assert_cmpuint (node, <, self->nodes->len);
  return &g_array_index (self->nodes, PenSlowNode, node);
}

guint
pen_slow_json_first_child (const PenSlowJson *self, guint node)
{
  return pen_slow_json_get (self, node)->n_children == 0 ? PEN_SLOW_JSON_NONE : node + 1;
}

static gunichar
pen_slow_unicode_escape (const char *digits)
{
  char hex[5] = { digits[0], digits[1], digits[2], digits[3], '\0' };

  return (gunichar) g_ascii_strtoull (hex, NULL, 16);
}

/* What is between the quotes of an accepted string, its escapes resolved. May hold NUL. */
char *
pen_slow_json_decode (const char *inner, gsize inner_length, gsize *length)
{
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  g_autoptr (GString) text = g_string_new (NULL);
  gsize at = 0;

  while (at < inner_length)
    {
      if (inner[at] != '\\')
        g_string_append_c (text, inner[at++]);
      else if (inner[at + 1] != 'u')
        {
          g_string_append_c (text, meanings[strchr (letters, inner[at + 1]) - letters]);
          at += 2;
        }
      else
        {
          gunichar character = pen_slow_unicode_escape (inner + at + 2);

          at += 6;
          if (character >= 0xd800 && character < 0xdc00)
            {
              character = 0x10000 + ((character - 0xd800) << 10)
                          + (pen_slow_unicode_escape (inner + at + 2) - 0xdc00);
              at += 6;
            }
          if (character == 0)
            g_string_append_c (text, '\0');
          else
            g_string_append_unichar (text, character);
        }
    }
  *length = text->len;
  return g_string_free (g_steal_pointer (&text), FALSE);
}
