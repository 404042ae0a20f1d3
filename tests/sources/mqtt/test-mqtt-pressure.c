/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sinks that take nothing while messages keep coming: the source stops reading, memory stays flat,
 * the connection is given up once, without acknowledging what is held, and is not made again before
 * the sink works; then everything arrives, in order. A neighbour in the same process notices
 * nothing.
 */

#include "config.h"

#include "pen-mqtt-fleet.h"

#include "pen-mqtt-connection.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAYLOAD_BYTES 4096
/* of keep-alive=5s, the least there is: parked, and as long again */
#define N_BEFORE_PARKING (4 * MESSAGES_A_SECOND)
#define N_WHILE_BLOCKED (12 * MESSAGES_A_SECOND)
/* what 1,000 messages without an acknowledgement may take, and as much for the heap's holes */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* sanitizers keep what was freed, or notes about what is there, and take several times as long */
#define MAXIMUM_GROWTH_KIB (512 * 1024)
#define MESSAGES_A_SECOND 100
#else
#define MAXIMUM_GROWTH_KIB 8192
#define MESSAGES_A_SECOND 300
#endif

/* 1,000 messages in 10 s */
#define N_SLOW 1500
#define SLOW_SLICE_US (100 * 1000)
#define SLOW_BYTES_A_SLICE (10 * PAYLOAD_BYTES)

#define SINK(path) "keep-alive=5s\n[sink file]\npath=" path "\nformat=lines\n"

static const PenBrokerOptions test_options
    = { .certificate = "server", .extra = "max_queued_messages 0" };

/* A pipe with a reader that does not read, until test_pipe_read (). */
typedef struct
{
  char *path;
  int fd; /* -1: it has gone away */
  GString *text;
} TestPipe;

