/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What makes values up: a table of generators, each with its parameters.
 */

#pragma once

#include "pen-simulate-items.h"
#include "pen-simulate-random.h"

G_BEGIN_DECLS

#define PEN_SIMULATE_MAX_PARAMETERS 7

typedef enum
{
  PEN_SIMULATE_INTEGER,
  PEN_SIMULATE_NUMBER,
  PEN_SIMULATE_DURATION,
  PEN_SIMULATE_FIELD, /* the name of a field that was made before */
  PEN_SIMULATE_TEXT,
} PenSimulateParameterType;

typedef struct
{
  const char *name;
  PenSimulateParameterType type;
  const char *fallback; /* NULL: must be given */
} PenSimulateParameter;

/* An argument as its parameter's type has it; of a field, @integer is its position. */
typedef struct
{
  gint64 integer; /* also a duration in microseconds */
  double number;
  char *text;
} PenSimulateSetting;

/* What a generator knows from one event to the next. */
typedef struct
{
  GArray *settings; /* of PenSimulateSetting, in the order of the parameters */
  gint64 lower;     /* bounds and the last value, as multiples of 10^-digits */
  gint64 upper;
  gint64 last;
  guint digits;
  guint form; /* PenSimulateTimeForm */
  gboolean has_begun;
} PenSimulateState;

/* One event's circumstances. */
typedef struct
{
  PenSimulateRandom *random;
  gint64 time_us;
  const PenSimulateValue *values; /* of the fields before */
} PenSimulateMoment;

typedef struct
{
  const char *name;
  const char *usage;
  gboolean makes_numbers;
  gboolean is_open; /* any number of texts instead of the parameters */
  PenSimulateParameter parameters[PEN_SIMULATE_MAX_PARAMETERS + 1]; /* ends with an empty one */
  /* nullable: what spans the settings, and what follows from them */
  gboolean (*prepare) (PenSimulateState *state, GError **error);
  void (*make) (PenSimulateState *state, const PenSimulateMoment *moment, PenSimulateValue *value);
} PenSimulateGenerator;

const PenSimulateGenerator *pen_simulate_generator_find (const char *name);
/* "integer(…), decimal(…), …" */
char *pen_simulate_generator_list (void);
guint pen_simulate_generator_count_parameters (const PenSimulateGenerator *self);
gboolean pen_simulate_setting_parse (PenSimulateParameterType type,
                                     const char *text,
                                     PenSimulateSetting *setting,
                                     GError **error);

G_END_DECLS
