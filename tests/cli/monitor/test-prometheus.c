/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * packaging/prometheus and packaging/grafana: the alert rules say what they should (promtool), a
 * real Prometheus with these files scrapes a run, and one of its alerts fires when the broker is
 * stopped. It uses copies in which a run's port stands, in which scrapes and evaluations come five
 * times a second, and in which nothing has to hold for minutes before it fires: the durations of
 * the rules themselves are promtool's to test.
 */

#include "config.h"

#include "pen-broker.h"
#include "pen-http-client.h"
#include "pen-watched-run.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>

#define TIMEOUT_MS 60000

#define KEYFILE                                                                                    \
  "[source mqtt]\nhost=127.0.0.1\nport=${env:BROKER_PORT}\ntls=off\ntopics=t/#\n"                  \
  "[sink file]\npath=out.jsonl\n"

typedef struct
{
  PenWatchedRun run;
  char *folder;
  guint port; /* Prometheus' */
  GSubprocess *process;
  const char *query;
  const char *expected;
} Watch;

static char *
test_find_packaging (const char *folder, const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "..", "packaging", folder, name, NULL);
}

/* --- Files --- */

static void
test_prometheus_rules_fire_as_they_should (void)
{
  g_autofree char *promtool = g_find_program_in_path ("promtool");
  g_autofree char *path = test_find_packaging ("prometheus", "penstock.rules.test.yml");
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *told = NULL;

  if (promtool == NULL)
    {
      g_test_skip ("promtool is not installed (Debian: prometheus)");
      return;
    }
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                              &error, promtool, "test", "rules", path, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &told, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("%s", told);
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
}

/* What follows @begin of each place in @text that has it, up to a character that a metric's name
 * does not have. */
static void
test_collect_names (const char *text, GHashTable *names)
{
  static const char *const endings[] = { "_bucket", "_sum", "_count" };

  for (const char *found = strstr (text, "penstock_"); found != NULL;
       found = strstr (found + 1, "penstock_"))
    {
      gsize length = strspn (found, G_CSET_a_2_z G_CSET_DIGITS "_");
      g_autofree char *name = g_strndup (found, length);

      for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
        if (g_str_has_suffix (name, endings[i]))
          name[length - strlen (endings[i])] = '\0';
      g_hash_table_add (names, g_steal_pointer (&name));
    }
}

/* Rules and dashboard ask for nothing that is not there under that name. */
static void
test_prometheus_files_name_what_is_there (void)
{
  g_autofree char *rules_path = test_find_packaging ("prometheus", "penstock.rules.yml");
  g_autofree char *board_path = test_find_packaging ("grafana", "penstock.json");
  g_autofree char *families = g_test_build_filename (G_TEST_DIST, "..", "cli", "monitor",
                                                     "pen-exposition-families.c", NULL);
  g_autofree char *rules = pen_test_read_file (rules_path, NULL);
  g_autofree char *board = pen_test_read_file (board_path, NULL);
  g_autofree char *code = pen_test_read_file (families, NULL);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer name;

  json_parser_load_from_data (parser, board, -1, &error);
  g_assert_no_error (error);
  test_collect_names (rules, names);
  test_collect_names (board, names);
  g_assert_cmpuint (g_hash_table_size (names), >, 10);
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    {
      const char *own = (const char *) name + strlen ("penstock_");
      gsize length = strlen (own) - (g_str_has_suffix (own, "_total") ? strlen ("_total") : 0);
      g_autofree char *quoted = g_strdup_printf ("\"%.*s\"", (int) length, own);

      if (g_str_equal (own, "build_info") || g_str_equal (own, "pipelines"))
        continue; /* the process' */
      if (strstr (code, quoted) == NULL)
        g_error ("nothing is called '%s'", (const char *) name);
    }
}

/* --- A real Prometheus --- */

/* Copies a file of packaging/prometheus with what @replace (pairs) says. */
static void
test_copy (Watch *watch, const char *name, const char *const *replace)
{
  g_autofree char *path = test_find_packaging ("prometheus", name);
  g_autofree char *text = pen_test_read_file (path, NULL);
  g_autoptr (GString) copy = g_string_new (text);

  for (guint i = 0; replace[i] != NULL; i += 2)
    g_assert_cmpuint (g_string_replace (copy, replace[i], replace[i + 1], 0), >, 0);
  pen_test_write_file (watch->folder, name, copy->str);
}

