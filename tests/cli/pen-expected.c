/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whole outputs of the command, compared with the files in expected/. With PENSTOCK_TEST_UPDATE=1
 * in the environment, these are written anew, to be looked through.
 */

#include "config.h"

#include "pen-expected.h"

#include "pen-test.h"

/* The folder of the modules that are there for tests of the command alone. */
char *
pen_expected_dup_modules (void)
{
  return g_test_build_filename (G_TEST_BUILT, "cli", "modules", NULL);
}

/* Text that depends on the machine, replaced by names. @folder: (nullable) */
static char *
pen_expected_normalize (const char *text, const char *folder)
{
  g_autofree char *modules = pen_expected_dup_modules ();
  GString *result = g_string_new (text);

  if (folder != NULL)
    g_string_replace (result, folder, "@FOLDER@", 0 /* all */);
  g_string_replace (result, modules, "@MODULES@", 0);
  g_string_replace (result, g_getenv ("PENSTOCK_PLUGIN_PATH"), "@PLUGINS@", 0);
  g_string_replace (result, PEN_PLUGIN_FOLDER, "@INSTALLED@", 0);
  g_string_replace (result, PACKAGE_VERSION, "@VERSION@", 0);
  return g_string_free (result, FALSE);
}

/* @folder: (nullable): one that was made for this test */
void
pen_expected_compare (const char *text, const char *folder, const char *name)
{
  g_autofree char *normal = pen_expected_normalize (text, folder);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "cli", "expected", name, NULL);
  g_autofree char *expected = NULL;

  if (g_getenv ("PENSTOCK_TEST_UPDATE") != NULL)
    g_file_set_contents (path, normal, -1, NULL);
  expected = pen_test_read_file (path, NULL);
  if (!g_str_equal (normal, expected))
    g_test_message ("%s differs; PENSTOCK_TEST_UPDATE=1 writes it anew", path);
  g_assert_cmpstr (normal, ==, expected);
}

/* The lines of a log without their times. */
char *
pen_expected_strip_times (const char *log)
{
  g_autoptr (GRegex) times = g_regex_new ("^[0-9]{4}-[0-9-]{5}T[0-9:.]{15}\\+00:00 ",
                                          G_REGEX_MULTILINE, 0 /* match options */, NULL);

  return g_regex_replace_literal (times, log, -1, 0 /* start */, "", 0 /* match options */, NULL);
}
