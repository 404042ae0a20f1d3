/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What must be so of every keyfile, good or faulty, that is read as a definition: there is one
 * exactly if nothing is wrong, or those of the sites that nothing is wrong with, findings stand in
 * the order of lines and are at places that there are, GKeyFile reads what was accepted, its
 * elements can be made, and everything flows from a source to a sink. It aborts at what is not so.
 */

#include "config.h"

#include "pen-judge-definition.h"

#include <string.h>

#include "pen-definition.h"

/* Returns how many errors there are. */
static guint
pen_judge_diagnostics (GPtrArray *diagnostics, const char *text, gsize length)
{
  guint n_lines = 1;
  guint n_errors = 0;
  guint line = 0;

  for (gsize i = 0; i < length; i++)
    n_lines += text[i] == '\n';
  for (guint i = 0; i < diagnostics->len; i++)
    {
      const PenDiagnostic *diagnostic = diagnostics->pdata[i];
      g_autofree char *formatted = pen_diagnostic_format (diagnostic);

      g_assert_true (g_utf8_validate (formatted, -1, NULL));
      for (const char *c = formatted; *c != '\0'; c++)
        g_assert_true (*c == '\t' || !g_ascii_iscntrl (*c));
      g_assert_cmpuint (diagnostic->line, <=, n_lines);
      g_assert_cmpuint (diagnostic->column, <=, length + 1);
      /* What concerns the file as a whole has no line. */
      if (diagnostic->line > 0)
        {
          g_assert_cmpuint (diagnostic->line, >=, line);
          line = diagnostic->line;
        }
      n_errors += diagnostic->level == PEN_DIAGNOSTIC_ERROR;
    }
  return n_errors;
}

/* Marks all that @index reads from, itself included. */
static void
pen_judge_mark (const PenDefinition *definition, guint index, gboolean *is_read)
{
  const PenElementDefinition *element = pen_definition_get_element (definition, index);

  if (is_read[index])
    return;
  is_read[index] = TRUE;
  for (guint i = 0; i < element->n_inputs; i++)
    pen_judge_mark (definition, element->inputs[i], is_read);
}

static void
pen_judge_inputs (const PenDefinition *definition, const PenElementDefinition *element)
{
  gboolean reads = element->kind == PEN_KIND_TRANSFORM || element->kind == PEN_KIND_SINK;

  g_assert_cmpint (element->n_inputs > 0, ==, reads);
  for (guint i = 0; i < element->n_inputs; i++)
    {
      const PenElementDefinition *input
          = pen_definition_get_element (definition, element->inputs[i]);

      g_assert_true (input->kind == PEN_KIND_SOURCE || input->kind == PEN_KIND_TRANSFORM);
      for (guint j = 0; j < i; j++)
        g_assert_cmpuint (element->inputs[i], !=, element->inputs[j]);
    }
}

static void
pen_judge_flow (const PenDefinition *definition)
{
  guint n_elements = pen_definition_get_n_elements (definition);
  g_autofree gboolean *is_read = g_new0 (gboolean, n_elements);

  for (guint i = 0; i < n_elements; i++)
    {
      const PenElementDefinition *element = pen_definition_get_element (definition, i);
      g_autoptr (PenElement) made = pen_definition_create_element (definition, i);

      g_assert_true (PEN_IS_ELEMENT (made));
      pen_judge_inputs (definition, element);
      if (element->kind == PEN_KIND_SINK || element->kind == PEN_KIND_DEAD_LETTER)
        pen_judge_mark (definition, i, is_read);
    }
  for (guint i = 0; i < n_elements; i++)
    g_assert_true (is_read[i]);
}

/* Names are unique within a kind. */
static void
pen_judge_names (const PenDefinition *definition)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_assert_cmpstr (pen_definition_get_name (definition), !=, "");
  for (guint i = 0; i < pen_definition_get_n_elements (definition); i++)
    {
      const PenElementDefinition *element = pen_definition_get_element (definition, i);

      g_assert_true (g_hash_table_add (
          names,
          g_strdup_printf ("%s %s", pen_element_kind_get_nick (element->kind), element->name)));
    }
}

/* Sites that are good are so beside faulty ones, and have names of their own. */
static void
pen_judge_sites (GPtrArray *definitions)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < definitions->len; i++)
    {
      const PenDefinition *definition = definitions->pdata[i];

      g_assert_true (g_hash_table_add (names, (char *) pen_definition_get_name (definition)));
      pen_judge_names (definition);
      pen_judge_flow (definition);
    }
}

/* Returns whether the text was accepted. */
gboolean
pen_judge_definition (PenRegistry *registry, const char *text, gsize length)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  guint n_faulty = 0;
  g_autoptr (GPtrArray) definitions
      = pen_definition_parse_sites ("folder/site.pipeline", text, length, registry,
                                    PEN_DEFINITION_NO_ENVIRONMENT, diagnostics, &n_faulty);
  guint n_errors = pen_judge_diagnostics (diagnostics, text, length);
  g_autoptr (GKeyFile) reference = g_key_file_new ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (n_faulty > 0, ==, n_errors > 0);
  g_assert_true (n_errors > 0 || definitions->len > 0);
  pen_judge_sites (definitions);
  if (n_errors > 0)
    return FALSE;
  g_key_file_load_from_data (reference, text, length, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  return TRUE;
}
