/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every property of every plugin of the build, of a pipeline's own settings and of tests: it keeps
 * what it is set to, says so, and nothing else changes with it.
 */

#include "config.h"

#include "pen-registry.h"
#include "pen-settings.h"
#include "pen-test.h"
#include "pen-trial.h"

static void
test_set_list (GValue *value)
{
  static const char *const items[] = { "a/#", "b", NULL };

  g_value_set_boxed (value, items);
}

/* Sets @value to something within the range that is not the default. */
static void
test_set_other_value (GParamSpec *spec, GValue *value)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    g_value_set_boolean (value, !G_PARAM_SPEC_BOOLEAN (spec)->default_value);
  else if (G_IS_PARAM_SPEC_STRING (spec))
    g_value_set_string (value, "something-else");
  else if (G_IS_PARAM_SPEC_ENUM (spec))
    {
      const GEnumClass *class = G_PARAM_SPEC_ENUM (spec)->enum_class;
      int first = class->values[0].value;

      g_value_set_enum (value, G_PARAM_SPEC_ENUM (spec)->default_value != first
                                   ? first
                                   : class->values[class->n_values - 1].value);
    }
  else if (spec->value_type == G_TYPE_STRV)
    test_set_list (value);
  else if (spec->value_type == G_TYPE_INT64 && PEN_IS_PARAM_SPEC_DURATION (spec))
    g_value_set_int64 (value, 1234567);
  else if (spec->value_type == G_TYPE_UINT64)
    g_value_set_uint64 (value, 123456);
  else if (G_IS_PARAM_SPEC_UINT (spec))
    g_value_set_uint (value, G_PARAM_SPEC_UINT (spec)->default_value + 1);
  else if (G_IS_PARAM_SPEC_INT (spec))
    g_value_set_int (value, G_PARAM_SPEC_INT (spec)->default_value + 1);
  else if (G_IS_PARAM_SPEC_DOUBLE (spec))
    g_value_set_double (value, G_PARAM_SPEC_DOUBLE (spec)->default_value + 0.5);
  else
    g_error ("%s: no test for a %s", spec->name, g_type_name (spec->value_type));
  g_param_value_validate (spec, value);
}

static gboolean
test_values_equal (GParamSpec *spec, const GValue *a, const GValue *b)
{
  if (spec->value_type == G_TYPE_STRV)
    return g_strv_equal (g_value_get_boxed (a), g_value_get_boxed (b));
  return g_param_values_cmp (spec, a, b) == 0;
}

static void
test_note_name (GObject *object, GParamSpec *spec, gpointer user_data)
{
  g_string_append_printf (user_data, "%s ", spec->name);
}

static void
test_property (GType type, GParamSpec *spec)
{
  g_autoptr (GObject) object = g_object_new (type, NULL);
  g_autoptr (GString) notified = g_string_new (NULL);
  g_autofree char *expected = g_strdup_printf ("%s ", spec->name);
  g_auto (GValue) set = G_VALUE_INIT;
  g_auto (GValue) got = G_VALUE_INIT;

  test_set_other_value (spec, g_value_init (&set, spec->value_type));
  g_signal_connect (object, "notify", G_CALLBACK (test_note_name), notified);
  g_object_set_property (object, spec->name, &set);
  g_object_get_property (object, spec->name, g_value_init (&got, spec->value_type));

  if (!test_values_equal (spec, &set, &got))
    g_test_fail_printf ("%s.%s does not keep its value", g_type_name (type), spec->name);
  if (g_strcmp0 (notified->str, expected) != 0)
    g_test_fail_printf ("%s.%s notifies of '%s'", g_type_name (type), spec->name, notified->str);
}

static void
test_type (GType type)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (type);
  guint n_specs;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_CLASS (class), &n_specs);

  for (guint i = 0; i < n_specs; i++)
    test_property (type, specs[i]);
}

static void
test_properties_of_plugins (void)
{
  static const PenElementKind kinds[] = { PEN_KIND_SOURCE, PEN_KIND_TRANSFORM, PEN_KIND_SINK };
  g_autoptr (PenRegistry) registry = pen_registry_new (NULL);
  guint n_plugins = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (GPtrArray) names = pen_registry_list (registry, kinds[i]);

      for (guint j = 0; j < names->len; j++)
        {
          g_autoptr (GError) error = NULL;
          const PenPlugin *plugin = pen_registry_find (registry, kinds[i], names->pdata[j], &error);

          g_assert_no_error (error);
          test_type (plugin->type);
          n_plugins++;
        }
    }
  g_assert_cmpuint (n_plugins, >=, 4);
}

static void
test_properties_of_settings (void)
{
  test_type (PEN_TYPE_SETTINGS);
  test_type (PEN_TYPE_TRIAL);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/properties/plugins", test_properties_of_plugins);
  g_test_add_func ("/properties/settings", test_properties_of_settings);
  return g_test_run ();
}
