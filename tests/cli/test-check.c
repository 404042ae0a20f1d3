/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keyfiles that are checked or drawn, and not run.
 */

#include "config.h"

#include "pen-command.h"
#include "pen-expected.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const good
    = "[pipeline]\ndescription=Quotes \" and \\ backslashes\n\n[source file]\npath=-\n\n"
      "[transform ammp]\n\n[sink stdout]\n\n[sink file archive]\npath=archive.jsonl\nfrom=file\n\n"
      "[dead-letter stdout]\n";

static const char *const faulty
    = "[source file]\npth=-\n\n[transform amp]\n\n[sink stdout]\nformat=xml\nbatch-events=0\n"
      "linger=5\n";

/* A folder with a good and a faulty pipeline. */
static char *
test_check_make_folder (void)
{
  char *folder = pen_test_make_folder ();

  pen_test_write_file (folder, "good.pipeline", good);
  pen_test_write_file (folder, "faulty.pipeline", faulty);
  pen_test_write_file (folder, "notes.txt", "[not a pipeline]");
  return folder;
}

static void
test_check_prints_all_errors (void)
{
  char *folder = test_check_make_folder ();
  g_auto (PenCommand) text = { 0 };
  g_auto (PenCommand) json = { 0 };

  pen_command_run (&text, NULL, "check", folder, NULL);
  pen_expected_compare (text.output, folder, "check-faulty.txt");
  g_assert_cmpstr (text.errors, ==, "1 good, 1 faulty: 5 errors, 0 warnings\n");
  g_assert_cmpint (text.status, ==, 1);

  pen_command_run (&json, NULL, "check", "--format", "json", folder, NULL);
  pen_expected_compare (json.output, folder, "check-faulty.json");
  g_assert_cmpint (json.status, ==, 1);
  pen_test_remove_folder (folder);
}

static void
test_check_accepts (void)
{
  char *folder = test_check_make_folder ();
  g_autofree char *path = g_build_filename (folder, "good.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, NULL, "check", path, NULL);
  g_assert_cmpstr (command.output, ==, "");
  g_assert_cmpstr (command.errors, ==, "1 good, 0 faulty: 0 errors, 0 warnings\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_test_remove_folder (folder);
}

/* What only the target machine has can be left out; what is wrong on every machine cannot. */
static void
test_check_without_environment (void)
{
  char *folder = pen_test_make_folder ();
  g_auto (PenCommand) here = { 0 };
  g_auto (PenCommand) anywhere = { 0 };

  pen_test_write_file (folder, "site.pipeline",
                       "[source file]\npath=${env:PENSTOCK_TEST_NOWHERE}\n\n[sink stdout]\n");
  pen_command_run (&here, NULL, "check", folder, NULL);
  g_assert_nonnull (strstr (here.output, "site.pipeline:2:6: error: "));
  g_assert_nonnull (strstr (here.output, "PENSTOCK_TEST_NOWHERE"));
  g_assert_cmpint (here.status, ==, 1);

  pen_command_run (&anywhere, NULL, "check", "--no-environment", folder, NULL);
  g_assert_cmpstr (anywhere.output, ==, "");
  g_assert_cmpint (anywhere.status, ==, 0);
  pen_test_remove_folder (folder);
}

static void
test_check_wants_files (void)
{
  g_auto (PenCommand) none = { 0 };
  g_auto (PenCommand) missing = { 0 };
  g_auto (PenCommand) empty = { 0 };
  char *folder = pen_test_make_folder ();

  pen_command_run (&none, NULL, "check", NULL);
  g_assert_cmpint (none.status, ==, 2);
  g_assert_true (g_str_has_prefix (none.errors, "penstock check: name at least one keyfile"));

  pen_command_run (&missing, NULL, "check", "/nowhere/site.pipeline", NULL);
  g_assert_cmpint (missing.status, ==, 1);
  g_assert_nonnull (strstr (missing.output, "/nowhere/site.pipeline"));

  pen_command_run (&empty, NULL, "check", folder, NULL);
  g_assert_cmpint (empty.status, ==, 1);
  g_assert_nonnull (strstr (empty.output, folder));
  pen_test_remove_folder (folder);
}

/* Every faulty keyfile that the tests of definitions have: refused by check, not started by run. */
static void
test_check_refuses_each (void)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "core", "fixtures", NULL);
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n_refused = 0;
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_auto (PenCommand) check = { 0 };
      g_auto (PenCommand) run = { 0 };
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (!g_str_has_prefix (name, "n_") || !g_str_has_suffix (name, ".pipeline"))
        continue;
      pen_command_run (&check, NULL, "--plugin-path", modules, "check", path, NULL);
      g_test_message ("%s:\n%s", name, check.output);
      g_assert_nonnull (strstr (check.output, ": error: "));
      g_assert_cmpint (check.status, ==, 1);

      /* good rows of a table run beside faulty ones otherwise */
      pen_command_run (&run, NULL, "--plugin-path", modules, "run", path,
                       strstr (name, "-rows") != NULL ? "--strict" : NULL, NULL);
      g_assert_true (g_str_has_prefix (run.errors, check.output));
      g_assert_nonnull (strstr (run.errors, " error: nothing was started: "));
      g_assert_cmpstr (run.output, ==, "");
      g_assert_cmpint (run.status, ==, 1);
      n_refused++;
    }
  g_assert_cmpuint (n_refused, >=, 10);
}

