/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Exact decimal numbers for tests: digits before and after the point, whatever the exponent.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean negative; /* also of zero */
  char *integer;     /* without leading zeros: empty for zero */
  char *fraction;    /* without trailing zeros */
} PenSlowNumber;

PenSlowNumber *pen_slow_number_new (const char *text, gsize length);
void pen_slow_number_free (PenSlowNumber *self);
gboolean pen_slow_number_to_int64 (const PenSlowNumber *self, gint64 *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSlowNumber, pen_slow_number_free)

G_END_DECLS
