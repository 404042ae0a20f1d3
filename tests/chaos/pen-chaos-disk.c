/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults of what is written to: disks that are full for a while, a state folder that is gone, a
 * sink that takes nothing. The full ones are file systems of their own, a few MiB of memory.
 */

#include "config.h"

#include "pen-chaos-faults.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define LONGEST_QUIET_MS 1500
#define FULL_FROM_MS 1500
#define FULL_BELOW_MS 4000
#define SHORT_BLOCK_MS 12000
/* How soon a spool notices that its folder is gone, and how long what it holds takes to leave. */
#define VANISHED_MS 3000

static void
pen_chaos_fill (const char *folder, gboolean is_full)
{
  g_autofree char *path = g_build_filename (folder, "filler", NULL);
  g_autofree char *block = g_malloc0 (4096);
  int fd;

  if (!is_full)
    {
      g_assert_no_errno (g_unlink (path));
      return;
    }
  fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  for (gsize size = 4096; size > 0; size /= 2)
    while (write (fd, block, size) == (gssize) size)
      continue;
  g_assert_cmpint (errno, ==, ENOSPC);
  close (fd);
}

static void
pen_chaos_full (PenChaos *self, const char *folder)
{
  guint n_faults = pen_chaos_get_n_faults (2);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_fill (folder, TRUE);
      pen_chaos_pass (self, pen_chaos_random (self, FULL_FROM_MS, FULL_BELOW_MS));
      pen_chaos_fill (folder, FALSE);
      pen_chaos_fault_over (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

static void
pen_chaos_full_output (PenChaos *self)
{
  pen_chaos_full (self, pen_chaos_get_output_folder (self));
}

static void
pen_chaos_full_state (PenChaos *self)
{
  pen_chaos_full (self, pen_chaos_get_state_folder (self));
}

static void
pen_chaos_remove_below (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        pen_chaos_remove_below (path);
      g_remove (path);
    }
}

/* rm -rf while it runs; after a while, a kill. What came in between may be acknowledged only when
 * it is safe elsewhere: at any time a few hundred messages are not yet in the output. */
static void
pen_chaos_vanished_state (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (3);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_remove_below (pen_chaos_get_state_folder (self));
      g_rmdir (pen_chaos_get_state_folder (self));
      pen_chaos_pass (self, pen_chaos_random (self, VANISHED_MS, 2 * VANISHED_MS));
      pen_chaos_kill (self);
      pen_chaos_fault_over (self);
      pen_chaos_spawn (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

/* A FIFO that is full and that nobody reads from. */
static void
pen_chaos_blocked_sink (PenChaos *self)
{
  guint minutes = pen_chaos_get_settings ()->minutes;

  pen_chaos_watch_memory (self);
  pen_chaos_hold_reader (self, TRUE);
  pen_chaos_pass (self, minutes > 0 ? minutes * 60 * 1000 : SHORT_BLOCK_MS);
  pen_chaos_mark_memory (self);
  pen_chaos_hold_reader (self, FALSE);
  pen_chaos_fault_over (self);
  pen_chaos_expect_numbers (self, pen_chaos_get_settings ()->rate);
}

void
pen_chaos_add_disk_faults (void)
{
  static const PenChaosPlan output_plan = { .output_mib = 64 };
  static const PenChaosPlan state_plan = { .state_mib = 32 };
  static const PenChaosPlan lingering_plan = { .sink_keys = "linger=200ms\n" };
  static const PenChaosPlan pipe_plan = { .writes_to_pipe = TRUE };

  pen_chaos_add ("full-output", PEN_CHAOS_BOTH, &output_plan, pen_chaos_full_output);
  pen_chaos_add ("full-state", PEN_CHAOS_SPOOL, &state_plan, pen_chaos_full_state);
  pen_chaos_add ("vanished-state", PEN_CHAOS_SPOOL, &lingering_plan, pen_chaos_vanished_state);
  pen_chaos_add ("blocked-sink", PEN_CHAOS_BOTH, &pipe_plan, pen_chaos_blocked_sink);
}
