/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a payload is the one that a test expects.
 */

#pragma once

#include "pen-json.h"

G_BEGIN_DECLS

/* (transfer full): what is different, or NULL if nothing is. JSON is compared by value unless
 * @exact: blanks, escapes and the order of members are free, the digits of a number are not. */
PEN_RUNTIME_EXPORT
char *pen_trial_compare (GBytes *expected, GBytes *actual, gboolean exact);

G_END_DECLS
