/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pipelines: how events pass, what becomes of those that cannot, when the source may acknowledge,
 * and how it all ends.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-pipeline.h"

#define SECOND G_USEC_PER_SEC

typedef struct
{
  PenRegistry *registry;
  PenLane *lane;
  PenWorkers *workers;
  PenPipeline *pipeline;
  PenElement *source;
  PenElement *sink;
  GString *calls;
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
  g_main_context_release (NULL);
}

static void
test_run_round (Fixture *fixture)
{
  pen_lane_advance (fixture->lane, 0);
}

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
  fixture->pipeline
      = pen_pipeline_new (definition, fixture->lane, fixture->workers, &test_functions, fixture);
  fixture->source = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SOURCE, "script");
  fixture->sink = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SINK, "script");
}

static void
test_start (Fixture *fixture)
{
  pen_pipeline_start (fixture->pipeline);
  test_run_round (fixture);
}

static void
test_push (Fixture *fixture, const char *text)
{
  g_object_set (fixture->source, "push", text, NULL);
}

static char *
test_tell (PenElement *element)
{
  char *story = NULL;

  g_object_get (element, "story", &story, NULL);
  return story;
}

#define assert_log(log)                                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *log_ = pen_test_take_log ();                                                  \
    g_assert_cmpstr (log_, ==, log);                                                               \
  }                                                                                                \
  G_STMT_END

#define assert_story(element, story)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *story_ = test_tell (element);                                                 \
    g_assert_cmpstr (story_, ==, story);                                                           \
  }                                                                                                \
  G_STMT_END

static gint64
test_count (PenElement *element, const char *name, const char *reason)
{
  PenMetrics *metrics = pen_element_get_metrics (element);

  return pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, name, reason));
}

static void
test_pipeline_passes_and_settles (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "a");
  test_push (fixture, "2");
  test_push (fixture, "d");
  assert_story (fixture->source, "start;");
  test_run_round (fixture);
  assert_story (fixture->sink, "<a>;<2>;<2>;");
  assert_story (fixture->source, "start;settle 3;");
  g_assert_cmpint (test_count (fixture->source, "events_received", NULL), ==, 3);
  g_assert_cmpint (test_count (fixture->sink, "events_sent", NULL), ==, 3);
  pen_pipeline_stop (fixture->pipeline);
  test_run_round (fixture);
  assert_story (fixture->source, "start;settle 3;pause;stop with 0 held;");
  assert_story (fixture->sink, "<a>;<2>;<2>;stop");
  g_assert_cmpstr (fixture->calls->str, ==, "ended;");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_DONE);
}

static void
test_pipeline_acknowledges_in_order (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "keep");
  test_run_round (fixture);
  assert_story (fixture->source, "start;");
  test_push (fixture, "b");
  test_run_round (fixture);
  assert_story (fixture->sink, "keep;<b>;");
  assert_story (fixture->source, "start;settle 2;");
}

static void
test_pipeline_dead_letters (Fixture *fixture, gconstpointer data)
{
  PenElement *letters = NULL;

  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  test_start (fixture);
  test_push (fixture, "r1");
  test_push (fixture, "x2");
  test_push (fixture, "s3");
  g_object_set (fixture->source, "reject", "r4", NULL);
  test_run_round (fixture);
  assert_story (fixture->sink, "<s3>;");
  assert_story (
      letters,
      "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site\","
      "\"element\":\"transform script\",\"reason\":\"bad_letter\","
      "\"message\":\"begins with r\",\"topic\":\"script/topic\",\"payload\":\"r1\"};"
      "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site\","
      "\"element\":\"transform script\",\"reason\":\"part_bad\","
      "\"message\":\"part 0\",\"part\":1,\"topic\":\"script/topic\",\"payload\":\"s3\"};"
      "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site\","
      "\"element\":\"source script\",\"reason\":\"unwanted\","
      "\"message\":\"the test does not want it\",\"topic\":\"script/topic\",\"payload\":\"r4\"};"
      "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site\","
      "\"element\":\"sink script\",\"reason\":\"has_x\","
      "\"message\":\"'<x2>' has an x\",\"topic\":\"script/topic\",\"payload\":\"x2\","
      "\"stage_payload\":\"<x2>\"};");
  assert_story (fixture->source, "start;settle 1;settle 4;");
}

static void
test_pipeline_bounds_skipped_parts (Fixture *fixture, gconstpointer data)
{
  PenElement *letters = NULL;
  g_autofree char *story = NULL;

  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  test_start (fixture);
  test_push (fixture, "many");
  test_run_round (fixture);
  g_assert_cmpint (test_count (letters, "events_sent", NULL), ==, 101);
  story = test_tell (letters);
  g_assert_nonnull (strstr (story, "50 more were skipped, the last for this reason"));
  assert_story (fixture->sink, "<many>;");
}

