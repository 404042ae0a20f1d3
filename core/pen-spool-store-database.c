/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The SQLite side of a spool: the format, the settings on which durability rests, the statements,
 * and what SQLite's answers mean for a person.
 *
 * - synchronous=FULL: in WAL mode each commit ends with an fsync () of the log. That it is so is
 *   asked back, and not believed.
 * - mmap_size=0: a file that is cut off while it is mapped would be a SIGBUS.
 * - secure_delete=OFF: distributions switch it on, and then each deleted page is written once more.
 * - Little memory when idle, as a process has hundreds of these: a cache that has grown is given
 *   back. What a connection reads again it finds in the system's cache.
 * - wal_autocheckpoint=0: the store checkpoints itself, and sees how it ended.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define CACHE_KIB "2048" /* while it works */
#define CACHE_IDLE_BYTES (192 * 1024)
#define BUSY_TIMEOUT_MS 500
#define LOOKASIDE_SLOT_BYTES 256
#define LOOKASIDE_SLOTS 64
#define JOURNAL_SIZE_LIMIT "8388608"

#define TEXT_OF(macro) TEXT_OF_ (macro)
#define TEXT_OF_(macro) #macro

/* The numbers of the messages and the short texts come first, so that they lie on the row's own
 * page and a payload that overflows need not be read for them. */
static const char schema[]
    = "CREATE TABLE messages (\n"
      "  position INTEGER PRIMARY KEY,\n"
      "  crc INTEGER NOT NULL, -- CRC-32 of all the others\n"
      "  arrival INTEGER NOT NULL, -- microseconds since 1970\n"
      "  flags INTEGER NOT NULL, -- 1: retained, 2: duplicate, 4: replayed\n"
      "  full_size INTEGER, -- if the payload is only the beginning of it\n"
      "  source TEXT NOT NULL,\n"
      "  sink TEXT, -- played again for this one alone\n"
      "  topic TEXT,\n"
      "  content_type TEXT,\n"
      "  properties BLOB, -- name, value, name, value, ... each with a NUL behind it\n"
      "  payload BLOB NOT NULL\n"
      ");\n"
      "CREATE TABLE cursors (\n"
      "  id INTEGER PRIMARY KEY, -- 0: of the spool itself\n"
      "  crc INTEGER NOT NULL,\n"
      "  delivered INTEGER NOT NULL, -- of 0: newest position ever given\n"
      "  needed INTEGER NOT NULL, -- of 0: 1 if cursors are lost\n"
      "  until INTEGER NOT NULL, -- of 0: 0 open, 1 closed and settled, 2 closed\n"
      "  sink TEXT\n"
      ");\n";

/* apart, as clang-tidy takes a text in pieces within a table for a missing comma */
static const char read_statement[]
    = "SELECT position, crc, arrival, flags, full_size, source, sink, topic, content_type, "
      "properties, payload FROM messages WHERE position > ?1 ORDER BY position LIMIT ?2";

static const char first_statement[]
    = "SELECT position, arrival FROM messages WHERE position BETWEEN ?1 AND ?2 "
      "ORDER BY position LIMIT 1";
static const char first_kept_statement[]
    = "SELECT position FROM messages WHERE position BETWEEN ?1 AND ?2 AND arrival >= ?3 "
      "ORDER BY position LIMIT 1";

static const char *const statements[PEN_SPOOL_N_SQL] = {
  [PEN_SPOOL_SQL_BEGIN] = "BEGIN IMMEDIATE",
  [PEN_SPOOL_SQL_COMMIT] = "COMMIT",
  [PEN_SPOOL_SQL_ROLLBACK] = "ROLLBACK",
  [PEN_SPOOL_SQL_INSERT] = "INSERT INTO messages VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
  [PEN_SPOOL_SQL_SAVE]
  = "INSERT OR IGNORE INTO messages VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
  [PEN_SPOOL_SQL_POSITIONS] = "SELECT position FROM messages ORDER BY position",
  [PEN_SPOOL_SQL_READ] = read_statement,
  [PEN_SPOOL_SQL_DELETE] = "DELETE FROM messages WHERE position BETWEEN ?1 AND ?2",
  [PEN_SPOOL_SQL_FIRST] = first_statement,
  [PEN_SPOOL_SQL_FIRST_KEPT] = first_kept_statement,
  [PEN_SPOOL_SQL_NEWEST] = "SELECT max (position) FROM messages",
  [PEN_SPOOL_SQL_COUNT] = "SELECT count (*) FROM messages",
  [PEN_SPOOL_SQL_PAGES] = "PRAGMA page_count",
  [PEN_SPOOL_SQL_FREE_PAGES] = "PRAGMA freelist_count",
  [PEN_SPOOL_SQL_CURSORS]
  = "SELECT id, crc, delivered, needed, until, sink FROM cursors ORDER BY id",
  [PEN_SPOOL_SQL_SET_CURSOR] = "INSERT OR REPLACE INTO cursors VALUES (?1,?2,?3,?4,?5,?6)",
  [PEN_SPOOL_SQL_DROP_CURSOR] = "DELETE FROM cursors WHERE id = ?1",
};

