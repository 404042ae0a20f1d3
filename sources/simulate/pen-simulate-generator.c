/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What makes values up. Numbers with decimals are whole multiples of their last digit, so that what
 * is written is exactly what was drawn: 21.50 is 2150 hundredths.
 */

#include "config.h"

#include "pen-simulate-generator.h"

#include "pen-simulate-time.h"

#include <math.h>
#include <string.h>

#define MAX_DIGITS 9
/* Whole numbers up to here are exact as a double. */
#define MAX_MULTIPLE 9007199254740992.0
#define HOURS_A_DAY 24

static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };

static const PenSimulateSetting *
pen_simulate_state_get (const PenSimulateState *state, guint index)
{
  return &g_array_index (state->settings, PenSimulateSetting, index);
}

static double
pen_simulate_state_get_number (const PenSimulateState *state, guint index)
{
  return pen_simulate_state_get (state, index)->number;
}

static gboolean
pen_simulate_state_take_digits (PenSimulateState *state, guint index, GError **error)
{
  gint64 digits = pen_simulate_state_get (state, index)->integer;

  if (digits < 0 || digits > MAX_DIGITS)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "digits is %" G_GINT64_FORMAT "; 0 to %d are possible", digits,
                             MAX_DIGITS);
      return FALSE;
    }
  state->digits = (guint) digits;
  return TRUE;
}

static gboolean
pen_simulate_state_take_bounds (PenSimulateState *state,
                                double minimum,
                                double maximum,
                                GError **error)
{
  double power = powers[state->digits];
  double lower = ceil (minimum * power);
  double upper = floor (maximum * power);

  if (minimum > maximum)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "the minimum %g is above the maximum %g", minimum, maximum);
      return FALSE;
    }
  if (lower > upper)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "there is no number with %u digits from %g to %g", state->digits,
                             minimum, maximum);
      return FALSE;
    }
  if (lower < -MAX_MULTIPLE || upper > MAX_MULTIPLE)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "numbers from %g to %g with %u digits are too large to be exact",
                             minimum, maximum, state->digits);
      return FALSE;
    }
  state->lower = (gint64) lower;
  state->upper = (gint64) upper;
  return TRUE;
}

static void
pen_simulate_value_set_integer (PenSimulateValue *value, gint64 number)
{
  g_string_printf (value->text, "%" G_GINT64_FORMAT, number);
  value->number = (double) number;
  value->is_raw = TRUE;
}

/* @multiple times 10^-@digits */
static void
pen_simulate_value_set_decimal (PenSimulateValue *value, gint64 multiple, guint digits)
{
  gint64 power = (gint64) powers[digits];
  guint64 size = multiple < 0 ? -(guint64) multiple : (guint64) multiple;

  if (digits == 0)
    {
      pen_simulate_value_set_integer (value, multiple);
      return;
    }
  g_string_printf (value->text, "%s%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT,
                   multiple < 0 ? "-" : "", size / (guint64) power, (int) digits,
                   size % (guint64) power);
  value->number = (double) multiple / powers[digits];
  value->is_raw = TRUE;
}

static void
pen_simulate_value_set_rounded (PenSimulateValue *value, double number, guint digits)
{
  double multiple = CLAMP (number * powers[digits], -MAX_MULTIPLE, MAX_MULTIPLE);

  pen_simulate_value_set_decimal (value, llround (multiple), digits);
}

/* --- integer, decimal --- */

static gboolean
pen_simulate_integer_prepare (PenSimulateState *state, GError **error)
{
  state->lower = pen_simulate_state_get (state, 0)->integer;
  state->upper = pen_simulate_state_get (state, 1)->integer;
  if (state->lower <= state->upper)
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                         "the minimum %" G_GINT64_FORMAT " is above the maximum %" G_GINT64_FORMAT,
                         state->lower, state->upper);
  return FALSE;
}

static void
pen_simulate_integer_make (PenSimulateState *state,
                           const PenSimulateMoment *moment,
                           PenSimulateValue *value)
{
  pen_simulate_value_set_integer (
      value, pen_simulate_random_get_between (moment->random, state->lower, state->upper));
}

static gboolean
pen_simulate_decimal_prepare (PenSimulateState *state, GError **error)
{
  return pen_simulate_state_take_digits (state, 2, error)
         && pen_simulate_state_take_bounds (state, pen_simulate_state_get_number (state, 0),
                                            pen_simulate_state_get_number (state, 1), error);
}

