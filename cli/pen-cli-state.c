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
