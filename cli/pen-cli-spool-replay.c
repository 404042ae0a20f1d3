/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock spool replay: what sinks have had goes to them once more.
 *
 * A copy is appended for each sink that has had the message, and is for that sink alone. So copies
 * can be told from what came, and are not copied again. All are appended or none.
 */

#include "config.h"

#include "pen-cli-spool.h"

#include "pen-suggest.h"

/* in memory at a time */
#define BATCH_RECORDS 1024
#define BATCH_BYTES (8 * 1024 * 1024)

typedef struct
{
  PenSpoolStore *store;
  GPtrArray *cursors;
  guint64 last; /* the newest before the replay */
  PenSpoolSum copies;
  guint64 n_waiting; /* matching, and on their way anyway */
  guint64 n_earlier; /* matching copies of an earlier replay that wait */
  PenSpoolEdit *edit;
  GPtrArray *records; /* (element-type PenSpoolRecord): copies to append */
  guint64 n_bytes;    /* in these */
  GError *error;
} PenCliReplay;

static gboolean
pen_cli_replay_goes_to (const PenCliSpool *self, const PenSpoolCursor *cursor)
{
  return cursor->until == 0 && (self->sink == NULL || g_str_equal (self->sink, cursor->sink));
}

static gboolean
pen_cli_replay_on_count (PenCliSpool *self, const PenSpoolRecord *record, gpointer user_data)
{
  PenCliReplay *replay = user_data;
  gsize length = g_bytes_get_size (pen_event_get_payload (record->event));
  gboolean is_waiting = FALSE;

  if (!pen_cli_filter_matches (&self->filter, record->event))
    return TRUE;
  for (guint i = 0; i < replay->cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (replay->cursors, i);

      if (!pen_cli_replay_goes_to (self, cursor))
        continue;
      if (pen_spool_cursor_waits (cursor, record))
        is_waiting = TRUE;
      else if (record->sink == NULL)
        {
          replay->copies.n_records++;
          replay->copies.n_bytes += length;
        }
    }
  if (is_waiting)
    *(record->sink == NULL ? &replay->n_waiting : &replay->n_earlier) += 1;
  return TRUE;
}

static gboolean
pen_cli_replay_append (PenCliReplay *self)
{
  gboolean is_good = pen_spool_edit_append (self->edit, self->records, &self->error);

  g_ptr_array_set_size (self->records, 0);
  self->n_bytes = 0;
  return is_good;
}

static gboolean
pen_cli_replay_on_copy (PenCliSpool *self, const PenSpoolRecord *record, gpointer user_data)
{
  PenCliReplay *replay = user_data;

  if (record->sink != NULL || !pen_cli_filter_matches (&self->filter, record->event))
    return TRUE;
  pen_event_set_flags (record->event, pen_event_get_flags (record->event) | PEN_EVENT_REPLAYED);
  for (guint i = 0; i < replay->cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (replay->cursors, i);
      PenSpoolRecord *copy;

      if (!pen_cli_replay_goes_to (self, cursor) || record->position > cursor->delivered)
        continue;
      copy = pen_spool_record_new (record->source, pen_event_ref (record->event));
      copy->sink = g_strdup (cursor->sink);
      g_ptr_array_add (replay->records, copy);
      replay->n_bytes += g_bytes_get_size (pen_event_get_payload (record->event));
    }
  return (replay->records->len < BATCH_RECORDS && replay->n_bytes < BATCH_BYTES)
         || pen_cli_replay_append (replay);
}

static gboolean
pen_cli_replay_copy (PenCliSpool *self, PenCliReplay *replay)
{
  g_autoptr (PenSpoolEdit) edit = pen_spool_edit_new (replay->store, &replay->error);
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);

  replay->edit = edit;
  replay->records = records;
  self->progress = (PenCliProgress){ 0 };
  if (edit != NULL
      && pen_cli_spool_walk (self, replay->store, replay->last, "replaying", pen_cli_replay_on_copy,
                             replay, &replay->error)
      && replay->error == NULL && pen_cli_replay_append (replay)
      && pen_spool_edit_commit (edit, &replay->error))
    return TRUE;
  pen_cli_spool_tell (self, "nothing will be replayed: %s", replay->error->message);
  g_clear_error (&replay->error);
  return FALSE;
}

