/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All that one event is made from: fields, templates, the entry that it is made for.
 */

#pragma once

#include "pen-simulate-items.h"

G_BEGIN_DECLS

typedef struct _PenSimulateModel PenSimulateModel;

typedef struct
{
  const char *const *fields; /* nullable */
  const char *template;      /* nullable: an object of all fields */
  const char *topic;         /* nullable */
  gboolean is_json;
  gboolean has_items; /* of each event; which ones is said to pen_simulate_model_begin () */
} PenSimulateSettings;

/* NULL, @property and @error: which one is at fault and why. */
PenSimulateModel *
pen_simulate_model_new (const PenSimulateSettings *settings, const char **property, GError **error);
void pen_simulate_model_free (PenSimulateModel *self);
/* Before the first event: takes @items, which may be NULL. */
gboolean pen_simulate_model_begin (PenSimulateModel *self,
                                   PenSimulateItems *items,
                                   guint64 seed,
                                   const char **property,
                                   GError **error);
/* How many entries there are, 1 without items. */
guint pen_simulate_model_get_n_items (const PenSimulateModel *self);
/* (transfer full): the next event of entry @index. */
PenEvent *pen_simulate_model_make (PenSimulateModel *self, guint index, gint64 time_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSimulateModel, pen_simulate_model_free)

G_END_DECLS
