/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes events into a table of an SQLite database.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_SQLITE_SINK (pen_sqlite_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenSqliteSink, pen_sqlite_sink, PEN, SQLITE_SINK, PenSink)

G_END_DECLS
