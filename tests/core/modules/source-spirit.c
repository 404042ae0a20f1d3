/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plugin whose type is abstract: nothing can be made of it.
 */

#include "config.h"

#include <penstock.h>

static GType
pen_spirit_source_get_type (void)
{
  return PEN_TYPE_SOURCE;
}

PEN_PLUGIN_DEFINE ("spirit",
                   "Has an abstract type",
                   "1",
                   "LGPL-2.1-or-later",
                   "",
                   pen_spirit_source_get_type)
