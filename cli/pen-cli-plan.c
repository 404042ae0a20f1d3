/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock plan: what a reload of the running process would start, stop, replace and keep.
 *
 * The files are read as that process would read them: with its environment, so that variables and
 * credentials that only the service has are there. It comes from a file that the service's user
 * could have written, so nothing but the look-up of a keyfile's variables sees it: a plugin path,
 * for example, is taken from the environment of whoever asks.
 */

#include "config.h"

#include "pen-cli-plan.h"

#include "pen-cli-reload.h"
#include "pen-cli-state.h"
#include "pen-cli.h"
#include "pen-substitution.h"
#include "pen-suggest.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_ENVIRONMENT_BYTES (16 * 1024 * 1024)

typedef struct
{
  int pid; /* 0: any */
  gboolean as_json;
} PenCliPlanOptions;

typedef struct
{
  PenCli *cli;
  const char *state_folder;
  GPtrArray *processes;         /* (element-type PenCliProcess) */
  const PenCliProcess *process; /* NULL: none runs these paths */
  GPtrArray *steps;             /* (element-type PenCliStep) */
  GPtrArray *diagnostics;       /* (element-type PenDiagnostic) */
  guint n_faulty;
  guint n_good;
} PenCliPlan;

static int
pen_cli_plan_compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, without doubles: what is given twice is an error of its own. */
static GPtrArray *
pen_cli_plan_sort (const char *const *paths)
{
  GPtrArray *sorted = g_ptr_array_new ();

  for (guint i = 0; paths[i] != NULL; i++)
    g_ptr_array_add (sorted, (gpointer) paths[i]);
  g_ptr_array_sort (sorted, pen_cli_plan_compare_texts);
  for (guint i = sorted->len; i > 1; i--)
    if (g_str_equal (g_ptr_array_index (sorted, i - 1), g_ptr_array_index (sorted, i - 2)))
      g_ptr_array_remove_index (sorted, i - 1);
  return sorted;
}

static gboolean
pen_cli_plan_same_paths (const char *const *paths, const char *const *others)
{
  g_autoptr (GPtrArray) sorted = pen_cli_plan_sort (paths);
  g_autoptr (GPtrArray) other_sorted = pen_cli_plan_sort (others);
  gboolean is_same = sorted->len == other_sorted->len;

  for (guint i = 0; is_same && i < sorted->len; i++)
    is_same = g_str_equal (g_ptr_array_index (sorted, i), g_ptr_array_index (other_sorted, i));
  return is_same;
}

/* "4711 and 4712" */
static char *
pen_cli_plan_list_pids (GPtrArray *processes)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < processes->len; i++)
    {
      const PenCliProcess *process = g_ptr_array_index (processes, i);

      g_ptr_array_add (words, g_strdup_printf ("%d", process->pid));
    }
  return pen_suggest_list (words, "and");
}

/* The process that runs the paths, if there is one; FALSE if there are several to choose from. */
static gboolean
pen_cli_plan_choose (PenCliPlan *self, int pid, int *status)
{
  g_autoptr (GPtrArray) fitting = g_ptr_array_new ();
  g_autofree char *list = NULL;

  for (guint i = 0; i < self->processes->len; i++)
    {
      PenCliProcess *process = g_ptr_array_index (self->processes, i);

      if ((pid == 0 || pid == process->pid)
          && pen_cli_plan_same_paths ((const char *const *) process->paths,
                                      (const char *const *) self->cli->arguments + 1))
        g_ptr_array_add (fitting, process);
    }
  if (fitting->len > 1)
    {
      list = pen_cli_plan_list_pids (fitting);
      *status = pen_cli_complain (self->cli, "processes %s run these files; choose one with --pid",
                                  list);
      return FALSE;
    }
  if (pid != 0 && fitting->len == 0)
    {
      *status = pen_cli_complain (self->cli,
                                  "process %d does not run these files with the state folder '%s'",
                                  pid, self->state_folder);
      return FALSE;
    }
  self->process = fitting->len == 1 ? g_ptr_array_index (fitting, 0) : NULL;
  return TRUE;
}

