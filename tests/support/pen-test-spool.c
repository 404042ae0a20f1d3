/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A spool in a folder of its own, and records to put into it.
 */

#include "config.h"

#include "pen-test-spool.h"

#include "pen-test.h"

static void
pen_test_spool_tell (GLogLevelFlags level, const char *message, gpointer user_data)
{
  PenTestSpool *self = user_data;

  g_string_append_printf (self->told, "%s\n", message);
}

PenSpoolStore *
pen_test_spool_try_open (PenTestSpool *self, PenSpoolStoreFlags flags, GError **error)
{
  static const PenSpoolStoreFunctions functions = { .tell = pen_test_spool_tell };

  return pen_spool_store_open (self->folder, PEN_TEST_SPOOL_NAME, flags, &functions, self, error);
}

void
pen_test_spool_open (PenTestSpool *self, PenSpoolStoreFlags flags)
{
  g_autoptr (GError) error = NULL;

  if (self->store != NULL)
    pen_test_spool_close (self, FALSE);
  self->store = pen_test_spool_try_open (self, flags, &error);
  g_assert_no_error (error);
}

void
pen_test_spool_close (PenTestSpool *self, gboolean all_settled)
{
  pen_spool_store_close (g_steal_pointer (&self->store), all_settled);
}

void
pen_test_spool_set_up (PenTestSpool *self, gconstpointer data)
{
  self->folder = pen_test_make_folder ();
  self->path = g_build_filename (self->folder, "spool", PEN_TEST_SPOOL_NAME ".db", NULL);
  self->told = g_string_new (NULL);
  pen_test_spool_open (self, PEN_SPOOL_STORE_NONE);
}

void
pen_test_spool_tear_down (PenTestSpool *self, gconstpointer data)
{
  if (self->store != NULL)
    pen_test_spool_close (self, FALSE);
  g_string_free (self->told, TRUE);
  g_free (self->path);
  pen_test_remove_folder (self->folder);
}

static guint64
pen_test_spool_next (guint64 *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

static void
pen_test_spool_add_rarities (PenEvent *event, guint64 *state)
{
  guint64 rarities = pen_test_spool_next (state) % 64;

  if (rarities & 1)
    pen_event_set_flags (event, (PenEventFlags) (pen_test_spool_next (state) % 8));
  if ((rarities & 6) == 6)
    pen_event_set_content_type (event, rarities & 8 ? "application/json" : "");
  if ((rarities & 24) == 24)
    {
      pen_event_add_user_property (event, "name", "");
      pen_event_add_user_property (event, "", "value");
      pen_event_add_user_property (event, "name", "\xc3\xa4");
    }
  if ((rarities & 32) && pen_test_spool_next (state) % 4 == 0)
    pen_event_set_full_size (event, G_GUINT64_CONSTANT (5000000000));
}

/* Mostly around a kilobyte; some are empty, some have several pages. */
static GBytes *
pen_test_spool_make_payload (guint64 seed, guint64 *state)
{
  guint64 kind = seed >= PEN_TEST_SPOOL_EVEN ? 2 : pen_test_spool_next (state) % 32;
  gsize length = kind == 0   ? 0
                 : kind == 1 ? pen_test_spool_next (state) % 60000
                             : pen_test_spool_next (state) % 2000;
  length = seed >= PEN_TEST_SPOOL_EVEN ? 900 : length;
  guint8 *bytes = g_malloc (length);

  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8) pen_test_spool_next (state);
  return g_bytes_new_take (bytes, length);
}

PenSpoolRecord *
pen_test_spool_make_record (guint64 seed)
{
  guint64 state = seed * 0x9e3779b97f4a7c15u + 1;
  g_autoptr (GBytes) payload = pen_test_spool_make_payload (seed, &state);
  g_autofree char *topic = g_strdup_printf ("a/%" G_GUINT64_FORMAT "/u", seed);
  PenEvent *event = NULL;
  PenSpoolRecord *record = NULL;

  event = pen_event_new (payload, seed % 7 == 3 ? NULL : topic, (gint64) seed * 1000);
  pen_test_spool_add_rarities (event, &state);
  record = pen_spool_record_new (seed % 2 ? "mqtt" : "other", event);
  if (seed % 5 == 2)
    record->sink = g_strdup ("sql");
  return record;
}

