/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A state folder with a spool that the test knows by heart, and the command on it.
 */

#pragma once

#include "pen-command.h"
#include "pen-spool-store.h"

G_BEGIN_DECLS

typedef struct
{
  char *state;
  gint64 now_us;
} PenSpooled;

PenSpoolRecord *pen_spooled_make_record (const char *topic, const char *payload, gint64 arrival_us);
PenSpoolStore *
pen_spooled_open (const PenSpooled *self, const char *pipeline, PenSpoolStoreFlags flags);
void pen_spooled_commit (PenSpoolStore *store, GPtrArray *records, GPtrArray *cursors);
void
pen_spooled_add_cursor (GPtrArray *cursors, const char *sink, guint64 delivered, guint64 until);
/* With the spool of site-7: ten messages, one a day, the last two days ago: "m1" to "m10", of
 * topics a/1/u and a/2/u in turn. Sink file has had all, mysql eight, and old, which is gone, waits
 * for two. */
void pen_spooled_init (PenSpooled *self);
void pen_spooled_clear (PenSpooled *self);
/* "penstock spool LINE --state-dir STATE", with STATE for the folder in what it says. */
void pen_spooled_run (const PenSpooled *self, PenCommand *command, const char *line);
/* What stands in the spool of site-7 behind a position: position, sink if it is for one alone, "!"
 * if it is marked, payload. */
void pen_spooled_assert_dump (const PenSpooled *self, guint64 after, const char *expected);

G_END_DECLS
