/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Makes events up, at fixed or random intervals.
 *
 * The schedule is a sum of intervals since the start, not a chain of timers, so that late timers do
 * not add up. Without a time of its own the source has the time of the clock, and what it missed
 * while it was paused is left out, as a sensor's would be. With one (start, speed, realtime=false)
 * time stands still during a pause, and nothing is left out.
 */

#include "config.h"

#include "pen-simulate-source.h"

#include "pen-simulate-model.h"
#include "pen-simulate-random.h"
#include "pen-simulate-time.h"

typedef enum
{
  PEN_SIMULATE_FORMAT_JSON,
  PEN_SIMULATE_FORMAT_TEXT,
} PenSimulateFormat;

#define DEFAULT_FORMAT PEN_SIMULATE_FORMAT_JSON
#define DEFAULT_INTERVAL_US (1 * G_USEC_PER_SEC)
#define LARGEST_DURATION_US (3650 * G_TIME_SPAN_DAY)
#define LARGEST_COUNT ((guint64) G_MAXINT64)
#define DEFAULT_SPEED 1.0
#define LEAST_SPEED 0.001
#define LARGEST_SPEED 1e6
#define DEFAULT_REALTIME TRUE
/* Events made in one round, so that a source at full speed leaves the lane to others. */
#define EVENTS_A_ROUND 1000
/* The last microsecond of the year 9999, behind which no form of a time reaches. */
#define LAST_TIME_US (G_GINT64_CONSTANT (253402300799) * G_USEC_PER_SEC + G_USEC_PER_SEC - 1)
#define INTERVAL_STREAM "intervals"

struct _PenSimulateSource
{
  PenSource parent_instance;

  /* constant after start */
  char **fields;
  char *template;
  char *topic;
  PenSimulateFormat format;
  char *items_file;
  gint64 interval_us;
  gint64 interval_minimum_us;
  gint64 interval_maximum_us;
  guint64 seed;
  guint64 count;
  gint64 duration_us;
  char *start;
  double speed;
  gboolean realtime;

  /* lane */
  PenSimulateModel *model;
  PenSimulateRandom random; /* of the intervals */
  guint timer;
  guint item; /* of the next event */
  guint64 n_made;
  gint64 offset_us; /* of the next event, from the start, in the source's time */
  gint64 start_us;  /* the source's time at the start, if it has one of its own */
  gint64 begin_us;  /* monotonic: when offset 0 was due */
  gint64 paused_us; /* monotonic: since when it is paused */
  gboolean is_over;
};

enum
{
  PROP_0,
  PROP_FIELDS,
  PROP_TEMPLATE,
  PROP_TOPIC,
  PROP_FORMAT,
  PROP_ITEMS_FILE,
  PROP_INTERVAL,
  PROP_INTERVAL_MINIMUM,
  PROP_INTERVAL_MAXIMUM,
  PROP_SEED,
  PROP_COUNT,
  PROP_DURATION,
  PROP_START,
  PROP_SPEED,
  PROP_REALTIME,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenSimulateSource, pen_simulate_source, PEN_TYPE_SOURCE)

static GType
pen_simulate_format_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_SIMULATE_FORMAT_JSON, "PEN_SIMULATE_FORMAT_JSON", "json" },
    { PEN_SIMULATE_FORMAT_TEXT, "PEN_SIMULATE_FORMAT_TEXT", "text" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenSimulateFormat", values));
  return type;
}

/* --- The schedule --- */

static gboolean
pen_simulate_source_has_own_time (const PenSimulateSource *self)
{
  return !self->realtime || self->start != NULL || self->speed != DEFAULT_SPEED;
}

static gboolean
pen_simulate_source_is_random (const PenSimulateSource *self)
{
  return self->interval_maximum_us > 0;
}

static gint64
pen_simulate_source_draw_interval (PenSimulateSource *self)
{
  if (!pen_simulate_source_is_random (self))
    return self->interval_us;
  return pen_simulate_random_get_between (&self->random, self->interval_minimum_us,
                                          self->interval_maximum_us);
}