static void
test_pipe_make (TestPipe *self, PenMqttFleet *fleet, const char *name)
{
  self->path = pen_mqtt_fleet_find (fleet, name);
  self->text = g_string_new (NULL);
  g_assert_no_errno (mkfifo (self->path, 0600));
  self->fd = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static void
test_pipe_clear (TestPipe *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_string_free (self->text, TRUE);
  g_free (self->path);
}

static void
test_pipe_read (TestPipe *self)
{
  char buffer[65536];
  gssize n_bytes;

  if (self->fd < 0)
    self->fd = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (self->fd, >=, 0);
  while ((n_bytes = read (self->fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (self->text, buffer, n_bytes);
}

typedef struct
{
  TestPipe *pipe;
  guint n_numbers;
  PenMqttTally tally;
  gint64 next_us; /* when to tally again */
} TestPipeWait;

static gboolean
test_pipe_has_numbers (gpointer user_data)
{
  TestPipeWait *wait = user_data;

  test_pipe_read (wait->pipe);
  if (g_get_monotonic_time () < wait->next_us)
    return FALSE;
  wait->next_us = g_get_monotonic_time () + PEN_MQTT_TALLY_US;
  pen_mqtt_tally_text (&wait->tally, wait->pipe->text->str);
  return wait->tally.n_numbers >= wait->n_numbers;
}

/* As long as more come. @condition is about @wait, or a struct that begins with it. */
static gboolean
test_pipe_await (TestPipeWait *wait, PenTestCondition condition)
{
  guint n_before = 0;

  while (!pen_test_wait (condition, wait, WAIT_MS) && wait->tally.n_numbers > n_before)
    n_before = wait->tally.n_numbers;
  return wait->tally.n_numbers >= wait->n_numbers;
}

/* Lines of the broker's log: what, the name of a pipeline, and what comes behind it. */
static guint
test_count_about (PenMqttFleet *fleet, const char *what, const char *name, const char *more)
{
  g_autofree char *text = g_strconcat (what, " penstock-", name, more, NULL);

  return pen_mqtt_fleet_count_broker_log (fleet, text);
}

/* Made once, given up once without a good-bye, and acknowledged no more than its sink has got. */
static void
test_assert_parked (PenMqttFleet *fleet, const char *name, guint n_connections, guint n_delivered)
{
  g_assert_cmpuint (test_count_about (fleet, "as", name, " ("), ==, n_connections);
  g_assert_cmpuint (test_count_about (fleet, "Received DISCONNECT from", name, ""), ==, 0);
  g_assert_cmpuint (test_count_about (fleet, "Client", name, " closed its connection"), ==, 1);
  g_assert_cmpuint (test_count_about (fleet, "Received PUBACK from", name, " "), <=, n_delivered);
}

static void
test_assert_recovered (PenMqttFleet *fleet, TestPipe *pipe, guint n_sent)
{
  TestPipeWait wait = { .pipe = pipe, .n_numbers = n_sent };

  if (!test_pipe_await (&wait, test_pipe_has_numbers))
    g_error ("'%s' has %u lines and misses number %u of %u", pipe->path, wait.tally.n_lines,
             wait.tally.n_numbers, n_sent);
  g_assert_true (wait.tally.is_ordered);
  /* what was held when the connection was given up */
  g_assert_cmpuint (wait.tally.n_twice, <=, PEN_MQTT_MAXIMUM_HELD);
  g_test_message ("%s: %u numbers, %u twice", pipe->path, wait.tally.n_numbers, wait.tally.n_twice);
}

/* One sink hangs in the middle of a write, one fails again and again, one is well. */
static void
test_blocked_sinks (PenMqttFixture *fixture)
{
  g_autoptr (PenMqttFleet) fleet = pen_mqtt_fleet_new (fixture);
  TestPipe full;
  TestPipe closed;
  PenMqttTally tally;
  PenMqttLoad *load;
  guint memory_kib;
  guint n_sent;

  pen_mqtt_fixture_start_broker (fixture, &test_options);
  pen_mqtt_fleet_write (fleet, "full", "t/#", SINK ("full"));
  pen_mqtt_fleet_write (fleet, "closed", "t/#", SINK ("closed"));
  pen_mqtt_fleet_write (fleet, "well", "t/#", SINK ("well.txt"));
  test_pipe_make (&full, fleet, "full");
  test_pipe_make (&closed, fleet, "closed");
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-", 3);
  close (closed.fd);
  closed.fd = -1;
  load = pen_mqtt_load_start (fixture, "t/n", MESSAGES_A_SECOND, PAYLOAD_BYTES);
  pen_mqtt_load_await (load, N_BEFORE_PARKING);
  memory_kib = pen_mqtt_fleet_get_memory_kib (fleet);
  pen_mqtt_fleet_await_log (fleet, "leaving the connection until the messages", 2);
  pen_mqtt_load_await (load, N_WHILE_BLOCKED);
  /* the neighbour keeps up meanwhile */
  pen_mqtt_fleet_await_numbers (fleet, "well.txt", N_WHILE_BLOCKED, &tally);
  test_assert_parked (fleet, "full", 1, 65536 / PAYLOAD_BYTES);
  test_assert_parked (fleet, "closed", 1, 0);
  g_assert_cmpuint (pen_mqtt_fleet_count_log (fleet, "leaving the connection"), ==, 2);
  g_test_message ("RssAnon: %u KiB, then %u KiB", memory_kib,
                  pen_mqtt_fleet_get_memory_kib (fleet));
  g_assert_cmpuint (pen_mqtt_fleet_get_memory_kib (fleet), <, memory_kib + MAXIMUM_GROWTH_KIB);

  n_sent = pen_mqtt_load_stop (load);
  test_assert_recovered (fleet, &full, n_sent);
  test_assert_recovered (fleet, &closed, n_sent);
  pen_mqtt_fleet_await_numbers (fleet, "well.txt", n_sent, &tally);
  g_assert_cmpuint (tally.n_twice, ==, 0);
  g_assert_true (tally.is_ordered);
  g_assert_cmpuint (test_count_about (fleet, "as", "full", " ("), ==, 2);
  g_assert_cmpuint (test_count_about (fleet, "as", "closed", " ("), ==, 2);
  g_assert_cmpuint (test_count_about (fleet, "as", "well", " ("), ==, 1);
  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
  test_pipe_clear (&full);
  test_pipe_clear (&closed);
}

typedef struct
{
  TestPipeWait all;
  gint64 next_us;
} TestSlowWait;

/* Reads a tenth of what a second may bring ten times a second. */
static gboolean
test_slow_has_numbers (gpointer user_data)
{
  TestSlowWait *wait = user_data;
  TestPipe *pipe = wait->all.pipe;
  char buffer[SLOW_BYTES_A_SLICE];
  gssize n_bytes;

  if (g_get_monotonic_time () < wait->next_us)
    return FALSE;
  wait->next_us = g_get_monotonic_time () + SLOW_SLICE_US;
  n_bytes = read (pipe->fd, buffer, sizeof buffer);
  if (n_bytes > 0)
    g_string_append_len (pipe->text, buffer, n_bytes);
  pen_mqtt_tally_text (&wait->all.tally, pipe->text->str);
  return wait->all.tally.n_numbers >= wait->all.n_numbers;
}

/* A sink that takes longer for all that may be held than the keep-alive allows: with as many at a
 * time, the connection would be given up each time before the acknowledgements have left, and the
 * same messages would come for ever. */
static void
test_slow_sink (PenMqttFixture *fixture)
{
  g_autoptr (PenMqttFleet) fleet = pen_mqtt_fleet_new (fixture);
  TestPipe slow;
  TestSlowWait wait = { .all = { .pipe = &slow } };
  PenMqttLoad *load;

  pen_mqtt_fixture_start_broker (fixture, &test_options);
  pen_mqtt_fleet_write (fleet, "slow", "t/#", SINK ("slow"));
  test_pipe_make (&slow, fleet, "slow");
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-", 1);
  load = pen_mqtt_load_start (fixture, "t/n", N_SLOW, PAYLOAD_BYTES);
  pen_mqtt_load_await (load, N_SLOW);
  wait.all.n_numbers = pen_mqtt_load_stop (load);
  if (!test_pipe_await (&wait.all, test_slow_has_numbers))
    g_error ("only the first %u of %u have come, with %u twice", wait.all.tally.n_numbers,
             wait.all.n_numbers, wait.all.tally.n_twice);
  g_assert_true (wait.all.tally.is_ordered);
  g_assert_cmpuint (test_count_about (fleet, "as", "slow", " ("), >=, 2);
  g_test_message ("%u numbers, %u twice, %u connections", wait.all.tally.n_numbers,
                  wait.all.tally.n_twice, test_count_about (fleet, "as", "slow", " ("));
  test_pipe_clear (&slow);
}

/* --- With a spool --- */

#define SPOOLING(more)                                                                             \
  "keep-alive=5s\n[pipeline]\nspool=true\ndrain-timeout=1s\n[sink file full]\npath=full\n"         \
  "format=lines\n" more "[sink file well]\npath=well.txt\nformat=lines\n"

static char *
test_make_state_option (PenMqttFixture *fixture)
{
  return g_strdup_printf ("--state-dir=%s/state", fixture->folder);
}

/* A second of load that only one of the two sinks takes. */
static void
test_spool_go_on (PenMqttFleet *fleet, PenMqttLoad *load, guint n_seconds)
{
  guint n_sent = pen_mqtt_load_get_n_sent (load) + n_seconds * MESSAGES_A_SECOND;
  PenMqttTally tally;

  pen_mqtt_load_await (load, n_sent);
  pen_mqtt_fleet_await_numbers (fleet, "well.txt", n_sent, &tally);
  g_assert_cmpuint (tally.n_twice, ==, 0);
  g_assert_true (tally.is_ordered);
}

/* The other sink goes on, the connection stays, memory too; so it is after a reload, and a stop
 * leaves what waits to the next run, which delivers it once the sink is back. */
static void
test_spool_with_blocked_sink (PenMqttFixture *fixture)
{
  g_autoptr (PenMqttFleet) fleet = pen_mqtt_fleet_new (fixture);
  g_autofree char *state = test_make_state_option (fixture);
  TestPipe full;
  PenMqttLoad *load;
  PenMqttTally tally;
  guint memory_kib;
  guint n_sent;
  gint64 begin_us;

  pen_mqtt_fixture_start_broker (fixture, &test_options);
  pen_mqtt_fleet_write (fleet, "site", "t/#", SPOOLING (""));
  test_pipe_make (&full, fleet, "full");
  pen_mqtt_fleet_run (fleet, state);
  pen_mqtt_fleet_await_broker_log (fleet, "Sending SUBACK to penstock-", 1);
  load = pen_mqtt_load_start (fixture, "t/n", MESSAGES_A_SECOND, PAYLOAD_BYTES);
  test_spool_go_on (fleet, load, 3);
  memory_kib = pen_mqtt_fleet_get_memory_kib (fleet);
  test_spool_go_on (fleet, load, 9);
  g_test_message ("RssAnon: %u KiB, then %u KiB", memory_kib,
                  pen_mqtt_fleet_get_memory_kib (fleet));
  g_assert_cmpuint (pen_mqtt_fleet_get_memory_kib (fleet), <, memory_kib + MAXIMUM_GROWTH_KIB);
  g_assert_cmpuint (test_count_about (fleet, "as", "site", " ("), ==, 1);
  g_assert_cmpuint (test_count_about (fleet, "Received PUBACK from", "site", " "), >=,
                    N_WHILE_BLOCKED - MESSAGES_A_SECOND);

  pen_mqtt_fleet_write (fleet, "site", "t/#", SPOOLING ("batch-events=100\n"));
  pen_mqtt_fleet_signal (fleet, SIGHUP);
  pen_mqtt_fleet_await_log (fleet, "connected as 'penstock-site', resumed session", 1);
  test_spool_go_on (fleet, load, 2);

  begin_us = g_get_monotonic_time ();
  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
  /* the drain timeout is 1 s */
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 15 * G_USEC_PER_SEC);
  n_sent = pen_mqtt_load_stop (load);
  pen_mqtt_fleet_run (fleet, state);
  test_assert_recovered (fleet, &full, n_sent);
  pen_mqtt_fleet_await_numbers (fleet, "well.txt", n_sent, &tally);
  g_assert_cmpuint (tally.n_twice, ==, 0);
  g_assert_true (tally.is_ordered);
  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
  test_pipe_clear (&full);
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/pressure/blocked-sinks", test_blocked_sinks);
  pen_mqtt_fixture_add ("/mqtt/pressure/slow-sink", test_slow_sink);
  pen_mqtt_fixture_add ("/mqtt/pressure/spool", test_spool_with_blocked_sink);
  return g_test_run ();
}
