/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A spool whose files are damaged in all kinds of ways: it opens, what comes back is what went in,
 * and no more is missing than was on the pages that were hit.
 */

#include "config.h"

#include "pen-spool-admin.h"
#include "pen-test-spool.h"
#include "pen-test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define N_RECORDS 400
#define PAGE_BYTES 8192
#define FRAME_BYTES (PAGE_BYTES + 24)
#define OFFSET PEN_TEST_SPOOL_EVEN

/* The files of a spool, as bytes, and how many images of pages have been hit. */
typedef struct
{
  GByteArray *database;
  GByteArray *wal;
  guint n_hits;
} Image;

static GByteArray *
test_read_bytes (const char *path)
{
  GByteArray *bytes = g_byte_array_new ();
  g_autofree char *text = NULL;
  gsize length;

  if (g_file_get_contents (path, &text, &length, NULL))
    g_byte_array_append (bytes, (guint8 *) text, (guint) length);
  return bytes;
}

static void
test_image_clear (Image *self)
{
  g_byte_array_unref (self->database);
  g_byte_array_unref (self->wal);
}

static void
test_image_read (Image *self, PenTestSpool *spool)
{
  g_autofree char *wal_path = g_strconcat (spool->path, "-wal", NULL);

  self->database = test_read_bytes (spool->path);
  self->wal = test_read_bytes (wal_path);
  self->n_hits = 0;
}

