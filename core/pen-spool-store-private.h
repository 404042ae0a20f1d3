/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the pieces of a spool's store share: rows, the folder, the database.
 */

#pragma once

#include "pen-spool-store.h"

#include <sqlite3.h>

G_BEGIN_DECLS

/* STATE/spool/PIPELINE.db, .lock, and .db.damaged-TIME */
#define PEN_SPOOL_FOLDER "spool"
#define PEN_SPOOL_SUFFIX ".db"
#define PEN_SPOOL_LOCK_SUFFIX ".lock"
#define PEN_SPOOL_DAMAGED_INFIX ".damaged-"
/* before what the lock says, where it names a process */
#define PEN_SPOOL_HOLDER_PREFIX "process "

#define PEN_SPOOL_APPLICATION_ID 0x50656e73 /* "Pens" */
#define PEN_SPOOL_VERSION 1
#define PEN_SPOOL_PAGE_BYTES 8192
/* When it is not known which position was the last that was given: more than could have come in
 * what was lost. */
#define PEN_SPOOL_SKIPPED_POSITIONS 1000000

/* --- rows: what stands in the tables --- */

/* The columns of a message after its numbers, in the order of the table. */
enum
{
  PEN_SPOOL_SOURCE,
  PEN_SPOOL_SINK,
  PEN_SPOOL_TOPIC,
  PEN_SPOOL_CONTENT_TYPE,
  PEN_SPOOL_PROPERTIES, /* name, value, name, value, …, each with a NUL behind it */
  PEN_SPOOL_PAYLOAD,
  PEN_SPOOL_N_FIELDS,
};

/* @data NULL: SQL's NULL, which is not the same as nothing */
typedef struct
{
  const void *data;
  gsize length;
} PenSpoolBytes;

typedef struct
{
  guint64 position;
  gint64 arrival_us;
  gint64 flags;
  guint64 full_size; /* 0: the payload's */
  PenSpoolBytes fields[PEN_SPOOL_N_FIELDS];
} PenSpoolRow;

/* A row of the table of cursors. Row 0 has no sink and speaks of the spool itself: delivered is the
 * newest position ever given, needed whether cursors are lost, until is a PenSpoolState. */
typedef struct
{
  gint64 id;
  PenSpoolBytes sink;
  guint64 delivered;
  guint64 needed;
  guint64 until;
} PenSpoolCursorRow;

typedef enum
{
  PEN_SPOOL_OPEN = 0,    /* a process has it, or had it when it ended */
  PEN_SPOOL_SETTLED = 1, /* closed, and the cursors say all */
  PEN_SPOOL_CLOSED = 2,  /* closed in order, with messages under way */
} PenSpoolState;

/* @properties: holds them as long as the row is needed */
void pen_spool_row_from_record (PenSpoolRow *self,
                                guint64 position,
                                const PenSpoolRecord *record,
                                GByteArray *properties);
/* (transfer full) (nullable): NULL if it cannot be one */
PenSpoolRecord *pen_spool_row_to_record (const PenSpoolRow *self);
guint32 pen_spool_row_get_crc (const PenSpoolRow *self);
guint32 pen_spool_cursor_row_get_crc (const PenSpoolCursorRow *self);

/* --- the folder --- */

/* Which file a path names. */
typedef struct
{
  guint64 device;
  guint64 inode;
} PenSpoolIdentity;

/* What the first bytes of a file say. */
typedef struct
{
  gboolean is_there;
  gboolean is_database;
  guint32 application_id;
  guint32 version;
} PenSpoolHeader;

/* FALSE: it cannot be read. Not of a file that this process has open: closing it again would drop
 * SQLite's locks. */
gboolean pen_spool_header_read (PenSpoolHeader *self, const char *path, GError **error);
/* with all above it, each of them durable */
gboolean pen_spool_folder_make (const char *folder, GError **error);
gboolean pen_spool_folder_sync (const char *folder, GError **error);
/* of a file that no connection of this process has open */
gboolean pen_spool_file_sync (const char *path, GError **error);
/* What root makes belongs to whoever the folder belongs to: a service's user must be able to open
 * it after a repair. */
