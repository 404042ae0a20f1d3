/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbered messages at a steady rate, and what the broker has confirmed of them.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Every payload is as long as every other, so that a torn one is seen. */
#define PEN_CHAOS_PAYLOAD_LENGTH 128

/* Of a number that is not confirmed. */
#define PEN_CHAOS_UNCONFIRMED G_MAXINT64

typedef struct _PenChaosLoad PenChaosLoad;

PenChaosLoad *pen_chaos_load_new (guint port, guint per_second);
void pen_chaos_load_free (PenChaosLoad *self);
/* No further number; those that are not confirmed yet are sent until they are. */
void pen_chaos_load_stop (PenChaosLoad *self);
guint pen_chaos_load_get_n_sent (PenChaosLoad *self);
guint pen_chaos_load_get_n_confirmed (PenChaosLoad *self);
gboolean pen_chaos_load_is_connected (PenChaosLoad *self);
/* When the publisher had the confirmation, of the wall clock; numbers begin with 0. */
gint64 pen_chaos_load_get_confirmed_us (PenChaosLoad *self, guint number);

void pen_chaos_payload_write (char payload[PEN_CHAOS_PAYLOAD_LENGTH + 1], guint number);
/* FALSE if it is none. */
gboolean pen_chaos_payload_read (const char *text, gsize length, guint *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenChaosLoad, pen_chaos_load_free)

G_END_DECLS
