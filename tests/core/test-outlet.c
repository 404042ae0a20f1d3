/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The outlet before a sink: batches, linger, retries, rejections, room, and sinks that block.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-element-private.h"
#include "pen-outlet.h"

#define SECOND_US ((gint64) G_USEC_PER_SEC)

/* A sink that does what the test tells it, and tells what it was asked. */
#define TEST_TYPE_SINK (test_sink_get_type ())
G_DECLARE_FINAL_TYPE (TestSink, test_sink, TEST, SINK, PenSink)

struct _TestSink
{
  PenSink parent_instance;

  GMutex lock; /* story, fail_code, n_failures, is_held */
  GCond released;
  GString *story;
  int fail_code;
  guint n_failures;
  gboolean is_held;
  gboolean blocks;
  PenLane *lane;
  GArray *tries; /* of gint64: when it was asked to write, by the lane's clock */
};

G_DEFINE_FINAL_TYPE (TestSink, test_sink, PEN_TYPE_SINK)

static gboolean
test_sink_may_pass (TestSink *self, GError **error)
{
  while (self->is_held)
    g_cond_wait (&self->released, &self->lock);
  if (self->n_failures == 0)
    return TRUE;
  self->n_failures--;
  pen_element_set_error (error, self->fail_code, "test_reason", "the test wants it");
  return FALSE;
}

static gboolean
test_sink_start (PenElement *element, GError **error)
{
  TestSink *self = TEST_SINK (element);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!test_sink_may_pass (self, error))
    return FALSE;
  g_string_append (self->story, "start;");
  return TRUE;
}

static void
test_sink_stop (PenElement *element)
{
  TestSink *self = TEST_SINK (element);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_string_append (self->story, "stop;");
}

static gboolean
test_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  TestSink *self = TEST_SINK (sink);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 now_us = pen_lane_get_monotonic_time (self->lane);

  g_array_append_val (self->tries, now_us);
  if (!test_sink_may_pass (self, error))
    return FALSE;
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      gsize length = 0;
      const char *text = pen_event_get_data (pen_batch_get_event (batch, i), &length);

      if (!pen_batch_is_open (batch, i))
        continue;
      if (text[0] == 'x')
        pen_batch_reject (batch, i, "bad_letter", "'%.*s' begins with x", (int) length, text);
      else
        g_string_append_printf (self->story, "%.*s,", (int) length, text);
    }
  g_string_append_c (self->story, ';');
  return TRUE;
}

static gboolean
test_sink_flush (PenSink *sink, GError **error)
{
  TestSink *self = TEST_SINK (sink);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_string_append (self->story, "flush;");
  return TRUE;
}

static gboolean
test_sink_blocks (PenSink *sink)
{
  return TEST_SINK (sink)->blocks;
}

static void
test_sink_finalize (GObject *object)
{
  TestSink *self = TEST_SINK (object);

  g_string_free (self->story, TRUE);
  g_array_unref (self->tries);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->released);
  G_OBJECT_CLASS (test_sink_parent_class)->finalize (object);
}

static void
test_sink_class_init (TestSinkClass *class)
{
  G_OBJECT_CLASS (class)->finalize = test_sink_finalize;
  PEN_ELEMENT_CLASS (class)->start = test_sink_start;
  PEN_ELEMENT_CLASS (class)->stop = test_sink_stop;
  PEN_SINK_CLASS (class)->write = test_sink_write;
  PEN_SINK_CLASS (class)->flush = test_sink_flush;
  PEN_SINK_CLASS (class)->blocks = test_sink_blocks;
}

static void
test_sink_init (TestSink *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->released);
  self->story = g_string_new (NULL);
  self->tries = g_array_new (FALSE, FALSE, sizeof (gint64));
}

typedef struct
{
  TestSink *sink;
  PenLane *lane;
  PenWorkers *workers;
  PenOutlet *outlet;
  GString *calls;
} Fixture;

static void
test_on_started (gpointer owner)
{
  g_string_append (((Fixture *) owner)->calls, "started;");
}

static void
test_on_reject (gpointer owner,
                PenSink *sink,
                PenEvent *event,
                const char *reason,
                const char *message)
{
  g_string_append_printf (((Fixture *) owner)->calls, "%s: %s;", reason, message);
}

