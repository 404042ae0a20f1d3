/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The socket of a running process: who may use it, what becomes of it, what it does with those who
 * mean no good; and 'penstock tap'.
 */

#include "config.h"

#include "pen-live.h"

#include "pen-cli-socket.h"
#include "pen-cli-wire.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_CLIENTS 8
#define MANY 20000

/* A tap that sees what passes from now on. */
typedef struct
{
  GSubprocess *process;
  PenLineReader *output;
  PenLineReader *errors;
} Tap;

static void
test_tap_start_at (Tap *tap,
                   const char *place,
                   const char *option,
                   const char *more,
                   const char *understood)
{
  tap->process = pen_command_spawn (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                                    "tap", place, option, more, NULL);
  tap->output = pen_line_reader_new (g_subprocess_get_stdout_pipe (tap->process));
  tap->errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (tap->process));
  pen_line_reader_await (tap->errors, understood);
}

static void
test_tap_start (Tap *tap, const char *place, const char *option, const char *more)
{
  test_tap_start_at (tap, place, option, more, "sees what passes");
}

static void
test_tap_end (Tap *tap, int status)
{
  pen_command_await_exit (tap->process);
  g_assert_cmpint (g_subprocess_get_exit_status (tap->process), ==, status);
  pen_line_reader_free (tap->output);
  pen_line_reader_free (tap->errors);
  g_object_unref (tap->process);
}

static PenCliWire
test_connect (const PenLive *live)
{
  g_auto (GStrv) paths = pen_live_list_sockets (live);
  PenCliWire wire = { 0 };

  g_assert_cmpuint (g_strv_length (paths), ==, 1);
  pen_cli_wire_init (&wire, pen_cli_socket_connect (paths[0]), PEN_CLI_ANSWER_MAX_BYTES);
  g_assert_cmpint (wire.fd, >=, 0);
  return wire;
}

static void
test_say (PenCliWire *wire, const char *text)
{
  g_autoptr (GString) request = g_string_new (text);

  pen_cli_wire_write (wire, request, PEN_LIVE_DEADLINE_MS);
}

/* The next answer, or "" if there is none any more. */
static char *
test_hear (PenCliWire *wire)
{
  g_autoptr (GBytes) line = NULL;
  PenCliWireResult result = pen_cli_wire_read (wire, PEN_LIVE_DEADLINE_MS, &line);
  gsize length = 0;
  const char *data = line != NULL ? g_bytes_get_data (line, &length) : "";

  g_assert_true (result == PEN_CLI_WIRE_LINE || result == PEN_CLI_WIRE_CLOSED);
  return g_strndup (data, length);
}

