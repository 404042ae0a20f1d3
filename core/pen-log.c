/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the process writes its log, and failures that repeat, told once.
 *
 * Everything goes through GLib's structured log, so that pipeline and element are fields of their
 * own (PENSTOCK_PIPELINE, PENSTOCK_ELEMENT) and a journal can be asked for one site. Standard
 * output belongs to the stdout sink: all three formats write to standard error.
 */

#include "config.h"

#include "pen-log.h"

#include "pen-json.h"
#include "pen-log-private.h"

#include <string.h>
#include <unistd.h>

#define MINUTE_US (60 * G_USEC_PER_SEC)
/* so many different messages of one complaint are told in a minute */
#define MAX_DIFFERENT_A_MINUTE 5

/* constant after pen_log_install */
static PenLogFormat log_format;
static GLogLevelFlags log_least = G_LOG_LEVEL_INFO;

static const char *
pen_log_get_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key) && fields[i].length < 0)
      return fields[i].value;
  return NULL;
}

static const char *
pen_log_get_level_name (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "error";
  if (level & G_LOG_LEVEL_WARNING)
    return "warning";
  if (level & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO))
    return "info";
  return "debug";
}

static void
pen_log_append_text (GString *line,
                     const char *time,
                     const char *level,
                     const char *pipeline,
                     const char *element,
                     const char *message)
{
  g_string_append_printf (line, "%s %s: ", time, level);
  if (pipeline != NULL)
    g_string_append_printf (line, "%s: ", pipeline);
  if (element != NULL)
    g_string_append_printf (line, "%s: ", element);
  for (const char *byte = message; *byte != '\0'; byte++)
    if (g_ascii_iscntrl (*byte))
      g_string_append_printf (line, "\\x%02x", (guchar) *byte);
    else
      g_string_append_c (line, *byte);
}

static void
pen_log_append_json (GString *line,
                     const char *time,
                     const char *level,
                     const char *pipeline,
                     const char *element,
                     const char *message)
{
  PenJsonWriter writer;
  g_autofree char *valid = g_utf8_make_valid (message, -1);

  pen_json_writer_init (&writer, line);
  pen_json_writer_begin_object (&writer);
  pen_json_writer_key (&writer, "time");
  pen_json_writer_string (&writer, time, -1);
  pen_json_writer_key (&writer, "level");
  pen_json_writer_string (&writer, level, -1);
  if (pipeline != NULL)
    {
      pen_json_writer_key (&writer, "pipeline");
      pen_json_writer_string (&writer, pipeline, -1);
    }
  if (element != NULL)
    {
      pen_json_writer_key (&writer, "element");
      pen_json_writer_string (&writer, element, -1);
    }
  pen_json_writer_key (&writer, "message");
  pen_json_writer_string (&writer, valid, -1);
  pen_json_writer_end_object (&writer);
}

static void
pen_log_write_line (const char *text, gsize length)
{
  while (length > 0)
    {
      gssize written = write (STDERR_FILENO, text, length);

      if (written <= 0)
        return; /* a log that cannot be written has nobody to tell */
      text += written;
      length -= (gsize) written;
    }
}

static GLogWriterOutput
pen_log_writer (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  g_autoptr (GString) line = NULL;
  g_autoptr (GDateTime) now = NULL;
  g_autofree char *time = NULL;
  const char *message = pen_log_get_field (fields, n_fields, "MESSAGE");
  const char *pipeline = pen_log_get_field (fields, n_fields, "PENSTOCK_PIPELINE");
  const char *element = pen_log_get_field (fields, n_fields, "PENSTOCK_ELEMENT");

  if ((level & G_LOG_LEVEL_MASK) > log_least || message == NULL)
    return G_LOG_WRITER_HANDLED;
  if (log_format == PEN_LOG_JOURNAL
      && g_log_writer_journald (level, fields, n_fields, user_data) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;

  now = g_date_time_new_now_utc ();
  time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%f+00:00");
  line = g_string_sized_new (256);
  (log_format == PEN_LOG_JSON ? pen_log_append_json : pen_log_append_text) (
      line, time, pen_log_get_level_name (level), pipeline, element, message);
  g_string_append_c (line, '\n');
  pen_log_write_line (line->str, line->len);
  return G_LOG_WRITER_HANDLED;
}

/* documented in the private header */
void
pen_log_install (PenLogFormat format, GLogLevelFlags least)
{
  log_format = format;
  log_least = least;
  g_log_set_writer_func (pen_log_writer, NULL, NULL);
}

/* documented in the private header */
PenLogFormat
pen_log_get_default_format (void)
{
  return g_log_writer_is_journald (STDERR_FILENO) ? PEN_LOG_JOURNAL : PEN_LOG_TEXT;
}

/**
 * pen_complaint_raise: (skip)
 * @self: a complaint
 * @now_us: monotonic time
 * @message: what fails
 *
 * Says that something failed (again). The same message is told once a minute, and of different ones
 * a few: what changes with each failure must not flood the log either.
 *
 * Returns: (transfer full) (nullable): what to log now, if anything
 *
 * Threads: one at a time
 */
char *
pen_complaint_raise (PenComplaint *self, gint64 now_us, const char *message)
{
  gboolean is_new_minute = self->message == NULL || now_us - self->told_us >= MINUTE_US;
  gboolean is_other = self->message == NULL || !g_str_equal (self->message, message);
  guint64 untold = self->untold;

  if (!is_new_minute && (!is_other || self->n_told >= MAX_DIFFERENT_A_MINUTE))
    {
      self->untold++;
      return NULL;
    }
  if (is_new_minute)
    {
      self->told_us = now_us;
      self->n_told = 0;
      self->untold = 0;
    }
  self->n_told++;
  if (is_other)
    {
      g_free (self->message);
      self->message = g_strdup (message);
    }
  if (is_new_minute && untold > 0)
    return g_strdup_printf ("%s (and %" G_GUINT64_FORMAT " times before)", message, untold);
  return g_strdup (message);
}

/**
 * pen_complaint_release: (skip)
 * @self: a complaint
 *
 * Says that it works again.
 *
 * Returns: whether anything had been told, so that the recovery is worth telling too
 *
 * Threads: one at a time
 */
gboolean
pen_complaint_release (PenComplaint *self)
{
  gboolean was_raised = self->message != NULL;

  pen_complaint_clear (self);
  return was_raised;
}

/* documented in the private header */
const char *
pen_complaint_get_message (const PenComplaint *self)
{
  return self->message;
}

/**
 * pen_complaint_clear: (skip)
 * @self: a complaint
 *
 * Frees what it holds; it can be used again.
 *
 * Threads: one at a time
 */
void
pen_complaint_clear (PenComplaint *self)
{
  g_clear_pointer (&self->message, g_free);
  self->told_us = 0;
  self->n_told = 0;
  self->untold = 0;
}
