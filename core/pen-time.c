/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Points in time as payloads have them. All arithmetic is on decimal digits and integers, since a
 * double has no room for microseconds; what is finer is cut off towards the past. The calendar is
 * the proleptic Gregorian one of the years 1 to 9999, without leap seconds, as in Unix time.
 */

#include "config.h"

#include "pen-time.h"

#define FIRST_US (G_GINT64_CONSTANT (-62135596800) * G_USEC_PER_SEC)  /* 0001-01-01T00:00:00 */
#define BEHIND_US (G_GINT64_CONSTANT (253402300800) * G_USEC_PER_SEC) /* 10000-01-01T00:00:00 */
#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA 146097  /* 400 years */
#define MARCH_TO_1970 719468 /* days from 0000-03-01 to 1970-01-01 */
#define FRACTION_DIGITS 6

/* More digits than the microseconds of any time in range have. */
#define MAX_DIGITS 18
/* Far beyond any number of digits that a text can have. */
#define MAX_EXPONENT (G_GINT64_CONSTANT (1) << 60)

typedef struct
{
  const char *text;
  const char *end;
} PenTimeCursor;

static gboolean
pen_time_take (PenTimeCursor *self, char c)
{
  if (self->text == self->end || *self->text != c)
    return FALSE;
  self->text++;
  return TRUE;
}

/* Takes exactly @n_digits, which are a number of at most @maximum. */
static gboolean
pen_time_take_number (PenTimeCursor *self, guint n_digits, gint64 maximum, gint64 *number)
{
  *number = 0;
  for (; n_digits > 0; n_digits--, self->text++)
    {
      if (self->text == self->end || !g_ascii_isdigit (*self->text))
        return FALSE;
      *number = *number * 10 + (*self->text - '0');
    }
  return *number <= maximum;
}

/* A year begins in March here, so that the day that is not always there is its last. */
static gint64
pen_time_count_days (gint64 year, gint64 month, gint64 day)
{
  gint64 shifted = month > 2 ? year : year - 1;
  gint64 era = shifted / 400;
  gint64 year_of_era = shifted - era * 400;
  gint64 day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

  return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
         - MARCH_TO_1970;
}

static gboolean
pen_time_take_date (PenTimeCursor *self, gint64 *days)
{
  gint64 year;
  gint64 month;
  gint64 day;

  if (!pen_time_take_number (self, 4, 9999, &year) || !pen_time_take (self, '-')
      || !pen_time_take_number (self, 2, 12, &month) || !pen_time_take (self, '-')
      || !pen_time_take_number (self, 2, 31, &day))
    return FALSE;
  if (year < 1 || !g_date_valid_dmy ((GDateDay) day, (GDateMonth) month, (GDateYear) year))
    return FALSE;
  *days = pen_time_count_days (year, month, day);
  return TRUE;
}

static gboolean
pen_time_take_fraction (PenTimeCursor *self, gint64 *time_us)
{
  gint64 weight_us = G_USEC_PER_SEC / 10;

  if (!pen_time_take (self, '.') && !pen_time_take (self, ','))
    return TRUE;
  if (self->text == self->end || !g_ascii_isdigit (*self->text))
    return FALSE;
  for (; self->text < self->end && g_ascii_isdigit (*self->text); self->text++, weight_us /= 10)
    *time_us += (*self->text - '0') * weight_us;
  return TRUE;
}

static gboolean
pen_time_take_clock (PenTimeCursor *self, gint64 *time_us)
{
  gint64 hours;
  gint64 minutes;
  gint64 seconds = 0;

  if (!pen_time_take_number (self, 2, 23, &hours) || !pen_time_take (self, ':')
      || !pen_time_take_number (self, 2, 59, &minutes))
    return FALSE;
  *time_us += (hours * 60 + minutes) * 60 * G_USEC_PER_SEC;
  if (!pen_time_take (self, ':'))
    return TRUE;
  if (!pen_time_take_number (self, 2, 59, &seconds))
    return FALSE;
  *time_us += seconds * G_USEC_PER_SEC;
  return pen_time_take_fraction (self, time_us);
}

