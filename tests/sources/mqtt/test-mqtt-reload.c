/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reloads of a fleet under load: whoever did not change keeps its connection, and misses nothing
 * and gets nothing twice; whoever did hands its session over. All sites receive the same numbered
 * messages over TLS. PENSTOCK_RELOAD_SITES and PENSTOCK_RELOAD_RATE make it larger
 * (bench/reload).
 */

#include "config.h"

#include "pen-mqtt-fleet.h"

#include <signal.h>
#include <string.h>

#define DEFAULT_SITES 50
#define DEFAULT_RATE 50
/* so that there is always something on its way */
#define FAST_SITES 10
#define FAST_RATE 2000
#define N_STORM 20
#define SINK "[sink file]\npath=%s.txt\nformat=lines\nfsync=never\n%s"

/* A log line for each message would be more than the broker can write. */
static const PenBrokerOptions test_options
    = { .certificate = "server", .extra = "max_queued_messages 0\nlog_type none\nlog_type notice" };

typedef struct
{
  PenMqttFleet *fleet;
  PenMqttLoad *load;
  guint n_sites;
  guint rate;
  guint n_connections; /* so far, all of them */
} TestReload;

static guint
test_get_number (const char *variable, guint default_number)
{
  const char *text = g_getenv (variable);

  return text == NULL ? default_number : (guint) g_ascii_strtoull (text, NULL, 10);
}

static guint
test_get_sites (void)
{
  return test_get_number ("PENSTOCK_RELOAD_SITES", DEFAULT_SITES);
}

static guint
test_get_rate (void)
{
  return test_get_number ("PENSTOCK_RELOAD_RATE", DEFAULT_RATE);
}

/* @more: lines of its sink */
static void
test_write_site (TestReload *self, guint site, const char *source, const char *more)
{
  g_autofree char *name = g_strdup_printf ("site-%u", site);
  g_autofree char *groups = g_strdup_printf ("%s" SINK, source, name, more);

  pen_mqtt_fleet_write (self->fleet, name, "t/#", groups);
}

static void
test_reload_begin (TestReload *self, PenMqttFixture *fixture, guint n_sites, guint rate)
{
  pen_mqtt_fixture_start_broker (fixture, &test_options);
  self->fleet = pen_mqtt_fleet_new (fixture);
  self->n_sites = n_sites;
  self->rate = rate;
  for (guint i = 0; i < self->n_sites; i++)
    test_write_site (self, i, "", "");
  pen_mqtt_fleet_run (self->fleet, NULL);
  pen_mqtt_fleet_await_log (self->fleet, ": connected as 'penstock-site-", self->n_sites);
  self->n_connections = self->n_sites;
  self->load = pen_mqtt_load_start (fixture, "t/n", self->rate, 0);
  pen_mqtt_load_await (self->load, self->rate);
}

/* SIGHUP; the next line "reloaded: …" has to be @summary. */
static void
test_reload (TestReload *self, const char *format, guint n_unchanged)
{
  guint n_before = pen_mqtt_fleet_count_log (self->fleet, "reloaded: ");
  g_autofree char *summary = g_strdup_printf ("reloaded: %u unchanged, %s", n_unchanged, format);
  guint n_same = pen_mqtt_fleet_count_log (self->fleet, summary);

  pen_mqtt_fleet_signal (self->fleet, SIGHUP);
  pen_mqtt_fleet_await_log (self->fleet, "reloaded: ", n_before + 1);
  g_assert_cmpuint (pen_mqtt_fleet_count_log (self->fleet, summary), ==, n_same + 1);
}

/* The load goes on for a second. */
static void
test_reload_go_on (TestReload *self)
{
  pen_mqtt_load_await (self->load, pen_mqtt_load_get_n_sent (self->load) + self->rate);
}

/* Nobody was connected but these, and one more that publishes. */
static void
test_reload_assert_connections (TestReload *self, guint n_more)
{
  self->n_connections += n_more;
  g_assert_cmpuint (pen_mqtt_fleet_count_broker_log (self->fleet, " as penstock-site-"), ==,
                    self->n_connections);
}

static void
test_reload_await_connections (TestReload *self, guint n_more)
{
  pen_mqtt_fleet_await_broker_log (self->fleet, " as penstock-site-", self->n_connections + n_more);
  test_reload_go_on (self);
  test_reload_assert_connections (self, n_more);
}

/* How many sockets of @before are still there. */
static guint
test_count_kept (PenMqttFleet *fleet, GHashTable *before)
{
  g_autoptr (GHashTable) sockets = pen_mqtt_fleet_get_sockets (fleet);
  GHashTableIter iter;
  gpointer socket;
  guint n_kept = 0;

  g_hash_table_iter_init (&iter, before);
  while (g_hash_table_iter_next (&iter, &socket, NULL))
    n_kept += g_hash_table_contains (sockets, socket);
  return n_kept;
}

/* Everything, once and in order, in all files but for that of @other, where some may have come
 * twice. */
