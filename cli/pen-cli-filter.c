/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which messages of a spool are meant. A time without an offset is refused: at night, and across
 * machines, nobody knows whose clock was meant. Topics are matched as a broker does it (MQTT 5,
 * section 4.7).
 */

#include "config.h"

#include "pen-cli-filter.h"

#include "pen-suggest.h"
#include "pen-value.h"

#include <string.h>

#define MAX_TOPIC_BYTES 65535

static void
pen_cli_time_set_error (const char *text, const char *why, GError **error)
{
  g_autofree char *quoted = pen_quote (text);

  g_set_error (
      error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "%s is no time%s; write 2026-01-31T03:00:00Z, or how long ago it was, such as 30min, "
      "2h or 7d",
      quoted, why);
}

/* documented in the header */
gboolean
pen_cli_time_parse (const char *text, gint64 now_us, gint64 *time_us, GError **error)
{
  g_autoptr (GDateTime) time = NULL;
  g_autoptr (GDateTime) with_zone = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  gint64 ago_us = 0;

  if (pen_duration_parse (text, &ago_us, NULL))
    {
      *time_us = now_us - ago_us;
      return TRUE;
    }
  time = g_date_time_new_from_iso8601 (text, NULL /* the text must have an offset */);
  if (time != NULL)
    {
      *time_us = g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
      return TRUE;
    }
  with_zone = g_date_time_new_from_iso8601 (text, utc);
  pen_cli_time_set_error (
      text, with_zone != NULL ? " without Z (UTC) or an offset such as +01:00" : "", error);
  return FALSE;
}

/* documented in the header */
gboolean
pen_cli_topic_filter_check (const char *filter, GError **error)
{
  g_auto (GStrv) levels = g_strsplit (filter, "/", -1);
  g_autofree char *quoted = pen_quote (filter);
  const char *why = NULL;

  if (*filter == '\0')
    why = "it is empty";
  else if (strlen (filter) > MAX_TOPIC_BYTES)
    why = "it is longer than 65,535 bytes";
  for (guint i = 0; why == NULL && levels[i] != NULL; i++)
    {
      if (strchr (levels[i], '#') != NULL && (levels[i + 1] != NULL || strlen (levels[i]) > 1))
        why = "'#' stands alone, at the end";
      else if (strchr (levels[i], '+') != NULL && strlen (levels[i]) > 1)
        why = "'+' stands alone between slashes";
    }
  if (why != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "%s is no topic filter: %s; write a/b, a/+/c or a/#", quoted, why);
  return why == NULL;
}

/* documented in the header; @filter is a good one */
gboolean
pen_cli_topic_matches (const char *filter, const char *topic)
{
  /* what a broker says of itself is not meant by a wildcard */
  if (*topic == '$' && (*filter == '+' || *filter == '#'))
    return FALSE;
  while (*filter != '\0')
    {
      gsize length = strcspn (topic, "/");
      gsize filter_length = strcspn (filter, "/");

      if (*filter == '#')
        return TRUE;
      if (*filter != '+' && (length != filter_length || strncmp (filter, topic, length) != 0))
        return FALSE;
      filter += filter_length;
      topic += length;
      /* a/# is a as well */
      if (*topic == '\0')
        return *filter == '\0' || g_str_equal (filter, "/#");
      if (*filter == '\0')
        return FALSE;
      filter++;
      topic++;
      /* what ends with a slash has an empty level behind it */
      if (*filter == '\0')
        return *topic == '\0';
    }
  return *topic == '\0';
}

/* documented in the header */
gboolean
pen_cli_filter_init (PenCliFilter *self,
                     const char *from,
                     const char *to,
                     const char *topic,
                     gint64 now_us,
                     GError **error)
{
  *self = (PenCliFilter){ .from_us = G_MININT64, .to_us = G_MAXINT64 };
  if (from != NULL && !pen_cli_time_parse (from, now_us, &self->from_us, error))
    {
      g_prefix_error (error, "--from: ");
      return FALSE;
    }
  if (to != NULL && !pen_cli_time_parse (to, now_us, &self->to_us, error))
    {
      g_prefix_error (error, "--to: ");
      return FALSE;
    }
  if (self->from_us >= self->to_us)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "--from %s is not before --to %s", from != NULL ? from : "", to);
      return FALSE;
    }
  if (topic != NULL && !pen_cli_topic_filter_check (topic, error))
    {
      g_prefix_error (error, "--topic: ");
      return FALSE;
    }
  self->topic = g_strdup (topic);
  return TRUE;
}

/* documented in the header */
void
pen_cli_filter_clear (PenCliFilter *self)
{
  g_clear_pointer (&self->topic, g_free);
}

/* documented in the header */
gboolean
pen_cli_filter_is_open (const PenCliFilter *self)
{
  return self->from_us == G_MININT64 && self->to_us == G_MAXINT64 && self->topic == NULL;
}

/* documented in the header */
gboolean
pen_cli_filter_matches (const PenCliFilter *self, const PenEvent *event)
{
  gint64 arrival_us = pen_event_get_arrival (event);
  const char *topic = pen_event_get_topic (event);

  if (arrival_us < self->from_us || arrival_us >= self->to_us)
    return FALSE;
  return self->topic == NULL || (topic != NULL && pen_cli_topic_matches (self->topic, topic));
}
