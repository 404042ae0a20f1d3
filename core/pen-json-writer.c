/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes JSON: a writer that minds the commas, and two ways to lay a text out anew that leave its
 * numbers and strings as they are.
 *
 * Invariant: whatever is handed to the writer, what it writes is valid JSON; only
 * pen_json_writer_raw () takes its caller's word.
 */

#include "config.h"

#include "pen-json.h"

#include <math.h>
#include <string.h>

#define REPLACEMENT_CHARACTER "\xef\xbf\xbd"

/**
 * pen_json_writer_init: (skip)
 * @self: a writer on the caller's stack
 * @text: where to write to; what it holds stays
 *
 * Threads: any
 */
void
pen_json_writer_init (PenJsonWriter *self, GString *text)
{
  *self = (PenJsonWriter){ .text = text };
}

/* Writes the comma, if one is due, before an element or a key. */
static void
pen_json_writer_separate (PenJsonWriter *self)
{
  guint64 bit;

  if (self->after_key)
    {
      self->after_key = FALSE;
      return;
    }
  if (self->depth == 0)
    return;
  bit = G_GUINT64_CONSTANT (1) << (self->depth - 1);
  if ((self->has_items & bit) != 0)
    g_string_append_c (self->text, ',');
  self->has_items |= bit;
}

static void
pen_json_writer_open (PenJsonWriter *self, char bracket)
{
  g_return_if_fail (self->depth < PEN_JSON_MAX_DEPTH);
  pen_json_writer_separate (self);
  g_string_append_c (self->text, bracket);
  self->has_items &= ~(G_GUINT64_CONSTANT (1) << self->depth);
  self->depth++;
}

static void
pen_json_writer_close (PenJsonWriter *self, char bracket)
{
  g_return_if_fail (self->depth > 0 && !self->after_key);
  self->depth--;
  g_string_append_c (self->text, bracket);
}

/**
 * pen_json_writer_begin_object: (skip)
 * @self: a writer
 *
 * Threads: any
 */
void
pen_json_writer_begin_object (PenJsonWriter *self)
{
  pen_json_writer_open (self, '{');
}

/**
 * pen_json_writer_end_object: (skip)
 * @self: a writer
 *
 * Threads: any
 */
void
pen_json_writer_end_object (PenJsonWriter *self)
{
  pen_json_writer_close (self, '}');
}

/**
 * pen_json_writer_begin_array: (skip)
 * @self: a writer
 *
 * Threads: any
 */
void
pen_json_writer_begin_array (PenJsonWriter *self)
{
  pen_json_writer_open (self, '[');
}

/**
 * pen_json_writer_end_array: (skip)
 * @self: a writer
 *
 * Threads: any
 */
void
pen_json_writer_end_array (PenJsonWriter *self)
{
  pen_json_writer_close (self, ']');
}

/* Writes what a character below 0x20, a quote or a backslash is escaped as. */
static void
pen_json_append_escape (GString *text, guint8 c)
{
  static const char letters[] = "\b\f\n\r\t\"\\";
  static const char escapes[] = "bfnrt\"\\";
  const char *found = c != '\0' ? strchr (letters, c) : NULL;

  if (found != NULL)
    {
      g_string_append_c (text, '\\');
      g_string_append_c (text, escapes[found - letters]);
    }
  else
    g_string_append_printf (text, "\\u%04x", c);
}

/* Writes valid UTF-8 with a pair of quotes around it. */
static void
pen_json_append_string (GString *text, const char *string, gsize length)
{
  const char *end = string + length;
  const char *run = string;

  g_string_append_c (text, '"');
  for (const char *p = string; p < end; p++)
    {
      guint8 c = (guint8) *p;

      if (c >= 0x20 && c != '"' && c != '\\')
        continue;
      g_string_append_len (text, run, p - run);
      pen_json_append_escape (text, c);
      run = p + 1;
    }
  g_string_append_len (text, run, end - run);
  g_string_append_c (text, '"');
}

/* Returns a copy of a text in which U+FFFD stands for every byte that is not UTF-8. NUL counts as a
 * character, unlike in g_utf8_make_valid (). */
static char *
pen_json_make_valid (const char *text, gsize length, gsize *n_valid)
{
  g_autoptr (GString) valid = g_string_sized_new (length + 16);
  const char *end = text + length;

  while (text < end)
    {
      const char *stop;

      g_utf8_validate_len (text, (gsize) (end - text), &stop);
      g_string_append_len (valid, text, stop - text);
      if (stop < end && *stop == '\0')
        g_string_append_c (valid, '\0');
      else if (stop < end)
        g_string_append (valid, REPLACEMENT_CHARACTER);
      text = stop + 1;
    }
  *n_valid = valid->len;
  return g_string_free (g_steal_pointer (&valid), FALSE);
}

