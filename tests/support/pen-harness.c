/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs one element in a test, in the place of a pipeline.
 */

#include "config.h"

#include "pen-harness.h"

#include "pen-check-private.h"
#include "pen-element-private.h"
#include "pen-lane.h"

#include <stdarg.h>

typedef struct
{
  PenEvent *event;
  char *reason;
  char *message;
} PenHarnessRejection;

struct _PenHarness
{
  PenHost host; /* first: the element sees only this */
  PenElement *element;
  PenLane *lane;
  PenLaneDeferred settle;
  GQueue events;
  GQueue rejections;
  PenEvent *processed; /* what a transform has under way */
  gboolean is_started;
  gboolean is_held;
  gboolean is_connected;
  gboolean is_finished;
  guint64 pushed;
  guint64 settled;
  guint tick_timer;
  GError *failure;
};

typedef struct
{
  PenOutput output;
  PenHarness *harness;
} PenHarnessOutput;

static void
pen_harness_rejection_free (gpointer data)
{
  PenHarnessRejection *rejection = data;

  g_clear_pointer (&rejection->event, pen_event_unref);
  g_free (rejection->reason);
  g_free (rejection->message);
  g_free (rejection);
}

static void
pen_harness_add_rejection (PenHarness *self,
                           PenEvent *event,
                           const char *reason,
                           const char *message)
{
  PenHarnessRejection *rejection = g_new0 (PenHarnessRejection, 1);

  rejection->event = event != NULL ? pen_event_ref (event) : NULL;
  rejection->reason = g_strdup (reason);
  rejection->message = g_strdup (message);
  g_queue_push_tail (&self->rejections, rejection);
}

static void
pen_harness_settle_deferred (gpointer data)
{
  PenHarness *self = data;

  if (self->is_held || self->settled == self->pushed)
    return;
  self->settled = self->pushed;
  pen_source_settle (PEN_SOURCE (self->element), self->settled);
}

/* As a pipeline counts. */
static guint64
pen_harness_count_event (PenHarness *self, PenEvent *event)
{
  gsize length = g_bytes_get_size (pen_event_get_payload (event));

  pen_element_count (self->element, "events_received", NULL, 1);
  pen_element_count (self->element, "bytes_received", NULL, (gint64) length);
  pen_lane_defer (self->lane, &self->settle);
  return ++self->pushed;
}

static guint64
pen_harness_host_push (PenHost *host, PenSource *source, PenEvent *event)
{
  PenHarness *self = (PenHarness *) host;

  g_queue_push_tail (&self->events, event);
  return pen_harness_count_event (self, event);
}

static guint64
pen_harness_host_reject (PenHost *host,
                         PenSource *source,
                         PenEvent *event,
                         const char *reason,
                         const char *message)
{
  PenHarness *self = (PenHarness *) host;

  guint64 position = pen_harness_count_event (self, event);

  pen_harness_add_rejection (self, event, reason, message);
  pen_event_unref (event);
  return position;
}

static void
pen_harness_host_set_connected (PenHost *host, PenSource *source, gboolean connected)
{
  ((PenHarness *) host)->is_connected = connected;
}

static void
pen_harness_host_finish (PenHost *host, PenSource *source)
{
  ((PenHarness *) host)->is_finished = TRUE;
}

static void
pen_harness_host_fail (PenHost *host, PenElement *element, GError *error)
{
  PenHarness *self = (PenHarness *) host;

  g_clear_error (&self->failure);
  self->failure = error;
}

static gint64
pen_harness_host_get_monotonic_time (PenHost *host)
{
  return pen_lane_get_monotonic_time (((PenHarness *) host)->lane);
}

static gint64
pen_harness_host_get_real_time (PenHost *host)
{
  return pen_lane_get_real_time (((PenHarness *) host)->lane);
}

static void
pen_harness_host_watch (PenHost *host,
                        PenElement *element,
                        int fd,
                        GIOCondition condition,
                        PenWatchFunc func)
{
  pen_lane_watch (((PenHarness *) host)->lane, element, fd, condition, func);
}

