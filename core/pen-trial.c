/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a keyfile expects of itself: what goes into its transforms, and what comes out.
 */

#include "config.h"

#include "pen-trial.h"

#include "pen-time.h"
#include "pen-value.h"

#include <string.h>

#define DEFAULT_TIME "2026-01-01T00:00:00Z"
#define LARGEST_DURATION_US (3650 * G_TIME_SPAN_DAY)
#define DEFAULT_EXACT FALSE
#define DEFAULT_DRAIN TRUE

enum
{
  PROP_0,
  PROP_INPUT,
  PROP_INPUT_FILE,
  PROP_TOPIC,
  PROP_TIME,
  PROP_INTERVAL,
  PROP_WAIT,
  PROP_EXPECT,
  PROP_EXPECT_FILE,
  PROP_EXPECT_TOPIC,
  PROP_EXPECT_DEAD_LETTER,
  PROP_SOURCE,
  PROP_SINK,
  PROP_SITE,
  PROP_EXACT,
  PROP_DRAIN,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenTrial, pen_trial, G_TYPE_OBJECT)

/* Where a text or a list is kept, or NULL for other properties. */
static gpointer
pen_trial_find_place (PenTrial *self, guint id)
{
  switch (id)
    {
    case PROP_INPUT:
      return &self->input;
    case PROP_INPUT_FILE:
      return &self->input_file;
    case PROP_TOPIC:
      return &self->topic;
    case PROP_TIME:
      return &self->time;
    case PROP_EXPECT:
      return &self->expect;
    case PROP_EXPECT_FILE:
      return &self->expect_file;
    case PROP_EXPECT_TOPIC:
      return &self->expect_topic;
    case PROP_EXPECT_DEAD_LETTER:
      return &self->expect_dead_letter;
    case PROP_SOURCE:
      return &self->source;
    case PROP_SINK:
      return &self->sink;
    case PROP_SITE:
      return &self->site;
    default:
      return NULL;
    }
}

static void
pen_trial_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PenTrial *self = PEN_TRIAL (object);
  gpointer place = pen_trial_find_place (self, id);

  if (place != NULL && G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(char **) place);
  else if (place != NULL)
    g_value_set_boxed (value, *(GStrv *) place);
  else if (id == PROP_INTERVAL)
    g_value_set_int64 (value, self->interval_us);
  else if (id == PROP_WAIT)
    g_value_set_int64 (value, self->wait_us);
  else if (id == PROP_EXACT)
    g_value_set_boolean (value, self->exact);
  else if (id == PROP_DRAIN)
    g_value_set_boolean (value, self->drain);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
pen_trial_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenTrial *self = PEN_TRIAL (object);
  gpointer place = pen_trial_find_place (self, id);

  if (place != NULL && G_VALUE_HOLDS_STRING (value))
    {
      g_free (*(char **) place);
      *(char **) place = g_value_dup_string (value);
    }
  else if (place != NULL)
    {
      g_strfreev (*(GStrv *) place);
      *(GStrv *) place = g_value_dup_boxed (value);
    }
  else if (id == PROP_INTERVAL)
    self->interval_us = g_value_get_int64 (value);
  else if (id == PROP_WAIT)
    self->wait_us = g_value_get_int64 (value);
  else if (id == PROP_EXACT)
    self->exact = g_value_get_boolean (value);
  else if (id == PROP_DRAIN)
    self->drain = g_value_get_boolean (value);
  else
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_trial_finalize (GObject *object)
{
  PenTrial *self = PEN_TRIAL (object);

  for (guint id = PROP_0 + 1; id < N_PROPERTIES; id++)
    {
      gpointer place = pen_trial_find_place (self, id);

      if (place != NULL && G_IS_PARAM_SPEC_STRING (properties[id]))
        g_free (*(char **) place);
      else if (place != NULL)
        g_strfreev (*(GStrv *) place);
    }
  g_free (self->name);
  G_OBJECT_CLASS (pen_trial_parent_class)->finalize (object);
}

