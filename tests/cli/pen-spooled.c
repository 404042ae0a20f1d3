/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A state folder with a spool that the test knows by heart, and the command on it.
 */

#include "config.h"

#include "pen-spooled.h"

#include <string.h>

#define DAY_US (86400 * (gint64) G_USEC_PER_SEC)
#define N_MESSAGES 10

PenSpoolRecord *
pen_spooled_make_record (const char *topic, const char *payload, gint64 arrival_us)
{
  g_autoptr (GBytes) bytes = g_bytes_new (payload, strlen (payload));

  return pen_spool_record_new ("mqtt", pen_event_new (bytes, topic, arrival_us));
}

PenSpoolStore *
pen_spooled_open (const PenSpooled *fixture, const char *pipeline, PenSpoolStoreFlags flags)
{
  g_autoptr (GError) error = NULL;
  PenSpoolStore *store
      = pen_spool_store_open (fixture->state, pipeline, flags, NULL /* functions */, NULL, &error);

  g_assert_no_error (error);
  return store;
}

void
pen_spooled_commit (PenSpoolStore *store, GPtrArray *records, GPtrArray *cursors)
{
  g_autoptr (GError) error = NULL;

  pen_spool_store_commit (store, records, cursors, G_MININT64 /* keep all */, &error);
  g_assert_no_error (error);
}

void
pen_spooled_add_cursor (GPtrArray *cursors, const char *sink, guint64 delivered, guint64 until)
{
  g_ptr_array_add (cursors, pen_spool_cursor_new (sink, delivered, delivered + 1, until));
}

/* Ten messages, one a day, the last two days ago: "m1" to "m10", of topics a/1/u and a/2/u in
 * turn. The file sink has had all, mysql eight, and one that is gone waits for two. */
static void
pen_spooled_fill (PenSpoolStore *store, gint64 now_us)
{
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  g_autoptr (GPtrArray) cursors
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);

  for (guint i = 1; i <= N_MESSAGES; i++)
    {
      g_autofree char *payload = g_strdup_printf ("m%u", i);

      /* so that an age looks the same for the next 50 minutes */
      g_ptr_array_add (records, pen_spooled_make_record (i % 2 == 1 ? "a/1/u" : "a/2/u", payload,
                                                         now_us - (12 - i) * DAY_US
                                                             - DAY_US / 24 * 2 - DAY_US / 144));
    }
  pen_spooled_add_cursor (cursors, "mysql", 8, 0);
  pen_spooled_add_cursor (cursors, "file", 10, 0);
  pen_spooled_add_cursor (cursors, "old", 3, 5);
  pen_spooled_commit (store, records, NULL);
  pen_spooled_commit (store, NULL, cursors);
}

void
pen_spooled_init (PenSpooled *fixture)
{
  PenSpoolStore *store;

  *fixture = (PenSpooled){ .state = pen_test_make_folder (), .now_us = g_get_real_time () };
  store = pen_spooled_open (fixture, "site-7", PEN_SPOOL_STORE_NONE);
  pen_spooled_fill (store, fixture->now_us);
  pen_spool_store_close (store, TRUE /* all_settled */);
}

void
pen_spooled_clear (PenSpooled *fixture)
{
  pen_test_remove_folder (fixture->state);
}

/* "penstock spool LINE --state-dir STATE", with STATE for the folder in what it says. */
void
pen_spooled_run (const PenSpooled *fixture, PenCommand *command, const char *line)
{
  g_autofree char *all = g_strdup_printf ("spool %s --state-dir %s", line, fixture->state);
  g_auto (GStrv) arguments = g_strsplit (all, " ", -1);
  char **texts[] = { &command->output, &command->errors };

  pen_command_clear (command);
  pen_command_run_strv (command, "" /* no terminal */, (const char *const *) arguments);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      GString *text = g_string_new (*texts[i]);

      g_string_replace (text, fixture->state, "STATE", 0 /* all */);
      g_free (*texts[i]);
      *texts[i] = g_string_free (text, FALSE);
    }
  g_test_message ("%s: %d\n%s%s", line, command->status, command->output, command->errors);
}

/* What stands in the spool: position, sink if it is for one alone, "!" if it is marked, payload. */
static char *
pen_spooled_dump (const PenSpooled *fixture, guint64 after)
{
  PenSpoolStore *store = pen_spooled_open (fixture, "site-7", PEN_SPOOL_STORE_READ_ONLY);
  g_autoptr (GError) error = NULL;
  guint64 last = 0;
  g_autoptr (GPtrArray) records = pen_spool_store_read (store, after, 1000, 1000000, &last, &error);
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < records->len; i++)
    {
      const PenSpoolRecord *record = g_ptr_array_index (records, i);
      gboolean is_marked = (pen_event_get_flags (record->event) & PEN_EVENT_REPLAYED) != 0;
      gsize length = 0;
      const char *data = pen_event_get_data (record->event, &length);

      g_string_append_printf (text, "%s%" G_GUINT64_FORMAT "%s%s%s%.*s", i > 0 ? " " : "",
                              record->position, record->sink != NULL ? record->sink : "",
                              is_marked ? "!" : "", ":", (int) length, data);
    }
  pen_spool_store_close (store, FALSE /* all_settled: nothing is written */);
  return g_string_free (text, FALSE);
}

void
pen_spooled_assert_dump (const PenSpooled *fixture, guint64 after, const char *expected)
{
  g_autofree char *dump = pen_spooled_dump (fixture, after);

  g_assert_cmpstr (dump, ==, expected);
}
