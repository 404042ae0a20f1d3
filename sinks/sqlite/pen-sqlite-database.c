/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One connection to a database file.
 *
 * - WAL: readers (other programs among them) never wait for us, nor we for them.
 * - synchronous=FULL: in WAL mode each commit ends with an fsync () of the log.
 * - journal_size_limit: a log that a slow reader made long is cut again.
 * - mmap_size=0: a file that is cut off while it is mapped would be a SIGBUS.
 * - Nothing here opens the file but SQLite: closing any descriptor of it drops the locks that POSIX
 *   gave to this process.
 *
 * All that an operator can set right is tried again, also a damaged file: what is not written waits
 * meanwhile at its source, and goes on when the file was repaired or moved aside.
 */

#include "config.h"

#include "pen-sqlite-database.h"

#include <errno.h>
#include <glib/gstdio.h>

#define FOLDER_MODE 0750
#define JOURNAL_SIZE_LIMIT "8388608"
#define CACHE_KIB "4096"
/* When another program has the file: how long what needs no wait by itself waits for it. */
#define PEEK_TIMEOUT_MS 100

typedef struct
{
  int code;
  const char *reason; /* NULL: the system's, or SQLite's */
  const char *advice;
} PenSqliteAnswer;

static const PenSqliteAnswer answers[] = {
  { SQLITE_BUSY, "another program has it locked", "it goes on by itself when that one is done" },
  { SQLITE_LOCKED, "another program has it locked", "it goes on by itself when that one is done" },
  { SQLITE_FULL, "no space is left for it", "make room, it goes on by itself" },
  { SQLITE_NOTADB, "the file is not an SQLite database",
    "name another file, or move this one aside" },
  { SQLITE_CORRUPT, "the database is damaged",
    "move it aside and a new one is made; sqlite3 FILE .recover saves what can be read" },
  { SQLITE_READONLY, "it may not be written to",
    "the file and its folder must be writable for this user" },
  { SQLITE_CANTOPEN, NULL, "the file and its folder must be there and writable for this user" },
  { SQLITE_PERM, NULL, "the file and its folder must be writable for this user" },
  { SQLITE_IOERR, NULL, "look at the disk and at what the kernel says of it" },
  { SQLITE_NOMEM, "no memory is left", "give the process more" },
};

static const PenSqliteAnswer *
pen_sqlite_answer_find (int code, int system_errno)
{
  if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG)
    code = SQLITE_FULL;
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (answers[i].code == (code & 0xff))
      return &answers[i];
  return NULL;
}

/* documented in the header */
void
pen_sqlite_database_set_error (PenSqliteDatabase *self, const char *verb, GError **error)
{
  int code = sqlite3_extended_errcode (self->handle);
  int system_errno = sqlite3_system_errno (self->handle);
  const PenSqliteAnswer *answer = pen_sqlite_answer_find (code, system_errno);
  gboolean is_system
      = system_errno != 0 && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN);
  const char *reason = answer != NULL ? answer->reason : NULL;

  if (reason == NULL)
    reason = is_system ? g_strerror (system_errno) : sqlite3_errmsg (self->handle);
  /* SQLITE_ERROR: the SQL does not fit to the database, and so the keyfile does not */
  pen_element_set_error (
      error, (code & 0xff) == SQLITE_ERROR ? PEN_ELEMENT_ERROR_FAIL : PEN_ELEMENT_ERROR_RETRY,
      "sqlite", "cannot %s '%s': %s%s%s", verb, self->path, reason, answer != NULL ? "; " : "",
      answer != NULL ? answer->advice : "");
}

/* documented in the header */
void
pen_sqlite_soften_error (GError *error)
{
  if (error != NULL && g_error_matches (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL))
    error->code = PEN_ELEMENT_ERROR_RETRY;
}

/* documented in the header */
gboolean
pen_sqlite_database_execute (PenSqliteDatabase *self,
                             const char *sql,
                             const char *verb,
                             GError **error)
{
  if (sqlite3_exec (self->handle, sql, NULL /* callback */, NULL, NULL /* message */) == SQLITE_OK)
    return TRUE;
  pen_sqlite_database_set_error (self, verb, error);
  return FALSE;
}

/* documented in the header */
sqlite3_stmt *
pen_sqlite_database_prepare (PenSqliteDatabase *self,
                             const char *sql,
                             const char *verb,
                             GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v3 (self->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
      != SQLITE_OK)
    pen_sqlite_database_set_error (self, verb, error);
  return statement;
}

/* documented in the header */
gint64
pen_sqlite_database_get_number (PenSqliteDatabase *self, const char *sql, gint64 otherwise)
{
  g_autoptr (sqlite3_stmt) statement = NULL;

  if (sqlite3_prepare_v2 (self->handle, sql, -1, &statement, NULL) != SQLITE_OK
      || sqlite3_step (statement) != SQLITE_ROW
      || sqlite3_column_type (statement, 0) == SQLITE_NULL)
    return otherwise;
  return sqlite3_column_int64 (statement, 0);
}

