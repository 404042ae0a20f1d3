/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bad network between a client and a broker on this machine.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_CHAOS_CUT_CLOSE,  /* FIN to both sides */
  PEN_CHAOS_CUT_RESET,  /* RST to both sides */
  PEN_CHAOS_CUT_SILENT, /* half open: neither side hears anything any more */
} PenChaosCut;

typedef struct _PenChaosProxy PenChaosProxy;

PenChaosProxy *pen_chaos_proxy_new (guint target_port);
void pen_chaos_proxy_free (PenChaosProxy *self);
guint pen_chaos_proxy_get_port (PenChaosProxy *self);
/* What is connected now. New connections are let through. */
void pen_chaos_proxy_cut (PenChaosProxy *self, PenChaosCut how);
/* The same when so many more bytes have come from the broker. */
void pen_chaos_proxy_cut_after (PenChaosProxy *self, guint n_bytes, PenChaosCut how);
/* Whether new connections are closed at once. */
void pen_chaos_proxy_refuse (PenChaosProxy *self, gboolean is_refusing);
/* Puts @bytes between two packets of the broker; of MQTT without TLS. */
void pen_chaos_proxy_inject (PenChaosProxy *self, GBytes *bytes);
gboolean pen_chaos_proxy_has_injected (PenChaosProxy *self);
gboolean pen_chaos_proxy_has_cut (PenChaosProxy *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenChaosProxy, pen_chaos_proxy_free)

G_END_DECLS
