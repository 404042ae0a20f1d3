/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How sinks that write text lay out an event, and how the result reaches a descriptor. It stands in
 * the core because several plugins write alike and none may reach into another's folder.
 *
 * The usual payload has no line break: one memchr() says so, and it is written from where it lies.
 * Only the others are looked at as JSON.
 */

#include "config.h"

#include "pen-line-format.h"

#include "pen-event-json.h"
#include "pen-json.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>

/* How many pieces one writev() takes (Linux: 1,024). */
#define MAX_PIECES IOV_MAX

/* An event's place in the pieces: they end before @end_piece. */
typedef struct
{
  guint index;
  guint end_piece;
} PenLine;

struct _PenLines
{
  PenLineFormat format;
  GPtrArray *texts; /* (element-type GBytes): what the pieces point into */
  GArray *pieces;   /* of struct iovec */
  GArray *lines;    /* of PenLine */
  guint next_piece; /* first that is not wholly written; its base and length are of the rest */
  guint n_written;
  gsize n_torn;  /* bytes written of the line after these */
  gsize n_bytes; /* not yet written */
};

/**
 * pen_line_format_get_type:
 *
 * Returns: the type of a property that holds a [enum@LineFormat]; its nicks are `lines`, `raw`,
 *   `pretty` and `envelope`
 *
 * Threads: any
 */
GType
pen_line_format_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_LINE_FORMAT_LINES, "PEN_LINE_FORMAT_LINES", "lines" },
    { PEN_LINE_FORMAT_RAW, "PEN_LINE_FORMAT_RAW", "raw" },
    { PEN_LINE_FORMAT_PRETTY, "PEN_LINE_FORMAT_PRETTY", "pretty" },
    { PEN_LINE_FORMAT_ENVELOPE, "PEN_LINE_FORMAT_ENVELOPE", "envelope" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenLineFormat", values));
  return type;
}

static GBytes *
pen_line_format_prettify (GBytes *payload)
{
  g_autofree char *pretty = pen_json_prettify (payload, NULL);
  gsize length;

  if (pretty == NULL)
    return g_bytes_ref (payload);
  length = strlen (pretty);
  if (length > 0 && pretty[length - 1] == '\n')
    length--;
  return g_bytes_new_take (g_steal_pointer (&pretty), length);
}

/**
 * pen_line_format_payload:
 * @format: how to write it; an envelope has more than a payload, so it counts as
 *   %PEN_LINE_FORMAT_LINES here
 * @payload: what to write
 * @error: return location
 *
 * Lays out one payload, without the newline that follows it in all formats but
 * %PEN_LINE_FORMAT_RAW.
 *
 * Returns: (transfer full) (nullable): the bytes to write, in the usual case @payload itself; %NULL
 *   with %PEN_JSON_ERROR if it has line breaks and is not JSON
 *
 * Threads: any
 */
GBytes *
pen_line_format_payload (PenLineFormat format, GBytes *payload, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (payload, &length);

  switch (format)
    {
    case PEN_LINE_FORMAT_RAW:
      return g_bytes_ref (payload);
    case PEN_LINE_FORMAT_PRETTY:
      return pen_line_format_prettify (payload);
    case PEN_LINE_FORMAT_LINES:
    case PEN_LINE_FORMAT_ENVELOPE:
    default:
      if (length == 0 || memchr (text, '\n', length) == NULL)
        return g_bytes_ref (payload);
      return pen_json_unfold (payload, error);
    }
}

static GBytes *
pen_line_format_envelop (PenEvent *event)
{
  GString *text = g_string_sized_new (128 + g_bytes_get_size (pen_event_get_payload (event)));
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_event_json_put_time (&writer, "time", pen_event_get_arrival (event));
  pen_event_json_put_content (&writer, event);
  pen_json_writer_end_object (&writer);
  return g_string_free_to_bytes (text);
}

/**
 * pen_line_format_event:
 * @format: how to write it
 * @event: what to write
 * @error: return location
 *
 * Lays out one event, as pen_line_format_payload() does its payload, or with all that is known of
 * it.
 *
 * Returns: (transfer full) (nullable): the bytes to write; %NULL with %PEN_JSON_ERROR if the
 *   payload has line breaks that the format cannot have
 *
 * Threads: any
 */