/* Monotonic. */
static gint64
pen_simulate_source_get_due (const PenSimulateSource *self)
{
  if (self->speed == DEFAULT_SPEED)
    return self->begin_us + self->offset_us;
  return self->begin_us + (gint64) ((double) self->offset_us / self->speed);
}

static gint64
pen_simulate_source_get_time (PenSimulateSource *self)
{
  if (!pen_simulate_source_has_own_time (self))
    return pen_element_get_real_time (PEN_ELEMENT (self));
  return self->start_us + self->offset_us;
}

static gboolean
pen_simulate_source_has_ended (const PenSimulateSource *self)
{
  if (self->count > 0 && self->n_made >= self->count)
    return TRUE;
  if (self->item > 0)
    return FALSE;
  return (self->duration_us > 0 && self->offset_us >= self->duration_us)
         || self->offset_us > LAST_TIME_US - self->start_us;
}

/* What became due while the source was paused: the last of it comes at once. */
static void
pen_simulate_source_catch_up (PenSimulateSource *self)
{
  gint64 now_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));
  gint64 behind_us = now_us - self->begin_us - self->offset_us;
  gint64 n_missed;

  if (pen_simulate_source_has_own_time (self))
    {
      self->begin_us += now_us - self->paused_us;
      return;
    }
  if (behind_us <= 0 || self->item > 0)
    return;
  if (pen_simulate_source_is_random (self))
    {
      self->offset_us += behind_us;
      return;
    }
  n_missed = self->interval_us > 0 ? behind_us / self->interval_us : 0;
  self->offset_us += n_missed * self->interval_us;
  if (n_missed > 0)
    pen_element_count (PEN_ELEMENT (self), "intervals_missed", NULL, n_missed);
}

/* --- Rounds --- */

static void
pen_simulate_source_make (PenSimulateSource *self)
{
  gint64 time_us = pen_simulate_source_get_time (self);
  guint item = self->item;

  self->n_made++;
  if (++self->item == pen_simulate_model_get_n_items (self->model))
    {
      self->item = 0;
      self->offset_us += pen_simulate_source_draw_interval (self);
    }
  pen_source_push (PEN_SOURCE (self), pen_simulate_model_make (self->model, item, time_us));
}

/* A round asks for the next one. */
static void pen_simulate_source_on_timer (PenElement *element, gpointer user_data);

static void
pen_simulate_source_schedule (PenSimulateSource *self, gint64 delay_us)
{
  if (self->timer == 0 && !self->is_over)
    self->timer = pen_element_add_timer (PEN_ELEMENT (self), delay_us, pen_simulate_source_on_timer,
                                         NULL /* user_data */);
}

static void
pen_simulate_source_on_timer (PenElement *element, gpointer user_data)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (element);

  self->timer = 0;
  for (guint i = 0; i < EVENTS_A_ROUND; i++)
    {
      gint64 wait_us = 0;

      if (self->is_over || pen_source_is_paused (PEN_SOURCE (self)))
        return;
      if (pen_simulate_source_has_ended (self))
        {
          self->is_over = TRUE;
          pen_source_set_connected (PEN_SOURCE (self), FALSE);
          pen_source_finish (PEN_SOURCE (self));
          return;
        }
      if (self->realtime && self->item == 0)
        wait_us = pen_simulate_source_get_due (self) - pen_element_get_monotonic_time (element);
      if (wait_us > 0)
        {
          pen_simulate_source_schedule (self, wait_us);
          return;
        }
      pen_simulate_source_make (self);
    }
  if (!pen_source_is_paused (PEN_SOURCE (self)))
    pen_simulate_source_schedule (self, 0);
}

/* --- Life --- */

static void
pen_simulate_source_halt (PenSimulateSource *self)
{
  if (self->timer != 0)
    pen_element_remove_timer (PEN_ELEMENT (self), self->timer);
  self->timer = 0;
}

static void
pen_simulate_source_pause (PenSource *source)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (source);

  pen_simulate_source_halt (self);
  self->paused_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));
}

static void
pen_simulate_source_resume (PenSource *source)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (source);

  pen_simulate_source_catch_up (self);
  pen_simulate_source_schedule (self, 0);
}

