/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Named values of an event. It stands in the core because sinks with columns find them alike.
 *
 * A payload is read once, from the left, without a document. Events of one kind have their members
 * in one order, so the place that comes next is tried first; only where that fails all are
 * looked at.
 */

#include "config.h"

#include "pen-fields.h"

#include "pen-element.h"
#include "pen-json-path.h"

#include <string.h>

/* How many members are read in one go. */
#define MEMBERS_AT_ONCE 16
#define NO_PLACE G_MAXUINT

typedef enum
{
  PEN_PLACE_MEMBER,
  PEN_PLACE_PATH,
  PEN_PLACE_PAYLOAD,
  PEN_PLACE_TOPIC,
  PEN_PLACE_PIPELINE,
  PEN_PLACE_CONTENT_TYPE,
  PEN_PLACE_ARRIVAL,
  PEN_PLACE_ARRIVAL_S,
  PEN_PLACE_ARRIVAL_MS,
  PEN_PLACE_ARRIVAL_US,
  PEN_PLACE_RETAINED,
  PEN_PLACE_DUPLICATE,
  PEN_PLACE_REPLAYED,
} PenPlaceKind;

static const char *const place_names[] = {
  [PEN_PLACE_PAYLOAD] = "@payload",       [PEN_PLACE_TOPIC] = "@topic",
  [PEN_PLACE_PIPELINE] = "@pipeline",     [PEN_PLACE_CONTENT_TYPE] = "@content-type",
  [PEN_PLACE_ARRIVAL] = "@arrival",       [PEN_PLACE_ARRIVAL_S] = "@arrival-s",
  [PEN_PLACE_ARRIVAL_MS] = "@arrival-ms", [PEN_PLACE_ARRIVAL_US] = "@arrival-us",
  [PEN_PLACE_RETAINED] = "@retained",     [PEN_PLACE_DUPLICATE] = "@duplicate",
  [PEN_PLACE_REPLAYED] = "@replayed",
};

typedef struct
{
  PenPlaceKind kind;
  char *name;
  gsize length;
  PenJsonPath *path; /* of PEN_PLACE_PATH */
  guint same;        /* the next place that has the same name, or NO_PLACE */
  gboolean is_again; /* another place before has the same name */
  char *text;        /* what was made of an event for it */
} PenPlaceInEvent;

struct _PenFields
{
  char *pipeline;
  GArray *places; /* of PenPlaceInEvent */
  GArray *values; /* of PenFieldValue */
  gboolean has_members;
  gboolean has_paths;
  gboolean has_others; /* what is not in the payload's members */

  PenJsonMember other; /* the first that no place has; its key's text NULL: none */
};

static void
pen_fields_clear_place (gpointer data)
{
  PenPlaceInEvent *place = data;

  g_free (place->name);
  g_clear_pointer (&place->path, pen_json_path_free);
  g_free (place->text);
}

/**
 * pen_fields_new: (skip)
 * @pipeline: (nullable): the name of the pipeline, for `@pipeline`
 *
 * Returns: (transfer full): no places yet
 *
 * Threads: any
 */
PenFields *
pen_fields_new (const char *pipeline)
{
  PenFields *self = g_new0 (PenFields, 1);

  self->pipeline = g_strdup (pipeline);
  self->places = g_array_new (FALSE, TRUE, sizeof (PenPlaceInEvent));
  g_array_set_clear_func (self->places, pen_fields_clear_place);
  self->values = g_array_new (FALSE, TRUE, sizeof (PenFieldValue));
  return self;
}

/**
 * pen_fields_free:
 * @self: (transfer full): places
 *
 * Threads: any
 */
void
pen_fields_free (PenFields *self)
{
  g_array_unref (self->places);
  g_array_unref (self->values);
  g_free (self->pipeline);
  g_free (self);
}

static PenPlaceInEvent *
pen_fields_get_place (const PenFields *self, guint index)
{
  return &g_array_index (self->places, PenPlaceInEvent, index);
}

/* Chains places of one name, so that a member is looked for once. */
static void
pen_fields_chain (PenFields *self, PenPlaceInEvent *place)
{
  for (guint i = 0; i < self->places->len; i++)
    {
      PenPlaceInEvent *other = pen_fields_get_place (self, i);

      if (other->kind != PEN_PLACE_MEMBER || !g_str_equal (other->name, place->name))
        continue;
      place->is_again = TRUE;
      if (other->same == NO_PLACE)
        other->same = self->places->len;
    }
}

