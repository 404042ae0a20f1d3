/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is known of one field within one window. Windows that stand still only ever gain values, and
 * keep the best of them; those that slide lose them again, and keep the samples in the order of
 * time or value. Nothing depends on the order in which values came: of equal values, the one with
 * the earliest time is the least, and the one with the latest the greatest.
 */

#include "config.h"

#include "pen-window-tally.h"

#include <math.h>
#include <string.h>

/* Up to so many that came behind the sorted ones find their places one by one. */
#define FEW_UNSORTED 8

void
pen_window_tally_init (PenWindowTally *self, PenWindowNeeds needs, guint field, gboolean is_sliding)
{
  *self = (PenWindowTally){ .needs = needs, .field = field, .is_sliding = is_sliding };
  if (is_sliding && (needs & (PEN_WINDOW_NEEDS_EXTREMES | PEN_WINDOW_NEEDS_QUANTILES)) != 0)
    self->by_value = g_sequence_new (NULL);
  if (is_sliding && (needs & PEN_WINDOW_NEEDS_ENDS) != 0)
    self->by_time = g_sequence_new (NULL);
  if (!is_sliding && (needs & PEN_WINDOW_NEEDS_QUANTILES) != 0)
    self->reals = g_array_new (FALSE, FALSE, sizeof (double));
}

void
pen_window_tally_clear (PenWindowTally *self)
{
  pen_window_sum_clear (&self->sum);
  pen_window_sum_clear (&self->squares);
  g_clear_pointer (&self->by_value, g_sequence_free);
  g_clear_pointer (&self->by_time, g_sequence_free);
  g_clear_pointer (&self->first.text, g_free);
  g_clear_pointer (&self->last.text, g_free);
  g_clear_pointer (&self->least.text, g_free);
  g_clear_pointer (&self->greatest.text, g_free);
  g_clear_pointer (&self->reals, g_array_unref);
}

static int
pen_window_compare_times (gint64 time_us, guint64 order, gint64 other_us, guint64 other_order)
{
  if (time_us != other_us)
    return time_us < other_us ? -1 : 1;
  return (order > other_order) - (order < other_order);
}

static int
pen_window_compare_by_time (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenWindowSample *first = a;
  const PenWindowSample *second = b;

  return pen_window_compare_times (first->time_us, first->order, second->time_us, second->order);
}

static int
pen_window_compare_by_value (gconstpointer a, gconstpointer b, gpointer user_data)
{
  guint field = GPOINTER_TO_UINT (user_data);
  const PenWindowSample *first = a;
  const PenWindowSample *second = b;
  int order = pen_window_value_compare (&first->values[field], &second->values[field]);

  return order != 0 ? order : pen_window_compare_by_time (a, b, NULL);
}

/* Puts the value of @sample into the place of what is kept. */
static gsize
pen_window_kept_set (PenWindowKept *self, const PenWindowSample *sample, guint field)
{
  const PenWindowValue *value = &sample->values[field];
  gsize n_before = self->is_set ? self->value.length : 0;

  if (!self->is_set || value->length > self->value.length)
    {
      g_free (self->text);
      self->text = g_malloc (value->length);
    }
  memcpy (self->text, value->text, value->length);
  self->is_set = TRUE;
  self->time_us = sample->time_us;
  self->order = sample->order;
  self->value = *value;
  self->value.text = self->text;
  return value->length - n_before;
}

/* @direction: -1 keeps what comes first, 1 what comes last. */
static gsize
pen_window_kept_offer (PenWindowKept *self,
                       const PenWindowSample *sample,
                       guint field,
                       gboolean by_value,
                       int direction)
{
  int order = 0;

  if (self->is_set && by_value)
    order = pen_window_value_compare (&sample->values[field], &self->value);
  if (self->is_set && order == 0)
    order = pen_window_compare_times (sample->time_us, sample->order, self->time_us, self->order);
  if (self->is_set && order * direction < 0)
    return 0;
  return pen_window_kept_set (self, sample, field);
}

