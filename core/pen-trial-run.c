/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs the tests of a definition: events go into the source's readers, pass the transforms as they
 * do in a pipeline, and what reaches the chosen sink is compared. Sources and sinks are never made.
 * Time is that of the test and stands still but for what the test says, so a test takes no longer
 * than its transforms need, and gives the same each time.
 */

#include "config.h"

#include "pen-trial-run.h"

#include "pen-element-private.h"
#include "pen-event-private.h"
#include "pen-lane.h"
#include "pen-text-file.h"
#include "pen-trial-compare.h"

#include <string.h>

#define MAX_FILE_BYTES (64 * 1024 * 1024)
#define MAX_OUTPUTS 1000000
#define MAX_FAILURES 10
/* Time passes in steps, so that the timers of each are done before the next. */
#define STEP_US G_TIME_SPAN_MINUTE

typedef struct _PenTrialNode PenTrialNode;

typedef struct
{
  PenOutput output;
  PenTrialNode *node;
} PenTrialOutput;

typedef struct
{
  PenHost host;
  const PenTrial *trial;
  const PenDefinition *definition;
  GMainContext *context;
  PenLane *lane;
  PenTrialNode *nodes; /* one for each element */
  guint n_nodes;
  GPtrArray *outputs;  /* (element-type GBytes): what the sink got */
  GPtrArray *topics;   /* (element-type utf8) (nullable): of each */
  GPtrArray *reasons;  /* (element-type utf8): of dead letters */
  GPtrArray *messages; /* (element-type utf8): of each */
  GPtrArray *failures;
  guint n_left_out;    /* failures beyond the bound */
  gboolean has_failed; /* an element did */
} PenTrialRun;

struct _PenTrialNode
{
  PenTrialRun *run;
  PenElementKind kind;
  PenElement *element; /* of a transform */
  GArray *readers;     /* of guint */
  PenTrialOutput output;
  GPtrArray *events; /* of the call that is under way */
  guint tick_timer;
  gboolean is_sink; /* the one that is looked at */
  gboolean is_started;
  gboolean is_drained;
};

static void
pen_trial_failure_free (gpointer data)
{
  PenTrialFailure *self = data;

  g_free (self->message);
  g_free (self->expected);
  g_free (self->actual);
  g_free (self);
}

/* Takes all three. */
static void
pen_trial_run_fail (PenTrialRun *self, char *message, char *expected, char *actual)
{
  PenTrialFailure *failure = g_new0 (PenTrialFailure, 1);

  failure->message = message;
  failure->expected = expected;
  failure->actual = actual;
  if (self->failures->len < MAX_FAILURES)
    g_ptr_array_add (self->failures, failure);
  else
    {
      pen_trial_failure_free (failure);
      self->n_left_out++;
    }
}

/* --- Flow --- */

static void
pen_trial_run_reject (PenTrialNode *node, const char *reason, const char *message)
{
  g_ptr_array_add (node->run->reasons, g_strdup (reason));
  g_ptr_array_add (node->run->messages,
                   g_strdup_printf ("%s: %s", pen_element_get_label (node->element), message));
}

static void
pen_trial_output_push (PenOutput *output, PenEvent *event)
{
  g_ptr_array_add (((PenTrialOutput *) output)->node->events, event);
}

static void
pen_trial_output_drop (PenOutput *output, const char *reason)
{
}

static void
pen_trial_output_skip (PenOutput *output, const char *reason, const char *message)
{
  pen_trial_run_reject (((PenTrialOutput *) output)->node, reason, message);
}

static void
pen_trial_run_keep (PenTrialRun *self, PenEvent *event)
{
  if (self->outputs->len == MAX_OUTPUTS)
    {
      if (!self->has_failed)
        pen_trial_run_fail (self, g_strdup_printf ("more than %d events came out", MAX_OUTPUTS),
                            NULL, NULL);
      self->has_failed = TRUE;
      return;
    }
  g_ptr_array_add (self->outputs, g_bytes_ref (pen_event_get_payload (event)));
  g_ptr_array_add (self->topics, g_strdup (pen_event_get_topic (event)));
}

/* Takes @event. A transform hands on what it makes. */
static void pen_trial_node_process (PenTrialNode *node, PenEvent *event);

