/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where in a JSON document a value is: `meta.location.lat`, `phases[0]`, `["a.b"]`.
 */

#pragma once

#include "pen-json.h"
#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PenJsonPath:
 *
 * The way from the top of a document to a value. Immutable.
 */
typedef struct _PenJsonPath PenJsonPath;

PEN_AVAILABLE_IN_1_0
PenJsonPath *pen_json_path_new (const char *text, GError **error);
PEN_AVAILABLE_IN_1_0
void pen_json_path_free (PenJsonPath *self);
PEN_AVAILABLE_IN_1_0
const char *pen_json_path_get_text (const PenJsonPath *self);
PEN_AVAILABLE_IN_1_0
const char *pen_json_path_get_last_name (const PenJsonPath *self);
PEN_AVAILABLE_IN_1_0
PenJsonNode
pen_json_path_find_below (const PenJsonPath *self, const PenJson *json, PenJsonNode node);
PEN_AVAILABLE_IN_1_0
PenJsonNode pen_json_path_find (const PenJsonPath *self, const PenJson *json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenJsonPath, pen_json_path_free)

G_END_DECLS