typedef struct
{
  int code;
  const char *reason; /* NULL: the system's */
  const char *advice;
} PenSpoolAnswer;

static const PenSpoolAnswer answers[] = {
  { SQLITE_FULL, "no space is left on its disk", "make some, and it goes on" },
  { SQLITE_IOERR, NULL, "look at the disk and at what the kernel says of it" },
  { SQLITE_CANTOPEN, NULL, "it and its folder must be there and belong to this user" },
  { SQLITE_READONLY, "it may not be written to", "it and its folder must belong to this user" },
  { SQLITE_PERM, NULL, "it and its folder must belong to this user" },
  { SQLITE_AUTH, NULL, "it and its folder must belong to this user" },
  { SQLITE_NOMEM, "no memory is left", "give the process more" },
  { SQLITE_BUSY, "another program writes to it", "close that one" },
  { SQLITE_LOCKED, "another program writes to it", "close that one" },
  { SQLITE_TOOBIG, "a message is larger than a spool can hold", "lower max-payload" },
};

static gboolean
pen_spool_code_is_damage (int code)
{
  switch (code & 0xff)
    {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT: /* a position is there that cannot be */
    case SQLITE_ERROR:      /* a table is missing */
    case SQLITE_MISMATCH:
    case SQLITE_FORMAT:
      return TRUE;
    default:
      return code == SQLITE_IOERR_CORRUPTFS;
    }
}

static const PenSpoolAnswer *
pen_spool_answer_find (int code, int system_errno)
{
  if (system_errno == ENOSPC || system_errno == EDQUOT)
    code = SQLITE_FULL;
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (answers[i].code == (code & 0xff))
      return &answers[i];
  return NULL;
}

/* documented in the private header */
void
pen_spool_database_set_error (PenSpoolDatabase *self, int code, const char *verb, GError **error)
{
  int system_errno = self->handle != NULL ? sqlite3_system_errno (self->handle) : 0;
  const PenSpoolAnswer *answer = pen_spool_answer_find (code, system_errno);
  const char *reason = answer != NULL ? answer->reason : NULL;
  const char *advice = answer != NULL ? answer->advice : "try again";

  if (pen_spool_code_is_damage (code))
    {
      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED, "spool \"%s\" is damaged: %s",
                   self->path,
                   self->handle != NULL ? sqlite3_errmsg (self->handle) : sqlite3_errstr (code));
      return;
    }
  if (system_errno == EMFILE || system_errno == ENFILE)
    advice = "raise the limit of open files (LimitNOFILE, ulimit -n)";
  if (reason == NULL)
    reason = system_errno != 0 ? g_strerror (system_errno) : sqlite3_errstr (code);
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot %s spool \"%s\": %s; %s",
               verb, self->path, reason, advice);
}

/* documented in the private header */
gboolean
pen_spool_database_execute (PenSpoolDatabase *self, const char *sql, GError **error)
{
  int code = sqlite3_exec (self->handle, sql, NULL, /* callback */ NULL, NULL /* message */);

  if (code != SQLITE_OK)
    pen_spool_database_set_error (self, sqlite3_extended_errcode (self->handle), "open", error);
  return code == SQLITE_OK;
}

/* documented in the private header */
sqlite3_stmt *
pen_spool_database_get (PenSpoolDatabase *self, PenSpoolSql sql, GError **error)
{
  sqlite3_stmt **statement = &self->statements[sql];
  int code;

  if (*statement != NULL)
    return *statement;
  code = sqlite3_prepare_v3 (self->handle, statements[sql], -1, SQLITE_PREPARE_PERSISTENT,
                             statement, NULL);
  if (code != SQLITE_OK)
    pen_spool_database_set_error (self, sqlite3_extended_errcode (self->handle), "read", error);
  return *statement;
}

