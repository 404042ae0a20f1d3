/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock spool show: messages as JSON, a line each, as dead letters have theirs.
 */

#include "config.h"

#include "pen-cli-spool.h"

#include "pen-event-json.h"

typedef struct
{
  GPtrArray *cursors;
  gint64 n_shown;
  gboolean has_more;
  gboolean is_broken; /* standard output */
} PenCliShow;

static gboolean
pen_cli_show_wants (const PenCliSpool *self, const PenCliShow *show, const PenSpoolRecord *record)
{
  gboolean waits = self->wants_all && self->sink == NULL;

  if (!pen_cli_filter_matches (&self->filter, record->event))
    return FALSE;
  for (guint i = 0; i < show->cursors->len && !waits; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (show->cursors, i);

      if (self->sink != NULL && !g_str_equal (self->sink, cursor->sink))
        continue;
      waits = self->wants_all ? record->sink == NULL || g_str_equal (record->sink, cursor->sink)
                              : pen_spool_cursor_waits (cursor, record);
    }
  /* before the first run has ended, nobody is known who could have had it */
  return waits || show->cursors->len == 0;
}

static void
pen_cli_show_format (GString *line, const PenSpoolRecord *record)
{
  const PenEvent *event = record->event;
  PenJsonWriter writer;

  pen_json_writer_init (&writer, line);
  pen_json_writer_begin_object (&writer);
  pen_json_writer_key (&writer, "position");
  pen_json_writer_uint64 (&writer, record->position);
  pen_event_json_put_time (&writer, "time", pen_event_get_arrival (event));
  pen_event_json_put_text (&writer, "source", record->source);
  if (record->sink != NULL)
    pen_event_json_put_text (&writer, "sink", record->sink);
  pen_event_json_put_content (&writer, event);
  pen_json_writer_end_object (&writer);
  g_string_append_c (line, '\n');
}

static gboolean
pen_cli_show_on_record (PenCliSpool *self, const PenSpoolRecord *record, gpointer user_data)
{
  PenCliShow *show = user_data;
  g_autoptr (GString) line = NULL;

  if (!pen_cli_show_wants (self, show, record))
    return TRUE;
  if (self->limit > 0 && show->n_shown == self->limit)
    {
      show->has_more = TRUE;
      return FALSE;
    }
  line = g_string_new (NULL);
  pen_cli_show_format (line, record);
  pen_cli_progress_clear (&self->progress);
  show->n_shown++;
  show->is_broken = pen_cli_write (self->cli, line) != PEN_CLI_DONE;
  return !show->is_broken;
}

static int
pen_cli_show_store (PenCliSpool *self, PenSpoolStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) cursors = pen_spool_store_get_cursors (store, &error);
  PenCliShow show = { .cursors = cursors };
  PenSpoolStatus spool_status;
  int status = PEN_CLI_DONE;

  if (cursors != NULL && !pen_cli_spool_check_sink (self, cursors, &status))
    return status;
  pen_spool_store_get_status (store, &spool_status);
  if (cursors == NULL
      || !pen_cli_spool_walk (self, store, spool_status.newest, "looking for messages",
                              pen_cli_show_on_record, &show, &error))
    {
      pen_cli_spool_tell (self, "%s", error->message);
      return PEN_CLI_FAULTY;
    }
  if (show.has_more)
    fprintf (stderr, "There are more than %" G_GINT64_FORMAT "; --limit 0 shows all.\n",
             self->limit);
  else if (show.n_shown == 0)
    fprintf (stderr, "Nothing that waits matches%s.\n",
             self->wants_all ? "" : "; --all looks through what is kept as well");
  return show.is_broken || self->n_damages > 0 ? PEN_CLI_FAULTY : PEN_CLI_DONE;
}

/* documented in the header */
int
pen_cli_spool_show (PenCliSpool *self)
{
  int status = PEN_CLI_DONE;
  PenSpoolStore *store
      = pen_cli_spool_open (self, self->pipeline, PEN_SPOOL_STORE_READ_ONLY, &status);

  if (store == NULL)
    return status;
  status = pen_cli_show_store (self, store);
  pen_spool_store_close (store, FALSE /* all_settled: nothing is written */);
  return status;
}
