/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Dead letters: which give back their message, and why others do not.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-dead-letter.h"
#include "pen-file-letter.h"

#include <string.h>

#define NOW_US G_GINT64_CONSTANT (42)

static PenEvent *
test_read (const char *text, GError **error)
{
  g_autoptr (GBytes) letter = g_bytes_new_static (text, strlen (text));

  return pen_file_letter_read (letter, 100, "default/topic", NOW_US, NULL /* part */, error);
}

static void
test_letter_text (void)
{
  g_autoptr (PenEvent) event = test_read (
      "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site-7\","
      "\"element\":\"transform ammp\",\"reason\":\"bad_timestamp\",\"message\":\"why\","
      "\"topic\":\"a/b827eb2bb2a9/u/data\",\"payload\":\"{\\\"t\\\":1.50}\\u0000\\n\","
      "\"stage_payload\":\"other\"}",
      NULL);
  gsize length;
  const char *data;

  g_assert_nonnull (event);
  data = pen_event_get_data (event, &length);
  g_assert_cmpmem (data, length, "{\"t\":1.50}\0\n", 12);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "a/b827eb2bb2a9/u/data");
  g_assert_cmpint (pen_event_get_arrival (event), ==, G_GINT64_CONSTANT (1767323045678901));
  g_assert_cmpuint (pen_event_get_flags (event), ==, PEN_EVENT_REPLAYED);
}

static void
test_letter_base64 (void)
{
  g_autoptr (PenEvent) event = test_read ("{\"payload_base64\":\"/wD+\"}", NULL);
  g_autoptr (PenEvent) empty = test_read ("{\"payload\":\"\"}", NULL);
  gsize length;
  const char *data;

  g_assert_nonnull (event);
  data = pen_event_get_data (event, &length);
  g_assert_cmpmem (data, length, "\xff\0\xfe", 3);
  g_assert_cmpstr (pen_event_get_topic (event), ==, "default/topic");
  g_assert_cmpint (pen_event_get_arrival (event), ==, NOW_US);
  g_assert_nonnull (empty);
  pen_event_get_data (empty, &length);
  g_assert_cmpuint (length, ==, 0);
}

/* Microseconds survive, whatever they are. */
static void
test_letter_times (void)
{
  for (guint i = 0; i < 1000; i++)
    {
      guint microsecond = (i * 999983) % 1000000;
      g_autofree char *text = g_strdup_printf (
          "{\"time\":\"2026-01-02T03:04:05.%06u+00:00\",\"payload\":\"\"}", microsecond);
      g_autoptr (PenEvent) event = test_read (text, NULL);

      g_assert_cmpint (pen_event_get_arrival (event) % G_USEC_PER_SEC, ==, microsecond);
    }
}

typedef struct
{
  const char *text;
  const char *reason;
  const char *message;
} TestRefusal;

