/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How sinks that write text lay out an event: one line, bytes as they are, indented, or in an
 * envelope.
 */

#pragma once

#include "pen-batch.h"
#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_TYPE_LINE_FORMAT (pen_line_format_get_type ())

/**
 * PenLineFormat:
 * @PEN_LINE_FORMAT_LINES: one line for each event: the payload and a newline. Line breaks between
 *   the tokens of JSON become blanks; any other payload with a line break cannot be written
 * @PEN_LINE_FORMAT_RAW: the payload, and nothing between one and the next
 * @PEN_LINE_FORMAT_PRETTY: JSON indented for people, anything else as it is; a newline behind each
 * @PEN_LINE_FORMAT_ENVELOPE: one line for each event: a JSON object of all that is known of it,
 *   with the payload as a string (`payload`, or `payload_base64` where it is not UTF-8), the time
 *   of arrival, and `"replayed":true` where it may have come before
 *
 * A line break is the byte 0x0a. A carriage return is a byte like any other, so that a file with
 * CR LF comes out as it went in.
 */
typedef enum
{
  PEN_LINE_FORMAT_LINES,
  PEN_LINE_FORMAT_RAW,
  PEN_LINE_FORMAT_PRETTY,
  PEN_LINE_FORMAT_ENVELOPE,
} PenLineFormat;

PEN_AVAILABLE_IN_1_0
GType pen_line_format_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
GBytes *pen_line_format_payload (PenLineFormat format, GBytes *payload, GError **error);
PEN_AVAILABLE_IN_1_0
GBytes *pen_line_format_event (PenLineFormat format, PenEvent *event, GError **error);

/**
 * PenLines:
 *
 * Events laid out one behind the other, ready for writev(): the payloads are pointed to, never
 * copied. It remembers how much of it was written, down to the byte, so that a write that failed in
 * the middle of a line can be completed or undone.
 */
typedef struct _PenLines PenLines;

PEN_AVAILABLE_IN_1_0
PenLines *pen_lines_new (PenLineFormat format);
PEN_AVAILABLE_IN_1_0
void pen_lines_free (PenLines *self);
PEN_AVAILABLE_IN_1_0
void pen_lines_clear (PenLines *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_lines_append (PenLines *self, PenBatch *batch, guint index);
PEN_AVAILABLE_IN_1_0
void pen_lines_append_text (PenLines *self, GBytes *text, guint index);
PEN_AVAILABLE_IN_1_0
guint pen_lines_get_n_lines (const PenLines *self);
PEN_AVAILABLE_IN_1_0
guint pen_lines_get_index (const PenLines *self, guint line);
PEN_AVAILABLE_IN_1_0
gsize pen_lines_get_n_bytes (const PenLines *self);
PEN_AVAILABLE_IN_1_0
guint pen_lines_get_n_written (const PenLines *self);
PEN_AVAILABLE_IN_1_0
gsize pen_lines_get_n_torn (const PenLines *self);
PEN_AVAILABLE_IN_1_0
PenLines *pen_lines_steal_torn (PenLines *self);
PEN_AVAILABLE_IN_1_0
int pen_lines_write (PenLines *self, int fd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenLines, pen_lines_free)

G_END_DECLS
