/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the command says of itself and of its plugins, and how it answers wrong usage.
 */

#include "config.h"

#include "pen-command.h"
#include "pen-expected.h"

#include <pty.h>
#include <string.h>
#include <unistd.h>

static void
test_cli_help (void)
{
  static const char *const commands[]
      = { "run", "check", "inspect", "graph", "test", "plan", "spool", "tap", "top" };

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_auto (PenCommand) behind = { 0 };
      g_auto (PenCommand) before = { 0 };
      g_autofree char *expected = g_strdup_printf ("help-%s.txt", commands[i]);

      pen_command_run (&behind, NULL, commands[i], "--help", NULL);
      g_assert_cmpstr (behind.errors, ==, "");
      g_assert_cmpint (behind.status, ==, 0);
      pen_expected_compare (behind.output, NULL, expected);

      pen_command_run (&before, NULL, "-h", commands[i], NULL);
      g_assert_cmpstr (before.output, ==, behind.output);
      g_assert_cmpint (before.status, ==, 0);
    }
}

static void
test_cli_help_of_spools (void)
{
  static const char *const commands[] = { "ls", "show", "check", "replay", "drop" };

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_auto (PenCommand) behind = { 0 };
      g_auto (PenCommand) before = { 0 };
      g_autofree char *expected = g_strdup_printf ("help-spool-%s.txt", commands[i]);

      pen_command_run (&behind, NULL, "spool", commands[i], "--help", NULL);
      g_assert_cmpstr (behind.errors, ==, "");
      g_assert_cmpint (behind.status, ==, 0);
      pen_expected_compare (behind.output, NULL, expected);

      pen_command_run (&before, NULL, "-h", "spool", commands[i], NULL);
      g_assert_cmpstr (before.output, ==, behind.output);
    }
}

static void
test_cli_help_of_all (void)
{
  g_auto (PenCommand) asked = { 0 };
  g_auto (PenCommand) unasked = { 0 };

  pen_command_run (&asked, NULL, "--help", NULL);
  g_assert_cmpint (asked.status, ==, 0);
  g_assert_cmpstr (asked.errors, ==, "");
  pen_expected_compare (asked.output, NULL, "help.txt");

  pen_command_run (&unasked, NULL, NULL, NULL);
  g_assert_cmpint (unasked.status, ==, 2);
  g_assert_cmpstr (unasked.output, ==, "");
  g_assert_cmpstr (unasked.errors, ==, asked.output);
}

static void
test_cli_version (void)
{
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, NULL, "--version", NULL);
  g_assert_cmpstr (command.output, ==, "penstock " PACKAGE_VERSION " (plugin API 1)\n");
  g_assert_cmpint (command.status, ==, 0);
}

static void
test_cli_usage (void)
{
  static const struct
  {
    const char *line;
    const char *errors;
  } table[] = {
    { "inspct", "penstock: unknown command 'inspct'; did you mean 'inspect'?\n" },
    { "frobnicate", "penstock: unknown command 'frobnicate'\n" },
    { "--versoin", "penstock: unknown option '--versoin'; did you mean '--version'?\n" },
    { "--strict", "penstock: unknown option '--strict'\n" },
    { "-x inspect", "penstock: unknown option '-x'\n" },
    { "--log-level=loud inspect",
      "penstock: --log-level is one of error, warning, info, debug, not 'loud'\n" },
    { "--log-format xml inspect",
      "penstock: --log-format is one of text, json, journal, not 'xml'\n" },
    { "inspect --log-level", "penstock inspect: Missing argument for --log-level\n" },
    { "inspect --formt json",
      "penstock inspect: unknown option '--formt'; did you mean '--format'?\n" },
    { "inspect --formt=json",
      "penstock inspect: unknown option '--formt'; did you mean '--format'?\n" },
    { "inspect --format xml", "penstock inspect: --format is one of text, json, not 'xml'\n" },
    { "inspect a b", "penstock inspect: 'a' is no kind of plugin: it is source, transform or "
                     "sink\n" },
    { "inspect sink brook more",
      "penstock inspect: name one plugin: source, transform or sink, and its name\n" },
    { "inspect showcas",
      "penstock inspect: there is no plugin named 'showcas'; did you mean 'showcase'?\n" },
    { "inspect sink showcase", "penstock inspect: there is no sink named 'showcase'\n" },
    { "inspect source-brok",
      "penstock inspect: there is no source named 'brok'; did you mean 'brook'?\n" },
    { "plan", "penstock plan: name the files and folders that the process was given\n" },
    { "plan --state-dir= x", "penstock plan: --state-dir is empty; name a folder\n" },
  };
  g_autofree char *modules = pen_expected_dup_modules ();

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (PenCommand) command = { 0 };
      g_autofree char *line = g_strdup_printf ("--plugin-path %s %s", modules, table[i].line);
      g_auto (GStrv) arguments = g_strsplit (line, " ", -1);
      g_auto (GStrv) lines = NULL;

      pen_command_run_strv (&command, NULL, (const char *const *) arguments);
      lines = g_strsplit (command.errors, "Try 'penstock", -1);
      g_assert_cmpstr (lines[0], ==, table[i].errors);
      g_assert_nonnull (lines[1]);
      g_assert_cmpstr (command.output, ==, "");
      g_assert_cmpint (command.status, ==, 2);
    }
}

