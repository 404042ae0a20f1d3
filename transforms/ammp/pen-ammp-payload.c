/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One logger's payload becomes one payload for AMMP, in one pass over the text and one over the
 * fields found. Values are never read: they are copied.
 *
 * The text is scanned to its end before anything is decided, since a payload with several faults
 * is rejected for the one that comes first in the transform's documentation, and "not JSON" comes
 * before all others.
 */

#include "config.h"

#include "pen-ammp-payload.h"

#include "pen-ammp-readings.h"
#include "pen-ammp-time.h"

#include <string.h>

#define TIME_BEGIN "{\"time\":\""
#define DATA_BEGIN "\",\"data\":{"
#define DATA_END "}}"

/* Texts from outside that go into messages are cut. */
#define MAX_SHOWN 64

#define MAX_KEPT_SKIPS 1024

#define MEMBERS_AT_ONCE 32

typedef enum
{
  PEN_AMMP_FAULT_NOT_OBJECT,
  PEN_AMMP_FAULT_VID_MISSING,
  PEN_AMMP_FAULT_VID_TYPE,
  PEN_AMMP_FAULT_VID_EMPTY,
} PenAmmpFault;

/* A reading that is left out. */
typedef struct
{
  guint index;
  PenAmmpFault fault;
  PenJsonType type; /* of the reading, or of its _vid */
  guint device_length;
  const char *device; /* in the payload, with quotes; NULL if there is none */
} PenAmmpSkip;

struct _PenAmmpPayload
{
  PenAmmpReadings readings;
  GArray *skips;
  gint first_missing_vid; /* position in skips, or -1 */
  PenAmmpMissingVid missing_vid;

  /* What the top level has; a type that cannot be there stands for "missing". */
  PenJsonSlice time;
  PenJsonType readings_type;
  gboolean has_time;
  gboolean has_readings;
};

/* What of a reading is not a field. */
typedef struct
{
  PenJsonSlice vendor_id;
  PenJsonSlice device;
  gboolean has_vendor_id;
} PenAmmpIdentity;

/**
 * pen_ammp_payload_new:
 *
 * Returns: (transfer full): the memory for converting payloads
 *
 * Threads: any
 */
PenAmmpPayload *
pen_ammp_payload_new (void)
{
  PenAmmpPayload *self = g_new0 (PenAmmpPayload, 1);

  pen_ammp_readings_init (&self->readings);
  self->skips = g_array_new (FALSE, FALSE, sizeof (PenAmmpSkip));
  return self;
}

/**
 * pen_ammp_payload_free:
 * @self: (transfer full): what pen_ammp_payload_new () returned
 *
 * Threads: any
 */
void
pen_ammp_payload_free (PenAmmpPayload *self)
{
  pen_ammp_readings_clear (&self->readings);
  g_array_unref (self->skips);
  g_free (self);
}

/* --- Messages --- */

static const char *
pen_ammp_describe_type (PenJsonType type)
{
  static const char *const names[]
      = { "null", "false", "true", "a number", "a string", "an array", "an object" };

  return names[type];
}

/* Returns how much of a text is shown: whole characters only. */
static int
pen_ammp_cut (const char *text, gsize length)
{
  gsize shown = MIN (length, MAX_SHOWN);

  while (shown > 0 && shown < length && ((guint8) text[shown] & 0xc0) == 0x80)
    shown--;
  return (int) shown;
}

static const PenAmmpSkip *
pen_ammp_payload_get_skip (const PenAmmpPayload *self, guint skip)
{
  return &g_array_index (self->skips, PenAmmpSkip, skip);
}

/**
 * pen_ammp_payload_describe_skip:
 * @self: a payload that was converted and whose text is still there
 * @skip: which of the readings that were left out
 *
 * Returns: (transfer full): which reading it is and what is wrong with it
 *
 * Threads: lane
 */
char *
pen_ammp_payload_describe_skip (const PenAmmpPayload *self, guint skip)
{
  const PenAmmpSkip *found = pen_ammp_payload_get_skip (self, skip);
  g_autoptr (GString) message = g_string_new (NULL);

  g_string_append_printf (message, "r[%u]", found->index);
  if (found->device != NULL)
    {
      int shown = pen_ammp_cut (found->device, found->device_length);

      g_string_append_printf (message, " (device %.*s%s)", shown, found->device,
                              (guint) shown < found->device_length ? "…" : "");
    }
  if (found->fault == PEN_AMMP_FAULT_NOT_OBJECT)
    g_string_append_printf (message, " is %s, not an object", pen_ammp_describe_type (found->type));
  else if (found->fault == PEN_AMMP_FAULT_VID_MISSING)
    g_string_append (message, " has no _vid");
  else if (found->fault == PEN_AMMP_FAULT_VID_EMPTY)
    g_string_append (message, " has an empty _vid");
  else
    g_string_append_printf (message, " has a _vid that is %s, not a string",
                            pen_ammp_describe_type (found->type));
  if (found->fault != PEN_AMMP_FAULT_NOT_OBJECT && found->device == NULL)
    g_string_append (message, ", and no _d");
  return g_string_free (g_steal_pointer (&message), FALSE);
}

