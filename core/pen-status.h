/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a pipeline is, for whoever looks from outside.
 */

#pragma once

#include "pen-element-private.h"

G_BEGIN_DECLS

/* Outlives its pipeline; reference-counted. */
typedef struct _PenStatus PenStatus;

typedef enum
{
  PEN_STATUS_STARTING, /* its sinks open, or its spool */
  PEN_STATUS_RUNNING,
  PEN_STATUS_DRAINING, /* nothing new is taken in; what is under way goes on */
  PEN_STATUS_ENDED,
  PEN_STATUS_FAILED, /* for good, though it may still be closing */
} PenStatusState;

#define PEN_STATUS_N_STATES (PEN_STATUS_FAILED + 1)

/* One of the keyfile. Constant. */
typedef struct
{
  PenElementKind kind;
  const char *name;
  const char *plugin;
  PenMetrics *metrics; /* to be read */
} PenStatusElement;

/* The pipeline's part, on the lane; the first three before anybody else has it. */
PEN_RUNTIME_EXPORT
PenStatus *pen_status_new (const char *name, const char *path, gboolean is_of_fleet);
PEN_RUNTIME_EXPORT
void pen_status_add_element (PenStatus *self,
                             PenElementKind kind,
                             const char *plugin,
                             PenElement *element);
PEN_RUNTIME_EXPORT
void pen_status_set_state (PenStatus *self, PenStatusState state);
/* Why it failed. */
PEN_RUNTIME_EXPORT
void pen_status_fail (PenStatus *self, const char *message);
/* The elements go. */
PEN_RUNTIME_EXPORT
void pen_status_detach (PenStatus *self);

/* From any thread. */
PEN_RUNTIME_EXPORT
PenStatus *pen_status_ref (PenStatus *self);
PEN_RUNTIME_EXPORT
void pen_status_unref (PenStatus *self);
PEN_RUNTIME_EXPORT
const char *pen_status_get_name (const PenStatus *self);
/* The keyfile's. */
PEN_RUNTIME_EXPORT
const char *pen_status_get_path (const PenStatus *self);
/* (nullable): of a site, the name of its keyfile without folder and ending: "fleet" */
PEN_RUNTIME_EXPORT
const char *pen_status_get_fleet (const PenStatus *self);
PEN_RUNTIME_EXPORT
PenStatusState pen_status_get_state (const PenStatus *self);
/* "running" */
PEN_RUNTIME_EXPORT
const char *pen_status_state_get_nick (PenStatusState state);
/* When that state began, by g_get_monotonic_time (). */
PEN_RUNTIME_EXPORT
gint64 pen_status_get_since (const PenStatus *self);
/* Of the pipeline as a whole: its spool. */
PEN_RUNTIME_EXPORT
PenMetrics *pen_status_get_metrics (const PenStatus *self);
PEN_RUNTIME_EXPORT
guint pen_status_get_n_elements (const PenStatus *self);
PEN_RUNTIME_EXPORT
const PenStatusElement *pen_status_get_element (const PenStatus *self, guint index);
/* (transfer full) (nullable): what the element complains of and has not recovered from. */
PEN_RUNTIME_EXPORT
char *pen_status_dup_complaint (PenStatus *self, guint index);
/* (transfer full) (nullable): why the pipeline failed for good. */
PEN_RUNTIME_EXPORT
char *pen_status_dup_failure (PenStatus *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenStatus, pen_status_unref)

G_END_DECLS
