/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sum that is exact. Integers are summed in 128 bits. A double is a whole number of 53 bits times
 * a power of two, and is added to digits of 32 bits that lie in 64, so that a thousand million
 * additions pass before carries have to be brought up; the digits reach as far as the values do,
 * which is three or four for what meters send. (Other ways to lay out such a sum are in Radford
 * Neal, "Fast exact summation using small and large superaccumulators", 2015.) Nothing is rounded
 * before the sum is asked for, so it does not depend on the order, and what is taken away leaves
 * nothing behind.
 */

#include "config.h"

#include "pen-window-sum.h"

#include <math.h>
#include <string.h>

#define DIGIT_BITS 32
#define DIGIT_MASK G_GUINT64_CONSTANT (0xffffffff)
#define MANTISSA_BITS 53
#define WORD_BITS 128

/* A digit below the base grows by less than the base with each addition, and has 63 bits. */
#define MAX_ADDED (1u << 30)
/* Those of a square of 106 bits that begins anywhere in the first. */
#define MAX_SPAN 5
/* Those of the sum of the integers. */
#define INTEGER_DIGITS 4

__extension__ typedef __int128 PenInt128;
__extension__ typedef unsigned __int128 PenUint128;

/* A sum with each digit below the base. */
typedef struct
{
  guint32 *digits;
  guint n_digits;
  gint lowest;
} PenWindowDigits;