static gboolean
pen_ammp_payload_reject (GError **error, const char *reason, const char *message)
{
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, reason, "%s", message);
  return FALSE;
}

static gboolean
pen_ammp_payload_reject_invalid (const GError *why, GError **error)
{
  gboolean too_deep = g_error_matches (why, PEN_JSON_ERROR, PEN_JSON_ERROR_TOO_DEEP);

  return pen_ammp_payload_reject (error, too_deep ? "too_deep" : "invalid_json", why->message);
}

/* --- Scanning --- */

static void
pen_ammp_payload_skip (PenAmmpPayload *self,
                       guint index,
                       PenAmmpFault fault,
                       PenJsonType type,
                       const PenJsonSlice *device)
{
  PenAmmpSkip skip = { .index = index, .fault = fault, .type = type };

  if (device != NULL && device->type == PEN_JSON_STRING)
    {
      skip.device = device->text;
      skip.device_length = (guint) device->length;
    }
  if (fault != PEN_AMMP_FAULT_NOT_OBJECT && self->first_missing_vid < 0)
    self->first_missing_vid = (gint) self->skips->len;
  g_array_append_val (self->skips, skip);
}

/* pen_json_key_equal () without a call for the keys that there are in every reading. */
static inline gboolean
pen_ammp_key_is (const PenJsonSlice *key, const char *name, gsize length)
{
  if (G_LIKELY (!key->escaped))
    return key->length == length && memcmp (key->text, name, length) == 0;
  return pen_json_key_equal (key, name);
}

/* Deals with a key that begins with an underscore, or may once it is decoded; returns whether it
 * was a private one. */
static gboolean
pen_ammp_identity_take (PenAmmpIdentity *self, const PenJsonMember *member)
{
  if (pen_ammp_key_is (&member->key, "_vid", 4))
    {
      self->vendor_id = member->value;
      self->has_vendor_id = TRUE;
      return TRUE;
    }
  if (pen_ammp_key_is (&member->key, "_d", 2))
    {
      self->device = member->value;
      return TRUE;
    }
  if (member->key.escaped)
    {
      g_autofree char *key = pen_json_slice_decode (&member->key, NULL);

      return key[0] == '_';
    }
  return TRUE;
}

static gboolean
pen_ammp_is_name (const PenJsonSlice *value)
{
  return value->type == PEN_JSON_STRING && value->length > 2;
}

/* Keeps what members of the current reading there are: fields, and what is private of it. */
static void
pen_ammp_payload_take (PenAmmpPayload *self,
                       PenAmmpIdentity *identity,
                       const PenJsonMember *member,
                       guint n_members)
{
  const PenJsonMember *end = member + n_members;
  PenAmmpField *field = pen_ammp_readings_add (&self->readings, n_members);

  for (; member < end; member++)
    {
      /* Behind an empty key there is its closing quote. */
      if (G_UNLIKELY (member->key.escaped || member->key.text[0] == '_')
          && pen_ammp_identity_take (identity, member))
        continue;
      field = pen_ammp_field_set (field, &self->readings, member);
    }
  pen_ammp_readings_added (&self->readings, field);
}

/* Reads the members of the object just entered: most of them by the dozen. */
static void
pen_ammp_payload_scan_members (PenAmmpPayload *self,
                               PenJsonScanner *scanner,
                               PenAmmpIdentity *identity)
{
  PenJsonMember members[MEMBERS_AT_ONCE];
  guint n_members;

  do
    {
      n_members = pen_json_scanner_next_usual (scanner, members, G_N_ELEMENTS (members));
      pen_ammp_payload_take (self, identity, members, n_members);
      if (n_members == G_N_ELEMENTS (members))
        continue;
      if (!pen_json_scanner_next (scanner, &members[0])
          || !pen_json_scanner_skip (scanner, &members[0].value))
        break;
      pen_ammp_payload_take (self, identity, members, 1);
    }
  while (TRUE);
}

