/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the splitter against the plain way of taking lines apart. The first two bytes say
 * how large the pieces and the largest line are.
 */

#include "config.h"

#include "pen-file-splitter.h"
#include "pen-fuzz.h"

#include <string.h>

/* The next line that is not blank, the plain way; FALSE at the end. */
static gboolean
test_next_line (const char **cursor, const char *end, gsize max_line, PenFileLine *line)
{
  while (*cursor < end)
    {
      const char *newline = memchr (*cursor, '\n', (gsize) (end - *cursor));
      const char *line_end = newline != NULL ? newline : end;

      line->text = *cursor;
      line->length = (gsize) (line_end - *cursor);
      line->full_length = line->length;
      line->is_too_large = line->length > max_line;
      line->number++;
      *cursor = newline != NULL ? newline + 1 : end;
      for (const char *byte = line->text; byte < line_end; byte++)
        if (strchr (" \t\r", *byte) == NULL || *byte == '\0')
          return TRUE;
      if (line->is_too_large)
        return TRUE;
    }
  return FALSE;
}

static void
test_compare (PenFileSplitter *splitter,
              gboolean is_rest,
              const char **cursor,
              const char *end,
              gsize max_line,
              PenFileLine *expected)
{
  PenFileLine line;

  while (is_rest ? pen_file_splitter_take_rest (splitter, &line)
                 : pen_file_splitter_next (splitter, &line))
    {
      g_assert_true (test_next_line (cursor, end, max_line, expected));
      g_assert_cmpuint (line.number, ==, expected->number);
      g_assert_cmpuint (line.full_length, ==, expected->full_length);
      g_assert_cmpint (line.is_too_large, ==, expected->is_too_large);
      g_assert_cmpuint (line.length, ==, MIN (expected->length, PEN_FILE_HEAD_BYTES));
      g_assert_true (memcmp (line.text, expected->text, line.length) == 0);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *cursor = (const char *) data + 2;
  const char *end = (const char *) data + size;
  const char *fed = cursor;
  PenFileLine expected = { .number = 0 };
  g_autoptr (PenFileSplitter) splitter = NULL;

  if (size < 2)
    return 0;
  splitter = pen_file_splitter_new (data[1]);
  while (fed < end)
    {
      gsize room;
      char *buffer = pen_file_splitter_reserve (splitter, &room);
      gsize step = MIN ((gsize) (end - fed), (gsize) data[0] + 1);

      g_assert_cmpuint (room, >, 0);
      step = MIN (step, room);
      memcpy (buffer, fed, step);
      pen_file_splitter_commit (splitter, step);
      fed += step;
      test_compare (splitter, FALSE, &cursor, end, data[1], &expected);
    }
  test_compare (splitter, TRUE, &cursor, end, data[1], &expected);
  g_assert_false (test_next_line (&cursor, end, data[1], &expected));
  return 0;
}
