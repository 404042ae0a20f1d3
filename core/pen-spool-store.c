/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file of a spool: opened, read, and committed to.
 *
 * What is kept in memory (cursors, counts) is what the last successful commit left; a commit that
 * fails changes nothing of it. Its positions are not given again all the same: pages of it may lie
 * about in the file, and a message that is found there must not be taken for another one.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKPOINT_FRAMES 1000

/* documented in the private header */
void
pen_spool_held_cursor_free (PenSpoolHeldCursor *self)
{
  g_free (self->cursor.sink);
  g_free (self);
}

static gpointer
pen_spool_held_cursor_copy (gconstpointer cursor, gpointer user_data)
{
  PenSpoolHeldCursor *copy = g_new (PenSpoolHeldCursor, 1);

  *copy = *(const PenSpoolHeldCursor *) cursor;
  copy->cursor.sink = g_strdup (copy->cursor.sink);
  return copy;
}

/* documented in the private header */
GPtrArray *
pen_spool_held_cursors_copy (GPtrArray *cursors)
{
  GPtrArray *copy = g_ptr_array_copy (cursors, pen_spool_held_cursor_copy, NULL);

  g_ptr_array_set_free_func (copy, (GDestroyNotify) pen_spool_held_cursor_free);
  return copy;
}

/* documented in the private header */
void
pen_spool_store_tell (PenSpoolStore *self, GLogLevelFlags level, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  if (self->functions.tell == NULL)
    return;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->functions.tell (level, message, self->user_data);
}

/* documented in the private header */
gboolean
pen_spool_store_report (PenSpoolStore *self, const char *what, double done, GError **error)
{
  if (self->functions.progress == NULL
      || self->functions.progress (what, CLAMP (done, 0, 1), self->user_data))
    return TRUE;
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
               "cannot open spool \"%s\": broken off while %s", self->path, what);
  return FALSE;
}

static gboolean
pen_spool_store_is_read_only (const PenSpoolStore *self)
{
  return (self->flags & PEN_SPOOL_STORE_READ_ONLY) != 0;
}

static int
pen_spool_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/*
 * pen_spool_store_list:
 * @state_folder: a state folder, which need not be there
 *
 * Returns: (transfer full) (nullable): names of the pipelines that have a spool in it, sorted
 *
 * Threads: worker
 */
GStrv
pen_spool_store_list (const char *state_folder, GError **error)
{
  g_autofree char *folder = g_build_filename (state_folder, PEN_SPOOL_FOLDER, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &reason);
  const char *name;

  if (dir == NULL && !g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
                   "cannot list the spools in \"%s\": %s", folder, reason->message);
      return NULL;
    }
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, PEN_SPOOL_SUFFIX) && strlen (name) > strlen (PEN_SPOOL_SUFFIX))
      g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (PEN_SPOOL_SUFFIX)));
  g_ptr_array_sort (names, pen_spool_compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_steal (names, NULL);
}

/* --- opening --- */

static gboolean
pen_spool_store_write_own_row (PenSpoolStore *self,
                               guint64 newest,
                               PenSpoolState state,
                               GError **error)
{
  const PenSpoolCursorRow row
      = { .delivered = newest, .needed = self->status.cursors_lost, .until = state };

  return pen_spool_database_set_cursor (self->database, &row, error);
}

/* Says in the database itself that it is open, and not only in its log: who removes the log shall
 * not make it look as if it had been closed. What an earlier process left behind the end of the
 * log goes, too. */
static gboolean
pen_spool_store_mark_open (PenSpoolStore *self, GError **error)
{
  g_autoptr (GError) reason = NULL;

  /* on a full disk: what is in it can still be delivered, and makes room */
  if (!pen_spool_store_write_own_row (self, self->status.newest, PEN_SPOOL_OPEN, &reason)
      && (self->state == PEN_SPOOL_SETTLED
          || !g_error_matches (reason, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED)))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  pen_spool_database_checkpoint (self->database, SQLITE_CHECKPOINT_TRUNCATE);
  return pen_spool_store_remember_place (self, error);
}

