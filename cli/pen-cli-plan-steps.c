/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a reload, or a start, would do to each pipeline. The decision is the engine's own; what the
 * engine compares as definitions is compared here as digests, which also say where two differ.
 */

#include "config.h"

#include "pen-cli-plan.h"

#include "pen-cli-record.h"

static void
pen_cli_difference_free (gpointer data)
{
  PenCliDifference *self = data;

  g_free (self->group);
  g_free (self->key);
  g_free (self);
}

static void
pen_cli_step_free (gpointer data)
{
  PenCliStep *self = data;

  g_free (self->pipeline);
  g_free (self->path);
  g_ptr_array_unref (self->differences);
  g_free (self);
}

static void
pen_cli_step_add (PenCliStep *self, PenCliDifferenceKind kind, const char *group, const char *key)
{
  PenCliDifference *difference = g_new (PenCliDifference, 1);

  difference->kind = kind;
  difference->group = g_strdup (group);
  difference->key = g_strdup (key);
  g_ptr_array_add (self->differences, difference);
}

static const PenCliPart *
pen_cli_parts_find (GPtrArray *parts, const char *group, const char *key)
{
  for (guint i = 0; i < parts->len; i++)
    {
      const PenCliPart *part = g_ptr_array_index (parts, i);

      if (g_str_equal (part->group, group) && g_str_equal (part->key, key))
        return part;
    }
  return NULL;
}

/* What @parts has and @others lacks; a group that is missing as a whole is told once. */
static void
pen_cli_step_add_missing (PenCliStep *self,
                          GPtrArray *parts,
                          GPtrArray *others,
                          PenCliDifferenceKind kind)
{
  const char *missing_group = "";

  for (guint i = 0; i < parts->len; i++)
    {
      const PenCliPart *part = g_ptr_array_index (parts, i);

      if (g_str_equal (part->group, missing_group)
          || pen_cli_parts_find (others, part->group, part->key) != NULL)
        continue;
      pen_cli_step_add (self, kind, part->group, part->key);
      if (*part->key == '\0')
        missing_group = part->group;
    }
}

static gboolean
pen_cli_parts_equal (GPtrArray *parts, GPtrArray *others)
{
  gboolean is_equal = parts->len == others->len;

  for (guint i = 0; is_equal && i < parts->len; i++)
    {
      const PenCliPart *part = g_ptr_array_index (parts, i);
      const PenCliPart *other = g_ptr_array_index (others, i);

      is_equal = g_str_equal (part->group, other->group) && g_str_equal (part->key, other->key)
                 && g_str_equal (part->digest, other->digest);
    }
  return is_equal;
}

static void
pen_cli_step_compare (PenCliStep *self, GPtrArray *before, GPtrArray *after)
{
  for (guint i = 0; i < after->len; i++)
    {
      const PenCliPart *part = g_ptr_array_index (after, i);
      const PenCliPart *old = pen_cli_parts_find (before, part->group, part->key);

      if (old != NULL && !g_str_equal (old->digest, part->digest))
        pen_cli_step_add (self, PEN_CLI_CHANGED, part->group, part->key);
    }
  pen_cli_step_add_missing (self, after, before, PEN_CLI_ADDED);
  pen_cli_step_add_missing (self, before, after, PEN_CLI_REMOVED);
  if (self->differences->len == 0 && !pen_cli_parts_equal (before, after))
    pen_cli_step_add (self, PEN_CLI_REORDERED, "", "");
}

static PenCliStep *
pen_cli_step_new (const char *pipeline, const char *path)
{
  PenCliStep *self = g_new0 (PenCliStep, 1);

  self->pipeline = g_strdup (pipeline);
  self->path = g_strdup (path);
  self->differences = g_ptr_array_new_with_free_func (pen_cli_difference_free);
  return self;
}

/* What becomes of a pipeline that is there. */
static PenCliStep *
pen_cli_step_new_for_running (const PenCliProcess *process,
                              const PenCliRunning *running,
                              const PenDefinition *definition,
                              const char *const *faulty_paths)
{
  const char *path = definition != NULL ? pen_definition_get_path (definition) : running->path;
  PenCliStep *step = pen_cli_step_new (running->name, path);
  gboolean is_equal = FALSE;

  if (definition != NULL)
    {
      g_autoptr (GPtrArray) parts = pen_cli_parts_new (definition, process->salt);
      gboolean has_moved = !g_str_equal (path, running->path);

      is_equal = !has_moved && pen_cli_parts_equal (running->parts, parts);
      if (has_moved)
        pen_cli_step_add (step, PEN_CLI_CHANGED, "", "");
      pen_cli_step_compare (step, running->parts, parts);
    }
  step->state = running->state;
  step->change = pen_engine_decide (running->path, running->state, definition != NULL, is_equal,
                                    faulty_paths);
  return step;
}