static void
test_on_full (gpointer owner, gboolean is_full)
{
  g_string_append (((Fixture *) owner)->calls, is_full ? "full;" : "room;");
}

static void
test_on_idle (gpointer owner)
{
}

static void
test_on_failed (gpointer owner, PenSink *sink, GError *error)
{
  g_string_append_printf (((Fixture *) owner)->calls, "failed: %s;", error->message);
  g_error_free (error);
}

static void
test_on_stopped (gpointer owner)
{
  g_string_append (((Fixture *) owner)->calls, "stopped;");
}

static const PenOutletFunctions functions = {
  .started = test_on_started,
  .reject = test_on_reject,
  .full = test_on_full,
  .idle = test_on_idle,
  .failed = test_on_failed,
  .stopped = test_on_stopped,
};

static void
test_fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_assert_true (g_main_context_acquire (NULL));
  fixture->lane = pen_lane_new (g_main_context_default ());
  fixture->workers = pen_workers_new ();
  fixture->sink = g_object_new (TEST_TYPE_SINK, NULL);
  fixture->sink->lane = fixture->lane;
  g_free (pen_test_take_log ()); /* of the test before */
  fixture->calls = g_string_new (NULL);
}

static void
test_fixture_open (Fixture *fixture)
{
  fixture->outlet = pen_outlet_new (PEN_SINK (fixture->sink), fixture->lane, fixture->workers,
                                    &functions, fixture);
  pen_outlet_start (fixture->outlet);
}

static void
test_fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->outlet, pen_outlet_unref);
  pen_workers_free (fixture->workers, TRUE);
  g_object_unref (fixture->sink);
  pen_lane_free (fixture->lane);
  g_string_free (fixture->calls, TRUE);
  g_main_context_release (NULL);
}

static void
test_fixture_take (Fixture *fixture, const char *text)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  pen_outlet_take (fixture->outlet, pen_event_new (payload, NULL, 0));
}

static void
test_outlet_round_makes_a_batch (Fixture *fixture, gconstpointer data)
{
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  test_fixture_take (fixture, "a");
  test_fixture_take (fixture, "b");
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;");
  pen_lane_advance (fixture->lane, 0);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;");
  g_assert_true (pen_outlet_is_idle (fixture->outlet));
  pen_outlet_stop (fixture->outlet);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;flush;stop;");
  g_assert_cmpstr (fixture->calls->str, ==, "started;stopped;");
}

static void
test_outlet_full_batch_goes_at_once (Fixture *fixture, gconstpointer data)
{
  g_object_set (fixture->sink, "batch-events", 2u, "batch-bytes", G_GUINT64_CONSTANT (5), NULL);
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  test_fixture_take (fixture, "a");
  test_fixture_take (fixture, "b");
  test_fixture_take (fixture, "c");
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;");
  test_fixture_take (fixture, "large");
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;c,;");
  pen_lane_advance (fixture->lane, 0);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;c,;large,;");
}

static void
test_outlet_lingers (Fixture *fixture, gconstpointer data)
{
  g_object_set (fixture->sink, "linger", (gint64) 1000, NULL);
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  test_fixture_take (fixture, "a");
  pen_lane_advance (fixture->lane, 900);
  test_fixture_take (fixture, "b");
  pen_lane_advance (fixture->lane, 99);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;");
  pen_lane_advance (fixture->lane, 1);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;");
  test_fixture_take (fixture, "c");
  pen_outlet_drain (fixture->outlet);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;c,;");
}

static void
test_outlet_tries_again (Fixture *fixture, gconstpointer data)
{
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  fixture->sink->fail_code = PEN_ELEMENT_ERROR_RETRY;
  fixture->sink->n_failures = 3;
  test_fixture_take (fixture, "a");
  pen_lane_advance (fixture->lane, 0);
  test_fixture_take (fixture, "b");
  g_assert_false (pen_outlet_is_idle (fixture->outlet));
  pen_lane_advance (fixture->lane, 700 * 1000);
  g_assert_cmpuint (fixture->sink->n_failures, ==, 0);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,;b,;");
}

/* The time between two tries to write, the first being number 0. */
static gint64
test_get_delay (Fixture *fixture, guint number)
{
  const GArray *tries = fixture->sink->tries;

  g_assert_cmpuint (number + 1, <, tries->len);
  return g_array_index (tries, gint64, number + 1) - g_array_index (tries, gint64, number);
}

