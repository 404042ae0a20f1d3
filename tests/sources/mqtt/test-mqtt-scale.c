/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a connection may cost when there are thousands of them: it waits for its turn to be made,
 * shares what TLS needs, and takes three descriptors and some memory.
 */

#include "config.h"

#include "pen-mqtt-context.h"
#include "pen-mqtt-fleet.h"
#include "pen-mqtt-gate.h"

#include <glib/gstdio.h>
#include <signal.h>

#define N_TURNS 100
#define N_FEW 20
#define N_MANY 200
/* libmosquitto's socket and its pair */
#define DESCRIPTORS_EACH 3
#define DESCRIPTORS_OF_PROCESS 60
/* 41 to 48 when 200 are added to a process; 73 with a TLS context of its own for each connection,
 * 111 when each keeps the buffers of its hand-shake */
#define MAXIMUM_KIB_EACH 64
#define N_THREADS 16

/* sanitizers keep what was freed, or notes about what is there */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEASURES_MEMORY FALSE
#else
#define MEASURES_MEMORY TRUE
#endif

/* --- Turns --- */

typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean is_open; /* the broker answers */
  guint n_begun;
  guint n_now;
  guint n_most;
  guint n_done;
} Broker;

typedef struct
{
  PenMqttTurn turn;
  Broker *broker;
} Attempt;

static void
test_connect (gpointer user_data)
{
  Attempt *self = user_data;
  Broker *broker = self->broker;

  g_mutex_lock (&broker->lock);
  broker->n_begun++;
  broker->n_now++;
  broker->n_most = MAX (broker->n_most, broker->n_now);
  while (!broker->is_open)
    g_cond_wait (&broker->changed, &broker->lock);
  broker->n_now--;
  g_mutex_unlock (&broker->lock);
  g_assert_false (pen_mqtt_turn_end (&self->turn));
  g_mutex_lock (&broker->lock);
  broker->n_done++;
  g_mutex_unlock (&broker->lock);
}

static void
test_open (Broker *broker)
{
  g_mutex_lock (&broker->lock);
  broker->is_open = TRUE;
  g_cond_broadcast (&broker->changed);
  g_mutex_unlock (&broker->lock);
}

static void
test_begin (Attempt *attempts, guint n_attempts, Broker *broker, const char *host)
{
  for (guint i = 0; i < n_attempts; i++)
    {
      attempts[i].broker = broker;
      pen_mqtt_turn_await (&attempts[i].turn, host, 8883, test_connect, &attempts[i]);
    }
}

typedef struct
{
  Broker *broker;
  const guint *figure;
  guint at_least;
} Wait;

static gboolean
test_has_figure (gpointer user_data)
{
  const Wait *wait = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&wait->broker->lock);

  return *wait->figure >= wait->at_least;
}

static void
test_await (Broker *broker, const guint *figure, guint at_least)
{
  Wait wait = { broker, figure, at_least };

  g_assert_true (pen_test_wait (test_has_figure, &wait, WAIT_MS));
}

static void
test_turns (void)
{
  Broker slow = { .is_open = FALSE };
  Broker other = { .is_open = TRUE };
  g_autofree Attempt *attempts = g_new0 (Attempt, N_TURNS);
  Attempt alone = { .broker = &other };

  test_begin (attempts, N_TURNS, &slow, "slow");
  test_await (&slow, &slow.n_begun, PEN_MQTT_GATE_PER_ADDRESS);
  test_begin (&alone, 1, &other, "other");
  test_await (&other, &other.n_done, 1);
  g_assert_false (pen_mqtt_turn_has_begun (&attempts[N_TURNS - 1].turn));
  g_assert_cmpuint (slow.n_begun, ==, PEN_MQTT_GATE_PER_ADDRESS);
  test_open (&slow);
  test_await (&slow, &slow.n_done, N_TURNS);
  g_assert_cmpuint (slow.n_most, ==, PEN_MQTT_GATE_PER_ADDRESS);
}

/* Who gives up waiting is never called, and one that takes long lets one more in. */
static void
test_leaves (void)
{
  Broker slow = { .is_open = FALSE };
  g_autofree Attempt *attempts = g_new0 (Attempt, N_TURNS);

  test_begin (attempts, N_TURNS, &slow, "slow");
  test_await (&slow, &slow.n_begun, PEN_MQTT_GATE_PER_ADDRESS);
  g_assert_true (pen_mqtt_turn_end (&attempts[PEN_MQTT_GATE_PER_ADDRESS].turn));
  pen_mqtt_turn_yield (&attempts[0].turn);
  test_await (&slow, &slow.n_begun, PEN_MQTT_GATE_PER_ADDRESS + 1);
  g_assert_true (pen_mqtt_turn_has_begun (&attempts[PEN_MQTT_GATE_PER_ADDRESS + 1].turn));
  test_open (&slow);
  test_await (&slow, &slow.n_done, N_TURNS - 1);
  g_assert_false (pen_mqtt_turn_has_begun (&attempts[PEN_MQTT_GATE_PER_ADDRESS].turn));
}

/* --- TLS contexts --- */

static char *test_folder;

/* What was written just now is not shared yet. */
static gboolean
test_is_shared (gpointer user_data)
{
  const PenMqttTlsOptions *options = user_data;
  g_autofree char *fault = NULL;
  PenMqttContext *first = pen_mqtt_context_get (options, &fault);
  PenMqttContext *second = pen_mqtt_context_get (options, &fault);
  gboolean is_shared = first == second;

  g_assert_nonnull (first);
  g_assert_nonnull (second);
  pen_mqtt_context_unref (first);
  pen_mqtt_context_unref (second);
  return is_shared;
}

