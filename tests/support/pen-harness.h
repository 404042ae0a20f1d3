/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs one element in a test, in the place of a pipeline: push, advance the clock, pull.
 *
 * A transform: pen_harness_push (), then pen_harness_pull (). A source: pen_harness_wait (), then
 * pen_harness_pull (), and pen_harness_settle () when the test wants it. A sink:
 * pen_harness_write (). Everything happens on the default main context in the test's thread, also
 * what a sink would do on a worker.
 */

#pragma once

#include "pen-test.h"

G_BEGIN_DECLS

typedef struct _PenHarness PenHarness;

/* Takes @element. The clock is the real one until pen_harness_use_test_clock (). */
PenHarness *pen_harness_new (PenElement *element);
/* The pipeline is called "test". */
PenHarness *pen_harness_new_named (PenElement *element, const char *name, gboolean only_of_kind);
/* Stops the element if it runs; frees it. */
void pen_harness_free (PenHarness *self);
PenElement *pen_harness_get_element (PenHarness *self);

void pen_harness_use_test_clock (PenHarness *self, gint64 real_us);
void pen_harness_advance (PenHarness *self, gint64 us);

/* Starts the element, with pen_harness_start_fails () expecting an error (transfer full). */
void pen_harness_start (PenHarness *self);
GError *pen_harness_start_fails (PenHarness *self);
void pen_harness_stop (PenHarness *self);

/* Transforms. Takes @event. What process () fails with is a rejection. */
void pen_harness_push (PenHarness *self, PenEvent *event);
void pen_harness_push_text (PenHarness *self, const char *text);
void pen_harness_drain (PenHarness *self);

/* What came out, oldest first, NULL if there is nothing (any more): (transfer full) */
PenEvent *pen_harness_pull (PenHarness *self);
char *pen_harness_pull_text (PenHarness *self);
guint pen_harness_get_n_events (PenHarness *self);
/* What was rejected or skipped: FALSE if there is nothing (any more). (transfer full) */
gboolean
pen_harness_pull_rejection (PenHarness *self, PenEvent **event, char **reason, char **message);
/* A counter of the element, also "events_dropped" with what it dropped. */
gint64 pen_harness_get_count (PenHarness *self, const char *name, const char *reason);

/* Sources. Unless held, each event settles at the end of the round in which it was pushed. */
gboolean pen_harness_wait (PenHarness *self, guint n_events, guint timeout_ms);
gboolean pen_harness_wait_for (PenHarness *self,
                               PenTestCondition condition,
                               gpointer user_data,
                               guint timeout_ms);
void pen_harness_hold (PenHarness *self);
/* Ends holding, and settles all that was pushed. */
void pen_harness_release (PenHarness *self);
/* While held: everything up to @position has its outcome. */
void pen_harness_settle (PenHarness *self, guint64 position);
void pen_harness_pause (PenHarness *self);
void pen_harness_resume (PenHarness *self);
gboolean pen_harness_is_connected (PenHarness *self);
gboolean pen_harness_is_finished (PenHarness *self);
/* (transfer none) (nullable): what the element failed with for good */
const GError *pen_harness_get_failure (PenHarness *self);

/* Sinks. The lines of @texts, ended by NULL, as one batch; FALSE with @error as write () says. */
gboolean pen_harness_write (PenHarness *self, PenBatch *batch, GError **error);
gboolean pen_harness_write_texts (PenHarness *self, GError **error, ...) G_GNUC_NULL_TERMINATED;
gboolean pen_harness_flush (PenHarness *self, GError **error);

/* What is wrong with an element's properties, "error: …" or "warning: …" a line; "" if nothing.
 * @set: (nullable): names of the properties that the keyfile is said to set, separated by blanks */
char *pen_harness_check (PenElement *element, const char *set, gboolean environment);

PenEvent *pen_harness_make_event (const char *text, const char *topic);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenHarness, pen_harness_free)

G_END_DECLS
