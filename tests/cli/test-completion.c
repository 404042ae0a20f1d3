/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What bash offers when somebody presses the tab key.
 */

#include "config.h"

#include "pen-command.h"

#include <string.h>

/* The words on the line, the last of which is to be completed. */
static char *
test_completion_get (const char *folder, const char *words)
{
  static const char *const script
      = "cd \"$1\" && . \"$2\" && COMP_WORDS=($3 \"$4\") && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) "
        "&& _penstock && printf '%s\\n' \"${COMPREPLY[@]}\" | LC_ALL=C sort -u";
  g_autofree char *completion
      = g_test_build_filename (G_TEST_DIST, "..", "cli", "completion", "penstock", NULL);
  g_autofree char *before = g_strconcat (pen_command_get_path (), " ", words, NULL);
  char *last = strrchr (before, ' ');
  const char *line[] = { "bash", "-c", script, "bash", folder, completion, before, last + 1, NULL };
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  *last = '\0';
  g_spawn_sync (NULL, (char **) line, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, NULL,
                &error);
  g_assert_no_error (error);
  g_assert_cmpstr (errors, ==, "");
  g_strdelimit (g_strchomp (output), "\n", ' ');
  return output;
}

static const struct
{
  const char *words;
  const char *expected;
} test_lines[] = {
  { "ins", "inspect" },
  { "r", "run" },
  { "--vers", "--version" },
  { "--plugin-path x ins", "inspect" },
  { "--plugin-path = x ins", "inspect" },
  { "inspect --na", "--names" },
  { "inspect --form", "--format=" },
  { "inspect --format ", "json text" },
  { "inspect --format =", "json text" },
  { "inspect --format = j", "json" },
  { "--log-level ", "debug error info warning" },
  { "--log-format j", "journal json" },
  { "run --stri", "--strict" },
  { "run --log-l", "--log-level=" },
  { "run ", "a site.pipeline folder site.pipeline" },
  { "check si", "site.pipeline" },
  { "graph fold", "folder" },
  { "--plugin-path f", "folder" },
  { "run --state-dir f", "folder" },
  { "plan --p", "--pid= --plugin-path=" },
  { "plan si", "site.pipeline" },
  { "tap --format ", "envelope json lines pretty" },
  { "top --format ", "json text" },
  { "top --sort l", "latency letters" },
  { "top --on", "--once" },
  { "tap --max", "--max-payload=" },
  { "inspect transform-amm", "transform-ammp" },
  { "inspect pip", "pipeline" },
  { "inspect sink std", "stdout" },
  { "inspect sink amm", "" },
  { "spo", "spool" },
  { "spool ", "check drop ls replay show" },
  { "spool s", "show" },
  { "spool ls --na", "--names" },
  { "spool drop --y", "--yes" },
  { "spool ls ", "" },
  { "spool show --state-dir folder --pipeline s", "site-7" },
  { "spool show --state-dir = folder --pipeline = ", "other site-7" },
  { "spool show --pipeline x --state-dir f", "folder" },
  { "frobnicate --x", "" },
};

static void
test_completion_completes (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *subfolder = g_build_filename (folder, "folder", NULL);
  g_autofree char *spool = NULL;
  g_autofree char *bash = g_find_program_in_path ("bash");

  if (bash == NULL)
    {
      g_test_skip ("bash is not installed");
      pen_test_remove_folder (folder);
      return;
    }
  spool = g_build_filename (subfolder, "spool", NULL);
  g_assert_cmpint (g_mkdir_with_parents (spool, 0755), ==, 0);
  pen_test_write_file (spool, "site-7.db", "");
  pen_test_write_file (spool, "other.db", "");
  pen_test_write_file (folder, "site.pipeline", "");
  pen_test_write_file (folder, "a site.pipeline", "");
  pen_test_write_file (folder, "site.txt", "");
  for (guint i = 0; i < G_N_ELEMENTS (test_lines); i++)
    {
      g_autofree char *completed = test_completion_get (folder, test_lines[i].words);

      g_test_message ("%s", test_lines[i].words);
      g_assert_cmpstr (completed, ==, test_lines[i].expected);
    }
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/completion/completes", test_completion_completes);
  return g_test_run ();
}