static void
test_write_bytes (const char *path, const GByteArray *bytes)
{
  g_autoptr (GError) error = NULL;

  if (bytes->len == 0)
    g_unlink (path);
  else
    g_file_set_contents_full (path, (const char *) bytes->data, bytes->len,
                              G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

static void
test_image_write (const Image *self, PenTestSpool *spool)
{
  g_autofree char *wal_path = g_strconcat (spool->path, "-wal", NULL);
  g_autofree char *shm_path = g_strconcat (spool->path, "-shm", NULL);

  test_write_bytes (spool->path, self->database);
  test_write_bytes (wal_path, self->wal);
  g_unlink (shm_path);
}

static Image
test_image_copy (const Image *self)
{
  Image copy = { g_byte_array_new (), g_byte_array_new (), 0 };

  if (self->database->len > 0)
    g_byte_array_append (copy.database, self->database->data, self->database->len);
  if (self->wal->len > 0)
    g_byte_array_append (copy.wal, self->wal->data, self->wal->len);
  return copy;
}

/* 400 messages, of which sql has 40, in commits of 20; the first 40 may be there or not. Closed,
 * or as a crash leaves it. */
static void
test_make_image (Image *self, gboolean is_closed)
{
  PenTestSpool spool = { 0 };

  pen_test_spool_set_up (&spool, NULL);
  pen_test_spool_move (&spool, "sql", 0, 0);
  for (guint i = 0; i < N_RECORDS; i += 20)
    {
      pen_test_spool_fill (&spool, OFFSET + 1 + i, 20);
      if (i == 200 && !is_closed)
        {
          pen_test_spool_open (&spool, PEN_SPOOL_STORE_NONE); /* half of it is in the database */
          pen_test_spool_move (&spool, "sql", 20, 0);
        }
    }
  pen_test_spool_move (&spool, "sql", 40, 0);
  if (is_closed)
    pen_test_spool_close (&spool, TRUE);
  test_image_read (self, &spool);
  pen_test_spool_tear_down (&spool, NULL);
}

/* --- kinds of damage --- */

static guint
test_random (guint end)
{
  return end > 0 ? (guint) g_test_rand_int_range (0, (gint32) end) : 0;
}

static void
test_flip (GByteArray *bytes, gsize start, gsize length)
{
  guint n = 1 + test_random (20);

  for (guint i = 0; i < n && start + length <= bytes->len; i++)
    bytes->data[start + test_random ((guint) length)] ^= (guint8) (1 + test_random (255));
}

static void
test_damage_pages (Image *self)
{
  guint n_pages = self->database->len / PAGE_BYTES;

  self->n_hits = 1 + test_random (3);
  for (guint i = 0; i < self->n_hits && n_pages > 0; i++)
    test_flip (self->database, (gsize) test_random (n_pages) * PAGE_BYTES, PAGE_BYTES);
}

static void
test_damage_by_zeros (Image *self)
{
  guint n_pages = self->database->len / PAGE_BYTES;

  self->n_hits = 1 + test_random (3);
  for (guint i = 0; i < self->n_hits && n_pages > 0; i++)
    memset (self->database->data + (gsize) test_random (n_pages) * PAGE_BYTES, 0, PAGE_BYTES);
}

static void
test_damage_header (Image *self)
{
  for (guint i = 0; i < 100 && i < self->database->len; i++)
    self->database->data[i] = (guint8) test_random (256);
}

static void
test_damage_tree (Image *self)
{
  /* the first page of the table of messages is the root of the tree */
  if (self->database->len >= 2 * PAGE_BYTES)
    memset (self->database->data + PAGE_BYTES, 0x5a, PAGE_BYTES);
  self->n_hits = 1;
}

static void
test_damage_cursors (Image *self)
{
  if (self->database->len >= 3 * PAGE_BYTES)
    memset (self->database->data + 2 * PAGE_BYTES, 0, PAGE_BYTES);
  self->n_hits = 1;
}

static void
test_damage_by_cutting (Image *self)
{
  guint length = 1 + test_random (self->database->len - 1);

  self->n_hits = (self->database->len - length) / PAGE_BYTES + 1;
  g_byte_array_set_size (self->database, length);
}

static void
test_damage_by_misplacing (Image *self)
{
  guint n_pages = self->database->len / PAGE_BYTES;

  self->n_hits = 1;
  if (n_pages > 0)
    memmove (self->database->data + (gsize) test_random (n_pages) * PAGE_BYTES,
             self->database->data + (gsize) test_random (n_pages) * PAGE_BYTES, PAGE_BYTES);
}

static void
test_damage_log (Image *self)
{
  guint n_frames = self->wal->len / FRAME_BYTES;

  self->n_hits = 1 + test_random (3);
  for (guint i = 0; i < self->n_hits && n_frames > 0; i++)
    test_flip (self->wal, 32 + (gsize) test_random (n_frames) * FRAME_BYTES, FRAME_BYTES);
}

static void
test_damage_head_of_log (Image *self)
{
  test_flip (self->wal, 0, 32);
}

static void
test_damage_by_removing (Image *self)
{
  g_byte_array_set_size (self->database, 0);
  self->n_hits = 100;
}

static void
test_damage_log_by_cutting (Image *self)
{
  guint length = test_random (self->wal->len);

  /* the transaction that is cut is as if it had not been */
  self->n_hits = (self->wal->len - length) / FRAME_BYTES + 1 + 20 / PEN_TEST_SPOOL_PER_PAGE + 1;
  g_byte_array_set_size (self->wal, length);
}

typedef struct
{
  const char *path;
  gboolean is_closed;
  void (*damage) (Image *self);
  guint n_rounds;
} Case;

static const Case cases[] = {
  { "pages", TRUE, test_damage_pages, 40 },
  { "pages-after-crash", FALSE, test_damage_pages, 40 },
  { "zeros", TRUE, test_damage_by_zeros, 10 },
  { "zeros-after-crash", FALSE, test_damage_by_zeros, 10 },
  { "header", TRUE, test_damage_header, 5 },
  { "header-after-crash", FALSE, test_damage_header, 5 },
  { "tree", TRUE, test_damage_tree, 1 },
  { "tree-after-crash", FALSE, test_damage_tree, 1 },
  { "cursors", TRUE, test_damage_cursors, 1 },
  { "cursors-after-crash", FALSE, test_damage_cursors, 1 },
  { "cut-off", TRUE, test_damage_by_cutting, 20 },
  { "cut-off-after-crash", FALSE, test_damage_by_cutting, 20 },
  { "misplaced", TRUE, test_damage_by_misplacing, 10 },
  { "log", FALSE, test_damage_log, 40 },
  { "head-of-log", FALSE, test_damage_head_of_log, 10 },
  { "log-cut-off", FALSE, test_damage_log_by_cutting, 20 },
  { "database-removed", FALSE, test_damage_by_removing, 1 },
};

/* --- what must hold after each --- */

static guint64
test_get_newest (PenTestSpool *spool)
{
  PenSpoolStatus status;

  pen_spool_store_get_status (spool->store, &status);
  return status.newest;
}

static guint
test_count_asides (PenTestSpool *spool)
{
  g_autofree char *folder = g_path_get_dirname (spool->path);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GHashTable) asides = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (strstr (name, ".damaged-") != NULL) /* the database, its log, or both */
      g_hash_table_add (
          asides, g_strndup (name, strlen (name) - (g_str_has_suffix (name, "-wal") ? 4 : 0)));
  return g_hash_table_size (asides);
}

static void
test_assert_goes_on (PenTestSpool *spool, guint n_before)
{
  g_autofree char *told = g_strdup (spool->told->str);
  guint64 newest = test_get_newest (spool);

  pen_test_spool_fill (spool, OFFSET + newest + 1, 1);
  g_assert_cmpuint (test_get_newest (spool), >, newest);
  pen_test_spool_close (spool, TRUE);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_MUST_EXIST);
  /* it is whole now; what sql had before may have gone */
  g_assert_cmpstr (spool->told->str, ==, told);
  g_assert_cmpuint (test_get_newest (spool), >, newest);
}