static gboolean
pen_fields_append (PenFields *self,
                   PenPlaceKind kind,
                   const char *name,
                   PenJsonPath *path,
                   GError **error)
{
  PenPlaceInEvent place = { .kind = kind, .same = NO_PLACE, .path = path };

  if (self->places->len >= PEN_FIELDS_MAX)
    {
      g_clear_pointer (&path, pen_json_path_free);
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration", "more than %d columns",
                             PEN_FIELDS_MAX);
      return FALSE;
    }
  place.name = g_strdup (name);
  place.length = strlen (name);
  self->has_members = self->has_members || kind == PEN_PLACE_MEMBER;
  self->has_paths = self->has_paths || kind == PEN_PLACE_PATH;
  self->has_others = self->has_others || (kind != PEN_PLACE_MEMBER && kind != PEN_PLACE_PATH);
  if (kind == PEN_PLACE_MEMBER)
    pen_fields_chain (self, &place);
  g_array_append_val (self->places, place);
  g_array_set_size (self->values, self->places->len);
  return TRUE;
}

/**
 * pen_fields_add:
 * @self: places
 * @place: one more, as a keyfile has it
 * @error: return location
 *
 * Returns: %FALSE with %PEN_ELEMENT_ERROR_FAIL if there is no such place
 *
 * Threads: any
 */
gboolean
pen_fields_add (PenFields *self, const char *place, GError **error)
{
  g_autoptr (GError) path_error = NULL;
  PenJsonPath *path = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (place_names); i++)
    if (place_names[i] != NULL && g_str_equal (place_names[i], place))
      return pen_fields_append (self, (PenPlaceKind) i, place, NULL /* path */, error);
  if (*place == '@' || *place == '\0')
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "'%s' is nothing that an event has; write the name of a member, a "
                             "path such as metadata.unit, or one of @topic, @arrival, @arrival-s, "
                             "@arrival-ms, @arrival-us, @payload, @pipeline, @content-type, "
                             "@retained, @duplicate, @replayed",
                             place);
      return FALSE;
    }
  if (strpbrk (place, ".[") == NULL)
    return pen_fields_append (self, PEN_PLACE_MEMBER, place, NULL /* path */, error);
  path = pen_json_path_new (place, &path_error);
  if (path != NULL)
    return pen_fields_append (self, PEN_PLACE_PATH, place, path, error);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration", "%s", path_error->message);
  return FALSE;
}

/**
 * pen_fields_add_member:
 * @self: places
 * @name: name of a member of the payload, as it is, whatever is in it
 * @error: return location
 *
 * Returns: %FALSE with %PEN_ELEMENT_ERROR_FAIL if there are %PEN_FIELDS_MAX already
 *
 * Threads: any
 */
gboolean
pen_fields_add_member (PenFields *self, const char *name, GError **error)
{
  return pen_fields_append (self, PEN_PLACE_MEMBER, name, NULL /* path */, error);
}

/**
 * pen_fields_get_n_places:
 * @self: places
 *
 * Returns: how many were added
 *
 * Threads: any
 */
guint
pen_fields_get_n_places (const PenFields *self)
{
  return self->places->len;
}

/**
 * pen_fields_get_value: (skip)
 * @self: places that an event was read for
 * @index: which, in the order in which they were added
 *
 * Returns: (transfer none): what is there, until the next event is read
 *
 * Threads: any, one at a time
 */
const PenFieldValue *
pen_fields_get_value (const PenFields *self, guint index)
{
  g_return_val_if_fail (index < self->values->len, NULL);

  return &g_array_index (self->values, PenFieldValue, index);
}

/* --- Members --- */

static void
pen_field_value_take (PenFieldValue *self, const PenJsonSlice *slice)
{
  gboolean is_string = slice->type == PEN_JSON_STRING;

  self->text = slice->text + is_string;
  self->length = slice->length - 2u * (guint) is_string;
  self->type = slice->type;
  self->escaped = slice->escaped;
  self->is_there = TRUE;
}

static gboolean
pen_place_has_key (const PenPlaceInEvent *self, const PenJsonSlice *key)
{
  if (G_UNLIKELY (key->escaped))
    return pen_json_key_equal (key, self->name);
  return key->length == self->length && memcmp (key->text, self->name, key->length) == 0;
}

