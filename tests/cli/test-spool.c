/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 'penstock spool' on spools that the test has written: what it shows, finds, repeats, and throws
 * away, and that it leaves alone what it should.
 */

#include "config.h"

#include "pen-command.h"
#include "pen-spool-store.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY_US (86400 * (gint64) G_USEC_PER_SEC)
#define DEADLINE_MS 30000
#define N_MESSAGES 10
#define OTHER_USER 65534

typedef struct
{
  char *state;
  gint64 now_us;
} Fixture;

static PenSpoolRecord *
test_make_record (const char *topic, const char *payload, gint64 arrival_us)
{
  g_autoptr (GBytes) bytes = g_bytes_new (payload, strlen (payload));

  return pen_spool_record_new ("mqtt", pen_event_new (bytes, topic, arrival_us));
}

static PenSpoolStore *
test_open (const Fixture *fixture, const char *pipeline, PenSpoolStoreFlags flags)
{
  g_autoptr (GError) error = NULL;
  PenSpoolStore *store
      = pen_spool_store_open (fixture->state, pipeline, flags, NULL /* functions */, NULL, &error);

  g_assert_no_error (error);
  return store;
}

static void
test_commit (PenSpoolStore *store, GPtrArray *records, GPtrArray *cursors)
{
  g_autoptr (GError) error = NULL;

  pen_spool_store_commit (store, records, cursors, G_MININT64 /* keep all */, &error);
  g_assert_no_error (error);
}

static void
test_add_cursor (GPtrArray *cursors, const char *sink, guint64 delivered, guint64 until)
{
  g_ptr_array_add (cursors, pen_spool_cursor_new (sink, delivered, delivered + 1, until));
}

/* Ten messages, one a day, the last two days ago: "m1" to "m10", of topics a/1/u and a/2/u in
 * turn. The file sink has had all, mysql eight, and one that is gone waits for two. */
static void
test_fill (PenSpoolStore *store, gint64 now_us)
{
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  g_autoptr (GPtrArray) cursors
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_cursor_free);

  for (guint i = 1; i <= N_MESSAGES; i++)
    {
      g_autofree char *payload = g_strdup_printf ("m%u", i);

      /* so that an age looks the same for the next 50 minutes */
      g_ptr_array_add (
          records, test_make_record (i % 2 == 1 ? "a/1/u" : "a/2/u", payload,
                                     now_us - (12 - i) * DAY_US - DAY_US / 24 * 2 - DAY_US / 144));
    }
  test_add_cursor (cursors, "mysql", 8, 0);
  test_add_cursor (cursors, "file", 10, 0);
  test_add_cursor (cursors, "old", 3, 5);
  test_commit (store, records, NULL);
  test_commit (store, NULL, cursors);
}

static void
test_init (Fixture *fixture)
{
  PenSpoolStore *store;

  *fixture = (Fixture){ .state = pen_test_make_folder (), .now_us = g_get_real_time () };
  store = test_open (fixture, "site-7", PEN_SPOOL_STORE_NONE);
  test_fill (store, fixture->now_us);
  pen_spool_store_close (store, TRUE /* all_settled */);
}

static void
test_clear (Fixture *fixture)
{
  pen_test_remove_folder (fixture->state);
}

