/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lines of JSON over a stream socket. Nothing is waited for without a limit, and nothing is kept
 * that is longer than a line may be.
 */

#include "config.h"

#include "pen-cli-wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 4096

/* documented in the header, as what follows */
void
pen_cli_wire_init (PenCliWire *self, int fd, gsize max_line)
{
  *self = (PenCliWire){ .fd = fd, .max_line = max_line, .input = g_string_new (NULL) };
}

void
pen_cli_wire_clear (PenCliWire *self)
{
  if (self->input != NULL)
    g_string_free (self->input, TRUE);
  if (self->fd >= 0)
    close (self->fd);
  self->input = NULL;
  self->fd = -1;
}

/* Takes the first line off the input, if there is one. */
static GBytes *
pen_cli_wire_take_line (PenCliWire *self)
{
  const char *begin = self->input->str;
  const char *end = memchr (begin + self->n_searched, '\n', self->input->len - self->n_searched);
  GBytes *line = NULL;

  self->n_searched = self->input->len;
  if (end == NULL)
    return NULL;
  line = g_bytes_new (begin, (gsize) (end - begin));
  g_string_erase (self->input, 0, end - begin + 1);
  self->n_searched = 0;
  return line;
}

static PenCliWireResult
pen_cli_wire_receive (PenCliWire *self)
{
  char bytes[READ_BYTES];
  gssize n_read = recv (self->fd, bytes, sizeof bytes, 0);

  if (n_read < 0 && (errno == EAGAIN || errno == EINTR))
    return PEN_CLI_WIRE_NOTHING;
  if (n_read <= 0)
    return PEN_CLI_WIRE_CLOSED;
  g_string_append_len (self->input, bytes, n_read);
  return PEN_CLI_WIRE_LINE;
}

PenCliWireResult
pen_cli_wire_read (PenCliWire *self, int timeout_ms, GBytes **line)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  PenCliWireResult result = PEN_CLI_WIRE_LINE;

  while ((*line = pen_cli_wire_take_line (self)) == NULL)
    {
      struct pollfd poll_fd = { .fd = self->fd, .events = POLLIN };
      gint64 left_us = timeout_ms < 0 ? -1 : MAX (end_us - g_get_monotonic_time (), 0);
      int n_ready;

      if (self->input->len > self->max_line)
        return PEN_CLI_WIRE_TOO_LONG;
      n_ready = poll (&poll_fd, 1, left_us < 0 ? -1 : (int) ((left_us + 999) / 1000));
      if (n_ready <= 0)
        return PEN_CLI_WIRE_NOTHING;
      result = pen_cli_wire_receive (self);
      if (result == PEN_CLI_WIRE_CLOSED)
        return result;
    }
  if (g_bytes_get_size (*line) <= self->max_line)
    return PEN_CLI_WIRE_LINE;
  g_clear_pointer (line, g_bytes_unref);
  return PEN_CLI_WIRE_TOO_LONG;
}

gboolean
pen_cli_wire_write (PenCliWire *self, const GString *text, int timeout_ms)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gsize n_written = 0;

  while (n_written < text->len)
    {
      struct pollfd poll_fd = { .fd = self->fd, .events = POLLOUT };
      gssize n = send (self->fd, text->str + n_written, text->len - n_written, MSG_NOSIGNAL);
      gint64 left_us = 0;

      if (n > 0)
        {
          n_written += (gsize) n;
          end_us = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
          continue;
        }
      if (errno != EAGAIN && errno != EINTR)
        return FALSE;
      left_us = end_us - g_get_monotonic_time ();
      if (left_us <= 0)
        return FALSE;
      poll (&poll_fd, 1, (int) ((left_us + 999) / 1000));
    }
  return TRUE;
}

char *
pen_cli_wire_dup_text (const PenJson *json, PenJsonNode object, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, object, name);

  return node != PEN_JSON_NO_NODE ? pen_json_dup_string (json, node, NULL) : NULL;
}

gint64
pen_cli_wire_get_number (const PenJson *json,
                         PenJsonNode object,
                         const char *name,
                         gint64 otherwise)
{
  PenJsonNode node = pen_json_get_member (json, object, name);
  gint64 number = otherwise;

  if (node != PEN_JSON_NO_NODE && !pen_json_get_int64 (json, node, &number, NULL))
    return G_MININT64;
  return number;
}

void
pen_cli_wire_put_text (PenJsonWriter *writer, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  pen_json_writer_key (writer, key);
  pen_json_writer_string (writer, valid, -1);
}

void
pen_cli_wire_put_number (PenJsonWriter *writer, const char *key, gint64 number)
{
  pen_json_writer_key (writer, key);
  pen_json_writer_int64 (writer, number);
}
