/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock run: all pipelines of the given files, until a signal or until their sources have ended.
 *
 * The first SIGTERM or SIGINT drains. Its handler takes both handlers away, so that the second
 * signal ends the process at once, by the kernel's hand: that works also where the main loop hangs.
 */

#include "config.h"

#include "pen-cli-control.h"
#include "pen-cli-listen.h"
#include "pen-cli-record.h"
#include "pen-cli-reload.h"
#include "pen-cli-state.h"
#include "pen-cli-summary.h"
#include "pen-cli.h"
#include "pen-engine.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct
{
  PenEngine *engine;
  gboolean finished;
  guint signals[2];
} PenCliRun;

/* Thousands of pipelines need a socket each; the usual soft limit of 1,024 protects select(),
 * which nothing here uses. */
static void
pen_cli_run_raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
    return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_warning ("the limit of open files stays as it is: %s", g_strerror (errno));
}

static gboolean
pen_cli_run_stop (PenCliRun *self, const char *signal_name)
{
  /* GLib does so only when the source is gone for good, and would swallow a signal until then. */
  signal (SIGTERM, SIG_DFL);
  signal (SIGINT, SIG_DFL);
  for (guint i = 0; i < G_N_ELEMENTS (self->signals); i++)
    g_clear_handle_id (&self->signals[i], g_source_remove);
  g_info ("%s: draining; a second signal exits at once", signal_name);
  pen_engine_stop (self->engine);
  return G_SOURCE_REMOVE;
}

static gboolean
pen_cli_run_on_sigterm (gpointer user_data)
{
  return pen_cli_run_stop (user_data, "SIGTERM");
}

static gboolean
pen_cli_run_on_sigint (gpointer user_data)
{
  return pen_cli_run_stop (user_data, "SIGINT");
}

static void
pen_cli_run_on_finished (PenEngine *engine, gpointer user_data)
{
  PenCliRun *self = user_data;

  self->finished = TRUE;
}

static int
pen_cli_run_get_status (PenEngine *engine, guint n_faulty)
{
  switch (pen_engine_get_outcome (engine))
    {
    case PEN_OUTCOME_FAILED:
      return PEN_CLI_FAILED;
    case PEN_OUTCOME_UNDELIVERED:
      return PEN_CLI_FAULTY;
    case PEN_OUTCOME_DONE:
    default:
      return n_faulty > 0 ? PEN_CLI_FAULTY : PEN_CLI_DONE;
    }
}

static int
pen_cli_run_definitions (PenCli *cli,
                         PenRegistry *registry,
                         GPtrArray *definitions,
                         guint n_faulty,
                         const char *state_folder,
                         const PenCliRecordOptions *options,
                         PenCliListen *listen)
{
  guint n_lanes = MIN (g_get_num_processors (), definitions->len);
  g_autoptr (PenEngine) engine = pen_engine_new (n_lanes);
  PenCliRun self = { .engine = engine };
  g_autoptr (PenCliRecord) record = pen_cli_record_new (cli, state_folder, engine, options);
  g_autoptr (PenCliReload) reload = NULL;
  g_autoptr (PenCliControl) control = NULL;
  g_autofree char *summary = NULL;
  int status;

  pen_cli_tell_leftovers (state_folder, definitions);
  pen_engine_set_state_folder (engine, state_folder);
  for (guint i = 0; i < definitions->len; i++)
    pen_engine_add (engine, g_ptr_array_index (definitions, i));
  g_signal_connect (engine, "finished", G_CALLBACK (pen_cli_run_on_finished), &self);
  self.signals[0] = g_unix_signal_add (SIGTERM, pen_cli_run_on_sigterm, &self);
  self.signals[1] = g_unix_signal_add (SIGINT, pen_cli_run_on_sigint, &self);
  g_info ("penstock %s: running %u pipeline%s", PACKAGE_VERSION, definitions->len,
          definitions->len == 1 ? "" : "s");
  reload = pen_cli_reload_new (cli, registry, engine, record, options);
  pen_engine_start (engine);
  pen_cli_record_write (record);
  pen_cli_listen_start (listen, engine);
  control = pen_cli_control_new (state_folder, engine, cli->arguments + 1);
  while (!self.finished)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (self.signals); i++)
    g_clear_handle_id (&self.signals[i], g_source_remove);
  g_clear_pointer (&control, pen_cli_control_free);
  pen_cli_listen_stop (listen);
  summary = pen_cli_summarize (engine);
  g_info ("done: %s", summary);
  status = pen_cli_run_get_status (engine, n_faulty);
  if (pen_engine_has_abandoned (engine))
    {
      /* libraries that clean up at exit would do so under the feet of threads that are in them */
      g_clear_pointer (&record, pen_cli_record_free);
      _exit (status);
    }
  return status;
}

