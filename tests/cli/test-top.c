/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 'penstock top': that it tells what pipelines do, and how it looks, on a terminal and without one.
 */

#include "config.h"

#include "pen-live.h"

#include "pen-cli-top.h"

#include <glib-unix.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_SITES 300

typedef struct
{
  const PenLive *live;
  const char *text;
} Goal;

/* Whether it says so now. */
static gboolean
test_says (gpointer user_data)
{
  const Goal *goal = user_data;
  g_auto (PenCommand) command = { 0 };

  pen_live_run (goal->live, &command, "top", "--interval=100ms", "--format=json", NULL);
  return command.status == 0 && strstr (command.output, goal->text) != NULL;
}

static void
test_await (const PenLive *live, const char *text)
{
  Goal goal = { live, text };

  g_assert_true (pen_test_wait (test_says, &goal, PEN_LIVE_DEADLINE_MS));
}

static void
test_top_counts (void)
{
  PenLive live;
  g_auto (PenCommand) command = { 0 };

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  pen_live_append (&live, "{\"a\":1}\nno JSON\n{}\n");
  test_await (&live, "\"name\":\"one\",\"state\":\"running\",");
  test_await (&live, "\"received\":3,\"bytes_received\":16,\"delivered\":3,\"dropped\":0,"
                     "\"rejected\":0,\"dead_letters\":0,");
  pen_live_run (&live, &command, "top", "--interval=100ms", NULL);
  g_assert_nonnull (strstr (command.output, ": 1 pipeline, 1 running\n"));
  g_assert_nonnull (strstr (command.output, "\nPIPELINE  STATE    CONN  IN/s"));
  g_assert_nonnull (strstr (command.output, "\none       running  yes    0.0    0.0"));
  pen_live_run (&live, &command, "top", "--once", "--interval=100ms", "x*", NULL);
  g_assert_nonnull (strstr (command.output, ": 0 pipelines\n"));
  pen_live_run (&live, &command, "top", "--names", "o?e", NULL);
  g_assert_cmpstr (command.output, ==,
                   "one\none.source-file\none.sink-file\none.dead-letter-file\n");
  pen_live_reload (&live, "[source file]\npath=in.txt\n[source file again]\npath=empty.txt\n"
                          "follow=true\n[transform ammp]\nfrom=file; again\n[sink file]\n"
                          "path=new.txt\n[dead-letter file]\npath=dead.txt\n");
  test_await (&live, "\"sources\":2,");
  test_await (&live, "\"received\":3,\"bytes_received\":16,\"delivered\":0,\"dropped\":0,"
                     "\"rejected\":3,\"dead_letters\":3,");
  pen_live_end (&live);
  pen_live_clear (&live);
}

/* Whether something was delivered between two looks, which takes a try or two. */
static gboolean
test_tells_latency (gpointer user_data)
{
  const PenLive *live = user_data;
  g_auto (PenCommand) command = { 0 };

  pen_live_append (live, "x\n");
  pen_live_run (live, &command, "top", "--interval=300ms", "--format=json", NULL);
  return strstr (command.output, "\"latency_p95_ms\":") != NULL
         && strstr (command.output, "\"latency_p95_ms\":null") == NULL;
}

static void
test_top_tells_latencies (void)
{
  PenLive live;

  pen_live_init (&live, NULL);
  pen_live_start (&live);
  g_assert_true (pen_test_wait (test_tells_latency, &live, PEN_LIVE_DEADLINE_MS));
  test_await (&live, "\"latency_p95_ms\":null}");
  pen_live_end (&live);
  pen_live_clear (&live);
}

static void
test_top_tells_complaints (void)
{
  PenLive live;
  g_auto (PenCommand) command = { 0 };

  pen_live_init (&live,
                 "[source file]\npath=missing.txt\nfollow=true\n[sink file]\npath=out.txt\n");
  pen_live_start (&live);
  test_await (&live, "\"complaint_of\":\"source file\",\"complaint\":\"cannot open ");
  pen_live_run (&live, &command, "top", "--interval=100ms", NULL);
  g_assert_nonnull (strstr (command.output, "running  no     0.0    0.0"));
  pen_live_end (&live);
  pen_live_clear (&live);
}

