/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a value goes into a column. A column of text takes the text that came, to the digit. A column
 * of numbers takes numbers, and texts that are written like one, as SQLite's own affinity would
 * make of the text, with two differences: a fraction becomes the nearest double (SQLite's own
 * conversion promises 15 digits), and a number that would be changed by more than that, as it does
 * not fit 64 bits or a double, is refused (SQLite would round it, or make it infinite).
 */

#include "config.h"

#include "pen-sqlite-row.h"

#include <math.h>
#include <string.h>

/* Longer whole numbers may not fit 64 bits. */
#define SAFE_DIGITS 18
/* A number from outside may have a million digits. */
#define MAX_NUMBER_BYTES 1000
#define SHOWN_BYTES 40

static gboolean
pen_sqlite_refuse (const PenSqliteColumn *column, const PenFieldValue *value, GError **error)
{
  pen_element_set_error (
      error, PEN_ELEMENT_ERROR_REJECT, "number_range",
      "%.*s%s does not fit into the column '%s', of numbers; a TEXT column would keep it as it is",
      (int) MIN (value->length, SHOWN_BYTES), value->text, value->length > SHOWN_BYTES ? "…" : "",
      column->name);
  return FALSE;
}

/* Whether all of it is digits behind a sign, and few enough. */
static inline gboolean
pen_sqlite_read_integer (const char *text, gsize length, gint64 *number)
{
  gboolean is_negative = length > 0 && *text == '-';
  const char *p = text + is_negative;
  const char *end = text + length;
  gint64 result = 0;

  if (p == end || end - p > SAFE_DIGITS)
    return FALSE;
  for (; p < end; p++)
    {
      guint digit = (guint) *p - '0';

      if (digit > 9)
        return FALSE;
      result = result * 10 + digit;
    }
  *number = is_negative ? -result : result;
  return TRUE;
}

/* Whether a text is a number as JSON writes one: what else SQLite takes for a number (blanks around
 * it, a plus sign, a point at its end) is left to it. */
static gboolean
pen_sqlite_is_number (const PenFieldValue *value)
{
  PenJsonScanner scanner;
  PenJsonSlice slice;

  if (value->escaped || value->length == 0 || value->length > MAX_NUMBER_BYTES
      || !(g_ascii_isdigit (value->text[0]) || value->text[0] == '-'))
    return FALSE;
  pen_json_scanner_init (&scanner, value->text, value->length);
  return pen_json_scanner_begin (&scanner, &slice) && slice.type == PEN_JSON_NUMBER
         && slice.length == value->length;
}

static int
pen_sqlite_bind_text (sqlite3_stmt *statement,
                      int index,
                      const PenSqliteColumn *column,
                      const PenFieldValue *value)
{
  g_autofree char *decoded = NULL;
  gsize length;

  if (!value->escaped)
    return sqlite3_bind_text64 (
        statement, index, value->text != NULL ? value->text : "", value->length,
        column->is_fleeting ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
  decoded = pen_field_value_decode (value, &length);
  return sqlite3_bind_text64 (statement, index, g_steal_pointer (&decoded), length, g_free,
                              SQLITE_UTF8);
}

/* A payload may be any bytes: those that are no text are kept as a BLOB. */
static int
pen_sqlite_bind_string (sqlite3_stmt *statement,
                        int index,
                        const PenSqliteColumn *column,
                        const PenFieldValue *value)
{
  if (G_UNLIKELY (g_str_equal (column->place, "@payload")) && value->length > 0
      && !g_utf8_validate (value->text, (gssize) value->length, NULL))
    return sqlite3_bind_blob64 (statement, index, value->text, value->length, SQLITE_STATIC);
  return pen_sqlite_bind_text (statement, index, column, value);
}

static gboolean
pen_sqlite_bind_number (sqlite3_stmt *statement,
                        int index,
                        const PenSqliteColumn *column,
                        const PenFieldValue *value,
                        GError **error)
{
  PenJsonSlice slice = { .text = value->text, .length = value->length, .type = PEN_JSON_NUMBER };
  gint64 integer;
  double number;

  if (value->length > MAX_NUMBER_BYTES)
    return pen_sqlite_refuse (column, value, error);
  if (column->affinity != PEN_SQLITE_REAL && pen_json_slice_get_int64 (&slice, &integer, NULL))
    sqlite3_bind_int64 (statement, index, integer);
  else if (!pen_json_slice_get_double (&slice, &number, NULL)
           || (column->affinity != PEN_SQLITE_REAL && fabs (number) >= 9223372036854775808.0
               && memchr (value->text, '.', value->length) == NULL
               && memchr (value->text, 'e', value->length) == NULL
               && memchr (value->text, 'E', value->length) == NULL))
    return pen_sqlite_refuse (column, value, error);
  else
    sqlite3_bind_double (statement, index, number);
  return TRUE;
}

/* A string or a number for a column of numbers, or a number for a column of anything. */
static gboolean
pen_sqlite_bind_numeric (sqlite3_stmt *statement,
                         int index,
                         const PenSqliteColumn *column,
                         const PenFieldValue *value,
                         GError **error)
{
  gint64 integer;

  if (G_LIKELY (pen_sqlite_read_integer (value->text, value->length, &integer)))
    {
      sqlite3_bind_int64 (statement, index, integer);
      return TRUE;
    }
  if (value->type == PEN_JSON_NUMBER || pen_sqlite_is_number (value))
    return pen_sqlite_bind_number (statement, index, column, value, error);
  pen_sqlite_bind_text (statement, index, column, value);
  return TRUE;
}

/* documented in the header */
gboolean
pen_sqlite_bind (sqlite3_stmt *statement,
                 int index,
                 const PenSqliteColumn *column,
                 const PenFieldValue *value,
                 GError **error)
{
  gboolean is_of_numbers
      = column->affinity == PEN_SQLITE_NUMBER || column->affinity == PEN_SQLITE_REAL;

  switch (value->type)
    {
    case PEN_JSON_NUMBER:
      if (column->affinity != PEN_SQLITE_TEXT)
        return pen_sqlite_bind_numeric (statement, index, column, value, error);
      pen_sqlite_bind_text (statement, index, column, value);
      return TRUE;
    case PEN_JSON_STRING:
      if (is_of_numbers)
        return pen_sqlite_bind_numeric (statement, index, column, value, error);
      pen_sqlite_bind_string (statement, index, column, value);
      return TRUE;
    case PEN_JSON_FALSE:
    case PEN_JSON_TRUE:
      if (column->affinity == PEN_SQLITE_TEXT)
        pen_sqlite_bind_text (statement, index, column, value);
      else
        sqlite3_bind_int (statement, index, value->type == PEN_JSON_TRUE);
      return TRUE;
    case PEN_JSON_ARRAY:
    case PEN_JSON_OBJECT:
      pen_sqlite_bind_text (statement, index, column, value);
      return TRUE;
    case PEN_JSON_NULL:
    default:
      sqlite3_bind_null (statement, index);
      return TRUE;
    }
}