/* The rows of this version say so themselves, should the header be wrong. A step from an earlier
 * version to this one belongs here. */
static gboolean
pen_spool_store_check_version (PenSpoolStore *self, gint64 id, gint64 version, GError **error)
{
  if (id == PEN_SPOOL_APPLICATION_ID && version == PEN_SPOOL_VERSION)
    return TRUE;
  if (!pen_spool_store_is_read_only (self) && pen_spool_store_has_rows (self))
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED,
                 "spool \"%s\" is damaged: its header is wrong", self->path);
  else if (id != PEN_SPOOL_APPLICATION_ID)
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FOREIGN,
                 "\"%s\" is a database, but not a spool; it is left alone: move it away",
                 self->path);
  else
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FOREIGN,
                 "spool \"%s\" has format %d, this program knows formats up to %d; it is left "
                 "alone: run the program that made it, or a later one",
                 self->path, (int) version, PEN_SPOOL_VERSION);
  return FALSE;
}

static gboolean
pen_spool_store_ask_version (PenSpoolStore *self, GError **error)
{
  gint64 id;
  gint64 version;

  return pen_spool_database_get_pragma (self->database, "application_id", &id, error)
         && pen_spool_database_get_pragma (self->database, "user_version", &version, error)
         && pen_spool_store_check_version (self, id, version, error);
}

/* Before SQLite has it: that would change the header of a database that is not ours. */
static gboolean
pen_spool_store_check_header (PenSpoolStore *self, GError **error)
{
  PenSpoolHeader header;

  if (!pen_spool_header_read (&header, self->path, error))
    return FALSE;
  if (header.is_database)
    return pen_spool_store_check_version (self, header.application_id, header.version, error);
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED, "spool \"%s\" is damaged: %s",
               self->path,
               header.is_there ? "it does not begin as a database does" : "only its log is there");
  return FALSE;
}

static void
pen_spool_store_abandon (PenSpoolStore *self)
{
  g_clear_pointer (&self->database, pen_spool_database_abandon);
}

/* Who removes the log of a spool that is not closed removes its last messages. */
static void
pen_spool_store_miss_log (PenSpoolStore *self)
{
  pen_spool_store_tell (
      self, G_LOG_LEVEL_WARNING,
      "the log of spool \"%s\" is missing, and with it what came last: \"%s\" must "
      "not be removed",
      self->path, self->wal_path);
  self->given += PEN_SPOOL_SKIPPED_POSITIONS;
}

static gboolean
pen_spool_store_connect_for_writing (PenSpoolStore *self, gboolean is_thorough, GError **error)
{
  gboolean had_log = g_file_test (self->wal_path, G_FILE_TEST_EXISTS);

  if (!pen_spool_store_check_header (self, error)
      || (is_thorough && !pen_spool_store_check_log (self, error)))
    return FALSE;
  self->database = pen_spool_database_open (self->path, FALSE /* read only */, error);
  if (self->database == NULL || !pen_spool_store_load (self, is_thorough, error))
    return FALSE;
  self->given = MAX (self->given, self->status.newest);
  if (self->state == PEN_SPOOL_OPEN && !had_log && !self->was_opened)
    pen_spool_store_miss_log (self);
  return pen_spool_store_mark_open (self, error);
}

