/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Walks every plugin of the build: what it says of itself, its properties, and whether the table
 * of properties in its README.md says the same: every property with its default, and no other.
 */

#include "config.h"

#include "pen-cli-property.h"
#include "pen-test.h"

#include <string.h>

static void
test_plugins_check_line (const char *what, const char *text)
{
  if (text == NULL || *text == '\0' || strchr (text, '\n') != NULL || g_str_has_suffix (text, ".")
      || !g_utf8_validate (text, -1, NULL))
    g_test_fail_printf ("%s is not one line without a full stop: %s", what, text);
}

static void
test_plugins_check_default (GParamSpec *spec, GObject *example)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (example, spec->name, g_value_init (&value, spec->value_type));
  if (spec->value_type == G_TYPE_STRV)
    return; /* a list has no default in its GParamSpec */
  if (!g_param_value_defaults (spec, &value))
    g_test_fail_printf ("%s.%s: a new object does not have the default",
                        G_OBJECT_TYPE_NAME (example), spec->name);
  if (g_param_value_validate (spec, &value))
    g_test_fail_printf ("%s.%s: the default is outside the range", G_OBJECT_TYPE_NAME (example),
                        spec->name);
}

static void
test_plugins_check_property (GParamSpec *spec, GObject *example)
{
  g_autofree char *what = g_strdup_printf ("%s.%s", G_OBJECT_TYPE_NAME (example), spec->name);

  if (!g_regex_match_simple ("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", spec->name, 0, 0))
    g_test_fail_printf ("%s: not in kebab case", what);
  if (g_str_equal (spec->name, "from"))
    g_test_fail_printf ("%s: this key is the pipeline's", what);
  if ((spec->flags & PEN_PARAM_DEFAULTS) != PEN_PARAM_DEFAULTS)
    g_test_fail_printf ("%s: without PEN_PARAM_DEFAULTS", what);
  if (spec->flags & (G_PARAM_CONSTRUCT | G_PARAM_CONSTRUCT_ONLY))
    g_test_fail_printf ("%s: set by the constructor, and not only by the keyfile", what);
  test_plugins_check_line (what, g_param_spec_get_blurb (spec));
  test_plugins_check_default (spec, example);
}

static void
test_plugins_check_type (GType type)
{
  g_auto (PenCliProperties) properties = { 0 };

  pen_cli_properties_init (&properties, type);
  for (guint i = 0; i < properties.n_specs; i++)
    test_plugins_check_property (properties.specs[i], properties.example);
}

/* The rows of the table of properties: name to the cell of its default. */
static GHashTable *
test_plugins_read_table (const char *readme)
{
  GHashTable *rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = pen_test_read_file (readme, NULL);
  char *section = strstr (text, "\n## Properties\n");
  g_auto (GStrv) lines = NULL;

  if (section == NULL)
    {
      g_test_fail_printf ("%s: no section 'Properties'", readme);
      return rows;
    }
  section += strlen ("\n## ");
  if (strstr (section, "\n## ") != NULL)
    *strstr (section, "\n## ") = '\0';
  lines = g_strsplit (section, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) cells = NULL;
      gsize length;

      if (!g_str_has_prefix (lines[i], "| `"))
        continue;
      cells = g_strsplit (lines[i], " | ", 3);
      length = strlen (cells[0]);
      if (g_strv_length (cells) < 3 || cells[0][length - 1] != '`')
        g_test_fail_printf ("%s: not '| `property` | default | ...': %s", readme, lines[i]);
      else if (!g_hash_table_insert (rows, g_strndup (cells[0] + 3, length - 4),
                                     g_strdup (cells[1])))
        g_test_fail_printf ("%s: twice: %s", readme, lines[i]);
    }
  return rows;
}

static char *
test_plugins_dup_default_cell (GParamSpec *spec, GObject *example)
{
  g_autofree char *preset = pen_cli_property_dup_default (spec, example);

  if (spec->flags & PEN_PARAM_REQUIRED)
    return g_strdup ("required");
  return preset == NULL ? g_strdup ("none") : g_strdup_printf ("`%s`", preset);
}

static void
test_plugins_check_readme (const PenPlugin *plugin)
{
  g_autofree char *folder = g_strdup_printf ("%ss", pen_element_kind_get_nick (plugin->kind));
  g_autofree char *readme
      = g_test_build_filename (G_TEST_DIST, "..", folder, plugin->name, "README.md", NULL);
  g_autoptr (GHashTable) rows = test_plugins_read_table (readme);
  g_auto (PenCliProperties) properties = { 0 };
  GHashTableIter iter;
  gpointer left;

  pen_cli_properties_init (&properties, plugin->type);
  for (guint i = 0; i < properties.n_specs; i++)
    {
      GParamSpec *spec = properties.specs[i];
      g_autofree char *expected = test_plugins_dup_default_cell (spec, properties.example);
      const char *told = g_hash_table_lookup (rows, spec->name);

      if (pen_cli_property_is_common (spec))
        continue;
      if (g_strcmp0 (told, expected) != 0)
        g_test_fail_printf ("%s: the default of `%s` is %s and not %s", readme, spec->name,
                            expected, told != NULL ? told : "in the table");
      g_hash_table_remove (rows, spec->name);
    }
  g_hash_table_iter_init (&iter, rows);
  if (g_hash_table_iter_next (&iter, &left, NULL))
    g_test_fail_printf ("%s: there is no property `%s`", readme, (const char *) left);
}

static void
test_plugins_check (gconstpointer data)
{
  const PenPlugin *plugin = data;

  g_assert_cmpstr (plugin->descriptor->name, ==, plugin->name);
  test_plugins_check_line ("the description", plugin->descriptor->description);
  test_plugins_check_line ("the version", plugin->descriptor->version);
  test_plugins_check_line ("the licence", plugin->descriptor->licence);
  test_plugins_check_type (plugin->type);
  test_plugins_check_readme (plugin);
}

static void
test_plugins_settings (void)
{
  test_plugins_check_type (PEN_TYPE_SETTINGS);
}

/* One test for each plugin of the build folder: not of those that are installed by chance. */
static void
test_plugins_add (PenRegistry *registry, PenElementKind kind)
{
  g_autoptr (GPtrArray) names = pen_registry_list (registry, kind);

  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (GError) error = NULL;
      const PenPlugin *plugin
          = pen_registry_find (registry, kind, g_ptr_array_index (names, i), &error);
      g_autofree char *folder = NULL;
      g_autofree char *path = NULL;

      g_assert_no_error (error);
      folder = g_path_get_dirname (plugin->path);
      path = g_strdup_printf ("/plugins/%s/%s", pen_element_kind_get_nick (kind), plugin->name);
      if (g_str_equal (folder, g_getenv ("PENSTOCK_PLUGIN_PATH")))
        g_test_add_data_func (path, plugin, test_plugins_check);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (PenRegistry) registry = NULL;

  pen_test_init (&argc, &argv);
  registry = pen_registry_new (NULL);
  g_test_add_func ("/plugins/pipeline", test_plugins_settings);
  test_plugins_add (registry, PEN_KIND_SOURCE);
  test_plugins_add (registry, PEN_KIND_TRANSFORM);
  test_plugins_add (registry, PEN_KIND_SINK);
  return g_test_run ();
}
