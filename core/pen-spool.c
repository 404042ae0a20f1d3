/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The durable log between the sources of a pipeline and its sinks, as its lane sees it.
 *
 * The file is a worker's: at most one job is under way, and between `execute` and `finish` the job
 * and the store belong to the worker. All that arrives meanwhile goes into the next job, so that
 * many messages share a commit. A reader that has had everything gets what was committed from
 * memory; one that is behind reads from the file, a portion with each job. How far the readers are
 * is saved with the next commit, or after a moment. A job that fails is tried again after a growing
 * time; meanwhile nothing is acknowledged, and when enough waits the sources are told to pause.
 */

#include "config.h"

#include "pen-spool-private.h"

#include "pen-event-private.h"

/* what may wait in memory for the next commit */
#define MAX_PENDING_RECORDS 10000
#define MAX_PENDING_BYTES (4 * 1024 * 1024)
/* a spool that was full takes again when an eighth of it is free; a queue when it is half empty */
#define SPOOL_ROOM_DIVISOR 8
#define PENDING_ROOM_DIVISOR 2
/* how far the readers are is saved this late at most; after a crash, what was delivered in this
 * time is delivered again */
#define SAVE_DELAY_US (100 * 1000)
#define BYTES_A_MIB (1024.0 * 1024.0)

static void pen_spool_come_back (gpointer data);
static void pen_spool_do_pump (gpointer data);

static void
pen_spool_work (gpointer data)
{
  PenSpool *self = data;

  pen_spool_execute (self);
  pen_lane_invoke (self->lane, pen_spool_come_back, self);
}

static void
pen_spool_push (PenSpool *self, PenSpoolJobKind job)
{
  self->job = job;
  self->is_busy = TRUE;
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->look_after = reader->delivered;
    }
  g_atomic_ref_count_inc (&self->references);
  pen_workers_push_disk (self->workers, pen_spool_work, self);
}

static void
pen_spool_do_retry (gpointer data)
{
  PenSpool *self = data;

  self->retry_timer = 0;
  pen_spool_do_pump (self);
}

/* Takes @error. */
static void
pen_spool_retry_later (PenSpool *self, GError *error)
{
  g_autoptr (GError) taken = error;
  g_autofree char *told = pen_complaint_raise (
      &self->complaint, pen_lane_get_monotonic_time (self->lane), error->message);

  if (told != NULL)
    {
      g_autofree char *message = g_strconcat (told, "; trying again", NULL);

      pen_spool_tell (G_LOG_LEVEL_WARNING, message, self);
    }
  if (self->wants_close)
    return;
  self->retry_timer = pen_lane_add_timer (self->lane, pen_backoff_next (&self->backoff),
                                          pen_spool_do_retry, self);
}

static void
pen_spool_recover (PenSpool *self)
{
  pen_backoff_end (&self->backoff);
  if (pen_complaint_release (&self->complaint))
    pen_spool_tell (G_LOG_LEVEL_MESSAGE, "works again", self);
}

/* The reader that is farthest behind. */
static const PenSpoolReader *
pen_spool_get_last_reader (const PenSpool *self)
{
  const PenSpoolReader *last = NULL;

  for (guint i = 0; i < self->readers->len; i++)
    {
      const PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (last == NULL || reader->needed < last->needed)
        last = reader;
    }
  return last;
}

static void
pen_spool_tell_fullness (PenSpool *self)
{
  const PenSpoolReader *last = pen_spool_get_last_reader (self);
  g_autofree char *told
      = pen_complaint_raise (&self->fullness, pen_lane_get_monotonic_time (self->lane), "full");
  g_autofree char *message = NULL;

  if (told == NULL)
    return;
  message = g_strdup_printf (
      "%s (%.0f MiB): the sources pause until sink '%s' has taken some of the %" G_GUINT64_FORMAT
      " messages that wait for it; mend that sink, or raise spool-size",
      told, (double) self->max_bytes / BYTES_A_MIB, last->sink,
      pen_spool_reader_count_waiting (last));
  pen_spool_tell (G_LOG_LEVEL_WARNING, message, self);
}

