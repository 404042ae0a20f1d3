/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files that a file was rotated to: their names, their compression, how many are kept.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

gboolean pen_file_archive_rotate (const char *path, gint64 now_us, GError **error);
gboolean pen_file_archive_tidy (const char *path,
                                gboolean compress,
                                guint keep,
                                GCancellable *cancellable,
                                GError **error);

G_END_DECLS
