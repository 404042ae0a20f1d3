/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock run --listen: figures of a run between a real Mosquitto and a file, whether it is alive
 * and ready, sockets that are passed, and addresses that cannot be had.
 */

#include "config.h"

#include "pen-broker.h"
#include "pen-http-client.h"
#include "pen-watched-run.h"

#include <string.h>

#define TIMEOUT_MS 30000
#define N_MESSAGES 30

#define FROM_BROKER                                                                                \
  "[source mqtt]\nhost=127.0.0.1\nport=${env:BROKER_PORT}\ntls=off\ntopics=t/#\n"                  \
  "[transform ammp]\n[sink file]\npath=out.jsonl\n[dead-letter file]\npath=dead.jsonl\n"
#define FROM_NOWHERE                                                                               \
  "[source simulate]\nfields=n=integer(1,9)\ninterval=5ms\n[sink file]\npath=out.jsonl\n"

typedef struct
{
  PenWatchedRun run;
  const char *path;
  const char *text; /* that the body has */
  guint status;
  const char *sample;
  double least;
} Goal;

static gboolean
test_is_answered (gpointer user_data)
{
  Goal *goal = user_data;
  guint status = 0;
  g_autofree char *body = pen_watched_run_get (&goal->run, goal->path, &status);

  return status == goal->status && (goal->text == NULL || strstr (body, goal->text) != NULL);
}

static void
test_await_answer (Goal *goal, const char *path, guint status, const char *text)
{
  goal->path = path;
  goal->status = status;
  goal->text = text;
  if (!pen_test_wait (test_is_answered, goal, TIMEOUT_MS))
    {
      guint now = 0;
      g_autofree char *body = pen_watched_run_get (&goal->run, path, &now);

      g_error ("%s: expected %u with '%s', got %u with '%s'", path, status, text, now, body);
    }
}

static gboolean
test_has_sample (gpointer user_data)
{
  Goal *goal = user_data;

  return pen_watched_run_get_sample (&goal->run, goal->sample) >= goal->least;
}

static void
test_await_sample (Goal *goal, const char *sample, double least)
{
  goal->sample = sample;
  goal->least = least;
  if (!pen_test_wait (test_has_sample, goal, TIMEOUT_MS))
    g_error ("%s is %g, expected %g", sample, pen_watched_run_get_sample (&goal->run, sample),
             least);
}

/* --- Without a broker --- */

static void
test_check_format (const char *text)
{
  g_autofree char *promtool = g_find_program_in_path ("promtool");
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *complaints = NULL;

  if (promtool == NULL)
    {
      g_test_skip ("promtool is not installed (Debian: prometheus)");
      return;
    }
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                  | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                              &error, promtool, "check", "metrics", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, text, NULL, &complaints, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (complaints, ==, "");
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
}

static void
test_listen_serves (void)
{
  Goal goal = { .path = NULL };
  g_autofree char *text = NULL;
  g_autofree char *open_metrics = NULL;
  guint status = 0;

  pen_watched_run_start (&goal.run, FROM_NOWHERE, 0);
  test_await_sample (
      &goal, "penstock_events_delivered_total{pipeline=\"watched\",kind=\"sink\",element=\"file\"}",
      20);
  test_await_answer (&goal, "/healthz", 200, "{\"alive\":true,\"lanes\":1,\"answering\":1}");
  test_await_answer (&goal, "/readyz", 200, "\"ready\":true");
  test_await_answer (&goal, "/readyz?pipeline=watched", 200, "\"pipelines\":1");
  test_await_answer (&goal, "/readyz?pipeline=other", 404, "no such pipeline");
  test_await_answer (&goal, "/readyz?stuck-after=soon", 400, "stuck-after is a duration");
  test_await_answer (&goal, "/", 200, "/metrics");
  text = pen_watched_run_get (&goal.run, "/metrics", &status);
  open_metrics = pen_http_client_get (
      goal.run.port, "/metrics", "Accept: application/openmetrics-text;version=1.0.0", &status);
  g_assert_true (g_str_has_suffix (open_metrics, "\n# EOF\n"));
  g_assert_nonnull (strstr (open_metrics, "\n# TYPE penstock_events_received counter\n"));
  g_assert_nonnull (strstr (text, "\n# TYPE penstock_events_received_total counter\n"));
  test_check_format (text);
  pen_watched_run_stop (&goal.run, 0);
}

static void
test_listen_refuses (const char *address, int status, const char *expected)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };

  pen_test_write_file (folder, "a.pipeline", FROM_NOWHERE);
  pen_command_run (&command, NULL, "run", "--listen", address, path, NULL);
  g_assert_cmpint (command.status, ==, status);
  if (strstr (command.errors, expected) == NULL)
    g_error ("expected '%s' in '%s'", expected, command.errors);
  pen_test_remove_folder (g_steal_pointer (&folder));
}

static void
test_listen_refuses_addresses (void)
{
  static const char *const bad[]
      = { "9473",   ":9473",         "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "here:1",
          "::1:80", "127.0.0.1:80x", "" };
  PenWatchedRun run = { NULL };
  g_autofree char *taken = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    test_listen_refuses (bad[i], 2, "--listen takes an IP address and a port");
  pen_watched_run_start (&run, FROM_NOWHERE, 0);
  taken = g_strdup_printf ("127.0.0.1:%u", run.port);
  test_listen_refuses (taken, 1, "another process does ('ss -ltnp' says which)");
  pen_watched_run_stop (&run, 0);
}

