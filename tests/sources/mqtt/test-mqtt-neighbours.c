/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pipelines that are stuck, each at another step of its way, on one lane with one that is well: it
 * gets everything while they are stuck, and a stop does not wait for them longer than it must.
 */

#include "config.h"

#include "pen-mqtt-fleet.h"

#include "pen-engine.h"

#include <fcntl.h>
#include <gmodule.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_MESSAGES 300
#define N_CONNECTING 100
#define N_ROUNDS 12
#define N_HUNG 20
#define HANGING_HOST "hangs.invalid"

/* --- A name look-up that hangs --- */

static GMutex lookup_lock; /* all of these */
static GCond lookup_changed;
static guint n_lookups;
static gboolean is_lookup_over;

/* libmosquitto finds this before that of the C library. */
G_MODULE_EXPORT int
getaddrinfo (const char *name,
             const char *service,
             const struct addrinfo *hints,
             struct addrinfo **result)
{
  static const struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr = { 0x0100007f } };
  struct addrinfo *found;

  if (strcmp (name, HANGING_HOST) == 0)
    {
      g_mutex_lock (&lookup_lock);
      n_lookups++;
      while (!is_lookup_over)
        g_cond_wait (&lookup_changed, &lookup_lock);
      g_mutex_unlock (&lookup_lock);
      return EAI_AGAIN;
    }
  g_assert_cmpstr (name, ==, "127.0.0.1");
  found = calloc (1, sizeof *found + sizeof loopback);
  found->ai_family = AF_INET;
  found->ai_socktype = SOCK_STREAM;
  found->ai_addrlen = sizeof loopback;
  found->ai_addr = memcpy (found + 1, &loopback, sizeof loopback);
  *result = found;
  return 0;
}

G_MODULE_EXPORT void
freeaddrinfo (struct addrinfo *found)
{
  free (found);
}

static gboolean
test_is_lookup_under_way (gpointer user_data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lookup_lock);

  return n_lookups > 0;
}

/* --- Servers that do nothing --- */

/* Accepts, and says nothing; after @n_fillers connections it does not even do that. */
static int
test_listen (guint *port, int backlog, int *fillers, guint n_fillers)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_no_errno (bind (listener, (struct sockaddr *) &address, length));
  g_assert_no_errno (listen (listener, backlog));
  g_assert_no_errno (getsockname (listener, (struct sockaddr *) &address, &length));
  *port = ntohs (address.sin_port);
  for (guint i = 0; i < n_fillers; i++)
    {
      fillers[i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      (void) !connect (fillers[i], (struct sockaddr *) &address, length);
    }
  return listener;
}

typedef struct
{
  PenMqttFixture *fixture;
  PenRegistry *registry;
  PenEngine *engine;
  gboolean is_finished;
} TestLane;

static void
test_on_finished (PenEngine *engine, gpointer user_data)
{
  ((TestLane *) user_data)->is_finished = TRUE;
}

static gboolean
test_is_finished (gpointer user_data)
{
  return ((TestLane *) user_data)->is_finished;
}

/* NAME.pipeline: source, then sink */
static void
test_add (TestLane *self, const char *name, const char *host, guint port, const char *more)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.pipeline", self->fixture->folder, name);
  g_autofree char *text
      = g_strdup_printf ("[pipeline]\ndrain-timeout=1s\n[source mqtt]\nhost=%s\nport=%u\n"
                         "topics=t/#\n%s[sink file]\npath=%s.out\nformat=lines\n",
                         host, port, more, name);
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition = pen_definition_parse (
      path, text, strlen (text), self->registry, PEN_DEFINITION_NONE, diagnostics);

  g_assert_nonnull (definition);
  pen_engine_add (self->engine, definition);
}

/* More than fits into the pipe. */
static void
test_send_numbers (PenMqttFixture *fixture, guint n_messages)
{
  g_autoptr (PenMqttPublisher) publisher = pen_mqtt_fixture_publish (fixture);

  for (guint i = 0; i < n_messages; i++)
    {
      g_autofree char *payload = g_strdup_printf ("%u %0200u", i, 0);

      pen_mqtt_publisher_send (publisher, "t/n", payload, -1, 1);
      /* one at a time: each has to pass the lane on its own */
      g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
    }
}

static gboolean
test_has_all (gpointer user_data)
{
  TestLane *self = user_data;
  g_autofree char *path = pen_mqtt_fixture_find (self->fixture, "well.out");
  PenMqttTally tally;

  pen_mqtt_tally_file (&tally, path);
  return tally.n_numbers == N_MESSAGES;
}