/* The place whose name is @key: @guess, if the members come in the order of the places. */
static guint
pen_fields_find (const PenFields *self, guint guess, const PenJsonSlice *key)
{
  guint n_places = self->places->len;

  if (G_LIKELY (guess < n_places))
    {
      const PenPlaceInEvent *place = pen_fields_get_place (self, guess);

      if (place->kind == PEN_PLACE_MEMBER && !place->is_again && pen_place_has_key (place, key))
        return guess;
    }
  for (guint i = 0; i < n_places; i++)
    {
      const PenPlaceInEvent *place = pen_fields_get_place (self, i);

      if (place->kind == PEN_PLACE_MEMBER && !place->is_again && pen_place_has_key (place, key))
        return i;
    }
  return NO_PLACE;
}

/* Returns the place that is likely to be next. */
static guint
pen_fields_take_member (PenFields *self, guint guess, const PenJsonMember *member)
{
  guint found = pen_fields_find (self, guess, &member->key);

  for (guint i = found; i != NO_PLACE; i = pen_fields_get_place (self, i)->same)
    pen_field_value_take (&g_array_index (self->values, PenFieldValue, i), &member->value);
  if (found == NO_PLACE && self->other.key.text == NULL)
    self->other = *member;
  return found != NO_PLACE ? found + 1 : guess;
}

static gboolean
pen_fields_read_members (PenFields *self, PenEvent *event, GError **error)
{
  gsize length;
  const char *text = pen_event_get_data (event, &length);
  PenJsonMember members[MEMBERS_AT_ONCE];
  PenJsonSlice top;
  PenJsonScanner scanner;
  guint guess = 0;
  guint n_members;

  pen_json_scanner_init (&scanner, text, length);
  if (!pen_json_scanner_begin (&scanner, &top) || top.type != PEN_JSON_OBJECT)
    {
      if (pen_json_scanner_finish (&scanner, error))
        g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE,
                     "the payload is JSON, but not an object, so it has no members");
      return FALSE;
    }
  pen_json_scanner_enter (&scanner);
  do
    {
      n_members = pen_json_scanner_next_usual (&scanner, members, MEMBERS_AT_ONCE);
      if (n_members == 0 && pen_json_scanner_next (&scanner, &members[0])
          && pen_json_scanner_skip (&scanner, &members[0].value))
        n_members = 1;
      for (guint i = 0; i < n_members; i++)
        guess = pen_fields_take_member (self, guess, &members[i]);
    }
  while (n_members > 0);
  return pen_json_scanner_finish (&scanner, error);
}

/* Paths go through a document, which the event keeps for others. */
static gboolean
pen_fields_read_paths (PenFields *self, PenEvent *event, GError **error)
{
  const PenJson *json = pen_event_get_json (event, error);

  for (guint i = 0; json != NULL && i < self->places->len; i++)
    {
      const PenPlaceInEvent *place = pen_fields_get_place (self, i);
      PenJsonNode node
          = place->path != NULL ? pen_json_path_find (place->path, json) : PEN_JSON_NO_NODE;
      PenJsonSlice slice;

      if (node == PEN_JSON_NO_NODE)
        continue;
      pen_json_get_slice (json, node, &slice);
      pen_field_value_take (&g_array_index (self->values, PenFieldValue, i), &slice);
    }
  return json != NULL;
}

/* --- What else is known of an event --- */

static void
pen_field_value_set_text (PenFieldValue *self, const char *text)
{
  if (text == NULL)
    return;
  self->text = text;
  self->length = strlen (text);
  self->type = PEN_JSON_STRING;
  self->is_there = TRUE;
}

static void
pen_field_value_set_number (PenFieldValue *self, PenPlaceInEvent *place, gint64 number)
{
  g_free (place->text);
  place->text = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  pen_field_value_set_text (self, place->text);
  self->type = PEN_JSON_NUMBER;
}

static void
pen_field_value_set_flag (PenFieldValue *self, PenEvent *event, PenEventFlags flag)
{
  gboolean is_set = (pen_event_get_flags (event) & flag) != 0;

  pen_field_value_set_text (self, is_set ? "true" : "false");
  self->type = is_set ? PEN_JSON_TRUE : PEN_JSON_FALSE;
}

static void
pen_field_value_set_time (PenFieldValue *self, PenPlaceInEvent *place, gint64 real_us)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) time
      = seconds != NULL ? g_date_time_add (seconds, real_us % G_USEC_PER_SEC) : NULL;

  g_free (place->text);
  place->text = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S.%f+00:00") : NULL;
  pen_field_value_set_text (self, place->text);
}