/* Takes @event. */
static void
pen_trial_node_hand_on (PenTrialNode *node, PenEvent *event)
{
  for (guint i = 0; i < node->readers->len; i++)
    {
      PenTrialNode *reader = &node->run->nodes[g_array_index (node->readers, guint, i)];

      if (reader->kind == PEN_KIND_TRANSFORM)
        pen_trial_node_process (reader, pen_event_ref (event));
      else if (reader->is_sink)
        pen_trial_run_keep (node->run, event);
    }
  pen_event_unref (event);
}

static void
pen_trial_node_hand_on_output (PenTrialNode *node)
{
  g_autoptr (GPtrArray) events = g_steal_pointer (&node->events);

  node->events = g_ptr_array_new ();
  for (guint i = 0; i < events->len; i++)
    pen_trial_node_hand_on (node, g_ptr_array_index (events, i));
}

/* As in a pipeline: what was made of the message that is rejected does not go on. */
static void
pen_trial_node_forget (PenTrialNode *node, PenEvent *event)
{
  for (guint i = node->events->len; i-- > 0;)
    {
      PenEvent *made = g_ptr_array_index (node->events, i);

      if (!pen_event_is_of_same (made, event))
        continue;
      g_ptr_array_remove_index (node->events, i);
      pen_event_unref (made);
    }
}

static void
pen_trial_node_process (PenTrialNode *node, PenEvent *event)
{
  g_autoptr (GError) error = NULL;

  if (!pen_transform_process (PEN_TRANSFORM (node->element), event, &node->output.output, &error))
    {
      pen_trial_node_forget (node, event);
      pen_trial_run_reject (node, error != NULL ? pen_element_error_get_reason (error) : "error",
                            error != NULL ? error->message : "failed without saying why");
    }
  pen_trial_node_hand_on_output (node);
  pen_event_unref (event);
}

/* What comes before it gives out first what it keeps. */
static void
pen_trial_node_drain (PenTrialNode *node)
{
  const PenElementDefinition *element
      = pen_definition_get_element (node->run->definition, (guint) (node - node->run->nodes));

  if (node->is_drained)
    return;
  node->is_drained = TRUE;
  for (guint i = 0; i < element->n_inputs; i++)
    pen_trial_node_drain (&node->run->nodes[element->inputs[i]]);
  if (node->element == NULL)
    return;
  pen_transform_drain (PEN_TRANSFORM (node->element), &node->output.output);
  pen_trial_node_hand_on_output (node);
}

/* --- What the transforms ask of their host --- */

static PenLane *
pen_trial_host_get_lane (PenHost *host)
{
  return ((PenTrialRun *) host)->lane;
}

static void
pen_trial_host_fail (PenHost *host, PenElement *element, GError *error)
{
  PenTrialRun *self = (PenTrialRun *) host;

  pen_trial_run_fail (
      self, g_strdup_printf ("%s failed: %s", pen_element_get_label (element), error->message),
      NULL, NULL);
  self->has_failed = TRUE;
  g_error_free (error);
}

static void
pen_trial_node_tick (gpointer data)
{
  PenTrialNode *node = data;

  node->tick_timer = 0;
  pen_transform_tick (PEN_TRANSFORM (node->element), pen_lane_get_monotonic_time (node->run->lane),
                      &node->output.output);
  pen_trial_node_hand_on_output (node);
}

static void
pen_trial_host_schedule (PenHost *host, PenTransform *transform, gint64 monotonic_us)
{
  PenTrialRun *self = (PenTrialRun *) host;

  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenTrialNode *node = &self->nodes[i];

      if (node->element != PEN_ELEMENT (transform))
        continue;
      if (node->tick_timer != 0)
        pen_lane_remove_timer (self->lane, node->tick_timer);
      node->tick_timer
          = pen_lane_add_timer (self->lane, monotonic_us - pen_lane_get_monotonic_time (self->lane),
                                pen_trial_node_tick, node);
    }
}

static gint64
pen_trial_host_get_monotonic_time (PenHost *host)
{
  return pen_lane_get_monotonic_time (pen_trial_host_get_lane (host));
}

static gint64
pen_trial_host_get_real_time (PenHost *host)
{
  return pen_lane_get_real_time (pen_trial_host_get_lane (host));
}