static gsize
pen_window_tally_keep (PenWindowTally *self, const PenWindowSample *sample)
{
  gsize n_bytes = 0;

  if ((self->needs & PEN_WINDOW_NEEDS_ENDS) != 0)
    {
      n_bytes += pen_window_kept_offer (&self->first, sample, self->field, FALSE, -1);
      n_bytes += pen_window_kept_offer (&self->last, sample, self->field, FALSE, 1);
    }
  if ((self->needs & PEN_WINDOW_NEEDS_EXTREMES) != 0)
    {
      n_bytes += pen_window_kept_offer (&self->least, sample, self->field, TRUE, -1);
      n_bytes += pen_window_kept_offer (&self->greatest, sample, self->field, TRUE, 1);
    }
  if (self->reals != NULL)
    {
      g_array_append_val (self->reals, sample->values[self->field].real);
      n_bytes += sizeof (double);
    }
  return n_bytes;
}

gsize
pen_window_tally_add (PenWindowTally *self, const PenWindowSample *sample)
{
  const PenWindowValue *value = &sample->values[self->field];

  if (value->text == NULL)
    return 0;
  self->n_values++;
  if ((self->needs & PEN_WINDOW_NEEDS_SUM) != 0)
    pen_window_sum_add (&self->sum, value, 1);
  if ((self->needs & PEN_WINDOW_NEEDS_SQUARES) != 0)
    pen_window_sum_add_square (&self->squares, value, 1);
  if (!self->is_sliding)
    return pen_window_tally_keep (self, sample);
  if (self->by_value != NULL)
    g_sequence_insert_sorted (self->by_value, (gpointer) sample, pen_window_compare_by_value,
                              GUINT_TO_POINTER (self->field));
  if (self->by_time != NULL)
    g_sequence_insert_sorted (self->by_time, (gpointer) sample, pen_window_compare_by_time, NULL);
  return 0;
}

void
pen_window_tally_remove (PenWindowTally *self, const PenWindowSample *sample)
{
  const PenWindowValue *value = &sample->values[self->field];

  if (value->text == NULL)
    return;
  self->n_values--;
  if ((self->needs & PEN_WINDOW_NEEDS_SUM) != 0)
    pen_window_sum_add (&self->sum, value, -1);
  if ((self->needs & PEN_WINDOW_NEEDS_SQUARES) != 0)
    pen_window_sum_add_square (&self->squares, value, -1);
  if (self->by_value != NULL)
    g_sequence_remove (g_sequence_lookup (self->by_value, (gpointer) sample,
                                          pen_window_compare_by_value,
                                          GUINT_TO_POINTER (self->field)));
  if (self->by_time != NULL)
    g_sequence_remove (
        g_sequence_lookup (self->by_time, (gpointer) sample, pen_window_compare_by_time, NULL));
}

/* --- Quantiles --- */

static int
pen_window_compare_reals (gconstpointer a, gconstpointer b)
{
  double first = *(const double *) a;
  double second = *(const double *) b;

  return (first > second) - (first < second);
}

/* Moves the first that is not sorted to its place among those before it. */
static void
pen_window_tally_insert_real (PenWindowTally *self)
{
  double *reals = (double *) (gpointer) self->reals->data;
  double real = reals[self->n_sorted];
  guint low = 0;
  guint high = self->n_sorted;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (reals[middle] <= real)
        low = middle + 1;
      else
        high = middle;
    }
  memmove (reals + low + 1, reals + low, (self->n_sorted - low) * sizeof *reals);
  reals[low] = real;
  self->n_sorted++;
}

static void
pen_window_tally_sort_reals (PenWindowTally *self)
{
  if (self->reals->len - self->n_sorted > FEW_UNSORTED)
    {
      g_array_sort (self->reals, pen_window_compare_reals);
      self->n_sorted = self->reals->len;
    }
  while (self->n_sorted < self->reals->len)
    pen_window_tally_insert_real (self);
}

static double
pen_window_tally_get_real (const PenWindowTally *self, guint64 index)
{
  const PenWindowSample *sample = NULL;

  if (self->reals != NULL)
    return g_array_index (self->reals, double, index);
  sample = g_sequence_get (g_sequence_get_iter_at_pos (self->by_value, (int) index));
  return sample->values[self->field].real;
}

