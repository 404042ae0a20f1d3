/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Computes averages and the like over windows of time: takes events apart, and says what becomes of
 * those that no window takes. The windows are in pen-window-state.c, what they have in common with
 * a keyfile in pen-window-plan.c.
 */

#include "config.h"

#include "pen-window-transform.h"

#include "pen-window-state.h"

#include <string.h>

#define DEFAULT_KIND PEN_WINDOW_TUMBLING
#define DEFAULT_NAME "{field}_{function}"
#define DEFAULT_TIME_UNIT PEN_WINDOW_UNIT_SECONDS
#define DEFAULT_TIME_FORMAT PEN_WINDOW_UNIT_ISO
#define DEFAULT_LATE PEN_WINDOW_REFUSE_DROP
#define DEFAULT_INVALID PEN_WINDOW_REFUSE_REJECT
#define DEFAULT_EMIT PEN_WINDOW_EMIT_CLOSE
#define DEFAULT_HOLD TRUE
#define DEFAULT_MAX_GROUPS 10000
#define DEFAULT_MAX_EVENTS 1000000
#define DEFAULT_MAX_BYTES (G_GUINT64_CONSTANT (256) << 20)
#define MAX_DURATION_US (3660 * G_TIME_SPAN_DAY)

/* Between the fields of a group's key: no JSON text has it. */
#define KEY_SEPARATOR '\x1f'

struct _PenWindowTransform
{
  PenTransform parent_instance;

  /* constant after start */
  PenWindowSettings settings;
  PenWindowPlan *plan; /* NULL until it starts */
  PenMetric *n_groups;
  PenMetric *n_events;
  PenMetric *n_bytes;

  /* lane */
  PenWindowState *state;
  PenWindowValue *values; /* of the event that is processed */
  GString *key;
  GPtrArray *group_texts;
  gint64 scheduled_us;
};

enum
{
  PROP_0,
  PROP_KIND,
  PROP_WINDOWS,
  PROP_HOP,
  PROP_OFFSET,
  PROP_FIELDS,
  PROP_FUNCTIONS,
  PROP_NAME,
  PROP_GROUP_BY,
  PROP_GROUP_BY_TOPIC,
  PROP_TIME_FIELD,
  PROP_TIME_UNIT,
  PROP_ALLOWED_LATENESS,
  PROP_LATE,
  PROP_GROUP_LAG,
  PROP_MAX_AHEAD,
  PROP_INVALID,
  PROP_EXPECTED_INTERVAL,
  PROP_EMIT,
  PROP_START_FIELD,
  PROP_END_FIELD,
  PROP_TIME_FORMAT,
  PROP_BLANKS,
  PROP_HOLD,
  PROP_MAX_GROUPS,
  PROP_MAX_EVENTS,
  PROP_MAX_BYTES,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenWindowTransform, pen_window_transform, PEN_TYPE_TRANSFORM)

/* --- Enumerations --- */

static GType
pen_window_kind_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_WINDOW_TUMBLING, "PEN_WINDOW_TUMBLING", "tumbling" },
    { PEN_WINDOW_HOPPING, "PEN_WINDOW_HOPPING", "hopping" },
    { PEN_WINDOW_SLIDING, "PEN_WINDOW_SLIDING", "sliding" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWindowKind", values));
  return type;
}

static GType
pen_window_emit_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_WINDOW_EMIT_CLOSE, "PEN_WINDOW_EMIT_CLOSE", "close" },
    { PEN_WINDOW_EMIT_EVENT, "PEN_WINDOW_EMIT_EVENT", "event" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWindowEmit", values));
  return type;
}

static GType
pen_window_late_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_WINDOW_REFUSE_DROP, "PEN_WINDOW_REFUSE_DROP", "drop" },
    { PEN_WINDOW_REFUSE_REJECT, "PEN_WINDOW_REFUSE_REJECT", "reject" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWindowLate", values));
  return type;
}

static GType
pen_window_invalid_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_WINDOW_REFUSE_DROP, "PEN_WINDOW_REFUSE_DROP", "ignore" },
    { PEN_WINDOW_REFUSE_REJECT, "PEN_WINDOW_REFUSE_REJECT", "reject" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWindowInvalid", values));
  return type;
}