/* The model as the properties have it, with the entries of the items file if @with_items. */
static PenSimulateModel *
pen_simulate_source_make_model (PenSimulateSource *self,
                                gboolean with_items,
                                guint64 seed,
                                const char **property,
                                GError **error)
{
  PenSimulateSettings settings = {
    .fields = (const char *const *) self->fields,
    .template = self->template,
    .topic = self->topic,
    .is_json = self->format == PEN_SIMULATE_FORMAT_JSON,
    .has_items = self->items_file != NULL,
  };
  g_autoptr (PenSimulateModel) model = pen_simulate_model_new (&settings, property, error);
  PenSimulateItems *items = NULL;

  if (model == NULL)
    return NULL;
  if (self->items_file != NULL && !with_items)
    return g_steal_pointer (&model);
  if (self->items_file != NULL)
    {
      *property = "items-file";
      items = pen_simulate_items_load (self->items_file, error);
      if (items == NULL)
        return NULL;
    }
  if (!pen_simulate_model_begin (model, items, seed, property, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
pen_simulate_source_start (PenElement *element, GError **error)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (element);
  guint64 seed = self->seed;
  const char *property;

  /* A seed that can be written in a keyfile, so that the run can be had again. */
  if (seed == 0)
    seed = ((guint64) g_random_int () << 16 | (g_random_int () & 0xffff)) + 1;
  self->start_us = pen_element_get_real_time (element);
  if (self->start != NULL && !pen_simulate_time_parse (self->start, &self->start_us, error))
    return FALSE;
  g_clear_pointer (&self->model, pen_simulate_model_free);
  self->model = pen_simulate_source_make_model (self, TRUE, seed, &property, error);
  if (self->model == NULL)
    {
      g_prefix_error (error, "%s: ", property);
      return FALSE;
    }
  if (self->seed == 0)
    pen_element_log (element, G_LOG_LEVEL_INFO, "makes data up with seed=%" G_GUINT64_FORMAT, seed);
  pen_simulate_random_init (&self->random, seed, INTERVAL_STREAM);
  self->begin_us = pen_element_get_monotonic_time (element);
  self->offset_us = 0;
  self->item = 0;
  self->n_made = 0;
  self->is_over = FALSE;
  pen_source_set_connected (PEN_SOURCE (self), TRUE);
  pen_simulate_source_schedule (self, 0);
  return TRUE;
}

static void
pen_simulate_source_stop (PenElement *element)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (element);

  pen_simulate_source_halt (self);
  self->is_over = TRUE;
  g_clear_pointer (&self->model, pen_simulate_model_free);
}

/* --- What spans properties --- */

static void
pen_simulate_source_check_intervals (PenSimulateSource *self, PenCheck *check)
{
  gboolean has_minimum = pen_check_is_set (check, "interval-minimum");
  gboolean has_maximum = pen_check_is_set (check, "interval-maximum");

  if (has_minimum && !has_maximum)
    pen_check_error (check, "interval-minimum", "random intervals need interval-maximum too");
  else if (has_maximum && self->interval_minimum_us > self->interval_maximum_us)
    pen_check_error (check, "interval-maximum", "is less than interval-minimum");
  if (has_maximum && pen_check_is_set (check, "interval"))
    pen_check_error (check, "interval",
                     "intervals are either fixed (interval) or random (interval-minimum, "
                     "interval-maximum)");
}

static void
pen_simulate_source_check_times (PenSimulateSource *self, PenCheck *check)
{
  gboolean passes = self->interval_us > 0 || pen_simulate_source_is_random (self);
  g_autoptr (GError) error = NULL;
  gint64 time_us;

  if (self->start != NULL && !pen_simulate_time_parse (self->start, &time_us, &error))
    pen_check_error (check, "start", "%s", error->message);
  if (!self->realtime && pen_check_is_set (check, "speed"))
    pen_check_warning (check, "speed", "has no effect with realtime=false, which does not wait");
  if (!self->realtime && self->count == 0 && (self->duration_us == 0 || !passes))
    pen_check_warning (check, "realtime",
                       "makes data up without a pause and without an end; set count, or a duration "
                       "and an interval");
}

static void
pen_simulate_source_check (PenElement *element, PenCheck *check)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (element);
  g_autoptr (PenSimulateModel) model = NULL;
  g_autoptr (GError) error = NULL;
  const char *property = NULL;

  if ((self->fields == NULL || self->fields[0] == NULL) && self->template == NULL)
    {
      pen_check_error (check, NULL,
                       "there is nothing to make up; for example fields=number=integer(1,99)");
      return;
    }
  model = pen_simulate_source_make_model (self, pen_check_wants_environment (check), 1, &property,
                                          &error);
  if (model == NULL)
    pen_check_error (check, property, "%s", error->message);
  pen_simulate_source_check_intervals (self, check);
  pen_simulate_source_check_times (self, check);
}

