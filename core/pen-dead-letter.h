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

G_END_DECLS
