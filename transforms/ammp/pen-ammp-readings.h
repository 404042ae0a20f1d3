/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The readings of one payload, merged by vendor ID.
 */

#pragma once

#include "pen-ammp-index.h"

#include <penstock.h>

G_BEGIN_DECLS

/* A field of a vendor ID: slices of the payload without what is not needed of them. */
typedef struct
{
  const char *key; /* behind its quote; NULL if a field before it took its value */
  const char *value;
  guint32 key_length;
  guint32 value_length;
  guint32 vendor;
  guint32 hash;
  gboolean key_escaped;
} PenAmmpField;

typedef struct
{
  PenJsonSlice id; /* with its quotes */
  guint64 hash;
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
  const char *text_end;
  guint64 secrets[2];

  PenAmmpField *fields;
  guint32 n_fields;
  guint32 fields_size;
  guint32 n_committed; /* fields of readings that are complete */
  GArray *vendors;
  GArray *runs;
  PenAmmpIndex field_index;
  PenAmmpIndex vendor_index;

  gsize length; /* of what is written */
  guint n_conflicts;
} PenAmmpReadings;

void pen_ammp_readings_init (PenAmmpReadings *self);
void pen_ammp_readings_clear (PenAmmpReadings *self);
void pen_ammp_readings_empty (PenAmmpReadings *self, const char *text_end);
void pen_ammp_readings_make_room (PenAmmpReadings *self);
void pen_ammp_readings_commit (PenAmmpReadings *self, const PenJsonSlice *vendor_id);
char *pen_ammp_readings_write (const PenAmmpReadings *self, char *to);

/**
 * PEN_AMMP_SLACK:
 *
 * How many bytes behind what is written may be written over: short texts are copied in pieces of
 * a fixed size, which needs neither a call nor a branch.
 */
#define PEN_AMMP_SLACK 32

/**
 * pen_ammp_readings_add:
 * @self: readings
 * @key: key of a field of the current reading; must not be a private one
 * @value: its value; must not be null
 *
 * Threads: lane
 */
static inline void
pen_ammp_readings_add (PenAmmpReadings *self, const PenJsonSlice *key, const PenJsonSlice *value)
{
  PenAmmpField *field;

  if (G_UNLIKELY (self->n_fields == self->fields_size))
    pen_ammp_readings_make_room (self);
  field = &self->fields[self->n_fields++];
  field->key = key->text;
  field->value = value->text;
  field->key_length = (guint32) key->length;
  field->value_length = (guint32) value->length;
  field->key_escaped = key->escaped;
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
