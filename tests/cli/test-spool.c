/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 'penstock spool' on spools that the test has written: what it lists and shows, that it leaves
 * alone what runs, and how it goes with a pipeline.
 */

#include "config.h"

#include "pen-spooled.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 30000

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
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *table = NULL;
  PenSpoolStore *other = NULL;

  pen_spooled_init (&fixture);
  other = pen_spooled_open (&fixture, "a-site", PEN_SPOOL_STORE_NONE);
  pen_spool_store_close (other, TRUE /* all_settled */);
  pen_spooled_run (&fixture, &command, "ls");
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
  pen_spooled_run (&fixture, &command, "ls --names");
  g_assert_cmpstr (command.output, ==, "a-site\nsite-7\n");
  pen_spooled_clear (&fixture);
}

static void
test_spool_lists_as_json (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  pen_spooled_init (&fixture);
  pen_spooled_run (&fixture, &command, "ls --format json --pipeline site-7");
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
  pen_spooled_clear (&fixture);
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
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  g_autofree char *told
      = g_strdup_printf ("nothing was changed: the pipeline 'site-7' is running (process %s ", pid);
  PenSpoolStore *store;

  pen_spooled_init (&fixture);
  store = pen_spooled_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  pen_spooled_run (&fixture, &command, "ls --pipeline site-7");
  g_assert_nonnull (strstr (command.output, pid));
  pen_spooled_run (&fixture, &command, "show --pipeline site-7");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_run (&fixture, &command, "check");
  g_assert_cmpint (command.status, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      pen_spooled_run (&fixture, &command, lines[i]);
      g_assert_cmpstr (command.output, ==, "");
      g_assert_nonnull (strstr (command.errors, told));
      g_assert_cmpint (command.status, ==, 1);
    }
  pen_spool_store_close (store, TRUE /* all_settled */);
  pen_spooled_assert_dump (&fixture, 7, "8:m8 9:m9 10:m10");
  pen_spooled_clear (&fixture);
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
  PenSpooled fixture;

  pen_spooled_init (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (PenCommand) command = { 0 };
      g_autofree char *line = g_strconcat ("show --pipeline site-7 ", table[i].options, NULL);
      g_autoptr (GString) payloads = g_string_new (NULL);
      g_auto (GStrv) pieces = NULL;

      g_strchomp (line);
      pen_spooled_run (&fixture, &command, line);
      pieces = g_strsplit (command.output, "\"payload\":\"", -1);
      for (guint j = 1; pieces[0] != NULL && pieces[j] != NULL; j++)
        g_string_append_printf (payloads, "%s%.*s", j > 1 ? " " : "",
                                (int) strcspn (pieces[j], "\""), pieces[j]);
      g_assert_cmpstr (payloads->str, ==, table[i].payloads != NULL ? table[i].payloads : "");
      g_assert_cmpstr (command.errors, ==, table[i].told);
      g_assert_cmpint (command.status, ==, table[i].payloads != NULL ? 0 : 2);
    }
  pen_spooled_clear (&fixture);
}

/* Everything that can be known of a message. */
static void
test_spool_shows_all_of_a_message (void)
{
  PenSpooled fixture = { .state = pen_test_make_folder () };
  PenSpoolStore *store = pen_spooled_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  PenSpoolRecord *record = pen_spooled_make_record ("t\"\xff", "\xfe", 1700000000250000);
  g_auto (PenCommand) command = { 0 };

  pen_event_set_flags (record->event, PEN_EVENT_RETAINED | PEN_EVENT_DUPLICATE);
  pen_event_set_content_type (record->event, "text/x");
  pen_event_add_user_property (record->event, "n", "1");
  pen_event_add_user_property (record->event, "n", "2");
  record->sink = g_strdup ("mysql");
  g_ptr_array_add (records, record);
  record = pen_spooled_make_record (NULL, "beginning", 0);
  pen_event_set_full_size (record->event, 5000000);
  g_ptr_array_add (records, record);
  pen_spooled_commit (store, records, NULL);
  pen_spool_store_close (store, FALSE /* all_settled */);
  pen_spooled_run (&fixture, &command, "show --pipeline site-7");
  g_assert_cmpstr (command.output, ==,
                   "{\"position\":1,\"time\":\"2023-11-14T22:13:20.250000+00:00\","
                   "\"source\":\"mqtt\",\"sink\":\"mysql\",\"topic\":\"t\\\"\357\277\275\","
                   "\"content_type\":\"text/x\",\"retained\":true,\"duplicate\":true,"
                   "\"user_properties\":[{\"name\":\"n\",\"value\":\"1\"},"
                   "{\"name\":\"n\",\"value\":\"2\"}],\"payload_base64\":\"/g==\"}\n"
                   "{\"position\":2,\"time\":\"1970-01-01T00:00:00.000000+00:00\","
                   "\"source\":\"mqtt\",\"payload\":\"beginning\",\"size\":5000000,"
                   "\"truncated\":true}\n");
  pen_spooled_clear (&fixture);
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
  PenSpooled fixture = { .state = pen_test_make_folder () };
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
  pen_spooled_run (&fixture, &command, "show --pipeline site-7 --all");
  g_assert_nonnull (strstr (command.output, "\"payload\":\"c\"}"));
  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --yes");
  g_assert_nonnull (strstr (command.errors, g_subprocess_get_identifier (process)));
  g_assert_cmpint (command.status, ==, 1);
  g_output_stream_close (g_subprocess_get_stdin_pipe (process), NULL, NULL);
  pen_command_await_exit (process);
  g_assert_true (g_subprocess_get_successful (process));

  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --sink second --yes");
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
  pen_spooled_clear (&fixture);
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
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };

  pen_spooled_init (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (GStrv) lines = NULL;

      pen_spooled_run (&fixture, &command, table[i].line);
      lines = g_strsplit (command.errors, "Try 'penstock", -1);
      g_assert_cmpstr (lines[0], ==, table[i].errors);
      g_assert_nonnull (lines[1]);
      g_assert_cmpint (command.status, ==, 2);
    }
  pen_spooled_run (&fixture, &command, "check --pipeline site-8");
  g_assert_cmpstr (command.errors, ==,
                   "penstock spool check: no spool of a pipeline 'site-8' is in 'STATE'; there is "
                   "site-7\n");
  g_assert_cmpint (command.status, ==, 1);
  pen_spooled_run (&fixture, &command, "show --pipeline ../site-7");
  g_assert_nonnull (strstr (command.errors, "no spool of a pipeline '../site-7'"));
  pen_spooled_clear (&fixture);
}

/* A run warns of what waits in a spool whose pipeline it does not run, and goes on. */
static void
test_spool_is_told_by_run (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *path = NULL;

  pen_spooled_init (&fixture);
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
  pen_spooled_clear (&fixture);
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
  g_test_add_func ("/spool/of-a-pipeline", test_spool_of_a_pipeline);
  g_test_add_func ("/spool/usage", test_spool_usage);
  g_test_add_func ("/spool/is-told-by-run", test_spool_is_told_by_run);
  return g_test_run ();
}
