/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From Unix seconds, as a JSON number has them, to an RFC 3339 string.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

/**
 * PEN_AMMP_TIME_MAX_LENGTH:
 *
 * Length of `2021-07-06T12:55:00.123456789+00:00`, the longest that is written.
 */
#define PEN_AMMP_TIME_MAX_LENGTH 35

gboolean
pen_ammp_time_convert (const PenJsonSlice *number, char *time, gsize *length, GError **error);

G_END_DECLS
