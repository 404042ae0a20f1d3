/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a process tells of its pipelines, and what follows from two looks: rates, and the latency
 * that most deliveries in between did not exceed. A pipeline that was replaced counts from 0 again:
 * then all that it has counted was counted in between.
 */

#include "config.h"

#include "pen-cli-top.h"

#include <string.h>

/* for all of the answer, of a process that is busy */
#define ANSWER_TIMEOUT_MS 10000
#define LATENCY_PERCENT 95

const char *const pen_cli_top_sort_names[]
    = { "trouble", "name",  "in",    "out",     "dropped", "rejected",
        "letters", "queue", "spool", "latency", NULL };

/* For each but the first two, the larger the figure the higher; -1 is the latency. */
static const int pen_cli_top_sort_figures[] = {
  0,
  0,
  PEN_CLI_TOP_RECEIVED,
  PEN_CLI_TOP_DELIVERED,
  PEN_CLI_TOP_DROPPED,
  PEN_CLI_TOP_REJECTED,
  PEN_CLI_TOP_DEAD_LETTERS,
  PEN_CLI_TOP_QUEUED,
  PEN_CLI_TOP_SPOOLED,
  -1,
};

/* documented in the header */
const char *
pen_cli_top_get_figure_name (PenCliTopFigure figure)
{
  static const char *const names[PEN_CLI_TOP_N_FIGURES] = {
    [PEN_CLI_TOP_SOURCES] = "sources",     [PEN_CLI_TOP_CONNECTED] = "connected",
    [PEN_CLI_TOP_RECEIVED] = "received",   [PEN_CLI_TOP_BYTES_RECEIVED] = "bytes_received",
    [PEN_CLI_TOP_DELIVERED] = "delivered", [PEN_CLI_TOP_DROPPED] = "dropped",
    [PEN_CLI_TOP_REJECTED] = "rejected",   [PEN_CLI_TOP_DEAD_LETTERS] = "dead_letters",
    [PEN_CLI_TOP_FAILURES] = "failures",   [PEN_CLI_TOP_QUEUED] = "queued",
    [PEN_CLI_TOP_SPOOLED] = "spooled",     [PEN_CLI_TOP_SPOOL_BYTES] = "spool_bytes",
  };

  return names[figure];
}

static void
pen_cli_top_row_free (gpointer data)
{
  PenCliTopRow *self = data;

  g_free (self->name);
  g_free (self->state);
  g_free (self->complaint);
  g_free (self->complaint_of);
  g_strfreev (self->elements);
  g_free (self);
}

