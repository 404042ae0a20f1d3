/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pages of a database and its log, as https://www.sqlite.org/fileformat.html (version 3.40) has
 * them: chapters 1.5 (free list), 1.6 (b-trees), 1.7 (overflow), 2.1 (records), 4 (log).
 *
 * Nothing is believed: a number that leads out of a page, out of the file or in a circle ends that
 * row and not the reading, and the work is bounded by the size of the files. Files are read, not
 * mapped, as somebody may cut them off meanwhile. The size of a page is the one that every spool is
 * made with, so that no header is needed.
 */

#include "config.h"

#include "pen-spool-pages.h"

#include "pen-spool-store-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES PEN_SPOOL_PAGE_BYTES
#define FIRST_PAGE_HEADER_BYTES 100
#define FREE_LIST_PLACE 32
#define LEAF_TYPE 0x0d
#define LEAF_HEADER_BYTES 8
#define OVERFLOW_LINK_BYTES 4
#define LOG_HEADER_BYTES 32
#define FRAME_HEADER_BYTES 24
#define FRAME_BYTES (FRAME_HEADER_BYTES + PAGE_BYTES)
#define LOG_MAGIC 0x377f0682
#define OVERFLOW_BUDGET_PER_IMAGE 16
#define REPORT_EACH_IMAGES 256

/* Where to look for another page of a row. */
typedef enum
{
  PEN_SPOOL_VIEW_LIVE,
  PEN_SPOOL_VIEW_NEWEST, /* in the log, whether committed or not */
  PEN_SPOOL_VIEW_DATABASE,
  PEN_SPOOL_N_VIEWS,
} PenSpoolView;

struct _PenSpoolPages
{
  int fd;
  int wal_fd;
  guint32 n_pages;      /* in the database's file */
  guint32 n_frames;     /* in the log's */
  guint32 *frame_pages; /* number of the page in each frame; 0: none */
  guint32 n_committed;  /* frames that SQLite would read */
  gboolean is_log_damaged;
  GHashTable *live_frames;   /* page to frame + 1 */
  GHashTable *newest_frames; /* likewise */
  guint8 *is_free;           /* a bit per page; NULL: the free list cannot be read */
  guint32 highest_page;
  guint64 overflow_budget; /* pages */
  GByteArray *record;      /* of a row that overflows */
  guint8 overflow[PAGE_BYTES];
};

static guint32
pen_spool_get_32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

static guint16
pen_spool_get_16 (const guint8 *p)
{
  return (guint16) (p[0] << 8 | p[1]);
}

/* 0: there is none before @end */
static guint
pen_spool_get_varint (const guint8 *p, const guint8 *end, guint64 *value)
{
  *value = 0;
  for (guint i = 0; i < 9 && p + i < end; i++)
    {
      if (i == 8)
        {
          *value = *value << 8 | p[i];
          return 9;
        }
      *value = *value << 7 | (p[i] & 0x7f);
      if ((p[i] & 0x80) == 0)
        return i + 1;
    }
  return 0;
}

/* All of it, or FALSE. */
static gboolean
pen_spool_read_at (int fd, guint64 place, void *buffer, gsize length)
{
  gsize n_read = 0;

  while (n_read < length)
    {
      ssize_t n = pread (fd, (guint8 *) buffer + n_read, length - n_read, (off_t) (place + n_read));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      n_read += (gsize) n;
    }
  return TRUE;
}

static guint64
pen_spool_get_size (int fd)
{
  struct stat status;

  return fd >= 0 && fstat (fd, &status) == 0 && status.st_size > 0 ? (guint64) status.st_size : 0;
}

/* --- the log --- */

typedef struct
{
  guint32 sums[2];
  gboolean is_big_endian;
} PenSpoolSums;

static void
pen_spool_sums_add (PenSpoolSums *self, const guint8 *bytes, gsize length)
{
  for (gsize i = 0; i + 8 <= length; i += 8)
    {
      guint32 one;
      guint32 other;

      memcpy (&one, bytes + i, 4);
      memcpy (&other, bytes + i + 4, 4);
      one = self->is_big_endian ? GUINT32_FROM_BE (one) : GUINT32_FROM_LE (one);
      other = self->is_big_endian ? GUINT32_FROM_BE (other) : GUINT32_FROM_LE (other);
      self->sums[0] += one + self->sums[1];
      self->sums[1] += other + self->sums[0];
    }
}

