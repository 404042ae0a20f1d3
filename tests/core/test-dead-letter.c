/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Dead letters: what is kept of a message that is no text, too large, or one of several.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-dead-letter.h"

#define ARRIVAL_US G_GINT64_CONSTANT (1767323045678901)
#define HEAD                                                                                       \
  "{\"time\":\"2026-01-02T03:04:05.678901+00:00\",\"pipeline\":\"site-7\","                        \
  "\"element\":\"transform ammp\",\"reason\":\"%s\",\"message\":\"why\",\"topic\":\"a/b\","

static PenEvent *
test_make_event (const char *data, gsize length)
{
  g_autoptr (GBytes) payload = g_bytes_new (data, length);

  return pen_event_new (payload, "a/b", ARRIVAL_US);
}

static char *
test_make_letter (PenEvent *event, const char *reason)
{
  g_autoptr (PenEvent) letter
      = pen_dead_letter_new (event, "site-7", "transform ammp", reason, "why");
  gsize length = 0;
  const char *text = pen_event_get_data (letter, &length);

  g_assert_true (pen_json_validate (text, length, NULL));
  return g_strndup (text, length);
}

static void
test_dead_letter_text (void)
{
  g_autoptr (PenEvent) event = test_make_event ("é\n\"", 4);
  g_autofree char *letter = test_make_letter (event, "bad");
  g_autofree char *expected = g_strdup_printf (HEAD "\"payload\":\"é\\n\\\"\"}", "bad");

  g_assert_cmpstr (letter, ==, expected);
}

static void
test_dead_letter_empty (void)
{
  g_autoptr (PenEvent) event = test_make_event ("", 0);
  g_autofree char *letter = test_make_letter (event, "bad");
  g_autofree char *expected = g_strdup_printf (HEAD "\"payload\":\"\"}", "bad");

  g_assert_cmpstr (letter, ==, expected);
}

static void
test_dead_letter_bytes (void)
{
  static const char *const cases[][2] = { { "\xff\x01", "/wE=" }, { "a\xe2\x82", "YeKC" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PenEvent) event = test_make_event (cases[i][0], strlen (cases[i][0]));
      g_autofree char *letter = test_make_letter (event, "bad");
      g_autofree char *expected
          = g_strdup_printf (HEAD "\"payload_base64\":\"%s\"}", "bad", cases[i][1]);

      g_assert_cmpstr (letter, ==, expected);
    }
}

static void
test_dead_letter_too_large (void)
{
  g_autofree char *data = g_strnfill (100000, 'a');
  g_autofree char *kept = g_strnfill (65535, 'a');
  g_autoptr (PenEvent) event = NULL;
  g_autofree char *letter = NULL;
  g_autofree char *expected = NULL;

  /* the cut goes through a character */
  memcpy (data + 65535, "é", strlen ("é"));
  event = test_make_event (data, 100000);
  letter = test_make_letter (event, "too_large");
  expected = g_strdup_printf (HEAD "\"payload\":\"%s\",\"size\":100000,\"truncated\":true}",
                              "too_large", kept);
  g_assert_cmpstr (letter, ==, expected);
}

/* The source itself kept only the beginning. */
static void
test_dead_letter_cut (void)
{
  g_autoptr (PenEvent) event = test_make_event ("the beg", 7);
  g_autofree char *letter = NULL;

  g_assert_cmpuint (pen_event_get_full_size (event), ==, 7);
  pen_event_set_full_size (event, 2000000);
  g_assert_cmpuint (pen_event_get_full_size (event), ==, 2000000);
  letter = test_make_letter (event, "too_large");
  g_assert_nonnull (
      strstr (letter, "\"payload\":\"the beg\",\"size\":2000000,\"truncated\":true}"));
}

static void
test_dead_letter_several_origins (void)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("7.5", 3);
  g_autoptr (PenEvent) first = test_make_event ("7", 1);
  g_autoptr (PenEvent) second = test_make_event ("8", 1);
  PenEvent *origins[] = { first, second };
  g_autoptr (PenEvent) mean = pen_event_merge (origins, 2, payload);
  g_autofree char *letter = test_make_letter (mean, "bad");
  g_autofree char *expected
      = g_strdup_printf (HEAD "\"payload\":\"7.5\",\"replayable\":false}", "bad");

  g_assert_cmpstr (letter, ==, expected);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/dead-letter/text", test_dead_letter_text);
  g_test_add_func ("/dead-letter/empty", test_dead_letter_empty);
  g_test_add_func ("/dead-letter/bytes", test_dead_letter_bytes);
  g_test_add_func ("/dead-letter/too-large", test_dead_letter_too_large);
  g_test_add_func ("/dead-letter/cut", test_dead_letter_cut);
  g_test_add_func ("/dead-letter/several-origins", test_dead_letter_several_origins);
  return g_test_run ();
}