static GType
pen_window_unit_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_WINDOW_UNIT_SECONDS, "PEN_WINDOW_UNIT_SECONDS", "s" },
    { PEN_WINDOW_UNIT_MILLISECONDS, "PEN_WINDOW_UNIT_MILLISECONDS", "ms" },
    { PEN_WINDOW_UNIT_MICROSECONDS, "PEN_WINDOW_UNIT_MICROSECONDS", "us" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWindowUnit", values));
  return type;
}

static GType
pen_window_format_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_WINDOW_UNIT_ISO, "PEN_WINDOW_UNIT_ISO", "iso" },
    { PEN_WINDOW_UNIT_SECONDS, "PEN_WINDOW_UNIT_SECONDS", "s" },
    { PEN_WINDOW_UNIT_MILLISECONDS, "PEN_WINDOW_UNIT_MILLISECONDS", "ms" },
    { PEN_WINDOW_UNIT_MICROSECONDS, "PEN_WINDOW_UNIT_MICROSECONDS", "us" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenWindowFormat", values));
  return type;
}

/* --- An event, taken apart --- */

/* Time is a number, a string with one in it, or ISO 8601. */
static gboolean
pen_window_transform_read_time (PenWindowTransform *self,
                                const PenJson *json,
                                PenJsonNode node,
                                gint64 *time_us)
{
  static const PenTimeUnit units[]
      = { PEN_TIME_UNIT_SECONDS, PEN_TIME_UNIT_MILLISECONDS, PEN_TIME_UNIT_MICROSECONDS };
  PenTimeUnit unit = units[self->settings.time_unit];
  PenJsonSlice slice;
  g_autofree char *decoded = NULL;

  pen_json_get_slice (json, node, &slice);
  if (slice.type == PEN_JSON_NUMBER)
    return pen_time_parse_number (slice.text, slice.length, unit, time_us);
  if (slice.type != PEN_JSON_STRING)
    return FALSE;
  slice.text++;
  slice.length -= 2;
  if (slice.escaped)
    {
      decoded = pen_json_dup_string (json, node, NULL);
      slice.text = decoded != NULL ? decoded : "";
      slice.length = strlen (slice.text);
    }
  return pen_time_parse_number (slice.text, slice.length, unit, time_us)
         || pen_time_parse (slice.text, slice.length, time_us);
}

static gboolean
pen_window_transform_find_time (PenWindowTransform *self,
                                const PenJson *json,
                                const PenEvent *event,
                                gint64 *time_us,
                                GError **error)
{
  gint64 arrival_us = pen_event_get_arrival (event);
  PenJsonNode node;

  *time_us = arrival_us;
  if (self->plan->time == NULL)
    return TRUE;
  node = pen_json_path_find (self->plan->time, json);
  if (pen_json_get_node_type (json, node) == PEN_JSON_NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "no_time",
                             "the event has no '%s', which says when it happened",
                             self->settings.time_field);
      return FALSE;
    }
  if (!pen_window_transform_read_time (self, json, node, time_us))
    {
      PenJsonSlice slice;

      pen_json_get_slice (json, node, &slice);
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_time",
                             "'%s' is no time of the years 1 to 9999: %.*s; 'time-unit' says "
                             "what numbers count",
                             self->settings.time_field, (int) MIN (slice.length, 64), slice.text);
      return FALSE;
    }
  if (self->settings.max_ahead_us > 0 && *time_us - arrival_us > self->settings.max_ahead_us)
    {
      g_autofree char *limit = pen_duration_format (self->settings.max_ahead_us);

      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "ahead",
                             "'%s' is more than %s later than the event came; is the sender's "
                             "clock right?",
                             self->settings.time_field, limit);
      return FALSE;
    }
  return TRUE;
}

static gboolean
pen_window_transform_read_values (PenWindowTransform *self, const PenJson *json, GError **error)
{
  for (guint i = 0; i < self->plan->fields->len; i++)
    {
      const PenWindowField *field = PEN_WINDOW_GET_FIELD (self->plan, i);
      PenWindowValue *value = &self->values[i];
      gboolean is_finite
          = pen_window_value_init (value, json, pen_json_path_find (field->path, json));

      if (is_finite
          && (value->text == NULL || value->is_number
              || (field->needs & PEN_WINDOW_NEEDS_NUMBERS) == 0))
        continue;
      if (self->settings.invalid == PEN_WINDOW_REFUSE_REJECT)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad_value", "'%s' is %s: %.*s",
                                 pen_json_path_get_text (field->path),
                                 is_finite ? "no number"
                                           : "a number that is too large to be computed with",
                                 (int) MIN (value->length, 64), value->text);
          return FALSE;
        }
      *value = (PenWindowValue){ 0 };
      pen_element_count (PEN_ELEMENT (self), "values_ignored", "bad_value", 1);
    }
  return TRUE;
}

