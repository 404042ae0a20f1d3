/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan for programs.
 */

#include "config.h"

#include "pen-cli-plan.h"

static void
pen_cli_plan_put (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, valid);
}

/* documented in the header */
void
pen_cli_plan_describe_process (JsonBuilder *builder, const PenCliProcess *process)
{
  if (process == NULL)
    {
      json_builder_add_null_value (builder);
      return;
    }
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "pid");
  json_builder_add_int_value (builder, process->pid);
  pen_cli_plan_put (builder, "started", process->started);
  json_builder_set_member_name (builder, "strict");
  json_builder_add_boolean_value (builder, process->is_strict);
  json_builder_set_member_name (builder, "watch");
  json_builder_add_boolean_value (builder, process->watches);
  json_builder_end_object (builder);
}

static void
pen_cli_plan_describe_difference (JsonBuilder *builder, const PenCliDifference *difference)
{
  static const char *const names[] = {
    [PEN_CLI_CHANGED] = "changed",
    [PEN_CLI_ADDED] = "added",
    [PEN_CLI_REMOVED] = "removed",
    [PEN_CLI_REORDERED] = "reordered",
  };
  gboolean is_file = difference->kind == PEN_CLI_CHANGED && *difference->group == '\0';

  json_builder_begin_object (builder);
  pen_cli_plan_put (builder, "difference", is_file ? "moved" : names[difference->kind]);
  if (*difference->group != '\0')
    pen_cli_plan_put (builder, "group", difference->group);
  if (*difference->key != '\0')
    pen_cli_plan_put (builder, "key", difference->key);
  json_builder_end_object (builder);
}

static void
pen_cli_plan_describe_step (JsonBuilder *builder, const PenCliStep *step)
{
  static const char *const changes[] = {
    [PEN_ENGINE_UNCHANGED] = "none", [PEN_ENGINE_KEPT] = "keep",
    [PEN_ENGINE_STARTED] = "start",  [PEN_ENGINE_REPLACED] = "replace",
    [PEN_ENGINE_STOPPED] = "stop",   [PEN_ENGINE_GONE] = "none",
  };
  static const char *const states[] = {
    [PEN_ENGINE_RUNNING] = "running",
    [PEN_ENGINE_STOPPING] = "stopping",
    [PEN_ENGINE_ENDED] = "ended",
    [PEN_ENGINE_FAILED] = "failed",
  };

  json_builder_begin_object (builder);
  pen_cli_plan_put (builder, "pipeline", step->pipeline);
  pen_cli_plan_put (builder, "file", step->path);
  pen_cli_plan_put (builder, "change", changes[step->change]);
  if (step->change != PEN_ENGINE_STARTED)
    pen_cli_plan_put (builder, "state", states[step->state]);
  json_builder_set_member_name (builder, "differences");
  json_builder_begin_array (builder);
  for (guint i = 0; i < step->differences->len; i++)
    pen_cli_plan_describe_difference (builder, g_ptr_array_index (step->differences, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

/* documented in the header */
void
pen_cli_plan_describe_steps (JsonBuilder *builder, GPtrArray *steps)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < steps->len; i++)
    pen_cli_plan_describe_step (builder, g_ptr_array_index (steps, i));
  json_builder_end_array (builder);
}
