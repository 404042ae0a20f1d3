/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs the penstock command that was built, as a user would, and keeps all that it says.
 */

#pragma once

#include "pen-test.h"

G_BEGIN_DECLS

typedef struct
{
  char *output; /* standard output, NUL-terminated */
  gsize output_length;
  char *errors; /* standard error */
  int status;   /* exit status; -SIGNAL if a signal has ended it */
} PenCommand;

const char *pen_command_get_path (void);
void pen_command_run (PenCommand *self, const char *input, const char *first, ...)
    G_GNUC_NULL_TERMINATED;
void pen_command_run_strv (PenCommand *self, const char *input, const char *const *arguments);
GSubprocess *
pen_command_spawn (GSubprocessFlags flags, const char *first, ...) G_GNUC_NULL_TERMINATED;
void pen_command_clear (PenCommand *self);
/* Waits for a process that is about to end; kills it and fails when it does not. */
void pen_command_await_exit (GSubprocess *process);

/* Lines of a process that runs. */
typedef struct _PenLineReader PenLineReader;

PenLineReader *pen_line_reader_new (GInputStream *stream);
void pen_line_reader_free (PenLineReader *self);
/* Reads lines until one has @text in it. Fails when there is none. */
void pen_line_reader_await (PenLineReader *self, const char *text);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenCommand, pen_command_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenLineReader, pen_line_reader_free)

G_END_DECLS
