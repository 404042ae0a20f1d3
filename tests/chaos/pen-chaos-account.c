/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The account of a case: when the faults are over, the load ends, everything that is on its way
 * arrives, and then it is counted what was published, what came, and what did not. One line of JSON
 * a case, for bench/chaos.
 */

#include "config.h"

#include "pen-chaos-private.h"
#include "pen-command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The source waits up to 75 s until it tries again. */
#define STALL_US (100 * G_USEC_PER_SEC)
/* Behind the last number nothing is missing any more that would still come. */
#define SILENCE_US (5 * G_USEC_PER_SEC)
/* How often what is missing is counted, which takes its time. */
#define COUNT_US (G_USEC_PER_SEC / 2)
#define ARRIVAL_MS (60 * 60 * 1000)
#define LOG_TAIL 6000
#define MAX_SHOWN 10

typedef struct
{
  guint n_lost;
  guint n_lost_by_broker;
} PenChaosLosses;

typedef struct
{
  PenChaos *chaos;
  gint64 changed_us;
  gint64 counted_us;
  guint n_lines;
  PenChaosLosses losses;
} PenChaosArrival;

static gboolean
pen_chaos_is_in_gap (PenChaos *self, gint64 confirmed_us)
{
  for (guint i = 0; i < self->gaps->len; i++)
    {
      const PenChaosGap *gap = &g_array_index (self->gaps, PenChaosGap, i);

      if (confirmed_us >= gap->saved_us && confirmed_us <= gap->started_us)
        return TRUE;
    }
  return FALSE;
}

static void
pen_chaos_count_losses (PenChaos *self, PenChaosLosses *losses)
{
  guint n_sent = pen_chaos_load_get_n_sent (self->load);

  losses->n_lost = 0;
  losses->n_lost_by_broker = 0;
  for (guint number = 0; number < n_sent; number++)
    {
      gint64 confirmed_us;

      if (pen_chaos_ledger_has (self->ledger, number))
        continue;
      confirmed_us = pen_chaos_load_get_confirmed_us (self->load, number);
      if (confirmed_us == PEN_CHAOS_UNCONFIRMED)
        continue;
      if (pen_chaos_is_in_gap (self, confirmed_us))
        losses->n_lost_by_broker++;
      else
        losses->n_lost++;
    }
}

static void
pen_chaos_show_losses (PenChaos *self)
{
  guint n_sent = pen_chaos_load_get_n_sent (self->load);
  guint n_shown = 0;

  for (guint number = 0; number < n_sent && n_shown < MAX_SHOWN; number++)
    if (!pen_chaos_ledger_has (self->ledger, number))
      {
        g_printerr ("# missing: %u\n", number);
        n_shown++;
      }
}

static gboolean
pen_chaos_is_confirmed (gpointer user_data)
{
  PenChaos *self = user_data;

  return pen_chaos_load_get_n_confirmed (self->load) >= pen_chaos_load_get_n_sent (self->load);
}

/* Everything is there, or what is not will not come any more. */
static gboolean
pen_chaos_has_arrived (gpointer user_data)
{
  PenChaosArrival *self = user_data;
  guint n_sent = pen_chaos_load_get_n_sent (self->chaos->load);
  gint64 now_us = g_get_monotonic_time ();
  const PenChaosTally *tally;

  pen_chaos_look (self->chaos);
  tally = pen_chaos_ledger_get_tally (self->chaos->ledger);
  if (tally->n_lines != self->n_lines)
    self->changed_us = now_us;
  self->n_lines = tally->n_lines;
  if (tally->n_numbers >= n_sent || now_us - self->changed_us > STALL_US)
    return TRUE;
  if (now_us - self->counted_us < COUNT_US)
    return FALSE;
  self->counted_us = now_us;
  pen_chaos_count_losses (self->chaos, &self->losses);
  return pen_chaos_ledger_has (self->chaos->ledger, n_sent - 1)
         && (self->losses.n_lost == 0 || now_us - self->changed_us > SILENCE_US);
}