/* Each wait is the half to the whole of twice as long a time as before, up to 30 s; for ever. */
static void
test_outlet_backs_off (Fixture *fixture, gconstpointer data)
{
  const guint n_tries = 400;
  gint64 longest_us = 100 * 1000;
  gint64 least_us = G_MAXINT64;
  gint64 most_us = 0;

  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  fixture->sink->fail_code = PEN_ELEMENT_ERROR_RETRY;
  fixture->sink->n_failures = G_MAXUINT;
  test_fixture_take (fixture, "a");
  pen_lane_advance (fixture->lane, 0);
  pen_lane_advance (fixture->lane, n_tries * 30 * SECOND_US);
  for (guint i = 0; i < n_tries; i++)
    {
      gint64 delay_us = test_get_delay (fixture, i);

      g_assert_cmpint (delay_us, >=, longest_us / 2);
      g_assert_cmpint (delay_us, <=, longest_us);
      if (longest_us == 30 * SECOND_US)
        {
          least_us = MIN (least_us, delay_us);
          most_us = MAX (most_us, delay_us);
        }
      longest_us = MIN (2 * longest_us, 30 * SECOND_US);
    }
  /* a fleet that lost its database at one moment does not come back at one moment */
  g_assert_cmpint (least_us, <, 17 * G_USEC_PER_SEC);
  g_assert_cmpint (most_us, >, 28 * G_USEC_PER_SEC);
}

/* A failure that lasts is told once, and its end. */
static void
test_outlet_begins_anew_after_success (Fixture *fixture, gconstpointer data)
{
  g_autofree char *log = NULL;
  guint n_before;

  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  fixture->sink->fail_code = PEN_ELEMENT_ERROR_RETRY;
  fixture->sink->n_failures = 20;
  test_fixture_take (fixture, "a");
  pen_lane_advance (fixture->lane, 0);
  pen_lane_advance (fixture->lane, 20 * 30 * SECOND_US);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,;");
  log = pen_test_take_log ();
  g_assert_cmpstr (log, ==,
                   "TestSink: the test wants it; trying again\n"
                   "TestSink: works again\n");
  n_before = fixture->sink->tries->len;
  fixture->sink->n_failures = 1;
  test_fixture_take (fixture, "b");
  pen_lane_advance (fixture->lane, 0);
  pen_lane_advance (fixture->lane, G_USEC_PER_SEC);
  g_assert_cmpint (test_get_delay (fixture, n_before), <=, 100 * 1000);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,;b,;");
}

static void
test_outlet_opens_later (Fixture *fixture, gconstpointer data)
{
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  fixture->sink->fail_code = PEN_ELEMENT_ERROR_RETRY;
  fixture->sink->n_failures = 1;
  test_fixture_open (fixture);
  test_fixture_take (fixture, "a");
  pen_lane_advance (fixture->lane, 0);
  g_assert_cmpstr (fixture->calls->str, ==, "");
  pen_lane_advance (fixture->lane, G_USEC_PER_SEC);
  g_assert_cmpstr (fixture->calls->str, ==, "started;");
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,;");
}

static void
test_outlet_stops_before_it_opened (Fixture *fixture, gconstpointer data)
{
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  fixture->sink->fail_code = PEN_ELEMENT_ERROR_RETRY;
  fixture->sink->n_failures = 100;
  test_fixture_open (fixture);
  pen_outlet_stop (fixture->outlet);
  pen_lane_advance (fixture->lane, 100 * G_USEC_PER_SEC);
  g_assert_cmpstr (fixture->calls->str, ==, "stopped;");
  g_assert_cmpstr (fixture->sink->story->str, ==, "");
}

static void
test_outlet_rejects (Fixture *fixture, gconstpointer data)
{
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  test_fixture_take (fixture, "a");
  test_fixture_take (fixture, "x1");
  test_fixture_take (fixture, "b");
  pen_lane_advance (fixture->lane, 0);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,b,;");
  g_assert_cmpstr (fixture->calls->str, ==, "started;bad_letter: 'x1' begins with x;");

  fixture->sink->fail_code = PEN_ELEMENT_ERROR_REJECT;
  fixture->sink->n_failures = 1;
  g_string_truncate (fixture->calls, 0);
  test_fixture_take (fixture, "c");
  pen_lane_advance (fixture->lane, 0);
  g_assert_cmpstr (fixture->calls->str, ==, "test_reason: the test wants it;");
  g_assert_true (pen_outlet_is_idle (fixture->outlet));
}

