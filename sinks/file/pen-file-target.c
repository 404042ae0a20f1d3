/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file that lines are appended to, with this invariant: between two calls it ends with a whole
 * line, or what is missing is known and comes first next time. A write that fails in the middle of
 * a line is cut back to the line's beginning, which needs no space on a full disk. What cannot be
 * cut (a pipe, a device) is completed.
 *
 * One writer at a time: the file is locked with flock(), which also keeps two pipelines of one
 * process apart. Whoever appends without asking for the lock is noticed by the file's size, and
 * then nothing is cut.
 */

#include "config.h"

#include "pen-file-target.h"

#include "pen-file-repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a file may vanish between being opened and being locked before we give up. */
#define MAX_OPEN_ATTEMPTS 8

struct _PenFileTarget
{
  char *path;
  int fd;
  gboolean is_regular;
  dev_t device; /* which file @fd has open */
  ino_t inode;
  gint64 begun_us; /* when the first of its lines was written, as far as is known */
  guint64 size;
  guint64 begin_size;     /* when the batch began */
  gboolean is_dirty;      /* whether something was written since the last sync */
  gboolean is_broken;     /* a failure that closing and opening may mend */
  gboolean needs_newline; /* a line is torn and could not be cut off */
  PenLines *rest;         /* of a line that can only be completed */
  PenEvent *rest_event;
};

static gboolean
pen_file_target_fail (GError **error, const char *what, const char *path, int error_number)
{
  const char *advice = "";

  if (error_number == ENOSPC || error_number == EDQUOT)
    advice = "; make room, it goes on by itself";
  else if (error_number == EACCES || error_number == EPERM)
    advice = "; check the owner and mode of the file and of its folders";
  else if (error_number == EISDIR)
    advice = "; path must name a file";
  else if (error_number == ENXIO)
    advice = "; no process reads from this pipe";
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "write", "cannot %s '%s': %s%s", what,
                         path, g_strerror (error_number), advice);
  return FALSE;
}

/* Makes a new entry in the folder of @path outlive a power cut; not every file system can. */
gboolean
pen_file_sync_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean is_synced = fd >= 0 && (fsync (fd) == 0 || errno == EINVAL);

  if (fd >= 0)
    close (fd);
  return is_synced;
}

/* Whether @path leads to the file that @fd has open. */
gboolean
pen_file_is_at (int fd, const char *path)
{
  struct stat here;
  struct stat there;

  return fstat (fd, &here) == 0 && stat (path, &there) == 0 && here.st_dev == there.st_dev
         && here.st_ino == there.st_ino;
}

static gboolean
pen_file_target_make_folder (const char *path, mode_t mode, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  mode_t folder_mode = mode | S_IRWXU;

  /* who may read the files may look into the folder */
  folder_mode |= (mode & S_IRGRP) != 0 ? S_IXGRP : 0;
  folder_mode |= (mode & S_IROTH) != 0 ? S_IXOTH : 0;
  if (g_mkdir_with_parents (folder, (int) folder_mode) < 0)
    return pen_file_target_fail (error, "create the folder", folder, errno);
  return TRUE;
}

/* A descriptor, or -1 with errno. @is_new says whether the file was created. */
static int
pen_file_target_open_fd (const char *path, mode_t mode, gboolean *is_new)
{
  const int flags = O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  struct stat status;
  int fd;

  *is_new = FALSE;
  /* Reading is for the repair; a pipe must not be its own reader. */
  if (stat (path, &status) == 0)
    return open (path, flags | (S_ISREG (status.st_mode) ? O_RDWR : O_WRONLY));
  fd = open (path, flags | O_RDWR | O_CREAT | O_EXCL, mode);
  *is_new = fd >= 0;
  return fd;
}

/* The number of the process that holds the lock on @fd's file, or 0; see proc(5), /proc/locks. */
static int
pen_file_target_find_locker (int fd)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  struct stat status;

  if (fstat (fd, &status) < 0 || !g_file_get_contents ("/proc/locks", &text, NULL, NULL))
    return 0;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      int pid;
      unsigned long inode;

      if (sscanf (lines[i], "%*s FLOCK %*s %*s %d %*x:%*x:%lu", &pid, &inode) == 2
          && inode == status.st_ino)
        return pid;
    }
  return 0;
}