static gboolean
pen_spool_sums_are (const PenSpoolSums *self, const guint8 *bytes)
{
  return pen_spool_get_32 (bytes) == self->sums[0] && pen_spool_get_32 (bytes + 4) == self->sums[1];
}

static gboolean
pen_spool_log_read_header (PenSpoolPages *self, guint8 *header, PenSpoolSums *sums)
{
  if (!pen_spool_read_at (self->wal_fd, 0, header, LOG_HEADER_BYTES))
    return FALSE;
  *sums = (PenSpoolSums){ .is_big_endian = (header[3] & 1) != 0 };
  pen_spool_sums_add (sums, header, 24);
  return (pen_spool_get_32 (header) & ~1u) == LOG_MAGIC
         && pen_spool_get_32 (header + 8) == PAGE_BYTES && pen_spool_sums_are (sums, header + 24);
}

/* Frames count as long as the chain of sums holds, and up to the last that ends a transaction.
 * Behind that, what carries the log's salt was written since the log began anew: it was cut off in
 * the middle of a transaction, or damaged; what carries none of it is left from before. */
static void
pen_spool_pages_scan_log (PenSpoolPages *self)
{
  g_autofree guint8 *frame = g_malloc (FRAME_BYTES);
  guint8 header[LOG_HEADER_BYTES] = { 0 };
  PenSpoolSums sums;
  gboolean has_header = pen_spool_log_read_header (self, header, &sums);
  gboolean is_whole = has_header;

  for (guint32 i = 0; i < self->n_frames; i++)
    {
      guint64 place = LOG_HEADER_BYTES + (guint64) i * FRAME_BYTES;
      gboolean is_ours;

      if (!pen_spool_read_at (self->wal_fd, place, frame, FRAME_BYTES))
        break;
      self->frame_pages[i] = pen_spool_get_32 (frame);
      if (self->frame_pages[i] > self->n_pages + self->n_frames)
        self->frame_pages[i] = 0; /* a page beyond the file is in the log, or nowhere */
      self->highest_page = MAX (self->highest_page, self->frame_pages[i]);
      if (is_whole)
        {
          pen_spool_sums_add (&sums, frame, 8);
          pen_spool_sums_add (&sums, frame + FRAME_HEADER_BYTES, PAGE_BYTES);
          is_whole = self->frame_pages[i] > 0 && memcmp (frame + 8, header + 16, 8) == 0
                     && pen_spool_sums_are (&sums, frame + 16);
        }
      if (is_whole && pen_spool_get_32 (frame + 4) > 0)
        self->n_committed = i + 1;
      is_ours = !has_header || memcmp (frame + 8, header + 16, 4) == 0
                || memcmp (frame + 12, header + 20, 4) == 0;
      if (!is_whole && is_ours && self->frame_pages[i] > 0)
        self->is_log_damaged = TRUE;
    }
}

static void
pen_spool_pages_map_frames (PenSpoolPages *self)
{
  for (guint32 i = 0; i < self->n_frames; i++)
    {
      gpointer page = GUINT_TO_POINTER (self->frame_pages[i]);

      if (self->frame_pages[i] == 0)
        continue;
      g_hash_table_replace (self->newest_frames, page, GUINT_TO_POINTER (i + 1));
      if (i < self->n_committed)
        g_hash_table_replace (self->live_frames, page, GUINT_TO_POINTER (i + 1));
    }
}

/* --- pages --- */

static gboolean
pen_spool_pages_read_frame (PenSpoolPages *self, guint32 frame, guint8 *page)
{
  return pen_spool_read_at (self->wal_fd,
                            LOG_HEADER_BYTES + (guint64) frame * FRAME_BYTES + FRAME_HEADER_BYTES,
                            page, PAGE_BYTES);
}

/* The last page of a file that was cut off may be short: the rest of it is nothing. */
static gboolean
pen_spool_pages_read_database (PenSpoolPages *self, guint32 number, guint8 *page)
{
  guint64 place = (guint64) (number - 1) * PAGE_BYTES;
  ssize_t length;

  if (number == 0 || number > self->n_pages)
    return FALSE;
  memset (page, 0, PAGE_BYTES);
  length = pread (self->fd, page, PAGE_BYTES, (off_t) place);
  return length > 0;
}