/* The transform puts out what it kept, and then fails. */
static void
test_pipeline_rejects_one_of_several (Fixture *fixture, gconstpointer data)
{
  PenElement *letters = NULL;
  g_autofree char *story = NULL;

  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  test_start (fixture);
  test_push (fixture, "kept");
  test_push (fixture, "o1");
  test_run_round (fixture);
  assert_story (fixture->sink, "kept;");
  story = test_tell (letters);
  g_assert_nonnull (strstr (story, "\"payload\":\"o1\""));
  assert_story (fixture->source, "start;settle 2;");
}

static void
test_pipeline_rejects_without_dead_letters (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "r1");
  test_push (fixture, "r2");
  test_run_round (fixture);
  assert_story (fixture->source, "start;settle 2;");
  g_object_set (fixture->source, "finish", TRUE, NULL);
  test_run_round (fixture);
  g_assert_cmpstr (fixture->calls->str, ==, "ended;");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_UNDELIVERED);
  assert_log ("transform script: rejected: begins with r [bad_letter]; a [dead-letter …] group in "
              "the keyfile would keep it\n");
}

static void
test_pipeline_lost_dead_letter (Fixture *fixture, gconstpointer data)
{
  PenElement *letters = NULL;

  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n[dead-letter script]\n");
  letters = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_DEAD_LETTER, "script");
  test_start (fixture);
  g_object_set (letters, "failures", 1, "fail-code", PEN_ELEMENT_ERROR_REJECT, NULL);
  test_push (fixture, "r1");
  test_run_round (fixture);
  g_assert_cmpint (test_count (letters, "events_rejected", "script"), ==, 1);
  assert_log ("dead-letter script: rejected: the test wants it [script]; this dead letter is "
              "lost\n");
  assert_story (fixture->source, "start;settle 1;");
}

static void
test_pipeline_two_branches (Fixture *fixture, gconstpointer data)
{
  PenElement *raw = NULL;

  test_load (fixture, "[source script]\n[sink script raw]\n[transform script]\n[sink script]\n");
  raw = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SINK, "raw");
  test_start (fixture);
  g_object_set (raw, "failures", 1, NULL);
  test_push (fixture, "a");
  test_run_round (fixture);
  assert_story (fixture->sink, "<a>;");
  assert_story (raw, "");
  assert_story (fixture->source, "start;");
  pen_lane_advance (fixture->lane, SECOND);
  assert_story (raw, "a;");
  assert_story (fixture->source, "start;settle 1;");
}

static void
test_pipeline_full_sink_pauses_source (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[sink script]\nqueue-events=2\n");
  test_start (fixture);
  g_object_set (fixture->sink, "failures", 1, NULL);
  test_push (fixture, "a");
  test_run_round (fixture);
  test_push (fixture, "b");
  assert_story (fixture->source, "start;pause;");
  pen_lane_advance (fixture->lane, SECOND);
  assert_story (fixture->sink, "a;b;");
  assert_story (fixture->source, "start;pause;resume;settle 2;");
}

static void
test_pipeline_end_of_sources_drains_transforms (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "keep");
  g_object_set (fixture->source, "finish", TRUE, NULL);
  test_run_round (fixture);
  assert_story (fixture->sink, "keep;stop");
  assert_story (fixture->source, "start;pause;settle 1;stop with 0 held;");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_DONE);
}

/* The flow need not follow the file. */
static void
test_pipeline_drains_along_the_flow (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script last]\nfrom=first\n"
                      "[transform script first]\nfrom=script\n[sink script]\nfrom=last\n");
  test_start (fixture);
  test_push (fixture, "keep");
  g_object_set (fixture->source, "finish", TRUE, NULL);
  test_run_round (fixture);
  assert_story (fixture->sink, "keep;stop");
  assert_story (fixture->source, "start;pause;settle 1;stop with 0 held;");
}

static void
test_pipeline_stop_leaves_what_is_kept (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "keep");
  pen_pipeline_stop (fixture->pipeline);
  test_run_round (fixture);
  assert_story (fixture->sink, "stop");
  assert_story (fixture->source, "start;pause;stop with 1 held;");
}

static void
test_pipeline_ticks (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "tick");
  pen_lane_advance (fixture->lane, SECOND - 1);
  assert_story (fixture->sink, "");
  pen_lane_advance (fixture->lane, 1);
  assert_story (fixture->sink, "tick;");
  assert_story (fixture->source, "start;settle 1;");
}

static void
test_pipeline_gives_up_after_the_drain_timeout (Fixture *fixture, gconstpointer data)
{
  test_load (fixture,
             "[pipeline]\ndrain-timeout=3s\n[source script]\n[transform script]\n[sink script]\n");
  test_start (fixture);
  g_object_set (fixture->sink, "failures", 1000, NULL);
  test_push (fixture, "a");
  test_run_round (fixture);
  pen_pipeline_stop (fixture->pipeline);
  pen_lane_advance (fixture->lane, 2 * SECOND);
  g_assert_cmpstr (fixture->calls->str, ==, "");
  pen_lane_advance (fixture->lane, SECOND);
  g_assert_cmpstr (fixture->calls->str, ==, "ended;");
  assert_story (fixture->source, "start;pause;stop with 1 held;");
  g_assert_false (pen_pipeline_has_abandoned (fixture->pipeline));
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_DONE);
}