static void
pen_trial_host_watch (PenHost *host,
                      PenElement *element,
                      int fd,
                      GIOCondition condition,
                      PenWatchFunc func)
{
  pen_lane_watch (pen_trial_host_get_lane (host), element, fd, condition, func);
}

static void
pen_trial_host_unwatch (PenHost *host, PenElement *element, int fd)
{
  pen_lane_unwatch (pen_trial_host_get_lane (host), fd);
}

static guint
pen_trial_host_add_timer (PenHost *host,
                          PenElement *element,
                          gint64 delay_us,
                          PenTimerFunc func,
                          gpointer user_data)
{
  return pen_lane_add_element_timer (pen_trial_host_get_lane (host), element, delay_us, func,
                                     user_data);
}

static void
pen_trial_host_remove_timer (PenHost *host, PenElement *element, guint timer)
{
  pen_lane_remove_timer (pen_trial_host_get_lane (host), timer);
}

/* What only a source asks for is not here. */
static const PenHostFunctions pen_trial_host_functions = {
  .fail = pen_trial_host_fail,
  .schedule = pen_trial_host_schedule,
  .get_monotonic_time = pen_trial_host_get_monotonic_time,
  .get_real_time = pen_trial_host_get_real_time,
  .watch = pen_trial_host_watch,
  .unwatch = pen_trial_host_unwatch,
  .add_timer = pen_trial_host_add_timer,
  .remove_timer = pen_trial_host_remove_timer,
};

/* --- Payloads --- */

static GPtrArray *
pen_trial_payloads_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
}

/* The lines of a file, but blank ones, as the file source reads them. */
static gboolean
pen_trial_run_read_lines (PenTrialRun *self, const char *path, GPtrArray *payloads)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text
      = pen_text_file_read (path, MAX_FILE_BYTES, PEN_TEXT_FILE_NONE, NULL, &error);
  const char *line = text != NULL ? text->str : NULL;
  const char *end = text != NULL ? text->str + text->len : NULL;

  if (text == NULL)
    {
      pen_trial_run_fail (self, g_strdup_printf ("'%s' cannot be read: %s", path, error->message),
                          NULL, NULL);
      return FALSE;
    }
  while (line < end)
    {
      const char *stop = memchr (line, '\n', (gsize) (end - line));
      gsize length = (gsize) ((stop != NULL ? stop : end) - line);

      if (strspn (line, " \t\r") < length)
        g_ptr_array_add (payloads, g_bytes_new (line, length));
      line += length + 1;
    }
  return TRUE;
}

/* (transfer full) (nullable): those of the list and of the file, of which one is set at most */
static GPtrArray *
pen_trial_run_collect (PenTrialRun *self, const char *const *texts, const char *path)
{
  g_autoptr (GPtrArray) payloads = pen_trial_payloads_new ();

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    g_ptr_array_add (payloads, g_bytes_new (texts[i], strlen (texts[i])));
  if (path != NULL && !pen_trial_run_read_lines (self, path, payloads))
    return NULL;
  return g_steal_pointer (&payloads);
}

static char *
pen_trial_dup_text (GBytes *payload)
{
  gsize length;
  const char *data = g_bytes_get_data (payload, &length);

  return g_utf8_make_valid (data != NULL ? data : "", (gssize) length);
}

/* --- The verdict --- */

static void
pen_trial_run_judge_outputs (PenTrialRun *self, GPtrArray *expected)
{
  guint n_all = MAX (expected->len, self->outputs->len);

  for (guint i = 0; i < n_all; i++)
    {
      GBytes *wanted = i < expected->len ? g_ptr_array_index (expected, i) : NULL;
      GBytes *found = i < self->outputs->len ? g_ptr_array_index (self->outputs, i) : NULL;
      g_autofree char *difference = NULL;
      char *message;

      if (wanted != NULL && found != NULL)
        {
          difference = pen_trial_compare (wanted, found, self->trial->exact);
          if (difference == NULL)
            continue;
          message = g_strdup_printf ("event %u of %u: %s", i + 1, n_all, difference);
        }
      else
        message = g_strdup_printf (wanted != NULL ? "event %u of %u did not come"
                                                  : "event %u of %u was not expected",
                                   i + 1, n_all);
      pen_trial_run_fail (self, message, wanted != NULL ? pen_trial_dup_text (wanted) : NULL,
                          found != NULL ? pen_trial_dup_text (found) : NULL);
    }
}

