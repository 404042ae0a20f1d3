/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hash table of positions: its memory.
 */

#include "config.h"

#include "pen-ammp-index.h"

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
 * @first_slots: how many slots it begins with, a power of two: so many that most are empty, since a
 *   look that does not end at the first one costs a mispredicted branch, and so few that those
 *   touched stay in the cache
 *
 * Threads: any
 */
void
pen_ammp_index_init (PenAmmpIndex *self, guint32 first_slots)
{
  *self = (PenAmmpIndex){ .first_slots = first_slots };
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
  if (self->n_allocated < self->first_slots || self->n_allocated > MAX_KEPT_SLOTS
      || self->generation == G_MAXUINT32)
    pen_ammp_index_allocate (self, self->first_slots);
  self->generation++;
  self->mask = self->first_slots - 1;
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