/* documented in the private header */
gboolean
pen_spool_database_run (PenSpoolDatabase *self,
                        sqlite3_stmt *statement,
                        gint64 *value,
                        GError **error)
{
  int code = sqlite3_step (statement);

  if (value != NULL)
    *value = G_MAXINT64;
  if (code == SQLITE_ROW && value != NULL && sqlite3_column_type (statement, 0) != SQLITE_NULL)
    *value = sqlite3_column_int64 (statement, 0);
  while (code == SQLITE_ROW)
    code = sqlite3_step (statement);
  if (code != SQLITE_DONE)
    pen_spool_database_set_error (self, sqlite3_extended_errcode (self->handle),
                                  self->is_read_only ? "read" : "write", error);
  sqlite3_reset (statement);
  return code == SQLITE_DONE;
}

/* documented in the private header */
gboolean
pen_spool_database_run_sql (PenSpoolDatabase *self, PenSpoolSql sql, gint64 *value, GError **error)
{
  sqlite3_stmt *statement = pen_spool_database_get (self, sql, error);

  return statement != NULL && pen_spool_database_run (self, statement, value, error);
}

/* documented in the private header */
gboolean
pen_spool_database_get_pragma (PenSpoolDatabase *self,
                               const char *name,
                               gint64 *value,
                               GError **error)
{
  g_autofree char *sql = g_strdup_printf ("PRAGMA %s", name);
  sqlite3_stmt *statement = NULL;
  gboolean is_done = FALSE;

  if (sqlite3_prepare_v2 (self->handle, sql, -1, &statement, NULL) != SQLITE_OK)
    pen_spool_database_set_error (self, sqlite3_extended_errcode (self->handle), "read", error);
  else
    is_done = pen_spool_database_run (self, statement, value, error);
  sqlite3_finalize (statement);
  return is_done;
}

static void
pen_spool_bind_text (sqlite3_stmt *statement, int index, const PenSpoolBytes *bytes)
{
  if (bytes->data == NULL)
    sqlite3_bind_null (statement, index);
  else
    sqlite3_bind_text64 (statement, index, bytes->data, bytes->length, SQLITE_STATIC, SQLITE_UTF8);
}

static void
pen_spool_bind_blob (sqlite3_stmt *statement, int index, const PenSpoolBytes *bytes)
{
  if (bytes->data == NULL)
    sqlite3_bind_null (statement, index);
  else
    sqlite3_bind_blob64 (statement, index, bytes->data, bytes->length, SQLITE_STATIC);
}

/* documented in the private header */
gboolean
pen_spool_database_insert (PenSpoolDatabase *self,
                           PenSpoolSql sql,
                           const PenSpoolRow *row,
                           GError **error)
{
  sqlite3_stmt *statement = pen_spool_database_get (self, sql, error);

  if (statement == NULL)
    return FALSE;
  if (row->fields[PEN_SPOOL_PAYLOAD].length
      > (gsize) sqlite3_limit (self->handle, SQLITE_LIMIT_LENGTH, -1))
    {
      pen_spool_database_set_error (self, SQLITE_TOOBIG, "write", error);
      return FALSE;
    }
  sqlite3_bind_int64 (statement, 1, (gint64) row->position);
  sqlite3_bind_int64 (statement, 2, pen_spool_row_get_crc (row));
  sqlite3_bind_int64 (statement, 3, row->arrival_us);
  sqlite3_bind_int64 (statement, 4, row->flags);
  if (row->full_size > 0)
    sqlite3_bind_int64 (statement, 5, (gint64) row->full_size);
  else
    sqlite3_bind_null (statement, 5);
  for (int i = 0; i < PEN_SPOOL_PROPERTIES; i++)
    pen_spool_bind_text (statement, 6 + i, &row->fields[i]);
  for (int i = PEN_SPOOL_PROPERTIES; i < PEN_SPOOL_N_FIELDS; i++)
    pen_spool_bind_blob (statement, 6 + i, &row->fields[i]);
  return pen_spool_database_run (self, statement, NULL, error);
}