/* Again, if it was damaged, and salvaged. */
static gboolean
pen_spool_store_connect (PenSpoolStore *self, gboolean is_thorough, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (pen_spool_store_connect_for_writing (self, is_thorough, &reason))
    return TRUE;
  pen_spool_store_abandon (self);
  if (!g_error_matches (reason, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (pen_spool_store_salvage (self, reason->message, error)
      && pen_spool_store_connect_for_writing (self, TRUE /* thorough */, error))
    {
      self->state = PEN_SPOOL_CLOSED;
      return TRUE;
    }
  pen_spool_store_abandon (self);
  return FALSE;
}

static gboolean
pen_spool_store_connect_for_reading (PenSpoolStore *self, GError **error)
{
  self->database = pen_spool_database_open (self->path, TRUE /* read only */, error);
  return self->database != NULL && pen_spool_store_ask_version (self, error)
         && pen_spool_store_load (self, FALSE /* thorough */, error);
}

/* Whether there is anything of a spool. */
static gboolean
pen_spool_store_exists (PenSpoolStore *self)
{
  g_autofree char *new_path = pen_spool_store_get_beside (self, ".new");
  struct stat status;

  return g_file_test (self->path, G_FILE_TEST_EXISTS)
         || (!pen_spool_store_is_read_only (self)
             && (g_file_test (new_path, G_FILE_TEST_EXISTS)
                 || (g_stat (self->wal_path, &status) == 0 && status.st_size > 0)));
}

/* Makes what is missing, if it may. */
static gboolean
pen_spool_store_prepare (PenSpoolStore *self, GError **error)
{
  if ((self->flags & (PEN_SPOOL_STORE_READ_ONLY | PEN_SPOOL_STORE_MUST_EXIST)) != 0
      && !pen_spool_store_exists (self))
    {
      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_MISSING,
                   "pipeline %s has no spool: there is no \"%s\"", self->pipeline, self->path);
      return FALSE;
    }
  if (pen_spool_store_is_read_only (self))
    return TRUE;
  if (!pen_spool_folder_make (self->folder, error))
    return FALSE;
  self->lock_fd = pen_spool_lock_take (self->lock_path, error);
  if (self->lock_fd < 0 || !pen_spool_store_finish (self, NULL, error))
    return FALSE;
  return pen_spool_store_exists (self) || pen_spool_store_make (self, error);
}

static void
pen_spool_store_free (PenSpoolStore *self)
{
  g_clear_pointer (&self->database, pen_spool_database_free);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  g_ptr_array_unref (self->cursors);
  g_clear_pointer (&self->trusted, g_ptr_array_unref);
  g_free (self->folder);
  g_free (self->pipeline);
  g_free (self->path);
  g_free (self->wal_path);
  g_free (self->lock_path);
  g_free (self);
}

/*
 * pen_spool_store_open:
 * @state_folder: where the folder of the spools is, or is made
 * @pipeline: name of a pipeline, as pen_name_is_valid () has it
 * @functions: (nullable): how the store speaks
 *
 * Makes folder and file where they are missing, locks, verifies all of it, and salvages what is
 * damaged into a new file; the damaged one stays beside it as PIPELINE.db.damaged-TIME.
 *
 * Read only: takes no lock, changes nothing, and does not look at all of it; see
 * pen_spool_store_verify ().
 *
 * Returns: (transfer full) (nullable): the store
 *
 * Threads: worker
 */
PenSpoolStore *
pen_spool_store_open (const char *state_folder,
                      const char *pipeline,
                      PenSpoolStoreFlags flags,
                      const PenSpoolStoreFunctions *functions,
                      gpointer user_data,
                      GError **error)
{
  PenSpoolStore *self = NULL;
  g_autofree char *state = NULL;

  g_return_val_if_fail (pipeline[0] != '\0' && pipeline[0] != '.', NULL);
  g_return_val_if_fail (strchr (pipeline, '/') == NULL, NULL);

  self = g_new0 (PenSpoolStore, 1);
  state = g_canonicalize_filename (state_folder, NULL /* relative to here */);
  self->folder = g_build_filename (state, PEN_SPOOL_FOLDER, NULL);
  self->pipeline = g_strdup (pipeline);
  self->path = g_strconcat (self->folder, G_DIR_SEPARATOR_S, pipeline, PEN_SPOOL_SUFFIX, NULL);
  self->wal_path = g_strconcat (self->path, "-wal", NULL);
  self->lock_path
      = g_strconcat (self->folder, G_DIR_SEPARATOR_S, pipeline, PEN_SPOOL_LOCK_SUFFIX, NULL);
  self->flags = flags;
  if (functions != NULL)
    self->functions = *functions;
  self->user_data = user_data;
  self->lock_fd = -1;
  self->cursors = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_held_cursor_free);
  self->undo_after = G_MAXUINT64;
  if (pen_spool_store_prepare (self, error)
      && (pen_spool_store_is_read_only (self)
              ? pen_spool_store_connect_for_reading (self, error)
              : pen_spool_store_connect (self, TRUE /* thorough */, error)))
    {
      self->status.was_closed = self->state == PEN_SPOOL_SETTLED;
      self->was_opened = TRUE;
      return self;
    }
  pen_spool_store_free (self);
  return NULL;
}

