/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where in a JSON document a value is. A path is names with points between them; an index of an
 * array stands in brackets and counts from the end if it is negative, and so does a name that is a
 * JSON string, for names with points or brackets in them.
 */

#include "config.h"

#include "pen-json-path.h"

#include <string.h>

typedef struct
{
  char *name; /* (nullable): NULL for an index */
  gint64 index;
} PenJsonStep;

struct _PenJsonPath
{
  char *text;
  GArray *steps; /* of PenJsonStep */
};

static void
pen_json_step_clear (gpointer data)
{
  PenJsonStep *step = data;

  g_free (step->name);
}

static void
pen_json_path_add_step (PenJsonPath *self, char *name, gint64 index)
{
  PenJsonStep step = { .name = name, .index = index };

  g_array_append_val (self->steps, step);
}

static gboolean
pen_json_path_fail (const PenJsonPath *self, const char *at, const char *reason, GError **error)
{
  g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID,
               "the path '%s' cannot be read: at character %" G_GSIZE_FORMAT " %s", self->text,
               (gsize) g_utf8_pointer_to_offset (self->text, at) + 1, reason);
  return FALSE;
}

/* Takes `"name"]`: the string ends where one of JSON does. */
static gboolean
pen_json_path_take_quoted (PenJsonPath *self, const char **p, GError **error)
{
  PenJsonSlice slice = { .text = *p, .type = PEN_JSON_STRING };
  const char *end = *p + 1;
  char *name = NULL;
  gsize length = 0;

  for (; *end != '\0' && *end != '"'; end++)
    {
      if (*end == '\\' && end[1] != '\0')
        {
          slice.escaped = TRUE;
          end++;
        }
    }
  slice.length = (gsize) (end - *p) + 1;
  if (*end != '"' || end[1] != ']' || !pen_json_validate (slice.text, slice.length, NULL))
    return pen_json_path_fail (self, *p, "begins a name that does not end with '\"]'", error);
  name = pen_json_slice_decode (&slice, &length);
  if (name == NULL || strlen (name) != length)
    {
      g_free (name);
      return pen_json_path_fail (self, *p, "is a name that no key can have", error);
    }
  pen_json_path_add_step (self, name, 0);
  *p = end + 2;
  return TRUE;
}

/* Takes what stands behind a '['. */
static gboolean
pen_json_path_take_bracket (PenJsonPath *self, const char **p, GError **error)
{
  g_autofree char *digits = NULL;
  const char *end = NULL;
  gint64 index;

  if (**p == '"')
    return pen_json_path_take_quoted (self, p, error);
  end = strchr (*p, ']');
  digits = g_strndup (*p, end != NULL ? (gsize) (end - *p) : 0);
  if (!g_ascii_string_to_signed (digits, 10, -G_MAXINT32, G_MAXINT32, &index, NULL))
    return pen_json_path_fail (
        self, *p, "must be an index such as [0] or [-1], or a name in quotes such as [\"a.b\"]",
        error);
  pen_json_path_add_step (self, NULL, index);
  *p = end + 1;
  return TRUE;
}

static gboolean
pen_json_path_take_name (PenJsonPath *self, const char **p, GError **error)
{
  gsize length = strcspn (*p, ".[]\"");

  if (length == 0)
    return pen_json_path_fail (self, *p, "a name is missing", error);
  if ((*p)[length] == ']' || (*p)[length] == '"')
    return pen_json_path_fail (self, *p + length,
                               "a name with this character in it must be written [\"like this\"]",
                               error);
  pen_json_path_add_step (self, g_strndup (*p, length), 0);
  *p += length;
  return TRUE;
}

static gboolean
pen_json_path_parse (PenJsonPath *self, GError **error)
{
  const char *p = self->text;

  if (!g_utf8_validate (p, -1, NULL))
    {
      g_set_error_literal (error, PEN_JSON_ERROR, PEN_JSON_ERROR_INVALID, "a path is not UTF-8");
      return FALSE;
    }
  while (self->steps->len == 0 || *p != '\0')
    {
      gboolean is_good = FALSE;

      if (self->steps->len >= PEN_JSON_MAX_DEPTH)
        return pen_json_path_fail (self, p, "it is deeper than any document", error);
      if (*p == '[')
        {
          p++;
          is_good = pen_json_path_take_bracket (self, &p, error);
        }
      else
        {
          if (self->steps->len > 0 && *p++ != '.')
            return pen_json_path_fail (self, p - 1, "a '.' or '[' is missing", error);
          is_good = pen_json_path_take_name (self, &p, error);
        }
      if (!is_good)
        return FALSE;
    }
  return TRUE;
}

/**
 * pen_json_path_new: (skip)
 * @text: `meta.location.lat`, `phases[0]`, `phases[-1].u`, `["a.b"].c`
 * @error: return location of a %PEN_JSON_ERROR_INVALID
 *
 * Returns: (transfer full) (nullable): the path
 *
 * Threads: any
 */
PenJsonPath *
pen_json_path_new (const char *text, GError **error)
{
  g_autoptr (PenJsonPath) self = g_new0 (PenJsonPath, 1);

  self->text = g_strdup (text);
  self->steps = g_array_new (FALSE, FALSE, sizeof (PenJsonStep));
  g_array_set_clear_func (self->steps, pen_json_step_clear);
  if (!pen_json_path_parse (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * pen_json_path_free:
 * @self: (transfer full): a path
 *
 * Threads: any
 */
void
pen_json_path_free (PenJsonPath *self)
{
  g_free (self->text);
  g_array_unref (self->steps);
  g_free (self);
}

/**
 * pen_json_path_get_text:
 * @self: a path
 *
 * Returns: the text that it was made of
 *
 * Threads: any
 */
const char *
pen_json_path_get_text (const PenJsonPath *self)
{
  return self->text;
}

/**
 * pen_json_path_get_last_name:
 * @self: a path
 *
 * Returns: (nullable): the key of the value, decoded; %NULL if it is an element of an array
 *
 * Threads: any
 */
const char *
pen_json_path_get_last_name (const PenJsonPath *self)
{
  return g_array_index (self->steps, PenJsonStep, self->steps->len - 1).name;
}

/**
 * pen_json_path_find_below:
 * @self: a path
 * @json: a document
 * @node: a value in it
 *
 * Goes from @node on. Of several members with one key the last one counts.
 *
 * Returns: the value, or %PEN_JSON_NO_NODE
 *
 * Threads: any
 */
PenJsonNode
pen_json_path_find_below (const PenJsonPath *self, const PenJson *json, PenJsonNode node)
{
  for (guint i = 0; i < self->steps->len && node != PEN_JSON_NO_NODE; i++)
    {
      const PenJsonStep *step = &g_array_index (self->steps, PenJsonStep, i);
      gint64 index = step->index;

      if (step->name != NULL)
        {
          node = pen_json_get_member (json, node, step->name);
          continue;
        }
      if (pen_json_get_node_type (json, node) != PEN_JSON_ARRAY)
        return PEN_JSON_NO_NODE;
      if (index < 0)
        index += pen_json_get_length (json, node);
      if (index < 0)
        return PEN_JSON_NO_NODE;
      node = pen_json_get_element (json, node, (guint) index);
    }
  return node;
}

/**
 * pen_json_path_find:
 * @self: a path
 * @json: a document
 *
 * Goes from the top of @json to the value, as [method@JsonPath.find_below] does.
 *
 * Returns: the value, or %PEN_JSON_NO_NODE
 *
 * Threads: any
 */
PenJsonNode
pen_json_path_find (const PenJsonPath *self, const PenJson *json)
{
  return pen_json_path_find_below (self, json, 0);
}
