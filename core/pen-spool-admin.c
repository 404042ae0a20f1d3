/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an operator does with a spool whose pipeline may not be running.
 */

#include "config.h"

#include "pen-spool-admin.h"

#include "pen-spool-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SUM "SELECT count (*), sum (length (payload)), min (arrival), max (arrival) FROM messages"

/*
 * pen_spool_cursor_waits:
 * @cursor: of a sink
 * @record: a message of the same spool
 *
 * Returns: whether the sink is still to have it
 *
 * Threads: any
 */
gboolean
pen_spool_cursor_waits (const PenSpoolCursor *cursor, const PenSpoolRecord *record)
{
  return record->position > cursor->delivered
         && (cursor->until == 0 || record->position <= cursor->until)
         && (record->sink == NULL || g_str_equal (record->sink, cursor->sink));
}

/* The same condition as above. */
static sqlite3_stmt *
pen_spool_sum_prepare (PenSpoolStore *self, const PenSpoolCursor *cursor, GError **error)
{
  const char *sql = cursor == NULL ? SUM
                                   : SUM " WHERE position > ?1 AND position <= ?2 "
                                         "AND (sink IS NULL OR sink = ?3)";
  guint64 until = cursor != NULL && cursor->until != 0 ? cursor->until : G_MAXINT64;
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2 (self->database->handle, sql, -1, &statement, NULL);

  if (code != SQLITE_OK)
    {
      pen_spool_database_set_error (self->database, code, "read", error);
      return NULL;
    }
  if (cursor != NULL)
    {
      sqlite3_bind_int64 (statement, 1, (gint64) MIN (cursor->delivered, G_MAXINT64));
      sqlite3_bind_int64 (statement, 2, (gint64) MIN (until, G_MAXINT64));
      sqlite3_bind_text (statement, 3, cursor->sink, -1, SQLITE_STATIC);
    }
  return statement;
}

/*
 * pen_spool_store_sum:
 * @self: a store
 * @cursor: (nullable): whose messages
 * @sum: (out): how many, how large, how old
 *
 * Threads: worker
 */
gboolean
pen_spool_store_sum (PenSpoolStore *self,
                     const PenSpoolCursor *cursor,
                     PenSpoolSum *sum,
                     GError **error)
{
  sqlite3_stmt *statement = pen_spool_sum_prepare (self, cursor, error);
  int code;

  *sum = (PenSpoolSum){ 0 };
  if (statement == NULL)
    return FALSE;
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    {
      sum->n_records = (guint64) sqlite3_column_int64 (statement, 0);
      sum->n_bytes = (guint64) sqlite3_column_int64 (statement, 1);
      sum->oldest_us = sqlite3_column_int64 (statement, 2);
      sum->newest_us = sqlite3_column_int64 (statement, 3);
    }
  else
    pen_spool_database_set_error (self->database, code, "read", error);
  sqlite3_finalize (statement);
  return code == SQLITE_ROW;
}

/*
 * pen_spool_store_verify:
 * @self: a store, also one that is read only
 *
 * What opening for writing does before anything else.
 *
 * Returns: whether all of it is good
 *
 * Threads: worker
 */
gboolean
pen_spool_store_verify (PenSpoolStore *self, GError **error)
{
  return pen_spool_store_load (self, TRUE /* is_thorough */, error);
}

struct _PenSpoolEdit
{
  PenSpoolStore *store;
  PenSpoolStatus status; /* as it will be */
  gboolean is_over;
};

/*
 * pen_spool_edit_new:
 * @store: a store that is not read only
 *
 * Begins a transaction. One of any size costs no memory: its pages go into the write-ahead log,
 * where they are nothing until it is committed.
 *
 * Returns: (transfer full) (nullable): the edit
 *
 * Threads: worker
 */
PenSpoolEdit *
pen_spool_edit_new (PenSpoolStore *store, GError **error)
{
  PenSpoolEdit *self;

  if (!pen_spool_database_run_sql (store->database, PEN_SPOOL_SQL_BEGIN, NULL, error))
    return NULL;
  self = g_new0 (PenSpoolEdit, 1);
  self->store = store;
  self->status = store->status;
  return self;
}

