/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A running process, for those who look into it.
 */

#pragma once

#include "pen-cli-wire.h"
#include "pen-cli.h"

G_BEGIN_DECLS

/* Which one. */
typedef struct
{
  char *state_dir; /* (nullable) */
  int pid;         /* 0: any */
} PenCliPeerChoice;

typedef struct
{
  PenCliWire wire;
  int pid;
  char *version;
  char *started;
  char *state_folder;
  GStrv paths; /* what it runs */
} PenCliPeer;

#define PEN_CLI_PEER_OPTIONS(choice)                                                               \
  PEN_CLI_STATE_OPTION (&(choice)->state_dir),                                                     \
  {                                                                                                \
    "pid", 0, 0, G_OPTION_ARG_INT, &(choice)->pid, "Which process, if several run", "PID"          \
  }

/* (transfer full) (nullable): the one that runs and fits; NULL if there is none, or more than one,
 * which was complained about */
PenCliPeer *pen_cli_peer_find (const PenCli *cli, const PenCliPeerChoice *choice, int *status);
void pen_cli_peer_free (PenCliPeer *self);
/* Sends what @request has behind protocol and name, whose writer it is. FALSE if the process is
 * gone. */
void pen_cli_peer_begin (PenJsonWriter *writer, GString *request, const char *name);
gboolean pen_cli_peer_send (PenCliPeer *self, PenJsonWriter *writer, GString *request);
/* (transfer full) (nullable): the next answer; NULL with @result saying why there is none, which is
 * PEN_CLI_WIRE_CLOSED also for one that makes no sense */
PenJson *pen_cli_peer_receive (PenCliPeer *self, int timeout_ms, PenCliWireResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliPeer, pen_cli_peer_free)

G_END_DECLS
