/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pipelines with a spool: when the source may acknowledge, what each sink gets, and what a new run
 * finds after one that stopped, crashed, or had other sinks.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-pipeline.h"
#include "pen-spool-store.h"

#include <glib/gstdio.h>

#define SECOND G_USEC_PER_SEC
#define TIMEOUT_MS 60000

#define ONE_SINK "[pipeline]\nspool=true\n[source script]\n[transform script]\n[sink script]\n"
#define TWO_SINKS ONE_SINK "[sink script b]\n"

typedef struct
{
  PenRegistry *registry;
  PenLane *lane;
  PenWorkers *workers;
  PenPipeline *pipeline;
  PenElement *source;
  PenElement *sink;
  PenElement *other;
  GString *calls;
  char *state;
  /* what is waited for */
  PenElement *element;
  const char *story;
  guint64 delivered;
  guint64 needed;
  gint64 count;
} Fixture;

static void
test_on_ended (gpointer owner, PenPipeline *pipeline)
{
  g_string_append (((Fixture *) owner)->calls, "ended;");
}

static void
test_on_closed (gpointer owner, PenPipeline *pipeline)
{
  g_string_append (((Fixture *) owner)->calls, "closed;");
}

static const PenPipelineFunctions test_functions = {
  .ended = test_on_ended,
  .closed = test_on_closed,
};

static void
test_set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  const char *const folders[] = { modules, NULL };

  g_free (pen_test_take_log ()); /* of the test before */
  g_assert_true (g_main_context_acquire (NULL));
  fixture->registry = pen_registry_new (folders);
  fixture->lane = pen_lane_new (g_main_context_default ());
  fixture->workers = pen_workers_new ();
  fixture->calls = g_string_new (NULL);
  fixture->state = pen_test_make_folder ();
  pen_lane_set_test_clock (fixture->lane, SECOND, SECOND);
}

static void
test_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
  pen_workers_free (fixture->workers, TRUE);
  pen_lane_free (fixture->lane);
  pen_registry_free (fixture->registry);
  g_string_free (fixture->calls, TRUE);
  pen_test_remove_folder (fixture->state);
  g_main_context_release (NULL);
}

/* --- What a test does --- */

static void
test_load (Fixture *fixture, const char *text)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition = pen_definition_parse (
      "site.pipeline", text, strlen (text), fixture->registry, PEN_DEFINITION_NONE, diagnostics);

  for (guint i = 0; i < diagnostics->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (diagnostics, i));

      g_test_message ("%s", line);
    }
  g_assert_nonnull (definition);
  g_string_truncate (fixture->calls, 0);
  fixture->pipeline
      = pen_pipeline_new (definition, fixture->lane, fixture->workers, &test_functions, fixture);
  pen_pipeline_set_state_folder (fixture->pipeline, fixture->state);
  fixture->source = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SOURCE, "script");
  fixture->sink = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SINK, "script");
  fixture->other = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SINK, "b");
}

static char *
test_tell (PenElement *element)
{
  char *story = NULL;

  g_object_get (element, "story", &story, NULL);
  return story;
}

static gboolean
test_has_told (gpointer data)
{
  Fixture *fixture = data;
  g_autofree char *story = test_tell (fixture->element);

  pen_lane_advance (fixture->lane, SECOND / 20);
  return g_str_has_prefix (story, fixture->story);
}

#define assert_told(element_, story_)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *told_ = NULL;                                                                 \
    fixture->element = (element_);                                                                 \
    fixture->story = (story_);                                                                     \
    pen_test_wait (test_has_told, fixture, TIMEOUT_MS);                                            \
    told_ = test_tell (element_);                                                                  \
    g_assert_cmpstr (told_, ==, story_);                                                           \
  }                                                                                                \
  G_STMT_END

static gboolean
test_has_ended (gpointer data)
{
  Fixture *fixture = data;

  pen_lane_advance (fixture->lane, SECOND / 20);
  return fixture->calls->len > 0;
}

static void
test_await_end (Fixture *fixture)
{
  g_assert_true (pen_test_wait (test_has_ended, fixture, TIMEOUT_MS));
  g_assert_cmpstr (fixture->calls->str, ==, "ended;");
}