/* "penstock spool LINE --state-dir STATE", with STATE for the folder in what it says. */
static void
test_run (const Fixture *fixture, PenCommand *command, const char *line)
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
test_dump (const Fixture *fixture, guint64 after)
{
  PenSpoolStore *store = test_open (fixture, "site-7", PEN_SPOOL_STORE_READ_ONLY);
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

static void
test_assert_dump (const Fixture *fixture, guint64 after, const char *expected)
{
  g_autofree char *dump = test_dump (fixture, after);

  g_assert_cmpstr (dump, ==, expected);
}

/* All times are those of one moment. */
static char *
test_strip_times (const char *text)
{
  g_autoptr (GRegex) times
      = g_regex_new ("[0-9]{4}-[0-9-]{5}T[0-9:]{8}Z", 0, 0 /* match options */, NULL);

  return g_regex_replace_literal (times, text, -1, 0 /* start */, "2000-01-01T00:00:00Z",
                                  0 /* match options */, NULL);
}

static void
test_spool_lists (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *table = NULL;
  PenSpoolStore *other = NULL;

  test_init (&fixture);
  other = test_open (&fixture, "a-site", PEN_SPOOL_STORE_NONE);
  pen_spool_store_close (other, TRUE /* all_settled */);
  test_run (&fixture, &command, "ls");
  table = test_strip_times (command.output);
  g_assert_cmpstr (table, ==,
                   "PIPELINE  SINK        WAITING  BYTES  OLDEST                "
                   "        NEWEST                PROCESS\n"
                   "a-site    -                 0    0 B  -                     "
                   "        -                     -\n"
                   "site-7    mysql             2    5 B  3d 2h (2000-01-01T00:0"
                   "0:00Z)  2000-01-01T00:00:00Z  -\n"
                   "site-7    file              0    0 B  -                     "
                   "        -                     -\n"
                   "site-7    old (gone)        2    4 B  8d 2h (2000-01-01T00:0"
                   "0:00Z)  2000-01-01T00:00:00Z  -\n");
  g_assert_cmpint (command.status, ==, 0);
  test_run (&fixture, &command, "ls --names");
  g_assert_cmpstr (command.output, ==, "a-site\nsite-7\n");
  test_clear (&fixture);
}

static void
test_spool_lists_as_json (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  test_init (&fixture);
  test_run (&fixture, &command, "ls --format json --pipeline site-7");
  text = test_strip_times (command.output);
  node = json_from_string (text, &error);
  g_assert_no_error (error);
  g_free (text);
  json_object_remove_member (json_array_get_object_element (json_node_get_array (node), 0),
                             "file_bytes");
  text = json_to_string (node, FALSE);
  g_assert_cmpstr (text, ==,
                   "[{\"pipeline\":\"site-7\",\"file\":\"STATE/spool/site-7.db\",\"process\":null,"
                   "\"fault\":null,\"messages\":10,\"bytes\":21,\"sinks\":["
                   "{\"sink\":\"mysql\",\"gone\":false,\"waiting\":2,\"waiting_bytes\":5,"
                   "\"oldest\":\"2000-01-01T00:00:00Z\",\"newest\":\"2000-01-01T00:00:00Z\"},"
                   "{\"sink\":\"file\",\"gone\":false,\"waiting\":0,\"waiting_bytes\":0,"
                   "\"oldest\":null,\"newest\":null},"
                   "{\"sink\":\"old\",\"gone\":true,\"waiting\":2,\"waiting_bytes\":4,"
                   "\"oldest\":\"2000-01-01T00:00:00Z\",\"newest\":\"2000-01-01T00:00:00Z\"}],"
                   "\"damaged_files\":[]}]");
  test_clear (&fixture);
}

/* Looking goes on while a process has it; changing does not. The test is that process. */
static void
test_spool_leaves_running_ones_alone (void)
{
  static const char *const lines[] = {
    "replay --pipeline site-7 --yes",
    "drop --pipeline site-7 --yes",
    "drop --pipeline site-7 --sink mysql --yes",
    "drop --pipeline site-7 --topic # --yes",
  };
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  g_autofree char *told
      = g_strdup_printf ("nothing was changed: the pipeline 'site-7' is running (process %s ", pid);
  PenSpoolStore *store;

  test_init (&fixture);
  store = test_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  test_run (&fixture, &command, "ls --pipeline site-7");
  g_assert_nonnull (strstr (command.output, pid));
  test_run (&fixture, &command, "show --pipeline site-7");
  g_assert_cmpint (command.status, ==, 0);
  test_run (&fixture, &command, "check");
  g_assert_cmpint (command.status, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      test_run (&fixture, &command, lines[i]);
      g_assert_cmpstr (command.output, ==, "");
      g_assert_nonnull (strstr (command.errors, told));
      g_assert_cmpint (command.status, ==, 1);
    }
  pen_spool_store_close (store, TRUE /* all_settled */);
  test_assert_dump (&fixture, 7, "8:m8 9:m9 10:m10");
  test_clear (&fixture);
}

static void
test_spool_shows (void)
{
  static const struct
  {
    const char *options;
    const char *payloads; /* between quotes, in order */
    const char *told;
  } table[] = {
    { "", "m4 m5 m9 m10", "" },
    { "--sink mysql", "m9 m10", "" },
    { "--sink file", "",
      "Nothing that waits matches; --all looks through what is kept as well.\n" },
    { "--sink file --all --limit 2", "m1 m2", "There are more than 2; --limit 0 shows all.\n" },
    { "--sink file --all --limit 10", "m1 m2 m3 m4 m5 m6 m7 m8 m9 m10", "" },
    { "--all --limit 0 --topic a/2/+", "m2 m4 m6 m8 m10", "" },
    { "--all --from 4d", "m9 m10", "" },
    { "--all --to 10d", "m1 m2", "" },
    { "--all --from 11d --to 9d", "m2 m3", "" },
    { "--all --topic #/x", NULL,
      "penstock spool show: --topic: '#/x' is no topic filter: '#' stands alone, at the end; write "
      "a/b, a/+/c or a/#\nTry 'penstock spool show --help'.\n" },
    { "--from 2026-01-01", NULL,
      "penstock spool show: --from: '2026-01-01' is no time; write 2026-01-31T03:00:00Z, or how "
      "long ago it was, such as 30min, 2h or 7d\nTry 'penstock spool show --help'.\n" },
    { "--limit -1", NULL,
      "penstock spool show: --limit is a number of messages, or 0 for all\n"
      "Try 'penstock spool show --help'.\n" },
    { "--sink x", NULL,
      "penstock spool show: the spool of 'site-7' knows no sink 'x'; it knows mysql, file and "
      "old\n" },
    { "site-7", NULL,
      "penstock spool show: what is 'site-7'? A pipeline is named with --pipeline\n"
      "Try 'penstock spool show --help'.\n" },
  };
  Fixture fixture;

  test_init (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (PenCommand) command = { 0 };
      g_autofree char *line = g_strconcat ("show --pipeline site-7 ", table[i].options, NULL);
      g_autoptr (GString) payloads = g_string_new (NULL);
      g_auto (GStrv) pieces = NULL;

      g_strchomp (line);
      test_run (&fixture, &command, line);
      pieces = g_strsplit (command.output, "\"payload\":\"", -1);
      for (guint j = 1; pieces[0] != NULL && pieces[j] != NULL; j++)
        g_string_append_printf (payloads, "%s%.*s", j > 1 ? " " : "",
                                (int) strcspn (pieces[j], "\""), pieces[j]);
      g_assert_cmpstr (payloads->str, ==, table[i].payloads != NULL ? table[i].payloads : "");
      g_assert_cmpstr (command.errors, ==, table[i].told);
      g_assert_cmpint (command.status, ==, table[i].payloads != NULL ? 0 : 2);
    }
  test_clear (&fixture);
}

/* Everything that can be known of a message. */
static void
test_spool_shows_all_of_a_message (void)
{
  Fixture fixture = { .state = pen_test_make_folder () };
  PenSpoolStore *store = test_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  PenSpoolRecord *record = test_make_record ("t\"\xff", "\xfe", 1700000000250000);
  g_auto (PenCommand) command = { 0 };

  pen_event_set_flags (record->event, PEN_EVENT_RETAINED | PEN_EVENT_DUPLICATE);
  pen_event_set_content_type (record->event, "text/x");
  pen_event_add_user_property (record->event, "n", "1");
  pen_event_add_user_property (record->event, "n", "2");
  record->sink = g_strdup ("mysql");
  g_ptr_array_add (records, record);
  record = test_make_record (NULL, "beginning", 0);
  pen_event_set_full_size (record->event, 5000000);
  g_ptr_array_add (records, record);
  test_commit (store, records, NULL);
  pen_spool_store_close (store, FALSE /* all_settled */);
  test_run (&fixture, &command, "show --pipeline site-7");
  g_assert_cmpstr (command.output, ==,
                   "{\"position\":1,\"time\":\"2023-11-14T22:13:20.250000+00:00\","
                   "\"source\":\"mqtt\",\"sink\":\"mysql\",\"topic\":\"t\\\"\357\277\275\","
                   "\"content_type\":\"text/x\",\"retained\":true,\"duplicate\":true,"
                   "\"user_properties\":[{\"name\":\"n\",\"value\":\"1\"},"
                   "{\"name\":\"n\",\"value\":\"2\"}],\"payload_base64\":\"/g==\"}\n"
                   "{\"position\":2,\"time\":\"1970-01-01T00:00:00.000000+00:00\","
                   "\"source\":\"mqtt\",\"payload\":\"beginning\",\"size\":5000000,"
                   "\"truncated\":true}\n");
  test_clear (&fixture);
}

static void
test_spool_replays_to_a_sink (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  test_run (&fixture, &command,
            "replay --pipeline site-7 --sink mysql --topic a/1/u --from 6d --yes");
  g_assert_cmpstr (command.output, ==,
                   "1 message (2 B) will go to mysql again when the pipeline runs.\n");
  g_assert_cmpstr (command.errors, ==, "1 matching message still waits and will come anyway.\n");
  g_assert_cmpint (command.status, ==, 0);
  test_assert_dump (&fixture, 9, "10:m10 11mysql!:m7");
  /* what was copied is not copied again, and waits for the one sink */
  test_run (&fixture, &command,
            "replay --pipeline site-7 --sink mysql --topic a/1/u --from 6d --yes");
  g_assert_cmpstr (command.errors, ==,
                   "1 matching message still waits and will come anyway.\n"
                   "1 matching message of an earlier replay still waits and will come anyway.\n");
  test_assert_dump (&fixture, 9, "10:m10 11mysql!:m7 12mysql!:m7");
  test_run (&fixture, &command, "show --pipeline site-7 --sink file");
  g_assert_cmpstr (command.output, ==, "");
  test_run (&fixture, &command, "ls");
  g_assert_nonnull (strstr (command.output, "site-7    mysql             4    9 B"));
  g_assert_nonnull (strstr (command.output, "site-7    file              0    0 B"));
  test_clear (&fixture);
}

static void
test_spool_replays_to_each (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  test_run (&fixture, &command, "replay --pipeline site-7 --from 5d --yes");
  g_assert_cmpstr (command.output, ==,
                   "4 messages (9 B) will go to mysql and file again when the pipeline runs.\n");
  g_assert_cmpstr (command.errors, ==, "2 matching messages still wait and will come anyway.\n");
  test_assert_dump (&fixture, 10, "11mysql!:m8 12file!:m8 13file!:m9 14file!:m10");
  test_clear (&fixture);
}

static void
test_spool_replays_nothing (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  test_run (&fixture, &command, "replay --pipeline site-7 --topic x");
  g_assert_cmpstr (command.errors, ==,
                   "Nothing that sinks have had matches. What was delivered is kept only if the "
                   "keyfile says so, with spool-keep=7d in [pipeline].\n");
  g_assert_cmpint (command.status, ==, 0);
  test_run (&fixture, &command, "replay --pipeline site-7 --sink old --yes");
  g_assert_cmpstr (command.errors, ==,
                   "penstock spool replay: nothing was changed: the sink is gone from the "
                   "keyfile\n");
  g_assert_cmpint (command.status, ==, 1);
  test_run (&fixture, &command, "replay --pipeline site-7 --sink mysql");
  g_assert_cmpstr (command.errors, ==,
                   "2 matching messages still wait and will come anyway.\n"
                   "Replay 8 messages (16 B) of pipeline site-7 to mysql?\n"
                   "penstock spool replay: nothing was changed: there is no terminal to ask at; "
                   "--yes does it without asking\nTry 'penstock spool replay --help'.\n");
  g_assert_cmpint (command.status, ==, 2);
  test_assert_dump (&fixture, 10, "");
  test_clear (&fixture);
}

static void
test_spool_drops_a_sink (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  test_run (&fixture, &command, "drop --pipeline site-7 --sink old --yes");
  g_assert_cmpstr (command.output, ==,
                   "2 messages (4 B) dropped for sink old of pipeline site-7. What no other sink "
                   "waits for goes from the disk when the pipeline runs.\n");
  g_assert_cmpint (command.status, ==, 0);
  test_run (&fixture, &command, "show --pipeline site-7 --sink old");
  g_assert_cmpstr (command.errors, ==,
                   "penstock spool show: the spool of 'site-7' knows no sink 'old'; it knows mysql "
                   "and file\n");
  test_run (&fixture, &command, "drop --pipeline site-7 --sink mysql");
  g_assert_true (g_str_has_prefix (command.errors, "Drop 2 messages (5 B) that wait for sink mysql "
                                                   "of pipeline site-7?\n"));
  g_assert_cmpint (command.status, ==, 2);
  test_run (&fixture, &command, "drop --pipeline site-7 --sink mysql --topic a/# --yes");
  g_assert_nonnull (strstr (command.errors, "a message cannot be dropped for one sink alone: "));
  g_assert_cmpint (command.status, ==, 2);
  test_run (&fixture, &command, "show --pipeline site-7 --sink mysql");
  g_assert_nonnull (strstr (command.output, "m10"));
  test_clear (&fixture);
}

static void
test_spool_drops_messages (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  test_run (&fixture, &command, "drop --pipeline site-7 --topic a/1/u --to 4d");
  g_assert_true (g_str_has_prefix (command.errors, "Drop 4 messages (8 B) from the spool of "
                                                   "pipeline site-7, for all of its sinks?\n"));
  test_run (&fixture, &command, "drop --pipeline site-7 --topic a/1/u --to 4d --yes");
  g_assert_cmpstr (command.output, ==,
                   "4 messages (8 B) dropped from the spool of pipeline site-7.\n");
  g_assert_cmpint (command.status, ==, 0);
  test_assert_dump (&fixture, 0, "2:m2 4:m4 6:m6 8:m8 9:m9 10:m10");
  test_run (&fixture, &command, "drop --pipeline site-7 --topic a/1/u --to 4d --yes");
  g_assert_cmpstr (command.errors, ==, "Nothing in the spool matches.\n");
  test_run (&fixture, &command, "check");
  g_assert_true (g_str_has_prefix (command.output, "site-7: 6 messages in "));
  g_assert_cmpint (command.status, ==, 0);
  test_clear (&fixture);
}

/* How often @text is in a file. */
static guint
test_count_text (const char *path, const char *text)
{
  gsize length = 0;
  g_autofree char *bytes = pen_test_read_file (path, &length);
  const char *end = bytes + length;
  guint n = 0;

  for (const char *p = memmem (bytes, length, text, strlen (text)); p != NULL;
       p = memmem (p + 1, (gsize) (end - p - 1), text, strlen (text)))
    n++;
  return n;
}

/* What is dropped is nowhere in the file either, where a salvage would look for it. */
static void
test_spool_drops_for_good (void)
{
  static const char payload[] = "a text that is found again only if it is still there";
  Fixture fixture = { .state = pen_test_make_folder () };
  PenSpoolStore *store = test_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  g_autofree char *path = g_strdup (pen_spool_store_get_path (store));
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  g_auto (PenCommand) command = { 0 };

  for (guint i = 0; i < 2000; i++)
    g_ptr_array_add (
        records, test_make_record (i % 2 == 0 ? "keep" : "drop", i % 2 == 0 ? "kept" : payload, 0));
  test_commit (store, records, NULL);
  pen_spool_store_close (store, FALSE /* all_settled */);
  g_assert_cmpuint (test_count_text (path, payload), >=, 1000);
  test_run (&fixture, &command, "drop --pipeline site-7 --topic drop --yes");
  g_assert_cmpint (command.status, ==, 0);
  g_assert_cmpuint (test_count_text (path, payload), ==, 0);
  g_assert_cmpuint (test_count_text (path, "kept"), >=, 1000);
  test_run (&fixture, &command, "check");
  g_assert_true (g_str_has_prefix (command.output, "site-7: 1,000 messages in "));
  g_assert_cmpint (command.status, ==, 0);
  store = test_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  pen_spool_store_close (store, FALSE /* all_settled */);
  test_clear (&fixture);
}

static void
test_spool_drops_all (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *folder = NULL;
  g_autoptr (GDir) dir = NULL;

  test_init (&fixture);
  folder = g_build_filename (fixture.state, "spool", NULL);
  pen_test_write_file (folder, "site-7.db.damaged-1", "x");
  test_run (&fixture, &command, "drop --pipeline site-7");
  g_assert_true (g_str_has_prefix (
      command.errors, "Drop the spool of pipeline site-7 with 10 messages (21 B), of which 2 for "
                      "sink mysql and 2 for sink old still wait; and also "
                      "'STATE/spool/site-7.db.damaged-1'?\n"));
  g_assert_cmpint (command.status, ==, 2);
  test_run (&fixture, &command, "drop --pipeline site-7 --yes");
  g_assert_cmpstr (command.output, ==, "The spool of pipeline site-7 is gone.\n");
  g_assert_cmpint (command.status, ==, 0);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, NULL);
  test_run (&fixture, &command, "ls");
  g_assert_cmpstr (command.output, ==, "");
  g_assert_cmpstr (command.errors, ==,
                   "No spools are in 'STATE'. (That of a service is mostly --state-dir "
                   "/var/lib/penstock.)\n");
  g_assert_cmpint (command.status, ==, 0);
  test_clear (&fixture);
}

