/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the keyfiles of a run again, and changes what runs by difference.
 */

#pragma once

#include "pen-cli-record.h"

G_BEGIN_DECLS

typedef struct _PenCliReload PenCliReload;

/* The paths are @cli's arguments. SIGHUP reloads; a change of a file does too, if @options say that
 * they are watched. @record is written after each. */
PenCliReload *pen_cli_reload_new (PenCli *cli,
                                  PenRegistry *registry,
                                  PenEngine *engine,
                                  PenCliRecord *record,
                                  const PenCliRecordOptions *options);
void pen_cli_reload_free (PenCliReload *self);

/* Loads all that @cli's arguments name, and tells what is wrong. */
GPtrArray *
pen_cli_load (const PenCli *cli, PenRegistry *registry, GPtrArray *diagnostics, guint *n_faulty);
/* (transfer full): files and folders with errors */
GStrv pen_cli_list_faulty (GPtrArray *diagnostics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliReload, pen_cli_reload_free)

G_END_DECLS
