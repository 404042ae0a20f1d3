/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be computed of a window.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_WINDOW_COUNT,
  PEN_WINDOW_SUM,
  PEN_WINDOW_MEAN,
  PEN_WINDOW_MIN,
  PEN_WINDOW_MAX,
  PEN_WINDOW_FIRST,
  PEN_WINDOW_LAST,
  PEN_WINDOW_QUANTILE,
  PEN_WINDOW_STDDEV,
  PEN_WINDOW_RATE,
  PEN_WINDOW_COVERAGE,
} PenWindowFunction;

/* What has to be kept of a field for the functions of it that are asked for. */
typedef enum
{
  PEN_WINDOW_NEEDS_NOTHING = 0,
  PEN_WINDOW_NEEDS_NUMBERS = 1 << 0,
  PEN_WINDOW_NEEDS_SUM = 1 << 1,
  PEN_WINDOW_NEEDS_SQUARES = 1 << 2,
  PEN_WINDOW_NEEDS_EXTREMES = 1 << 3,
  PEN_WINDOW_NEEDS_ENDS = 1 << 4,
  PEN_WINDOW_NEEDS_QUANTILES = 1 << 5,
} PenWindowNeeds;

/* One function, of one field or of the events themselves. */
typedef struct
{
  PenWindowFunction function;
  guint64 quantile; /* per cent times PEN_WINDOW_QUANTILE_SCALE */
  char *name;       /* as it was written: "avg", "p95" */
  char *path;       /* (nullable): NULL for every field, "*" for the events */
  char *result;     /* (nullable): the name behind "as" */
} PenWindowCall;

#define PEN_WINDOW_QUANTILE_SCALE G_GUINT64_CONSTANT (1000000)

/* Reads "mean", "p95", "count(*)", "max(meter.power) as peak". */
PenWindowCall *pen_window_call_new (const char *text, GError **error);
void pen_window_call_free (PenWindowCall *self);
PenWindowNeeds pen_window_call_get_needs (const PenWindowCall *self);
/* Cuts "PATH as NAME" in two: (transfer full); @name is NULL where there is none. */
char *pen_window_split_name (const char *text, char **name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenWindowCall, pen_window_call_free)

G_END_DECLS
