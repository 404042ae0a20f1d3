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
/* SQLite's own look at all pages, then the CRC of every row; reports progress. FALSE: the first
 * damage. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_verify (PenSpoolStore *self, GError **error);

/* Changes of a store that happen as a whole or not at all, however large they are and whatever ends
 * the process. Meanwhile the store may be read, which shows the changes, but not committed to. */
typedef struct _PenSpoolEdit PenSpoolEdit;

PEN_RUNTIME_EXPORT
PenSpoolEdit *pen_spool_edit_new (PenSpoolStore *store, GError **error);
/* Appends @records (element-type PenSpoolRecord), whose positions it sets. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_edit_append (PenSpoolEdit *self, GPtrArray *records, GError **error);
/* Throws away messages, wherever they lie; those that are not there do not matter. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_edit_delete (PenSpoolEdit *self,
                                const guint64 *positions,
                                guint n_positions,
                                GError **error);
/* Makes it durable, or else as if nothing had been. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_edit_commit (PenSpoolEdit *self, GError **error);
/* What was not committed is as if nothing had been. */
PEN_RUNTIME_EXPORT
void pen_spool_edit_free (PenSpoolEdit *self);

/* Writes all that is there anew: what was deleted is gone for good, and its space the disk's. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_compact (PenSpoolStore *self, GError **error);

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

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSpoolEdit, pen_spool_edit_free)

G_END_DECLS
