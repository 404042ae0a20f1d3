/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One message on its way: bytes, where they came from, and when.
 */

#pragma once

#include "pen-json.h"
#include "pen-token.h"
#include "pen-version.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define PEN_TYPE_EVENT (pen_event_get_type ())

/**
 * PenEvent:
 *
 * A payload and what is known of it. Reference-counted; immutable from the moment that it was
 * handed on, so the setters are for the one who has just made it.
 */
typedef struct _PenEvent PenEvent;

/**
 * PenEventFlags:
 * @PEN_EVENT_RETAINED: the broker kept it from before the subscription
 * @PEN_EVENT_DUPLICATE: the broker says that it sent it before
 * @PEN_EVENT_REPLAYED: it was played again from the spool or from dead letters
 */
typedef enum
{
  PEN_EVENT_NONE = 0,
  PEN_EVENT_RETAINED = 1 << 0,
  PEN_EVENT_DUPLICATE = 1 << 1,
  PEN_EVENT_REPLAYED = 1 << 2,
} PenEventFlags;

PEN_AVAILABLE_IN_1_0
GType pen_event_get_type (void) G_GNUC_CONST;
PEN_AVAILABLE_IN_1_0
PenEvent *pen_event_new (GBytes *payload, const char *topic, gint64 arrival_us);
PEN_AVAILABLE_IN_1_0
PenEvent *pen_event_derive (PenEvent *origin, GBytes *payload);
PEN_AVAILABLE_IN_1_0
PenEvent *pen_event_merge (PenEvent *const *origins, gsize n_origins, GBytes *payload);
PEN_AVAILABLE_IN_1_0
PenEvent *pen_event_ref (PenEvent *self);
PEN_AVAILABLE_IN_1_0
void pen_event_unref (PenEvent *self);

PEN_AVAILABLE_IN_1_0
void pen_event_set_flags (PenEvent *self, PenEventFlags flags);
PEN_AVAILABLE_IN_1_0
void pen_event_set_topic (PenEvent *self, const char *topic);
PEN_AVAILABLE_IN_1_0
void pen_event_set_full_size (PenEvent *self, guint64 full_size_bytes);
PEN_AVAILABLE_IN_1_0
void pen_event_set_content_type (PenEvent *self, const char *content_type);
PEN_AVAILABLE_IN_1_0
void pen_event_add_user_property (PenEvent *self, const char *name, const char *value);

PEN_AVAILABLE_IN_1_0
GBytes *pen_event_get_payload (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
const char *pen_event_get_data (const PenEvent *self, gsize *length);
PEN_AVAILABLE_IN_1_0
guint64 pen_event_get_full_size (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
const char *pen_event_get_topic (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
gint64 pen_event_get_arrival (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
PenEventFlags pen_event_get_flags (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
const char *pen_event_get_content_type (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
guint pen_event_get_n_user_properties (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
void pen_event_get_user_property (const PenEvent *self,
                                  guint index,
                                  const char **name,
                                  const char **value);
PEN_AVAILABLE_IN_1_0
PenEvent *pen_event_get_origin (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
PenToken *pen_event_get_token (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
guint pen_event_get_n_tokens (const PenEvent *self);
PEN_AVAILABLE_IN_1_0
PenToken *pen_event_get_nth_token (const PenEvent *self, guint index);
PEN_AVAILABLE_IN_1_0
void pen_event_add_token (PenEvent *self, PenToken *token);
PEN_AVAILABLE_IN_1_0
PenJson *pen_event_get_json (PenEvent *self, GError **error);
PEN_AVAILABLE_IN_1_0
JsonNode *pen_event_get_json_node (PenEvent *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenEvent, pen_event_unref)

G_END_DECLS