static int
pen_chaos_compare (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a;
  gint64 right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

static gint64
pen_chaos_get_recovery_ms (PenChaos *self, double quantile)
{
  guint index = (guint) (quantile * (self->recoveries->len - 1) + 0.5);

  if (self->recoveries->len == 0)
    return -1;
  g_array_sort (self->recoveries, pen_chaos_compare);
  return g_array_index (self->recoveries, gint64, index) / 1000;
}

static void
pen_chaos_report (PenChaos *self, const PenChaosLosses *losses)
{
  const PenChaosSettings *settings = pen_chaos_get_settings ();
  const PenChaosTally *tally = pen_chaos_ledger_get_tally (self->ledger);
  guint n_confirmed = pen_chaos_load_get_n_confirmed (self->load);
  double seconds = (double) (self->ended_us - self->begun_us) / G_USEC_PER_SEC;
  g_autofree char *line = g_strdup_printf (
      "{\"fault\":\"%s\",\"spool\":%s,\"seed\":%u,\"seconds\":%.1f,\"faults\":%u,\"published\":%u,"
      "\"rate\":%.0f,\"lost\":%u,\"lost_by_broker\":%u,\"duplicates\":%u,\"disordered\":%u,"
      "\"torn\":%u,\"foreign\":%u,\"ends\":%u,\"recoveries\":%u,\"recovery_median_ms\":"
      "%" G_GINT64_FORMAT ",\"recovery_most_ms\":%" G_GINT64_FORMAT
      ",\"memory_before_kib\":%" G_GINT64_FORMAT ",\"memory_growth_marked_kib\":%" G_GINT64_FORMAT
      ",\"memory_growth_kib\":%" G_GINT64_FORMAT "}\n",
      self->name, self->has_spool ? "true" : "false", settings->seed, seconds, self->n_faults,
      n_confirmed, n_confirmed / seconds, losses->n_lost, losses->n_lost_by_broker,
      tally->n_lines - tally->n_numbers, tally->n_disordered, tally->n_torn, tally->n_foreign,
      self->n_ends, self->recoveries->len, pen_chaos_get_recovery_ms (self, 0.5),
      pen_chaos_get_recovery_ms (self, 1), self->memory_before_kib,
      MAX (self->memory_marked_kib - self->memory_before_kib, 0),
      self->memory_most_kib - self->memory_before_kib);
  FILE *file;

  g_test_message ("%s", line);
  if (settings->results == NULL)
    return;
  file = fopen (settings->results, "a");
  g_assert_nonnull (file);
  fputs (line, file);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* What penstock has said counts as an error of its own, and where the end of it helps. */
static char *
pen_chaos_read_log (PenChaos *self)
{
  g_autofree char *path = g_build_filename (self->folder, "penstock.log", NULL);

  return pen_test_read_file (path, NULL);
}

void
pen_chaos_show_log (PenChaos *self)
{
  g_autofree char *log = pen_chaos_read_log (self);
  gsize length = strlen (log);

  g_printerr ("# the end of penstock's log:\n%s\n",
              length > LOG_TAIL ? log + length - LOG_TAIL : log);
}

static void
pen_chaos_stop_command (PenChaos *self)
{
  self->is_ending = TRUE;
  pen_chaos_signal (self, SIGTERM);
  pen_command_await_exit (self->process);
  g_assert_true (g_subprocess_get_if_exited (self->process));
  g_assert_cmpint (g_subprocess_get_exit_status (self->process), ==, 0);
  pen_chaos_look (self);
}

static void
pen_chaos_judge (PenChaos *self, const PenChaosLosses *losses)
{
  const PenChaosTally *tally = pen_chaos_ledger_get_tally (self->ledger);
  g_autofree char *log = pen_chaos_read_log (self);

  g_assert_cmpuint (tally->n_torn, ==, 0);
  /* a broker that forgot what it had sends in the order in which it is told again */
  if (!self->plan->saves)
    g_assert_cmpuint (tally->n_disordered, ==, 0);
  g_assert_null (strstr (log, "assertion"));
  g_assert_cmpuint (pen_chaos_load_get_n_confirmed (self->load), ==,
                    pen_chaos_load_get_n_sent (self->load));
  if (pen_chaos_get_settings ()->is_loss_expected)
    g_assert_cmpuint (losses->n_lost, >, 0);
  else
    g_assert_cmpuint (losses->n_lost, ==, 0);
}

/* The faults are over. */
void
pen_chaos_settle_account (PenChaos *self)
{
  PenChaosLosses losses = { 0, 0 };
  PenChaosArrival arrival = { .chaos = self };
  gboolean is_flowing = pen_chaos_await_numbers (self, 1);
  gboolean is_confirmed;

  pen_chaos_load_stop (self->load);
  is_confirmed = pen_chaos_wait (self, pen_chaos_is_confirmed, PEN_CHAOS_WAIT_MS);
  self->ended_us = g_get_monotonic_time ();
  arrival.changed_us = self->ended_us;
  pen_test_wait (pen_chaos_has_arrived, &arrival, ARRIVAL_MS);
  pen_chaos_count_losses (self, &losses);
  pen_chaos_report (self, &losses);
  if (g_test_verbose () || !is_flowing || !is_confirmed
      || (losses.n_lost > 0 && !pen_chaos_get_settings ()->is_loss_expected))
    {
      pen_chaos_show_losses (self);
      pen_chaos_show_log (self);
    }
  g_assert_true (is_flowing);
  pen_chaos_stop_command (self);
  pen_chaos_judge (self, &losses);
}
