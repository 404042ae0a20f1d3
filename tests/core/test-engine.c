/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many pipelines on several lanes: all end by themselves, or when asked to, and their figures add
 * up.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-engine.h"

#define N_PIPELINES 60
#define N_EVENTS 200
#define TIMEOUT_MS 20000

typedef struct
{
  PenRegistry *registry;
  PenEngine *engine;
  gboolean is_finished;
  gint64 n_sent;
} Fixture;

static void
test_on_finished (PenEngine *engine, gpointer user_data)
{
  ((Fixture *) user_data)->is_finished = TRUE;
}

static void
test_set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  const char *const folders[] = { modules, NULL };

  fixture->registry = pen_registry_new (folders);
  fixture->engine = pen_engine_new (3);
  g_signal_connect (fixture->engine, "finished", G_CALLBACK (test_on_finished), fixture);
}

static void
test_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->engine);
  pen_registry_free (fixture->registry);
}

static void
test_add (Fixture *fixture, guint number, const char *text)
{
  g_autofree char *path = g_strdup_printf ("site-%u.pipeline", number);
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition = pen_definition_parse (
      path, text, strlen (text), fixture->registry, PEN_DEFINITION_NONE, diagnostics);

  g_assert_nonnull (definition);
  pen_engine_add (fixture->engine, definition);
}

static gboolean
test_is_finished (gpointer user_data)
{
  return ((Fixture *) user_data)->is_finished;
}

static void
test_add_sent (const char *pipeline,
               PenElementKind kind,
               const char *element,
               PenMetrics *metrics,
               gpointer user_data)
{
  if (kind == PEN_KIND_SINK)
    *(gint64 *) user_data
        += pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_sent", NULL));
}

static void
test_engine_ends_with_its_sources (Fixture *fixture, gconstpointer data)
{
  gint64 n_sent = 0;

  for (guint i = 0; i < N_PIPELINES; i++)
    test_add (fixture, i,
              i % 2 == 0 ? "[source script]\nevents=200\n[transform script]\n[sink script]\n"
                         : "[source script]\nevents=200\n[transform script]\n[sink script]\n"
                           "blocks=true\nbatch-events=7\nqueue-events=20\n");
  pen_engine_start (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  pen_engine_foreach_metrics (fixture->engine, test_add_sent, &n_sent);
  /* one more for each payload that begins with a 2: twice */
  g_assert_cmpint (n_sent, >, N_PIPELINES * N_EVENTS);
  g_assert_cmpint (pen_engine_get_outcome (fixture->engine), ==, PEN_OUTCOME_DONE);
}

static void
test_engine_stops_when_asked (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_PIPELINES; i++)
    test_add (fixture, i, "[source script]\n[sink script]\n");
  pen_engine_start (fixture->engine);
  pen_engine_stop (fixture->engine);
  pen_engine_stop (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_assert_cmpint (pen_engine_get_outcome (fixture->engine), ==, PEN_OUTCOME_DONE);
}

static void
test_engine_tells_the_worst (Fixture *fixture, gconstpointer data)
{
  test_add (fixture, 0, "[source script]\nevents=5\n[sink script]\n");
  test_add (fixture, 1, "[source script]\nfails-to-start=true\n[sink script]\n");
  pen_engine_start (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_assert_cmpint (pen_engine_get_outcome (fixture->engine), ==, PEN_OUTCOME_FAILED);
}

static void
test_engine_ends_when_output_is_closed (Fixture *fixture, gconstpointer data)
{
  test_add (fixture, 0, "[source script]\n[sink script]\n");
  test_add (fixture, 1, "[source script]\nevents=5\n[sink script]\nfailures=1\nfail-code=3\n");
  pen_engine_start (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_assert_cmpint (pen_engine_get_outcome (fixture->engine), ==, PEN_OUTCOME_DONE);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add ("/engine/" path, Fixture, NULL, test_set_up, test_engine_##func, test_tear_down)
  ADD ("ends-with-its-sources", ends_with_its_sources);
  ADD ("stops-when-asked", stops_when_asked);
  ADD ("tells-the-worst", tells_the_worst);
  ADD ("ends-when-output-is-closed", ends_when_output_is_closed);
#undef ADD
  return g_test_run ();
}
