/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bytes of a file, a pipe, or standard input.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct _PenFileReader PenFileReader;

/* What pen_file_reader_read () returns beside a number of bytes. */
#define PEN_FILE_READER_END 0
#define PEN_FILE_READER_ERROR (-1)
#define PEN_FILE_READER_WAIT (-2)

/* How a file that is followed differs from what is open. */
typedef enum
{
  PEN_FILE_SAME,
  PEN_FILE_TRUNCATED, /* it is shorter than what was read */
  PEN_FILE_REPLACED,  /* the path leads to another file */
  PEN_FILE_GONE,      /* the path leads nowhere */
} PenFileChange;

PenFileReader *pen_file_reader_open (const char *path, gboolean follow, GError **error);
void pen_file_reader_free (PenFileReader *self);
int pen_file_reader_get_fd (const PenFileReader *self);
gboolean pen_file_reader_can_poll (const PenFileReader *self);
gssize pen_file_reader_read (PenFileReader *self, char *buffer, gsize length, GError **error);
PenFileChange pen_file_reader_look (const PenFileReader *self);
gboolean pen_file_reader_rewind (PenFileReader *self);
gboolean pen_file_reader_skip_to_end (PenFileReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFileReader, pen_file_reader_free)

G_END_DECLS
