/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file of a spool: the messages of one pipeline, in order, and how far each sink has come.
 *
 * A SQLite database, STATE/spool/PIPELINE.db, in WAL mode with full synchronisation: what
 * pen_spool_store_commit () has returned for survives a crash of process and machine. A store is
 * for one thread at a time, and every call may block.
 */

#pragma once

#include "pen-event.h"

G_BEGIN_DECLS

#define PEN_SPOOL_ERROR (pen_spool_error_quark ())

/* All messages name the file. */
typedef enum
{
  PEN_SPOOL_ERROR_FAILED,  /* the system refused: no space, no permission, no descriptors; nothing
                              was changed, and it may pass */
  PEN_SPOOL_ERROR_LOCKED,  /* another process has it, which the message names */
  PEN_SPOOL_ERROR_FOREIGN, /* not a spool, or one of a later version; it is left alone */
  PEN_SPOOL_ERROR_MISSING, /* there is none, and it was not to be made */
  PEN_SPOOL_ERROR_DAMAGED, /* it cannot be read, and whoever opened it may not repair it: the next
                              that opens it for writing does */
} PenSpoolError;

typedef enum
{
  PEN_SPOOL_STORE_NONE = 0,
  /* without the lock and without changing anything; also while a process has it */
  PEN_SPOOL_STORE_READ_ONLY = 1 << 0,
  PEN_SPOOL_STORE_MUST_EXIST = 1 << 1,
} PenSpoolStoreFlags;

/* How a store speaks of what it met while it worked; on the thread of the call. */
typedef struct
{
  /* damage, and what became of it */
  void (*tell) (GLogLevelFlags level, const char *message, gpointer user_data);
  /* (nullable): of long work; @what is a few words, @done 0 to 1. FALSE: break off */
  gboolean (*progress) (const char *what, double done, gpointer user_data);
} PenSpoolStoreFunctions;

/* A message in the spool. */
typedef struct
{
  guint64 position; /* from 1; never used twice, not even after a salvage */
  char *source;     /* name of the source that received it */
  char *sink;       /* (nullable): played again for this sink alone */
  PenEvent *event;  /* without a token */
} PenSpoolRecord;

/* How far a sink has come. */
typedef struct
{
  char *sink;
  guint64 delivered; /* everything up to here has reached it */
  guint64 needed;    /* the oldest that is still needed to rebuild what is held; delivered + 1 if
                        nothing is */
  guint64 until;     /* not 0: the sink is gone from the keyfile, and waits for nothing newer */
} PenSpoolCursor;

/* What there is. */
typedef struct
{
  guint64 oldest; /* position; newest + 1 if there is nothing */
  guint64 newest; /* position of the last that ever came; 0 before the first */
  guint64 n_records;
  guint64 used_bytes;  /* of the file, without what is free for the next */
  gboolean was_closed; /* before this opening: cursors say all. Otherwise what is read may have been
                          delivered before */
  gboolean cursors_lost; /* a salvage could not read all of them: a sink without one may have
                            messages waiting, from the oldest on; until cursors are committed */
} PenSpoolStatus;

typedef struct _PenSpoolStore PenSpoolStore;

PEN_RUNTIME_EXPORT
GQuark pen_spool_error_quark (void);

PEN_RUNTIME_EXPORT
PenSpoolRecord *pen_spool_record_new (const char *source, PenEvent *event /* taken */);
PEN_RUNTIME_EXPORT
void pen_spool_record_free (PenSpoolRecord *self);
PEN_RUNTIME_EXPORT
PenSpoolCursor *
pen_spool_cursor_new (const char *sink, guint64 delivered, guint64 needed, guint64 until);
PEN_RUNTIME_EXPORT
void pen_spool_cursor_free (PenSpoolCursor *self);

/* (transfer full) (nullable): names of the pipelines that have a spool in @state_folder, sorted */
PEN_RUNTIME_EXPORT
GStrv pen_spool_store_list (const char *state_folder, GError **error);

/* Makes folder and file where they are missing, locks, verifies all of it, and salvages what is
 * damaged into a new file; the damaged one stays beside it as PIPELINE.db.damaged-TIME. */
PEN_RUNTIME_EXPORT
PenSpoolStore *pen_spool_store_open (const char *state_folder,
                                     const char *pipeline,
                                     PenSpoolStoreFlags flags,
                                     const PenSpoolStoreFunctions *functions,
                                     gpointer user_data,
                                     GError **error);
/* @all_settled: the cursors say all; the next opening finds was_closed. */
PEN_RUNTIME_EXPORT
void pen_spool_store_close (PenSpoolStore *self, gboolean all_settled);
PEN_RUNTIME_EXPORT
const char *pen_spool_store_get_path (const PenSpoolStore *self);
PEN_RUNTIME_EXPORT
void pen_spool_store_get_status (const PenSpoolStore *self, PenSpoolStatus *status);
/* (transfer full) (element-type PenSpoolCursor): in the order in which they were made */
PEN_RUNTIME_EXPORT
GPtrArray *pen_spool_store_get_cursors (PenSpoolStore *self, GError **error);

/* In one transaction: appends @records (nullable) (element-type PenSpoolRecord), whose positions it
 * sets, moves @cursors (nullable) (element-type PenSpoolCursor; new ones are made), and deletes
 * from the front what no cursor waits for and what arrived before @keep_after_us (G_MAXINT64: all),
 * in portions. Durable when it returns TRUE, also if somebody has removed the file meanwhile: then
 * what it held is written into a new one first. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_commit (PenSpoolStore *self,
                                 GPtrArray *records,
                                 GPtrArray *cursors,
                                 gint64 keep_after_us,
                                 GError **error);
/* Throws away @sink's cursor. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_store_drop_cursor (PenSpoolStore *self, const char *sink, GError **error);
/* (transfer full) (element-type PenSpoolRecord): those after @after, in order, until there are
 * @max_records or their payloads have @max_bytes (but at least one). Damaged ones are left out and
 * told; @last (out) is the position up to which it looked. */
PEN_RUNTIME_EXPORT
GPtrArray *pen_spool_store_read (PenSpoolStore *self,
                                 guint64 after,
                                 guint max_records,
                                 guint64 max_bytes,
                                 guint64 *last,
                                 GError **error);
/* When the first message after @after arrived; 0: there is none, or it cannot be read. */
PEN_RUNTIME_EXPORT
gint64 pen_spool_store_find_arrival (PenSpoolStore *self, guint64 after);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSpoolRecord, pen_spool_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSpoolCursor, pen_spool_cursor_free)

G_END_DECLS
