/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a pipeline owes. An event that was handed on to three readers is owed three outcomes. Each
 * is an entry in one table (event, reader), and one more in the count of every message that the
 * event is made of. The table is bookkeeping of the plainest kind on purpose: it shares no idea
 * with the code that it judges.
 */

#include "config.h"

#include "pen-flow-model.h"

#define NONE G_MAXUINT

typedef struct
{
  guint first_event; /* as it was received */
  guint n_owed;
} PenFlowMessage;

typedef struct
{
  GArray *readers;     /* of guint */
  GPtrArray *messages; /* of PenFlowMessage, of a source */
  guint64 settled;
  PenFlowCounts counts;
} PenFlowNode;

typedef struct
{
  GPtrArray *messages; /* of PenFlowMessage, not owned */
  gboolean is_merged;
} PenFlowEvent;

struct _PenFlowModel
{
  guint32 seed;
  GMutex lock;       /* everything below */
  GPtrArray *nodes;  /* of PenFlowNode */
  GPtrArray *events; /* of PenFlowEvent */
  GHashTable *owed;  /* event and reader to how often */
  guint dead_letter;
  guint n_lost; /* rejected, and kept by nobody */
};

static void
pen_flow_node_free (gpointer data)
{
  PenFlowNode *self = data;

  g_array_unref (self->readers);
  g_ptr_array_unref (self->messages);
  g_free (self);
}

static void
pen_flow_event_free (gpointer data)
{
  PenFlowEvent *self = data;

  g_ptr_array_unref (self->messages);
  g_free (self);
}

PenFlowModel *
pen_flow_model_new (guint32 seed)
{
  PenFlowModel *self = g_new0 (PenFlowModel, 1);

  self->seed = seed;
  self->dead_letter = NONE;
  self->nodes = g_ptr_array_new_with_free_func (pen_flow_node_free);
  self->events = g_ptr_array_new_with_free_func (pen_flow_event_free);
  self->owed = g_hash_table_new (NULL, NULL);
  g_mutex_init (&self->lock);
  return self;
}

void
pen_flow_model_free (PenFlowModel *self)
{
  g_hash_table_unref (self->owed);
  g_ptr_array_unref (self->events);
  g_ptr_array_unref (self->nodes);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
pen_flow_model_fail (PenFlowModel *self, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_error ("PENSTOCK_TEST_SEED=%u: %s", self->seed, message);
}

guint
pen_flow_model_add_node (PenFlowModel *self)
{
  PenFlowNode *node = g_new0 (PenFlowNode, 1);

  node->readers = g_array_new (FALSE, FALSE, sizeof (guint));
  node->messages = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->nodes, node);
  return self->nodes->len - 1;
}

static PenFlowNode *
pen_flow_model_get_node (PenFlowModel *self, guint node)
{
  return g_ptr_array_index (self->nodes, node);
}

void
pen_flow_model_add_reader (PenFlowModel *self, guint node, guint reader)
{
  g_array_append_val (pen_flow_model_get_node (self, node)->readers, reader);
}

void
pen_flow_model_set_dead_letter (PenFlowModel *self, guint node)
{
  self->dead_letter = node;
}

PenFlowCounts *
pen_flow_model_get_counts (PenFlowModel *self, guint node)
{
  return &pen_flow_model_get_node (self, node)->counts;
}

static const PenFlowEvent *
pen_flow_model_get_event (PenFlowModel *self, guint event)
{
  if (event >= self->events->len)
    pen_flow_model_fail (self, "there is no event %u", event);
  return g_ptr_array_index (self->events, event);
}

static gpointer
pen_flow_model_get_key (PenFlowModel *self, guint node, guint event)
{
  return GUINT_TO_POINTER (event * self->nodes->len + node + 1);
}

static guint
pen_flow_model_count_owed_locked (PenFlowModel *self, guint node, guint event)
{
  return GPOINTER_TO_UINT (
      g_hash_table_lookup (self->owed, pen_flow_model_get_key (self, node, event)));
}

static void
pen_flow_model_owe_locked (PenFlowModel *self, guint node, guint event, int change)
{
  guint n_owed = pen_flow_model_count_owed_locked (self, node, event);
  const PenFlowEvent *it = pen_flow_model_get_event (self, event);

  if (change < 0 && n_owed == 0)
    pen_flow_model_fail (self, "event %u at node %u has its outcome already", event, node);
  g_hash_table_insert (self->owed, pen_flow_model_get_key (self, node, event),
                       GUINT_TO_POINTER (n_owed + (guint) change));
  for (guint i = 0; i < it->messages->len; i++)
    ((PenFlowMessage *) g_ptr_array_index (it->messages, i))->n_owed += (guint) change;
}

static guint
pen_flow_model_add_event_locked (PenFlowModel *self)
{
  PenFlowEvent *event = g_new0 (PenFlowEvent, 1);

  event->messages = g_ptr_array_new ();
  g_ptr_array_add (self->events, event);
  return self->events->len - 1;
}

