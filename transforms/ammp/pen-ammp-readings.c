/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The readings of one payload, merged by vendor ID. Fields stay slices of the payload until they
 * are written. They lie in one array in the order in which they came; a vendor ID is a list of runs
 * in it, one for each of its readings, so that merging moves nothing.
 *
 * Fields and vendor IDs are found again by hash tables, whose hash is seeded: the cost is linear
 * in the payload's size even for one that was made to be slow.
 *
 * Invariant: length is what pen_ammp_readings_write () writes, to the byte, and the comma behind
 * the last vendor ID, which is none.
 */

#include "config.h"

#include "pen-ammp-readings.h"

#include <sys/random.h>

#define ALWAYS_INLINE inline __attribute__ ((always_inline))

#define FIRST_ITEMS 64
#define MAX_KEPT_ITEMS 4096

/* Of a hundred and fifty fields, five find their first slot of 2048 taken, and eleven of 1024. */
#define FIRST_FIELD_SLOTS 2048
#define FIRST_VENDOR_SLOTS 64

/* What stands around a field: two quotes, a colon, a comma. */
#define FIELD_EXTRA 4

/* What stands around a vendor ID's fields: a colon, two braces, a comma, but none behind its last
 * field. */
#define VENDOR_EXTRA 3

#define EIGHT_ONES 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

const guint8 pen_ammp_piece_masks[2 * PEN_AMMP_PIECE]
    = { EIGHT_ONES, EIGHT_ONES, EIGHT_ONES, EIGHT_ONES };

/**
 * pen_ammp_readings_init:
 * @self: readings
 *
 * Threads: any
 */
void
pen_ammp_readings_init (PenAmmpReadings *self)
{
  *self = (PenAmmpReadings){ 0 };
  if (getrandom (self->secrets, sizeof self->secrets, GRND_NONBLOCK) != sizeof self->secrets)
    for (guint i = 0; i < G_N_ELEMENTS (self->secrets); i++)
      self->secrets[i] = (guint64) g_random_int () << 32 | g_random_int ();
  pen_ammp_index_init (&self->field_index, FIRST_FIELD_SLOTS);
  pen_ammp_index_init (&self->vendor_index, FIRST_VENDOR_SLOTS);
}

/**
 * pen_ammp_readings_clear:
 * @self: readings
 *
 * Frees what they hold.
 *
 * Threads: any
 */
void
pen_ammp_readings_clear (PenAmmpReadings *self)
{
  g_clear_pointer (&self->fields, g_free);
  g_clear_pointer (&self->vendors, g_free);
  g_clear_pointer (&self->runs, g_free);
  pen_ammp_index_clear (&self->field_index);
  pen_ammp_index_clear (&self->vendor_index);
}

/* Makes an array larger that is full. */
static void
pen_ammp_readings_grow (gpointer *items, guint32 *size, gsize item_size)
{
  *size = MAX (FIRST_ITEMS, *size * 2);
  *items = g_realloc_n (*items, *size, item_size);
}

/* Frees an array that is larger than most payloads need. */
static void
pen_ammp_readings_shrink (gpointer *items, guint32 *size)
{
  if (*size <= MAX_KEPT_ITEMS)
    return;
  g_clear_pointer (items, g_free);
  *size = 0;
}

/**
 * pen_ammp_readings_empty:
 * @self: readings
 * @text: (array length=length): the payload that the next slices are of
 * @length: number of bytes
 *
 * Forgets all readings; the memory is kept unless it is a lot.
 *
 * Threads: lane
 */
void
pen_ammp_readings_empty (PenAmmpReadings *self, const char *text, gsize length)
{
  pen_ammp_readings_shrink ((gpointer *) &self->fields, &self->fields_size);
  pen_ammp_readings_shrink ((gpointer *) &self->vendors, &self->vendors_size);
  pen_ammp_readings_shrink ((gpointer *) &self->runs, &self->runs_size);
  self->n_fields = 0;
  self->n_committed = 0;
  self->n_vendors = 0;
  self->n_runs = 0;
  pen_ammp_index_empty (&self->field_index);
  pen_ammp_index_empty (&self->vendor_index);
  self->text = text;
  self->text_end = text + length;
  self->length = 0;
  self->n_conflicts = 0;
}

/**
 * pen_ammp_readings_make_room:
 * @self: readings
 * @n_fields: how many fields more they must have room for, and one
 *
 * Threads: lane
 */
