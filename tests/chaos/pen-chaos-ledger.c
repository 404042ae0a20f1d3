/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What has come out at the other end. A file is read again from behind its last whole line: what
 * stands there without a newline may still be cut off by its writer. A pipe is read once.
 */

#include "config.h"

#include "pen-chaos-ledger.h"

#include "pen-chaos-load.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (256 * 1024)
/* Printed in full; of more there is only the number. */
#define MAX_SHOWN 5

struct _PenChaosLedger
{
  char *path;
  int fd; /* -1: there is no file yet */
  gboolean is_pipe;
  goffset offset;   /* of a file: behind its last whole line */
  GString *tail;    /* of a pipe: what came without a newline */
  GByteArray *seen; /* by number */
  guint highest;
  PenChaosTally tally;
};

/* @path: a file, which need not be there yet, or a FIFO. */
PenChaosLedger *
pen_chaos_ledger_new (const char *path)
{
  PenChaosLedger *self = g_new0 (PenChaosLedger, 1);

  self->path = g_strdup (path);
  self->fd = -1;
  self->tail = g_string_new (NULL);
  self->seen = g_byte_array_new ();
  return self;
}

void
pen_chaos_ledger_free (PenChaosLedger *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_string_free (self->tail, TRUE);
  g_byte_array_unref (self->seen);
  g_free (self->path);
  g_free (self);
}

static void
pen_chaos_ledger_add_number (PenChaosLedger *self, guint number)
{
  self->tally.n_lines++;
  if (number >= self->seen->len)
    {
      guint n_before = self->seen->len;

      g_byte_array_set_size (self->seen, MAX (number + 1, n_before * 2));
      memset (self->seen->data + n_before, 0, self->seen->len - n_before);
    }
  if (self->seen->data[number] != 0)
    return;
  self->seen->data[number] = 1;
  self->tally.n_numbers++;
  if (number < self->highest)
    self->tally.n_disordered++;
  self->highest = MAX (self->highest, number);
}

static void
pen_chaos_ledger_add_line (PenChaosLedger *self, const char *line, gsize length)
{
  guint number;

  if (pen_chaos_payload_read (line, length, &number))
    pen_chaos_ledger_add_number (self, number);
  else if (length >= strlen (PEN_CHAOS_FOREIGN)
           && strncmp (line, PEN_CHAOS_FOREIGN, strlen (PEN_CHAOS_FOREIGN)) == 0)
    self->tally.n_foreign++;
  else if (++self->tally.n_torn <= MAX_SHOWN)
    g_printerr ("# not a whole line: '%.*s'\n", (int) MIN (length, 1000), line);
}

/* Returns how many bytes were whole lines. */
static gsize
pen_chaos_ledger_add_lines (PenChaosLedger *self, const char *text, gsize length)
{
  const char *at = text;
  const char *end = text + length;
  const char *newline;

  while (at < end && (newline = memchr (at, '\n', (gsize) (end - at))) != NULL)
    {
      pen_chaos_ledger_add_line (self, at, (gsize) (newline - at));
      at = newline + 1;
    }
  return (gsize) (at - text);
}

static gboolean
pen_chaos_ledger_open (PenChaosLedger *self)
{
  struct stat status;

  if (self->fd >= 0)
    return TRUE;
  self->fd = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  self->is_pipe = self->fd >= 0 && fstat (self->fd, &status) == 0 && S_ISFIFO (status.st_mode);
  return self->fd >= 0;
}

static void
pen_chaos_ledger_read_pipe (PenChaosLedger *self, char *block)
{
  gssize n_bytes;

  while ((n_bytes = read (self->fd, block, BLOCK_BYTES)) > 0)
    {
      g_string_append_len (self->tail, block, n_bytes);
      g_string_erase (self->tail, 0,
                      (gssize) pen_chaos_ledger_add_lines (self, self->tail->str, self->tail->len));
    }
}

void
pen_chaos_ledger_read (PenChaosLedger *self)
{
  g_autofree char *block = NULL;
  gsize n_used = 1;
  gssize n_bytes;

  if (!pen_chaos_ledger_open (self))
    return;
  block = g_malloc (BLOCK_BYTES);
  if (self->is_pipe)
    {
      pen_chaos_ledger_read_pipe (self, block);
      return;
    }
  while (n_used > 0 && (n_bytes = pread (self->fd, block, BLOCK_BYTES, self->offset)) > 0)
    {
      n_used = pen_chaos_ledger_add_lines (self, block, (gsize) n_bytes);
      self->offset += (goffset) n_used;
    }
}

const PenChaosTally *
pen_chaos_ledger_get_tally (const PenChaosLedger *self)
{
  return &self->tally;
}

gboolean
pen_chaos_ledger_has (const PenChaosLedger *self, guint number)
{
  return number < self->seen->len && self->seen->data[number] != 0;
}
