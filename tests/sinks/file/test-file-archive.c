/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rotated files: their names, their compression, how many are kept, and what a crash leaves.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-file-archive.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_US G_GINT64_CONSTANT (1767323045678901)
#define STAMP "20260102T030405.678Z"

typedef struct
{
  char *folder;
  char *path;
} TestFixture;

static void
test_set_up (TestFixture *fixture, gconstpointer data)
{
  fixture->folder = pen_test_make_folder ();
  fixture->path = g_build_filename (fixture->folder, "site.jsonl", NULL);
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->path);
}

static int
test_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The names in the folder, sorted, each with a blank behind it. */
static char *
test_list (TestFixture *fixture)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GString *list = g_string_new (NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, (char *) name);
  g_ptr_array_sort (names, test_compare_names);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (list, "%s ", (const char *) g_ptr_array_index (names, i));
  return g_string_free (list, FALSE);
}

#define test_assert_names(fixture, expected)                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *list_ = test_list (fixture);                                                  \
    g_assert_cmpstr (list_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

static char *
test_decompress (TestFixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GInputStream) stream = G_INPUT_STREAM (g_file_read (file, NULL, NULL));
  g_autoptr (GConverter) decompressor
      = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) plain = g_converter_input_stream_new (stream, decompressor);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;

  g_output_stream_splice (memory, plain, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
  g_assert_no_error (error);
  return g_strndup (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (memory)),
                    g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)));
}

static void
test_tidy (TestFixture *fixture, gboolean compress, guint keep)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pen_file_archive_tidy (fixture->path, compress, keep, NULL, &error));
  g_assert_no_error (error);
}

static void
test_archive_rotates (TestFixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    {
      pen_test_write_file (fixture->folder, "site.jsonl", "x\n");
      g_assert_true (pen_file_archive_rotate (fixture->path, NOW_US, NULL));
    }
  test_assert_names (fixture, "site.jsonl." STAMP " site.jsonl.20260102T030405.679Z "
                              "site.jsonl.20260102T030405.680Z ");
}

/* A name is taken if its compressed form is. */
static void
test_archive_rotates_beside_compressed (TestFixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->folder, "site.jsonl." STAMP ".gz", "x\n");
  pen_test_write_file (fixture->folder, "site.jsonl", "x\n");
  g_assert_true (pen_file_archive_rotate (fixture->path, NOW_US, NULL));
  test_assert_names (fixture, "site.jsonl." STAMP ".gz site.jsonl.20260102T030405.679Z ");
}

