/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finding and opening modules: the order of folders, and every way in which a module can be wrong.
 */

#include "config.h"

#include "pen-registry.h"
#include "pen-test.h"

#include <string.h>

static char *
test_registry_get_modules (void)
{
  return g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
}

static PenRegistry *
test_registry_new (const char *first, const char *second)
{
  g_autofree char *modules = test_registry_get_modules ();
  const char *const folders[] = { modules, NULL };
  const char *const given[] = { first, second, NULL };

  return pen_registry_new (first == NULL ? folders : given);
}

static void
test_registry_finds (void)
{
  g_autoptr (PenRegistry) registry = test_registry_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  const PenPlugin *well = pen_registry_find (registry, PEN_KIND_SOURCE, "well", &error);
  const PenPlugin *basin = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (well);
  g_assert_cmpint (well->kind, ==, PEN_KIND_SOURCE);
  g_assert_cmpstr (well->name, ==, "well");
  g_assert_true (g_str_has_suffix (well->path, "/core/modules/source-well.so"));
  g_assert_cmpstr (well->descriptor->description, ==, "Gives nothing");
  g_assert_cmpstr (g_type_name (well->type), ==, "PenWellSource");
  g_assert_true (pen_registry_find (registry, PEN_KIND_SOURCE, "well", NULL) == well);

  basin = pen_registry_find (registry, PEN_KIND_DEAD_LETTER, "basin", &error);
  g_assert_no_error (error);
  g_assert_cmpint (basin->kind, ==, PEN_KIND_SINK);
  g_assert_true (pen_registry_find (registry, PEN_KIND_SINK, "basin", NULL) == basin);
}

/* What one registry opened is the same for the next: its types are registered already. */
static void
test_registry_shares_modules (void)
{
  g_autoptr (PenRegistry) one = test_registry_new (NULL, NULL);
  g_autoptr (PenRegistry) other = test_registry_new (NULL, NULL);

  g_assert_nonnull (pen_registry_find (one, PEN_KIND_TRANSFORM, "sieve", NULL));
  g_assert_true (pen_registry_find (one, PEN_KIND_TRANSFORM, "sieve", NULL)
                 == pen_registry_find (other, PEN_KIND_TRANSFORM, "sieve", NULL));
}

static const struct
{
  PenElementKind kind;
  const char *name;
  PenPluginError code;
  const char *message; /* MODULES stands for the folder */
} faults[] = {
  { PEN_KIND_SOURCE, "future", PEN_PLUGIN_ERROR_API_VERSION,
    "'MODULES/source-future.so' was built for version 7 of the plugin API, and this is version 1: "
    "rebuild it against the headers installed with this penstock" },
  { PEN_KIND_SOURCE, "undescribed", PEN_PLUGIN_ERROR_BROKEN,
    "'MODULES/source-undescribed.so' is no plugin: it exports no pen_plugin_descriptor; does its "
    "code end in PEN_PLUGIN_DEFINE?" },
  { PEN_KIND_SOURCE, "misnamed", PEN_PLUGIN_ERROR_BROKEN,
    "'MODULES/source-misnamed.so' holds the plugin 'elsewhere' and not 'misnamed': rename the file "
    "or correct its PEN_PLUGIN_DEFINE" },
  { PEN_KIND_SOURCE, "strainer", PEN_PLUGIN_ERROR_KIND,
    "'MODULES/source-strainer.so' holds a PenStrainer, which is not a source: name the file after "
    "the kind of its type" },
  { PEN_KIND_SOURCE, "spirit", PEN_PLUGIN_ERROR_KIND,
    "'MODULES/source-spirit.so' holds a PenSource, of which there can be no element: its type is "
    "abstract" },
  { PEN_KIND_SOURCE, "unbound", PEN_PLUGIN_ERROR_BROKEN,
    "'MODULES/source-unbound.so' cannot be opened: undefined symbol: pen_unbound_source_get_type" },
  { PEN_KIND_SOURCE, "../source-well", PEN_PLUGIN_ERROR_NOT_FOUND,
    "a plugin's name is made of small letters, digits and '-', at most 64 of them" },
  { PEN_KIND_SOURCE, "", PEN_PLUGIN_ERROR_NOT_FOUND,
    "a plugin's name is made of small letters, digits and '-', at most 64 of them" },
};

static void
test_registry_refuses (void)
{
  g_autofree char *modules = test_registry_get_modules ();
  g_autoptr (PenRegistry) registry = test_registry_new (NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GString) expected = g_string_new (faults[i].message);

      g_string_replace (expected, "MODULES", modules, 0);
      g_assert_null (pen_registry_find (registry, faults[i].kind, faults[i].name, &error));
      g_assert_error (error, PEN_PLUGIN_ERROR, (int) faults[i].code);
      g_assert_cmpstr (error->message, ==, expected->str);
    }
}

