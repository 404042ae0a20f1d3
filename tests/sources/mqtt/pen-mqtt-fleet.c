/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many pipelines in one penstock process, between a real broker and files, under load. What is
 * published is numbered, so that a file of a sink tells by itself what was lost, came twice, or out
 * of order.
 */

#include "config.h"

#include "pen-mqtt-fleet.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* Of a machine that is busy with other tests. */
#define FLEET_WAIT_MS 90000
#define LOAD_SLICE_MS 10

PenMqttFleet *
pen_mqtt_fleet_new (PenMqttFixture *fixture)
{
  PenMqttFleet *self = g_new0 (PenMqttFleet, 1);

  self->fixture = fixture;
  self->folder = pen_mqtt_fixture_find (fixture, "sites");
  self->log = pen_mqtt_fixture_find (fixture, "run.log");
  g_assert_cmpint (g_mkdir (self->folder, 0755), ==, 0);
  return self;
}

void
pen_mqtt_fleet_free (PenMqttFleet *self)
{
  if (self->process != NULL)
    {
      g_subprocess_force_exit (self->process);
      g_subprocess_wait (self->process, NULL, NULL);
    }
  g_clear_object (&self->process);
  g_free (self->folder);
  g_free (self->log);
  g_free (self);
}

void
pen_mqtt_fleet_write (PenMqttFleet *self, const char *name, const char *topics, const char *more)
{
  g_autofree char *file = g_strconcat (name, ".pipeline", NULL);
  g_autofree char *text
      = g_strdup_printf ("[source mqtt]\nhost=127.0.0.1\nport=%u\ncafile=../ca.crt\n"
                         "topics=%s\n%s\n",
                         pen_broker_get_port (self->fixture->broker), topics, more);

  pen_test_write_file (self->folder, file, text);
}

char *
pen_mqtt_fleet_find (PenMqttFleet *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

/* A test that dies takes it along. */
static void
pen_mqtt_fleet_die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
pen_mqtt_fleet_run (PenMqttFleet *self, const char *option)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr (GError) error = NULL;

  g_unlink (self->log); /* of the run before */
  g_subprocess_launcher_set_stderr_file_path (launcher, self->log);
  g_subprocess_launcher_set_child_setup (launcher, pen_mqtt_fleet_die_with_parent, NULL, NULL);
  self->process = g_subprocess_launcher_spawn (launcher, &error, g_getenv ("PENSTOCK_COMMAND"),
                                               "run", self->folder, option, NULL);
  g_assert_no_error (error);
}

void
pen_mqtt_fleet_signal (PenMqttFleet *self, int signal_number)
{
  g_subprocess_send_signal (self->process, signal_number);
}

static void
pen_mqtt_fleet_on_exit (GObject *object, GAsyncResult *result, gpointer user_data)
{
  *(gboolean *) user_data = g_subprocess_wait_finish (G_SUBPROCESS (object), result, NULL);
}

static gboolean
pen_mqtt_fleet_is_set (gpointer user_data)
{
  return *(gboolean *) user_data;
}

int
pen_mqtt_fleet_await_exit (PenMqttFleet *self)
{
  g_autoptr (GSubprocess) process = g_steal_pointer (&self->process);
  gboolean has_exited = FALSE;

  g_subprocess_wait_async (process, NULL, pen_mqtt_fleet_on_exit, &has_exited);
  if (!pen_test_wait (pen_mqtt_fleet_is_set, &has_exited, FLEET_WAIT_MS))
    {
      g_subprocess_force_exit (process);
      g_assert_not_reached ();
    }
  return g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                              : -g_subprocess_get_term_sig (process);
}

static guint
pen_mqtt_fleet_count_text (const char *in, const char *text)
{
  guint n_found = 0;

  for (const char *at = strstr (in, text); at != NULL; at = strstr (at + strlen (text), text))
    n_found++;
  return n_found;
}

guint
pen_mqtt_fleet_count_log (PenMqttFleet *self, const char *text)
{
  g_autofree char *log = NULL;

  /* the process makes it when it starts */
  return g_file_get_contents (self->log, &log, NULL, NULL) ? pen_mqtt_fleet_count_text (log, text)
                                                           : 0;
}

