/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Doubles that were computed, as text: the fewest digits that give the same double again, laid out
 * as Python's repr () does it, so that both sides of a comparison can be read side by side.
 */

#include "config.h"

#include "pen-json.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* From 1e16 on, and below 1e-4, there is an exponent. */
#define MAX_PLAIN_EXPONENT 16
#define MIN_PLAIN_EXPONENT -4

/* Writes `-d.ddde±xx` with @n_digits; returns whether it is the same double. */
static gboolean
pen_json_try_digits (double value, guint n_digits, char *text)
{
  char format[8];

  g_snprintf (format, sizeof format, "%%.%u%c", n_digits - 1, 'e');
  g_ascii_formatd (text, PEN_JSON_DOUBLE_SIZE, format, value);
  return g_ascii_strtod (text, NULL) == value;
}

/* Adds one to the last digit; returns whether it is the same double. The doubles below a power of
 * two are nearer to it than those above: then this may be so, though the digits before, which are
 * nearer still, are another double. */
static gboolean
pen_json_try_next_digits (double value, char *text)
{
  char *p = strchr (text, 'e') - 1;

  for (; p >= text && (*p == '9' || *p == '.'); p--)
    if (*p == '9')
      *p = '0';
  if (p < text || *p == '-')
    return FALSE;
  ++*p;
  return g_ascii_strtod (text, NULL) == value;
}

/* Of 15 digits each gives another double, so that the shortest is among them, with zeros behind it;
 * but not of the smallest doubles, which have fewer bits. 17 always do (IEEE 754-2008, 5.12.2). */
static void
pen_json_find_digits (double value, char *text)
{
  guint n_digits = fabs (value) < DBL_MIN ? 1 : DBL_DIG;

  while (n_digits < DBL_DECIMAL_DIG && !pen_json_try_digits (value, n_digits, text)
         && !(n_digits == DBL_DECIMAL_DIG - 1 && pen_json_try_next_digits (value, text)))
    n_digits++;
  if (n_digits == DBL_DECIMAL_DIG)
    pen_json_try_digits (value, n_digits, text);
}

static void
pen_json_append (char **p, const char *text, gsize length)
{
  memcpy (*p, text, length);
  *p += length;
}

/* Lays @digits, in which the point is behind the first, out without an exponent. */
static void
pen_json_lay_out_plainly (char **p, const char *digits, gsize n_digits, int exponent)
{
  gsize n_whole = exponent < 0 ? 0 : (gsize) exponent + 1;

  if (n_whole == 0)
    {
      pen_json_append (p, "0.0000", (gsize) 1 - (gsize) exponent);
      pen_json_append (p, digits, n_digits);
      return;
    }
  pen_json_append (p, digits, MIN (n_whole, n_digits));
  for (gsize i = n_digits; i < n_whole; i++)
    *(*p)++ = '0';
  *(*p)++ = '.';
  if (n_digits > n_whole)
    pen_json_append (p, digits + n_whole, n_digits - n_whole);
  else
    *(*p)++ = '0';
}

/**
 * pen_json_format_double: (skip)
 * @value: a number
 * @text: (out caller-allocates): room for %PEN_JSON_DOUBLE_SIZE bytes
 *
 * Writes a double with the fewest digits that give the same double when read again, and with a
 * point or an exponent: `46.0`, `47.17777777777778`, `1e-07`. JSON has no infinities and no NaN:
 * for those, `null` is written.
 *
 * Returns: the length
 *
 * Threads: any
 */
gsize
pen_json_format_double (double value, char *text)
{
  char scientific[PEN_JSON_DOUBLE_SIZE];
  char digits[DBL_DECIMAL_DIG + 1] = "0";
  gsize n_digits = 0;
  char *p = text;
  const char *q = scientific;
  int exponent;

  if (!isfinite (value))
    return g_strlcpy (text, "null", PEN_JSON_DOUBLE_SIZE);
  pen_json_find_digits (value, scientific);
  if (*q == '-')
    *p++ = *q++;
  for (; *q != 'e'; q++)
    if (*q != '.')
      digits[n_digits++] = *q;
  exponent = (int) g_ascii_strtoll (q + 1, NULL, 10);
  while (n_digits > 1 && digits[n_digits - 1] == '0')
    n_digits--;
  if (exponent < MAX_PLAIN_EXPONENT && exponent >= MIN_PLAIN_EXPONENT)
    {
      pen_json_lay_out_plainly (&p, digits, n_digits, exponent);
      *p = '\0';
      return (gsize) (p - text);
    }
  *p++ = digits[0];
  if (n_digits > 1)
    {
      *p++ = '.';
      pen_json_append (&p, digits + 1, n_digits - 1);
    }
  p += g_snprintf (p, 8, "e%c%02d", exponent < 0 ? '-' : '+', ABS (exponent));
  return (gsize) (p - text);
}
