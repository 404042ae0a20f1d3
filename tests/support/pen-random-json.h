/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random JSON texts, and random damage to them. The numbers come from GTest's seed.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean pen_random_chance (guint one_in);
const char *pen_random_pick (const char *const *choices, guint n_choices);
void pen_random_json_space (GString *text);
void pen_random_json_string (GString *text);
void pen_random_json_number (GString *text);
void pen_random_json_value (GString *text, guint depth_left);
void pen_random_json_mutate (GString *text);

G_END_DECLS