static gboolean
pen_spool_pages_read (PenSpoolPages *self, PenSpoolView view, guint32 number, guint8 *page)
{
  GHashTable *frames = view == PEN_SPOOL_VIEW_LIVE ? self->live_frames : self->newest_frames;
  guint frame = GPOINTER_TO_UINT (g_hash_table_lookup (frames, GUINT_TO_POINTER (number)));

  if (frame > 0 && view != PEN_SPOOL_VIEW_DATABASE)
    return pen_spool_pages_read_frame (self, frame - 1, page);
  return pen_spool_pages_read_database (self, number, page);
}

static gboolean
pen_spool_pages_set_free (PenSpoolPages *self, guint8 *bits, guint32 number)
{
  guint8 bit = (guint8) (1u << (number % 8));

  if (number < 2 || number > self->highest_page || (bits[number / 8] & bit) != 0)
    return FALSE;
  bits[number / 8] |= bit;
  return TRUE;
}

/* Only if it holds together: otherwise nothing is known to be free. */
static void
pen_spool_pages_read_free_list (PenSpoolPages *self)
{
  g_autofree guint8 *bits = g_malloc0 (self->highest_page / 8 + 1);
  guint8 page[PAGE_BYTES];
  guint32 trunk;
  guint32 n_expected;
  guint32 n_found = 0;

  if (!pen_spool_pages_read (self, PEN_SPOOL_VIEW_LIVE, 1, page))
    return;
  trunk = pen_spool_get_32 (page + FREE_LIST_PLACE);
  n_expected = pen_spool_get_32 (page + FREE_LIST_PLACE + 4);
  while (trunk != 0)
    {
      guint32 n_leaves;

      if (!pen_spool_pages_set_free (self, bits, trunk)
          || !pen_spool_pages_read (self, PEN_SPOOL_VIEW_LIVE, trunk, page))
        return;
      n_leaves = pen_spool_get_32 (page + 4);
      if (n_leaves > PAGE_BYTES / 4 - 2)
        return;
      for (guint32 i = 0; i < n_leaves; i++)
        if (!pen_spool_pages_set_free (self, bits, pen_spool_get_32 (page + 8 + 4 * i)))
          return;
      n_found += 1 + n_leaves;
      trunk = pen_spool_get_32 (page);
    }
  if (n_found == n_expected)
    self->is_free = g_steal_pointer (&bits);
}

/* documented in the header */
PenSpoolPages *
pen_spool_pages_new (int fd, int wal_fd)
{
  PenSpoolPages *self = g_new0 (PenSpoolPages, 1);
  guint64 size = pen_spool_get_size (fd);
  guint64 wal_size = pen_spool_get_size (wal_fd);

  self->fd = fd;
  self->wal_fd = wal_fd;
  self->n_pages = (guint32) MIN ((size + PAGE_BYTES - 1) / PAGE_BYTES, G_MAXINT32);
  if (wal_size > LOG_HEADER_BYTES)
    self->n_frames = (guint32) MIN ((wal_size - LOG_HEADER_BYTES) / FRAME_BYTES, G_MAXINT32);
  self->highest_page = self->n_pages;
  self->frame_pages = g_new0 (guint32, self->n_frames);
  self->live_frames = g_hash_table_new (NULL, NULL);
  self->newest_frames = g_hash_table_new (NULL, NULL);
  self->record = g_byte_array_new ();
  self->overflow_budget
      = OVERFLOW_BUDGET_PER_IMAGE * ((guint64) self->n_pages + self->n_frames + 1);
  pen_spool_pages_scan_log (self);
  pen_spool_pages_map_frames (self);
  pen_spool_pages_read_free_list (self);
  return self;
}

/* documented in the header */
void
pen_spool_pages_free (PenSpoolPages *self)
{
  g_free (self->frame_pages);
  g_free (self->is_free);
  g_hash_table_unref (self->live_frames);
  g_hash_table_unref (self->newest_frames);
  g_byte_array_unref (self->record);
  g_free (self);
}

/* documented in the header */
gboolean
pen_spool_pages_is_log_damaged (const PenSpoolPages *self)
{
  return self->is_log_damaged;
}

/* --- rows --- */

typedef struct
{
  PenSpoolPages *pages;
  const PenSpoolPageFunctions *functions;
  gpointer user_data;
  PenSpoolPageKind kinds;
  guint8 page[PAGE_BYTES];
} PenSpoolWalk;

