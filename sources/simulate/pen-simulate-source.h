/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Makes events up.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_SIMULATE_SOURCE (pen_simulate_source_get_type ())
G_DECLARE_FINAL_TYPE (PenSimulateSource, pen_simulate_source, PEN, SIMULATE_SOURCE, PenSource)

G_END_DECLS
