/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pipelines that are run by the command: what comes out, what the log says, how it ends.
 */

#include "config.h"

#include "pen-command.h"
#include "pen-expected.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>

#define DEADLINE_MS 30000

static const char *const through_ammp
    = "[source file]\npath=-\n\n[transform ammp]\n\n[sink stdout]\n";
static const char *const copy = "[source file]\npath=-\n\n[sink stdout]\n";

/* A folder with one pipeline, and the path of that. */
static char *
test_run_make_folder (const char *text, char **path)
{
  char *folder = pen_test_make_folder ();

  pen_test_write_file (folder, "site.pipeline", text);
  *path = g_build_filename (folder, "site.pipeline", NULL);
  return folder;
}

static void
test_run_compare_log (const PenCommand *command, const char *expected)
{
  g_autofree char *log = pen_expected_strip_times (command->errors);
  g_autoptr (GString) text = g_string_new (expected);

  g_string_replace (text, "@VERSION@", PACKAGE_VERSION, 0 /* all */);
  g_assert_cmpstr (log, ==, text->str);
}

static void
test_run_restructures (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder (through_ammp, &path);
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command,
                   "{\"m\":\"snap\",\"t\":1625576100,\"r\":[{\"_d\":\"meter\",\"_vid\":\"grid\","
                   "\"P\":0.06}]}\n",
                   "run", path, NULL);
  g_assert_cmpstr (command.output, ==,
                   "{\"time\":\"2021-07-06T12:55:00+00:00\",\"data\":{\"grid\":{\"P\":0.06}}}\n");
  test_run_compare_log (&command, "info: penstock @VERSION@: running 1 pipeline\n"
                                  "info: done: received 1, delivered 1\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_test_remove_folder (folder);
}

/* What cannot be delivered is told with its reasons, and the exit status says so. */
static void
test_run_sums_up (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder (through_ammp, &path);
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, "{\n{\n[]\n", "run", path, NULL);
  g_assert_cmpstr (command.output, ==, "");
  g_assert_nonnull (strstr (command.errors, "info: done: received 3, delivered 0, rejected 3 ("));
  g_assert_nonnull (strstr (command.errors, "invalid_json 2"));
  g_assert_cmpint (command.status, ==, 1);
  pen_command_clear (&command);
  pen_command_run (&command, "{\"t\":0,\"r\":[{\"_vid\":\"a\",\"x\":1,\"x\":2}]}\n", "run", path,
                   NULL);
  g_assert_nonnull (strstr (command.errors, "info: done: received 1, delivered 1, "
                                            "replaced values 1 (field_conflict 1)\n"));
  pen_test_remove_folder (folder);
}

static void
test_run_keeps_dead_letters (void)
{
  g_autofree char *path = NULL;
  g_autofree char *text
      = g_strconcat (through_ammp, "\n[dead-letter file]\npath=dead.jsonl\n", NULL);
  char *folder = test_run_make_folder (text, &path);
  g_autofree char *letters = g_build_filename (folder, "dead.jsonl", NULL);
  g_autofree char *letter = NULL;
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, "{\n", "run", path, NULL);
  g_assert_nonnull (strstr (command.errors, "rejected 1 (invalid_json 1), dead letters 1\n"));
  g_assert_cmpint (command.status, ==, 0);
  letter = pen_test_read_file (letters, NULL);
  g_assert_nonnull (strstr (letter, "\"payload\":\"{\""));
  pen_test_remove_folder (folder);
}

/* Several files and a folder, each pipeline to a file of its own; @options before them. */
static void
test_run_several (PenCommand *command, const char *folder, const char *option)
{
  g_autofree char *subfolder = g_build_filename (folder, "sites", NULL);
  g_autofree char *path = g_build_filename (folder, "one.pipeline", NULL);

  g_assert_cmpint (g_mkdir_with_parents (subfolder, 0755), ==, 0);
  pen_test_write_file (folder, "in.txt", "x\ny\n");
  pen_test_write_file (folder, "one.pipeline",
                       "[source file]\npath=in.txt\n[sink file]\npath=one.txt\n");
  pen_test_write_file (subfolder, "two.pipeline",
                       "[source file]\npath=../in.txt\n[sink file]\npath=two.txt\n");
  pen_test_write_file (subfolder, "three.pipeline",
                       "[source file]\npath=../in.txt\n[sink file]\npath=three.txt\n");
  pen_command_run (command, NULL, "run", path, subfolder, option, NULL);
}