static void
test_live_socket_is_private (void)
{
  PenLive live;
  struct stat status;
  g_autofree char *folder = NULL;
  g_auto (GStrv) paths = NULL;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  folder = g_build_filename (live.runtime, "penstock", NULL);
  paths = pen_live_list_sockets (&live);
  g_assert_cmpint (g_stat (folder, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0700);
  g_assert_cmpint (g_stat (paths[0], &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_true (S_ISSOCK (status.st_mode));
  pen_live_end (&live);
  pen_live_clear (&live);
}

/* One socket in @folder, but not @not_path. */
typedef struct
{
  const char *folder;
  const char *not_path;
} Goal;

static gboolean
test_has_socket (gpointer user_data)
{
  const Goal *goal = user_data;
  g_auto (GStrv) paths = pen_cli_socket_list (goal->folder, NULL);

  return paths != NULL && g_strv_length (paths) == 1 && g_strcmp0 (paths[0], goal->not_path) != 0;
}

static void
test_start_anew (PenLive *live, const Goal *goal)
{
  live->process = pen_command_spawn (G_SUBPROCESS_FLAGS_STDERR_PIPE, "run", "--state-dir",
                                     live->state, live->folder, NULL);
  live->errors = pen_line_reader_new (g_subprocess_get_stderr_pipe (live->process));
  g_assert_true (pen_test_wait (test_has_socket, (gpointer) goal, PEN_LIVE_DEADLINE_MS));
}

/* Where others may write, somebody could put his own socket in its place. */
static void
test_live_avoids_shared_folders (void)
{
  PenLive live;
  g_autofree char *folder = NULL;
  g_autofree char *own = NULL;

  pen_live_init (&live, NULL);
  folder = g_build_filename (live.runtime, "penstock", NULL);
  own = g_build_filename (live.state, "run", NULL);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_cmpint (g_chmod (folder, 0777), ==, 0);
  test_start_anew (&live, &(Goal){ own, NULL });
  pen_live_end (&live);
  pen_live_clear (&live);
}

static void
test_live_is_not_needed_to_run (void)
{
  char *folder = pen_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "one.pipeline", NULL);
  g_auto (PenCommand) command = { 0 };

  g_setenv ("XDG_RUNTIME_DIR", "/dev/null", TRUE);
  pen_test_write_file (folder, "one.pipeline", "[source file]\npath=-\n[sink stdout]\n");
  pen_command_run (&command, "x\n", "run", "--state-dir=/dev/null", path, NULL);
  g_assert_cmpstr (command.output, ==, "x\n");
  g_assert_cmpint (command.status, ==, 0);
  g_assert_nonnull (strstr (command.errors, "warning: 'penstock top' and 'penstock tap' will not "
                                            "see this process: there is no place for its socket: "
                                            "'/dev/null/run': "));
  pen_test_remove_folder (folder);
}

static void
test_live_sweeps_away_the_dead (void)
{
  PenLive live;
  g_auto (PenCommand) command = { 0 };
  g_auto (GStrv) before = NULL;
  g_autofree char *folder = NULL;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  g_subprocess_send_signal (live.process, SIGKILL);
  pen_command_await_exit (live.process);
  g_clear_pointer (&live.errors, pen_line_reader_free);
  g_clear_object (&live.process);
  before = pen_live_list_sockets (&live);
  g_assert_cmpuint (g_strv_length (before), ==, 1);
  pen_live_run (&live, &command, "tap", "--state-dir", live.state, "one", NULL);
  g_assert_cmpint (command.status, ==, 1);
  g_assert_nonnull (strstr (command.errors, "penstock tap: no running process was found, in "));
  folder = g_build_filename (live.runtime, "penstock", NULL);
  test_start_anew (&live, &(Goal){ folder, before[0] });
  pen_live_end (&live);
  pen_live_clear (&live);
}

static void
test_live_tells_processes_apart (void)
{
  PenLive live;
  char *other_state = pen_test_make_folder ();
  g_autoptr (GSubprocess) other = NULL;
  g_autoptr (PenLineReader) errors = NULL;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *option = NULL;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  other = pen_live_spawn (&live, other_state, &errors);
  option = g_strconcat ("--pid=", g_subprocess_get_identifier (other), NULL);
  pen_live_run (&live, &command, "tap", "one.nothing", NULL);
  g_assert_cmpint (command.status, ==, 2);
  g_assert_true (
      g_str_has_prefix (command.errors, "penstock tap: 2 processes run; choose one:\n  --pid "));
  g_assert_nonnull (strstr (command.errors, live.state));
  g_assert_nonnull (strstr (command.errors, other_state));
  pen_live_run (&live, &command, "tap", "one.nothing", option, NULL);
  g_assert_cmpstr (command.errors, ==,
                   "penstock tap: pipeline 'one' has no element 'nothing'; it has source file, "
                   "sink file and dead-letter file\n");
  g_assert_cmpint (command.status, ==, 1);
  pen_live_run (&live, &command, "tap", "one.nothing", "--state-dir", live.state, NULL);
  g_assert_true (g_str_has_prefix (command.errors, "penstock tap: pipeline 'one' has no element"));
  pen_live_run (&live, &command, "tap", "one", "--pid=1", NULL);
  g_assert_cmpint (command.status, ==, 1);
  g_assert_true (g_str_has_prefix (command.errors, "penstock tap: no such process; there is\n"));
  g_subprocess_send_signal (other, SIGTERM);
  pen_command_await_exit (other);
  pen_live_end (&live);
  pen_live_clear (&live);
  pen_test_remove_folder (other_state);
}

static void
test_live_tap_shows (void)
{
  PenLive live;
  Tap tap;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  test_tap_start (&tap, "one.source file", "--limit=2", NULL);
  pen_live_append (&live, "{\"a\":1}\n\033[2J\xff\n");
  pen_line_reader_await (tap.output, "{\"a\":1}");
  pen_line_reader_await (tap.output, "\\x1b[2J\\xff");
  test_tap_end (&tap, 0);
  test_tap_start (&tap, "one", "--limit=1", "--format=pretty");
  pen_live_append (&live, "{\"b\":[1]}\n");
  pen_line_reader_await (tap.output, "  sink file  9 bytes");
  pen_line_reader_await (tap.output, "  \"b\": [");
  test_tap_end (&tap, 0);
  test_tap_start (&tap, "one.sink", "--max-payload=4", NULL);
  pen_live_append (&live, "123456\n");
  pen_line_reader_await (tap.output, "1234 [the first 4 of 6 bytes]");
  g_subprocess_send_signal (tap.process, SIGINT);
  pen_line_reader_await (tap.errors, "1 shown, 0 not");
  test_tap_end (&tap, 0);
  test_tap_start (&tap, "one.sink-file", "--limit=1", "--format=envelope");
  pen_live_append (&live, "xyz\n");
  pen_line_reader_await (tap.output, ",\"payload\":\"xyz\"}");
  test_tap_end (&tap, 0);
  pen_live_end (&live);
  pen_live_clear (&live);
}

/* Names have points, and dashes, in them. */
static void
test_live_tap_understands_names (void)
{
  static const struct
  {
    const char *place;
    const char *understood;
  } table[] = {
    { "a", "passes the sinks of pipeline 'a'" },
    { "a.source", "passes source file of pipeline 'a'" },
    { "a.b", "passes the sinks of pipeline 'a.b'" },
    { "a.b.file", "passes source file of pipeline 'a.b'" },
    { "a.b.sink-x.y-z", "passes sink x.y-z of pipeline 'a.b'" },
    { "a.x.y-z", "passes sink x.y-z of pipeline 'a'" },
  };
  PenLive live;

  pen_live_init (&live, "[pipeline]\nname=${site}\n[sites]\ncolumns=out\na=1.txt\na.b=2.txt\n"
                        "[source file]\npath=in.txt\nfollow=true\n[sink file x.y-z]\n"
                        "path=${out}\n");
  pen_live_start (&live);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      Tap tap;

      test_tap_start_at (&tap, table[i].place, NULL, NULL, table[i].understood);
      g_subprocess_send_signal (tap.process, SIGTERM);
      test_tap_end (&tap, 0);
    }
  pen_live_end (&live);
  pen_live_clear (&live);
}

static void
test_live_tap_follows_reloads (void)
{
  PenLive live;
  Tap tap;
  Tap source;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  test_tap_start (&tap, "one.sink", NULL, NULL);
  test_tap_start (&source, "one.source", NULL, NULL);
  pen_live_reload (
      &live,
      "[source file]\npath=in.txt\nfollow=true\npoll-interval=50ms\n[sink file]\npath=new.txt\n");
  pen_line_reader_await (tap.errors, "the pipeline was replaced: goes on with the new one");
  pen_live_append (&live, "after\n");
  pen_line_reader_await (tap.output, "after");
  pen_live_reload (&live,
                   "[source file]\npath=in.txt\nfollow=true\npoll-interval=50ms\n[sink stdout]\n");
  pen_line_reader_await (tap.errors, "replaced: the new one has no such element");
  test_tap_end (&tap, 0);
  pen_live_reload (&live, "[source file]\npath=in.txt\n[sink stdout]\n");
  pen_line_reader_await (source.errors, "the pipeline has ended");
  test_tap_end (&source, 0);
  pen_command_await_exit (live.process); /* there is nothing left to run */
  g_clear_pointer (&live.errors, pen_line_reader_free);
  g_clear_object (&live.process);
  pen_live_clear (&live);
}

static void
test_live_refuses_wrong_usage (void)
{
  static const struct
  {
    const char *option;
    const char *complaint;
  } table[] = {
    { "--rate=0", "--rate is 1 to 10000 events a second, not 0" },
    { "--limit=-1", "--limit is a number of events, or 0 for no limit" },
    { "--max-payload=100000", "--max-payload is 1 to 65536 bytes, not 100000" },
    { "--format=xml", "--format is one of lines, pretty, envelope, json, not 'xml'" },
    { "--pid=x", "Cannot parse integer value" },
  };
  PenLive live;
  g_auto (PenCommand) command = { 0 };

  pen_live_init (&live, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      pen_live_run (&live, &command, "tap", "one", table[i].option, NULL);
      g_assert_cmpint (command.status, ==, 2);
      g_assert_nonnull (strstr (command.errors, table[i].complaint));
    }
  pen_live_run (&live, &command, "tap", NULL);
  g_assert_cmpint (command.status, ==, 2);
  pen_live_start (&live);
  pen_live_run (&live, &command, "tap", "once", NULL);
  g_assert_cmpstr (command.errors, ==,
                   "penstock tap: no pipeline of the process is named 'once'; "
                   "did you mean 'one'?\n");
  pen_live_run (&live, &command, "tap", "one.file", NULL);
  g_assert_nonnull (strstr (command.errors, "may be source file, sink file or dead-letter file"));
  pen_live_end (&live);
  pen_live_clear (&live);
}

/* Whatever is said to it, a process answers with an error, or hangs up, and goes on. */
static void
test_live_survives_any_request (void)
{
  static const char *const requests[] = {
    "\n",
    "x\n",
    "{}\n",
    "[1,2]\n",
    "{\"protocol\":2,\"request\":\"about\"}\n",
    "{\"protocol\":\"1\"}\n",
    "{\"protocol\":1}\n",
    "{\"protocol\":1,\"request\":7}\n",
    "{\"protocol\":1,\"request\":\"\\u0000\"}\n",
    "{\"protocol\":1,\"request\":\"tap\"}\n",
    "{\"protocol\":1,\"request\":\"tap\",\"place\":[]}\n",
    "{\"protocol\":1,\"request\":\"tap\",\"place\":\"\"}\n",
    "{\"protocol\":1,\"request\":\"tap\",\"place\":\"one\",\"rate\":1e99}\n",
    "{\"protocol\":1,\"request\":\"tap\",\"place\":\"one\",\"rate\":-1}\n",
    "{\"protocol\":1,\"request\":\"tap\",\"place\":\"one\",\"max_payload\":99999999999}\n",
    "\xff\xfe\n",
  };
  PenLive live;
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autoptr (GString) endless = g_string_new (NULL);

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  for (guint i = 0; i < 2000; i++)
    g_string_append_c (deep, '[');
  g_string_append_c (deep, '\n');
  for (guint i = 0; i < 200000; i++)
    g_string_append_c (endless, 'x');
  for (guint i = 0; i < G_N_ELEMENTS (requests) + 2; i++)
    {
      PenCliWire wire = test_connect (&live);
      g_autofree char *answer = NULL;

      test_say (&wire, i < G_N_ELEMENTS (requests)    ? requests[i]
                       : i == G_N_ELEMENTS (requests) ? deep->str
                                                      : endless->str);
      answer = test_hear (&wire);
      g_assert_true (g_str_has_prefix (answer, "{\"error\":\""));
      pen_cli_wire_clear (&wire);
    }
  pen_live_end (&live);
  pen_live_clear (&live);
}

static void
test_live_turns_the_ninth_away (void)
{
  PenLive live;
  PenCliWire wires[MAX_CLIENTS + 1];

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  for (guint i = 0; i <= MAX_CLIENTS; i++)
    {
      g_autofree char *answer = NULL;

      wires[i] = test_connect (&live);
      test_say (&wires[i], "{\"protocol\":1,\"request\":\"about\"}\n");
      answer = test_hear (&wires[i]);
      if (i < MAX_CLIENTS)
        g_assert_true (g_str_has_prefix (answer, "{\"protocol\":1,\"version\":"));
      else
        g_assert_cmpstr (answer, ==,
                         "{\"error\":\"8 others look into this process already; try "
                         "again later\"}");
    }
  pen_live_end (&live); /* they do not keep it */
  for (guint i = 0; i <= MAX_CLIENTS; i++)
    pen_cli_wire_clear (&wires[i]);
  pen_live_clear (&live);
}

static gboolean
test_has_all (gpointer user_data)
{
  const PenLive *live = user_data;
  g_autofree char *path = g_build_filename (live->folder, "out.txt", NULL);
  struct stat status;

  return g_stat (path, &status) == 0 && status.st_size == MANY * 11;
}

/* Neither one who does not read nor one who sees a little keeps anything from the sink. */
static void
test_live_tap_is_not_waited_for (void)
{
  PenLive live;
  Tap tap;
  PenCliWire deaf;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *answer = NULL;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  deaf = test_connect (&live);
  test_say (&deaf, "{\"protocol\":1,\"request\":\"tap\",\"place\":\"one\",\"rate\":10000}\n");
  answer = test_hear (&deaf);
  g_assert_cmpstr (answer, ==, "{\"tap\":{\"pipeline\":\"one\"}}");
  test_tap_start (&tap, "one.source", "--rate=1", NULL);
  for (guint i = 0; i < MANY; i++)
    g_string_append_printf (text, "%010u\n", i);
  pen_live_append (&live, text->str);
  g_assert_true (pen_test_wait (test_has_all, &live, PEN_LIVE_DEADLINE_MS));
  pen_line_reader_await (tap.output, "0000000000");
  pen_line_reader_await (tap.errors, " more passed, which --rate 1 does not show");
  pen_live_end (&live);
  pen_line_reader_await (tap.errors, "the pipeline has ended");
  test_tap_end (&tap, 0);
  pen_cli_wire_clear (&deaf);
  pen_live_clear (&live);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/live/socket-is-private", test_live_socket_is_private);
  g_test_add_func ("/live/avoids-shared-folders", test_live_avoids_shared_folders);
  g_test_add_func ("/live/is-not-needed-to-run", test_live_is_not_needed_to_run);
  g_test_add_func ("/live/sweeps-away-the-dead", test_live_sweeps_away_the_dead);
  g_test_add_func ("/live/tells-processes-apart", test_live_tells_processes_apart);
  g_test_add_func ("/live/tap-shows", test_live_tap_shows);
  g_test_add_func ("/live/tap-understands-names", test_live_tap_understands_names);
  g_test_add_func ("/live/tap-follows-reloads", test_live_tap_follows_reloads);
  g_test_add_func ("/live/refuses-wrong-usage", test_live_refuses_wrong_usage);
  g_test_add_func ("/live/survives-any-request", test_live_survives_any_request);
  g_test_add_func ("/live/turns-the-ninth-away", test_live_turns_the_ninth_away);
  g_test_add_func ("/live/tap-is-not-waited-for", test_live_tap_is_not_waited_for);
  return g_test_run ();
}
