/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second AMMP transform, for tests only.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_SLOW_AMMP_SKIP,
  PEN_SLOW_AMMP_DEVICE,
  PEN_SLOW_AMMP_REJECT,
} PenSlowMissingVid;

/* What must become of a payload. */
typedef struct
{
  const char *rejected; /* the reason, or NULL */
  GString *text;        /* what is forwarded; NULL if it was rejected or nothing was left */
  GPtrArray *skipped; /* (element-type utf8): the reason of each skipped reading, in their order */
  guint n_conflicts;
} PenSlowAmmp;

PenSlowAmmp *pen_slow_ammp_new (const char *payload, gsize length, PenSlowMissingVid missing_vid);
void pen_slow_ammp_free (PenSlowAmmp *self);
char *pen_slow_ammp_time (const char *number, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSlowAmmp, pen_slow_ammp_free)

G_END_DECLS