static void
test_run_compare_file (const char *folder, const char *name, const char *expected)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;

  if (expected == NULL)
    {
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      return;
    }
  text = pen_test_read_file (path, NULL);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_run_runs_several (void)
{
  char *folder = pen_test_make_folder ();
  g_auto (PenCommand) command = { 0 };

  test_run_several (&command, folder, NULL);
  test_run_compare_log (&command, "info: penstock @VERSION@: running 3 pipelines\n"
                                  "info: done: received 6, delivered 6\n");
  g_assert_cmpint (command.status, ==, 0);
  test_run_compare_file (folder, "one.txt", "x\ny\n");
  test_run_compare_file (folder, "sites/two.txt", "x\ny\n");
  test_run_compare_file (folder, "sites/three.txt", "x\ny\n");
  pen_test_remove_folder (folder);
}

/* A faulty file does not keep the others from running, but it is not forgotten. */
static void
test_run_runs_the_good (void)
{
  char *folder = pen_test_make_folder ();
  g_auto (PenCommand) command = { 0 };
  g_autofree char *path = g_build_filename (folder, "faulty.pipeline", NULL);

  pen_test_write_file (folder, "faulty.pipeline", "[source file]\npath=-\n[sink stdou]\n");
  test_run_several (&command, folder, path);
  g_assert_nonnull (strstr (command.errors, "faulty.pipeline:3:7: error: "));
  g_assert_nonnull (strstr (command.errors, "running 3 pipelines\n"));
  g_assert_cmpint (command.status, ==, 1);
  test_run_compare_file (folder, "one.txt", "x\ny\n");
  pen_test_remove_folder (folder);
}

static void
test_run_is_strict (void)
{
  char *folder = pen_test_make_folder ();
  g_auto (PenCommand) good = { 0 };
  g_auto (PenCommand) command = { 0 };
  g_autofree char *sites = g_build_filename (folder, "sites", NULL);

  test_run_several (&good, folder, "--strict");
  g_assert_cmpint (good.status, ==, 0);
  pen_test_write_file (sites, "faulty.pipeline", "[source file]\npath=-\n[sink stdou]\n");
  pen_test_write_file (sites, "new.pipeline",
                       "[source file]\npath=../in.txt\n[sink file]\npath=new.txt\n");
  test_run_several (&command, folder, "--strict");
  g_assert_nonnull (strstr (command.errors, "faulty.pipeline:3:7: error: "));
  g_assert_nonnull (strstr (command.errors, "error: nothing was started: 1 of 5 pipelines are "
                                            "faulty, and --strict is set\n"));
  g_assert_cmpint (command.status, ==, 1);
  test_run_compare_file (folder, "sites/new.txt", NULL);
  pen_test_remove_folder (folder);
}

static void
test_run_logs_json (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder (copy, &path);
  g_auto (PenCommand) command = { 0 };
  g_auto (GStrv) lines = NULL;

  pen_test_write_file (folder, "zfaulty.pipeline", "[source file]\npath=-\n[sink stdou]\n");
  pen_command_run (&command, "x\n", "--log-format=json", "run", folder, NULL);
  g_assert_cmpstr (command.output, ==, "x\n");
  lines = g_strsplit (command.errors, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  for (guint i = 0; i < 3; i++)
    {
      static const char *const levels[] = { "error", "info", "info" };
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = json_from_string (lines[i], &error);

      g_assert_no_error (error);
      g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "level"), ==,
                       levels[i]);
    }
  g_assert_cmpstr (lines[3], ==, "");
  pen_test_remove_folder (folder);
}

static void
test_run_logs_what_it_should (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder (copy, &path);
  g_auto (PenCommand) command = { 0 };

  pen_command_run (&command, "x\n", "run", "--log-level", "warning", path, NULL);
  g_assert_cmpstr (command.output, ==, "x\n");
  g_assert_cmpstr (command.errors, ==, "");
  g_assert_cmpint (command.status, ==, 0);
  pen_test_remove_folder (folder);
}

/* @script: of a shell; $PENSTOCK is the command, $1 the keyfile */
static void
test_run_shell (const char *script, const char *path, int expected_status)
{
  const char *const line[] = { "bash", "-c", script, "bash", path, NULL };
  g_autofree char *bash = g_find_program_in_path ("bash");
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GError) error = NULL;
  int status = 0;

  if (bash == NULL)
    {
      g_test_skip ("bash is not installed");
      return;
    }
  environment = g_environ_setenv (environment, "PENSTOCK", pen_command_get_path (), TRUE);
  g_spawn_sync (NULL, (char **) line, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_assert_error (error, G_SPAWN_EXIT_ERROR, expected_status);
  else
    g_assert_cmpint (expected_status, ==, 0);
}

static void
test_run_outlives_its_reader (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder (copy, &path);

  test_run_shell ("yes | timeout 30 \"$PENSTOCK\" run \"$1\" 2>/dev/null | head -n 3 >/dev/null; "
                  "exit ${PIPESTATUS[1]}",
                  path, 0);
  pen_test_remove_folder (folder);
}

