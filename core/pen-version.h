/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which symbols are public. The library is built with hidden visibility: what a plugin may call is
 * marked with the release in which it came; what only the penstock command and the tests call is
 * marked PEN_RUNTIME_EXPORT, is declared in headers that are not installed, and is no promise.
 */

#pragma once

#if !defined(PENSTOCK_INSIDE) && !defined(PENSTOCK_COMPILATION)
#error "Only <penstock.h> can be included directly."
#endif

#include <gio/gio.h>
#include <glib-object.h>

#define PEN_AVAILABLE_IN_1_0 __attribute__ ((visibility ("default"))) extern
#define PEN_RUNTIME_EXPORT __attribute__ ((visibility ("default"))) extern
