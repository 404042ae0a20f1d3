/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a result has, and how a keyfile says so.
 */

#include "config.h"

#include "pen-select-field.h"

#include <string.h>

#define SPREAD "[*]"

/* Cuts the type, behind the last ':' that is not within brackets, off @text. */
static gboolean
pen_select_field_take_type (PenSelectField *self, char *text, GError **error)
{
  char *colon = strrchr (text, ':');

  if (colon == NULL || strchr (colon, ']') != NULL)
    return TRUE;
  *colon = '\0';
  g_strchomp (text);
  return pen_select_cast_parse (&self->cast, g_strstrip (colon + 1), error);
}

static gboolean
pen_select_field_fail (const char *text, const char *reason, GError **error)
{
  g_set_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL, "'%s' %s", text, reason);
  return FALSE;
}

static gboolean
pen_select_field_parse (PenSelectField *self, char *path, GError **error)
{
  const char *as = g_strrstr (self->text, " as ");

  if (as != NULL)
    {
      path[as - self->text] = '\0';
      self->name = g_strstrip (g_strdup (as + strlen (" as ")));
      if (*self->name == '\0')
        return pen_select_field_fail (self->text, "has no name behind 'as'", error);
    }
  g_strstrip (path);
  if (!pen_select_field_take_type (self, path, error))
    return FALSE;
  self->is_spread = g_str_has_suffix (path, SPREAD);
  if (self->is_spread)
    path[strlen (path) - strlen (SPREAD)] = '\0';
  self->path = pen_json_path_new (path, error);
  if (self->path == NULL)
    return FALSE;
  if (self->name == NULL && self->is_spread)
    self->name = g_strconcat (path, "_{index}", NULL);
  if (self->name == NULL)
    {
      const char *last = pen_json_path_get_last_name (self->path);

      self->name = g_strdup (last != NULL ? last : path);
    }
  if (self->is_spread && strstr (self->name, "{index}") == NULL
      && strstr (self->name, "{number}") == NULL)
    return pen_select_field_fail (self->text,
                                  "makes many members of one name; put {index}, from 0, or "
                                  "{number}, from 1, into it",
                                  error);
  return TRUE;
}

PenSelectField *
pen_select_field_new (const char *text, GError **error)
{
  g_autoptr (PenSelectField) self = g_new0 (PenSelectField, 1);
  g_autofree char *path = g_strdup (text);

  self->text = g_strdup (text);
  return pen_select_field_parse (self, path, error) ? g_steal_pointer (&self) : NULL;
}

static gboolean
pen_select_field_parse_set (PenSelectField *self, GError **error)
{
  const char *equals = strchr (self->text, '=');
  const char *value = NULL;

  if (equals == NULL)
    return pen_select_field_fail (self->text, "sets nothing; write NAME=VALUE", error);
  self->name = g_strstrip (g_strndup (self->text, (gsize) (equals - self->text)));
  if (!pen_select_field_take_type (self, self->name, error))
    return FALSE;
  if (*self->name == '\0')
    return pen_select_field_fail (self->text, "has no name before the '='", error);
  for (value = equals + 1; *value == ' '; value++)
    ;
  self->template = pen_select_template_new (value, error);
  return self->template != NULL;
}

PenSelectField *
pen_select_field_new_set (const char *text, GError **error)
{
  g_autoptr (PenSelectField) self = g_new0 (PenSelectField, 1);

  self->text = g_strdup (text);
  return pen_select_field_parse_set (self, error) ? g_steal_pointer (&self) : NULL;
}

void
pen_select_field_free (PenSelectField *self)
{
  g_free (self->text);
  g_clear_pointer (&self->path, pen_json_path_free);
  g_clear_pointer (&self->template, pen_select_template_free);
  g_free (self->name);
  g_free (self);
}

char *
pen_select_field_expand_name (const PenSelectField *self, guint index)
{
  g_autoptr (GString) name = g_string_new (self->name);
  g_autofree char *from_0 = g_strdup_printf ("%u", index);
  g_autofree char *from_1 = g_strdup_printf ("%u", index + 1);

  g_string_replace (name, "{index}", from_0, 0);
  g_string_replace (name, "{number}", from_1, 0);
  return g_string_free (g_steal_pointer (&name), FALSE);
}