/* documented in the header */
void
pen_sqlite_database_roll_back (PenSqliteDatabase *self)
{
  if (!sqlite3_get_autocommit (self->handle))
    sqlite3_exec (self->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* documented in the header */
gboolean
pen_sqlite_database_is_moved (PenSqliteDatabase *self)
{
  int is_moved = 0;

  return sqlite3_file_control (self->handle, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) == SQLITE_OK
         && is_moved != 0;
}

/* documented in the header */
void
pen_sqlite_database_free (PenSqliteDatabase *self)
{
  sqlite3_close_v2 (self->handle);
  g_free (self->path);
  g_free (self);
}

/* documented in the header */
void
pen_sqlite_database_abandon (PenSqliteDatabase *self)
{
  int keep_log = 1;

  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_file_control (self->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_log);
  pen_sqlite_database_free (self);
}

static PenSqliteDatabase *
pen_sqlite_database_open_with (const char *path, const char *name, int flags, GError **error)
{
  g_autoptr (PenSqliteDatabase) self = g_new0 (PenSqliteDatabase, 1);
  int code;

  self->path = g_strdup (path);
  code = sqlite3_open_v2 (name, &self->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                          NULL /* of the system */);
  if (code == SQLITE_OK)
    return g_steal_pointer (&self);
  pen_sqlite_database_set_error (self, "open", error);
  return NULL;
}

static gboolean
pen_sqlite_database_make_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (g_mkdir_with_parents (folder, FOLDER_MODE) == 0)
    return TRUE;
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "sqlite",
                         "cannot create the folder '%s' of a database: %s", folder,
                         g_strerror (errno));
  return FALSE;
}

static const char *
pen_sqlite_synchronous_get_sql (PenSqliteSynchronous synchronous)
{
  switch (synchronous)
    {
    case PEN_SQLITE_SYNCHRONOUS_OFF:
      return "PRAGMA synchronous=OFF;";
    case PEN_SQLITE_SYNCHRONOUS_NORMAL:
      return "PRAGMA synchronous=NORMAL;";
    case PEN_SQLITE_SYNCHRONOUS_FULL:
    default:
      return "PRAGMA synchronous=FULL;";
    }
}

/* What concerns the file comes before what concerns the connection; auto_vacuum before the first
 * table, after which it is as it is. */
static gboolean
pen_sqlite_database_set_up (PenSqliteDatabase *self,
                            const PenSqliteOptions *options,
                            GError **error)
{
  g_autoptr (GString) sql = g_string_new ("PRAGMA mmap_size=0;PRAGMA cache_size=-" CACHE_KIB ";"
                                          "PRAGMA journal_size_limit=" JOURNAL_SIZE_LIMIT ";");

  sqlite3_busy_timeout (self->handle, (int) (options->busy_timeout_us / 1000));
  if (options->shrinks)
    g_string_append (sql, "PRAGMA auto_vacuum=INCREMENTAL;");
  g_string_append (sql, options->journal == PEN_SQLITE_JOURNAL_WAL ? "PRAGMA journal_mode=WAL;"
                                                                   : "PRAGMA journal_mode=DELETE;");
  g_string_append (sql, pen_sqlite_synchronous_get_sql (options->synchronous));
  return pen_sqlite_database_execute (self, sql->str, "open", error);
}

/* documented in the header */
PenSqliteDatabase *
pen_sqlite_database_open (const char *path, const PenSqliteOptions *options, GError **error)
{
  g_autoptr (PenSqliteDatabase) self = NULL;

  if (!pen_sqlite_database_make_folder (path, error))
    return NULL;
  self = pen_sqlite_database_open_with (path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                        error);
  if (self == NULL || !pen_sqlite_database_set_up (self, options, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* documented in the header */
PenSqliteDatabase *
pen_sqlite_database_open_to_read (const char *path, gint64 busy_timeout_us, GError **error)
{
  PenSqliteDatabase *self
      = pen_sqlite_database_open_with (path, path, SQLITE_OPEN_READWRITE, error);

  if (self == NULL)
    return NULL;
  sqlite3_busy_timeout (self->handle, (int) (busy_timeout_us / 1000));
  sqlite3_exec (self->handle, "PRAGMA query_only=ON;PRAGMA mmap_size=0", NULL, NULL, NULL);
  return self;
}

/* documented in the header */
PenSqliteDatabase *
pen_sqlite_database_peek (const char *path, GError **error)
{
  g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE /* allow_utf8 */);
  g_autofree char *uri = g_strconcat ("file:", escaped, "?immutable=1", NULL);
  PenSqliteDatabase *self
      = pen_sqlite_database_open_with (path, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error);

  if (self != NULL)
    sqlite3_busy_timeout (self->handle, PEEK_TIMEOUT_MS);
  return self;
}
