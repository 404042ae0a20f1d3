/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bad network between a client and a broker on this machine: a thread that passes on what comes,
 * until it is told to cut, to fall silent, or to slip in bytes of its own. What it is told takes
 * effect in the thread's next round; the callers' fields are under the lock.
 */

#include "config.h"

#include "pen-chaos-proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* One client, but it comes again and again, and silent connections stay. */
#define MAX_PAIRS 256
#define BLOCK_BYTES (64 * 1024)
/* A side that takes nothing stops the reading of the other. */
#define MAX_WAITING_BYTES (256 * 1024)

/* From one side to the other. */
typedef struct
{
  GByteArray *waiting;
  gsize n_gone; /* of the waiting bytes */
} PenChaosFlow;

/* Where a packet of MQTT begins: a byte, a length of 7 bits a byte, so many bytes. */
typedef struct
{
  guint64 left; /* of the packet's body */
  guint shift;
  gboolean is_in_head; /* the length is being read */
  gboolean has_begun;
} PenChaosFrames;

typedef struct
{
  int client;
  int broker;
  gboolean is_silent;
  PenChaosFlow to_client;
  PenChaosFlow to_broker;
  PenChaosFrames frames;
  guint n_packets;
} PenChaosPair;

struct _PenChaosProxy
{
  /* constant after start */
  GThread *thread;
  int listener;
  int wake;
  guint port;
  guint target_port;

  GPtrArray *pairs; /* the thread's */

  GMutex lock; /* what follows */
  gboolean is_ended;
  gboolean is_refusing;
  gint64 n_until_cut; /* bytes; -1: none is to come */
  PenChaosCut cut;
  GBytes *injection;
};

static void
pen_chaos_pair_free (gpointer data)
{
  PenChaosPair *self = data;

  close (self->client);
  close (self->broker);
  g_byte_array_unref (self->to_client.waiting);
  g_byte_array_unref (self->to_broker.waiting);
  g_free (self);
}

static gsize
pen_chaos_flow_get_length (const PenChaosFlow *self)
{
  return self->waiting->len - self->n_gone;
}

/* FALSE when the other side is gone. */
static gboolean
pen_chaos_flow_write (PenChaosFlow *self, int fd)
{
  gssize n_bytes;

  if (pen_chaos_flow_get_length (self) == 0)
    return TRUE;
  n_bytes = send (fd, self->waiting->data + self->n_gone, pen_chaos_flow_get_length (self),
                  MSG_NOSIGNAL);
  if (n_bytes < 0)
    return errno == EAGAIN || errno == EINTR;
  self->n_gone += (gsize) n_bytes;
  if (self->n_gone == self->waiting->len)
    {
      g_byte_array_set_size (self->waiting, 0);
      self->n_gone = 0;
    }
  return TRUE;
}

/* Returns whether the packet ends with @byte. */
static gboolean
pen_chaos_frames_add (PenChaosFrames *self, guint8 byte)
{
  if (!self->has_begun)
    {
      *self = (PenChaosFrames){ .has_begun = TRUE, .is_in_head = TRUE };
      return FALSE;
    }
  if (self->is_in_head)
    {
      self->left |= (guint64) (byte & 0x7f) << self->shift;
      self->shift += 7;
      self->is_in_head = (byte & 0x80) != 0;
    }
  else
    self->left--;
  self->has_begun = self->is_in_head || self->left > 0;
  return !self->has_begun;
}

static void
pen_chaos_proxy_pass_packets (PenChaosProxy *self,
                              PenChaosPair *pair,
                              const guint8 *block,
                              gsize length)
{
  gsize n_passed = 0;

  for (gsize i = 0; i < length; i++)
    {
      if (!pen_chaos_frames_add (&pair->frames, block[i]))
        continue;
      pair->n_packets++;
      /* the first one answers the login, and nothing may come before it */
      if (self->injection == NULL || pair->n_packets < 2)
        continue;
      g_byte_array_append (pair->to_client.waiting, block + n_passed, (guint) (i + 1 - n_passed));
      n_passed = i + 1;
      g_byte_array_append (pair->to_client.waiting, g_bytes_get_data (self->injection, NULL),
                           (guint) g_bytes_get_size (self->injection));
      g_clear_pointer (&self->injection, g_bytes_unref);
    }
  g_byte_array_append (pair->to_client.waiting, block + n_passed, (guint) (length - n_passed));
}

/* With the lock. Returns how much of @length goes through before the cut. */
static gsize
pen_chaos_proxy_allow_locked (PenChaosProxy *self, gsize length)
{
  gsize n_allowed = length;

  if (self->n_until_cut < 0)
    return length;
  n_allowed = MIN (length, (gsize) self->n_until_cut);
  self->n_until_cut -= (gint64) n_allowed;
  return n_allowed;
}

