/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Exact decimal numbers for tests: the digits are written out as on paper, then looked at. Beyond
 * FAR digits from the point a number is only "huge" or "tiny": it keeps one digit out there.
 */

#include "config.h"

#include "pen-slow-number.h"

#include <string.h>

#define FAR 1000

/* The exponent behind the 'e' of a JSON number, at most a billion either way. */
static gint64
pen_slow_number_exponent (const char *text, const char *end)
{
  gint64 exponent = 0;
  gboolean negative = FALSE;

  for (; text < end; text++)
    {
      if (*text == '-')
        negative = TRUE;
      else if (*text != '+')
        exponent = MIN (exponent * 10 + (*text - '0'), 1000000000);
    }
  return negative ? -exponent : exponent;
}

static void
pen_slow_number_trim (PenSlowNumber *self)
{
  gsize zeros = strspn (self->integer, "0");
  gsize length = strlen (self->fraction);

  memmove (self->integer, self->integer + zeros, strlen (self->integer + zeros) + 1);
  while (length > 0 && self->fraction[length - 1] == '0')
    self->fraction[--length] = '\0';
}

/* @text is a number by RFC 8259. */
PenSlowNumber *
pen_slow_number_new (const char *text, gsize length)
{
  PenSlowNumber *self = g_new0 (PenSlowNumber, 1);
  g_autofree char *copy = g_strndup (text, length);
  const char *mantissa = copy[0] == '-' ? copy + 1 : copy;
  gsize n_mantissa = strcspn (mantissa, "eE");
  gint64 point = (gint64) MIN (strcspn (mantissa, "."), n_mantissa);
  g_autoptr (GString) digits = g_string_new (NULL);

  self->negative = copy[0] == '-';
  for (gsize i = 0; i < n_mantissa; i++)
    if (mantissa[i] != '.')
      g_string_append_c (digits, mantissa[i]);
  if (mantissa[n_mantissa] != '\0')
    point += pen_slow_number_exponent (mantissa + n_mantissa + 1, copy + length);
  while (digits->len > 0 && digits->str[0] == '0')
    {
      g_string_erase (digits, 0, 1);
      point--;
    }
  if (digits->len == 0)
    point = 0;
  /* The digits are now those of 0.ddd × 10^point, the first of them no zero. */
  if (point > FAR || point < -FAR)
    g_string_assign (digits, "1");
  point = CLAMP (point, -FAR, FAR);
  for (; point < 0; point++)
    g_string_prepend_c (digits, '0');
  while ((gint64) digits->len < point)
    g_string_append_c (digits, '0');
  self->integer = g_strndup (digits->str, (gsize) point);
  self->fraction = g_strdup (digits->str + point);
  pen_slow_number_trim (self);
  return self;
}

void
pen_slow_number_free (PenSlowNumber *self)
{
  g_free (self->integer);
  g_free (self->fraction);
  g_free (self);
}

/* FALSE if it is not whole or does not fit. */
gboolean
pen_slow_number_to_int64 (const PenSlowNumber *self, gint64 *value)
{
  const char *limit = self->negative ? "9223372036854775808" : "9223372036854775807";
  gsize length = strlen (self->integer);

  if (self->fraction[0] != '\0' || length > strlen (limit)
      || (length == strlen (limit) && strcmp (self->integer, limit) > 0))
    return FALSE;
  *value = (gint64) g_ascii_strtoull (self->integer, NULL, 10);
  if (self->negative)
    *value = (gint64) (0 - (guint64) *value);
  return TRUE;
}
