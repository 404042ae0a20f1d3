/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the process writes its log: text, JSON, or journal fields, always to standard error.
 */

#pragma once

#include "pen-log.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_LOG_TEXT,
  PEN_LOG_JSON,
  PEN_LOG_JOURNAL,
} PenLogFormat;

/* Installs the GLib log writer. Call once, before any thread starts. */
PEN_RUNTIME_EXPORT
void pen_log_install (PenLogFormat format, GLogLevelFlags least);
/* journal when standard error is systemd's journal, text otherwise */
PEN_RUNTIME_EXPORT
PenLogFormat pen_log_get_default_format (void);
/* (transfer none) (nullable): what was raised and not released since. */
PEN_RUNTIME_EXPORT
const char *pen_complaint_get_message (const PenComplaint *self);

G_END_DECLS
