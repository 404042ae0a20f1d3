/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock spool ls: what waits, for whom, since when, and who has the spool.
 */

#include "config.h"

#include "pen-cli-spool.h"

#include <json-glib/json-glib.h>

/* A line: a sink of a pipeline. */
typedef struct
{
  char *sink;       /* (nullable): the spool knows none */
  gboolean is_gone; /* from the keyfile */
  PenSpoolSum waiting;
} PenCliSpoolLine;

/* A spool. */
typedef struct
{
  char *pipeline;
  char *path;
  char *holder;  /* (nullable) */
  char *fault;   /* (nullable): why no more is known */
  GStrv damaged; /* what salvages have left */
  PenSpoolSum all;
  guint64 used_bytes;
  GPtrArray *lines; /* (element-type PenCliSpoolLine) */
} PenCliSpoolEntry;

static void
pen_cli_spool_line_free (gpointer data)
{
  PenCliSpoolLine *self = data;

  g_free (self->sink);
  g_free (self);
}

static void
pen_cli_spool_entry_free (gpointer data)
{
  PenCliSpoolEntry *self = data;

  g_free (self->pipeline);
  g_free (self->path);
  g_free (self->holder);
  g_free (self->fault);
  g_strfreev (self->damaged);
  g_ptr_array_unref (self->lines);
  g_free (self);
}

static void
pen_cli_spool_entry_add_line (PenCliSpoolEntry *self, const char *sink, gboolean is_gone)
{
  PenCliSpoolLine *line = g_new0 (PenCliSpoolLine, 1);

  line->sink = g_strdup (sink);
  line->is_gone = is_gone;
  g_ptr_array_add (self->lines, line);
}

static gboolean
pen_cli_spool_entry_fill (PenCliSpoolEntry *self, PenSpoolStore *store, GError **error)
{
  g_autoptr (GPtrArray) cursors = NULL;
  PenSpoolStatus status;

  pen_spool_store_get_status (store, &status);
  self->path = g_strdup (pen_spool_store_get_path (store));
  self->used_bytes = status.used_bytes;
  cursors = pen_spool_store_get_cursors (store, error);
  if (cursors == NULL || !pen_spool_store_sum (store, NULL, &self->all, error))
    return FALSE;
  for (guint i = 0; i < cursors->len; i++)
    {
      const PenSpoolCursor *cursor = g_ptr_array_index (cursors, i);
      PenCliSpoolLine *line;

      pen_cli_spool_entry_add_line (self, cursor->sink, cursor->until != 0);
      line = g_ptr_array_index (self->lines, i);
      if (!pen_spool_store_sum (store, cursor, &line->waiting, error))
        return FALSE;
    }
  if (cursors->len == 0)
    {
      pen_cli_spool_entry_add_line (self, NULL, FALSE);
      ((PenCliSpoolLine *) g_ptr_array_index (self->lines, 0))->waiting = self->all;
    }
  return TRUE;
}

static PenCliSpoolEntry *
pen_cli_spool_entry_new (const PenCliSpool *spool, const char *pipeline)
{
  static const PenSpoolStoreFunctions functions = { NULL };
  PenCliSpoolEntry *self = g_new0 (PenCliSpoolEntry, 1);
  g_autoptr (GError) error = NULL;
  PenSpoolStore *store = pen_spool_store_open (
      spool->state_folder, pipeline, PEN_SPOOL_STORE_READ_ONLY | PEN_SPOOL_STORE_MUST_EXIST,
      &functions, NULL /* user_data */, &error);

  self->pipeline = g_strdup (pipeline);
  self->lines = g_ptr_array_new_with_free_func (pen_cli_spool_line_free);
  self->holder = pen_spool_find_holder (spool->state_folder, pipeline);
  self->damaged = pen_spool_list_damaged (spool->state_folder, pipeline);
  if (store == NULL || !pen_cli_spool_entry_fill (self, store, &error))
    self->fault = g_strdup (error->message);
  if (store != NULL)
    pen_spool_store_close (store, FALSE /* all_settled: nothing is written */);
  return self;
}

/* "2h 3min (2026-01-31T03:00:00Z)" */
static char *
pen_cli_spool_format_age (gint64 time_us, gint64 now_us)
{
  g_autofree char *age = pen_cli_format_age (now_us - time_us);
  g_autofree char *time = pen_cli_format_time (time_us);

  return g_strdup_printf ("%s (%s)", age, time);
}

