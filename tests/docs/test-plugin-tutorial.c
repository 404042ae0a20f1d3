/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plugin tutorial's text is the example's files, and the example builds against an installed
 * Penstock with nothing but pkg-config, is loaded, and does what the page says.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>

#define EXAMPLE "docs/examples/transform-threshold"

static char *
test_source_path (const char *path)
{
  return g_build_filename (g_getenv ("G_TEST_SRCDIR"), "..", path, NULL);
}

static char *
test_read (const char *path)
{
  g_autofree char *full = test_source_path (path);

  return pen_test_read_file (full, NULL);
}

/* All blocks of @language on the page, one behind the other, with a blank line between them. */
static char *
test_collect_blocks (const char *language)
{
  g_autofree char *page = test_read ("docs/plugin-tutorial.md");
  g_autofree char *fence = g_strconcat ("```", language, NULL);
  g_auto (GStrv) lines = g_strsplit (page, "\n", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean inside = FALSE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (inside && strcmp (lines[i], "```") == 0)
        inside = FALSE;
      else if (inside)
        g_string_append_printf (text, "%s\n", lines[i]);
      else if (strcmp (lines[i], fence) == 0)
        {
          g_string_append (text, text->len > 0 ? "\n" : "");
          inside = TRUE;
        }
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_page_holds_file (gconstpointer data)
{
  const char *const *pair = data;
  g_autofree char *path = g_build_filename (EXAMPLE, pair[1], NULL);
  g_autofree char *blocks = test_collect_blocks (pair[0]);
  g_autofree char *file = test_read (path);

  g_assert_cmpstr (blocks, ==, file);
}

/* Runs a line of shell with @folder in $1; standard output comes back. */
static char *
test_shell (const char *folder, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = test_source_path (EXAMPLE);
  g_autofree char *output = NULL;
  g_autofree char *complaints = NULL;
  const char *build = g_getenv ("G_TEST_BUILDDIR");
  const char *arguments[] = { "/bin/sh", "-euc", line, "sh", folder, source, build, NULL };
  int status;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
                &complaints, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s%s%s", line, error->message, output, complaints);
  return g_steal_pointer (&output);
}

/* Installed below a folder instead of /; the .pc file is told so, which DESTDIR does not do. */
#define INSTALL                                                                                    \
  "DESTDIR=$1 meson install -C $3/.. --no-rebuild --quiet >$1/install.log; "                       \
  "pc=$(find $1 -name penstock.pc); sed -i \"s|^prefix=|prefix=$1|\" $pc"
#define BUILD                                                                                      \
  "cp -r $2 $1/example; cd $1/example; "                                                           \
  "export PKG_CONFIG_PATH=$(dirname $(find $1 -name penstock.pc)); "                               \
  "make -s CFLAGS='-O2 -Wall -Wextra -Werror -Wno-unused-parameter"                                \
  " -Wno-missing-field-initializers'"
#define WITH_INSTALLED                                                                             \
  "cd $1/example; command=$(find $1 -path '*/bin/penstock'); "                                     \
  "export LD_LIBRARY_PATH=$(dirname $(find $1 -name 'libpenstock.so*' | head -n 1)); "             \
  "export PENSTOCK_PLUGIN_PATH=$(dirname $(find $1 -name sink-stdout.so)); "

static void
test_example (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *inspected = NULL;
  g_autofree char *checked = NULL;
  g_autofree char *lines = NULL;
  g_autofree char *letters = NULL;
  g_autofree char *promised = test_collect_blocks ("text");

  g_free (test_shell (folder, INSTALL));
  g_free (test_shell (folder, BUILD));
  inspected = test_shell (folder, WITH_INSTALLED "$command inspect --plugin-path . threshold");
  g_assert_nonnull (strstr (inspected, "Least number, in the field's own unit"));
  checked = test_shell (folder, WITH_INSTALLED "$command check --plugin-path . peaks.pipeline");
  lines = test_shell (folder,
                      WITH_INSTALLED "$command run --plugin-path . peaks.pipeline <readings.jsonl");
  g_assert_cmpstr (lines, ==, promised);
  letters = test_shell (folder, "cat $1/example/rejected.jsonl");
  g_assert_nonnull (strstr (letters, "\"reason\":\"no_number\""));
  g_assert_nonnull (strstr (letters, "\\\"site\\\":\\\"west\\\""));
  pen_test_remove_folder (folder);
}

int
main (int argc, char *argv[])
{
  static const char *const pairs[][2] = {
    { "c", "threshold.c" },
    { "make", "Makefile" },
    { "ini", "peaks.pipeline" },
    { "json", "readings.jsonl" },
  };

  pen_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *path = g_strconcat ("/plugin-tutorial/page-holds/", pairs[i][1], NULL);

      g_test_add_data_func (path, pairs[i], test_page_holds_file);
    }
  g_test_add_func ("/plugin-tutorial/example", test_example);
  return g_test_run ();
}