static void
pen_trial_run_judge_topics (PenTrialRun *self)
{
  for (guint i = 0; self->trial->expect_topic != NULL && i < self->topics->len; i++)
    {
      const char *topic = g_ptr_array_index (self->topics, i);

      if (g_strcmp0 (topic, self->trial->expect_topic) != 0)
        pen_trial_run_fail (self, g_strdup_printf ("the topic of event %u is another one", i + 1),
                            g_strdup (self->trial->expect_topic),
                            g_strdup (topic != NULL ? topic : "none"));
    }
}

static void
pen_trial_run_judge_letters (PenTrialRun *self)
{
  const char *const *reasons = (const char *const *) self->trial->expect_dead_letter;
  guint n_expected = reasons != NULL ? g_strv_length (self->trial->expect_dead_letter) : 0;
  guint n_all = MAX (n_expected, self->reasons->len);

  for (guint i = 0; i < n_all; i++)
    {
      const char *wanted = i < n_expected ? reasons[i] : NULL;
      const char *found = i < self->reasons->len ? g_ptr_array_index (self->reasons, i) : NULL;
      const char *message = found != NULL ? g_ptr_array_index (self->messages, i) : NULL;

      if (g_strcmp0 (wanted, found) == 0)
        continue;
      pen_trial_run_fail (
          self,
          g_strdup_printf (wanted == NULL  ? "dead letter %u of %u was not expected"
                           : found == NULL ? "dead letter %u of %u did not come"
                                           : "dead letter %u of %u has another reason",
                           i + 1, n_all),
          g_strdup (wanted), found != NULL ? g_strdup_printf ("%s: %s", found, message) : NULL);
    }
}

static void
pen_trial_run_tell_left_out (PenTrialRun *self)
{
  PenTrialFailure *failure = NULL;

  if (self->n_left_out == 0)
    return;
  failure = g_new0 (PenTrialFailure, 1);
  failure->message = g_strdup_printf ("%u more differences are not shown", self->n_left_out);
  g_ptr_array_add (self->failures, failure);
}

/* --- A run --- */

static gboolean
pen_trial_run_is_chosen (const PenTrialRun *self, const PenElementDefinition *element)
{
  const char *name = element->kind == PEN_KIND_SOURCE ? self->trial->source : self->trial->sink;

  return name == NULL || g_str_equal (name, element->name);
}

static void
pen_trial_run_make_nodes (PenTrialRun *self)
{
  self->n_nodes = pen_definition_get_n_elements (self->definition);
  self->nodes = g_new0 (PenTrialNode, self->n_nodes);
  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenTrialNode *node = &self->nodes[i];

      node->run = self;
      node->readers = g_array_new (FALSE, FALSE, sizeof (guint));
      node->events = g_ptr_array_new ();
      node->output.output.push = pen_trial_output_push;
      node->output.output.drop = pen_trial_output_drop;
      node->output.output.skip = pen_trial_output_skip;
      node->output.node = node;
    }
  for (guint i = 0; i < self->n_nodes; i++)
    {
      const PenElementDefinition *element = pen_definition_get_element (self->definition, i);
      PenTrialNode *node = &self->nodes[i];

      node->kind = element->kind;
      node->is_sink = node->kind == PEN_KIND_SINK && pen_trial_run_is_chosen (self, element);
      for (guint j = 0; j < element->n_inputs; j++)
        g_array_append_val (self->nodes[element->inputs[j]].readers, i);
    }
}

static gboolean
pen_trial_run_start (PenTrialRun *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenTrialNode *node = &self->nodes[i];
      g_autoptr (GError) error = NULL;

      if (node->kind != PEN_KIND_TRANSFORM)
        continue;
      node->element = pen_definition_create_element (self->definition, i);
      pen_element_attach (node->element, &self->host, PEN_KIND_TRANSFORM,
                          pen_definition_get_name (self->definition),
                          pen_definition_get_element (self->definition, i)->name, FALSE);
      node->is_started = pen_element_start (node->element, &error);
      if (node->is_started)
        continue;
      pen_trial_run_fail (self,
                          g_strdup_printf ("%s does not start: %s",
                                           pen_element_get_label (node->element), error->message),
                          NULL, NULL);
      return FALSE;
    }
  return TRUE;
}

