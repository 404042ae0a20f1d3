/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds and opens the modules that definitions name.
 */

#pragma once

#include "pen-element-private.h"
#include "pen-plugin.h"

G_BEGIN_DECLS

#define PEN_PLUGIN_ERROR (pen_plugin_error_quark ())

typedef enum
{
  PEN_PLUGIN_ERROR_NOT_FOUND, /* no module of that name in any folder: correct the name or path */
  PEN_PLUGIN_ERROR_BROKEN,    /* the module cannot be opened or exports no descriptor: rebuild it */
  PEN_PLUGIN_ERROR_API_VERSION, /* built for another version of the library: rebuild it */
  PEN_PLUGIN_ERROR_KIND,        /* its type is not of the kind that its file name says */
} PenPluginError;

PEN_RUNTIME_EXPORT
GQuark pen_plugin_error_quark (void) G_GNUC_CONST;

/* An opened module; lives as long as the process, as the types in it do. */
typedef struct
{
  PenElementKind kind; /* never PEN_KIND_DEAD_LETTER */
  char *name;
  char *path; /* of the module file */
  const PenPluginDescriptor *descriptor;
  GType type;
} PenPlugin;

/* Folders with modules, searched in this order: what was added, PENSTOCK_PLUGIN_PATH, the build
 * folder when run uninstalled, the installed folder. Not thread-safe. */
typedef struct _PenRegistry PenRegistry;

PEN_RUNTIME_EXPORT
PenRegistry *pen_registry_new (const char *const *first_folders);
PEN_RUNTIME_EXPORT
void pen_registry_free (PenRegistry *self);
/* (element-type utf8): the folders in search order */
PEN_RUNTIME_EXPORT
GPtrArray *pen_registry_get_folders (PenRegistry *self);
/* Opens the module on first use. A dead letter's kind means a sink. */
PEN_RUNTIME_EXPORT
const PenPlugin *
pen_registry_find (PenRegistry *self, PenElementKind kind, const char *name, GError **error);
/* (transfer container): names of all modules of a kind that the folders hold, without opening them,
 * sorted, each once */
PEN_RUNTIME_EXPORT
GPtrArray *pen_registry_list (PenRegistry *self, PenElementKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenRegistry, pen_registry_free)

G_END_DECLS
