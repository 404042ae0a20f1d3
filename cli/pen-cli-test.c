/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock test: runs the [test NAME] groups of keyfiles and prints what comes of them as TAP
 * (https://testanything.org), version 13, which prove, meson and most CI systems read. What is
 * wrong with a keyfile itself is printed to standard error, as `check` does.
 */

#include "config.h"

#include "pen-cli.h"
#include "pen-trial-run.h"

#include <string.h>

typedef struct
{
  GString *lines; /* of TAP, without the plan */
  guint n_tests;
  guint n_failed;
} PenCliTest;

/* A description ends at '#', and a line is a line. */
static void
pen_cli_test_append_description (GString *lines, const char *text)
{
  for (const char *letter = text; *letter != '\0'; letter++)
    {
      if (*letter == '#' || *letter == '\\')
        g_string_append_c (lines, '\\');
      g_string_append_c (lines, g_ascii_iscntrl (*letter) ? ' ' : *letter);
    }
}

static void
pen_cli_test_append_verdict (PenCliTest *self, gboolean is_good, const char *path, const char *name)
{
  self->n_tests++;
  self->n_failed += is_good ? 0 : 1;
  g_string_append_printf (self->lines, "%s %u - ", is_good ? "ok" : "not ok", self->n_tests);
  pen_cli_test_append_description (self->lines, path);
  g_string_append (self->lines, ": ");
  pen_cli_test_append_description (self->lines, name);
  g_string_append_c (self->lines, '\n');
}

/* As a string of YAML in double quotation marks, which is what JSON has. */
static void
pen_cli_test_append_quoted (PenCliTest *self, const char *text)
{
  PenJsonWriter writer;

  pen_json_writer_init (&writer, self->lines);
  pen_json_writer_string (&writer, text, -1);
  g_string_append_c (self->lines, '\n');
}

/* A block of YAML shows its text as it is, but cannot begin with a blank, and holds no control
 * characters. */
static gboolean
pen_cli_test_is_plain (const char *text)
{
  for (const char *letter = text; *letter != '\0'; letter++)
    if (g_ascii_iscntrl (*letter))
      return FALSE;
  return *text != '\0' && *text != ' ';
}

/* One below the other, so that an eye can compare them. */
static void
pen_cli_test_append_text (PenCliTest *self, const char *key, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (self->lines, "      %s: ", key);
  if (pen_cli_test_is_plain (text))
    g_string_append_printf (self->lines, "|\n        %s\n", text);
  else
    pen_cli_test_append_quoted (self, text);
}

static void
pen_cli_test_append_failures (PenCliTest *self,
                              const PenTrial *trial,
                              const char *path,
                              GPtrArray *failures)
{
  g_autofree char *at = g_strdup_printf ("%s:%u", path, trial->place.line);

  g_string_append (self->lines, "  ---\n");
  g_string_append (self->lines, "  at: ");
  pen_cli_test_append_quoted (self, at);
  g_string_append (self->lines, "  failures:\n");
  for (guint i = 0; i < failures->len; i++)
    {
      const PenTrialFailure *failure = g_ptr_array_index (failures, i);

      g_string_append (self->lines, "    - message: ");
      pen_cli_test_append_quoted (self, failure->message);
      pen_cli_test_append_text (self, "expected", failure->expected);
      pen_cli_test_append_text (self, "actual", failure->actual);
    }
  g_string_append (self->lines, "  ...\n");
}

/* The pipeline that a test is about: that of the row it names, or the first. */
static const PenDefinition *
pen_cli_test_choose (GPtrArray *definitions, const PenTrial *trial)
{
  for (guint i = 0; i < definitions->len; i++)
    {
      const PenDefinition *definition = g_ptr_array_index (definitions, i);

      if (trial->site == NULL || g_strcmp0 (trial->site, pen_definition_get_site (definition)) == 0)
        return definition;
    }
  return NULL;
}

/* @index: of the test; each definition has its own, with its site's values */
static void
pen_cli_test_run_trial (PenCliTest *self, GPtrArray *definitions, const char *path, guint index)
{
  const PenDefinition *definition = g_ptr_array_index (definitions, 0);
  const PenTrial *trial = g_ptr_array_index (pen_definition_get_trials (definition), index);
  g_autoptr (GPtrArray) failures = NULL;

  definition = pen_cli_test_choose (definitions, trial);
  if (definition == NULL)
    {
      pen_cli_test_append_verdict (self, FALSE, path, trial->name);
      g_string_append_printf (self->lines, "  # the row '%s' is faulty\n", trial->site);
      return;
    }
  trial = g_ptr_array_index (pen_definition_get_trials (definition), index);
  failures = pen_trial_run (trial, definition);
  pen_cli_test_append_verdict (self, failures->len == 0, path, trial->name);
  if (failures->len > 0)
    pen_cli_test_append_failures (self, trial, path, failures);
}

/* The errors alone: what `check` warns of is no matter of tests. */
static guint
pen_cli_test_print_errors (GPtrArray *diagnostics)
{
  guint n_errors = 0;

  for (guint i = 0; i < diagnostics->len; i++)
    {
      const PenDiagnostic *diagnostic = g_ptr_array_index (diagnostics, i);
      g_autofree char *line = pen_diagnostic_format (diagnostic);

      if (diagnostic->level != PEN_DIAGNOSTIC_ERROR)
        continue;
      n_errors++;
      fprintf (stderr, "%s\n", line);
    }
  return n_errors;
}

static void
pen_cli_test_run_file (PenCliTest *self, const char *path, PenRegistry *registry)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  guint n_faulty = 0;
  g_autoptr (GPtrArray) definitions = pen_definition_load_sites (
      path, registry,
      PEN_DEFINITION_NO_ENVIRONMENT | PEN_DEFINITION_FOR_TESTS | PEN_DEFINITION_WITH_TESTS,
      diagnostics, &n_faulty);
  guint n_trials = 0;

  if (pen_cli_test_print_errors (diagnostics) > 0)
    pen_cli_test_append_verdict (self, FALSE, path, "the keyfile is faulty");
  if (definitions->len > 0)
    n_trials = pen_definition_get_trials (g_ptr_array_index (definitions, 0))->len;
  if (definitions->len > 0 && n_trials == 0)
    {
      g_string_append (self->lines, "# no [test NAME] in ");
      pen_cli_test_append_description (self->lines, path);
      g_string_append_c (self->lines, '\n');
    }
  for (guint i = 0; i < n_trials; i++)
    pen_cli_test_run_trial (self, definitions, path, i);
}