/* Also one that is no database at all. */
static void
test_spool_drops_what_it_cannot_read (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *folder = NULL;

  test_init (&fixture);
  folder = g_build_filename (fixture.state, "spool", NULL);
  pen_test_write_file (folder, "x.db", "certainly no database");
  test_run (&fixture, &command, "ls");
  g_assert_nonnull (strstr (command.output, "site-7    mysql"));
  g_assert_nonnull (strstr (command.errors, "STATE/spool/x.db"));
  g_assert_cmpint (command.status, ==, 1);
  test_run (&fixture, &command, "drop --pipeline x");
  g_assert_true (g_str_has_prefix (command.errors, "Drop the spool of pipeline x with messages "
                                                   "that nobody can count, because it cannot be "
                                                   "read?\n"));
  test_run (&fixture, &command, "drop --pipeline x --yes");
  g_assert_cmpint (command.status, ==, 0);
  test_run (&fixture, &command, "ls --names");
  g_assert_cmpstr (command.output, ==, "site-7\n");
  test_clear (&fixture);
}

/* What root changes can still be opened by the service's user. */
static void
test_spool_leaves_files_to_their_owner (void)
{
  static const char *const names[] = { "site-7.lock", "new.db", "new.lock" };
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *folder = NULL;
  g_autofree char *lock = NULL;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give files away");
      return;
    }
  test_init (&fixture);
  folder = g_build_filename (fixture.state, "spool", NULL);
  lock = g_build_filename (folder, "site-7.lock", NULL);
  g_assert_cmpint (g_unlink (lock), ==, 0);
  g_assert_cmpint (chown (folder, OTHER_USER, OTHER_USER), ==, 0);
  test_run (&fixture, &command, "replay --pipeline site-7 --yes");
  g_assert_cmpint (command.status, ==, 0);
  pen_spool_store_close (test_open (&fixture, "new", PEN_SPOOL_STORE_NONE), TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      struct stat status;

      g_assert_cmpint (g_stat (path, &status), ==, 0);
      g_assert_cmpuint (status.st_uid, ==, OTHER_USER);
    }
  test_clear (&fixture);
}