/* (transfer full) (nullable): the environment of another process, as it was started */
static GStrv
pen_cli_plan_read_environment (const PenCliProcess *process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/environ", process->pid);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;

  if (!process->is_near)
    {
      fprintf (stderr,
               "penstock plan: process %d is in another container: variables and credentials are "
               "looked for in this one's environment\n",
               process->pid);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &length, &error) || length > MAX_ENVIRONMENT_BYTES)
    {
      fprintf (stderr,
               "penstock plan: the environment of process %d cannot be read, so variables and "
               "credentials are looked for in this one's: %s\n",
               process->pid, error != NULL ? error->message : "it is too large");
      return NULL;
    }
  for (gsize i = 0; i < length; i += strlen (text + i) + 1)
    g_strv_builder_add (builder, text + i);
  return g_strv_builder_end (builder);
}

static gboolean
pen_cli_plan_find_process (PenCliPlan *self, const PenCliPlanOptions *options, int *status)
{
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  self->processes = pen_cli_processes_load (self->state_folder, faults, &error);
  for (guint i = 0; i < faults->len; i++)
    fprintf (stderr, "penstock plan: %s\n", (const char *) g_ptr_array_index (faults, i));
  if (self->processes == NULL)
    {
      fprintf (stderr,
               "penstock plan: what runs with the state folder '%s' cannot be seen: %s; try it as "
               "root, or as the user that runs it\n",
               self->state_folder, error->message);
      *status = PEN_CLI_FAULTY;
      return FALSE;
    }
  return pen_cli_plan_choose (self, options->pid, status);
}

static void
pen_cli_plan_load (PenCliPlan *self)
{
  g_autoptr (PenRegistry) registry = pen_cli_open (self->cli);
  g_auto (GStrv) environment
      = self->process != NULL ? pen_cli_plan_read_environment (self->process) : NULL;
  g_autoptr (GPtrArray) definitions = NULL;
  g_auto (GStrv) faulty = NULL;

  pen_substitution_set_environment ((const char *const *) environment);
  definitions = pen_definition_load_all ((const char *const *) self->cli->arguments + 1, registry,
                                         PEN_DEFINITION_NONE, self->diagnostics, &self->n_faulty);
  pen_substitution_set_environment (NULL);
  faulty = pen_cli_list_faulty (self->diagnostics);
  self->n_good = definitions->len;
  self->steps = pen_cli_steps_new (self->process, definitions, (const char *const *) faulty);
}

static gboolean
pen_cli_plan_is_refused (const PenCliPlan *self)
{
  return self->n_faulty > 0 && self->process != NULL && self->process->is_strict;
}

static guint
pen_cli_plan_count (const PenCliPlan *self, PenEngineChange change)
{
  guint n = 0;

  for (guint i = 0; i < self->steps->len; i++)
    n += ((const PenCliStep *) g_ptr_array_index (self->steps, i))->change == change ? 1 : 0;
  return n;
}

/* Why nothing was found, for somebody who knows that something runs. */
static void
pen_cli_plan_append_others (const PenCliPlan *self, GString *text)
{
  g_string_append_printf (text, "No process runs these files with the state folder '%s'.\n",
                          self->state_folder);
  for (guint i = 0; i < self->processes->len; i++)
    {
      const PenCliProcess *process = g_ptr_array_index (self->processes, i);
      g_autofree char *paths = g_strjoinv (" ", process->paths);

      g_string_append_printf (text, "Process %d runs others: penstock plan %s\n", process->pid,
                              paths);
    }
  if (self->processes->len == 0)
    g_string_append (text, "(If one does, it has another state folder; that of a service is "
                           "mostly --state-dir /var/lib/penstock.)\n");
}

static void
pen_cli_plan_append_reload (const PenCliPlan *self, GString *text)
{
  guint n_unchanged = pen_cli_plan_count (self, PEN_ENGINE_UNCHANGED);
  guint n_kept = pen_cli_plan_count (self, PEN_ENGINE_KEPT);
  guint n_gone = pen_cli_plan_count (self, PEN_ENGINE_GONE);
  guint n_changes = self->steps->len - n_unchanged - n_kept - n_gone;

  g_string_append_printf (text, "Process %d has been running since %s.\n", self->process->pid,
                          self->process->started);
  if (pen_cli_plan_is_refused (self))
    {
      g_string_append_printf (text,
                              "A reload would change nothing: %u of %u pipelines are faulty, and "
                              "the process runs with --strict.\n",
                              self->n_faulty, self->n_faulty + self->n_good);
      return;
    }
  g_string_append (text, n_changes == 0 ? "A reload would change nothing.\n" : "A reload would\n");
  pen_cli_plan_append_text (text, self->steps);
  if (n_changes == 0)
    return;
  g_string_append_printf (text, "and leave %u as %s. ", n_unchanged,
                          n_unchanged == 1 ? "it is" : "they are");
  if (self->process->watches)
    g_string_append (text, "The process watches its files, and does so by itself.\n");
  else
    g_string_append_printf (text, "To do so: kill -HUP %d%s\n", self->process->pid,
                            self->process->is_near ? "" : " in its container");
}

