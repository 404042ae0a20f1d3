/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The folder of the spools: made durable, and each spool with a lock that names its holder.
 *
 * The lock is a file of its own: SQLite's locks on the database are POSIX locks, which a process
 * loses as soon as it closes any descriptor of that file, and they let readers in that should come
 * in. flock () is the descriptor's, and ends with the process however that ends.
 */

#include "config.h"

#include "pen-spool-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_MAX_BYTES 512

/* https://www.sqlite.org/fileformat.html, 1.3 */
#define HEADER_BYTES 100
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_VERSION 60
#define HEADER_APPLICATION_ID 68

static gboolean
pen_spool_sync (const char *path, int flags, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | flags);
  gboolean is_synced = fd >= 0 && fsync (fd) == 0;

  if (!is_synced)
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
                 "cannot write \"%s\" to its disk: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return is_synced;
}

/* documented in the private header */
gboolean
pen_spool_folder_sync (const char *folder, GError **error)
{
  return pen_spool_sync (folder, O_DIRECTORY, error);
}

/* documented in the private header */
gboolean
pen_spool_file_sync (const char *path, GError **error)
{
  return pen_spool_sync (path, O_NOFOLLOW, error);
}

/* documented in the private header */
gboolean
pen_spool_folder_make (const char *folder, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (folder);

  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (!g_str_equal (parent, folder) && !pen_spool_folder_make (parent, error))
    return FALSE;
  if (g_mkdir (folder, 0700) != 0 && !g_file_test (folder, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED,
                   "cannot make folder \"%s\": %s; the state folder must be one that this user may "
                   "write to",
                   folder, g_strerror (errno));
      return FALSE;
    }
  return pen_spool_folder_sync (parent, error);
}

static guint32
pen_spool_get_big_endian (const guint8 *bytes)
{
  return (guint32) bytes[0] << 24 | (guint32) bytes[1] << 16 | (guint32) bytes[2] << 8 | bytes[3];
}

/* documented in the private header */
gboolean
pen_spool_header_read (PenSpoolHeader *self, const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  guint8 bytes[HEADER_BYTES] = { 0 };
  ssize_t length = fd >= 0 ? pread (fd, bytes, sizeof bytes, 0) : errno == ENOENT ? 0 : -1;

  if (length < 0)
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot read spool \"%s\": %s",
                 path, errno == ELOOP ? "it is a symbolic link" : g_strerror (errno));
  self->is_there = fd >= 0;
  if (fd >= 0)
    close (fd);
  self->is_database
      = length == HEADER_BYTES && memcmp (bytes, HEADER_MAGIC, sizeof HEADER_MAGIC) == 0;
  self->application_id = pen_spool_get_big_endian (bytes + HEADER_APPLICATION_ID);
  self->version = pen_spool_get_big_endian (bytes + HEADER_VERSION);
  return length >= 0;
}

/* Documented in the private header; with nothing in it that a terminal could take amiss. */
char *
pen_spool_lock_read_holder (int fd)
{
  char text[LOCK_MAX_BYTES];
  ssize_t length = pread (fd, text, sizeof text - 1, 0);

  if (length <= 0)
    return g_strdup ("a process that does not say which");
  text[length] = '\0';
  g_strchomp (text);
  for (char *p = text; *p != '\0'; p++)
    if (!g_ascii_isprint (*p))
      *p = '?';
  return g_strconcat (PEN_SPOOL_HOLDER_PREFIX, text, NULL);
}

/* "PID COMMAND" */
static void
pen_spool_lock_write_holder (int fd)
{
  g_autofree char *command = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (g_file_get_contents ("/proc/self/cmdline", &command, &length, NULL))
    for (gsize i = 0; i + 1 < length; i++)
      command[i] = command[i] != '\0' ? command[i] : ' ';
  text = g_strdup_printf ("%d %s", (int) getpid (), command != NULL ? command : "penstock");
  length = MIN (strlen (text), LOCK_MAX_BYTES - 2);
  text[length] = '\0';
  /* only a courtesy: the lock holds without it */
  if (ftruncate (fd, 0) == 0 && pwrite (fd, text, length, 0) == (ssize_t) length)
    (void) !pwrite (fd, "\n", 1, (off_t) length);
}

/* documented in the private header */
void
pen_spool_file_give (int fd, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  struct stat status;

  /* whoever cannot open it afterwards is told so */
  if (geteuid () == 0 && stat (folder, &status) == 0 && status.st_uid != 0)
    (void) !fchown (fd, status.st_uid, status.st_gid);
}

/* documented in the private header */
gboolean
pen_spool_identity_of_descriptor (PenSpoolIdentity *self, int fd)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return FALSE;
  *self = (PenSpoolIdentity){ status.st_dev, status.st_ino };
  return TRUE;
}

/* documented in the private header */
gboolean
pen_spool_identity_get (PenSpoolIdentity *self, const char *path)
{
  struct stat status;

  if (stat (path, &status) != 0)
    return FALSE;
  *self = (PenSpoolIdentity){ status.st_dev, status.st_ino };
  return TRUE;
}

/* documented in the private header */
gboolean
pen_spool_identity_is_at (const PenSpoolIdentity *self, const char *path)
{
  PenSpoolIdentity other;

  return pen_spool_identity_get (&other, path) && other.device == self->device
         && other.inode == self->inode;
}

static void
pen_spool_lock_set_error (int fd, const char *path, GError **error)
{
  if (fd >= 0 && errno == EWOULDBLOCK)
    {
      g_autofree char *holder = pen_spool_lock_read_holder (fd);

      g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_LOCKED,
                   "the spool is in use: %s holds \"%s\"; two processes cannot share a spool, give "
                   "one of them another state folder",
                   holder, path);
    }
  else
    g_set_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED, "cannot lock \"%s\": %s", path,
                 g_strerror (errno));
}

/* Again if the file was removed between opening and locking it: that lock keeps nobody out. */
int
pen_spool_lock_take (const char *path, GError **error)
{
  while (TRUE)
    {
      int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
      PenSpoolIdentity identity;

      if (fd < 0 || flock (fd, LOCK_EX | LOCK_NB) != 0)
        {
          pen_spool_lock_set_error (fd, path, error);
          if (fd >= 0)
            close (fd);
          return -1;
        }
      if (pen_spool_identity_of_descriptor (&identity, fd)
          && pen_spool_identity_is_at (&identity, path))
        {
          pen_spool_file_give (fd, path);
          pen_spool_lock_write_holder (fd);
          return fd;
        }
      close (fd);
    }
}
