/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults of processes: penstock and the broker are killed, or stopped for so long that the other
 * side gives them up.
 */

#include "config.h"

#include "pen-chaos-faults.h"

#include <signal.h>

/* Some kills hit an instance that has not yet connected. */
#define LONGEST_LIFE_MS 1500
/* keep-alive is 5 s; the broker gives up after one and a half times that. */
#define STOP_FROM_MS 8000
#define STOP_BELOW_MS 10000

static void
pen_chaos_kill_in_a_loop (PenChaos *self, guint n_faults)
{
  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_LIFE_MS));
      pen_chaos_kill (self);
      pen_chaos_fault_over (self);
      pen_chaos_spawn (self);
    }
}

static void
pen_chaos_killed (PenChaos *self)
{
  pen_chaos_kill_in_a_loop (self, pen_chaos_get_n_faults (10));
}

/* With a few hundred messages that are received and not yet written at any time: what a build with
 * -Dunsafe-acknowledge=true loses for certain. */
static void
pen_chaos_killed_lingering (PenChaos *self)
{
  pen_chaos_kill_in_a_loop (self, pen_chaos_get_n_faults (5));
}

static void
pen_chaos_killed_broker (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (2);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_let_settle (self, i);
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_LIFE_MS));
      pen_chaos_kill_broker (self);
      pen_broker_start (pen_chaos_get_broker (self));
      pen_chaos_fault_over (self);
      /* an instance that was refused waits for a second or two, and only then there is load */
      pen_chaos_expect_numbers (self, 1);
    }
}

static void
pen_chaos_killed_both (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (4);

  for (guint i = 0; i < n_faults; i++)
    {
      gboolean is_broker_first = pen_chaos_random (self, 0, 2) == 0;

      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_LIFE_MS));
      if (is_broker_first)
        pen_chaos_kill_broker (self);
      pen_chaos_kill (self);
      if (!is_broker_first)
        pen_chaos_kill_broker (self);
      pen_broker_start (pen_chaos_get_broker (self));
      pen_chaos_fault_over (self);
      pen_chaos_spawn (self);
      pen_chaos_expect_numbers (self, 1);
    }
}

static void
pen_chaos_stopped (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (1);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_LIFE_MS));
      pen_chaos_signal (self, SIGSTOP);
      pen_chaos_pass (self, pen_chaos_random (self, STOP_FROM_MS, STOP_BELOW_MS));
      pen_chaos_fault_over (self);
      pen_chaos_signal (self, SIGCONT);
      pen_chaos_expect_numbers (self, 1);
    }
}

static void
pen_chaos_stopped_broker (PenChaos *self)
{
  guint n_faults = pen_chaos_get_n_faults (1);

  for (guint i = 0; i < n_faults; i++)
    {
      pen_chaos_pass (self, pen_chaos_random (self, 0, LONGEST_LIFE_MS));
      pen_broker_suspend (pen_chaos_get_broker (self), TRUE);
      pen_chaos_pass (self, pen_chaos_random (self, STOP_FROM_MS, STOP_BELOW_MS));
      pen_chaos_fault_over (self);
      pen_broker_suspend (pen_chaos_get_broker (self), FALSE);
      pen_chaos_expect_numbers (self, 1);
    }
}

void
pen_chaos_add_process_faults (void)
{
  static const PenChaosPlan plain_plan = { .has_proxy = FALSE };
  static const PenChaosPlan lingering_plan = { .sink_keys = "linger=200ms\n" };
  static const PenChaosPlan saving_plan = { .saves = TRUE };

  pen_chaos_add ("killed", PEN_CHAOS_BOTH, &plain_plan, pen_chaos_killed);
  pen_chaos_add ("killed-lingering", PEN_CHAOS_BOTH, &lingering_plan, pen_chaos_killed_lingering);
  pen_chaos_add ("killed-broker", PEN_CHAOS_BOTH, &saving_plan, pen_chaos_killed_broker);
  pen_chaos_add ("killed-both", PEN_CHAOS_BOTH, &saving_plan, pen_chaos_killed_both);
  pen_chaos_add ("stopped", PEN_CHAOS_BOTH, &plain_plan, pen_chaos_stopped);
  pen_chaos_add ("stopped-broker", PEN_CHAOS_BOTH, &plain_plan, pen_chaos_stopped_broker);
}
