/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plugin that calls a function which no library has.
 */

#include "config.h"

#include <penstock.h>

extern GType pen_unbound_source_get_type (void);

PEN_PLUGIN_DEFINE ("unbound",
                   "Cannot be opened",
                   "1",
                   "LGPL-2.1-or-later",
                   "",
                   pen_unbound_source_get_type)
