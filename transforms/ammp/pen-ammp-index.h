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
  guint64 *slots; /* a generation in the upper half, which makes it empty or not; a position */
  guint32 first_slots;
  guint32 n_allocated;
  guint32 mask; /* slots in use, less one: a power of two */
  guint32 n_held;
  guint32 generation;
} PenAmmpIndex;

void pen_ammp_index_init (PenAmmpIndex *self, guint32 first_slots);
void pen_ammp_index_clear (PenAmmpIndex *self);
void pen_ammp_index_empty (PenAmmpIndex *self);
void pen_ammp_index_grow (PenAmmpIndex *self);

/**
 * pen_ammp_index_has_room:
 * @self: an index
 * @n_more: how many positions more it is to hold
 *
 * Returns: whether it can; if not it must grow first
 *
 * Threads: lane
 */
static inline gboolean
pen_ammp_index_has_room (const PenAmmpIndex *self, guint32 n_more)
{
  return self->n_held + n_more <= self->mask / 2;
}

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
  guint64 found = self->slots[slot & self->mask];

  return G_UNLIKELY (found >> 32 == self->generation) ? (guint32) found : PEN_AMMP_NO_POSITION;
}

/**
 * pen_ammp_index_hold:
 * @self: an index
 * @position: a position
 *
 * Returns: what a slot holds that holds it; one more is the next position
 *
 * Threads: lane
 */
static inline guint64
pen_ammp_index_hold (const PenAmmpIndex *self, guint32 position)
{
  return (guint64) self->generation << 32 | position;
}

/**
 * pen_ammp_index_put:
 * @self: an index that has room
 * @slot: an empty slot: where a walk ended
 * @position: what to put there
 *
 * Threads: lane
 */
static inline void
pen_ammp_index_put (PenAmmpIndex *self, guint32 slot, guint32 position)
{
  self->slots[slot & self->mask] = pen_ammp_index_hold (self, position);
  self->n_held++;
}

G_END_DECLS
