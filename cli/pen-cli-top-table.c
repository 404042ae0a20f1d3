/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How pipelines do, as a table for people and as JSON for programs. The numbers of a column are
 * short, so that a screen of 80 columns has room for all of them; JSON has them whole.
 */

#include "config.h"

#include "pen-cli-top.h"

#include "pen-cli-terminal.h"

#include <string.h>

#define N_COLUMNS 11
#define MAX_NAME_WIDTH 32

static const char *const pen_cli_top_headings[N_COLUMNS]
    = { "PIPELINE", "STATE",   "CONN",  "IN/s",  "OUT/s",  "DROPPED",
        "REJECTED", "LETTERS", "QUEUE", "SPOOL", "LATENCY" };

/* "1234", "56.7k", "8.9M" */
static char *
pen_cli_top_format_count (gint64 count)
{
  static const char units[] = "kMGTP";
  double value = (double) count / 1000;
  guint unit = 0;

  if (count < 100000)
    return g_strdup_printf ("%" G_GINT64_FORMAT, count);
  while (value >= 999.5 && unit + 2 < sizeof units)
    {
      value /= 1000;
      unit++;
    }
  return g_strdup_printf (value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static char *
pen_cli_top_format_rate (double rate)
{
  return rate < 999.95 ? g_strdup_printf ("%.1f", rate)
                       : pen_cli_top_format_count ((gint64) (rate + 0.5));
}

/* "0.8 ms", "12 s", "3 h" */
static char *
pen_cli_top_format_latency (gint64 latency_us)
{
  static const struct
  {
    const char *name;
    double us;
  } units[] = { { "ms", 1000 }, { "s", 1e6 }, { "min", 60e6 }, { "h", 3600e6 } };
  guint unit = 0;
  double value;

  if (latency_us < 0)
    return g_strdup ("-");
  while (unit + 1 < G_N_ELEMENTS (units) && (double) latency_us >= units[unit + 1].us)
    unit++;
  value = (double) latency_us / units[unit].us;
  return g_strdup_printf (value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit].name);
}

static char *
pen_cli_top_format_connection (const PenCliTopRow *row)
{
  gint64 n_sources = row->figures[PEN_CLI_TOP_SOURCES];
  gint64 n_connected = row->figures[PEN_CLI_TOP_CONNECTED];

  if (n_connected == n_sources)
    return g_strdup ("yes");
  return n_connected == 0
             ? g_strdup ("no")
             : g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, n_connected, n_sources);
}

/* The cells of a row; @name and @state and @connection are taken. */
static void
pen_cli_top_fill (char **cells, const PenCliTopRow *row, char *name, char *state, char *connection)
{
  static const PenCliTopFigure counts[]
      = { PEN_CLI_TOP_DROPPED, PEN_CLI_TOP_REJECTED, PEN_CLI_TOP_DEAD_LETTERS, PEN_CLI_TOP_QUEUED,
          PEN_CLI_TOP_SPOOLED };
  guint n = 0;

  cells[n++] = name;
  cells[n++] = state;
  cells[n++] = connection;
  cells[n++] = pen_cli_top_format_rate (row->rates[PEN_CLI_TOP_RECEIVED]);
  cells[n++] = pen_cli_top_format_rate (row->rates[PEN_CLI_TOP_DELIVERED]);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    cells[n++] = pen_cli_top_format_count (row->figures[counts[i]]);
  cells[n++] = pen_cli_top_format_latency (row->latency_us);
}

static char *
pen_cli_top_cut (const char *text, gsize width)
{
  g_autoptr (GString) printable = g_string_new (NULL);

  pen_cli_append_printable (printable, text, strlen (text), FALSE /* keep_lines */);
  if ((gsize) g_utf8_strlen (printable->str, -1) <= width)
    return g_string_free (g_steal_pointer (&printable), FALSE);
  g_string_truncate (
      printable,
      (gsize) (g_utf8_offset_to_pointer (printable->str, (glong) width - 1) - printable->str));
  g_string_append (printable, "…");
  return g_string_free (g_steal_pointer (&printable), FALSE);
}

/* How many columns the widest cells of a column have. */
static void
pen_cli_top_measure (char **cells, guint n_lines, gsize *widths)
{
  for (guint i = 0; i < n_lines * N_COLUMNS; i++)
    widths[i % N_COLUMNS] = MAX (widths[i % N_COLUMNS], (gsize) g_utf8_strlen (cells[i], -1));
}

