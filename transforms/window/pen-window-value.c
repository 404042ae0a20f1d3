/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an event has in a field.
 */

#include "config.h"

#include "pen-window-value.h"

static gboolean
pen_window_value_looks_like_integer (const PenJsonSlice *slice)
{
  for (gsize i = slice->text[0] == '-'; i < slice->length; i++)
    if (!g_ascii_isdigit (slice->text[i]))
      return FALSE;
  return TRUE;
}

gboolean
pen_window_value_init (PenWindowValue *self, const PenJson *json, PenJsonNode node)
{
  PenJsonSlice slice;

  *self = (PenWindowValue){ 0 };
  if (pen_json_get_node_type (json, node) == PEN_JSON_NULL)
    return TRUE;
  pen_json_get_slice (json, node, &slice);
  self->text = slice.text;
  self->length = slice.length;
  self->is_number = slice.type == PEN_JSON_NUMBER;
  if (!self->is_number)
    return TRUE;
  if (pen_window_value_looks_like_integer (&slice)
      && pen_json_slice_get_int64 (&slice, &self->integer, NULL))
    {
      self->is_integer = TRUE;
      self->real = (double) self->integer;
      return TRUE;
    }
  return pen_json_slice_get_double (&slice, &self->real, NULL);
}

int
pen_window_value_compare (const PenWindowValue *a, const PenWindowValue *b)
{
  if (a->is_integer && b->is_integer)
    return (a->integer > b->integer) - (a->integer < b->integer);
  if (a->is_integer != b->is_integer)
    {
      /* exact, where a long double has the 64 bits of an integer */
      long double x = a->is_integer ? (long double) a->integer : (long double) a->real;
      long double y = b->is_integer ? (long double) b->integer : (long double) b->real;

      return (x > y) - (x < y);
    }
  return (a->real > b->real) - (a->real < b->real);
}
