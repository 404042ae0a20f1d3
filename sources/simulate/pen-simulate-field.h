/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A named value of each event, written NAME=GENERATOR(ARGUMENTS).
 */

#pragma once

#include "pen-simulate-generator.h"

G_BEGIN_DECLS

typedef struct _PenSimulateField PenSimulateField;

/* (transfer container): all of a list, or NULL and what is wrong with which. */
GPtrArray *pen_simulate_fields_parse (const char *const *texts, GError **error);
/* The position of the one that is called so, or -1. */
int pen_simulate_fields_find (GPtrArray *fields, const char *name);
const char *pen_simulate_field_get_name (const PenSimulateField *self);
gboolean pen_simulate_field_makes_numbers (const PenSimulateField *self);
/* Whether arguments are taken from an item. */
gboolean pen_simulate_field_needs_item (const PenSimulateField *self);

/* With the arguments that entry @index of @items has, if any are taken from there. */
gboolean pen_simulate_field_bind (const PenSimulateField *self,
                                  const PenSimulateItems *items,
                                  guint index,
                                  PenSimulateState *state,
                                  GError **error);
void pen_simulate_state_clear (PenSimulateState *state);
void pen_simulate_field_make (const PenSimulateField *self,
                              PenSimulateState *state,
                              const PenSimulateMoment *moment,
                              PenSimulateValue *value);

G_END_DECLS