/* At a terminal: what is asked, with @answer, and how it ends. */
static char *
test_ask (const Fixture *fixture, const char *answer, int *status)
{
  const char *line[] = {
    pen_command_get_path (), "spool",        "drop", "--pipeline", "site-7", "--sink", "mysql",
    "--state-dir",           fixture->state, NULL
  };
  GString *text = g_string_new (NULL);
  char buffer[512];
  gssize length;
  int terminal = -1;
  pid_t pid = forkpty (&terminal, NULL, NULL, NULL);

  if (pid == 0)
    {
      execv (line[0], (char *const *) line);
      _exit (127);
    }
  g_assert_cmpint (pid, >, 0);
  while ((length = read (terminal, buffer, sizeof buffer)) > 0)
    {
      gboolean was_asked = strstr (text->str, "[y/N] ") != NULL;

      g_string_append_len (text, buffer, length);
      if (!was_asked && strstr (text->str, "[y/N] ") != NULL)
        g_assert_cmpint (write (terminal, answer, strlen (answer)), ==, (gssize) strlen (answer));
    }
  g_assert_cmpint (waitpid (pid, status, 0), ==, pid);
  close (terminal);
  return g_string_free (text, FALSE);
}

static void
test_spool_asks (void)
{
  static const struct
  {
    const char *answer;
    gboolean is_yes;
  } table[] = {
    { "n\n", FALSE }, { "\n", FALSE }, { "\004", FALSE }, { "yesterday\n", FALSE }, { "Y\n", TRUE },
  };
  Fixture fixture;

  test_init (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      int status = -1;
      g_autofree char *text = test_ask (&fixture, table[i].answer, &status);

      g_assert_nonnull (strstr (text, "Drop 2 messages (5 B) that wait for sink mysql of pipeline "
                                      "site-7? [y/N] "));
      g_assert_true ((strstr (text, "Nothing was changed.") == NULL) == table[i].is_yes);
      g_assert_true ((strstr (text, "2 messages (5 B) dropped") != NULL) == table[i].is_yes);
      g_assert_cmpint (status, ==, 0);
    }
  test_clear (&fixture);
}

