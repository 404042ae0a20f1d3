/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties as keys of a keyfile. Type, range and spelling of a value come from its GParamSpec and
 * from nowhere else. What is accepted is described without the text that was refused, so that this
 * can be said of secrets as well; what was probably meant is a sentence of its own.
 */

#include "config.h"

#include "pen-property.h"
#include "pen-suggest.h"
#include "pen-value-private.h"

#include <string.h>

/* A number of any width and sign fits one of these. */
typedef struct
{
  gboolean is_signed;
  gint64 minimum;
  gint64 maximum;
  guint64 unsigned_minimum;
  guint64 unsigned_maximum;
  gboolean is_bounded; /* by more than its type */
} PenIntegerRange;

static gboolean
pen_property_get_range (const GParamSpec *pspec, PenIntegerRange *range)
{
  *range = (PenIntegerRange){ .is_signed = TRUE };
  if (G_IS_PARAM_SPEC_INT (pspec))
    {
      range->minimum = ((const GParamSpecInt *) pspec)->minimum;
      range->maximum = ((const GParamSpecInt *) pspec)->maximum;
      range->is_bounded = range->minimum != G_MININT || range->maximum != G_MAXINT;
      return TRUE;
    }
  if (G_IS_PARAM_SPEC_INT64 (pspec))
    {
      range->minimum = ((const GParamSpecInt64 *) pspec)->minimum;
      range->maximum = ((const GParamSpecInt64 *) pspec)->maximum;
      range->is_bounded = range->minimum != G_MININT64 || range->maximum != G_MAXINT64;
      return TRUE;
    }
  range->is_signed = FALSE;
  if (G_IS_PARAM_SPEC_UINT (pspec))
    {
      range->unsigned_minimum = ((const GParamSpecUInt *) pspec)->minimum;
      range->unsigned_maximum = ((const GParamSpecUInt *) pspec)->maximum;
      range->is_bounded = TRUE;
      return TRUE;
    }
  if (G_IS_PARAM_SPEC_UINT64 (pspec))
    {
      range->unsigned_minimum = ((const GParamSpecUInt64 *) pspec)->minimum;
      range->unsigned_maximum = ((const GParamSpecUInt64 *) pspec)->maximum;
      range->is_bounded = TRUE;
      return TRUE;
    }
  return FALSE;
}

static gboolean
pen_property_is_real (const GParamSpec *pspec)
{
  return G_IS_PARAM_SPEC_DOUBLE (pspec);
}

static gboolean
pen_property_is_key (const GParamSpec *pspec)
{
  PenIntegerRange range;

  if ((pspec->flags & G_PARAM_WRITABLE) == 0 || (pspec->flags & G_PARAM_CONSTRUCT_ONLY) != 0)
    return FALSE;
  return pen_property_get_range (pspec, &range) || pen_property_is_real (pspec)
         || pen_property_is_list (pspec) || G_IS_PARAM_SPEC_BOOLEAN (pspec)
         || G_IS_PARAM_SPEC_ENUM (pspec) || G_IS_PARAM_SPEC_STRING (pspec);
}

/*
 * pen_property_find:
 * @klass: a class
 * @key: a key
 *
 * Returns: (nullable) (transfer none): the property that is spelt exactly so; `keep_alive` is not
 *   `keep-alive`, as it would be for GObject
 *
 * Threads: any
 */
GParamSpec *
pen_property_find (GObjectClass *klass, const char *key)
{
  GParamSpec *pspec = g_object_class_find_property (klass, key);

  if (pspec == NULL || !g_str_equal (pspec->name, key) || !pen_property_is_key (pspec))
    return NULL;
  return pspec;
}

/*
 * pen_property_list_keys:
 * @klass: a class
 *
 * Returns: (transfer container) (element-type utf8): all that a keyfile can set, in the order in
 *   which the properties were installed
 *
 * Threads: any
 */
GPtrArray *
pen_property_list_keys (GObjectClass *klass)
{
  GPtrArray *keys = g_ptr_array_new ();
  guint n_properties = 0;
  g_autofree GParamSpec **properties = g_object_class_list_properties (klass, &n_properties);

  for (guint i = 0; i < n_properties; i++)
    {
      if (pen_property_is_key (properties[i]))
        g_ptr_array_add (keys, (gpointer) properties[i]->name);
    }
  return keys;
}

/*
 * pen_property_is_list:
 * @pspec: a property
 *
 * Returns: whether its value is a list of texts
 *
 * Threads: any
 */
