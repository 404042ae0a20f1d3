/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How plugins are described: for people and for programs.
 */

#pragma once

#include "pen-cli-property.h"

G_BEGIN_DECLS

/* All append to @text. @plugins: (element-type PenPlugin) */
void pen_cli_list_text (GString *text, GPtrArray *plugins, GPtrArray *folders);
void pen_cli_describe_text (GString *text, GPtrArray *plugins, gboolean with_settings);
void pen_cli_describe_json (GString *text, GPtrArray *plugins, PenRegistry *registry);

G_END_DECLS
