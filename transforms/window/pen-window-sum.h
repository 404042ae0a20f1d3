/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sum that is exact: whatever is added and taken away again, in whatever order.
 */

#pragma once

#include "pen-window-value.h"

G_BEGIN_DECLS

/* All zeros is an empty sum. */
typedef struct
{
  __extension__ __int128 integer; /* of the integers */
  gint64 *digits;                 /* (nullable): of the others, to the base of 2^32 */
  gint lowest;                    /* the first digit counts 2^(32 × lowest) */
  guint n_digits;
  guint n_added;   /* since the digits were brought below the base */
  guint64 n_reals; /* values that are no integers */
} PenWindowSum;

void pen_window_sum_clear (PenWindowSum *self);
/* @sign: 1 adds, -1 takes away what was added before. The value is a number. */
void pen_window_sum_add (PenWindowSum *self, const PenWindowValue *value, int sign);
void pen_window_sum_add_square (PenWindowSum *self, const PenWindowValue *value, int sign);
/* The double that is nearest to the sum; of two, the even one. Infinite where none is large
 * enough. */
double pen_window_sum_round (const PenWindowSum *self);
/* Whether the sum is of integers alone: then @text, of 48 bytes, gets all of its digits. */
gboolean pen_window_sum_format_integer (const PenWindowSum *self, char *text);
/* The standard deviation of a sample of @n values, at least two; it never suffers from values that
 * are large and close to each other. */
double
pen_window_sum_get_deviation (const PenWindowSum *sum, const PenWindowSum *squares, guint64 n);

G_END_DECLS