/* `Z`, `+01:00`, `+0100`, `+01`, or nothing, which is UTC. */
static gboolean
pen_time_take_offset (PenTimeCursor *self, gint64 *time_us)
{
  gboolean is_west = self->text < self->end && *self->text == '-';
  gint64 hours;
  gint64 minutes = 0;

  if (self->text == self->end || pen_time_take (self, 'Z') || pen_time_take (self, 'z'))
    return TRUE;
  if (!pen_time_take (self, '+') && !pen_time_take (self, '-'))
    return FALSE;
  if (!pen_time_take_number (self, 2, 23, &hours))
    return FALSE;
  if (self->text < self->end)
    {
      pen_time_take (self, ':');
      if (!pen_time_take_number (self, 2, 59, &minutes))
        return FALSE;
    }
  *time_us += (is_west ? 1 : -1) * (hours * 60 + minutes) * 60 * G_USEC_PER_SEC;
  return TRUE;
}

/**
 * pen_time_parse:
 * @text: (array length=length): a time by ISO 8601
 * @length: number of bytes
 * @time_us: (out): microseconds since 1970
 *
 * Reads `2026-01-02T03:04:05.678901+01:00`. A blank may stand for the `T`; seconds, their fraction,
 * and the time of the day may be missing; a time without offset is UTC.
 *
 * Returns: whether it is a time of the years 1 to 9999
 *
 * Threads: any
 */
gboolean
pen_time_parse (const char *text, gsize length, gint64 *time_us)
{
  PenTimeCursor cursor = { .text = text, .end = text + length };
  gint64 days;

  if (!pen_time_take_date (&cursor, &days))
    return FALSE;
  *time_us = days * SECONDS_PER_DAY * G_USEC_PER_SEC;
  if (cursor.text < cursor.end)
    {
      if (!pen_time_take (&cursor, 'T') && !pen_time_take (&cursor, 't')
          && !pen_time_take (&cursor, ' '))
        return FALSE;
      if (!pen_time_take_clock (&cursor, time_us) || !pen_time_take_offset (&cursor, time_us))
        return FALSE;
    }
  return cursor.text == cursor.end && *time_us >= FIRST_US && *time_us < BEHIND_US;
}

/* A number: its digits from text to end, one point perhaps among them, of which the first is not 0,
 * times ten to the power of exponent, if the point is left out. */
typedef struct
{
  const char *text;
  const char *end;
  gint64 exponent;
  gboolean is_negative;
} PenTimeDecimal;

static gboolean
pen_time_take_exponent (PenTimeCursor *self, gint64 *exponent)
{
  gboolean is_negative = pen_time_take (self, '-');

  if (!is_negative)
    pen_time_take (self, '+');
  if (self->text == self->end)
    return FALSE;
  for (*exponent = 0; self->text < self->end && g_ascii_isdigit (*self->text); self->text++)
    *exponent = *exponent < MAX_EXPONENT / 10 ? *exponent * 10 + (*self->text - '0') : MAX_EXPONENT;
  *exponent = is_negative ? -*exponent : *exponent;
  return self->text == self->end;
}

static gboolean
pen_time_decimal_init (PenTimeDecimal *self, const char *text, gsize length)
{
  PenTimeCursor cursor = { .text = text, .end = text + length };
  gint64 n_digits = 0;
  gint64 n_fraction = -1; /* digits behind the point; -1 before it */

  *self = (PenTimeDecimal){ .is_negative = pen_time_take (&cursor, '-') };
  self->text = cursor.text;
  for (; cursor.text < cursor.end && *cursor.text != 'e' && *cursor.text != 'E'; cursor.text++)
    {
      if (*cursor.text == '.' && n_fraction < 0)
        n_fraction = 0;
      else if (!g_ascii_isdigit (*cursor.text))
        return FALSE;
      else
        {
          n_digits++;
          n_fraction += n_fraction >= 0;
        }
    }
  self->end = cursor.text;
  if (n_digits == 0 || *self->text == '.' || self->end[-1] == '.')
    return FALSE;
  if (cursor.text < cursor.end)
    {
      cursor.text++;
      if (!pen_time_take_exponent (&cursor, &self->exponent))
        return FALSE;
    }
  self->exponent -= MAX (n_fraction, 0);
  while (self->text < self->end && (*self->text == '0' || *self->text == '.'))
    self->text++;
  return TRUE;
}

/**
 * pen_time_parse_number:
 * @text: (array length=length): a decimal number, as JSON has them
 * @length: number of bytes
 * @unit: what it counts
 * @time_us: (out): microseconds since 1970
 *
 * Reads a number without rounding it on the way.
 *
 * Returns: whether it is a number, of a time of the years 1 to 9999
 *
 * Threads: any
 */
