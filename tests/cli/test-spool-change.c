/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 'penstock spool' on spools that the test has written: what it replays and throws away, and that
 * it asks before.
 */

#include "config.h"

#include "pen-spooled.h"

#include <glib/gstdio.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 65534

static void
test_spool_replays_to_a_sink (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };

  pen_spooled_init (&fixture);
  pen_spooled_run (&fixture, &command,
                   "replay --pipeline site-7 --sink mysql --topic a/1/u --from 6d --yes");
  g_assert_cmpstr (command.output, ==,
                   "1 message (2 B) will go to mysql again when the pipeline runs.\n");
  g_assert_cmpstr (command.errors, ==, "1 matching message still waits and will come anyway.\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_assert_dump (&fixture, 9, "10:m10 11mysql!:m7");
  /* what was copied is not copied again, and waits for the one sink */
  pen_spooled_run (&fixture, &command,
                   "replay --pipeline site-7 --sink mysql --topic a/1/u --from 6d --yes");
  g_assert_cmpstr (command.errors, ==,
                   "1 matching message still waits and will come anyway.\n"
                   "1 matching message of an earlier replay still waits and will come anyway.\n");
  pen_spooled_assert_dump (&fixture, 9, "10:m10 11mysql!:m7 12mysql!:m7");
  pen_spooled_run (&fixture, &command, "show --pipeline site-7 --sink file");
  g_assert_cmpstr (command.output, ==, "");
  pen_spooled_run (&fixture, &command, "ls");
  g_assert_nonnull (strstr (command.output, "site-7    mysql             4    9 B"));
  g_assert_nonnull (strstr (command.output, "site-7    file              0    0 B"));
  pen_spooled_clear (&fixture);
}

static void
test_spool_replays_to_each (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };

  pen_spooled_init (&fixture);
  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --from 5d --yes");
  g_assert_cmpstr (command.output, ==,
                   "4 messages (9 B) will go to mysql and file again when the pipeline runs.\n");
  g_assert_cmpstr (command.errors, ==, "2 matching messages still wait and will come anyway.\n");
  pen_spooled_assert_dump (&fixture, 10, "11mysql!:m8 12file!:m8 13file!:m9 14file!:m10");
  pen_spooled_clear (&fixture);
}

static void
test_spool_replays_nothing (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };

  pen_spooled_init (&fixture);
  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --topic x");
  g_assert_cmpstr (command.errors, ==,
                   "Nothing that sinks have had matches. What was delivered is kept only if the "
                   "keyfile says so, with spool-keep=7d in [pipeline].\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --sink old --yes");
  g_assert_cmpstr (command.errors, ==,
                   "penstock spool replay: nothing was changed: the sink is gone from the "
                   "keyfile\n");
  g_assert_cmpint (command.status, ==, 1);
  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --sink mysql");
  g_assert_cmpstr (command.errors, ==,
                   "2 matching messages still wait and will come anyway.\n"
                   "Replay 8 messages (16 B) of pipeline site-7 to mysql?\n"
                   "penstock spool replay: nothing was changed: there is no terminal to ask at; "
                   "--yes does it without asking\nTry 'penstock spool replay --help'.\n");
  g_assert_cmpint (command.status, ==, 2);
  pen_spooled_assert_dump (&fixture, 10, "");
  pen_spooled_clear (&fixture);
}

static void
test_spool_drops_a_sink (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };

  pen_spooled_init (&fixture);
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --sink old --yes");
  g_assert_cmpstr (command.output, ==,
                   "2 messages (4 B) dropped for sink old of pipeline site-7. What no other sink "
                   "waits for goes from the disk when the pipeline runs.\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_run (&fixture, &command, "show --pipeline site-7 --sink old");
  g_assert_cmpstr (command.errors, ==,
                   "penstock spool show: the spool of 'site-7' knows no sink 'old'; it knows mysql "
                   "and file\n");
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --sink mysql");
  g_assert_true (g_str_has_prefix (command.errors, "Drop 2 messages (5 B) that wait for sink mysql "
                                                   "of pipeline site-7?\n"));
  g_assert_cmpint (command.status, ==, 2);
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --sink mysql --topic a/# --yes");
  g_assert_nonnull (strstr (command.errors, "a message cannot be dropped for one sink alone: "));
  g_assert_cmpint (command.status, ==, 2);
  pen_spooled_run (&fixture, &command, "show --pipeline site-7 --sink mysql");
  g_assert_nonnull (strstr (command.output, "m10"));
  pen_spooled_clear (&fixture);
}