static void
test_letter_refuses (void)
{
  const TestRefusal refusals[] = {
    { "{\"payload\":\"a\",\"truncated\":true,\"size\":2000000}", "truncated",
      "cannot be played again: the letter holds only the beginning of the message" },
    { "{\"payload\":\"a\",\"replayable\":false}", "not_replayable",
      "cannot be played again: the event was made from several messages" },
    { "[1]", "bad_letter", "not a dead letter: the line is JSON, but no object" },
    { "{\"topic\":\"a\"}", "bad_letter",
      "not a dead letter: it has no text 'payload' or 'payload_base64'" },
    { "{\"payload\":1}", "bad_letter",
      "not a dead letter: it has no text 'payload' or 'payload_base64'" },
    { "{\"payload_base64\":\"a\"}", "bad_letter",
      "not a dead letter: 'payload_base64' is not base64" },
    { "{\"payload_base64\":\"/w D+\"}", "bad_letter",
      "not a dead letter: 'payload_base64' is not base64" },
    { "{\"payload_base64\":\"/wD+\\u0000\"}", "bad_letter",
      "not a dead letter: 'payload_base64' is not base64" },
    { "{\"payload\":\"a\",\"time\":\"yesterday\"}", "bad_letter",
      "not a dead letter: 'time' is not a time such as 2026-01-02T03:04:05.678901+00:00" },
    { "{\"payload\":\"a\",\"time\":1767323045}", "bad_letter",
      "not a dead letter: 'time' is not a time such as 2026-01-02T03:04:05.678901+00:00" },
    { "{\"payload\":"
      "\"12345678901234567890123456789012345678901234567890"
      "123456789012345678901234567890123456789012345678901\"}",
      "too_large", "the message has 101 bytes, more than max-line allows" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (test_read (refusals[i].text, &error));
      g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
      g_assert_cmpstr (pen_element_error_get_reason (error), ==, refusals[i].reason);
      g_assert_cmpstr (error->message, ==, refusals[i].message);
    }
}

static void
test_letter_refuses_text (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (test_read ("{\"payload\":\"cut o", &error));
  g_assert_cmpstr (pen_element_error_get_reason (error), ==, "bad_letter");
  g_assert_true (g_str_has_prefix (error->message, "not a dead letter: "));
}

/* What the pipeline writes is what we read, whatever the message holds: text, bytes, NUL. */
static void
test_letter_round_trip (void)
{
  const char *const pieces[] = { "a", "\"", "\\", "\n", "ä", "\xff", "\xed\xa0\x80", "{}", "\x7f" };

  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      gint32 n_pieces = g_test_rand_int_range (0, 8);
      gint64 arrival_us = (gint64) g_test_rand_int_range (0, G_MAXINT32) * G_USEC_PER_SEC
                          + g_test_rand_int_range (0, G_USEC_PER_SEC);
      g_autoptr (GBytes) payload = NULL;
      g_autoptr (PenEvent) event = NULL;
      g_autoptr (PenEvent) letter = NULL;
      g_autoptr (PenEvent) played = NULL;
      g_autoptr (GError) error = NULL;

      for (gint32 j = 0; j < n_pieces; j++)
        g_string_append (text, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
      if (g_test_rand_bit ())
        g_string_append_c (text, '\0');
      payload = g_bytes_new (text->str, text->len);
      event = pen_event_new (payload, "a/ü/\"data\"", arrival_us);
      letter = pen_dead_letter_new (event, "site-7", "transform ammp", "why", "message");
      played = pen_file_letter_read (pen_event_get_payload (letter), 100, NULL, NOW_US,
                                     NULL /* part */, &error);

      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (pen_event_get_payload (played), payload));
      g_assert_cmpstr (pen_event_get_topic (played), ==, "a/ü/\"data\"");
      g_assert_cmpint (pen_event_get_arrival (played), ==, arrival_us);
    }
}

/* Of a line that is too large the source keeps the beginning: its letter is not played as if that
 * were the whole. */
static void
test_letter_of_cut_line (void)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("the beg", 7);
  g_autoptr (PenEvent) event = pen_event_new (payload, NULL, 0);
  g_autoptr (PenEvent) letter = NULL;
  g_autoptr (GError) error = NULL;

  pen_event_set_full_size (event, 8);
  letter = pen_dead_letter_new (event, "site-7", "source file", "too_large", "message");
  g_assert_null (pen_file_letter_read (pen_event_get_payload (letter), G_MAXSIZE, NULL, NOW_US,
                                       NULL /* part */, &error));
  g_assert_cmpstr (pen_element_error_get_reason (error), ==, "truncated");
}

/* What says that it is about a part of an event; all else is about the whole. */
static void
test_letter_parts (void)
{
  static const struct
  {
    const char *text;
    guint part;
  } rows[] = {
    { "{\"payload\":\"x\"}", 0 },
    { "{\"payload\":\"x\",\"part\":1}", 1 },
    { "{\"part\":101,\"payload\":\"x\"}", 101 },
    { "{\"payload\":\"x\",\"part\":-1}", 0 },
    { "{\"payload\":\"x\",\"part\":1.5}", 0 },
    { "{\"payload\":\"x\",\"part\":\"2\"}", 0 },
    { "{\"payload\":\"x\",\"part\":99999999999}", 0 },
    { "{\"payload\":\"x\",\"part\":[2]}", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GBytes) letter = g_bytes_new_static (rows[i].text, strlen (rows[i].text));
      g_autoptr (PenEvent) event = NULL;
      guint part = 77;

      g_test_message ("%s", rows[i].text);
      event = pen_file_letter_read (letter, 100, NULL, NOW_US, &part, NULL);
      g_assert_nonnull (event);
      g_assert_cmpuint (part, ==, rows[i].part);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/file-letter/text", test_letter_text);
  g_test_add_func ("/file-letter/base64", test_letter_base64);
  g_test_add_func ("/file-letter/times", test_letter_times);
  g_test_add_func ("/file-letter/refuses", test_letter_refuses);
  g_test_add_func ("/file-letter/refuses/text", test_letter_refuses_text);
  g_test_add_func ("/file-letter/round-trip", test_letter_round_trip);
  g_test_add_func ("/file-letter/parts", test_letter_parts);
  g_test_add_func ("/file-letter/of-cut-line", test_letter_of_cut_line);
  return g_test_run ();
}