/* Reads the reading just announced, and keeps it if it has a vendor ID. */
static void
pen_ammp_payload_scan_reading (PenAmmpPayload *self, PenJsonScanner *scanner, guint index)
{
  PenAmmpIdentity identity = { 0 };
  const PenJsonSlice *vendor_id = &identity.vendor_id;
  PenAmmpFault fault;

  pen_json_scanner_enter (scanner);
  pen_ammp_payload_scan_members (self, scanner, &identity);
  if (!pen_ammp_is_name (vendor_id) && self->missing_vid == PEN_AMMP_MISSING_VID_DEVICE
      && pen_ammp_is_name (&identity.device))
    vendor_id = &identity.device;
  if (pen_ammp_is_name (vendor_id))
    {
      pen_ammp_readings_commit (&self->readings, vendor_id);
      return;
    }
  pen_ammp_readings_discard (&self->readings);
  if (!identity.has_vendor_id)
    fault = PEN_AMMP_FAULT_VID_MISSING;
  else if (identity.vendor_id.type == PEN_JSON_STRING)
    fault = PEN_AMMP_FAULT_VID_EMPTY;
  else
    fault = PEN_AMMP_FAULT_VID_TYPE;
  pen_ammp_payload_skip (self, index, fault, identity.vendor_id.type, &identity.device);
}

/* Forgets the readings: those of the payload before, or of an `r` that another one follows. */
static void
pen_ammp_payload_empty (PenAmmpPayload *self, const char *text, gsize length)
{
  pen_ammp_readings_empty (&self->readings, text, length);
  if (self->skips->len > MAX_KEPT_SKIPS)
    {
      g_array_unref (self->skips);
      self->skips = g_array_new (FALSE, FALSE, sizeof (PenAmmpSkip));
    }
  g_array_set_size (self->skips, 0);
  self->first_missing_vid = -1;
}

/* Reads the array just announced. */
static void
pen_ammp_payload_scan_readings (PenAmmpPayload *self, PenJsonScanner *scanner)
{
  PenJsonMember member;

  pen_json_scanner_enter (scanner);
  for (guint i = 0; pen_json_scanner_next (scanner, &member); i++)
    {
      if (member.value.type == PEN_JSON_OBJECT)
        pen_ammp_payload_scan_reading (self, scanner, i);
      else
        pen_ammp_payload_skip (self, i, PEN_AMMP_FAULT_NOT_OBJECT, member.value.type, NULL);
    }
}

/* Reads the members of the top-level object. */
static void
pen_ammp_payload_scan (PenAmmpPayload *self,
                       PenJsonScanner *scanner,
                       const char *text,
                       gsize length)
{
  PenJsonMember member;

  pen_json_scanner_enter (scanner);
  while (pen_json_scanner_next (scanner, &member))
    {
      if (pen_ammp_key_is (&member.key, "t", 1))
        {
          self->time = member.value;
          self->has_time = TRUE;
        }
      else if (pen_ammp_key_is (&member.key, "r", 1))
        {
          if (self->has_readings)
            pen_ammp_payload_empty (self, text, length);
          self->readings_type = member.value.type;
          self->has_readings = TRUE;
          if (member.value.type == PEN_JSON_ARRAY)
            pen_ammp_payload_scan_readings (self, scanner);
        }
    }
}

/* --- Deciding --- */

static gboolean
pen_ammp_payload_convert_time (const PenAmmpPayload *self,
                               char *time,
                               gsize *length,
                               GError **error)
{
  g_autofree char *message = NULL;

  if (!self->has_time)
    return pen_ammp_payload_reject (error, "bad_timestamp", "t is missing");
  if (self->time.type == PEN_JSON_NUMBER)
    return pen_ammp_time_convert (&self->time, time, length, error);
  if (self->time.type == PEN_JSON_STRING)
    {
      int shown = pen_ammp_cut (self->time.text, self->time.length);

      message = g_strdup_printf ("t is the string %.*s%s, not a number", shown, self->time.text,
                                 (gsize) shown < self->time.length ? "…" : "");
    }
  else
    message = g_strdup_printf ("t is %s, not a number", pen_ammp_describe_type (self->time.type));
  return pen_ammp_payload_reject (error, "bad_timestamp", message);
}

static gboolean
pen_ammp_payload_check_readings (const PenAmmpPayload *self, GError **error)
{
  g_autofree char *message = NULL;

  if (!self->has_readings)
    return pen_ammp_payload_reject (error, "bad_readings", "r is missing");
  if (self->readings_type != PEN_JSON_ARRAY)
    {
      message
          = g_strdup_printf ("r is %s, not an array", pen_ammp_describe_type (self->readings_type));
      return pen_ammp_payload_reject (error, "bad_readings", message);
    }
  if (self->missing_vid != PEN_AMMP_MISSING_VID_REJECT || self->first_missing_vid < 0)
    return TRUE;
  message = pen_ammp_payload_describe_skip (self, (guint) self->first_missing_vid);
  return pen_ammp_payload_reject (error, "reading_no_vid", message);
}