static void
pen_trial_install_inputs (void)
{
  properties[PROP_INPUT] = g_param_spec_boxed (
      "input", NULL, "Payloads that arrive, one event each", G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_INPUT_FILE]
      = g_param_spec_string ("input-file", NULL, "File with payloads that arrive, one per line",
                             NULL, PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_INPUT);
  properties[PROP_TOPIC]
      = g_param_spec_string ("topic", NULL, "Topic that they arrive on", NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_TIME]
      = g_param_spec_string ("time", NULL, "When the first one arrives, by the clock of the test",
                             DEFAULT_TIME, PEN_PARAM_DEFAULTS);
  properties[PROP_INTERVAL]
      = pen_param_spec_duration ("interval", "How much later each further one arrives", 0,
                                 LARGEST_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_WAIT] = pen_param_spec_duration (
      "wait", "Time that passes behind the last one, by the clock of the test", 0,
      LARGEST_DURATION_US, 0, PEN_PARAM_DEFAULTS);
  properties[PROP_SOURCE]
      = g_param_spec_string ("source", NULL, "Which source they come from, where there are several",
                             NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_SITE] = g_param_spec_string (
      "site", NULL, "Which row of [sites] is tested; not set: the first", NULL, PEN_PARAM_DEFAULTS);
}

static void
pen_trial_install_outcomes (void)
{
  properties[PROP_EXPECT] = g_param_spec_boxed (
      "expect", NULL, "Payloads that the sink gets, in their order; not set: none", G_TYPE_STRV,
      PEN_PARAM_DEFAULTS);
  properties[PROP_EXPECT_FILE] = g_param_spec_string (
      "expect-file", NULL, "File with payloads that the sink gets, one per line", NULL,
      PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_INPUT);
  properties[PROP_EXPECT_TOPIC]
      = g_param_spec_string ("expect-topic", NULL, "Topic of all that the sink gets; not set: any",
                             NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_EXPECT_DEAD_LETTER] = g_param_spec_boxed (
      "expect-dead-letter", NULL, "Reasons of the dead letters, in their order; not set: none",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_SINK] = g_param_spec_string (
      "sink", NULL, "Which sink's events are expected, of several", NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_EXACT] = g_param_spec_boolean (
      "exact", NULL, "Whether JSON is compared byte for byte, blanks and order of members included",
      DEFAULT_EXACT, PEN_PARAM_DEFAULTS);
  properties[PROP_DRAIN] = g_param_spec_boolean (
      "drain", NULL, "Whether the transforms give out at the end what they keep, as a run does",
      DEFAULT_DRAIN, PEN_PARAM_DEFAULTS);
}

static void
pen_trial_class_init (PenTrialClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = pen_trial_get_property;
  object_class->set_property = pen_trial_set_property;
  object_class->finalize = pen_trial_finalize;
  pen_trial_install_inputs ();
  pen_trial_install_outcomes ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_trial_init (PenTrial *self)
{
  self->time = g_strdup (DEFAULT_TIME);
  self->exact = DEFAULT_EXACT;
  self->drain = DEFAULT_DRAIN;
}

/*
 * pen_trial_new:
 * @name: what it is called
 * @place: where its group stands
 *
 * Returns: (transfer full): a test that gives nothing and expects nothing
 *
 * Threads: any
 */
PenTrial *
pen_trial_new (const char *name, PenPlace place)
{
  PenTrial *self = g_object_new (PEN_TYPE_TRIAL, NULL);

  self->name = g_strdup (name);
  self->place = place;
  return self;
}

/*
 * pen_trial_get_start:
 * @self: a test
 * @start_us: (out): when it begins, in microseconds since 1970
 *
 * Returns: whether its time is one
 *
 * Threads: any
 */
gboolean
pen_trial_get_start (const PenTrial *self, gint64 *start_us)
{
  return pen_time_parse (self->time, strlen (self->time), start_us);
}
