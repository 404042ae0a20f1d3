/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that runs one pipeline, from a file that grows into another, to be looked into.
 */

#pragma once

#include "pen-command.h"

G_BEGIN_DECLS

#define PEN_LIVE_DEADLINE_MS 60000

typedef struct
{
  char *folder; /* of the keyfile one.pipeline, of in.txt and out.txt */
  char *state;
  char *runtime; /* XDG_RUNTIME_DIR */
  GSubprocess *process;
  PenLineReader *errors;
} PenLive;

/* With @text as the keyfile; NULL: source file, sink file. */
void pen_live_init (PenLive *self, const char *text);
void pen_live_start (PenLive *self);
/* Starts and waits for its socket. @state: another state folder */
GSubprocess *pen_live_spawn (PenLive *self, const char *state, PenLineReader **errors);
/* Drains, ends, and asserts that no socket is left. */
void pen_live_end (PenLive *self);
void pen_live_clear (PenLive *self);
/* The sockets, sorted: paths. */
GStrv pen_live_list_sockets (const PenLive *self);
void pen_live_append (const PenLive *self, const char *text);
/* Writes the keyfile anew, and has it read. */
void pen_live_reload (PenLive *self, const char *text);
/* Runs a command to its end: its name, and options or arguments up to NULL. */
void pen_live_run (const PenLive *self, PenCommand *command, const char *first, ...)
    G_GNUC_NULL_TERMINATED;

G_END_DECLS
