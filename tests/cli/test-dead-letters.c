/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Dead letters from end to end, by the command: what cannot be delivered is kept with its reason;
 * after a fix it is played again, and what still cannot be is kept again; what can never be played
 * again is told.
 */

#include "config.h"

#include "pen-command.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_LINE (64 * 1024) /* what a letter keeps */
#define N_SKIPPED 150
#define MAX_SKIPPED_LETTERS 101

#define TEST_GOOD "{\"t\":1625576100,\"r\":[{\"_d\":\"meter\",\"_vid\":\"grid\",\"P\":1}]}"
/* the second reading is left out, unless its device stands in for the vendor ID */
#define TEST_PART                                                                                  \
  "{\"t\":1625576101,\"r\":[{\"_vid\":\"grid\",\"P\":2},{\"_d\":\"meter\",\"Q\":3}]}"
#define TEST_BROKEN "{\"t\":1625576102,"
#define TEST_BINARY "{\"t\":\xff\xfe}"
#define TEST_MILLISECONDS "{\"t\":1625576100000,\"r\":[]}"

typedef struct
{
  char *folder;
  char *many;     /* a payload with N_SKIPPED readings that are left out */
  char *too_long; /* a line that the source does not take */
  JsonParser *parser;
} Fixture;

static void
test_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) many = g_string_new ("{\"t\":1625576103,\"r\":[{\"_vid\":\"grid\",\"P\":4}");

  for (guint i = 0; i < N_SKIPPED; i++)
    g_string_append_printf (many, ",{\"_d\":\"meter\",\"Q%u\":%u}", i, i);
  g_string_append (many, "]}");
  fixture->folder = pen_test_make_folder ();
  fixture->many = g_string_free (g_steal_pointer (&many), FALSE);
  fixture->too_long = g_strnfill (MAX_LINE + 1, 'x');
  fixture->parser = json_parser_new ();
}

static void
test_tear_down (Fixture *fixture, gconstpointer data)
{
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->many);
  g_free (fixture->too_long);
  g_object_unref (fixture->parser);
}

/* Runs @text as NAME.pipeline; modules of the tests are found. */
static void
test_run (Fixture *fixture,
          PenCommand *command,
          const char *name,
          const char *text,
          const char *input)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  g_autofree char *file = g_strconcat (name, ".pipeline", NULL);
  g_autofree char *path = g_build_filename (fixture->folder, file, NULL);

  pen_test_write_file (fixture->folder, file, text);
  pen_command_run (command, input, "run", "--plugin-path", modules, path, NULL);
}

static GStrv
test_read_lines (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return g_new0 (char *, 1);
  g_assert_true (*text == '\0' || g_str_has_suffix (text, "\n"));
  if (*text != '\0')
    text[strlen (text) - 1] = '\0';
  return g_strsplit (text, "\n", -1);
}

/* A letter, until the next is read. */
static JsonObject *
test_read_letter (Fixture *fixture, const char *line)
{
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (fixture->parser, line, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (fixture->parser));
}

static void
test_expect_letter (Fixture *fixture,
                    const char *line,
                    const char *element,
                    const char *reason,
                    const char *payload)
{
  JsonObject *letter = test_read_letter (fixture, line);

  g_assert_cmpstr (json_object_get_string_member (letter, "element"), ==, element);
  g_assert_cmpstr (json_object_get_string_member (letter, "reason"), ==, reason);
  if (payload != NULL)
    g_assert_cmpstr (json_object_get_string_member (letter, "payload"), ==, payload);
  g_assert_true (json_object_has_member (letter, "time"));
  g_assert_true (json_object_has_member (letter, "message"));
}

static void
test_expect_base64 (Fixture *fixture, const char *line)
{
  JsonObject *letter = test_read_letter (fixture, line);
  g_autofree char *expected = g_base64_encode ((const guchar *) TEST_BINARY, strlen (TEST_BINARY));

  g_assert_false (json_object_has_member (letter, "payload"));
  g_assert_cmpstr (json_object_get_string_member (letter, "payload_base64"), ==, expected);
}