static void
test_reload_end (TestReload *self, guint other, int status)
{
  guint n_sent = pen_mqtt_load_stop (self->load);

  for (guint i = 0; i < self->n_sites; i++)
    {
      g_autofree char *name = g_strdup_printf ("site-%u.txt", i);
      PenMqttTally tally;

      pen_mqtt_fleet_await_numbers (self->fleet, name, n_sent, &tally);
      if (tally.n_twice > 0)
        g_test_message ("%s: %u twice", name, tally.n_twice);
      if (i != other)
        g_assert_cmpuint (tally.n_twice, ==, 0);
      if (i != other)
        g_assert_true (tally.is_ordered);
    }
  g_test_message ("%u sites, %u messages each, none lost%s", self->n_sites, n_sent,
                  other == self->n_sites ? ", none twice" : "");
  pen_mqtt_fleet_signal (self->fleet, SIGTERM);
  g_assert_cmpint (pen_mqtt_fleet_await_exit (self->fleet), ==, status);
  pen_mqtt_fleet_free (self->fleet);
}

static void
test_one_of_many (PenMqttFixture *fixture)
{
  TestReload self = { NULL };
  g_autoptr (GHashTable) sockets = NULL;
  guint n_sockets;

  test_reload_begin (&self, fixture, test_get_sites (), test_get_rate ());
  sockets = pen_mqtt_fleet_get_sockets (self.fleet);
  test_write_site (&self, 7, "", "batch-events=100\n");
  test_reload (&self, "1 replaced, 0 started, 0 stopped, 0 kept", self.n_sites - 1);
  test_reload_await_connections (&self, 1);
  pen_mqtt_fleet_await_log (self.fleet, "connected as 'penstock-site-7', resumed session", 1);
  /* each has as many */
  n_sockets = g_hash_table_size (sockets);
  g_assert_cmpuint (test_count_kept (self.fleet, sockets), ==,
                    n_sockets - n_sockets / self.n_sites);
  /* nothing has changed */
  test_reload (&self, "0 replaced, 0 started, 0 stopped, 0 kept", self.n_sites);
  test_reload_go_on (&self);
  test_reload_assert_connections (&self, 0);
  test_reload_end (&self, self.n_sites, 0);
}

static void
test_faulty (PenMqttFixture *fixture)
{
  TestReload self = { NULL };

  test_reload_begin (&self, fixture, test_get_sites (), test_get_rate ());
  test_write_site (&self, 8, "bad-key=1\n", "");
  test_reload (&self, "0 replaced, 0 started, 0 stopped, 1 kept", self.n_sites - 1);
  test_reload_go_on (&self);
  test_reload_assert_connections (&self, 0);
  test_write_site (&self, 8, "", "");
  test_reload (&self, "0 replaced, 0 started, 0 stopped, 0 kept", self.n_sites);
  test_reload_go_on (&self);
  test_reload_assert_connections (&self, 0);
  test_reload_end (&self, self.n_sites, 0);
}

/* Its new form is right by the rules, and fails at once. The others go on; mended, it takes up its
 * session. */
static void
test_fails_at_start (PenMqttFixture *fixture)
{
  TestReload self = { NULL };

  test_reload_begin (&self, fixture, test_get_sites (), test_get_rate ());
  /* nobody listens on port 9, and that is final */
  pen_test_write_file (self.fleet->folder, "site-9.pipeline",
                       "[source mqtt]\nhost=127.0.0.1\nport=9\ntopics=t/#\nreconnect=false\n"
                       "[sink file]\npath=site-9.txt\n");
  test_reload (&self, "1 replaced, 0 started, 0 stopped, 0 kept", self.n_sites - 1);
  pen_mqtt_fleet_await_log (self.fleet, "error: site-9: source mqtt: ", 1);
  test_reload_go_on (&self);
  test_reload_assert_connections (&self, 0);
  test_write_site (&self, 9, "", "");
  test_reload (&self, "1 replaced, 0 started, 0 stopped, 0 kept", self.n_sites - 1);
  test_reload_await_connections (&self, 1);
  /* that one did is not forgotten */
  test_reload_end (&self, self.n_sites, 3);
}

/* What was delivered is acknowledged before the session goes over, also while more is coming. */
static void
test_hand_over (PenMqttFixture *fixture)
{
  TestReload self = { NULL };

  test_reload_begin (&self, fixture, FAST_SITES, FAST_RATE);
  for (guint i = 1; i <= N_STORM; i++)
    {
      g_autofree char *more = g_strdup_printf ("batch-events=%u\n", i);

      test_write_site (&self, 7, "", more);
      test_reload (&self, "1 replaced, 0 started, 0 stopped, 0 kept", self.n_sites - 1);
      pen_mqtt_fleet_await_log (self.fleet, "connected as 'penstock-site-7', resumed session", i);
    }
  test_reload_end (&self, self.n_sites, 0);
}

