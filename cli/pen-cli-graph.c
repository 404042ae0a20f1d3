/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock graph: how a pipeline is wired, as Graphviz DOT. Settings are left out: a graph is made
 * to be passed around, and no user name or password should travel with it.
 */

#include "config.h"

#include "pen-cli.h"

static void
pen_cli_graph_append_escaped (GString *dot, const char *text)
{
  for (const char *letter = text; *letter != '\0'; letter++)
    {
      if (*letter == '"' || *letter == '\\')
        g_string_append_c (dot, '\\');
      g_string_append_c (dot, g_ascii_iscntrl (*letter) ? ' ' : *letter);
    }
}

static void
pen_cli_graph_append_node (GString *dot, guint index, const PenElementDefinition *element)
{
  static const char *const styles[] = {
    [PEN_KIND_SOURCE] = "fillcolor=\"#d7e8f7\"",
    [PEN_KIND_TRANSFORM] = "fillcolor=\"#f3f3f3\"",
    [PEN_KIND_SINK] = "fillcolor=\"#dcefdc\"",
    [PEN_KIND_DEAD_LETTER] = "fillcolor=\"#f9e0dd\"",
  };

  g_string_append_printf (dot, "  n%u [label=\"%s ", index,
                          pen_element_kind_get_nick (element->kind));
  pen_cli_graph_append_escaped (dot, element->name);
  if (!g_str_equal (element->name, element->plugin->name))
    {
      g_string_append (dot, "\\n");
      pen_cli_graph_append_escaped (dot, element->plugin->name);
    }
  g_string_append (dot, "\", tooltip=\"");
  pen_cli_graph_append_escaped (dot, element->plugin->descriptor->description);
  g_string_append_printf (dot, "\", %s];\n", styles[element->kind]);
}

static void
pen_cli_graph_append_edges (GString *dot, const PenDefinition *definition, guint index)
{
  const PenElementDefinition *element = pen_definition_get_element (definition, index);

  for (guint i = 0; i < element->n_inputs; i++)
    g_string_append_printf (dot, "  n%u -> n%u;\n", element->inputs[i], index);
  if (element->kind != PEN_KIND_DEAD_LETTER)
    return;
  for (guint i = 0; i < pen_definition_get_n_elements (definition); i++)
    if (pen_definition_get_element (definition, i)->kind != PEN_KIND_DEAD_LETTER)
      g_string_append_printf (dot, "  n%u -> n%u [style=dashed, color=\"#b03020\"];\n", i, index);
}

static void
pen_cli_graph_append (GString *dot, const PenDefinition *definition)
{
  const char *description = pen_settings_get_description (pen_definition_get_settings (definition));
  guint n_elements = pen_definition_get_n_elements (definition);

  g_string_append (dot, "digraph \"");
  pen_cli_graph_append_escaped (dot, pen_definition_get_name (definition));
  g_string_append (dot, "\" {\n  rankdir=LR;\n  labelloc=t;\n  label=\"");
  pen_cli_graph_append_escaped (dot, pen_definition_get_name (definition));
  if (description != NULL && *description != '\0')
    {
      g_string_append (dot, "\\n");
      pen_cli_graph_append_escaped (dot, description);
    }
  g_string_append (dot, "\";\n  node [shape=box, style=\"rounded,filled\"];\n");
  for (guint i = 0; i < n_elements; i++)
    pen_cli_graph_append_node (dot, i, pen_definition_get_element (definition, i));
  for (guint i = 0; i < n_elements; i++)
    pen_cli_graph_append_edges (dot, definition, i);
  g_string_append (dot, "}\n");
}

static int
pen_cli_graph_command (PenCli *cli)
{
  const GOptionEntry options[] = { G_OPTION_ENTRY_NULL };
  g_autoptr (PenRegistry) registry = NULL;
  g_autoptr (PenDefinition) definition = NULL;
  g_autoptr (GString) dot = g_string_new (NULL);
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  int status;

  if (!pen_cli_parse (cli, options, &status))
    return status;
  if (cli->arguments[1] == NULL || cli->arguments[2] != NULL)
    return pen_cli_complain (cli, "name one keyfile");
  registry = pen_cli_open (cli);
  /* the wiring is the same where variables and files are not there */
  definition = pen_definition_load (cli->arguments[1], registry, PEN_DEFINITION_NO_ENVIRONMENT,
                                    diagnostics);
  for (guint i = 0; i < diagnostics->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (diagnostics, i));

      fprintf (stderr, "%s\n", line);
    }
  if (definition == NULL)
    return PEN_CLI_FAULTY;
  pen_cli_graph_append (dot, definition);
  return pen_cli_write (cli, dot);
}

const PenCliCommand pen_cli_graph = {
  .name = "graph",
  .arguments = "FILE",
  .summary = "Draw a pipeline, as Graphviz DOT",
  .description
  = "An arrow is where events go; a dashed one is where they go when they are rejected.\n"
    "Settings are not shown. Of a keyfile with [sites], the first site's is drawn.\n"
    "\n"
    "Example:\n"
    "  penstock graph site.pipeline | dot -Tsvg > site.svg\n",
  .run = pen_cli_graph_command,
};
