/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a pipeline does what it is there for.
 */

#pragma once

#include "pen-status.h"

G_BEGIN_DECLS

/* What an event may wait for a sink before its pipeline counts as stuck. */
#define PEN_READINESS_STUCK_US (5 * 60 * (gint64) G_USEC_PER_SEC)

typedef enum
{
  PEN_UNREADY_STARTING,      /* its sinks, or its spool, are not open yet */
  PEN_UNREADY_STOPPING,      /* it drains */
  PEN_UNREADY_FAILED,        /* for good */
  PEN_UNREADY_NOT_CONNECTED, /* a source is not */
  PEN_UNREADY_STUCK,         /* what came long ago still waits for a sink */
} PenUnready;

/* One reason; @element is -1 for the pipeline as a whole, @since_us how long ago it began. */
typedef void (*PenReadinessFunc) (PenStatus *status,
                                  int element,
                                  PenUnready reason,
                                  gint64 since_us,
                                  gpointer user_data);

/* Whether @status is ready; @func (nullable) hears of each reason why not. */
gboolean
pen_readiness_judge (PenStatus *status, gint64 stuck_us, PenReadinessFunc func, gpointer user_data);
/* (transfer full): {"ready":false,…} of all of @statuses, or of the one called @pipeline. Sets
 * @is_ready. NULL: there is no such pipeline. */
GString *pen_readiness_write (GPtrArray *statuses,
                              const char *pipeline,
                              gint64 stuck_us,
                              gboolean *is_ready);

G_END_DECLS
