/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The readings of one payload, merged by vendor ID. Fields stay slices of the payload until they
 * are written. They lie in one array in the order in which they came; a vendor ID is a list of runs
 * in it, one for each of its readings, so that merging moves nothing.
 *
 * Fields and vendor IDs are found again by hash tables, whose hash is seeded: the cost is linear
 * in the payload's size even for one that was made to be slow. A vendor ID's hash, which nobody
 * outside knows, is the seed for its fields.
 *
 * Invariant: length is what pen_ammp_readings_write () writes, to the byte, and the comma behind
 * the last vendor ID, which is none.
 */

#include "config.h"

#include "pen-ammp-readings.h"

#include <string.h>
#include <sys/random.h>

#define FIRST_FIELDS 256
#define MAX_KEPT_FIELDS 4096

/* A text of up to this many bytes is hashed, and copied, in pieces of this size. */
#define PIECE 16

/* What stands around a field: two quotes, a colon, a comma. */
#define FIELD_EXTRA 4

/* What stands around a vendor ID's fields: a colon, two braces, a comma, but none behind its last
 * field. */
#define VENDOR_EXTRA 3

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
  self->vendors = g_array_new (FALSE, FALSE, sizeof (PenAmmpVendor));
  self->runs = g_array_new (FALSE, FALSE, sizeof (PenAmmpRun));
  pen_ammp_index_init (&self->field_index);
  pen_ammp_index_init (&self->vendor_index);
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
  g_clear_pointer (&self->vendors, g_array_unref);
  g_clear_pointer (&self->runs, g_array_unref);
  pen_ammp_index_clear (&self->field_index);
  pen_ammp_index_clear (&self->vendor_index);
}

static void
pen_ammp_readings_empty_array (GArray **array, gsize element_size)
{
  /* GArray does not say how much it has allocated; a long one is replaced. */
  if ((*array)->len > MAX_KEPT_FIELDS)
    {
      g_array_unref (*array);
      *array = g_array_new (FALSE, FALSE, (guint) element_size);
    }
  g_array_set_size (*array, 0);
}

/**
 * pen_ammp_readings_empty:
 * @self: readings
 * @text_end: what is behind the payload that the next slices are of
 *
 * Forgets all readings; the memory is kept unless it is a lot.
 *
 * Threads: lane
 */
void
pen_ammp_readings_empty (PenAmmpReadings *self, const char *text_end)
{
  if (self->fields_size > MAX_KEPT_FIELDS)
    {
      g_clear_pointer (&self->fields, g_free);
      self->fields_size = 0;
    }
  self->n_fields = 0;
  self->n_committed = 0;
  pen_ammp_readings_empty_array (&self->vendors, sizeof (PenAmmpVendor));
  pen_ammp_readings_empty_array (&self->runs, sizeof (PenAmmpRun));
  pen_ammp_index_empty (&self->field_index);
  pen_ammp_index_empty (&self->vendor_index);
  self->text_end = text_end;
  self->length = 0;
  self->n_conflicts = 0;
}

/**
 * pen_ammp_readings_make_room:
 * @self: readings whose fields fill the memory for them
 *
 * Threads: lane
 */
void
pen_ammp_readings_make_room (PenAmmpReadings *self)
{
  self->fields_size = MAX (FIRST_FIELDS, self->fields_size * 2);
  self->fields = g_renew (PenAmmpField, self->fields, self->fields_size);
}

/* --- Finding --- */

static inline guint64
pen_ammp_mix (guint64 a, guint64 b)
{
  __extension__ unsigned __int128 product = (unsigned __int128) a * b;

  return (guint64) product ^ (guint64) (product >> 64);
}

