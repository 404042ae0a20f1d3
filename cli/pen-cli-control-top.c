/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The request "pipelines": what each pipeline has counted, and how it is. One line with what is
 * common to all, one for each, and one that says that this was all: thousands of pipelines are
 * never one text in memory. Counters are sent as they are; rates are for those who compare two
 * looks.
 */

#include "config.h"

#include "pen-cli-control-private.h"

#include "pen-metrics-private.h"

#include <string.h>

/* sent together */
#define CHUNK_BYTES (64 * 1024)
#define MAX_COMPLAINT_BYTES 500

typedef struct
{
  gint64 received;
  gint64 bytes_received;
  gint64 delivered;
  gint64 dropped;
  gint64 rejected;
  gint64 dead_letters;
  gint64 failures;
  gint64 queued;
  gint64 spooled;
  gint64 spool_bytes;
  gint64 n_sources;
  gint64 n_connected;
  gint64 latencies[PEN_HISTOGRAM_MAX_BOUNDS + 1];
  const PenHistogramScale *latency_scale; /* (nullable): of the sinks */
  PenElementKind kind;                    /* of the element whose figures are being read */
} PenCliFigures;

static void
pen_cli_figures_add_of_kind (PenCliFigures *self, const char *name, gint64 value)
{
  if (self->kind == PEN_KIND_SOURCE && g_str_equal (name, "events_received"))
    self->received += value;
  else if (self->kind == PEN_KIND_SOURCE && g_str_equal (name, "bytes_received"))
    self->bytes_received += value;
  else if (self->kind == PEN_KIND_SOURCE && g_str_equal (name, "connected"))
    self->n_connected += value;
  else if (self->kind == PEN_KIND_SINK && g_str_equal (name, "events_sent"))
    self->delivered += value;
  else if (self->kind == PEN_KIND_DEAD_LETTER && g_str_equal (name, "events_sent"))
    self->dead_letters += value;
}

static void
pen_cli_figures_add (const char *name,
                     const char *reason,
                     PenMetricKind kind,
                     gint64 value,
                     gpointer user_data)
{
  PenCliFigures *self = user_data;

  if (value == 0)
    return;
  if (g_str_equal (name, "events_dropped"))
    self->dropped += value;
  else if (g_str_equal (name, "events_rejected"))
    self->rejected += value;
  else if (g_str_equal (name, "failures"))
    self->failures += value;
  else if (g_str_equal (name, "queue_events"))
    self->queued += value;
  else if (g_str_equal (name, "spool_events"))
    self->spooled = MAX (self->spooled, value); /* of the sink that is farthest behind */
  else if (g_str_equal (name, "spool_size_bytes"))
    self->spool_bytes += value;
  else
    pen_cli_figures_add_of_kind (self, name, value);
}

static void
pen_cli_figures_add_histogram (const char *name, const PenHistogram *histogram, gpointer user_data)
{
  PenCliFigures *self = user_data;

  if (self->kind != PEN_KIND_SINK || !g_str_equal (name, "delivery_latency_seconds"))
    return;
  self->latency_scale = histogram->scale;
  for (guint i = 0; i <= histogram->scale->n_bounds; i++)
    self->latencies[i] += pen_metric_get (&histogram->counts[i]);
}

static void
pen_cli_figures_add_pipeline (PenCliFigures *self, const PenStatus *status)
{
  for (guint i = 0; i < pen_status_get_n_elements (status); i++)
    {
      const PenStatusElement *element = pen_status_get_element (status, i);

      self->kind = element->kind;
      self->n_sources += element->kind == PEN_KIND_SOURCE ? 1 : 0;
      pen_metrics_foreach (element->metrics, pen_cli_figures_add, self);
      pen_metrics_foreach_histogram (element->metrics, pen_cli_figures_add_histogram, self);
    }
  pen_metrics_foreach (pen_status_get_metrics (status), pen_cli_figures_add, self);
}

static void
pen_cli_control_put_numbers (PenJsonWriter *writer, const char *key, const gint64 *numbers, guint n)
{
  pen_json_writer_key (writer, key);
  pen_json_writer_begin_array (writer);
  for (guint i = 0; i < n; i++)
    pen_json_writer_int64 (writer, numbers[i]);
  pen_json_writer_end_array (writer);
}