static void
test_start (Fixture *fixture)
{
  pen_pipeline_start (fixture->pipeline);
  assert_told (fixture->source, "start;");
}

static void
test_push (Fixture *fixture, const char *text)
{
  g_object_set (fixture->source, "push", text, NULL);
}

/* Ends the run in order. */
static void
test_stop (Fixture *fixture)
{
  pen_pipeline_stop (fixture->pipeline);
  test_await_end (fixture);
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
}

/* Ends the run as a crash does: what is in memory is gone. */
static void
test_crash (Fixture *fixture)
{
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
}

static gint64
test_count (PenElement *element, const char *name, const char *reason)
{
  PenMetrics *metrics = pen_element_get_metrics (element);

  return pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, name, reason));
}

static gboolean
test_has_sent (gpointer data)
{
  Fixture *fixture = data;

  pen_lane_advance (fixture->lane, SECOND / 20);
  return test_count (fixture->element, "events_sent", NULL) >= fixture->count;
}

/* A sink that blocks has told before its lane has counted. */
static void
test_await_sent (Fixture *fixture, PenElement *sink, gint64 count)
{
  fixture->element = sink;
  fixture->count = count;
  pen_test_wait (test_has_sent, fixture, TIMEOUT_MS);
  g_assert_cmpint (test_count (sink, "events_sent", NULL), ==, count);
}

/* A message that is there for one sink. */
static PenSpoolRecord *
test_make_record (const char *text, const char *sink)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));
  PenSpoolRecord *record
      = pen_spool_record_new ("script", pen_event_new (payload, "script/topic", SECOND));

  record->sink = g_strdup (sink);
  return record;
}

static gint64
test_count_waiting (PenElement *element)
{
  PenMetrics *metrics = pen_element_get_metrics (element);

  return pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_GAUGE, "spool_events", NULL));
}

static gboolean
test_has_cursor (gpointer data)
{
  Fixture *fixture = data;
  const PenSpoolStoreFunctions functions = { NULL, NULL };
  g_autoptr (GError) error = NULL;
  PenSpoolStore *store = pen_spool_store_open (fixture->state, "site", PEN_SPOOL_STORE_READ_ONLY,
                                               &functions, NULL, &error);
  g_autoptr (GPtrArray) cursors = NULL;
  const PenSpoolCursor *cursor = NULL;
  gboolean is_so;

  pen_lane_advance (fixture->lane, SECOND / 20);
  g_assert_no_error (error);
  cursors = pen_spool_store_get_cursors (store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (cursors->len, ==, 1);
  cursor = g_ptr_array_index (cursors, 0);
  is_so = cursor->delivered == fixture->delivered && cursor->needed == fixture->needed;
  pen_spool_store_close (store, FALSE /* all_settled */);
  return is_so;
}

static void
test_await_cursor (Fixture *fixture, guint64 delivered, guint64 needed)
{
  fixture->delivered = delivered;
  fixture->needed = needed;
  g_assert_true (pen_test_wait (test_has_cursor, fixture, TIMEOUT_MS));
}

/* --- Tests --- */

static void
test_spool_acknowledges_before_the_sink (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, ONE_SINK);
  g_object_set (fixture->sink, "blocks", TRUE, "held", TRUE, NULL);
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "2");
  test_push (fixture, "d");
  assert_told (fixture->source, "start;settle 3;");
  assert_told (fixture->sink, "");
  g_object_set (fixture->sink, "held", FALSE, NULL);
  assert_told (fixture->sink, "<a>;<2>;<2>;");
  test_push (fixture, "b");
  assert_told (fixture->sink, "<a>;<2>;<2>;<b>;");
  assert_told (fixture->source, "start;settle 3;settle 4;");
  test_await_sent (fixture, fixture->sink, 4);
  test_stop (fixture);
}