static int
pen_cli_plan_write_text (const PenCliPlan *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < self->diagnostics->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (self->diagnostics, i));

      fprintf (stderr, "%s\n", line);
    }
  if (self->process != NULL)
    pen_cli_plan_append_reload (self, text);
  else
    {
      pen_cli_plan_append_others (self, text);
      g_string_append (text, self->steps->len > 0 ? "A start would\n" : "A start would fail.\n");
      pen_cli_plan_append_text (text, self->steps);
    }
  return pen_cli_write (self->cli, text);
}

static int
pen_cli_plan_write_json (const PenCliPlan *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *json = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "process");
  pen_cli_plan_describe_process (builder, self->process);
  json_builder_set_member_name (builder, "refused");
  json_builder_add_boolean_value (builder, pen_cli_plan_is_refused (self));
  json_builder_set_member_name (builder, "changes");
  pen_cli_plan_describe_steps (builder, self->steps);
  json_builder_set_member_name (builder, "diagnostics");
  pen_cli_describe_diagnostics (builder, self->diagnostics);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json = json_to_string (root, TRUE);
  g_string_append_printf (text, "%s\n", json);
  return pen_cli_write (self->cli, text);
}

static int
pen_cli_plan_do (PenCli *cli, const char *state_folder, const PenCliPlanOptions *options)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  PenCliPlan self = { .cli = cli, .state_folder = state_folder, .diagnostics = diagnostics };
  int status = PEN_CLI_DONE;

  for (guint i = 1; cli->arguments[i] != NULL; i++)
    {
      g_autofree char *given = cli->arguments[i];

      cli->arguments[i] = g_canonicalize_filename (given, NULL /* the working folder */);
    }
  if (pen_cli_plan_find_process (&self, options, &status))
    {
      pen_cli_plan_load (&self);
      status = options->as_json ? pen_cli_plan_write_json (&self) : pen_cli_plan_write_text (&self);
      status = self.n_faulty > 0 ? PEN_CLI_FAULTY : status;
    }
  g_clear_pointer (&self.steps, g_ptr_array_unref);
  g_clear_pointer (&self.processes, g_ptr_array_unref);
  return status;
}

static int
pen_cli_plan_command (PenCli *cli)
{
  PenCliPlanOptions choice = { 0 };
  g_autofree char *format = NULL;
  g_autofree char *state_dir = NULL;
  g_autofree char *state_folder = NULL;
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&state_dir),
    { "pid", 0, 0, G_OPTION_ARG_INT, &choice.pid, "Which process, if several run the same files",
      "PID" },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format,
      "How to print the plan: text (the default) or json", "FORMAT" },
    G_OPTION_ENTRY_NULL,
  };
  int status;

  if (!pen_cli_parse (cli, options, &status)
      || !pen_cli_parse_format (cli, format, &choice.as_json, &status))
    return status;
  if (cli->arguments[1] == NULL)
    return pen_cli_complain (cli, "name the files and folders that the process was given");
  state_folder = pen_cli_find_state_folder (cli, state_dir, &status);
  return state_folder != NULL ? pen_cli_plan_do (cli, state_folder, &choice) : status;
}

const PenCliCommand pen_cli_plan = {
  .name = "plan",
  .arguments = "FILE|DIR...",
  .summary = "Say what a reload would start, stop and replace, without doing it",
  .description
  = "Give it what the running process was given. Each line is what SIGHUP would do to a\n"
    "pipeline: start, stop (drain), replace (drain, then start again) with the groups and keys\n"
    "that differ, or keep as it is because its file is faulty. What would be left alone is\n"
    "counted. Without such a process, it says what a start would do.\n"
    "\n"
    "The process is found through the state folder: call it as root or as the user that runs\n"
    "it, and with the same --state-dir. Variables and credentials are those of the process.\n"
    "\n"
    "Exit status: 0 if all files are good, 1 if one is faulty, or what runs cannot be seen,\n"
    "2 if the command was used wrongly.\n"
    "\n"
    "Examples:\n"
    "  penstock plan /etc/penstock\n"
    "  penstock plan --state-dir /var/lib/penstock /etc/penstock && systemctl reload penstock\n",
  .run = pen_cli_plan_command,
};
