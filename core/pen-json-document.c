/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parsed text to look around in: one array of nodes in the order of the text, over the bytes that
 * it was made from. Values are not converted before someone asks for them.
 *
 * A node knows where its subtree ends in the array, so that its first child is the node behind it
 * and its next sibling the node behind its subtree; no pointers are stored. Offsets are 32 bits:
 * 28 bytes a node instead of 56, and no payload comes near 4 GiB.
 */

#include "config.h"

#include "pen-json.h"

#include <string.h>

typedef struct
{
  guint32 offset;
  guint32 length;
  guint32 key_offset;
  guint32 key_length;
  guint32 after; /* the node behind this one's subtree */
  guint32 n_children;
  guint type : 3; /* PenJsonType */
  guint escaped : 1;
  guint has_key : 1;
  guint key_escaped : 1;
  guint is_last : 1; /* of its siblings */
} PenJsonEntry;

struct _PenJson
{
  gatomicrefcount references;

  /* constant */
  GBytes *bytes;
  const char *text; /* of bytes */
  PenJsonEntry *entries;
  guint n_entries;
};

G_DEFINE_BOXED_TYPE (PenJson, pen_json, pen_json_ref, pen_json_unref)

/* --- Building --- */

typedef struct
{
  const char *text;
  GArray *entries;
  guint32 parents[PEN_JSON_MAX_DEPTH];
  guint32 last_children[PEN_JSON_MAX_DEPTH]; /* PEN_JSON_NO_NODE while there is none */
  guint depth;
} PenJsonBuilder;

static PenJsonEntry *
pen_json_builder_get (PenJsonBuilder *self, PenJsonNode node)
{
  return &g_array_index (self->entries, PenJsonEntry, node);
}

/* Appends a node and returns it. */
static PenJsonNode
pen_json_builder_append (PenJsonBuilder *self, const PenJsonMember *member)
{
  PenJsonNode node = self->entries->len;
  PenJsonEntry entry = {
    .offset = (guint32) (member->value.text - self->text),
    .length = (guint32) member->value.length,
    .after = node + 1,
    .type = member->value.type,
    .escaped = member->value.escaped != 0,
    .is_last = TRUE,
  };

  if (self->depth > 0)
    {
      PenJsonEntry *parent = pen_json_builder_get (self, self->parents[self->depth - 1]);
      PenJsonNode *last_child = &self->last_children[self->depth - 1];

      parent->n_children++;
      if (*last_child != PEN_JSON_NO_NODE)
        pen_json_builder_get (self, *last_child)->is_last = FALSE;
      *last_child = node;
      if (parent->type == PEN_JSON_OBJECT)
        {
          entry.has_key = TRUE;
          entry.key_offset = (guint32) (member->key.text - self->text);
          entry.key_length = (guint32) member->key.length;
          entry.key_escaped = member->key.escaped != 0;
        }
    }
  g_array_append_val (self->entries, entry);
  return node;
}

static void
pen_json_builder_enter (PenJsonBuilder *self, PenJsonNode node)
{
  self->parents[self->depth] = node;
  self->last_children[self->depth] = PEN_JSON_NO_NODE;
  self->depth++;
}

/* Closes the innermost container, whose closing bracket is just before @end. */
static void
pen_json_builder_leave (PenJsonBuilder *self, const char *end)
{
  PenJsonEntry *entry = pen_json_builder_get (self, self->parents[--self->depth]);

  entry->after = self->entries->len;
  entry->length = (guint32) (end - self->text) - entry->offset;
}

static void
pen_json_builder_build (PenJsonBuilder *self, PenJsonScanner *scanner)
{
  PenJsonMember member;
  PenJsonNode node;

  if (!pen_json_scanner_begin (scanner, &member.value))
    return;
  node = pen_json_builder_append (self, &member);
  if (!pen_json_scanner_enter (scanner))
    return;
  pen_json_builder_enter (self, node);
  while (self->depth > 0)
    {
      if (pen_json_scanner_next (scanner, &member))
        {
          node = pen_json_builder_append (self, &member);
          if (pen_json_scanner_enter (scanner))
            pen_json_builder_enter (self, node);
        }
      else if (pen_json_scanner_failed (scanner))
        return;
      else
        pen_json_builder_leave (self, (const char *) scanner->cursor);
    }
}

/**
 * pen_json_new_from_bytes:
 * @bytes: a text, which the document keeps
 * @error: return location for the error
 *
 * Parses a text.
 *
 * Returns: (transfer full) (nullable): the document, or %NULL with %PEN_JSON_ERROR_INVALID or
 *   %PEN_JSON_ERROR_TOO_DEEP
 *
 * Threads: any
 */