/* As systemd does it: the socket is descriptor 3, and the variables are for this process alone. */
static void
test_listen_takes_what_is_passed (void)
{
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *command = NULL;
  g_autofree char *log = NULL;
  g_autoptr (GError) error = NULL;
  Goal goal = { .run = { .folder = pen_test_make_folder () } };

  g_assert_true (g_socket_bind (socket, any, TRUE, NULL) && g_socket_listen (socket, NULL));
  address = g_socket_get_local_address (socket, NULL);
  goal.run.port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  pen_test_write_file (goal.run.folder, "a.pipeline", FROM_NOWHERE);
  command = g_strdup_printf ("LISTEN_FDS=1 LISTEN_PID=$$ exec '%s' run '%s'",
                             pen_command_get_path (), goal.run.folder);
  log = g_build_filename (goal.run.folder, "run.log", NULL);
  g_subprocess_launcher_set_stderr_file_path (launcher, log);
  g_subprocess_launcher_take_fd (launcher, dup (g_socket_get_fd (socket)), 3);
  goal.run.process = g_subprocess_launcher_spawn (launcher, &error, "/bin/sh", "-c", command, NULL);
  g_assert_no_error (error);
  test_await_answer (&goal, "/readyz", 200, "\"ready\":true");
  pen_watched_run_stop (&goal.run, 0);
}

/* --- With a broker --- */

static void
test_publish (PenBroker *broker, guint n_messages)
{
  g_autofree char *publisher = g_find_program_in_path ("mosquitto_pub");
  g_autofree char *port = g_strdup_printf ("%u", pen_broker_get_plain_port (broker));
  g_autoptr (GString) lines = g_string_new ("this is no JSON\n");
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (publisher);
  for (guint i = 0; i < n_messages; i++)
    g_string_append_printf (lines, "{\"t\":%u,\"r\":[{\"_vid\":\"a\",\"x\":1}]}\n", 1700000000 + i);
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE, &error, publisher, "-h", "127.0.0.1",
                              "-p", port, "-q", "1", "-t", "t/x", "-l", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, lines->str, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

#define OF(kind, element) "{pipeline=\"watched\",kind=\"" kind "\",element=\"" element "\"}"

static void
test_listen_counts_what_passes (Goal *goal)
{
  static const struct
  {
    const char *sample;
    double value;
  } expected[] = {
    { "penstock_events_received_total" OF ("source", "mqtt"), N_MESSAGES + 1 },
    { "penstock_events_received_total" OF ("transform", "ammp"), N_MESSAGES + 1 },
    { "penstock_events_rejected_total{pipeline=\"watched\",kind=\"transform\",element=\"ammp\","
      "reason=\"invalid_json\"}",
      1 },
    { "penstock_events_dead_lettered_total{pipeline=\"watched\",kind=\"transform\",element="
      "\"ammp\",reason=\"invalid_json\"}",
      1 },
    { "penstock_events_delivered_total" OF ("dead-letter", "file"), 1 },
    { "penstock_connected" OF ("source", "mqtt"), 1 },
    { "penstock_reconnects_total" OF ("source", "mqtt"), 0 },
    { "penstock_queue_events" OF ("sink", "file"), 0 },
    { "penstock_queue_oldest_age_seconds" OF ("sink", "file"), 0 },
    { "penstock_delivery_latency_seconds_count" OF ("sink", "file"), N_MESSAGES },
    { "penstock_pipeline_ready{pipeline=\"watched\"}", 1 },
    { "penstock_pipelines{state=\"running\"}", 1 },
  };

  test_await_sample (goal, "penstock_events_delivered_total" OF ("sink", "file"), N_MESSAGES);
  test_await_sample (goal, "penstock_events_delivered_total" OF ("dead-letter", "file"), 1);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_test_message ("%s", expected[i].sample);
      g_assert_cmpfloat (pen_watched_run_get_sample (&goal->run, expected[i].sample), ==,
                         expected[i].value);
    }
}

static void
test_listen_watches_a_broker (void)
{
  char *folder = pen_test_make_folder ();
  g_autoptr (PenBroker) broker = NULL;
  const PenBrokerOptions options = { .forgets = TRUE };
  Goal goal = { .path = NULL };

  if (pen_broker_find_program () == NULL)
    {
      g_test_skip ("mosquitto is not installed");
      return;
    }
  broker = pen_broker_new (folder, &options);
  pen_broker_start (broker);
  pen_watched_run_start (&goal.run, FROM_BROKER, pen_broker_get_plain_port (broker));
  test_await_answer (&goal, "/readyz", 200, "\"ready\":true");
  test_publish (broker, N_MESSAGES);
  test_listen_counts_what_passes (&goal);
  pen_broker_stop (broker);
  test_await_answer (&goal, "/readyz", 503,
                     "{\"pipeline\":\"watched\",\"element\":\"source mqtt\",\"reason\":"
                     "\"not_connected\",\"for_seconds\":");
  test_await_answer (&goal, "/readyz", 503, "\"message\":\"127.0.0.1:");
  test_await_answer (&goal, "/healthz", 200, "\"alive\":true");
  pen_broker_start (broker);
  test_await_sample (&goal, "penstock_reconnects_total" OF ("source", "mqtt"), 1);
  test_await_answer (&goal, "/readyz", 200, "\"ready\":true");
  pen_watched_run_stop (&goal.run, 0);
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/listen/serves", test_listen_serves);
  g_test_add_func ("/listen/refuses-addresses", test_listen_refuses_addresses);
  g_test_add_func ("/listen/takes-what-is-passed", test_listen_takes_what_is_passed);
  g_test_add_func ("/listen/watches-a-broker", test_listen_watches_a_broker);
  return g_test_run ();
}