static void
test_registry_names_the_folders_searched (void)
{
  g_autoptr (PenRegistry) registry = test_registry_new ("/nowhere/a", "/nowhere/b/");
  g_autoptr (GError) error = NULL;

  g_assert_null (pen_registry_find (registry, PEN_KIND_SINK, "missing", &error));
  g_assert_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message,
                                   "there is no 'sink-missing.so' in /nowhere/a, /nowhere/b, "));
  g_assert_true (g_str_has_suffix (error->message, PEN_PLUGIN_FOLDER));
}

/* A broken module hides a good one behind it: the operator put it first. */
static void
test_registry_takes_the_first (void)
{
  g_autofree char *modules = test_registry_get_modules ();
  char *folder = pen_test_make_folder ();
  g_autoptr (PenRegistry) before = test_registry_new (folder, modules);
  g_autoptr (PenRegistry) behind = test_registry_new (modules, folder);
  g_autoptr (GError) error = NULL;

  pen_test_write_file (folder, "source-well.so", "not a module\n");
  g_assert_null (pen_registry_find (before, PEN_KIND_SOURCE, "well", &error));
  g_assert_error (error, PEN_PLUGIN_ERROR, PEN_PLUGIN_ERROR_BROKEN);
  g_assert_nonnull (pen_registry_find (behind, PEN_KIND_SOURCE, "well", NULL));
  pen_test_remove_folder (folder);
}

/* The test runs in the build folder, so that is in the list as well. */
static void
test_registry_orders_folders (void)
{
  g_autofree char *before = g_strdup (g_getenv ("PENSTOCK_PLUGIN_PATH"));
  g_autoptr (PenRegistry) registry = NULL;
  GPtrArray *folders;
  static const char *const expected[]
      = { "/nowhere/given", "/nowhere/one", "/nowhere/two", PEN_BUILD_FOLDER, PEN_PLUGIN_FOLDER };

  g_setenv ("PENSTOCK_PLUGIN_PATH", "/nowhere/one::/nowhere/two/../two:/nowhere/given", TRUE);
  registry = test_registry_new ("/nowhere/given", NULL);
  folders = pen_registry_get_folders (registry);
  g_assert_cmpuint (folders->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < folders->len; i++)
    g_assert_cmpstr (g_ptr_array_index (folders, i), ==, expected[i]);
  if (before == NULL)
    g_unsetenv ("PENSTOCK_PLUGIN_PATH");
  else
    g_setenv ("PENSTOCK_PLUGIN_PATH", before, TRUE);
}

static void
test_registry_lists (void)
{
  char *folder = pen_test_make_folder ();
  g_autoptr (PenRegistry) registry = test_registry_new (folder, "/nowhere");
  g_autofree char *list = NULL;
  g_autoptr (GPtrArray) names = NULL;

  pen_test_write_file (folder, "sink-zinc.so", "");
  pen_test_write_file (folder, "sink-alum.so", "");
  pen_test_write_file (folder, "sink-.so", "");
  pen_test_write_file (folder, "sink-Upper.so", "");
  pen_test_write_file (folder, "sink-notes.txt", "");
  pen_test_write_file (folder, "source-brass.so", "");
  names = pen_registry_list (registry, PEN_KIND_DEAD_LETTER);
  for (guint i = names->len; i > 0; i--)
    {
      const char *name = g_ptr_array_index (names, i - 1);

      if (strcmp (name, "zinc") != 0 && strcmp (name, "alum") != 0)
        g_ptr_array_remove_index (names, i - 1); /* a plugin of the build folder */
    }
  g_assert_cmpuint (names->len, ==, 2);
  g_assert_cmpstr (g_ptr_array_index (names, 0), ==, "alum");
  g_assert_cmpstr (g_ptr_array_index (names, 1), ==, "zinc");
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/registry/finds", test_registry_finds);
  g_test_add_func ("/registry/shares-modules", test_registry_shares_modules);
  g_test_add_func ("/registry/refuses", test_registry_refuses);
  g_test_add_func ("/registry/names-the-folders-searched",
                   test_registry_names_the_folders_searched);
  g_test_add_func ("/registry/takes-the-first", test_registry_takes_the_first);
  g_test_add_func ("/registry/orders-folders", test_registry_orders_folders);
  g_test_add_func ("/registry/lists", test_registry_lists);
  return g_test_run ();
}