/* Texts begin at the left, numbers end at the right. */
static void
pen_cli_top_append_cell (GString *line, const char *cell, guint column, gsize width)
{
  gsize n_blanks = width - (gsize) g_utf8_strlen (cell, -1);

  if (column > 0)
    g_string_append (line, "  ");
  if (column < 3)
    g_string_append (line, cell);
  for (gsize i = 0; i < n_blanks; i++)
    g_string_append_c (line, ' ');
  if (column >= 3)
    g_string_append (line, cell);
}

static void
pen_cli_top_append_line (GString *text,
                         const char *line,
                         const PenCliTopLayout *layout,
                         gboolean is_bold)
{
  g_autofree char *cut = layout->width > 0 ? pen_cli_top_cut (line, layout->width) : NULL;
  g_autofree char *stripped = g_strchomp (g_strdup (cut != NULL ? cut : line));

  if (is_bold && layout->has_bold)
    g_string_append_printf (text, "\033[1m%s\033[0m\n", stripped);
  else
    g_string_append_printf (text, "%s\n", stripped);
}

static void
pen_cli_top_append_complaint (GString *line, const PenCliTopRow *row)
{
  if (row->complaint == NULL)
    return;
  g_string_append (line, "  ");
  if (row->complaint_of != NULL)
    g_string_append_printf (line, "%s: ", row->complaint_of);
  pen_cli_append_printable (line, row->complaint, strlen (row->complaint), FALSE);
}

/* "597 running, 2 starting" */
static char *
pen_cli_top_count_states (const PenCliTopLook *look)
{
  static const char *const states[] = { "running", "starting", "draining", "ended", "failed" };
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      guint n = 0;

      for (guint j = 0; j < look->rows->len; j++)
        n += g_str_equal (((PenCliTopRow *) g_ptr_array_index (look->rows, j))->state, states[i])
                 ? 1
                 : 0;
      if (n > 0)
        g_string_append_printf (text, "%s%u %s", text->len > 0 ? ", " : "", n, states[i]);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
pen_cli_top_append_head (GString *text,
                         const PenCliPeer *peer,
                         const PenCliTopLook *look,
                         const PenCliTopLayout *layout)
{
  g_autofree char *states = pen_cli_top_count_states (look);
  g_autofree char *in
      = pen_cli_format_bytes ((guint64) look->total.rates[PEN_CLI_TOP_BYTES_RECEIVED]);
  g_autofree char *spool
      = pen_cli_format_bytes ((guint64) look->total.figures[PEN_CLI_TOP_SPOOL_BYTES]);
  g_autoptr (GString) line = g_string_new (NULL);
  guint last = MIN (look->rows->len, layout->first + layout->n_rows);

  g_string_printf (line, "penstock %s, process %d, since %s: %u pipeline%s%s%s", peer->version,
                   peer->pid, peer->started, look->rows->len, look->rows->len == 1 ? "" : "s",
                   look->rows->len > 0 ? ", " : "", states);
  pen_cli_top_append_line (text, line->str, layout, FALSE);
  g_string_printf (line, "in %s/s, spools %s, failed writes %" G_GINT64_FORMAT "; by %s", in, spool,
                   look->total.figures[PEN_CLI_TOP_FAILURES],
                   pen_cli_top_sort_names[layout->sorted_by]);
  if (last - layout->first < look->rows->len)
    g_string_append_printf (line, ", %u to %u", layout->first + 1, last);
  pen_cli_top_append_line (text, line->str, layout, FALSE);
}

/* documented in the header */
void
pen_cli_top_append_table (GString *text,
                          const PenCliPeer *peer,
                          const PenCliTopLook *look,
                          const PenCliTopLayout *layout)
{
  guint first = MIN (layout->first, look->rows->len);
  guint n_rows = MIN (look->rows->len - first, layout->n_rows);
  guint n_lines = n_rows + 2; /* headings and total */
  g_auto (GStrv) cells = g_new0 (char *, n_lines *N_COLUMNS + 1);
  gsize widths[N_COLUMNS] = { 0 };

  for (guint i = 0; i < N_COLUMNS; i++)
    cells[i] = g_strdup (pen_cli_top_headings[i]);
  pen_cli_top_fill (cells + N_COLUMNS, &look->total, g_strdup ("(all)"), g_strdup (""),
                    g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                     look->total.figures[PEN_CLI_TOP_CONNECTED],
                                     look->total.figures[PEN_CLI_TOP_SOURCES]));
  for (guint i = 0; i < n_rows; i++)
    {
      const PenCliTopRow *row = g_ptr_array_index (look->rows, first + i);

      pen_cli_top_fill (cells + (i + 2) * N_COLUMNS, row,
                        pen_cli_top_cut (row->name, MAX_NAME_WIDTH), g_strdup (row->state),
                        pen_cli_top_format_connection (row));
    }
  pen_cli_top_measure (cells, n_lines, widths);
  pen_cli_top_append_head (text, peer, look, layout);
  for (guint i = 0; i < n_lines; i++)
    {
      g_autoptr (GString) line = g_string_new (NULL);

      for (guint j = 0; j < N_COLUMNS; j++)
        pen_cli_top_append_cell (line, cells[i * N_COLUMNS + j], j, widths[j]);
      if (i == 0)
        g_string_append (line, "  COMPLAINT");
      if (i >= 2)
        pen_cli_top_append_complaint (line, g_ptr_array_index (look->rows, first + i - 2));
      pen_cli_top_append_line (text, line->str, layout, i == 0);
    }
}

