/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads for sinks that block, and for spools.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

typedef struct _PenWorkers PenWorkers;

typedef void (*PenWorkFunc) (gpointer user_data);

PEN_RUNTIME_EXPORT
PenWorkers *pen_workers_new (void);
/* Waits for what is under way, unless something was abandoned that may never return. */
PEN_RUNTIME_EXPORT
void pen_workers_free (PenWorkers *self, gboolean wait);
/* From any thread. */
PEN_RUNTIME_EXPORT
void pen_workers_push (PenWorkers *self, PenWorkFunc func, gpointer user_data);
/* From any thread, for what waits for the disk alone. */
PEN_RUNTIME_EXPORT
void pen_workers_push_disk (PenWorkers *self, PenWorkFunc func, gpointer user_data);

G_END_DECLS
