/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock inspect: which plugins there are, and what can be said in a keyfile about each. A plugin
 * is named as in a keyfile, "sink file", or as its module, "sink-file"; "file" is every plugin of
 * that name.
 */

#include "config.h"

#include "pen-cli-inspect.h"
#include "pen-suggest.h"

/* What the arguments ask for. */
typedef struct
{
  PenElementKind kind;
  gboolean any_kind;
  const char *name; /* NULL: all */
} PenCliWish;

static const PenElementKind kinds[] = { PEN_KIND_SOURCE, PEN_KIND_TRANSFORM, PEN_KIND_SINK };

/* The kind that @word begins with, and in @rest what follows a dash, or NULL. */
static gboolean
pen_cli_wish_read_kind (PenCliWish *wish, const char *word, const char **rest)
{
  static const PenElementKind all[]
      = { PEN_KIND_SOURCE, PEN_KIND_TRANSFORM, PEN_KIND_SINK, PEN_KIND_DEAD_LETTER };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      const char *nick = pen_element_kind_get_nick (all[i]);

      if (!g_str_has_prefix (word, nick))
        continue;
      *rest = word + strlen (nick);
      if (**rest != '\0' && **rest != '-')
        continue;
      *rest = **rest == '-' ? *rest + 1 : NULL;
      wish->kind = all[i] == PEN_KIND_DEAD_LETTER ? PEN_KIND_SINK : all[i];
      wish->any_kind = FALSE;
      return TRUE;
    }
  return FALSE;
}

static gboolean
pen_cli_wish_read (PenCliWish *wish, const PenCli *cli, int *status)
{
  const char *first = cli->arguments[1];
  const char *second = first != NULL ? cli->arguments[2] : NULL;
  const char *rest = NULL;

  *wish = (PenCliWish){ .any_kind = TRUE };
  if (first == NULL)
    return TRUE;
  if (second != NULL && cli->arguments[3] != NULL)
    {
      *status = pen_cli_complain (cli, "name one plugin: source, transform or sink, and its name");
      return FALSE;
    }
  if (!pen_cli_wish_read_kind (wish, first, &rest))
    wish->name = first;
  else if (rest != NULL)
    wish->name = rest;
  else
    {
      wish->name = second;
      return TRUE;
    }
  if (second != NULL)
    {
      g_autofree char *quoted = pen_quote (first);

      *status = pen_cli_complain (cli, "%s is no kind of plugin: it is source, transform or sink",
                                  quoted);
      return FALSE;
    }
  return TRUE;
}

const PenCliGroup *
pen_cli_get_group (guint index)
{
  static const PenCliGroup groups[] = {
    { "pipeline", "[pipeline]", "What concerns a pipeline as a whole", pen_settings_get_type },
    { "test", "[test NAME]", "What goes into the transforms, and what has to come out",
      pen_trial_get_type },
  };

  return index < G_N_ELEMENTS (groups) ? &groups[index] : NULL;
}

static const PenCliGroup *
pen_cli_wish_find_group (const PenCliWish *self)
{
  const PenCliGroup *group = NULL;

  if (!self->any_kind || self->name == NULL)
    return NULL;
  for (guint i = 0; (group = pen_cli_get_group (i)) != NULL; i++)
    if (g_str_equal (group->name, self->name))
      break;
  return group;
}

static void
pen_cli_add_names (GPtrArray *names, PenRegistry *registry, PenElementKind kind)
{
  g_autoptr (GPtrArray) listed = pen_registry_list (registry, kind);

  for (guint i = 0; i < listed->len; i++)
    g_ptr_array_add (names, g_strdup (g_ptr_array_index (listed, i)));
}

/* Opens what is wished for; complains about modules that cannot be opened. */
static GPtrArray *
pen_cli_find_plugins (PenRegistry *registry, const PenCliWish *wish, int *status)
{
  GPtrArray *plugins = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

      if (wish->any_kind || wish->kind == kinds[i])
        pen_cli_add_names (names, registry, kinds[i]);
      for (guint j = 0; j < names->len; j++)
        {
          const char *name = g_ptr_array_index (names, j);
          g_autoptr (GError) error = NULL;
          const PenPlugin *plugin;

          if (wish->name != NULL && !g_str_equal (wish->name, name))
            continue;
          plugin = pen_registry_find (registry, kinds[i], name, &error);
          if (plugin != NULL)
            g_ptr_array_add (plugins, (gpointer) plugin);
          else
            {
              fprintf (stderr, "penstock inspect: %s\n", error->message);
              *status = PEN_CLI_FAULTY;
            }
        }
    }
  return plugins;
}

