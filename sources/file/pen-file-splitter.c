/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in pieces go in, lines come out. The buffer grows up to one line of the largest size that
 * is allowed and no further: of a longer line the beginning is kept and the rest is only counted.
 * Every byte is looked at once.
 */

#include "config.h"

#include "pen-file-splitter.h"

#include <string.h>

/* How much is read at a time, and where the buffer begins. */
#define CHUNK_BYTES (128 * 1024)

struct _PenFileSplitter
{
  gsize max_line;
  char *buffer;
  gsize capacity;
  gsize begin;   /* of the first line that was not handed out */
  gsize scanned; /* no newline from begin to here */
  gsize end;
  guint64 number;   /* of lines handed out or skipped */
  guint64 n_cut;    /* bytes of the line at begin that are no longer in the buffer */
  GByteArray *head; /* its first bytes, if there are any such */
};

PenFileSplitter *
pen_file_splitter_new (gsize max_line)
{
  PenFileSplitter *self = g_new0 (PenFileSplitter, 1);

  self->max_line = max_line;
  self->head = g_byte_array_new ();
  return self;
}

void
pen_file_splitter_free (PenFileSplitter *self)
{
  g_byte_array_unref (self->head);
  g_free (self->buffer);
  g_free (self);
}

/* Forgets everything, the number of lines too: another file begins. */
void
pen_file_splitter_reset (PenFileSplitter *self)
{
  self->begin = 0;
  self->scanned = 0;
  self->end = 0;
  self->number = 0;
  self->n_cut = 0;
  g_byte_array_set_size (self->head, 0);
}

/* The buffer's size at this moment. */
gsize
pen_file_splitter_get_size (const PenFileSplitter *self)
{
  return self->capacity;
}

/* Where the next bytes are to be put, and how many fit: at least one. */
char *
pen_file_splitter_reserve (PenFileSplitter *self, gsize *room)
{
  if (self->begin > 0)
    {
      memmove (self->buffer, self->buffer + self->begin, self->end - self->begin);
      self->scanned -= self->begin;
      self->end -= self->begin;
      self->begin = 0;
    }
  if (self->end == self->capacity)
    {
      gsize limit = MAX (self->max_line + 1, CHUNK_BYTES);

      self->capacity = CLAMP (2 * self->capacity, CHUNK_BYTES, limit);
      self->buffer = g_realloc (self->buffer, self->capacity);
    }
  *room = MIN (self->capacity - self->end, CHUNK_BYTES);
  return self->buffer + self->end;
}

/* @n_bytes were put where pen_file_splitter_reserve () said. */
void
pen_file_splitter_commit (PenFileSplitter *self, gsize n_bytes)
{
  self->end += n_bytes;
}

static gboolean
pen_file_splitter_is_blank (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
      return FALSE;
  return TRUE;
}

/* Adds to the head of a line that is too long, as far as it is kept. */
static void
pen_file_splitter_keep_head (PenFileSplitter *self, const char *text, gsize length)
{
  gsize room = PEN_FILE_HEAD_BYTES - self->head->len;

  g_byte_array_append (self->head, (const guint8 *) text, (guint) MIN (length, room));
}

/* The line at begin is too long already: keeps its head, and counts what is thrown away. */
static void
pen_file_splitter_cut (PenFileSplitter *self)
{
  gsize length = self->end - self->begin;

  if (self->n_cut == 0)
    g_byte_array_set_size (self->head, 0);
  pen_file_splitter_keep_head (self, self->buffer + self->begin, length);
  self->n_cut += length;
  self->begin = 0;
  self->scanned = 0;
  self->end = 0;
}

/* Hands out what is in the buffer from begin to @line_end; FALSE if that is blank. */
static gboolean
pen_file_splitter_hand_out (PenFileSplitter *self, gsize line_end, PenFileLine *line)
{
  gsize length = line_end - self->begin;

  self->number++;
  line->number = self->number;
  line->text = self->buffer + self->begin;
  line->length = length;
  line->full_length = self->n_cut + length;
  line->is_too_large = line->full_length > self->max_line;
  if (self->n_cut > 0)
    {
      pen_file_splitter_keep_head (self, line->text, length);
      line->text = (const char *) self->head->data;
      line->length = self->head->len;
      self->n_cut = 0;
    }
  else if (line->is_too_large)
    line->length = MIN (length, PEN_FILE_HEAD_BYTES);
  return line->is_too_large || !pen_file_splitter_is_blank (line->text, line->length);
}

/* The next line that is not blank; FALSE if more bytes are needed for it. */
gboolean
pen_file_splitter_next (PenFileSplitter *self, PenFileLine *line)
{
  while (self->scanned < self->end)
    {
      const char *newline = memchr (self->buffer + self->scanned, '\n', self->end - self->scanned);
      gboolean is_line;

      if (newline == NULL)
        {
          self->scanned = self->end;
          if (self->n_cut > 0 || self->end - self->begin > self->max_line)
            pen_file_splitter_cut (self);
          return FALSE;
        }
      is_line = pen_file_splitter_hand_out (self, (gsize) (newline - self->buffer), line);
      self->begin = (gsize) (newline - self->buffer) + 1;
      self->scanned = self->begin;
      if (is_line)
        return TRUE;
    }
  return FALSE;
}

/* What is left behind the last newline, if it is a line; to be called when nothing more comes. */
gboolean
pen_file_splitter_take_rest (PenFileSplitter *self, PenFileLine *line)
{
  gboolean is_line = FALSE;

  if (self->end > self->begin || self->n_cut > 0)
    is_line = pen_file_splitter_hand_out (self, self->end, line);
  self->begin = self->end;
  self->scanned = self->end;
  return is_line;
}