static void
pen_trial_run_pass_time (PenTrialRun *self, gint64 us)
{
  for (gint64 left_us = us; left_us > 0; left_us -= STEP_US)
    pen_lane_advance (self->lane, MIN (left_us, STEP_US));
}

static void
pen_trial_run_feed (PenTrialRun *self, GPtrArray *inputs)
{
  for (guint i = 0; i < inputs->len && !self->has_failed; i++)
    {
      gint64 now_us;

      if (i > 0)
        pen_trial_run_pass_time (self, self->trial->interval_us);
      now_us = pen_lane_get_real_time (self->lane);
      for (guint j = 0; j < self->n_nodes; j++)
        {
          const PenElementDefinition *element = pen_definition_get_element (self->definition, j);

          if (element->kind == PEN_KIND_SOURCE && pen_trial_run_is_chosen (self, element))
            pen_trial_node_hand_on (&self->nodes[j], pen_event_new (g_ptr_array_index (inputs, i),
                                                                    self->trial->topic, now_us));
        }
    }
  pen_trial_run_pass_time (self, self->trial->wait_us);
  for (guint i = 0; i < self->n_nodes && self->trial->drain; i++)
    pen_trial_node_drain (&self->nodes[i]);
}

static void
pen_trial_run_execute (PenTrialRun *self)
{
  g_autoptr (GPtrArray) inputs = pen_trial_run_collect (
      self, (const char *const *) self->trial->input, self->trial->input_file);
  g_autoptr (GPtrArray) expected = pen_trial_run_collect (
      self, (const char *const *) self->trial->expect, self->trial->expect_file);

  if (inputs == NULL || expected == NULL || !pen_trial_run_start (self))
    return;
  pen_trial_run_feed (self, inputs);
  if (self->has_failed)
    return;
  pen_trial_run_judge_letters (self);
  pen_trial_run_judge_outputs (self, expected);
  pen_trial_run_judge_topics (self);
  pen_trial_run_tell_left_out (self);
}

static void
pen_trial_run_clear (PenTrialRun *self)
{
  for (guint i = 0; i < self->n_nodes; i++)
    {
      PenTrialNode *node = &self->nodes[i];

      if (node->tick_timer != 0)
        pen_lane_remove_timer (self->lane, node->tick_timer);
      if (node->is_started)
        pen_element_stop (node->element);
      if (node->element != NULL)
        pen_element_detach (node->element);
      g_clear_object (&node->element);
      g_array_unref (node->readers);
      g_ptr_array_unref (node->events);
    }
  g_free (self->nodes);
  pen_lane_free (self->lane);
  g_main_context_release (self->context);
  g_main_context_unref (self->context);
  g_ptr_array_unref (self->outputs);
  g_ptr_array_unref (self->topics);
  g_ptr_array_unref (self->reasons);
  g_ptr_array_unref (self->messages);
}

/*
 * pen_trial_run:
 * @trial: a test
 * @definition: whose transforms it is about
 *
 * Returns: (transfer full) (element-type PenTrialFailure): all that is not as expected, up to a
 *   bound
 *
 * Threads: any
 */
GPtrArray *
pen_trial_run (const PenTrial *trial, const PenDefinition *definition)
{
  PenTrialRun self = {
    .host.functions = &pen_trial_host_functions,
    .trial = trial,
    .definition = definition,
    .context = g_main_context_new (),
    .outputs = pen_trial_payloads_new (),
    .topics = g_ptr_array_new_with_free_func (g_free),
    .reasons = g_ptr_array_new_with_free_func (g_free),
    .messages = g_ptr_array_new_with_free_func (g_free),
    .failures = g_ptr_array_new_with_free_func (pen_trial_failure_free),
  };
  gint64 start_us = 0;

  g_main_context_acquire (self.context);
  self.lane = pen_lane_new (self.context);
  if (pen_trial_get_start (trial, &start_us))
    {
      pen_lane_set_test_clock (self.lane, G_USEC_PER_SEC, start_us);
      pen_trial_run_make_nodes (&self);
      pen_trial_run_execute (&self);
    }
  else
    pen_trial_run_fail (&self, g_strdup_printf ("'%s' is no time", trial->time), NULL, NULL);
  pen_trial_run_clear (&self);
  return g_steal_pointer (&self.failures);
}