/* Mixes a piece of at most 16 bytes, as if zeros followed it, into a hash. */
static inline guint64
pen_ammp_readings_mix_piece (const PenAmmpReadings *self,
                             guint64 hash,
                             const char *text,
                             gsize length,
                             gsize total)
{
  static const guint8 masks[2 * PIECE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
  guint64 words[2] = { 0, 0 };
  guint64 mask[2];

  /* Behind most keys the payload goes on for 16 bytes: a fixed size needs no call. */
  if (G_LIKELY (self->text_end - text >= PIECE))
    {
      memcpy (words, text, PIECE);
      memcpy (mask, masks + PIECE - length, PIECE);
      words[0] &= mask[0];
      words[1] &= mask[1];
    }
  else
    memcpy (words, text, length);
  return pen_ammp_mix (words[0] ^ self->secrets[0] ^ hash, words[1] ^ self->secrets[1] ^ total);
}

static inline guint64
pen_ammp_readings_hash (const PenAmmpReadings *self, guint64 seed, const char *text, gsize length)
{
  gsize total = length;

  for (; length > PIECE; text += PIECE, length -= PIECE)
    seed = pen_ammp_readings_mix_piece (self, seed, text, PIECE, 0);
  return pen_ammp_readings_mix_piece (self, seed, text, length, total);
}

static guint64
pen_ammp_readings_hash_decoded (PenAmmpReadings *self, guint64 seed, const PenJsonSlice *slice)
{
  gsize length;
  g_autofree char *decoded = pen_json_slice_decode (slice, &length);
  const char *text_end = self->text_end;
  guint64 hash;

  self->text_end = decoded + length;
  hash = pen_ammp_readings_hash (self, seed, decoded, length);
  self->text_end = text_end;
  return hash;
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

static inline guint32
pen_ammp_readings_hash_key (PenAmmpReadings *self, guint64 seed, const PenAmmpField *field)
{
  PenJsonSlice key;

  if (G_LIKELY (!field->key_escaped))
    return (guint32) pen_ammp_readings_hash (self, seed, field->key, field->key_length);
  key = pen_ammp_field_get_key (field);
  return (guint32) pen_ammp_readings_hash_decoded (self, seed, &key);
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
          guint32 slot = self->fields[i].hash;

          if (self->fields[i].key == NULL)
            continue;
          while (pen_ammp_index_look (&self->field_index, slot) != PEN_AMMP_NO_POSITION)
            slot++;
          pen_ammp_index_put (&self->field_index, slot, i);
        }
    }
}

/* Looks whether there is a field with the key of @field already, from @slot on, which is taken. If
 * so, gives it the value of @field; if not, moves @slot to an empty one. */
static G_GNUC_NO_INLINE gboolean
pen_ammp_readings_replace (PenAmmpReadings *self,
                           const PenAmmpIndex *index,
                           PenAmmpField *field,
                           guint32 *slot)
{
  guint32 found;

  while ((found = pen_ammp_index_look (index, *slot)) != PEN_AMMP_NO_POSITION)
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
  PenAmmpIndex index;
  PenAmmpField *fields = self->fields;
  guint32 end = self->n_fields;
  guint64 seed = vendor->hash;
  gsize length = 0;
  guint32 n_before;

  pen_ammp_readings_make_field_room (self);
  index = self->field_index;
  n_before = index.n_held;
  for (guint32 i = self->n_committed; i < end; i++)
    {
      PenAmmpField *field = &fields[i];
      guint32 slot = pen_ammp_readings_hash_key (self, seed, field);

      field->hash = slot;
      field->vendor = position;
      if (G_UNLIKELY (pen_ammp_index_look (&index, slot) != PEN_AMMP_NO_POSITION)
          && pen_ammp_readings_replace (self, &index, field, &slot))
        continue;
      length += field->key_length + field->value_length + FIELD_EXTRA;
      pen_ammp_index_put (&index, slot, i);
    }
  vendor->n_fields += index.n_held - n_before;
  self->length += length;
  self->field_index = index;
}

static PenAmmpVendor *
pen_ammp_readings_get_vendor (const PenAmmpReadings *self, guint32 position)
{
  return &g_array_index (self->vendors, PenAmmpVendor, position);
}

static void
pen_ammp_readings_make_vendor_room (PenAmmpReadings *self)
{
  if (pen_ammp_index_has_room (&self->vendor_index, 1))
    return;
  pen_ammp_index_grow (&self->vendor_index);
  for (guint32 i = 0; i < self->vendors->len; i++)
    {
      guint32 slot = (guint32) pen_ammp_readings_get_vendor (self, i)->hash;

      while (pen_ammp_index_look (&self->vendor_index, slot) != PEN_AMMP_NO_POSITION)
        slot++;
      pen_ammp_index_put (&self->vendor_index, slot, i);
    }
}

