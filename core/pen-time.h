/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Points in time as payloads have them: ISO 8601, or a number of seconds since 1970.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PEN_TIME_MAX_LENGTH:
 *
 * Length of `2021-07-06T12:55:00.123456+00:00`, the longest that [func@time_format] writes.
 */
#define PEN_TIME_MAX_LENGTH 32

/**
 * PenTimeUnit:
 * @PEN_TIME_UNIT_SECONDS: seconds since 1970
 * @PEN_TIME_UNIT_MILLISECONDS: thousandths of them
 * @PEN_TIME_UNIT_MICROSECONDS: millionths of them
 *
 * What a number that stands for a time counts; the value is how many microseconds one of it has.
 */
typedef enum
{
  PEN_TIME_UNIT_MICROSECONDS = 1,
  PEN_TIME_UNIT_MILLISECONDS = 1000,
  PEN_TIME_UNIT_SECONDS = 1000000,
} PenTimeUnit;

PEN_AVAILABLE_IN_1_0
gboolean pen_time_parse (const char *text, gsize length, gint64 *time_us);
PEN_AVAILABLE_IN_1_0
gboolean pen_time_parse_number (const char *text, gsize length, PenTimeUnit unit, gint64 *time_us);
PEN_AVAILABLE_IN_1_0
gsize pen_time_format (gint64 time_us, char *text);
PEN_AVAILABLE_IN_1_0
gsize pen_time_format_number (gint64 time_us, PenTimeUnit unit, char *text);

G_END_DECLS
