/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only shows across keyfiles: names, claims and interests of the pipelines of one process.
 */

#pragma once

#include "pen-definition.h"

G_BEGIN_DECLS

typedef struct _PenFleet PenFleet;

PEN_RUNTIME_EXPORT
PenFleet *pen_fleet_new (void);
PEN_RUNTIME_EXPORT
void pen_fleet_free (PenFleet *self);
/* Whether @path was not there before; if it was, that is told. */
PEN_RUNTIME_EXPORT
gboolean pen_fleet_add_file (PenFleet *self, const char *path, GPtrArray *diagnostics);
/* Whether @definition fits to those before it, and is one of them now; if not, why is told. */
PEN_RUNTIME_EXPORT
gboolean pen_fleet_add (PenFleet *self, PenDefinition *definition, GPtrArray *diagnostics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFleet, pen_fleet_free)

G_END_DECLS
