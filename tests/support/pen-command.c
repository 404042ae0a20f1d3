/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs the penstock command that was built, as a user would. Its path comes from the environment
 * (PENSTOCK_COMMAND). Nothing of the developer's own environment that changes what is printed
 * reaches it.
 */

#include "config.h"

#include "pen-command.h"

#include <string.h>

#define DEADLINE_MS 30000

const char *
pen_command_get_path (void)
{
  const char *path = g_getenv ("PENSTOCK_COMMAND");

  g_assert_nonnull (path);
  return path;
}

static GSubprocess *
pen_command_launch (GSubprocessFlags flags, const char *const *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (flags);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) line = NULL;
  g_autoptr (GError) error = NULL;
  GSubprocess *process = NULL;

  g_subprocess_launcher_unsetenv (launcher, "COLUMNS");
  g_subprocess_launcher_unsetenv (launcher, "JOURNAL_STREAM");
  g_subprocess_launcher_unsetenv (launcher, "STATE_DIRECTORY");
  g_subprocess_launcher_setenv (launcher, "NO_COLOR", "1", TRUE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C", TRUE);
  g_strv_builder_add (builder, pen_command_get_path ());
  g_strv_builder_addv (builder, (const char **) arguments);
  line = g_strv_builder_end (builder);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) line, &error);
  g_assert_no_error (error);
  return process;
}

static char *
pen_command_dup_text (GBytes *bytes, gsize *length)
{
  gsize n_bytes = 0;
  const char *data = g_bytes_get_data (bytes, &n_bytes);

  if (length != NULL)
    *length = n_bytes;
  return g_strndup (data != NULL ? data : "", n_bytes);
}

static gboolean
pen_command_expire (gpointer user_data)
{
  g_subprocess_force_exit (user_data);
  return G_SOURCE_REMOVE;
}

static void
pen_command_communicated (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **kept = user_data;

  *kept = g_object_ref (result);
}

/* Runs the command to its end; one that hangs is killed, and its status says so. */
void
pen_command_run_strv (PenCommand *self, const char *input, const char *const *arguments)
{
  GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE;
  g_autoptr (GSubprocess) process = pen_command_launch (
      input != NULL ? flags | G_SUBPROCESS_FLAGS_STDIN_PIPE : flags, arguments);
  g_autoptr (GBytes) input_bytes = input != NULL ? g_bytes_new (input, strlen (input)) : NULL;
  g_autoptr (GBytes) output_bytes = NULL;
  g_autoptr (GBytes) error_bytes = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint deadline = g_timeout_add (DEADLINE_MS, pen_command_expire, process);

  g_subprocess_communicate_async (process, input_bytes, NULL /* cancellable */,
                                  pen_command_communicated, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_subprocess_communicate_finish (process, result, &output_bytes, &error_bytes, &error);
  g_assert_no_error (error);
  g_subprocess_wait (process, NULL /* cancellable */, NULL /* error */);
  g_source_remove (deadline);
  self->output = pen_command_dup_text (output_bytes, &self->output_length);
  self->errors = pen_command_dup_text (error_bytes, NULL);
  self->status = g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                                      : -g_subprocess_get_term_sig (process);
}

static GPtrArray *
pen_command_collect (const char *first, va_list more)
{
  GPtrArray *arguments = g_ptr_array_new ();

  for (const char *argument = first; argument != NULL; argument = va_arg (more, const char *))
    g_ptr_array_add (arguments, (gpointer) argument);
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

/* The same with the arguments one by one, NULL at the end; @input may be NULL. */
void
pen_command_run (PenCommand *self, const char *input, const char *first, ...)
{
  g_autoptr (GPtrArray) arguments = NULL;
  va_list more;

  va_start (more, first);
  arguments = pen_command_collect (first, more);
  va_end (more);
  pen_command_run_strv (self, input, (const char *const *) arguments->pdata);
}

/* For tests that talk to the process while it runs. */
GSubprocess *
pen_command_spawn (GSubprocessFlags flags, const char *first, ...)
{
  g_autoptr (GPtrArray) arguments = NULL;
  va_list more;

  va_start (more, first);
  arguments = pen_command_collect (first, more);
  va_end (more);
  return pen_command_launch (flags, (const char *const *) arguments->pdata);
}

void
pen_command_clear (PenCommand *self)
{
  g_clear_pointer (&self->output, g_free);
  g_clear_pointer (&self->errors, g_free);
}

static void
pen_command_on_exit (GObject *object, GAsyncResult *result, gpointer user_data)
{
  *(gboolean *) user_data = g_subprocess_wait_finish (G_SUBPROCESS (object), result, NULL);
}

static gboolean
pen_command_is_set (gpointer user_data)
{
  return *(gboolean *) user_data;
}

void
pen_command_await_exit (GSubprocess *process)
{
  gboolean has_exited = FALSE;

  g_subprocess_wait_async (process, NULL /* cancellable */, pen_command_on_exit, &has_exited);
  if (!pen_test_wait (pen_command_is_set, &has_exited, DEADLINE_MS))
    {
      g_subprocess_force_exit (process);
      g_assert_not_reached ();
    }
}

struct _PenLineReader
{
  GDataInputStream *lines;
  char *line;
  gboolean is_read;
};

PenLineReader *
pen_line_reader_new (GInputStream *stream)
{
  PenLineReader *self = g_new0 (PenLineReader, 1);

  self->lines = g_data_input_stream_new (stream);
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (self->lines), FALSE);
  g_data_input_stream_set_newline_type (self->lines, G_DATA_STREAM_NEWLINE_TYPE_LF);
  return self;
}

void
pen_line_reader_free (PenLineReader *self)
{
  g_object_unref (self->lines);
  g_free (self);
}

static void
pen_line_reader_on_line (GObject *object, GAsyncResult *result, gpointer user_data)
{
  PenLineReader *self = user_data;

  self->line
      = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (object), result, NULL, NULL);
  self->is_read = TRUE;
}

void
pen_line_reader_await (PenLineReader *self, const char *text)
{
  gboolean found = FALSE;

  while (!found)
    {
      self->is_read = FALSE;
      g_data_input_stream_read_line_async (self->lines, G_PRIORITY_DEFAULT, NULL /* cancellable */,
                                           pen_line_reader_on_line, self);
      g_assert_true (pen_test_wait (pen_command_is_set, &self->is_read, DEADLINE_MS));
      g_assert_nonnull (self->line);
      g_test_message ("%s", self->line);
      found = strstr (self->line, text) != NULL;
      g_clear_pointer (&self->line, g_free);
    }
}