guint
pen_mqtt_fleet_count_broker_log (PenMqttFleet *self, const char *text)
{
  g_autofree char *log = pen_broker_read_log (self->fixture->broker);

  return pen_mqtt_fleet_count_text (log, text);
}

typedef struct
{
  PenMqttFleet *fleet;
  guint (*count) (PenMqttFleet *fleet, const char *text);
  const char *text;
  guint at_least;
  PenMqttTally *tally;
  gint64 next_us; /* when to look again */
} PenMqttFleetWait;

static gboolean
pen_mqtt_fleet_has_count (gpointer user_data)
{
  const PenMqttFleetWait *wait = user_data;

  return wait->count (wait->fleet, wait->text) >= wait->at_least;
}

static void
pen_mqtt_fleet_await (PenMqttFleetWait *wait)
{
  if (!pen_test_wait (pen_mqtt_fleet_has_count, wait, FLEET_WAIT_MS))
    {
      g_autofree char *log = pen_test_read_file (wait->fleet->log, NULL);

      g_test_message ("%s", log);
      g_error ("'%s' was not logged %u times but %u", wait->text, wait->at_least,
               wait->count (wait->fleet, wait->text));
    }
}

void
pen_mqtt_fleet_await_log (PenMqttFleet *self, const char *text, guint at_least)
{
  pen_mqtt_fleet_await (
      &(PenMqttFleetWait){ self, pen_mqtt_fleet_count_log, text, at_least, NULL, 0 });
}

void
pen_mqtt_fleet_await_broker_log (PenMqttFleet *self, const char *text, guint at_least)
{
  pen_mqtt_fleet_await (
      &(PenMqttFleetWait){ self, pen_mqtt_fleet_count_broker_log, text, at_least, NULL, 0 });
}

guint
pen_mqtt_fleet_get_memory_kib (PenMqttFleet *self)
{
  g_autofree char *path
      = g_strdup_printf ("/proc/%s/status", g_subprocess_get_identifier (self->process));
  g_autofree char *text = pen_test_read_file (path, NULL);
  const char *line = strstr (text, "RssAnon:");

  g_assert_nonnull (line);
  return (guint) g_ascii_strtoull (line + strlen ("RssAnon:"), NULL, 10);
}

GHashTable *
pen_mqtt_fleet_get_sockets (PenMqttFleet *self)
{
  g_autofree char *folder
      = g_strdup_printf ("/proc/%s/fd", g_subprocess_get_identifier (self->process));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  GHashTable *sockets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      if (target != NULL && g_str_has_prefix (target, "socket:"))
        g_hash_table_add (sockets, g_steal_pointer (&target));
    }
  return sockets;
}

/* --- What was written --- */

void
pen_mqtt_tally_text (PenMqttTally *self, const char *text)
{
  g_autoptr (GByteArray) seen = g_byte_array_new ();
  const char *text_end = text + strlen (text);
  const char *end = NULL;
  guint next = 0;

  *self = (PenMqttTally){ .is_ordered = TRUE };
  /* not strchr (): where strings are checked strictly, it looks for the end of all each time */
  while ((end = memchr (text, '\n', (gsize) (text_end - text))) != NULL)
    {
      guint number = (guint) g_ascii_strtoull (text, NULL, 10);

      text = end + 1;
      self->n_lines++;
      g_assert_cmpuint (number, <, 100 * 1000 * 1000);
      while (seen->len <= number)
        g_byte_array_append (seen, (const guint8 *) "", 1);
      if (seen->data[number]++ > 0)
        self->n_twice++;
      else if (number < next)
        self->is_ordered = FALSE;
      next = MAX (next, number + 1);
    }
  while (self->n_numbers < seen->len && seen->data[self->n_numbers] > 0)
    self->n_numbers++;
}

void
pen_mqtt_tally_file (PenMqttTally *self, const char *path)
{
  g_autofree char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  pen_mqtt_tally_text (self, text != NULL ? text : "");
}

