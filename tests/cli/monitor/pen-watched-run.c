/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock run --listen, on a port that the kernel chose and the log tells.
 */

#include "config.h"

#include "pen-watched-run.h"

#include "pen-http-client.h"

#include <signal.h>
#include <string.h>

#define TIMEOUT_MS 30000
#define TOLD "listening on http://127.0.0.1:"

/* documented in the header, as what follows */
char *
pen_watched_run_read_log (PenWatchedRun *self)
{
  g_autofree char *path = g_build_filename (self->folder, "run.log", NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

static gboolean
test_is_listening (gpointer user_data)
{
  PenWatchedRun *self = user_data;
  g_autofree char *log = pen_watched_run_read_log (self);
  const char *told = strstr (log, TOLD);

  if (told == NULL)
    return FALSE;
  self->port = (guint) g_ascii_strtoull (told + strlen (TOLD), NULL, 10);
  return TRUE;
}

void
pen_watched_run_start (PenWatchedRun *self, const char *keyfile, guint broker_port)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *port = g_strdup_printf ("%u", broker_port);
  g_autofree char *path = NULL;
  g_autofree char *log = NULL;
  g_autofree char *state = NULL;
  g_autoptr (GError) error = NULL;

  self->folder = pen_test_make_folder ();
  path = g_build_filename (self->folder, "watched.pipeline", NULL);
  log = g_build_filename (self->folder, "run.log", NULL);
  state = g_build_filename (self->folder, "state", NULL);
  pen_test_write_file (self->folder, "watched.pipeline", keyfile);
  g_subprocess_launcher_set_stderr_file_path (launcher, log);
  g_subprocess_launcher_unsetenv (launcher, "JOURNAL_STREAM");
  g_subprocess_launcher_setenv (launcher, "BROKER_PORT", port, TRUE);
  self->process
      = g_subprocess_launcher_spawn (launcher, &error, pen_command_get_path (), "run",
                                     "--state-dir", state, "--listen", "127.0.0.1:0", path, NULL);
  g_assert_no_error (error);
  g_assert_true (pen_test_wait (test_is_listening, self, TIMEOUT_MS));
}

char *
pen_watched_run_get (PenWatchedRun *self, const char *path, guint *status)
{
  return pen_http_client_get (self->port, path, NULL, status);
}

double
pen_watched_run_get_sample (PenWatchedRun *self, const char *sample)
{
  guint status = 0;
  g_autofree char *text = pen_watched_run_get (self, "/metrics", &status);
  g_autofree char *begin = g_strdup_printf ("\n%s ", sample);
  const char *found = strstr (text, begin);

  return found != NULL ? g_ascii_strtod (found + strlen (begin), NULL) : -1;
}

void
pen_watched_run_stop (PenWatchedRun *self, int status)
{
  g_subprocess_send_signal (self->process, SIGTERM);
  pen_command_await_exit (self->process);
  g_assert_true (g_subprocess_get_if_exited (self->process));
  g_assert_cmpint (g_subprocess_get_exit_status (self->process), ==, status);
  g_clear_object (&self->process);
  pen_test_remove_folder (g_steal_pointer (&self->folder));
}
