/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For people at a terminal: figures, progress, a question.
 */

#pragma once

#include "pen-cli.h"

G_BEGIN_DECLS

/* (transfer full): "1,234,567" */
char *pen_cli_format_count (guint64 count);
/* (transfer full): "5.6 MiB" */
char *pen_cli_format_bytes (guint64 bytes);
/* (transfer full): the two largest units, "2h 3min" */
char *pen_cli_format_age (gint64 duration_us);
/* (transfer full): RFC 3339, in UTC, to the second */
char *pen_cli_format_time (gint64 real_us);

/* Whether a terminal obeys it: C0, DEL, C1. */
gboolean pen_cli_is_control (gunichar c);
/* @data as it may go to a terminal: what would move the cursor, or worse, and what is no UTF-8 is
 * told instead: \x1b. With @keep_lines, line breaks are left. */
void pen_cli_append_printable (GString *text, const char *data, gsize length, gboolean keep_lines);

/* How far long work is, on standard error if that is a terminal, and only if it takes long. */
typedef struct
{
  gint64 begin_us; /* monotonic; 0: before the first call */
  gint64 last_us;
  gboolean is_shown;
} PenCliProgress;

/* @done: 0 to 1. */
void pen_cli_progress_show (PenCliProgress *self, const char *what, double done);
/* Before anything else is written, and at the end. */
void pen_cli_progress_clear (PenCliProgress *self);

/* Whether somebody at the terminal answers yes. Without a terminal nobody is asked: FALSE, which is
 * told, and a @status of wrong usage. */
gboolean pen_cli_ask (const PenCli *self, const char *question, int *status);

G_END_DECLS
