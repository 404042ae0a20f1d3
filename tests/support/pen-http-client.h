/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Asks an HTTP server as a test needs it: one request, one answer, nothing interpreted.
 */

#pragma once

#include "pen-test.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* (transfer full): connected to 127.0.0.1 */
GSocketConnection *pen_http_client_connect (guint port);
/* (transfer full): all that comes until the server closes; "" if it does so at once, or resets */
char *pen_http_client_read_all (GSocketConnection *connection);
/* (transfer full): the body of a GET; sets @status. @header (nullable) is a line of its own */
char *pen_http_client_get (guint port, const char *path, const char *header, guint *status);

G_END_DECLS
