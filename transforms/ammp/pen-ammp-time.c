/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The time of a reading round: Unix seconds, written as any JSON number, become an RFC 3339 string.
 * All arithmetic is on the decimal digits, since a double has no room for nanoseconds; what is
 * finer than those is cut off towards the past. A number may have a million digits and any
 * exponent: its cost is one look at each digit.
 *
 * The calendar is the proleptic Gregorian one, without leap seconds, as in Unix time.
 */

#include "config.h"

#include "pen-ammp-time.h"

#include <string.h>

#define FIRST_SECOND G_GINT64_CONSTANT (-62135596800) /* 0001-01-01T00:00:00 */
#define LAST_SECOND G_GINT64_CONSTANT (253402300799)  /* 9999-12-31T23:59:59 */
#define SECONDS_PER_DAY 86400
#define NANOSECONDS_PER_SECOND 1000000000
#define NANOSECOND_DIGITS 9

/* More digits before the decimal point than any time within the years 1 to 9999 has. */
#define MAX_SECOND_DIGITS 12

/* Beyond any number of digits that a text can have, and far from the end of 64 bits. */
#define MAX_EXPONENT (G_GINT64_CONSTANT (1) << 60)

/* The number is 0.DIGITS times ten to the power of point, where DIGITS is all from text to end
 * without the decimal point, which may stand among them. The first digit is not 0. */
typedef struct
{
  const char *text;
  const char *end;
  gint64 point;
  gboolean negative;
} PenAmmpDecimal;

static gint64
pen_ammp_decimal_read_exponent (const char *text, const char *end)
{
  gboolean negative = *text == '-';
  gint64 exponent = 0;

  if (*text == '-' || *text == '+')
    text++;
  for (; text < end; text++)
    exponent = exponent < MAX_EXPONENT / 10 ? exponent * 10 + (*text - '0') : MAX_EXPONENT;
  return negative ? -exponent : exponent;
}

static void
pen_ammp_decimal_init (PenAmmpDecimal *self, const PenJsonSlice *number)
{
  const char *end = number->text + number->length;
  const char *p;
  gint64 n_integer_digits = -1;

  self->negative = *number->text == '-';
  self->text = number->text + self->negative;
  for (p = self->text; p < end && (*p | 0x20) != 'e'; p++)
    if (*p == '.')
      n_integer_digits = p - self->text;
  self->end = p;
  self->point = n_integer_digits >= 0 ? n_integer_digits : p - self->text;
  if (p < end)
    self->point += pen_ammp_decimal_read_exponent (p + 1, end);
  for (; self->text < self->end && (*self->text == '0' || *self->text == '.'); self->text++)
    self->point -= *self->text == '0';
}

/* Takes the next digit; behind the last one there are zeros. */
static guint
pen_ammp_decimal_take_digit (PenAmmpDecimal *self)
{
  if (self->text < self->end && *self->text == '.')
    self->text++;
  return self->text < self->end ? (guint) (*self->text++ - '0') : 0;
}

static gboolean
pen_ammp_decimal_has_rest (const PenAmmpDecimal *self)
{
  for (const char *p = self->text; p < self->end; p++)
    if (*p != '0' && *p != '.')
      return TRUE;
  return FALSE;
}

/* Splits the number, which is below ten to the power of MAX_SECOND_DIGITS, into whole seconds and
 * nanoseconds that are to be added to them, rounded down. */
static gint64
pen_ammp_decimal_split (PenAmmpDecimal *self, guint *nanoseconds)
{
  gint64 seconds = 0;
  guint fraction = 0;

  for (gint64 i = 0; i < self->point; i++)
    seconds = seconds * 10 + pen_ammp_decimal_take_digit (self);
  for (gint64 i = 0; i < NANOSECOND_DIGITS; i++)
    fraction = fraction * 10 + (self->point + i < 0 ? 0 : pen_ammp_decimal_take_digit (self));
  *nanoseconds = fraction;
  if (!self->negative)
    return seconds;
  /* Towards the past is away from zero here. */
  fraction += pen_ammp_decimal_has_rest (self);
  if (fraction == 0)
    return -seconds;
  *nanoseconds = NANOSECONDS_PER_SECOND - fraction;
  return -seconds - 1;
}

/* Reads what loggers send: up to 11 digits and nothing else. Returns FALSE if it is not that. */
static gboolean
pen_ammp_time_read_usual (const PenJsonSlice *number, gint64 *seconds)
{
  gint64 sum = 0;

  if (number->length >= MAX_SECOND_DIGITS)
    return FALSE;
  for (gsize i = 0; i < number->length; i++)
    {
      guint digit = (guint8) number->text[i] - (guint) '0';

      if (digit > 9)
        return FALSE;
      sum = sum * 10 + digit;
    }
  *seconds = sum;
  return TRUE;
}

/* Writes two digits; returns what is behind them. */
static inline char *
pen_ammp_time_write_pair (char *to, guint number)
{
  to[0] = (char) ('0' + number / 10);
  to[1] = (char) ('0' + number % 10);
  return to + 2;
}

