/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sources that always have more to read, on one lane with one that now and then gets a line: its
 * lines pass while the flood goes on.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-engine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_FLOODS 3
#define N_LINES 40
#define WAIT_MS 60000

typedef struct
{
  char *path;
  int fd;
  GThread *thread;
  gint is_over; /* atomic */
} TestFlood;

typedef struct
{
  char *folder;
  PenRegistry *registry;
  PenEngine *engine;
  TestFlood floods[N_FLOODS];
  gboolean is_finished;
  guint n_lines;
  gint64 n_flooded;
} Fixture;

static int
test_make_fifo (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  g_assert_no_errno (mkfifo (path, 0600));
  /* read and write: it is opened without a reader, and has no end */
  return open (path, O_RDWR | O_CLOEXEC);
}

static gpointer
test_flood_run (gpointer data)
{
  TestFlood *self = data;
  g_autoptr (GString) lines = g_string_new (NULL);

  while (lines->len < 32768)
    g_string_append (lines, "flood\n");
  while (!g_atomic_int_get (&self->is_over))
    if (write (self->fd, lines->str, lines->len) < 0)
      break;
  return NULL;
}

static void
test_add (Fixture *fixture, const char *name, const char *sink)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.pipeline", fixture->folder, name);
  g_autofree char *text = g_strdup_printf ("[pipeline]\ndrain-timeout=1s\n[source file]\npath=%s\n"
                                           "[sink file]\npath=%s\nformat=lines\nfsync=never\n",
                                           name, sink);
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition = pen_definition_parse (
      path, text, strlen (text), fixture->registry, PEN_DEFINITION_NONE, diagnostics);

  g_assert_nonnull (definition);
  pen_engine_add (fixture->engine, definition);
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

static gboolean
test_has_lines (gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autofree char *path = g_build_filename (fixture->folder, "out.txt", NULL);
  g_autofree char *text = NULL;
  guint n_lines = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  for (const char *at = text; *at != '\0'; at++)
    n_lines += *at == '\n';
  return n_lines == fixture->n_lines;
}

static void
test_count_flood (const char *pipeline,
                  PenElementKind kind,
                  const char *element,
                  PenMetrics *metrics,
                  gpointer user_data)
{
  if (kind == PEN_KIND_SOURCE && g_str_has_prefix (pipeline, "flood"))
    *(gint64 *) user_data
        += pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, "events_received", NULL));
}

static gboolean
test_is_flooded (gpointer user_data)
{
  Fixture *fixture = user_data;
  gint64 n_events = 0;

  pen_engine_foreach_metrics (fixture->engine, test_count_flood, &n_events);
  return n_events > fixture->n_flooded;
}

static void
test_flood (void)
{
  const char *const folders[] = { g_getenv ("PENSTOCK_PLUGIN_PATH"), NULL };
  Fixture fixture = { .folder = pen_test_make_folder (), .registry = pen_registry_new (folders) };
  int fd = test_make_fifo (&fixture, "quiet");

  fixture.engine = pen_engine_new (1);
  g_signal_connect (fixture.engine, "finished", G_CALLBACK (test_on_finished), &fixture);
  for (guint i = 0; i < N_FLOODS; i++)
    {
      g_autofree char *name = g_strdup_printf ("flood-%u", i);

      fixture.floods[i].fd = test_make_fifo (&fixture, name);
      fixture.floods[i].thread = g_thread_new ("flood", test_flood_run, &fixture.floods[i]);
      test_add (&fixture, name, "/dev/null");
    }
  test_add (&fixture, "quiet", "out.txt");
  pen_engine_start (fixture.engine);
  for (fixture.n_lines = 1; fixture.n_lines <= N_LINES; fixture.n_lines++)
    {
      /* the flood goes on between any two lines */
      g_assert_true (pen_test_wait (test_is_flooded, &fixture, WAIT_MS));
      fixture.n_flooded = 0;
      pen_engine_foreach_metrics (fixture.engine, test_count_flood, &fixture.n_flooded);
      g_assert_cmpint (write (fd, "line\n", 5), ==, 5);
      g_assert_true (pen_test_wait (test_has_lines, &fixture, WAIT_MS));
    }
  pen_engine_stop (fixture.engine);
  g_assert_true (pen_test_wait (test_is_finished, &fixture, WAIT_MS));
  for (guint i = 0; i < N_FLOODS; i++)
    {
      char buffer[65536];

      g_atomic_int_set (&fixture.floods[i].is_over, TRUE);
      /* room for the write that may be under way */
      g_assert_cmpint (read (fixture.floods[i].fd, buffer, sizeof buffer), >, 0);
      g_thread_join (fixture.floods[i].thread);
      close (fixture.floods[i].fd);
    }
  close (fd);
  g_object_unref (fixture.engine);
  pen_registry_free (fixture.registry);
  pen_test_remove_folder (fixture.folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/file/neighbours/flood", test_flood);
  return g_test_run ();
}
