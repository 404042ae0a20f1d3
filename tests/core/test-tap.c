/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Taps: they show what passes an element, change nothing about it, keep no more than their bound,
 * and follow a pipeline that is replaced.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-pipeline.h"
#include "pen-tap.h"

#define SECOND G_USEC_PER_SEC
#define TIMEOUT_MS 20000
#define MANY 3000
#define ENOUGH 10000

typedef struct
{
  PenRegistry *registry;
  PenLane *lane;
  PenWorkers *workers;
  PenPipeline *pipeline;
  PenElement *source;
  PenElement *sink;
  PenEngine *engine;
  gboolean is_finished;
} Fixture;

static void
test_on_event (gpointer owner, PenPipeline *pipeline)
{
}

static const PenPipelineFunctions test_functions = {
  .ended = test_on_event,
  .closed = test_on_event,
};

static void
test_set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  const char *const folders[] = { modules, NULL };

  g_assert_true (g_main_context_acquire (NULL));
  fixture->registry = pen_registry_new (folders);
  fixture->lane = pen_lane_new (g_main_context_default ());
  fixture->workers = pen_workers_new ();
  pen_lane_set_test_clock (fixture->lane, SECOND, SECOND);
}

static void
test_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->engine);
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
  pen_workers_free (fixture->workers, TRUE);
  pen_lane_free (fixture->lane);
  pen_registry_free (fixture->registry);
  g_main_context_release (NULL);
}

static PenDefinition *
test_define (Fixture *fixture, const char *text)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  PenDefinition *definition = pen_definition_parse (
      "site.pipeline", text, strlen (text), fixture->registry, PEN_DEFINITION_NONE, diagnostics);

  g_assert_nonnull (definition);
  return definition;
}

static void
test_start (Fixture *fixture, const char *text)
{
  g_autoptr (PenDefinition) definition = test_define (fixture, text);

  fixture->pipeline
      = pen_pipeline_new (definition, fixture->lane, fixture->workers, &test_functions, fixture);
  fixture->source = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SOURCE, "script");
  fixture->sink = pen_pipeline_get_element (fixture->pipeline, PEN_KIND_SINK, "script");
  pen_pipeline_start (fixture->pipeline);
  pen_lane_advance (fixture->lane, 0);
}

static PenTap *
test_tap (Fixture *fixture, PenElementKind kind, const char *element, gsize max_payload, guint n)
{
  PenTap *tap = pen_tap_new ("site", kind, element, max_payload);

  pen_tap_grant (tap, n, n);
  pen_pipeline_add_tap (fixture->pipeline, tap);
  return tap;
}

static void
test_push (Fixture *fixture, const char *text)
{
  g_object_set (fixture->source, "push", text, NULL);
}

/* What the tap has, as "element payload;element payload;" */
static char *
test_tell (PenTap *tap)
{
  g_autoptr (GPtrArray) records = pen_tap_collect (tap);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < records->len; i++)
    {
      const PenTapRecord *record = g_ptr_array_index (records, i);
      gsize length = 0;
      const char *data = pen_event_get_data (record->event, &length);

      g_assert_cmpstr (pen_event_get_topic (record->event), ==, "script/topic");
      g_assert_null (pen_event_get_token (record->event));
      g_string_append_printf (text, "%s %.*s;", record->element, (int) length, data);
    }
  return g_string_free (text, FALSE);
}

#define assert_tells(tap, story)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *told_ = test_tell (tap);                                                      \
    g_assert_cmpstr (told_, ==, story);                                                            \
  }                                                                                                \
  G_STMT_END

#define assert_story(element, story)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *story_ = NULL;                                                                \
    g_object_get (element, "story", &story_, NULL);                                                \
    g_assert_cmpstr (story_, ==, story);                                                           \
  }                                                                                                \
  G_STMT_END

static void
test_tap_sees_what_passes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (PenTap) source = NULL;
  g_autoptr (PenTap) transform = NULL;
  g_autoptr (PenTap) sinks = NULL;
  g_autoptr (PenTap) same = NULL;
  g_autoptr (PenTap) letters = NULL;
  guint n_openings = 0;

  test_start (fixture, "[source script]\n[transform script]\n[sink script]\n[sink script other]\n"
                       "[dead-letter script]\n");
  source = test_tap (fixture, PEN_KIND_SOURCE, "script", ENOUGH, ENOUGH);
  transform = test_tap (fixture, PEN_KIND_TRANSFORM, "script", ENOUGH, ENOUGH);
  sinks = test_tap (fixture, PEN_KIND_SINK, NULL, ENOUGH, ENOUGH);
  same = test_tap (fixture, PEN_KIND_SINK, "other", ENOUGH, ENOUGH);
  letters = test_tap (fixture, PEN_KIND_DEAD_LETTER, "script", ENOUGH, ENOUGH);
  g_assert_cmpint (pen_tap_get_state (sinks, &n_openings), ==, PEN_TAP_OPEN);
  g_assert_cmpuint (n_openings, ==, 1);
  test_push (fixture, "a");
  test_push (fixture, "2");
  test_push (fixture, "r");
  assert_tells (source, "source script a;source script 2;source script r;");
  assert_tells (transform, "transform script <a>;transform script <2>;transform script <2>;");
  assert_tells (sinks, "sink script <a>;sink other <a>;sink script <2>;sink other <2>;"
                       "sink script <2>;sink other <2>;");
  assert_tells (same, "sink other <a>;sink other <2>;sink other <2>;");
  g_assert_cmpuint (pen_tap_get_n_passed (letters), ==, 1);
  pen_lane_advance (fixture->lane, 0);
  assert_story (fixture->sink, "<a>;<2>;<2>;");
  assert_story (fixture->source, "start;settle 3;");
}

