/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AMMP transform, held against the slow one.
 */

#pragma once

#include "pen-ammp-payload.h"
#include "pen-slow-ammp.h"

G_BEGIN_DECLS

gboolean pen_judge_ammp (PenAmmpPayload *payload,
                         const char *text,
                         gsize length,
                         PenSlowMissingVid missing_vid);

G_END_DECLS
