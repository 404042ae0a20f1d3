/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For people at a terminal. Figures do not depend on the locale: a message looks the same in every
 * log, and in the documentation.
 */

#include "config.h"

#include "pen-cli-terminal.h"

#include <string.h>
#include <unistd.h>

#define PROGRESS_AFTER_US (500 * (gint64) 1000)
#define PROGRESS_EVERY_US (100 * (gint64) 1000)
#define BAR_WIDTH 30
#define ANSWER_BYTES 16
#define FIRST_C1 0x80
#define LAST_C1 0x9f
#define DELETE 0x7f

/* documented in the header */
char *
pen_cli_format_count (guint64 count)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  gsize length = strlen (digits);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (text, FALSE);
}

/* documented in the header */
char *
pen_cli_format_bytes (guint64 bytes)
{
  static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
  double value = (double) bytes / 1024;
  guint unit = 0;

  if (bytes < 1024)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);
  /* 1023.95 would be printed as 1024.0 */
  while (value >= 1023.95 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      unit++;
    }
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

/* documented in the header */
char *
pen_cli_format_age (gint64 duration_us)
{
  static const struct
  {
    const char *name;
    gint64 seconds;
  } units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
  gint64 seconds = MAX (duration_us, 0) / G_USEC_PER_SEC;
  guint first = 0;
  gint64 rest;

  while (first + 1 < G_N_ELEMENTS (units) && seconds < units[first].seconds)
    first++;
  rest = seconds % units[first].seconds;
  if (first + 1 == G_N_ELEMENTS (units) || rest < units[first + 1].seconds)
    return g_strdup_printf ("%" G_GINT64_FORMAT "%s", seconds / units[first].seconds,
                            units[first].name);
  return g_strdup_printf ("%" G_GINT64_FORMAT "%s %" G_GINT64_FORMAT "%s",
                          seconds / units[first].seconds, units[first].name,
                          rest / units[first + 1].seconds, units[first + 1].name);
}

/* documented in the header */
char *
pen_cli_format_time (gint64 real_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("(no time)");
}

/* documented in the header */
gboolean
pen_cli_is_control (gunichar c)
{
  return c < ' ' || (c >= DELETE && c <= LAST_C1);
}

/* documented in the header */
void
pen_cli_append_printable (GString *text, const char *data, gsize length, gboolean keep_lines)
{
  const char *end = data + length;

  while (data < end)
    {
      gunichar c = g_utf8_get_char_validated (data, end - data);
      gboolean is_kept = c == '\n' && keep_lines;

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (text, "\\x%02x", (guint) (guchar) *data++);
          continue;
        }
      if (pen_cli_is_control (c) && !is_kept)
        g_string_append_printf (text, c < FIRST_C1 ? "\\x%02x" : "\\u%04x", c);
      else
        g_string_append_unichar (text, c);
      data = g_utf8_next_char (data);
    }
}

/* documented in the header */
void
pen_cli_progress_show (PenCliProgress *self, const char *what, double done)
{
  gint64 now_us = g_get_monotonic_time ();
  guint filled = (guint) (CLAMP (done, 0, 1) * BAR_WIDTH);
  char bar[BAR_WIDTH + 1];

  if (self->begin_us == 0)
    self->begin_us = now_us;
  if (now_us - self->begin_us < PROGRESS_AFTER_US || now_us - self->last_us < PROGRESS_EVERY_US
      || !isatty (STDERR_FILENO))
    return;
  memset (bar, '#', filled);
  memset (bar + filled, '.', BAR_WIDTH - filled);
  bar[BAR_WIDTH] = '\0';
  self->last_us = now_us;
  self->is_shown = TRUE;
  fprintf (stderr, "\r%s %3.0f %% %s\033[K", bar, CLAMP (done, 0, 1) * 100, what);
  fflush (stderr);
}

/* documented in the header */
void
pen_cli_progress_clear (PenCliProgress *self)
{
  if (self->is_shown)
    fputs ("\r\033[K", stderr);
  self->is_shown = FALSE;
}

/* documented in the header */
gboolean
pen_cli_ask (const PenCli *self, const char *question, int *status)
{
  char answer[ANSWER_BYTES] = "";

  if (!isatty (STDIN_FILENO))
    {
      fprintf (stderr, "%s\n", question);
      *status = pen_cli_complain (self, "nothing was changed: there is no terminal to ask at; "
                                        "--yes does it without asking");
      return FALSE;
    }
  fprintf (stderr, "%s [y/N] ", question);
  fflush (stderr);
  if (fgets (answer, sizeof answer, stdin) == NULL)
    fputc ('\n', stderr);
  g_strstrip (answer);
  if (g_ascii_strcasecmp (answer, "y") == 0 || g_ascii_strcasecmp (answer, "yes") == 0)
    return TRUE;
  fprintf (stderr, "Nothing was changed.\n");
  *status = PEN_CLI_DONE;
  return FALSE;
}