static gboolean
pen_spool_is_file_full (const PenSpool *self, guint64 max_bytes)
{
  return self->status.used_bytes + self->pending_bytes + self->committing_bytes > max_bytes;
}

static void
pen_spool_update_room (PenSpool *self)
{
  guint n_pending = self->pending->len + (self->records != NULL ? self->records->len : 0);
  guint64 n_bytes = self->pending_bytes + self->committing_bytes;

  if (!self->is_full)
    {
      if (pen_spool_is_file_full (self, self->max_bytes))
        pen_spool_tell_fullness (self);
      else if (n_pending < MAX_PENDING_RECORDS && n_bytes < MAX_PENDING_BYTES)
        return;
    }
  else if (pen_spool_is_file_full (self, self->max_bytes - self->max_bytes / SPOOL_ROOM_DIVISOR)
           || n_pending > MAX_PENDING_RECORDS / PENDING_ROOM_DIVISOR
           || n_bytes > MAX_PENDING_BYTES / PENDING_ROOM_DIVISOR)
    return;
  else if (pen_complaint_release (&self->fullness))
    pen_spool_tell (G_LOG_LEVEL_MESSAGE, "has room again", self);
  self->is_full = !self->is_full;
  self->functions->full (self->owner, self->is_full);
}

static void
pen_spool_do_save (gpointer data)
{
  PenSpool *self = data;

  self->save_timer = 0;
  self->is_save_due = TRUE;
  pen_spool_do_pump (self);
}

static void
pen_spool_save_later (PenSpool *self)
{
  if (self->save_timer == 0 && !self->is_save_due)
    self->save_timer = pen_lane_add_timer (self->lane, SAVE_DELAY_US, pen_spool_do_save, self);
}

/* Gives what was read ahead, as far as the reader takes it. */
static void
pen_spool_reader_hand_over (PenSpoolReader *self)
{
  PenSpool *spool = self->spool;

  while (self->records != NULL && !self->is_paused && !spool->is_abandoned)
    {
      const PenSpoolRecord *record = NULL;

      if (self->n_handed == self->records->len)
        {
          g_clear_pointer (&self->records, g_ptr_array_unref);
          self->next = MAX (self->next, self->read_last + 1);
          break;
        }
      record = g_ptr_array_index (self->records, self->n_handed++);
      self->next = record->position + 1;
      if (record->position <= spool->newest_before)
        pen_event_set_flags (record->event,
                             pen_event_get_flags (record->event) | PEN_EVENT_REPLAYED);
      self->func (self->owner, record, record->position <= self->known);
    }
}

/* Gives what was just committed, without reading it from the file, to a reader that has had
 * everything before. */
static void
pen_spool_reader_pass_on (PenSpoolReader *self, GPtrArray *records)
{
  if (self->records != NULL || self->is_reading || self->next <= self->spool->status.newest)
    return;
  for (guint i = 0; i < records->len && !self->is_paused && !self->spool->is_abandoned; i++)
    {
      const PenSpoolRecord *record = g_ptr_array_index (records, i);

      self->next = record->position + 1;
      self->func (self->owner, record, FALSE /* is_known */);
    }
}

static GPtrArray *
pen_spool_take_cursors (PenSpool *self)
{
  g_autoptr (GPtrArray) cursors
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);

  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (reader->is_unsaved)
        g_ptr_array_add (cursors, pen_spool_cursor_new (reader->sink, reader->delivered,
                                                        reader->needed, 0 /* until */));
      reader->is_unsaved = FALSE;
    }
  return cursors->len > 0 ? g_steal_pointer (&cursors) : NULL;
}

static void
pen_spool_prepare_commit (PenSpool *self)
{
  gboolean is_short
      = pen_spool_is_file_full (self, self->max_bytes - self->max_bytes / SPOOL_ROOM_DIVISOR);

  self->wants_commit = TRUE;
  self->is_save_due = FALSE;
  if (self->pending->len > 0)
    {
      self->records = g_steal_pointer (&self->pending);
      self->committing_bytes = self->pending_bytes;
      self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
      self->pending_bytes = 0;
    }
  self->cursors = pen_spool_take_cursors (self);
  /* what is kept for a replay goes first where space is short */
  self->keep_after_us = self->keep_us == 0 || is_short
                            ? G_MAXINT64
                            : pen_lane_get_real_time (self->lane) - self->keep_us;
}

