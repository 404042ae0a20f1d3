/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How an event is written as members of a JSON object, alike wherever one is shown or kept.
 */

#pragma once

#include "pen-event.h"

G_BEGIN_DECLS

/* RFC 3339 in UTC, with microseconds. */
PEN_RUNTIME_EXPORT
void pen_event_json_put_time (PenJsonWriter *writer, const char *key, gint64 real_us);
PEN_RUNTIME_EXPORT
void pen_event_json_put_text (PenJsonWriter *writer, const char *key, const char *text);
/* As text where it is text, otherwise as @key_base64. @is_cut: a cut does not count as damage when
 * it goes through a character. */
PEN_RUNTIME_EXPORT
void pen_event_json_put_bytes (PenJsonWriter *writer,
                               const char *key,
                               const char *data,
                               gsize length,
                               gboolean is_cut);
/* Of a payload that was put and is shorter than its message: how long that was. */
PEN_RUNTIME_EXPORT
void pen_event_json_put_cut (PenJsonWriter *writer, gsize length, guint64 full_size);
/* All that is known of an event but its time: topic, content type, flags that are set, user
 * properties, payload. */
PEN_RUNTIME_EXPORT
void pen_event_json_put_content (PenJsonWriter *writer, const PenEvent *event);

G_END_DECLS