/* --- staying open --- */

/* What was committed into a file that was not there any more, and so refused, goes out again. */
static gboolean
pen_spool_store_undo (PenSpoolStore *self, GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (self->undo_after == G_MAXUINT64)
    return TRUE;
  statement = pen_spool_database_get (self->database, PEN_SPOOL_SQL_DELETE, error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) self->undo_after + 1);
  sqlite3_bind_int64 (statement, 2, G_MAXINT64);
  if (!pen_spool_database_run (self->database, statement, NULL, error)
      || !pen_spool_store_load (self, FALSE /* thorough */, error))
    return FALSE;
  self->undo_after = G_MAXUINT64;
  return TRUE;
}

/* If somebody has removed the files, all that the open ones hold is written into new ones. */
static gboolean
pen_spool_store_stay_in_place (PenSpoolStore *self, GError **error)
{
  if (pen_spool_store_is_in_place (self))
    return TRUE;
  if (!pen_spool_store_put_back (self, error))
    return FALSE;
  pen_spool_store_abandon (self);
  return pen_spool_store_connect (self, FALSE /* thorough */, error);
}

/* Before each use. */
static gboolean
pen_spool_store_make_ready (PenSpoolStore *self, GError **error)
{
  if (pen_spool_store_is_read_only (self))
    return TRUE;
  if (self->database == NULL && !pen_spool_store_connect (self, TRUE /* thorough */, error))
    return FALSE;
  if (!sqlite3_get_autocommit (self->database->handle))
    return TRUE; /* within a PenSpoolEdit */
  return pen_spool_store_undo (self, error) && pen_spool_store_stay_in_place (self, error);
}

/* Takes @reason. TRUE: it was damage, which is repaired, so try again. The cursors are those that
 * were committed last, whatever has become of their page. */
static gboolean
pen_spool_store_repair (PenSpoolStore *self, GError *reason, GError **error)
{
  gboolean is_good;

  if (pen_spool_store_is_read_only (self) || !sqlite3_get_autocommit (self->database->handle)
      || !g_error_matches (reason, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED))
    {
      g_propagate_error (error, reason);
      return FALSE;
    }
  pen_spool_store_abandon (self);
  if (self->trusted == NULL)
    self->trusted = pen_spool_held_cursors_copy (self->cursors);
  is_good = pen_spool_store_salvage (self, reason->message, error)
            && pen_spool_store_connect (self, TRUE /* thorough */, error);
  self->status.was_closed = FALSE;
  g_error_free (reason);
  return is_good;
}

/*
 * pen_spool_store_close:
 * @self: (transfer full): a store
 * @all_settled: the cursors say all; the next opening finds was_closed
 *
 * Threads: worker
 */
void
pen_spool_store_close (PenSpoolStore *self, gboolean all_settled)
{
  PenSpoolState state = all_settled ? PEN_SPOOL_SETTLED : PEN_SPOOL_CLOSED;
  g_autoptr (GError) error = NULL;

  if (self->database != NULL && !pen_spool_store_is_read_only (self)
      && (!pen_spool_store_stay_in_place (self, &error)
          || !pen_spool_store_write_own_row (self, self->status.newest, state, &error)))
    pen_spool_store_tell (self, G_LOG_LEVEL_WARNING, "%s; the next start sees a crash",
                          error->message);
  pen_spool_store_free (self);
}

/* --- what there is --- */

/* Threads: any */
const char *
pen_spool_store_get_path (const PenSpoolStore *self)
{
  return self->path;
}

/*
 * pen_spool_store_get_status:
 *
 * Of a store that is read only: as it is now, or, if that cannot be read, as it last was.
 *
 * Threads: worker
 */
void
pen_spool_store_get_status (const PenSpoolStore *self, PenSpoolStatus *status)
{
  if (pen_spool_store_is_read_only (self))
    pen_spool_store_load ((PenSpoolStore *) self, FALSE /* thorough */, NULL);
  *status = self->status;
}

