/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Durations and sizes: a whole number and a unit, with nothing between them. Both are read by one
 * scanner with a table of units. A number without a unit is refused, because 30 is milliseconds to
 * one reader and minutes to the next; so are MB and the like, which are a million bytes to some.
 * What was formatted reads back as the same value.
 */

#include "config.h"

#include "pen-value-private.h"

#include <string.h>

typedef struct
{
  const char *name;
  guint64 factor;
} PenUnit;

/* From the smallest to the largest: formatting takes the last one that divides the value. */
static const PenUnit duration_units[] = {
  { "us", 1 },
  { "ms", 1000 },
  { "s", G_USEC_PER_SEC },
  { "min", 60 * (guint64) G_USEC_PER_SEC },
  { "h", 3600 * (guint64) G_USEC_PER_SEC },
  { "d", 86400 * (guint64) G_USEC_PER_SEC },
};

static const PenUnit size_units[] = {
  { "B", 1 },
  { "KiB", G_GUINT64_CONSTANT (1) << 10 },
  { "MiB", G_GUINT64_CONSTANT (1) << 20 },
  { "GiB", G_GUINT64_CONSTANT (1) << 30 },
  { "TiB", G_GUINT64_CONSTANT (1) << 40 },
};

typedef struct
{
  const char *written;
  const char *meant;
} PenUnitSpelling;

/* What people write; compared without regard to case. */
static const PenUnitSpelling duration_spellings[] = {
  { "usec", "us" },    { "\302\265s", "us" }, { "microseconds", "us" },
  { "msec", "ms" },    { "millis", "ms" },    { "milliseconds", "ms" },
  { "sec", "s" },      { "secs", "s" },       { "second", "s" },
  { "seconds", "s" },  { "m", "min" },        { "mins", "min" },
  { "minute", "min" }, { "minutes", "min" },  { "hr", "h" },
  { "hrs", "h" },      { "hour", "h" },       { "hours", "h" },
  { "day", "d" },      { "days", "d" },
};

static const PenUnitSpelling size_spellings[] = {
  { "byte", "B" }, { "bytes", "B" }, { "k", "KiB" },  { "kb", "KiB" }, { "ki", "KiB" },
  { "m", "MiB" },  { "mb", "MiB" },  { "mi", "MiB" }, { "g", "GiB" },  { "gb", "GiB" },
  { "gi", "GiB" }, { "t", "TiB" },   { "tb", "TiB" }, { "ti", "TiB" },
};

/* All that tells durations from sizes. */
typedef struct
{
  const char *noun;
  const char *examples;
  const char *unit_names;
  const char *largest;
  const PenUnit *units;
  gsize n_units;
  const PenUnitSpelling *spellings;
  gsize n_spellings;
  guint64 maximum;
} PenQuantity;

static const PenQuantity duration_quantity = {
  .noun = "duration",
  .examples = "500ms, 30s, 5min, 2h or 7d",
  .unit_names = "us, ms, s, min, h and d",
  .largest = "106751991d",
  .units = duration_units,
  .n_units = G_N_ELEMENTS (duration_units),
  .spellings = duration_spellings,
  .n_spellings = G_N_ELEMENTS (duration_spellings),
  .maximum = G_MAXINT64,
};

static const PenQuantity size_quantity = {
  .noun = "size",
  .examples = "512KiB or 64MiB",
  .unit_names = "B, KiB, MiB, GiB and TiB",
  .largest = "16777215TiB",
  .units = size_units,
  .n_units = G_N_ELEMENTS (size_units),
  .spellings = size_spellings,
  .n_spellings = G_N_ELEMENTS (size_spellings),
  .maximum = G_MAXUINT64,
};

G_DEFINE_QUARK (pen - value - error - quark, pen_value_error)

static const PenUnit *
pen_quantity_find_unit (const PenQuantity *quantity, const char *name)
{
  for (gsize i = 0; i < quantity->n_units; i++)
    {
      if (g_str_equal (quantity->units[i].name, name))
        return &quantity->units[i];
    }
  return NULL;
}

/* The unit that somebody who wrote @name most likely meant, or NULL. */
static const char *
pen_quantity_guess_unit (const PenQuantity *quantity, const char *name)
{
  for (gsize i = 0; i < quantity->n_units; i++)
    {
      if (g_ascii_strcasecmp (quantity->units[i].name, name) == 0)
        return quantity->units[i].name;
    }
  for (gsize i = 0; i < quantity->n_spellings; i++)
    {
      if (g_ascii_strcasecmp (quantity->spellings[i].written, name) == 0)
        return quantity->spellings[i].meant;
    }
  return NULL;
}

static char *
pen_quantity_format (const PenQuantity *quantity, guint64 value)
{
  const PenUnit *unit = &quantity->units[0];

  if (value == 0)
    return g_strdup (quantity == &duration_quantity ? "0s" : "0B");
  for (gsize i = 1; i < quantity->n_units; i++)
    {
      if (value % quantity->units[i].factor == 0)
        unit = &quantity->units[i];
    }
  return g_strdup_printf ("%" G_GUINT64_FORMAT "%s", value / unit->factor, unit->name);
}