/* Two ways to write one string are one group. */
static char *
pen_window_transform_dup_group_text (const PenJson *json, PenJsonNode node)
{
  PenJsonSlice slice;

  if (node == PEN_JSON_NO_NODE)
    return g_strdup ("null");
  pen_json_get_slice (json, node, &slice);
  if (slice.type == PEN_JSON_STRING && slice.escaped)
    {
      gsize length;
      g_autofree char *decoded = pen_json_slice_decode (&slice, &length);
      GString *text = g_string_new (NULL);
      PenJsonWriter writer;

      pen_json_writer_init (&writer, text);
      pen_json_writer_string (&writer, decoded, (gssize) length);
      return g_string_free (text, FALSE);
    }
  return g_strndup (slice.text, slice.length);
}

static void
pen_window_transform_read_group (PenWindowTransform *self,
                                 const PenJson *json,
                                 const PenEvent *event)
{
  const char *topic = pen_event_get_topic (event);

  g_string_truncate (self->key, 0);
  g_ptr_array_set_size (self->group_texts, 0);
  for (guint i = 0; i < self->plan->groups->len; i++)
    {
      PenJsonNode node = pen_json_path_find (PEN_WINDOW_GET_GROUP (self->plan, i)->path, json);
      char *text = pen_window_transform_dup_group_text (json, node);

      g_ptr_array_add (self->group_texts, text);
      g_string_append (self->key, text);
      g_string_append_c (self->key, KEY_SEPARATOR);
    }
  g_ptr_array_add (self->group_texts, NULL);
  if (self->settings.group_by_topic && topic != NULL)
    g_string_append (self->key, topic);
}

/* --- What becomes of it --- */

static gboolean
pen_window_transform_refuse_late (PenWindowTransform *self, PenOutput *output, GError **error)
{
  if (self->settings.late == PEN_WINDOW_REFUSE_DROP)
    {
      pen_output_drop (output, "late");
      return TRUE;
    }
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "late",
                         "all windows that the event belongs to are closed; 'allowed-lateness' "
                         "says how long they wait, and 'group-lag' how long for a group that is "
                         "behind the others");
  return FALSE;
}

static gboolean
pen_window_transform_conclude (PenWindowTransform *self,
                               PenWindowVerdict verdict,
                               PenOutput *output,
                               GError **error)
{
  switch (verdict)
    {
    case PEN_WINDOW_ADDED:
      return TRUE;
    case PEN_WINDOW_PARTLY_LATE:
      pen_element_count (PEN_ELEMENT (self), "events_partly_late", NULL, 1);
      return TRUE;
    case PEN_WINDOW_LATE:
      return pen_window_transform_refuse_late (self, output, error);
    case PEN_WINDOW_TOO_MANY_GROUPS:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "too_many_groups",
                             "there are %u groups already, which is 'max-groups'",
                             self->settings.max_groups);
      return FALSE;
    case PEN_WINDOW_TOO_MANY_EVENTS:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "too_many_events",
                             "there are %u events in open windows, which is 'max-events'",
                             self->settings.max_events);
      return FALSE;
    case PEN_WINDOW_TOO_MANY_BYTES:
    default:
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "too_many_bytes",
                             "the open windows take %" G_GSIZE_FORMAT
                             " bytes, and 'max-bytes' leaves no room for another event",
                             pen_window_state_get_n_bytes (self->state));
      return FALSE;
    }
}

static void
pen_window_transform_measure (PenWindowTransform *self)
{
  pen_metric_set (self->n_groups, pen_window_state_get_n_groups (self->state));
  pen_metric_set (self->n_events, pen_window_state_get_n_events (self->state));
  pen_metric_set (self->n_bytes, (gint64) pen_window_state_get_n_bytes (self->state));
}

