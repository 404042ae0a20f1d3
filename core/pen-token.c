/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who still holds a message, and in which order the source may acknowledge.
 *
 * The queue is a list of tokens in the order in which their messages came. A token whose last
 * reference is dropped stays in the list, settled, until it is the oldest: then it and all settled
 * ones behind it leave, and the source hears of the last one's position. References are atomic;
 * everything else belongs to the lane. A last reference dropped on another thread is handed over
 * to the lane, so the queue needs no lock.
 */

#include "config.h"

#include "pen-token.h"

#include "pen-token-private.h"

struct _PenToken
{
  gatomicrefcount references;
  /* lane */
  gboolean is_settled;
  guint64 position;
  PenTokenQueue *queue;
  PenToken *next;
};

struct _PenTokenQueue
{
  /* constant after start */
  GMainContext *context;
  PenTokenSettleFunc settle;
  gpointer user_data;
  /* lane */
  PenToken *oldest;
  PenToken *newest;
  guint n_open;
  guint64 pushed;
  guint64 settled;
  gboolean is_closed;
};

G_DEFINE_BOXED_TYPE (PenToken, pen_token, pen_token_ref, pen_token_unref)

/**
 * pen_token_ref:
 * @self: a token
 *
 * Returns: (transfer full): @self
 *
 * Threads: any
 */
PenToken *
pen_token_ref (PenToken *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

static void
pen_token_queue_free_if_unused (PenTokenQueue *self)
{
  if (!self->is_closed || self->oldest != NULL)
    return;
  g_main_context_unref (self->context);
  g_free (self);
}

static gboolean
pen_token_settle (gpointer data)
{
  PenToken *self = data;
  PenTokenQueue *queue = self->queue;
  guint64 settled = queue->settled;

  self->is_settled = TRUE;
  queue->n_open--;
  while (queue->oldest != NULL && queue->oldest->is_settled)
    {
      PenToken *token = queue->oldest;

      queue->settled = token->position;
      queue->oldest = token->next;
      g_free (token);
    }
  if (queue->oldest == NULL)
    queue->newest = NULL;
  /* The last that is done here: who hears of it may close the queue. */
  if (queue->is_closed)
    pen_token_queue_free_if_unused (queue);
  else if (queue->settled != settled)
    queue->settle (queue->settled, queue->user_data);
  return G_SOURCE_REMOVE;
}

/**
 * pen_token_unref:
 * @self: (transfer full): a token
 *
 * Drops a reference. With the last one the message has its outcome.
 *
 * Threads: any
 */
void
pen_token_unref (PenToken *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  if (g_main_context_is_owner (self->queue->context))
    pen_token_settle (self);
  else
    g_main_context_invoke (self->queue->context, pen_token_settle, self);
}

/**
 * pen_token_get_position:
 * @self: a token
 *
 * Returns: the message's number in the order in which its source received, from 1
 *
 * Threads: any
 */
guint64
pen_token_get_position (const PenToken *self)
{
  return self->position;
}

/**
 * pen_token_covers:
 * @self: a token
 * @other: another one
 *
 * Says whether who holds @self need not hold @other: both are of messages of one source, which
 * acknowledges in order, and the message of @self came first.
 *
 * Returns: whether @other is not acknowledged before @self
 *
 * Threads: any
 */
gboolean
pen_token_covers (const PenToken *self, const PenToken *other)
{
  return self->queue == other->queue && self->position <= other->position;
}

/* @settle is called whenever the oldest open message changes: once for all that settled
 * together. */
PenTokenQueue *
pen_token_queue_new (GMainContext *context, PenTokenSettleFunc settle, gpointer user_data)
{
  PenTokenQueue *self = g_new0 (PenTokenQueue, 1);

  self->context = context != NULL ? g_main_context_ref (context)
                                  : g_main_context_ref (g_main_context_default ());
  self->settle = settle;
  self->user_data = user_data;
  return self;
}

/* From now on nobody hears of anything that settles; frees the queue with its last token. */
void
pen_token_queue_close (PenTokenQueue *self)
{
  self->is_closed = TRUE;
  pen_token_queue_free_if_unused (self);
}

/* (transfer full): a token for the next message, whose position is greater than all before */
PenToken *
pen_token_queue_take_at (PenTokenQueue *self, guint64 position)
{
  PenToken *token = g_new (PenToken, 1);

  g_atomic_ref_count_init (&token->references);
  token->is_settled = FALSE;
  self->pushed = position;
  token->position = position;
  token->queue = self;
  token->next = NULL;
  if (self->newest == NULL)
    self->oldest = token;
  else
    self->newest->next = token;
  self->newest = token;
  self->n_open++;
  return token;
}

/* (transfer full): a token for the next message */
PenToken *
pen_token_queue_take (PenTokenQueue *self)
{
  return pen_token_queue_take_at (self, self->pushed + 1);
}

/* How many messages have no outcome yet. */
guint
pen_token_queue_get_n_open (PenTokenQueue *self)
{
  return self->n_open;
}

/* Position of the newest message; 0 before the first. */
guint64
pen_token_queue_get_pushed (PenTokenQueue *self)
{
  return self->pushed;
}

/* Position up to which every message has its outcome. */
guint64
pen_token_queue_get_settled (PenTokenQueue *self)
{
  return self->settled;
}