/* The largest whole number that is not greater: before 1970 as after. */
static gint64
pen_fields_divide (gint64 number, gint64 divisor)
{
  return number / divisor - (number % divisor < 0);
}

static void
pen_fields_read_other (PenFields *self, guint index, PenEvent *event)
{
  PenPlaceInEvent *place = pen_fields_get_place (self, index);
  PenFieldValue *value = &g_array_index (self->values, PenFieldValue, index);
  gint64 arrival_us = pen_event_get_arrival (event);

  switch (place->kind)
    {
    case PEN_PLACE_PAYLOAD:
      pen_field_value_set_text (value, "");
      value->text = pen_event_get_data (event, &value->length);
      break;
    case PEN_PLACE_TOPIC:
      pen_field_value_set_text (value, pen_event_get_topic (event));
      break;
    case PEN_PLACE_PIPELINE:
      pen_field_value_set_text (value, self->pipeline);
      break;
    case PEN_PLACE_CONTENT_TYPE:
      pen_field_value_set_text (value, pen_event_get_content_type (event));
      break;
    case PEN_PLACE_ARRIVAL:
      pen_field_value_set_time (value, place, arrival_us);
      break;
    case PEN_PLACE_ARRIVAL_S:
      pen_field_value_set_number (value, place, pen_fields_divide (arrival_us, G_USEC_PER_SEC));
      break;
    case PEN_PLACE_ARRIVAL_MS:
      pen_field_value_set_number (value, place, pen_fields_divide (arrival_us, 1000));
      break;
    case PEN_PLACE_ARRIVAL_US:
      pen_field_value_set_number (value, place, arrival_us);
      break;
    case PEN_PLACE_RETAINED:
      pen_field_value_set_flag (value, event, PEN_EVENT_RETAINED);
      break;
    case PEN_PLACE_DUPLICATE:
      pen_field_value_set_flag (value, event, PEN_EVENT_DUPLICATE);
      break;
    case PEN_PLACE_REPLAYED:
      pen_field_value_set_flag (value, event, PEN_EVENT_REPLAYED);
      break;
    case PEN_PLACE_MEMBER:
    case PEN_PLACE_PATH:
    default:
      break;
    }
}

/**
 * pen_fields_read:
 * @self: places
 * @event: an event
 * @error: return location
 *
 * Looks at all places. Of members of one name the last counts. The payload is only looked at if a
 * place is in it, or if there are no places at all.
 *
 * Returns: %FALSE with %PEN_JSON_ERROR if the payload is not JSON, or members are wanted and it is
 *   no object
 *
 * Threads: any, one at a time
 */
gboolean
pen_fields_read (PenFields *self, PenEvent *event, GError **error)
{
  if (self->values->len > 0)
    memset (self->values->data, 0, self->values->len * sizeof (PenFieldValue));
  self->other.key.text = NULL;
  if (self->has_others)
    for (guint i = 0; i < self->places->len; i++)
      pen_fields_read_other (self, i, event);
  if (self->has_paths && !pen_fields_read_paths (self, event, error))
    return FALSE;
  if (!self->has_members && self->places->len > 0)
    return TRUE;
  return pen_fields_read_members (self, event, error);
}

/**
 * pen_fields_dup_other: (skip)
 * @self: places that an event was read for
 * @value: (out): its value
 *
 * Tells of the first member of the payload that no place is of.
 *
 * Returns: (transfer full) (nullable): its name; %NULL if there is none
 *
 * Threads: any, one at a time
 */
char *
pen_fields_dup_other (const PenFields *self, PenFieldValue *value)
{
  if (self->other.key.text == NULL)
    return NULL;
  pen_field_value_take (value, &self->other.value);
  return pen_json_slice_decode (&self->other.key, NULL);
}

/**
 * pen_field_value_decode: (skip)
 * @value: a value
 * @length: (out) (optional): its length
 *
 * Returns: (transfer full): the text without escapes, NUL-terminated; it may hold NULs besides
 *
 * Threads: any
 */
char *
pen_field_value_decode (const PenFieldValue *value, gsize *length)
{
  PenJsonSlice slice = { .text = value->text, .length = value->length, .type = value->type };

  if (!value->escaped)
    {
      char *text = g_malloc (value->length + 1);

      if (value->length > 0)
        memcpy (text, value->text, value->length);
      text[value->length] = '\0';
      if (length != NULL)
        *length = value->length;
      return text;
    }
  slice.text--;
  slice.length += 2;
  slice.escaped = TRUE;
  return pen_json_slice_decode (&slice, length);
}
