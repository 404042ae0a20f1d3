/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a wrong duration or size was probably meant to be.
 */

#pragma once

#include "pen-value.h"

G_BEGIN_DECLS

PEN_RUNTIME_EXPORT
char *pen_duration_suggest (const char *text);
PEN_RUNTIME_EXPORT
char *pen_size_suggest (const char *text);

G_END_DECLS
