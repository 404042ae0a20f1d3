/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files that one sink has open, and what becomes of those that are full or old.
 */

#pragma once

#include "pen-file-target.h"

G_BEGIN_DECLS

typedef struct
{
  PenFileOptions file;
  guint max_open_files;
  gboolean sync_on_close;
  gint64 rotate_interval_us; /* 0: never */
  gboolean local_time;       /* whether its days are of the local time zone */
  gboolean compress;
  guint keep; /* 0: all */
} PenFileSetOptions;

typedef struct _PenFileSet PenFileSet;

PenFileSet *pen_file_set_new (PenElement *element, const PenFileSetOptions *options);
void pen_file_set_free (PenFileSet *self);
PenFileTarget *pen_file_set_get (PenFileSet *self, const char *path, gint64 now_us, GError **error);
PenFileTarget *pen_file_set_peek (PenFileSet *self, const char *path);
void pen_file_set_close (PenFileSet *self, PenFileTarget *target);
gboolean pen_file_set_rotate (PenFileSet *self, PenFileTarget *target, gint64 now_us);
void pen_file_set_rotate_old (PenFileSet *self, gint64 now_us);
gboolean pen_file_set_sync (PenFileSet *self, GError **error);
void pen_file_set_tidy (PenFileSet *self, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFileSet, pen_file_set_free)

G_END_DECLS
