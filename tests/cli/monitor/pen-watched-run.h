/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock run --listen, on a port that the kernel chose.
 */

#pragma once

#include "pen-command.h"

G_BEGIN_DECLS

typedef struct
{
  GSubprocess *process;
  char *folder; /* with its keyfiles, its log, its state */
  guint port;
} PenWatchedRun;

/* In a new folder; @keyfile may say ${env:BROKER_PORT}. */
void pen_watched_run_start (PenWatchedRun *self, const char *keyfile, guint broker_port);
/* (transfer full) */
char *pen_watched_run_read_log (PenWatchedRun *self);
/* (transfer full) */
char *pen_watched_run_get (PenWatchedRun *self, const char *path, guint *status);
/* The value of the sample that begins with @sample, labels and all; -1: there is none. */
double pen_watched_run_get_sample (PenWatchedRun *self, const char *sample);
/* Ends it with SIGTERM, and checks how it ended. */
void pen_watched_run_stop (PenWatchedRun *self, int status);

G_END_DECLS
