/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What 'penstock plan' says that a reload would do, and whether the reload then does just that.
 */

#include "config.h"

#include "pen-command.h"
#include "pen-engine.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define DEADLINE_MS 30000
#define FOLLOW "[source file]\npath=in.txt\nfollow=true\n[sink stdout]\n"

typedef struct
{
  char *folder; /* of the keyfiles */
  char *state;
  GSubprocess *process;
  PenLineReader *errors;
} Fixture;

/* The records in the state folder. */
static guint
test_count_records (const char *state)
{
  g_autofree char *folder = g_build_filename (state, "run", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, ".json") ? 1 : 0;
  return n;
}

static gboolean
test_has_one_record (gpointer user_data)
{
  return test_count_records (user_data) == 1;
}

static void
test_init (Fixture *fixture)
{
  *fixture = (Fixture){ .folder = pen_test_make_folder (), .state = pen_test_make_folder () };
  pen_test_write_file (fixture->folder, "in.txt", "x\n");
}

static void
test_start (Fixture *fixture, const char *option)
{
  fixture->process
      = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                           "run", "--state-dir", fixture->state, fixture->folder, option, NULL);
  fixture->errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (fixture->process));
  pen_line_reader_await (fixture->errors, ": running ");
  g_assert_true (pen_test_wait (test_has_one_record, fixture->state, DEADLINE_MS));
}

static void
test_end (Fixture *fixture)
{
  g_subprocess_send_signal (fixture->process, SIGTERM);
  pen_command_await_exit (fixture->process);
  g_assert_cmpuint (test_count_records (fixture->state), ==, 0);
  pen_line_reader_free (fixture->errors);
  g_object_unref (fixture->process);
}

static void
test_clear (Fixture *fixture)
{
  pen_test_remove_folder (fixture->folder);
  pen_test_remove_folder (fixture->state);
}

/* What it says without its first line, which has time and process, and with @ for the folder. */
static char *
test_plan (const Fixture *fixture, int status)
{
  g_auto (PenCommand) command = { 0 };
  g_autoptr (GString) text = NULL;
  const char *rest;

  pen_command_run (&command, NULL, "plan", "--state-dir", fixture->state, fixture->folder, NULL);
  g_assert_cmpint (command.status, ==, status);
  rest = strchr (command.output, '\n');
  g_assert_nonnull (rest);
  text = g_string_new (rest + 1);
  g_string_replace (text, fixture->folder, "@", 0 /* all */);
  g_string_replace (text, g_subprocess_get_identifier (fixture->process), "PID", 0 /* all */);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* What a reload stops drains first, and is a pipeline until then. */
static gboolean
test_has_gone (gpointer user_data)
{
  const Fixture *fixture = user_data;
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, NULL, "plan", "--format=json", "--state-dir", fixture->state,
                   fixture->folder, NULL);
  return strstr (command.output, "\"gone\"") == NULL;
}

static void
test_plan_agrees_with_reload (void)
{
  Fixture fixture;
  g_autofree char *gone = NULL;
  g_autofree char *plan = NULL;
  g_autofree char *after = NULL;

  test_init (&fixture);
  gone = g_build_filename (fixture.folder, "gone.pipeline", NULL);
  pen_test_write_file (fixture.folder, "changed.pipeline", FOLLOW);
  pen_test_write_file (fixture.folder, "faulty.pipeline", FOLLOW);
  pen_test_write_file (fixture.folder, "gone.pipeline", FOLLOW);
  pen_test_write_file (fixture.folder, "same.pipeline", FOLLOW);
  test_start (&fixture, NULL);

  pen_test_write_file (fixture.folder, "changed.pipeline", FOLLOW "format=raw\n");
  pen_test_write_file (fixture.folder, "faulty.pipeline", "[source file]\nrath=x\n");
  pen_test_write_file (fixture.folder, "new.pipeline", FOLLOW);
  pen_test_write_file (fixture.folder, "same.pipeline", "# says the same\n\n" FOLLOW);
  g_assert_cmpint (g_unlink (gone), ==, 0);
  plan = test_plan (&fixture, 1);
  g_assert_cmpstr (plan, ==,
                   "A reload would\n"
                   "  replace  changed  [sink stdout] new format\n"
                   "  keep     faulty   @/faulty.pipeline is faulty\n"
                   "  stop     gone     @/gone.pipeline\n"
                   "  start    new      @/new.pipeline\n"
                   "and leave 1 as it is. To do so: kill -HUP PID\n");

  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (
      fixture.errors,
      "reloaded: 1 unchanged, 1 replaced, 1 started, 1 stopped, 1 kept as they were");
  pen_test_write_file (fixture.folder, "faulty.pipeline", FOLLOW);
  g_assert_true (pen_test_wait (test_has_gone, &fixture, DEADLINE_MS));
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "reloaded: 4 unchanged");
  after = test_plan (&fixture, 0);
  g_assert_cmpstr (after, ==, "A reload would change nothing.\n");
  test_end (&fixture);
  test_clear (&fixture);
}