static gboolean
pen_spool_prepare_reads (PenSpool *self)
{
  gboolean reads = FALSE;

  for (guint i = 0; i < self->readers->len && !self->wants_close; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->is_reading
          = !reader->is_paused && reader->records == NULL && reader->next <= self->status.newest;
      reader->read_after = reader->next - 1;
      reads |= reader->is_reading;
    }
  return reads;
}

static void
pen_spool_end (PenSpool *self)
{
  self->phase = PEN_SPOOL_IS_ENDED;
  self->functions->closed (self->owner);
}

static void
pen_spool_pump_open (PenSpool *self)
{
  for (guint i = 0; i < self->readers->len && !self->wants_close; i++)
    pen_spool_reader_hand_over (g_ptr_array_index (self->readers, i));
  if (self->is_abandoned || self->is_busy)
    return;
  self->wants_commit = FALSE;
  if (self->wants_close)
    {
      pen_spool_prepare_commit (self);
      pen_spool_push (self, PEN_SPOOL_JOB_CLOSE);
      return;
    }
  if (self->pending->len > 0 || self->is_save_due || (self->is_full && self->has_waste))
    pen_spool_prepare_commit (self);
  if (pen_spool_prepare_reads (self) || self->wants_commit)
    pen_spool_push (self, PEN_SPOOL_JOB_WORK);
}

static void
pen_spool_do_pump (gpointer data)
{
  PenSpool *self = data;

  if (self->is_busy || self->retry_timer != 0 || self->is_abandoned)
    return;
  g_atomic_ref_count_inc (&self->references); /* the owner may drop it in a callback */
  if (self->phase == PEN_SPOOL_IS_OPEN)
    pen_spool_pump_open (self);
  else if (self->phase == PEN_SPOOL_IS_OPENING && self->wants_close)
    pen_spool_end (self);
  else if (self->phase == PEN_SPOOL_IS_OPENING)
    pen_spool_push (self, PEN_SPOOL_JOB_OPEN);
  pen_spool_unref (self);
}

static void
pen_spool_finish_open (PenSpool *self)
{
  GError *error = g_steal_pointer (&self->error);

  if (error != NULL && g_error_matches (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_FOREIGN))
    {
      self->phase = PEN_SPOOL_IS_ENDED;
      self->functions->failed (self->owner, error);
      if (self->wants_close && !self->is_abandoned)
        pen_spool_end (self);
      return;
    }
  if (error != NULL)
    {
      pen_spool_retry_later (self, error);
      return;
    }
  pen_spool_recover (self);
  self->phase = PEN_SPOOL_IS_OPEN;
  self->status = self->new_status;
  self->newest_before = self->status.was_closed ? 0 : self->status.newest;
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->known = reader->delivered;
      reader->next = reader->needed;
    }
  self->functions->opened (self->owner);
  pen_spool_update_room (self);
}

/* What could not be committed goes to the front again. */
static void
pen_spool_take_back (PenSpool *self, GPtrArray *records)
{
  for (guint i = 0; i < self->readers->len; i++)
    ((PenSpoolReader *) g_ptr_array_index (self->readers, i))->is_unsaved = TRUE;
  self->is_save_due = TRUE;
  if (records == NULL)
    return;
  g_ptr_array_extend_and_steal (records, g_steal_pointer (&self->pending));
  self->pending = records;
  self->pending_bytes += self->committing_bytes;
}

/* Whether the front may be deleted further. */
static gboolean
pen_spool_find_waste (PenSpool *self)
{
  const PenSpoolReader *last = pen_spool_get_last_reader (self);

  return self->new_status.oldest != self->status.oldest && self->new_status.n_records > 0
         && last != NULL && self->new_status.oldest < last->needed;
}

