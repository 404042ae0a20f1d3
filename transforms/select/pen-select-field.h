/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a result has, and where it comes from.
 */

#pragma once

#include "pen-select-cast.h"
#include "pen-select-template.h"

G_BEGIN_DECLS

typedef struct
{
  char *text;                  /* as it was written */
  PenJsonPath *path;           /* (nullable): NULL if it is set */
  PenSelectTemplate *template; /* (nullable) */
  gboolean is_spread;          /* each element of the array is a member */
  PenSelectCast cast;
  char *name; /* of the member; of a spread one, with {index} or {number} in it */
} PenSelectField;

/* Reads "PATH", "PATH:TYPE", "PATH[*]", each perhaps with " as NAME". */
PenSelectField *pen_select_field_new (const char *text, GError **error);
/* Reads "NAME=TEMPLATE" or "NAME:TYPE=TEMPLATE". */
PenSelectField *pen_select_field_new_set (const char *text, GError **error);
void pen_select_field_free (PenSelectField *self);
/* (transfer full): the name of element @index of a spread field */
char *pen_select_field_expand_name (const PenSelectField *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSelectField, pen_select_field_free)

G_END_DECLS
