/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Looks at events as they pass an element of a running pipeline.
 */

#pragma once

#include "pen-element-private.h"
#include "pen-event.h"

G_BEGIN_DECLS

/* What is kept until somebody collects it. */
#define PEN_TAP_MAX_RECORDS 1024
#define PEN_TAP_MAX_BYTES (1024 * 1024)

/* Thread-safe, reference-counted. */
typedef struct _PenTap PenTap;

typedef enum
{
  PEN_TAP_WAITING,  /* for its pipeline's lane */
  PEN_TAP_OPEN,     /* sees what passes */
  PEN_TAP_NO_PLACE, /* the pipeline has no such element (any more) */
  PEN_TAP_ENDED,    /* the pipeline has ended, or is gone */
} PenTapState;

typedef struct
{
  char *element; /* its label: "sink file" */
  gint64 passed_us;
  PenEvent *event; /* a copy that holds no message; it may have the beginning of the payload only */
} PenTapRecord;

/* @element: NULL: all of @kind. Of each payload, the first @max_payload bytes are copied. */
PEN_RUNTIME_EXPORT
PenTap *
pen_tap_new (const char *pipeline, PenElementKind kind, const char *element, gsize max_payload);
PEN_RUNTIME_EXPORT
PenTap *pen_tap_ref (PenTap *self);
PEN_RUNTIME_EXPORT
void pen_tap_unref (PenTap *self);
PEN_RUNTIME_EXPORT
const char *pen_tap_get_pipeline (const PenTap *self);
/* Whether it wants to see what passes there. */
PEN_RUNTIME_EXPORT
gboolean pen_tap_fits (const PenTap *self, PenElementKind kind, const char *element);
/* For who opens and closes pipelines. */
PEN_RUNTIME_EXPORT
void pen_tap_set_state (PenTap *self, PenTapState state);
/* @n_openings (out): how often it was opened, which is more than once if its pipeline was replaced
 */
PEN_RUNTIME_EXPORT
PenTapState pen_tap_get_state (PenTap *self, guint *n_openings);
/* @n more events may be copied, but never more than @most from now on; the rest is counted. */
PEN_RUNTIME_EXPORT
void pen_tap_grant (PenTap *self, guint n, guint most);
/* (transfer full) (element-type PenTapRecord): what was copied since the last time */
PEN_RUNTIME_EXPORT
GPtrArray *pen_tap_collect (PenTap *self);
/* All that passed, copied or not: what was copied of it is there to be collected by then. */
PEN_RUNTIME_EXPORT
guint64 pen_tap_get_n_passed (PenTap *self);
/* @event passes the element @label. Never waits, and never keeps @event. */
PEN_RUNTIME_EXPORT
void pen_tap_show (PenTap *self, const char *label, const PenEvent *event);
/* The same for all of @taps (element-type PenTap). */
PEN_RUNTIME_EXPORT
void pen_taps_show (GPtrArray *taps, const char *label, const PenEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenTap, pen_tap_unref)

G_END_DECLS
