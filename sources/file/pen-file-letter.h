/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Dead letters, read to be played again.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

PenEvent *pen_file_letter_read (GBytes *letter,
                                gsize max_payload,
                                const char *default_topic,
                                gint64 now_us,
                                guint *part,
                                GError **error);

G_END_DECLS