static void
pen_cli_spool_table_add (GPtrArray *table,
                         const PenCliSpoolEntry *entry,
                         const PenCliSpoolLine *line,
                         gint64 now_us)
{
  gboolean is_empty = line->waiting.n_records == 0;
  g_autoptr (GStrvBuilder) row = g_strv_builder_new ();
  g_autofree char *sink
      = g_strconcat (line->sink != NULL ? line->sink : "-", line->is_gone ? " (gone)" : NULL, NULL);
  g_autofree char *waiting = pen_cli_format_count (line->waiting.n_records);
  g_autofree char *bytes = pen_cli_format_bytes (line->waiting.n_bytes);
  g_autofree char *oldest
      = is_empty ? g_strdup ("-") : pen_cli_spool_format_age (line->waiting.oldest_us, now_us);
  g_autofree char *newest
      = is_empty ? g_strdup ("-") : pen_cli_format_time (line->waiting.newest_us);
  /* the number is enough here */
  g_auto (GStrv) holder = g_strsplit (entry->holder != NULL ? entry->holder : "-", " ", 2);

  g_strv_builder_add_many (row, entry->pipeline, sink, waiting, bytes, oldest, newest, holder[0],
                           NULL);
  g_ptr_array_add (table, g_strv_builder_end (row));
}

static void
pen_cli_spool_table_add_fault (GPtrArray *table, const PenCliSpoolEntry *entry)
{
  static const char *const rest[] = { "?", "?", "?", "?", "?", NULL };
  g_autoptr (GStrvBuilder) row = g_strv_builder_new ();
  g_auto (GStrv) holder = g_strsplit (entry->holder != NULL ? entry->holder : "-", " ", 2);

  g_strv_builder_add (row, entry->pipeline);
  g_strv_builder_addv (row, (const char **) rest);
  g_strv_builder_add (row, holder[0]);
  g_ptr_array_add (table, g_strv_builder_end (row));
}

/* Columns side by side; figures to the right. */
static void
pen_cli_spool_table_append (GPtrArray *table, GString *text)
{
  static const gboolean is_figure[] = { FALSE, FALSE, TRUE, TRUE, FALSE, FALSE, FALSE };
  guint widths[G_N_ELEMENTS (is_figure)] = { 0 };

  for (guint i = 0; i < table->len; i++)
    for (guint j = 0; j < G_N_ELEMENTS (widths); j++)
      widths[j] = MAX (widths[j], (guint) strlen (((GStrv) g_ptr_array_index (table, i))[j]));
  for (guint i = 0; i < table->len; i++)
    {
      GStrv row = g_ptr_array_index (table, i);

      for (guint j = 0; j + 1 < G_N_ELEMENTS (widths); j++)
        g_string_append_printf (text, is_figure[j] ? "%*s  " : "%-*s  ", (int) widths[j], row[j]);
      g_string_append_printf (text, "%s\n", row[G_N_ELEMENTS (widths) - 1]);
    }
}

static void
pen_cli_spool_append_text (GString *text, GPtrArray *entries)
{
  static const char *const head[]
      = { "PIPELINE", "SINK", "WAITING", "BYTES", "OLDEST", "NEWEST", "PROCESS", NULL };
  g_autoptr (GPtrArray) table = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  gint64 now_us = g_get_real_time ();

  g_ptr_array_add (table, g_strdupv ((char **) head));
  for (guint i = 0; i < entries->len; i++)
    {
      const PenCliSpoolEntry *entry = g_ptr_array_index (entries, i);

      if (entry->fault != NULL)
        pen_cli_spool_table_add_fault (table, entry);
      for (guint j = 0; entry->fault == NULL && j < entry->lines->len; j++)
        pen_cli_spool_table_add (table, entry, g_ptr_array_index (entry->lines, j), now_us);
    }
  if (table->len > 1)
    pen_cli_spool_table_append (table, text);
}

static void
pen_cli_spool_put (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);

  json_builder_set_member_name (builder, name);
  if (text != NULL)
    json_builder_add_string_value (builder, valid);
  else
    json_builder_add_null_value (builder);
}

static void
pen_cli_spool_put_number (JsonBuilder *builder, const char *name, guint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) MIN (number, G_MAXINT64));
}

static void
pen_cli_spool_put_times (JsonBuilder *builder, const PenSpoolSum *sum)
{
  g_autofree char *oldest = sum->n_records > 0 ? pen_cli_format_time (sum->oldest_us) : NULL;
  g_autofree char *newest = sum->n_records > 0 ? pen_cli_format_time (sum->newest_us) : NULL;

  pen_cli_spool_put (builder, "oldest", oldest);
  pen_cli_spool_put (builder, "newest", newest);
}