static void
test_tap_is_bounded (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (100, 'x');
  g_autoptr (PenTap) few = NULL;
  g_autoptr (PenTap) all = NULL;
  g_autoptr (PenTap) cut = NULL;
  g_autoptr (GPtrArray) records = NULL;
  const PenTapRecord *record = NULL;

  test_start (fixture, "[source script]\n[sink script]\nqueue-events=10000\n");
  few = test_tap (fixture, PEN_KIND_SINK, NULL, ENOUGH, 2);
  all = test_tap (fixture, PEN_KIND_SINK, NULL, ENOUGH, ENOUGH);
  cut = test_tap (fixture, PEN_KIND_SINK, NULL, 10, 1);
  for (guint i = 0; i < MANY; i++)
    test_push (fixture, large);
  records = pen_tap_collect (all);
  g_assert_cmpuint (records->len, ==, PEN_TAP_MAX_RECORDS);
  g_assert_cmpuint (pen_tap_get_n_passed (all), ==, MANY);
  g_ptr_array_unref (records);
  records = pen_tap_collect (few);
  g_assert_cmpuint (records->len, ==, 2);
  g_assert_cmpuint (pen_tap_get_n_passed (few), ==, MANY);
  g_ptr_array_unref (records);
  records = pen_tap_collect (cut);
  g_assert_cmpuint (records->len, ==, 1);
  record = g_ptr_array_index (records, 0);
  g_assert_cmpuint (g_bytes_get_size (pen_event_get_payload (record->event)), ==, 10);
  g_assert_cmpuint (pen_event_get_full_size (record->event), ==, 100);
  /* what is granted does not pile up */
  pen_tap_grant (few, 2, 3);
  pen_tap_grant (few, 2, 3);
  for (guint i = 0; i < 10; i++)
    test_push (fixture, "b");
  assert_tells (few, "sink script b;sink script b;sink script b;");
}

static void
test_tap_is_bounded_in_bytes (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (64 * 1024, 'x');
  g_autoptr (PenTap) tap = NULL;
  g_autoptr (GPtrArray) records = NULL;

  test_start (fixture, "[source script]\n[sink script]\n");
  tap = test_tap (fixture, PEN_KIND_SINK, NULL, G_MAXSIZE, ENOUGH);
  for (guint i = 0; i < 100; i++)
    test_push (fixture, large);
  records = pen_tap_collect (tap);
  g_assert_cmpuint (records->len, ==, PEN_TAP_MAX_BYTES / (64 * 1024) - 1);
}

/* Whoever keeps what was copied keeps no message from being acknowledged. */
static void
test_tap_holds_no_message (Fixture *fixture, gconstpointer data)
{
  g_autoptr (PenTap) tap = NULL;
  g_autoptr (GPtrArray) records = NULL;

  test_start (fixture, "[source script]\n[sink script]\n");
  tap = test_tap (fixture, PEN_KIND_SOURCE, "script", ENOUGH, ENOUGH);
  test_push (fixture, "a");
  test_push (fixture, "b");
  records = pen_tap_collect (tap);
  pen_lane_advance (fixture->lane, 0);
  assert_story (fixture->source, "start;settle 2;");
  g_assert_cmpuint (records->len, ==, 2);
}

static void
test_tap_goes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (PenTap) tap = NULL;
  g_autoptr (PenTap) other = NULL;
  g_autoptr (PenTap) nowhere = NULL;
  guint n_openings = 0;

  test_start (fixture, "[source script]\n[sink script]\n");
  tap = test_tap (fixture, PEN_KIND_SINK, "script", ENOUGH, ENOUGH);
  other = test_tap (fixture, PEN_KIND_SINK, "script", ENOUGH, ENOUGH);
  nowhere = test_tap (fixture, PEN_KIND_SINK, "nowhere", ENOUGH, ENOUGH);
  g_assert_cmpint (pen_tap_get_state (nowhere, &n_openings), ==, PEN_TAP_NO_PLACE);
  test_push (fixture, "a");
  pen_pipeline_remove_tap (fixture->pipeline, tap);
  test_push (fixture, "b");
  pen_pipeline_remove_tap (fixture->pipeline, nowhere);
  assert_tells (tap, "sink script a;");
  assert_tells (other, "sink script a;sink script b;");
  g_clear_pointer (&fixture->pipeline, pen_pipeline_free);
  assert_tells (other, "");
}

