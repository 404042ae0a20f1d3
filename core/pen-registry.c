/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds and opens the modules that definitions name. A module's file is named after what it holds
 * (`source-mqtt.so`), so there is no index to build, to cache, or to be out of date, and no module
 * is opened that no definition names. The first folder that has the file decides: a broken module
 * there is an error and not a reason to look on, because the next folder's would be another one
 * than the operator put first.
 *
 * A module stays in memory for as long as the process, because GObject's types do. It is bound
 * locally and at once: a missing function is found here, and not in the middle of the night.
 */

#include "config.h"

#include "pen-registry.h"

#include <string.h>

#define MAX_NAME_BYTES 64
#define DESCRIPTOR_SYMBOL "pen_plugin_descriptor"

struct _PenRegistry
{
  GPtrArray *folders;  /* (element-type utf8) */
  GHashTable *plugins; /* "source-mqtt" to PenPlugin */
};

/* Path of a module to its PenPlugin. Modules stay, whatever registry found them; so does this. */
static GMutex opened_lock; /* guards opened */
static GHashTable *opened;

G_DEFINE_QUARK (pen - plugin - error - quark, pen_plugin_error)

/* The kind that modules have: dead letters go to sinks. */
static PenElementKind
pen_registry_get_module_kind (PenElementKind kind)
{
  return kind == PEN_KIND_DEAD_LETTER ? PEN_KIND_SINK : kind;
}

static const char *
pen_registry_get_kind_name (PenElementKind kind)
{
  static const char *const names[] = { "source", "transform", "sink", "sink" };

  return names[kind];
}

static GType
pen_registry_get_kind_type (PenElementKind kind)
{
  switch (kind)
    {
    case PEN_KIND_SOURCE:
      return PEN_TYPE_SOURCE;
    case PEN_KIND_TRANSFORM:
      return PEN_TYPE_TRANSFORM;
    case PEN_KIND_SINK:
    case PEN_KIND_DEAD_LETTER:
    default:
      return PEN_TYPE_SINK;
    }
}

/* Part of a file's name, and so neither a path nor anything that a shell would mind. */
static gboolean
pen_registry_is_plugin_name (const char *name)
{
  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return length > 0 && length <= MAX_NAME_BYTES && name[length] == '\0' && name[0] != '-';
}

static void
pen_registry_add_folder (PenRegistry *self, const char *folder)
{
  g_autofree char *path = NULL;

  if (*folder == '\0')
    return;
  path = g_canonicalize_filename (folder, NULL);
  if (!g_ptr_array_find_with_equal_func (self->folders, path, g_str_equal, NULL))
    g_ptr_array_add (self->folders, g_steal_pointer (&path));
}

/* Whether the program that runs is the one in the build folder, and not an installed one on the
 * machine where it was built: that must not take its plugins from there. */
static gboolean
pen_registry_is_uninstalled (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  return program != NULL && g_str_has_prefix (program, PEN_BUILD_FOLDER "/");
}

/*
 * pen_registry_new:
 * @first_folders: (nullable) (array zero-terminated=1): folders to search before all others
 *
 * Returns: (transfer full): a registry
 *
 * Threads: any
 */
PenRegistry *
pen_registry_new (const char *const *first_folders)
{
  PenRegistry *self = g_new0 (PenRegistry, 1);
  const char *environment = g_getenv ("PENSTOCK_PLUGIN_PATH");
  g_auto (GStrv) listed = g_strsplit (environment == NULL ? "" : environment, ":", -1);

  self->folders = g_ptr_array_new_with_free_func (g_free);
  self->plugins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; first_folders != NULL && first_folders[i] != NULL; i++)
    pen_registry_add_folder (self, first_folders[i]);
  for (guint i = 0; listed[i] != NULL; i++)
    pen_registry_add_folder (self, listed[i]);
  if (pen_registry_is_uninstalled ())
    pen_registry_add_folder (self, PEN_BUILD_FOLDER);
  pen_registry_add_folder (self, PEN_PLUGIN_FOLDER);
  return self;
}

/*
 * pen_registry_free:
 * @self: (transfer full): a registry; what it found lives on
 *
 * Threads: any
 */
void
pen_registry_free (PenRegistry *self)
{
  g_ptr_array_unref (self->folders);
  g_hash_table_unref (self->plugins);
  g_free (self);
}

/*
 * pen_registry_get_folders:
 * @self: a registry
 *
 * Returns: (transfer none) (element-type utf8): the folders in the order in which they are searched
 *
 * Threads: any
 */
GPtrArray *
pen_registry_get_folders (PenRegistry *self)
{
  return self->folders;
}

static char *
pen_registry_find_module (PenRegistry *self, const char *id, GError **error)
{
  g_autoptr (GString) searched = g_string_new (NULL);
  g_autofree char *file = g_strconcat (id, "." G_MODULE_SUFFIX, NULL);

  for (guint i = 0; i < self->folders->len; i++)
    {
      const char *folder = g_ptr_array_index (self->folders, i);
      g_autofree char *path = g_build_filename (folder, file, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
      g_string_append_printf (searched, "%s%s", i > 0 ? ", " : "", folder);
    }
  g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_NOT_FOUND, "there is no '%s' in %s", file,
               searched->str);
  return NULL;
}