static void
test_round (const Case *self, const Image *image)
{
  PenTestSpool spool = { 0 };
  Image damaged = test_image_copy (image);
  guint n_left;
  guint n_most;

  pen_test_spool_set_up (&spool, NULL);
  pen_test_spool_close (&spool, TRUE);
  self->damage (&damaged);
  test_image_write (&damaged, &spool);
  pen_test_spool_open (&spool, PEN_SPOOL_STORE_NONE);
  n_left = pen_test_spool_count (&spool, 40, OFFSET); /* and each of them is as it was */
  n_most = damaged.n_hits * PEN_TEST_SPOOL_PER_PAGE;
  g_test_message ("%u of %u are left after %u hits; %s", n_left, N_RECORDS - 40, damaged.n_hits,
                  spool.told->str);
  g_assert_cmpuint (n_left + n_most, >=, N_RECORDS - 40);
  if (n_left < N_RECORDS - 40 && self->damage != test_damage_log_by_cutting)
    g_assert_nonnull (strstr (spool.told->str, " lost")); /* how many, or that it is not known */
  g_assert_cmpuint (test_count_asides (&spool), ==, spool.told->len > 0 ? 1 : 0);
  test_assert_goes_on (&spool, n_left);
  test_image_clear (&damaged);
  pen_test_spool_tear_down (&spool, NULL);
}

static void
test_spool_salvage_matrix (gconstpointer data)
{
  const Case *self = data;
  Image image;

  test_make_image (&image, self->is_closed);
  for (guint i = 0; i < self->n_rounds; i++)
    test_round (self, &image);
  test_image_clear (&image);
}

/* --- single stories --- */

static void
test_spool_salvage_keeps_cursors_and_positions (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = NULL;
  Image image;

  pen_test_spool_fill (spool, OFFSET + 1, 100);
  pen_test_spool_move (spool, "sql", 30, 0);
  pen_test_spool_move (spool, "file", 50, 70);
  pen_test_spool_close (spool, TRUE);
  test_image_read (&image, spool);
  test_damage_header (&image);
  test_image_write (&image, spool);
  test_image_clear (&image);

  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  cursors = pen_spool_store_get_cursors (spool->store, &error);
  g_assert_cmpuint (cursors->len, ==, 2);
  g_assert_cmpuint (((PenSpoolCursor *) g_ptr_array_index (cursors, 0))->delivered, ==, 30);
  g_assert_cmpuint (((PenSpoolCursor *) g_ptr_array_index (cursors, 1))->until, ==, 70);
  g_assert_cmpuint (test_get_newest (spool), ==, 100);
  g_assert_nonnull (strstr (spool->told->str, "100 messages were saved"));
  g_assert_nonnull (strstr (spool->told->str, "none that is still needed is missing"));
}

/* Large messages, whose pages lie apart from their rows. */
static void
test_spool_salvage_follows_large_messages (PenTestSpool *spool, gconstpointer data)
{
  Image image;

  pen_test_spool_fill (spool, 1, 500);
  pen_test_spool_close (spool, TRUE);
  test_image_read (&image, spool);
  test_damage_header (&image);
  test_image_write (&image, spool);
  test_image_clear (&image);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 500);
}

static void
test_overwrite_page (PenTestSpool *spool, guint number)
{
  guint8 garbage[PAGE_BYTES];
  int fd = g_open (spool->path, O_WRONLY | O_CLOEXEC);

  memset (garbage, 0xa5, sizeof garbage);
  g_assert_cmpint (pwrite (fd, garbage, sizeof garbage, (off_t) (number - 1) * PAGE_BYTES), ==,
                   sizeof garbage);
  close (fd);
}

