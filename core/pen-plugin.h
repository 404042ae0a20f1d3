/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What makes a GModule a plugin.
 */

#pragma once

#include "pen-version.h"

#include <gmodule.h>

G_BEGIN_DECLS

/**
 * PEN_PLUGIN_API_VERSION:
 *
 * Version of what a plugin and the library expect of each other. It changes when a plugin built
 * for an older one would no longer work.
 */
#define PEN_PLUGIN_API_VERSION 1

/**
 * PenPluginDescriptor:
 * @api_version: %PEN_PLUGIN_API_VERSION at the time of the build
 * @name: the plugin's name in a keyfile
 * @description: one line
 * @version: the plugin's own version
 * @licence: SPDX expression
 * @homepage: where it is documented
 * @get_type: returns its type: a subclass of [class@Source], [class@Transform] or [class@Sink]
 *
 * What a module exports under the name `pen_plugin_descriptor`.
 */
typedef struct
{
  guint32 api_version;
  const char *name;
  const char *description;
  const char *version;
  const char *licence;
  const char *homepage;
  GType (*get_type) (void);

  /*< private >*/
  gpointer padding[8];
} PenPluginDescriptor;

/**
 * PEN_PLUGIN_DEFINE:
 * @name_: the plugin's name in a keyfile, a string
 * @description_: one line, a string
 * @version_: the plugin's version, a string
 * @licence_: SPDX expression, a string
 * @homepage_: where it is documented, a string
 * @get_type_: the function that registers and returns its type
 *
 * Makes a module of the file that it stands in. The module's file is named after the kind of the
 * element and its name: `source-mqtt.so`, `transform-ammp.so`, `sink-stdout.so`.
 */
#define PEN_PLUGIN_DEFINE(name_, description_, version_, licence_, homepage_, get_type_)           \
  G_MODULE_EXPORT extern const PenPluginDescriptor pen_plugin_descriptor;                          \
  const PenPluginDescriptor pen_plugin_descriptor = {                                              \
    .api_version = PEN_PLUGIN_API_VERSION,                                                         \
    .name = (name_),                                                                               \
    .description = (description_),                                                                 \
    .version = (version_),                                                                         \
    .licence = (licence_),                                                                         \
    .homepage = (homepage_),                                                                       \
    .get_type = (get_type_),                                                                       \
  };

G_END_DECLS