static int
pen_cli_reject_plugin (const PenCli *cli, PenRegistry *registry, const PenCliWish *wish)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *quoted = pen_quote (wish->name);
  g_autofree char *hint = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (wish->any_kind || wish->kind == kinds[i])
      pen_cli_add_names (names, registry, kinds[i]);
  hint = pen_suggest_hint (wish->name, names);
  return pen_cli_complain (cli, "there is no %s named %s%s",
                           wish->any_kind ? "plugin" : pen_element_kind_get_nick (wish->kind),
                           quoted, hint);
}

static int
pen_cli_print_names (const PenCli *cli, PenRegistry *registry, const PenCliWish *wish)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

      if (wish->any_kind || wish->kind == kinds[i])
        pen_cli_add_names (names, registry, kinds[i]);
      for (guint j = 0; j < names->len; j++)
        g_string_append_printf (text, "%s %s\n", pen_element_kind_get_nick (kinds[i]),
                                (const char *) g_ptr_array_index (names, j));
    }
  return pen_cli_write (cli, text);
}

static int
pen_cli_inspect_plugins (PenCli *cli, const PenCliWish *wish, gboolean as_json)
{
  g_autoptr (PenRegistry) registry = pen_cli_open (cli);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) plugins = NULL;
  const PenCliGroup *group = pen_cli_wish_find_group (wish);
  int status = PEN_CLI_DONE;
  int write_status;

  plugins = pen_cli_find_plugins (registry, wish, &status);
  if (wish->name != NULL && plugins->len == 0 && group == NULL)
    return status != PEN_CLI_DONE ? status : pen_cli_reject_plugin (cli, registry, wish);
  if (as_json)
    pen_cli_describe_json (text, plugins, registry);
  else if (wish->name != NULL)
    pen_cli_describe_text (text, plugins, group);
  else
    pen_cli_list_text (text, plugins, pen_registry_get_folders (registry));
  write_status = pen_cli_write (cli, text);
  return status != PEN_CLI_DONE ? status : write_status;
}

static int
pen_cli_inspect_command (PenCli *cli)
{
  gboolean only_names = FALSE;
  g_autofree char *format = NULL;
  const GOptionEntry options[] = {
    { "format", 0, 0, G_OPTION_ARG_STRING, &format,
      "How to describe the plugins: text (the default) or json", "FORMAT" },
    { "names", 0, 0, G_OPTION_ARG_NONE, &only_names,
      "Print kinds and names alone, without opening any module", NULL },
    G_OPTION_ENTRY_NULL,
  };
  PenCliWish wish;
  gboolean as_json = FALSE;
  int status;

  if (!pen_cli_parse (cli, options, &status))
    return status;
  if (!pen_cli_parse_format (cli, format, &as_json, &status))
    return status;
  if (!pen_cli_wish_read (&wish, cli, &status))
    return status;
  if (only_names)
    {
      g_autoptr (PenRegistry) registry = pen_cli_open (cli);

      return pen_cli_print_names (cli, registry, &wish);
    }
  return pen_cli_inspect_plugins (cli, &wish, as_json);
}

const PenCliCommand pen_cli_inspect = {
  .name = "inspect",
  .arguments = "[KIND] [PLUGIN]",
  .summary = "List the plugins, or describe one with all its properties",
  .description
  = "KIND is source, transform or sink; a dead-letter element is a sink. Without a plugin's name,\n"
    "all are listed; with one, its properties are described: these are the keys of its group in\n"
    "a keyfile. The name pipeline stands for the keys of [pipeline], test for those of [test "
    "NAME].\n"
    "\n"
    "Examples:\n"
    "  penstock inspect\n"
    "  penstock inspect mqtt\n"
    "  penstock inspect sink file\n"
    "  penstock inspect --format json | jq '.plugins[].name'\n",
  .run = pen_cli_inspect_command,
};
