/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All that the library does with a JSON text, held against the slow reader.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

void pen_judge_json (const char *text, gsize length);

G_END_DECLS