gboolean
pen_property_is_list (const GParamSpec *pspec)
{
  return pspec->value_type == G_TYPE_STRV;
}

/* (element-type utf8) */
static GPtrArray *
pen_property_list_nicks (const GParamSpec *pspec)
{
  GPtrArray *nicks = g_ptr_array_new ();
  const GEnumClass *klass = ((const GParamSpecEnum *) pspec)->enum_class;

  for (guint i = 0; i < klass->n_values; i++)
    g_ptr_array_add (nicks, (gpointer) klass->values[i].value_nick);
  return nicks;
}

static char *
pen_property_describe_quantity (const char *what,
                                const char *minimum,
                                const char *maximum,
                                gboolean is_open)
{
  if (is_open)
    return g_strdup_printf ("%s, from %s", what, minimum);
  return g_strdup_printf ("%s, from %s to %s", what, minimum, maximum);
}

static char *
pen_property_describe_integer (const GParamSpec *pspec, const PenIntegerRange *range)
{
  g_autofree char *minimum = NULL;
  g_autofree char *maximum = NULL;

  if (PEN_IS_PARAM_SPEC_DURATION (pspec))
    {
      minimum = pen_duration_format (range->minimum);
      maximum = pen_duration_format (range->maximum);
      return pen_property_describe_quantity ("a duration in us, ms, s, min, h or d", minimum,
                                             maximum, range->maximum == G_MAXINT64);
    }
  if (PEN_IS_PARAM_SPEC_SIZE (pspec))
    {
      minimum = pen_size_format (range->unsigned_minimum);
      maximum = pen_size_format (range->unsigned_maximum);
      return pen_property_describe_quantity ("a size in B, KiB, MiB, GiB or TiB", minimum, maximum,
                                             range->unsigned_maximum >= G_MAXINT64);
    }
  if (!range->is_bounded)
    return g_strdup ("a whole number");
  if (range->is_signed)
    return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                            range->minimum, range->maximum);
  return g_strdup_printf ("a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                          range->unsigned_minimum, range->unsigned_maximum);
}

/*
 * pen_property_describe:
 * @pspec: a property that a keyfile can set
 *
 * Returns: (transfer full): what it accepts
 *
 * Threads: any
 */
char *
pen_property_describe (const GParamSpec *pspec)
{
  PenIntegerRange range;

  if (pen_property_get_range (pspec, &range))
    return pen_property_describe_integer (pspec, &range);
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    return g_strdup ("true or false");
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    {
      g_autoptr (GPtrArray) nicks = pen_property_list_nicks (pspec);

      return pen_suggest_list (nicks, "or");
    }
  if (pen_property_is_real (pspec))
    {
      const GParamSpecDouble *real = (const GParamSpecDouble *) pspec;

      if (real->minimum <= -G_MAXDOUBLE && real->maximum >= G_MAXDOUBLE)
        return g_strdup ("a number");
      return g_strdup_printf ("a number from %g to %g", real->minimum, real->maximum);
    }
  return g_strdup (pen_property_is_list (pspec) ? "a list separated by ';'" : "text");
}

static gboolean
pen_property_parse_signed (const GParamSpec *pspec,
                           const PenIntegerRange *range,
                           const char *text,
                           GValue *value)
{
  gint64 number = 0;

  if (PEN_IS_PARAM_SPEC_DURATION (pspec))
    {
      if (!pen_duration_parse (text, &number, NULL) || number < range->minimum
          || number > range->maximum)
        return FALSE;
    }
  else if (!g_ascii_string_to_signed (text, 10, range->minimum, range->maximum, &number, NULL))
    return FALSE;
  if (pspec->value_type == G_TYPE_INT)
    g_value_set_int (value, (int) number);
  else
    g_value_set_int64 (value, number);
  return TRUE;
}

static gboolean
pen_property_parse_unsigned (const GParamSpec *pspec,
                             const PenIntegerRange *range,
                             const char *text,
                             GValue *value)
{
  guint64 number = 0;

  if (PEN_IS_PARAM_SPEC_SIZE (pspec))
    {
      if (!pen_size_parse (text, &number, NULL) || number < range->unsigned_minimum
          || number > range->unsigned_maximum)
        return FALSE;
    }
  else if (!g_ascii_string_to_unsigned (text, 10, range->unsigned_minimum, range->unsigned_maximum,
                                        &number, NULL))
    return FALSE;
  if (pspec->value_type == G_TYPE_UINT)
    g_value_set_uint (value, (guint) number);
  else
    g_value_set_uint64 (value, number);
  return TRUE;
}

