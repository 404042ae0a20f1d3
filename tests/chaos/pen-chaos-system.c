/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a system does to a process: the clock jumps, an operator's script sends SIGHUP again and
 * again, descriptors run out.
 */

#include "config.h"

#include "pen-chaos-faults.h"

#include <signal.h>
#include <sys/resource.h>

#define LONGEST_QUIET_MS 1500
#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)
/* The certificates of the test begin a day ago. */
#define MAX_HOURS 20
#define LONGEST_HANGUP_MS 60
/* Standard input, output and error; a look at the keyfile or a socket needs more. */
#define FEW_DESCRIPTORS 3
#define SHORT_MS_FROM 2000
#define SHORT_MS_BELOW 5000

/* Back, and back again without having been set right. */
static void
pen_chaos_clock_set_back (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (4);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      pen_chaos_set_clock (self, -HOUR_US * pen_chaos_random (self, 1, MAX_HOURS));
      pen_chaos_fault_over (self);
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      if (i % 2 == 1)
        {
          pen_chaos_kill (self);
          pen_chaos_fault_over (self);
          pen_chaos_spawn (self);
        }
      pen_chaos_expect_numbers (self, 1);
    }
}

/* What the keyfile says changes, is faulty, or is what it was. */
static void
pen_chaos_hangups (PenChaos *self)
{
  static const char *const contents[] = {
    "", "drain-timeout=9s\n", "drain-timeout=8s\n", "no-such-key=1\n", "[", "drain-timeout=9s\n",
  };
  guint n_faults = pen_chaos_get_n_faults (60);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_HANGUP_MS));
      pen_chaos_write_keyfile (self, contents[pen_chaos_random (self, 0, G_N_ELEMENTS (contents))]);
      pen_chaos_signal (self, SIGHUP);
      pen_chaos_fault_counted (self);
    }
  pen_chaos_write_keyfile (self, "");
  pen_chaos_signal (self, SIGHUP);
  pen_chaos_fault_over (self);
  pen_chaos_expect_numbers (self, 1);
}

/* Every connection that is lost, and every SIGHUP, finds none left. */
static void
pen_chaos_no_descriptors (PenChaos *self)
{
  const struct rlimit few = { FEW_DESCRIPTORS, 4096 };
  const struct rlimit many = { 4096, 4096 };
  guint n_faults = pen_chaos_get_n_faults (2);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_QUIET_MS));
      g_assert_no_errno (prlimit (pen_chaos_get_pid (self), RLIMIT_NOFILE, &few, NULL));
      pen_chaos_proxy_cut (pen_chaos_get_proxy (self), PEN_CHAOS_CUT_CLOSE);
      pen_chaos_signal (self, SIGHUP);
      pen_chaos_pass (self, pen_chaos_random (self, SHORT_MS_FROM, SHORT_MS_BELOW));
      g_assert_no_errno (prlimit (pen_chaos_get_pid (self), RLIMIT_NOFILE, &many, NULL));
      pen_chaos_fault_over (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

void
pen_chaos_add_system_faults (void)
{
  static const PenChaosPlan clock_plan = { .has_clock = TRUE };
  static const PenChaosPlan plain_plan = { .has_proxy = FALSE };
  static const PenChaosPlan proxy_plan = { .has_proxy = TRUE };

  pen_chaos_add ("clock-set-back", PEN_CHAOS_BOTH, &clock_plan, pen_chaos_clock_set_back);
  pen_chaos_add ("hangups", PEN_CHAOS_BOTH, &plain_plan, pen_chaos_hangups);
  pen_chaos_add ("no-descriptors", PEN_CHAOS_BOTH, &proxy_plan, pen_chaos_no_descriptors);
}
