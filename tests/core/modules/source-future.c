/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plugin built for a plugin API that is not this library's.
 */

#include "config.h"

#include <penstock.h>

static GType
pen_future_source_get_type (void)
{
  return PEN_TYPE_SOURCE;
}

G_MODULE_EXPORT extern const PenPluginDescriptor pen_plugin_descriptor;
const PenPluginDescriptor pen_plugin_descriptor = {
  .api_version = PEN_PLUGIN_API_VERSION + 6,
  .name = "future",
  .get_type = pen_future_source_get_type,
};