static void
test_check_draws (void)
{
  char *folder = test_check_make_folder ();
  g_autofree char *path = g_build_filename (folder, "good.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, NULL, "graph", path, NULL);
  g_assert_cmpstr (command.errors, ==, "");
  g_assert_cmpint (command.status, ==, 0);
  pen_expected_compare (command.output, folder, "graph.dot");
  pen_test_remove_folder (folder);
}

static void
test_check_draws_nothing_faulty (void)
{
  char *folder = test_check_make_folder ();
  g_autofree char *path = g_build_filename (folder, "faulty.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };
  g_auto (PenCommand) two = { 0 };

  pen_command_run (&command, NULL, "graph", path, NULL);
  g_assert_cmpstr (command.output, ==, "");
  g_assert_nonnull (strstr (command.errors, "faulty.pipeline:2:1: error: "));
  g_assert_cmpint (command.status, ==, 1);

  pen_command_run (&two, NULL, "graph", path, path, NULL);
  g_assert_true (g_str_has_prefix (two.errors, "penstock graph: name one keyfile\n"));
  g_assert_cmpint (two.status, ==, 2);
  pen_test_remove_folder (folder);
}

/* Graphviz itself reads it. */
static void
test_check_draws_for_graphviz (void)
{
  g_autofree char *dot = g_find_program_in_path ("dot");
  g_autofree char *graph
      = g_test_build_filename (G_TEST_DIST, "cli", "expected", "graph.dot", NULL);
  const char *const line[] = { dot, "-Tsvg", graph, NULL };
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;

  if (dot == NULL)
    {
      g_test_skip ("dot is missing (Debian: graphviz)");
      return;
    }
  g_spawn_sync (NULL, (char **) line, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors, &status,
                &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (errors, ==, "");
  g_assert_nonnull (strstr (output, "dead&#45;letter stdout"));
  g_assert_nonnull (strstr (output, "Quotes &quot; and \\ backslashes"));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/check/prints-all-errors", test_check_prints_all_errors);
  g_test_add_func ("/check/accepts", test_check_accepts);
  g_test_add_func ("/check/without-environment", test_check_without_environment);
  g_test_add_func ("/check/wants-files", test_check_wants_files);
  g_test_add_func ("/check/refuses-each", test_check_refuses_each);
  g_test_add_func ("/graph/draws", test_check_draws);
  g_test_add_func ("/graph/draws-nothing-faulty", test_check_draws_nothing_faulty);
  g_test_add_func ("/graph/draws-for-graphviz", test_check_draws_for_graphviz);
  return g_test_run ();
}