static gboolean
pen_file_target_lock (int fd, const char *path, GError **error)
{
  int pid;

  /* A file system without locks (some network ones) has to do without. */
  if (flock (fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return TRUE;
  pid = pen_file_target_find_locker (fd);
  if (pid == getpid ())
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "locked",
                           "cannot write to '%s': another sink of this process writes to it; give "
                           "each a file of its own",
                           path);
  else if (pid > 0)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "locked",
                           "cannot write to '%s': process %d writes to it; give each a file of its "
                           "own",
                           path, pid);
  else
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "locked",
                           "cannot write to '%s': another process writes to it; give each a file "
                           "of its own",
                           path);
  return FALSE;
}

/* Takes over @self->fd: looks at what it is, locks it, puts right what a crash left. */
static gboolean
pen_file_target_take (PenFileTarget *self,
                      const PenFileOptions *options,
                      gboolean is_new,
                      char **notice,
                      GError **error)
{
  struct stat status;

  if (fstat (self->fd, &status) < 0)
    return pen_file_target_fail (error, "open", self->path, errno);
  if (S_ISDIR (status.st_mode))
    return pen_file_target_fail (error, "open", self->path, EISDIR);
  self->is_regular = S_ISREG (status.st_mode);
  self->device = status.st_dev;
  self->inode = status.st_ino;
  if (!self->is_regular && !options->may_wait)
    {
      pen_element_set_error (
          error, PEN_ELEMENT_ERROR_RETRY, "write",
          "cannot write to '%s': it is a pipe or a device, and was none when the "
          "pipeline started; set fsync=batch, or remove it",
          self->path);
      return FALSE;
    }
  if (!self->is_regular)
    return TRUE;
  if (!pen_file_target_lock (self->fd, self->path, error))
    return FALSE;
  /* The mode was asked for, so the umask does not thin it out. */
  if (is_new && fchmod (self->fd, options->mode) < 0)
    return pen_file_target_fail (error, "set the mode of", self->path, errno);
  if (is_new && options->is_durable && !pen_file_sync_folder (self->path))
    return pen_file_target_fail (error, "sync the folder of", self->path, errno);
  if (!is_new
      && !pen_file_repair (self->fd, self->path, options->format, options->mode, notice, error))
    return FALSE;
  if (fstat (self->fd, &status) < 0)
    return pen_file_target_fail (error, "open", self->path, errno);
  self->size = (guint64) status.st_size;
  self->begun_us = status.st_size > 0 ? status.st_mtime * G_USEC_PER_SEC : 0;
  return TRUE;
}

/* Opens a file for appending, makes it and its folders if need be. */
PenFileTarget *
pen_file_target_open (const char *path,
                      const PenFileOptions *options,
                      char **notice,
                      GError **error)
{
  for (guint attempt = 0; attempt < MAX_OPEN_ATTEMPTS; attempt++)
    {
      g_autoptr (PenFileTarget) self = g_new0 (PenFileTarget, 1);
      gboolean is_new;

      self->path = g_strdup (path);
      self->fd = pen_file_target_open_fd (path, options->mode, &is_new);
      if (self->fd < 0 && errno == ENOENT)
        {
          if (!pen_file_target_make_folder (path, options->mode, error))
            return NULL;
          self->fd = pen_file_target_open_fd (path, options->mode, &is_new);
        }
      if (self->fd < 0 && (errno == EEXIST || errno == EINTR))
        continue;
      if (self->fd < 0 && errno == ENAMETOOLONG)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "file_name",
                                 "cannot open '%s': %s", path, g_strerror (errno));
          return NULL;
        }
      if (self->fd < 0)
        {
          pen_file_target_fail (error, "open", path, errno);
          return NULL;
        }
      if (!pen_file_target_take (self, options, is_new, notice, error))
        return NULL;
      /* Somebody may have rotated it between our open () and our lock. */
      if (!self->is_regular || pen_file_is_at (self->fd, path))
        return g_steal_pointer (&self);
    }
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "write",
                         "cannot open '%s': it is replaced again and again by another process",
                         path);
  return NULL;
}

void
pen_file_target_free (PenFileTarget *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->rest, pen_lines_free);
  g_clear_pointer (&self->rest_event, pen_event_unref);
  g_free (self->path);
  g_free (self);
}

const char *
pen_file_target_get_path (const PenFileTarget *self)
{
  return self->path;
}

gboolean
pen_file_target_is_regular (const PenFileTarget *self)
{
  return self->is_regular;
}

/* Whether the path still leads to this file: it may have been deleted, or renamed by logrotate. One
 * look also tells its size, which others change: logrotate's copytruncate cuts it. */
gboolean
pen_file_target_is_in_place (PenFileTarget *self)
{
  struct stat there;

  if (stat (self->path, &there) != 0 || there.st_dev != self->device || there.st_ino != self->inode)
    return FALSE;
  if (self->is_regular)
    self->size = (guint64) there.st_size;
  return TRUE;
}