static inline char *
pen_ammp_append (char *to, const char *text, gsize length)
{
  memcpy (to, text, length);
  return to + length;
}

/* Writes the result into memory that is just large enough. */
static GBytes *
pen_ammp_payload_write (const PenAmmpPayload *self, const char *time, gsize time_length)
{
  gsize length = strlen (TIME_BEGIN) + time_length + strlen (DATA_BEGIN)
                 + (self->readings.length - 1) + strlen (DATA_END);
  char *text = g_malloc (length + PEN_AMMP_SLACK);
  char *to = pen_ammp_append (text, TIME_BEGIN, strlen (TIME_BEGIN));

  to = pen_ammp_append (to, time, time_length);
  to = pen_ammp_append (to, DATA_BEGIN, strlen (DATA_BEGIN));
  to = pen_ammp_readings_write (&self->readings, to);
  to = pen_ammp_append (to, DATA_END, strlen (DATA_END));
  g_warn_if_fail (to == text + length);
  return g_bytes_new_take (text, length);
}

/**
 * pen_ammp_payload_convert:
 * @self: memory
 * @text: (array length=length): a logger's payload
 * @length: number of bytes
 * @missing_vid: what to do about readings without a vendor ID
 * @converted: (out) (nullable): the payload for AMMP; %NULL if no reading has a field left
 * @error: return location for the error
 *
 * Converts a payload. What was left out of it can be asked for afterwards, while @text is there.
 *
 * Returns: %FALSE with %PEN_ELEMENT_ERROR_REJECT and a reason if the payload is rejected
 *
 * Threads: lane
 */
gboolean
pen_ammp_payload_convert (PenAmmpPayload *self,
                          const char *text,
                          gsize length,
                          PenAmmpMissingVid missing_vid,
                          GBytes **converted,
                          GError **error)
{
  g_autoptr (GError) invalid = NULL;
  g_autofree char *message = NULL;
  char time[PEN_AMMP_TIME_MAX_LENGTH];
  gsize time_length;
  PenJsonScanner scanner;
  PenJsonSlice top = { .type = PEN_JSON_NULL };

  *converted = NULL;
  /* An empty payload may have no address, to which nothing can be added. */
  text = text != NULL ? text : "";
  self->missing_vid = missing_vid;
  self->has_time = FALSE;
  self->has_readings = FALSE;
  pen_ammp_payload_empty (self, text, length);
  /* Positions have 32 bits; no source lets pass what comes near that. */
  if (length > G_MAXINT32)
    return pen_ammp_payload_reject (error, "too_large", "the payload is larger than 2 GiB");
  pen_json_scanner_init (&scanner, text, length);
  if (pen_json_scanner_begin (&scanner, &top) && top.type == PEN_JSON_OBJECT)
    pen_ammp_payload_scan (self, &scanner, text, length);
  if (!pen_json_scanner_finish (&scanner, &invalid))
    return pen_ammp_payload_reject_invalid (invalid, error);
  if (top.type != PEN_JSON_OBJECT)
    {
      message
          = g_strdup_printf ("the payload is %s, not an object", pen_ammp_describe_type (top.type));
      return pen_ammp_payload_reject (error, "not_object", message);
    }
  if (!pen_ammp_payload_convert_time (self, time, &time_length, error)
      || !pen_ammp_payload_check_readings (self, error))
    return FALSE;
  if (self->readings.length > 0)
    *converted = pen_ammp_payload_write (self, time, time_length);
  return TRUE;
}

/**
 * pen_ammp_payload_get_n_conflicts:
 * @self: a payload that was converted
 *
 * Returns: how many values another one for the same field took the place of
 *
 * Threads: lane
 */
guint
pen_ammp_payload_get_n_conflicts (const PenAmmpPayload *self)
{
  return self->readings.n_conflicts;
}

/**
 * pen_ammp_payload_get_n_skipped:
 * @self: a payload that was converted
 *
 * Returns: how many readings were left out
 *
 * Threads: lane
 */
guint
pen_ammp_payload_get_n_skipped (const PenAmmpPayload *self)
{
  return self->skips->len;
}

/**
 * pen_ammp_payload_get_skip_reason:
 * @self: a payload that was converted
 * @skip: which of the readings that were left out
 *
 * Returns: `reading_not_object` or `reading_no_vid`
 *
 * Threads: lane
 */
const char *
pen_ammp_payload_get_skip_reason (const PenAmmpPayload *self, guint skip)
{
  return pen_ammp_payload_get_skip (self, skip)->fault == PEN_AMMP_FAULT_NOT_OBJECT
             ? "reading_not_object"
             : "reading_no_vid";
}
