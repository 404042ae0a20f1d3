/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files that a file was rotated to. "site.jsonl" becomes "site.jsonl.20260102T030405.678Z", the
 * time in UTC, so that names sort by age and no other file has to be renamed; compressed it becomes
 * "site.jsonl.20260102T030405.678Z.gz".
 *
 * Everything that has to be done can be seen from the folder. So tidying looks there, does what is
 * left over by a crash as well, and can be interrupted at any point: a compressed file appears
 * under its name only when it is whole and on the disk, and only then the original is removed.
 */

#include "config.h"

#include "pen-file-archive.h"

#include "pen-file-target.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAMP_PATTERN "ddddddddTdddddd.dddZ" /* d is a digit */
#define STAMP_LENGTH 20
#define COMPRESSED_SUFFIX ".gz"
#define UNFINISHED_SUFFIX ".gz.part"
/* How many files may be rotated within one millisecond; they get the following ones. */
#define MAX_NAME_ATTEMPTS 10000

static gboolean
pen_file_archive_fail (GError **error, const char *what, const char *path, int error_number)
{
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "rotate", "cannot %s '%s': %s", what, path,
                         g_strerror (error_number));
  return FALSE;
}

static char *
pen_file_archive_make_name (const char *path, gint64 time_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autofree char *seconds = g_date_time_format (time, "%Y%m%dT%H%M%S");

  return g_strdup_printf ("%s.%s.%03dZ", path, seconds,
                          (int) (time_us % G_USEC_PER_SEC / G_TIME_SPAN_MILLISECOND));
}

/* Gives the file the name of a rotated one, never one that is taken. */
gboolean
pen_file_archive_rotate (const char *path, gint64 now_us, GError **error)
{
  for (guint attempt = 0; attempt < MAX_NAME_ATTEMPTS; attempt++)
    {
      g_autofree char *name
          = pen_file_archive_make_name (path, now_us + attempt * G_TIME_SPAN_MILLISECOND);
      g_autofree char *compressed = g_strconcat (name, COMPRESSED_SUFFIX, NULL);

      /* One writer holds the lock on @path, so nobody else takes the name in between. */
      if (g_file_test (name, G_FILE_TEST_EXISTS) || g_file_test (compressed, G_FILE_TEST_EXISTS))
        continue;
      if (rename (path, name) < 0)
        return pen_file_archive_fail (error, "rotate", path, errno);
      return TRUE;
    }
  return pen_file_archive_fail (error, "find a name to rotate to for", path, EEXIST);
}

/* Whether @name is that of a rotated file of @base; @suffix points behind its time. */
static gboolean
pen_file_archive_is_rotated (const char *name, const char *base, const char **suffix)
{
  const char *stamp;

  if (!g_str_has_prefix (name, base))
    return FALSE;
  stamp = name + strlen (base);
  if (*stamp++ != '.' || strlen (stamp) < STAMP_LENGTH)
    return FALSE;
  for (guint i = 0; i < STAMP_LENGTH; i++)
    if (STAMP_PATTERN[i] == 'd' ? !g_ascii_isdigit (stamp[i]) : stamp[i] != STAMP_PATTERN[i])
      return FALSE;
  *suffix = stamp + STAMP_LENGTH;
  return **suffix == '\0' || g_str_equal (*suffix, COMPRESSED_SUFFIX)
         || g_str_equal (*suffix, UNFINISHED_SUFFIX);
}

static int
pen_file_archive_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The rotated files of @path, oldest first, each once whatever forms of it there are, as paths
 * without the suffix of compression. */
static GPtrArray *
pen_file_archive_list (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &cause);
  const char *name;
  const char *suffix;

  if (dir == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "rotate", "cannot tidy up: %s",
                             cause->message);
      return NULL;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (pen_file_archive_is_rotated (name, base, &suffix))
      {
        g_autofree char *plain = g_strndup (name, (gsize) (suffix - name));
        g_autofree char *full = g_build_filename (folder, plain, NULL);

        if (g_hash_table_contains (seen, full))
          continue;
        g_hash_table_add (seen, full);
        g_ptr_array_add (names, g_steal_pointer (&full));
      }
  g_ptr_array_sort (names, pen_file_archive_compare);
  return g_steal_pointer (&names);
}

static void
pen_file_archive_remove (const char *rotated)
{
  const char *const suffixes[] = { "", COMPRESSED_SUFFIX, UNFINISHED_SUFFIX };

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = g_strconcat (rotated, suffixes[i], NULL);

      g_unlink (path);
    }
}

