/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second AMMP transform, for tests only: the table of its deviations row by row, on the slow JSON
 * reader, with lists that are searched from the front. It shares nothing with the plugin.
 *
 * Where the table leaves something open, this is how it is read: a null field is dropped before
 * anything else, so that it neither makes a conflict nor takes a place; a vendor ID takes its place
 * with the first reading that names it, even if no field of that reading is left.
 */

#include "config.h"

#include "pen-slow-ammp.h"

#include <string.h>

#include "pen-slow-json.h"
#include "pen-slow-number.h"

typedef struct
{
  char *name; /* decoded */
  gsize n_name;
  const char *key; /* as it was first seen, without quotes */
  gsize n_key;
  const char *value;
  gsize n_value;
} PenSlowField;

typedef struct
{
  char *id; /* decoded */
  gsize n_id;
  const char *text; /* as it was first seen, with quotes */
  gsize n_text;
  GPtrArray *fields;
} PenSlowVendor;

static void
pen_slow_field_free (gpointer data)
{
  PenSlowField *field = data;

  g_free (field->name);
  g_free (field);
}

static void
pen_slow_vendor_free (gpointer data)
{
  PenSlowVendor *vendor = data;

  g_free (vendor->id);
  g_ptr_array_unref (vendor->fields);
  g_free (vendor);
}

/* --- Looking into the payload --- */

static char *
pen_slow_ammp_key (const PenSlowJson *json, guint node, gsize *length)
{
  const PenSlowNode *member = pen_slow_json_get (json, node);

  return pen_slow_json_decode (json->text + member->key_offset, member->key_length, length);
}

/* The last member of an object with that key, or PEN_SLOW_JSON_NONE. */
static guint
pen_slow_ammp_last (const PenSlowJson *json, guint object, const char *name)
{
  guint found = PEN_SLOW_JSON_NONE;

  for (guint child = pen_slow_json_first_child (json, object); child != PEN_SLOW_JSON_NONE;
       child = pen_slow_json_get (json, child)->next_sibling)
    {
      gsize length;
      g_autofree char *key = pen_slow_ammp_key (json, child, &length);

      if (length == strlen (name) && memcmp (key, name, length) == 0)
        found = child;
    }
  return found;
}

static gboolean
pen_slow_ammp_has_type (const PenSlowJson *json, guint node, PenJsonType type)
{
  return node != PEN_SLOW_JSON_NONE && pen_slow_json_get (json, node)->type == type;
}

/* Whether the node is a string with something between its quotes. */
static gboolean
pen_slow_ammp_is_id (const PenSlowJson *json, guint node)
{
  return pen_slow_ammp_has_type (json, node, PEN_JSON_STRING)
         && pen_slow_json_get (json, node)->length > 2;
}

/* --- Time --- */

/* The seconds from 1970 of a moment before or after it, the nanoseconds from there on; FALSE if it
 * is further away than any date. */
static gboolean
pen_slow_ammp_split (const PenSlowNumber *number, gint64 *seconds, gint64 *nanoseconds)
{
  g_autofree char *nine = g_strndup (number->fraction, 9);
  gboolean has_rest = strlen (number->fraction) > 9;

  if (strlen (number->integer) > 12)
    return FALSE;
  *seconds = (gint64) g_ascii_strtoull (number->integer, NULL, 10);
  *nanoseconds = (gint64) g_ascii_strtoull (nine, NULL, 10);
  for (gsize digits = strlen (nine); digits < 9; digits++)
    *nanoseconds *= 10;
  if (!number->negative)
    return TRUE;
  *seconds = -*seconds;
  if (has_rest)
    *nanoseconds += 1;
  if (*nanoseconds > 0)
    {
      *seconds -= 1;
      *nanoseconds = 1000000000 - *nanoseconds;
    }
  return TRUE;
}

