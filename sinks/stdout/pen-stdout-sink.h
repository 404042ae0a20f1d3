/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes events to standard output.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_STDOUT_SINK (pen_stdout_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenStdoutSink, pen_stdout_sink, PEN, STDOUT_SINK, PenSink)

G_END_DECLS
