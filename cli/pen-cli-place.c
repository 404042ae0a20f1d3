/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What somebody means who names a pipeline, or an element of one. Names of pipelines may have
 * points in them, and so may those of elements: the longest pipeline that fits is meant.
 */

#include "config.h"

#include "pen-cli-place.h"

#include "pen-suggest.h"

#include <string.h>

typedef struct
{
  const char *text;
  const PenDefinition *definition; /* the longest that fits, or NULL */
  const char *element;             /* what follows its name, or NULL */
  GPtrArray *names;                /* (element-type utf8): of all pipelines */
} PenCliSearch;

static void
pen_cli_search_look (const PenDefinition *definition, PenEngineState state, gpointer user_data)
{
  PenCliSearch *self = user_data;
  const char *name = pen_definition_get_name (definition);
  gsize length = strlen (name);

  g_ptr_array_add (self->names, (gpointer) name);
  if (!g_str_has_prefix (self->text, name)
      || (self->text[length] != '\0' && self->text[length] != '.')
      || (self->definition != NULL && strlen (pen_definition_get_name (self->definition)) > length))
    return;
  self->definition = definition;
  self->element = self->text[length] == '.' ? self->text + length + 1 : NULL;
}

/* How well @text names the element: 0 not at all, 1 by a part of its name, 2 by all of it. */
static guint
pen_cli_place_rate (const PenElementDefinition *element, const char *text)
{
  const char *kind = pen_element_kind_get_nick (element->kind);
  gsize length = strlen (kind);

  if (g_str_has_prefix (text, kind) && (text[length] == ' ' || text[length] == '-')
      && g_str_equal (text + length + 1, element->name))
    return 2;
  return g_str_equal (text, kind) || g_str_equal (text, element->name) ? 1 : 0;
}

static char *
pen_cli_place_label (const PenElementDefinition *element)
{
  return g_strdup_printf ("%s %s", pen_element_kind_get_nick (element->kind), element->name);
}

/* Those that @text rates as @least or better; all of them if it is 0. */
static GPtrArray *
pen_cli_place_list (const PenDefinition *definition, const char *text, guint least)
{
  GPtrArray *elements = g_ptr_array_new ();

  for (guint i = 0; i < pen_definition_get_n_elements (definition); i++)
    {
      const PenElementDefinition *element = pen_definition_get_element (definition, i);

      if (pen_cli_place_rate (element, text) >= least)
        g_ptr_array_add (elements, (gpointer) element);
    }
  return elements;
}

static char *
pen_cli_place_name (GPtrArray *elements, const char *conjunction)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < elements->len; i++)
    g_ptr_array_add (labels, pen_cli_place_label (g_ptr_array_index (elements, i)));
  return pen_suggest_list (labels, conjunction);
}

static char *
pen_cli_place_find_element (PenCliPlace *self, const PenDefinition *definition, const char *text)
{
  g_autoptr (GPtrArray) elements = pen_cli_place_list (definition, text, 2);
  g_autofree char *quoted = pen_quote (text);
  const PenElementDefinition *element = NULL;

  if (elements->len == 0)
    {
      g_ptr_array_unref (elements);
      elements = pen_cli_place_list (definition, text, 1);
    }
  if (elements->len > 1)
    {
      g_autofree char *list = pen_cli_place_name (elements, "or");

      return g_strdup_printf ("%s may be %s of pipeline '%s': say which", quoted, list,
                              self->pipeline);
    }
  if (elements->len == 0)
    {
      g_autoptr (GPtrArray) all = pen_cli_place_list (definition, text, 0);
      g_autofree char *list = pen_cli_place_name (all, "and");

      return g_strdup_printf ("pipeline '%s' has no element %s; it has %s", self->pipeline, quoted,
                              list);
    }
  element = g_ptr_array_index (elements, 0);
  self->kind = element->kind;
  self->element = g_strdup (element->name);
  return NULL;
}

/* documented in the header, as what follows */
char *
pen_cli_place_find (PenCliPlace *self, PenEngine *engine, const char *text)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  PenCliSearch search = { .text = text, .names = names };

  pen_engine_foreach_pipeline (engine, pen_cli_search_look, &search);
  if (search.definition == NULL)
    {
      g_autofree char *quoted = pen_quote (text);
      g_autofree char *hint = pen_suggest_hint (text, names);

      return g_strdup_printf ("no pipeline of the process is named %s%s", quoted, hint);
    }
  self->pipeline = g_strdup (pen_definition_get_name (search.definition));
  self->kind = PEN_KIND_SINK;
  return search.element != NULL
             ? pen_cli_place_find_element (self, search.definition, search.element)
             : NULL;
}

void
pen_cli_place_clear (PenCliPlace *self)
{
  g_clear_pointer (&self->pipeline, g_free);
  g_clear_pointer (&self->element, g_free);
}
