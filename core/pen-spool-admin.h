/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an operator does with a spool whose pipeline may not be running: see who has it and how much
 * waits, throw away messages, or all of it.
 */

#pragma once

#include "pen-spool-store.h"

G_BEGIN_DECLS

/* Messages, added up. */
typedef struct
{
  guint64 n_records;
  guint64 n_bytes;  /* of payloads */
  gint64 oldest_us; /* arrivals; 0 if there are none */
  gint64 newest_us;
} PenSpoolSum;

/* Whether @record waits for the sink of @cursor. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_cursor_waits (const PenSpoolCursor *cursor, const PenSpoolRecord *record);
/* What waits for the sink of @cursor; all that is there if that is NULL. Nothing is verified. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_sum (PenSpoolStore *self,
                              const PenSpoolCursor *cursor,
                              PenSpoolSum *sum,
                              GError **error);
/* Throws away messages, wherever they lie; all of @positions or none, durably. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_delete (PenSpoolStore *self,
                                 const guint64 *positions,
                                 guint n_positions,
                                 GError **error);
/* The same for all behind @position. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_delete_after (PenSpoolStore *self, guint64 position, GError **error);

/* (transfer full) (nullable): the process that has it, "4711 penstock run /etc/penstock"; NULL if
 * there is none, or no spool */
PEN_RUNTIME_EXPORT
char *pen_spool_find_holder (const char *state_folder, const char *pipeline);
/* (transfer full): paths of what a salvage has left beside it, sorted */
PEN_RUNTIME_EXPORT
GStrv pen_spool_list_damaged (const char *state_folder, const char *pipeline);
/* Removes all of its files, also what salvages have left, and whatever state they are in; not while
 * a process has it. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_remove (const char *state_folder, const char *pipeline, GError **error);

G_END_DECLS
