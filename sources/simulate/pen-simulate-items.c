/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The things that data is made up for. Their file holds an object (key: entry) or an array of
 * entries. What is taken from an entry goes into payloads as the text that it is in the file, so
 * that no number changes.
 */

#include "config.h"

#include "pen-simulate-items.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_FILE_BYTES (16 * 1024 * 1024)
#define MAX_ITEMS 10000

typedef struct
{
  char *key;
  PenJsonNode node;
} PenSimulateItem;

struct _PenSimulateItems
{
  char *path;
  PenJson *json;
  GArray *items; /* of PenSimulateItem */
};

static void
pen_simulate_item_clear (gpointer data)
{
  g_free (((PenSimulateItem *) data)->key);
}

void
pen_simulate_items_free (PenSimulateItems *self)
{
  g_clear_pointer (&self->json, pen_json_unref);
  g_array_unref (self->items);
  g_free (self->path);
  g_free (self);
}

static PenJson *
pen_simulate_items_read (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) reason = NULL;
  GStatBuf status;
  char *text;
  gsize length;
  PenJson *json;

  if (g_stat (path, &status) == 0 && status.st_size > MAX_FILE_BYTES)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items",
                             "'%s' is larger than 16MiB, the most that is read", path);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &length, &reason))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items", "cannot read '%s': %s", path,
                             reason->message);
      return NULL;
    }
  bytes = g_bytes_new_take (text, length);
  json = pen_json_new_from_bytes (bytes, &reason);
  if (json == NULL)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items", "'%s' is not JSON: %s", path,
                           reason->message);
  return json;
}

static gboolean
pen_simulate_items_fill (PenSimulateItems *self, GError **error)
{
  PenJsonType type = pen_json_get_node_type (self->json, 0);
  guint n_items;

  if (type != PEN_JSON_OBJECT && type != PEN_JSON_ARRAY)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items",
                             "'%s' holds neither an object nor an array of entries", self->path);
      return FALSE;
    }
  n_items = pen_json_get_length (self->json, 0);
  if (n_items == 0 || n_items > MAX_ITEMS)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items",
                             "'%s' has %u entries; 1 to %d can be simulated by one source",
                             self->path, n_items, MAX_ITEMS);
      return FALSE;
    }
  for (PenJsonNode node = pen_json_get_first_child (self->json, 0); node != PEN_JSON_NO_NODE;
       node = pen_json_get_next_sibling (self->json, node))
    {
      PenSimulateItem item = { .node = node };
      PenJsonSlice key;

      if (pen_json_get_key (self->json, node, &key))
        {
          gsize length;

          item.key = pen_json_slice_decode (&key, &length);
        }
      else
        item.key = g_strdup_printf ("%u", self->items->len + 1);
      g_array_append_val (self->items, item);
    }
  return TRUE;
}

PenSimulateItems *
pen_simulate_items_load (const char *path, GError **error)
{
  g_autoptr (PenSimulateItems) self = g_new0 (PenSimulateItems, 1);

  self->path = g_strdup (path);
  self->items = g_array_new (FALSE, FALSE, sizeof (PenSimulateItem));
  g_array_set_clear_func (self->items, pen_simulate_item_clear);
  self->json = pen_simulate_items_read (path, error);
  if (self->json == NULL || !pen_simulate_items_fill (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

guint
pen_simulate_items_get_length (const PenSimulateItems *self)
{
  return self->items->len;
}

const char *
pen_simulate_items_get_key (const PenSimulateItems *self, guint index)
{
  return g_array_index (self->items, PenSimulateItem, index).key;
}

#define ITEM "item"

/* The way from an entry to what @place means: all of `item.range[0]` behind its first name. */
static PenJsonNode
pen_simulate_items_find (const PenSimulateItems *self,
                         PenJsonNode entry,
                         const char *place,
                         GError **error)
{
  const char *way = place + strlen (ITEM);
  g_autoptr (GError) reason = NULL;
  g_autoptr (PenJsonPath) path = pen_json_path_new (*way == '.' ? way + 1 : way, &reason);

  if (path != NULL)
    return pen_json_path_find_below (path, self->json, entry);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items", "'{%s}': %s", place,
                         reason->message);
  return PEN_JSON_NO_NODE;
}

gboolean
pen_simulate_items_look_up (const PenSimulateItems *self,
                            guint index,
                            const char *place,
                            PenSimulateValue *value,
                            GError **error)
{
  const PenSimulateItem *item = &g_array_index (self->items, PenSimulateItem, index);
  g_autoptr (GError) fault = NULL;
  PenJsonNode node;
  PenJsonSlice slice;

  value->number = 0;
  value->is_raw = FALSE;
  g_string_assign (value->text, item->key);
  if (g_str_equal (place, ITEM))
    return TRUE;
  node = pen_simulate_items_find (self, item->node, place, &fault);
  if (fault != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&fault));
      return FALSE;
    }
  if (node == PEN_JSON_NO_NODE)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "items",
                             "entry '%s' of '%s' has nothing for '{%s}'", item->key, self->path,
                             place);
      return FALSE;
    }
  pen_json_get_slice (self->json, node, &slice);
  value->is_raw = slice.type != PEN_JSON_STRING;
  if (value->is_raw)
    {
      g_string_truncate (value->text, 0);
      g_string_append_len (value->text, slice.text, (gssize) slice.length);
    }
  else
    {
      gsize length;
      g_autofree char *text = pen_json_slice_decode (&slice, &length);

      g_string_assign (value->text, text);
    }
  return TRUE;
}

gboolean
pen_simulate_items_is_place (const char *name)
{
  return g_str_has_prefix (name, ITEM)
         && strchr (".[", name[strlen (ITEM)]) != NULL; /* the end of the text, too */
}
