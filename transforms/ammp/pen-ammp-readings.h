/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The readings of one payload, merged by vendor ID.
 */

#pragma once

#include "pen-ammp-index.h"

#include <penstock.h>

#include <string.h>

G_BEGIN_DECLS

/* A field of a vendor ID: slices of the payload without what is not needed of them. */
typedef struct
{
  const char *key; /* behind its quote; NULL if a field before it took its value */
  const char *value;
  guint32 key_length;
  guint32 value_length;
  guint32 vendor;
  guint32 hash; /* of the key; that of the vendor ID is added in the index */
  gboolean key_escaped;
} PenAmmpField;

typedef struct
{
  PenJsonSlice id; /* with its quotes */
  guint32 hash;
  guint32 n_fields;
  guint32 first_run; /* PEN_AMMP_NO_POSITION if it has none */
  guint32 last_run;
} PenAmmpVendor;

/* The fields of one reading. */
typedef struct
{
  guint32 begin;
  guint32 end;
  guint32 next_run; /* of the same vendor ID, or PEN_AMMP_NO_POSITION */
} PenAmmpRun;

typedef struct
{
  /*< private >*/
  const char *text;
  const char *text_end;
  guint64 secrets[4];

  PenAmmpField *fields;
  guint32 n_fields;
  guint32 fields_size;
  guint32 n_committed; /* fields of readings that are complete */
  PenAmmpVendor *vendors;
  guint32 n_vendors;
  guint32 vendors_size;
  PenAmmpRun *runs;
  guint32 n_runs;
  guint32 runs_size;
  PenAmmpIndex field_index;
  PenAmmpIndex vendor_index;

  gsize length; /* of what is written */
  guint n_conflicts;
} PenAmmpReadings;

void pen_ammp_readings_init (PenAmmpReadings *self);
void pen_ammp_readings_clear (PenAmmpReadings *self);
void pen_ammp_readings_empty (PenAmmpReadings *self, const char *text, gsize length);
void pen_ammp_readings_make_room (PenAmmpReadings *self, guint32 n_fields);
guint32 pen_ammp_readings_hash_slowly (PenAmmpReadings *self, const PenJsonSlice *key);
void pen_ammp_readings_commit (PenAmmpReadings *self, const PenJsonSlice *vendor_id);
char *pen_ammp_readings_write (const PenAmmpReadings *self, char *to);

/**
 * PEN_AMMP_SLACK:
 *
 * How many bytes behind what is written may be written over: short texts are copied in pieces of
 * a fixed size, which needs neither a call nor a branch.
 */
#define PEN_AMMP_SLACK 32

/* A text is hashed in pieces of this size. */
#define PEN_AMMP_PIECE 32

/* From PEN_AMMP_PIECE - N on: the mask of N bytes. */
extern const guint8 pen_ammp_piece_masks[2 * PEN_AMMP_PIECE];

static inline guint64
pen_ammp_readings_mix (guint64 a, guint64 b)
{
  __extension__ unsigned __int128 product = (unsigned __int128) a * b;

  return (guint64) product ^ (guint64) (product >> 64);
}

static inline guint64
pen_ammp_readings_load (const void *from)
{
  guint64 word;

  memcpy (&word, from, sizeof word);
  return word;
}

/* Hashes the bytes of a piece that @mask has, with two products, so that each word meets a secret
 * of its own. Word by word: in arrays the compiler would make vectors of them, and take them apart
 * again. */
static inline guint64
pen_ammp_readings_mix_piece (const PenAmmpReadings *self,
                             const char *text,
                             const guint8 *mask,
                             guint64 seed)
{
  guint64 a = pen_ammp_readings_load (text) & pen_ammp_readings_load (mask);
  guint64 b = pen_ammp_readings_load (text + 8) & pen_ammp_readings_load (mask + 8);
  guint64 c = pen_ammp_readings_load (text + 16) & pen_ammp_readings_load (mask + 16);
  guint64 d = pen_ammp_readings_load (text + 24) & pen_ammp_readings_load (mask + 24);

  return pen_ammp_readings_mix (a ^ self->secrets[0], b ^ self->secrets[1] ^ seed)
         ^ pen_ammp_readings_mix (c ^ self->secrets[2], d ^ self->secrets[3]);
}

/**
 * pen_ammp_readings_hash:
 * @self: readings
 * @key: a key, or a string without its quotes
 *
 * Hashes what nearly all keys are, at most 32 characters without an escape, with secrets that
 * nobody outside knows. Long or short, the work is the same: a branch on the length would be a
 * guess. Where those are read, the payload goes on for 32 bytes.
 *
 * Returns: the hash; that of equal keys is the same, however they are written
 *
 * Threads: lane
 */
static inline guint32
pen_ammp_readings_hash (PenAmmpReadings *self, const PenJsonSlice *key)
{
  if (G_UNLIKELY (key->length > PEN_AMMP_PIECE || key->escaped
                  || self->text_end - key->text < PEN_AMMP_PIECE))
    return pen_ammp_readings_hash_slowly (self, key);
  return (guint32) pen_ammp_readings_mix_piece (
      self, key->text, pen_ammp_piece_masks + PEN_AMMP_PIECE - key->length, key->length);
}

/**
 * pen_ammp_readings_add:
 * @self: readings
 * @n_fields: how many fields more there will be at most
 *
 * Begins to add fields to the current reading: what is returned is the place of the first one. Each
 * is set with pen_ammp_field_set (), and the place behind the last one goes to
 * pen_ammp_readings_added (). There is always room for one more.
 *
 * Threads: lane
 */
static inline PenAmmpField *
pen_ammp_readings_add (PenAmmpReadings *self, guint32 n_fields)
{
  if (G_UNLIKELY (self->fields_size - self->n_fields <= n_fields))
    pen_ammp_readings_make_room (self, n_fields);
  return &self->fields[self->n_fields];
}

/**
 * pen_ammp_readings_added:
 * @self: readings
 * @behind: the place behind the last field that was set
 *
 * Threads: lane
 */
static inline void
pen_ammp_readings_added (PenAmmpReadings *self, const PenAmmpField *behind)
{
  self->n_fields = (guint32) (behind - self->fields);
}

/**
 * pen_ammp_field_set:
 * @self: a place for a field
 * @readings: the readings that it is of
 * @member: a member that is not private
 *
 * Returns: the place of the next field: this one if the value is null, which is no field. There is
 *   no branch on that: nobody can foretell what is null.
 *
 * Threads: lane
 */
static inline PenAmmpField *
pen_ammp_field_set (PenAmmpField *self, PenAmmpReadings *readings, const PenJsonMember *member)
{
  self->key = member->key.text;
  self->value = member->value.text;
  self->key_length = (guint32) member->key.length;
  self->value_length = (guint32) member->value.length;
  self->key_escaped = member->key.escaped;
  /* Here, and not when the reading is complete, since the scanner leaves the processor waiting. */
  self->hash = pen_ammp_readings_hash (readings, &member->key);
  return self + (member->value.type != PEN_JSON_NULL);
}

/**
 * pen_ammp_readings_discard:
 * @self: readings
 *
 * Ends the current reading and forgets it.
 *
 * Threads: lane
 */
static inline void
pen_ammp_readings_discard (PenAmmpReadings *self)
{
  self->n_fields = self->n_committed;
}

G_END_DECLS