/* --- Properties --- */

static void
pen_simulate_source_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenSimulateSource *self = PEN_SIMULATE_SOURCE (object);

  switch (id)
    {
    case PROP_FIELDS:
      g_value_set_boxed (value, self->fields);
      break;
    case PROP_TEMPLATE:
      g_value_set_string (value, self->template);
      break;
    case PROP_TOPIC:
      g_value_set_string (value, self->topic);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, (gint) self->format);
      break;
    case PROP_ITEMS_FILE:
      g_value_set_string (value, self->items_file);
      break;
    case PROP_INTERVAL:
      g_value_set_int64 (value, self->interval_us);
      break;
    case PROP_INTERVAL_MINIMUM:
      g_value_set_int64 (value, self->interval_minimum_us);
      break;
    case PROP_INTERVAL_MAXIMUM:
      g_value_set_int64 (value, self->interval_maximum_us);
      break;
    case PROP_SEED:
      g_value_set_uint64 (value, self->seed);
      break;
    case PROP_COUNT:
      g_value_set_uint64 (value, self->count);
      break;
    case PROP_DURATION:
      g_value_set_int64 (value, self->duration_us);
      break;
    case PROP_START:
      g_value_set_string (value, self->start);
      break;
    case PROP_SPEED:
      g_value_set_double (value, self->speed);
      break;
    case PROP_REALTIME:
      g_value_set_boolean (value, self->realtime);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_simulate_source_take_string (char **place, const GValue *value)
{
  g_free (*place);
  *place = g_value_dup_string (value);
}