/*
 * pen_spool_edit_append:
 * @self: an edit
 * @records: (element-type PenSpoolRecord): to be appended; their positions are set
 *
 * Threads: worker
 */
gboolean
pen_spool_edit_append (PenSpoolEdit *self, GPtrArray *records, GError **error)
{
  PenSpoolStore *store = self->store;
  g_autoptr (GByteArray) properties = g_byte_array_new ();

  for (guint i = 0; i < records->len; i++)
    {
      PenSpoolRecord *record = g_ptr_array_index (records, i);
      PenSpoolRow row;

      /* not given again, also if this comes to nothing */
      record->position = ++store->given;
      pen_spool_row_from_record (&row, record->position, record, properties);
      if (!pen_spool_database_insert (store->database, PEN_SPOOL_SQL_INSERT, &row, error))
        return FALSE;
      self->status.newest = record->position;
      self->status.n_records++;
    }
  return TRUE;
}

/*
 * pen_spool_edit_delete:
 * @self: an edit
 * @positions: (array length=n_positions): of messages
 *
 * Threads: worker
 */
gboolean
pen_spool_edit_delete (PenSpoolEdit *self,
                       const guint64 *positions,
                       guint n_positions,
                       GError **error)
{
  PenSpoolDatabase *database = self->store->database;
  sqlite3_stmt *statement = pen_spool_database_get (database, PEN_SPOOL_SQL_DELETE, error);

  for (guint i = 0; statement != NULL && i < n_positions; i++)
    {
      guint64 n_deleted;

      sqlite3_bind_int64 (statement, 1, (gint64) positions[i]);
      sqlite3_bind_int64 (statement, 2, (gint64) positions[i]);
      if (!pen_spool_database_run (database, statement, NULL, error))
        return FALSE;
      n_deleted = (guint64) sqlite3_changes64 (database->handle);
      self->status.n_records -= MIN (n_deleted, self->status.n_records);
    }
  return statement != NULL;
}

/*
 * pen_spool_edit_commit:
 * @self: an edit, of which nothing is left to do
 *
 * Threads: worker
 */
gboolean
pen_spool_edit_commit (PenSpoolEdit *self, GError **error)
{
  PenSpoolStore *store = self->store;
  PenSpoolStatus *status = &self->status;
  const PenSpoolCursorRow own
      = { .delivered = status->newest, .needed = status->cursors_lost, .until = PEN_SPOOL_OPEN };

  self->is_over
      = pen_spool_database_set_cursor (store->database, &own, error)
        && pen_spool_store_find_oldest (store, status->newest, &status->oldest, error)
        && pen_spool_store_measure (store, &status->used_bytes, error)
        && pen_spool_database_run_sql (store->database, PEN_SPOOL_SQL_COMMIT, NULL, error);
  if (self->is_over)
    store->status = *status;
  return self->is_over;
}

/* Threads: worker */
void
pen_spool_edit_free (PenSpoolEdit *self)
{
  if (!self->is_over && !sqlite3_get_autocommit (self->store->database->handle))
    pen_spool_database_run_sql (self->store->database, PEN_SPOOL_SQL_ROLLBACK, NULL, NULL);
  g_free (self);
}

/*
 * pen_spool_store_compact:
 * @self: a store that is not read only
 *
 * Writes all that is there anew. A salvage takes what a sink still waits for wherever it finds it,
 * also on pages that are free, because a pipeline deletes no such message: whoever does, calls
 * this. (secure_delete=ON leaves rows behind where they were moved between pages; measured: 7 %.)
 * SQLite's temporary file is where SQLITE_TMPDIR says.
 *
 * Threads: worker
 */
gboolean
pen_spool_store_compact (PenSpoolStore *self, GError **error)
{
  sqlite3 *handle = self->database->handle;
  int code = sqlite3_exec (handle, "PRAGMA temp_store=FILE; VACUUM; PRAGMA temp_store=MEMORY;",
                           NULL, /* callback */ NULL, NULL /* message */);

  if (code != SQLITE_OK)
    pen_spool_database_set_error (self->database, sqlite3_extended_errcode (handle), "write",
                                  error);
  pen_spool_database_checkpoint (self->database, SQLITE_CHECKPOINT_TRUNCATE);
  return code == SQLITE_OK && pen_spool_store_measure (self, &self->status.used_bytes, error);
}