void
pen_ammp_readings_make_room (PenAmmpReadings *self, guint32 n_fields)
{
  while (self->fields_size - self->n_fields <= n_fields)
    pen_ammp_readings_grow ((gpointer *) &self->fields, &self->fields_size, sizeof (PenAmmpField));
}

/* --- Finding --- */

static PenAmmpVendor *
pen_ammp_readings_get_vendor (const PenAmmpReadings *self, guint32 position)
{
  return &self->vendors[position];
}

/* Hashes a short text as pen_ammp_readings_hash () does one that has text enough behind it. */
static guint32
pen_ammp_readings_hash_short (const PenAmmpReadings *self, const char *text, gsize length)
{
  char padded[PEN_AMMP_PIECE] = { 0 };

  memcpy (padded, text, length);
  return (guint32) pen_ammp_readings_mix_piece (self, padded, pen_ammp_piece_masks, length);
}

/* Hashes a long text in pieces, of which the last one reaches back into the one before it: what
 * comes of each is the next one's seed. */
static inline guint32
pen_ammp_readings_hash_long (const PenAmmpReadings *self, const char *text, gsize length)
{
  const char *last = text + length - PEN_AMMP_PIECE;
  guint64 seed = length;

  do
    {
      seed ^= pen_ammp_readings_mix_piece (self, text, pen_ammp_piece_masks, seed);
      text += PEN_AMMP_PIECE;
    }
  while (text < last);
  return (guint32) pen_ammp_readings_mix_piece (self, last, pen_ammp_piece_masks, seed);
}

/**
 * pen_ammp_readings_hash_slowly:
 * @self: readings
 * @key: a key, or a string without its quotes
 *
 * Returns: what pen_ammp_readings_hash () returns, for any key
 *
 * Threads: lane
 */
guint32
pen_ammp_readings_hash_slowly (PenAmmpReadings *self, const PenJsonSlice *key)
{
  g_autofree char *decoded = NULL;
  const char *text = key->text;
  gsize length = key->length;

  if (G_LIKELY (length > PEN_AMMP_PIECE && !key->escaped))
    return pen_ammp_readings_hash_long (self, text, length);
  if (key->escaped)
    text = decoded = pen_json_slice_decode (key, &length);
  return length > PEN_AMMP_PIECE ? pen_ammp_readings_hash_long (self, text, length)
                                 : pen_ammp_readings_hash_short (self, text, length);
}

static PenJsonSlice
pen_ammp_field_get_key (const PenAmmpField *self)
{
  return (PenJsonSlice){
    .text = self->key,
    .length = self->key_length,
    .type = PEN_JSON_STRING,
    .escaped = self->key_escaped,
  };
}

static gboolean
pen_ammp_field_equal (const PenAmmpField *self, const PenAmmpField *other)
{
  PenJsonSlice key;
  PenJsonSlice other_key;

  if (self->hash != other->hash || self->vendor != other->vendor)
    return FALSE;
  if (G_LIKELY (!self->key_escaped && !other->key_escaped))
    return self->key_length == other->key_length
           && memcmp (self->key, other->key, self->key_length) == 0;
  key = pen_ammp_field_get_key (self);
  other_key = pen_ammp_field_get_key (other);
  return pen_json_slice_equal (&key, &other_key);
}

/* Makes room in the index of fields for those that are not in it yet. */
static void
pen_ammp_readings_make_field_room (PenAmmpReadings *self)
{
  while (!pen_ammp_index_has_room (&self->field_index, self->n_fields - self->n_committed))
    {
      pen_ammp_index_grow (&self->field_index);
      for (guint32 i = 0; i < self->n_committed; i++)
        {
          const PenAmmpField *field = &self->fields[i];
          guint32 slot;

          if (field->key == NULL)
            continue;
          slot = field->hash ^ pen_ammp_readings_get_vendor (self, field->vendor)->hash;
          while (pen_ammp_index_look (&self->field_index, slot) != PEN_AMMP_NO_POSITION)
            slot++;
          pen_ammp_index_put (&self->field_index, slot, i);
        }
    }
}

/* Looks whether there is a field with the key of @field already, from @slot on, which is taken. If
 * so, gives it the value of @field; if not, moves @slot to an empty one. */
