/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Restructures the payloads of energy data loggers for AMMP.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_AMMP_TRANSFORM (pen_ammp_transform_get_type ())
G_DECLARE_FINAL_TYPE (PenAmmpTransform, pen_ammp_transform, PEN, AMMP_TRANSFORM, PenTransform)

G_END_DECLS