/* From the broker. FALSE when it is gone. */
static gboolean
pen_chaos_proxy_read_broker (PenChaosProxy *self, PenChaosPair *pair)
{
  guint8 block[BLOCK_BYTES];
  gssize n_bytes = recv (pair->broker, block, sizeof block, 0);

  if (n_bytes <= 0)
    return n_bytes < 0 && (errno == EAGAIN || errno == EINTR);
  g_mutex_lock (&self->lock);
  pen_chaos_proxy_pass_packets (self, pair, block,
                                pen_chaos_proxy_allow_locked (self, (gsize) n_bytes));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
pen_chaos_proxy_read_client (PenChaosPair *pair)
{
  guint8 block[BLOCK_BYTES];
  gssize n_bytes = recv (pair->client, block, sizeof block, 0);

  if (n_bytes <= 0)
    return n_bytes < 0 && (errno == EAGAIN || errno == EINTR);
  g_byte_array_append (pair->to_broker.waiting, block, (guint) n_bytes);
  return TRUE;
}

static void
pen_chaos_proxy_accept (PenChaosProxy *self, gboolean is_refusing)
{
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_port = htons ((guint16) self->target_port) };
  int client = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  int broker;
  PenChaosPair *pair;

  if (client < 0)
    return;
  broker = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (is_refusing || self->pairs->len >= MAX_PAIRS
      || connect (broker, (struct sockaddr *) &address, sizeof address) < 0)
    {
      close (client);
      close (broker);
      return;
    }
  fcntl (broker, F_SETFL, O_NONBLOCK);
  pair = g_new0 (PenChaosPair, 1);
  pair->client = client;
  pair->broker = broker;
  pair->to_client.waiting = g_byte_array_new ();
  pair->to_broker.waiting = g_byte_array_new ();
  g_ptr_array_add (self->pairs, pair);
}