static void
test_spool_goes_on_where_it_was (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, ONE_SINK);
  test_start (fixture);
  test_push (fixture, "a");
  assert_told (fixture->sink, "<a>;");
  g_object_set (fixture->sink, "failures", 1000, NULL);
  test_push (fixture, "b");
  test_push (fixture, "c");
  assert_told (fixture->source, "start;settle 1;settle 3;");
  pen_pipeline_stop (fixture->pipeline);
  test_await_end (fixture);
  g_assert_true (pen_test_has_logged ("*2 events were not written, and stay in the spool*"));
  g_assert_cmpint (test_count_waiting (fixture->sink), ==, 2);
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_DONE);
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
  g_free (pen_test_take_log ());

  test_load (fixture, ONE_SINK);
  test_start (fixture);
  assert_told (fixture->sink, "replayed <b>;replayed <c>;");
  test_push (fixture, "e");
  assert_told (fixture->sink, "replayed <b>;replayed <c>;<e>;");
  pen_pipeline_stop (fixture->pipeline);
  test_await_end (fixture);
  g_assert_cmpint (test_count_waiting (fixture->sink), ==, 0);
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);

  /* nothing was under way at the end of that run */
  test_load (fixture, ONE_SINK);
  test_start (fixture);
  test_push (fixture, "f");
  assert_told (fixture->sink, "<f>;");
  test_stop (fixture);
}

static void
test_spool_marks_after_a_crash (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, ONE_SINK);
  g_object_set (fixture->sink, "blocks", TRUE, "held", TRUE, NULL);
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "b");
  assert_told (fixture->source, "start;settle 2;");
  g_object_set (fixture->sink, "held", FALSE, NULL);
  test_crash (fixture);

  test_load (fixture, ONE_SINK);
  test_start (fixture);
  test_push (fixture, "c");
  assert_told (fixture->sink, "replayed <a>;replayed <b>;<c>;");
  test_stop (fixture);
}

/* The page of the cursors is the third. What waits must not look like what came before the sink. */
static void
test_spool_delivers_where_cursors_are_lost (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->state, "spool", "site.db", NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  test_load (fixture, ONE_SINK);
  g_object_set (fixture->sink, "failures", 1000, NULL);
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "b");
  assert_told (fixture->source, "start;settle 2;");
  test_stop (fixture);

  bytes = pen_test_read_file (path, &length);
  g_assert_cmpuint (length, >=, 3 * 8192);
  memset (bytes + 2 * 8192, 0, 8192);
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
  test_load (fixture, ONE_SINK);
  test_start (fixture);
  assert_told (fixture->sink, "replayed <a>;replayed <b>;");
  g_assert_true (pen_test_has_logged ("*2 messages were saved into a new one*"));
  test_push (fixture, "c");
  assert_told (fixture->sink, "replayed <a>;replayed <b>;<c>;");
  test_stop (fixture);
}

static void
test_spool_keeps_sinks_apart (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, TWO_SINKS);
  g_object_set (fixture->sink, "failures", G_MAXUINT, NULL);
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "b");
  assert_told (fixture->other, "<a>;<b>;");
  assert_told (fixture->sink, "");
  g_object_set (fixture->sink, "failures", 0, NULL);
  assert_told (fixture->sink, "<a>;<b>;");
  /* the transform that they share counts once */
  g_assert_cmpint (
      test_count (pen_pipeline_get_element (fixture->pipeline, PEN_KIND_TRANSFORM, "script"),
                  "events_received", NULL),
      ==, 2);
  test_stop (fixture);
}

/* The transform keeps 'k' until the next message. */
static void
test_spool_gives_back_what_was_held (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, ONE_SINK);
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "k1");
  assert_told (fixture->sink, "<a>;");
  test_await_cursor (fixture, 2, 2);
  test_stop (fixture);

  test_load (fixture, ONE_SINK);
  test_start (fixture);
  test_push (fixture, "b");
  assert_told (fixture->sink, "k1;<b>;");
  test_push (fixture, "k2");
  test_await_cursor (fixture, 4, 4);
  test_crash (fixture);

  test_load (fixture, ONE_SINK);
  test_start (fixture);
  test_push (fixture, "c");
  assert_told (fixture->sink, "replayed k2;<c>;");
  test_stop (fixture);
}