GBytes *
pen_line_format_event (PenLineFormat format, PenEvent *event, GError **error)
{
  if (format == PEN_LINE_FORMAT_ENVELOPE)
    return pen_line_format_envelop (event);
  return pen_line_format_payload (format, pen_event_get_payload (event), error);
}

/**
 * pen_lines_new: (skip)
 * @format: how events are laid out
 *
 * Returns: (transfer full): no lines yet
 *
 * Threads: any
 */
PenLines *
pen_lines_new (PenLineFormat format)
{
  PenLines *self = g_new0 (PenLines, 1);

  self->format = format;
  self->texts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->pieces = g_array_new (FALSE, FALSE, sizeof (struct iovec));
  self->lines = g_array_new (FALSE, FALSE, sizeof (PenLine));
  return self;
}

/**
 * pen_lines_free:
 * @self: (transfer full): lines
 *
 * Threads: any
 */
void
pen_lines_free (PenLines *self)
{
  g_ptr_array_unref (self->texts);
  g_array_unref (self->pieces);
  g_array_unref (self->lines);
  g_free (self);
}

/**
 * pen_lines_clear:
 * @self: lines
 *
 * Forgets all lines, written or not, and keeps the memory for the next ones.
 *
 * Threads: worker
 */
void
pen_lines_clear (PenLines *self)
{
  g_ptr_array_set_size (self->texts, 0);
  g_array_set_size (self->pieces, 0);
  g_array_set_size (self->lines, 0);
  self->next_piece = 0;
  self->n_written = 0;
  self->n_torn = 0;
  self->n_bytes = 0;
}

static void
pen_lines_add_piece (PenLines *self, const char *text, gsize length)
{
  struct iovec piece = { .iov_base = (void *) text, .iov_len = length };

  if (length == 0)
    return;
  g_array_append_val (self->pieces, piece);
  self->n_bytes += length;
}

/**
 * pen_lines_append:
 * @self: lines
 * @batch: a batch
 * @index: which of its events
 *
 * Lays out one event behind the others. An event that cannot be written in this format is rejected
 * in @batch, for the reason `line_break`.
 *
 * Returns: whether a line was added
 *
 * Threads: worker
 */
