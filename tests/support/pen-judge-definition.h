/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What must be so of every keyfile, good or faulty, that is read as a definition.
 */

#pragma once

#include <glib.h>

#include "pen-registry.h"

G_BEGIN_DECLS

gboolean pen_judge_definition (PenRegistry *registry, const char *text, gsize length);

G_END_DECLS