/* documented in the private header */
gboolean
pen_spool_database_set_cursor (PenSpoolDatabase *self, const PenSpoolCursorRow *row, GError **error)
{
  sqlite3_stmt *statement = pen_spool_database_get (self, PEN_SPOOL_SQL_SET_CURSOR, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, row->id);
  sqlite3_bind_int64 (statement, 2, pen_spool_cursor_row_get_crc (row));
  sqlite3_bind_int64 (statement, 3, (gint64) row->delivered);
  sqlite3_bind_int64 (statement, 4, (gint64) row->needed);
  sqlite3_bind_int64 (statement, 5, (gint64) row->until);
  pen_spool_bind_text (statement, 6, &row->sink);
  return pen_spool_database_run (self, statement, NULL, error);
}

static PenSpoolBytes
pen_spool_get_column (sqlite3_stmt *statement, int index)
{
  PenSpoolBytes bytes = { NULL, 0 };

  if (sqlite3_column_type (statement, index) == SQLITE_NULL)
    return bytes;
  bytes.data = sqlite3_column_blob (statement, index);
  bytes.length = (gsize) sqlite3_column_bytes (statement, index);
  if (bytes.data == NULL) /* nothing, or no memory for it: the CRC knows */
    bytes = (PenSpoolBytes){ "", 0 };
  return bytes;
}

/* documented in the private header */
gboolean
pen_spool_database_get_row (sqlite3_stmt *statement, PenSpoolRow *row)
{
  row->position = (guint64) sqlite3_column_int64 (statement, 0);
  row->arrival_us = sqlite3_column_int64 (statement, 2);
  row->flags = sqlite3_column_int64 (statement, 3);
  row->full_size = (guint64) sqlite3_column_int64 (statement, 4);
  for (int i = 0; i < PEN_SPOOL_N_FIELDS; i++)
    row->fields[i] = pen_spool_get_column (statement, 5 + i);
  return sqlite3_column_int64 (statement, 1) == pen_spool_row_get_crc (row);
}

/* documented in the private header */
gboolean
pen_spool_database_get_cursor (sqlite3_stmt *statement, PenSpoolCursorRow *row)
{
  row->id = sqlite3_column_int64 (statement, 0);
  row->delivered = (guint64) sqlite3_column_int64 (statement, 2);
  row->needed = (guint64) sqlite3_column_int64 (statement, 3);
  row->until = (guint64) sqlite3_column_int64 (statement, 4);
  row->sink = pen_spool_get_column (statement, 5);
  return sqlite3_column_int64 (statement, 1) == pen_spool_cursor_row_get_crc (row);
}

static PenSpoolDatabase *
pen_spool_database_connect (const char *path, int flags, GError **error)
{
  g_autoptr (PenSpoolDatabase) self = g_new0 (PenSpoolDatabase, 1);
  int code;

  self->path = g_strdup (path);
  self->is_read_only = (flags & SQLITE_OPEN_READONLY) != 0;
  code = sqlite3_open_v2 (path, &self->handle,
                          flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                          NULL /* file system */);
  if (code != SQLITE_OK)
    {
      pen_spool_database_set_error (self, code, "open", error);
      return NULL;
    }
  sqlite3_extended_result_codes (self->handle, 1);
  sqlite3_busy_timeout (self->handle, BUSY_TIMEOUT_MS);
  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_SLOT_BYTES,
                     LOOKASIDE_SLOTS);
  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  return g_steal_pointer (&self);
}

static gboolean
pen_spool_database_fill (PenSpoolDatabase *self, GError **error)
{
  const PenSpoolCursorRow own = { .until = PEN_SPOOL_CLOSED };

  return pen_spool_database_execute (
             self,
             "PRAGMA page_size=" TEXT_OF (
                 PEN_SPOOL_PAGE_BYTES) ";"
                                       "PRAGMA secure_delete=OFF; PRAGMA auto_vacuum=NONE;"
                                       "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                                       "PRAGMA application_id=" TEXT_OF (
                                           PEN_SPOOL_APPLICATION_ID) ";"
                                                                     "PRAGMA "
                                                                     "user_version=" TEXT_OF (
                                                                         PEN_SPOOL_VERSION) ";",
             error)
         && pen_spool_database_execute (self, schema, error)
         && pen_spool_database_set_cursor (self, &own, error);
}

static int
pen_spool_make_file (const char *path)
{
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd >= 0)
    {
      pen_spool_file_give (fd, path);
      close (fd);
    }
  return fd;
}

