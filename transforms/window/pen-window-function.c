/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be computed of a window, and how a keyfile says so: FUNCTION, FUNCTION(PATH), and either
 * with " as NAME" behind it. The path is checked by whoever takes it apart.
 */

#include "config.h"

#include "pen-window-function.h"

#include <string.h>

#define MEDIAN (50 * PEN_WINDOW_QUANTILE_SCALE)
#define QUANTILE_DIGITS 6

typedef struct
{
  const char *name;
  PenWindowFunction function;
  PenWindowNeeds needs;
} PenWindowFunctionInfo;

static const PenWindowFunctionInfo functions[] = {
  { "avg", PEN_WINDOW_MEAN, PEN_WINDOW_NEEDS_SUM },
  { "count", PEN_WINDOW_COUNT, PEN_WINDOW_NEEDS_NOTHING },
  { "coverage", PEN_WINDOW_COVERAGE, PEN_WINDOW_NEEDS_NOTHING },
  { "first", PEN_WINDOW_FIRST, PEN_WINDOW_NEEDS_ENDS },
  { "last", PEN_WINDOW_LAST, PEN_WINDOW_NEEDS_ENDS },
  { "max", PEN_WINDOW_MAX, PEN_WINDOW_NEEDS_EXTREMES },
  { "mean", PEN_WINDOW_MEAN, PEN_WINDOW_NEEDS_SUM },
  { "median", PEN_WINDOW_QUANTILE, PEN_WINDOW_NEEDS_QUANTILES },
  { "min", PEN_WINDOW_MIN, PEN_WINDOW_NEEDS_EXTREMES },
  { "rate", PEN_WINDOW_RATE, PEN_WINDOW_NEEDS_ENDS | PEN_WINDOW_NEEDS_NUMBERS },
  { "stddev", PEN_WINDOW_STDDEV, PEN_WINDOW_NEEDS_SUM | PEN_WINDOW_NEEDS_SQUARES },
  { "sum", PEN_WINDOW_SUM, PEN_WINDOW_NEEDS_SUM },
};

static const PenWindowNeeds needs_numbers = PEN_WINDOW_NEEDS_SUM | PEN_WINDOW_NEEDS_SQUARES
                                            | PEN_WINDOW_NEEDS_EXTREMES
                                            | PEN_WINDOW_NEEDS_QUANTILES;

/* "p" and per cent, with up to six digits behind the point. */
static gboolean
pen_window_parse_quantile (const char *name, guint64 *quantile)
{
  guint64 scale = PEN_WINDOW_QUANTILE_SCALE;
  const char *p = name + 1;

  *quantile = 0;
  if (name[0] != 'p' || !g_ascii_isdigit (*p))
    return FALSE;
  for (; g_ascii_isdigit (*p) && p - name <= 3; p++)
    *quantile = *quantile * 10 + (guint64) (*p - '0');
  *quantile *= PEN_WINDOW_QUANTILE_SCALE;
  if (*p == '.')
    {
      const char *point = p;

      for (p++; g_ascii_isdigit (*p) && p - point <= QUANTILE_DIGITS; p++)
        *quantile += (guint64) (*p - '0') * (scale /= 10);
      if (p == point + 1)
        return FALSE;
    }
  return *p == '\0' && *quantile <= 100 * PEN_WINDOW_QUANTILE_SCALE;
}

static const PenWindowFunctionInfo *
pen_window_find_function (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    if (g_str_equal (functions[i].name, name))
      return &functions[i];
  return NULL;
}

char *
pen_window_split_name (const char *text, char **name)
{
  const char *as = g_strrstr (text, " as ");
  char *path = g_strndup (text, as != NULL ? (gsize) (as - text) : strlen (text));

  *name = as != NULL ? g_strstrip (g_strdup (as + 4)) : NULL;
  return g_strstrip (path);
}

void
pen_window_call_free (PenWindowCall *self)
{
  g_free (self->name);
  g_free (self->path);
  g_free (self->result);
  g_free (self);
}

static gboolean
pen_window_call_resolve (PenWindowCall *self, GError **error)
{
  const PenWindowFunctionInfo *info = pen_window_find_function (self->name);

  if (info != NULL)
    {
      self->function = info->function;
      self->quantile = MEDIAN;
      return TRUE;
    }
  self->function = PEN_WINDOW_QUANTILE;
  if (pen_window_parse_quantile (self->name, &self->quantile))
    return TRUE;
  g_set_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL,
               "there is no function '%s'; there are count, sum, mean (or avg), min, max, first, "
               "last, median, p0 to p100 (p95, p99.9), stddev, rate and coverage",
               self->name);
  return FALSE;
}

PenWindowCall *
pen_window_call_new (const char *text, GError **error)
{
  g_autoptr (PenWindowCall) self = g_new0 (PenWindowCall, 1);
  g_autofree char *call = pen_window_split_name (text, &self->result);
  const char *bracket = strchr (call, '(');
  gsize length = strlen (call);

  if (self->result != NULL && *self->result == '\0')
    {
      g_set_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL, "'%s' has no name behind 'as'",
                   text);
      return NULL;
    }
  if (bracket != NULL && call[length - 1] != ')')
    {
      g_set_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL,
                   "'%s' has a '(' without a ')' at its end; write FUNCTION, FUNCTION(PATH), or "
                   "FUNCTION(PATH) as NAME",
                   text);
      return NULL;
    }
  self->name = g_strstrip (g_strndup (call, bracket != NULL ? (gsize) (bracket - call) : length));
  if (bracket != NULL)
    self->path = g_strstrip (g_strndup (bracket + 1, (gsize) (call + length - bracket) - 2));
  return pen_window_call_resolve (self, error) ? g_steal_pointer (&self) : NULL;
}

PenWindowNeeds
pen_window_call_get_needs (const PenWindowCall *self)
{
  const PenWindowFunctionInfo *info = pen_window_find_function (self->name);
  PenWindowNeeds needs = info != NULL ? info->needs : PEN_WINDOW_NEEDS_QUANTILES;

  return (needs & needs_numbers) != 0 ? needs | PEN_WINDOW_NEEDS_NUMBERS : needs;
}