void pen_spool_file_give (int fd, const char *path);
/* (transfer full): "process 4711 penstock run site.pipeline", of whoever has the lock */
char *pen_spool_lock_read_holder (int fd);
/* (transfer full): its descriptor, -1 with an error */
int pen_spool_lock_take (const char *path, GError **error);
/* FALSE if there is none */
gboolean pen_spool_identity_get (PenSpoolIdentity *self, const char *path);
gboolean pen_spool_identity_of_descriptor (PenSpoolIdentity *self, int fd);
gboolean pen_spool_identity_is_at (const PenSpoolIdentity *self, const char *path);

/* --- the database --- */

typedef enum
{
  PEN_SPOOL_SQL_BEGIN,
  PEN_SPOOL_SQL_COMMIT,
  PEN_SPOOL_SQL_ROLLBACK,
  PEN_SPOOL_SQL_INSERT,
  PEN_SPOOL_SQL_SAVE, /* likewise, but what is there stays */
  PEN_SPOOL_SQL_READ,
  PEN_SPOOL_SQL_POSITIONS,
  PEN_SPOOL_SQL_DELETE,
  PEN_SPOOL_SQL_FIRST,
  PEN_SPOOL_SQL_FIRST_KEPT,
  PEN_SPOOL_SQL_NEWEST,
  PEN_SPOOL_SQL_COUNT,
  PEN_SPOOL_SQL_PAGES,
  PEN_SPOOL_SQL_FREE_PAGES,
  PEN_SPOOL_SQL_CURSORS,
  PEN_SPOOL_SQL_SET_CURSOR,
  PEN_SPOOL_SQL_DROP_CURSOR,
  PEN_SPOOL_N_SQL,
} PenSpoolSql;

/* One connection. */
typedef struct
{
  sqlite3 *handle;
  char *path;
  gboolean is_read_only;
  int n_wal_frames;                          /* after the last commit */
  sqlite3_stmt *statements[PEN_SPOOL_N_SQL]; /* each made when it is first needed */
} PenSpoolDatabase;

/* (nullable): a new file at @path without messages, for its first rows: nothing is durable before
 * it is closed and synchronised. */
PenSpoolDatabase *pen_spool_database_create (const char *path, GError **error);
PenSpoolDatabase *pen_spool_database_open (const char *path, gboolean is_read_only, GError **error);
void pen_spool_database_free (PenSpoolDatabase *self);
/* likewise, but leaves the log as it is, and where it is */
void pen_spool_database_abandon (PenSpoolDatabase *self);
/* SQLite's own answer, of the database alone */
gboolean pen_spool_database_is_moved (PenSpoolDatabase *self);
gboolean pen_spool_database_execute (PenSpoolDatabase *self, const char *sql, GError **error);
/* What SQLite answered, for a person: "cannot @verb spool "…": why; what to do". */
void
pen_spool_database_set_error (PenSpoolDatabase *self, int code, const char *verb, GError **error);
/* (transfer none) (nullable): ready for its parameters */
sqlite3_stmt *pen_spool_database_get (PenSpoolDatabase *self, PenSpoolSql sql, GError **error);
/* Runs a statement that gives no row, or of whose first row @value is all that matters (G_MAXINT64:
 * none), to its end. */
gboolean pen_spool_database_run (PenSpoolDatabase *self,
                                 sqlite3_stmt *statement,
                                 gint64 *value,
                                 GError **error);
gboolean
pen_spool_database_run_sql (PenSpoolDatabase *self, PenSpoolSql sql, gint64 *value, GError **error);
/* Gives memory back that it has taken for a large piece of work. */
void pen_spool_database_shrink (PenSpoolDatabase *self);
/* SQLITE_CHECKPOINT_…; what SQLite answers */
int pen_spool_database_checkpoint (PenSpoolDatabase *self, int mode);
gboolean pen_spool_database_get_pragma (PenSpoolDatabase *self,
                                        const char *name,
                                        gint64 *value,
                                        GError **error);
/* @sql: PEN_SPOOL_SQL_INSERT or _SAVE */
gboolean pen_spool_database_insert (PenSpoolDatabase *self,
                                    PenSpoolSql sql,
                                    const PenSpoolRow *row,
                                    GError **error);
gboolean
pen_spool_database_set_cursor (PenSpoolDatabase *self, const PenSpoolCursorRow *row, GError **);
/* From a statement of PEN_SPOOL_SQL_READ that stands on a row; FALSE: its CRC says otherwise. What
 * the row points to lives until the next step. */
