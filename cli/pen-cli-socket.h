/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The socket by which a running process is looked into: where it is, and who may use it.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _PenCliSocket PenCliSocket;

/* (transfer full): a new one that listens, in the first folder that can have it */
PenCliSocket *pen_cli_socket_new (const char *state_folder, GError **error);
/* Takes it away. */
void pen_cli_socket_free (PenCliSocket *self);
int pen_cli_socket_get_fd (const PenCliSocket *self);
const char *pen_cli_socket_get_path (const PenCliSocket *self);

/* (transfer full): the folders where sockets of running processes may be, the likeliest first */
GStrv pen_cli_socket_list_folders (const char *state_folder);
/* (transfer full): the sockets in @folder, sorted; %NULL if it cannot be read; empty if there is
 * none, also no folder */
GStrv pen_cli_socket_list (const char *folder, GError **error);
/* A descriptor, not blocking; -1 with errno set, ECONNREFUSED if nobody listens any more. */
int pen_cli_socket_connect (const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliSocket, pen_cli_socket_free)

G_END_DECLS