static void
pen_spool_finish_work (PenSpool *self)
{
  g_autoptr (GPtrArray) records = g_steal_pointer (&self->records);
  GError *error = g_steal_pointer (&self->error);

  g_clear_pointer (&self->cursors, g_ptr_array_unref);
  if (self->wants_commit && !self->is_committed)
    pen_spool_take_back (self, g_steal_pointer (&records));
  self->committing_bytes = 0;
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (reader->is_reading)
        {
          reader->records = g_steal_pointer (&reader->read);
          reader->n_handed = 0;
        }
      reader->is_reading = FALSE;
      if (records != NULL)
        pen_spool_reader_pass_on (reader, records);
    }
  self->has_waste = pen_spool_find_waste (self);
  self->status = self->new_status;
  if (self->has_waste)
    pen_spool_save_later (self);
  if (error != NULL)
    pen_spool_retry_later (self, error);
  else
    pen_spool_recover (self);
}

static void
pen_spool_finish_close (PenSpool *self)
{
  if (self->error != NULL)
    pen_spool_tell (G_LOG_LEVEL_WARNING, self->error->message, self);
  g_clear_error (&self->error);
  g_clear_pointer (&self->records, g_ptr_array_unref);
  g_clear_pointer (&self->cursors, g_ptr_array_unref);
  pen_spool_end (self);
}

/* The worker has come back. */
static void
pen_spool_come_back (gpointer data)
{
  PenSpool *self = data;

  self->is_busy = FALSE;
  for (guint i = 0; i < self->readers->len; i++)
    {
      PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      reader->oldest_us = reader->found_us;
    }
  if (!self->is_abandoned)
    {
      if (self->job == PEN_SPOOL_JOB_OPEN)
        pen_spool_finish_open (self);
      else if (self->job == PEN_SPOOL_JOB_WORK)
        {
          pen_spool_finish_work (self);
          if (!self->is_abandoned)
            pen_spool_update_room (self);
          if (!self->is_abandoned)
            self->functions->changed (self->owner);
        }
      else
        pen_spool_finish_close (self);
      pen_spool_do_pump (self);
    }
  pen_spool_unref (self);
}

static void
pen_spool_reader_free (gpointer data)
{
  PenSpoolReader *self = data;

  g_clear_pointer (&self->records, g_ptr_array_unref);
  g_clear_pointer (&self->read, g_ptr_array_unref);
  g_free (self->sink);
  g_free (self);
}

/* documented in the header, as what follows */
PenSpool *
pen_spool_new (const PenSpoolOptions *options,
               PenLane *lane,
               PenWorkers *workers,
               const PenSpoolFunctions *functions,
               gpointer owner)
{
  PenSpool *self = g_new0 (PenSpool, 1);

  g_atomic_ref_count_init (&self->references);
  self->state_folder = g_strdup (options->state_folder);
  self->pipeline = g_strdup (options->pipeline);
  self->max_bytes = options->max_bytes;
  self->keep_us = options->keep_us;
  self->lane = lane;
  self->workers = workers;
  self->functions = functions;
  self->owner = owner;
  self->readers = g_ptr_array_new_with_free_func (pen_spool_reader_free);
  self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  self->pump.func = pen_spool_do_pump;
  self->pump.user_data = self;
  return self;
}

PenSpoolReader *
pen_spool_add_reader (PenSpool *self, const char *sink, PenSpoolReadFunc func, gpointer owner)
{
  PenSpoolReader *reader = g_new0 (PenSpoolReader, 1);

  reader->spool = self;
  reader->sink = g_strdup (sink);
  reader->func = func;
  reader->owner = owner;
  reader->is_paused = TRUE;
  g_ptr_array_add (self->readers, reader);
  return reader;
}

void
pen_spool_open (PenSpool *self)
{
  self->phase = PEN_SPOOL_IS_OPENING;
  pen_spool_do_pump (self);
}

void
pen_spool_take (PenSpool *self, const char *source, PenEvent *event)
{
  self->pending_bytes += g_bytes_get_size (pen_event_get_payload (event));
  g_ptr_array_add (self->pending, pen_spool_record_new (source, event));
  pen_lane_defer (self->lane, &self->pump);
  pen_spool_update_room (self);
}

gboolean
pen_spool_is_idle (PenSpool *self)
{
  return self->pending->len == 0 && self->records == NULL;
}