gboolean pen_spool_database_get_row (sqlite3_stmt *statement, PenSpoolRow *row);
gboolean pen_spool_database_get_cursor (sqlite3_stmt *statement, PenSpoolCursorRow *row);

/* --- the store --- */

typedef struct
{
  PenSpoolCursor cursor; /* first: a PenSpoolCursor is what others see */
  gint64 id;
} PenSpoolHeldCursor;

struct _PenSpoolStore
{
  /* constant */
  char *folder;
  char *pipeline;
  char *path;
  char *wal_path;
  char *lock_path;
  PenSpoolStoreFlags flags;
  PenSpoolStoreFunctions functions;
  gpointer user_data;

  int lock_fd;                /* -1: none */
  PenSpoolDatabase *database; /* NULL: to be opened again */
  PenSpoolIdentity identity;
  PenSpoolIdentity wal_identity;
  PenSpoolIdentity lock_identity;
  GPtrArray *cursors; /* PenSpoolHeldCursor */
  GPtrArray *trusted; /* PenSpoolHeldCursor: those of before the damage; NULL: to be read */
  PenSpoolStatus status;
  gboolean was_opened; /* and not for the first time now */
  PenSpoolState state; /* as it was found */
  guint64 given;       /* the newest position that any commit has tried, failed ones too */
  guint64 undo_after;  /* what comes after is in the database, but was refused; G_MAXUINT64: none */
};

void pen_spool_held_cursor_free (PenSpoolHeldCursor *self);
/* (transfer full): with copies of all cursors in it */
GPtrArray *pen_spool_held_cursors_copy (GPtrArray *cursors);
void pen_spool_store_tell (PenSpoolStore *self, GLogLevelFlags level, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* FALSE with an error: broken off */
gboolean
pen_spool_store_report (PenSpoolStore *self, const char *what, double done, GError **error);

/* (transfer full): path with something behind it */
char *pen_spool_store_get_beside (const PenSpoolStore *self, const char *suffix);
/* Puts a new spool into the place. */
gboolean pen_spool_store_make (PenSpoolStore *self, GError **error);
/* Makes .tmp durable, and .new of it; what is in its place must not be in use any more, or be
 * written to no more, until pen_spool_store_finish () has put it there. */
gboolean pen_spool_store_complete (PenSpoolStore *self, GError **error);
/* Puts .new, if there is one, into the place. @aside (out) (optional): where what was there is */
gboolean pen_spool_store_finish (PenSpoolStore *self, char **aside, GError **error);
gboolean pen_spool_store_remember_place (PenSpoolStore *self, GError **error);
/* Whether the paths still name what is open. */
gboolean pen_spool_store_is_in_place (const PenSpoolStore *self);
/* Writes all that the open database holds into a new one, in its place; it has to be opened again
 * then. */
gboolean pen_spool_store_put_back (PenSpoolStore *self, GError **error);

/* Saves what can be read into a new spool, in place of the damaged one, which goes aside. No
 * database may be open. @why: what is wrong with it */
gboolean pen_spool_store_salvage (PenSpoolStore *self, const char *why, GError **error);
/* Whether any row of it is a spool's of this version. */
gboolean pen_spool_store_has_rows (PenSpoolStore *self);
/* Whether the log ends where the last process left it. */
gboolean pen_spool_store_check_log (PenSpoolStore *self, GError **error);

/* Reads cursors and status from the database. With @is_thorough all of it is looked at, and
 * damage is an error. */
gboolean pen_spool_store_load (PenSpoolStore *self, gboolean is_thorough, GError **error);
gboolean pen_spool_store_measure (PenSpoolStore *self, guint64 *used_bytes, GError **error);
gboolean
pen_spool_store_find_oldest (PenSpoolStore *self, guint64 newest, guint64 *oldest, GError **error);
/* In a transaction: deletes what none of @cursors (PenSpoolHeldCursor) waits for, a portion of it;
 * @n_deleted (out). @newest: position of the last message, those of this transaction included. */
gboolean pen_spool_store_trim (PenSpoolStore *self,
                               GPtrArray *cursors,
                               guint64 newest,
                               gint64 keep_after_us,
                               gboolean is_idle,
                               guint64 *n_deleted,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSpoolDatabase, pen_spool_database_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSpoolHeldCursor, pen_spool_held_cursor_free)

G_END_DECLS