/* Appends to the record what lies on other pages, beginning with @number. */
static gboolean
pen_spool_pages_follow (PenSpoolPages *self, PenSpoolView view, guint32 number, gsize length)
{
  while (self->record->len < length)
    {
      gsize part = MIN (length - self->record->len, PAGE_BYTES - OVERFLOW_LINK_BYTES);

      if (self->overflow_budget == 0 || number < 2
          || !pen_spool_pages_read (self, view, number, self->overflow))
        return FALSE;
      self->overflow_budget--;
      g_byte_array_append (self->record, self->overflow + OVERFLOW_LINK_BYTES, (guint) part);
      number = pen_spool_get_32 (self->overflow);
    }
  return number == 0;
}

/* How much of a row lies on its own page; fileformat.html, 1.6 */
static gsize
pen_spool_get_local_length (guint64 length)
{
  guint64 most = PAGE_BYTES - 35;
  guint64 least = (PAGE_BYTES - 12) * 32 / 255 - 23;
  guint64 local = least + (length - least) % (PAGE_BYTES - 4);

  if (length <= most)
    return (gsize) length;
  return (gsize) (local <= most ? local : least);
}

static void
pen_spool_walk_overflow (PenSpoolWalk *self, PenSpoolCell *cell, const guint8 *start, gsize local)
{
  PenSpoolPages *pages = self->pages;
  guint32 number = pen_spool_get_32 (start + local);

  for (guint view = 0; view < PEN_SPOOL_N_VIEWS; view++)
    {
      g_byte_array_set_size (pages->record, 0);
      g_byte_array_append (pages->record, start, (guint) local);
      if (!pen_spool_pages_follow (pages, (PenSpoolView) view, number, cell->length))
        continue;
      cell->record = pages->record->data;
      if (self->functions->take (cell, self->user_data))
        break;
    }
  if (pages->record->len > 16 * PAGE_BYTES) /* one large message must not cost memory for ever */
    {
      g_byte_array_unref (pages->record);
      pages->record = g_byte_array_new ();
    }
}

static void
pen_spool_walk_cell (PenSpoolWalk *self, PenSpoolPageKind kind, gsize place)
{
  PenSpoolPages *pages = self->pages;
  const guint8 *p = self->page + place;
  const guint8 *end = self->page + PAGE_BYTES;
  guint64 limit = ((guint64) pages->n_pages + pages->n_frames) * PAGE_BYTES;
  PenSpoolCell cell = { .kind = kind };
  guint64 length;
  guint64 row_id;
  guint n = pen_spool_get_varint (p, end, &length);
  gsize local;

  p += n;
  if (n == 0 || (n = pen_spool_get_varint (p, end, &row_id)) == 0 || length == 0 || length > limit
      || length > G_MAXINT32)
    return;
  p += n;
  cell.row_id = (gint64) row_id;
  cell.length = (gsize) length;
  local = pen_spool_get_local_length (length);
  if (local + (local < length ? OVERFLOW_LINK_BYTES : 0) > (gsize) (end - p)
      || !self->functions->wants (cell.row_id, kind, cell.length, self->user_data))
    return;
  cell.record = p;
  if (local < length)
    pen_spool_walk_overflow (self, &cell, p, local);
  else
    self->functions->take (&cell, self->user_data);
}

static void
pen_spool_walk_page (PenSpoolWalk *self, PenSpoolPageKind kind, guint32 number)
{
  gsize start = number == 1 ? FIRST_PAGE_HEADER_BYTES : 0;
  const guint8 *header = self->page + start;
  gsize cells = start + LEAF_HEADER_BYTES;
  guint n_cells = pen_spool_get_16 (header + 3);

  if (header[0] != LEAF_TYPE)
    return;
  n_cells = MIN (n_cells, (guint) (PAGE_BYTES - cells) / 4);
  for (guint i = 0; i < n_cells; i++)
    {
      gsize place = pen_spool_get_16 (self->page + cells + 2 * i);

      if (place >= cells + 2 && place < PAGE_BYTES)
        pen_spool_walk_cell (self, kind, place);
    }
}

