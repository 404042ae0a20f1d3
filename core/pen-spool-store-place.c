/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The place of a spool: a new file comes into it whole or not at all, and a file that somebody has
 * removed under an open store is written anew.
 *
 * A file is made as PIPELINE.db.tmp, which is worth nothing, and becomes PIPELINE.db.new when it is
 * durable, which is worth more than what is in its place. Then what is in its place goes aside, the
 * log first: SQLite would play the log of one database into another. Whoever finds a .new goes on
 * from there.
 *
 * A process that writes into a removed file notices nothing, and neither does SQLite: all would
 * seem well until the process ends. So each commit looks before and after it whether the path
 * still names the file that is open.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* documented in the private header */
char *
pen_spool_store_get_beside (const PenSpoolStore *self, const char *suffix)
{
  return g_strconcat (self->path, suffix, NULL);
}

static gboolean
pen_spool_store_rename (PenSpoolStore *self, const char *from, const char *to, GError **error)
{
  if (g_rename (from, to) == 0 || errno == ENOENT)
    return TRUE;
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
               "cannot rename \"%s\" to \"%s\": %s; the folder must belong to this user", from, to,
               g_strerror (errno));
  return FALSE;
}

/* (transfer full): a name beside the spool that nothing has yet */
static char *
pen_spool_store_find_aside (PenSpoolStore *self)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%SZ");
  char *path = g_strdup_printf ("%s" PEN_SPOOL_DAMAGED_INFIX "%s", self->path, time);

  for (guint i = 2; g_file_test (path, G_FILE_TEST_EXISTS); i++)
    {
      g_free (path);
      path = g_strdup_printf ("%s" PEN_SPOOL_DAMAGED_INFIX "%s-%u", self->path, time, i);
    }
  return path;
}

/* documented in the private header */
gboolean
pen_spool_store_finish (PenSpoolStore *self, char **aside, GError **error)
{
  g_autofree char *new_path = pen_spool_store_get_beside (self, ".new");
  g_autofree char *shm_path = pen_spool_store_get_beside (self, "-shm");
  g_autofree char *aside_path = NULL;
  g_autofree char *aside_wal_path = NULL;
  gboolean has_aside;

  if (!g_file_test (new_path, G_FILE_TEST_EXISTS))
    return TRUE;
  aside_path = pen_spool_store_find_aside (self);
  aside_wal_path = g_strconcat (aside_path, "-wal", NULL);
  has_aside = g_file_test (self->path, G_FILE_TEST_EXISTS)
              || g_file_test (self->wal_path, G_FILE_TEST_EXISTS);
  g_unlink (shm_path); /* made anew by whoever opens it */
  if (!pen_spool_store_rename (self, self->wal_path, aside_wal_path, error)
      || !pen_spool_store_rename (self, self->path, aside_path, error)
      || !pen_spool_store_rename (self, new_path, self->path, error)
      || !pen_spool_folder_sync (self->folder, error))
    return FALSE;
  if (aside != NULL && has_aside)
    *aside = g_steal_pointer (&aside_path);
  return TRUE;
}

/* documented in the private header */
gboolean
pen_spool_store_complete (PenSpoolStore *self, GError **error)
{
  g_autofree char *tmp_path = pen_spool_store_get_beside (self, ".tmp");
  g_autofree char *new_path = pen_spool_store_get_beside (self, ".new");

  return pen_spool_file_sync (tmp_path, error)
         && pen_spool_store_rename (self, tmp_path, new_path, error)
         && pen_spool_folder_sync (self->folder, error);
}

/* documented in the private header */
gboolean
pen_spool_store_make (PenSpoolStore *self, GError **error)
{
  g_autofree char *tmp_path = pen_spool_store_get_beside (self, ".tmp");
  PenSpoolDatabase *database = NULL;

  g_unlink (tmp_path);
  database = pen_spool_database_create (tmp_path, error);
  if (database == NULL)
    return FALSE;
  pen_spool_database_free (database);
  return pen_spool_store_complete (self, error) && pen_spool_store_finish (self, NULL, error);
}

/* documented in the private header */
gboolean
pen_spool_store_remember_place (PenSpoolStore *self, GError **error)
{
  if (pen_spool_identity_get (&self->identity, self->path)
      && pen_spool_identity_get (&self->wal_identity, self->wal_path)
      && pen_spool_identity_of_descriptor (&self->lock_identity, self->lock_fd)
      && !pen_spool_database_is_moved (self->database))
    return TRUE;
  g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
               "cannot open spool \"%s\": somebody removes its files", self->path);
  return FALSE;
}

/* documented in the private header */
gboolean
pen_spool_store_is_in_place (const PenSpoolStore *self)
{
  return pen_spool_identity_is_at (&self->identity, self->path)
         && pen_spool_identity_is_at (&self->wal_identity, self->wal_path)
         && pen_spool_identity_is_at (&self->lock_identity, self->lock_path);
}

/* The lock first: if it is gone as well, another process may have begun a spool of its own. */
static gboolean
pen_spool_store_lock_again (PenSpoolStore *self, GError **error)
{
  int fd;

  if (pen_spool_identity_is_at (&self->lock_identity, self->lock_path))
    return TRUE;
  fd = pen_spool_lock_take (self->lock_path, error);
  if (fd < 0)
    return FALSE;
  close (self->lock_fd);
  self->lock_fd = fd;
  return pen_spool_folder_sync (self->folder, error);
}

static gboolean
pen_spool_store_copy (PenSpoolStore *self, const char *path, GError **error)
{
  char *sql = NULL;
  gboolean is_good = FALSE;
  int fd;

  g_unlink (path);
  fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot make \"%s\": %s", path,
                   g_strerror (errno));
      return FALSE;
    }
  pen_spool_file_give (fd, path);
  close (fd);
  sql = sqlite3_mprintf ("VACUUM INTO %Q", path);
  is_good = pen_spool_database_execute (self->database, sql, error);
  sqlite3_free (sql);
  if (!is_good)
    g_unlink (path);
  return is_good;
}

static void
pen_spool_store_remove_own (const PenSpoolIdentity *identity, const char *path)
{
  if (pen_spool_identity_is_at (identity, path))
    g_unlink (path);
}

/* documented in the private header */
gboolean
pen_spool_store_put_back (PenSpoolStore *self, GError **error)
{
  g_autofree char *tmp_path = pen_spool_store_get_beside (self, ".tmp");
  g_autofree char *aside = NULL;

  if (!pen_spool_folder_make (self->folder, error) || !pen_spool_store_lock_again (self, error)
      || !pen_spool_store_copy (self, tmp_path, error) || !pen_spool_store_complete (self, error))
    return FALSE;
  /* what is left of our own is in the copy; what somebody else has put there goes aside */
  pen_spool_store_remove_own (&self->wal_identity, self->wal_path);
  pen_spool_store_remove_own (&self->identity, self->path);
  if (!pen_spool_store_finish (self, &aside, error))
    return FALSE;
  pen_spool_store_tell (self, G_LOG_LEVEL_WARNING,
                        "somebody has removed files of spool \"%s\" while it was in use; all that "
                        "it holds, %" G_GUINT64_FORMAT " messages, was written into a new one",
                        self->path, self->status.n_records);
  if (aside != NULL)
    pen_spool_store_tell (self, G_LOG_LEVEL_WARNING, "what was found in its place is now \"%s\"",
                          aside);
  return TRUE;
}