/* Looking takes as long as the file is large, and what is waited for needs the processor. */
static gboolean
pen_mqtt_fleet_has_numbers (gpointer user_data)
{
  PenMqttFleetWait *wait = user_data;

  if (g_get_monotonic_time () < wait->next_us)
    return FALSE;
  wait->next_us = g_get_monotonic_time () + PEN_MQTT_TALLY_US;
  pen_mqtt_tally_file (wait->tally, wait->text);
  return wait->tally->n_numbers >= wait->at_least;
}

void
pen_mqtt_fleet_await_numbers (PenMqttFleet *self,
                              const char *name,
                              guint n_numbers,
                              PenMqttTally *tally)
{
  g_autofree char *path = pen_mqtt_fleet_find (self, name);
  PenMqttFleetWait wait = { self, NULL, path, n_numbers, tally, 0 };
  guint n_before = 0;

  while (!pen_test_wait (pen_mqtt_fleet_has_numbers, &wait, FLEET_WAIT_MS)
         && tally->n_numbers > n_before)
    n_before = tally->n_numbers;
  if (tally->n_numbers < n_numbers)
    g_error ("'%s' has %u lines and misses number %u of %u", name, tally->n_lines, tally->n_numbers,
             n_numbers);
}

/* --- Load --- */

struct _PenMqttLoad
{
  /* constant after start */
  GThread *thread;
  guint port;
  char *topic;
  guint messages_a_second;
  char *padding;
  /* atomic */
  gint n_sent;
  gint is_stopping;
};

static gpointer
pen_mqtt_load_run (gpointer data)
{
  PenMqttLoad *self = data;
  g_autoptr (PenMqttPublisher) publisher = pen_mqtt_publisher_new (self->port, NULL, NULL);
  gint64 begin_us = g_get_monotonic_time ();
  guint n_sent = 0;

  while (!g_atomic_int_get (&self->is_stopping))
    {
      gint64 now_us = g_get_monotonic_time () - begin_us;

      while (n_sent < now_us * self->messages_a_second / G_USEC_PER_SEC)
        {
          g_autofree char *payload = g_strdup_printf ("%u%s", n_sent++, self->padding);

          pen_mqtt_publisher_send (publisher, self->topic, payload, -1, 1);
        }
      pen_mqtt_publisher_run (publisher, LOAD_SLICE_MS);
      g_atomic_int_set (&self->n_sent, (gint) n_sent);
    }
  g_assert_true (pen_mqtt_publisher_flush (publisher, FLEET_WAIT_MS));
  return NULL;
}

PenMqttLoad *
pen_mqtt_load_start (PenMqttFixture *fixture,
                     const char *topic,
                     guint messages_a_second,
                     gsize payload_bytes)
{
  PenMqttLoad *self = g_new0 (PenMqttLoad, 1);
  g_autofree char *filling = g_strnfill (payload_bytes, 'x');

  self->port = pen_broker_get_plain_port (fixture->broker);
  self->topic = g_strdup (topic);
  self->messages_a_second = messages_a_second;
  self->padding = payload_bytes > 0 ? g_strconcat (" ", filling, NULL) : g_strdup ("");
  self->thread = g_thread_new ("load", pen_mqtt_load_run, self);
  return self;
}

guint
pen_mqtt_load_get_n_sent (PenMqttLoad *self)
{
  return (guint) g_atomic_int_get (&self->n_sent);
}

typedef struct
{
  PenMqttLoad *load;
  guint n_sent;
} PenMqttLoadWait;

static gboolean
pen_mqtt_load_has_sent (gpointer user_data)
{
  const PenMqttLoadWait *wait = user_data;

  return pen_mqtt_load_get_n_sent (wait->load) >= wait->n_sent;
}

void
pen_mqtt_load_await (PenMqttLoad *self, guint n_sent)
{
  PenMqttLoadWait wait = { self, n_sent };

  g_assert_true (pen_test_wait (pen_mqtt_load_has_sent, &wait, FLEET_WAIT_MS));
}

guint
pen_mqtt_load_stop (PenMqttLoad *self)
{
  guint n_sent;

  g_atomic_int_set (&self->is_stopping, TRUE);
  g_thread_join (self->thread);
  n_sent = pen_mqtt_load_get_n_sent (self);
  g_free (self->topic);
  g_free (self->padding);
  g_free (self);
  return n_sent;
}
