/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lines out of bytes, however they are cut into pieces.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-file-splitter.h"

#include <string.h>

/* The lines of @text, fed in pieces of @piece bytes, as "number:text|number!full_length|". */
static char *
test_split (const char *text, gsize length, gsize piece, gsize max_line)
{
  g_autoptr (PenFileSplitter) splitter = pen_file_splitter_new (max_line);
  GString *lines = g_string_new (NULL);
  gsize done = 0;
  PenFileLine line;
  gboolean is_rest = FALSE;

  while (!is_rest)
    {
      if (done < length)
        {
          gsize room;
          char *buffer = pen_file_splitter_reserve (splitter, &room);
          gsize step = MIN (MIN (piece, room), length - done);

          memcpy (buffer, text + done, step);
          pen_file_splitter_commit (splitter, step);
          done += step;
        }
      else
        is_rest = TRUE;
      while (is_rest ? pen_file_splitter_take_rest (splitter, &line)
                     : pen_file_splitter_next (splitter, &line))
        if (line.is_too_large)
          g_string_append_printf (lines, "%" G_GUINT64_FORMAT "!%" G_GUINT64_FORMAT "|",
                                  line.number, line.full_length);
        else
          {
            g_assert_cmpuint (line.length, ==, line.full_length);
            g_string_append_printf (lines, "%" G_GUINT64_FORMAT ":", line.number);
            g_string_append_len (lines, line.text, (gssize) line.length);
            g_string_append_c (lines, '|');
          }
    }
  return g_string_free (lines, FALSE);
}

#define test_assert_splits(text, max_line, expected)                                               \
  for (gsize piece_ = 1; piece_ <= strlen (text) + 1; piece_++)                                    \
    {                                                                                              \
      g_autofree char *lines_ = test_split ((text), strlen (text), piece_, (max_line));            \
      g_assert_cmpstr (lines_, ==, (expected));                                                    \
    }

static void
test_splitter_lines (void)
{
  test_assert_splits ("", 10, "");
  test_assert_splits ("one\n", 10, "1:one|");
  test_assert_splits ("one\ntwo\nthree", 10, "1:one|2:two|3:three|");
  test_assert_splits ("  kept \t\r\n", 10, "1:  kept \t\r|");
}

static void
test_splitter_blank_lines (void)
{
  test_assert_splits ("\n\none\n\n \t\r\ntwo\n\n", 10, "3:one|6:two|");
  test_assert_splits ("\n", 10, "");
  test_assert_splits ("   ", 10, "");
}

static void
test_splitter_bound (void)
{
  test_assert_splits ("12345\n123456\n1\n", 5, "1:12345|2!6|3:1|");
  test_assert_splits ("12345", 5, "1:12345|");
  test_assert_splits ("123456", 5, "1!6|");
  test_assert_splits ("      \n", 5, "1!6|");
}

/* A line that is too large for a small bound, but not for a dead letter, is kept as a whole,
 * however it comes in: its letter does not say that it is cut. */
static void
test_splitter_head (void)
{
  const char text[] = "0123456789abcdef\n";

  for (gsize piece = 1; piece < sizeof text; piece++)
    {
      g_autoptr (PenFileSplitter) splitter = pen_file_splitter_new (5);
      PenFileLine line;
      gboolean is_line = FALSE;

      for (gsize done = 0; !is_line; done += piece)
        {
          gsize room;
          char *buffer = pen_file_splitter_reserve (splitter, &room);
          gsize step = MIN (piece, strlen (text) - done);

          memcpy (buffer, text + done, step);
          pen_file_splitter_commit (splitter, step);
          is_line = pen_file_splitter_next (splitter, &line);
        }
      g_assert_true (line.is_too_large);
      g_assert_cmpuint (line.full_length, ==, 16);
      g_assert_cmpmem (line.text, line.length, text, 16);
    }
}

/* A line of 10 MiB where 1 MiB is allowed: told by its length, and never in memory as a whole. */
static void
test_splitter_memory (void)
{
  const gsize max_line = 1024 * 1024;
  g_autoptr (PenFileSplitter) splitter = pen_file_splitter_new (max_line);
  PenFileLine line;
  guint64 n_bytes = 0;

  while (n_bytes < 10 * max_line)
    {
      gsize room;
      char *buffer = pen_file_splitter_reserve (splitter, &room);

      room = MIN (room, 10 * max_line - n_bytes);
      memset (buffer, 'a' + (int) (n_bytes / max_line), room);
      pen_file_splitter_commit (splitter, room);
      n_bytes += room;
      g_assert_false (pen_file_splitter_next (splitter, &line));
      g_assert_cmpuint (pen_file_splitter_get_size (splitter), <=, max_line + 1);
    }
  g_assert_true (pen_file_splitter_take_rest (splitter, &line));
  g_assert_true (line.is_too_large);
  g_assert_cmpuint (line.full_length, ==, 10 * max_line);
  g_assert_cmpuint (line.length, ==, PEN_FILE_HEAD_BYTES);
  g_assert_cmpint (line.text[0], ==, 'a');
  g_assert_cmpint (line.text[line.length - 1], ==, 'a');
}

/* The largest line that is allowed, whatever the pieces are. */
static void
test_splitter_largest (void)
{
  const gsize max_line = 300 * 1024;
  g_autofree char *text = g_malloc (2 * max_line + 3);
  g_autofree char *lines = NULL;

  memset (text, 'a', 2 * max_line + 3);
  text[max_line] = '\n';
  text[2 * max_line + 2] = '\n'; /* this one has a byte too many */
  lines = test_split (text, 2 * max_line + 3, 50000, max_line);

  g_assert_cmpuint (strlen (lines), ==, 2 + max_line + 1 + strlen ("2!307201|"));
  g_assert_true (g_str_has_suffix (lines, "a|2!307201|"));
}

static void
test_splitter_reset (void)
{
  g_autoptr (PenFileSplitter) splitter = pen_file_splitter_new (100);
  PenFileLine line;
  gsize room;

  memcpy (pen_file_splitter_reserve (splitter, &room), "one\ntw", 6);
  pen_file_splitter_commit (splitter, 6);
  g_assert_true (pen_file_splitter_next (splitter, &line));
  pen_file_splitter_reset (splitter);
  g_assert_false (pen_file_splitter_take_rest (splitter, &line));
  memcpy (pen_file_splitter_reserve (splitter, &room), "new\n", 4);
  pen_file_splitter_commit (splitter, 4);
  g_assert_true (pen_file_splitter_next (splitter, &line));
  g_assert_cmpuint (line.number, ==, 1);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/file-splitter/lines", test_splitter_lines);
  g_test_add_func ("/file-splitter/blank-lines", test_splitter_blank_lines);
  g_test_add_func ("/file-splitter/bound", test_splitter_bound);
  g_test_add_func ("/file-splitter/head", test_splitter_head);
  g_test_add_func ("/file-splitter/memory", test_splitter_memory);
  g_test_add_func ("/file-splitter/largest", test_splitter_largest);
  g_test_add_func ("/file-splitter/reset", test_splitter_reset);
  return g_test_run ();
}
