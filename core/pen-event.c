/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One message on its way. What an event is derived from is kept as long as the event: a dead letter
 * needs the message as it came. Topic and user properties are shared with what is derived.
 */

#include "config.h"

#include "pen-event.h"

#include "pen-event-private.h"

#include <string.h>

/* Rarely there, so apart: most messages are MQTT 3.1.1. */
typedef struct
{
  gatomicrefcount references;
  char *content_type;
  GPtrArray *properties; /* name, value, name, value, … */
} PenEventExtra;

struct _PenEvent
{
  gatomicrefcount references;
  PenEventFlags flags;
  gint64 arrival_us;
  GBytes *payload;
  guint64 full_size; /* of a message of which the payload is only the beginning; otherwise 0 */
  char *topic;       /* a GRefString */
  PenToken *token;
  PenEvent *origin;
  gboolean is_merged;
  GPtrArray *more_tokens; /* of a merged event */
  PenEventExtra *extra;
  PenJson *json; /* atomic; made on first use */
};

G_DEFINE_BOXED_TYPE (PenEvent, pen_event, pen_event_ref, pen_event_unref)

/* What comes next mostly has the topic of what came last: they share it. One of each thread. */
static GPrivate pen_event_last_topic = G_PRIVATE_INIT ((GDestroyNotify) g_ref_string_release);

static char *
pen_event_make_topic (const char *topic)
{
  char *last = g_private_get (&pen_event_last_topic);

  if (last == NULL || strcmp (last, topic) != 0)
    {
      last = g_ref_string_new (topic);
      g_private_replace (&pen_event_last_topic, last);
    }
  return g_ref_string_acquire (last);
}

static void
pen_event_extra_unref (PenEventExtra *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free (self->content_type);
  g_clear_pointer (&self->properties, g_ptr_array_unref);
  g_free (self);
}

static PenEventExtra *
pen_event_ensure_extra (PenEvent *self)
{
  if (self->extra == NULL)
    {
      self->extra = g_new0 (PenEventExtra, 1);
      g_atomic_ref_count_init (&self->extra->references);
    }
  return self->extra;
}

static gboolean
pen_event_is_mine (PenEvent *self)
{
  return g_atomic_ref_count_compare (&self->references, 1);
}

/**
 * pen_event_new:
 * @payload: the bytes as they came
 * @topic: (nullable): where they were published
 * @arrival_us: wall clock at arrival, in microseconds since 1970
 *
 * Makes an event of a message that a source received.
 *
 * Returns: (transfer full): the event
 *
 * Threads: any
 */
PenEvent *
pen_event_new (GBytes *payload, const char *topic, gint64 arrival_us)
{
  PenEvent *self = g_new0 (PenEvent, 1);

  g_atomic_ref_count_init (&self->references);
  self->payload = g_bytes_ref (payload);
  self->topic = topic != NULL ? pen_event_make_topic (topic) : NULL;
  self->arrival_us = arrival_us;
  return self;
}

/**
 * pen_event_derive:
 * @origin: what it is made from
 * @payload: the new bytes
 *
 * Makes an event that takes the place of @origin, or of a part of it: it has the same topic, time
 * of arrival, flags and user properties, and holds the same message open.
 *
 * Returns: (transfer full): the event
 *
 * Threads: any
 */
PenEvent *
pen_event_derive (PenEvent *origin, GBytes *payload)
{
  PenEvent *self = g_new0 (PenEvent, 1);

  g_atomic_ref_count_init (&self->references);
  self->payload = g_bytes_ref (payload);
  self->topic = origin->topic != NULL ? g_ref_string_acquire (origin->topic) : NULL;
  self->arrival_us = origin->arrival_us;
  self->flags = origin->flags;
  self->token = origin->token != NULL ? pen_token_ref (origin->token) : NULL;
  self->more_tokens = origin->more_tokens != NULL ? g_ptr_array_ref (origin->more_tokens) : NULL;
  self->is_merged = origin->is_merged;
  if (!origin->is_merged)
    self->origin = pen_event_ref (origin->origin != NULL ? origin->origin : origin);
  if (origin->extra != NULL)
    {
      g_atomic_ref_count_inc (&origin->extra->references);
      self->extra = origin->extra;
    }
  return self;
}