/* documented in the header */
GPtrArray *
pen_cli_steps_new (const PenCliProcess *process,
                   GPtrArray *definitions,
                   const char *const *faulty_paths)
{
  GPtrArray *steps = g_ptr_array_new_with_free_func (pen_cli_step_free);
  g_autoptr (GHashTable) index = pen_definition_index (definitions);
  g_autoptr (GHashTable) running_names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; process != NULL && i < process->pipelines->len; i++)
    {
      const PenCliRunning *running = g_ptr_array_index (process->pipelines, i);
      const PenDefinition *definition = g_hash_table_lookup (index, running->name);

      g_hash_table_add (running_names, running->name);
      g_ptr_array_add (steps,
                       pen_cli_step_new_for_running (process, running, definition, faulty_paths));
    }
  for (guint i = 0; i < definitions->len; i++)
    {
      const PenDefinition *definition = g_ptr_array_index (definitions, i);
      const char *name = pen_definition_get_name (definition);
      PenCliStep *step;

      if (g_hash_table_contains (running_names, name))
        continue;
      step = pen_cli_step_new (name, pen_definition_get_path (definition));
      step->change = PEN_ENGINE_STARTED;
      g_ptr_array_add (steps, step);
    }
  return steps;
}

static void
pen_cli_difference_append (const PenCliDifference *self, GString *text)
{
  static const char *const words[] = {
    [PEN_CLI_CHANGED] = "",
    [PEN_CLI_ADDED] = "new ",
    [PEN_CLI_REMOVED] = "without ",
  };

  if (self->kind == PEN_CLI_REORDERED)
    g_string_append (text, "the order of groups or keys");
  else if (*self->group == '\0')
    g_string_append (text, "it is in another file");
  else if (*self->key == '\0')
    g_string_append_printf (text, "%s[%s]", words[self->kind], self->group);
  else
    g_string_append_printf (text, "%s%s", words[self->kind], self->key);
}

/* "[source mqtt] host, new qos; without [transform ammp]" */
static void
pen_cli_step_append_differences (const PenCliStep *self, GString *text)
{
  const char *group = "";

  for (guint i = 0; i < self->differences->len; i++)
    {
      const PenCliDifference *difference = g_ptr_array_index (self->differences, i);
      gboolean has_key = *difference->key != '\0';
      gboolean goes_on = has_key && g_str_equal (difference->group, group);

      if (i > 0)
        g_string_append (text, goes_on ? ", " : "; ");
      if (has_key && !goes_on)
        g_string_append_printf (text, "[%s] ", difference->group);
      pen_cli_difference_append (difference, text);
      group = has_key ? difference->group : "";
    }
}

static void
pen_cli_step_append_reason (const PenCliStep *self, GString *text)
{
  switch (self->change)
    {
    case PEN_ENGINE_KEPT:
      g_string_append_printf (text, "%s is faulty", self->path);
      break;
    case PEN_ENGINE_REPLACED:
      pen_cli_step_append_differences (self, text);
      if (self->state == PEN_ENGINE_FAILED || self->state == PEN_ENGINE_STOPPING)
        g_string_append_printf (text, "%s%s", self->differences->len > 0 ? "; " : "",
                                self->state == PEN_ENGINE_FAILED ? "it has failed"
                                                                 : "it is being stopped");
      break;
    case PEN_ENGINE_UNCHANGED:
    case PEN_ENGINE_GONE:
    case PEN_ENGINE_STARTED:
    case PEN_ENGINE_STOPPED:
    default:
      g_string_append (text, self->path);
    }
}

static gboolean
pen_cli_step_is_shown (const PenCliStep *self)
{
  return self->change != PEN_ENGINE_UNCHANGED && self->change != PEN_ENGINE_GONE;
}

/* documented in the header */
void
pen_cli_plan_append_text (GString *text, GPtrArray *steps)
{
  static const char *const words[] = {
    [PEN_ENGINE_KEPT] = "keep",
    [PEN_ENGINE_STARTED] = "start",
    [PEN_ENGINE_REPLACED] = "replace",
    [PEN_ENGINE_STOPPED] = "stop",
  };
  guint width = 0;

  for (guint i = 0; i < steps->len; i++)
    {
      const PenCliStep *step = g_ptr_array_index (steps, i);

      if (pen_cli_step_is_shown (step))
        width = MAX (width, (guint) g_utf8_strlen (step->pipeline, -1));
    }
  for (guint i = 0; i < steps->len; i++)
    {
      const PenCliStep *step = g_ptr_array_index (steps, i);

      if (!pen_cli_step_is_shown (step))
        continue;
      g_string_append_printf (text, "  %-7s  %-*s  ", words[step->change], (int) width,
                              step->pipeline);
      pen_cli_step_append_reason (step, text);
      g_string_append_c (text, '\n');
    }
}