static void
test_start_prometheus (Watch *watch, const char *program)
{
  g_autofree char *target = g_strdup_printf ("127.0.0.1:%u", watch->run.port);
  const char *const in_scrapes[] = { "127.0.0.1:9473", target, "15s", "200ms", NULL };
  const char *const in_rules[] = { "for: 5m", "for: 0s", NULL };
  g_autofree char *listen = NULL;
  g_autofree char *config = NULL;
  g_autofree char *storage = NULL;
  g_autofree char *log = g_build_filename (watch->folder, "prometheus.log", NULL);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr (GError) error = NULL;

  watch->port = pen_test_find_free_port ();
  listen = g_strdup_printf ("--web.listen-address=127.0.0.1:%u", watch->port);
  config = g_strdup_printf ("--config.file=%s/prometheus.yml", watch->folder);
  storage = g_strdup_printf ("--storage.tsdb.path=%s/data", watch->folder);
  test_copy (watch, "prometheus.yml", in_scrapes);
  test_copy (watch, "penstock.rules.yml", in_rules);
  g_subprocess_launcher_set_stdout_file_path (launcher, log);
  g_subprocess_launcher_set_flags (launcher, G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_setenv (launcher, "GOMAXPROCS", "1", TRUE);
  watch->process
      = g_subprocess_launcher_spawn (launcher, &error, program, config, storage, listen, NULL);
  g_assert_no_error (error);
}

static gboolean
test_can_connect (guint port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  g_autoptr (GSocketConnection) connection = NULL;

  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, NULL);
  return connection != NULL;
}

static gboolean
test_is_told (gpointer user_data)
{
  Watch *watch = user_data;
  g_autofree char *answer = NULL;
  guint status = 0;

  if (!test_can_connect (watch->port))
    return FALSE;
  answer = pen_http_client_get (watch->port, watch->query, NULL, &status);
  return status == 200 && strstr (answer, watch->expected) != NULL;
}

static void
test_await (Watch *watch, const char *query, const char *expected)
{
  watch->query = query;
  watch->expected = expected;
  if (!pen_test_wait (test_is_told, watch, TIMEOUT_MS))
    {
      guint status = 0;
      g_autofree char *answer = test_can_connect (watch->port)
                                    ? pen_http_client_get (watch->port, query, NULL, &status)
                                    : g_strdup ("nothing");

      g_error ("Prometheus: %s: expected '%s', got '%s'", query, expected, answer);
    }
}

static gboolean
test_is_quiet (gpointer user_data)
{
  return !test_is_told (user_data);
}

static void
test_watch (Watch *watch, PenBroker *broker)
{
  static const char *const alerts = "/api/v1/query?query=ALERTS%7Balertstate=%22firing%22%7D";

  test_await (watch, "/api/v1/query?query=up%7Bjob=%22penstock%22%7D", ",\"1\"]}]");
  test_await (watch, "/api/v1/query?query=penstock_connected", ",\"1\"]}]");
  test_await (watch, "/api/v1/query?query=penstock_pipeline_ready", "\"pipeline\":\"watched\"");
  test_await (watch, alerts, "\"result\":[]");
  pen_broker_stop (broker);
  test_await (watch, alerts, "\"alertname\":\"PenstockNotConnected\"");
  pen_broker_start (broker);
  watch->expected = "\"alertname\":\"PenstockNotConnected\"";
  g_assert_true (pen_test_wait (test_is_quiet, watch, TIMEOUT_MS));
}

static void
test_prometheus_fires_when_the_broker_stops (void)
{
  g_autofree char *program = g_find_program_in_path ("prometheus");
  const PenBrokerOptions options = { .forgets = TRUE };
  g_autoptr (PenBroker) broker = NULL;
  Watch watch = { .folder = NULL };

  if (program == NULL || pen_broker_find_program () == NULL)
    {
      g_test_skip (program == NULL ? "prometheus is not installed" : "mosquitto is not installed");
      return;
    }
  watch.folder = pen_test_make_folder ();
  broker = pen_broker_new (watch.folder, &options);
  pen_broker_start (broker);
  pen_watched_run_start (&watch.run, KEYFILE, pen_broker_get_plain_port (broker));
  test_start_prometheus (&watch, program);
  test_watch (&watch, broker);
  g_subprocess_send_signal (watch.process, SIGTERM);
  pen_command_await_exit (watch.process);
  g_object_unref (watch.process);
  pen_watched_run_stop (&watch.run, 0);
  g_clear_pointer (&broker, pen_broker_free);
  pen_test_remove_folder (watch.folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/prometheus/rules-fire-as-they-should",
                   test_prometheus_rules_fire_as_they_should);
  g_test_add_func ("/prometheus/files-name-what-is-there",
                   test_prometheus_files_name_what_is_there);
  g_test_add_func ("/prometheus/fires-when-the-broker-stops",
                   test_prometheus_fires_when_the_broker_stops);
  return g_test_run ();
}
