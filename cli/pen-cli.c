/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading a command line. Options that every command has may stand before the command's name as
 * well as behind it, so a line is read in two steps: up to the name, and from there on. GOption
 * leaves what it does not know, because we say what it may have been meant to be.
 *
 * GLib's g_print () is avoided: it converts to the locale's character set, and the C locale of a
 * service or a container would turn names into question marks.
 */

#include "config.h"

#include "pen-cli.h"

#include "pen-suggest.h"

#include <string.h>
#include <unistd.h>

/* Which of @names the value is; -1 with an error if it is none. */
static int
pen_cli_choose (const char *option, const char *value, const char *const *names, GError **error)
{
  g_autofree char *quoted = NULL;
  g_autofree char *list = NULL;

  for (int i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], value))
      return i;
  quoted = pen_quote (value);
  list = g_strjoinv (", ", (char **) names);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s is one of %s, not %s", option,
               list, quoted);
  return -1;
}

static gboolean
pen_cli_set_log_level (const char *option, const char *value, gpointer data, GError **error)
{
  static const char *const names[] = { "error", "warning", "info", "debug", NULL };
  static const GLogLevelFlags levels[]
      = { G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_INFO, G_LOG_LEVEL_DEBUG };
  PenCli *self = data;
  int chosen = pen_cli_choose (option, value, names, error);

  if (chosen >= 0)
    self->log_level = levels[chosen];
  return chosen >= 0;
}

static gboolean
pen_cli_set_log_format (const char *option, const char *value, gpointer data, GError **error)
{
  static const char *const names[] = { "text", "json", "journal", NULL };
  static const PenLogFormat formats[] = { PEN_LOG_TEXT, PEN_LOG_JSON, PEN_LOG_JOURNAL };
  PenCli *self = data;
  int chosen = pen_cli_choose (option, value, names, error);

  if (chosen >= 0)
    self->log_format = formats[chosen];
  return chosen >= 0;
}

static gboolean
pen_cli_add_plugin_folder (const char *option, const char *value, gpointer data, GError **error)
{
  PenCli *self = data;

  g_ptr_array_add (self->plugin_folders, g_strdup (value));
  return TRUE;
}

static gboolean
pen_cli_set_help (const char *option, const char *value, gpointer data, GError **error)
{
  PenCli *self = data;

  self->wants_help = TRUE;
  return TRUE;
}

static const GOptionEntry common_options[]
    = { { "help", 'h', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, pen_cli_set_help,
          "Say what the command does and which options it has", NULL },
        { "plugin-path", 0, G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK,
          pen_cli_add_plugin_folder, "Look for plugins in DIR first; may be given several times",
          "DIR" },
        { "log-level", 0, 0, G_OPTION_ARG_CALLBACK, pen_cli_set_log_level,
          "How much to log: error, warning, info (the default) or debug", "LEVEL" },
        { "log-format", 0, 0, G_OPTION_ARG_CALLBACK, pen_cli_set_log_format,
          "How to log: text, json or journal (the default under systemd)", "FORMAT" },
        G_OPTION_ENTRY_NULL };

static GOptionContext *
pen_cli_make_context (PenCli *self, const GOptionEntry *options)
{
  const PenCliCommand *command = self->command;
  g_autofree char *parameters = command == NULL
                                    ? g_strdup ("COMMAND [ARGUMENT...]")
                                    : g_strjoin (" ", command->name, command->arguments, NULL);
  GOptionContext *context = g_option_context_new (parameters);
  GOptionGroup *own = g_option_group_new (
      "own", command == NULL ? "Options without a command:" : "Options:", "", NULL, NULL);
  GOptionGroup *common = g_option_group_new ("common", "Options of every command:", "", self, NULL);

  g_option_group_add_entries (own, options);
  g_option_group_add_entries (common, common_options);
  g_option_context_set_help_enabled (context, FALSE); /* ours has one page, not one per group */
  g_option_context_set_ignore_unknown_options (context, TRUE);
  g_option_context_set_strict_posix (context, command == NULL);
  g_option_context_add_group (context, own);
  g_option_context_add_group (context, common);
  return context;
}

/*
 * pen_cli_print_help:
 * @self: a call of the command
 * @options: the options of the command itself
 * @summary: what stands above them
 * @description: what stands below them
 * @stream: standard output, or error if there was nothing else to do
 */
void
pen_cli_print_help (PenCli *self,
                    const GOptionEntry *options,
                    const char *summary,
                    const char *description,
                    FILE *stream)
{
  g_autoptr (GOptionContext) context = pen_cli_make_context (self, options);
  g_autofree char *help = NULL;

  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  help = g_option_context_get_help (context, FALSE, NULL);
  fputs (help, stream);
}

static void
pen_cli_add_names (GPtrArray *names, const GOptionEntry *options)
{
  for (guint i = 0; options[i].long_name != NULL; i++)
    g_ptr_array_add (names, g_strconcat ("--", options[i].long_name, NULL));
}