static void
pen_test_spool_assert_properties (const PenEvent *event, const PenEvent *expected)
{
  guint n_properties = pen_event_get_n_user_properties (expected);

  g_assert_cmpuint (pen_event_get_n_user_properties (event), ==, n_properties);
  for (guint i = 0; i < n_properties; i++)
    {
      const char *texts[4];

      pen_event_get_user_property (event, i, &texts[0], &texts[1]);
      pen_event_get_user_property (expected, i, &texts[2], &texts[3]);
      g_assert_cmpstr (texts[0], ==, texts[2]);
      g_assert_cmpstr (texts[1], ==, texts[3]);
    }
}

void
pen_test_spool_assert_record (const PenSpoolRecord *record, guint64 seed)
{
  g_autoptr (PenSpoolRecord) expected = pen_test_spool_make_record (seed);
  const PenEvent *event = record->event;
  gsize length;
  gsize expected_length;
  const char *data = pen_event_get_data (event, &length);
  const char *expected_data = pen_event_get_data (expected->event, &expected_length);

  g_assert_cmpstr (record->source, ==, expected->source);
  g_assert_cmpstr (record->sink, ==, expected->sink);
  g_assert_cmpmem (data, length, expected_data, expected_length);
  g_assert_cmpstr (pen_event_get_topic (event), ==, pen_event_get_topic (expected->event));
  g_assert_cmpint (pen_event_get_arrival (event), ==, pen_event_get_arrival (expected->event));
  g_assert_cmpint (pen_event_get_flags (event), ==, pen_event_get_flags (expected->event));
  g_assert_cmpuint (pen_event_get_full_size (event), ==, pen_event_get_full_size (expected->event));
  g_assert_cmpstr (pen_event_get_content_type (event), ==,
                   pen_event_get_content_type (expected->event));
  pen_test_spool_assert_properties (event, expected->event);
  g_assert_null (pen_event_get_token (event));
}

void
pen_test_spool_fill (PenTestSpool *self, guint64 seed, guint n_records)
{
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n_records; i++)
    g_ptr_array_add (records, pen_test_spool_make_record (seed + i));
  pen_spool_store_commit (self->store, records, NULL /* cursors */, G_MAXINT64, &error);
  g_assert_no_error (error);
  for (guint i = 1; i < n_records; i++)
    g_assert_cmpuint (((PenSpoolRecord *) g_ptr_array_index (records, i))->position, ==,
                      ((PenSpoolRecord *) g_ptr_array_index (records, 0))->position + i);
}

void
pen_test_spool_move (PenTestSpool *self, const char *sink, guint64 delivered, guint64 until)
{
  g_autoptr (GPtrArray) cursors
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (cursors, pen_spool_cursor_new (sink, delivered, delivered + 1, until));
  pen_spool_store_commit (self->store, NULL /* records */, cursors, 0, &error);
  g_assert_no_error (error);
}

guint
pen_test_spool_count (PenTestSpool *self, guint64 after, gint64 offset)
{
  guint64 previous = after;
  guint count = 0;

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      guint64 last;
      g_autoptr (GPtrArray) records
          = pen_spool_store_read (self->store, previous, 100, 100000, &last, &error);

      g_assert_no_error (error);
      for (guint i = 0; i < records->len; i++)
        {
          const PenSpoolRecord *record = g_ptr_array_index (records, i);

          g_assert_cmpuint (record->position, >, previous);
          pen_test_spool_assert_record (record, (guint64) ((gint64) record->position + offset));
          previous = record->position;
        }
      count += records->len;
      if (records->len == 0 && last <= previous)
        return count;
      previous = MAX (previous, last);
    }
}
