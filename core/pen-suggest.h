/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a misspelt word was probably meant to be, and how text from outside is quoted in a message.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

PEN_RUNTIME_EXPORT
const char *pen_suggest (const char *word, const char *const *candidates, gsize n_candidates);
/* "; did you mean 'host'?" or "" */
PEN_RUNTIME_EXPORT
char *pen_suggest_hint (const char *word, GPtrArray *candidates);
/* "a, b and c" */
PEN_RUNTIME_EXPORT
char *pen_suggest_list (GPtrArray *words, const char *conjunction);
PEN_RUNTIME_EXPORT
char *pen_quote (const char *text);

G_END_DECLS