/**
 * pen_json_writer_string: (skip)
 * @self: a writer
 * @text: (array length=length): a text; what is not UTF-8 in it is replaced by U+FFFD
 * @length: number of bytes, or -1 if a NUL ends it
 *
 * Writes a string with the escapes that it needs.
 *
 * Threads: any
 */
void
pen_json_writer_string (PenJsonWriter *self, const char *text, gssize length)
{
  gsize n_text = length < 0 ? strlen (text) : (gsize) length;
  g_autofree char *valid = NULL;

  if (n_text > 0 && !g_utf8_validate_len (text, n_text, NULL))
    text = valid = pen_json_make_valid (text, n_text, &n_text);
  pen_json_writer_separate (self);
  pen_json_append_string (self->text, text, n_text);
}

/**
 * pen_json_writer_key: (skip)
 * @self: a writer inside an object
 * @key: the key of the value that is written next, decoded
 *
 * Threads: any
 */
void
pen_json_writer_key (PenJsonWriter *self, const char *key)
{
  g_return_if_fail (self->depth > 0 && !self->after_key);
  pen_json_writer_string (self, key, -1);
  g_string_append_c (self->text, ':');
  self->after_key = TRUE;
}

/**
 * pen_json_writer_raw_key: (skip)
 * @self: a writer inside an object
 * @key: (array length=length): the text of a key's slice
 * @length: number of bytes
 *
 * Writes the key of the value that is written next as it came.
 *
 * Threads: any
 */
void
pen_json_writer_raw_key (PenJsonWriter *self, const char *key, gsize length)
{
  g_return_if_fail (self->depth > 0 && !self->after_key);
  pen_json_writer_separate (self);
  g_string_append_c (self->text, '"');
  g_string_append_len (self->text, key, (gssize) length);
  g_string_append (self->text, "\":");
  self->after_key = TRUE;
}

/**
 * pen_json_writer_raw: (skip)
 * @self: a writer
 * @text: (array length=length): a valid JSON value: the text of a slice, a whole payload
 * @length: number of bytes
 *
 * Writes a value as it is.
 *
 * Threads: any
 */
void
pen_json_writer_raw (PenJsonWriter *self, const char *text, gsize length)
{
  pen_json_writer_separate (self);
  g_string_append_len (self->text, text, (gssize) length);
}

/**
 * pen_json_writer_int64: (skip)
 * @self: a writer
 * @value: an integer
 *
 * Threads: any
 */
void
pen_json_writer_int64 (PenJsonWriter *self, gint64 value)
{
  pen_json_writer_separate (self);
  g_string_append_printf (self->text, "%" G_GINT64_FORMAT, value);
}

/**
 * pen_json_writer_uint64: (skip)
 * @self: a writer
 * @value: an integer
 *
 * Threads: any
 */
void
pen_json_writer_uint64 (PenJsonWriter *self, guint64 value)
{
  pen_json_writer_separate (self);
  g_string_append_printf (self->text, "%" G_GUINT64_FORMAT, value);
}

/**
 * pen_json_writer_double: (skip)
 * @self: a writer
 * @value: a number
 *
 * Writes a number with as few digits as give the same double when read again. JSON has no
 * infinities and no NaN: for those, null is written.
 *
 * Returns: %FALSE if null was written
 *
 * Threads: any
 */
gboolean
pen_json_writer_double (PenJsonWriter *self, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value))
    {
      pen_json_writer_null (self);
      return FALSE;
    }
  /* 17 digits always do (IEEE 754-2008, 5.12.2). */
  for (guint precision = 15; precision <= 17; precision++)
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%ug", precision);
      g_ascii_formatd (text, sizeof text, format, value);
      if (g_ascii_strtod (text, NULL) == value)
        break;
    }
  pen_json_writer_raw (self, text, strlen (text));
  return TRUE;
}

/**
 * pen_json_writer_boolean: (skip)
 * @self: a writer
 * @value: true or false
 *
 * Threads: any
 */
void
pen_json_writer_boolean (PenJsonWriter *self, gboolean value)
{
  pen_json_writer_separate (self);
  g_string_append (self->text, value ? "true" : "false");
}

