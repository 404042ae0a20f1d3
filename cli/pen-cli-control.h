/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lets others look into a running process: 'penstock top' and 'penstock tap'.
 */

#pragma once

#include "pen-engine.h"

G_BEGIN_DECLS

typedef struct _PenCliControl PenCliControl;

/* (transfer full) (nullable): listens from now on, on the thread that started @engine; NULL if
 * there can be no socket, which was warned of. @paths: what runs */
PenCliControl *pen_cli_control_new (const char *state_folder, PenEngine *engine, GStrv paths);
/* Sends everybody away, and waits until they are gone. */
void pen_cli_control_free (PenCliControl *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliControl, pen_cli_control_free)

G_END_DECLS
