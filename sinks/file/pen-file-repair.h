/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a crash in the middle of a line leaves behind, put right.
 */

#pragma once

#include <penstock.h>

#include <sys/types.h>

G_BEGIN_DECLS

/* A torn line up to this size is moved aside; more without a newline is no line of ours. */
#define PEN_FILE_MAX_TORN_BYTES (64 * 1024 * 1024)

gboolean pen_file_repair (int fd,
                          const char *path,
                          PenLineFormat format,
                          mode_t mode,
                          char **notice,
                          GError **error);

G_END_DECLS