static void
test_cli_inspect_run (const char *arguments_line, const char *expected)
{
  g_auto (PenCommand) command = { 0 };
  g_autofree char *modules = pen_expected_dup_modules ();
  g_autofree char *line = g_strdup_printf ("inspect%s --plugin-path=%s", arguments_line, modules);
  g_auto (GStrv) arguments = g_strsplit (line, " ", -1);

  pen_command_run_strv (&command, NULL, (const char *const *) arguments);
  g_assert_cmpstr (command.errors, ==, "");
  g_assert_cmpint (command.status, ==, 0);
  pen_expected_compare (command.output, NULL, expected);
}

static void
test_cli_inspect_describes (void)
{
  test_cli_inspect_run (" showcase", "inspect-showcase.txt");
  test_cli_inspect_run (" transform showcase", "inspect-showcase.txt");
  test_cli_inspect_run (" transform-showcase", "inspect-showcase.txt");
  test_cli_inspect_run (" showcase --format text", "inspect-showcase.txt");
  test_cli_inspect_run (" showcase --format json", "inspect-showcase.json");
  test_cli_inspect_run (" pipeline", "inspect-pipeline.txt");
  test_cli_inspect_run (" test", "inspect-test.txt");
}

/* A source and a sink of one name. */
static void
test_cli_inspect_describes_all_of_a_name (void)
{
  test_cli_inspect_run (" brook", "inspect-brook.txt");
  test_cli_inspect_run (" sink brook", "inspect-sink-brook.txt");
  test_cli_inspect_run (" sink-brook", "inspect-sink-brook.txt");
  test_cli_inspect_run (" dead-letter brook", "inspect-sink-brook.txt");
}

/* With the plugins of this build, whatever they are. */
static void
test_cli_inspect_lists (void)
{
  g_auto (PenCommand) command = { 0 };
  g_autofree char *modules = pen_expected_dup_modules ();

  pen_command_run (&command, NULL, "--plugin-path", modules, "inspect", NULL);
  g_assert_cmpstr (command.errors, ==, "");
  g_assert_cmpint (command.status, ==, 0);
  g_assert_nonnull (strstr (command.output, "\nSinks\n  brook   "));
  g_assert_nonnull (strstr (command.output, "\n  stdout  "));
  g_assert_nonnull (strstr (command.output, modules));
}

static void
test_cli_inspect_names (void)
{
  g_auto (PenCommand) sinks = { 0 };
  g_auto (PenCommand) all = { 0 };
  g_autofree char *modules = pen_expected_dup_modules ();

  pen_command_run (&sinks, NULL, "inspect", "--names", "sink", "--plugin-path", modules, NULL);
  g_assert_cmpstr (sinks.errors, ==, "");
  g_assert_cmpint (sinks.status, ==, 0);
  g_assert_true (g_str_has_prefix (sinks.output, "sink brook\nsink "));
  g_assert_null (strstr (sinks.output, "source"));

  pen_command_run (&all, NULL, "inspect", "--names", "--plugin-path", modules, NULL);
  g_assert_true (g_str_has_prefix (all.output, "source brook\n"));
  g_assert_true (g_str_has_suffix (all.output, sinks.output));
}

