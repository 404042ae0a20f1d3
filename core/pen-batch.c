/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The events that a sink writes together. An event is open until the sink accepts or rejects it, so
 * that what is tried again is only what was not written.
 */

#include "config.h"

#include "pen-batch.h"

#include "pen-batch-private.h"

typedef enum
{
  PEN_BATCH_OPEN,
  PEN_BATCH_ACCEPTED,
  PEN_BATCH_REJECTED,
} PenBatchOutcome;

typedef struct
{
  PenEvent *event;
  PenBatchOutcome outcome;
  char *reason;
  char *message;
} PenBatchEntry;

struct _PenBatch
{
  gatomicrefcount references;
  GArray *entries; /* of PenBatchEntry */
  gsize n_bytes;
  guint n_open;
};

G_DEFINE_BOXED_TYPE (PenBatch, pen_batch, pen_batch_ref, pen_batch_unref)

static void
pen_batch_entry_clear (gpointer data)
{
  PenBatchEntry *entry = data;

  pen_event_unref (entry->event);
  g_free (entry->reason);
  g_free (entry->message);
}

static PenBatchEntry *
pen_batch_get_entry (const PenBatch *self, guint index)
{
  return &g_array_index (self->entries, PenBatchEntry, index);
}

/* documented in the private header */
PenBatch *
pen_batch_new_for (guint n_events)
{
  PenBatch *self = g_new0 (PenBatch, 1);

  g_atomic_ref_count_init (&self->references);
  self->entries = g_array_sized_new (FALSE, FALSE, sizeof (PenBatchEntry), n_events);
  g_array_set_clear_func (self->entries, pen_batch_entry_clear);
  return self;
}

/**
 * pen_batch_new:
 *
 * Returns: (transfer full): a batch without events
 *
 * Threads: any
 */
PenBatch *
pen_batch_new (void)
{
  return pen_batch_new_for (0);
}

/**
 * pen_batch_ref:
 * @self: a batch
 *
 * Returns: (transfer full): @self
 *
 * Threads: any
 */
PenBatch *
pen_batch_ref (PenBatch *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * pen_batch_unref:
 * @self: (transfer full): a batch
 *
 * Threads: any
 */
void
pen_batch_unref (PenBatch *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_array_unref (self->entries);
  g_free (self);
}

/* documented in the private header */
void
pen_batch_take (PenBatch *self, PenEvent *event)
{
  PenBatchEntry entry = { .event = event, .outcome = PEN_BATCH_OPEN };

  self->n_bytes += g_bytes_get_size (pen_event_get_payload (event));
  self->n_open++;
  g_array_append_val (self->entries, entry);
}

/**
 * pen_batch_append:
 * @self: a batch
 * @event: what is added at its end
 *
 * Threads: any, one at a time
 */
void
pen_batch_append (PenBatch *self, PenEvent *event)
{
  pen_batch_take (self, pen_event_ref (event));
}

/**
 * pen_batch_get_n_events:
 * @self: a batch
 *
 * Returns: how many events it has, whatever became of them
 *
 * Threads: any, one at a time
 */
guint
pen_batch_get_n_events (const PenBatch *self)
{
  return self->entries->len;
}

/**
 * pen_batch_get_n_bytes:
 * @self: a batch
 *
 * Returns: bytes of all payloads
 *
 * Threads: any, one at a time
 */
gsize
pen_batch_get_n_bytes (const PenBatch *self)
{
  return self->n_bytes;
}

/**
 * pen_batch_get_event:
 * @self: a batch
 * @index: which, from 0
 *
 * Returns: (transfer none): the event
 *
 * Threads: any, one at a time
 */
PenEvent *
pen_batch_get_event (const PenBatch *self, guint index)
{
  g_return_val_if_fail (index < self->entries->len, NULL);

  return pen_batch_get_entry (self, index)->event;
}

/**
 * pen_batch_is_open:
 * @self: a batch
 * @index: which, from 0
 *
 * Returns: whether the event was neither accepted nor rejected yet; a sink writes only these
 *
 * Threads: any, one at a time
 */
gboolean
pen_batch_is_open (const PenBatch *self, guint index)
{
  g_return_val_if_fail (index < self->entries->len, FALSE);

  return pen_batch_get_entry (self, index)->outcome == PEN_BATCH_OPEN;
}

/* documented in the private header */
guint
pen_batch_get_n_open (const PenBatch *self)
{
  return self->n_open;
}

/**
 * pen_batch_accept:
 * @self: a batch
 * @index: which, from 0
 *
 * Says that an event is written, so that it is not tried again if the sink fails on a later one.
 * Not needed when all are written: then `write` returns %TRUE.
 *
 * Threads: as `write`
 */
void
pen_batch_accept (PenBatch *self, guint index)
{
  g_return_if_fail (pen_batch_is_open (self, index));

  pen_batch_get_entry (self, index)->outcome = PEN_BATCH_ACCEPTED;
  self->n_open--;
}

/**
 * pen_batch_reject:
 * @self: a batch
 * @index: which, from 0
 * @reason: label under which it is counted: a word of the field such as `too_long`
 * @format: what is wrong with the event, with what, why
 * @...: for @format
 *
 * Says that an event can never be written here: it becomes a dead letter.
 *
 * Threads: as `write`
 */
void
pen_batch_reject (PenBatch *self, guint index, const char *reason, const char *format, ...)
{
  PenBatchEntry *entry = NULL;
  va_list arguments;

  g_return_if_fail (pen_batch_is_open (self, index));

  entry = pen_batch_get_entry (self, index);
  entry->outcome = PEN_BATCH_REJECTED;
  entry->reason = g_strdup (reason);
  va_start (arguments, format);
  entry->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->n_open--;
}

/* documented in the private header */
gboolean
pen_batch_get_rejection (const PenBatch *self,
                         guint index,
                         const char **reason,
                         const char **message)
{
  const PenBatchEntry *entry = pen_batch_get_entry (self, index);

  if (entry->outcome != PEN_BATCH_REJECTED)
    return FALSE;
  *reason = entry->reason;
  *message = entry->message;
  return TRUE;
}