/* 0.5s is 500ms, if that is a whole number of the smallest unit. */
static char *
pen_quantity_suggest_whole (const PenQuantity *quantity, const char *text)
{
  char *end = NULL;
  double number = g_ascii_strtod (text, &end);
  const PenUnit *unit = pen_quantity_find_unit (quantity, end);
  double value;

  if (unit == NULL || text[strspn (text, "0123456789.")] != *end)
    return NULL;
  value = number * (double) unit->factor;
  if (value < 1 || value > 1e15 || value - (double) (guint64) value != 0)
    return NULL;
  return pen_quantity_format (quantity, (guint64) value);
}

static char *
pen_quantity_suggest (const PenQuantity *quantity, const char *text)
{
  gsize n_digits = strspn (text, "0123456789");
  g_autofree char *digits = g_strndup (text, n_digits);
  g_autofree char *unit = g_strstrip (g_strdup (text + n_digits));
  const char *guess;
  guint64 number;

  if (text[n_digits] == '.')
    return pen_quantity_suggest_whole (quantity, text);
  if (n_digits == 0 || n_digits > 19)
    return NULL;
  number = g_ascii_strtoull (digits, NULL, 10);
  /* A bare size is one in bytes, unless it is so small that it must be one in something else. */
  if (*unit == '\0' && quantity == &size_quantity)
    return number < 1024 ? NULL : pen_quantity_format (quantity, number);
  guess = *unit == '\0' ? "s" : pen_quantity_guess_unit (quantity, unit);
  return guess == NULL ? NULL : g_strdup_printf ("%" G_GUINT64_FORMAT "%s", number, guess);
}

static void
pen_quantity_set_unit_error (const PenQuantity *quantity,
                             const char *text,
                             const char *unit,
                             GError **error)
{
  g_autofree char *guess = pen_quantity_suggest (quantity, text);
  g_autofree char *fault
      = *unit == '\0' ? g_strdup ("no unit") : g_strdup_printf ("the unknown unit '%s'", unit);

  if (guess != NULL)
    g_set_error (error, PEN_VALUE_ERROR, PEN_VALUE_ERROR_UNIT,
                 "the %s '%s' has %s; did you mean '%s'?", quantity->noun, text, fault, guess);
  else
    g_set_error (error, PEN_VALUE_ERROR, PEN_VALUE_ERROR_UNIT,
                 "the %s '%s' has %s; the units are %s", quantity->noun, text, fault,
                 quantity->unit_names);
}

static gboolean
pen_quantity_parse (const PenQuantity *quantity, const char *text, guint64 *value, GError **error)
{
  gsize n_digits = strspn (text, "0123456789");
  const PenUnit *unit;
  guint64 number = 0;
  gboolean fits = TRUE;

  if (n_digits == 0 || text[n_digits] == '.' || text[n_digits] == ',')
    {
      g_set_error (error, PEN_VALUE_ERROR, PEN_VALUE_ERROR_SYNTAX,
                   "'%s' is not a %s; write a whole number and a unit, such as %s", text,
                   quantity->noun, quantity->examples);
      return FALSE;
    }
  unit = pen_quantity_find_unit (quantity, text + n_digits);
  if (unit == NULL)
    {
      pen_quantity_set_unit_error (quantity, text, text + n_digits, error);
      return FALSE;
    }
  for (gsize i = 0; i < n_digits && fits; i++)
    fits = g_uint64_checked_mul (&number, number, 10)
           && g_uint64_checked_add (&number, number, (guint64) (text[i] - '0'));
  fits = fits && g_uint64_checked_mul (&number, number, unit->factor);
  if (!fits || number > quantity->maximum)
    {
      g_set_error (error, PEN_VALUE_ERROR, PEN_VALUE_ERROR_RANGE,
                   "the %s '%s' is too large; the largest is %s", quantity->noun, text,
                   quantity->largest);
      return FALSE;
    }
  *value = number;
  return TRUE;
}

/*
 * pen_duration_suggest:
 * @text: a text that pen_duration_parse () refused
 *
 * Returns: (transfer full) (nullable): what was probably meant
 *
 * Threads: any
 */
char *
pen_duration_suggest (const char *text)
{
  return pen_quantity_suggest (&duration_quantity, text);
}

/*
 * pen_size_suggest:
 * @text: a text that pen_size_parse () refused
 *
 * Returns: (transfer full) (nullable): what was probably meant
 *
 * Threads: any
 */
char *
pen_size_suggest (const char *text)
{
  return pen_quantity_suggest (&size_quantity, text);
}

/**
 * pen_duration_parse:
 * @text: a whole number and one of the units us, ms, s, min, h and d: `500ms`, `30s`, `2h`
 * @duration_us: (out): the duration in microseconds; left alone on failure
 * @error: return location for a #PenValueError
 *
 * Returns: %TRUE if @text is a duration
 *
 * Threads: any
 */
gboolean
pen_duration_parse (const char *text, gint64 *duration_us, GError **error)
{
  guint64 value = 0;

  g_return_val_if_fail (text != NULL, FALSE);
  if (!pen_quantity_parse (&duration_quantity, text, &value, error))
    return FALSE;
  *duration_us = (gint64) value;
  return TRUE;
}

