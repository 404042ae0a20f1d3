/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How plugins are described: for people and for programs.
 */

#pragma once

#include "pen-cli-property.h"

G_BEGIN_DECLS

/* A group of a keyfile whose keys are no plugin's: [pipeline], [test NAME]. */
typedef struct
{
  const char *name; /* as `inspect` is asked for it */
  const char *heading;
  const char *summary;
  GType (*get_type) (void);
} PenCliGroup;

/* NULL behind the last. */
const PenCliGroup *pen_cli_get_group (guint index);

/* All append to @text. @plugins: (element-type PenPlugin) */
void pen_cli_list_text (GString *text, GPtrArray *plugins, GPtrArray *folders);
/* @group: (nullable): a group that is no plugin's and is described as well */
void pen_cli_describe_text (GString *text, GPtrArray *plugins, const PenCliGroup *group);
void pen_cli_describe_json (GString *text, GPtrArray *plugins, PenRegistry *registry);

G_END_DECLS
