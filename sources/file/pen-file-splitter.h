/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in pieces go in, lines come out.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

/* What is kept of a line that is too large: as much as a dead letter holds. */
#define PEN_FILE_HEAD_BYTES (64 * 1024)

typedef struct
{
  const char *text; /* without its newline; valid until the next call */
  gsize length;
  guint64 full_length; /* larger than length if the line was cut */
  guint64 number;      /* counts from 1 */
  gboolean is_too_large;
} PenFileLine;

typedef struct _PenFileSplitter PenFileSplitter;

PenFileSplitter *pen_file_splitter_new (gsize max_line);
void pen_file_splitter_free (PenFileSplitter *self);
void pen_file_splitter_reset (PenFileSplitter *self);
char *pen_file_splitter_reserve (PenFileSplitter *self, gsize *room);
void pen_file_splitter_commit (PenFileSplitter *self, gsize n_bytes);
gboolean pen_file_splitter_next (PenFileSplitter *self, PenFileLine *line);
gboolean pen_file_splitter_take_rest (PenFileSplitter *self, PenFileLine *line);
gsize pen_file_splitter_get_size (const PenFileSplitter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFileSplitter, pen_file_splitter_free)

G_END_DECLS
