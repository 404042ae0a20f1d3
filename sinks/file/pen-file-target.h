/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file that lines are appended to.
 */

#pragma once

#include <penstock.h>

#include <sys/types.h>

G_BEGIN_DECLS

typedef struct
{
  PenLineFormat format;
  mode_t mode;         /* of a new file */
  gboolean is_durable; /* whether what was written is to outlive a power cut */
  gboolean may_wait;   /* for the reader of a pipe: not on a lane */
} PenFileOptions;

typedef struct _PenFileTarget PenFileTarget;

PenFileTarget *pen_file_target_open (const char *path,
                                     const PenFileOptions *options,
                                     char **notice,
                                     GError **error);
void pen_file_target_free (PenFileTarget *self);
const char *pen_file_target_get_path (const PenFileTarget *self);
gboolean pen_file_target_is_regular (const PenFileTarget *self);
gboolean pen_file_target_is_in_place (PenFileTarget *self);
gboolean pen_file_target_is_broken (const PenFileTarget *self);
guint64 pen_file_target_get_size (const PenFileTarget *self);
gint64 pen_file_target_get_begun (const PenFileTarget *self);
gboolean pen_file_target_begin (PenFileTarget *self, GError **error);
gboolean pen_file_target_has_written (PenFileTarget *self, PenEvent *event);
gboolean pen_file_target_write (PenFileTarget *self,
                                PenLines *lines,
                                PenBatch *batch,
                                gint64 now_us,
                                guint *n_written,
                                GError **error);
gboolean pen_file_target_sync (PenFileTarget *self, GError **error);
void pen_file_target_undo (PenFileTarget *self);

gboolean pen_file_sync_folder (const char *path);
gboolean pen_file_is_at (int fd, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFileTarget, pen_file_target_free)

G_END_DECLS