static void
test_outlet_fails_for_good (Fixture *fixture, gconstpointer data)
{
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  test_fixture_open (fixture);
  fixture->sink->fail_code = PEN_ELEMENT_ERROR_CLOSED;
  fixture->sink->n_failures = 1;
  test_fixture_take (fixture, "a");
  pen_lane_advance (fixture->lane, 0);
  test_fixture_take (fixture, "b");
  g_assert_cmpstr (fixture->calls->str, ==, "started;failed: the test wants it;");
  g_assert_true (pen_outlet_is_idle (fixture->outlet));
  pen_outlet_stop (fixture->outlet);
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;stop;");
}

static gboolean
test_has_started (gpointer data)
{
  return g_str_has_prefix (((Fixture *) data)->calls->str, "started;");
}

static gboolean
test_is_idle (gpointer data)
{
  return pen_outlet_is_idle (((Fixture *) data)->outlet);
}

static void
test_sink_set_held (TestSink *sink, gboolean is_held)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sink->lock);

  sink->is_held = is_held;
  g_cond_broadcast (&sink->released);
}

static void
test_outlet_worker_fills_meanwhile (Fixture *fixture, gconstpointer data)
{
  fixture->sink->blocks = TRUE;
  g_object_set (fixture->sink, "queue-events", 4u, NULL);
  test_fixture_open (fixture);
  g_assert_true (pen_test_wait (test_has_started, fixture, 5000));
  test_sink_set_held (fixture->sink, TRUE);
  test_fixture_take (fixture, "a");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  test_fixture_take (fixture, "b");
  test_fixture_take (fixture, "c");
  g_assert_cmpstr (fixture->calls->str, ==, "started;");
  test_fixture_take (fixture, "d");
  g_assert_cmpstr (fixture->calls->str, ==, "started;full;");
  test_sink_set_held (fixture->sink, FALSE);
  g_assert_true (pen_test_wait (test_is_idle, fixture, 5000));
  g_assert_cmpstr (fixture->sink->story->str, ==, "start;a,;b,c,d,;");
  g_assert_cmpstr (fixture->calls->str, ==, "started;full;room;");
}

static gboolean
test_is_alone (gpointer data)
{
  return G_OBJECT (data)->ref_count == 1;
}

static void
test_outlet_abandons_a_worker (Fixture *fixture, gconstpointer data)
{
  fixture->sink->blocks = TRUE;
  test_fixture_open (fixture);
  g_assert_true (pen_test_wait (test_has_started, fixture, 5000));
  test_sink_set_held (fixture->sink, TRUE);
  test_fixture_take (fixture, "a");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (pen_outlet_abandon (fixture->outlet));
  g_clear_pointer (&fixture->outlet, pen_outlet_unref);
  test_sink_set_held (fixture->sink, FALSE);
  g_assert_true (pen_test_wait (test_is_alone, fixture->sink, 5000));
  g_assert_cmpstr (fixture->calls->str, ==, "started;");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/outlet/round-makes-a-batch", test_outlet_round_makes_a_batch);
  ADD ("/outlet/full-batch-goes-at-once", test_outlet_full_batch_goes_at_once);
  ADD ("/outlet/lingers", test_outlet_lingers);
  ADD ("/outlet/tries-again", test_outlet_tries_again);
  ADD ("/outlet/backs-off", test_outlet_backs_off);
  ADD ("/outlet/begins-anew-after-success", test_outlet_begins_anew_after_success);
  ADD ("/outlet/opens-later", test_outlet_opens_later);
  ADD ("/outlet/stops-before-it-opened", test_outlet_stops_before_it_opened);
  ADD ("/outlet/rejects", test_outlet_rejects);
  ADD ("/outlet/fails-for-good", test_outlet_fails_for_good);
  ADD ("/outlet/worker-fills-meanwhile", test_outlet_worker_fills_meanwhile);
  ADD ("/outlet/abandons-a-worker", test_outlet_abandons_a_worker);
#undef ADD
  return g_test_run ();
}
