/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bytes of a file, a pipe, or standard input. What can be polled is read when there is
 * something; what cannot (a file on a disk, /dev/null: epoll refuses them) never blocks. Standard
 * input stays in blocking mode, which it shares with whoever started us.
 *
 * A file whose name ends in ".gz" is decompressed on the way, with all its members: several
 * compressed files one behind the other are a compressed file.
 */

#include "config.h"

#include "pen-file-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPRESSED_BYTES (64 * 1024)

struct _PenFileReader
{
  char *path; /* "-" for standard input */
  int fd;
  gboolean can_poll;
  gint64 offset; /* bytes read from the descriptor */

  GConverter *decompressor; /* NULL if it is not compressed */
  char *compressed;         /* what was read and not yet decompressed: from begin to end */
  gsize compressed_begin;
  gsize compressed_end;
  gboolean is_at_end;          /* of the compressed bytes */
  gboolean is_between_members; /* the end may come here */
};

/* Only one source of the process may read standard input. */
static gint pen_file_reader_stdin_is_taken;

static gboolean
pen_file_reader_is_stdin (const PenFileReader *self)
{
  return g_str_equal (self->path, "-");
}

static const char *
pen_file_reader_get_name (const PenFileReader *self)
{
  return pen_file_reader_is_stdin (self) ? "standard input" : self->path;
}

static void
pen_file_reader_set_error (const PenFileReader *self,
                           GError **error,
                           const char *what,
                           int error_number)
{
  const char *advice = "";

  if (error_number == EACCES)
    advice = "; check the owner and mode of the file and of its folders";
  else if (error_number == EISDIR)
    advice = "; name a file in it";
  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "read", "cannot %s '%s': %s%s", what,
                         pen_file_reader_get_name (self), g_strerror (error_number), advice);
}

static gboolean
pen_file_reader_find_can_poll (int fd)
{
  struct epoll_event event = { .events = EPOLLIN };
  int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  gboolean can_poll = epoll_fd >= 0 && epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;

  if (epoll_fd >= 0)
    close (epoll_fd);
  return can_poll;
}

static gboolean
pen_file_reader_open_stdin (PenFileReader *self, GError **error)
{
  if (!g_atomic_int_compare_and_exchange (&pen_file_reader_stdin_is_taken, 0, 1))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "read",
                             "cannot read standard input: another source of this process does");
      return FALSE;
    }
  self->fd = STDIN_FILENO;
  return TRUE;
}

static gboolean
pen_file_reader_open_path (PenFileReader *self, gboolean follow, GError **error)
{
  /* Nothing waits here for the writer of a named pipe. Having it open for writing as well, we never
   * see its end, which is what following it means. */
  const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  struct stat status;
  gboolean is_pipe = stat (self->path, &status) == 0 && S_ISFIFO (status.st_mode);

  self->fd = open (self->path, flags | (is_pipe && follow ? O_RDWR : O_RDONLY));
  if (self->fd >= 0)
    return TRUE;
  pen_file_reader_set_error (self, error, "open", errno);
  return FALSE;
}

/* Opens a file, or standard input for "-". */
PenFileReader *
pen_file_reader_open (const char *path, gboolean follow, GError **error)
{
  g_autoptr (PenFileReader) self = g_new0 (PenFileReader, 1);
  struct stat status;

  self->path = g_strdup (path);
  self->fd = -1;
  if (!(pen_file_reader_is_stdin (self) ? pen_file_reader_open_stdin (self, error)
                                        : pen_file_reader_open_path (self, follow, error)))
    return NULL;
  if (fstat (self->fd, &status) < 0)
    {
      pen_file_reader_set_error (self, error, "read", errno);
      return NULL;
    }
  if (S_ISDIR (status.st_mode))
    {
      pen_file_reader_set_error (self, error, "read", EISDIR);
      return NULL;
    }
  self->can_poll = pen_file_reader_find_can_poll (self->fd);
  if (g_str_has_suffix (path, ".gz"))
    {
      self->decompressor = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
      self->compressed = g_malloc (COMPRESSED_BYTES);
      self->is_between_members = TRUE;
    }
  return g_steal_pointer (&self);
}

void
pen_file_reader_free (PenFileReader *self)
{
  if (self->fd >= 0 && pen_file_reader_is_stdin (self))
    g_atomic_int_set (&pen_file_reader_stdin_is_taken, 0);
  else if (self->fd >= 0)
    close (self->fd);
  g_clear_object (&self->decompressor);
  g_free (self->compressed);
  g_free (self->path);
  g_free (self);
}