gboolean
pen_time_parse_number (const char *text, gsize length, PenTimeUnit unit, gint64 *time_us)
{
  PenTimeDecimal decimal;
  gint64 n_whole = 0; /* digits of the whole number of microseconds */
  gint64 whole = 0;
  gboolean is_cut = FALSE;

  if (!pen_time_decimal_init (&decimal, text, length))
    return FALSE;
  for (const char *p = decimal.text; p < decimal.end; p++)
    n_whole += *p != '.';
  if (n_whole == 0)
    {
      *time_us = 0;
      return TRUE;
    }
  n_whole += decimal.exponent;
  n_whole += unit == PEN_TIME_UNIT_SECONDS ? 6 : unit == PEN_TIME_UNIT_MILLISECONDS ? 3 : 0;
  if (n_whole > MAX_DIGITS)
    return FALSE;
  for (const char *p = decimal.text; p < decimal.end; p++)
    {
      if (*p == '.')
        continue;
      if (n_whole-- > 0)
        whole = whole * 10 + (*p - '0');
      else
        is_cut |= *p != '0';
    }
  for (; n_whole > 0; n_whole--)
    whole *= 10;
  *time_us = decimal.is_negative ? -whole - is_cut : whole;
  return *time_us >= FIRST_US && *time_us < BEHIND_US;
}

/**
 * pen_time_format: (skip)
 * @time_us: microseconds since 1970, within the years 1 to 9999
 * @text: (out caller-allocates): room for %PEN_TIME_MAX_LENGTH bytes and a NUL
 *
 * Writes `2026-01-02T03:04:05+00:00`, with microseconds if there are any.
 *
 * Returns: its length
 *
 * Threads: any
 */
gsize
pen_time_format (gint64 time_us, char *text)
{
  gint64 in_range_us = CLAMP (time_us, FIRST_US, BEHIND_US - 1);
  gint64 day_us = (gint64) SECONDS_PER_DAY * G_USEC_PER_SEC;
  gint64 days = in_range_us / day_us - (in_range_us % day_us < 0);
  gint64 rest_us = in_range_us - days * day_us;
  gint64 seconds = rest_us / G_USEC_PER_SEC;
  gint64 shifted = days + MARCH_TO_1970;
  gint64 era = shifted / DAYS_PER_ERA;
  gint64 day_of_era = shifted - era * DAYS_PER_ERA;
  gint64 year_of_era
      = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  gint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  gint64 month = (5 * day_of_year + 2) / 153; /* from March */
  char fraction[FRACTION_DIGITS + 2] = "";

  if (rest_us % G_USEC_PER_SEC != 0)
    g_snprintf (fraction, sizeof fraction, ".%06d", (int) (rest_us % G_USEC_PER_SEC));
  return (gsize) g_snprintf (
      text, PEN_TIME_MAX_LENGTH + 1, "%04d-%02d-%02dT%02d:%02d:%02d%s+00:00",
      (int) (year_of_era + era * 400 + (month >= 10)), (int) (month < 10 ? month + 3 : month - 9),
      (int) (day_of_year - (153 * month + 2) / 5 + 1), (int) (seconds / 3600),
      (int) (seconds / 60 % 60), (int) (seconds % 60), fraction);
}

/**
 * pen_time_format_number: (skip)
 * @time_us: microseconds since 1970
 * @unit: what the number shall count
 * @text: (out caller-allocates): room for %PEN_TIME_MAX_LENGTH bytes and a NUL
 *
 * Writes a decimal number, with a fraction if there is one: nothing is rounded.
 *
 * Returns: its length
 *
 * Threads: any
 */
gsize
pen_time_format_number (gint64 time_us, PenTimeUnit unit, char *text)
{
  guint64 magnitude = time_us < 0 ? -(guint64) time_us : (guint64) time_us;
  guint64 fraction = magnitude % unit;
  int n_digits = unit == PEN_TIME_UNIT_SECONDS ? 6 : 3;
  const char *sign = time_us < 0 ? "-" : "";

  if (fraction == 0)
    return (gsize) g_snprintf (text, PEN_TIME_MAX_LENGTH + 1, "%s%" G_GUINT64_FORMAT, sign,
                               magnitude / unit);
  for (; fraction % 10 == 0; n_digits--)
    fraction /= 10;
  return (gsize) g_snprintf (text, PEN_TIME_MAX_LENGTH + 1,
                             "%s%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT, sign, magnitude / unit,
                             n_digits, fraction);
}
