/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Plugins described for people, on a page of 80 columns.
 */

#include "config.h"

#include "pen-cli-inspect.h"

#include <string.h>

#define PAGE_COLUMNS 80
#define TEXT_COLUMN 22 /* where descriptions begin */

typedef struct
{
  GString *text;
  gboolean colour;
  guint column; /* of what comes next, from 0 */
} PenCliPage;

static void
pen_cli_page_append (PenCliPage *page, const char *text)
{
  const char *last_line = strrchr (text, '\n');

  g_string_append (page->text, text);
  if (last_line != NULL)
    page->column = 0;
  page->column += g_utf8_strlen (last_line != NULL ? last_line + 1 : text, -1);
}

static void
pen_cli_page_append_bold (PenCliPage *page, const char *text)
{
  if (page->colour)
    g_string_append (page->text, "\033[1m");
  pen_cli_page_append (page, text);
  if (page->colour)
    g_string_append (page->text, "\033[0m");
}

static void
pen_cli_page_indent (PenCliPage *page, guint column)
{
  if (page->column + 2 > column && page->column > 0)
    pen_cli_page_append (page, "\n");
  while (page->column < column)
    pen_cli_page_append (page, " ");
}

/* Appends the words of @text, broken into lines that begin at @column, and a line break. */
static void
pen_cli_page_append_block (PenCliPage *page, guint column, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  gboolean is_first = TRUE;

  pen_cli_page_indent (page, column);
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (!is_first && page->column + 1 + g_utf8_strlen (words[i], -1) > PAGE_COLUMNS)
        {
          pen_cli_page_append (page, "\n");
          pen_cli_page_indent (page, column);
          is_first = TRUE;
        }
      if (!is_first)
        pen_cli_page_append (page, " ");
      pen_cli_page_append (page, words[i]);
      is_first = FALSE;
    }
  pen_cli_page_append (page, "\n");
}

static void
pen_cli_page_append_detail (PenCliPage *page, const char *name, const char *value)
{
  if (value == NULL || *value == '\0')
    return;
  pen_cli_page_append (page, "  ");
  pen_cli_page_append (page, name);
  pen_cli_page_indent (page, 14);
  pen_cli_page_append (page, value); /* in one piece: it may be an address or a path */
  pen_cli_page_append (page, "\n");
}

static gboolean
pen_cli_enum_has_descriptions (const GEnumClass *class)
{
  for (guint i = 0; i < class->n_values; i++)
    if (pen_cli_enum_get_description (&class->values[i]) != NULL)
      return TRUE;
  return FALSE;
}

static void
pen_cli_facts_add_enum (GString *facts, const GEnumClass *class)
{
  for (guint i = 0; i < class->n_values; i++)
    g_string_append_printf (facts, "%s%s", i > 0 ? ", " : "one of: ", class->values[i].value_nick);
}

static void
pen_cli_facts_add_type (GString *facts, const GParamSpec *spec)
{
  g_autofree char *minimum = pen_cli_property_dup_minimum (spec);
  g_autofree char *maximum = pen_cli_property_dup_maximum (spec);
  const char *type = pen_cli_property_get_type_name (spec);

  if (G_IS_PARAM_SPEC_ENUM (spec))
    pen_cli_facts_add_enum (facts, G_PARAM_SPEC_ENUM (spec)->enum_class);
  else if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    g_string_append (facts, "true or false");
  else if (spec->value_type == G_TYPE_STRV)
    g_string_append (facts, spec->flags & PEN_PARAM_PATH ? "list of paths, separated by semicolons"
                                                         : "list, separated by semicolons");
  else
    g_string_append (facts, type);
  if (minimum != NULL && maximum != NULL)
    g_string_append_printf (facts, " from %s to %s", minimum, maximum);
  else if (minimum != NULL)
    g_string_append_printf (facts, ", at least %s", minimum);
  else if (maximum != NULL)
    g_string_append_printf (facts, ", at most %s", maximum);
}