/* Pairs of definitions, and what is said about their difference. */
static void
test_plan_tells_differences (void)
{
  static const struct
  {
    const char *before;
    const char *after;
    const char *difference;
  } table[] = {
    { "[source file]\npath=a\nfollow=true\n[sink stdout]\n",
      "[source file]\npath=b\nfollow=true\n[sink stdout]\n", "[source file] path" },
    { "[source file]\npath=a\nfollow=true\n[sink stdout]\n",
      "[source file]\nfollow=true\npath=a\n[sink stdout]\n", "the order of groups or keys" },
    { "[source file]\npath=a\nfollow=true\n[sink stdout]\n",
      "[pipeline]\ndrain-timeout=7s\n[source file]\npath=a\nfollow=true\n[transform ammp]\n"
      "[sink stdout]\n[sink file]\npath=out\n",
      "[pipeline] drain-timeout; [sink stdout] from; new [transform ammp]; new [sink file]" },
    { "[source file]\npath=a\nfollow=true\n[sink stdout]\nformat=raw\nlinger=1s\n"
      "[sink file]\npath=out\n",
      "[source file x]\npath=a\nfollow=true\n[sink stdout]\n",
      "[sink stdout] from; new [source file x]; without [source file]; [sink stdout] without "
      "format, without linger; without [sink file]" },
  };
  Fixture fixture;
  g_autoptr (GString) expected = g_string_new ("A reload would\n");
  g_autofree char *plan = NULL;

  test_init (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autofree char *name = g_strdup_printf ("p%u.pipeline", i);

      pen_test_write_file (fixture.folder, name, table[i].before);
    }
  test_start (&fixture, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autofree char *name = g_strdup_printf ("p%u.pipeline", i);

      pen_test_write_file (fixture.folder, name, table[i].after);
      g_string_append_printf (expected, "  replace  p%u  %s\n", i, table[i].difference);
    }
  g_string_append (expected, "and leave 0 as they are. To do so: kill -HUP PID\n");
  plan = test_plan (&fixture, 0);
  g_assert_cmpstr (plan, ==, expected->str);
  test_end (&fixture);
  test_clear (&fixture);
}

static void
test_plan_obeys_strict (void)
{
  Fixture fixture;
  g_autofree char *plan = NULL;

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline", FOLLOW);
  test_start (&fixture, "--strict");
  pen_test_write_file (fixture.folder, "two.pipeline", "[source file]\n");
  pen_test_write_file (fixture.folder, "three.pipeline", FOLLOW);
  plan = test_plan (&fixture, 1);
  g_assert_cmpstr (plan, ==,
                   "A reload would change nothing: 1 of 3 pipelines are faulty, and the process "
                   "runs with --strict.\n");
  test_end (&fixture);
  test_clear (&fixture);
}