/* Opens the module and returns what it says of itself. */
static const PenPluginDescriptor *
pen_registry_open_module (const char *path, const char *name, GError **error)
{
  const PenPluginDescriptor *descriptor = NULL;
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);

  if (module == NULL)
    {
      g_autofree char *prefix = g_strconcat (path, ": ", NULL);
      const char *reason = g_module_error ();

      if (g_str_has_prefix (reason, prefix))
        reason += strlen (prefix);
      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_BROKEN, "'%s' cannot be opened: %s",
                   path, reason);
      return NULL;
    }
  /* Also one that is refused: its libraries may have registered types when they were loaded. */
  g_module_make_resident (module);
  if (!g_module_symbol (module, DESCRIPTOR_SYMBOL, (gpointer *) &descriptor) || descriptor == NULL)
    {
      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_BROKEN,
                   "'%s' is no plugin: it exports no %s; does its code end in PEN_PLUGIN_DEFINE?",
                   path, DESCRIPTOR_SYMBOL);
      return NULL;
    }
  if (descriptor->api_version != PEN_PLUGIN_API_VERSION)
    {
      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_API_VERSION,
                   "'%s' was built for version %u of the plugin API, and this is version %d: "
                   "rebuild it against the headers installed with this penstock",
                   path, descriptor->api_version, PEN_PLUGIN_API_VERSION);
      return NULL;
    }
  if (descriptor->get_type == NULL || g_strcmp0 (descriptor->name, name) != 0)
    {
      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_BROKEN,
                   "'%s' holds the plugin '%s' and not '%s': rename the file or correct its "
                   "PEN_PLUGIN_DEFINE",
                   path, descriptor->name == NULL ? "" : descriptor->name, name);
      return NULL;
    }
  return descriptor;
}

static PenPlugin *
pen_registry_load_locked (PenElementKind kind, const char *name, const char *path, GError **error)
{
  const PenPluginDescriptor *descriptor = pen_registry_open_module (path, name, error);
  PenPlugin *plugin;
  GType type;

  if (descriptor == NULL)
    return NULL;
  type = descriptor->get_type ();
  if (g_type_is_a (type, pen_registry_get_kind_type (kind)) && G_TYPE_IS_ABSTRACT (type))
    {
      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_KIND,
                   "'%s' holds a %s, of which there can be no element: its type is abstract", path,
                   g_type_name (type));
      return NULL;
    }
  if (!g_type_is_a (type, pen_registry_get_kind_type (kind)))
    {
      const char *type_name = g_type_name (type);

      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_KIND,
                   "'%s' holds a %s, which is not a %s: name the file after the kind of its type",
                   path, type_name == NULL ? "type that is not registered" : type_name,
                   pen_registry_get_kind_name (kind));
      return NULL;
    }
  plugin = g_new0 (PenPlugin, 1);
  plugin->kind = kind;
  plugin->name = g_strdup (name);
  plugin->path = g_strdup (path);
  plugin->descriptor = descriptor;
  plugin->type = type;
  g_hash_table_insert (opened, plugin->path, plugin);
  return plugin;
}

static PenPlugin *
pen_registry_load (PenRegistry *self,
                   PenElementKind kind,
                   const char *name,
                   const char *id,
                   GError **error)
{
  g_autofree char *path = pen_registry_find_module (self, id, error);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&opened_lock);
  PenPlugin *plugin;

  if (path == NULL)
    return NULL;
  if (opened == NULL)
    opened = g_hash_table_new (g_str_hash, g_str_equal);
  plugin = g_hash_table_lookup (opened, path);
  return plugin != NULL ? plugin : pen_registry_load_locked (kind, name, path, error);
}

/*
 * pen_registry_find:
 * @self: a registry
 * @kind: the kind of the element; a dead letter's plugin is a sink
 * @name: name of the plugin
 * @error: return location for a #PenPluginError
 *
 * Opens the plugin's module when it is asked for the first time.
 *
 * Returns: (transfer none) (nullable): the plugin; lives as long as the process
 *
 * Threads: any, one at a time
 */
const PenPlugin *
pen_registry_find (PenRegistry *self, PenElementKind kind, const char *name, GError **error)
{
  PenElementKind module_kind = pen_registry_get_module_kind (kind);
  g_autofree char *id = NULL;
  PenPlugin *plugin;

  if (!pen_registry_is_plugin_name (name))
    {
      g_set_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_NOT_FOUND,
                   "a plugin's name is made of small letters, digits and '-', at most %d of them",
                   MAX_NAME_BYTES);
      return NULL;
    }
  id = g_strdup_printf ("%s-%s", pen_registry_get_kind_name (module_kind), name);
  plugin = g_hash_table_lookup (self->plugins, id);
  if (plugin != NULL)
    return plugin;
  plugin = pen_registry_load (self, module_kind, name, id, error);
  if (plugin != NULL)
    g_hash_table_insert (self->plugins, g_steal_pointer (&id), plugin);
  return plugin;
}

static int
pen_registry_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/*
 * pen_registry_list:
 * @self: a registry
 * @kind: a kind of elements
 *
 * Looks for modules without opening them.
 *
 * Returns: (transfer full) (element-type utf8): the names of all plugins of a kind, sorted, each
 *   once
 *
 * Threads: any
 */
GPtrArray *
pen_registry_list (PenRegistry *self, PenElementKind kind)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *prefix = g_strconcat (pen_registry_get_kind_name (kind), "-", NULL);

  for (guint i = 0; i < self->folders->len; i++)
    {
      g_autoptr (GDir) dir = g_dir_open (g_ptr_array_index (self->folders, i), 0, NULL);
      const char *file;

      while (dir != NULL && (file = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *name = NULL;

          if (!g_str_has_prefix (file, prefix) || !g_str_has_suffix (file, "." G_MODULE_SUFFIX))
            continue;
          name = g_strdup (file + strlen (prefix));
          name[strlen (name) - strlen ("." G_MODULE_SUFFIX)] = '\0';
          if (pen_registry_is_plugin_name (name)
              && !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
            g_ptr_array_add (names, g_steal_pointer (&name));
        }
    }
  g_ptr_array_sort (names, pen_registry_compare_names);
  return names;
}