/* Again and again, also while it drains: in the end it is what its file says. */
static void
test_storm (PenMqttFixture *fixture)
{
  TestReload self = { NULL };
  guint n_reloads;

  test_reload_begin (&self, fixture, test_get_sites (), test_get_rate ());
  for (guint i = 1; i <= N_STORM; i++)
    {
      g_autofree char *more = g_strdup_printf ("batch-events=%u\n", i);

      test_write_site (&self, 7, "", more);
      pen_mqtt_fleet_signal (self.fleet, SIGHUP);
      if (i % 4 == 0)
        test_reload_go_on (&self);
    }
  test_write_site (&self, 7, "client-id=after-the-storm\n", "");
  pen_mqtt_fleet_signal (self.fleet, SIGHUP);
  pen_mqtt_fleet_await_log (self.fleet, "connected as 'after-the-storm', new session", 1);
  n_reloads = pen_mqtt_fleet_count_log (self.fleet, "reloaded: ");
  test_write_site (&self, 7, "", "");
  pen_mqtt_fleet_signal (self.fleet, SIGHUP);
  pen_mqtt_fleet_await_log (self.fleet, "reloaded: ", n_reloads + 1);
  test_reload_go_on (&self);
  /* nobody else was touched */
  g_assert_cmpuint (pen_mqtt_fleet_count_broker_log (self.fleet, " as penstock-site-")
                        - pen_mqtt_fleet_count_broker_log (self.fleet, " as penstock-site-7 "),
                    ==, self.n_sites - 1);
  /* while it had another name, the session of the first got everything too */
  test_reload_end (&self, 7, 0);
}

static void
test_write_with_files (TestReload *self, guint site, const char *more)
{
  g_autofree char *name = g_strdup_printf ("site-%u.pipeline", site);
  g_autofree char *text
      = g_strdup_printf ("[source mqtt]\nhost=127.0.0.1\nport=%u\ncafile=ca-%u.crt\ntopics=t/#\n%s"
                         "[sink file]\npath=site-%u.txt\nformat=lines\nfsync=never\n",
                         pen_broker_get_port (self->fleet->fixture->broker), site, more, site);

  pen_test_write_file (self->fleet->folder, name, text);
}

/* A renewed CA or password is a change of whoever uses it, though no keyfile changed. */
static void
test_renewed_files (PenMqttFixture *fixture)
{
  TestReload self = { .n_sites = 3, .rate = DEFAULT_RATE };
  g_autofree char *ca_path = pen_mqtt_fixture_find (fixture, "ca.crt");
  g_autofree char *ca = pen_test_read_file (ca_path, NULL);
  g_autofree char *renewed = g_strconcat ("renewed\n", ca, NULL);

  pen_mqtt_fixture_start_broker (fixture, &test_options);
  self.fleet = pen_mqtt_fleet_new (fixture);
  pen_test_write_file (self.fleet->folder, "password", "first");
  for (guint i = 0; i < self.n_sites; i++)
    {
      g_autofree char *name = g_strdup_printf ("ca-%u.crt", i);

      pen_test_write_file (self.fleet->folder, name, ca);
      test_write_with_files (&self, i, i == 2 ? "username=u\npassword=${file:password}\n" : "");
    }
  pen_mqtt_fleet_run (self.fleet, NULL);
  pen_mqtt_fleet_await_log (self.fleet, ": connected as 'penstock-site-", self.n_sites);
  self.n_connections = self.n_sites;
  self.load = pen_mqtt_load_start (fixture, "t/n", self.rate, 0);
  test_reload (&self, "0 replaced, 0 started, 0 stopped, 0 kept", 3);
  pen_test_write_file (self.fleet->folder, "ca-1.crt", renewed);
  test_reload (&self, "1 replaced, 0 started, 0 stopped, 0 kept", 2);
  pen_mqtt_fleet_await_log (self.fleet, "connected as 'penstock-site-1', resumed session", 1);
  pen_test_write_file (self.fleet->folder, "password", "second");
  test_reload (&self, "1 replaced, 0 started, 0 stopped, 0 kept", 2);
  pen_mqtt_fleet_await_log (self.fleet, "connected as 'penstock-site-2', resumed session", 1);
  /* half-written: what runs goes on */
  pen_test_write_file (self.fleet->folder, "ca-1.crt", "-----BEGIN CERTIFICATE-----\n");
  test_reload (&self, "0 replaced, 0 started, 0 stopped, 1 kept", 2);
  test_reload_go_on (&self);
  test_reload_assert_connections (&self, 2);
  test_reload_end (&self, self.n_sites, 0);
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/reload/one-of-many", test_one_of_many);
  pen_mqtt_fixture_add ("/mqtt/reload/faulty", test_faulty);
  pen_mqtt_fixture_add ("/mqtt/reload/fails-at-start", test_fails_at_start);
  pen_mqtt_fixture_add ("/mqtt/reload/hand-over", test_hand_over);
  pen_mqtt_fixture_add ("/mqtt/reload/storm", test_storm);
  pen_mqtt_fixture_add ("/mqtt/reload/renewed-files", test_renewed_files);
  return g_test_run ();
}