/**
 * pen_event_merge:
 * @origins: (array length=n_origins): what it is made from, at least one
 * @n_origins: how many
 * @payload: the new bytes
 *
 * Makes one event of several (an average). It has the topic of the last and its time of arrival,
 * holds the messages of all of them open, and is marked as replayed if any of them is.
 *
 * Returns: (transfer full): the event
 *
 * Threads: any
 */
PenEvent *
pen_event_merge (PenEvent *const *origins, gsize n_origins, GBytes *payload)
{
  PenEvent *self = NULL;
  const PenEvent *last = NULL;

  g_return_val_if_fail (n_origins > 0, NULL);

  if (n_origins == 1)
    return pen_event_derive (origins[0], payload);
  last = origins[n_origins - 1];
  self = pen_event_new (payload, NULL, last->arrival_us);
  self->topic = last->topic != NULL ? g_ref_string_acquire (last->topic) : NULL;
  self->is_merged = TRUE;
  self->more_tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_token_unref);
  for (gsize i = 0; i < n_origins; i++)
    {
      const PenEvent *origin = origins[i];

      self->flags |= origin->flags & PEN_EVENT_REPLAYED;
      if (origin->token != NULL)
        g_ptr_array_add (self->more_tokens, pen_token_ref (origin->token));
      for (guint j = 0; origin->more_tokens != NULL && j < origin->more_tokens->len; j++)
        g_ptr_array_add (self->more_tokens,
                         pen_token_ref (g_ptr_array_index (origin->more_tokens, j)));
    }
  return self;
}

/**
 * pen_event_ref:
 * @self: an event
 *
 * Returns: (transfer full): @self
 *
 * Threads: any
 */