/* Decimal only: no hexadecimal, no infinity, no "nan". */
static gboolean
pen_property_parse_real (const GParamSpec *pspec, const char *text, GValue *value)
{
  const GParamSpecDouble *real = (const GParamSpecDouble *) pspec;
  char *end = NULL;
  double number;

  if (*text == '\0' || text[strspn (text, "+-.0123456789eE")] != '\0')
    return FALSE;
  number = g_ascii_strtod (text, &end);
  if (*end != '\0' || !(number >= real->minimum && number <= real->maximum))
    return FALSE;
  g_value_set_double (value, number);
  return TRUE;
}

static gboolean
pen_property_parse_enum (const GParamSpec *pspec, const char *text, GValue *value)
{
  GEnumClass *klass = ((const GParamSpecEnum *) pspec)->enum_class;
  const GEnumValue *found = g_enum_get_value_by_nick (klass, text);

  if (found == NULL)
    return FALSE;
  g_value_set_enum (value, found->value);
  return TRUE;
}

/*
 * pen_property_parse:
 * @pspec: a property that a keyfile can set, and no list
 * @text: a value
 * @value: (out caller-allocates): zero-filled; of the property's type if all is well
 *
 * Returns: whether @pspec accepts @text
 *
 * Threads: any
 */
gboolean
pen_property_parse (const GParamSpec *pspec, const char *text, GValue *value)
{
  PenIntegerRange range;

  g_value_init (value, pspec->value_type);
  if (G_IS_PARAM_SPEC_STRING (pspec))
    {
      g_value_set_string (value, text);
      return TRUE;
    }
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    {
      g_value_set_boolean (value, g_str_equal (text, "true"));
      return g_str_equal (text, "true") || g_str_equal (text, "false");
    }
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return pen_property_parse_enum (pspec, text, value);
  if (pen_property_is_real (pspec))
    return pen_property_parse_real (pspec, text, value);
  if (!pen_property_get_range (pspec, &range))
    return FALSE;
  return range.is_signed ? pen_property_parse_signed (pspec, &range, text, value)
                         : pen_property_parse_unsigned (pspec, &range, text, value);
}

/* What people write for true and false elsewhere. */
static const char *
pen_property_guess_boolean (const char *text)
{
  static const char *const truths[] = { "true", "yes", "on", "1", "y", "t", "enabled" };
  static const char *const untruths[] = { "false", "no", "off", "0", "n", "f", "disabled" };

  for (gsize i = 0; i < G_N_ELEMENTS (truths); i++)
    {
      if (g_ascii_strcasecmp (truths[i], text) == 0)
        return "true";
      if (g_ascii_strcasecmp (untruths[i], text) == 0)
        return "false";
    }
  return pen_suggest (text, (const char *const[]){ "true", "false" }, 2);
}

/*
 * pen_property_guess:
 * @pspec: a property that a keyfile can set
 * @text: a value that it does not accept
 *
 * Returns: (transfer full): the end of a message, which may be nothing: what was probably meant, or
 *   how to mend it
 *
 * Threads: any
 */
char *
pen_property_guess (const GParamSpec *pspec, const char *text)
{
  g_autofree char *guess = NULL;
  GValue ignored = G_VALUE_INIT;
  gboolean is_good;

  if (strstr (text, " #") != NULL || strstr (text, "\t#") != NULL)
    return g_strdup ("; a comment has a line of its own");
  if (PEN_IS_PARAM_SPEC_DURATION (pspec))
    guess = pen_duration_suggest (text);
  else if (PEN_IS_PARAM_SPEC_SIZE (pspec))
    guess = pen_size_suggest (text);
  else if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    guess = g_strdup (pen_property_guess_boolean (text));
  else if (pen_property_is_real (pspec))
    guess = g_strdelimit (g_strdup (text), ",", '.');
  else if (G_IS_PARAM_SPEC_ENUM (pspec))
    {
      g_autoptr (GPtrArray) nicks = pen_property_list_nicks (pspec);

      return pen_suggest_hint (text, nicks);
    }
  if (guess == NULL)
    return g_strdup ("");
  is_good = pen_property_parse (pspec, guess, &ignored);
  g_value_unset (&ignored);
  return is_good ? g_strdup_printf ("; did you mean '%s'?", guess) : g_strdup ("");
}