/* The first run, into dead-1.jsonl. */
static void
test_fail_first (Fixture *fixture)
{
  g_autofree char *text = g_strdup_printf ("[source file]\npath=-\ntopic=a/b\nmax-line=%dB\n"
                                           "[transform ammp]\n"
                                           "[sink witness]\n"
                                           "[dead-letter file]\npath=dead-1.jsonl\n",
                                           MAX_LINE);
  g_autofree char *input = g_strjoin ("\n", TEST_GOOD, TEST_PART, fixture->many, TEST_BROKEN,
                                      TEST_BINARY, TEST_MILLISECONDS, fixture->too_long, "", NULL);
  g_auto (PenCommand) command = { 0 };
  g_auto (GStrv) lines = NULL;

  test_run (fixture, &command, "site", text, input);
  g_assert_cmpint (command.status, ==, 0);
  lines = g_strsplit (command.output, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  for (guint i = 0; i < 3; i++)
    g_assert_true (g_str_has_prefix (lines[i], "new "));
  g_assert_nonnull (strstr (command.errors, "received 7, delivered 3"));
}

/* --- What is kept --- */

static void
test_keeps_all (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) letters = NULL;
  const guint after = 1 + MAX_SKIPPED_LETTERS;
  JsonObject *letter = NULL;

  test_fail_first (fixture);
  letters = test_read_lines (fixture, "dead-1.jsonl");
  g_assert_cmpuint (g_strv_length (letters), ==, after + 4);
  test_expect_letter (fixture, letters[0], "transform ammp", "reading_no_vid", TEST_PART);
  letter = test_read_letter (fixture, letters[0]);
  g_assert_cmpstr (json_object_get_string_member (letter, "topic"), ==, "a/b");
  g_assert_cmpstr (json_object_get_string_member (letter, "pipeline"), ==, "site");
  g_assert_nonnull (
      strstr (json_object_get_string_member (letter, "message"), "(device \"meter\") has no _vid"));
  for (guint i = 1; i < after; i++)
    test_expect_letter (fixture, letters[i], "transform ammp", "reading_no_vid", fixture->many);
  letter = test_read_letter (fixture, letters[after - 2]);
  g_assert_nonnull (strstr (json_object_get_string_member (letter, "message"), "r[100] "));
  letter = test_read_letter (fixture, letters[after - 1]);
  g_assert_nonnull (strstr (json_object_get_string_member (letter, "message"), "50 more"));
  test_expect_letter (fixture, letters[after], "transform ammp", "invalid_json", TEST_BROKEN);
  test_expect_letter (fixture, letters[after + 1], "transform ammp", "invalid_json", NULL);
  test_expect_base64 (fixture, letters[after + 1]);
  test_expect_letter (fixture, letters[after + 2], "transform ammp", "bad_timestamp",
                      TEST_MILLISECONDS);
  test_expect_letter (fixture, letters[after + 3], "source file", "too_large", NULL);
  letter = test_read_letter (fixture, letters[after + 3]);
  g_assert_true (json_object_get_boolean_member (letter, "truncated"));
  g_assert_cmpint (json_object_get_int_member (letter, "size"), ==, MAX_LINE + 1);
}

/* --- What is played again --- */

/* The time of arrival that a letter has, as the witness tells it. */
static char *
test_get_arrival (Fixture *fixture, const char *line)
{
  JsonObject *letter = test_read_letter (fixture, line);
  g_autoptr (GDateTime) time
      = g_date_time_new_from_iso8601 (json_object_get_string_member (letter, "time"), NULL);

  return g_strdup_printf ("%" G_GINT64_FORMAT, g_date_time_to_unix (time) * G_USEC_PER_SEC
                                                   + g_date_time_get_microsecond (time));
}

static void
test_plays_again (Fixture *fixture, gconstpointer data)
{
  g_auto (PenCommand) command = { 0 };
  g_auto (GStrv) first = NULL;
  g_auto (GStrv) second = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *arrival = NULL;
  g_autofree char *expected = NULL;

  test_fail_first (fixture);
  test_run (fixture, &command, "again",
            "[source file]\npath=dead-1.jsonl\nformat=dead-letters\n"
            "[transform ammp]\nmissing-vid=device\n"
            "[sink witness]\n"
            "[dead-letter file]\npath=dead-2.jsonl\n",
            NULL);
  g_assert_cmpint (command.status, ==, 0);
  first = test_read_lines (fixture, "dead-1.jsonl");
  arrival = test_get_arrival (fixture, first[0]);
  expected = g_strdup_printf ("replayed %s a/b {\"time\":\"2021-07-06T12:55:01+00:00\",\"data\":"
                              "{\"grid\":{\"P\":2},\"meter\":{\"Q\":3}}}",
                              arrival);
  lines = g_strsplit (command.output, "\n", -1);
  g_assert_cmpstr (lines[0], ==, expected);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_true (g_str_has_prefix (lines[1], "replayed "));
  g_assert_nonnull (strstr (lines[1], "\"Q149\":149}"));
  g_assert_cmpstr (lines[2], ==, "");
  second = test_read_lines (fixture, "dead-2.jsonl");
  g_assert_cmpuint (g_strv_length (second), ==, 4);
  test_expect_letter (fixture, second[0], "transform ammp", "invalid_json", TEST_BROKEN);
  test_expect_letter (fixture, second[1], "transform ammp", "invalid_json", NULL);
  test_expect_base64 (fixture, second[1]);
  test_expect_letter (fixture, second[2], "transform ammp", "bad_timestamp", TEST_MILLISECONDS);
  test_expect_letter (fixture, second[3], "source file", "truncated", NULL);
}

