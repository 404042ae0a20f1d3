/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an event has in a field.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct
{
  const char *text; /* as it came; (nullable): NULL for null and for what is not there */
  gsize length;
  gboolean is_number;
  gboolean is_integer; /* of 64 bits, written without point and exponent */
  gint64 integer;
  double real; /* also of an integer */
} PenWindowValue;

/* FALSE: it is a number that no double is large enough for. */
gboolean pen_window_value_init (PenWindowValue *self, const PenJson *json, PenJsonNode node);
/* Of numbers: less than 0, 0, or more. */
int pen_window_value_compare (const PenWindowValue *a, const PenWindowValue *b);

G_END_DECLS
