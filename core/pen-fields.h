/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Named values of an event: members of its payload, and what else is known of it.
 */

#pragma once

#include "pen-event.h"
#include "pen-json.h"
#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PEN_FIELDS_MAX:
 *
 * How many places a [struct@Fields] has at most.
 */
#define PEN_FIELDS_MAX 1000

/**
 * PenFields:
 *
 * Places in an event that are read together, in one pass over its payload: what a sink with columns
 * writes. A place is written as in a keyfile:
 *
 * - `number`: the member of that name; `metadata.unit`, `phases[0]`, `["a.b"]`: a [struct@JsonPath]
 * - `@payload`, `@topic`, `@pipeline`, `@content-type`: texts
 * - `@arrival`: when the event arrived, as `2026-01-02T03:04:05.678901+00:00`; `@arrival-s`,
 *   `@arrival-ms`, `@arrival-us`: likewise, as a whole number since 1970
 * - `@retained`, `@duplicate`, `@replayed`: true or false
 */
typedef struct _PenFields PenFields;

/**
 * PenFieldValue:
 * @text: (array length=length): not NUL-terminated; of a string what is between its quotes
 * @length: number of bytes
 * @type: what it is; %PEN_JSON_NULL also where the event has no such value
 * @escaped: whether @text holds escapes, which pen_field_value_decode() takes away
 * @is_there: whether the event has it
 *
 * What was found at a place. It points into the event and into the [struct@Fields], and is valid
 * until the next event is read.
 */
typedef struct
{
  const char *text;
  gsize length;
  PenJsonType type;
  gboolean escaped;
  gboolean is_there;
} PenFieldValue;

PEN_AVAILABLE_IN_1_0
PenFields *pen_fields_new (const char *pipeline);
PEN_AVAILABLE_IN_1_0
void pen_fields_free (PenFields *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_fields_add (PenFields *self, const char *place, GError **error);
PEN_AVAILABLE_IN_1_0
gboolean pen_fields_add_member (PenFields *self, const char *name, GError **error);
PEN_AVAILABLE_IN_1_0
guint pen_fields_get_n_places (const PenFields *self);
PEN_AVAILABLE_IN_1_0
gboolean pen_fields_read (PenFields *self, PenEvent *event, GError **error);
PEN_AVAILABLE_IN_1_0
const PenFieldValue *pen_fields_get_value (const PenFields *self, guint index);
PEN_AVAILABLE_IN_1_0
char *pen_fields_dup_other (const PenFields *self, PenFieldValue *value);
PEN_AVAILABLE_IN_1_0
char *pen_field_value_decode (const PenFieldValue *value, gsize *length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenFields, pen_fields_free)

G_END_DECLS