static void
pen_chaos_pair_reset (PenChaosPair *self)
{
  const struct linger now = { 1, 0 };

  setsockopt (self->client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  setsockopt (self->broker, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void
pen_chaos_proxy_cut_all (PenChaosProxy *self, PenChaosCut how)
{
  for (guint i = self->pairs->len; i > 0; i--)
    {
      PenChaosPair *pair = g_ptr_array_index (self->pairs, i - 1);

      if (pair->is_silent)
        continue;
      /* what came before the cut arrives, as far as the other side takes it */
      pen_chaos_flow_write (&pair->to_client, pair->client);
      if (how == PEN_CHAOS_CUT_RESET)
        pen_chaos_pair_reset (pair);
      if (how == PEN_CHAOS_CUT_SILENT)
        pair->is_silent = TRUE;
      else
        g_ptr_array_remove_index_fast (self->pairs, i - 1);
    }
}

/* Does what the callers have asked for. FALSE: it is over. */
static gboolean
pen_chaos_proxy_obey (PenChaosProxy *self, gboolean *is_refusing)
{
  gboolean is_due;
  gboolean is_ended;

  g_mutex_lock (&self->lock);
  is_due = self->n_until_cut == 0;
  if (is_due)
    self->n_until_cut = -1;
  is_ended = self->is_ended;
  *is_refusing = self->is_refusing;
  g_mutex_unlock (&self->lock);
  if (is_due)
    pen_chaos_proxy_cut_all (self, self->cut);
  return !is_ended;
}

static void
pen_chaos_pair_ask (const PenChaosPair *self, struct pollfd *questions)
{
  const PenChaosFlow *const out[] = { &self->to_client, &self->to_broker };

  questions[0].fd = self->is_silent ? -1 : self->client;
  questions[1].fd = self->is_silent ? -1 : self->broker;
  for (guint i = 0; i < 2; i++)
    {
      questions[i].events = pen_chaos_flow_get_length (out[i]) > 0 ? POLLOUT : 0;
      if (pen_chaos_flow_get_length (out[1 - i]) < MAX_WAITING_BYTES)
        questions[i].events |= POLLIN;
    }
}

/* FALSE when one of the sides is gone. */
static gboolean
pen_chaos_proxy_serve (PenChaosProxy *self, PenChaosPair *pair, const struct pollfd *answers)
{
  const short readable = POLLIN | POLLHUP | POLLERR;

  if ((answers[0].revents & readable) != 0 && !pen_chaos_proxy_read_client (pair))
    return FALSE;
  if ((answers[1].revents & readable) != 0 && !pen_chaos_proxy_read_broker (self, pair))
    return FALSE;
  return pen_chaos_flow_write (&pair->to_client, pair->client)
         && pen_chaos_flow_write (&pair->to_broker, pair->broker);
}

static gpointer
pen_chaos_proxy_run (gpointer data)
{
  PenChaosProxy *self = data;
  struct pollfd questions[2 + 2 * MAX_PAIRS];
  gboolean is_refusing;
  guint64 count;

  while (pen_chaos_proxy_obey (self, &is_refusing))
    {
      guint n_pairs = self->pairs->len;

      questions[0] = (struct pollfd){ self->wake, POLLIN, 0 };
      questions[1] = (struct pollfd){ self->listener, POLLIN, 0 };
      for (guint i = 0; i < n_pairs; i++)
        pen_chaos_pair_ask (g_ptr_array_index (self->pairs, i), &questions[2 + 2 * i]);
      poll (questions, 2 + 2 * n_pairs, -1);
      for (guint i = n_pairs; i > 0; i--)
        {
          PenChaosPair *pair = g_ptr_array_index (self->pairs, i - 1);

          if (!pair->is_silent && !pen_chaos_proxy_serve (self, pair, &questions[2 * i]))
            g_ptr_array_remove_index_fast (self->pairs, i - 1);
        }
      if (questions[0].revents != 0 && read (self->wake, &count, sizeof count) < 0)
        g_assert_cmpint (errno, ==, EAGAIN);
      if (questions[1].revents != 0)
        pen_chaos_proxy_accept (self, is_refusing);
    }
  return NULL;
}

/* --- For callers --- */

static void
pen_chaos_proxy_wake (PenChaosProxy *self)
{
  const guint64 one = 1;

  g_assert_cmpint (write (self->wake, &one, sizeof one), ==, sizeof one);
}

PenChaosProxy *
pen_chaos_proxy_new (guint target_port)
{
  PenChaosProxy *self = g_new0 (PenChaosProxy, 1);
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;

  g_mutex_init (&self->lock);
  self->target_port = target_port;
  self->n_until_cut = -1;
  self->pairs = g_ptr_array_new_with_free_func (pen_chaos_pair_free);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_no_errno (bind (self->listener, (struct sockaddr *) &address, length));
  g_assert_no_errno (listen (self->listener, SOMAXCONN));
  g_assert_no_errno (getsockname (self->listener, (struct sockaddr *) &address, &length));
  self->port = ntohs (address.sin_port);
  self->thread = g_thread_new ("proxy", pen_chaos_proxy_run, self);
  return self;
}

void
pen_chaos_proxy_free (PenChaosProxy *self)
{
  g_mutex_lock (&self->lock);
  self->is_ended = TRUE;
  g_mutex_unlock (&self->lock);
  pen_chaos_proxy_wake (self);
  g_thread_join (self->thread);
  g_ptr_array_unref (self->pairs);
  g_clear_pointer (&self->injection, g_bytes_unref);
  close (self->listener);
  close (self->wake);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint
pen_chaos_proxy_get_port (PenChaosProxy *self)
{
  return self->port;
}

void
pen_chaos_proxy_cut_after (PenChaosProxy *self, guint n_bytes, PenChaosCut how)
{
  g_mutex_lock (&self->lock);
  self->n_until_cut = n_bytes;
  self->cut = how;
  g_mutex_unlock (&self->lock);
  pen_chaos_proxy_wake (self);
}

void
pen_chaos_proxy_cut (PenChaosProxy *self, PenChaosCut how)
{
  pen_chaos_proxy_cut_after (self, 0, how);
}

void
pen_chaos_proxy_refuse (PenChaosProxy *self, gboolean is_refusing)
{
  g_mutex_lock (&self->lock);
  self->is_refusing = is_refusing;
  g_mutex_unlock (&self->lock);
  pen_chaos_proxy_wake (self);
}

void
pen_chaos_proxy_inject (PenChaosProxy *self, GBytes *bytes)
{
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->injection, g_bytes_unref);
  self->injection = g_bytes_ref (bytes);
  g_mutex_unlock (&self->lock);
}

gboolean
pen_chaos_proxy_has_injected (PenChaosProxy *self)
{
  gboolean has_injected;

  g_mutex_lock (&self->lock);
  has_injected = self->injection == NULL;
  g_mutex_unlock (&self->lock);
  return has_injected;
}

/* Whether the cut that was asked for has been made. */
gboolean
pen_chaos_proxy_has_cut (PenChaosProxy *self)
{
  gboolean has_cut;

  g_mutex_lock (&self->lock);
  has_cut = self->n_until_cut < 0;
  g_mutex_unlock (&self->lock);
  return has_cut;
}
