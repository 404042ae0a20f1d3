/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Standard output, a batch at a time.
 *
 * There is one for all pipelines of the process, so what concerns it is the process's: a lock,
 * under which a batch is written, and the rest of a line in whose middle a write failed. Nothing
 * is written before that rest, whoever writes next; so no line is ever torn, mingled with another,
 * or begun twice. It stands in the core because modules share no variables.
 */

#include "config.h"

#include "pen-standard-output.h"

#include "pen-element.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Linux: character device 1, 3; see null(4) */
#define NULL_DEVICE makedev (1, 3)

struct _PenStandardOutput
{
  PenLines *lines;
  PenEvent *torn; /* its line was begun; it is written as soon as there is no rest */
};

static GMutex pen_standard_output_lock; /* guards what is written and pen_standard_output_rest */
static PenLines *pen_standard_output_rest;

static gboolean
pen_standard_output_fail (GError **error, int error_number)
{
  if (error_number == EPIPE)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_CLOSED, "closed",
                           "standard output: whoever read it has gone away");
  else if (error_number == EBADF)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "write",
                           "cannot write to standard output: it is not open for writing");
  else
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "write",
                           "cannot write to standard output: %s%s", g_strerror (error_number),
                           error_number == ENOSPC || error_number == EDQUOT
                               ? "; make room, it goes on by itself"
                               : "");
  return FALSE;
}

/**
 * pen_standard_output_new: (skip)
 * @format: how lines are laid out that the sink does not lay out itself
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a part in it; %NULL with %PEN_ELEMENT_ERROR if standard
 *   output is closed
 *
 * Threads: any
 */
PenStandardOutput *
pen_standard_output_new (PenLineFormat format, GError **error)
{
  PenStandardOutput *self = NULL;
  struct stat status;

  if (fstat (STDOUT_FILENO, &status) < 0)
    {
      pen_standard_output_fail (error, errno);
      return NULL;
    }
  self = g_new0 (PenStandardOutput, 1);
  self->lines = pen_lines_new (format);
  return self;
}

/**
 * pen_standard_output_free: (skip)
 * @self: (transfer full): a part in standard output
 *
 * A line that was begun is completed by whoever writes next.
 *
 * Threads: any
 */
void
pen_standard_output_free (PenStandardOutput *self)
{
  g_clear_pointer (&self->torn, pen_event_unref);
  pen_lines_free (self->lines);
  g_free (self);
}

/**
 * pen_standard_output_blocks:
 *
 * A file on a disk and the null device take everything at once; whoever reads a pipe, a socket or a
 * terminal may take its time.
 *
 * Returns: whether writing may block
 *
 * Threads: any
 */
gboolean
pen_standard_output_blocks (void)
{
  struct stat status;

  if (fstat (STDOUT_FILENO, &status) < 0)
    return FALSE;
  return !S_ISREG (status.st_mode) && !(S_ISCHR (status.st_mode) && status.st_rdev == NULL_DEVICE);
}

/* Completes the line that a failure tore, whosever it is; 0 or an errno. */
static int
pen_standard_output_finish_rest_locked (void)
{
  int error_number;

  if (pen_standard_output_rest == NULL)
    return 0;
  error_number = pen_lines_write (pen_standard_output_rest, STDOUT_FILENO);
  if (error_number == 0)
    g_clear_pointer (&pen_standard_output_rest, pen_lines_free);
  return error_number;
}

static void
pen_standard_output_lay_out_locked (PenStandardOutput *self,
                                    PenBatch *batch,
                                    PenLayOutFunc lay_out,
                                    gpointer user_data)
{
  g_autoptr (PenEvent) completed = g_steal_pointer (&self->torn);

  pen_lines_clear (self->lines);
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      if (!pen_batch_is_open (batch, i))
        continue;
      if (completed != NULL && pen_batch_get_event (batch, i) == completed)
        pen_batch_accept (batch, i);
      else
        lay_out (self->lines, batch, i, user_data);
    }
}

static int
pen_standard_output_write_locked (PenStandardOutput *self,
                                  PenBatch *batch,
                                  PenLayOutFunc lay_out,
                                  gpointer user_data)
{
  int error_number = pen_standard_output_finish_rest_locked ();
  guint n_written;

  if (error_number != 0)
    return error_number;
  pen_standard_output_lay_out_locked (self, batch, lay_out, user_data);
  error_number = pen_lines_write (self->lines, STDOUT_FILENO);
  n_written = pen_lines_get_n_written (self->lines);
  for (guint i = 0; i < n_written; i++)
    pen_batch_accept (batch, pen_lines_get_index (self->lines, i));
  if (error_number != 0 && pen_lines_get_n_torn (self->lines) > 0)
    {
      guint index = pen_lines_get_index (self->lines, n_written);

      self->torn = pen_event_ref (pen_batch_get_event (batch, index));
      pen_standard_output_rest = pen_lines_steal_torn (self->lines);
    }
  pen_lines_clear (self->lines);
  return error_number;
}

/**
 * pen_standard_output_get_torn: (skip)
 * @self: a part in standard output
 *
 * Returns: (transfer none) (nullable): the event whose lines the last write began, and which are
 *   completed by the next one
 *
 * Threads: as `write`
 */
PenEvent *
pen_standard_output_get_torn (const PenStandardOutput *self)
{
  return self->torn;
}

/**
 * pen_standard_output_write: (skip)
 * @self: a part in standard output
 * @batch: a batch
 * @lay_out: (scope call): lays out one of its events; it is asked again for those that were not
 *   written, so a sink must not take what it laid out for written
 * @user_data: for @lay_out
 * @error: return location
 *
 * Writes the open events of a batch together, and accepts those that are written.
 *
 * Returns: %FALSE with %PEN_ELEMENT_ERROR, as `write` of a sink does
 *
 * Threads: worker; lane if standard output does not block
 */
gboolean
pen_standard_output_write (PenStandardOutput *self,
                           PenBatch *batch,
                           PenLayOutFunc lay_out,
                           gpointer user_data,
                           GError **error)
{
  int error_number;

  g_mutex_lock (&pen_standard_output_lock);
  error_number = pen_standard_output_write_locked (self, batch, lay_out, user_data);
  g_mutex_unlock (&pen_standard_output_lock);
  return error_number == 0 || pen_standard_output_fail (error, error_number);
}