/* A variable of the service's; and nothing of it in the record. */
static void
test_plan_takes_variables_of_the_process (void)
{
  Fixture fixture;
  g_autofree char *plan = NULL;
  g_autofree char *command = NULL;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline",
                       "[pipeline]\ndescription=${env:PEN_TEST_WORD}\n" FOLLOW);
  g_setenv ("PEN_TEST_WORD", "sesame-open", TRUE /* overwrite */);
  test_start (&fixture, NULL);
  g_unsetenv ("PEN_TEST_WORD");
  plan = test_plan (&fixture, 0);
  g_assert_cmpstr (plan, ==, "A reload would change nothing.\n");
  command = g_strdup_printf ("grep -r sesame '%s'", fixture.state);
  g_spawn_command_line_sync (command, &found, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, "");
  test_end (&fixture);
  test_clear (&fixture);
}

static gboolean
test_has_ended (gpointer user_data)
{
  const Fixture *fixture = user_data;
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, NULL, "plan", "--format=json", "--state-dir", fixture->state,
                   fixture->folder, NULL);
  g_assert_cmpint (command.status, ==, 0);
  return strstr (command.output, "\"state\" : \"ended\"") != NULL;
}

/* A pipeline whose source has ended is left alone, like in a reload; in JSON it is told. */
static void
test_plan_sees_what_has_ended (void)
{
  Fixture fixture;
  g_autofree char *plan = NULL;

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline", FOLLOW);
  pen_test_write_file (fixture.folder, "two.pipeline", "[source file]\npath=in.txt\n[sink stdout]");
  test_start (&fixture, NULL);
  g_assert_true (pen_test_wait (test_has_ended, &fixture, DEADLINE_MS));
  plan = test_plan (&fixture, 0);
  g_assert_cmpstr (plan, ==, "A reload would change nothing.\n");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "reloaded: 2 unchanged");
  test_end (&fixture);
  test_clear (&fixture);
}

/* What is gone and has ended, or still drains, is not counted. */
static void
test_plan_leaves_out_what_is_gone (void)
{
  static const char *const none[] = { NULL };
  static const char *const faulty[] = { "x.pipeline", NULL };
  Fixture fixture;
  g_autofree char *path = NULL;
  g_autofree char *plan = NULL;

  g_assert_cmpint (pen_engine_decide ("x.pipeline", PEN_ENGINE_STOPPING, FALSE, FALSE, none), ==,
                   PEN_ENGINE_GONE);
  g_assert_cmpint (pen_engine_decide ("x.pipeline", PEN_ENGINE_STOPPING, FALSE, FALSE, faulty), ==,
                   PEN_ENGINE_GONE);
  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline", FOLLOW);
  pen_test_write_file (fixture.folder, "two.pipeline", "[source file]\npath=in.txt\n[sink stdout]");
  test_start (&fixture, NULL);
  g_assert_true (pen_test_wait (test_has_ended, &fixture, DEADLINE_MS));
  path = g_build_filename (fixture.folder, "two.pipeline", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  pen_test_write_file (fixture.folder, "three.pipeline", FOLLOW);
  plan = test_plan (&fixture, 0);
  g_assert_cmpstr (plan, ==,
                   "A reload would\n  start    three  @/three.pipeline\n"
                   "and leave 1 as it is. To do so: kill -HUP PID\n");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "reloaded: 1 unchanged, 0 replaced, 1 started, 0 stopped");
  test_end (&fixture);
  test_clear (&fixture);
}

