/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A path with places that are filled for each event.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct _PenFileTemplate PenFileTemplate;

PenFileTemplate *pen_file_template_new (const char *text, gboolean local_time, GError **error);
void pen_file_template_free (PenFileTemplate *self);
gboolean pen_file_template_is_constant (const PenFileTemplate *self);
char *pen_file_template_get_folder (const PenFileTemplate *self);
const char *pen_file_template_expand (PenFileTemplate *self,
                                      const char *pipeline,
                                      const char *topic,
                                      gint64 arrival_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFileTemplate, pen_file_template_free)

G_END_DECLS
