/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lets an event pass if a number in its JSON object has reached a limit, and drops it otherwise.
 */

#include <penstock.h>

#define THRESHOLD_TYPE_TRANSFORM (threshold_transform_get_type ())
G_DECLARE_FINAL_TYPE (ThresholdTransform, threshold_transform, THRESHOLD, TRANSFORM, PenTransform)

#define DEFAULT_MINIMUM 0.0

struct _ThresholdTransform
{
  PenTransform parent_instance;

  /* constant after start */
  char *field;
  double minimum;
};

G_DEFINE_FINAL_TYPE (ThresholdTransform, threshold_transform, PEN_TYPE_TRANSFORM)

enum
{
  PROP_0,
  PROP_FIELD,
  PROP_MINIMUM,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static gboolean
threshold_transform_process (PenTransform *transform,
                             PenEvent *event,
                             PenOutput *output,
                             GError **error)
{
  ThresholdTransform *self = THRESHOLD_TRANSFORM (transform);
  g_autoptr (GError) reason = NULL;
  PenJson *json = pen_event_get_json (event, &reason);
  double number;

  if (json == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "invalid_json",
                             "the payload is not JSON: %s", reason->message);
      return FALSE;
    }
  if (!pen_json_get_double (json, pen_json_get_member (json, 0, self->field), &number, &reason))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "no_number",
                             "cannot compare field '%s': %s", self->field, reason->message);
      return FALSE;
    }
  if (number >= self->minimum)
    pen_output_push (output, pen_event_ref (event));
  else
    pen_output_drop (output, "below");
  return TRUE;
}

static void
threshold_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ThresholdTransform *self = THRESHOLD_TRANSFORM (object);

  switch (id)
    {
    case PROP_FIELD:
      g_value_set_string (value, self->field);
      break;
    case PROP_MINIMUM:
      g_value_set_double (value, self->minimum);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
threshold_transform_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ThresholdTransform *self = THRESHOLD_TRANSFORM (object);

  switch (id)
    {
    case PROP_FIELD:
      g_free (self->field);
      self->field = g_value_dup_string (value);
      break;
    case PROP_MINIMUM:
      self->minimum = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
threshold_transform_finalize (GObject *object)
{
  ThresholdTransform *self = THRESHOLD_TRANSFORM (object);

  g_free (self->field);
  G_OBJECT_CLASS (threshold_transform_parent_class)->finalize (object);
}

static void
threshold_transform_class_init (ThresholdTransformClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = threshold_transform_get_property;
  object_class->set_property = threshold_transform_set_property;
  object_class->finalize = threshold_transform_finalize;
  PEN_TRANSFORM_CLASS (class)->process = threshold_transform_process;

  properties[PROP_FIELD] = g_param_spec_string (
      "field", NULL, "Member of the payload's object whose number is compared", NULL,
      PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED);
  properties[PROP_MINIMUM] = g_param_spec_double (
      "minimum", NULL, "Least number, in the field's own unit, with which an event passes",
      -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_MINIMUM, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
threshold_transform_init (ThresholdTransform *self)
{
  self->minimum = DEFAULT_MINIMUM;
}

PEN_PLUGIN_DEFINE ("threshold",
                   "Lets events pass whose number has reached a limit",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "docs/plugin-tutorial.md",
                   threshold_transform_get_type)
