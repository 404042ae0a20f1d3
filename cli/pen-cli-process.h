/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The processes that run with a state folder, and what they run.
 */

#pragma once

#include "pen-engine.h"

G_BEGIN_DECLS

/* A pipeline of a process. */
typedef struct
{
  char *name;
  char *path; /* absolute */
  PenEngineState state;
  GPtrArray *parts; /* (element-type PenCliPart) */
} PenCliRunning;

typedef struct
{
  int pid;
  gboolean is_near; /* its number means the same process to us: it is not in another container */
  gboolean is_strict;
  gboolean watches;
  char *started;        /* RFC 3339 */
  GStrv paths;          /* what it was given, absolute */
  GBytes *salt;         /* for pen_cli_parts_new () */
  GPtrArray *pipelines; /* (element-type PenCliRunning), in the order of its start */
} PenCliProcess;

/* (transfer full) (element-type PenCliProcess): by number; empty if there is none, also no folder.
 * @faults (element-type utf8) gets what is wrong with a record that was left out. */
GPtrArray *pen_cli_processes_load (const char *state_folder, GPtrArray *faults, GError **error);

G_END_DECLS
