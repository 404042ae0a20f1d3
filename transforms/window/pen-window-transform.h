/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Computes averages and the like over windows of time.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_WINDOW_TRANSFORM (pen_window_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenWindowTransform, pen_window_transform, PEN, WINDOW_TRANSFORM, PenTransform)

G_END_DECLS
