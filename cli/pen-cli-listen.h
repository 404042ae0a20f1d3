/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * --listen, and sockets that systemd passes.
 */

#pragma once

#include "pen-engine.h"

G_BEGIN_DECLS

/* The sockets, and the module that answers. Both do nothing without a socket. */
typedef struct _PenCliListen PenCliListen;

/* Whether @address is ADDR:PORT. */
gboolean pen_cli_listen_check (const char *address, GError **error);
/* Binds @address (nullable), takes what systemd passes, and opens the module. Before any other
 * thread runs. */
PenCliListen *pen_cli_listen_new (const char *address, GError **error);
/* From here on whoever connects is answered. */
void pen_cli_listen_start (PenCliListen *self, PenEngine *engine);
/* Before the engine goes. */
void pen_cli_listen_stop (PenCliListen *self);
void pen_cli_listen_free (PenCliListen *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliListen, pen_cli_listen_free)

G_END_DECLS