/*
 * pen_spool_store_get_cursors:
 *
 * Returns: (transfer full) (element-type PenSpoolCursor) (nullable): in the order in which they
 *   were made
 *
 * Threads: worker
 */
GPtrArray *
pen_spool_store_get_cursors (PenSpoolStore *self, GError **error)
{
  GPtrArray *cursors = NULL;

  if (pen_spool_store_is_read_only (self) && !pen_spool_store_load (self, FALSE, error))
    return NULL;
  cursors = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);
  for (guint i = 0; i < self->cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (self->cursors, i);

      g_ptr_array_add (cursors, pen_spool_cursor_new (cursor->sink, cursor->delivered,
                                                      cursor->needed, cursor->until));
    }
  return cursors;
}

/* --- reading --- */

static void
pen_spool_store_take_row (PenSpoolStore *self,
                          sqlite3_stmt *statement,
                          GPtrArray *records,
                          guint64 *n_bytes)
{
  PenSpoolRow row;
  PenSpoolRecord *record = NULL;

  if (pen_spool_database_get_row (statement, &row))
    record = pen_spool_row_to_record (&row);
  *n_bytes += row.fields[PEN_SPOOL_PAYLOAD].length;
  if (record != NULL)
    g_ptr_array_add (records, record);
  else
    pen_spool_store_tell (self, G_LOG_LEVEL_WARNING,
                          "message %" G_GUINT64_FORMAT " of spool \"%s\" is damaged, and left out: "
                          "its CRC is wrong",
                          row.position, self->path);
}

