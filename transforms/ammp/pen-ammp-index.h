/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hash table of positions in somebody else's array, with open addressing. It is emptied at no
 * cost, by going on to the next generation, and starts each time in as few slots as most messages
 * need, however many it has grown to.
 *
 * It never compares keys: its user walks the slots of a hash and compares.
 *
 * Invariant: at most half of the slots in use hold something, so that a walk ends.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PEN_AMMP_NO_POSITION G_MAXUINT32

typedef struct
{
  guint32 generation; /* the slot is empty unless it is that of the index */
  guint32 position;
} PenAmmpSlot;

typedef struct
{
  PenAmmpSlot *slots;
  guint32 n_allocated;
  guint32 mask; /* slots in use, less one: a power of two */
  guint32 n_held;
  guint32 generation;
} PenAmmpIndex;

void pen_ammp_index_init (PenAmmpIndex *self);
void pen_ammp_index_clear (PenAmmpIndex *self);
void pen_ammp_index_empty (PenAmmpIndex *self);
void pen_ammp_index_grow (PenAmmpIndex *self);

/**
 * pen_ammp_index_look:
 * @self: an index
 * @slot: where to look; a hash to begin with, then one more each time
 *
 * Returns: what the slot holds, or %PEN_AMMP_NO_POSITION where the walk ends
 *
 * Threads: lane
 */
static inline guint32
pen_ammp_index_look (const PenAmmpIndex *self, guint32 slot)
{
  const PenAmmpSlot *found = &self->slots[slot & self->mask];

  return found->generation == self->generation ? found->position : PEN_AMMP_NO_POSITION;
}

/**
 * pen_ammp_index_put:
 * @self: an index
 * @slot: an empty slot: where a walk ended
 * @position: what to put there
 *
 * Returns: whether the index is now so full that it must grow before the next look
 *
 * Threads: lane
 */
static inline gboolean
pen_ammp_index_put (PenAmmpIndex *self, guint32 slot, guint32 position)
{
  self->slots[slot & self->mask] = (PenAmmpSlot){ self->generation, position };
  return ++self->n_held > self->mask / 2;
}

G_END_DECLS