/* NULL if it is outside the years 1 to 9999. */
char *
pen_slow_ammp_time (const char *text, gsize length)
{
  g_autoptr (PenSlowNumber) number = pen_slow_number_new (text, length);
  g_autoptr (GDateTime) date = NULL;
  g_autoptr (GString) fraction = g_string_new (NULL);
  gint64 seconds;
  gint64 nanoseconds;

  if (!pen_slow_ammp_split (number, &seconds, &nanoseconds))
    return NULL;
  date = g_date_time_new_from_unix_utc (seconds);
  if (date == NULL)
    return NULL;
  if (nanoseconds != 0)
    g_string_printf (fraction, ".%09" G_GINT64_FORMAT, nanoseconds);
  while (fraction->len > 0 && fraction->str[fraction->len - 1] == '0')
    g_string_truncate (fraction, fraction->len - 1);
  return g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02d%s+00:00", g_date_time_get_year (date),
                          g_date_time_get_month (date), g_date_time_get_day_of_month (date),
                          g_date_time_get_hour (date), g_date_time_get_minute (date),
                          g_date_time_get_second (date), fraction->str);
}

/* --- Readings --- */

static PenSlowVendor *
pen_slow_ammp_find_vendor (GPtrArray *vendors, const PenSlowJson *json, guint node)
{
  const PenSlowNode *id = pen_slow_json_get (json, node);
  PenSlowVendor *vendor = g_new0 (PenSlowVendor, 1);

  vendor->fields = g_ptr_array_new_with_free_func (pen_slow_field_free);
  vendor->text = json->text + id->offset;
  vendor->n_text = id->length;
  vendor->id = pen_slow_json_decode (vendor->text + 1, id->length - 2, &vendor->n_id);
  for (guint i = 0; i < vendors->len; i++)
    {
      PenSlowVendor *other = vendors->pdata[i];

      if (other->n_id == vendor->n_id && memcmp (other->id, vendor->id, vendor->n_id) == 0)
        {
          pen_slow_vendor_free (vendor);
          return other;
        }
    }
  g_ptr_array_add (vendors, vendor);
  return vendor;
}

static void
pen_slow_ammp_add_field (PenSlowAmmp *self,
                         PenSlowVendor *vendor,
                         const PenSlowJson *json,
                         guint node)
{
  const PenSlowNode *member = pen_slow_json_get (json, node);
  PenSlowField *field = g_new0 (PenSlowField, 1);

  field->name = pen_slow_ammp_key (json, node, &field->n_name);
  field->key = json->text + member->key_offset;
  field->n_key = member->key_length;
  field->value = json->text + member->offset;
  field->n_value = member->length;
  for (guint i = 0; i < vendor->fields->len; i++)
    {
      PenSlowField *other = vendor->fields->pdata[i];

      if (other->n_name == field->n_name && memcmp (other->name, field->name, field->n_name) == 0)
        {
          other->value = field->value;
          other->n_value = field->n_value;
          self->n_conflicts++;
          pen_slow_field_free (field);
          return;
        }
    }
  g_ptr_array_add (vendor->fields, field);
}

static gboolean
pen_slow_ammp_is_field (const PenSlowJson *json, guint node)
{
  gsize length;
  g_autofree char *name = pen_slow_ammp_key (json, node, &length);

  return name[0] != '_' && pen_slow_json_get (json, node)->type != PEN_JSON_NULL;
}

/* FALSE if the whole payload is to be rejected. */
static gboolean
pen_slow_ammp_add_reading (PenSlowAmmp *self,
                           GPtrArray *vendors,
                           const PenSlowJson *json,
                           guint reading,
                           PenSlowMissingVid missing_vid)
{
  PenSlowVendor *vendor;
  guint id;

  if (!pen_slow_ammp_has_type (json, reading, PEN_JSON_OBJECT))
    {
      g_ptr_array_add (self->skipped, g_strdup ("reading_not_object"));
      return TRUE;
    }
  id = pen_slow_ammp_last (json, reading, "_vid");
  if (!pen_slow_ammp_is_id (json, id) && missing_vid == PEN_SLOW_AMMP_DEVICE)
    id = pen_slow_ammp_last (json, reading, "_d");
  if (!pen_slow_ammp_is_id (json, id))
    {
      g_ptr_array_add (self->skipped, g_strdup ("reading_no_vid"));
      return missing_vid != PEN_SLOW_AMMP_REJECT;
    }
  vendor = pen_slow_ammp_find_vendor (vendors, json, id);
  for (guint child = pen_slow_json_first_child (json, reading); child != PEN_SLOW_JSON_NONE;
       child = pen_slow_json_get (json, child)->next_sibling)
    if (pen_slow_ammp_is_field (json, child))
      pen_slow_ammp_add_field (self, vendor, json, child);
  return TRUE;
}

