/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbered messages at a steady rate, from a thread with a connection of its own, past any proxy. A
 * message counts as published when the broker has confirmed it (PUBACK); one that it has not
 * confirmed is sent again after a reconnect, as every publisher with QoS 1 does.
 */

#include "config.h"

#include "pen-chaos-load.h"

#include "pen-mqtt-publisher.h"

#include <string.h>

#define TOPIC "t/chaos"
#define HEAD "{\"id\":\""
#define DIGITS 10
#define MIDDLE "\",\"pad\":\""
#define TAIL "\"}"
/* Far below the 65,535 ids that MQTT has. */
#define MAX_OPEN 20000
#define N_IDS 65536
/* After a silence the publisher does not make up for all of it at once. */
#define LONGEST_BURST_US (G_USEC_PER_SEC / 10)
#define ROUND_MS 5

struct _PenChaosLoad
{
  /* constant after start */
  GThread *thread;
  guint per_second;

  /* the thread's */
  PenMqttPublisher *publisher;
  guint numbers[N_IDS]; /* by id */

  GMutex lock;           /* what follows */
  GArray *confirmations; /* of gint64, by number */
  guint n_confirmed;
  gboolean is_connected;
  gboolean is_stopped;
  gboolean is_ended;
};

void
pen_chaos_payload_write (char payload[PEN_CHAOS_PAYLOAD_LENGTH + 1], guint number)
{
  gsize length = (gsize) g_snprintf (payload, PEN_CHAOS_PAYLOAD_LENGTH + 1, HEAD "%0*u" MIDDLE,
                                     DIGITS, number);

  memset (payload + length, 'x', PEN_CHAOS_PAYLOAD_LENGTH - length);
  memcpy (payload + PEN_CHAOS_PAYLOAD_LENGTH - strlen (TAIL), TAIL, sizeof TAIL);
}

gboolean
pen_chaos_payload_read (const char *text, gsize length, guint *number)
{
  char expected[PEN_CHAOS_PAYLOAD_LENGTH + 1];

  if (length != PEN_CHAOS_PAYLOAD_LENGTH)
    return FALSE;
  *number = (guint) g_ascii_strtoull (text + strlen (HEAD), NULL, 10);
  pen_chaos_payload_write (expected, *number);
  return memcmp (text, expected, length) == 0;
}

static void
pen_chaos_load_on_confirmed (int id, gpointer user_data)
{
  PenChaosLoad *self = user_data;
  gint64 now_us = g_get_real_time ();

  g_mutex_lock (&self->lock);
  g_array_index (self->confirmations, gint64, self->numbers[id]) = now_us;
  self->n_confirmed++;
  g_mutex_unlock (&self->lock);
}

static void
pen_chaos_load_send (PenChaosLoad *self)
{
  const gint64 unconfirmed = PEN_CHAOS_UNCONFIRMED;
  char payload[PEN_CHAOS_PAYLOAD_LENGTH + 1];
  guint number;
  int id;

  g_mutex_lock (&self->lock);
  number = self->confirmations->len;
  g_array_append_val (self->confirmations, unconfirmed);
  g_mutex_unlock (&self->lock);
  pen_chaos_payload_write (payload, number);
  id = pen_mqtt_publisher_queue (self->publisher, TOPIC, payload, PEN_CHAOS_PAYLOAD_LENGTH);
  self->numbers[id] = number;
}

/* Whether another one may be sent now. */
static gboolean
pen_chaos_load_may_send (PenChaosLoad *self)
{
  gboolean may_send;

  g_mutex_lock (&self->lock);
  may_send = self->is_connected && !self->is_stopped
             && self->confirmations->len - self->n_confirmed < MAX_OPEN;
  g_mutex_unlock (&self->lock);
  return may_send;
}

/* Returns whether it is time to end. */
static gboolean
pen_chaos_load_note (PenChaosLoad *self, gboolean is_connected)
{
  gboolean is_ended;

  g_mutex_lock (&self->lock);
  self->is_connected = is_connected;
  is_ended = self->is_ended;
  g_mutex_unlock (&self->lock);
  return is_ended;
}

static gpointer
pen_chaos_load_run (gpointer data)
{
  PenChaosLoad *self = data;
  gint64 interval_us = G_USEC_PER_SEC / self->per_second;
  gint64 due_us = g_get_monotonic_time ();

  while (!pen_chaos_load_note (self, pen_mqtt_publisher_run (self->publisher, ROUND_MS)))
    {
      gint64 now_us = g_get_monotonic_time ();

      due_us = MAX (due_us, now_us - LONGEST_BURST_US);
      while (due_us <= now_us && pen_chaos_load_may_send (self))
        {
          pen_chaos_load_send (self);
          due_us += interval_us;
        }
    }
  return NULL;
}

/* To a broker that accepts connections, @port is one without TLS. */
PenChaosLoad *
pen_chaos_load_new (guint port, guint per_second)
{
  PenChaosLoad *self = g_new0 (PenChaosLoad, 1);

  self->per_second = per_second;
  self->confirmations = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_mutex_init (&self->lock);
  self->publisher = pen_mqtt_publisher_new (port, NULL, NULL);
  pen_mqtt_publisher_set_handler (self->publisher, pen_chaos_load_on_confirmed, self);
  self->thread = g_thread_new ("load", pen_chaos_load_run, self);
  return self;
}

void
pen_chaos_load_free (PenChaosLoad *self)
{
  g_mutex_lock (&self->lock);
  self->is_ended = TRUE;
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  pen_mqtt_publisher_free (self->publisher);
  g_array_unref (self->confirmations);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
pen_chaos_load_stop (PenChaosLoad *self)
{
  g_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  g_mutex_unlock (&self->lock);
}

guint
pen_chaos_load_get_n_sent (PenChaosLoad *self)
{
  guint n_sent;

  g_mutex_lock (&self->lock);
  n_sent = self->confirmations->len;
  g_mutex_unlock (&self->lock);
  return n_sent;
}

guint
pen_chaos_load_get_n_confirmed (PenChaosLoad *self)
{
  guint n_confirmed;

  g_mutex_lock (&self->lock);
  n_confirmed = self->n_confirmed;
  g_mutex_unlock (&self->lock);
  return n_confirmed;
}

gboolean
pen_chaos_load_is_connected (PenChaosLoad *self)
{
  gboolean is_connected;

  g_mutex_lock (&self->lock);
  is_connected = self->is_connected;
  g_mutex_unlock (&self->lock);
  return is_connected;
}

gint64
pen_chaos_load_get_confirmed_us (PenChaosLoad *self, guint number)
{
  gint64 confirmed_us;

  g_mutex_lock (&self->lock);
  confirmed_us = g_array_index (self->confirmations, gint64, number);
  g_mutex_unlock (&self->lock);
  return confirmed_us;
}
