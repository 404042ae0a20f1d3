/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows events as rows of a table on standard output.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_TABLE_SINK (pen_table_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenTableSink, pen_table_sink, PEN, TABLE_SINK, PenSink)

G_END_DECLS