PenEvent *
pen_event_ref (PenEvent *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * pen_event_unref:
 * @self: (transfer full): an event
 *
 * Drops a reference. Who keeps none of an event says that he is done with it: when nobody holds
 * anything of a message any more, it is acknowledged.
 *
 * Threads: any
 */
void
pen_event_unref (PenEvent *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_bytes_unref (self->payload);
  g_clear_pointer (&self->topic, g_ref_string_release);
  g_clear_pointer (&self->origin, pen_event_unref);
  g_clear_pointer (&self->extra, pen_event_extra_unref);
  g_clear_pointer (&self->json, pen_json_unref);
  g_clear_pointer (&self->more_tokens, g_ptr_array_unref);
  g_clear_pointer (&self->token, pen_token_unref);
  g_free (self);
}

/**
 * pen_event_set_flags:
 * @self: an event that was just made
 * @flags: what is known of it
 *
 * Threads: any
 */
void
pen_event_set_flags (PenEvent *self, PenEventFlags flags)
{
  g_return_if_fail (pen_event_is_mine (self));

  self->flags = flags;
}

/**
 * pen_event_set_topic:
 * @self: an event that was just made
 * @topic: (nullable): its topic from here on
 *
 * Threads: any
 */
void
pen_event_set_topic (PenEvent *self, const char *topic)
{
  g_return_if_fail (pen_event_is_mine (self));

  g_clear_pointer (&self->topic, g_ref_string_release);
  self->topic = topic != NULL ? g_ref_string_new (topic) : NULL;
}

/**
 * pen_event_set_full_size:
 * @self: an event that was just made by [ctor@Event.new]
 * @full_size_bytes: how many bytes the message has
 *
 * Says that the payload is only the beginning of the message, because a source does not hold more
 * of one that is too large. Such an event can only be rejected; its dead letter says that it is
 * cut, and of what size the message was.
 *
 * Threads: any
 */
void
pen_event_set_full_size (PenEvent *self, guint64 full_size_bytes)
{
  g_return_if_fail (pen_event_is_mine (self));

  self->full_size = full_size_bytes;
}

/**
 * pen_event_set_content_type:
 * @self: an event that was just made by [ctor@Event.new]
 * @content_type: MIME type of the payload, as the sender says
 *
 * Threads: any
 */
void
pen_event_set_content_type (PenEvent *self, const char *content_type)
{
  PenEventExtra *extra = NULL;

  g_return_if_fail (pen_event_is_mine (self));

  extra = pen_event_ensure_extra (self);
  g_free (extra->content_type);
  extra->content_type = g_strdup (content_type);
}

/**
 * pen_event_add_user_property:
 * @self: an event that was just made by [ctor@Event.new]
 * @name: name of an MQTT 5 user property; names may repeat
 * @value: its value
 *
 * Threads: any
 */
void
pen_event_add_user_property (PenEvent *self, const char *name, const char *value)
{
  PenEventExtra *extra = NULL;

  g_return_if_fail (pen_event_is_mine (self));

  extra = pen_event_ensure_extra (self);
  if (extra->properties == NULL)
    extra->properties = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (extra->properties, g_strdup (name));
  g_ptr_array_add (extra->properties, g_strdup (value));
}

/**
 * pen_event_get_payload:
 * @self: an event
 *
 * Returns: (transfer none): its bytes
 *
 * Threads: any
 */
GBytes *
pen_event_get_payload (const PenEvent *self)
{
  return self->payload;
}

/**
 * pen_event_get_data: (skip)
 * @self: an event
 * @length: (out): number of bytes
 *
 * Returns: (nullable): its bytes, not NUL-terminated; may be %NULL when there are none
 *
 * Threads: any
 */
const char *
pen_event_get_data (const PenEvent *self, gsize *length)
{
  return g_bytes_get_data (self->payload, length);
}

/**
 * pen_event_get_full_size:
 * @self: an event
 *
 * Returns: how many bytes the message has: more than the payload if that is only its beginning
 *
 * Threads: any
 */
guint64
pen_event_get_full_size (const PenEvent *self)
{
  return MAX (self->full_size, g_bytes_get_size (self->payload));
}

/**
 * pen_event_get_topic:
 * @self: an event
 *
 * Returns: (nullable): where it was published
 *
 * Threads: any
 */
const char *
pen_event_get_topic (const PenEvent *self)
{
  return self->topic;
}

/**
 * pen_event_get_arrival:
 * @self: an event
 *
 * Returns: wall clock when its message arrived, in microseconds since 1970
 *
 * Threads: any
 */
gint64
pen_event_get_arrival (const PenEvent *self)
{
  return self->arrival_us;
}

/**
 * pen_event_get_flags:
 * @self: an event
 *
 * Returns: what is known of it
 *
 * Threads: any
 */
PenEventFlags
pen_event_get_flags (const PenEvent *self)
{
  return self->flags;
}

/**
 * pen_event_get_content_type:
 * @self: an event
 *
 * Returns: (nullable): MIME type of the message, as its sender said
 *
 * Threads: any
 */
const char *
pen_event_get_content_type (const PenEvent *self)
{
  return self->extra != NULL ? self->extra->content_type : NULL;
}

/**
 * pen_event_get_n_user_properties:
 * @self: an event
 *
 * Returns: how many MQTT 5 user properties its message has
 *
 * Threads: any
 */
guint
pen_event_get_n_user_properties (const PenEvent *self)
{
  return self->extra != NULL && self->extra->properties != NULL ? self->extra->properties->len / 2
                                                                : 0;
}

/**
 * pen_event_get_user_property:
 * @self: an event
 * @index: which, from 0
 * @name: (out) (transfer none): its name
 * @value: (out) (transfer none): its value
 *
 * Threads: any
 */
void
pen_event_get_user_property (const PenEvent *self,
                             guint index,
                             const char **name,
                             const char **value)
{
  g_return_if_fail (index < pen_event_get_n_user_properties (self));

  *name = g_ptr_array_index (self->extra->properties, 2 * index);
  *value = g_ptr_array_index (self->extra->properties, 2 * index + 1);
}

/**
 * pen_event_get_origin:
 * @self: an event
 *
 * Returns: (transfer none) (nullable): the message as its source received it, if the event was
 *   derived from exactly one
 *
 * Threads: any
 */
PenEvent *
pen_event_get_origin (const PenEvent *self)
{
  return self->origin;
}

/* documented in the private header */
PenEvent *
pen_event_get_single_origin (PenEvent *self)
{
  if (self->is_merged)
    return NULL;
  return self->origin != NULL ? self->origin : self;
}

/* documented in the private header */
gboolean
pen_event_is_of_same (PenEvent *self, PenEvent *other)
{
  if (self->is_merged || other->is_merged)
    return self->more_tokens == other->more_tokens;
  return pen_event_get_single_origin (self) == pen_event_get_single_origin (other);
}

/**
 * pen_event_get_token:
 * @self: an event
 *
 * Returns: (transfer none) (nullable): what stands for its message, if that has to be acknowledged
 *
 * Threads: any
 */
PenToken *
pen_event_get_token (const PenEvent *self)
{
  return self->token;
}

/**
 * pen_event_get_n_tokens:
 * @self: an event
 *
 * Returns: how many messages it holds open, as far as they have to be acknowledged
 *
 * Threads: any
 */
guint
pen_event_get_n_tokens (const PenEvent *self)
{
  return (self->token != NULL) + (self->more_tokens != NULL ? self->more_tokens->len : 0);
}

/**
 * pen_event_get_nth_token:
 * @self: an event
 * @index: which, from 0
 *
 * For a transform that keeps what an event holds open without the event.
 *
 * Returns: (transfer none): what stands for one of its messages
 *
 * Threads: any
 */
PenToken *
pen_event_get_nth_token (const PenEvent *self, guint index)
{
  g_return_val_if_fail (index < pen_event_get_n_tokens (self), NULL);

  if (self->token != NULL && index == 0)
    return self->token;
  return g_ptr_array_index (self->more_tokens, index - (self->token != NULL));
}

/**
 * pen_event_add_token:
 * @self: an event that was just made by [ctor@Event.new]
 * @token: of a message that it comes from
 *
 * Makes the event hold one more message open, as pen_event_merge() does with all that it is made
 * from. Of many messages of one source the oldest is enough: see [method@Token.covers].
 *
 * Threads: any
 */
void
pen_event_add_token (PenEvent *self, PenToken *token)
{
  g_return_if_fail (pen_event_is_mine (self) && self->origin == NULL);

  self->is_merged = TRUE;
  if (self->more_tokens == NULL)
    self->more_tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_token_unref);
  g_ptr_array_add (self->more_tokens, pen_token_ref (token));
}