/**
 * pen_json_writer_null: (skip)
 * @self: a writer
 *
 * Threads: any
 */
void
pen_json_writer_null (PenJsonWriter *self)
{
  pen_json_writer_separate (self);
  g_string_append (self->text, "null");
}

/* --- Texts laid out anew --- */

/**
 * pen_json_unfold:
 * @text: a JSON text
 * @error: return location for the error
 *
 * Puts a text onto one line: the line breaks between its tokens become blanks, all else stays as it
 * came. (Inside a string there are none: they are escaped.)
 *
 * Returns: (transfer full) (nullable): the line, which is @text itself where it has no line break;
 *   %NULL with %PEN_JSON_ERROR_INVALID or %PEN_JSON_ERROR_TOO_DEEP
 *
 * Threads: any
 */
GBytes *
pen_json_unfold (GBytes *text, GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (text, &length);
  char *line;

  if (!pen_json_validate (data, length, error))
    return NULL;
  if (memchr (data, '\n', length) == NULL && memchr (data, '\r', length) == NULL)
    return g_bytes_ref (text);
  line = g_memdup2 (data, length);
  for (gsize i = 0; i < length; i++)
    if (line[i] == '\n' || line[i] == '\r')
      line[i] = ' ';
  return g_bytes_new_take (line, length);
}

static void
pen_json_append_line_break (GString *text, guint depth)
{
  g_string_append_c (text, '\n');
  for (guint i = 0; i < depth; i++)
    g_string_append (text, "  ");
}

typedef struct
{
  PenJsonScanner scanner;
  GString *text;
  guint64 is_object; /* bit 0: the innermost container */
  guint depth;
  gboolean is_first; /* of its container */
} PenJsonPrettifier;

/* Writes a scalar, or the opening bracket of a container and enters that. */
static void
pen_json_prettifier_append (PenJsonPrettifier *self, const PenJsonSlice *value)
{
  g_string_append_len (self->text, value->text, (gssize) value->length);
  if (pen_json_scanner_enter (&self->scanner))
    {
      self->is_object = self->is_object << 1 | (value->type == PEN_JSON_OBJECT);
      self->depth++;
      self->is_first = TRUE;
    }
}

static void
pen_json_prettifier_append_member (PenJsonPrettifier *self, const PenJsonMember *member)
{
  if (!self->is_first)
    g_string_append_c (self->text, ',');
  pen_json_append_line_break (self->text, self->depth);
  if ((self->is_object & 1) != 0)
    {
      g_string_append_c (self->text, '"');
      g_string_append_len (self->text, member->key.text, (gssize) member->key.length);
      g_string_append (self->text, "\": ");
    }
  self->is_first = FALSE;
  pen_json_prettifier_append (self, &member->value);
}

/* Empty containers stay on their line. */
static void
pen_json_prettifier_close (PenJsonPrettifier *self)
{
  self->depth--;
  if (!self->is_first)
    pen_json_append_line_break (self->text, self->depth);
  g_string_append_c (self->text, (self->is_object & 1) != 0 ? '}' : ']');
  self->is_object >>= 1;
  self->is_first = FALSE;
}

/**
 * pen_json_prettify:
 * @text: a JSON text
 * @error: return location for the error
 *
 * Lays a text out for people: a member or element a line, indented by two blanks a level. Numbers
 * and strings stay as they came.
 *
 * Returns: (transfer full) (nullable): the lines, without a line break behind the last one; %NULL
 *   with %PEN_JSON_ERROR_INVALID or %PEN_JSON_ERROR_TOO_DEEP
 *
 * Threads: any
 */
char *
pen_json_prettify (GBytes *text, GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (text, &length);
  g_autoptr (GString) result = g_string_sized_new (length * 2);
  PenJsonPrettifier self = { .text = result };
  PenJsonMember member;

  pen_json_scanner_init (&self.scanner, data, length);
  if (pen_json_scanner_begin (&self.scanner, &member.value))
    pen_json_prettifier_append (&self, &member.value);
  while (self.depth > 0 && !pen_json_scanner_failed (&self.scanner))
    {
      if (pen_json_scanner_next (&self.scanner, &member))
        pen_json_prettifier_append_member (&self, &member);
      else if (!pen_json_scanner_failed (&self.scanner))
        pen_json_prettifier_close (&self);
    }
  if (!pen_json_scanner_finish (&self.scanner, error))
    return NULL;
  return g_string_free (g_steal_pointer (&result), FALSE);
}
