/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads events from a file.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

#define PEN_TYPE_FILE_SOURCE (pen_file_source_get_type ())
G_DECLARE_FINAL_TYPE (PenFileSource, pen_file_source, PEN, FILE_SOURCE, PenSource)

G_END_DECLS