static void
pen_simulate_source_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (object);

  switch (id)
    {
    case PROP_FIELDS:
      g_strfreev (self->fields);
      self->fields = g_value_dup_boxed (value);
      break;
    case PROP_TEMPLATE:
      pen_simulate_source_take_string (&self->template, value);
      break;
    case PROP_TOPIC:
      pen_simulate_source_take_string (&self->topic, value);
      break;
    case PROP_FORMAT:
      self->format = (PenSimulateFormat) g_value_get_enum (value);
      break;
    case PROP_ITEMS_FILE:
      pen_simulate_source_take_string (&self->items_file, value);
      break;
    case PROP_INTERVAL:
      self->interval_us = g_value_get_int64 (value);
      break;
    case PROP_INTERVAL_MINIMUM:
      self->interval_minimum_us = g_value_get_int64 (value);
      break;
    case PROP_INTERVAL_MAXIMUM:
      self->interval_maximum_us = g_value_get_int64 (value);
      break;
    case PROP_SEED:
      self->seed = g_value_get_uint64 (value);
      break;
    case PROP_COUNT:
      self->count = g_value_get_uint64 (value);
      break;
    case PROP_DURATION:
      self->duration_us = g_value_get_int64 (value);
      break;
    case PROP_START:
      pen_simulate_source_take_string (&self->start, value);
      break;
    case PROP_SPEED:
      self->speed = g_value_get_double (value);
      break;
    case PROP_REALTIME:
      self->realtime = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_simulate_source_finalize (GObject *object)
{
  PenSimulateSource *self = PEN_SIMULATE_SOURCE (object);

  g_clear_pointer (&self->model, pen_simulate_model_free);
  g_strfreev (self->fields);
  g_free (self->template);
  g_free (self->topic);
  g_free (self->items_file);
  g_free (self->start);
  G_OBJECT_CLASS (pen_simulate_source_parent_class)->finalize (object);
}

static void
pen_simulate_source_install_contents (void)
{
  properties[PROP_FIELDS] = g_param_spec_boxed (
      "fields", NULL, "What to make up: NAME=GENERATOR(ARGUMENTS), for example n=integer(1,99)",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_TEMPLATE] = g_param_spec_string (
      "template", NULL,
      "Payload, with {NAME} for a field's value; not set: an object of all fields", NULL,
      PEN_PARAM_DEFAULTS);
  properties[PROP_TOPIC] = g_param_spec_string (
      "topic", NULL, "Topic of the events, with places as in template", NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_FORMAT] = g_param_spec_enum (
      "format", NULL, "Whether values go into the template as JSON has them, or as they are",
      pen_simulate_format_get_type (), (gint) DEFAULT_FORMAT, PEN_PARAM_DEFAULTS);
  properties[PROP_ITEMS_FILE] = g_param_spec_string (
      "items-file", NULL,
      "JSON file of which each entry has events of its own: {item} is its key, {item.a.b} a member",
      NULL, PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_INPUT | PEN_PARAM_CONTENT);
}

static void
pen_simulate_source_install_times (void)
{
  properties[PROP_INTERVAL] = pen_param_spec_duration (
      "interval", "From one event (of each item) to the next; 0s: as fast as they are taken", 0,
      LARGEST_DURATION_US, DEFAULT_INTERVAL_US, PEN_PARAM_DEFAULTS);
  properties[PROP_INTERVAL_MINIMUM] = pen_param_spec_duration (
      "interval-minimum", "Least random interval", 0, LARGEST_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_INTERVAL_MAXIMUM] = pen_param_spec_duration (
      "interval-maximum", "Largest random interval; not set: intervals are fixed", 0,
      LARGEST_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_SEED] = g_param_spec_uint64 (
      "seed", NULL, "The same seed gives the same data; 0: other data in each run", 0, G_MAXUINT64,
      0, PEN_PARAM_DEFAULTS);
  properties[PROP_COUNT] = g_param_spec_uint64 (
      "count", NULL, "Number of events after which the source ends; 0: never", 0, LARGEST_COUNT, 0,
      PEN_PARAM_DEFAULTS);
  properties[PROP_DURATION] = pen_param_spec_duration (
      "duration", "Time, as the events have it, after which the source ends; 0s: never", 0,
      LARGEST_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_START] = g_param_spec_string (
      "start", NULL, "Time of the first event, such as 2026-06-01T12:00:00Z; not set: now", NULL,
      PEN_PARAM_DEFAULTS);
  properties[PROP_SPEED] = g_param_spec_double (
      "speed", NULL, "How many times as fast as the clock the events' time passes", LEAST_SPEED,
      LARGEST_SPEED, DEFAULT_SPEED, PEN_PARAM_DEFAULTS);
  properties[PROP_REALTIME] = g_param_spec_boolean (
      "realtime", NULL, "Whether to wait for the intervals; without, only the events' time passes",
      DEFAULT_REALTIME, PEN_PARAM_DEFAULTS);
}

static void
pen_simulate_source_class_init (PenSimulateSourceClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSourceClass *source_class = PEN_SOURCE_CLASS (class);

  object_class->get_property = pen_simulate_source_get_property;
  object_class->set_property = pen_simulate_source_set_property;
  object_class->finalize = pen_simulate_source_finalize;
  element_class->check = pen_simulate_source_check;
  element_class->start = pen_simulate_source_start;
  element_class->stop = pen_simulate_source_stop;
  source_class->pause = pen_simulate_source_pause;
  source_class->resume = pen_simulate_source_resume;
  pen_simulate_source_install_contents ();
  pen_simulate_source_install_times ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_simulate_source_init (PenSimulateSource *self)
{
  self->format = DEFAULT_FORMAT;
  self->interval_us = DEFAULT_INTERVAL_US;
  self->speed = DEFAULT_SPEED;
  self->realtime = DEFAULT_REALTIME;
}

PEN_PLUGIN_DEFINE ("simulate",
                   "Makes events up, from fields and templates, at fixed or random intervals",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sources/simulate/README.md",
                   pen_simulate_source_get_type)
