/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a process keeps what must outlive it: the state folder.
 */

#pragma once

#include "pen-cli.h"

G_BEGIN_DECLS

/* The option of every command that needs it. @value: (type filename*): where its value goes */
#define PEN_CLI_STATE_OPTION(value)                                                                \
  {                                                                                                \
    "state-dir", 0, 0, G_OPTION_ARG_FILENAME, value,                                               \
        "State folder; otherwise $STATE_DIRECTORY or $XDG_STATE_HOME/penstock", "DIR"              \
  }

char *pen_cli_find_state_folder (const PenCli *self, const char *option, int *status);
void pen_cli_tell_leftovers (const char *state_folder, GPtrArray *definitions);

G_END_DECLS
