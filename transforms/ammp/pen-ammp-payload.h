/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One logger's payload becomes one payload for AMMP: bytes in, bytes out.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

/**
 * PenAmmpMissingVid:
 * @PEN_AMMP_MISSING_VID_SKIP: leave the reading out
 * @PEN_AMMP_MISSING_VID_DEVICE: take the device key instead, where there is one
 * @PEN_AMMP_MISSING_VID_REJECT: reject the whole payload
 *
 * What is done about a reading without a vendor ID.
 */
typedef enum
{
  PEN_AMMP_MISSING_VID_SKIP,
  PEN_AMMP_MISSING_VID_DEVICE,
  PEN_AMMP_MISSING_VID_REJECT,
} PenAmmpMissingVid;

/**
 * PenAmmpPayload:
 *
 * Converts payloads, one after the other, in the same memory.
 */
typedef struct _PenAmmpPayload PenAmmpPayload;

PenAmmpPayload *pen_ammp_payload_new (void);
void pen_ammp_payload_free (PenAmmpPayload *self);
gboolean pen_ammp_payload_convert (PenAmmpPayload *self,
                                   const char *text,
                                   gsize length,
                                   PenAmmpMissingVid missing_vid,
                                   GBytes **converted,
                                   GError **error);
guint pen_ammp_payload_get_n_conflicts (const PenAmmpPayload *self);
guint pen_ammp_payload_get_n_skipped (const PenAmmpPayload *self);
const char *pen_ammp_payload_get_skip_reason (const PenAmmpPayload *self, guint skip);
char *pen_ammp_payload_describe_skip (const PenAmmpPayload *self, guint skip);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenAmmpPayload, pen_ammp_payload_free)

G_END_DECLS