static char *
pen_cli_property_dup_facts (const GParamSpec *spec, GObject *example)
{
  GString *facts = g_string_new (NULL);
  g_autofree char *preset = pen_cli_property_dup_default (spec, example);

  pen_cli_facts_add_type (facts, spec);
  if (spec->flags & PEN_PARAM_REQUIRED)
    g_string_append (facts, "; required");
  else if (preset != NULL)
    g_string_append_printf (facts, "; default: %s", preset);
  else
    g_string_append (facts, "; default: unset");
  if (spec->flags & PEN_PARAM_SECRET)
    g_string_append (facts, "; secret");
  if (spec->flags & PEN_PARAM_MUTABLE)
    g_string_append (facts, "; may change while running");
  return g_string_free (facts, FALSE);
}

static void
pen_cli_page_append_values (PenCliPage *page, const GEnumClass *class)
{
  if (!pen_cli_enum_has_descriptions (class))
    return;
  for (guint i = 0; i < class->n_values; i++)
    {
      const char *description = pen_cli_enum_get_description (&class->values[i]);

      pen_cli_page_indent (page, TEXT_COLUMN);
      pen_cli_page_append (page, "  ");
      pen_cli_page_append (page, class->values[i].value_nick);
      pen_cli_page_append_block (page, TEXT_COLUMN + 12, description != NULL ? description : "");
    }
}

static void
pen_cli_page_append_property (PenCliPage *page, GParamSpec *spec, GObject *example)
{
  g_autofree char *facts = pen_cli_property_dup_facts (spec, example);

  pen_cli_page_append (page, "  ");
  pen_cli_page_append_bold (page, spec->name);
  pen_cli_page_append_block (page, TEXT_COLUMN, g_param_spec_get_blurb (spec));
  pen_cli_page_append_block (page, TEXT_COLUMN, facts);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    pen_cli_page_append_values (page, G_PARAM_SPEC_ENUM (spec)->enum_class);
}

static void
pen_cli_page_append_properties (PenCliPage *page,
                                const PenCliProperties *properties,
                                gboolean common,
                                const char *heading)
{
  gboolean is_first = TRUE;

  for (guint i = 0; i < properties->n_specs; i++)
    {
      if (pen_cli_property_is_common (properties->specs[i]) != common)
        continue;
      if (is_first)
        {
          pen_cli_page_append (page, "\n");
          pen_cli_page_append_bold (page, heading);
          pen_cli_page_append (page, "\n");
        }
      is_first = FALSE;
      pen_cli_page_append_property (page, properties->specs[i], properties->example);
    }
}

static void
pen_cli_page_append_plugin (PenCliPage *page, const PenPlugin *plugin)
{
  const char *kind = pen_element_kind_get_nick (plugin->kind);
  g_autofree char *group
      = plugin->kind == PEN_KIND_SINK
            ? g_strdup_printf ("[sink %s] or [dead-letter %s]", plugin->name, plugin->name)
            : g_strdup_printf ("[%s %s]", kind, plugin->name);
  g_autofree char *title = g_strdup_printf ("%s %s", kind, plugin->name);
  g_autofree char *heading = g_strdup_printf ("Properties of every %s", kind);
  g_auto (PenCliProperties) properties = { 0 };

  pen_cli_properties_init (&properties, plugin->type);
  pen_cli_page_append_bold (page, title);
  pen_cli_page_append (page, "\n");
  pen_cli_page_append_block (page, 2, plugin->descriptor->description);
  pen_cli_page_append (page, "\n");
  pen_cli_page_append_detail (page, "Keyfile", group);
  pen_cli_page_append_detail (page, "Version", plugin->descriptor->version);
  pen_cli_page_append_detail (page, "Licence", plugin->descriptor->licence);
  pen_cli_page_append_detail (page, "Home page", plugin->descriptor->homepage);
  pen_cli_page_append_detail (page, "Module", plugin->path);
  pen_cli_page_append_properties (page, &properties, FALSE, "Properties");
  pen_cli_page_append_properties (page, &properties, TRUE, heading);
}

