/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a value looks like in a table, and how wide that is.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

/* Appends what a person reads: numbers with a fraction or an exponent with so many significant
 * @digits (0: as they came), texts without their quotes, nothing for null. */
void pen_table_append_value (GString *text, const PenFieldValue *value, guint digits);
/* (transfer full): valid UTF-8 without anything that a terminal obeys: what is not to be seen is
 * written as an escape */
char *pen_table_make_harmless (const char *text, gsize length);
/* Columns that valid UTF-8 takes on a terminal. */
guint pen_table_get_width (const char *text);
/* Cuts valid UTF-8 so that it takes no more than @max_width columns, with … at its end. */
void pen_table_cut (char **text, guint max_width);

G_END_DECLS
