/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small files that people write, read whole and with a bound. g_file_get_contents () has none, and
 * waits for ever on a FIFO that nobody writes to.
 */

#include "config.h"

#include "pen-text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void
pen_text_file_set_error (GError **error, int code)
{
  g_set_error_literal (error, G_FILE_ERROR, (int) g_file_error_from_errno (code),
                       g_strerror (code));
}

/*
 * pen_text_file_read:
 * @path: a file
 * @limit_bytes: how large it may be
 * @flags: whether it may be a FIFO
 * @status: (out) (optional): what fstat () says of it
 * @error: return location for a #GFileError; its message is the reason alone, without the path
 *
 * Returns: (transfer full) (nullable): what the file holds
 *
 * Threads: any
 */
GString *
pen_text_file_read (const char *path,
                    gsize limit_bytes,
                    PenTextFileFlags flags,
                    struct stat *status,
                    GError **error)
{
  gboolean takes_fifo = (flags & PEN_TEXT_FILE_FIFO) != 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (takes_fifo ? 0 : O_NONBLOCK));
  g_autoptr (GString) content = g_string_new (NULL);
  struct stat own_status;
  gboolean is_good = FALSE;

  if (status == NULL)
    status = &own_status;
  if (fd < 0 || fstat (fd, status) != 0)
    pen_text_file_set_error (error, errno);
  else if (S_ISDIR (status->st_mode))
    pen_text_file_set_error (error, EISDIR);
  else if (!S_ISREG (status->st_mode) && !(takes_fifo && S_ISFIFO (status->st_mode)))
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "it is not a regular file");
  else
    is_good = TRUE;
  while (is_good)
    {
      char buffer[4096];
      ssize_t n_read = read (fd, buffer, sizeof buffer);

      if (n_read < 0 && errno == EINTR)
        continue;
      if (n_read == 0)
        break;
      if (n_read > 0)
        g_string_append_len (content, buffer, n_read);
      if (n_read < 0)
        pen_text_file_set_error (error, errno);
      else if (content->len > limit_bytes)
        g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                     "it has more than %" G_GSIZE_FORMAT " bytes", limit_bytes);
      is_good = n_read > 0 && content->len <= limit_bytes;
    }
  if (fd >= 0)
    close (fd);
  return is_good ? g_steal_pointer (&content) : NULL;
}