static void
pen_cli_control_put_figures (PenJsonWriter *writer, const PenCliFigures *figures)
{
  pen_cli_wire_put_number (writer, "sources", figures->n_sources);
  pen_cli_wire_put_number (writer, "connected", figures->n_connected);
  pen_cli_wire_put_number (writer, "received", figures->received);
  pen_cli_wire_put_number (writer, "bytes_received", figures->bytes_received);
  pen_cli_wire_put_number (writer, "delivered", figures->delivered);
  pen_cli_wire_put_number (writer, "dropped", figures->dropped);
  pen_cli_wire_put_number (writer, "rejected", figures->rejected);
  pen_cli_wire_put_number (writer, "dead_letters", figures->dead_letters);
  pen_cli_wire_put_number (writer, "failures", figures->failures);
  pen_cli_wire_put_number (writer, "queued", figures->queued);
  pen_cli_wire_put_number (writer, "spooled", figures->spooled);
  pen_cli_wire_put_number (writer, "spool_bytes", figures->spool_bytes);
  if (figures->latency_scale != NULL)
    pen_cli_control_put_numbers (writer, "latencies", figures->latencies,
                                 figures->latency_scale->n_bounds + 1);
}

static char *
pen_cli_control_label (const PenStatusElement *element)
{
  return g_strdup_printf ("%s %s", pen_element_kind_get_nick (element->kind), element->name);
}

static void
pen_cli_control_put_cut (PenJsonWriter *writer, const char *key, const char *text)
{
  g_autofree char *cut = g_strndup (text, MAX_COMPLAINT_BYTES);

  pen_cli_wire_put_text (writer, key, cut);
}

/* Why it failed, or else the first thing that an element complains of. */
static void
pen_cli_control_put_complaint (PenJsonWriter *writer, PenStatus *status)
{
  g_autofree char *failure = pen_status_dup_failure (status);

  if (failure != NULL)
    {
      pen_cli_control_put_cut (writer, "complaint", failure);
      return;
    }
  for (guint i = 0; i < pen_status_get_n_elements (status); i++)
    {
      g_autofree char *complaint = pen_status_dup_complaint (status, i);
      g_autofree char *label = pen_cli_control_label (pen_status_get_element (status, i));

      if (complaint == NULL)
        continue;
      pen_cli_wire_put_text (writer, "complaint_of", label);
      pen_cli_control_put_cut (writer, "complaint", complaint);
      return;
    }
}

static void
pen_cli_control_put_elements (PenJsonWriter *writer, const PenStatus *status)
{
  pen_json_writer_key (writer, "elements");
  pen_json_writer_begin_array (writer);
  for (guint i = 0; i < pen_status_get_n_elements (status); i++)
    {
      g_autofree char *label = pen_cli_control_label (pen_status_get_element (status, i));
      g_autofree char *valid = g_utf8_make_valid (label, -1);

      pen_json_writer_string (writer, valid, -1);
    }
  pen_json_writer_end_array (writer);
}

static void
pen_cli_control_put_pipeline (GString *text, PenStatus *status)
{
  PenCliFigures figures = { 0 };
  PenJsonWriter writer;

  pen_cli_figures_add_pipeline (&figures, status);
  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_text (&writer, "name", pen_status_get_name (status));
  pen_cli_wire_put_text (&writer, "state",
                         pen_status_state_get_nick (pen_status_get_state (status)));
  pen_cli_wire_put_number (&writer, "since_us",
                           g_get_monotonic_time () - pen_status_get_since (status));
  pen_cli_control_put_figures (&writer, &figures);
  pen_cli_control_put_complaint (&writer, status);
  pen_cli_control_put_elements (&writer, status);
  pen_json_writer_end_object (&writer);
}

/* The bounds of the latencies are those of any pipeline. */
static void
pen_cli_control_put_begin (GString *text, const GPtrArray *statuses)
{
  PenCliFigures figures = { 0 };
  PenJsonWriter writer;

  if (statuses->len > 0)
    pen_cli_figures_add_pipeline (&figures, g_ptr_array_index (statuses, 0));
  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_number (&writer, "taken_us", g_get_monotonic_time ());
  if (figures.latency_scale != NULL)
    pen_cli_control_put_numbers (&writer, "latency_bounds_us", figures.latency_scale->bounds,
                                 figures.latency_scale->n_bounds);
  pen_json_writer_end_object (&writer);
}

static void
pen_cli_control_put_end (GString *text, const GPtrArray *statuses)
{
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_number (&writer, "n_pipelines", statuses->len);
  pen_json_writer_end_object (&writer);
}

/* documented in the header */
gboolean
pen_cli_control_answer_pipelines (PenCliControlClient *self, PenJson *request)
{
  g_autoptr (GPtrArray) statuses
      = pen_engine_list_statuses (pen_cli_control_get_engine (self->control));
  g_autoptr (GString) text = g_string_new (NULL);

  pen_cli_control_put_begin (text, statuses);
  for (guint i = 0; i < statuses->len; i++)
    {
      if (text->len < CHUNK_BYTES)
        g_string_append_c (text, '\n');
      else if (!pen_cli_control_send (self, text))
        return FALSE;
      else
        g_string_truncate (text, 0);
      pen_cli_control_put_pipeline (text, g_ptr_array_index (statuses, i));
    }
  g_string_append_c (text, '\n');
  pen_cli_control_put_end (text, statuses);
  return pen_cli_control_send (self, text);
}