/* Windows by the time of arrival close when it is over, also if nothing comes any more. */
static void
pen_window_transform_schedule (PenWindowTransform *self)
{
  PenElement *element = PEN_ELEMENT (self);
  gint64 end_us = pen_window_state_get_next_end (self->state);

  if (self->plan->time != NULL || end_us == G_MAXINT64 || end_us == self->scheduled_us)
    return;
  self->scheduled_us = end_us;
  pen_transform_schedule (PEN_TRANSFORM (self), pen_element_get_monotonic_time (element) + end_us
                                                    - pen_element_get_real_time (element));
}

static gboolean
pen_window_transform_process (PenTransform *transform,
                              PenEvent *event,
                              PenOutput *output,
                              GError **error)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (transform);
  g_autoptr (GError) reason = NULL;
  PenJson *json = pen_event_get_json (event, &reason);
  PenWindowInput input = { .event = event, .values = self->values };
  PenWindowVerdict verdict;

  if (json == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT,
                             g_error_matches (reason, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP)
                                 ? "too_deep"
                                 : "invalid_json",
                             "%s", reason->message);
      return FALSE;
    }
  if (!pen_window_transform_find_time (self, json, event, &input.time_us, error)
      || !pen_window_transform_read_values (self, json, error))
    return FALSE;
  pen_window_transform_read_group (self, json, event);
  input.key = self->key->str;
  input.group_texts = (char **) self->group_texts->pdata;
  verdict = pen_window_state_add (self->state, &input, output);
  pen_window_transform_schedule (self);
  pen_window_transform_measure (self);
  return pen_window_transform_conclude (self, verdict, output, error);
}

static void
pen_window_transform_tick (PenTransform *transform, gint64 now_us, PenOutput *output)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (transform);

  self->scheduled_us = G_MAXINT64;
  pen_window_state_close_until (self->state, pen_element_get_real_time (PEN_ELEMENT (self)),
                                output);
  pen_window_transform_schedule (self);
  pen_window_transform_measure (self);
}

static void
pen_window_transform_drain (PenTransform *transform, PenOutput *output)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (transform);

  pen_window_state_drain (self->state, output);
  pen_window_transform_measure (self);
}

static gboolean
pen_window_transform_holds (PenTransform *transform)
{
  return PEN_WINDOW_TRANSFORM (transform)->settings.hold;
}

/* --- Its life --- */

static void
pen_window_transform_report (const char *property, const char *message, gpointer user_data)
{
  pen_check_error (user_data, property, "%s", message);
}

static void
pen_window_transform_check (PenElement *element, PenCheck *check)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (element);
  g_autoptr (PenWindowPlan) plan
      = pen_window_plan_new (&self->settings, pen_window_transform_report, check);

  if (self->settings.kind == PEN_WINDOW_SLIDING && self->settings.emit == PEN_WINDOW_EMIT_CLOSE
      && pen_check_is_set (check, "emit"))
    pen_check_error (check, "emit",
                     "sliding windows never close: they give a result for each event; leave 'emit' "
                     "out, or set kind=tumbling");
  if (self->settings.group_lag_us > 0 && self->settings.group_by == NULL
      && !self->settings.group_by_topic)
    pen_check_warning (check, "group-lag", "there is only one group, which is never behind others");
}

static void
pen_window_transform_keep_first (const char *property, const char *message, gpointer user_data)
{
  char **first = user_data;

  if (*first == NULL)
    *first = g_strdup_printf ("%s: %s", property, message);
}

static gboolean
pen_window_transform_start (PenElement *element, GError **error)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (element);
  PenMetrics *metrics = pen_element_get_metrics (element);
  g_autofree char *first = NULL;

  self->plan = pen_window_plan_new (&self->settings, pen_window_transform_keep_first, &first);
  if (self->plan == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "bad_property", "%s", first);
      return FALSE;
    }
  self->n_groups = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "groups", NULL);
  self->n_events = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "open_events", NULL);
  self->n_bytes = pen_metrics_get (metrics, PEN_METRIC_GAUGE, "open_bytes", NULL);
  self->state = pen_window_state_new (self->plan);
  self->values = g_new0 (PenWindowValue, self->plan->fields->len);
  self->key = g_string_new (NULL);
  self->group_texts = g_ptr_array_new_with_free_func (g_free);
  self->scheduled_us = G_MAXINT64;
  return TRUE;
}

