/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a run came to, in one line: "received 1000, delivered 998, rejected 2 (invalid_json 2)".
 * The figures are those of the elements, added up: received is what sources took in, delivered is
 * what sinks wrote, so that two sinks of one pipeline count each event once each.
 */

#include "config.h"

#include "pen-cli-summary.h"

/* so many reasons are named, the most frequent first */
#define MAX_REASONS 8

typedef struct
{
  char *reason;
  gint64 count;
} PenCliReason;

typedef struct
{
  gint64 total;
  GArray *reasons; /* of PenCliReason */
} PenCliTally;

typedef struct
{
  gint64 received;
  gint64 delivered;
  gint64 dead_letters;
  gint64 spooled;
  PenCliTally dropped;
  PenCliTally replaced;
  PenCliTally skipped;
  PenCliTally rejected;
  PenElementKind kind; /* of the element whose figures are being read */
} PenCliTotals;

static void
pen_cli_tally_clear_reason (gpointer data)
{
  g_free (((PenCliReason *) data)->reason);
}

static void
pen_cli_tally_add (PenCliTally *tally, const char *reason, gint64 count)
{
  PenCliReason added = { g_strdup (reason != NULL ? reason : "unknown"), count };

  if (tally->reasons == NULL)
    {
      tally->reasons = g_array_new (FALSE, FALSE, sizeof (PenCliReason));
      g_array_set_clear_func (tally->reasons, pen_cli_tally_clear_reason);
    }
  tally->total += count;
  for (guint i = 0; i < tally->reasons->len; i++)
    {
      PenCliReason *known = &g_array_index (tally->reasons, PenCliReason, i);

      if (g_str_equal (known->reason, added.reason))
        {
          known->count += count;
          g_free (added.reason);
          return;
        }
    }
  g_array_append_val (tally->reasons, added);
}

static int
pen_cli_tally_compare (gconstpointer a, gconstpointer b)
{
  const PenCliReason *one = a;
  const PenCliReason *other = b;

  if (one->count != other->count)
    return one->count > other->count ? -1 : 1;
  return g_strcmp0 (one->reason, other->reason);
}

static void
pen_cli_tally_append (PenCliTally *tally, GString *line, const char *name)
{
  if (tally->total == 0)
    return;
  g_array_sort (tally->reasons, pen_cli_tally_compare);
  g_string_append_printf (line, ", %s %" G_GINT64_FORMAT " (", name, tally->total);
  for (guint i = 0; i < MIN (tally->reasons->len, MAX_REASONS); i++)
    {
      const PenCliReason *reason = &g_array_index (tally->reasons, PenCliReason, i);

      g_string_append_printf (line, "%s%s %" G_GINT64_FORMAT, i > 0 ? ", " : "", reason->reason,
                              reason->count);
    }
  g_string_append (line, tally->reasons->len > MAX_REASONS ? ", and others)" : ")");
}

static void
pen_cli_totals_add_metric (const char *name,
                           const char *reason,
                           PenMetricKind metric_kind,
                           gint64 value,
                           gpointer data)
{
  PenCliTotals *totals = data;

  if (value == 0)
    return;
  if (g_str_equal (name, "events_received") && totals->kind == PEN_KIND_SOURCE)
    totals->received += value;
  else if (g_str_equal (name, "events_sent") && totals->kind == PEN_KIND_SINK)
    totals->delivered += value;
  else if (g_str_equal (name, "events_sent") && totals->kind == PEN_KIND_DEAD_LETTER)
    totals->dead_letters += value;
  else if (g_str_equal (name, "spool_events"))
    totals->spooled += value;
  else if (g_str_equal (name, "values_replaced"))
    pen_cli_tally_add (&totals->replaced, reason, value);
  else if (g_str_equal (name, "events_dropped"))
    pen_cli_tally_add (&totals->dropped, reason, value);
  else if (g_str_equal (name, "parts_skipped"))
    pen_cli_tally_add (&totals->skipped, reason, value);
  else if (g_str_equal (name, "events_rejected"))
    pen_cli_tally_add (&totals->rejected, reason, value);
}

static void
pen_cli_totals_add_element (const char *pipeline,
                            PenElementKind kind,
                            const char *element,
                            PenMetrics *metrics,
                            gpointer data)
{
  PenCliTotals *totals = data;

  totals->kind = kind;
  pen_metrics_foreach (metrics, pen_cli_totals_add_metric, totals);
}

/*
 * pen_cli_summarize:
 * @engine: all pipelines, after their end
 *
 * Returns: (transfer full): what they received and what became of it
 */
char *
pen_cli_summarize (PenEngine *engine)
{
  PenCliTotals totals = { 0 };
  GString *line = g_string_new (NULL);

  pen_engine_foreach_metrics (engine, pen_cli_totals_add_element, &totals);
  pen_engine_foreach_past_metrics (engine, pen_cli_totals_add_element, &totals);
  g_string_append_printf (line, "received %" G_GINT64_FORMAT ", delivered %" G_GINT64_FORMAT,
                          totals.received, totals.delivered);
  pen_cli_tally_append (&totals.dropped, line, "dropped");
  pen_cli_tally_append (&totals.replaced, line, "replaced values");
  pen_cli_tally_append (&totals.skipped, line, "skipped parts");
  pen_cli_tally_append (&totals.rejected, line, "rejected");
  if (totals.dead_letters > 0)
    g_string_append_printf (line, ", dead letters %" G_GINT64_FORMAT, totals.dead_letters);
  if (totals.spooled > 0)
    g_string_append_printf (line, ", waiting in spools %" G_GINT64_FORMAT, totals.spooled);
  g_clear_pointer (&totals.dropped.reasons, g_array_unref);
  g_clear_pointer (&totals.replaced.reasons, g_array_unref);
  g_clear_pointer (&totals.skipped.reasons, g_array_unref);
  g_clear_pointer (&totals.rejected.reasons, g_array_unref);
  return g_string_free (line, FALSE);
}