static void
test_spool_drops_messages (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };

  pen_spooled_init (&fixture);
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --topic a/1/u --to 4d");
  g_assert_true (g_str_has_prefix (command.errors, "Drop 4 messages (8 B) from the spool of "
                                                   "pipeline site-7, for all of its sinks?\n"));
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --topic a/1/u --to 4d --yes");
  g_assert_cmpstr (command.output, ==,
                   "4 messages (8 B) dropped from the spool of pipeline site-7.\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_assert_dump (&fixture, 0, "2:m2 4:m4 6:m6 8:m8 9:m9 10:m10");
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --topic a/1/u --to 4d --yes");
  g_assert_cmpstr (command.errors, ==, "Nothing in the spool matches.\n");
  pen_spooled_run (&fixture, &command, "check");
  g_assert_true (g_str_has_prefix (command.output, "site-7: 6 messages in "));
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_clear (&fixture);
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
  PenSpooled fixture = { .state = pen_test_make_folder () };
  PenSpoolStore *store = pen_spooled_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  g_autofree char *path = g_strdup (pen_spool_store_get_path (store));
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_spool_record_free);
  g_auto (PenCommand) command = { 0 };

  for (guint i = 0; i < 2000; i++)
    g_ptr_array_add (records, pen_spooled_make_record (i % 2 == 0 ? "keep" : "drop",
                                                       i % 2 == 0 ? "kept" : payload, 0));
  pen_spooled_commit (store, records, NULL);
  pen_spool_store_close (store, FALSE /* all_settled */);
  g_assert_cmpuint (test_count_text (path, payload), >=, 1000);
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --topic drop --yes");
  g_assert_cmpint (command.status, ==, 0);
  g_assert_cmpuint (test_count_text (path, payload), ==, 0);
  g_assert_cmpuint (test_count_text (path, "kept"), >=, 1000);
  pen_spooled_run (&fixture, &command, "check");
  g_assert_true (g_str_has_prefix (command.output, "site-7: 1,000 messages in "));
  g_assert_cmpint (command.status, ==, 0);
  store = pen_spooled_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
  pen_spool_store_close (store, FALSE /* all_settled */);
  pen_spooled_clear (&fixture);
}

static void
test_spool_drops_all (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *folder = NULL;
  g_autoptr (GDir) dir = NULL;

  pen_spooled_init (&fixture);
  folder = g_build_filename (fixture.state, "spool", NULL);
  pen_test_write_file (folder, "site-7.db.damaged-1", "x");
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7");
  g_assert_true (g_str_has_prefix (
      command.errors, "Drop the spool of pipeline site-7 with 10 messages (21 B), of which 2 for "
                      "sink mysql and 2 for sink old still wait; and also "
                      "'STATE/spool/site-7.db.damaged-1'?\n"));
  g_assert_cmpint (command.status, ==, 2);
  pen_spooled_run (&fixture, &command, "drop --pipeline site-7 --yes");
  g_assert_cmpstr (command.output, ==, "The spool of pipeline site-7 is gone.\n");
  g_assert_cmpint (command.status, ==, 0);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, NULL);
  pen_spooled_run (&fixture, &command, "ls");
  g_assert_cmpstr (command.output, ==, "");
  g_assert_cmpstr (command.errors, ==,
                   "No spools are in 'STATE'. (That of a service is mostly --state-dir "
                   "/var/lib/penstock.)\n");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_clear (&fixture);
}

/* Also one that is no database at all. */
static void
test_spool_drops_what_it_cannot_read (void)
{
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *folder = NULL;

  pen_spooled_init (&fixture);
  folder = g_build_filename (fixture.state, "spool", NULL);
  pen_test_write_file (folder, "x.db", "certainly no database");
  pen_spooled_run (&fixture, &command, "ls");
  g_assert_nonnull (strstr (command.output, "site-7    mysql"));
  g_assert_nonnull (strstr (command.errors, "STATE/spool/x.db"));
  g_assert_cmpint (command.status, ==, 1);
  pen_spooled_run (&fixture, &command, "drop --pipeline x");
  g_assert_true (g_str_has_prefix (command.errors, "Drop the spool of pipeline x with messages "
                                                   "that nobody can count, because it cannot be "
                                                   "read?\n"));
  pen_spooled_run (&fixture, &command, "drop --pipeline x --yes");
  g_assert_cmpint (command.status, ==, 0);
  pen_spooled_run (&fixture, &command, "ls --names");
  g_assert_cmpstr (command.output, ==, "site-7\n");
  pen_spooled_clear (&fixture);
}