static void
pen_harness_host_unwatch (PenHost *host, PenElement *element, int fd)
{
  pen_lane_unwatch (((PenHarness *) host)->lane, fd);
}

static guint
pen_harness_host_add_timer (PenHost *host,
                            PenElement *element,
                            gint64 delay_us,
                            PenTimerFunc func,
                            gpointer user_data)
{
  return pen_lane_add_element_timer (((PenHarness *) host)->lane, element, delay_us, func,
                                     user_data);
}

static void
pen_harness_host_remove_timer (PenHost *host, PenElement *element, guint timer)
{
  pen_lane_remove_timer (((PenHarness *) host)->lane, timer);
}

static void
pen_harness_output_push (PenOutput *output, PenEvent *event)
{
  g_queue_push_tail (&((PenHarnessOutput *) output)->harness->events, event);
}

static void
pen_harness_output_drop (PenOutput *output, const char *reason)
{
  pen_element_count (((PenHarnessOutput *) output)->harness->element, "events_dropped", reason, 1);
}

static void
pen_harness_output_skip (PenOutput *output, const char *reason, const char *message)
{
  PenHarness *self = ((PenHarnessOutput *) output)->harness;

  pen_harness_add_rejection (self, self->processed, reason, message);
}

static PenHarnessOutput
pen_harness_make_output (PenHarness *self)
{
  return (PenHarnessOutput){ .output = { .push = pen_harness_output_push,
                                         .drop = pen_harness_output_drop,
                                         .skip = pen_harness_output_skip },
                             .harness = self };
}

static void
pen_harness_tick (gpointer data)
{
  PenHarness *self = data;
  PenHarnessOutput output = pen_harness_make_output (self);

  self->tick_timer = 0;
  pen_transform_tick (PEN_TRANSFORM (self->element), pen_lane_get_monotonic_time (self->lane),
                      &output.output);
}

static void
pen_harness_host_schedule (PenHost *host, PenTransform *transform, gint64 monotonic_us)
{
  PenHarness *self = (PenHarness *) host;

  if (self->tick_timer != 0)
    pen_lane_remove_timer (self->lane, self->tick_timer);
  self->tick_timer = pen_lane_add_timer (
      self->lane, monotonic_us - pen_lane_get_monotonic_time (self->lane), pen_harness_tick, self);
}

static const PenHostFunctions pen_harness_functions = {
  .push = pen_harness_host_push,
  .reject = pen_harness_host_reject,
  .set_connected = pen_harness_host_set_connected,
  .finish = pen_harness_host_finish,
  .fail = pen_harness_host_fail,
  .schedule = pen_harness_host_schedule,
  .get_monotonic_time = pen_harness_host_get_monotonic_time,
  .get_real_time = pen_harness_host_get_real_time,
  .watch = pen_harness_host_watch,
  .unwatch = pen_harness_host_unwatch,
  .add_timer = pen_harness_host_add_timer,
  .remove_timer = pen_harness_host_remove_timer,
};

PenHarness *
pen_harness_new_named (PenElement *element, const char *name, gboolean only_of_kind)
{
  PenHarness *self = g_new0 (PenHarness, 1);
  PenElementKind kind = PEN_IS_SOURCE (element)      ? PEN_KIND_SOURCE
                        : PEN_IS_TRANSFORM (element) ? PEN_KIND_TRANSFORM
                                                     : PEN_KIND_SINK;

  g_assert_true (g_main_context_acquire (NULL));
  self->host.functions = &pen_harness_functions;
  self->element = element;
  self->lane = pen_lane_new (g_main_context_default ());
  self->settle.func = pen_harness_settle_deferred;
  self->settle.user_data = self;
  g_queue_init (&self->events);
  g_queue_init (&self->rejections);
  pen_element_attach (element, &self->host, kind, "test", name, only_of_kind);
  return self;
}

