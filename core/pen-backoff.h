/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long to wait before something that failed is tried again.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/* Zero-initialised; not thread-safe. */
typedef struct
{
  gint64 delay_us; /* 0: the last try succeeded */
} PenBackoff;

PEN_RUNTIME_EXPORT
gint64 pen_backoff_next (PenBackoff *self);
PEN_RUNTIME_EXPORT
gboolean pen_backoff_end (PenBackoff *self);

G_END_DECLS