/* documented in the private header */
PenSpoolDatabase *
pen_spool_database_create (const char *path, GError **error)
{
  g_autoptr (PenSpoolDatabase) self = NULL;

  if (pen_spool_make_file (path) < 0)
    {
      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot make \"%s\": %s", path,
                   g_strerror (errno));
      return NULL;
    }
  self = pen_spool_database_connect (path, SQLITE_OPEN_READWRITE, error);
  if (self == NULL || !pen_spool_database_fill (self, error))
    {
      g_unlink (path);
      return NULL;
    }
  return g_steal_pointer (&self);
}

static int
pen_spool_database_on_commit (gpointer user_data,
                              sqlite3 *handle,
                              const char *database_name,
                              int n_frames)
{
  PenSpoolDatabase *self = user_data;

  self->n_wal_frames = n_frames;
  return SQLITE_OK;
}

/* documented in the private header */
void
pen_spool_database_shrink (PenSpoolDatabase *self)
{
  int n_bytes = 0;
  int highest;

  sqlite3_db_status (self->handle, SQLITE_DBSTATUS_CACHE_USED, &n_bytes, &highest, 0);
  if (n_bytes > CACHE_IDLE_BYTES)
    sqlite3_db_release_memory (self->handle);
}

/* documented in the private header */
int
pen_spool_database_checkpoint (PenSpoolDatabase *self, int mode)
{
  return sqlite3_wal_checkpoint_v2 (self->handle, NULL /* all */, mode, NULL, NULL);
}

/* Whether the settings took effect: a build of SQLite may know better. */
static gboolean
pen_spool_database_ask_back (PenSpoolDatabase *self, GError **error)
{
  static const struct
  {
    const char *name;
    gint64 value;
  } expected[] = { { "synchronous", 2 },
                   { "mmap_size", 0 },
                   { "secure_delete", 0 },
                   { "page_size", PEN_SPOOL_PAGE_BYTES } };
  sqlite3_stmt *statement = NULL;
  gboolean is_wal = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      gint64 value = 0;

      if (!pen_spool_database_get_pragma (self, expected[i].name, &value, error))
        return FALSE;
      /* no answer to mmap_size: there is no such thing */
      if (value != expected[i].value && value != G_MAXINT64)
        {
          g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
                       "cannot open spool \"%s\": this SQLite (%s) does not take %s=%d", self->path,
                       sqlite3_libversion (), expected[i].name, (int) expected[i].value);
          return FALSE;
        }
    }
  if (sqlite3_prepare_v2 (self->handle, "PRAGMA journal_mode", -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    is_wal = g_strcmp0 ((const char *) sqlite3_column_text (statement, 0), "wal") == 0;
  sqlite3_finalize (statement);
  if (!is_wal)
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
                 "cannot open spool \"%s\": SQLite cannot keep a write-ahead log there; the state "
                 "folder must be on a local disk",
                 self->path);
  return is_wal;
}

/* documented in the private header */
PenSpoolDatabase *
pen_spool_database_open (const char *path, gboolean is_read_only, GError **error)
{
  g_autoptr (PenSpoolDatabase) self = pen_spool_database_connect (
      path, is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, error);

  if (self == NULL
      || !pen_spool_database_execute (self,
                                      "PRAGMA cache_size=-" CACHE_KIB "; PRAGMA mmap_size=0;"
                                      "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;",
                                      error))
    return NULL;
  if (is_read_only)
    return g_steal_pointer (&self);
  if (!pen_spool_database_execute (self,
                                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                   "PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF;"
                                   "PRAGMA journal_size_limit=" JOURNAL_SIZE_LIMIT ";",
                                   error)
      || !pen_spool_database_ask_back (self, error))
    return NULL;
  sqlite3_wal_hook (self->handle, pen_spool_database_on_commit, self);
  return g_steal_pointer (&self);
}

/* documented in the private header */
gboolean
pen_spool_database_is_moved (PenSpoolDatabase *self)
{
  int is_moved = 0;

  return sqlite3_file_control (self->handle, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved) == SQLITE_OK
         && is_moved != 0;
}

/* documented in the private header */
void
pen_spool_database_abandon (PenSpoolDatabase *self)
{
  sqlite3_db_config (self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  pen_spool_database_free (self);
}

/* documented in the private header */
void
pen_spool_database_free (PenSpoolDatabase *self)
{
  for (guint i = 0; i < PEN_SPOOL_N_SQL; i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->handle);
  g_free (self->path);
  g_free (self);
}