static G_GNUC_NO_INLINE gboolean
pen_ammp_readings_replace (PenAmmpReadings *self, PenAmmpField *field, guint32 *slot)
{
  guint32 found;

  while ((found = pen_ammp_index_look (&self->field_index, *slot)) != PEN_AMMP_NO_POSITION)
    {
      PenAmmpField *earlier = &self->fields[found];

      if (pen_ammp_field_equal (field, earlier))
        {
          self->length += field->value_length;
          self->length -= earlier->value_length;
          earlier->value = field->value;
          earlier->value_length = field->value_length;
          field->key = NULL;
          self->n_conflicts++;
          return TRUE;
        }
      *slot += 1;
    }
  return FALSE;
}

/* Merges the fields of the current reading with those of its vendor. This is the inner loop of the
 * room: what it needs is in local variables, since the compiler cannot know that storing a field
 * changes none of it. */
static void
pen_ammp_readings_merge (PenAmmpReadings *self, PenAmmpVendor *vendor, guint32 position)
{
  PenAmmpField *field = &self->fields[self->n_committed];
  const PenAmmpField *end = &self->fields[self->n_fields];
  guint32 seed = vendor->hash;
  guint32 n_new = self->n_fields - self->n_committed;
  gsize length = 0;
  guint64 *slots;
  guint64 held;
  guint32 mask;

  pen_ammp_readings_make_field_room (self);
  slots = self->field_index.slots;
  mask = self->field_index.mask;
  held = pen_ammp_index_hold (&self->field_index, self->n_committed);
  for (; field < end; field++, held++)
    {
      guint32 slot = field->hash ^ seed;

      field->vendor = position;
      if (G_UNLIKELY (slots[slot & mask] >> 32 == held >> 32)
          && pen_ammp_readings_replace (self, field, &slot))
        {
          n_new--;
          continue;
        }
      slots[slot & mask] = held;
      length += (gsize) field->key_length + field->value_length;
    }
  vendor->n_fields += n_new;
  self->length += length + n_new * FIELD_EXTRA;
  self->field_index.n_held += n_new;
}

static void
pen_ammp_readings_make_vendor_room (PenAmmpReadings *self)
{
  if (pen_ammp_index_has_room (&self->vendor_index, 1))
    return;
  pen_ammp_index_grow (&self->vendor_index);
  for (guint32 i = 0; i < self->n_vendors; i++)
    {
      guint32 slot = pen_ammp_readings_get_vendor (self, i)->hash;

      while (pen_ammp_index_look (&self->vendor_index, slot) != PEN_AMMP_NO_POSITION)
        slot++;
      pen_ammp_index_put (&self->vendor_index, slot, i);
    }
}

/* Returns the position of a vendor ID, which is new if it was not seen before. */
static guint32
pen_ammp_readings_find_vendor (PenAmmpReadings *self, const PenJsonSlice *id)
{
  PenJsonSlice inner = {
    .text = id->text + 1,
    .length = id->length - 2,
    .type = PEN_JSON_STRING,
    .escaped = id->escaped,
  };
  PenAmmpVendor vendor = {
    .id = *id,
    .hash = pen_ammp_readings_hash (self, &inner),
    .first_run = PEN_AMMP_NO_POSITION,
  };
  guint32 slot = vendor.hash;
  guint32 found = pen_ammp_index_look (&self->vendor_index, slot);

  for (; found != PEN_AMMP_NO_POSITION; found = pen_ammp_index_look (&self->vendor_index, ++slot))
    {
      const PenAmmpVendor *earlier = pen_ammp_readings_get_vendor (self, found);

      if (earlier->hash == vendor.hash && pen_json_slice_equal (&earlier->id, id))
        return found;
    }
  if (self->n_vendors == self->vendors_size)
    pen_ammp_readings_grow ((gpointer *) &self->vendors, &self->vendors_size,
                            sizeof (PenAmmpVendor));
  found = self->n_vendors++;
  self->vendors[found] = vendor;
  pen_ammp_index_put (&self->vendor_index, slot, found);
  pen_ammp_readings_make_vendor_room (self);
  return found;
}

static void
pen_ammp_readings_add_run (PenAmmpReadings *self, PenAmmpVendor *vendor)
{
  guint32 position = self->n_runs;

  if (self->n_runs == self->runs_size)
    pen_ammp_readings_grow ((gpointer *) &self->runs, &self->runs_size, sizeof (PenAmmpRun));
  self->runs[self->n_runs++] = (PenAmmpRun){
    .begin = self->n_committed,
    .end = self->n_fields,
    .next_run = PEN_AMMP_NO_POSITION,
  };
  if (vendor->first_run == PEN_AMMP_NO_POSITION)
    vendor->first_run = position;
  else
    self->runs[vendor->last_run].next_run = position;
  vendor->last_run = position;
}