/* A message is about to be pushed; until that has returned it is owed to its source. */
guint
pen_flow_model_receive (PenFlowModel *self, guint source)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  PenFlowNode *node = pen_flow_model_get_node (self, source);
  PenFlowMessage *message = g_new0 (PenFlowMessage, 1);
  guint event = pen_flow_model_add_event_locked (self);

  message->first_event = event;
  g_ptr_array_add (node->messages, message);
  g_ptr_array_add (((PenFlowEvent *) g_ptr_array_index (self->events, event))->messages, message);
  node->counts.n_received++;
  pen_flow_model_owe_locked (self, source, event, 1);
  return event;
}

void
pen_flow_model_received (PenFlowModel *self, guint source, guint event, guint64 position)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const PenFlowNode *node = pen_flow_model_get_node (self, source);

  if (position != node->messages->len)
    pen_flow_model_fail (self, "message %u of source %u has position %" G_GUINT64_FORMAT,
                         node->messages->len, source, position);
  pen_flow_model_owe_locked (self, source, event, -1);
}

/* An event that is made of others, and owed to nobody yet. */
guint
pen_flow_model_make (PenFlowModel *self, const guint *origins, guint n_origins)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint event = pen_flow_model_add_event_locked (self);
  PenFlowEvent *made = g_ptr_array_index (self->events, event);

  made->is_merged = n_origins > 1;
  for (guint i = 0; i < n_origins; i++)
    {
      const PenFlowEvent *origin = pen_flow_model_get_event (self, origins[i]);

      made->is_merged = made->is_merged || origin->is_merged;
      for (guint j = 0; j < origin->messages->len; j++)
        if (!g_ptr_array_find (made->messages, g_ptr_array_index (origin->messages, j), NULL))
          g_ptr_array_add (made->messages, g_ptr_array_index (origin->messages, j));
    }
  return event;
}

/* @node has got @event: it must be owed to it. */
void
pen_flow_model_expect (PenFlowModel *self, guint node, guint event)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (pen_flow_model_count_owed_locked (self, node, event) == 0)
    pen_flow_model_fail (self, "event %u was not handed to node %u, or is there again", event,
                         node);
}

/* @node hands @event on: it is owed to each of its readers. */
void
pen_flow_model_give (PenFlowModel *self, guint node, guint event)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  PenFlowNode *giver = pen_flow_model_get_node (self, node);

  giver->counts.n_sent++;
  for (guint i = 0; i < giver->readers->len; i++)
    {
      guint reader = g_array_index (giver->readers, guint, i);

      pen_flow_model_get_node (self, reader)->counts.n_received++;
      pen_flow_model_owe_locked (self, reader, event, 1);
    }
}

/* @event, or a part of it, will not pass @node: a letter is owed, unless nobody keeps letters. */
void
pen_flow_model_reject (PenFlowModel *self, guint node, guint event)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  pen_flow_model_get_node (self, node)->counts.n_rejected++;
  if (self->dead_letter == NONE || node == self->dead_letter)
    {
      self->n_lost++;
      return;
    }
  pen_flow_model_get_node (self, self->dead_letter)->counts.n_received++;
  pen_flow_model_owe_locked (self, self->dead_letter, event, 1);
}

/* @event has its outcome at @node. */
void
pen_flow_model_finish (PenFlowModel *self, guint node, guint event)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  pen_flow_model_owe_locked (self, node, event, -1);
}

int
pen_flow_model_get_message (PenFlowModel *self, guint event)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const PenFlowEvent *it = pen_flow_model_get_event (self, event);

  return it->is_merged
             ? -1
             : (int) ((const PenFlowMessage *) g_ptr_array_index (it->messages, 0))->first_event;
}

static guint64
pen_flow_model_get_due_locked (PenFlowModel *self, guint source)
{
  const PenFlowNode *node = pen_flow_model_get_node (self, source);
  guint64 due = node->settled;

  while (due < node->messages->len
         && ((const PenFlowMessage *) g_ptr_array_index (node->messages, due))->n_owed == 0)
    due++;
  return due;
}

/* The source was told that it may acknowledge up to @position. */
void
pen_flow_model_settle (PenFlowModel *self, guint source, guint64 position)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  PenFlowNode *node = pen_flow_model_get_node (self, source);
  guint64 due = pen_flow_model_get_due_locked (self, source);

  if (position <= node->settled)
    pen_flow_model_fail (self, "source %u: %" G_GUINT64_FORMAT " settles after %" G_GUINT64_FORMAT,
                         source, position, node->settled);
  if (position > due)
    pen_flow_model_fail (self,
                         "source %u: %" G_GUINT64_FORMAT " settles, but message %" G_GUINT64_FORMAT
                         " of %u has no outcome yet",
                         source, position, due + 1, node->messages->len);
  node->settled = position;
}

guint64
pen_flow_model_get_settled (PenFlowModel *self, guint source)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return pen_flow_model_get_node (self, source)->settled;
}

/* Up to where everything has its outcome. */
guint64
pen_flow_model_get_due (PenFlowModel *self, guint source)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return pen_flow_model_get_due_locked (self, source);
}

guint
pen_flow_model_get_n_messages (PenFlowModel *self, guint source)
{
  return pen_flow_model_get_node (self, source)->messages->len;
}

guint
pen_flow_model_get_n_events (PenFlowModel *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->events->len;
}

guint
pen_flow_model_get_n_lost (PenFlowModel *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->n_lost;
}