/* (transfer full) (nullable): where the run is watched from; otherwise sets @status. */
static PenCliListen *
pen_cli_run_listen (const PenCli *cli, const char *address, int *status)
{
  const char *variable = g_getenv ("PENSTOCK_LISTEN");
  g_autoptr (GError) error = NULL;
  PenCliListen *listen = NULL;

  if (address == NULL && variable != NULL && *variable != '\0')
    address = variable;
  if (address != NULL && !pen_cli_listen_check (address, &error))
    {
      *status = pen_cli_complain (cli, "%s", error->message);
      return NULL;
    }
  listen = pen_cli_listen_new (address, &error);
  if (listen != NULL)
    return listen;
  g_critical ("nothing was started: %s", error->message);
  *status = PEN_CLI_FAULTY;
  return NULL;
}

static int
pen_cli_run_command (PenCli *cli)
{
  PenCliRecordOptions choice = { FALSE, FALSE };
  g_autofree char *state_dir = NULL;
  g_autofree char *state_folder = NULL;
  g_autofree char *address = NULL;
  const GOptionEntry options[] = {
    PEN_CLI_STATE_OPTION (&state_dir),
    { "listen", 0, 0, G_OPTION_ARG_STRING, &address,
      "Serve /metrics, /healthz and /readyz over HTTP; port 0: any free one", "ADDR:PORT" },
    { "strict", 0, 0, G_OPTION_ARG_NONE, &choice.is_strict,
      "Start, or change, nothing if one of the files is faulty", NULL },
    { "watch", 0, 0, G_OPTION_ARG_NONE, &choice.watches,
      "Read the files again when one has changed, as on SIGHUP", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (PenRegistry) registry = NULL;
  g_autoptr (PenCliListen) listen = NULL;
  g_autoptr (GPtrArray) definitions = NULL;
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  guint n_faulty = 0;
  int status;

  if (!pen_cli_parse (cli, options, &status))
    return status;
  if (cli->arguments[1] == NULL)
    return pen_cli_complain (cli, "name at least one keyfile, or a folder with *.pipeline files");
  state_folder = pen_cli_find_state_folder (cli, state_dir, &status);
  if (state_folder == NULL)
    return status;
  signal (SIGPIPE, SIG_IGN);
  registry = pen_cli_open (cli);
  listen = pen_cli_run_listen (cli, address, &status);
  if (listen == NULL)
    return status;
  pen_cli_run_raise_limit ();
  definitions = pen_cli_load (cli, registry, diagnostics, &n_faulty);
  if (definitions->len == 0 || (choice.is_strict && n_faulty > 0))
    {
      g_critical ("nothing was started: %u of %u pipelines are faulty%s", n_faulty,
                  n_faulty + definitions->len, definitions->len > 0 ? ", and --strict is set" : "");
      return PEN_CLI_FAULTY;
    }
  return pen_cli_run_definitions (cli, registry, definitions, n_faulty, state_folder, &choice,
                                  listen);
}

const PenCliCommand pen_cli_run = {
  .name = "run",
  .arguments = "FILE|DIR...",
  .summary = "Run pipelines until a signal, or until their sources have ended",
  .description
  = "A folder means its *.pipeline files; a keyfile with [sites] is a pipeline for each row. A\n"
    "faulty file, or row, is told with all its errors and does not keep the others from\n"
    "running, unless --strict is given.\n"
    "\n"
    "SIGHUP reads the files again: what is new starts, what has changed drains and starts\n"
    "again, what is gone drains and stops; all else goes on, and so does a pipeline whose\n"
    "new file is faulty.\n"
    "\n"
    "SIGTERM and SIGINT (Ctrl+C) stop the sources, deliver what is under way, and acknowledge\n"
    "it; a second signal exits at once. What was not acknowledged is delivered again by the\n"
    "next run. The log goes to standard error; standard output belongs to the stdout sink.\n"
    "\n"
    "With --listen, or PENSTOCK_LISTEN in the environment, or a socket that systemd passes,\n"
    "the run is open to monitoring: figures for Prometheus, and whether all is well. Whoever\n"
    "reaches that port can read them.\n"
    "\n"
    "Exit status: 0 if all went well, 1 if a file was faulty or something could not be\n"
    "delivered before the sources ended, 2 if the command was used wrongly, 3 if a pipeline\n"
    "failed for good.\n"
    "\n"
    "Examples:\n"
    "  penstock run site.pipeline\n"
    "  penstock run --strict --log-format json /etc/penstock\n"
    "  penstock run --listen 127.0.0.1:9473 /etc/penstock\n",
  .run = pen_cli_run_command,
};
