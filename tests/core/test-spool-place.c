/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an operator, a full disk and a crash do to the files of a spool that is in use, and a long
 * random life of one beside a model of it.
 */

#include "config.h"

#include "pen-test-spool.h"
#include "pen-test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static PenSpoolStatus
test_get_status (PenTestSpool *spool)
{
  PenSpoolStatus status;

  pen_spool_store_get_status (spool->store, &status);
  return status;
}

/* --- somebody removes files --- */

typedef struct
{
  const char *path;
  const char *removed[4]; /* what is behind the database's path; "/": the folder as a whole */
} Removal;

static const Removal removals[] = {
  { "database", { "" } },
  { "log", { "-wal" } },
  { "database-and-log", { "", "-wal" } },
  { "all", { "", "-wal", "-shm" } },
  { "folder", { "/" } },
};

static void
test_remove (PenTestSpool *spool, const Removal *removal)
{
  for (guint i = 0; i < G_N_ELEMENTS (removal->removed) && removal->removed[i] != NULL; i++)
    {
      g_autofree char *path = g_strconcat (spool->path, removal->removed[i], NULL);

      if (g_str_equal (removal->removed[i], "/"))
        pen_test_remove_folder (g_path_get_dirname (spool->path));
      else
        g_assert_no_errno (g_unlink (path));
    }
}

/* As kill -9 leaves it: nothing is written any more, and somebody else opens what is there. */
static void
test_reopen_after_crash (PenTestSpool *spool)
{
  PenTestSpool other = { 0 };
  g_autofree char *wal_path = g_strconcat (spool->path, "-wal", NULL);
  g_autofree char *other_wal_path = NULL;
  g_autofree char *database = NULL;
  g_autofree char *wal = NULL;
  gsize length;
  gsize wal_length;

  database = pen_test_read_file (spool->path, &length);
  wal = pen_test_read_file (wal_path, &wal_length);
  pen_test_spool_set_up (&other, NULL);
  pen_test_spool_close (&other, TRUE);
  other_wal_path = g_strconcat (other.path, "-wal", NULL);
  g_assert_true (g_file_set_contents (other.path, database, (gssize) length, NULL));
  g_assert_true (g_file_set_contents (other_wal_path, wal, (gssize) wal_length, NULL));
  pen_test_spool_open (&other, PEN_SPOOL_STORE_MUST_EXIST);
  g_assert_cmpstr (other.told->str, ==, "");
  g_assert_cmpuint (pen_test_spool_count (&other, 0, 0), ==, test_get_status (spool).n_records);
  g_assert_cmpuint (test_get_status (&other).newest, ==, test_get_status (spool).newest);
  g_assert_false (test_get_status (&other).was_closed);
  pen_test_spool_tear_down (&other, NULL);
}

static void
test_spool_place_removal (gconstpointer data)
{
  const Removal *removal = data;
  PenTestSpool spool = { 0 };

  pen_test_spool_set_up (&spool, NULL);
  for (guint64 i = 0; i < 3; i++)
    {
      pen_test_spool_fill (&spool, 1 + 20 * i, 10);
      test_remove (&spool, removal);
      pen_test_spool_fill (&spool, 11 + 20 * i, 10);
      g_assert_nonnull (strstr (spool.told->str, "somebody has removed files"));
      g_string_truncate (spool.told, 0);
      test_reopen_after_crash (&spool);
    }
  g_assert_cmpuint (pen_test_spool_count (&spool, 0, 0), ==, 60);
  pen_test_spool_open (&spool, PEN_SPOOL_STORE_MUST_EXIST);
  g_assert_cmpuint (pen_test_spool_count (&spool, 0, 0), ==, 60);
  g_assert_cmpstr (spool.told->str, ==, "");

  /* what is removed after the last commit comes back when it is closed */
  test_remove (&spool, removal);
  pen_test_spool_close (&spool, TRUE);
  pen_test_spool_open (&spool, PEN_SPOOL_STORE_MUST_EXIST);
  g_assert_cmpuint (pen_test_spool_count (&spool, 0, 0), ==, 60);
  pen_test_spool_tear_down (&spool, NULL);
}