gboolean
pen_lines_append (PenLines *self, PenBatch *batch, guint index)
{
  g_autoptr (GError) error = NULL;
  GBytes *text = pen_line_format_event (self->format, pen_batch_get_event (batch, index), &error);
  PenLine line = { .index = index };

  if (text == NULL)
    {
      pen_batch_reject (batch, index, "line_break",
                        "the payload has a line break and is not JSON, so it does not fit on one "
                        "line (%s); format=raw would write it as it is",
                        error != NULL ? error->message : "no reason given");
      return FALSE;
    }
  g_ptr_array_add (self->texts, text);
  pen_lines_add_piece (self, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  if (self->format != PEN_LINE_FORMAT_RAW)
    pen_lines_add_piece (self, "\n", 1);
  line.end_piece = self->pieces->len;
  g_array_append_val (self->lines, line);
  return TRUE;
}

/**
 * pen_lines_append_text:
 * @self: lines
 * @text: what a sink has made of an event: as many lines as it likes, with their newlines
 * @index: which event of the batch it is
 *
 * Lays out an event behind the others in a way of the sink's own.
 *
 * Threads: worker
 */
void
pen_lines_append_text (PenLines *self, GBytes *text, guint index)
{
  PenLine line = { .index = index };

  g_ptr_array_add (self->texts, g_bytes_ref (text));
  pen_lines_add_piece (self, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  line.end_piece = self->pieces->len;
  g_array_append_val (self->lines, line);
}

/**
 * pen_lines_get_n_lines:
 * @self: lines
 *
 * Returns: how many events were laid out
 *
 * Threads: worker
 */
guint
pen_lines_get_n_lines (const PenLines *self)
{
  return self->lines->len;
}

/**
 * pen_lines_get_index:
 * @self: lines
 * @line: which line, from 0
 *
 * Returns: the index in its batch of the event that @line was made from
 *
 * Threads: worker
 */
guint
pen_lines_get_index (const PenLines *self, guint line)
{
  return g_array_index (self->lines, PenLine, line).index;
}

/**
 * pen_lines_get_n_bytes:
 * @self: lines
 *
 * Returns: how many bytes are still to be written
 *
 * Threads: worker
 */
gsize
pen_lines_get_n_bytes (const PenLines *self)
{
  return self->n_bytes;
}

/**
 * pen_lines_get_n_written:
 * @self: lines
 *
 * Returns: how many lines, counted from the first, are written to their last byte
 *
 * Threads: worker
 */
guint
pen_lines_get_n_written (const PenLines *self)
{
  return self->n_written;
}

/**
 * pen_lines_get_n_torn:
 * @self: lines
 *
 * Returns: how many bytes of the first line that is not written are, after a write that failed in
 *   its middle; otherwise 0
 *
 * Threads: worker
 */
gsize
pen_lines_get_n_torn (const PenLines *self)
{
  return self->n_torn;
}

/**
 * pen_lines_steal_torn: (skip)
 * @self: lines
 *
 * Takes the rest of the line in whose middle a write failed, so that it can be completed before
 * anything else is written. After this @self can tell what was written, and be cleared.
 *
 * Returns: (transfer full) (nullable): lines that hold this rest alone; %NULL if no line is torn
 *
 * Threads: worker
 */
PenLines *
pen_lines_steal_torn (PenLines *self)
{
  g_autoptr (PenLines) rest = NULL;
  PenLine line;

  if (self->n_torn == 0)
    return NULL;
  line = g_array_index (self->lines, PenLine, self->n_written);
  rest = pen_lines_new (self->format);
  for (guint i = self->next_piece; i < line.end_piece; i++)
    {
      struct iovec *piece = &g_array_index (self->pieces, struct iovec, i);

      pen_lines_add_piece (rest, piece->iov_base, piece->iov_len);
    }
  line.end_piece = rest->pieces->len;
  g_array_append_val (rest->lines, line);
  g_ptr_array_add (rest->texts, g_bytes_ref (g_ptr_array_index (self->texts, self->n_written)));
  self->n_torn = 0;
  return g_steal_pointer (&rest);
}

/* Moves behind @n_bytes that were written: whole pieces, whole lines, and part of the next. */
static void
pen_lines_advance (PenLines *self, gsize n_bytes)
{
  gsize left = n_bytes;

  self->n_bytes -= n_bytes;
  self->n_torn += n_bytes;
  while (left > 0)
    {
      struct iovec *piece = &g_array_index (self->pieces, struct iovec, self->next_piece);
      gsize step = MIN (left, piece->iov_len);

      piece->iov_base = (char *) piece->iov_base + step;
      piece->iov_len -= step;
      left -= step;
      if (piece->iov_len == 0)
        self->next_piece++;
      while (self->n_written < self->lines->len
             && g_array_index (self->lines, PenLine, self->n_written).end_piece <= self->next_piece)
        {
          self->n_written++;
          self->n_torn = left;
        }
    }
}

/**
 * pen_lines_write:
 * @self: lines
 * @fd: where to
 *
 * Writes all that is not yet written: one writev() in the usual case, more for more than %IOV_MAX
 * pieces or when the kernel takes less. Waits when a non-blocking @fd is full. After a failure it
 * can be called again and goes on at the byte where it stopped.
 *
 * Returns: 0, or the errno of what failed
 *
 * Threads: worker; lane if writing to @fd cannot block
 */
int
pen_lines_write (PenLines *self, int fd)
{
  /* Events without a byte are written once all before them are. */
  while (self->next_piece < self->pieces->len)
    {
      struct iovec *first = &g_array_index (self->pieces, struct iovec, self->next_piece);
      guint n_pieces = MIN (self->pieces->len - self->next_piece, MAX_PIECES);
      ssize_t n_bytes = writev (fd, first, (int) n_pieces);

      if (n_bytes > 0)
        pen_lines_advance (self, (gsize) n_bytes);
      else if (n_bytes == 0)
        return EIO;
      else if (errno == EAGAIN)
        {
          struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

          if (poll (&poll_fd, 1, -1) < 0 && errno != EINTR)
            return errno;
        }
      else if (errno != EINTR)
        return errno;
    }
  self->n_written = self->lines->len;
  return 0;
}
