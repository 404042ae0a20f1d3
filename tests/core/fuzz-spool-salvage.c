/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the pages of a damaged spool. The first bytes say how the rest is laid out: as pages
 * of a database and frames of a log, since an input of whole pages would be too long for a fuzzer.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-spool-pages.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 8192
#define FRAME_BYTES (24 + PAGE_BYTES)
#define MAX_PAGES 8
#define MAX_ROW_BYTES (2 * MAX_PAGES * PAGE_BYTES)

static gboolean
pen_fuzz_wants (gint64 row_id, PenSpoolPageKind kind, gsize length, gpointer user_data)
{
  g_assert (length > 0 && length <= MAX_ROW_BYTES);
  return TRUE;
}

static gboolean
pen_fuzz_take (const PenSpoolCell *cell, gpointer user_data)
{
  guint *sum = user_data;
  PenSpoolColumn columns[11];

  for (guint n = 1; n <= G_N_ELEMENTS (columns); n++)
    if (pen_spool_record_parse (cell->record, cell->length, columns, n))
      for (guint i = 0; i < n; i++)
        for (gsize j = 0; j < columns[i].length; j++)
          *sum += columns[i].data[j];
  for (gsize i = 0; i < cell->length; i++)
    *sum += cell->record[i];
  return *sum % 3 == 0;
}

/* A piece of the input for the beginning of each unit, and one for its end, where cells lie. */
static int
pen_fuzz_make_file (const guint8 *data, gsize size, guint n_units, gsize head, gsize unit)
{
  int fd = memfd_create ("fuzz", MFD_CLOEXEC);
  gsize piece = n_units > 0 ? size / (2 * n_units) : 0;

  g_assert (fd >= 0);
  if (ftruncate (fd, (off_t) (head + n_units * unit)) != 0)
    g_assert_not_reached ();
  for (guint i = 0; i < n_units; i++)
    {
      gsize length = MIN (piece, unit / 2);
      const guint8 *start = data + 2 * i * piece;

      g_assert (pwrite (fd, start, length, (off_t) (head + i * unit)) == (ssize_t) length);
      g_assert (pwrite (fd, start + piece, length, (off_t) (head + (i + 1) * unit - length))
                == (ssize_t) length);
    }
  return fd;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const PenSpoolPageFunctions functions = { pen_fuzz_wants, pen_fuzz_take, NULL };
  g_autoptr (PenSpoolPages) pages = NULL;
  guint sum = 0;
  guint n_pages;
  guint n_frames;
  gsize cut;
  int fd;
  int wal_fd;

  if (size < 3)
    return 0;
  n_pages = data[0] % (MAX_PAGES + 1);
  n_frames = data[1] % (MAX_PAGES + 1);
  cut = (size - 3) * data[2] / 255;
  fd = pen_fuzz_make_file (data + 3, cut, n_pages, 0, PAGE_BYTES);
  wal_fd = pen_fuzz_make_file (data + 3 + cut, size - 3 - cut, n_frames, 32, FRAME_BYTES);
  pages = pen_spool_pages_new (fd, wal_fd);
  pen_spool_pages_foreach (pages, PEN_SPOOL_PAGE_LIVE | PEN_SPOOL_PAGE_FREE | PEN_SPOOL_PAGE_STALE,
                           &functions, &sum);
  close (fd);
  close (wal_fd);
  return 0;
}
