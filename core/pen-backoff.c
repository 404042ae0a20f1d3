/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long to wait before something that failed is tried again: twice as long each time up to a
 * bound, and never quite as long as the neighbour, so that what failed together does not come back
 * together.
 */

#include "config.h"

#include "pen-backoff.h"

#define FIRST_US (100 * 1000)
#define LAST_US (30 * (gint64) G_USEC_PER_SEC)
#define LEAST_SHARE 0.5

/* It failed (again): how long to wait now. */
gint64
pen_backoff_next (PenBackoff *self)
{
  self->delay_us = self->delay_us == 0 ? FIRST_US : MIN (2 * self->delay_us, LAST_US);
  return (gint64) (g_random_double_range (LEAST_SHARE, 1.0) * (double) self->delay_us);
}

/* It succeeded: whether it had failed before. */
gboolean
pen_backoff_end (PenBackoff *self)
{
  gboolean had_failed = self->delay_us != 0;

  self->delay_us = 0;
  return had_failed;
}