/* More than is sent at once. */
static void
test_top_shows_hundreds (void)
{
  g_autoptr (GString) text = g_string_new ("[sites]\ncolumns=out\n");
  PenLive live;
  g_auto (PenCommand) command = { 0 };
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < N_SITES; i++)
    g_string_append_printf (text, "%03u=out-%u.txt\n", i, i);
  g_string_append (text, "[source file]\npath=in.txt\nfollow=true\n[sink file]\npath=${out}\n");
  pen_live_init (&live, text->str);
  pen_live_start (&live);
  pen_live_run (&live, &command, "top", "--sort=name", "--interval=100ms", NULL);
  lines = g_strsplit (command.output, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, N_SITES + 5); /* and nothing behind the last */
  g_assert_true (g_str_has_prefix (lines[4], "one-000 "));
  g_assert_true (g_str_has_prefix (lines[N_SITES + 3], "one-299 "));
  pen_live_run (&live, &command, "top", "--interval=100ms", "one-12*", NULL);
  g_assert_nonnull (strstr (command.output, ": 10 pipelines, 10 running\n"));
  pen_live_end (&live);
  pen_live_clear (&live);
}

static void
test_top_refuses_wrong_usage (void)
{
  static const struct
  {
    const char *option;
    const char *complaint;
  } table[] = {
    { "--interval=1", "--interval: " },
    { "--interval=1ms", "--interval is 100ms to 1h, not 1ms" },
    { "--sort=size", "--sort is trouble, name, in, out, dropped, rejected, letters, queue, spool "
                     "or latency, not 'size'" },
    { "--format=xml", "--format is one of text, json, not 'xml'" },
  };
  PenLive live;
  g_auto (PenCommand) command = { 0 };

  pen_live_init (&live, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      pen_live_run (&live, &command, "top", table[i].option, NULL);
      g_assert_cmpint (command.status, ==, 2);
      g_assert_nonnull (strstr (command.errors, table[i].complaint));
    }
  pen_live_run (&live, &command, "top", NULL);
  g_assert_cmpint (command.status, ==, 1);
  g_assert_nonnull (strstr (command.errors, "no running process was found"));
  pen_live_clear (&live);
}

/* What was read from the terminal so far has @text. */
typedef struct
{
  int fd;
  GString *text;
  const char *goal;
} Terminal;

static gboolean
test_has_shown (gpointer user_data)
{
  Terminal *terminal = user_data;
  char bytes[4096];
  gssize n = read (terminal->fd, bytes, sizeof bytes);

  if (n > 0)
    g_string_append_len (terminal->text, bytes, n);
  return strstr (terminal->text->str, terminal->goal) != NULL;
}

static void
test_await_shown (Terminal *terminal, const char *goal)
{
  terminal->goal = goal;
  g_assert_true (pen_test_wait (test_has_shown, terminal, PEN_LIVE_DEADLINE_MS));
  g_string_truncate (terminal->text, 0);
}

static void
test_type (const Terminal *terminal, const char *keys)
{
  g_assert_cmpint (write (terminal->fd, keys, strlen (keys)), ==, (gssize) strlen (keys));
}

static void
test_top_fills_a_terminal (void)
{
  struct winsize size = { .ws_row = 7, .ws_col = 60 };
  g_autoptr (GString) keyfile = g_string_new ("[sites]\ncolumns=out\n");
  g_autoptr (GString) text = g_string_new (NULL);
  Terminal terminal = { .text = text };
  PenLive live;
  pid_t pid;
  int status = 0;

  for (char site = 'a'; site <= 'e'; site++)
    g_string_append_printf (keyfile, "%c=%c.txt\n", site, site);
  g_string_append (keyfile, "[source file]\npath=in.txt\nfollow=true\n[sink file]\npath=${out}\n");
  pen_live_init (&live, keyfile->str);
  pen_live_start (&live);
  pid = forkpty (&terminal.fd, NULL, NULL, &size);
  if (pid == 0)
    {
      execl (pen_command_get_path (), "penstock", "top", "--interval=200ms", "--sort=name", NULL);
      _exit (127);
    }
  g_assert_cmpint (pid, >, 0);
  g_unix_set_fd_nonblocking (terminal.fd, TRUE, NULL);
  test_await_shown (&terminal, "\033[?1049h"); /* the other screen */
  test_await_shown (&terminal, "by name, 1 to 2");
  test_type (&terminal, "j");
  test_await_shown (&terminal, "by name, 2 to 3");
  test_type (&terminal, "\033[6~");
  test_await_shown (&terminal, "by name, 4 to 5");
  test_type (&terminal, "\033[A");
  test_await_shown (&terminal, "by name, 3 to 4");
  test_type (&terminal, "s");
  test_await_shown (&terminal, "by in, 3 to 4");
  size.ws_row = 30;
  g_assert_cmpint (ioctl (terminal.fd, TIOCSWINSZ, &size), ==, 0);
  test_await_shown (&terminal, "\none-e ");
  test_type (&terminal, "q");
  test_await_shown (&terminal, "\033[?1049l");
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  close (terminal.fd);
  pen_live_end (&live);
  pen_live_clear (&live);
}