static GPtrArray *
pen_spool_store_select (PenSpoolStore *self,
                        guint64 after,
                        guint max_records,
                        guint64 max_bytes,
                        guint64 *last,
                        GError **error)
{
  sqlite3_stmt *statement = pen_spool_database_get (self->database, PEN_SPOOL_SQL_READ, error);
  g_autoptr (GPtrArray) records = NULL;
  guint64 n_bytes = 0;
  guint n_rows = 0;
  int code = SQLITE_ROW;

  *last = after;
  if (statement == NULL)
    return NULL;
  records = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  sqlite3_bind_int64 (statement, 1, (gint64) MIN (after, G_MAXINT64));
  sqlite3_bind_int64 (statement, 2, -1 /* no limit */);
  while (n_rows < max_records && (n_rows == 0 || n_bytes < max_bytes)
         && (code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      n_rows++;
      *last = (guint64) sqlite3_column_int64 (statement, 0);
      pen_spool_store_take_row (self, statement, records, &n_bytes);
    }
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    pen_spool_database_set_error (self->database, code, "read", error);
  if (code == SQLITE_DONE && !pen_spool_store_is_read_only (self))
    *last = MAX (*last, self->status.newest);
  sqlite3_reset (statement);
  pen_spool_database_shrink (self->database);
  return code == SQLITE_ROW || code == SQLITE_DONE ? g_steal_pointer (&records) : NULL;
}

/*
 * pen_spool_store_read:
 * @after: position
 * @max_records: how many at most
 * @max_bytes: of payload; the one that goes beyond it is the last
 * @last: (out): position up to which it looked: that of the last message, or, at the end, that of
 *   the newest that ever came
 *
 * Returns: (transfer full) (element-type PenSpoolRecord) (nullable): messages in order; damaged
 *   ones are left out, and told
 *
 * Threads: worker
 */
GPtrArray *
pen_spool_store_read (PenSpoolStore *self,
                      guint64 after,
                      guint max_records,
                      guint64 max_bytes,
                      guint64 *last,
                      GError **error)
{
  g_autoptr (GError) reason = NULL;
  GPtrArray *records = NULL;

  if (!pen_spool_store_make_ready (self, error))
    return NULL;
  records = pen_spool_store_select (self, after, max_records, max_bytes, last, &reason);
  if (records != NULL || !pen_spool_store_repair (self, g_steal_pointer (&reason), error))
    return records;
  return pen_spool_store_select (self, after, max_records, max_bytes, last, error);
}

/* --- writing --- */

/* What a commit is about to make true. */
typedef struct
{
  PenSpoolStatus status;
  GPtrArray *cursors; /* PenSpoolHeldCursor */
} PenSpoolChange;

static PenSpoolHeldCursor *
pen_spool_change_find_cursor (GPtrArray *cursors, const char *sink, gint64 *newest_id)
{
  *newest_id = 0;
  for (guint i = 0; i < cursors->len; i++)
    {
      PenSpoolHeldCursor *held = g_ptr_array_index (cursors, i);

      if (g_str_equal (held->cursor.sink, sink))
        return held;
      *newest_id = MAX (*newest_id, held->id);
    }
  return NULL;
}

static gboolean
pen_spool_store_append (PenSpoolStore *self,
                        PenSpoolChange *change,
                        GPtrArray *records,
                        GError **error)
{
  g_autoptr (GByteArray) properties = g_byte_array_new ();

  for (guint i = 0; i < records->len; i++)
    {
      PenSpoolRecord *record = g_ptr_array_index (records, i);
      PenSpoolRow row;

      record->position = ++self->given;
      pen_spool_row_from_record (&row, record->position, record, properties);
      if (!pen_spool_database_insert (self->database, PEN_SPOOL_SQL_INSERT, &row, error))
        return FALSE;
    }
  change->status.newest = self->given;
  change->status.n_records += records->len;
  return pen_spool_store_write_own_row (self, self->given, PEN_SPOOL_OPEN, error);
}

static gboolean
pen_spool_store_move_cursor (PenSpoolStore *self,
                             PenSpoolChange *change,
                             const PenSpoolCursor *cursor,
                             GError **error)
{
  gint64 newest_id;
  PenSpoolHeldCursor *held
      = pen_spool_change_find_cursor (change->cursors, cursor->sink, &newest_id);
  PenSpoolCursorRow row = { 0 };

  if (held == NULL)
    {
      held = g_new0 (PenSpoolHeldCursor, 1);
      held->cursor.sink = g_strdup (cursor->sink);
      held->id = newest_id + 1;
      g_ptr_array_add (change->cursors, held);
    }
  /* a programmer's mistake; what has been delivered stays so */
  g_warn_if_fail (cursor->delivered >= held->cursor.delivered);
  held->cursor.delivered = MAX (held->cursor.delivered, cursor->delivered);
  held->cursor.needed = cursor->needed;
  held->cursor.until = cursor->until;
  row.id = held->id;
  row.sink = (PenSpoolBytes){ cursor->sink, strlen (cursor->sink) };
  row.delivered = held->cursor.delivered;
  row.needed = held->cursor.needed;
  row.until = held->cursor.until;
  return pen_spool_database_set_cursor (self->database, &row, error);
}

static gboolean
pen_spool_store_change (PenSpoolStore *self,
                        PenSpoolChange *change,
                        GPtrArray *records,
                        GPtrArray *cursors,
                        gint64 keep_after_us,
                        GError **error)
{
  gboolean is_idle = (records == NULL || records->len == 0) && cursors == NULL;
  PenSpoolStatus *status = &change->status;
  guint64 n_deleted;

  if (records != NULL && records->len > 0 && !pen_spool_store_append (self, change, records, error))
    return FALSE;
  status->cursors_lost = status->cursors_lost && cursors == NULL;
  for (guint i = 0; cursors != NULL && i < cursors->len; i++)
    if (!pen_spool_store_move_cursor (self, change, g_ptr_array_index (cursors, i), error))
      return FALSE;
  if (!pen_spool_store_trim (self, change->cursors, status->newest, keep_after_us, is_idle,
                             &n_deleted, error))
    return FALSE;
  status->n_records -= MIN (n_deleted, status->n_records);
  if ((n_deleted > 0 || status->oldest > self->status.newest)
      && !pen_spool_store_find_oldest (self, status->newest, &status->oldest, error))
    return FALSE;
  return pen_spool_store_measure (self, &status->used_bytes, error);
}

/* A log without end would take the disk. What cannot be copied now stays in the log: nothing is
 * lost, and the next commit tries again. */
static void
pen_spool_store_checkpoint (PenSpoolStore *self)
{
  if (self->database->n_wal_frames >= CHECKPOINT_FRAMES)
    pen_spool_database_checkpoint (self->database, SQLITE_CHECKPOINT_PASSIVE);
}

static gboolean
pen_spool_store_transact (PenSpoolStore *self,
                          GPtrArray *records,
                          GPtrArray *cursors,
                          gint64 keep_after_us,
                          GError **error)
{
  PenSpoolDatabase *database = self->database;
  PenSpoolChange change = { self->status, NULL };
  gboolean is_good = FALSE;

  if (!pen_spool_database_run_sql (database, PEN_SPOOL_SQL_BEGIN, NULL, error))
    return FALSE;
  change.cursors = pen_spool_held_cursors_copy (self->cursors);
  is_good = pen_spool_store_change (self, &change, records, cursors, keep_after_us, error)
            && pen_spool_database_run_sql (database, PEN_SPOOL_SQL_COMMIT, NULL, error);
  if (is_good)
    {
      self->status = change.status;
      g_ptr_array_unref (self->cursors);
      self->cursors = change.cursors;
      pen_spool_store_checkpoint (self);
      pen_spool_database_shrink (database);
      return TRUE;
    }
  g_ptr_array_unref (change.cursors);
  if (!sqlite3_get_autocommit (database->handle))
    pen_spool_database_run_sql (database, PEN_SPOOL_SQL_ROLLBACK, NULL, NULL);
  return FALSE;
}

/*
 * pen_spool_store_commit:
 * @records: (nullable) (element-type PenSpoolRecord): to be appended; their positions are set
 * @cursors: (nullable) (element-type PenSpoolCursor): to be moved, or made
 * @keep_after_us: what arrived before this, and what no cursor waits for, may be deleted; the first
 *   message that is to be kept ends it. %G_MAXINT64: keep nothing
 *
 * All in one transaction, which is durable when it returns %TRUE. Deletes a portion, when it is
 * worth it; with neither records nor cursors it deletes all it can, in larger portions.
 *
 * Returns: %FALSE: nothing was changed, and the store is as usable as before
 *
 * Threads: worker
 */
gboolean
pen_spool_store_commit (PenSpoolStore *self,
                        GPtrArray *records,
                        GPtrArray *cursors,
                        gint64 keep_after_us,
                        GError **error)
{
  g_autoptr (GError) reason = NULL;
  guint64 newest;

  g_return_val_if_fail (!pen_spool_store_is_read_only (self), FALSE);

  if (!pen_spool_store_make_ready (self, error))
    return FALSE;
  newest = self->status.newest;
  if (!pen_spool_store_transact (self, records, cursors, keep_after_us, &reason)
      && (!pen_spool_store_repair (self, g_steal_pointer (&reason), error)
          || !pen_spool_store_transact (self, records, cursors, keep_after_us, error)))
    return FALSE;
  if (pen_spool_store_stay_in_place (self, error))
    return TRUE;
  self->undo_after = newest;
  return FALSE;
}

/*
 * pen_spool_store_drop_cursor:
 * @sink: name of a sink; one without a cursor is none
 *
 * Throws away the cursor of @sink, which waits for nothing any more.
 *
 * Threads: worker
 */
gboolean
pen_spool_store_drop_cursor (PenSpoolStore *self, const char *sink, GError **error)
{
  gint64 newest_id;
  PenSpoolHeldCursor *held = pen_spool_change_find_cursor (self->cursors, sink, &newest_id);
  sqlite3_stmt *statement = NULL;

  g_return_val_if_fail (!pen_spool_store_is_read_only (self), FALSE);

  if (held == NULL)
    return TRUE;
  if (!pen_spool_store_make_ready (self, error))
    return FALSE;
  statement = pen_spool_database_get (self->database, PEN_SPOOL_SQL_DROP_CURSOR, error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, held->id);
  if (!pen_spool_database_run (self->database, statement, NULL, error))
    return FALSE;
  g_ptr_array_remove (self->cursors, held);
  return TRUE;
}
