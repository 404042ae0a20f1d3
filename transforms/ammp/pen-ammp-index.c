/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hash table of positions: its memory.
 */

#include "config.h"

#include "pen-ammp-index.h"

/* So few slots of 8 KiB are touched that they stay in the cache, and so many are empty that most
 * looks end at the first one: a look that does not costs a mispredicted branch. */
#define FIRST_SLOTS 1024

/* What a large payload needed is not kept for the next one, which will be small again. */
#define MAX_KEPT_SLOTS 4096

static void
pen_ammp_index_allocate (PenAmmpIndex *self, guint32 n_slots)
{
  g_free (self->slots);
  self->slots = g_new0 (guint64, n_slots);
  self->n_allocated = n_slots;
  self->generation = 0;
}

/**
 * pen_ammp_index_init:
 * @self: an index
 *
 * Threads: any
 */
void
pen_ammp_index_init (PenAmmpIndex *self)
{
  *self = (PenAmmpIndex){ 0 };
  pen_ammp_index_empty (self);
}

/**
 * pen_ammp_index_clear:
 * @self: an index
 *
 * Frees what it holds.
 *
 * Threads: any
 */
void
pen_ammp_index_clear (PenAmmpIndex *self)
{
  g_clear_pointer (&self->slots, g_free);
}

/**
 * pen_ammp_index_empty:
 * @self: an index
 *
 * Throws everything out.
 *
 * Threads: lane
 */
void
pen_ammp_index_empty (PenAmmpIndex *self)
{
  if (self->n_allocated < FIRST_SLOTS || self->n_allocated > MAX_KEPT_SLOTS
      || self->generation == G_MAXUINT32)
    pen_ammp_index_allocate (self, FIRST_SLOTS);
  self->generation++;
  self->mask = FIRST_SLOTS - 1;
  self->n_held = 0;
}

/**
 * pen_ammp_index_grow:
 * @self: an index that is too full
 *
 * Makes four times as many slots and leaves them empty: its user puts everything in again.
 *
 * Threads: lane
 */
void
pen_ammp_index_grow (PenAmmpIndex *self)
{
  guint32 n_slots = (self->mask + 1) * 4;

  if (n_slots > self->n_allocated || self->generation == G_MAXUINT32)
    pen_ammp_index_allocate (self, n_slots);
  self->generation++;
  self->mask = n_slots - 1;
  self->n_held = 0;
}