static void
test_slow_ones (PenMqttFixture *fixture)
{
  const char *const folders[] = { g_getenv ("PENSTOCK_PLUGIN_PATH"), NULL };
  TestLane self = { .fixture = fixture, .registry = pen_registry_new (folders) };
  g_autofree char *fifo = pen_mqtt_fixture_find (fixture, "blocked.out");
  int fillers[4];
  guint silent_port = 0;
  guint full_port = 0;
  int silent = test_listen (&silent_port, 16, NULL, 0);
  int full = test_listen (&full_port, 0, fillers, G_N_ELEMENTS (fillers));
  guint broker_port;
  int reader;
  gint64 begin_us;

  pen_mqtt_fixture_start_broker (fixture, &(PenBrokerOptions){ NULL });
  broker_port = pen_broker_get_plain_port (fixture->broker);
  g_assert_no_errno (mkfifo (fifo, 0600));
  reader = open (fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (fcntl (reader, F_SETPIPE_SZ, 4096), >=, 0);
  self.engine = pen_engine_new (1);
  g_signal_connect (self.engine, "finished", G_CALLBACK (test_on_finished), &self);
  test_add (&self, "lookup", HANGING_HOST, 1883, "");
  test_add (&self, "connect", "127.0.0.1", full_port, "");
  test_add (&self, "handshake", "127.0.0.1", silent_port, "tls=on\n");
  test_add (&self, "login", "127.0.0.1", silent_port, "");
  test_add (&self, "blocked", "127.0.0.1", broker_port, "");
  test_add (&self, "well", "127.0.0.1", broker_port, "");
  pen_engine_start (self.engine);
  {
    PenMqttFleet fleet = { .fixture = fixture };

    pen_mqtt_fleet_await_broker_log (&fleet, "Sending SUBACK to penstock-", 2);
  }
  g_assert_true (pen_test_wait (test_is_lookup_under_way, NULL, WAIT_MS));
  test_send_numbers (fixture, N_MESSAGES);
  g_assert_true (pen_test_wait (test_has_all, &self, WAIT_MS));

  begin_us = g_get_monotonic_time ();
  pen_engine_stop (self.engine);
  g_assert_true (pen_test_wait (test_is_finished, &self, WAIT_MS));
  /* 1 s for what is blocked; generous, but a fraction of what connecting may take */
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 15 * G_USEC_PER_SEC);
  /* not @reader: the sink was left behind, and hangs until the process ends */
  g_mutex_lock (&lookup_lock);
  is_lookup_over = TRUE;
  g_cond_broadcast (&lookup_changed);
  g_mutex_unlock (&lookup_lock);
  close (silent);
  close (full);
  for (guint i = 0; i < G_N_ELEMENTS (fillers); i++)
    close (fillers[i]);
  g_object_unref (self.engine);
  pen_registry_free (self.registry);
}

/* The process ends while threads are at every step of connecting, in the midst of libraries that
 * clean up when a process ends. */
static void
test_ends_while_connecting (PenMqttFixture *fixture)
{
  g_autoptr (PenMqttFleet) fleet = pen_mqtt_fleet_new (fixture);

  pen_mqtt_fixture_start_broker (fixture, &(PenBrokerOptions){ .certificate = "server" });
  for (guint i = 0; i < N_CONNECTING; i++)
    {
      g_autofree char *name = g_strdup_printf ("site-%u", i);
      g_autofree char *sink = g_strdup_printf ("[sink file]\npath=%s.txt", name);

      pen_mqtt_fleet_write (fleet, name, "t/#", sink);
    }
  for (guint i = 0; i < N_ROUNDS; i++)
    {
      pen_mqtt_fleet_run (fleet, NULL);
      if (i > 0)
        pen_mqtt_fleet_await_log (fleet, ": connected as ", i * N_CONNECTING / N_ROUNDS);
      else
        pen_mqtt_fleet_await_log (fleet, "running ", 1);
      pen_mqtt_fleet_signal (fleet, SIGTERM);
      g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
    }
}

static void
test_stop_within (PenMqttFleet *fleet, gint64 limit_us)
{
  gint64 begin_us = g_get_monotonic_time ();

  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, limit_us);
}

/* It holds its connections and answers nothing: no good-bye, no login, no hand-shake. */
static void
test_broker_hangs (PenMqttFixture *fixture)
{
  g_autoptr (PenMqttFleet) fleet = pen_mqtt_fleet_new (fixture);

  pen_mqtt_fixture_start_broker (fixture, &(PenBrokerOptions){ .certificate = "server" });
  for (guint i = 0; i < N_HUNG; i++)
    {
      g_autofree char *name = g_strdup_printf ("site-%u", i);
      g_autofree char *sink = g_strdup_printf ("[sink file]\npath=%s.txt", name);

      pen_mqtt_fleet_write (fleet, name, "t/#", sink);
    }
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_log (fleet, ": connected as ", N_HUNG);
  pen_broker_suspend (fixture->broker, TRUE);
  /* below the 10 s of the drain timeout: nothing is left to drain */
  test_stop_within (fleet, 8 * G_USEC_PER_SEC);
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_log (fleet, "running ", 1);
  test_stop_within (fleet, 8 * G_USEC_PER_SEC);
  pen_broker_suspend (fixture->broker, FALSE);
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/neighbours/slow-ones", test_slow_ones);
  pen_mqtt_fixture_add ("/mqtt/neighbours/ends-while-connecting", test_ends_while_connecting);
  pen_mqtt_fixture_add ("/mqtt/neighbours/broker-hangs", test_broker_hangs);
  return g_test_run ();
}
