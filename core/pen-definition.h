/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline keyfile that was read and understood, or everything that is wrong with it.
 */

#pragma once

#include "pen-diagnostic.h"
#include "pen-registry.h"
#include "pen-settings.h"
#include "pen-trial.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_DEFINITION_NONE = 0,
  /* leave out what only the target machine has: environment variables, secrets, files */
  PEN_DEFINITION_NO_ENVIRONMENT = 1 << 0,
  /* beside it: but not what transforms and tests need, which are about to be run here */
  PEN_DEFINITION_FOR_TESTS = 1 << 1,
  /* read [test NAME] as well, which are nothing otherwise */
  PEN_DEFINITION_WITH_TESTS = 1 << 2,
} PenDefinitionFlags;

typedef struct
{
  PenElementKind kind;
  char *name; /* the element's own, or its plugin's */
  const PenPlugin *plugin;
  guint *inputs; /* (array length=n_inputs): indices of the elements it reads from */
  guint n_inputs;
  guint line; /* of its group */
} PenElementDefinition;

/* Immutable, reference-counted. Dead-letter elements have no inputs. */
typedef struct _PenDefinition PenDefinition;

/* Both return NULL if there is any error; all errors and warnings are appended to @diagnostics
 * (element-type PenDiagnostic), in the order of lines. With [sites], it is the first one's. */
PEN_RUNTIME_EXPORT
PenDefinition *pen_definition_load (const char *path,
                                    PenRegistry *registry,
                                    PenDefinitionFlags flags,
                                    GPtrArray *diagnostics);
PEN_RUNTIME_EXPORT
PenDefinition *pen_definition_parse (const char *path,
                                     const char *text,
                                     gsize length,
                                     PenRegistry *registry,
                                     PenDefinitionFlags flags,
                                     GPtrArray *diagnostics);
/* The same for all sites: (element-type PenDefinition), those that nothing is wrong with.
 * @n_faulty counts the others, and is 1 for a file that is faulty as a whole. */
PEN_RUNTIME_EXPORT
GPtrArray *pen_definition_load_sites (const char *path,
                                      PenRegistry *registry,
                                      PenDefinitionFlags flags,
                                      GPtrArray *diagnostics,
                                      guint *n_faulty);
PEN_RUNTIME_EXPORT
GPtrArray *pen_definition_parse_sites (const char *path,
                                       const char *text,
                                       gsize length,
                                       PenRegistry *registry,
                                       PenDefinitionFlags flags,
                                       GPtrArray *diagnostics,
                                       guint *n_faulty);
/* (transfer full) (element-type filename): @paths, of folders their *.pipeline files, sorted; what
 * is wrong with a folder is appended to @diagnostics. */
PEN_RUNTIME_EXPORT
GPtrArray *pen_definition_list_files (const char *const *paths, GPtrArray *diagnostics);
/* Files and folders (their *.pipeline files, sorted): all good definitions, (element-type
 * PenDefinition). Two pipelines of one name are an error of the second. @n_faulty counts pipelines
 * with errors, and folders. */
PEN_RUNTIME_EXPORT
GPtrArray *pen_definition_load_all (const char *const *paths,
                                    PenRegistry *registry,
                                    PenDefinitionFlags flags,
                                    GPtrArray *diagnostics,
                                    guint *n_faulty);
PEN_RUNTIME_EXPORT
PenDefinition *pen_definition_ref (PenDefinition *self);
PEN_RUNTIME_EXPORT
void pen_definition_unref (PenDefinition *self);
PEN_RUNTIME_EXPORT
const char *pen_definition_get_path (const PenDefinition *self);
PEN_RUNTIME_EXPORT
const char *pen_definition_get_name (const PenDefinition *self);
PEN_RUNTIME_EXPORT
GHashTable *pen_definition_index (GPtrArray *definitions);
PEN_RUNTIME_EXPORT
PenSettings *pen_definition_get_settings (const PenDefinition *self);
/* The row of [sites] that it was made for, or NULL. */
PEN_RUNTIME_EXPORT
const char *pen_definition_get_site (const PenDefinition *self);
/* (element-type PenTrial): none without PEN_DEFINITION_WITH_TESTS */
PEN_RUNTIME_EXPORT
GPtrArray *pen_definition_get_trials (const PenDefinition *self);
PEN_RUNTIME_EXPORT
guint pen_definition_get_n_elements (const PenDefinition *self);
PEN_RUNTIME_EXPORT
const PenElementDefinition *pen_definition_get_element (const PenDefinition *self, guint index);
/* Whether a pipeline of one would do exactly what a pipeline of the other does. */
PEN_RUNTIME_EXPORT
gboolean pen_definition_equal (const PenDefinition *self, const PenDefinition *other);
/* All that pen_definition_equal () compares, but the path: equal definitions have equal texts in an
 * equal order. @group is "source mqtt one"; @key is NULL for the group itself. Secrets are among
 * the texts. */
typedef void (*PenDefinitionValueFunc) (const char *group,
                                        const char *key,
                                        const char *text,
                                        gpointer user_data);
PEN_RUNTIME_EXPORT
void pen_definition_foreach_value (const PenDefinition *self,
                                   PenDefinitionValueFunc func,
                                   gpointer user_data);
/* A new element with the keyfile's properties set; not attached to any host. */
PEN_RUNTIME_EXPORT
PenElement *pen_definition_create_element (const PenDefinition *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenDefinition, pen_definition_unref)

G_END_DECLS