/* documented in the private header */
void
pen_event_take_token (PenEvent *self, PenToken *token)
{
  g_return_if_fail (self->token == NULL);

  self->token = token;
}

/* documented in the private header */
PenEvent *
pen_event_copy (const PenEvent *self)
{
  PenEvent *copy = pen_event_new (self->payload, NULL, self->arrival_us);

  copy->topic = self->topic != NULL ? g_ref_string_acquire (self->topic) : NULL;
  copy->flags = self->flags;
  copy->full_size = self->full_size;
  if (self->extra != NULL)
    {
      g_atomic_ref_count_inc (&self->extra->references);
      copy->extra = self->extra;
    }
  return copy;
}

/* documented in the private header */
PenEvent *
pen_event_hold (PenEvent *self, PenToken *token)
{
  g_autoptr (PenEvent) held = self;
  PenEvent *holder = pen_event_derive (held, held->payload);
  g_autoptr (GPtrArray) tokens = g_steal_pointer (&holder->more_tokens);

  holder->more_tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_token_unref);
  for (guint i = 0; tokens != NULL && i < tokens->len; i++)
    g_ptr_array_add (holder->more_tokens, pen_token_ref (g_ptr_array_index (tokens, i)));
  g_ptr_array_add (holder->more_tokens, pen_token_ref (token));
  return holder;
}

/**
 * pen_event_get_json: (skip)
 * @self: an event
 * @error: return location of a #PenJsonError
 *
 * Parses the payload on first use; every reader of the event gets the same document.
 *
 * Returns: (transfer none) (nullable): the document, as long as the event lives
 *
 * Threads: any
 */
PenJson *
pen_event_get_json (PenEvent *self, GError **error)
{
  PenJson *json = g_atomic_pointer_get (&self->json);

  if (json != NULL)
    return json;
  json = pen_json_new_from_bytes (self->payload, error);
  if (json != NULL && !g_atomic_pointer_compare_and_exchange (&self->json, NULL, json))
    {
      pen_json_unref (json);
      json = g_atomic_pointer_get (&self->json);
    }
  return json;
}

/**
 * pen_event_get_json_node:
 * @self: an event
 * @error: return location of a #PenJsonError
 *
 * Gives the payload as json-glib has it, for those who want that. The text is checked before
 * json-glib sees it (it crashes on deep nesting); numbers beyond 64 bits or a double are changed by
 * it, so what must stay as it came is read with [method@Event.get_json].
 *
 * Returns: (transfer full) (nullable): a node of the caller's own
 *
 * Threads: any
 */
JsonNode *
pen_event_get_json_node (PenEvent *self, GError **error)
{
  g_autoptr (JsonParser) parser = NULL;
  gsize length = 0;
  const char *text = pen_event_get_data (self, &length);

  if (!pen_json_validate (text, length, error))
    return NULL;
  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, text, (gssize) length, error))
    return NULL;
  return json_parser_steal_root (parser);
}
