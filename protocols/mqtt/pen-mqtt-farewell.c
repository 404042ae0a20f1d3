/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Closing a connection so that what was sent last arrives.
 *
 * Who closes a socket with unread data resets the connection, and the other side's kernel then
 * throws away what its process has not read yet: our acknowledgements, and the good-bye. Under load
 * there is always something unread. So only our half is closed, and what comes is thrown away until
 * the broker closes the other. That takes a round trip, on a thread of its own; a broker that does
 * not close is not waited for longer than LINGER_MS, also by the end of the process. Nor does the
 * next connection of a client id come before: the broker would throw the old one out, with what it
 * has not read.
 */

#include "config.h"

#include "pen-mqtt-farewell.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 1000
/* At a time; the rest waits for its turn. */
#define MAXIMUM_THREADS 256

typedef struct
{
  int fd;
  char *client_id;
} PenMqttFarewell;

static GMutex farewell_lock;
static GCond farewell_said;
static GQueue farewells = G_QUEUE_INIT; /* of PenMqttFarewell, under way; farewell_lock */

/* FALSE when the other side has closed. */
static gboolean
pen_mqtt_farewell_discard (int fd)
{
  char buffer[16384];
  gssize n_bytes = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

  return n_bytes > 0 || (n_bytes < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
pen_mqtt_farewell_say (int fd)
{
  gint64 deadline_us = g_get_monotonic_time () + LINGER_MS * G_TIME_SPAN_MILLISECOND;
  gint64 left_ms = LINGER_MS;

  shutdown (fd, SHUT_WR);
  while (left_ms > 0)
    {
      struct pollfd watched = { fd, POLLIN, 0 };

      if (poll (&watched, 1, (int) left_ms) > 0 && !pen_mqtt_farewell_discard (fd))
        break;
      left_ms = (deadline_us - g_get_monotonic_time ()) / G_TIME_SPAN_MILLISECOND;
    }
  close (fd);
}

static void
pen_mqtt_farewell_run (gpointer data, gpointer user_data)
{
  PenMqttFarewell *self = data;

  pen_mqtt_farewell_say (self->fd);
  g_mutex_lock (&farewell_lock);
  g_queue_remove (&farewells, self);
  g_cond_broadcast (&farewell_said);
  g_mutex_unlock (&farewell_lock);
  g_free (self->client_id);
  g_free (self);
}

static gpointer
pen_mqtt_farewell_make_pool (gpointer user_data)
{
  return g_thread_pool_new (pen_mqtt_farewell_run, NULL, MAXIMUM_THREADS, FALSE, NULL);
}

/* documented in the header, as what follows */
void
pen_mqtt_farewell (int fd, const char *client_id)
{
  static GOnce pool = G_ONCE_INIT;
  PenMqttFarewell *self = g_new (PenMqttFarewell, 1);

  self->fd = fd;
  self->client_id = g_strdup (client_id);
  g_mutex_lock (&farewell_lock);
  g_queue_push_tail (&farewells, self);
  g_mutex_unlock (&farewell_lock);
  g_once (&pool, pen_mqtt_farewell_make_pool, NULL);
  g_thread_pool_push (pool.retval, self, NULL);
}

static gboolean
pen_mqtt_farewell_is_under_way_locked (const char *client_id)
{
  for (const GList *link = farewells.head; link != NULL; link = link->next)
    if (client_id == NULL
        || g_str_equal (((const PenMqttFarewell *) link->data)->client_id, client_id))
      return TRUE;
  return FALSE;
}

void
pen_mqtt_farewell_await (const char *client_id)
{
  gint64 deadline_us = g_get_monotonic_time () + LINGER_MS * G_TIME_SPAN_MILLISECOND;

  g_mutex_lock (&farewell_lock);
  while (pen_mqtt_farewell_is_under_way_locked (client_id))
    if (!g_cond_wait_until (&farewell_said, &farewell_lock, deadline_us))
      break;
  g_mutex_unlock (&farewell_lock);
}

/* The end of the process, which would close the sockets: those who stopped last are still at it. */
__attribute__ ((destructor)) static void
pen_mqtt_farewell_finish (void)
{
  pen_mqtt_farewell_await (NULL);
}