static void
pen_window_digits_clear (PenWindowDigits *self)
{
  g_clear_pointer (&self->digits, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenWindowDigits, pen_window_digits_clear)

void
pen_window_sum_clear (PenWindowSum *self)
{
  g_free (self->digits);
  *self = (PenWindowSum){ 0 };
}

/* Makes room for the digits from @lowest to the one before @behind. */
static void
pen_window_sum_reach (PenWindowSum *self, gint lowest, gint behind)
{
  gint old_behind = self->lowest + (gint) self->n_digits;
  gint64 *digits = NULL;

  if (self->digits != NULL && lowest >= self->lowest && behind <= old_behind)
    return;
  if (self->digits != NULL)
    {
      lowest = MIN (lowest, self->lowest);
      behind = MAX (behind, old_behind);
    }
  digits = g_new0 (gint64, (gsize) (behind - lowest));
  if (self->digits != NULL)
    memcpy (digits + (self->lowest - lowest), self->digits, self->n_digits * sizeof *digits);
  g_free (self->digits);
  self->digits = digits;
  self->lowest = lowest;
  self->n_digits = (guint) (behind - lowest);
}

/* Brings what is above the base up to the next digit; the last one keeps the sign. */
static void
pen_window_sum_carry (PenWindowSum *self)
{
  gint64 carry = 0;

  pen_window_sum_reach (self, self->lowest, self->lowest + (gint) self->n_digits + 1);
  for (guint i = 0; i + 1 < self->n_digits; i++)
    {
      gint64 digit = self->digits[i] + carry;

      self->digits[i] = digit & (gint64) DIGIT_MASK;
      carry = digit >> DIGIT_BITS;
    }
  self->digits[self->n_digits - 1] += carry;
  self->n_added = 0;
}

/* Adds @magnitude × 2^@exponent, or takes it away. */
static void
pen_window_sum_add_scaled (PenWindowSum *self, PenUint128 magnitude, int exponent, int sign)
{
  int place;
  int shift;
  gint64 *digit = NULL;

  if (magnitude == 0)
    return;
  place = exponent >= 0 ? exponent / DIGIT_BITS : -((-exponent + DIGIT_BITS - 1) / DIGIT_BITS);
  shift = exponent - place * DIGIT_BITS;
  pen_window_sum_reach (self, place, place + MAX_SPAN);
  if (++self->n_added >= MAX_ADDED)
    pen_window_sum_carry (self);
  digit = self->digits + (place - self->lowest);
  *digit += sign * (gint64) ((guint64) (magnitude << shift) & DIGIT_MASK);
  for (magnitude >>= DIGIT_BITS - shift; magnitude != 0; magnitude >>= DIGIT_BITS)
    *++digit += sign * (gint64) ((guint64) magnitude & DIGIT_MASK);
}

/* Splits a double into a whole number and a power of two; returns the number without its sign. */
static guint64
pen_window_split (double real, int *exponent)
{
  guint64 magnitude = (guint64) ldexp (frexp (fabs (real), exponent), MANTISSA_BITS);
  int n_zeros = magnitude != 0 ? __builtin_ctzll (magnitude) : 0;

  *exponent += n_zeros - MANTISSA_BITS;
  return magnitude >> n_zeros;
}

void
pen_window_sum_add (PenWindowSum *self, const PenWindowValue *value, int sign)
{
  guint64 magnitude;
  int exponent;

  if (value->is_integer)
    {
      self->integer += sign * (PenInt128) value->integer;
      return;
    }
  self->n_reals += sign > 0 ? 1 : (guint64) -1;
  magnitude = pen_window_split (value->real, &exponent);
  pen_window_sum_add_scaled (self, magnitude, exponent, value->real < 0 ? -sign : sign);
  if (self->n_reals == 0)
    g_clear_pointer (&self->digits, g_free); /* all zeros, or carries that cancel out */
}

void
pen_window_sum_add_square (PenWindowSum *self, const PenWindowValue *value, int sign)
{
  int exponent = 0;
  PenUint128 magnitude
      = value->integer < 0 ? -(PenUint128) value->integer : (PenUint128) value->integer;

  if (!value->is_integer)
    magnitude = pen_window_split (value->real, &exponent);
  pen_window_sum_add_scaled (self, magnitude * magnitude, 2 * exponent, sign);
}

/* Brings a sum, integers and all, into digits without their sign. */
static void
pen_window_digits_init (PenWindowDigits *self, const PenWindowSum *sum, gboolean *is_negative)
{
  PenWindowSum copy = { 0 };
  PenUint128 integer = sum->integer < 0 ? -(PenUint128) sum->integer : (PenUint128) sum->integer;
  gint64 flip;

  if (sum->digits != NULL)
    {
      copy.lowest = sum->lowest;
      copy.n_digits = sum->n_digits;
      copy.digits = g_memdup2 (sum->digits, sum->n_digits * sizeof *sum->digits);
    }
  pen_window_sum_reach (&copy, 0, INTEGER_DIGITS);
  for (guint i = 0; i < INTEGER_DIGITS; i++, integer >>= DIGIT_BITS)
    copy.digits[(gint) i - copy.lowest]
        += (sum->integer < 0 ? -1 : 1) * (gint64) ((guint64) integer & DIGIT_MASK);
  pen_window_sum_carry (&copy);
  *is_negative = copy.digits[copy.n_digits - 1] < 0;
  flip = *is_negative ? -1 : 1;
  for (guint i = 0; i < copy.n_digits; i++)
    copy.digits[i] *= flip;
  pen_window_sum_carry (&copy);
  *self = (PenWindowDigits){ .digits = g_new (guint32, copy.n_digits),
                             .n_digits = copy.n_digits,
                             .lowest = copy.lowest };
  for (guint i = 0; i < copy.n_digits; i++)
    self->digits[i] = (guint32) copy.digits[i];
  pen_window_sum_clear (&copy);
}

static guint32
pen_window_digits_get (const PenWindowDigits *self, gint place)
{
  gint index = place - self->lowest;

  return index >= 0 && index < (gint) self->n_digits ? self->digits[index] : 0;
}

/* To the nearest double, the even one of two. */
static double
pen_window_digits_round (const PenWindowDigits *self)
{
  gint top = self->lowest + (gint) self->n_digits - 1;
  PenUint128 word = 0;
  PenUint128 rest;
  guint64 mantissa;
  int shift = 0;

  while (top >= self->lowest && pen_window_digits_get (self, top) == 0)
    top--;
  if (top < self->lowest)
    return 0;
  for (gint i = 0; i < WORD_BITS / DIGIT_BITS; i++)
    word = word << DIGIT_BITS | pen_window_digits_get (self, top - i);
  for (; word >> (WORD_BITS - 1) == 0; shift++)
    word <<= 1;
  mantissa = (guint64) (word >> (WORD_BITS - MANTISSA_BITS));
  rest = word << MANTISSA_BITS;
  for (gint place = self->lowest; place <= top - WORD_BITS / DIGIT_BITS; place++)
    if (pen_window_digits_get (self, place) != 0)
      rest |= 1;
  if (rest >> (WORD_BITS - 1) != 0 && (rest << 1 != 0 || (mantissa & 1) != 0))
    mantissa++;
  return ldexp ((double) mantissa, DIGIT_BITS * (top + 1) - shift - MANTISSA_BITS);
}

double
pen_window_sum_round (const PenWindowSum *self)
{
  g_auto (PenWindowDigits) digits = { 0 };
  gboolean is_negative;
  double magnitude;

  if (self->digits == NULL && self->integer == (gint64) self->integer)
    return (double) (gint64) self->integer;
  pen_window_digits_init (&digits, self, &is_negative);
  magnitude = pen_window_digits_round (&digits);
  return is_negative ? -magnitude : magnitude;
}

gboolean
pen_window_sum_format_integer (const PenWindowSum *self, char *text)
{
  PenUint128 magnitude
      = self->integer < 0 ? -(PenUint128) self->integer : (PenUint128) self->integer;
  char digits[48];
  gsize n_digits = 0;
  char *p = text;

  if (self->n_reals > 0)
    return FALSE;
  for (; magnitude != 0 || n_digits == 0; magnitude /= 10)
    digits[n_digits++] = (char) ('0' + (int) (magnitude % 10));
  if (self->integer < 0)
    *p++ = '-';
  while (n_digits > 0)
    *p++ = digits[--n_digits];
  *p = '\0';
  return TRUE;
}

/* Puts the square of @self into @square. */
static void
pen_window_digits_square (const PenWindowDigits *self, PenWindowDigits *square)
{
  *square = (PenWindowDigits){ .digits = g_new0 (guint32, 2 * (gsize) self->n_digits),
                               .n_digits = 2 * self->n_digits,
                               .lowest = 2 * self->lowest };
  for (guint i = 0; i < self->n_digits; i++)
    {
      guint64 carry = 0;

      for (guint j = 0; j < self->n_digits; j++)
        {
          guint64 digit
              = (guint64) self->digits[i] * self->digits[j] + square->digits[i + j] + carry;

          square->digits[i + j] = (guint32) (digit & DIGIT_MASK);
          carry = digit >> DIGIT_BITS;
        }
      square->digits[i + self->n_digits] = (guint32) carry;
    }
}

/* Puts @n × @self - @other, which is not negative, into @result. */
static void
pen_window_digits_subtract (const PenWindowDigits *self,
                            guint64 n,
                            const PenWindowDigits *other,
                            PenWindowDigits *result)
{
  gint behind = MAX (self->lowest + (gint) self->n_digits, other->lowest + (gint) other->n_digits);
  PenInt128 carry = 0;

  result->lowest = MIN (self->lowest, other->lowest);
  result->n_digits = (guint) (behind - result->lowest) + 2; /* n has two digits */
  result->digits = g_new (guint32, result->n_digits);
  for (guint i = 0; i < result->n_digits; i++)
    {
      gint place = result->lowest + (gint) i;

      carry += (PenInt128) n * pen_window_digits_get (self, place)
               - pen_window_digits_get (other, place);
      result->digits[i] = (guint32) ((guint64) carry & DIGIT_MASK);
      carry >>= DIGIT_BITS;
    }
}

/* The sum of the squares of the differences from the mean is (n Σx² - (Σx)²) / n. That is taken
 * exactly, so nothing is left to cancel out. */
double
pen_window_sum_get_deviation (const PenWindowSum *sum, const PenWindowSum *squares, guint64 n)
{
  g_auto (PenWindowDigits) total = { 0 };
  g_auto (PenWindowDigits) total_square = { 0 };
  g_auto (PenWindowDigits) total_of_squares = { 0 };
  g_auto (PenWindowDigits) difference = { 0 };
  gboolean is_negative;

  pen_window_digits_init (&total, sum, &is_negative);
  pen_window_digits_square (&total, &total_square);
  pen_window_digits_init (&total_of_squares, squares, &is_negative);
  pen_window_digits_subtract (&total_of_squares, n, &total_square, &difference);
  return sqrt (pen_window_digits_round (&difference) / ((double) n * (double) (n - 1)));
}
