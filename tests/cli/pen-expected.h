/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whole outputs of the command, compared with the files in expected/.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *pen_expected_dup_modules (void);
void pen_expected_compare (const char *text, const char *folder, const char *name);
char *pen_expected_strip_times (const char *log);

G_END_DECLS
