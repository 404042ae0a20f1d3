/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Closing a connection so that what was sent last arrives.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Takes @fd, a connected socket to which nothing more will be written. Threads: any */
void pen_mqtt_farewell (int fd, const char *client_id);
/* Waits until the broker has seen the last of @client_id, NULL: of all, but not for long.
 * Threads: worker */
void pen_mqtt_farewell_await (const char *client_id);

G_END_DECLS