static void
pen_cli_page_append_group (PenCliPage *page, const PenCliGroup *group)
{
  g_auto (PenCliProperties) properties = { 0 };

  pen_cli_properties_init (&properties, group->get_type ());
  pen_cli_page_append_bold (page, group->name);
  pen_cli_page_append (page, "\n");
  pen_cli_page_append_block (page, 2, group->summary);
  pen_cli_page_append (page, "\n");
  pen_cli_page_append_detail (page, "Keyfile", group->heading);
  pen_cli_page_append_properties (page, &properties, FALSE, "Properties");
}

/*
 * pen_cli_describe_text:
 * @text: where to
 * @plugins: (element-type PenPlugin): which
 * @group: (nullable): a group that is no plugin's and is described as well
 */
void
pen_cli_describe_text (GString *text, GPtrArray *plugins, const PenCliGroup *group)
{
  PenCliPage page = { .text = text, .colour = pen_cli_wants_colour (stdout) };

  if (group != NULL)
    pen_cli_page_append_group (&page, group);
  for (guint i = 0; i < plugins->len; i++)
    {
      if (i > 0 || group != NULL)
        pen_cli_page_append (&page, "\n\n");
      pen_cli_page_append_plugin (&page, g_ptr_array_index (plugins, i));
    }
}

static void
pen_cli_page_append_row (PenCliPage *page, const PenPlugin *plugin, guint name_columns)
{
  pen_cli_page_append (page, "  ");
  pen_cli_page_append_bold (page, plugin->name);
  pen_cli_page_indent (page, 2 + name_columns + 2);
  pen_cli_page_append (page, plugin->descriptor->version);
  pen_cli_page_append_block (page, 2 + name_columns + 2 + 8, plugin->descriptor->description);
}

static void
pen_cli_page_append_folder (PenCliPage *page, const char *folder, GPtrArray *plugins)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < plugins->len; i++)
    {
      const PenPlugin *plugin = g_ptr_array_index (plugins, i);
      g_autofree char *home = g_path_get_dirname (plugin->path);

      if (g_str_equal (home, folder))
        g_string_append_printf (names, "%s%s-%s", names->len > 0 ? ", " : "",
                                pen_element_kind_get_nick (plugin->kind), plugin->name);
    }
  pen_cli_page_append (page, "  ");
  pen_cli_page_append (page, folder);
  pen_cli_page_append (page, "\n");
  pen_cli_page_append_block (page, 4, names->len > 0 ? names->str : "no plugin is taken from here");
}

/*
 * pen_cli_list_text:
 * @text: where to
 * @plugins: (element-type PenPlugin): grouped by kind
 * @folders: (element-type filename): where plugins are looked for
 */
void
pen_cli_list_text (GString *text, GPtrArray *plugins, GPtrArray *folders)
{
  static const char *const headings[] = { "Sources", "Transforms", "Sinks" };
  PenCliPage page = { .text = text, .colour = pen_cli_wants_colour (stdout) };
  guint name_columns = 8;

  for (guint i = 0; i < plugins->len; i++)
    {
      const PenPlugin *plugin = g_ptr_array_index (plugins, i);

      name_columns = MAX (name_columns, g_utf8_strlen (plugin->name, -1));
    }
  for (guint i = 0; i < plugins->len; i++)
    {
      const PenPlugin *plugin = g_ptr_array_index (plugins, i);
      const PenPlugin *before = i > 0 ? g_ptr_array_index (plugins, i - 1) : NULL;

      if (before == NULL || before->kind != plugin->kind)
        {
          pen_cli_page_append (&page, before == NULL ? "" : "\n");
          pen_cli_page_append_bold (&page, headings[plugin->kind]);
          pen_cli_page_append (&page, "\n");
        }
      pen_cli_page_append_row (&page, plugin, name_columns);
    }
  if (plugins->len > 0)
    pen_cli_page_append (&page, "\n");
  pen_cli_page_append_bold (&page, "Folders, in the order in which they are searched");
  pen_cli_page_append (&page, "\n");
  for (guint i = 0; i < folders->len; i++)
    pen_cli_page_append_folder (&page, g_ptr_array_index (folders, i), plugins);
  pen_cli_page_append (&page, "\n");
  pen_cli_page_append_block (&page, 0,
                             "'penstock inspect NAME' describes one, 'penstock inspect pipeline' "
                             "the keys of [pipeline].");
}
