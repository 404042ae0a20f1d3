/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Throw-away keys and certificates for tests, made when a test begins.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What opens client-encrypted.key. */
#define PEN_CERTIFICATES_KEY_PASSWORD "turbine"

void pen_certificates_make (const char *folder);

G_END_DECLS
