/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The socket by which a running process is looked into: where it is, and who may use it.
 *
 * A service gets a folder from systemd (RUNTIME_DIRECTORY, systemd.exec(5)), somebody at a terminal
 * has one by the XDG Base Directory Specification, and where there is neither, the state folder has
 * one. Whoever looks for a process does not have its environment, so he looks in all of them, and
 * where services have theirs.
 *
 * Only its owner and root get in: the folder has mode 0700, and the socket 0600 from the moment
 * that it exists, because Linux takes the mode of the file from that of the descriptor. It gets the
 * name that others look for when it listens already; so a socket that refuses is that of a process
 * that is gone, and the next one sweeps it away.
 */

#include "config.h"

#include "pen-cli-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".sock"
#define TEMPORARY_SUFFIX ".sock.tmp"
/* one that is younger may not listen yet */
#define TEMPORARY_SECONDS 60
#define BACKLOG 8
#define MAX_SOCKETS 1000
#define FOLDER_OF_SERVICE "/run/penstock"
#define STATE_OF_SERVICE "/var/lib/penstock"
/* in a folder that systemd has made, which others may read */
#define SERVICE_SUBFOLDER "control"
#define STATE_SUBFOLDER "run"

struct _PenCliSocket
{
  char *path;
  int fd;
};

/* The folder of systemd or XDG as it is in the environment, if there is one. */
static char *
pen_cli_socket_find_runtime_folder (void)
{
  const char *systemd = g_getenv ("RUNTIME_DIRECTORY");
  const char *xdg = g_getenv ("XDG_RUNTIME_DIR");
  /* a unit may have several; the first is the one */
  g_autofree char *first = systemd != NULL ? g_strndup (systemd, strcspn (systemd, ":")) : NULL;

  if (first != NULL && g_path_is_absolute (first))
    return g_build_filename (first, SERVICE_SUBFOLDER, NULL);
  if (xdg != NULL && g_path_is_absolute (xdg))
    return g_build_filename (xdg, "penstock", NULL);
  return NULL;
}

/* documented in the header */
GStrv
pen_cli_socket_list_folders (const char *state_folder)
{
  g_autofree char *own = pen_cli_socket_find_runtime_folder ();
  char *candidates[] = {
    g_steal_pointer (&own),
    g_build_filename (state_folder, STATE_SUBFOLDER, NULL),
    g_build_filename (FOLDER_OF_SERVICE, SERVICE_SUBFOLDER, NULL),
    g_build_filename (STATE_OF_SERVICE, STATE_SUBFOLDER, NULL),
  };
  g_autoptr (GStrvBuilder) folders = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      gboolean is_known = candidates[i] == NULL;

      for (guint j = 0; j < i && !is_known; j++)
        is_known = g_strcmp0 (candidates[j], candidates[i]) == 0;
      if (!is_known)
        g_strv_builder_add (folders, candidates[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    g_free (candidates[i]);
  return g_strv_builder_end (folders);
}

static int
pen_cli_socket_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* documented in the header */
GStrv
pen_cli_socket_list (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  g_autoptr (GError) folder_error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &folder_error);
  const char *name;

  if (dir == NULL && !g_error_matches (folder_error, G_FILE_ERROR, G_FILE_ERROR_NOENT)
      && !g_error_matches (folder_error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
    {
      g_propagate_error (error, g_steal_pointer (&folder_error));
      return NULL;
    }
  while (dir != NULL && paths->len < MAX_SOCKETS && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, SUFFIX))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (paths, pen_cli_socket_compare);
  g_ptr_array_add (paths, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&paths), FALSE);
}

/* The address has room for 107 bytes only, so it names the folder by a descriptor; -1 if there is
 * no such folder. */
static int
pen_cli_socket_make_address (const char *path, struct sockaddr_un *address)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  int fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (fd >= 0
      && (gsize) g_snprintf (address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", fd,
                             name)
             >= sizeof address->sun_path)
    {
      close (fd);
      errno = ENAMETOOLONG;
      return -1;
    }
  return fd;
}

/* documented in the header */
int
pen_cli_socket_connect (const char *path)
{
  struct sockaddr_un address;
  int folder_fd = pen_cli_socket_make_address (path, &address);
  int fd = -1;
  int code;

  if (folder_fd < 0)
    return -1;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || connect (fd, (const struct sockaddr *) &address, sizeof address) != 0)
    {
      code = errno;
      if (fd >= 0)
        close (fd);
      close (folder_fd);
      errno = code;
      return -1;
    }
  close (folder_fd);
  return fd;
}

