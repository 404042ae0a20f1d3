/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A JSON value as another type.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_SELECT_AS_IT_IS,
  PEN_SELECT_INTEGER,
  PEN_SELECT_NUMBER,
  PEN_SELECT_STRING,
  PEN_SELECT_BOOLEAN,
  PEN_SELECT_TIME,
} PenSelectType;

/* How a time is written. */
typedef enum
{
  PEN_SELECT_ANY, /* read: ISO 8601, or a number of seconds */
  PEN_SELECT_ISO,
  PEN_SELECT_SECONDS,
  PEN_SELECT_MILLISECONDS,
  PEN_SELECT_MICROSECONDS,
} PenSelectClock;

typedef struct
{
  PenSelectType type;
  PenSelectClock from;
  PenSelectClock to;
} PenSelectCast;

/* Reads "integer", "iso", "ms-iso". */
gboolean pen_select_cast_parse (PenSelectCast *self, const char *text, GError **error);
/* Writes @value; null stays null. FALSE, with nothing written, if it cannot be such a type. */
gboolean
pen_select_cast_write (const PenSelectCast *self, const PenJsonSlice *value, PenJsonWriter *writer);
/* What it makes of a value: "an integer" */
const char *pen_select_cast_describe (const PenSelectCast *self);

G_END_DECLS
