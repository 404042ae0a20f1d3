/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An event's time in the forms that loggers give it, all of them UTC.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_SIMULATE_TIME_EPOCH,
  PEN_SIMULATE_TIME_EPOCH_MS,
  PEN_SIMULATE_TIME_EPOCH_US,
  PEN_SIMULATE_TIME_ISO,
  PEN_SIMULATE_TIME_ISO_NAIVE,
  PEN_SIMULATE_TIME_PATTERN,
} PenSimulateTimeForm;

gboolean pen_simulate_time_parse_form (const char *text, PenSimulateTimeForm *form, GError **error);
gboolean pen_simulate_time_form_is_number (PenSimulateTimeForm form);
/* @pattern: for PEN_SIMULATE_TIME_PATTERN */
void pen_simulate_time_append (GString *text,
                               PenSimulateTimeForm form,
                               const char *pattern,
                               gint64 time_us);
/* "2026-06-01", "2026-06-01T12:00:00Z", with an offset or without (UTC) */
gboolean pen_simulate_time_parse (const char *text, gint64 *time_us, GError **error);

G_END_DECLS
