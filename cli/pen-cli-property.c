/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be said of a key of a keyfile. Values are written as a keyfile has them, with their
 * units. A bound that is only that of the C type is none.
 */

#include "config.h"

#include "pen-cli-property.h"

/*
 * pen_cli_properties_init:
 * @self: (out caller-allocates): properties
 * @type: of an element, or the type of a pipeline's settings
 *
 * Lists the properties in the order in which the classes declare them.
 */
void
pen_cli_properties_init (PenCliProperties *self, GType type)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (type);
  guint n_all = 0;
  g_autofree GParamSpec **all = g_object_class_list_properties (G_OBJECT_CLASS (class), &n_all);

  self->example = g_object_new (type, NULL);
  self->specs = g_new (GParamSpec *, n_all);
  self->n_specs = 0;
  for (guint i = 0; i < n_all; i++)
    if (all[i]->flags & G_PARAM_WRITABLE)
      self->specs[self->n_specs++] = g_param_spec_ref (all[i]);
}

void
pen_cli_properties_clear (PenCliProperties *self)
{
  for (guint i = 0; i < self->n_specs; i++)
    g_param_spec_unref (self->specs[i]);
  g_clear_pointer (&self->specs, g_free);
  g_clear_object (&self->example);
  self->n_specs = 0;
}

/*
 * pen_cli_property_is_common:
 * @spec: a property of an element
 *
 * Returns: whether all elements of the kind have it
 */
gboolean
pen_cli_property_is_common (const GParamSpec *spec)
{
  return spec->owner_type == PEN_TYPE_ELEMENT || spec->owner_type == PEN_TYPE_SOURCE
         || spec->owner_type == PEN_TYPE_TRANSFORM || spec->owner_type == PEN_TYPE_SINK;
}

const char *
pen_cli_property_get_type_name (const GParamSpec *spec)
{
  if (PEN_IS_PARAM_SPEC_DURATION (spec))
    return "duration";
  if (PEN_IS_PARAM_SPEC_SIZE (spec))
    return "size";
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    return "boolean";
  if (G_IS_PARAM_SPEC_ENUM (spec))
    return "enumeration";
  if (G_IS_PARAM_SPEC_DOUBLE (spec) || G_IS_PARAM_SPEC_FLOAT (spec))
    return "number";
  if (G_IS_PARAM_SPEC_STRING (spec))
    return spec->flags & PEN_PARAM_PATH ? "path" : "text";
  if (spec->value_type == G_TYPE_STRV)
    return "list";
  return "integer";
}

/* The text of a number, or NULL where the bound is only that of the type. */
static char *
pen_cli_property_dup_bound (const GParamSpec *spec, gboolean is_maximum)
{
#define BOUND(Spec, least, most, format)                                                           \
  (is_maximum                                                                                      \
       ? (Spec (spec)->maximum == (most) ? NULL : g_strdup_printf (format, Spec (spec)->maximum))  \
       : (Spec (spec)->minimum == (least) ? NULL                                                   \
                                          : g_strdup_printf (format, Spec (spec)->minimum)))
  if (G_IS_PARAM_SPEC_INT (spec))
    return BOUND (G_PARAM_SPEC_INT, G_MININT, G_MAXINT, "%d");
  if (G_IS_PARAM_SPEC_UINT (spec))
    return BOUND (G_PARAM_SPEC_UINT, G_MAXUINT, G_MAXUINT, "%u");
  if (G_IS_PARAM_SPEC_INT64 (spec))
    return BOUND (G_PARAM_SPEC_INT64, G_MININT64, G_MAXINT64, "%" G_GINT64_FORMAT);
  if (G_IS_PARAM_SPEC_UINT64 (spec))
    return BOUND (G_PARAM_SPEC_UINT64, G_MAXUINT64, G_MAXUINT64, "%" G_GUINT64_FORMAT);
  if (G_IS_PARAM_SPEC_DOUBLE (spec))
    return BOUND (G_PARAM_SPEC_DOUBLE, -G_MAXDOUBLE, G_MAXDOUBLE, "%g");
  return NULL;
#undef BOUND
}

static char *
pen_cli_property_dup_unit_bound (const GParamSpec *spec, gboolean is_maximum)
{
  if (PEN_IS_PARAM_SPEC_DURATION (spec))
    {
      gint64 bound
          = is_maximum ? G_PARAM_SPEC_INT64 (spec)->maximum : G_PARAM_SPEC_INT64 (spec)->minimum;

      return bound == G_MAXINT64 ? NULL : pen_duration_format (bound);
    }
  if (PEN_IS_PARAM_SPEC_SIZE (spec))
    {
      guint64 bound
          = is_maximum ? G_PARAM_SPEC_UINT64 (spec)->maximum : G_PARAM_SPEC_UINT64 (spec)->minimum;

      /* as large as a file can be is no bound either */
      return bound >= G_MAXINT64 ? NULL : pen_size_format (bound);
    }
  return pen_cli_property_dup_bound (spec, is_maximum);
}

char *
pen_cli_property_dup_minimum (const GParamSpec *spec)
{
  return pen_cli_property_dup_unit_bound (spec, FALSE);
}

char *
pen_cli_property_dup_maximum (const GParamSpec *spec)
{
  return pen_cli_property_dup_unit_bound (spec, TRUE);
}

/* As short as it was written in the source. */
static char *
pen_cli_property_dup_number (double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.15g", number);
  if (g_ascii_strtod (text, NULL) != number)
    g_ascii_dtostr (text, sizeof text, number);
  return g_strdup (text);
}

static char *
pen_cli_property_dup_value (const GParamSpec *spec, const GValue *value)
{
  if (PEN_IS_PARAM_SPEC_DURATION (spec))
    return pen_duration_format (g_value_get_int64 (value));
  if (PEN_IS_PARAM_SPEC_SIZE (spec))
    return pen_size_format (g_value_get_uint64 (value));
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  if (G_VALUE_HOLDS_ENUM (value))
    {
      GEnumClass *class = G_PARAM_SPEC_ENUM (spec)->enum_class;

      return g_strdup (g_enum_get_value (class, g_value_get_enum (value))->value_nick);
    }
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    {
      GStrv items = g_value_get_boxed (value);

      return items == NULL ? NULL : g_strjoinv (";", items);
    }
  if (G_VALUE_HOLDS_DOUBLE (value))
    return pen_cli_property_dup_number (g_value_get_double (value));
  return g_strdup_value_contents (value); /* integers */
}

/*
 * pen_cli_property_dup_default:
 * @spec: a property
 * @example: an object of its class, as it was made
 *
 * Returns: (nullable): what a keyfile that leaves the key out says without saying it; %NULL if the
 *   property is unset then
 */
char *
pen_cli_property_dup_default (const GParamSpec *spec, GObject *example)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree char *text = NULL;

  g_object_get_property (example, spec->name, g_value_init (&value, spec->value_type));
  text = pen_cli_property_dup_value (spec, &value);
  return text == NULL || *text == '\0' ? NULL : g_steal_pointer (&text);
}

/*
 * pen_cli_enum_get_description:
 * @value: a value of an enumeration
 *
 * The name of a value is its description where it is not the name of a C constant.
 *
 * Returns: (nullable): what it means
 */
const char *
pen_cli_enum_get_description (const GEnumValue *value)
{
  gboolean is_constant = TRUE;

  for (const char *letter = value->value_name; *letter != '\0'; letter++)
    is_constant &= g_ascii_isupper (*letter) || g_ascii_isdigit (*letter) || *letter == '_';
  return is_constant ? NULL : value->value_name;
}
