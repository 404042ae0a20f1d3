/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a process keeps what must outlive it. A service gets its folder from systemd, which makes
 * it, gives it to the service's user, and names it in STATE_DIRECTORY (systemd.exec(5)); somebody
 * at a terminal has one by the XDG Base Directory Specification. All commands look in the same
 * order, so that 'penstock spool' finds what 'penstock run' wrote.
 */

#include "config.h"

#include "pen-cli-state.h"

#include "pen-spool-admin.h"

#include <string.h>

/*
 * pen_cli_find_state_folder:
 * @self: a call of the command, whose options are read
 * @option: (nullable): the value of its option --state-dir
 * @status: (out): the exit status of a wrong one
 *
 * Returns: (transfer full) (nullable): the folder's absolute path; it need not exist. Or %NULL,
 *   which was complained about
 */
char *
pen_cli_find_state_folder (const PenCli *self, const char *option, int *status)
{
  const char *systemd = g_getenv ("STATE_DIRECTORY");
  g_autofree char *first = NULL;

  if (option != NULL && *option == '\0')
    {
      *status = pen_cli_complain (self, "--state-dir is empty; name a folder");
      return NULL;
    }
  if (option != NULL)
    return g_canonicalize_filename (option, NULL /* the working folder */);
  /* a unit may have several; the first is the one */
  first = systemd != NULL ? g_strndup (systemd, strcspn (systemd, ":")) : NULL;
  if (first != NULL && *first != '\0')
    return g_canonicalize_filename (first, NULL);
  return g_build_filename (g_get_user_state_dir (), "penstock", NULL);
}

static gboolean
pen_cli_has_spool (GPtrArray *definitions, const char *pipeline)
{
  for (guint i = 0; i < definitions->len; i++)
    {
      const PenDefinition *definition = g_ptr_array_index (definitions, i);

      if (g_str_equal (pen_definition_get_name (definition), pipeline)
          && pen_settings_get_spool (pen_definition_get_settings (definition)))
        return TRUE;
    }
  return FALSE;
}

/* How many messages the sink that is farthest behind waits for; 0 also where nobody can know. */
static guint64
pen_cli_count_waiting (const char *state_folder, const char *pipeline)
{
  static const PenSpoolStoreFunctions functions = { NULL };
  PenSpoolStore *store = pen_spool_store_open (
      state_folder, pipeline, PEN_SPOOL_STORE_READ_ONLY | PEN_SPOOL_STORE_MUST_EXIST, &functions,
      NULL /* user_data */, NULL);
  g_autoptr (GPtrArray) cursors = store != NULL ? pen_spool_store_get_cursors (store, NULL) : NULL;
  guint64 most = 0;
  PenSpoolStatus status;

  for (guint i = 0; cursors != NULL && i < cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);
      guint64 last = 0;

      pen_spool_store_get_status (store, &status);
      last = cursor->until != 0 ? cursor->until : status.newest;
      if (last > cursor->delivered)
        most = MAX (most, last - cursor->delivered);
    }
  if (store != NULL)
    pen_spool_store_close (store, FALSE /* all_settled: nothing is written */);
  return most;
}

/*
 * pen_cli_tell_leftovers:
 * @state_folder: where the spools are
 * @definitions: (element-type PenDefinition): what is about to run
 *
 * Warns of messages that wait in spools of pipelines that will not run: they were acknowledged, and
 * nobody else has them.
 */
void
pen_cli_tell_leftovers (const char *state_folder, GPtrArray *definitions)
{
  g_auto (GStrv) pipelines = pen_spool_store_list (state_folder, NULL);

  for (guint i = 0; pipelines != NULL && pipelines[i] != NULL; i++)
    {
      g_autofree char *holder = NULL;
      guint64 n_waiting;

      if (pen_cli_has_spool (definitions, pipelines[i]))
        continue;
      holder = pen_spool_find_holder (state_folder, pipelines[i]);
      n_waiting = holder == NULL ? pen_cli_count_waiting (state_folder, pipelines[i]) : 0;
      if (n_waiting > 0)
        g_warning ("the spool of pipeline '%s', which is not among those that run with a spool, "
                   "keeps %" G_GUINT64_FORMAT " messages: put its keyfile back, or look into it "
                   "with penstock spool show --pipeline %s, and throw it away with penstock spool "
                   "drop --pipeline %s",
                   pipelines[i], n_waiting, pipelines[i], pipelines[i]);
    }
}