PenHarness *
pen_harness_new (PenElement *element)
{
  return pen_harness_new_named (element, "element", TRUE);
}

void
pen_harness_free (PenHarness *self)
{
  pen_harness_stop (self);
  g_queue_clear_full (&self->events, (GDestroyNotify) pen_event_unref);
  g_queue_clear_full (&self->rejections, pen_harness_rejection_free);
  pen_element_detach (self->element);
  g_object_unref (self->element);
  pen_lane_free (self->lane);
  g_clear_error (&self->failure);
  g_main_context_release (NULL);
  g_free (self);
}

PenElement *
pen_harness_get_element (PenHarness *self)
{
  return self->element;
}

void
pen_harness_use_test_clock (PenHarness *self, gint64 real_us)
{
  pen_lane_set_test_clock (self->lane, G_USEC_PER_SEC, real_us);
}

void
pen_harness_advance (PenHarness *self, gint64 us)
{
  pen_lane_advance (self->lane, us);
}

void
pen_harness_start (PenHarness *self)
{
  g_autoptr (GError) error = NULL;

  self->is_started = pen_element_start (self->element, &error);
  g_assert_no_error (error);
  g_assert_true (self->is_started);
}

GError *
pen_harness_start_fails (PenHarness *self)
{
  GError *error = NULL;

  g_assert_false (pen_element_start (self->element, &error));
  g_assert_nonnull (error);
  return error;
}

void
pen_harness_stop (PenHarness *self)
{
  if (!self->is_started)
    return;
  self->is_started = FALSE;
  if (PEN_IS_SOURCE (self->element))
    pen_source_pause (PEN_SOURCE (self->element));
  pen_element_stop (self->element);
}

void
pen_harness_push (PenHarness *self, PenEvent *event)
{
  PenHarnessOutput output = pen_harness_make_output (self);
  g_autoptr (GError) error = NULL;

  self->processed = event;
  if (!pen_transform_process (PEN_TRANSFORM (self->element), event, &output.output, &error))
    pen_harness_add_rejection (self, event, pen_element_error_get_reason (error), error->message);
  self->processed = NULL;
  pen_event_unref (event);
}

void
pen_harness_push_text (PenHarness *self, const char *text)
{
  pen_harness_push (self, pen_harness_make_event (text, "test/topic"));
}

void
pen_harness_drain (PenHarness *self)
{
  PenHarnessOutput output = pen_harness_make_output (self);

  pen_transform_drain (PEN_TRANSFORM (self->element), &output.output);
}

PenEvent *
pen_harness_pull (PenHarness *self)
{
  return g_queue_pop_head (&self->events);
}

char *
pen_harness_pull_text (PenHarness *self)
{
  g_autoptr (PenEvent) event = pen_harness_pull (self);
  const char *data = NULL;
  gsize length = 0;

  if (event == NULL)
    return NULL;
  data = pen_event_get_data (event, &length);
  return data != NULL ? g_strndup (data, length) : g_strdup ("");
}

guint
pen_harness_get_n_events (PenHarness *self)
{
  return self->events.length;
}

gboolean
pen_harness_pull_rejection (PenHarness *self, PenEvent **event, char **reason, char **message)
{
  PenHarnessRejection *rejection = g_queue_pop_head (&self->rejections);

  if (rejection == NULL)
    return FALSE;
  if (event != NULL)
    *event = g_steal_pointer (&rejection->event);
  if (reason != NULL)
    *reason = g_steal_pointer (&rejection->reason);
  if (message != NULL)
    *message = g_steal_pointer (&rejection->message);
  pen_harness_rejection_free (rejection);
  return TRUE;
}

gint64
pen_harness_get_count (PenHarness *self, const char *name, const char *reason)
{
  PenMetrics *metrics = pen_element_get_metrics (self->element);

  return pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, name, reason));
}

gboolean
pen_harness_wait_for (PenHarness *self,
                      PenTestCondition condition,
                      gpointer user_data,
                      guint timeout_ms)
{
  return pen_test_wait (condition, user_data, timeout_ms);
}