/* Whether a run ended in order or in a crash is what the next run goes by, whoever changed the spool
 * in between. */
static void
test_spool_remembers_how_it_was_closed (void)
{
  static const char *const lines[] = {
    "replay --pipeline site-7 --yes",
    "drop --pipeline site-7 --topic a/1/# --yes",
    "drop --pipeline site-7 --sink old --yes",
    "check --repair",
  };
  Fixture fixture;

  test_init (&fixture);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (lines); i++)
    {
      gboolean was_closed = i % 2 == 0;
      g_auto (PenCommand) command = { 0 };
      PenSpoolStore *store = test_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
      PenSpoolStatus status;

      pen_spool_store_close (store, was_closed);
      test_run (&fixture, &command, lines[i / 2]);
      store = test_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
      pen_spool_store_get_status (store, &status);
      g_assert_true (status.was_closed == was_closed);
      pen_spool_store_close (store, TRUE /* all_settled */);
    }
  test_clear (&fixture);
}

static char *
test_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return pen_test_read_file (path, NULL);
}

typedef struct
{
  const char *folder;
  const char *name;
  const char *text;
} TestText;

static gboolean
test_has_text (gpointer user_data)
{
  const TestText *wanted = user_data;
  g_autofree char *path = g_build_filename (wanted->folder, wanted->name, NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && g_str_equal (text, wanted->text);
}

static void
test_await_text (const char *folder, const char *name, const char *text)
{
  TestText wanted = { folder, name, text };

  g_assert_true (pen_test_wait (test_has_text, &wanted, DEADLINE_MS));
}

/* With a pipeline that runs: what it has delivered is there, nothing can be changed meanwhile, and
 * a replay goes to the one sink, once. */
static void
test_spool_of_a_pipeline (void)
{
  Fixture fixture = { .state = pen_test_make_folder () };
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "site-7.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  pen_test_write_file (folder, "site-7.pipeline",
                       "[pipeline]\nspool=true\nspool-keep=1d\n[source file]\npath=-\n"
                       "[sink file first]\npath=first\n[sink file second]\npath=second\n");
  process = pen_command_spawn (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                               "run", "--state-dir", fixture.state, path, NULL);
  g_output_stream_write_all (g_subprocess_get_stdin_pipe (process), "a\nb\nc\n", 6, NULL, NULL,
                             NULL);
  test_await_text (folder, "first", "a\nb\nc\n");
  test_await_text (folder, "second", "a\nb\nc\n");
  test_run (&fixture, &command, "show --pipeline site-7 --all");
  g_assert_nonnull (strstr (command.output, "\"payload\":\"c\"}"));
  test_run (&fixture, &command, "replay --pipeline site-7 --yes");
  g_assert_nonnull (strstr (command.errors, g_subprocess_get_identifier (process)));
  g_assert_cmpint (command.status, ==, 1);
  g_output_stream_close (g_subprocess_get_stdin_pipe (process), NULL, NULL);
  pen_command_await_exit (process);
  g_assert_true (g_subprocess_get_successful (process));

  test_run (&fixture, &command, "replay --pipeline site-7 --sink second --yes");
  g_assert_cmpstr (command.output, ==,
                   "3 messages (3 B) will go to second again when the pipeline runs.\n");
  for (guint i = 0; i < 2; i++) /* the second time there is nothing left to send */
    {
      pen_command_clear (&command);
      pen_command_run (&command, "", "run", "--state-dir", fixture.state, path, NULL);
      g_assert_cmpint (command.status, ==, 0);
    }
  first = test_read (folder, "first");
  second = test_read (folder, "second");
  g_assert_cmpstr (first, ==, "a\nb\nc\n");
  g_assert_cmpstr (second, ==, "a\nb\nc\na\nb\nc\n");
  pen_test_remove_folder (folder);
  test_clear (&fixture);
}

