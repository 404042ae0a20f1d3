/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock spool drop: throws away a whole spool, what waits for one sink, or chosen messages,
 * after a question that says how much that is.
 *
 * A message is there once for all sinks, so it cannot be taken from one of them: what waits for a
 * sink goes as a whole, by its cursor.
 */

#include "config.h"

#include "pen-cli-spool.h"

#include "pen-suggest.h"

/* in memory at a time */
#define BATCH_POSITIONS 4096

typedef struct
{
  PenSpoolStore *store;
  PenSpoolSum sum;
  PenSpoolEdit *edit; /* NULL: only count */
  GArray *positions;  /* (element-type guint64): to be deleted */
  GError *error;
} PenCliDrop;

/* "1,234 messages (5.6 MiB)" */
static char *
pen_cli_drop_describe (const PenSpoolSum *sum)
{
  g_autofree char *count = pen_cli_format_count (sum->n_records);
  g_autofree char *bytes = pen_cli_format_bytes (sum->n_bytes);

  return g_strdup_printf ("%s message%s (%s)", count, sum->n_records == 1 ? "" : "s", bytes);
}

static gboolean
pen_cli_drop_is_confirmed (PenCliSpool *self, const char *question, int *status)
{
  return self->is_sure || pen_cli_ask (self->cli, question, status);
}

static gboolean
pen_cli_drop_delete (PenCliDrop *self)
{
  gboolean is_good
      = pen_spool_edit_delete (self->edit, (const guint64 *) (gpointer) self->positions->data,
                               self->positions->len, &self->error);

  g_array_set_size (self->positions, 0);
  return is_good;
}

static gboolean
pen_cli_drop_on_record (PenCliSpool *self, const PenSpoolRecord *record, gpointer user_data)
{
  PenCliDrop *drop = user_data;

  if (!pen_cli_filter_matches (&self->filter, record->event))
    return TRUE;
  if (drop->edit == NULL)
    {
      drop->sum.n_records++;
      drop->sum.n_bytes += g_bytes_get_size (pen_event_get_payload (record->event));
      return TRUE;
    }
  g_array_append_val (drop->positions, record->position);
  return drop->positions->len < BATCH_POSITIONS || pen_cli_drop_delete (drop);
}

static gboolean
pen_cli_drop_walk (PenCliSpool *self, PenCliDrop *drop, const char *what)
{
  PenSpoolStatus status;

  pen_spool_store_get_status (drop->store, &status);
  self->progress = (PenCliProgress){ 0 };
  return pen_cli_spool_walk (self, drop->store, status.newest, what, pen_cli_drop_on_record, drop,
                             &drop->error)
         && drop->error == NULL;
}

static gboolean
pen_cli_drop_edit (PenCliSpool *self, PenCliDrop *drop)
{
  g_autoptr (PenSpoolEdit) edit = pen_spool_edit_new (drop->store, &drop->error);
  g_autoptr (GArray) positions = g_array_new (FALSE, FALSE, sizeof (guint64));

  drop->edit = edit;
  drop->positions = positions;
  return edit != NULL && pen_cli_drop_walk (self, drop, "dropping messages")
         && pen_cli_drop_delete (drop) && pen_spool_edit_commit (edit, &drop->error);
}

static int
pen_cli_drop_fail (PenCliSpool *self, PenCliDrop *drop)
{
  pen_cli_spool_tell (self, "nothing was dropped: %s", drop->error->message);
  g_clear_error (&drop->error);
  return PEN_CLI_FAULTY;
}

/* Those that the filter lets through. */
static int
pen_cli_drop_messages (PenCliSpool *self, PenSpoolStore *store)
{
  PenCliDrop drop = { .store = store };
  g_autoptr (GError) error = NULL;
  g_autofree char *what = NULL;
  g_autofree char *question = NULL;
  int status = PEN_CLI_DONE;

  if (!pen_cli_drop_walk (self, &drop, "looking for messages"))
    return pen_cli_drop_fail (self, &drop);
  if (drop.sum.n_records == 0)
    {
      fprintf (stderr, "Nothing in the spool matches.\n");
      return PEN_CLI_DONE;
    }
  what = pen_cli_drop_describe (&drop.sum);
  question = g_strdup_printf ("Drop %s from the spool of pipeline %s, for all of its sinks?", what,
                              self->pipeline);
  if (!pen_cli_drop_is_confirmed (self, question, &status))
    return status;
  if (!pen_cli_drop_edit (self, &drop))
    return pen_cli_drop_fail (self, &drop);
  printf ("%s dropped from the spool of pipeline %s.\n", what, self->pipeline);
  fflush (stdout);
  if (!pen_spool_store_compact (store, &error))
    pen_cli_spool_tell (self,
                        "their space could not be given back to the disk, but will be used again: "
                        "%s",
                        error->message);
  return PEN_CLI_DONE;
}

static const PenSpoolCursor *
pen_cli_drop_find_cursor (const PenCliSpool *self, GPtrArray *cursors)
{
  for (guint i = 0; i < cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);

      if (g_str_equal (cursor->sink, self->sink))
        return cursor;
    }
  return NULL;
}

/* All that waits for the sink. One that is in the keyfile gets a new cursor, behind all that is
 * there now. */