/**
 * pen_duration_format:
 * @duration_us: a duration in microseconds
 *
 * Writes a duration in the largest unit that holds it as a whole number: 90 s are `90s`, 60 s are
 * `1min`.
 *
 * Returns: (transfer full): the duration as [func@duration_parse] reads it; a negative one, which
 *   that refuses, begins with a minus
 *
 * Threads: any
 */
char *
pen_duration_format (gint64 duration_us)
{
  g_autofree char *magnitude = NULL;

  if (duration_us >= 0)
    return pen_quantity_format (&duration_quantity, (guint64) duration_us);
  magnitude = pen_quantity_format (&duration_quantity, -(guint64) duration_us);
  return g_strconcat ("-", magnitude, NULL);
}

/**
 * pen_size_parse:
 * @text: a whole number and one of the units B, KiB, MiB, GiB and TiB: `512KiB`
 * @size_bytes: (out): the size in bytes; left alone on failure
 * @error: return location for a #PenValueError
 *
 * Returns: %TRUE if @text is a size
 *
 * Threads: any
 */
gboolean
pen_size_parse (const char *text, guint64 *size_bytes, GError **error)
{
  g_return_val_if_fail (text != NULL, FALSE);
  return pen_quantity_parse (&size_quantity, text, size_bytes, error);
}

/**
 * pen_size_format:
 * @size_bytes: a size in bytes
 *
 * Writes a size in the largest unit that holds it as a whole number.
 *
 * Returns: (transfer full): the size as [func@size_parse] reads it
 *
 * Threads: any
 */
char *
pen_size_format (guint64 size_bytes)
{
  return pen_quantity_format (&size_quantity, size_bytes);
}

/* Everything but the name is the parent's: class and instance are as large, the value type, the
 * validation and the comparison are inherited. */
static GType
pen_param_register (const char *name, GType parent)
{
  GTypeInfo info = { 0 };
  GTypeQuery query;

  g_type_query (parent, &query);
  info.class_size = (guint16) query.class_size;
  info.instance_size = (guint16) query.instance_size;
  return g_type_register_static (parent, name, &info, 0);
}

/**
 * pen_param_duration_get_type: (skip)
 *
 * Returns: the type of the properties that hold a duration
 *
 * Threads: any
 */
GType
pen_param_duration_get_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, pen_param_register ("PenParamDuration", G_TYPE_PARAM_INT64));
  return type;
}

/**
 * pen_param_size_get_type: (skip)
 *
 * Returns: the type of the properties that hold a size
 *
 * Threads: any
 */
GType
pen_param_size_get_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, pen_param_register ("PenParamSize", G_TYPE_PARAM_UINT64));
  return type;
}

/**
 * pen_param_spec_duration: (skip)
 * @name: name of the property, which is its key in a keyfile
 * @blurb: what it is for, one line
 * @minimum_us: the shortest
 * @maximum_us: the longest
 * @default_us: the default
 * @flags: #GParamFlags and those of this library
 *
 * Returns: (transfer full): a property that holds a duration, a #gint64 of microseconds
 *
 * Threads: any
 */
GParamSpec *
pen_param_spec_duration (const char *name,
                         const char *blurb,
                         gint64 minimum_us,
                         gint64 maximum_us,
                         gint64 default_us,
                         GParamFlags flags)
{
  GParamSpecInt64 *spec;

  g_return_val_if_fail (minimum_us >= 0 && minimum_us <= default_us && default_us <= maximum_us,
                        NULL);
  spec = g_param_spec_internal (PEN_TYPE_PARAM_DURATION, name, name, blurb, flags);
  g_return_val_if_fail (spec != NULL, NULL);
  spec->minimum = minimum_us;
  spec->maximum = maximum_us;
  spec->default_value = default_us;
  return G_PARAM_SPEC (spec);
}

/**
 * pen_param_spec_size: (skip)
 * @name: name of the property, which is its key in a keyfile
 * @blurb: what it is for, one line
 * @minimum_bytes: the smallest
 * @maximum_bytes: the largest
 * @default_bytes: the default
 * @flags: #GParamFlags and those of this library
 *
 * Returns: (transfer full): a property that holds a size, a #guint64 of bytes
 *
 * Threads: any
 */
GParamSpec *
pen_param_spec_size (const char *name,
                     const char *blurb,
                     guint64 minimum_bytes,
                     guint64 maximum_bytes,
                     guint64 default_bytes,
                     GParamFlags flags)
{
  GParamSpecUInt64 *spec;

  g_return_val_if_fail (minimum_bytes <= default_bytes && default_bytes <= maximum_bytes, NULL);
  spec = g_param_spec_internal (PEN_TYPE_PARAM_SIZE, name, name, blurb, flags);
  g_return_val_if_fail (spec != NULL, NULL);
  spec->minimum = minimum_bytes;
  spec->maximum = maximum_bytes;
  spec->default_value = default_bytes;
  return G_PARAM_SPEC (spec);
}