static void
test_spool_usage (void)
{
  static const struct
  {
    const char *line;
    const char *errors;
  } table[] = {
    { "shw", "penstock spool: unknown command 'shw'; did you mean 'show'?\n" },
    { "--state-dir",
      "penstock spool: first comes ls, show, check, replay or drop, then its options such as "
      "'--state-dir'\n" },
    { "ls --sink x", "penstock spool ls: unknown option '--sink'\n" },
    { "ls --format xml", "penstock spool ls: --format is one of text, json, not 'xml'\n" },
    { "drop --pipelin x",
      "penstock spool drop: unknown option '--pipelin'; did you mean '--pipeline'?\n" },
    { "show", "penstock spool show: name a pipeline with --pipeline; there is site-7\n" },
  };
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (GStrv) lines = NULL;

      test_run (&fixture, &command, table[i].line);
      lines = g_strsplit (command.errors, "Try 'penstock", -1);
      g_assert_cmpstr (lines[0], ==, table[i].errors);
      g_assert_nonnull (lines[1]);
      g_assert_cmpint (command.status, ==, 2);
    }
  test_run (&fixture, &command, "check --pipeline site-8");
  g_assert_cmpstr (command.errors, ==,
                   "penstock spool check: no spool of a pipeline 'site-8' is in 'STATE'; there is "
                   "site-7\n");
  g_assert_cmpint (command.status, ==, 1);
  test_run (&fixture, &command, "show --pipeline ../site-7");
  g_assert_nonnull (strstr (command.errors, "no spool of a pipeline '../site-7'"));
  test_clear (&fixture);
}