static gpointer
test_get_on_thread (gpointer data)
{
  g_autofree char *fault = NULL;

  return pen_mqtt_context_get (data, &fault);
}

static void
test_shares (void)
{
  g_autofree char *cafile = g_build_filename (test_folder, "ca.crt", NULL);
  PenMqttTlsOptions options = { "127.0.0.1", { .cafile = cafile }, FALSE };
  PenMqttTlsOptions elsewhere = { "localhost", { .cafile = cafile }, FALSE };
  g_autofree char *fault = NULL;
  GThread *threads[N_THREADS];
  PenMqttContext *contexts[N_THREADS];
  PenMqttContext *other;
  guint n_loads;

  g_assert_true (pen_test_wait (test_is_shared, &options, WAIT_MS));
  n_loads = pen_mqtt_context_count_loads ();
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("opens", test_get_on_thread, &options);
  for (guint i = 0; i < N_THREADS; i++)
    contexts[i] = g_thread_join (threads[i]);
  other = pen_mqtt_context_get (&elsewhere, &fault);
  g_assert_cmpuint (pen_mqtt_context_count_loads () - n_loads, ==, 2);
  g_assert_true (other != contexts[0]);
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_assert_true (contexts[i] == contexts[0]);
      pen_mqtt_context_unref (contexts[i]);
    }
  pen_mqtt_context_unref (other);
}

/* A file that changes is read by those who come later, and who has the old one keeps it. */
static void
test_changed_file (void)
{
  g_autofree char *cafile = g_build_filename (test_folder, "copy.crt", NULL);
  g_autofree char *good = g_build_filename (test_folder, "ca.crt", NULL);
  g_autofree char *text = pen_test_read_file (good, NULL);
  PenMqttTlsOptions options = { "127.0.0.1", { .cafile = cafile }, FALSE };
  g_autofree char *fault = NULL;
  PenMqttContext *before;
  PenMqttContext *after;

  pen_test_write_file (test_folder, "copy.crt", text);
  g_assert_true (pen_test_wait (test_is_shared, &options, WAIT_MS));
  before = pen_mqtt_context_get (&options, &fault);
  g_assert_nonnull (before);
  pen_test_write_file (test_folder, "copy.crt", "no certificate");
  g_assert_null (pen_mqtt_context_get (&options, &fault));
  g_assert_nonnull (strstr (fault, "holds no certificate"));
  pen_test_write_file (test_folder, "copy.crt", text);
  after = pen_mqtt_context_get (&options, &fault);
  g_assert_nonnull (after);
  g_assert_true (after != before);
  g_assert_nonnull (pen_mqtt_context_get_ssl (before));
  pen_mqtt_context_unref (before);
  pen_mqtt_context_unref (after);
}

/* --- A process with many --- */

static guint
test_count_descriptors (PenMqttFleet *fleet)
{
  g_autofree char *folder
      = g_strdup_printf ("/proc/%s/fd", g_subprocess_get_identifier (fleet->process));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n_descriptors = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n_descriptors++;
  return n_descriptors;
}

static void
test_write_sites (PenMqttFleet *fleet, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    {
      g_autofree char *name = g_strdup_printf ("s%u", i);
      g_autofree char *topic = g_strdup_printf ("a/s%u/u/data", i);

      pen_mqtt_fleet_write (fleet, name, topic, "[transform ammp]\n[sink stdout]\n");
    }
}

static void
test_process (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  g_autoptr (PenMqttFleet) fleet = NULL;
  guint before_kib;
  guint each_kib;

  pen_mqtt_fixture_start_broker (fixture, &options);
  fleet = pen_mqtt_fleet_new (fixture);
  test_write_sites (fleet, 0, N_FEW);
  pen_mqtt_fleet_run (fleet, NULL);
  pen_mqtt_fleet_await_log (fleet, "connected as", N_FEW);
  before_kib = pen_mqtt_fleet_get_memory_kib (fleet);
  test_write_sites (fleet, N_FEW, N_FEW + N_MANY);
  pen_mqtt_fleet_signal (fleet, SIGHUP);
  pen_mqtt_fleet_await_log (fleet, "connected as", N_FEW + N_MANY);
  g_assert_cmpuint (test_count_descriptors (fleet), <,
                    (N_FEW + N_MANY) * DESCRIPTORS_EACH + DESCRIPTORS_OF_PROCESS);
  each_kib = (pen_mqtt_fleet_get_memory_kib (fleet) - before_kib) / N_MANY;
  g_test_message ("%u KiB for each pipeline", each_kib);
  if (MEASURES_MEMORY)
    g_assert_cmpuint (each_kib, <, MAXIMUM_KIB_EACH);
  pen_mqtt_fleet_signal (fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (fleet), ==, 0);
}

int
main (int argc, char **argv)
{
  int status;

  pen_mqtt_fixture_init (&argc, &argv);
  test_folder = pen_test_make_folder ();
  pen_certificates_make (test_folder);
  g_test_add_func ("/mqtt/scale/turns", test_turns);
  g_test_add_func ("/mqtt/scale/leaves", test_leaves);
  g_test_add_func ("/mqtt/scale/shares", test_shares);
  g_test_add_func ("/mqtt/scale/changed-file", test_changed_file);
  pen_mqtt_fixture_add ("/mqtt/scale/process", test_process);
  status = g_test_run ();
  pen_test_remove_folder (test_folder);
  return status;
}