/* Behind what is held, messages are delivered: they come again to rebuild, and go no further. */
static void
test_spool_emits_nothing_twice (Fixture *fixture, gconstpointer data)
{
  PenElement *letters = NULL;

  test_load (fixture, ONE_SINK "[dead-letter script]\n");
  test_start (fixture);
  test_push (fixture, "w1"); /* waits until the second 'w' */
  test_push (fixture, "a");
  test_push (fixture, "r");
  test_push (fixture, "b");
  assert_told (fixture->sink, "<a>;<b>;");
  test_await_cursor (fixture, 4, 1);
  test_crash (fixture);

  test_load (fixture, ONE_SINK "[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  test_start (fixture);
  test_push (fixture, "w2");
  test_push (fixture, "c");
  assert_told (fixture->sink, "replayed w1+w2;<c>;");
  assert_told (letters, "");
  test_await_cursor (fixture, 6, 7);
  test_stop (fixture);
}

/* What a tick has put out is not written yet when more comes, and the process dies: what came is
 * processed once more, and not as what only rebuilds. */
static void
test_spool_holds_what_ticks_put_out (Fixture *fixture, gconstpointer data)
{
  PenElement *transform = NULL;

  test_load (fixture, ONE_SINK);
  transform = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_TRANSFORM, "script");
  test_start (fixture);
  g_object_set (fixture->sink, "failures", 1000, NULL);
  test_push (fixture, "t1");
  test_await_sent (fixture, transform, 1);
  test_push (fixture, "d");
  test_push (fixture, "a");
  test_await_sent (fixture, transform, 2);
  test_push (fixture, "d");
  assert_told (fixture->source, "start;settle 1;settle 3;settle 4;");
  test_crash (fixture);

  test_load (fixture, ONE_SINK);
  test_start (fixture);
  assert_told (fixture->sink, "replayed t1;replayed <a>;");
  test_stop (fixture);
}

static void
test_spool_rejects_once (Fixture *fixture, gconstpointer data)
{
  PenElement *letters = NULL;
  PenElement *transform = NULL;

  test_load (fixture, TWO_SINKS "[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  transform = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_TRANSFORM, "script");
  test_start (fixture);
  test_push (fixture, "r");
  test_push (fixture, "a");
  assert_told (fixture->sink, "<a>;");
  assert_told (fixture->other, "<a>;");
  assert_told (letters, "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site\","
                        "\"element\":\"transform script\",\"reason\":\"bad_letter\","
                        "\"message\":\"begins with r\",\"topic\":\"script/topic\","
                        "\"payload\":\"r\"};");
  g_assert_cmpint (test_count (transform, "events_rejected", "bad_letter"), ==, 1);
  test_stop (fixture);
}

/* As 'penstock spool replay --sink b' does; the transform before b is a copy, else mute. */
static void
test_spool_rejects_what_is_replayed_for_one (Fixture *fixture, gconstpointer data)
{
  static const PenSpoolStoreFunctions functions = { NULL };
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  g_autoptr (GError) error = NULL;
  PenElement *letters = NULL;
  PenSpoolStore *store = NULL;

  test_load (fixture, TWO_SINKS "[dead-letter script]\n");
  test_start (fixture);
  test_stop (fixture);
  store = pen_spool_store_open (fixture->state, "site", PEN_SPOOL_STORE_NONE, &functions, NULL,
                                &error);
  g_assert_no_error (error);
  g_ptr_array_add (records, test_make_record ("r", "b"));
  g_ptr_array_add (records, test_make_record ("a", "b"));
  g_assert_true (pen_spool_store_commit (store, records, NULL, G_MININT64, &error));
  pen_spool_store_close (store, TRUE /* all_settled */);

  test_load (fixture, TWO_SINKS "[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  test_start (fixture);
  assert_told (fixture->other, "<a>;");
  assert_told (letters, "{\"time\":\"1970-01-01T00:00:01.000000+00:00\","
                        "\"pipeline\":\"site\","
                        "\"element\":\"transform script\",\"reason\":\"bad_letter\","
                        "\"message\":\"begins with r\",\"topic\":\"script/topic\","
                        "\"payload\":\"r\"};");
  test_stop (fixture);
}

static void
test_spool_drains_what_ends (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, TWO_SINKS);
  g_object_set (fixture->other, "failures", 3, NULL);
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "keep");
  g_object_set (fixture->source, "finish", TRUE, NULL);
  test_await_end (fixture);
  assert_told (fixture->sink, "<a>;keep;stop");
  assert_told (fixture->other, "<a>;keep;stop");
  assert_told (fixture->source, "start;pause;settle 2;stop with 0 held;");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_DONE);
}

