/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the keyfiles of a run again, and changes what runs by difference.
 */

#pragma once

#include "pen-cli.h"
#include "pen-engine.h"

G_BEGIN_DECLS

typedef struct _PenCliReload PenCliReload;

/* The paths are @cli's arguments. SIGHUP reloads; with @watches, a change of a file does too. */
PenCliReload *pen_cli_reload_new (PenCli *cli,
                                  PenRegistry *registry,
                                  PenEngine *engine,
                                  gboolean is_strict,
                                  gboolean watches);
void pen_cli_reload_free (PenCliReload *self);

/* Loads all that @cli's arguments name, and tells what is wrong. */
GPtrArray *
pen_cli_load (const PenCli *cli, PenRegistry *registry, GPtrArray *diagnostics, guint *n_faulty);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliReload, pen_cli_reload_free)

G_END_DECLS
