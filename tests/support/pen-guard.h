/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts behind whose last byte nothing can be read.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _PenGuard PenGuard;

PenGuard *pen_guard_new (gsize limit_bytes);
void pen_guard_free (PenGuard *self);
const char *pen_guard_put (PenGuard *self, const char *text, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenGuard, pen_guard_free)

G_END_DECLS
