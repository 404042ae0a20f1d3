/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a pipeline owes: a model of delivery that knows no tokens, batches or queues. It counts for
 * each message in how many places something made of it is, or has to come, and so can say at any
 * time what a source may acknowledge. Every fault ends the program, with the seed of the schedule.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _PenFlowModel PenFlowModel;

/* What the counters of an element must say in the end. */
typedef struct
{
  guint n_received;
  guint n_sent;
  guint n_dropped;
  guint n_rejected;
  guint n_skipped;
} PenFlowCounts;

PenFlowModel *pen_flow_model_new (guint32 seed);
void pen_flow_model_free (PenFlowModel *self);
void pen_flow_model_fail (PenFlowModel *self, const char *format, ...)
    G_GNUC_PRINTF (2, 3) G_GNUC_NORETURN;

guint pen_flow_model_add_node (PenFlowModel *self);
void pen_flow_model_add_reader (PenFlowModel *self, guint node, guint reader);
void pen_flow_model_set_dead_letter (PenFlowModel *self, guint node);
PenFlowCounts *pen_flow_model_get_counts (PenFlowModel *self, guint node);

/* All but the last are called by elements, on any thread. An event has a number. */
guint pen_flow_model_receive (PenFlowModel *self, guint source);
void pen_flow_model_received (PenFlowModel *self, guint source, guint event, guint64 position);
guint pen_flow_model_make (PenFlowModel *self, const guint *origins, guint n_origins);
void pen_flow_model_expect (PenFlowModel *self, guint node, guint event);
void pen_flow_model_give (PenFlowModel *self, guint node, guint event);
void pen_flow_model_reject (PenFlowModel *self, guint node, guint event);
void pen_flow_model_finish (PenFlowModel *self, guint node, guint event);
/* The message that a letter has to give back, or -1 if the event is made of several. */
int pen_flow_model_get_message (PenFlowModel *self, guint event);

void pen_flow_model_settle (PenFlowModel *self, guint source, guint64 position);
guint64 pen_flow_model_get_settled (PenFlowModel *self, guint source);
guint64 pen_flow_model_get_due (PenFlowModel *self, guint source);
guint pen_flow_model_get_n_messages (PenFlowModel *self, guint source);
guint pen_flow_model_get_n_events (PenFlowModel *self);
guint pen_flow_model_get_n_lost (PenFlowModel *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFlowModel, pen_flow_model_free)

G_END_DECLS