static char *
pen_cli_replay_list_sinks (const PenCliSpool *self, const PenCliReplay *replay)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < replay->cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (replay->cursors, i);

      if (pen_cli_replay_goes_to (self, cursor))
        g_ptr_array_add (names, cursor->sink);
    }
  return names->len > 0 ? pen_suggest_list (names, "and") : NULL;
}

static int
pen_cli_replay_ask_and_copy (PenCliSpool *self, PenCliReplay *replay, const char *sinks)
{
  g_autofree char *count = pen_cli_format_count (replay->copies.n_records);
  g_autofree char *bytes = pen_cli_format_bytes (replay->copies.n_bytes);
  const char *plural = replay->copies.n_records == 1 ? "" : "s";
  g_autofree char *question = g_strdup_printf ("Replay %s message%s (%s) of pipeline %s to %s?",
                                               count, plural, bytes, self->pipeline, sinks);
  int status = PEN_CLI_DONE;

  if (!self->is_sure && !pen_cli_ask (self->cli, question, &status))
    return status;
  if (!pen_cli_replay_copy (self, replay))
    return PEN_CLI_FAULTY;
  printf ("%s message%s (%s) will go to %s again when the pipeline runs.\n", count, plural, bytes,
          sinks);
  return PEN_CLI_DONE;
}

static void
pen_cli_replay_tell_waiting (guint64 n_waiting, const char *which)
{
  g_autofree char *count = pen_cli_format_count (n_waiting);

  if (n_waiting > 0)
    fprintf (stderr, "%s matching message%s%s still wait%s and will come anyway.\n", count,
             n_waiting == 1 ? "" : "s", which, n_waiting == 1 ? "s" : "");
}

static int
pen_cli_replay_store (PenCliSpool *self, PenCliReplay *replay)
{
  g_autofree char *sinks = pen_cli_replay_list_sinks (self, replay);
  int status = PEN_CLI_DONE;

  if (!pen_cli_spool_check_sink (self, replay->cursors, &status))
    return status;
  if (sinks == NULL)
    {
      pen_cli_spool_tell (self, self->sink != NULL
                                    ? "nothing was changed: the sink is gone from the keyfile"
                                    : "nothing was changed: no sink has read from the spool yet");
      return PEN_CLI_FAULTY;
    }
  if (!pen_cli_spool_walk (self, replay->store, replay->last, "looking for messages",
                           pen_cli_replay_on_count, replay, &replay->error))
    {
      pen_cli_spool_tell (self, "nothing was changed: %s", replay->error->message);
      g_clear_error (&replay->error);
      return PEN_CLI_FAULTY;
    }
  pen_cli_replay_tell_waiting (replay->n_waiting, "");
  pen_cli_replay_tell_waiting (replay->n_earlier, " of an earlier replay");
  if (replay->copies.n_records > 0)
    return pen_cli_replay_ask_and_copy (self, replay, sinks);
  fprintf (stderr,
           "Nothing that %s had matches. What was delivered is kept only if the keyfile "
           "says so, with spool-keep=7d in [pipeline].\n",
           self->sink != NULL ? "the sink has" : "sinks have");
  return PEN_CLI_DONE;
}

/* documented in the header */
int
pen_cli_spool_replay (PenCliSpool *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = NULL;
  PenSpoolStatus spool_status;
  PenCliReplay replay = { NULL };
  int status = PEN_CLI_FAULTY;

  replay.store = pen_cli_spool_open (self, self->pipeline, PEN_SPOOL_STORE_NONE, &status);
  if (replay.store == NULL)
    return status;
  cursors = pen_spool_store_get_cursors (replay.store, &error);
  pen_spool_store_get_status (replay.store, &spool_status);
  replay.cursors = cursors;
  replay.last = spool_status.newest;
  if (cursors == NULL)
    pen_cli_spool_tell (self, "%s", error->message);
  else
    status = pen_cli_replay_store (self, &replay);
  pen_spool_store_close (replay.store, spool_status.was_closed);
  return status;
}