/* A module that cannot be opened is told, and the others are listed. */
static void
test_cli_inspect_tells_broken_modules (void)
{
  g_auto (PenCommand) command = { 0 };
  g_autofree char *broken = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);

  pen_command_run (&command, NULL, "inspect", "--plugin-path", broken, "source", NULL);
  g_assert_nonnull (strstr (command.errors, "source-future.so"));
  g_assert_nonnull (strstr (command.output, "Gives nothing"));
  g_assert_cmpint (command.status, ==, 1);
}

static void
test_cli_inspect_tells_a_full_disk (void)
{
  g_autofree char *quoted = g_shell_quote (pen_command_get_path ());
  g_autofree char *script = g_strdup_printf ("%s inspect > /dev/full", quoted);
  const char *const line[] = { "sh", "-c", script, NULL };
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;

  g_spawn_sync (NULL, (char **) line, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors, &status,
                &error);
  g_assert_no_error (error);
  g_assert_cmpstr (errors, ==,
                   "penstock inspect: standard output cannot be written: "
                   "No space left on device\n");
  g_spawn_check_wait_status (status, &error);
  g_assert_error (error, G_SPAWN_EXIT_ERROR, 1);
}

/* What 'inspect' writes to a terminal. */
static char *
test_cli_inspect_on_terminal (const char *no_colour)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *modules = pen_expected_dup_modules ();
  char buffer[4096];
  int master = -1;
  int slave = -1;
  gssize length;

  g_assert_no_errno (openpty (&master, &slave, NULL, NULL, NULL));
  g_subprocess_launcher_take_stdout_fd (launcher, slave);
  g_subprocess_launcher_setenv (launcher, "TERM", "xterm", TRUE);
  g_subprocess_launcher_setenv (launcher, "NO_COLOR", no_colour, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, pen_command_get_path (), "inspect",
                                         "--plugin-path", modules, "sink", "brook", NULL);
  g_assert_no_error (error);
  g_clear_object (&launcher); /* and with it the slave, so that reading ends */
  while ((length = read (master, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, length);
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
  g_assert_no_error (error);
  close (master);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_cli_inspect_prints_bold (void)
{
  g_autofree char *bold = test_cli_inspect_on_terminal ("");
  g_autofree char *plain = test_cli_inspect_on_terminal ("1");

  g_assert_true (g_str_has_prefix (bold, "\033[1msink brook\033[0m\r\n"));
  g_assert_true (g_str_has_prefix (plain, "sink brook\r\n"));
  g_assert_null (strchr (plain, '\033'));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/cli/help", test_cli_help);
  g_test_add_func ("/cli/help/of-spools", test_cli_help_of_spools);
  g_test_add_func ("/cli/help/of-all", test_cli_help_of_all);
  g_test_add_func ("/cli/version", test_cli_version);
  g_test_add_func ("/cli/usage", test_cli_usage);
  g_test_add_func ("/cli/inspect/describes", test_cli_inspect_describes);
  g_test_add_func ("/cli/inspect/describes-all-of-a-name",
                   test_cli_inspect_describes_all_of_a_name);
  g_test_add_func ("/cli/inspect/lists", test_cli_inspect_lists);
  g_test_add_func ("/cli/inspect/names", test_cli_inspect_names);
  g_test_add_func ("/cli/inspect/prints-bold", test_cli_inspect_prints_bold);
  g_test_add_func ("/cli/inspect/tells-broken-modules", test_cli_inspect_tells_broken_modules);
  g_test_add_func ("/cli/inspect/tells-a-full-disk", test_cli_inspect_tells_a_full_disk);
  return g_test_run ();
}