/**
 * pen_ammp_readings_commit:
 * @self: readings
 * @vendor_id: a string with something in it: whose fields those added since the last reading are
 *
 * Ends the current reading and merges it with those before it.
 *
 * Threads: lane
 */
void
pen_ammp_readings_commit (PenAmmpReadings *self, const PenJsonSlice *vendor_id)
{
  guint32 position = pen_ammp_readings_find_vendor (self, vendor_id);
  PenAmmpVendor *vendor = pen_ammp_readings_get_vendor (self, position);
  gboolean had_fields = vendor->n_fields > 0;

  if (self->n_fields == self->n_committed)
    return;
  pen_ammp_readings_add_run (self, vendor);
  pen_ammp_readings_merge (self, vendor, position);
  self->n_committed = self->n_fields;
  if (!had_fields)
    self->length += vendor->id.length + VENDOR_EXTRA;
}

/* --- Writing --- */

/* Copies a piece of the payload to where PEN_AMMP_SLACK bytes more than it has may be written.
 * @last is the last place from which that many can be read. */
static ALWAYS_INLINE char *
pen_ammp_readings_copy (const char *last, char *to, const char *from, gsize length)
{
  if (G_LIKELY (length <= PEN_AMMP_SLACK && from <= last))
    memcpy (to, from, PEN_AMMP_SLACK);
  else
    memcpy (to, from, length);
  return to + length;
}

/* Writes the fields of one reading, each with a comma behind it. What stands together in the
 * payload is copied together: with no white space between them, as loggers send them, all. */
static char *
pen_ammp_readings_write_run (const PenAmmpReadings *self,
                             const PenAmmpRun *run,
                             const char *last,
                             char *to)
{
  const PenAmmpField *field = &self->fields[run->begin];
  const PenAmmpField *end = &self->fields[run->end];
  const char *from = NULL;
  const char *from_end = NULL;

  for (; field < end; field++)
    {
      if (G_UNLIKELY (field->key == NULL))
        continue;
      if (field->key - 2 != from_end)
        {
          if (from != NULL)
            {
              to = pen_ammp_readings_copy (last, to, from, (gsize) (from_end - from));
              *to++ = ',';
            }
          from = field->key - 1;
        }
      from_end = field->key + field->key_length + 1;
      if (field->value - 1 != from_end)
        {
          to = pen_ammp_readings_copy (last, to, from, (gsize) (from_end - from));
          *to++ = ':';
          from = field->value;
        }
      from_end = field->value + field->value_length;
    }
  if (from == NULL)
    return to;
  to = pen_ammp_readings_copy (last, to, from, (gsize) (from_end - from));
  *to++ = ',';
  return to;
}

/**
 * pen_ammp_readings_write:
 * @self: readings, of which not all are without fields
 * @to: room for their length and PEN_AMMP_SLACK bytes more
 *
 * Writes the vendor IDs in the order in which they were first seen, and their fields.
 *
 * Returns: what is behind them
 *
 * Threads: lane
 */
char *
pen_ammp_readings_write (const PenAmmpReadings *self, char *to)
{
  /* A payload too short for that has no such place. */
  const char *last
      = self->text_end - self->text >= PEN_AMMP_SLACK ? self->text_end - PEN_AMMP_SLACK : NULL;

  for (guint32 i = 0; i < self->n_vendors; i++)
    {
      const PenAmmpVendor *vendor = pen_ammp_readings_get_vendor (self, i);
      guint32 position = vendor->first_run;

      if (vendor->n_fields == 0)
        continue;
      to = pen_ammp_readings_copy (last, to, vendor->id.text, vendor->id.length);
      *to++ = ':';
      *to++ = '{';
      while (position != PEN_AMMP_NO_POSITION)
        {
          const PenAmmpRun *run = &self->runs[position];

          to = pen_ammp_readings_write_run (self, run, last, to);
          position = run->next_run;
        }
      /* The last field's comma becomes the brace. */
      to[-1] = '}';
      *to++ = ',';
    }
  return to - 1;
}