static int
pen_cli_drop_sink (PenCliSpool *self, PenSpoolStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = pen_spool_store_get_cursors (store, &error);
  const PenSpoolCursor *cursor = NULL;
  PenSpoolSum sum;
  g_autofree char *what = NULL;
  g_autofree char *question = NULL;
  int status = PEN_CLI_FAULTY;

  if (cursors != NULL && !pen_cli_spool_check_sink (self, cursors, &status))
    return status;
  cursor = cursors != NULL ? pen_cli_drop_find_cursor (self, cursors) : NULL;
  if (cursor == NULL || !pen_spool_store_sum (store, cursor, &sum, &error))
    {
      pen_cli_spool_tell (self, "nothing was changed: %s", error->message);
      return PEN_CLI_FAULTY;
    }
  what = pen_cli_drop_describe (&sum);
  question = g_strdup_printf ("Drop %s that wait%s for sink %s of pipeline %s?", what,
                              sum.n_records == 1 ? "s" : "", self->sink, self->pipeline);
  if (!pen_cli_drop_is_confirmed (self, question, &status))
    return status;
  if (!pen_spool_store_drop_cursor (store, self->sink, &error))
    {
      pen_cli_spool_tell (self, "nothing was changed: %s", error->message);
      return PEN_CLI_FAULTY;
    }
  printf ("%s dropped for sink %s of pipeline %s. What no other sink waits for goes from the disk "
          "when the pipeline runs.\n",
          what, self->sink, self->pipeline);
  return PEN_CLI_DONE;
}

/* ", of which 12 wait for mysql and 3 for file" */
static gboolean
pen_cli_drop_append_waiting (GString *text, PenSpoolStore *store)
{
  g_autoptr (GPtrArray) cursors = pen_spool_store_get_cursors (store, NULL);
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *list = NULL;

  for (guint i = 0; cursors != NULL && i < cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);
      g_autofree char *count = NULL;
      PenSpoolSum sum;

      if (!pen_spool_store_sum (store, cursor, &sum, NULL))
        return FALSE;
      count = pen_cli_format_count (sum.n_records);
      if (sum.n_records > 0)
        g_ptr_array_add (words, g_strdup_printf ("%s for sink %s", count, cursor->sink));
    }
  if (words->len == 0)
    g_string_append (text, cursors != NULL && cursors->len > 0 ? ", which every sink has" : "");
  else
    {
      list = pen_suggest_list (words, "and");
      g_string_append_printf (text, ", of which %s still wait", list);
    }
  return cursors != NULL;
}

/* How much it holds, as far as that can be read. */
static char *
pen_cli_drop_describe_spool (PenCliSpool *self)
{
  static const PenSpoolStoreFunctions functions = { NULL };
  PenSpoolStore *store = pen_spool_store_open (
      self->state_folder, self->pipeline, PEN_SPOOL_STORE_READ_ONLY | PEN_SPOOL_STORE_MUST_EXIST,
      &functions, NULL /* user_data */, NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *all = NULL;
  PenSpoolSum sum = { 0 };
  gboolean is_known = store != NULL && pen_spool_store_sum (store, NULL, &sum, NULL);

  all = pen_cli_drop_describe (&sum);
  g_string_append (text, all);
  is_known = is_known && pen_cli_drop_append_waiting (text, store);
  if (store != NULL)
    pen_spool_store_close (store, FALSE /* all_settled: nothing is written */);
  if (!is_known)
    return g_strdup ("messages that nobody can count, because it cannot be read");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static int
pen_cli_drop_all (PenCliSpool *self)
{
  g_autofree char *holder = pen_spool_find_holder (self->state_folder, self->pipeline);
  g_auto (GStrv) damaged = pen_spool_list_damaged (self->state_folder, self->pipeline);
  g_autofree char *what = pen_cli_drop_describe_spool (self);
  g_autoptr (GString) question = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  int status = PEN_CLI_DONE;

  if (holder != NULL)
    return pen_cli_spool_tell_locked (self, self->pipeline);
  g_string_printf (question, "Drop the spool of pipeline %s with %s", self->pipeline, what);
  for (guint i = 0; damaged[i] != NULL; i++)
    g_string_append_printf (question, "%s'%s'", i == 0 ? "; and also " : ", ", damaged[i]);
  g_string_append_c (question, '?');
  if (!pen_cli_drop_is_confirmed (self, question->str, &status))
    return status;
  if (pen_spool_remove (self->state_folder, self->pipeline, &error))
    {
      printf ("The spool of pipeline %s is gone.\n", self->pipeline);
      return PEN_CLI_DONE;
    }
  if (g_error_matches (error, PEN_SPOOL_ERROR, PEN_SPOOL_ERROR_LOCKED))
    return pen_cli_spool_tell_locked (self, self->pipeline);
  pen_cli_spool_tell (self, "%s", error->message);
  return PEN_CLI_FAULTY;
}

/* documented in the header */
int
pen_cli_spool_drop (PenCliSpool *self)
{
  gboolean is_open = pen_cli_filter_is_open (&self->filter);
  PenSpoolStatus spool_status;
  PenSpoolStore *store;
  int status = PEN_CLI_DONE;

  if (self->sink != NULL && !is_open)
    return pen_cli_complain (self->cli,
                             "a message cannot be dropped for one sink alone: leave out --sink, to "
                             "drop it for all; or --from, --to and --topic, to drop all that "
                             "waits for the sink");
  if (self->sink == NULL && is_open)
    return pen_cli_drop_all (self);
  store = pen_cli_spool_open (self, self->pipeline, PEN_SPOOL_STORE_NONE, &status);
  if (store == NULL)
    return status;
  pen_spool_store_get_status (store, &spool_status);
  status
      = self->sink != NULL ? pen_cli_drop_sink (self, store) : pen_cli_drop_messages (self, store);
  pen_spool_store_close (store, spool_status.was_closed);
  return status;
}