int
pen_file_reader_get_fd (const PenFileReader *self)
{
  return self->fd;
}

/* Whether the descriptor tells when there is something to read. */
gboolean
pen_file_reader_can_poll (const PenFileReader *self)
{
  return self->can_poll;
}

static gssize
pen_file_reader_read_fd (PenFileReader *self, char *buffer, gsize length, GError **error)
{
  ssize_t n_bytes;

  do
    n_bytes = read (self->fd, buffer, length);
  while (n_bytes < 0 && errno == EINTR);
  if (n_bytes < 0 && errno == EAGAIN)
    return PEN_FILE_READER_WAIT;
  if (n_bytes < 0)
    {
      pen_file_reader_set_error (self, error, "read", errno);
      return PEN_FILE_READER_ERROR;
    }
  self->offset += n_bytes;
  return n_bytes;
}

/* Makes sure that there are compressed bytes; what that says is as pen_file_reader_read () does. */
static gssize
pen_file_reader_fill (PenFileReader *self, GError **error)
{
  gssize n_bytes;

  if (self->compressed_begin < self->compressed_end || self->is_at_end)
    return 1;
  n_bytes = pen_file_reader_read_fd (self, self->compressed, COMPRESSED_BYTES, error);
  if (n_bytes < 0)
    return n_bytes;
  self->is_at_end = n_bytes == 0;
  self->compressed_begin = 0;
  self->compressed_end = (gsize) n_bytes;
  return 1;
}

static gssize
pen_file_reader_fail_compressed (PenFileReader *self, const GError *cause, GError **error)
{
  gboolean is_cut_off = g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);

  pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "decompress",
                         "cannot decompress '%s' behind byte %" G_GINT64_FORMAT ": %s",
                         pen_file_reader_get_name (self),
                         self->offset - (gint64) (self->compressed_end - self->compressed_begin),
                         is_cut_off ? "the file is cut off" : cause->message);
  return PEN_FILE_READER_ERROR;
}

static gssize
pen_file_reader_read_compressed (PenFileReader *self, char *buffer, gsize length, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) cause = NULL;
      gssize state = pen_file_reader_fill (self, error);
      gsize n_left = self->compressed_end - self->compressed_begin;
      gsize n_read = 0;
      gsize n_written = 0;
      GConverterResult result;

      if (state < 0)
        return state;
      if (n_left == 0 && self->is_between_members)
        return PEN_FILE_READER_END;
      result = g_converter_convert (
          self->decompressor, self->compressed + self->compressed_begin, n_left, buffer, length,
          self->is_at_end ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &n_read, &n_written,
          &cause);
      if (result == G_CONVERTER_ERROR)
        return pen_file_reader_fail_compressed (self, cause, error);
      self->compressed_begin += n_read;
      self->is_between_members = result == G_CONVERTER_FINISHED;
      if (result == G_CONVERTER_FINISHED)
        g_converter_reset (self->decompressor);
      if (n_written > 0)
        return (gssize) n_written;
    }
}

/* Reads up to @length bytes: their number, or one of the PEN_FILE_READER_ values. */
gssize
pen_file_reader_read (PenFileReader *self, char *buffer, gsize length, GError **error)
{
  if (self->decompressor != NULL)
    return pen_file_reader_read_compressed (self, buffer, length, error);
  return pen_file_reader_read_fd (self, buffer, length, error);
}

/* What has become of a file that is followed since it was opened. */
PenFileChange
pen_file_reader_look (const PenFileReader *self)
{
  struct stat here;
  struct stat there;

  if (fstat (self->fd, &here) < 0 || !S_ISREG (here.st_mode))
    return PEN_FILE_SAME;
  if (here.st_size < self->offset)
    return PEN_FILE_TRUNCATED;
  if (stat (self->path, &there) < 0)
    return PEN_FILE_GONE;
  if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
    return PEN_FILE_REPLACED;
  return PEN_FILE_SAME;
}

/* Reads the file once more from its beginning. */
gboolean
pen_file_reader_rewind (PenFileReader *self)
{
  self->offset = 0;
  return lseek (self->fd, 0, SEEK_SET) == 0;
}

/* Leaves out what the file holds now. */
gboolean
pen_file_reader_skip_to_end (PenFileReader *self)
{
  off_t offset = lseek (self->fd, 0, SEEK_END);

  if (offset >= 0)
    self->offset = offset;
  return offset >= 0;
}