/* Letters of letters give back the message, not the letter; those that cannot be played again give
 * back the letter that says so. */
static void
test_plays_letters_of_letters (Fixture *fixture, gconstpointer data)
{
  static const char again[] = "[source file]\npath=%s\nformat=dead-letters\n"
                              "[transform ammp]\n"
                              "[sink witness]\n"
                              "[dead-letter file]\npath=%s\n";
  g_auto (GStrv) first = NULL;
  g_auto (GStrv) third = NULL;

  test_fail_first (fixture);
  for (guint i = 1; i <= 2; i++)
    {
      g_autofree char *from = g_strdup_printf ("dead-%u.jsonl", i);
      g_autofree char *to = g_strdup_printf ("dead-%u.jsonl", i + 1);
      g_autofree char *text = g_strdup_printf (again, from, to);
      g_auto (PenCommand) command = { 0 };

      test_run (fixture, &command, "again", text, NULL);
      g_assert_cmpint (command.status, ==, 0);
    }
  first = test_read_lines (fixture, "dead-1.jsonl");
  third = test_read_lines (fixture, "dead-3.jsonl");
  g_assert_cmpuint (g_strv_length (third), ==, g_strv_length (first));
  for (guint i = 0; first[i] != NULL; i++)
    {
      JsonObject *letter = test_read_letter (fixture, first[i]);
      g_autofree char *reason = g_strdup (json_object_get_string_member (letter, "reason"));
      g_autofree char *payload = NULL;

      if (json_object_has_member (letter, "truncated"))
        continue;
      if (json_object_has_member (letter, "payload"))
        payload = g_strdup (json_object_get_string_member (letter, "payload"));
      test_expect_letter (fixture, third[i], "transform ammp", reason, payload);
    }
}

/* Without a place for them, those that cannot be played again are told, counted, and a failure. */
static void
test_tells_what_it_cannot_play (Fixture *fixture, gconstpointer data)
{
  g_auto (PenCommand) command = { 0 };

  pen_test_write_file (fixture->folder, "dead.jsonl",
                       "{\"payload\":\"good\"}\n"
                       "{\"payload\":\"made of two\",\"replayable\":false}\n"
                       "{\"payload\":\"cut\",\"size\":99,\"truncated\":true}\n"
                       "{\"payload_base64\":\"Zm9v\"}\n"
                       "no letter\n"
                       "{\"payload_base64\":\"Zm9\"}\n");
  test_run (fixture, &command, "again",
            "[source file]\npath=dead.jsonl\nformat=dead-letters\n[sink stdout]\n", NULL);
  g_assert_cmpstr (command.output, ==, "good\nfoo\n");
  g_assert_cmpint (command.status, ==, 1);
  g_assert_nonnull (strstr (command.errors, "cannot be played again: the event was made from"));
  g_assert_nonnull (strstr (command.errors, "cannot be played again: the letter holds only"));
  g_assert_nonnull (strstr (command.errors,
                            "received 6, delivered 2, rejected 4 (bad_letter 2, not_replayable 1, "
                            "truncated 1)"));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add ("/dead-letters/" path, Fixture, NULL, test_set_up, test_##func, test_tear_down)
  ADD ("keeps-all", keeps_all);
  ADD ("plays-again", plays_again);
  ADD ("plays-letters-of-letters", plays_letters_of_letters);
  ADD ("tells-what-it-cannot-play", tells_what_it_cannot_play);
#undef ADD
  return g_test_run ();
}