/* Returns the position of a vendor ID, which is new if it was not seen before. */
static guint32
pen_ammp_readings_find_vendor (PenAmmpReadings *self, const PenJsonSlice *id)
{
  PenAmmpVendor vendor = {
    .id = *id,
    .hash = id->escaped ? pen_ammp_readings_hash_decoded (self, 0, id)
                        : pen_ammp_readings_hash (self, 0, id->text + 1, id->length - 2),
    .first_run = PEN_AMMP_NO_POSITION,
  };
  guint32 slot = (guint32) vendor.hash;
  guint32 found = pen_ammp_index_look (&self->vendor_index, slot);

  for (; found != PEN_AMMP_NO_POSITION; found = pen_ammp_index_look (&self->vendor_index, ++slot))
    {
      const PenAmmpVendor *earlier = pen_ammp_readings_get_vendor (self, found);

      if (earlier->hash == vendor.hash && pen_json_slice_equal (&earlier->id, id))
        return found;
    }
  found = self->vendors->len;
  g_array_append_val (self->vendors, vendor);
  pen_ammp_index_put (&self->vendor_index, slot, found);
  pen_ammp_readings_make_vendor_room (self);
  return found;
}

static void
pen_ammp_readings_add_run (PenAmmpReadings *self, PenAmmpVendor *vendor)
{
  guint32 position = self->runs->len;
  PenAmmpRun run = {
    .begin = self->n_committed,
    .end = self->n_fields,
    .next_run = PEN_AMMP_NO_POSITION,
  };

  g_array_append_val (self->runs, run);
  if (vendor->first_run == PEN_AMMP_NO_POSITION)
    vendor->first_run = position;
  else
    g_array_index (self->runs, PenAmmpRun, vendor->last_run).next_run = position;
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

/* Copies a piece of the payload to where PEN_AMMP_SLACK bytes more than it has may be written. */
static inline char *
pen_ammp_readings_copy (const PenAmmpReadings *self, char *to, const char *from, gsize length)
{
  G_STATIC_ASSERT (PEN_AMMP_SLACK >= 2 * PIECE);

  if (G_LIKELY (length <= 2 * PIECE && self->text_end - from >= 2 * PIECE))
    memcpy (to, from, 2 * PIECE);
  else
    memcpy (to, from, length);
  return to + length;
}

/* Writes the fields of one reading, each with a comma behind it. Neighbours that have no white
 * space about them, as loggers send them, are copied as one. */
static char *
pen_ammp_readings_write_run (const PenAmmpReadings *self, const PenAmmpRun *run, char *to)
{
  const char *from = NULL;
  const char *from_end = NULL;

  for (guint32 i = run->begin; i < run->end; i++)
    {
      const PenAmmpField *field = &self->fields[i];

      if (G_UNLIKELY (field->key == NULL))
        continue;
      if (from == NULL || field->key != from_end + 2)
        {
          if (from != NULL)
            {
              to = pen_ammp_readings_copy (self, to, from, (gsize) (from_end - from));
              *to++ = ',';
            }
          from = field->key - 1;
        }
      from_end = field->key + field->key_length + 1;
      if (field->value != from_end + 1)
        {
          to = pen_ammp_readings_copy (self, to, from, (gsize) (from_end - from));
          *to++ = ':';
          from = field->value;
        }
      from_end = field->value + field->value_length;
    }
  if (from == NULL)
    return to;
  to = pen_ammp_readings_copy (self, to, from, (gsize) (from_end - from));
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
  for (guint32 i = 0; i < self->vendors->len; i++)
    {
      const PenAmmpVendor *vendor = pen_ammp_readings_get_vendor (self, i);
      guint32 position = vendor->first_run;

      if (vendor->n_fields == 0)
        continue;
      to = pen_ammp_readings_copy (self, to, vendor->id.text, vendor->id.length);
      *to++ = ':';
      *to++ = '{';
      while (position != PEN_AMMP_NO_POSITION)
        {
          const PenAmmpRun *run = &g_array_index (self->runs, PenAmmpRun, position);

          to = pen_ammp_readings_write_run (self, run, to);
          position = run->next_run;
        }
      /* The last field's comma becomes the brace. */
      to[-1] = '}';
      *to++ = ',';
    }
  return to - 1;
}