static void
pen_window_transform_stop (PenElement *element)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (element);

  g_clear_pointer (&self->state, pen_window_state_free);
  g_clear_pointer (&self->values, g_free);
  g_clear_pointer (&self->group_texts, g_ptr_array_unref);
  if (self->key != NULL)
    g_string_free (g_steal_pointer (&self->key), TRUE);
  g_clear_pointer (&self->plan, pen_window_plan_free);
}

static void
pen_window_transform_finalize (GObject *object)
{
  PenWindowTransform *self = PEN_WINDOW_TRANSFORM (object);

  pen_window_transform_stop (PEN_ELEMENT (object));
  g_strfreev (self->settings.windows);
  g_strfreev (self->settings.fields);
  g_strfreev (self->settings.functions);
  g_strfreev (self->settings.group_by);
  g_free (self->settings.name);
  g_free (self->settings.time_field);
  g_free (self->settings.start_field);
  g_free (self->settings.end_field);
  G_OBJECT_CLASS (pen_window_transform_parent_class)->finalize (object);
}

/* --- Properties --- */

/* Where a property is kept; how follows from its type. */
static const gsize offsets[N_PROPERTIES] = {
  [PROP_KIND] = G_STRUCT_OFFSET (PenWindowSettings, kind),
  [PROP_WINDOWS] = G_STRUCT_OFFSET (PenWindowSettings, windows),
  [PROP_HOP] = G_STRUCT_OFFSET (PenWindowSettings, hop_us),
  [PROP_OFFSET] = G_STRUCT_OFFSET (PenWindowSettings, offset_us),
  [PROP_FIELDS] = G_STRUCT_OFFSET (PenWindowSettings, fields),
  [PROP_FUNCTIONS] = G_STRUCT_OFFSET (PenWindowSettings, functions),
  [PROP_NAME] = G_STRUCT_OFFSET (PenWindowSettings, name),
  [PROP_GROUP_BY] = G_STRUCT_OFFSET (PenWindowSettings, group_by),
  [PROP_GROUP_BY_TOPIC] = G_STRUCT_OFFSET (PenWindowSettings, group_by_topic),
  [PROP_TIME_FIELD] = G_STRUCT_OFFSET (PenWindowSettings, time_field),
  [PROP_TIME_UNIT] = G_STRUCT_OFFSET (PenWindowSettings, time_unit),
  [PROP_ALLOWED_LATENESS] = G_STRUCT_OFFSET (PenWindowSettings, allowed_lateness_us),
  [PROP_LATE] = G_STRUCT_OFFSET (PenWindowSettings, late),
  [PROP_GROUP_LAG] = G_STRUCT_OFFSET (PenWindowSettings, group_lag_us),
  [PROP_MAX_AHEAD] = G_STRUCT_OFFSET (PenWindowSettings, max_ahead_us),
  [PROP_INVALID] = G_STRUCT_OFFSET (PenWindowSettings, invalid),
  [PROP_EXPECTED_INTERVAL] = G_STRUCT_OFFSET (PenWindowSettings, expected_interval_us),
  [PROP_EMIT] = G_STRUCT_OFFSET (PenWindowSettings, emit),
  [PROP_START_FIELD] = G_STRUCT_OFFSET (PenWindowSettings, start_field),
  [PROP_END_FIELD] = G_STRUCT_OFFSET (PenWindowSettings, end_field),
  [PROP_TIME_FORMAT] = G_STRUCT_OFFSET (PenWindowSettings, time_format),
  [PROP_BLANKS] = G_STRUCT_OFFSET (PenWindowSettings, blanks),
  [PROP_HOLD] = G_STRUCT_OFFSET (PenWindowSettings, hold),
  [PROP_MAX_GROUPS] = G_STRUCT_OFFSET (PenWindowSettings, max_groups),
  [PROP_MAX_EVENTS] = G_STRUCT_OFFSET (PenWindowSettings, max_events),
  [PROP_MAX_BYTES] = G_STRUCT_OFFSET (PenWindowSettings, max_bytes),
};

static gpointer
pen_window_transform_get_place (PenWindowTransform *self, guint id)
{
  return G_STRUCT_MEMBER_P (&self->settings, offsets[id]);
}

static void
pen_window_transform_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  gconstpointer place = NULL;

  if (id == PROP_0 || id >= N_PROPERTIES)
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  place = pen_window_transform_get_place (PEN_WINDOW_TRANSFORM (object), id);
  if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, *(const gint *) place);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const gboolean *) place);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const guint *) place);
  else if (G_VALUE_HOLDS_INT64 (value))
    g_value_set_int64 (value, *(const gint64 *) place);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const guint64 *) place);
  else if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(char *const *) place);
  else
    g_value_set_boxed (value, *(const gpointer *) place);
}

