/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a crash in the middle of a line leaves behind, put right before anything is appended.
 *
 * A last line without its newline was never reported as written, so its event comes again from a
 * source that acknowledges. It must not stay: the next line would be glued to it. It must not be
 * thrown away either: its source may be one that does not acknowledge, or the file somebody else's.
 * So it is moved to the file's name with ".torn" behind it, synced there before it is cut off here;
 * a crash in between leaves it in both places.
 */

#include "config.h"

#include "pen-file-repair.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (64 * 1024)

static gboolean
pen_file_repair_fail (GError **error, const char *what, const char *path, int error_number)
{
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "repair",
                         "cannot repair the torn last line of '%s': cannot %s: %s", path, what,
                         g_strerror (error_number));
  return FALSE;
}

static gboolean
pen_file_repair_read (int fd, char *buffer, gsize length, goffset offset)
{
  while (length > 0)
    {
      ssize_t n_bytes = pread (fd, buffer, length, offset);

      if (n_bytes < 0 && errno == EINTR)
        continue;
      if (n_bytes == 0)
        errno = EIO;
      if (n_bytes <= 0)
        return FALSE;
      buffer += n_bytes;
      offset += n_bytes;
      length -= (gsize) n_bytes;
    }
  return TRUE;
}

static gboolean
pen_file_repair_write (int fd, const char *text, gsize length)
{
  while (length > 0)
    {
      ssize_t n_bytes = write (fd, text, length);

      if (n_bytes < 0 && errno == EINTR)
        continue;
      if (n_bytes < 0)
        return FALSE;
      text += n_bytes;
      length -= (gsize) n_bytes;
    }
  return TRUE;
}

/* Where the last line begins: behind the last newline; -1 with errno if it cannot be read, or with
 * errno 0 if there is none near enough. */
static goffset
pen_file_repair_find_last_line (int fd, goffset size)
{
  g_autofree char *block = g_malloc (BLOCK_BYTES);
  goffset end = size;

  while (end > 0)
    {
      goffset begin = MAX (end - BLOCK_BYTES, 0);
      const char *newline;

      if (!pen_file_repair_read (fd, block, (gsize) (end - begin), begin))
        return -1;
      newline = memrchr (block, '\n', (gsize) (end - begin));
      if (newline != NULL)
        return begin + (newline - block) + 1;
      end = begin;
      if (size - end > PEN_FILE_MAX_TORN_BYTES)
        {
          errno = 0;
          return -1;
        }
    }
  return 0;
}

/* Appends what @fd holds from @begin to @end, and a newline, to the file @aside. */
static gboolean
pen_file_repair_copy (int fd, goffset begin, goffset end, const char *aside, mode_t mode)
{
  g_autofree char *block = g_malloc (BLOCK_BYTES);
  int aside_fd = open (aside, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
  gboolean is_good = aside_fd >= 0;
  int error_number;

  while (is_good && begin < end)
    {
      gsize length = (gsize) MIN (end - begin, BLOCK_BYTES);

      is_good = pen_file_repair_read (fd, block, length, begin)
                && pen_file_repair_write (aside_fd, block, length);
      begin += (goffset) length;
    }
  is_good = is_good && pen_file_repair_write (aside_fd, "\n", 1) && fsync (aside_fd) == 0;
  error_number = errno;
  if (aside_fd >= 0)
    close (aside_fd);
  errno = error_number;
  return is_good;
}

static gboolean
pen_file_repair_close_line (int fd, const char *path, char **notice, GError **error)
{
  if (!pen_file_repair_write (fd, "\n", 1))
    return pen_file_repair_fail (error, "append a newline", path, errno);
  *notice = g_strdup_printf ("the last line of '%s' had no newline: added one", path);
  return TRUE;
}

/* Makes the file end with a newline, or be empty. @fd is open for reading and appending, and
 * nobody else writes to it. What was done is said in @notice. */
gboolean
pen_file_repair (int fd,
                 const char *path,
                 PenLineFormat format,
                 mode_t mode,
                 char **notice,
                 GError **error)
{
  g_autofree char *aside = g_strconcat (path, ".torn", NULL);
  struct stat status;
  goffset begin;
  char last;

  if (format == PEN_LINE_FORMAT_RAW)
    return TRUE;
  if (fstat (fd, &status) < 0)
    return pen_file_repair_fail (error, "ask for its size", path, errno);
  if (status.st_size == 0)
    return TRUE;
  if (!pen_file_repair_read (fd, &last, 1, status.st_size - 1))
    return pen_file_repair_fail (error, "read it", path, errno);
  if (last == '\n')
    return TRUE;
  /* An indented document has many lines: which of them belong to the torn one cannot be told. */
  if (format == PEN_LINE_FORMAT_PRETTY)
    return pen_file_repair_close_line (fd, path, notice, error);
  begin = pen_file_repair_find_last_line (fd, status.st_size);
  if (begin < 0 && errno == 0)
    return pen_file_repair_close_line (fd, path, notice, error);
  if (begin < 0)
    return pen_file_repair_fail (error, "read it", path, errno);
  if (!pen_file_repair_copy (fd, begin, status.st_size, aside, mode))
    return pen_file_repair_fail (error, "keep it in the file of that name with '.torn' behind it",
                                 path, errno);
  if (ftruncate (fd, begin) < 0)
    return pen_file_repair_fail (error, "cut it off", path, errno);
  *notice = g_strdup_printf (
      "the last line of '%s' was torn by a crash: moved its %" G_GOFFSET_FORMAT " bytes to '%s'",
      path, (goffset) status.st_size - begin, aside);
  return TRUE;
}
