/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One connection to a database file, and what SQLite's answers mean for a person.
 */

#pragma once

#include <penstock.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_SQLITE_SYNCHRONOUS_OFF,
  PEN_SQLITE_SYNCHRONOUS_NORMAL,
  PEN_SQLITE_SYNCHRONOUS_FULL,
} PenSqliteSynchronous;

typedef enum
{
  PEN_SQLITE_JOURNAL_WAL,
  PEN_SQLITE_JOURNAL_DELETE,
} PenSqliteJournal;

typedef struct
{
  PenSqliteSynchronous synchronous;
  PenSqliteJournal journal;
  gboolean shrinks; /* a new file gives pages back */
  gint64 busy_timeout_us;
} PenSqliteOptions;

typedef struct
{
  sqlite3 *handle;
  char *path;
} PenSqliteDatabase;

/* (transfer full) (nullable): made with its folders if there is none, and set up */
PenSqliteDatabase *
pen_sqlite_database_open (const char *path, const PenSqliteOptions *options, GError **error);
/* (transfer full) (nullable): of a file that is there, for reading */
PenSqliteDatabase *
pen_sqlite_database_open_to_read (const char *path, gint64 busy_timeout_us, GError **error);
/* (transfer full) (nullable): to look at it as it stands, without a lock and without leaving any
 * file behind: what is only in its log is not seen */
PenSqliteDatabase *pen_sqlite_database_peek (const char *path, GError **error);
void pen_sqlite_database_free (PenSqliteDatabase *self);
/* Whether the path names another file by now, or none. */
gboolean pen_sqlite_database_is_moved (PenSqliteDatabase *self);
/* Closes a file that was taken away, and leaves alone what may be in its place. */
void pen_sqlite_database_abandon (PenSqliteDatabase *self);
/* What the last call's failure means: "cannot @verb '@path': why; what to do".
 * PEN_ELEMENT_ERROR_FAIL: the keyfile is at fault, otherwise PEN_ELEMENT_ERROR_RETRY. */
void pen_sqlite_database_set_error (PenSqliteDatabase *self, const char *verb, GError **error);
/* Of a database that did fit before: somebody has changed it, and may change it back. */
void pen_sqlite_soften_error (GError *error);
gboolean pen_sqlite_database_execute (PenSqliteDatabase *self,
                                      const char *sql,
                                      const char *verb,
                                      GError **error);
/* (transfer full) (nullable) */
sqlite3_stmt *pen_sqlite_database_prepare (PenSqliteDatabase *self,
                                           const char *sql,
                                           const char *verb,
                                           GError **error);
/* The first number that @sql gives; @otherwise if there is none. */
gint64 pen_sqlite_database_get_number (PenSqliteDatabase *self, const char *sql, gint64 otherwise);
/* Ends a transaction that SQLite has not ended itself. */
void pen_sqlite_database_roll_back (PenSqliteDatabase *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSqliteDatabase, pen_sqlite_database_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

G_END_DECLS
