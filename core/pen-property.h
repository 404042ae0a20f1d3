/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties as keys of a keyfile: which can be set, what they accept, what a text means to them.
 */

#pragma once

#include "pen-value.h"

G_BEGIN_DECLS

/* The property that is spelt exactly so and that a keyfile can set, or NULL. */
PEN_RUNTIME_EXPORT
GParamSpec *pen_property_find (GObjectClass *klass, const char *key);
/* (transfer container) (element-type utf8): all keys of a class */
PEN_RUNTIME_EXPORT
GPtrArray *pen_property_list_keys (GObjectClass *klass);
PEN_RUNTIME_EXPORT
gboolean pen_property_is_list (const GParamSpec *pspec);
/* "a whole number from 1 to 65535", "auto, on or off" */
PEN_RUNTIME_EXPORT
char *pen_property_describe (const GParamSpec *pspec);
PEN_RUNTIME_EXPORT
gboolean pen_property_parse (const GParamSpec *pspec, const char *text, GValue *value);
/* "; did you mean '30s'?" or "": why pen_property_parse () refused, with the text or part of it */
PEN_RUNTIME_EXPORT
char *pen_property_guess (const GParamSpec *pspec, const char *text);

G_END_DECLS
