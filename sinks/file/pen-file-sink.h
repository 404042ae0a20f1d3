/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Appends events to files.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_FILE_SINK (pen_file_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenFileSink, pen_file_sink, PEN, FILE_SINK, PenSink)

G_END_DECLS