static void
pen_simulate_decimal_make (PenSimulateState *state,
                           const PenSimulateMoment *moment,
                           PenSimulateValue *value)
{
  pen_simulate_value_set_decimal (
      value, pen_simulate_random_get_between (moment->random, state->lower, state->upper),
      state->digits);
}

/* --- counter --- */

static void
pen_simulate_counter_make (PenSimulateState *state,
                           const PenSimulateMoment *moment,
                           PenSimulateValue *value)
{
  guint64 step = (guint64) pen_simulate_state_get (state, 1)->integer;

  /* It goes round where 64 bits end, as counters do. */
  state->last = state->has_begun ? (gint64) ((guint64) state->last + step)
                                 : pen_simulate_state_get (state, 0)->integer;
  state->has_begun = TRUE;
  pen_simulate_value_set_integer (value, state->last);
}

/* --- choice, text --- */

static void
pen_simulate_choice_make (PenSimulateState *state,
                          const PenSimulateMoment *moment,
                          PenSimulateValue *value)
{
  gint64 n_choices = (gint64) state->settings->len;
  gint64 index = pen_simulate_random_get_between (moment->random, 0, n_choices - 1);

  g_string_assign (value->text, pen_simulate_state_get (state, (guint) index)->text);
  value->is_raw = FALSE;
}

static void
pen_simulate_text_make (PenSimulateState *state,
                        const PenSimulateMoment *moment,
                        PenSimulateValue *value)
{
  g_string_assign (value->text, pen_simulate_state_get (state, 0)->text);
  value->is_raw = FALSE;
}

/* --- sine, solar --- */

static gboolean
pen_simulate_sine_prepare (PenSimulateState *state, GError **error)
{
  if (pen_simulate_state_get (state, 2)->integer <= 0)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "the period of a sine is longer than 0s");
      return FALSE;
    }
  return pen_simulate_state_take_digits (state, 5, error)
         && pen_simulate_state_take_bounds (state, pen_simulate_state_get_number (state, 0),
                                            pen_simulate_state_get_number (state, 1), error);
}

static void
pen_simulate_sine_make (PenSimulateState *state,
                        const PenSimulateMoment *moment,
                        PenSimulateValue *value)
{
  double minimum = pen_simulate_state_get_number (state, 0);
  double maximum = pen_simulate_state_get_number (state, 1);
  gint64 period_us = pen_simulate_state_get (state, 2)->integer;
  double noise = pen_simulate_state_get_number (state, 3);
  gint64 phase_us = pen_simulate_state_get (state, 4)->integer;
  /* The remainders first: the epoch in microseconds has more digits than a sine can use. */
  gint64 within_us = (moment->time_us % period_us + phase_us % period_us) % period_us;
  double wave = sin (2 * G_PI * (double) within_us / (double) period_us);
  double deviation = noise * (2 * pen_simulate_random_get_unit (moment->random) - 1);

  pen_simulate_value_set_rounded (
      value, (minimum + maximum) / 2 + wave * (maximum - minimum) / 2 + deviation, state->digits);
}

static gboolean
pen_simulate_solar_prepare (PenSimulateState *state, GError **error)
{
  double clouds = pen_simulate_state_get_number (state, 1);
  double sunrise = pen_simulate_state_get_number (state, 2);
  double sunset = pen_simulate_state_get_number (state, 3);

  if (clouds < 0 || clouds > 1)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "clouds is %g; it is a share from 0 (none) to 1", clouds);
      return FALSE;
    }
  if (sunrise < 0 || sunset > HOURS_A_DAY || sunrise >= sunset)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "sunrise %g and sunset %g are no hours of one day (UTC)", sunrise,
                             sunset);
      return FALSE;
    }
  return pen_simulate_state_take_digits (state, 4, error)
         && pen_simulate_state_take_bounds (state, 0, pen_simulate_state_get_number (state, 0),
                                            error);
}

/* Half a sine from sunrise to sunset, of which clouds take a random share. */
static void
pen_simulate_solar_make (PenSimulateState *state,
                         const PenSimulateMoment *moment,
                         PenSimulateValue *value)
{
  double peak = pen_simulate_state_get_number (state, 0);
  double clouds = pen_simulate_state_get_number (state, 1);
  double sunrise = pen_simulate_state_get_number (state, 2);
  double sunset = pen_simulate_state_get_number (state, 3);
  gint64 day_us = HOURS_A_DAY * G_TIME_SPAN_HOUR;
  gint64 within_us = (moment->time_us % day_us + day_us) % day_us;
  double hour = (double) within_us / (double) G_TIME_SPAN_HOUR;
  double shade = clouds * pen_simulate_random_get_unit (moment->random);
  double height = 0;

  if (hour > sunrise && hour < sunset)
    height = sin (G_PI * (hour - sunrise) / (sunset - sunrise));
  pen_simulate_value_set_rounded (value, peak * height * (1 - shade), state->digits);
}

