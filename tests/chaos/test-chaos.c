/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kill matrix: a case for each fault, with the spool and without it. What was published and
 * confirmed arrives, whatever happens. docs/reliability.md has what comes of it, and bench/chaos
 * runs the same cases for as long as one likes.
 */

#include "config.h"

#include "pen-chaos-faults.h"

#include <sched.h>
#include <sys/mount.h>

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  /* Small file systems go with this program, however it ends; before there is a second thread. */
  if (unshare (CLONE_NEWNS) == 0)
    mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  g_test_message ("seed %u", pen_chaos_get_settings ()->seed);
  pen_chaos_add_process_faults ();
  pen_chaos_add_network_faults ();
  pen_chaos_add_disk_faults ();
  pen_chaos_add_system_faults ();
  return g_test_run ();
}
