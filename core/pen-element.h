/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What sources, transforms and sinks have in common.
 */

#pragma once

#include "pen-check.h"
#include "pen-event.h"
#include "pen-metrics.h"
#include "pen-version.h"

G_BEGIN_DECLS

#define PEN_ELEMENT_ERROR (pen_element_error_quark ())

/**
 * PenElementError:
 * @PEN_ELEMENT_ERROR_REJECT: this event will never pass: dead-letter it
 * @PEN_ELEMENT_ERROR_RETRY: it may work later: hold the batch and try again
 * @PEN_ELEMENT_ERROR_FAIL: nothing will ever pass: stop the pipeline, exit status 3
 * @PEN_ELEMENT_ERROR_CLOSED: the reader has gone away: end the run as if a signal had come
 *
 * What the caller does about an error of an element. The message says what failed, on what, why.
 */
typedef enum
{
  PEN_ELEMENT_ERROR_REJECT,
  PEN_ELEMENT_ERROR_RETRY,
  PEN_ELEMENT_ERROR_FAIL,
  PEN_ELEMENT_ERROR_CLOSED,
} PenElementError;

PEN_AVAILABLE_IN_1_0
GQuark pen_element_error_quark (void) G_GNUC_CONST;
#ifndef __GI_SCANNER__ /* which takes it for a constructor of PenElement */
PEN_AVAILABLE_IN_1_0
GError *pen_element_error_new (PenElementError code, const char *reason, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
#endif
PEN_AVAILABLE_IN_1_0
void pen_element_set_error (GError **error,
                            PenElementError code,
                            const char *reason,
                            const char *format,
                            ...) G_GNUC_PRINTF (4, 5);
PEN_AVAILABLE_IN_1_0
const char *pen_element_error_get_reason (const GError *error);

#define PEN_TYPE_ELEMENT (pen_element_get_type ())
PEN_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (PenElement, pen_element, PEN, ELEMENT, GObject)

/**
 * PenWatchFunc:
 * @element: the element that watches
 * @fd: the descriptor
 * @condition: what is so
 *
 * Threads: lane
 */
typedef void (*PenWatchFunc) (PenElement *element, int fd, GIOCondition condition);

/**
 * PenTimerFunc:
 * @element: the element whose timer has run out
 * @user_data: the caller's
 *
 * Threads: lane
 */
typedef void (*PenTimerFunc) (PenElement *element, gpointer user_data);

/**
 * PenElementClass:
 * @check: optional: tells all that is wrong with the properties as a whole; the default finds
 *   nothing. Called by whoever loads a keyfile, before anything starts, on an element that never
 *   starts. Looks at files and certificates only if [method@Check.wants_environment]. Threads: any
 * @start: optional: opens what the element needs; the default does nothing. Fails with
 *   %PEN_ELEMENT_ERROR_RETRY (tried again, with back-off) or %PEN_ELEMENT_ERROR_FAIL. A source
 *   that connects returns at once and goes on in the background. Threads: lane (a sink that
 *   blocks: worker)
 * @stop: optional: closes everything; called once after a start that succeeded, with nothing in
 *   flight unless the drain timed out. The default does nothing. Threads: lane (a sink that
 *   blocks: worker)
 *
 * What an element of any kind may override.
 */
struct _PenElementClass
{
  GObjectClass parent_class;

  void (*check) (PenElement *self, PenCheck *check);
  gboolean (*start) (PenElement *self, GError **error);
  void (*stop) (PenElement *self);

  /*< private >*/
  gpointer padding[12];
};

PEN_AVAILABLE_IN_1_0
const char *pen_element_get_name (PenElement *self);
PEN_AVAILABLE_IN_1_0
const char *pen_element_get_pipeline_name (PenElement *self);
PEN_AVAILABLE_IN_1_0
const char *pen_element_get_label (PenElement *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_element_is_only_of_kind (PenElement *self);
PEN_AVAILABLE_IN_1_0
PenMetrics *pen_element_get_metrics (PenElement *self);
PEN_AVAILABLE_IN_1_0
void pen_element_count (PenElement *self, const char *name, const char *reason, gint64 amount);
PEN_AVAILABLE_IN_1_0
void pen_element_log (PenElement *self, GLogLevelFlags level, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
PEN_AVAILABLE_IN_1_0
void pen_element_complain (PenElement *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
PEN_AVAILABLE_IN_1_0
void pen_element_recover (PenElement *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

PEN_AVAILABLE_IN_1_0
gint64 pen_element_get_monotonic_time (PenElement *self);
PEN_AVAILABLE_IN_1_0
gint64 pen_element_get_real_time (PenElement *self);
PEN_AVAILABLE_IN_1_0
void pen_element_watch (PenElement *self, int fd, GIOCondition condition, PenWatchFunc func);
PEN_AVAILABLE_IN_1_0
void pen_element_unwatch (PenElement *self, int fd);
PEN_AVAILABLE_IN_1_0
guint
pen_element_add_timer (PenElement *self, gint64 delay_us, PenTimerFunc func, gpointer user_data);
PEN_AVAILABLE_IN_1_0
void pen_element_remove_timer (PenElement *self, guint timer);
PEN_AVAILABLE_IN_1_0
void pen_element_fail (PenElement *self, GError *error);

G_END_DECLS