static gboolean
pen_cli_socket_is_stale (const char *path)
{
  gboolean is_temporary = g_str_has_suffix (path, TEMPORARY_SUFFIX);
  struct stat status;
  int fd;

  if (lstat (path, &status) != 0 || !S_ISSOCK (status.st_mode)
      || (is_temporary && time (NULL) - status.st_mtime < TEMPORARY_SECONDS))
    return FALSE;
  fd = pen_cli_socket_connect (path);
  if (fd >= 0)
    close (fd);
  return fd < 0 && errno == ECONNREFUSED;
}

/* What processes left that were killed. */
static void
pen_cli_socket_sweep (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if ((g_str_has_suffix (name, SUFFIX) || g_str_has_suffix (name, TEMPORARY_SUFFIX))
          && pen_cli_socket_is_stale (path))
        g_unlink (path);
    }
}

/* FALSE with errno set. */
static gboolean
pen_cli_socket_make_folder (const char *folder)
{
  struct stat status;

  if (g_mkdir_with_parents (folder, 0700) != 0 || stat (folder, &status) != 0)
    return FALSE;
  if (status.st_uid == geteuid () && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return TRUE;
  /* somebody else could put another socket in its place */
  errno = EPERM;
  return FALSE;
}

/* Listens at @temporary, then gives it the name @path. FALSE with errno set. */
static gboolean
pen_cli_socket_listen (int fd, const char *temporary, const char *path)
{
  struct sockaddr_un address;
  int folder_fd = pen_cli_socket_make_address (temporary, &address);
  gboolean is_good;
  int code;

  if (folder_fd < 0)
    return FALSE;
  is_good = fchmod (fd, 0600) == 0
            && bind (fd, (const struct sockaddr *) &address, sizeof address) == 0
            && chmod (temporary, 0600) == 0 && listen (fd, BACKLOG) == 0
            && g_rename (temporary, path) == 0;
  code = errno;
  close (folder_fd);
  if (!is_good)
    g_unlink (temporary);
  errno = code;
  return is_good;
}

static PenCliSocket *
pen_cli_socket_open (const char *folder, GError **error)
{
  g_autoptr (PenCliSocket) self = g_new0 (PenCliSocket, 1);
  /* another container's process with our number may have the same folder */
  g_autofree char *path
      = g_strdup_printf ("%s/%d-%08x" SUFFIX, folder, (int) getpid (), g_random_int ());
  g_autofree char *temporary = g_strconcat (path, ".tmp", NULL);
  int code;

  self->fd = -1;
  if (pen_cli_socket_make_folder (folder))
    {
      pen_cli_socket_sweep (folder);
      self->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (self->fd >= 0 && pen_cli_socket_listen (self->fd, temporary, path))
        {
          self->path = g_steal_pointer (&path);
          return g_steal_pointer (&self);
        }
    }
  code = errno;
  g_set_error (error, G_FILE_ERROR, (int) g_file_error_from_errno (code), "'%s': %s", folder,
               code == EPERM ? "others than this process's user may write there"
                             : g_strerror (code));
  return NULL;
}

/*
 * pen_cli_socket_new:
 * @state_folder: where it is if there is no runtime folder, or that cannot be used
 * @error: what is wrong with the last folder that was tried
 *
 * Returns: (transfer full) (nullable): a socket that listens
 */
PenCliSocket *
pen_cli_socket_new (const char *state_folder, GError **error)
{
  g_autofree char *runtime = pen_cli_socket_find_runtime_folder ();
  g_autofree char *state = g_build_filename (state_folder, STATE_SUBFOLDER, NULL);
  PenCliSocket *self = runtime != NULL ? pen_cli_socket_open (runtime, NULL) : NULL;

  return self != NULL ? self : pen_cli_socket_open (state, error);
}

/* documented in the header, as what follows */
void
pen_cli_socket_free (PenCliSocket *self)
{
  if (self->path != NULL)
    g_unlink (self->path);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self);
}

int
pen_cli_socket_get_fd (const PenCliSocket *self)
{
  return self->fd;
}

const char *
pen_cli_socket_get_path (const PenCliSocket *self)
{
  return self->path;
}
