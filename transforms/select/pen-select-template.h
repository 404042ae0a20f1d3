/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A text with places that are filled with what is known of an event beside its payload.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct _PenSelectTemplate PenSelectTemplate;

/* Reads "north", "{topic}", "{topic:2}", "{topic:-1}", "{arrival}", "{{" and "}}" are braces. */
PenSelectTemplate *pen_select_template_new (const char *text, GError **error);
void pen_select_template_free (PenSelectTemplate *self);
/* Appends what it is for @event; FALSE if the event has no such topic level. */
gboolean
pen_select_template_expand (const PenSelectTemplate *self, const PenEvent *event, GString *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSelectTemplate, pen_select_template_free)

G_END_DECLS