/* The rows of one keyfile are pipelines like any other. */
static void
test_plan_goes_row_by_row (void)
{
  static const char follow[] = "[source file]\npath=${in}\nfollow=true\n[sink stdout]\n";
  Fixture fixture;
  g_autofree char *before = g_strconcat ("[pipeline]\nspool=true\n[sites]\ncolumns=in\na=in.txt\n"
                                         "b=in.txt\nc=in.txt\n",
                                         follow, NULL);
  g_autofree char *after = g_strconcat ("[pipeline]\nspool=true\n[sites]\ncolumns=in\nd=in.txt\n"
                                        "c=in.txt\na=other.txt\n",
                                        follow, NULL);
  g_autofree char *plan = NULL;
  g_auto (PenCommand) spools = { 0 };

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "other.txt", "y\n");
  pen_test_write_file (fixture.folder, "fleet.pipeline", before);
  test_start (&fixture, NULL);
  pen_test_write_file (fixture.folder, "fleet.pipeline", after);
  plan = test_plan (&fixture, 0);
  g_assert_cmpstr (plan, ==,
                   "A reload would\n"
                   "  replace  fleet-a  [source file] path\n"
                   "  stop     fleet-b  @/fleet.pipeline\n"
                   "  start    fleet-d  @/fleet.pipeline\n"
                   "and leave 1 as it is. To do so: kill -HUP PID\n");
  g_subprocess_send_signal (fixture.process, SIGHUP);
  pen_line_reader_await (fixture.errors, "info: fleet-a: has changed: draining, then starting");
  pen_line_reader_await (fixture.errors, "info: fleet-b: is gone: draining");
  pen_line_reader_await (fixture.errors, "info: fleet-d: is new: starting");
  pen_line_reader_await (fixture.errors, "reloaded: 1 unchanged, 1 replaced, 1 started, 1 stopped");
  test_end (&fixture);
  pen_command_run (&spools, NULL, "spool", "ls", "--state-dir", fixture.state, NULL);
  for (const char *site = "abcd"; *site != '\0'; site++)
    {
      g_autofree char *name = g_strdup_printf ("fleet-%c ", *site);

      g_assert_nonnull (strstr (spools.output, name));
    }
  test_clear (&fixture);
}

static void
test_run_plan (const Fixture *fixture, PenCommand *command, const char *option, const char *path)
{
  GString *text;

  pen_command_run (command, NULL, "plan", "--state-dir", fixture->state, path, option, NULL);
  text = g_string_new (command->output);
  g_string_replace (text, fixture->folder, "@", 0 /* all */);
  g_string_replace (text, fixture->state, "STATE", 0 /* all */);
  if (fixture->process != NULL)
    g_string_replace (text, g_subprocess_get_identifier (fixture->process), "PID", 0 /* all */);
  g_free (command->output);
  command->output = g_string_free (text, FALSE);
}

static void
test_plan_without_process (void)
{
  Fixture fixture;
  g_autofree char *path = NULL;
  g_auto (PenCommand) none = { 0 };
  g_auto (PenCommand) other = { 0 };
  g_auto (PenCommand) wrong = { 0 };

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline", FOLLOW);
  path = g_build_filename (fixture.folder, "one.pipeline", NULL);
  test_run_plan (&fixture, &none, NULL, path);
  g_assert_cmpstr (none.output, ==,
                   "No process runs these files with the state folder 'STATE'.\n"
                   "(If one does, it has another state folder; that of a service is mostly "
                   "--state-dir /var/lib/penstock.)\n"
                   "A start would\n"
                   "  start    one  @/one.pipeline\n");
  g_assert_cmpint (none.status, ==, 0);
  test_start (&fixture, NULL);
  test_run_plan (&fixture, &other, NULL, path);
  g_assert_cmpstr (other.output, ==,
                   "No process runs these files with the state folder 'STATE'.\n"
                   "Process PID runs others: penstock plan @\n"
                   "A start would\n"
                   "  start    one  @/one.pipeline\n");
  test_run_plan (&fixture, &wrong, "--pid=1", fixture.folder);
  g_assert_true (g_str_has_prefix (wrong.errors, "penstock plan: process 1 does not run these "
                                                 "files with the state folder '"));
  g_assert_cmpint (wrong.status, ==, 2);
  test_end (&fixture);
  test_clear (&fixture);
}