/* Whether it failed in a way that waiting does not mend: it is to be opened again. */
gboolean
pen_file_target_is_broken (const PenFileTarget *self)
{
  return self->is_broken;
}

guint64
pen_file_target_get_size (const PenFileTarget *self)
{
  return self->size;
}

/* When its first line was written, or what is nearest to that: the last change of a file that was
 * there already; 0 if it is empty. */
gint64
pen_file_target_get_begun (const PenFileTarget *self)
{
  return self->begun_us;
}

/* Completes what an earlier failure left; to be called before a batch's lines are laid out, of a
 * file that was just opened or found in place. */
gboolean
pen_file_target_begin (PenFileTarget *self, GError **error)
{
  if (self->rest != NULL)
    {
      int error_number = pen_lines_write (self->rest, self->fd);

      if (error_number != 0)
        {
          self->is_broken = error_number != ENOSPC && error_number != EDQUOT;
          return pen_file_target_fail (error, "write to", self->path, error_number);
        }
      g_clear_pointer (&self->rest, pen_lines_free);
    }
  if (self->needs_newline)
    {
      if (write (self->fd, "\n", 1) != 1)
        return pen_file_target_fail (error, "write to", self->path, errno);
      self->needs_newline = FALSE;
      self->size++;
    }
  self->begin_size = self->size;
  return TRUE;
}

/* Whether @event is the one whose line was torn and has been completed since: it is written. Asked
 * for the first event of a batch; forgets it. */
gboolean
pen_file_target_has_written (PenFileTarget *self, PenEvent *event)
{
  gboolean is_it = self->rest == NULL && self->rest_event == event;

  if (self->rest == NULL)
    g_clear_pointer (&self->rest_event, pen_event_unref);
  return is_it;
}

static void
pen_file_target_undo_torn (PenFileTarget *self, PenLines *lines, PenBatch *batch)
{
  gsize n_torn = pen_lines_get_n_torn (lines);
  struct stat status;

  if (n_torn == 0)
    return;
  if (!self->is_regular)
    {
      guint index = pen_lines_get_index (lines, pen_lines_get_n_written (lines));

      self->rest_event = pen_event_ref (pen_batch_get_event (batch, index));
      self->rest = pen_lines_steal_torn (lines);
      return;
    }
  if (fstat (self->fd, &status) == 0 && (guint64) status.st_size == self->size
      && ftruncate (self->fd, (goffset) (self->size - n_torn)) == 0)
    self->size -= n_torn;
  else
    self->needs_newline = TRUE;
}

/* Appends @lines, which were laid out from @batch. @n_written says how many of them the file has
 * when it returns, also after a failure, and then it has no part of the next. */
gboolean
pen_file_target_write (PenFileTarget *self,
                       PenLines *lines,
                       PenBatch *batch,
                       gint64 now_us,
                       guint *n_written,
                       GError **error)
{
  gsize n_before = pen_lines_get_n_bytes (lines);
  int error_number = pen_lines_write (lines, self->fd);

  *n_written = pen_lines_get_n_written (lines);
  self->size += n_before - pen_lines_get_n_bytes (lines);
  if (error_number != 0)
    {
      self->is_broken = error_number != ENOSPC && error_number != EDQUOT;
      pen_file_target_undo_torn (self, lines, batch);
      pen_file_target_fail (error, "write to", self->path, error_number);
    }
  if (*n_written > 0)
    {
      self->is_dirty = TRUE;
      if (self->begun_us == 0)
        self->begun_us = now_us;
    }
  return error_number == 0;
}

/* Brings what was written to the disk. */
gboolean
pen_file_target_sync (PenFileTarget *self, GError **error)
{
  if (!self->is_dirty || !self->is_regular)
    return TRUE;
  self->is_dirty = FALSE;
  if (fdatasync (self->fd) == 0)
    return TRUE;
  self->is_broken = TRUE;
  return pen_file_target_fail (error, "sync", self->path, errno);
}

/* Takes back what was written since pen_file_target_begin (), because it did not reach the disk: a
 * second fdatasync () would succeed without writing it, so it has to be written once more. */
void
pen_file_target_undo (PenFileTarget *self)
{
  struct stat status;

  if (self->is_regular && fstat (self->fd, &status) == 0 && (guint64) status.st_size == self->size
      && ftruncate (self->fd, (goffset) self->begin_size) == 0)
    self->size = self->begin_size;
}
