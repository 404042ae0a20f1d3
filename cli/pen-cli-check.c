/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock check: all that is wrong with keyfiles, and nothing is started. The findings are what
 * the command was asked for, so they go to standard output; the count goes to standard error.
 */

#include "config.h"

#include "pen-cli.h"

typedef struct
{
  guint n_errors;
  guint n_warnings;
} PenCliCount;

static PenCliCount
pen_cli_check_count (GPtrArray *diagnostics)
{
  PenCliCount count = { 0, 0 };

  for (guint i = 0; i < diagnostics->len; i++)
    {
      const PenDiagnostic *diagnostic = g_ptr_array_index (diagnostics, i);

      if (diagnostic->level == PEN_DIAGNOSTIC_ERROR)
        count.n_errors++;
      else
        count.n_warnings++;
    }
  return count;
}

static void
pen_cli_check_append_text (GString *text, GPtrArray *diagnostics)
{
  for (guint i = 0; i < diagnostics->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (diagnostics, i));

      g_string_append_printf (text, "%s\n", line);
    }
}

/* documented in the header */
void
pen_cli_describe_diagnostics (JsonBuilder *builder, GPtrArray *diagnostics)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < diagnostics->len; i++)
    {
      const PenDiagnostic *diagnostic = g_ptr_array_index (diagnostics, i);
      gboolean is_error = diagnostic->level == PEN_DIAGNOSTIC_ERROR;

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "file");
      json_builder_add_string_value (builder, diagnostic->file);
      json_builder_set_member_name (builder, "line");
      json_builder_add_int_value (builder, diagnostic->line);
      json_builder_set_member_name (builder, "column");
      json_builder_add_int_value (builder, diagnostic->column);
      json_builder_set_member_name (builder, "level");
      json_builder_add_string_value (builder, is_error ? "error" : "warning");
      json_builder_set_member_name (builder, "message");
      json_builder_add_string_value (builder, diagnostic->message);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
pen_cli_check_append_json (GString *text, GPtrArray *diagnostics)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *json = NULL;

  pen_cli_describe_diagnostics (builder, diagnostics);
  root = json_builder_get_root (builder);
  json = json_to_string (root, TRUE);
  g_string_append_printf (text, "%s\n", json);
}

static int
pen_cli_check_paths (PenCli *cli, PenDefinitionFlags flags, gboolean as_json)
{
  g_autoptr (PenRegistry) registry = pen_cli_open (cli);
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) definitions = NULL;
  PenCliCount count;
  guint n_faulty = 0;
  int status;

  definitions = pen_definition_load_all ((const char *const *) cli->arguments + 1, registry, flags,
                                         diagnostics, &n_faulty);
  (as_json ? pen_cli_check_append_json : pen_cli_check_append_text) (text, diagnostics);
  status = pen_cli_write (cli, text);
  count = pen_cli_check_count (diagnostics);
  fprintf (stderr, "%u good, %u faulty: %u error%s, %u warning%s\n", definitions->len, n_faulty,
           count.n_errors, count.n_errors == 1 ? "" : "s", count.n_warnings,
           count.n_warnings == 1 ? "" : "s");
  return count.n_errors > 0 ? PEN_CLI_FAULTY : status;
}

static int
pen_cli_check_command (PenCli *cli)
{
  gboolean no_environment = FALSE;
  g_autofree char *format = NULL;
  const GOptionEntry options[] = {
    { "no-environment", 0, 0, G_OPTION_ARG_NONE, &no_environment,
      "Leave out what only the target machine has", NULL },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format,
      "How to print the findings: text (the default) or json", "FORMAT" },
    G_OPTION_ENTRY_NULL,
  };
  gboolean as_json = FALSE;
  int status;

  if (!pen_cli_parse (cli, options, &status))
    return status;
  if (!pen_cli_parse_format (cli, format, &as_json, &status))
    return status;
  if (cli->arguments[1] == NULL)
    return pen_cli_complain (cli, "name at least one keyfile, or a folder with *.pipeline files");
  return pen_cli_check_paths (
      cli,
      PEN_DEFINITION_WITH_TESTS
          | (no_environment ? PEN_DEFINITION_NO_ENVIRONMENT : PEN_DEFINITION_NONE),
      as_json);
}

const PenCliCommand pen_cli_check = {
  .name = "check",
  .arguments = "FILE|DIR...",
  .summary = "Say all that is wrong with pipelines, without starting them",
  .description
  = "Every error of every file is printed as FILE:LINE:COLUMN: error: MESSAGE. A folder means\n"
    "its *.pipeline files. Files, certificates and variables that a keyfile refers to are\n"
    "looked at as well; on another machine than the one that will run it, --no-environment\n"
    "leaves out variables, secrets and files.\n"
    "\n"
    "Exit status: 0 if all are good, 1 if one is faulty, 2 if the command was used wrongly.\n"
    "\n"
    "Examples:\n"
    "  penstock check site.pipeline\n"
    "  penstock check /etc/penstock\n"
    "  penstock check --no-environment --format json site.pipeline\n",
  .run = pen_cli_check_command,
};
