/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The things that data is made up for, one entry of a JSON file each: sensors, sites, chargers.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

/* A value on its way into a payload. */
typedef struct
{
  GString *text;
  gboolean is_raw; /* @text is JSON itself (a number, an object) and no string's content */
  double number;   /* of a generator that makes numbers */
} PenSimulateValue;

typedef struct _PenSimulateItems PenSimulateItems;

PenSimulateItems *pen_simulate_items_load (const char *path, GError **error);
void pen_simulate_items_free (PenSimulateItems *self);
guint pen_simulate_items_get_length (const PenSimulateItems *self);
/* The key of the entry, or its position from 1 where the file holds an array. */
const char *pen_simulate_items_get_key (const PenSimulateItems *self, guint index);
/* What @place names of an entry: "item" is its key, "item.a[0]" what a path finds in it;
 * @value: (out) */
gboolean pen_simulate_items_look_up (const PenSimulateItems *self,
                                     guint index,
                                     const char *place,
                                     PenSimulateValue *value,
                                     GError **error);
/* Whether @name is "item" or begins with it and a path */
gboolean pen_simulate_items_is_place (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSimulateItems, pen_simulate_items_free)

G_END_DECLS