static int
pen_cli_test_command (PenCli *cli)
{
  const GOptionEntry options[] = { G_OPTION_ENTRY_NULL };
  g_autoptr (GString) text = g_string_new ("TAP version 13\n");
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (PenRegistry) registry = NULL;
  g_autoptr (GPtrArray) paths = NULL;
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  PenCliTest self = { .lines = lines };
  int status;

  if (!pen_cli_parse (cli, options, &status))
    return status;
  if (cli->arguments[1] == NULL)
    return pen_cli_complain (cli, "name at least one keyfile, or a folder with *.pipeline files");
  registry = pen_cli_open (cli);
  paths = pen_definition_list_files ((const char *const *) cli->arguments + 1, diagnostics);
  if (pen_cli_test_print_errors (diagnostics) > 0)
    pen_cli_test_append_verdict (&self, FALSE, cli->command->name, "a folder cannot be tested");
  for (guint i = 0; i < paths->len; i++)
    pen_cli_test_run_file (&self, g_ptr_array_index (paths, i), registry);
  g_string_append_printf (text, "1..%u\n%s", self.n_tests, lines->str);
  status = pen_cli_write (cli, text);
  fprintf (stderr, "%u passed, %u failed\n", self.n_tests - self.n_failed, self.n_failed);
  return self.n_failed > 0 ? PEN_CLI_FAULTY : status;
}

const PenCliCommand pen_cli_test = {
  .name = "test",
  .arguments = "FILE|DIR...",
  .summary = "Run the tests that stand in keyfiles: events in, events out",
  .description
  = "Each [test NAME] of the files gives payloads to the pipeline's transforms and compares what\n"
    "comes out of them. Nothing is connected to: sources and sinks are not started, and need\n"
    "neither variables nor secrets here. The result is TAP, version 13. A folder means its\n"
    "*.pipeline files.\n"
    "\n"
    "Exit status: 0 if all passed, 1 if one failed or a keyfile is faulty, 2 if the command was\n"
    "used wrongly.\n"
    "\n"
    "Examples:\n"
    "  penstock test site.pipeline\n"
    "  prove -v --exec 'penstock test' pipelines/*/*.pipeline\n",
  .run = pen_cli_test_command,
};