/* What a killed process left is no running process; the next one sweeps it away. */
static void
test_plan_ignores_the_dead (void)
{
  Fixture fixture;
  g_auto (PenCommand) command = { 0 };

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline", FOLLOW);
  test_start (&fixture, NULL);
  g_subprocess_send_signal (fixture.process, SIGKILL);
  pen_command_await_exit (fixture.process);
  pen_line_reader_free (fixture.errors);
  g_clear_object (&fixture.process);
  g_assert_cmpuint (test_count_records (fixture.state), ==, 1);
  test_run_plan (&fixture, &command, NULL, fixture.folder);
  g_assert_true (g_str_has_prefix (command.output, "No process runs these files"));

  test_start (&fixture, NULL);
  test_end (&fixture);
  test_clear (&fixture);
}

/* Records that hold anything: told, and left out. The test holds their locks. */
static void
test_plan_survives_any_record (void)
{
  static const char *const records[] = {
    "",
    "{",
    "[]",
    "7",
    "{\"format\":2}",
    "{\"format\":1}",
    "{\"format\":1,\"paths\":7,\"pipelines\":{\"a\":1},\"pid\":\"x\",\"salt\":\"\",\"started\":1}",
    "{\"format\":1,\"paths\":[1,\"x\"],\"pipelines\":[1,{},{\"name\":\"a\",\"parts\":[1,\"\"]}]}",
  };
  Fixture fixture;
  g_autofree char *run = NULL;
  g_autofree char *path = NULL;

  test_init (&fixture);
  pen_test_write_file (fixture.folder, "one.pipeline", FOLLOW);
  run = g_build_filename (fixture.state, "run", NULL);
  path = g_build_filename (run, "1-1.json", NULL);
  g_assert_cmpint (g_mkdir (run, 0700), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_auto (PenCommand) command = { 0 };
      int fd;

      pen_test_write_file (run, "1-1.json", records[i]);
      fd = open (path, O_RDONLY | O_CLOEXEC);
      g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
      test_run_plan (&fixture, &command, NULL, fixture.folder);
      g_assert_cmpint (command.status, ==, 0);
      g_assert_true (g_str_has_prefix (command.output, "No process runs these files"));
      g_assert_true ((i < 5) == (strstr (command.errors, "1-1.json' cannot be used: ") != NULL));
      close (fd);
    }
  test_clear (&fixture);
}

/* A run goes on where nothing can be written. */
static void
test_plan_is_not_needed_to_run (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "one.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };
  g_auto (PenCommand) plan = { 0 };

  pen_test_write_file (folder, "one.pipeline", "[source file]\npath=-\n[sink stdout]\n");
  pen_command_run (&command, "x\n", "run", "--state-dir=/dev/null", path, NULL);
  g_assert_cmpstr (command.output, ==, "x\n");
  g_assert_cmpint (command.status, ==, 0);
  g_assert_nonnull (strstr (command.errors, "info: 'penstock plan' will not see this process: "
                                            "'/dev/null/run/"));
  pen_command_run (&plan, NULL, "plan", "--state-dir=/dev/null", path, NULL);
  g_assert_cmpint (plan.status, ==, 1);
  g_assert_nonnull (strstr (plan.errors, "what runs with the state folder '/dev/null' cannot be "
                                         "seen: "));
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/plan/agrees-with-reload", test_plan_agrees_with_reload);
  g_test_add_func ("/plan/tells-differences", test_plan_tells_differences);
  g_test_add_func ("/plan/obeys-strict", test_plan_obeys_strict);
  g_test_add_func ("/plan/takes-variables-of-the-process",
                   test_plan_takes_variables_of_the_process);
  g_test_add_func ("/plan/sees-what-has-ended", test_plan_sees_what_has_ended);
  g_test_add_func ("/plan/leaves-out-what-is-gone", test_plan_leaves_out_what_is_gone);
  g_test_add_func ("/plan/goes-row-by-row", test_plan_goes_row_by_row);
  g_test_add_func ("/plan/without-process", test_plan_without_process);
  g_test_add_func ("/plan/ignores-the-dead", test_plan_ignores_the_dead);
  g_test_add_func ("/plan/survives-any-record", test_plan_survives_any_record);
  g_test_add_func ("/plan/is-not-needed-to-run", test_plan_is_not_needed_to_run);
  return g_test_run ();
}