/* As long as it cannot be written anew, a commit fails; afterwards nothing is there twice. */
static void
test_spool_place_waits_for_its_folder (PenTestSpool *spool, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (spool->path);
  g_autofree char *aside = g_strconcat (folder, ".aside", NULL);
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);

  pen_test_spool_fill (spool, 1, 10);
  g_ptr_array_add (records, pen_test_spool_make_record (11));
  g_assert_no_errno (g_rename (folder, aside));
  pen_test_write_file (spool->folder, "spool", "a file where the folder was");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (pen_spool_store_commit (spool->store, records, NULL, 0, &error));
      g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, "cannot make folder"));
    }
  g_assert_no_errno (g_unlink (folder));
  pen_test_spool_fill (spool, 11, 1);
  g_assert_cmpuint (test_get_status (spool).n_records, ==, 11);
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 11);
  pen_test_remove_folder (g_steal_pointer (&aside));
}

static void
test_spool_place_moves_others_aside (PenTestSpool *spool, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (spool->path);
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint n_asides = 0;

  pen_test_spool_fill (spool, 1, 10);
  g_assert_no_errno (g_unlink (spool->path));
  pen_test_write_file (folder, "site-7.db", "of somebody else");
  pen_test_spool_fill (spool, 11, 10);
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    n_asides += strstr (name, ".damaged-") != NULL;
  g_assert_cmpuint (n_asides, ==, 1);
  g_assert_nonnull (strstr (spool->told->str, "what was found in its place"));
  g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, 20);
}

/* A log that goes while the process is dead takes messages along: told, and no position is given
 * again. */
static void
test_spool_place_misses_its_log (PenTestSpool *spool, gconstpointer data)
{
  g_autofree char *database = NULL;
  gsize length;

  pen_test_spool_fill (spool, 1, 10);
  database = pen_test_read_file (spool->path, &length);
  pen_test_spool_close (spool, FALSE);
  g_assert_true (g_file_set_contents (spool->path, database, (gssize) length, NULL));
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  g_assert_nonnull (strstr (spool->told->str, "is missing, and with it what came last"));
  pen_test_spool_fill (spool, 1, 1);
  g_assert_cmpuint (test_get_status (spool).newest, >, 10);
}

/* --- a full disk --- */

static void
test_write_ballast (const char *path)
{
  FILE *file = g_fopen (path, "w");
  static const char block[4096];

  g_assert_nonnull (file);
  setbuf (file, NULL);
  while (fwrite (block, 1, sizeof block, file) == sizeof block)
    {
    }
  fclose (file);
}

static void
test_fill_disk (const char *folder)
{
  g_autofree char *own_folder = g_strdup (folder);
  PenTestSpool spool
      = { .folder = own_folder,
          .path = g_build_filename (folder, "spool", PEN_TEST_SPOOL_NAME ".db", NULL),
          .told = g_string_new (NULL) };
  g_autofree char *ballast = g_build_filename (folder, "ballast", NULL);
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  PenSpoolStatus before;

  pen_test_spool_open (&spool, PEN_SPOOL_STORE_NONE);
  pen_test_spool_fill (&spool, 1, 100);
  for (guint i = 0; i < 1000; i++)
    g_ptr_array_add (records, pen_test_spool_make_record (101 + i));
  test_write_ballast (ballast);
  before = test_get_status (&spool);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (pen_spool_store_commit (spool.store, records, NULL, 0, &error));
      g_assert_error (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, "no space is left on its disk; make some"));
    }
  g_assert_cmpuint (test_get_status (&spool).n_records, ==, before.n_records);
  g_assert_cmpuint (test_get_status (&spool).newest, ==, before.newest);
  g_assert_cmpuint (pen_test_spool_count (&spool, 0, 0), ==, 100);

  g_assert_no_errno (g_unlink (ballast));
  {
    g_autoptr (GError) error = NULL;

    g_assert_true (pen_spool_store_commit (spool.store, records, NULL, 0, &error));
    g_assert_no_error (error);
  }
  g_assert_cmpuint (test_get_status (&spool).n_records, ==, 1100);
  pen_test_spool_close (&spool, TRUE);
  pen_test_spool_open (&spool, PEN_SPOOL_STORE_NONE);
  g_assert_cmpuint (test_get_status (&spool).n_records, ==, 1100);
  g_assert_cmpstr (spool.told->str, ==, "");
  pen_test_spool_close (&spool, TRUE);
  g_string_free (spool.told, TRUE);
  g_free (spool.path);
}

static void
test_spool_place_full_disk (void)
{
  pen_test_run_on_small_disk (8 * 1024 * 1024, test_fill_disk);
}

/* --- kill -9 --- */

