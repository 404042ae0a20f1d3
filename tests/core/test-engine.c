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
#define N_HANGING 600
#define N_RELOADS 60
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

static PenDefinition *
test_define (Fixture *fixture, guint number, const char *text)
{
  g_autofree char *path = g_strdup_printf ("site-%u.pipeline", number);
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  PenDefinition *definition = pen_definition_parse (path, text, strlen (text), fixture->registry,
                                                    PEN_DEFINITION_NONE, diagnostics);

  g_assert_nonnull (definition);
  return definition;
}

static void
test_add (Fixture *fixture, guint number, const char *text)
{
  g_autoptr (PenDefinition) definition = test_define (fixture, number, text);

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

static gboolean
test_has_sent (gpointer user_data)
{
  gint64 n_sent = 0;

  pen_engine_foreach_metrics (((Fixture *) user_data)->engine, test_add_sent, &n_sent);
  return n_sent >= N_EVENTS;
}

/* Hundreds of sinks that hang leave threads to those that do not. */
static void
test_engine_many_sinks_hang (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_HANGING; i++)
    test_add (fixture, i,
              "[pipeline]\ndrain-timeout=1s\n[source script]\nevents=1\n[sink script]\n"
              "blocks=true\nhangs-in=write\n");
  test_add (fixture, N_HANGING, "[source script]\nevents=200\n[sink script]\nblocks=true\n");
  pen_engine_start (fixture->engine);
  g_assert_true (pen_test_wait (test_has_sent, fixture, TIMEOUT_MS));
  pen_engine_stop (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_assert_true (pen_engine_has_abandoned (fixture->engine));
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

static void
test_on_change (const char *pipeline, PenEngineChange change, gpointer user_data)
{
  static const char *const words[]
      = { "unchanged", "kept", "started", "replaced", "stopped", "gone" };

  g_string_append_printf (user_data, "%s %s;", pipeline, words[change]);
}

/* Reloads with a definition for each text, NULL for none. */
static void
test_reload (Fixture *fixture, const char *const *texts, const char *faulty, const char *expected)
{
  g_autoptr (GPtrArray) definitions
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
  g_autoptr (GString) changes = g_string_new (NULL);
  const char *const faulty_paths[] = { faulty, NULL };

  for (guint i = 0; i < 4; i++)
    if (texts[i] != NULL)
      g_ptr_array_add (definitions, test_define (fixture, i, texts[i]));
  pen_engine_reload (fixture->engine, definitions, faulty_paths, test_on_change, changes);
  g_assert_cmpstr (changes->str, ==, expected);
}

#define PLAIN "[source script]\n[sink script]\n"
#define FAILING "[source script]\nfails-to-start=true\n[sink script]\n"
#define OTHER "[source script]\n[sink script]\nlinger=1s\n"

static void
test_name_pipeline (const char *pipeline,
                    PenElementKind kind,
                    const char *element,
                    PenMetrics *metrics,
                    gpointer user_data)
{
  if (kind == PEN_KIND_SOURCE)
    g_string_append_printf (user_data, "%s;", pipeline);
}

typedef struct
{
  Fixture *fixture;
  const char *names;
} Goal;

static gboolean
test_has_pipelines (gpointer user_data)
{
  const Goal *goal = user_data;
  g_autoptr (GString) names = g_string_new (NULL);

  pen_engine_foreach_metrics (goal->fixture->engine, test_name_pipeline, names);
  return g_str_equal (names->str, goal->names);
}

static void
test_engine_reloads_by_difference (Fixture *fixture, gconstpointer data)
{
  static const char *const changed[] = { PLAIN, OTHER, NULL, PLAIN };
  static const char *const same[] = { "# a comment\n" PLAIN, OTHER, NULL, PLAIN };
  static const char *const one_faulty[] = { NULL, OTHER, PLAIN, PLAIN };
  Goal goal = { fixture, "site-0;site-1;site-3;" };

  for (guint i = 0; i < 3; i++)
    test_add (fixture, i, PLAIN);
  pen_engine_start (fixture->engine);
  test_reload (fixture, changed, "",
               "site-0 unchanged;site-1 replaced;site-2 stopped;site-3 started;");
  /* again, before any of that is done */
  test_reload (fixture, changed, "",
               "site-0 unchanged;site-1 unchanged;site-2 gone;site-3 unchanged;");
  g_assert_true (pen_test_wait (test_has_pipelines, &goal, TIMEOUT_MS));
  g_assert_false (fixture->is_finished);
  test_reload (fixture, one_faulty, "site-0.pipeline",
               "site-0 kept;site-1 unchanged;site-3 unchanged;site-2 started;");
  test_reload (fixture, same, "",
               "site-0 unchanged;site-1 unchanged;site-3 unchanged;site-2 stopped;");
  pen_engine_stop (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_assert_cmpint (pen_engine_get_outcome (fixture->engine), ==, PEN_OUTCOME_DONE);
}

static gboolean
test_has_reloaded_failed (gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GPtrArray) definitions
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
  g_autoptr (GString) changes = g_string_new (NULL);
  const char *const faulty_paths[] = { NULL };

  g_ptr_array_add (definitions, test_define (fixture, 0, PLAIN));
  g_ptr_array_add (definitions, test_define (fixture, 1, FAILING));
  pen_engine_reload (fixture->engine, definitions, faulty_paths, test_on_change, changes);
  return g_str_equal (changes->str, "site-0 unchanged;site-1 replaced;");
}

static void
test_engine_reload_starts_what_failed (Fixture *fixture, gconstpointer data)
{
  test_add (fixture, 0, PLAIN);
  test_add (fixture, 1, FAILING);
  pen_engine_start (fixture->engine);
  g_assert_true (pen_test_wait (test_has_reloaded_failed, fixture, TIMEOUT_MS));
  pen_engine_stop (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_assert_cmpint (pen_engine_get_outcome (fixture->engine), ==, PEN_OUTCOME_FAILED);
}

/* --- How pipelines look from outside --- */

static char *
test_look (PenEngine *engine)
{
  g_autoptr (GPtrArray) statuses = pen_engine_list_statuses (engine);
  GString *seen = g_string_new (NULL);

  for (guint i = 0; i < statuses->len; i++)
    {
      PenStatus *status = g_ptr_array_index (statuses, i);
      g_autofree char *failure = pen_status_dup_failure (status);

      g_string_append_printf (seen, "%s %s", pen_status_get_name (status),
                              pen_status_state_get_nick (pen_status_get_state (status)));
      if (failure != NULL)
        g_string_append_printf (seen, " (%s)", failure);
      for (guint j = 0; j < pen_status_get_n_elements (status); j++)
        {
          const PenStatusElement *element = pen_status_get_element (status, j);
          g_autofree char *complaint = pen_status_dup_complaint (status, j);

          g_string_append_printf (
              seen, ", %s %s of %s%s%s", pen_element_kind_get_nick (element->kind), element->name,
              element->plugin, complaint != NULL ? ": " : "", complaint != NULL ? complaint : "");
        }
      g_string_append_c (seen, ';');
    }
  return g_string_free (seen, FALSE);
}

static gboolean
test_looks_like (gpointer user_data)
{
  const Goal *goal = user_data;
  g_autofree char *seen = test_look (goal->fixture->engine);

  return g_str_equal (seen, goal->names);
}

static void
test_engine_shows_how_pipelines_are (Fixture *fixture, gconstpointer data)
{
  Goal goal
      = { fixture,
          "site-0 running, source in of script, sink script of script;"
          "site-1 failed (the test wants no start), source script of script, sink script of script;"
          "site-2 starting, source script of script, sink script of script: the test "
          "wants it; trying again;" };

  test_add (fixture, 0, "[source script in]\n[sink script]\n");
  test_add (fixture, 1, FAILING);
  test_add (fixture, 2, "[source script]\n[sink script]\nfailures=1000\nfail-code=1\n");
  pen_engine_start (fixture->engine);
  if (!pen_test_wait (test_looks_like, &goal, TIMEOUT_MS))
    g_assert_cmpstr (test_look (fixture->engine), ==, goal.names);
  pen_engine_stop (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
}

typedef struct
{
  PenEngine *engine;
  int is_over; /* atomic */
  guint n_looks;
  gint64 n_sent;
} Onlooker;

static void
test_add_metric (const char *name,
                 const char *reason,
                 PenMetricKind kind,
                 gint64 value,
                 gpointer user_data)
{
  ((Onlooker *) user_data)->n_sent += value;
}

static gpointer
test_look_on (gpointer data)
{
  Onlooker *self = data;

  while (!g_atomic_int_get (&self->is_over))
    {
      g_autoptr (GPtrArray) statuses = pen_engine_list_statuses (self->engine);
      g_autofree char *seen = test_look (self->engine);

      for (guint i = 0; i < statuses->len; i++)
        pen_metrics_foreach (pen_status_get_element (g_ptr_array_index (statuses, i), 0)->metrics,
                             test_add_metric, self);
      self->n_looks++;
      g_thread_yield ();
    }
  return NULL;
}

/* What is looked at goes while somebody looks. */
static void
test_engine_is_looked_at_during_reloads (Fixture *fixture, gconstpointer data)
{
  static const char *const texts[2][4]
      = { { PLAIN, OTHER, FAILING, NULL }, { OTHER, PLAIN, NULL, PLAIN } };
  const char *const faulty_paths[] = { NULL };
  Onlooker onlooker = { .engine = fixture->engine };
  GThread *thread;

  test_add (fixture, 0, PLAIN);
  pen_engine_start (fixture->engine);
  thread = g_thread_new ("onlooker", test_look_on, &onlooker);
  for (guint i = 0; i < N_RELOADS; i++)
    {
      g_autoptr (GPtrArray) definitions
          = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_definition_unref);
      g_autoptr (GString) changes = g_string_new (NULL);

      for (guint j = 0; j < 4; j++)
        if (texts[i % 2][j] != NULL)
          g_ptr_array_add (definitions, test_define (fixture, j, texts[i % 2][j]));
      pen_engine_reload (fixture->engine, definitions, faulty_paths, test_on_change, changes);
      g_main_context_iteration (NULL, FALSE);
    }
  pen_engine_stop (fixture->engine);
  g_assert_true (pen_test_wait (test_is_finished, fixture, TIMEOUT_MS));
  g_atomic_int_set (&onlooker.is_over, TRUE);
  g_thread_join (thread);
  g_assert_cmpuint (onlooker.n_looks, >, 0);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add ("/engine/" path, Fixture, NULL, test_set_up, test_engine_##func, test_tear_down)
  ADD ("ends-with-its-sources", ends_with_its_sources);
  ADD ("stops-when-asked", stops_when_asked);
  ADD ("many-sinks-hang", many_sinks_hang);
  ADD ("tells-the-worst", tells_the_worst);
  ADD ("ends-when-output-is-closed", ends_when_output_is_closed);
  ADD ("reloads-by-difference", reloads_by_difference);
  ADD ("reload-starts-what-failed", reload_starts_what_failed);
  ADD ("shows-how-pipelines-are", shows_how_pipelines_are);
  ADD ("is-looked-at-during-reloads", is_looked_at_during_reloads);
#undef ADD
  return g_test_run ();
}