static void
pen_window_transform_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  gpointer place = NULL;

  if (id == PROP_0 || id >= N_PROPERTIES)
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  place = pen_window_transform_get_place (PEN_WINDOW_TRANSFORM (object), id);
  if (G_VALUE_HOLDS_ENUM (value))
    *(gint *) place = g_value_get_enum (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(gboolean *) place = g_value_get_boolean (value);
  else if (G_VALUE_HOLDS_UINT (value))
    *(guint *) place = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_INT64 (value))
    *(gint64 *) place = g_value_get_int64 (value);
  else if (G_VALUE_HOLDS_UINT64 (value))
    *(guint64 *) place = g_value_get_uint64 (value);
  else if (G_VALUE_HOLDS_STRING (value))
    {
      g_free (*(char **) place);
      *(char **) place = g_value_dup_string (value);
    }
  else
    {
      g_strfreev (*(char ***) place);
      *(char ***) place = g_value_dup_boxed (value);
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_window_transform_install_windows (void)
{
  properties[PROP_KIND] = g_param_spec_enum (
      "kind", NULL,
      "How windows follow each other: one behind the other (tumbling), overlapping (hopping), or "
      "counted back from the newest event (sliding)",
      pen_window_kind_get_type (), DEFAULT_KIND, PEN_PARAM_DEFAULTS);
  properties[PROP_WINDOWS]
      = g_param_spec_boxed ("windows", NULL, "How long windows are; several at once: 1min;5min",
                            G_TYPE_STRV, PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED);
  properties[PROP_HOP] = pen_param_spec_duration ("hop", "How far apart hopping windows begin", 0,
                                                  MAX_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_OFFSET] = pen_param_spec_duration (
      "offset", "By how much windows begin later than whole multiples of their length since 1970",
      0, MAX_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_FIELDS] = g_param_spec_boxed (
      "fields", NULL,
      "Fields for the functions that name none: paths such as power or meter.phases[0], each with "
      "' as NAME' behind it if it shall have another name",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_FUNCTIONS] = g_param_spec_boxed (
      "functions", NULL,
      "What is computed: count, sum, mean, min, max, first, last, median, p95, stddev, rate, "
      "coverage, of all fields, of one as in max(power), or of events as in count(*), with "
      "' as NAME' if it shall have a name of its own",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED);
  properties[PROP_NAME] = g_param_spec_string (
      "name", NULL,
      "Template of the names of results that have none of their own: {field}, {function}, {window}",
      DEFAULT_NAME, PEN_PARAM_DEFAULTS);
  properties[PROP_GROUP_BY] = g_param_spec_boxed (
      "group-by", NULL,
      "Fields whose values tell groups apart, each with windows of its own; results carry them",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_GROUP_BY_TOPIC]
      = g_param_spec_boolean ("group-by-topic", NULL, "Whether each topic is a group of its own",
                              FALSE, PEN_PARAM_DEFAULTS);
}

static void
pen_window_transform_install_time (void)
{
  properties[PROP_TIME_FIELD] = g_param_spec_string (
      "time-field", NULL,
      "Field that says when an event happened, a number, a string with one, or ISO 8601; without "
      "it, the time of arrival counts",
      NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_TIME_UNIT] = g_param_spec_enum (
      "time-unit", NULL, "What numbers in the time field count since 1970: seconds, ms or us",
      pen_window_unit_get_type (), DEFAULT_TIME_UNIT, PEN_PARAM_DEFAULTS);
  properties[PROP_ALLOWED_LATENESS] = pen_param_spec_duration (
      "allowed-lateness", "How much newer an event must be than a window's end to close it", 0,
      MAX_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_LATE] = g_param_spec_enum (
      "late", NULL,
      "What is done about an event whose windows are all closed: drop it with a count, or reject "
      "it as a dead letter",
      pen_window_late_get_type (), DEFAULT_LATE, PEN_PARAM_DEFAULTS);
  properties[PROP_GROUP_LAG] = pen_param_spec_duration (
      "group-lag", "How far the newest event of a group may be behind that of all groups", 0,
      MAX_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_AHEAD] = pen_param_spec_duration (
      "max-ahead", "How far the time field may be ahead of the time of arrival; 0s is no bound", 0,
      MAX_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_INVALID] = g_param_spec_enum (
      "invalid", NULL,
      "What is done about a value that is no number where one is needed: reject the event, or "
      "ignore the value as if it were null",
      pen_window_invalid_get_type (), DEFAULT_INVALID, PEN_PARAM_DEFAULTS);
  properties[PROP_EXPECTED_INTERVAL] = pen_param_spec_duration (
      "expected-interval", "How long it usually is from one event of a group to the next", 0,
      MAX_DURATION_US, 0, PEN_PARAM_DEFAULTS);
}

static void
pen_window_transform_install_results (void)
{
  properties[PROP_EMIT] = g_param_spec_enum (
      "emit", NULL,
      "When tumbling and hopping windows give a result: when they close, or with each event",
      pen_window_emit_get_type (), DEFAULT_EMIT, PEN_PARAM_DEFAULTS);
  properties[PROP_START_FIELD] = g_param_spec_string (
      "start-field", NULL,
      "Name under which a result says when its window began; empty: it does not; unset: start, "
      "and nothing for sliding windows",
      NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_END_FIELD] = g_param_spec_string (
      "end-field", NULL,
      "Name under which a result says when its window ended; empty: it does not; unset: end, and "
      "nothing for sliding windows",
      NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_TIME_FORMAT] = g_param_spec_enum (
      "time-format", NULL, "How start and end are written: ISO 8601, or a number since 1970",
      pen_window_format_get_type (), DEFAULT_TIME_FORMAT, PEN_PARAM_DEFAULTS);
  properties[PROP_BLANKS] = g_param_spec_boolean (
      "blanks", NULL, "Whether results have a blank behind each comma and colon", FALSE,
      PEN_PARAM_DEFAULTS);
  properties[PROP_HOLD] = g_param_spec_boolean (
      "hold", NULL,
      "Whether messages are acknowledged only when no open window needs them any more; if not, a "
      "crash loses what is in the windows",
      DEFAULT_HOLD, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_GROUPS]
      = g_param_spec_uint ("max-groups", NULL, "How many groups may have open windows", 1, 10000000,
                           DEFAULT_MAX_GROUPS, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_EVENTS] = g_param_spec_uint (
      "max-events", NULL,
      "How many events may be in open windows, each counted once for every tumbling or hopping "
      "window that it is in",
      1, 1000000000, DEFAULT_MAX_EVENTS, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_BYTES]
      = pen_param_spec_size ("max-bytes", "How much memory open windows may take", 65536,
                             G_GUINT64_CONSTANT (1) << 40, DEFAULT_MAX_BYTES, PEN_PARAM_DEFAULTS);
}

static void
pen_window_transform_class_init (PenWindowTransformClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenTransformClass *transform_class = PEN_TRANSFORM_CLASS (class);

  object_class->get_property = pen_window_transform_get_property;
  object_class->set_property = pen_window_transform_set_property;
  object_class->finalize = pen_window_transform_finalize;
  element_class->check = pen_window_transform_check;
  element_class->start = pen_window_transform_start;
  element_class->stop = pen_window_transform_stop;
  transform_class->process = pen_window_transform_process;
  transform_class->tick = pen_window_transform_tick;
  transform_class->drain = pen_window_transform_drain;
  transform_class->holds = pen_window_transform_holds;
  pen_window_transform_install_windows ();
  pen_window_transform_install_time ();
  pen_window_transform_install_results ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_window_transform_init (PenWindowTransform *self)
{
  self->settings = (PenWindowSettings){
    .kind = DEFAULT_KIND,
    .name = g_strdup (DEFAULT_NAME),
    .time_unit = DEFAULT_TIME_UNIT,
    .late = DEFAULT_LATE,
    .invalid = DEFAULT_INVALID,
    .emit = DEFAULT_EMIT,
    .time_format = DEFAULT_TIME_FORMAT,
    .hold = DEFAULT_HOLD,
    .max_groups = DEFAULT_MAX_GROUPS,
    .max_events = DEFAULT_MAX_EVENTS,
    .max_bytes = DEFAULT_MAX_BYTES,
  };
}

PEN_PLUGIN_DEFINE ("window",
                   "Computes averages and the like over windows of time",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "transforms/window/README.md",
                   pen_window_transform_get_type)
