/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Exact sums against another way to compute them: Shewchuk's, which keeps a sum as doubles that do
 * not overlap ("Adaptive Precision Floating-Point Arithmetic", 1997). Values come and go in any
 * order, over the whole range of doubles.
 */

#include "config.h"

#include "pen-test.h"
#include "pen-window-sum.h"

#include <math.h>
#include <string.h>

#define N_ROUNDS 2000
#define N_VALUES 40

static PenWindowValue
test_sum_make_integer (gint64 integer)
{
  return (PenWindowValue){
    .is_number = TRUE, .is_integer = TRUE, .integer = integer, .real = (double) integer
  };
}

static PenWindowValue
test_sum_make_real (double real)
{
  return (PenWindowValue){ .is_number = TRUE, .real = real };
}

/* Adds exactly: what is rounded off stays among the partial sums. */
static void
test_sum_add_partial (GArray *partials, double x)
{
  guint n_kept = 0;

  for (guint i = 0; i < partials->len; i++)
    {
      double y = g_array_index (partials, double, i);
      volatile double high;
      volatile double low;

      if (fabs (x) < fabs (y))
        {
          double swap = x;

          x = y;
          y = swap;
        }
      high = x + y;
      low = y - (high - x);
      if (low != 0)
        g_array_index (partials, double, n_kept++) = low;
      x = high;
    }
  g_array_set_size (partials, n_kept);
  g_array_append_val (partials, x);
}

/* Rounds once: half-way cases look at the sign of what is further down. */
static double
test_sum_round_partials (const GArray *partials)
{
  const double *p = (const double *) (gconstpointer) partials->data;
  guint n = partials->len;
  volatile double high = n > 0 ? p[--n] : 0;
  volatile double low = 0;
  volatile double doubled;

  while (n > 0)
    {
      double x = high;
      double y = p[--n];

      high = x + y;
      low = y - (high - x);
      if (low != 0)
        break;
    }
  if (n > 0 && ((low < 0 && p[n - 1] < 0) || (low > 0 && p[n - 1] > 0)))
    {
      doubled = low * 2;
      if (doubled == (high + doubled) - high)
        high += doubled;
    }
  return high;
}

static double
test_sum_choose (void)
{
  guint64 bits = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
  double value;

  switch (g_test_rand_int_range (0, 4))
    {
    case 0:
      return g_test_rand_int_range (-1000, 1000) / 8.0;
    case 1:
      return g_test_rand_double () * 100;
    case 2:
      return ldexp (g_test_rand_int_range (-5, 5), g_test_rand_int_range (-1074, 900));
    default:
      memcpy (&value, &bits, sizeof value);
      return isfinite (value) ? ldexp (value, -64) : 0.1;
    }
}

static void
test_sum_is_exact (void)
{
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      PenWindowSum sum = { 0 };
      g_autoptr (GArray) partials = g_array_new (FALSE, FALSE, sizeof (double));
      double values[N_VALUES];

      for (guint i = 0; i < N_VALUES; i++)
        {
          PenWindowValue value = test_sum_make_real (values[i] = test_sum_choose ());

          pen_window_sum_add (&sum, &value, 1);
        }
      /* in another order, half of them go again */
      for (guint i = N_VALUES; i-- > 0;)
        {
          PenWindowValue value = test_sum_make_real (values[i]);

          if (i % 2 == 0)
            pen_window_sum_add (&sum, &value, -1);
          else
            test_sum_add_partial (partials, values[i]);
        }
      g_assert_true (pen_window_sum_round (&sum) == test_sum_round_partials (partials));
      pen_window_sum_clear (&sum);
    }
}

static void
test_sum_takes_integers (void)
{
  PenWindowSum sum = { 0 };
  PenWindowValue largest = test_sum_make_integer (G_MAXINT64);
  PenWindowValue least = test_sum_make_integer (G_MININT64);
  PenWindowValue half = test_sum_make_real (0.5);
  char text[48];

  g_assert_true (pen_window_sum_format_integer (&sum, text));
  g_assert_cmpstr (text, ==, "0");
  for (guint i = 0; i < 1000; i++)
    pen_window_sum_add (&sum, &largest, 1);
  g_assert_true (pen_window_sum_format_integer (&sum, text));
  g_assert_cmpstr (text, ==, "9223372036854775807000");
  g_assert_true (pen_window_sum_round (&sum) == 9223372036854775807000.0);
  pen_window_sum_add (&sum, &half, 1);
  g_assert_false (pen_window_sum_format_integer (&sum, text));
  for (guint i = 0; i < 1000; i++)
    pen_window_sum_add (&sum, &largest, -1);
  g_assert_true (pen_window_sum_round (&sum) == 0.5);
  pen_window_sum_add (&sum, &half, -1);
  pen_window_sum_add (&sum, &least, 1);
  g_assert_true (pen_window_sum_format_integer (&sum, text));
  g_assert_cmpstr (text, ==, "-9223372036854775808");
  pen_window_sum_clear (&sum);
}

/* To the nearest, the even one of two; 2^53 is where integers have gaps. */
static void
test_sum_rounds_once (void)
{
  static const struct
  {
    double addends[3];
    double expected;
  } cases[] = {
    { { 9007199254740992.0, 1.0, 0.0 }, 9007199254740992.0 },
    { { 9007199254740992.0, 1.0, 5e-324 }, 9007199254740994.0 },
    { { 9007199254740994.0, 1.0, 0.0 }, 9007199254740996.0 },
    { { -9007199254740992.0, -1.0, -5e-324 }, -9007199254740994.0 },
    { { 1e308, 1e308, 0.0 }, INFINITY },
    { { 1e308, 1e308, -1e308 }, 1e308 },
    { { 5e-324, 5e-324, -5e-324 }, 5e-324 },
    { { 0.1, 0.2, -0.3 }, 2.7755575615628914e-17 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PenWindowSum sum = { 0 };

      for (guint j = 0; j < 3; j++)
        {
          PenWindowValue value = test_sum_make_real (cases[i].addends[j]);

          pen_window_sum_add (&sum, &value, 1);
        }
      g_assert_true (pen_window_sum_round (&sum) == cases[i].expected);
      pen_window_sum_clear (&sum);
    }
}

static void
test_sum_gives_deviations (void)
{
  static const double offsets[] = { 0, 1e9, -1e15, 0.125 };

  for (gsize i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      PenWindowSum sum = { 0 };
      PenWindowSum squares = { 0 };

      /* 1 to 6: Σ(x - 3.5)² / 5 is 3.5 */
      for (guint j = 1; j <= 6; j++)
        {
          double real = offsets[i] + j;
          PenWindowValue value = i % 2 == 0 && j % 2 == 0
                                     ? test_sum_make_integer ((gint64) offsets[i] + j)
                                     : test_sum_make_real (real);

          pen_window_sum_add (&sum, &value, 1);
          pen_window_sum_add_square (&squares, &value, 1);
        }
      g_assert_true (pen_window_sum_get_deviation (&sum, &squares, 6) == sqrt (3.5));
      pen_window_sum_clear (&sum);
      pen_window_sum_clear (&squares);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/window/sum/is-exact", test_sum_is_exact);
  g_test_add_func ("/window/sum/takes-integers", test_sum_takes_integers);
  g_test_add_func ("/window/sum/rounds-once", test_sum_rounds_once);
  g_test_add_func ("/window/sum/gives-deviations", test_sum_gives_deviations);
  return g_test_run ();
}