/* --- walk --- */

static gboolean
pen_simulate_walk_prepare (PenSimulateState *state, GError **error)
{
  double minimum = pen_simulate_state_get_number (state, 0);
  double maximum = pen_simulate_state_get_number (state, 1);
  double step = pen_simulate_state_get_number (state, 2);

  if (step < 0)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "the step %g of a walk is below 0", step);
      return FALSE;
    }
  return pen_simulate_state_take_digits (state, 3, error)
         && pen_simulate_state_take_bounds (state, minimum, maximum, error);
}

/* From the middle on; what leaves the range is reflected at its end. */
static void
pen_simulate_walk_make (PenSimulateState *state,
                        const PenSimulateMoment *moment,
                        PenSimulateValue *value)
{
  double limit = floor (pen_simulate_state_get_number (state, 2) * powers[state->digits]);
  gint64 span = state->upper - state->lower;
  gint64 step = (gint64) MIN (limit, (double) span);

  if (!state->has_begun)
    state->last = state->lower + span / 2;
  else
    {
      state->last += pen_simulate_random_get_between (moment->random, -step, step);
      if (state->last > state->upper)
        state->last = 2 * state->upper - state->last;
      else if (state->last < state->lower)
        state->last = 2 * state->lower - state->last;
    }
  state->has_begun = TRUE;
  pen_simulate_value_set_decimal (value, state->last, state->digits);
}

/* --- scaled --- */

/* Cut towards 0, as int () of Python and a cast of C do. */
static void
pen_simulate_scaled_make (PenSimulateState *state,
                          const PenSimulateMoment *moment,
                          PenSimulateValue *value)
{
  double source = moment->values[pen_simulate_state_get (state, 0)->integer].number;
  double number = source * pen_simulate_state_get_number (state, 1)
                  + pen_simulate_state_get_number (state, 2);

  pen_simulate_value_set_integer (value, (gint64) CLAMP (number, -MAX_MULTIPLE, MAX_MULTIPLE));
}

/* --- time --- */

static gboolean
pen_simulate_time_prepare (PenSimulateState *state, GError **error)
{
  PenSimulateTimeForm form;

  if (!pen_simulate_time_parse_form (pen_simulate_state_get (state, 0)->text, &form, error))
    return FALSE;
  state->form = (guint) form;
  return TRUE;
}

static void
pen_simulate_time_make (PenSimulateState *state,
                        const PenSimulateMoment *moment,
                        PenSimulateValue *value)
{
  PenSimulateTimeForm form = (PenSimulateTimeForm) state->form;

  g_string_truncate (value->text, 0);
  pen_simulate_time_append (value->text, form, pen_simulate_state_get (state, 0)->text,
                            moment->time_us);
  value->is_raw = pen_simulate_time_form_is_number (form);
}

