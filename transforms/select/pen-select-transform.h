/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chooses, renames and casts the fields of events.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_SELECT_TRANSFORM (pen_select_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenSelectTransform, pen_select_transform, PEN, SELECT_TRANSFORM, PenTransform)

typedef enum
{
  PEN_SELECT_REJECT,
  PEN_SELECT_NULL,
  PEN_SELECT_SKIP,
} PenSelectFallback;

G_END_DECLS
