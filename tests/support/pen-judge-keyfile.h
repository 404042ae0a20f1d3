/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyfile scanner, held against GKeyFile.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean pen_judge_keyfile (const char *text, gsize length);

G_END_DECLS