static const PenSimulateGenerator generators[] = {
  { .name = "integer",
    .usage = "integer(MINIMUM, MAXIMUM)",
    .makes_numbers = TRUE,
    .parameters
    = { { "minimum", PEN_SIMULATE_INTEGER, NULL }, { "maximum", PEN_SIMULATE_INTEGER, NULL } },
    .prepare = pen_simulate_integer_prepare,
    .make = pen_simulate_integer_make },
  { .name = "decimal",
    .usage = "decimal(MINIMUM, MAXIMUM, digits=2)",
    .makes_numbers = TRUE,
    .parameters = { { "minimum", PEN_SIMULATE_NUMBER, NULL },
                    { "maximum", PEN_SIMULATE_NUMBER, NULL },
                    { "digits", PEN_SIMULATE_INTEGER, "2" } },
    .prepare = pen_simulate_decimal_prepare,
    .make = pen_simulate_decimal_make },
  { .name = "counter",
    .usage = "counter(start=1, step=1)",
    .makes_numbers = TRUE,
    .parameters = { { "start", PEN_SIMULATE_INTEGER, "1" }, { "step", PEN_SIMULATE_INTEGER, "1" } },
    .make = pen_simulate_counter_make },
  { .name = "choice",
    .usage = "choice(TEXT, …)",
    .is_open = TRUE,
    .make = pen_simulate_choice_make },
  { .name = "text",
    .usage = "text(TEXT)",
    .parameters = { { "text", PEN_SIMULATE_TEXT, NULL } },
    .make = pen_simulate_text_make },
  { .name = "sine",
    .usage = "sine(MINIMUM, MAXIMUM, period=24h, noise=0, phase=0s, digits=2)",
    .makes_numbers = TRUE,
    .parameters = { { "minimum", PEN_SIMULATE_NUMBER, NULL },
                    { "maximum", PEN_SIMULATE_NUMBER, NULL },
                    { "period", PEN_SIMULATE_DURATION, "24h" },
                    { "noise", PEN_SIMULATE_NUMBER, "0" },
                    { "phase", PEN_SIMULATE_DURATION, "0s" },
                    { "digits", PEN_SIMULATE_INTEGER, "2" } },
    .prepare = pen_simulate_sine_prepare,
    .make = pen_simulate_sine_make },
  { .name = "solar",
    .usage = "solar(PEAK, clouds=0.1, sunrise=6, sunset=18, digits=2)",
    .makes_numbers = TRUE,
    .parameters = { { "peak", PEN_SIMULATE_NUMBER, NULL },
                    { "clouds", PEN_SIMULATE_NUMBER, "0.1" },
                    { "sunrise", PEN_SIMULATE_NUMBER, "6" },
                    { "sunset", PEN_SIMULATE_NUMBER, "18" },
                    { "digits", PEN_SIMULATE_INTEGER, "2" } },
    .prepare = pen_simulate_solar_prepare,
    .make = pen_simulate_solar_make },
  { .name = "walk",
    .usage = "walk(MINIMUM, MAXIMUM, STEP, digits=2)",
    .makes_numbers = TRUE,
    .parameters = { { "minimum", PEN_SIMULATE_NUMBER, NULL },
                    { "maximum", PEN_SIMULATE_NUMBER, NULL },
                    { "step", PEN_SIMULATE_NUMBER, NULL },
                    { "digits", PEN_SIMULATE_INTEGER, "2" } },
    .prepare = pen_simulate_walk_prepare,
    .make = pen_simulate_walk_make },
  { .name = "scaled",
    .usage = "scaled(FIELD, FACTOR, offset=0)",
    .makes_numbers = TRUE,
    .parameters = { { "field", PEN_SIMULATE_FIELD, NULL },
                    { "factor", PEN_SIMULATE_NUMBER, NULL },
                    { "offset", PEN_SIMULATE_NUMBER, "0" } },
    .make = pen_simulate_scaled_make },
  { .name = "time",
    .usage = "time(FORM)",
    .parameters = { { "form", PEN_SIMULATE_TEXT, "iso" } },
    .prepare = pen_simulate_time_prepare,
    .make = pen_simulate_time_make },
};

const PenSimulateGenerator *
pen_simulate_generator_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (generators); i++)
    {
      if (g_str_equal (generators[i].name, name))
        return &generators[i];
    }
  return NULL;
}

char *
pen_simulate_generator_list (void)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (generators); i++)
    g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", generators[i].name);
  return g_string_free (g_steal_pointer (&list), FALSE);
}

guint
pen_simulate_generator_count_parameters (const PenSimulateGenerator *self)
{
  guint n_parameters = 0;

  while (self->parameters[n_parameters].name != NULL)
    n_parameters++;
  return n_parameters;
}

gboolean
pen_simulate_setting_parse (PenSimulateParameterType type,
                            const char *text,
                            PenSimulateSetting *setting,
                            GError **error)
{
  PenJsonSlice slice = { .text = text, .length = strlen (text), .type = PEN_JSON_NUMBER };
  const char *what;
  gboolean is_number = pen_json_validate (text, slice.length, NULL)
                       && (*text == '-' || g_ascii_isdigit (*text))
                       && pen_json_slice_get_double (&slice, &setting->number, NULL);

  switch (type)
    {
    case PEN_SIMULATE_INTEGER:
      if (is_number && pen_json_slice_get_int64 (&slice, &setting->integer, NULL))
        return TRUE;
      what = "whole number";
      break;
    case PEN_SIMULATE_NUMBER:
      if (is_number)
        return TRUE;
      what = "number";
      break;
    case PEN_SIMULATE_DURATION:
      return pen_duration_parse (text, &setting->integer, error);
    case PEN_SIMULATE_FIELD:
    case PEN_SIMULATE_TEXT:
    default:
      setting->text = g_strdup (text);
      return TRUE;
    }
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration", "'%s' is no %s", text,
                         what);
  return FALSE;
}