/* The child says of each commit that it has returned; all of it must be there. */
static void
test_commit_until_killed (PenTestSpool *spool, int fd)
{
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  for (guint64 seed = test_get_status (spool).newest + 1;; seed += 5)
    {
      pen_test_spool_fill (spool, seed, 5);
      if (write (fd, "c", 1) != 1)
        _exit (1);
    }
}

static void
test_spool_place_killed (PenTestSpool *spool, gconstpointer data)
{
  guint64 n_told = 0;

  pen_test_spool_close (spool, FALSE);
  for (guint round = 0; round < 20; round++)
    {
      guint n_wanted = (guint) g_test_rand_int_range (1, 30);
      int fds[2];
      pid_t pid;
      char byte;

      g_assert_no_errno (pipe (fds));
      pid = fork ();
      if (pid == 0)
        test_commit_until_killed (spool, fds[1]);
      close (fds[1]);
      for (guint i = 0; i < n_wanted && read (fds[0], &byte, 1) == 1; i++)
        n_told += 5;
      kill (pid, SIGKILL);
      waitpid (pid, NULL, 0);
      while (read (fds[0], &byte, 1) == 1)
        n_told += 5;
      close (fds[0]);
      pen_test_spool_open (spool, PEN_SPOOL_STORE_MUST_EXIST);
      g_assert_cmpstr (spool->told->str, ==, "");
      g_assert_cmpuint (test_get_status (spool).newest, >=, n_told);
      g_assert_cmpuint (pen_test_spool_count (spool, 0, 0), ==, test_get_status (spool).newest);
      n_told = test_get_status (spool).newest;
      pen_test_spool_close (spool, FALSE);
    }
}

/* --- a random life --- */

typedef struct
{
  guint64 newest;
  guint64 delivered[3];
} Model;

static const char *const sinks[] = { "one", "two", "three" };

static void
test_check_model (PenTestSpool *spool, const Model *model)
{
  PenSpoolStatus status = test_get_status (spool);
  guint64 floor = MIN (MIN (model->delivered[0], model->delivered[1]), model->delivered[2]) + 1;

  g_assert_cmpuint (status.newest, ==, model->newest);
  g_assert_cmpuint (status.oldest, <=, floor);
  g_assert_cmpuint (status.n_records, ==, status.newest + 1 - status.oldest);
  g_assert_cmpuint (pen_test_spool_count (spool, floor - 1, 0), ==, model->newest + 1 - floor);
}

static void
test_step (PenTestSpool *spool, Model *model)
{
  guint i = (guint) g_test_rand_int_range (0, 3);
  guint n = (guint) g_test_rand_int_range (1, 200);

  switch (g_test_rand_int_range (0, 8))
    {
    case 0:
    case 1:
      pen_test_spool_fill (spool, model->newest + 1, n);
      model->newest += n;
      break;
    case 2:
      pen_test_spool_open (spool, PEN_SPOOL_STORE_MUST_EXIST);
      break;
    case 3:
      g_assert_true (pen_spool_store_commit (spool->store, NULL, NULL, G_MAXINT64, NULL));
      break;
    default:
      model->delivered[i] = MIN (model->delivered[i] + n, model->newest);
      pen_test_spool_move (spool, sinks[i], model->delivered[i], 0);
    }
}

static void
test_spool_place_random_life (PenTestSpool *spool, gconstpointer data)
{
  Model model = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    pen_test_spool_move (spool, sinks[i], 0, 0);
  for (guint i = 0; i < 300; i++)
    {
      test_step (spool, &model);
      if (i % 5 == 0)
        test_check_model (spool, &model);
      if (i % 60 == 0)
        test_reopen_after_crash (spool);
    }
  g_assert_cmpstr (spool->told->str, ==, "");
}

#define ADD(path, function)                                                                        \
  g_test_add ("/spool-place/" path, PenTestSpool, NULL, pen_test_spool_set_up,                     \
              test_spool_place_##function, pen_test_spool_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);

  for (guint i = 0; i < G_N_ELEMENTS (removals); i++)
    {
      g_autofree char *path = g_strdup_printf ("/spool-place/removed/%s", removals[i].path);

      g_test_add_data_func (path, &removals[i], test_spool_place_removal);
    }
  ADD ("waits-for-its-folder", waits_for_its_folder);
  ADD ("moves-others-aside", moves_others_aside);
  ADD ("misses-its-log", misses_its_log);
  g_test_add_func ("/spool-place/full-disk", test_spool_place_full_disk);
  ADD ("killed", killed);
  ADD ("random-life", random_life);

  return g_test_run ();
}