static void
pen_slow_ammp_write_vendor (GString *text, const PenSlowVendor *vendor)
{
  g_string_append_len (text, vendor->text, (gssize) vendor->n_text);
  g_string_append (text, ":{");
  for (guint i = 0; i < vendor->fields->len; i++)
    {
      const PenSlowField *field = vendor->fields->pdata[i];

      if (i > 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, '"');
      g_string_append_len (text, field->key, (gssize) field->n_key);
      g_string_append (text, "\":");
      g_string_append_len (text, field->value, (gssize) field->n_value);
    }
  g_string_append_c (text, '}');
}

/* NULL if no vendor has a field. */
static GString *
pen_slow_ammp_write (const GPtrArray *vendors, const char *time)
{
  GString *text = g_string_new (NULL);
  gsize empty;

  g_string_printf (text, "{\"time\":\"%s\",\"data\":{", time);
  empty = text->len;
  for (guint i = 0; i < vendors->len; i++)
    {
      const PenSlowVendor *vendor = vendors->pdata[i];

      if (vendor->fields->len == 0)
        continue;
      if (text->len > empty)
        g_string_append_c (text, ',');
      pen_slow_ammp_write_vendor (text, vendor);
    }
  if (text->len == empty)
    {
      g_string_free (text, TRUE);
      return NULL;
    }
  return g_string_append (text, "}}");
}

static const char *
pen_slow_ammp_transform (PenSlowAmmp *self, const PenSlowJson *json, PenSlowMissingVid missing_vid)
{
  g_autoptr (GPtrArray) vendors = g_ptr_array_new_with_free_func (pen_slow_vendor_free);
  g_autofree char *time = NULL;
  guint node;

  if (json->verdict == PEN_SLOW_JSON_TOO_DEEP)
    return "too_deep";
  if (json->verdict != PEN_SLOW_JSON_ACCEPTED)
    return "invalid_json";
  if (!pen_slow_ammp_has_type (json, 0, PEN_JSON_OBJECT))
    return "not_object";
  node = pen_slow_ammp_last (json, 0, "t");
  if (!pen_slow_ammp_has_type (json, node, PEN_JSON_NUMBER))
    return "bad_timestamp";
  time = pen_slow_ammp_time (json->text + pen_slow_json_get (json, node)->offset,
                             pen_slow_json_get (json, node)->length);
  if (time == NULL)
    return "bad_timestamp";
  node = pen_slow_ammp_last (json, 0, "r");
  if (!pen_slow_ammp_has_type (json, node, PEN_JSON_ARRAY))
    return "bad_readings";
  for (guint child = pen_slow_json_first_child (json, node); child != PEN_SLOW_JSON_NONE;
       child = pen_slow_json_get (json, child)->next_sibling)
    if (!pen_slow_ammp_add_reading (self, vendors, json, child, missing_vid))
      return "reading_no_vid";
  self->text = pen_slow_ammp_write (vendors, time);
  return NULL;
}

PenSlowAmmp *
pen_slow_ammp_new (const char *payload, gsize length, PenSlowMissingVid missing_vid)
{
  PenSlowAmmp *self = g_new0 (PenSlowAmmp, 1);
  g_autoptr (PenSlowJson) json = pen_slow_json_parse (payload, length);

  self->skipped = g_ptr_array_new_with_free_func (g_free);
  self->rejected = pen_slow_ammp_transform (self, json, missing_vid);
  if (self->rejected != NULL)
    {
      g_ptr_array_set_size (self->skipped, 0);
      self->n_conflicts = 0;
    }
  return self;
}

void
pen_slow_ammp_free (PenSlowAmmp *self)
{
  if (self->text != NULL)
    g_string_free (self->text, TRUE);
  g_ptr_array_unref (self->skipped);
  g_free (self);
}