static void
test_run_fails_for_good (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder (copy, &path);

  test_run_shell ("echo x | timeout 30 \"$PENSTOCK\" run \"$1\" 2>/dev/null >&-; "
                  "exit ${PIPESTATUS[1]}",
                  path, 3);
  pen_test_remove_folder (folder);
}

/* --- While it runs --- */

/* Follows a file, so that it ends by a signal alone. */
static void
test_run_drains (gconstpointer data)
{
  int signal_number = GPOINTER_TO_INT (data);
  g_autofree char *path = NULL;
  char *folder
      = test_run_make_folder ("[source file]\npath=in.txt\nfollow=true\n[sink stdout]\n", &path);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (PenLineReader) output = NULL;
  g_autoptr (PenLineReader) errors = NULL;

  pen_test_write_file (folder, "in.txt", "one\ntwo\n");
  process = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                               "run", path, NULL);
  output = pen_line_reader_new (g_subprocess_get_stdout_pipe (process));
  errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (process));
  pen_line_reader_await (output, "two");
  g_subprocess_send_signal (process, signal_number);
  pen_line_reader_await (errors, "done: received 2, delivered 2");
  pen_command_await_exit (process);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
  pen_test_remove_folder (folder);
}

/* Nobody reads what it writes, so it cannot drain. */
static void
test_run_exits_at_the_second_signal (void)
{
  g_autofree char *path = NULL;
  char *folder = test_run_make_folder ("[pipeline]\ndrain-timeout=1h\n[source file]\n"
                                       "path=in.txt\nfollow=true\n[sink stdout]\n",
                                       &path);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (PenLineReader) output = NULL;
  g_autoptr (PenLineReader) errors = NULL;
  g_autofree char *line = g_strnfill (4096, 'x');
  g_autoptr (GString) input = g_string_new (NULL);

  for (guint i = 0; i < 100; i++)
    g_string_append_printf (input, "%s\n", line);
  pen_test_write_file (folder, "in.txt", input->str);
  process = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                               "run", path, NULL);
  output = pen_line_reader_new (g_subprocess_get_stdout_pipe (process));
  errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (process));
  pen_line_reader_await (output, "xxx");
  g_subprocess_send_signal (process, SIGTERM);
  pen_line_reader_await (errors, "SIGTERM: draining");
  g_subprocess_send_signal (process, SIGTERM);
  pen_command_await_exit (process);
  g_assert_true (g_subprocess_get_if_signaled (process));
  g_assert_cmpint (g_subprocess_get_term_sig (process), ==, SIGTERM);
  pen_test_remove_folder (folder);
}

/* Thousands of pipelines need more than the usual 1,024 descriptors. */
static void
test_run_raises_the_limit_of_files (void)
{
  g_autofree char *path = NULL;
  char *folder
      = test_run_make_folder ("[source file]\npath=in.txt\nfollow=true\n[sink stdout]\n", &path);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *limits_path = NULL;
  g_autofree char *limits = NULL;
  g_autoptr (GRegex) regex = g_regex_new ("Max open files +([0-9]+) +\\1 ", 0, 0, NULL);
  g_autoptr (PenLineReader) output = NULL;

  pen_test_write_file (folder, "in.txt", "one\n");
  process = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                               "run", path, NULL);
  output = pen_line_reader_new (g_subprocess_get_stdout_pipe (process));
  pen_line_reader_await (output, "one");
  limits_path = g_strdup_printf ("/proc/%s/limits", g_subprocess_get_identifier (process));
  limits = pen_test_read_file (limits_path, NULL);
  g_assert_true (g_regex_match (regex, limits, 0, NULL));
  g_subprocess_send_signal (process, SIGTERM);
  pen_command_await_exit (process);
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/run/restructures", test_run_restructures);
  g_test_add_func ("/run/sums-up", test_run_sums_up);
  g_test_add_func ("/run/keeps-dead-letters", test_run_keeps_dead_letters);
  g_test_add_func ("/run/runs-several", test_run_runs_several);
  g_test_add_func ("/run/runs-the-good", test_run_runs_the_good);
  g_test_add_func ("/run/is-strict", test_run_is_strict);
  g_test_add_func ("/run/logs-json", test_run_logs_json);
  g_test_add_func ("/run/logs-what-it-should", test_run_logs_what_it_should);
  g_test_add_func ("/run/outlives-its-reader", test_run_outlives_its_reader);
  g_test_add_func ("/run/fails-for-good", test_run_fails_for_good);
  g_test_add_data_func ("/run/drains/sigterm", GINT_TO_POINTER (SIGTERM), test_run_drains);
  g_test_add_data_func ("/run/drains/sigint", GINT_TO_POINTER (SIGINT), test_run_drains);
  g_test_add_func ("/run/exits-at-the-second-signal", test_run_exits_at_the_second_signal);
  g_test_add_func ("/run/raises-the-limit-of-files", test_run_raises_the_limit_of_files);
  return g_test_run ();
}