static void
pen_cli_spool_describe_entry (JsonBuilder *builder, const PenCliSpoolEntry *entry)
{
  json_builder_begin_object (builder);
  pen_cli_spool_put (builder, "pipeline", entry->pipeline);
  pen_cli_spool_put (builder, "file", entry->path);
  pen_cli_spool_put (builder, "process", entry->holder);
  pen_cli_spool_put (builder, "fault", entry->fault);
  pen_cli_spool_put_number (builder, "file_bytes", entry->used_bytes);
  pen_cli_spool_put_number (builder, "messages", entry->all.n_records);
  pen_cli_spool_put_number (builder, "bytes", entry->all.n_bytes);
  json_builder_set_member_name (builder, "sinks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < entry->lines->len; i++)
    {
      const PenCliSpoolLine *line = g_ptr_array_index (entry->lines, i);

      if (line->sink == NULL)
        continue;
      json_builder_begin_object (builder);
      pen_cli_spool_put (builder, "sink", line->sink);
      json_builder_set_member_name (builder, "gone");
      json_builder_add_boolean_value (builder, line->is_gone);
      pen_cli_spool_put_number (builder, "waiting", line->waiting.n_records);
      pen_cli_spool_put_number (builder, "waiting_bytes", line->waiting.n_bytes);
      pen_cli_spool_put_times (builder, &line->waiting);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "damaged_files");
  json_builder_begin_array (builder);
  for (guint i = 0; entry->damaged[i] != NULL; i++)
    json_builder_add_string_value (builder, entry->damaged[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
pen_cli_spool_append_json (GString *text, GPtrArray *entries)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *json = NULL;

  json_builder_begin_array (builder);
  for (guint i = 0; i < entries->len; i++)
    pen_cli_spool_describe_entry (builder, g_ptr_array_index (entries, i));
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  json = json_to_string (root, TRUE);
  g_string_append_printf (text, "%s\n", json);
}

/* What an operator should see to. */
static int
pen_cli_spool_tell_faults (PenCliSpool *self, GPtrArray *entries)
{
  int status = PEN_CLI_DONE;

  for (guint i = 0; i < entries->len; i++)
    {
      const PenCliSpoolEntry *entry = g_ptr_array_index (entries, i);

      if (entry->fault != NULL)
        {
          pen_cli_spool_tell (self, "%s; see 'penstock spool check --pipeline %s'", entry->fault,
                              entry->pipeline);
          status = PEN_CLI_FAULTY;
        }
      for (guint j = 0; entry->damaged[j] != NULL; j++)
        pen_cli_spool_tell (self,
                            "'%s' is what was damaged before a repair; delete it when nobody wants "
                            "to look into it any more",
                            entry->damaged[j]);
    }
  return status;
}

/* documented in the header */
int
pen_cli_spool_ls (PenCliSpool *self)
{
  int status = PEN_CLI_DONE;
  g_auto (GStrv) names = pen_cli_spool_list (self, &status);
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (pen_cli_spool_entry_free);
  g_autoptr (GString) text = g_string_new (NULL);
  int write_status;
  guint n_names;

  if (names == NULL)
    return status;
  n_names = g_strv_length (names);
  for (guint i = 0; names[i] != NULL; i++)
    {
      if (self->pipeline != NULL && !g_str_equal (self->pipeline, names[i]))
        continue;
      if (self->wants_names)
        g_string_append_printf (text, "%s\n", names[i]);
      else
        g_ptr_array_add (entries, pen_cli_spool_entry_new (self, names[i]));
      pen_cli_progress_show (&self->progress, names[i], (double) (i + 1) / n_names);
    }
  pen_cli_progress_clear (&self->progress);
  if (self->wants_names)
    return pen_cli_write (self->cli, text);
  (self->as_json ? pen_cli_spool_append_json : pen_cli_spool_append_text) (text, entries);
  write_status = pen_cli_write (self->cli, text);
  if (names[0] == NULL)
    fprintf (stderr,
             "No spools are in '%s'. (That of a service is mostly --state-dir "
             "/var/lib/penstock.)\n",
             self->state_folder);
  status = pen_cli_spool_tell_faults (self, entries);
  return status != PEN_CLI_DONE ? status : write_status;
}
