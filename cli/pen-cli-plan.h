/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a reload, or a start, would do to each pipeline, and why.
 */

#pragma once

#include "pen-cli-process.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_CLI_CHANGED,
  PEN_CLI_ADDED,
  PEN_CLI_REMOVED,
  PEN_CLI_REORDERED, /* of the definition as a whole */
} PenCliDifferenceKind;

/* Where two definitions of a pipeline differ. */
typedef struct
{
  PenCliDifferenceKind kind;
  char *group;
  char *key; /* "" for the group itself */
} PenCliDifference;

typedef struct
{
  char *pipeline;
  char *path;
  PenEngineChange change;
  PenEngineState state;   /* of what is there */
  GPtrArray *differences; /* (element-type PenCliDifference) */
} PenCliStep;

/* (transfer full) (element-type PenCliStep): what is there, in the order of its start, then what is
 * new. @process: NULL for a start */
GPtrArray *pen_cli_steps_new (const PenCliProcess *process,
                              GPtrArray *definitions,
                              const char *const *faulty_paths);

/* All but what is left as it is, a line each. */
void pen_cli_plan_append_text (GString *text, GPtrArray *steps);
void pen_cli_plan_describe_process (JsonBuilder *builder, const PenCliProcess *process);
void pen_cli_plan_describe_steps (JsonBuilder *builder, GPtrArray *steps);

G_END_DECLS