static void
test_on_finished (PenEngine *engine, gpointer user_data)
{
  ((Fixture *) user_data)->is_finished = TRUE;
}

static gboolean
test_is_finished (gpointer user_data)
{
  return ((Fixture *) user_data)->is_finished;
}

typedef struct
{
  PenTap *tap;
  PenTapState state;
  guint n_openings;
} Goal;

static gboolean
test_is_in_state (gpointer user_data)
{
  const Goal *goal = user_data;
  guint n_openings = 0;

  return pen_tap_get_state (goal->tap, &n_openings) == goal->state
         && n_openings == goal->n_openings;
}

static void
test_await (PenTap *tap, PenTapState state, guint n_openings)
{
  Goal goal = { tap, state, n_openings };

  g_assert_true (pen_test_wait (test_is_in_state, &goal, TIMEOUT_MS));
}

static void
test_on_change (const char *pipeline, PenEngineChange change, gpointer user_data)
{
}

static void
test_reload (Fixture *fixture, const char *text)
{
  static const char *const no_paths[] = { NULL };
  g_autoptr (GPtrArray) definitions
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);

  if (text != NULL)
    g_ptr_array_add (definitions, test_define (fixture, text));
  pen_engine_reload (fixture->engine, definitions, no_paths, test_on_change, NULL);
}

static void
test_tap_follows_the_name (Fixture *fixture, gconstpointer data)
{
  g_autoptr (PenDefinition) definition
      = test_define (fixture, "[source script]\n[sink script]\nlinger=1s\n");
  g_autoptr (PenTap) tap = pen_tap_new ("site", PEN_KIND_SINK, "script", ENOUGH);
  g_autoptr (PenTap) stranger = pen_tap_new ("other", PEN_KIND_SINK, NULL, ENOUGH);

  pen_tap_grant (tap, ENOUGH, ENOUGH);
  fixture->engine = pen_engine_new (1);
  g_signal_connect (fixture->engine, "finished", G_CALLBACK (test_on_finished), fixture);
  pen_engine_add (fixture->engine, definition);
  pen_engine_start (fixture->engine);
  pen_engine_add_tap (fixture->engine, stranger);
  test_await (stranger, PEN_TAP_ENDED, 0);
  pen_engine_add_tap (fixture->engine, tap);
  test_await (tap, PEN_TAP_OPEN, 1);
  /* one that pushes by itself misses none; it ends after that */
  test_reload (fixture, "[source script]\nevents=3\n[sink script]\n");
  test_await (tap, PEN_TAP_ENDED, 2);
  g_assert_cmpuint (pen_tap_get_n_passed (tap), ==, 3);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  pen_engine_remove_tap (fixture->engine, tap);
}

static void
test_tap_loses_its_place (Fixture *fixture, gconstpointer data)
{
  g_autoptr (PenDefinition) definition = test_define (fixture, "[source script]\n[sink script]\n");
  g_autoptr (PenTap) tap = pen_tap_new ("site", PEN_KIND_SINK, "script", ENOUGH);
  g_autoptr (PenTap) source = pen_tap_new ("site", PEN_KIND_SOURCE, NULL, ENOUGH);

  fixture->engine = pen_engine_new (1);
  g_signal_connect (fixture->engine, "finished", G_CALLBACK (test_on_finished), fixture);
  pen_engine_add (fixture->engine, definition);
  pen_engine_start (fixture->engine);
  pen_engine_add_tap (fixture->engine, tap);
  pen_engine_add_tap (fixture->engine, source);
  test_reload (fixture, "[source script]\n[sink script other]\n");
  test_await (tap, PEN_TAP_NO_PLACE, 1);
  pen_engine_remove_tap (fixture->engine, tap);
  test_reload (fixture, NULL);
  test_await (source, PEN_TAP_ENDED, 2);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add ("/tap/" path, Fixture, NULL, test_set_up, test_tap_##func, test_tear_down)
  ADD ("sees-what-passes", sees_what_passes);
  ADD ("is-bounded", is_bounded);
  ADD ("is-bounded-in-bytes", is_bounded_in_bytes);
  ADD ("holds-no-message", holds_no_message);
  ADD ("goes", goes);
  ADD ("follows-the-name", follows_the_name);
  ADD ("loses-its-place", loses_its_place);
#undef ADD
  return g_test_run ();
}