static void
pen_cli_top_put_row (PenJsonWriter *writer, const PenCliTopRow *row)
{
  for (guint i = 0; i < PEN_CLI_TOP_N_FIGURES; i++)
    pen_cli_wire_put_number (writer, pen_cli_top_get_figure_name (i), row->figures[i]);
  for (guint i = PEN_CLI_TOP_RECEIVED; i <= PEN_CLI_TOP_FAILURES; i++)
    {
      g_autofree char *key = g_strconcat (pen_cli_top_get_figure_name (i), "_per_second", NULL);

      pen_json_writer_key (writer, key);
      pen_json_writer_double (writer, row->rates[i]);
    }
  pen_json_writer_key (writer, "latency_p95_ms");
  if (row->latency_us >= 0)
    pen_json_writer_double (writer, (double) row->latency_us / 1000);
  else
    pen_json_writer_null (writer);
}

static void
pen_cli_top_put_pipeline (PenJsonWriter *writer, const PenCliTopRow *row)
{
  pen_json_writer_begin_object (writer);
  pen_cli_wire_put_text (writer, "name", row->name);
  pen_cli_wire_put_text (writer, "state", row->state);
  pen_json_writer_key (writer, "state_seconds");
  pen_json_writer_double (writer, (double) row->since_us / G_USEC_PER_SEC);
  pen_cli_top_put_row (writer, row);
  if (row->complaint_of != NULL)
    pen_cli_wire_put_text (writer, "complaint_of", row->complaint_of);
  if (row->complaint != NULL)
    pen_cli_wire_put_text (writer, "complaint", row->complaint);
  pen_json_writer_key (writer, "elements");
  pen_json_writer_begin_array (writer);
  for (guint i = 0; row->elements[i] != NULL; i++)
    pen_json_writer_string (writer, row->elements[i], -1);
  pen_json_writer_end_array (writer);
  pen_json_writer_end_object (writer);
}

/* documented in the header */
void
pen_cli_top_append_json (GString *text, const PenCliPeer *peer, const PenCliTopLook *look)
{
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_json_writer_key (&writer, "process");
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_number (&writer, "pid", peer->pid);
  pen_cli_wire_put_text (&writer, "version", peer->version);
  pen_cli_wire_put_text (&writer, "started", peer->started);
  pen_json_writer_end_object (&writer);
  pen_json_writer_key (&writer, "total");
  pen_json_writer_begin_object (&writer);
  pen_cli_top_put_row (&writer, &look->total);
  pen_json_writer_end_object (&writer);
  pen_json_writer_key (&writer, "pipelines");
  pen_json_writer_begin_array (&writer);
  for (guint i = 0; i < look->rows->len; i++)
    pen_cli_top_put_pipeline (&writer, g_ptr_array_index (look->rows, i));
  pen_json_writer_end_array (&writer);
  pen_json_writer_end_object (&writer);
  g_string_append_c (text, '\n');
}