static int
pen_cli_reject_option (const PenCli *self, const char *option, const GOptionEntry *options)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *name = g_strndup (option, strcspn (option, "="));
  g_autofree char *quoted = pen_quote (name);
  g_autofree char *hint = NULL;

  pen_cli_add_names (names, options);
  pen_cli_add_names (names, common_options);
  hint = pen_suggest_hint (name, names);
  return pen_cli_complain (self, "unknown option %s%s", quoted, hint);
}

/* What GOption has left: arguments, or options that it does not know. */
static gboolean
pen_cli_take_rest (PenCli *self, const GOptionEntry *options, int *status)
{
  g_autoptr (GStrvBuilder) rest = g_strv_builder_new ();
  /* before the command's name is read, what stands behind it is not ours to judge */
  guint n_read = self->command == NULL ? 1 : G_MAXUINT;
  gboolean only_arguments = FALSE;

  g_strv_builder_add (rest, self->arguments[0]);
  for (guint i = 1; self->arguments[i] != NULL; i++)
    {
      const char *argument = self->arguments[i];

      if (!only_arguments && i <= n_read && g_str_equal (argument, "--"))
        only_arguments = TRUE;
      else if (!only_arguments && i <= n_read && argument[0] == '-' && argument[1] != '\0')
        {
          *status = pen_cli_reject_option (self, argument, options);
          return FALSE;
        }
      else
        g_strv_builder_add (rest, argument);
    }
  g_strfreev (self->arguments);
  self->arguments = g_strv_builder_end (rest);
  return TRUE;
}

/*
 * pen_cli_parse:
 * @self: a call of the command
 * @options: the options of the command itself
 * @status: (out): the exit status, if there is nothing left to do
 *
 * Reads the options and leaves the arguments in @self. With --help, or after a mistake in the
 * usage, it says what there is to say.
 *
 * Returns: whether the command has something to do
 */
gboolean
pen_cli_parse (PenCli *self, const GOptionEntry *options, int *status)
{
  g_autoptr (GOptionContext) context = pen_cli_make_context (self, options);
  g_autoptr (GError) error = NULL;

  if (!g_option_context_parse_strv (context, &self->arguments, &error))
    {
      *status = pen_cli_complain (self, "%s", error->message);
      return FALSE;
    }
  if (!pen_cli_take_rest (self, options, status))
    return FALSE;
  if (self->wants_help && self->command != NULL)
    {
      pen_cli_print_help (self, options, self->command->summary, self->command->description,
                          stdout);
      *status = PEN_CLI_DONE;
      return FALSE;
    }
  return TRUE;
}

/*
 * pen_cli_parse_format:
 * @self: a call of the command
 * @format: (nullable): the value of its option --format
 * @as_json: (out): whether that is JSON
 * @status: (out): the exit status of a wrong one
 *
 * Returns: whether there is such a format
 */
gboolean
pen_cli_parse_format (const PenCli *self, const char *format, gboolean *as_json, int *status)
{
  static const char *const names[] = { "text", "json", NULL };
  g_autoptr (GError) error = NULL;
  int chosen = format == NULL ? 0 : pen_cli_choose ("--format", format, names, &error);

  *as_json = chosen == 1;
  if (chosen < 0)
    *status = pen_cli_complain (self, "%s", error->message);
  return chosen >= 0;
}

/*
 * pen_cli_complain:
 * @self: a call of the command
 * @format: what is wrong with the command line
 *
 * Returns: the exit status of wrong usage
 */
int
pen_cli_complain (const PenCli *self, const char *format, ...)
{
  g_autofree char *name = g_strconcat ("penstock", self->command != NULL ? " " : "",
                                       self->command != NULL ? self->command->name : "", NULL);
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, "%s: %s\nTry '%s --help'.\n", name, message, name);
  return PEN_CLI_USAGE;
}

/*
 * pen_cli_open:
 * @self: a call of the command, whose options are read
 *
 * From here on the log goes where the options say.
 *
 * Returns: (transfer full): the plugins
 */
PenRegistry *
pen_cli_open (PenCli *self)
{
  pen_log_install (self->log_format, self->log_level);
  g_ptr_array_add (self->plugin_folders, NULL);
  return pen_registry_new ((const char *const *) self->plugin_folders->pdata);
}

/*
 * pen_cli_write:
 * @self: a call of the command
 * @text: all that it has to say
 *
 * Writes to standard output; a full disk is no success.
 *
 * Returns: the exit status
 */
int
pen_cli_write (const PenCli *self, const GString *text)
{
  gsize written = fwrite (text->str, 1, text->len, stdout);

  if (written == text->len && fflush (stdout) == 0)
    return PEN_CLI_DONE;
  fprintf (stderr, "penstock %s: standard output cannot be written: %s\n", self->command->name,
           g_strerror (errno));
  return PEN_CLI_FAULTY;
}

/*
 * pen_cli_wants_colour:
 * @stream: standard output or error
 *
 * Returns: whether somebody looks at @stream who has not asked for plain text
 * (https://no-color.org)
 */
gboolean
pen_cli_wants_colour (FILE *stream)
{
  const char *no_colour = g_getenv ("NO_COLOR");
  const char *terminal = g_getenv ("TERM");

  return (no_colour == NULL || *no_colour == '\0') && g_strcmp0 (terminal, "dumb") != 0
         && isatty (fileno (stream));
}
