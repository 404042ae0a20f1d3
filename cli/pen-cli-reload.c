/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the keyfiles of a run again, and changes what runs by difference: on SIGHUP, or with
 * --watch when a file has changed. An editor changes a file in several steps, and whoever copies
 * hundreds of files takes a while: a change is looked at when nothing more has changed for a
 * moment.
 */

#include "config.h"

#include "pen-cli-reload.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#define QUIET_MS 500

struct _PenCliReload
{
  PenCli *cli;
  PenRegistry *registry;
  PenEngine *engine;
  PenCliRecord *record;
  gboolean is_strict;
  guint signal;
  guint timer;
  GPtrArray *monitors; /* (element-type GFileMonitor) */
  guint n_changes[PEN_ENGINE_GONE + 1];
};

static void
pen_cli_load_tell (const PenCli *cli, GPtrArray *diagnostics)
{
  for (guint i = 0; i < diagnostics->len; i++)
    {
      const PenDiagnostic *diagnostic = g_ptr_array_index (diagnostics, i);
      g_autofree char *line = pen_diagnostic_format (diagnostic);

      /* As text, the line is for people and their editors and stands as it is. */
      if (cli->log_format == PEN_LOG_TEXT)
        fprintf (stderr, "%s\n", line);
      else if (diagnostic->level == PEN_DIAGNOSTIC_ERROR)
        g_critical ("%s", line);
      else
        g_warning ("%s", line);
    }
}

/* documented in the header */
GPtrArray *
pen_cli_load (const PenCli *cli, PenRegistry *registry, GPtrArray *diagnostics, guint *n_faulty)
{
  GPtrArray *definitions
      = pen_definition_load_all ((const char *const *) cli->arguments + 1, registry,
                                 PEN_DEFINITION_NONE, diagnostics, n_faulty);

  pen_cli_load_tell (cli, diagnostics);
  return definitions;
}

/* documented in the header */
GStrv
pen_cli_list_faulty (GPtrArray *diagnostics)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  for (guint i = 0; i < diagnostics->len; i++)
    {
      const PenDiagnostic *diagnostic = g_ptr_array_index (diagnostics, i);
      g_autofree char *path = g_strdup (diagnostic->file);

      while (g_str_has_suffix (path, "/"))
        path[strlen (path) - 1] = '\0';
      if (diagnostic->level == PEN_DIAGNOSTIC_ERROR)
        g_strv_builder_add (paths, path);
    }
  return g_strv_builder_end (paths);
}

static void
pen_cli_reload_on_change (const char *pipeline, PenEngineChange change, gpointer user_data)
{
  PenCliReload *self = user_data;
  static const char *const words[] = {
    [PEN_ENGINE_KEPT] = "keeps running as it was: its file is faulty",
    [PEN_ENGINE_STARTED] = "is new: starting",
    [PEN_ENGINE_REPLACED] = "has changed: draining, then starting again",
    [PEN_ENGINE_STOPPED] = "is gone: draining",
    [PEN_ENGINE_GONE] = NULL,
  };

  self->n_changes[change]++;
  if (words[change] != NULL)
    g_info ("%s: %s", pipeline, words[change]);
}

static void
pen_cli_reload_do (PenCliReload *self)
{
  guint n_faulty = 0;
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (GPtrArray) definitions
      = pen_cli_load (self->cli, self->registry, diagnostics, &n_faulty);
  g_auto (GStrv) faulty = pen_cli_list_faulty (diagnostics);

  if (self->is_strict && n_faulty > 0)
    {
      g_critical ("nothing was changed: %u of %u pipelines are faulty, and --strict is set",
                  n_faulty, n_faulty + definitions->len);
      return;
    }
  memset (self->n_changes, 0, sizeof self->n_changes);
  pen_engine_reload (self->engine, definitions, (const char *const *) faulty,
                     pen_cli_reload_on_change, self);
  pen_cli_record_write (self->record);
  g_info ("reloaded: %u unchanged, %u replaced, %u started, %u stopped, %u kept as they were",
          self->n_changes[PEN_ENGINE_UNCHANGED], self->n_changes[PEN_ENGINE_REPLACED],
          self->n_changes[PEN_ENGINE_STARTED], self->n_changes[PEN_ENGINE_STOPPED],
          self->n_changes[PEN_ENGINE_KEPT]);
}

static gboolean
pen_cli_reload_on_signal (gpointer user_data)
{
  g_info ("SIGHUP: reading the keyfiles again");
  pen_cli_reload_do (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
pen_cli_reload_on_quiet (gpointer user_data)
{
  PenCliReload *self = user_data;

  self->timer = 0;
  g_info ("a keyfile has changed: reading them again");
  pen_cli_reload_do (self);
  return G_SOURCE_REMOVE;
}

static void
pen_cli_reload_on_file (GFileMonitor *monitor,
                        GFile *file,
                        GFile *other_file,
                        GFileMonitorEvent event,
                        gpointer user_data)
{
  PenCliReload *self = user_data;

  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add (QUIET_MS, pen_cli_reload_on_quiet, self);
}

static void
pen_cli_reload_watch (PenCliReload *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GFileMonitor *monitor = g_file_monitor (file, G_FILE_MONITOR_WATCH_MOVES, NULL, &error);

  if (monitor == NULL)
    {
      g_warning ("'%s' is not watched: %s; SIGHUP reads it again", path, error->message);
      return;
    }
  g_signal_connect (monitor, "changed", G_CALLBACK (pen_cli_reload_on_file), self);
  g_ptr_array_add (self->monitors, monitor);
}

/* documented in the header, as what follows */
PenCliReload *
pen_cli_reload_new (PenCli *cli,
                    PenRegistry *registry,
                    PenEngine *engine,
                    PenCliRecord *record,
                    const PenCliRecordOptions *options)
{
  PenCliReload *self = g_new0 (PenCliReload, 1);

  self->cli = cli;
  self->registry = registry;
  self->engine = g_object_ref (engine);
  self->record = record;
  self->is_strict = options->is_strict;
  self->monitors = g_ptr_array_new_with_free_func (g_object_unref);
  self->signal = g_unix_signal_add (SIGHUP, pen_cli_reload_on_signal, self);
  for (guint i = 1; options->watches && cli->arguments[i] != NULL; i++)
    pen_cli_reload_watch (self, cli->arguments[i]);
  return self;
}

void
pen_cli_reload_free (PenCliReload *self)
{
  g_clear_handle_id (&self->signal, g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  for (guint i = 0; i < self->monitors->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->monitors, i), self);
  g_ptr_array_unref (self->monitors);
  g_object_unref (self->engine);
  g_free (self);
}
