/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Figures as Prometheus reads them: its text format, and OpenMetrics.
 */

#pragma once

#include "pen-status.h"

G_BEGIN_DECLS

#define PEN_EXPOSITION_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define PEN_EXPOSITION_OPEN_METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* One scrape, written a piece at a time. */
typedef struct _PenExposition PenExposition;

/* What the whole process has besides. */
typedef struct
{
  gint64 n_requests;
  gint64 n_refused;
  gint64 n_cut;
} PenExpositionHttp;

/* Takes @statuses (element-type PenStatus). */
PenExposition *
pen_exposition_new (GPtrArray *statuses, const PenExpositionHttp *http, gboolean is_open_metrics);
void pen_exposition_free (PenExposition *self);
/* Appends some; FALSE: that was all. */
gboolean pen_exposition_write_some (PenExposition *self, GString *text);

G_END_DECLS
