/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Restructures the payloads of energy data loggers for AMMP: one event in, at most one out. What
 * goes in and comes out is in the README; the work is done by pen-ammp-payload.c.
 *
 * The memory for that, some 20 KiB, is each thread's and not each transform's: nothing of a payload
 * outlives process (), and with thousands of sites it stays in the processor's cache.
 */

#include "config.h"

#include "pen-ammp-transform.h"

#include "pen-ammp-payload.h"

#define DEFAULT_MISSING_VID PEN_AMMP_MISSING_VID_SKIP

/* Of more readings left out in one payload, letters say the number only. */
#define MAX_DESCRIBED 100

struct _PenAmmpTransform
{
  PenTransform parent_instance;

  /* constant after start */
  PenAmmpMissingVid missing_vid;
  PenMetric *n_conflicts;
};

enum
{
  PROP_0,
  PROP_MISSING_VID,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static GPrivate payload_of_thread = G_PRIVATE_INIT ((GDestroyNotify) pen_ammp_payload_free);

G_DEFINE_FINAL_TYPE (PenAmmpTransform, pen_ammp_transform, PEN_TYPE_TRANSFORM)

static GType
pen_ammp_missing_vid_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_AMMP_MISSING_VID_SKIP, "PEN_AMMP_MISSING_VID_SKIP", "skip" },
    { PEN_AMMP_MISSING_VID_DEVICE, "PEN_AMMP_MISSING_VID_DEVICE", "device" },
    { PEN_AMMP_MISSING_VID_REJECT, "PEN_AMMP_MISSING_VID_REJECT", "reject" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenAmmpMissingVid", values));
  return type;
}

static PenAmmpPayload *
pen_ammp_transform_get_payload (void)
{
  PenAmmpPayload *payload = g_private_get (&payload_of_thread);

  if (payload != NULL)
    return payload;
  payload = pen_ammp_payload_new ();
  g_private_set (&payload_of_thread, payload);
  return payload;
}

static void
pen_ammp_transform_tell_skipped (const PenAmmpPayload *payload, PenOutput *output)
{
  guint n_skipped = pen_ammp_payload_get_n_skipped (payload);

  for (guint i = 0; i < n_skipped; i++)
    {
      const char *reason = pen_ammp_payload_get_skip_reason (payload, i);
      g_autofree char *message = NULL;

      if (i < MAX_DESCRIBED)
        message = pen_ammp_payload_describe_skip (payload, i);
      pen_output_skip (output, reason, "%s", message != NULL ? message : "another reading");
    }
}

static gboolean
pen_ammp_transform_process (PenTransform *transform,
                            PenEvent *event,
                            PenOutput *output,
                            GError **error)
{
  PenAmmpTransform *self = PEN_AMMP_TRANSFORM (transform);
  PenAmmpPayload *payload = pen_ammp_transform_get_payload ();
  g_autoptr (GBytes) converted = NULL;
  gsize length;
  const char *text = pen_event_get_data (event, &length);
  guint n_conflicts;

  if (!pen_ammp_payload_convert (payload, text, length, self->missing_vid, &converted, error))
    return FALSE;
  n_conflicts = pen_ammp_payload_get_n_conflicts (payload);
  if (n_conflicts > 0)
    pen_metric_add (self->n_conflicts, n_conflicts);
  pen_ammp_transform_tell_skipped (payload, output);
  if (converted != NULL)
    pen_output_push (output, pen_event_derive (event, converted));
  else
    pen_output_drop (output, "empty");
  return TRUE;
}

static gboolean
pen_ammp_transform_start (PenElement *element, GError **error)
{
  PenAmmpTransform *self = PEN_AMMP_TRANSFORM (element);

  self->n_conflicts = pen_metrics_get (pen_element_get_metrics (element), PEN_METRIC_COUNTER,
                                       "values_replaced", "field_conflict");
  return TRUE;
}

static void
pen_ammp_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenAmmpTransform *self = PEN_AMMP_TRANSFORM (object);

  switch (id)
    {
    case PROP_MISSING_VID:
      g_value_set_enum (value, (gint) self->missing_vid);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_ammp_transform_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenAmmpTransform *self = PEN_AMMP_TRANSFORM (object);

  switch (id)
    {
    case PROP_MISSING_VID:
      self->missing_vid = (PenAmmpMissingVid) g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_ammp_transform_class_init (PenAmmpTransformClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenTransformClass *transform_class = PEN_TRANSFORM_CLASS (class);

  object_class->get_property = pen_ammp_transform_get_property;
  object_class->set_property = pen_ammp_transform_set_property;
  element_class->start = pen_ammp_transform_start;
  transform_class->process = pen_ammp_transform_process;

  properties[PROP_MISSING_VID] = g_param_spec_enum (
      "missing-vid", NULL,
      "What is done about a reading without a vendor ID: skip it, use its device key instead, or "
      "reject the whole payload",
      pen_ammp_missing_vid_get_type (), (gint) DEFAULT_MISSING_VID, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_ammp_transform_init (PenAmmpTransform *self)
{
  self->missing_vid = DEFAULT_MISSING_VID;
}

PEN_PLUGIN_DEFINE ("ammp",
                   "Restructures the payloads of energy data loggers for AMMP",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "transforms/ammp/README.md",
                   pen_ammp_transform_get_type)
