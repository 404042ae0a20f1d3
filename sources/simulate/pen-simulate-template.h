/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A text with places for the values of an event: {number}, {item.unit}.
 */

#pragma once

#include "pen-simulate-items.h"

G_BEGIN_DECLS

typedef struct _PenSimulateTemplate PenSimulateTemplate;

/* What a place stands for: its position among all that the caller knows, or -1 with @error set.
 * @name: between the braces */
typedef int (*PenSimulateResolveFunc) (const char *name, gpointer user_data, GError **error);

/* @is_json: the values are written as JSON has them */
PenSimulateTemplate *pen_simulate_template_new (const char *text,
                                                gboolean is_json,
                                                PenSimulateResolveFunc resolve,
                                                gpointer user_data,
                                                GError **error);
void pen_simulate_template_free (PenSimulateTemplate *self);
/* Appends to @text; @values: what the positions stand for. */
void pen_simulate_template_fill (const PenSimulateTemplate *self,
                                 const PenSimulateValue *const *values,
                                 GString *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSimulateTemplate, pen_simulate_template_free)

G_END_DECLS
