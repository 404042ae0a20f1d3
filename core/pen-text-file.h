/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small files that people write, read whole and with a bound.
 */

#pragma once

#include "pen-version.h"

#include <sys/stat.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_TEXT_FILE_NONE = 0,
  PEN_TEXT_FILE_FIFO = 1 << 0, /* a FIFO is good as well, and waited for */
} PenTextFileFlags;

PEN_RUNTIME_EXPORT
GString *pen_text_file_read (const char *path,
                             gsize limit_bytes,
                             PenTextFileFlags flags,
                             struct stat *status,
                             GError **error);

G_END_DECLS
