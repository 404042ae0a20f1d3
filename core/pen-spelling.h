/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What somebody may have meant: "did you mean 'host'?"
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

PEN_RUNTIME_EXPORT
guint pen_spelling_get_distance (const char *a, const char *b);
PEN_RUNTIME_EXPORT
const char *pen_spelling_get_nearest (const char *word, const char *const *candidates);

G_END_DECLS
