/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Folders of small files that tests replay.
 */

#pragma once

#include <glib.h>

#include "pen-slow-json.h"

G_BEGIN_DECLS

/* @name is the file's, for messages and for what it says of the verdict. */
typedef void (*PenCorpusFunc) (const char *name,
                               const char *text,
                               gsize length,
                               gpointer user_data);

guint pen_corpus_foreach (const char *folder, PenCorpusFunc func, gpointer user_data);
PenSlowVerdict pen_corpus_get_verdict (const char *name);

G_END_DECLS