/* What root changes can still be opened by the service's user. */
static void
test_spool_leaves_files_to_their_owner (void)
{
  static const char *const names[] = { "site-7.lock", "new.db", "new.lock" };
  PenSpooled fixture;
  g_auto (PenCommand) command = { 0 };
  g_autofree char *folder = NULL;
  g_autofree char *lock = NULL;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give files away");
      return;
    }
  pen_spooled_init (&fixture);
  folder = g_build_filename (fixture.state, "spool", NULL);
  lock = g_build_filename (folder, "site-7.lock", NULL);
  g_assert_cmpint (g_unlink (lock), ==, 0);
  g_assert_cmpint (chown (folder, OTHER_USER, OTHER_USER), ==, 0);
  pen_spooled_run (&fixture, &command, "replay --pipeline site-7 --yes");
  g_assert_cmpint (command.status, ==, 0);
  pen_spool_store_close (pen_spooled_open (&fixture, "new", PEN_SPOOL_STORE_NONE), TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      struct stat status;

      g_assert_cmpint (g_stat (path, &status), ==, 0);
      g_assert_cmpuint (status.st_uid, ==, OTHER_USER);
    }
  pen_spooled_clear (&fixture);
}

/* At a terminal: what is asked, with @answer, and how it ends. */
static char *
test_ask (const PenSpooled *fixture, const char *answer, int *status)
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
  PenSpooled fixture;

  pen_spooled_init (&fixture);
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
  pen_spooled_clear (&fixture);
}

/* Whether a run ended in order or in a crash is what the next run goes by, whoever changed the
 * spool in between. */
static void
test_spool_remembers_how_it_was_closed (void)
{
  static const char *const lines[] = {
    "replay --pipeline site-7 --yes",
    "drop --pipeline site-7 --topic a/1/# --yes",
    "drop --pipeline site-7 --sink old --yes",
    "check --repair",
  };
  PenSpooled fixture;

  pen_spooled_init (&fixture);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (lines); i++)
    {
      gboolean was_closed = i % 2 == 0;
      g_auto (PenCommand) command = { 0 };
      PenSpoolStore *store = pen_spooled_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
      PenSpoolStatus status;

      pen_spool_store_close (store, was_closed);
      pen_spooled_run (&fixture, &command, lines[i / 2]);
      store = pen_spooled_open (&fixture, "site-7", PEN_SPOOL_STORE_NONE);
      pen_spool_store_get_status (store, &status);
      g_assert_true (status.was_closed == was_closed);
      pen_spool_store_close (store, TRUE /* all_settled */);
    }
  pen_spooled_clear (&fixture);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/spool-change/replays-to-a-sink", test_spool_replays_to_a_sink);
  g_test_add_func ("/spool-change/replays-to-each", test_spool_replays_to_each);
  g_test_add_func ("/spool-change/replays-nothing", test_spool_replays_nothing);
  g_test_add_func ("/spool-change/drops-a-sink", test_spool_drops_a_sink);
  g_test_add_func ("/spool-change/drops-messages", test_spool_drops_messages);
  g_test_add_func ("/spool-change/drops-for-good", test_spool_drops_for_good);
  g_test_add_func ("/spool-change/drops-all", test_spool_drops_all);
  g_test_add_func ("/spool-change/drops-what-it-cannot-read", test_spool_drops_what_it_cannot_read);
  g_test_add_func ("/spool-change/leaves-files-to-their-owner",
                   test_spool_leaves_files_to_their_owner);
  g_test_add_func ("/spool-change/asks", test_spool_asks);
  g_test_add_func ("/spool-change/remembers-how-it-was-closed",
                   test_spool_remembers_how_it_was_closed);
  return g_test_run ();
}