typedef struct
{
  PenHarness *harness;
  guint n_events;
} PenHarnessGoal;

static gboolean
pen_harness_has_events (gpointer user_data)
{
  const PenHarnessGoal *goal = user_data;

  return goal->harness->events.length >= goal->n_events;
}

gboolean
pen_harness_wait (PenHarness *self, guint n_events, guint timeout_ms)
{
  PenHarnessGoal goal = { .harness = self, .n_events = n_events };

  return pen_test_wait (pen_harness_has_events, &goal, timeout_ms);
}

void
pen_harness_hold (PenHarness *self)
{
  self->is_held = TRUE;
}

void
pen_harness_release (PenHarness *self)
{
  self->is_held = FALSE;
  pen_harness_settle_deferred (self);
}

void
pen_harness_settle (PenHarness *self, guint64 position)
{
  self->settled = position;
  pen_source_settle (PEN_SOURCE (self->element), position);
}

void
pen_harness_pause (PenHarness *self)
{
  pen_source_pause (PEN_SOURCE (self->element));
}

void
pen_harness_resume (PenHarness *self)
{
  pen_source_resume (PEN_SOURCE (self->element));
}

gboolean
pen_harness_is_connected (PenHarness *self)
{
  return self->is_connected;
}

gboolean
pen_harness_is_finished (PenHarness *self)
{
  return self->is_finished;
}

const GError *
pen_harness_get_failure (PenHarness *self)
{
  return self->failure;
}

gboolean
pen_harness_write (PenHarness *self, PenBatch *batch, GError **error)
{
  return pen_sink_write (PEN_SINK (self->element), batch, error);
}

gboolean
pen_harness_write_texts (PenHarness *self, GError **error, ...)
{
  g_autoptr (PenBatch) batch = pen_batch_new ();
  const char *text = NULL;
  va_list texts;

  va_start (texts, error);
  while ((text = va_arg (texts, const char *)) != NULL)
    {
      g_autoptr (PenEvent) event = pen_harness_make_event (text, "test/topic");

      pen_batch_append (batch, event);
    }
  va_end (texts);
  return pen_harness_write (self, batch, error);
}

gboolean
pen_harness_flush (PenHarness *self, GError **error)
{
  return pen_sink_flush (PEN_SINK (self->element), error);
}

typedef struct
{
  GString *findings;
  char **set;
} PenHarnessCheck;

static void
pen_harness_report (gboolean is_error,
                    const char *property,
                    const char *message,
                    gpointer user_data)
{
  const PenHarnessCheck *check = user_data;

  g_string_append_printf (check->findings, "%s: %s: %s\n", is_error ? "error" : "warning",
                          property != NULL ? property : "-", message);
}

static void
pen_harness_ignore_claim (const char *property,
                          const char *what,
                          const char *why,
                          gpointer user_data)
{
}

static void
pen_harness_ignore_interest (const char *property, const PenInterest *interest, gpointer user_data)
{
}

static gboolean
pen_harness_is_set (const char *property, gpointer user_data)
{
  const PenHarnessCheck *check = user_data;

  return g_strv_contains ((const char *const *) check->set, property);
}

/* a line a finding: "error: qos: …" */
char *
pen_harness_check (PenElement *element, const char *set, gboolean environment)
{
  g_auto (GStrv) names = g_strsplit (set != NULL ? set : "", " ", -1);
  PenHarnessCheck state = { .findings = g_string_new (NULL), .set = names };
  PenCheck check = { .report = pen_harness_report,
                     .claim = pen_harness_ignore_claim,
                     .interest = pen_harness_ignore_interest,
                     .is_set = pen_harness_is_set,
                     .user_data = &state,
                     .wants_environment = environment };

  pen_element_run_check (element, &check);
  return g_string_free (state.findings, FALSE);
}

PenEvent *
pen_harness_make_event (const char *text, const char *topic)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  return pen_event_new (payload, topic, G_GINT64_CONSTANT (1767323045678901));
}