static void
test_archive_rotates_nothing (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expected
      = g_strdup_printf ("cannot rotate '%s': No such file or directory", fixture->path);

  g_assert_false (pen_file_archive_rotate (fixture->path, NOW_US, &error));
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_archive_compresses (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *rotated = g_build_filename (fixture->folder, "site.jsonl." STAMP, NULL);
  g_autofree char *compressed = g_strconcat (rotated, ".gz", NULL);
  g_autofree char *big = g_strnfill (1000000, 'x');
  g_autofree char *text = NULL;
  struct stat status;

  pen_test_write_file (fixture->folder, "site.jsonl." STAMP, big);
  g_assert_no_errno (g_chmod (rotated, 0604));
  pen_test_write_file (fixture->folder, "site.jsonl", "not rotated\n");
  test_tidy (fixture, TRUE, 0);

  test_assert_names (fixture, "site.jsonl site.jsonl." STAMP ".gz ");
  text = test_decompress (fixture, "site.jsonl." STAMP ".gz");
  g_assert_cmpstr (text, ==, big);
  g_assert_no_errno (stat (compressed, &status));
  g_assert_cmpint (status.st_mode & 0777, ==, 0604);
  g_assert_cmpint (status.st_size, <, 10000);
}

static void
test_archive_keeps (TestFixture *fixture, gconstpointer data)
{
  const char *const names[]
      = { "site.jsonl", "site.jsonl.20260101T000000.000Z.gz", "site.jsonl.20260102T000000.000Z",
          "site.jsonl.20260103T000000.000Z.gz", "site.jsonl.20260104T000000.000Z",
          /* not ours */
          "site.jsonl.torn", "site.jsonl.20260101", "site.jsonl.20260101T000000.000Z.bz2",
          "site.jsonl.20260101T00000x.000Z", "othersite.jsonl.20260101T000000.000Z",
          "site.jsonl2.20260101T000000.000Z" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    pen_test_write_file (fixture->folder, names[i], "x\n");
  test_tidy (fixture, FALSE, 2);
  test_assert_names (fixture, "othersite.jsonl.20260101T000000.000Z site.jsonl "
                              "site.jsonl.20260101 site.jsonl.20260101T000000.000Z.bz2 "
                              "site.jsonl.20260101T00000x.000Z "
                              "site.jsonl.20260103T000000.000Z.gz site.jsonl.20260104T000000.000Z "
                              "site.jsonl.torn site.jsonl2.20260101T000000.000Z ");
}

/* Killed while it compressed, killed before it removed the original: nothing is lost, and the next
 * look puts it right. */
static void
test_archive_after_crash (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  pen_test_write_file (fixture->folder, "site.jsonl.20260101T000000.000Z", "first\n");
  pen_test_write_file (fixture->folder, "site.jsonl.20260101T000000.000Z.gz.part", "\x1f\x8b half");
  pen_test_write_file (fixture->folder, "site.jsonl.20260102T000000.000Z", "second\n");
  pen_test_write_file (fixture->folder, "site.jsonl.20260102T000000.000Z.gz", "whole");
  test_tidy (fixture, TRUE, 0);
  test_assert_names (fixture, "site.jsonl.20260101T000000.000Z.gz "
                              "site.jsonl.20260102T000000.000Z.gz ");
  first = test_decompress (fixture, "site.jsonl.20260101T000000.000Z.gz");
  g_assert_cmpstr (first, ==, "first\n");
  second = test_decompress (fixture, "site.jsonl.20260102T000000.000Z.gz");
  g_assert_cmpstr (second, ==, "second\n");
}

/* Another process is compressing it: hands off. */
static void
test_archive_leaves_locked (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *unfinished
      = g_build_filename (fixture->folder, "site.jsonl." STAMP ".gz.part", NULL);
  g_autofree char *text = NULL;
  int fd;

  pen_test_write_file (fixture->folder, "site.jsonl." STAMP, "x\n");
  pen_test_write_file (fixture->folder, "site.jsonl." STAMP ".gz.part", "half");
  fd = open (unfinished, O_WRONLY | O_CLOEXEC);
  g_assert_no_errno (flock (fd, LOCK_EX));
  test_tidy (fixture, TRUE, 0);
  text = pen_test_read_file (unfinished, NULL);
  g_assert_cmpstr (text, ==, "half");
  test_assert_names (fixture, "site.jsonl." STAMP " site.jsonl." STAMP ".gz.part ");
  close (fd);
}

static void
test_archive_cancelled (TestFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  pen_test_write_file (fixture->folder, "site.jsonl." STAMP, "x\n");
  g_cancellable_cancel (cancellable);
  g_assert_true (pen_file_archive_tidy (fixture->path, TRUE, 0, cancellable, NULL));
  test_assert_names (fixture, "site.jsonl." STAMP " ");
}

static void
test_archive_cannot_write (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *unfinished
      = g_build_filename (fixture->folder, "site.jsonl." STAMP ".gz.part", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strdup_printf ("cannot create '%s': Is a directory", unfinished);

  pen_test_write_file (fixture->folder, "site.jsonl." STAMP, "x\n");
  g_assert_no_errno (g_mkdir (unfinished, 0700));
  g_assert_false (pen_file_archive_tidy (fixture->path, TRUE, 0, NULL, &error));
  g_assert_cmpstr (error->message, ==, expected);
  test_assert_names (fixture, "site.jsonl." STAMP " site.jsonl." STAMP ".gz.part ");
}

#define test_add(path, func)                                                                       \
  g_test_add ("/file-archive/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  test_add ("rotates", test_archive_rotates);
  test_add ("rotates/beside-compressed", test_archive_rotates_beside_compressed);
  test_add ("rotates/nothing", test_archive_rotates_nothing);
  test_add ("compresses", test_archive_compresses);
  test_add ("keeps", test_archive_keeps);
  test_add ("after-crash", test_archive_after_crash);
  test_add ("leaves-locked", test_archive_leaves_locked);
  test_add ("cancelled", test_archive_cancelled);
  test_add ("cannot-write", test_archive_cannot_write);
  return g_test_run ();
}