PenJson *
pen_json_new_from_bytes (GBytes *bytes, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  PenJsonBuilder builder = { .text = text };
  PenJsonScanner scanner;
  PenJson *self;

  if (length > G_MAXUINT32 - 1)
    {
      g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID,
                   "a JSON text of %" G_GSIZE_FORMAT " bytes is too long: at most 4 GiB", length);
      return NULL;
    }
  builder.entries = g_array_sized_new (FALSE, FALSE, sizeof (PenJsonEntry), 64);
  pen_json_scanner_init (&scanner, text, length);
  pen_json_builder_build (&builder, &scanner);
  if (!pen_json_scanner_finish (&scanner, error))
    {
      g_array_unref (builder.entries);
      return NULL;
    }
  self = g_new0 (PenJson, 1);
  g_atomic_ref_count_init (&self->references);
  self->bytes = g_bytes_ref (bytes);
  self->text = text;
  self->n_entries = builder.entries->len;
  self->entries = (PenJsonEntry *) (void *) g_array_free (builder.entries, FALSE);
  return self;
}

/**
 * pen_json_ref:
 * @self: a document
 *
 * Returns: (transfer full): @self
 *
 * Threads: any
 */
PenJson *
pen_json_ref (PenJson *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * pen_json_unref:
 * @self: (transfer full): a document
 *
 * Threads: any
 */
void
pen_json_unref (PenJson *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_bytes_unref (self->bytes);
  g_free (self->entries);
  g_free (self);
}

/* --- Looking around --- */

/* Returns %NULL for PEN_JSON_NO_NODE, so that look-ups can be chained and checked once. */
static const PenJsonEntry *
pen_json_get_entry (const PenJson *self, PenJsonNode node)
{
  return node < self->n_entries ? &self->entries[node] : NULL;
}

/**
 * pen_json_get_n_nodes:
 * @self: a document
 *
 * Returns: how many values it has, itself included
 *
 * Threads: any
 */
guint
pen_json_get_n_nodes (const PenJson *self)
{
  return self->n_entries;
}

/**
 * pen_json_get_slice: (skip)
 * @self: a document
 * @node: one of its nodes
 * @slice: (out): its text as it came, of an array or object up to the closing bracket; valid as
 *   long as @self
 *
 * Threads: any
 */
void
pen_json_get_slice (const PenJson *self, PenJsonNode node, PenJsonSlice *slice)
{
  const PenJsonEntry *entry = pen_json_get_entry (self, node);

  g_return_if_fail (entry != NULL);
  *slice = (PenJsonSlice){
    .text = self->text + entry->offset,
    .length = entry->length,
    .type = (PenJsonType) entry->type,
    .escaped = entry->escaped,
  };
}

/**
 * pen_json_get_node_type:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 *
 * Returns: its type; of no node %PEN_JSON_NULL
 *
 * Threads: any
 */
PenJsonType
pen_json_get_node_type (const PenJson *self, PenJsonNode node)
{
  const PenJsonEntry *entry = pen_json_get_entry (self, node);

  return entry != NULL ? (PenJsonType) entry->type : PEN_JSON_NULL;
}

/**
 * pen_json_get_length:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 *
 * Returns: how many elements or members it has; 0 for anything but an array or object
 *
 * Threads: any
 */
guint
pen_json_get_length (const PenJson *self, PenJsonNode node)
{
  const PenJsonEntry *entry = pen_json_get_entry (self, node);

  return entry != NULL ? entry->n_children : 0;
}

/**
 * pen_json_get_first_child:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 *
 * Returns: its first element or member, or %PEN_JSON_NO_NODE
 *
 * Threads: any
 */
PenJsonNode
pen_json_get_first_child (const PenJson *self, PenJsonNode node)
{
  return pen_json_get_length (self, node) > 0 ? node + 1 : PEN_JSON_NO_NODE;
}

/**
 * pen_json_get_next_sibling:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 *
 * Returns: the element or member behind it, or %PEN_JSON_NO_NODE
 *
 * Threads: any
 */
PenJsonNode
pen_json_get_next_sibling (const PenJson *self, PenJsonNode node)
{
  const PenJsonEntry *entry = pen_json_get_entry (self, node);

  return entry != NULL && !entry->is_last ? entry->after : PEN_JSON_NO_NODE;
}

/**
 * pen_json_get_key: (skip)
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 * @key: (out): its key without quotes
 *
 * Returns: whether it is the member of an object and so has a key
 *
 * Threads: any
 */
gboolean
pen_json_get_key (const PenJson *self, PenJsonNode node, PenJsonSlice *key)
{
  const PenJsonEntry *entry = pen_json_get_entry (self, node);

  if (entry == NULL || !entry->has_key)
    return FALSE;
  *key = (PenJsonSlice){
    .text = self->text + entry->key_offset,
    .length = entry->key_length,
    .type = PEN_JSON_STRING,
    .escaped = entry->key_escaped,
  };
  return TRUE;
}

/**
 * pen_json_get_member:
 * @self: a document
 * @object: one of its nodes, or %PEN_JSON_NO_NODE
 * @name: a key, decoded
 *
 * Looks a member up, in a time that grows with the number of members. Of several with one key the
 * last one counts.
 *
 * Returns: the member, or %PEN_JSON_NO_NODE; that also if @object is no object
 *
 * Threads: any
 */
PenJsonNode
pen_json_get_member (const PenJson *self, PenJsonNode object, const char *name)
{
  PenJsonNode found = PEN_JSON_NO_NODE;
  PenJsonNode node = pen_json_get_first_child (self, object);
  PenJsonSlice key;

  for (; node != PEN_JSON_NO_NODE; node = pen_json_get_next_sibling (self, node))
    if (pen_json_get_key (self, node, &key) && pen_json_key_equal (&key, name))
      found = node;
  return found;
}

/**
 * pen_json_get_element:
 * @self: a document
 * @array: one of its nodes, or %PEN_JSON_NO_NODE
 * @index: which element, from 0
 *
 * Looks an element up: at once in an array without arrays and objects, otherwise in a time that
 * grows with @index. To go over an array, use [method@Json.get_next_sibling].
 *
 * Returns: the element, or %PEN_JSON_NO_NODE; that also if @array is no array
 *
 * Threads: any
 */
PenJsonNode
pen_json_get_element (const PenJson *self, PenJsonNode array, guint index)
{
  const PenJsonEntry *entry = pen_json_get_entry (self, array);
  PenJsonNode node = array + 1;

  if (entry == NULL || entry->type != PEN_JSON_ARRAY || index >= entry->n_children)
    return PEN_JSON_NO_NODE;
  if (entry->after - node == entry->n_children)
    return node + index;
  for (; index > 0; index--)
    node = self->entries[node].after;
  return node;
}

/* Sets @slice to that of @node; no node counts as null, as for pen_json_get_node_type (). */
static void
pen_json_get_slice_or_null (const PenJson *self, PenJsonNode node, PenJsonSlice *slice)
{
  if (node < self->n_entries)
    pen_json_get_slice (self, node, slice);
  else
    *slice = (PenJsonSlice){ .text = "null", .length = 4, .type = PEN_JSON_NULL };
}

/**
 * pen_json_dup_string:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 * @error: return location for the error
 *
 * Returns: (transfer full) (nullable): the decoded string, or %NULL with %PEN_JSON_ERROR_TYPE if
 *   @node is none, with %PEN_JSON_ERROR_RANGE if it holds a NUL: see pen_json_slice_decode ()
 *
 * Threads: any
 */
char *
pen_json_dup_string (const PenJson *self, PenJsonNode node, GError **error)
{
  g_autofree char *decoded = NULL;
  PenJsonSlice slice;
  gsize length;

  pen_json_get_slice_or_null (self, node, &slice);
  if (slice.type != PEN_JSON_STRING)
    {
      g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE,
                   "a string was expected, found %.*s%s", (int) MIN (slice.length, 40), slice.text,
                   slice.length > 40 ? "…" : "");
      return NULL;
    }
  decoded = pen_json_slice_decode (&slice, &length);
  if (memchr (decoded, '\0', length) != NULL)
    {
      g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_RANGE,
                   "a string without NUL characters was expected, found one with \"\\u0000\"");
      return NULL;
    }
  return g_steal_pointer (&decoded);
}

/**
 * pen_json_get_int64:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 * @value: (out): its value
 * @error: return location for the error
 *
 * Returns: %FALSE as pen_json_slice_get_int64 () does
 *
 * Threads: any
 */
gboolean
pen_json_get_int64 (const PenJson *self, PenJsonNode node, gint64 *value, GError **error)
{
  PenJsonSlice slice;

  pen_json_get_slice_or_null (self, node, &slice);
  return pen_json_slice_get_int64 (&slice, value, error);
}

/**
 * pen_json_get_double:
 * @self: a document
 * @node: one of its nodes, or %PEN_JSON_NO_NODE
 * @value: (out): the nearest double
 * @error: return location for the error
 *
 * Returns: %FALSE as pen_json_slice_get_double () does
 *
 * Threads: any
 */
gboolean
pen_json_get_double (const PenJson *self, PenJsonNode node, double *value, GError **error)
{
  PenJsonSlice slice;

  pen_json_get_slice_or_null (self, node, &slice);
  return pen_json_slice_get_double (&slice, value, error);
}
