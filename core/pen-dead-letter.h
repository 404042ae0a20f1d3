/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What becomes of an event that cannot pass.
 */

#pragma once

#include "pen-event.h"

G_BEGIN_DECLS

/* (transfer full): the dead letter: an event whose payload is one JSON object, and which holds the
 * message of @event open */
PEN_RUNTIME_EXPORT
PenEvent *pen_dead_letter_new (PenEvent *event,
                               const char *pipeline,
                               const char *element,
                               const char *reason,
                               const char *message);
/* The same for a part of @event that was skipped: each part has a letter, and a number from 1. */
PEN_RUNTIME_EXPORT
PenEvent *pen_dead_letter_new_for_part (PenEvent *event,
                                        const char *pipeline,
                                        const char *element,
                                        const char *reason,
                                        const char *message,
                                        guint part);

/* How a letter writes a member of its object; what shows messages elsewhere does it alike. Time is
 * RFC 3339 in UTC, with microseconds. */
PEN_RUNTIME_EXPORT
void pen_dead_letter_put_time (PenJsonWriter *writer, const char *key, gint64 real_us);
PEN_RUNTIME_EXPORT
void pen_dead_letter_put_text (PenJsonWriter *writer, const char *key, const char *text);
/* As text where it is text, otherwise as @key_base64. @is_cut: a cut does not count as damage when
 * it goes through a character. */
PEN_RUNTIME_EXPORT
void pen_dead_letter_put_bytes (PenJsonWriter *writer,
                                const char *key,
                                const char *data,
                                gsize length,
                                gboolean is_cut);

G_END_DECLS