/* Writes the fraction of a second behind a point, without zeros at its end. */
static char *
pen_ammp_time_write_fraction (char *to, guint nanoseconds)
{
  *to++ = '.';
  for (guint unit = NANOSECONDS_PER_SECOND / 10; nanoseconds > 0; unit /= 10)
    {
      *to++ = (char) ('0' + nanoseconds / unit);
      nanoseconds %= unit;
    }
  return to;
}

/* Writes the date of a day counted from 1970-01-01. The algorithm is Howard Hinnant's
 * civil_from_days ("chrono-Compatible Low-Level Date Algorithms"): years begin in March, so that
 * the leap day is the last of its year. */
static char *
pen_ammp_time_write_date (char *to, gint64 day)
{
  guint64 shifted = (guint64) (day + 719468); /* from 0000-03-01; never negative here */
  guint era = (guint) (shifted / 146097);
  guint day_of_era = (guint) (shifted % 146097);
  guint year_of_era
      = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  guint day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  guint shifted_month = (5 * day_of_year + 2) / 153;
  guint month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  guint year = era * 400 + year_of_era + (month <= 2);

  to = pen_ammp_time_write_pair (to, year / 100);
  to = pen_ammp_time_write_pair (to, year % 100);
  *to++ = '-';
  to = pen_ammp_time_write_pair (to, month);
  *to++ = '-';
  return pen_ammp_time_write_pair (to, day_of_year - (153 * shifted_month + 2) / 5 + 1);
}

static gsize
pen_ammp_time_write (char *time, gint64 seconds, guint nanoseconds)
{
  static const char utc[] = { '+', '0', '0', ':', '0', '0' };
  /* Counted from the first second, so that divisions round down. */
  guint64 elapsed = (guint64) (seconds - FIRST_SECOND);
  gint64 day = (gint64) (elapsed / SECONDS_PER_DAY) + FIRST_SECOND / SECONDS_PER_DAY;
  guint second_of_day = (guint) (elapsed % SECONDS_PER_DAY);
  char *to = pen_ammp_time_write_date (time, day);

  *to++ = 'T';
  to = pen_ammp_time_write_pair (to, second_of_day / 3600);
  *to++ = ':';
  to = pen_ammp_time_write_pair (to, second_of_day / 60 % 60);
  *to++ = ':';
  to = pen_ammp_time_write_pair (to, second_of_day % 60);
  if (nanoseconds > 0)
    to = pen_ammp_time_write_fraction (to, nanoseconds);
  memcpy (to, utc, sizeof utc);
  return (gsize) (to - time) + sizeof utc;
}

/* Tells what is wrong, and what the sender may have meant. */
static gboolean
pen_ammp_time_set_error (const PenJsonSlice *number, const PenAmmpDecimal *decimal, GError **error)
{
  static const char *const units[] = { "milliseconds", "microseconds", "nanoseconds" };
  gsize shown = MIN (number->length, 40);
  g_autofree char *guess = NULL;

  /* Each unit is worth three digits; now has ten of seconds. */
  if (!decimal->negative && decimal->point > 10 && decimal->point <= 19)
    guess = g_strdup_printf ("; are these %s?", units[(decimal->point - 11) / 3]);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_timestamp",
                         "t is %.*s%s: outside years 1 to 9999%s", (int) shown, number->text,
                         shown < number->length ? "…" : "", guess != NULL ? guess : "");
  return FALSE;
}

/**
 * pen_ammp_time_convert:
 * @number: a number: Unix seconds
 * @time: room for %PEN_AMMP_TIME_MAX_LENGTH bytes; no NUL is written
 * @length: (out): how many were written
 * @error: return location for the error
 *
 * Writes the time as RFC 3339 has it, in UTC with a numeric offset, with as many digits of a
 * fraction as it has, at most nine.
 *
 * Returns: %FALSE with the reason `bad_timestamp` if it is outside the years 1 to 9999
 *
 * Threads: any
 */
gboolean
pen_ammp_time_convert (const PenJsonSlice *number, char *time, gsize *length, GError **error)
{
  PenAmmpDecimal decimal;
  PenAmmpDecimal rest;
  guint nanoseconds = 0;
  gint64 seconds = 0;

  if (pen_ammp_time_read_usual (number, &seconds))
    {
      *length = pen_ammp_time_write (time, seconds, 0);
      return TRUE;
    }
  pen_ammp_decimal_init (&decimal, number);
  rest = decimal;
  if (decimal.text < decimal.end)
    {
      if (decimal.point > MAX_SECOND_DIGITS)
        return pen_ammp_time_set_error (number, &decimal, error);
      seconds = pen_ammp_decimal_split (&rest, &nanoseconds);
    }
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
    return pen_ammp_time_set_error (number, &decimal, error);
  *length = pen_ammp_time_write (time, seconds, nanoseconds);
  return TRUE;
}