static void
test_spool_pauses_when_full (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (64 * 1024, 'a');

  test_load (fixture, "[pipeline]\nspool=true\nspool-size=1MiB\n[source script]\n[sink script]\n");
  g_object_set (fixture->sink, "failures", G_MAXUINT, NULL);
  test_start (fixture);
  for (guint i = 0; i < 20; i++)
    test_push (fixture, text);
  assert_told (fixture->source, "start;pause;settle 20;");
  g_assert_true (pen_test_has_logged ("*full (1 MiB): the sources pause until sink 'script'*"));
  g_object_set (fixture->sink, "failures", 0, NULL);
  assert_told (fixture->source, "start;pause;settle 20;resume;");
  g_free (pen_test_take_log ());
  test_stop (fixture);
}

static void
test_spool_keeps_for_a_sink_that_is_gone (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, TWO_SINKS);
  g_object_set (fixture->other, "failures", G_MAXUINT, NULL);
  test_start (fixture);
  test_push (fixture, "a");
  assert_told (fixture->sink, "<a>;");
  pen_pipeline_stop (fixture->pipeline);
  test_await_end (fixture);
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
  g_free (pen_test_take_log ());

  test_load (fixture, ONE_SINK);
  test_start (fixture);
  g_assert_true (pen_test_has_logged ("*1 messages waited for sink 'b', which is gone*"));
  test_push (fixture, "b");
  assert_told (fixture->sink, "<b>;");
  test_stop (fixture);
  g_free (pen_test_take_log ());

  test_load (fixture, TWO_SINKS);
  test_start (fixture);
  test_push (fixture, "c");
  assert_told (fixture->sink, "<c>;");
  assert_told (fixture->other, "<a>;<c>;");
  test_stop (fixture);
}

static gboolean
test_has_complained (gpointer data)
{
  return pen_test_has_logged ("*trying again*");
}

static void
test_spool_waits_for_its_folder (Fixture *fixture, gconstpointer data)
{
  g_autofree char *blocked = g_build_filename (fixture->state, "spool", NULL);

  pen_test_write_file (fixture->state, "spool", "a file where a folder should be\n");
  test_load (fixture, ONE_SINK);
  pen_pipeline_start (fixture->pipeline);
  g_assert_true (pen_test_wait (test_has_complained, fixture, TIMEOUT_MS));
  g_assert_cmpint (g_unlink (blocked), ==, 0);
  assert_told (fixture->source, "start;");
  g_free (pen_test_take_log ());
  test_push (fixture, "a");
  assert_told (fixture->sink, "<a>;");
  test_stop (fixture);
}

static void
test_spool_stops_before_it_is_open (Fixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->state, "spool", "a file where a folder should be\n");
  test_load (fixture, ONE_SINK);
  pen_pipeline_start (fixture->pipeline);
  test_stop (fixture);
  g_free (pen_test_take_log ());
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);

#define ADD(path, func)                                                                            \
  g_test_add ("/pipeline/spool/" path, Fixture, NULL, test_set_up, test_spool_##func,              \
              test_tear_down)
  ADD ("acknowledges-before-the-sink", acknowledges_before_the_sink);
  ADD ("goes-on-where-it-was", goes_on_where_it_was);
  ADD ("marks-after-a-crash", marks_after_a_crash);
  ADD ("delivers-where-cursors-are-lost", delivers_where_cursors_are_lost);
  ADD ("keeps-sinks-apart", keeps_sinks_apart);
  ADD ("gives-back-what-was-held", gives_back_what_was_held);
  ADD ("emits-nothing-twice", emits_nothing_twice);
  ADD ("holds-what-ticks-put-out", holds_what_ticks_put_out);
  ADD ("rejects-once", rejects_once);
  ADD ("rejects-what-is-replayed-for-one", rejects_what_is_replayed_for_one);
  ADD ("drains-what-ends", drains_what_ends);
  ADD ("pauses-when-full", pauses_when_full);
  ADD ("keeps-for-a-sink-that-is-gone", keeps_for_a_sink_that_is_gone);
  ADD ("waits-for-its-folder", waits_for_its_folder);
  ADD ("stops-before-it-is-open", stops_before_it_is_open);
#undef ADD

  return g_test_run ();
}
