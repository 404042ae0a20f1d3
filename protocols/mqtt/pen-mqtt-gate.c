/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How many connections are being made at a time.
 *
 * Thousands of sources begin to connect in the same moment: at the start, and when their broker has
 * come back. More of them at once get none of them there sooner, because the broker does one
 * hand-shake after the other; but they overflow its backlog, and whoever is dropped there tries
 * again after a second or later. So only so many of an address are under way, the others wait in
 * the order in which they came, and the broker's own pace is theirs. One that has nobody before it
 * does not wait at all.
 *
 * Addresses do not wait for each other, as long as the threads suffice: an attempt that takes
 * longer than its source would wait counts no more among those of its address, but its thread is
 * gone until the kernel gives up.
 */

#include "config.h"

#include "pen-mqtt-gate.h"

/* In all; more wait for a thread. */
#define MAXIMUM_THREADS 256

struct _PenMqttGateAddress
{
  char *name;
  guint n_turns; /* all of them: it goes with the last */
  guint n_under_way;
  GQueue waiting; /* of PenMqttTurn */
};

static GMutex gate_lock;
static GHashTable *gate_addresses; /* name to PenMqttGateAddress; gate_lock */
static GThreadPool *gate_pool;     /* constant once it is made */

static void
pen_mqtt_turn_run (gpointer data, gpointer user_data)
{
  PenMqttTurn *self = data;

  g_mutex_lock (&gate_lock);
  self->has_begun = TRUE;
  g_mutex_unlock (&gate_lock);
  self->func (self->user_data);
}

static void
pen_mqtt_gate_address_free (gpointer data)
{
  PenMqttGateAddress *self = data;

  g_free (self->name);
  g_free (self);
}

static PenMqttGateAddress *
pen_mqtt_gate_find_locked (const char *host, guint port)
{
  g_autofree char *name = g_strdup_printf ("%s:%u", host, port);
  PenMqttGateAddress *address;

  if (gate_addresses == NULL)
    {
      gate_addresses = g_hash_table_new_full (g_str_hash, g_str_equal, NULL /* the address's */,
                                              pen_mqtt_gate_address_free);
      gate_pool = g_thread_pool_new (pen_mqtt_turn_run, NULL, MAXIMUM_THREADS, FALSE, NULL);
    }
  address = g_hash_table_lookup (gate_addresses, name);
  if (address != NULL)
    return address;
  address = g_new0 (PenMqttGateAddress, 1);
  address->name = g_steal_pointer (&name);
  g_hash_table_insert (gate_addresses, address->name, address);
  return address;
}

static void
pen_mqtt_gate_admit_locked (PenMqttGateAddress *address)
{
  while (address->waiting.length > 0 && address->n_under_way < PEN_MQTT_GATE_PER_ADDRESS)
    {
      PenMqttTurn *turn = g_queue_pop_head_link (&address->waiting)->data;

      turn->is_waiting = FALSE;
      turn->is_counted = TRUE;
      address->n_under_way++;
      /* an error means that no thread could be started now; the turn stays queued */
      g_thread_pool_push (gate_pool, turn, NULL);
    }
}

static void
pen_mqtt_turn_yield_locked (PenMqttTurn *self)
{
  PenMqttGateAddress *address = self->address;

  if (!self->is_counted)
    return;
  self->is_counted = FALSE;
  address->n_under_way--;
  pen_mqtt_gate_admit_locked (address);
}

/* @func is called on a thread when it is @self's turn, and says when that is over. @self must live
 * until it has been called, or pen_mqtt_turn_end () has said that it will not be. Threads: lane */
void
pen_mqtt_turn_await (PenMqttTurn *self,
                     const char *host,
                     guint port,
                     PenMqttTurnFunc func,
                     gpointer user_data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate_lock);

  self->func = func;
  self->user_data = user_data;
  self->address = pen_mqtt_gate_find_locked (host, port);
  self->address->n_turns++;
  self->is_waiting = TRUE;
  self->link.data = self;
  g_queue_push_tail_link (&self->address->waiting, &self->link);
  pen_mqtt_gate_admit_locked (self->address);
}

/* Whether a thread took it up. Threads: any */
gboolean
pen_mqtt_turn_has_begun (PenMqttTurn *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate_lock);

  return self->has_begun;
}

/* It goes on, but nobody waits for it any more. Threads: any */
void
pen_mqtt_turn_yield (PenMqttTurn *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate_lock);

  pen_mqtt_turn_yield_locked (self);
}

/* Returns: TRUE if it had not come, and never will. Threads: any */
gboolean
pen_mqtt_turn_end (PenMqttTurn *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate_lock);
  PenMqttGateAddress *address = self->address;

  if (address == NULL)
    return FALSE;
  if (self->is_waiting)
    g_queue_unlink (&address->waiting, &self->link);
  pen_mqtt_turn_yield_locked (self);
  self->address = NULL;
  if (--address->n_turns == 0)
    g_hash_table_remove (gate_addresses, address->name);
  return self->is_waiting;
}