static char *
pen_spool_admin_get_path (const char *state_folder, const char *pipeline, const char *suffix)
{
  g_autofree char *name = g_strconcat (pipeline, suffix, NULL);

  return g_build_filename (state_folder, PEN_SPOOL_FOLDER, name, NULL);
}

/*
 * pen_spool_find_holder:
 * @state_folder: a state folder
 * @pipeline: name of a pipeline
 *
 * Tries the lock for a moment, together with others who may do so.
 *
 * Returns: (transfer full) (nullable): the process that has the spool
 *
 * Threads: any
 */
char *
pen_spool_find_holder (const char *state_folder, const char *pipeline)
{
  g_autofree char *path = pen_spool_admin_get_path (state_folder, pipeline, PEN_SPOOL_LOCK_SUFFIX);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  g_autofree char *holder = NULL;

  if (fd < 0)
    return NULL;
  if (flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    holder = pen_spool_lock_read_holder (fd);
  close (fd);
  if (holder == NULL || !g_str_has_prefix (holder, PEN_SPOOL_HOLDER_PREFIX))
    return g_strdup (holder != NULL ? "unknown" : NULL);
  return g_strdup (holder + strlen (PEN_SPOOL_HOLDER_PREFIX));
}

static int
pen_spool_admin_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/*
 * pen_spool_list_damaged:
 * @state_folder: a state folder
 * @pipeline: name of a pipeline
 *
 * Returns: (transfer full): paths of what salvages have left beside the spool
 *
 * Threads: any
 */
GStrv
pen_spool_list_damaged (const char *state_folder, const char *pipeline)
{
  g_autofree char *folder = g_build_filename (state_folder, PEN_SPOOL_FOLDER, NULL);
  g_autofree char *prefix = g_strconcat (pipeline, PEN_SPOOL_SUFFIX PEN_SPOOL_DAMAGED_INFIX, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (paths, pen_spool_admin_compare);
  g_ptr_array_add (paths, NULL);
  return (GStrv) g_ptr_array_steal (paths, NULL);
}

static gboolean
pen_spool_admin_unlink (const char *path, GError **error)
{
  if (g_unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot remove \"%s\": %s", path,
               g_strerror (errno));
  return FALSE;
}

/*
 * pen_spool_remove:
 * @state_folder: a state folder
 * @pipeline: name of a pipeline
 *
 * Removes a spool with all of its files. The database goes after its log: a log that is left behind
 * would be taken for that of the next database.
 *
 * Threads: worker
 */
gboolean
pen_spool_remove (const char *state_folder, const char *pipeline, GError **error)
{
  static const char *const suffixes[]
      = { PEN_SPOOL_SUFFIX "-wal", PEN_SPOOL_SUFFIX "-shm", PEN_SPOOL_SUFFIX ".tmp",
          PEN_SPOOL_SUFFIX ".new", PEN_SPOOL_SUFFIX,        PEN_SPOOL_LOCK_SUFFIX };
  g_autofree char *folder = g_build_filename (state_folder, PEN_SPOOL_FOLDER, NULL);
  g_autofree char *lock = pen_spool_admin_get_path (state_folder, pipeline, PEN_SPOOL_LOCK_SUFFIX);
  g_auto (GStrv) damaged = pen_spool_list_damaged (state_folder, pipeline);
  int fd = pen_spool_lock_take (lock, error);
  gboolean is_good = fd >= 0;

  for (guint i = 0; is_good && damaged[i] != NULL; i++)
    is_good = pen_spool_admin_unlink (damaged[i], error);
  for (guint i = 0; is_good && i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = pen_spool_admin_get_path (state_folder, pipeline, suffixes[i]);

      is_good = pen_spool_admin_unlink (path, error);
    }
  is_good = is_good && pen_spool_folder_sync (folder, error);
  if (fd >= 0)
    close (fd);
  return is_good;
}