/* A run warns of what waits in a spool whose pipeline it does not run, and goes on. */
static void
test_spool_is_told_by_run (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *path = NULL;

  test_init (&fixture);
  pen_test_write_file (fixture.state, "lines.txt", "one\n");
  pen_test_write_file (fixture.state, "other.pipeline",
                       "[pipeline]\nspool=true\n[source file]\npath=lines.txt\n[sink stdout]\n");
  path = g_build_filename (fixture.state, "other.pipeline", NULL);
  for (guint i = 0; i < 2; i++)
    {
      pen_command_clear (&command);
      pen_command_run (&command, "", "run", "--state-dir", fixture.state, path, NULL);
      g_test_message ("%s", command.errors);
      g_assert_cmpint (command.status, ==, 0);
      g_assert_cmpstr (command.output, ==, "one\n");
      g_assert_nonnull (strstr (command.errors,
                                "the spool of pipeline 'site-7', which is not among those that run "
                                "with a spool, keeps 2 messages: put its keyfile back"));
      g_assert_null (strstr (command.errors, "the spool of pipeline 'other'"));
    }
  test_clear (&fixture);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/spool/lists", test_spool_lists);
  g_test_add_func ("/spool/lists-as-json", test_spool_lists_as_json);
  g_test_add_func ("/spool/leaves-running-ones-alone", test_spool_leaves_running_ones_alone);
  g_test_add_func ("/spool/shows", test_spool_shows);
  g_test_add_func ("/spool/shows-all-of-a-message", test_spool_shows_all_of_a_message);
  g_test_add_func ("/spool/replays-to-a-sink", test_spool_replays_to_a_sink);
  g_test_add_func ("/spool/replays-to-each", test_spool_replays_to_each);
  g_test_add_func ("/spool/replays-nothing", test_spool_replays_nothing);
  g_test_add_func ("/spool/drops-a-sink", test_spool_drops_a_sink);
  g_test_add_func ("/spool/drops-messages", test_spool_drops_messages);
  g_test_add_func ("/spool/drops-for-good", test_spool_drops_for_good);
  g_test_add_func ("/spool/drops-all", test_spool_drops_all);
  g_test_add_func ("/spool/drops-what-it-cannot-read", test_spool_drops_what_it_cannot_read);
  g_test_add_func ("/spool/leaves-files-to-their-owner", test_spool_leaves_files_to_their_owner);
  g_test_add_func ("/spool/remembers-how-it-was-closed", test_spool_remembers_how_it_was_closed);
  g_test_add_func ("/spool/asks", test_spool_asks);
  g_test_add_func ("/spool/of-a-pipeline", test_spool_of_a_pipeline);
  g_test_add_func ("/spool/is-told-by-run", test_spool_is_told_by_run);
  g_test_add_func ("/spool/usage", test_spool_usage);
  return g_test_run ();
}