static PenSpoolPageKind
pen_spool_pages_get_kind (PenSpoolPages *self, guint32 number, guint32 frame)
{
  guint live
      = GPOINTER_TO_UINT (g_hash_table_lookup (self->live_frames, GUINT_TO_POINTER (number)));

  if (live != frame)
    return PEN_SPOOL_PAGE_STALE;
  if (self->is_free != NULL && (self->is_free[number / 8] & (1u << (number % 8))) != 0)
    return PEN_SPOOL_PAGE_FREE;
  return PEN_SPOOL_PAGE_LIVE;
}

/* @frame: 0 for the database, otherwise that of the log + 1 */
static void
pen_spool_walk_image (PenSpoolWalk *self, guint32 number, guint32 frame)
{
  PenSpoolPages *pages = self->pages;
  PenSpoolPageKind kind;

  if (number == 0)
    return;
  kind = pen_spool_pages_get_kind (pages, number, frame);
  if ((kind & self->kinds) == 0)
    return;
  if (frame > 0 ? pen_spool_pages_read_frame (pages, frame - 1, self->page)
                : pen_spool_pages_read_database (pages, number, self->page))
    pen_spool_walk_page (self, kind, number);
}

/* documented in the header */
gboolean
pen_spool_pages_foreach (PenSpoolPages *self,
                         PenSpoolPageKind kinds,
                         const PenSpoolPageFunctions *functions,
                         gpointer user_data)
{
  g_autofree PenSpoolWalk *walk = g_new (PenSpoolWalk, 1);
  guint64 n_images = (guint64) self->n_pages + self->n_frames;

  walk->pages = self;
  walk->functions = functions;
  walk->user_data = user_data;
  for (guint pass = 0; pass < 2; pass++)
    {
      walk->kinds = pass == 0 ? kinds & PEN_SPOOL_PAGE_LIVE : kinds & ~PEN_SPOOL_PAGE_LIVE;
      for (guint64 image = 0; image < n_images && walk->kinds != 0; image++)
        {
          guint32 frame = (guint32) (image < self->n_frames ? self->n_frames - image : 0);

          if (image % REPORT_EACH_IMAGES == 0 && functions->progress != NULL
              && !functions->progress ((pass + (double) image / (double) n_images) / 2, user_data))
            return FALSE;
          pen_spool_walk_image (walk,
                                frame > 0 ? self->frame_pages[frame - 1]
                                          : (guint32) (image - self->n_frames + 1),
                                frame);
        }
    }
  return TRUE;
}

/* --- records --- */

/* FALSE: there is no such type, or it does not fit */
static gboolean
pen_spool_column_parse (PenSpoolColumn *self, guint64 type, const guint8 **p, const guint8 *end)
{
  static const guint8 lengths[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };

  *self = (PenSpoolColumn){ NULL, 0, 0 };
  if (type >= 12)
    {
      if ((type - 12) / 2 > (guint64) (end - *p))
        return FALSE;
      self->data = *p;
      self->length = (gsize) ((type - 12) / 2);
      *p += self->length;
      return TRUE;
    }
  if (type >= G_N_ELEMENTS (lengths) || lengths[type] > end - *p)
    return FALSE;
  if (lengths[type] > 0)
    {
      guint64 number = ((*p)[0] & 0x80) != 0 ? G_MAXUINT64 : 0;

      for (guint i = 0; i < lengths[type]; i++)
        number = number << 8 | (*p)[i];
      self->number = (gint64) number;
    }
  else if (type == 9)
    self->number = 1;
  *p += lengths[type];
  return TRUE;
}

/* documented in the header */
gboolean
pen_spool_record_parse (const guint8 *record,
                        gsize length,
                        PenSpoolColumn *columns,
                        guint n_columns)
{
  const guint8 *end = record + length;
  const guint8 *type = NULL;
  const guint8 *types_end = NULL;
  const guint8 *data = NULL;
  guint64 header_length;
  guint n = pen_spool_get_varint (record, end, &header_length);

  if (n == 0 || header_length < n || header_length > length)
    return FALSE;
  type = record + n;
  types_end = record + header_length;
  data = types_end;
  for (guint i = 0; i < n_columns; i++)
    {
      guint64 value;

      n = pen_spool_get_varint (type, types_end, &value);
      if (n == 0 || !pen_spool_column_parse (&columns[i], value, &data, end))
        return FALSE;
      type += n;
    }
  return type == types_end && data == end;
}
