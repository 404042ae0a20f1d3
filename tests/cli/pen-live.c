/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that runs one pipeline, to be looked into. Sockets are in a runtime folder of the
 * test's own, so that tests that run side by side do not see each other's processes.
 */

#include "config.h"

#include "pen-live.h"

#include <glib/gstdio.h>
#include <signal.h>

#define GROWING                                                                                    \
  "[source file]\npath=in.txt\nfollow=true\npoll-interval=50ms\n[sink file]\npath=out.txt\n"       \
  "[dead-letter file]\npath=dead.txt\n"

typedef struct
{
  const PenLive *live;
  guint n;
} Sockets;

void
pen_live_init (PenLive *self, const char *text)
{
  *self = (PenLive){
    .folder = pen_test_make_folder (),
    .state = pen_test_make_folder (),
    .runtime = pen_test_make_folder (),
  };
  /* all folders in which a process is looked for */
  g_unsetenv ("RUNTIME_DIRECTORY");
  g_unsetenv ("STATE_DIRECTORY");
  g_setenv ("XDG_RUNTIME_DIR", self->runtime, TRUE);
  g_setenv ("XDG_STATE_HOME", self->runtime, TRUE);
  pen_test_write_file (self->folder, "in.txt", "");
  pen_test_write_file (self->folder, "one.pipeline", text != NULL ? text : GROWING);
}

GStrv
pen_live_list_sockets (const PenLive *self)
{
  g_autofree char *folder = g_build_filename (self->runtime, "penstock", NULL);
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_str_has_suffix (name, ".sock"))
        g_strv_builder_add (paths, path);
    }
  return g_strv_builder_end (paths);
}

static gboolean
pen_live_has_sockets (gpointer user_data)
{
  const Sockets *goal = user_data;
  g_auto (GStrv) paths = pen_live_list_sockets (goal->live);

  return g_strv_length (paths) == goal->n;
}

GSubprocess *
pen_live_spawn (PenLive *self, const char *state, PenLineReader **errors)
{
  g_auto (GStrv) before = pen_live_list_sockets (self);
  Sockets goal = { self, g_strv_length (before) + 1 };
  g_autofree char *path = g_build_filename (self->folder, "one.pipeline", NULL);
  GSubprocess *process
      = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                           "run", "--state-dir", state, path, NULL);

  *errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (process));
  pen_line_reader_await (*errors, ": running ");
  g_assert_true (pen_test_wait (pen_live_has_sockets, &goal, PEN_LIVE_DEADLINE_MS));
  return process;
}

void
pen_live_start (PenLive *self)
{
  self->process = pen_live_spawn (self, self->state, &self->errors);
}

void
pen_live_end (PenLive *self)
{
  g_auto (GStrv) paths = NULL;

  g_subprocess_send_signal (self->process, SIGTERM);
  pen_command_await_exit (self->process);
  g_assert_cmpint (g_subprocess_get_exit_status (self->process), ==, 0);
  paths = pen_live_list_sockets (self);
  g_assert_cmpuint (g_strv_length (paths), ==, 0);
  g_clear_pointer (&self->errors, pen_line_reader_free);
  g_clear_object (&self->process);
}

void
pen_live_clear (PenLive *self)
{
  pen_test_remove_folder (self->folder);
  pen_test_remove_folder (self->state);
  pen_test_remove_folder (self->runtime);
}

void
pen_live_append (const PenLive *self, const char *text)
{
  g_autofree char *path = g_build_filename (self->folder, "in.txt", NULL);
  FILE *file = g_fopen (path, "a");

  g_assert_nonnull (file);
  g_assert_cmpint (fputs (text, file), >=, 0);
  g_assert_cmpint (fclose (file), ==, 0);
}

void
pen_live_reload (PenLive *self, const char *text)
{
  pen_test_write_file (self->folder, "one.pipeline", text);
  g_subprocess_send_signal (self->process, SIGHUP);
  pen_line_reader_await (self->errors, "reloaded: ");
}

void
pen_live_run (const PenLive *self, PenCommand *command, const char *first, ...)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  va_list more;

  va_start (more, first);
  for (const char *argument = first; argument != NULL; argument = va_arg (more, const char *))
    g_ptr_array_add (arguments, (gpointer) argument);
  va_end (more);
  g_ptr_array_add (arguments, NULL);
  pen_command_clear (command);
  pen_command_run_strv (command, NULL, (const char *const *) arguments->pdata);
}
