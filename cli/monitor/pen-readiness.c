/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a pipeline does what it is there for: it runs, its sources are connected, and nothing
 * waits for a sink longer than it should. One that has ended because its sources had nothing more
 * is ready: nothing is wrong with it.
 */

#include "config.h"

#include "pen-readiness.h"

#include "pen-json.h"

/* so many reasons are told one by one */
#define MAX_REASONS 100

typedef struct
{
  gboolean is_connected;
  gint64 changed_us; /* since 1970, as the others */
  gint64 oldest_us;  /* 0: nothing waits */
} PenReadinessFigures;

static void
pen_readiness_take_figure (const char *name,
                           const char *reason,
                           PenMetricKind kind,
                           gint64 value,
                           gpointer user_data)
{
  PenReadinessFigures *figures = user_data;

  if (g_str_equal (name, "connected"))
    figures->is_connected = value != 0;
  else if (g_str_equal (name, "connection_changed_timestamp_us"))
    figures->changed_us = value;
  else if (value > 0
           && (g_str_equal (name, "queue_oldest_timestamp_us")
               || g_str_equal (name, "spool_oldest_timestamp_us")))
    figures->oldest_us = figures->oldest_us == 0 ? value : MIN (figures->oldest_us, value);
}

static gboolean
pen_readiness_judge_element (PenStatus *status,
                             guint index,
                             gint64 stuck_us,
                             PenReadinessFunc func,
                             gpointer user_data)
{
  const PenStatusElement *element = pen_status_get_element (status, index);
  gint64 now_us = g_get_real_time ();
  PenReadinessFigures figures = { FALSE, 0, 0 };
  gboolean is_ready = TRUE;

  if (element->kind == PEN_KIND_TRANSFORM)
    return TRUE;
  pen_metrics_foreach (element->metrics, pen_readiness_take_figure, &figures);
  if (element->kind == PEN_KIND_SOURCE && !figures.is_connected)
    {
      is_ready = FALSE;
      if (func != NULL)
        func (status, (int) index, PEN_UNREADY_NOT_CONNECTED, MAX (now_us - figures.changed_us, 0),
              user_data);
    }
  if (figures.oldest_us > 0 && now_us - figures.oldest_us > stuck_us)
    {
      is_ready = FALSE;
      if (func != NULL)
        func (status, (int) index, PEN_UNREADY_STUCK, now_us - figures.oldest_us, user_data);
    }
  return is_ready;
}

/* documented in the header, as what follows */
gboolean
pen_readiness_judge (PenStatus *status, gint64 stuck_us, PenReadinessFunc func, gpointer user_data)
{
  static const PenUnready unready[PEN_STATUS_N_STATES] = {
    [PEN_STATUS_STARTING] = PEN_UNREADY_STARTING,
    [PEN_STATUS_DRAINING] = PEN_UNREADY_STOPPING,
    [PEN_STATUS_FAILED] = PEN_UNREADY_FAILED,
  };
  PenStatusState state = pen_status_get_state (status);
  gboolean is_ready = TRUE;

  if (state == PEN_STATUS_ENDED)
    return TRUE;
  if (state != PEN_STATUS_RUNNING)
    {
      if (func != NULL)
        func (status, -1, unready[state], g_get_monotonic_time () - pen_status_get_since (status),
              user_data);
      return FALSE;
    }
  for (guint i = 0; i < pen_status_get_n_elements (status); i++)
    if (!pen_readiness_judge_element (status, i, stuck_us, func, user_data))
      is_ready = FALSE;
  return is_ready;
}

typedef struct
{
  PenJsonWriter writer;
  guint n_reasons;
} PenReadinessReport;

static void
pen_readiness_write_text (PenReadinessReport *report, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  pen_json_writer_key (&report->writer, key);
  pen_json_writer_string (&report->writer, valid, -1);
}

static void
pen_readiness_write_reason (PenStatus *status,
                            int element,
                            PenUnready reason,
                            gint64 since_us,
                            gpointer user_data)
{
  static const char *const names[] = { "starting", "stopping", "failed", "not_connected", "stuck" };
  PenReadinessReport *report = user_data;
  g_autofree char *message = element < 0 ? pen_status_dup_failure (status)
                                         : pen_status_dup_complaint (status, (guint) element);

  if (++report->n_reasons > MAX_REASONS)
    return;
  pen_json_writer_begin_object (&report->writer);
  pen_readiness_write_text (report, "pipeline", pen_status_get_name (status));
  if (element >= 0)
    {
      const PenStatusElement *seen = pen_status_get_element (status, (guint) element);
      g_autofree char *label
          = g_strdup_printf ("%s %s", pen_element_kind_get_nick (seen->kind), seen->name);

      pen_readiness_write_text (report, "element", label);
    }
  pen_readiness_write_text (report, "reason", names[reason]);
  pen_json_writer_key (&report->writer, "for_seconds");
  pen_json_writer_int64 (&report->writer, since_us / G_USEC_PER_SEC);
  if (message != NULL)
    pen_readiness_write_text (report, "message", message);
  pen_json_writer_end_object (&report->writer);
}

GString *
pen_readiness_write (GPtrArray *statuses, const char *pipeline, gint64 stuck_us, gboolean *is_ready)
{
  GString *text = g_string_new (NULL);
  PenReadinessReport report = { .n_reasons = 0 };
  guint n_pipelines = 0;
  guint n_ready = 0;

  pen_json_writer_init (&report.writer, text);
  pen_json_writer_begin_object (&report.writer);
  pen_json_writer_key (&report.writer, "reasons");
  pen_json_writer_begin_array (&report.writer);
  for (guint i = 0; i < statuses->len; i++)
    {
      PenStatus *status = g_ptr_array_index (statuses, i);

      if (pipeline != NULL && !g_str_equal (pen_status_get_name (status), pipeline))
        continue;
      n_pipelines++;
      n_ready += pen_readiness_judge (status, stuck_us, pen_readiness_write_reason, &report);
    }
  pen_json_writer_end_array (&report.writer);
  *is_ready = n_ready == n_pipelines;
  pen_json_writer_key (&report.writer, "reasons_left_out");
  pen_json_writer_int64 (&report.writer,
                         report.n_reasons > MAX_REASONS ? report.n_reasons - MAX_REASONS : 0);
  pen_json_writer_key (&report.writer, "pipelines");
  pen_json_writer_int64 (&report.writer, n_pipelines);
  pen_json_writer_key (&report.writer, "ready_pipelines");
  pen_json_writer_int64 (&report.writer, n_ready);
  pen_json_writer_key (&report.writer, "ready");
  pen_json_writer_boolean (&report.writer, *is_ready);
  pen_json_writer_end_object (&report.writer);
  g_string_append_c (text, '\n');
  if (pipeline == NULL || n_pipelines > 0)
    return text;
  g_string_free (text, TRUE);
  return NULL;
}
