/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Plugins described for programs: editors, checkers, forms. Values are texts as a keyfile has them,
 * so that nobody has to know how a duration is held.
 */

#include "config.h"

#include "pen-cli-inspect.h"

#include <json-glib/json-glib.h>

static void
pen_cli_json_add_text (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
pen_cli_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
pen_cli_json_add_values (JsonBuilder *builder, const GEnumClass *class)
{
  json_builder_set_member_name (builder, "values");
  json_builder_begin_array (builder);
  for (guint i = 0; i < class->n_values; i++)
    {
      json_builder_begin_object (builder);
      pen_cli_json_add_text (builder, "value", class->values[i].value_nick);
      pen_cli_json_add_text (builder, "description",
                             pen_cli_enum_get_description (&class->values[i]));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
pen_cli_json_add_property (JsonBuilder *builder, GParamSpec *spec, GObject *example)
{
  g_autofree char *minimum = pen_cli_property_dup_minimum (spec);
  g_autofree char *maximum = pen_cli_property_dup_maximum (spec);
  g_autofree char *preset = pen_cli_property_dup_default (spec, example);

  json_builder_begin_object (builder);
  pen_cli_json_add_text (builder, "name", spec->name);
  pen_cli_json_add_text (builder, "description", g_param_spec_get_blurb (spec));
  pen_cli_json_add_text (builder, "type", pen_cli_property_get_type_name (spec));
  pen_cli_json_add_text (builder, "default", preset);
  pen_cli_json_add_text (builder, "minimum", minimum);
  pen_cli_json_add_text (builder, "maximum", maximum);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    pen_cli_json_add_values (builder, G_PARAM_SPEC_ENUM (spec)->enum_class);
  pen_cli_json_add_boolean (builder, "required", (spec->flags & PEN_PARAM_REQUIRED) != 0);
  pen_cli_json_add_boolean (builder, "secret", (spec->flags & PEN_PARAM_SECRET) != 0);
  pen_cli_json_add_boolean (builder, "mutable", (spec->flags & PEN_PARAM_MUTABLE) != 0);
  pen_cli_json_add_boolean (builder, "path", (spec->flags & PEN_PARAM_PATH) != 0);
  pen_cli_json_add_boolean (builder, "common", pen_cli_property_is_common (spec));
  json_builder_end_object (builder);
}

static void
pen_cli_json_add_properties (JsonBuilder *builder, GType type)
{
  g_auto (PenCliProperties) properties = { 0 };

  pen_cli_properties_init (&properties, type);
  json_builder_set_member_name (builder, "properties");
  json_builder_begin_array (builder);
  for (guint i = 0; i < properties.n_specs; i++)
    pen_cli_json_add_property (builder, properties.specs[i], properties.example);
  json_builder_end_array (builder);
}

static void
pen_cli_json_add_plugin (JsonBuilder *builder, const PenPlugin *plugin)
{
  json_builder_begin_object (builder);
  pen_cli_json_add_text (builder, "kind", pen_element_kind_get_nick (plugin->kind));
  pen_cli_json_add_text (builder, "name", plugin->name);
  pen_cli_json_add_text (builder, "description", plugin->descriptor->description);
  pen_cli_json_add_text (builder, "version", plugin->descriptor->version);
  pen_cli_json_add_text (builder, "licence", plugin->descriptor->licence);
  pen_cli_json_add_text (builder, "homepage", plugin->descriptor->homepage);
  pen_cli_json_add_text (builder, "module", plugin->path);
  pen_cli_json_add_properties (builder, plugin->type);
  json_builder_end_object (builder);
}

/*
 * pen_cli_describe_json:
 * @text: where to
 * @plugins: (element-type PenPlugin): which
 * @registry: where they are from
 *
 * One object, of the same shape whether one plugin was asked for or all: with the keys of
 * [pipeline] and [test NAME] in it, a program needs nothing else to know every key of a keyfile.
 */
void
pen_cli_describe_json (GString *text, GPtrArray *plugins, PenRegistry *registry)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *json = NULL;
  GPtrArray *folders = pen_registry_get_folders (registry);

  json_builder_begin_object (builder);
  pen_cli_json_add_text (builder, "version", PACKAGE_VERSION);
  json_builder_set_member_name (builder, "plugin_api");
  json_builder_add_int_value (builder, PEN_PLUGIN_API_VERSION);
  json_builder_set_member_name (builder, "folders");
  json_builder_begin_array (builder);
  for (guint i = 0; i < folders->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (folders, i));
  json_builder_end_array (builder);
  for (guint i = 0; pen_cli_get_group (i) != NULL; i++)
    {
      json_builder_set_member_name (builder, pen_cli_get_group (i)->name);
      json_builder_begin_object (builder);
      pen_cli_json_add_properties (builder, pen_cli_get_group (i)->get_type ());
      json_builder_end_object (builder);
    }
  json_builder_set_member_name (builder, "plugins");
  json_builder_begin_array (builder);
  for (guint i = 0; i < plugins->len; i++)
    pen_cli_json_add_plugin (builder, g_ptr_array_index (plugins, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json = json_to_string (root, TRUE);
  g_string_append_printf (text, "%s\n", json);
}
