/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The penstock command: finds the subcommand and lets it do the rest.
 */

#include "config.h"

#include "pen-cli.h"
#include "pen-plugin.h"
#include "pen-suggest.h"

#include <fcntl.h>
#include <unistd.h>

static const PenCliCommand *const commands[] = {
  &pen_cli_run,  &pen_cli_check, &pen_cli_inspect, &pen_cli_graph, &pen_cli_test,
  &pen_cli_plan, &pen_cli_spool, &pen_cli_tap,     &pen_cli_top,
};

static const PenCliCommand *
pen_cli_find_command (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i]->name, name))
      return commands[i];
  return NULL;
}

static int
pen_cli_reject_command (const PenCli *self, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *quoted = pen_quote (name);
  g_autofree char *hint = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_ptr_array_add (names, (gpointer) commands[i]->name);
  hint = pen_suggest_hint (name, names);
  return pen_cli_complain (self, "unknown command %s%s", quoted, hint);
}

static void
pen_cli_print_commands (PenCli *self, const GOptionEntry *options, FILE *stream)
{
  g_autoptr (GString) summary
      = g_string_new ("Pipelines for energy telemetry: from sources, through transforms, to sinks, "
                      "as\nkeyfiles say.\n\nCommands:");

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (summary, "\n  %-9s %s", commands[i]->name, commands[i]->summary);
  pen_cli_print_help (self, options, summary->str,
                      "'penstock COMMAND --help' and the manual page penstock(1) say more.",
                      stream);
}

static int
pen_cli_dispatch (PenCli *self)
{
  const PenCliCommand *command = pen_cli_find_command (self->arguments[1]);

  if (command == NULL)
    return pen_cli_reject_command (self, self->arguments[1]);

  /* the command's name takes the place of the program's */
  g_free (self->arguments[0]);
  for (guint i = 0; self->arguments[i] != NULL; i++)
    self->arguments[i] = self->arguments[i + 1];
  self->command = command;
  return command->run (self);
}

/* A standard stream that was closed would be the next file that anything opens, and the stdout sink
 * would write into that. /dev/null takes its place, opened the wrong way round, so that using the
 * stream fails as it should. */
static void
pen_cli_reserve_standard_streams (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0)
      open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) plugin_folders = g_ptr_array_new_with_free_func (g_free);
  gboolean wants_version = FALSE;
  const GOptionEntry options[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version,
      "Print the version and that of the plugin API", NULL },
    G_OPTION_ENTRY_NULL,
  };
  PenCli self = {
    .arguments = g_strdupv (argv),
    .plugin_folders = plugin_folders,
    .log_level = G_LOG_LEVEL_INFO,
    .log_format = pen_log_get_default_format (),
  };
  int status = PEN_CLI_DONE;

  pen_cli_reserve_standard_streams ();
  g_set_prgname ("penstock");
  if (pen_cli_parse (&self, options, &status))
    {
      if (wants_version)
        printf ("penstock %s (plugin API %d)\n", PACKAGE_VERSION, PEN_PLUGIN_API_VERSION);
      else if (self.arguments[1] != NULL)
        status = pen_cli_dispatch (&self);
      else
        {
          pen_cli_print_commands (&self, options, self.wants_help ? stdout : stderr);
          status = self.wants_help ? PEN_CLI_DONE : PEN_CLI_USAGE;
        }
    }
  g_strfreev (self.arguments);
  return status;
}
