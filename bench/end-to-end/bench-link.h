/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One end of a stream, plain or TLS, that never blocks.
 */

#pragma once

#include <glib.h>

typedef struct _BenchLink BenchLink;

typedef enum
{
  BENCH_LINK_DONE,
  BENCH_LINK_AGAIN, /* nothing more can be read or written now */
  BENCH_LINK_CLOSED,
} BenchLinkState;

BenchLink *
bench_link_accept (int listener, const char *certfile, const char *keyfile, GError **error);
BenchLink *bench_link_connect (const char *address, guint port, const char *cafile, GError **error);
void bench_link_free (BenchLink *self);
BenchLinkState bench_link_read (BenchLink *self, GByteArray *to, GError **error);
BenchLinkState bench_link_write (BenchLink *self,
                                 const guint8 *data,
                                 gsize length,
                                 gsize *written,
                                 GError **error);
gboolean bench_link_write_all (BenchLink *self, const guint8 *data, gsize length, GError **error);
gboolean bench_link_wait (BenchLink *self, gboolean for_writing, int other, gint64 timeout_us);
char *bench_link_describe (BenchLink *self);
int bench_link_listen (guint *port, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchLink, bench_link_free)
