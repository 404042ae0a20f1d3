/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plugin whose file has another name than it has itself.
 */

#include "config.h"

#include <penstock.h>

static GType
pen_misnamed_source_get_type (void)
{
  return PEN_TYPE_SOURCE;
}

PEN_PLUGIN_DEFINE ("elsewhere",
                   "Has another name than its file",
                   "1",
                   "LGPL-2.1-or-later",
                   "",
                   pen_misnamed_source_get_type)