gboolean
pen_spool_is_at_end (PenSpool *self)
{
  if (!pen_spool_is_idle (self) || self->phase != PEN_SPOOL_IS_OPEN)
    return FALSE;
  for (guint i = 0; i < self->readers->len; i++)
    {
      const PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (reader->next <= self->status.newest || reader->records != NULL)
        return FALSE;
    }
  return TRUE;
}

static void
pen_spool_stop_timers (PenSpool *self)
{
  pen_lane_cancel_deferred (self->lane, &self->pump);
  if (self->retry_timer != 0)
    pen_lane_remove_timer (self->lane, self->retry_timer);
  if (self->save_timer != 0)
    pen_lane_remove_timer (self->lane, self->save_timer);
  self->retry_timer = self->save_timer = 0;
}

/* Whether all that may have been delivered before a crash has been delivered again, marked. */
static gboolean
pen_spool_has_caught_up (const PenSpool *self)
{
  if (self->newest_before > 0 && self->has_left_behind)
    return FALSE;
  for (guint i = 0; i < self->readers->len; i++)
    {
      const PenSpoolReader *reader = g_ptr_array_index (self->readers, i);

      if (reader->delivered < self->newest_before)
        return FALSE;
    }
  return TRUE;
}

void
pen_spool_close (PenSpool *self, gboolean all_settled)
{
  self->wants_close = TRUE;
  self->all_settled = all_settled && pen_spool_has_caught_up (self);
  pen_spool_stop_timers (self); /* it does not wait for another try */
  if (self->phase == PEN_SPOOL_IS_NEW || self->phase == PEN_SPOOL_IS_ENDED)
    pen_spool_end (self);
  else
    pen_spool_do_pump (self);
}

gboolean
pen_spool_abandon (PenSpool *self)
{
  self->is_abandoned = TRUE;
  pen_spool_stop_timers (self);
  return !self->is_busy;
}

void
pen_spool_unref (PenSpool *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  pen_spool_abandon (self);
  if (self->store != NULL)
    pen_spool_store_close (self->store, FALSE /* all_settled */);
  g_clear_error (&self->error);
  g_clear_pointer (&self->records, g_ptr_array_unref);
  g_clear_pointer (&self->cursors, g_ptr_array_unref);
  g_ptr_array_unref (self->pending);
  g_ptr_array_unref (self->readers);
  pen_complaint_clear (&self->complaint);
  pen_complaint_clear (&self->fullness);
  g_free (self->state_folder);
  g_free (self->pipeline);
  g_free (self);
}

void
pen_spool_reader_pause (PenSpoolReader *self)
{
  self->is_paused = TRUE;
}

void
pen_spool_reader_resume (PenSpoolReader *self)
{
  self->is_paused = FALSE;
  pen_lane_defer (self->spool->lane, &self->spool->pump);
}

void
pen_spool_reader_settle (PenSpoolReader *self, guint64 delivered, guint64 needed)
{
  self->delivered = delivered;
  self->needed = needed;
  self->is_unsaved = TRUE;
  pen_spool_save_later (self->spool);
}

gboolean
pen_spool_reader_is_behind (const PenSpoolReader *self, guint64 position)
{
  return self->next <= position;
}

gboolean
pen_spool_reader_is_at_end (const PenSpoolReader *self)
{
  const PenSpool *spool = self->spool;

  return self->next > spool->status.newest && spool->pending->len == 0 && spool->records == NULL;
}

guint64
pen_spool_reader_count_waiting (const PenSpoolReader *self)
{
  guint64 newest = self->spool->status.newest;

  return newest > self->delivered ? newest - self->delivered : 0;
}

gint64
pen_spool_reader_get_oldest (const PenSpoolReader *self)
{
  return pen_spool_reader_count_waiting (self) > 0 ? self->oldest_us : 0;
}

guint64
pen_spool_get_used_bytes (const PenSpool *self)
{
  return self->status.used_bytes;
}

guint64
pen_spool_reader_get_delivered (const PenSpoolReader *self)
{
  return self->delivered;
}

guint64
pen_spool_reader_get_needed (const PenSpoolReader *self)
{
  return self->needed;
}