static PenCliTopRow
test_make_row (char *name, char *state, char *complaint)
{
  return (PenCliTopRow){ .name = name, .state = state, .complaint = complaint, .latency_us = -1 };
}

/* How figures look, and that a line is never wider than the terminal. */
static void
test_top_lays_out (void)
{
  char version[] = "1";
  char started[] = "today";
  PenCliPeer peer = { .pid = 7, .version = version, .started = started };
  PenCliTopRow rows[] = { test_make_row ((char *) "a\033[2J", (char *) "running", NULL),
                          test_make_row ((char *) "b", (char *) "failed", (char *) "worse\n") };
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  PenCliTopLook look = { .rows = list, .total = { .latency_us = -1 } };
  PenCliTopLayout layout = { .n_rows = G_MAXUINT };
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;

  rows[0].figures[PEN_CLI_TOP_SOURCES] = rows[0].figures[PEN_CLI_TOP_CONNECTED] = 1;
  rows[1].figures[PEN_CLI_TOP_SOURCES] = 2;
  rows[0].rates[PEN_CLI_TOP_RECEIVED] = 12345.6;
  rows[0].rates[PEN_CLI_TOP_DELIVERED] = 0.25;
  rows[0].figures[PEN_CLI_TOP_QUEUED] = 99999;
  rows[0].figures[PEN_CLI_TOP_SPOOLED] = 1234567;
  rows[0].latency_us = 1500;
  rows[1].latency_us = 7200 * (gint64) G_USEC_PER_SEC;
  g_ptr_array_add (list, &rows[0]);
  g_ptr_array_add (list, &rows[1]);
  pen_cli_top_sort (&look, 0 /* trouble */);
  pen_cli_top_append_table (text, &peer, &look, &layout);
  g_assert_cmpstr (
      text->str, ==,
      "penstock 1, process 7, since today: 2 pipelines, 1 running, 1 failed\n"
      "in 0 B/s, spools 0 B, failed writes 0; by trouble\n"
      "PIPELINE  STATE    CONN   IN/s  OUT/s  DROPPED  REJECTED  LETTERS  QUEUE  SPOOL  LATENCY  "
      "COMPLAINT\n"
      "(all)              0/0     0.0    0.0        0         0        0      0      0        -\n"
      "b         failed   no      0.0    0.0        0         0        0      0      0    2.0 h  "
      "worse\\x0a\n"
      "a\\x1b[2J  running  yes   12346    0.2        0         0        0  99999   1.2M   1.5 "
      "ms\n");
  layout = (PenCliTopLayout){ .n_rows = 1, .first = 1, .width = 40 };
  g_string_truncate (text, 0);
  pen_cli_top_append_table (text, &peer, &look, &layout);
  lines = g_strsplit (text->str, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    g_assert_cmpint (g_utf8_strlen (lines[i], -1), <=, 40);
  g_assert_true (g_str_has_prefix (lines[4], "a\\x1b[2J "));
  g_assert_cmpuint (g_strv_length (lines), ==, 6);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/top/counts", test_top_counts);
  g_test_add_func ("/top/tells-latencies", test_top_tells_latencies);
  g_test_add_func ("/top/tells-complaints", test_top_tells_complaints);
  g_test_add_func ("/top/shows-hundreds", test_top_shows_hundreds);
  g_test_add_func ("/top/refuses-wrong-usage", test_top_refuses_wrong_usage);
  g_test_add_func ("/top/fills-a-terminal", test_top_fills_a_terminal);
  g_test_add_func ("/top/lays-out", test_top_lays_out);
  return g_test_run ();
}
