/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An event's time in the forms that loggers give it. The ISO forms are those of Python's
 * datetime.isoformat (), which most scripts of this field use: microseconds are left out when they
 * are 0.
 */

#include "config.h"

#include "pen-simulate-time.h"

#include <string.h>

/* How a time in UTC ends that says so. */
#define OFFSET "+00:00"

static const char *const form_names[] = {
  [PEN_SIMULATE_TIME_EPOCH] = "epoch",         [PEN_SIMULATE_TIME_EPOCH_MS] = "epoch-ms",
  [PEN_SIMULATE_TIME_EPOCH_US] = "epoch-us",   [PEN_SIMULATE_TIME_ISO] = "iso",
  [PEN_SIMULATE_TIME_ISO_NAIVE] = "iso-naive",
};

static gboolean
pen_simulate_time_pattern_is_good (const char *pattern)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (0);
  g_autofree char *text = g_date_time_format (time, pattern);

  return text != NULL && *text != '\0';
}

gboolean
pen_simulate_time_parse_form (const char *text, PenSimulateTimeForm *form, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (form_names); i++)
    {
      if (g_str_equal (text, form_names[i]))
        {
          *form = (PenSimulateTimeForm) i;
          return TRUE;
        }
    }
  if (strchr (text, '%') != NULL && pen_simulate_time_pattern_is_good (text))
    {
      *form = PEN_SIMULATE_TIME_PATTERN;
      return TRUE;
    }
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                         "'%s' is no form of a time; there are epoch, epoch-ms, epoch-us, iso, "
                         "iso-naive, and patterns of strftime such as '%%Y-%%m-%%d'",
                         text);
  return FALSE;
}

gboolean
pen_simulate_time_form_is_number (PenSimulateTimeForm form)
{
  return form <= PEN_SIMULATE_TIME_EPOCH_US;
}

static gint64
pen_simulate_time_floor (gint64 time_us, gint64 unit_us)
{
  gint64 whole = time_us / unit_us;

  return time_us % unit_us < 0 ? whole - 1 : whole;
}

static void
pen_simulate_time_append_iso (GString *text, gint64 time_us, gboolean has_offset)
{
  char formatted[PEN_TIME_MAX_LENGTH + 1];
  gsize length = pen_time_format (time_us, formatted);

  g_string_append_len (text, formatted, (gssize) (has_offset ? length : length - strlen (OFFSET)));
}

static void
pen_simulate_time_append_pattern (GString *text, const char *pattern, gint64 second)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (second);
  g_autofree char *formatted = time != NULL ? g_date_time_format (time, pattern) : NULL;

  if (formatted != NULL)
    g_string_append (text, formatted);
}

void
pen_simulate_time_append (GString *text,
                          PenSimulateTimeForm form,
                          const char *pattern,
                          gint64 time_us)
{
  gint64 second = pen_simulate_time_floor (time_us, G_USEC_PER_SEC);

  switch (form)
    {
    case PEN_SIMULATE_TIME_EPOCH_US:
      g_string_append_printf (text, "%" G_GINT64_FORMAT, time_us);
      break;
    case PEN_SIMULATE_TIME_EPOCH_MS:
      g_string_append_printf (text, "%" G_GINT64_FORMAT,
                              pen_simulate_time_floor (time_us, G_TIME_SPAN_MILLISECOND));
      break;
    case PEN_SIMULATE_TIME_ISO:
    case PEN_SIMULATE_TIME_ISO_NAIVE:
      pen_simulate_time_append_iso (text, time_us, form == PEN_SIMULATE_TIME_ISO);
      break;
    case PEN_SIMULATE_TIME_PATTERN:
      pen_simulate_time_append_pattern (text, pattern, second);
      break;
    case PEN_SIMULATE_TIME_EPOCH:
    default:
      g_string_append_printf (text, "%" G_GINT64_FORMAT, second);
      break;
    }
}

gboolean
pen_simulate_time_parse (const char *text, gint64 *time_us, GError **error)
{
  if (pen_time_parse (text, strlen (text), time_us))
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                         "'%s' is no time; write it as '2026-06-01T12:00:00Z' or '2026-06-01'",
                         text);
  return FALSE;
}
