/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a payload costs, in instructions, which callgrind counts alike each time: no more than
 * expected.txt says, and one in twenty. With PENSTOCK_TEST_UPDATE=1 in the environment, that file
 * is written anew, to be looked at and committed.
 *
 * The figures hold for one compiler and one processor family. What depends on the processor besides
 * are the functions of libc and the scanner, which come in several variants: here always those
 * without AVX. The functions of libc and GLib that are called are counted too, memory allocation
 * first of all.
 */

#include "config.h"

#include "pen-test.h"

#include <string.h>
#include <sys/wait.h>

/* How far a figure may be from the expected one. */
#define TOLERANCE_PERCENT 5

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define COMPILER "gcc " __VERSION__ ", x86-64"
#else
#define COMPILER "another compiler or processor"
#endif

#define COUNTED_FUNCTION "pen_count_payloads"

static char *
test_instructions_dup_path (void)
{
  return g_test_build_filename (G_TEST_DIST, "instructions", "expected.txt", NULL);
}

/* Runs @arguments in an environment in which nothing but the code decides what is executed. */
static void
test_instructions_run (const char *const *arguments, char **output)
{
  const char *environment[] = {
    /* The names of glibc 2.36; one that it does not know, or the processor lacks, does nothing. */
    "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,-FSRM,"
    "-SSE4_2,-MOVBE,-LZCNT,-Prefer_No_VZEROUPPER,-AVX_Fast_Unaligned_Load",
    "LD_BIND_NOW=1",
    "PATH=/usr/bin:/bin",
    NULL,
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *complaints = NULL;
  int status;

  g_spawn_sync (NULL, (char **) arguments, (char **) environment, G_SPAWN_DEFAULT, NULL, NULL,
                output, &complaints, &status, &error);
  g_assert_no_error (error);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("%s failed: %s", arguments[0], complaints);
}

/* Returns how many instructions a case takes for all of its payloads. */
static guint64
test_instructions_count (const char *valgrind, const char *counter, const char *name)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *file = g_build_filename (folder, "counts", NULL);
  g_autofree char *file_option = g_strconcat ("--callgrind-out-file=", file, NULL);
  const char *arguments[] = { valgrind,
                              "--tool=callgrind",
                              "--collect-atstart=no",
                              "--toggle-collect=" COUNTED_FUNCTION,
                              file_option,
                              counter,
                              name,
                              NULL };
  g_autofree char *counts = NULL;
  const char *totals;
  guint64 count;

  test_instructions_run (arguments, NULL);
  counts = pen_test_read_file (file, NULL);
  totals = strstr (counts, "\ntotals: ");
  g_assert_nonnull (totals);
  count = g_ascii_strtoull (totals + strlen ("\ntotals: "), NULL, 10);
  pen_test_remove_folder (g_steal_pointer (&folder));
  return count;
}

/* Returns the figure behind @name in @expected, or 0. */
static double
test_instructions_find (const char *expected, const char *name)
{
  g_autofree char *begin = g_strdup_printf ("\n%s ", name);
  const char *found = strstr (expected, begin);

  return found != NULL ? g_ascii_strtod (found + strlen (begin), NULL) : 0;
}

/* Fails the test if a figure is too large, and says so if it is smaller than known. */
static void
test_instructions_judge (const char *name, double figure, double expected)
{
  double percent = (figure - expected) / expected * 100;

  g_test_message ("%s: %.0f instructions a payload, expected %.0f (%+.1f %%)", name, figure,
                  expected, percent);
  /* Not a number, where nothing is expected of a name, is not less either. */
  if (!(percent <= TOLERANCE_PERCENT))
    {
      g_test_fail_printf ("%s: %.0f instructions a payload, more than %d %% above the expected "
                          "%.0f: profile it (bench/inproc --profile); if what it buys is worth it, "
                          "run this test with PENSTOCK_TEST_UPDATE=1 and say why in the commit",
                          name, figure, TOLERANCE_PERCENT, expected);
      g_printerr ("%s: %.0f instructions a payload, expected %.0f\n", name, figure, expected);
    }
  else if (percent < -TOLERANCE_PERCENT)
    g_test_message ("%s: this is more than %d %% below: lower the expected figure: run this test "
                    "with PENSTOCK_TEST_UPDATE=1, and commit the file",
                    name, TOLERANCE_PERCENT);
}

static void
test_instructions_update (GString *figures)
{
  g_autofree char *path = test_instructions_dup_path ();
  g_autoptr (GError) error = NULL;

  g_string_prepend (figures,
                    "# Instructions a payload, under callgrind: test-instructions.c. Written by\n"
                    "# PENSTOCK_TEST_UPDATE=1 meson test -C build instructions\n"
                    "compiler " COMPILER "\n");
  g_file_set_contents (path, figures->str, -1, &error);
  g_assert_no_error (error);
}

static void
test_instructions (void)
{
  g_autofree char *path = test_instructions_dup_path ();
  g_autofree char *expected = pen_test_read_file (path, NULL);
  g_autofree char *valgrind = g_find_program_in_path ("valgrind");
  g_autofree char *counter
      = g_test_build_filename (G_TEST_BUILT, "instructions", "count-instructions", NULL);
  const char *describe[] = { counter, "describe", NULL };
  gboolean updates = g_getenv ("PENSTOCK_TEST_UPDATE") != NULL;
  g_autoptr (GString) figures = g_string_new (NULL);
  g_autofree char *description = NULL;
  g_auto (GStrv) lines = NULL;

  if (valgrind == NULL)
    {
      g_test_skip ("valgrind is not installed");
      return;
    }
  if (!updates && strstr (expected, "\ncompiler " COMPILER "\n") == NULL)
    {
      g_test_skip ("the expected figures are another compiler's than " COMPILER);
      return;
    }
  test_instructions_run (describe, &description);
  lines = g_strsplit (g_strchomp (description), "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 2);
      double figure = (double) test_instructions_count (valgrind, counter, words[0])
                      / g_ascii_strtod (words[1], NULL);

      g_string_append_printf (figures, "%s %.0f\n", words[0], figure);
      if (!updates)
        test_instructions_judge (words[0], figure, test_instructions_find (expected, words[0]));
    }
  if (updates)
    test_instructions_update (figures);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/instructions/no-more-than-expected", test_instructions);
  return g_test_run ();
}