static gboolean
test_has_ended (gpointer data)
{
  return strstr (((Fixture *) data)->calls->str, "ended;") != NULL;
}

static gboolean
test_has_started (gpointer data)
{
  g_autofree char *story = test_tell (((Fixture *) data)->source);

  return g_str_has_prefix (story, "start;");
}

static gboolean
test_sink_is_alone (gpointer data)
{
  return G_OBJECT (((Fixture *) data)->sink)->ref_count == 1;
}

static void
test_pipeline_abandons_a_sink_that_hangs (Fixture *fixture, gconstpointer data)
{
  test_load (fixture,
             "[pipeline]\ndrain-timeout=1s\n[source script]\n[sink script]\nblocks=true\n");
  g_object_ref (fixture->sink);
  pen_pipeline_start (fixture->pipeline);
  g_assert_true (pen_test_wait (test_has_started, fixture, 5000));
  g_object_set (fixture->sink, "held", TRUE, NULL);
  test_push (fixture, "a");
  test_run_round (fixture);
  pen_pipeline_stop (fixture->pipeline);
  pen_lane_advance (fixture->lane, SECOND);
  g_assert_true (test_has_ended (fixture));
  g_assert_true (pen_pipeline_has_abandoned (fixture->pipeline));
  assert_story (fixture->source, "start;pause;stop with 1 held;");
  g_object_set (fixture->sink, "held", FALSE, NULL);
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
  g_assert_true (pen_test_wait (test_sink_is_alone, fixture, 5000));
  g_object_unref (fixture->sink);
}

static void
test_pipeline_source_fails (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[sink script]\n");
  test_start (fixture);
  test_push (fixture, "a");
  g_object_set (fixture->source, "fail", "refused", NULL);
  test_run_round (fixture);
  assert_story (fixture->sink, "a;stop");
  assert_story (fixture->source, "start;pause;settle 1;stop with 0 held;");
  assert_log ("source script: refused\n");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_FAILED);
}

static void
test_pipeline_source_fails_to_start (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\nfails-to-start=true\n[sink script]\n");
  test_start (fixture);
  assert_story (fixture->source, "");
  assert_story (fixture->sink, "stop");
  g_assert_cmpstr (fixture->calls->str, ==, "ended;");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_FAILED);
}

static void
test_pipeline_sink_is_closed (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[sink script]\n");
  test_start (fixture);
  g_object_set (fixture->sink, "failures", 1, "fail-code", PEN_ELEMENT_ERROR_CLOSED, NULL);
  test_push (fixture, "a");
  test_push (fixture, "b");
  test_run_round (fixture);
  assert_story (fixture->sink, "stop");
  assert_story (fixture->source, "start;pause;stop with 2 held;");
  g_assert_cmpstr (fixture->calls->str, ==, "closed;ended;");
  g_assert_cmpint (pen_pipeline_get_outcome (fixture->pipeline), ==, PEN_OUTCOME_DONE);
}

static void
test_pipeline_stops_before_sinks_open (Fixture *fixture, gconstpointer data)
{
  test_load (fixture, "[source script]\n[sink script]\n");
  g_object_set (fixture->sink, "failures", 1000, NULL);
  test_start (fixture);
  assert_story (fixture->source, "");
  pen_pipeline_stop (fixture->pipeline);
  test_run_round (fixture);
  g_assert_cmpstr (fixture->calls->str, ==, "ended;");
  assert_story (fixture->sink, "");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add ("/pipeline/" path, Fixture, NULL, test_set_up, test_pipeline_##func, test_tear_down)
  ADD ("passes-and-settles", passes_and_settles);
  ADD ("acknowledges-in-order", acknowledges_in_order);
  ADD ("dead-letters", dead_letters);
  ADD ("bounds-skipped-parts", bounds_skipped_parts);
  ADD ("rejects-one-of-several", rejects_one_of_several);
  ADD ("rejects-without-dead-letters", rejects_without_dead_letters);
  ADD ("lost-dead-letter", lost_dead_letter);
  ADD ("two-branches", two_branches);
  ADD ("full-sink-pauses-source", full_sink_pauses_source);
  ADD ("end-of-sources-drains-transforms", end_of_sources_drains_transforms);
  ADD ("drains-along-the-flow", drains_along_the_flow);
  ADD ("stop-leaves-what-is-kept", stop_leaves_what_is_kept);
  ADD ("ticks", ticks);
  ADD ("gives-up-after-the-drain-timeout", gives_up_after_the_drain_timeout);
  ADD ("abandons-a-sink-that-hangs", abandons_a_sink_that_hangs);
  ADD ("source-fails", source_fails);
  ADD ("source-fails-to-start", source_fails_to_start);
  ADD ("sink-is-closed", sink_is_closed);
  ADD ("stops-before-sinks-open", stops_before_sinks_open);
#undef ADD
  return g_test_run ();
}