/* Copies what @source_fd holds to @target_fd, compressed, down to the disk. */
static gboolean
pen_file_archive_squeeze (int source_fd, int target_fd, GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) source = g_unix_input_stream_new (source_fd, FALSE /* close_fd */);
  g_autoptr (GOutputStream) target = g_unix_output_stream_new (target_fd, FALSE /* close_fd */);
  g_autoptr (GZlibCompressor) compressor
      = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1 /* usual level */);
  g_autoptr (GOutputStream) squeezed
      = g_converter_output_stream_new (target, G_CONVERTER (compressor));

  if (g_output_stream_splice (squeezed, source, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, cancellable,
                              error)
      < 0)
    return FALSE;
  if (fsync (target_fd) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s", g_strerror (errno));
  return FALSE;
}

/* A new, empty file that nobody else is writing; -1 with errno, EBUSY if somebody is. */
static int
pen_file_archive_create (const char *path, int like_fd)
{
  struct stat status;
  int fd;

  if (fstat (like_fd, &status) < 0)
    return -1;
  fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, status.st_mode & 0777);
  if (fd < 0)
    return -1;
  /* Whoever had it before us may have finished and renamed it: then it is no longer ours to cut. */
  if (flock (fd, LOCK_EX | LOCK_NB) == 0 && pen_file_is_at (fd, path)
      && fchmod (fd, status.st_mode & 0777) == 0 && ftruncate (fd, 0) == 0)
    return fd;
  close (fd);
  errno = EBUSY;
  return -1;
}

static gboolean
pen_file_archive_compress_fds (int source_fd,
                               int target_fd,
                               const char *rotated,
                               GCancellable *cancellable,
                               GError **error)
{
  g_autofree char *unfinished = g_strconcat (rotated, UNFINISHED_SUFFIX, NULL);
  g_autofree char *compressed = g_strconcat (rotated, COMPRESSED_SUFFIX, NULL);
  g_autoptr (GError) cause = NULL;
  struct stat status;

  if (!pen_file_archive_squeeze (source_fd, target_fd, cancellable, &cause))
    {
      g_unlink (unfinished);
      if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return TRUE;
      pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "compress", "cannot compress '%s': %s",
                             rotated, cause->message);
      return FALSE;
    }
  if (fstat (source_fd, &status) == 0)
    {
      const struct timespec times[] = { status.st_mtim, status.st_mtim };

      futimens (target_fd, times);
    }
  if (rename (unfinished, compressed) < 0)
    return pen_file_archive_fail (error, "name the compressed form of", rotated, errno);
  if (!pen_file_sync_folder (compressed))
    return pen_file_archive_fail (error, "sync the folder of", compressed, errno);
  g_unlink (rotated);
  return TRUE;
}

static gboolean
pen_file_archive_compress (const char *rotated, GCancellable *cancellable, GError **error)
{
  g_autofree char *unfinished = g_strconcat (rotated, UNFINISHED_SUFFIX, NULL);
  int source_fd = open (rotated, O_RDONLY | O_CLOEXEC);
  int target_fd;
  gboolean is_good;

  if (source_fd < 0)
    return errno == ENOENT || pen_file_archive_fail (error, "compress", rotated, errno);
  target_fd = pen_file_archive_create (unfinished, source_fd);
  if (target_fd < 0)
    {
      int error_number = errno;

      close (source_fd);
      return error_number == EBUSY
             || pen_file_archive_fail (error, "create", unfinished, error_number);
    }
  is_good = pen_file_archive_compress_fds (source_fd, target_fd, rotated, cancellable, error);
  close (target_fd);
  close (source_fd);
  return is_good;
}

/* Compresses the rotated files of @path that are not, if wanted, and removes all but the newest
 * @keep of them (0: none). Goes on after a failure and tells the first. May take long. */
gboolean
pen_file_archive_tidy (const char *path,
                       gboolean compress,
                       guint keep,
                       GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (GPtrArray) rotated = pen_file_archive_list (path, error);
  gboolean is_good = rotated != NULL;
  guint first;

  if (rotated == NULL)
    return FALSE;
  first = keep > 0 && rotated->len > keep ? rotated->len - keep : 0;
  for (guint i = 0; i < first; i++)
    pen_file_archive_remove (g_ptr_array_index (rotated, i));
  for (guint i = first; i < rotated->len && compress; i++)
    if (!g_cancellable_is_cancelled (cancellable)
        && !pen_file_archive_compress (g_ptr_array_index (rotated, i), cancellable,
                                       is_good ? error : NULL))
      is_good = FALSE;
  return is_good;
}