/* Under an open store: SQLite notices when it reads. The cursors are those that were committed,
 * though their page (3) is hit as well. */
static void
test_spool_salvage_happens_within_a_call (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = NULL;
  PenSpoolStatus status;

  for (guint i = 0; i < 3000; i += 500)
    pen_test_spool_fill (spool, OFFSET + 1 + i, 500);
  pen_test_spool_move (spool, "sql", 5, 0);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  test_overwrite_page (spool, 3);
  test_overwrite_page (spool, 201);

  g_assert_cmpuint (pen_test_spool_count (spool, 0, OFFSET), >=, 3000 - PEN_TEST_SPOOL_PER_PAGE);
  g_assert_nonnull (strstr (spool->told->str, "are lost"));
  cursors = pen_spool_store_get_cursors (spool->store, &error);
  g_assert_cmpuint (cursors->len, ==, 1);
  g_assert_cmpuint (((PenSpoolCursor *) g_ptr_array_index (cursors, 0))->delivered, ==, 5);
  pen_spool_store_get_status (spool->store, &status);
  g_assert_false (status.cursors_lost);
  g_assert_cmpuint (test_count_asides (spool), ==, 1);
  test_assert_goes_on (spool, 3000);
}

/* Until somebody commits cursors, also over a start that came to nothing. */
static void
test_spool_salvage_tells_that_cursors_are_lost (PenTestSpool *spool, gconstpointer data)
{
  PenSpoolStatus status;

  pen_test_spool_fill (spool, OFFSET + 1, 100);
  pen_test_spool_move (spool, "sql", 30, 0);
  pen_test_spool_close (spool, TRUE);
  test_overwrite_page (spool, 3);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  pen_spool_store_get_status (spool->store, &status);
  g_assert_true (status.cursors_lost);
  g_assert_false (status.was_closed);
  g_assert_cmpuint (status.n_records, ==, 100);
  pen_test_spool_move (spool, "sql", 0, 0);
  pen_test_spool_fill (spool, OFFSET + status.newest + 1, 1);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  pen_spool_store_get_status (spool->store, &status);
  g_assert_false (status.cursors_lost);
}

static void
test_spool_salvage_starts_anew_from_nothing (PenTestSpool *spool, gconstpointer data)
{
  pen_test_spool_close (spool, TRUE);
  pen_test_write_file (spool->folder, "spool/site-7.db", "what is this?");
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, OFFSET), ==, 0);
  g_assert_cmpuint (test_count_asides (spool), ==, 1);
  test_assert_goes_on (spool, 0);
}

static void
test_spool_salvage_needs_no_repair_to_be_read (PenTestSpool *spool, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Image image;
  guint64 last;
  g_autoptr (GPtrArray) records = NULL;

  pen_test_spool_fill (spool, OFFSET + 1, 100);
  pen_test_spool_close (spool, TRUE);
  test_image_read (&image, spool);
  image.database->data[10 * PAGE_BYTES - 500] ^= 1; /* in a payload */
  test_image_write (&image, spool);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_READ_ONLY);
  records = pen_spool_store_read (spool->store, 0, 1000, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (records->len, ==, 99);
  g_assert_nonnull (strstr (spool->told->str, "is damaged, and left out"));
  g_assert_false (pen_spool_store_verify (spool->store, &error));
  g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_DAMAGED);
  g_assert_cmpuint (test_count_asides (spool), ==, 0);
  test_image_clear (&image);
}

#define ADD(path, function)                                                                        \
  g_test_add ("/spool-salvage/" path, PenTestSpool, NULL, pen_test_spool_set_up,                   \
              test_spool_salvage_##function, pen_test_spool_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/spool-salvage/matrix/%s", cases[i].path);

      g_test_add_data_func (path, &cases[i], test_spool_salvage_matrix);
    }
  ADD ("keeps-cursors-and-positions", keeps_cursors_and_positions);
  ADD ("follows-large-messages", follows_large_messages);
  ADD ("happens-within-a-call", happens_within_a_call);
  ADD ("tells-that-cursors-are-lost", tells_that_cursors_are_lost);
  ADD ("starts-anew-from-nothing", starts_anew_from_nothing);
  ADD ("needs-no-repair-to-be-read", needs_no_repair_to_be_read);

  return g_test_run ();
}