/* Between the two nearest, in proportion (Hyndman and Fan's type 7, the default of R and NumPy). */
static double
pen_window_tally_get_quantile (PenWindowTally *self, guint64 quantile)
{
  __extension__ unsigned __int128 place = (self->n_values - 1) * (unsigned __int128) quantile;
  guint64 whole = 100 * PEN_WINDOW_QUANTILE_SCALE;
  guint64 index = (guint64) (place / whole);
  guint64 rest = (guint64) (place % whole);
  double low;
  double high;

  if (self->reals != NULL)
    pen_window_tally_sort_reals (self);
  low = pen_window_tally_get_real (self, index);
  if (rest == 0)
    return low;
  high = pen_window_tally_get_real (self, index + 1);
  if (rest == whole / 2)
    return isfinite (low + high) ? (low + high) / 2 : low / 2 + high / 2;
  return low + (high - low) * ((double) rest / (double) whole);
}

/* --- What comes out --- */

static void
pen_window_write_double (double value, GString *text)
{
  char buffer[PEN_JSON_DOUBLE_SIZE];
  gsize length = pen_json_format_double (value, buffer);

  g_string_append_len (text, buffer, (gssize) length);
}

static void
pen_window_tally_write_sum (const PenWindowTally *self, GString *text)
{
  char buffer[48];

  if (pen_window_sum_format_integer (&self->sum, buffer))
    g_string_append (text, buffer);
  else
    pen_window_write_double (pen_window_sum_round (&self->sum), text);
}

/* The first or last by time or value; there is at least one. */
static PenWindowValue
pen_window_tally_get_kept (const PenWindowTally *self, PenWindowFunction function, gint64 *time_us)
{
  gboolean is_by_time = function == PEN_WINDOW_FIRST || function == PEN_WINDOW_LAST;
  gboolean is_front = function == PEN_WINDOW_FIRST || function == PEN_WINDOW_MIN;
  GSequence *sequence = is_by_time ? self->by_time : self->by_value;
  const PenWindowKept *kept = NULL;

  if (self->is_sliding)
    {
      GSequenceIter *iter = is_front ? g_sequence_get_begin_iter (sequence)
                                     : g_sequence_iter_prev (g_sequence_get_end_iter (sequence));
      const PenWindowSample *sample = g_sequence_get (iter);

      *time_us = sample->time_us;
      return sample->values[self->field];
    }
  if (is_by_time)
    kept = is_front ? &self->first : &self->last;
  else
    kept = is_front ? &self->least : &self->greatest;
  *time_us = kept->time_us;
  return kept->value;
}

static void
pen_window_tally_write_kept (const PenWindowTally *self, PenWindowFunction function, GString *text)
{
  gint64 time_us;
  PenWindowValue value = pen_window_tally_get_kept (self, function, &time_us);

  g_string_append_len (text, value.text, (gssize) value.length);
}

static void
pen_window_tally_write_rate (const PenWindowTally *self, GString *text)
{
  gint64 first_us;
  gint64 last_us;
  PenWindowValue first = pen_window_tally_get_kept (self, PEN_WINDOW_FIRST, &first_us);
  PenWindowValue last = pen_window_tally_get_kept (self, PEN_WINDOW_LAST, &last_us);
  PenWindowSum difference = { 0 };

  if (last_us == first_us)
    {
      g_string_append (text, "null");
      return;
    }
  pen_window_sum_add (&difference, &last, 1);
  pen_window_sum_add (&difference, &first, -1);
  pen_window_write_double (pen_window_sum_round (&difference)
                               / ((double) (last_us - first_us) / (double) G_USEC_PER_SEC),
                           text);
  pen_window_sum_clear (&difference);
}

void
pen_window_tally_write (PenWindowTally *self, const PenWindowCall *call, GString *text)
{
  if (call->function == PEN_WINDOW_COUNT)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT, self->n_values);
  else if (self->n_values == 0 || (self->n_values == 1 && call->function == PEN_WINDOW_STDDEV))
    g_string_append (text, "null");
  else if (call->function == PEN_WINDOW_SUM)
    pen_window_tally_write_sum (self, text);
  else if (call->function == PEN_WINDOW_MEAN)
    pen_window_write_double (pen_window_sum_round (&self->sum) / (double) self->n_values, text);
  else if (call->function == PEN_WINDOW_STDDEV)
    pen_window_write_double (
        pen_window_sum_get_deviation (&self->sum, &self->squares, self->n_values), text);
  else if (call->function == PEN_WINDOW_QUANTILE)
    pen_window_write_double (pen_window_tally_get_quantile (self, call->quantile), text);
  else if (call->function == PEN_WINDOW_RATE)
    pen_window_tally_write_rate (self, text);
  else
    pen_window_tally_write_kept (self, call->function, text);
}