/* documented in the header */
void
pen_cli_top_look_free (PenCliTopLook *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

/* Returns how many numbers the array has; those that are none count as 0. */
static guint
pen_cli_top_take_numbers (const PenJson *json, const char *name, gint64 *numbers)
{
  PenJsonNode list = pen_json_get_member (json, 0 /* the whole */, name);
  PenJsonNode node = list != PEN_JSON_NO_NODE ? pen_json_get_first_child (json, list) : list;
  guint n = 0;

  for (; node != PEN_JSON_NO_NODE && n < PEN_CLI_TOP_MAX_BUCKETS;
       node = pen_json_get_next_sibling (json, node))
    {
      numbers[n] = 0;
      pen_json_get_int64 (json, node, &numbers[n++], NULL);
    }
  return n;
}

static GStrv
pen_cli_top_take_texts (const PenJson *json, const char *name)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  PenJsonNode list = pen_json_get_member (json, 0 /* the whole */, name);
  PenJsonNode node = list != PEN_JSON_NO_NODE ? pen_json_get_first_child (json, list) : list;

  for (; node != PEN_JSON_NO_NODE; node = pen_json_get_next_sibling (json, node))
    {
      g_autofree char *text = pen_json_dup_string (json, node, NULL);

      if (text != NULL)
        g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

/* (nullable): none without a name, or with one that does not fit */
static PenCliTopRow *
pen_cli_top_row_new (const PenJson *json, const GPtrArray *patterns)
{
  g_autofree char *name = pen_cli_wire_dup_text (json, 0 /* the whole */, "name");
  gboolean fits = patterns == NULL || patterns->len == 0;
  PenCliTopRow *self = NULL;

  for (guint i = 0; name != NULL && !fits && i < patterns->len; i++)
    fits = g_pattern_spec_match_string (g_ptr_array_index (patterns, i), name);
  if (name == NULL || !fits)
    return NULL;
  self = g_new0 (PenCliTopRow, 1);
  self->name = g_steal_pointer (&name);
  self->state = pen_cli_wire_dup_text (json, 0, "state");
  if (self->state == NULL)
    self->state = g_strdup ("unknown");
  self->since_us = pen_cli_wire_get_number (json, 0, "since_us", 0);
  for (guint i = 0; i < PEN_CLI_TOP_N_FIGURES; i++)
    self->figures[i]
        = MAX (pen_cli_wire_get_number (json, 0, pen_cli_top_get_figure_name (i), 0), 0);
  pen_cli_top_take_numbers (json, "latencies", self->latencies);
  self->complaint = pen_cli_wire_dup_text (json, 0, "complaint");
  self->complaint_of = pen_cli_wire_dup_text (json, 0, "complaint_of");
  self->elements = pen_cli_top_take_texts (json, "elements");
  return self;
}

/* What was counted between two looks. */
static gint64
pen_cli_top_get_growth (gint64 now, gint64 before)
{
  return now >= before ? now - before : now;
}

/* The value within its bucket that 95 of 100 of @counts do not exceed; -1 if there are none. */
static gint64
pen_cli_top_find_latency (const PenCliTopLook *look, const gint64 *counts)
{
  gint64 n = 0;
  gint64 goal = 0;
  gint64 low = 0;

  for (guint i = 0; i <= look->n_bounds && i < PEN_CLI_TOP_MAX_BUCKETS; i++)
    n += counts[i];
  goal = (n * LATENCY_PERCENT + 99) / 100;
  if (n <= 0)
    return -1;
  for (guint i = 0; i < look->n_bounds; i++)
    {
      if (counts[i] >= goal && counts[i] > 0)
        return low
               + (gint64) ((double) (look->latency_bounds[i] - low) * (double) goal
                           / (double) counts[i]);
      goal -= counts[i];
      low = look->latency_bounds[i];
    }
  return low; /* more than that */
}

static void
pen_cli_top_row_compare (PenCliTopRow *self,
                         PenCliTopLook *look,
                         const PenCliTopLook *then,
                         const PenCliTopRow *before)
{
  static const PenCliTopRow nothing = { 0 };
  double seconds = then != NULL ? (double) (look->taken_us - then->taken_us) / G_USEC_PER_SEC
                                : (double) self->since_us / G_USEC_PER_SEC;
  gint64 growths[PEN_CLI_TOP_MAX_BUCKETS];

  if (before == NULL)
    before = &nothing;
  for (guint i = 0; i < PEN_CLI_TOP_N_FIGURES; i++)
    {
      if (seconds > 0)
        self->rates[i]
            = (double) pen_cli_top_get_growth (self->figures[i], before->figures[i]) / seconds;
      look->total.figures[i] += self->figures[i];
      look->total.rates[i] += self->rates[i];
    }
  for (guint i = 0; i < PEN_CLI_TOP_MAX_BUCKETS; i++)
    {
      growths[i] = pen_cli_top_get_growth (self->latencies[i], before->latencies[i]);
      look->total.latencies[i] += growths[i];
    }
  self->latency_us = pen_cli_top_find_latency (look, growths);
}

static void
pen_cli_top_compare_looks (PenCliTopLook *self, const PenCliTopLook *before)
{
  g_autoptr (GHashTable) rows = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; before != NULL && i < before->rows->len; i++)
    {
      PenCliTopRow *row = g_ptr_array_index (before->rows, i);

      g_hash_table_insert (rows, row->name, row);
    }
  for (guint i = 0; i < self->rows->len; i++)
    {
      PenCliTopRow *row = g_ptr_array_index (self->rows, i);

      pen_cli_top_row_compare (row, self, before, g_hash_table_lookup (rows, row->name));
    }
  self->total.latency_us = pen_cli_top_find_latency (self, self->total.latencies);
}

/* The next line; FALSE if there is none more, with @is_whole saying whether that is as it should
 * be. */
static gboolean
pen_cli_top_take_line (PenCliTopLook *self,
                       PenCliPeer *peer,
                       const GPtrArray *patterns,
                       gint64 end_us,
                       gboolean *is_whole)
{
  PenCliWireResult result = PEN_CLI_WIRE_NOTHING;
  g_autoptr (PenJson) json = pen_cli_peer_receive (peer, ANSWER_TIMEOUT_MS, &result);
  PenCliTopRow *row = NULL;

  /* a signal comes as nothing, too */
  if (json == NULL)
    return result == PEN_CLI_WIRE_NOTHING && g_get_monotonic_time () < end_us;
  *is_whole = pen_json_get_member (json, 0 /* the whole */, "n_pipelines") != PEN_JSON_NO_NODE;
  if (*is_whole)
    return FALSE;
  if (pen_json_get_member (json, 0, "taken_us") != PEN_JSON_NO_NODE)
    {
      self->taken_us = pen_cli_wire_get_number (json, 0, "taken_us", 0);
      self->n_bounds = pen_cli_top_take_numbers (json, "latency_bounds_us", self->latency_bounds);
      return TRUE;
    }
  row = pen_cli_top_row_new (json, patterns);
  if (row != NULL)
    g_ptr_array_add (self->rows, row);
  return pen_json_get_member (json, 0, "error") == PEN_JSON_NO_NODE;
}

/* documented in the header */
PenCliTopLook *
pen_cli_top_look (PenCliPeer *peer, const PenCliTopLook *before, const GPtrArray *patterns)
{
  g_autoptr (PenCliTopLook) self = g_new0 (PenCliTopLook, 1);
  g_autoptr (GString) request = g_string_new (NULL);
  gint64 end_us = g_get_monotonic_time () + ANSWER_TIMEOUT_MS * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean is_whole = FALSE;
  PenJsonWriter writer;

  self->rows = g_ptr_array_new_with_free_func (pen_cli_top_row_free);
  pen_cli_peer_begin (&writer, request, "pipelines");
  if (!pen_cli_peer_send (peer, &writer, request))
    return NULL;
  while (pen_cli_top_take_line (self, peer, patterns, end_us, &is_whole))
    ;
  if (!is_whole)
    return NULL;
  pen_cli_top_compare_looks (self, before);
  return g_steal_pointer (&self);
}

/* The higher the worse. */
static int
pen_cli_top_rate_trouble (const PenCliTopRow *row)
{
  if (g_str_equal (row->state, "failed"))
    return 4;
  if (row->complaint != NULL)
    return 3;
  if (row->rates[PEN_CLI_TOP_REJECTED] > 0)
    return 2;
  return g_str_equal (row->state, "running") ? 0 : 1;
}

static int
pen_cli_top_compare_rows (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenCliTopRow *one = *(const PenCliTopRow *const *) a;
  const PenCliTopRow *other = *(const PenCliTopRow *const *) b;
  guint by = GPOINTER_TO_UINT (user_data);
  int figure = pen_cli_top_sort_figures[by];
  double difference = 0;

  if (by == 0)
    difference = pen_cli_top_rate_trouble (other) - pen_cli_top_rate_trouble (one);
  else if (figure < 0)
    difference = (double) (other->latency_us - one->latency_us);
  else if (figure == PEN_CLI_TOP_RECEIVED || figure == PEN_CLI_TOP_DELIVERED)
    difference = other->rates[figure] - one->rates[figure];
  else if (by > 1)
    difference = (double) (other->figures[figure] - one->figures[figure]);
  if (difference < 0 || difference > 0)
    return difference < 0 ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* documented in the header */
void
pen_cli_top_sort (PenCliTopLook *self, guint by)
{
  g_ptr_array_sort_with_data (self->rows, pen_cli_top_compare_rows, GUINT_TO_POINTER (by));
}
