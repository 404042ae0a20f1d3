/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a spool does to its file: on a worker, because all of it may block.
 */

#include "config.h"

#include "pen-spool-private.h"

/* what a reader takes from the file at a time */
#define MAX_READ_RECORDS 500
#define MAX_READ_BYTES (512 * 1024)

/* documented in the header, as what follows */
void
pen_spool_tell (GLogLevelFlags level, const char *message, gpointer user_data)
{
  const PenSpool *self = user_data;

  g_log_structured ("penstock", level, "PENSTOCK_PIPELINE", self->pipeline, "PENSTOCK_ELEMENT",
                    "spool", "MESSAGE", "%s", message);
}

static const PenSpoolStoreFunctions pen_spool_store_functions = {
  .tell = pen_spool_tell,
};

static PenSpoolReader *
pen_spool_find_reader (PenSpool *self, const char *sink)
{
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (g_str_equal (reader->sink, sink))
        return reader;
    }
  return NULL;
}

/* What waited for a sink that is gone from the keyfile is kept for it, and nothing newer. */
static gboolean
pen_spool_leave_behind (PenSpool *self, PenSpoolCursor *cursor, GError **error)
{
  g_autofree char *message = NULL;
  guint64 last = cursor->until != 0 ? cursor->until : self->new_status.newest;

  if (cursor->delivered >= last)
    return pen_spool_store_drop_cursor (self->store, cursor->sink, error);
  self->has_left_behind = TRUE;
  cursor->until = last;
  message = g_strdup_printf (
      "up to %" G_GUINT64_FORMAT " messages waited for sink '%s', which is gone from the keyfile; "
      "they are kept: put the sink back, or throw them away with penstock spool drop --pipeline %s "
      "--sink %s",
      last - cursor->delivered, cursor->sink, self->pipeline, cursor->sink);
  pen_spool_tell (G_LOG_LEVEL_WARNING, message, self);
  return TRUE;
}

/* Makes the file's cursors those of the readers. A new sink begins with what comes now; but one
 * whose cursor is lost looks the same, and what waits for it must not be. */
static gboolean
pen_spool_match_cursors (PenSpool *self, GError **error)
{
  g_autoptr (GPtrArray) cursors = pen_spool_store_get_cursors (self->store, error);
  g_autoptr (GPtrArray) changed
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);
  guint64 start
      = self->new_status.cursors_lost ? self->new_status.oldest - 1 : self->new_status.newest;

  if (cursors == NULL)
    return FALSE;
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->delivered = start;
      reader->needed = start + 1;
    }
  for (guint i = 0; i < cursors->len; i++)
    {
      PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);
      PenSpoolReader *reader = pen_spool_find_reader (self, cursor->sink);

      if (reader != NULL)
        {
          reader->delivered = cursor->delivered;
          reader->needed = cursor->needed;
        }
      else if (!pen_spool_leave_behind (self, cursor, error))
        return FALSE;
      else if (cursor->delivered < cursor->until)
        g_ptr_array_add (changed, pen_spool_cursor_new (cursor->sink, cursor->delivered,
                                                        cursor->needed, cursor->until));
    }
  for (guint i = 0; i < self->readers->len; i++)
    {
      const PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      g_ptr_array_add (changed, pen_spool_cursor_new (reader->sink, reader->delivered,
                                                      reader->needed, 0 /* until */));
    }
  return pen_spool_store_commit (self->store, NULL, changed, G_MININT64, error);
}

/* When the oldest arrived that waits for each reader. One that cannot be read is no reason to fail:
 * whoever reads the messages will tell. */
static void
pen_spool_execute_look (PenSpool *self)
{
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->found_us = reader->look_after < self->new_status.newest
                             ? pen_spool_store_find_arrival (self->store, reader->look_after)
                             : 0;
    }
}

static void
pen_spool_execute_open (PenSpool *self)
{
  self->store = pen_spool_store_open (self->state_folder, self->pipeline, PEN_SPOOL_STORE_NONE,
                                      &pen_spool_store_functions, self, &self->error);
  if (self->store == NULL)
    return;
  pen_spool_store_get_status (self->store, &self->new_status);
  if (!pen_spool_match_cursors (self, &self->error))
    {
      pen_spool_store_close (self->store, FALSE /* all_settled */);
      self->store = NULL;
      return;
    }
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->look_after = reader->delivered;
    }
  pen_spool_execute_look (self);
}

static gboolean
pen_spool_execute_commit (PenSpool *self)
{
  g_autoptr (GError) error = NULL;

  if (pen_spool_store_commit (self->store, self->records, self->cursors, self->keep_after_us,
                              &error))
    return TRUE;
  /* where there is no space, deleting what has been delivered may still be possible, and helps */
  if (self->records != NULL)
    pen_spool_store_commit (self->store, NULL, self->cursors, self->keep_after_us, NULL);
  g_propagate_error (&self->error, g_steal_pointer (&error));
  return FALSE;
}

static void
pen_spool_execute_reads (PenSpool *self)
{
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (reader->is_reading)
        reader->read = pen_spool_store_read (self->store, reader->read_after, MAX_READ_RECORDS,
                                             MAX_READ_BYTES, &reader->read_last,
                                             self->error == NULL ? &self->error : NULL);
    }
}

/* documented in the header */
void
pen_spool_execute (gpointer data)
{
  PenSpool *self = data;

  switch (self->job)
    {
    case PEN_SPOOL_JOB_OPEN:
      pen_spool_execute_open (self);
      break;
    case PEN_SPOOL_JOB_WORK:
      if (self->wants_commit)
        self->is_committed = pen_spool_execute_commit (self);
      pen_spool_execute_reads (self);
      pen_spool_store_get_status (self->store, &self->new_status);
      pen_spool_execute_look (self);
      break;
    case PEN_SPOOL_JOB_CLOSE:
    default:
      self->is_committed = pen_spool_execute_commit (self);
      pen_spool_store_close (self->store, self->all_settled && self->is_committed);
      self->store = NULL;
    }
}
