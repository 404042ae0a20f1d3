/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 'penstock spool' on spools that are damaged: what it finds, what it can still be asked, and that
 * a repair saves the rest.
 */

#include "config.h"

#include "pen-command.h"
#include "pen-test-spool.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define N_MESSAGES 300
#define VICTIM "a/100/u"

static void
test_run (const PenTestSpool *spool, PenCommand *command, const char *line)
{
  g_autofree char *all = g_strdup_printf ("spool %s --state-dir %s", line, spool->folder);
  g_auto (GStrv) arguments = g_strsplit (all, " ", -1);

  pen_command_clear (command);
  pen_command_run_strv (command, "" /* no terminal */, (const char *const *) arguments);
  g_test_message ("%s: %d\n%s%s", line, command->status, command->output, command->errors);
}

static void
test_set_up (PenTestSpool *spool, gconstpointer data)
{
  pen_test_spool_set_up (spool, data);
  pen_test_spool_open (spool, PEN_SPOOL_STORE_NONE);
  pen_test_spool_fill (spool, 1, N_MESSAGES);
  pen_test_spool_move (spool, "mysql", 10, 0);
  pen_test_spool_close (spool, TRUE /* all_settled */);
}

/* Another byte in the message of that topic. */
static void
test_flip (const PenTestSpool *spool)
{
  g_autofree char *bytes = NULL;
  gsize length = 0;
  char *place;

  bytes = pen_test_read_file (spool->path, &length);
  place = memmem (bytes, length, VICTIM, strlen (VICTIM));
  g_assert_nonnull (place);
  place[2] ^= 1;
  g_assert_true (g_file_set_contents (spool->path, bytes, (gssize) length, NULL));
}

static void
test_damage_of_a_message (PenTestSpool *spool, gconstpointer data)
{
  g_auto (PenCommand) command = { 0 };

  test_run (spool, &command, "check");
  g_assert_true (g_str_has_prefix (command.output, "site-7: 300 messages in "));
  g_assert_true (g_str_has_suffix (command.output, ": good\n"));
  g_assert_cmpint (command.status, ==, 0);

  test_flip (spool);
  test_run (spool, &command, "check --pipeline site-7");
  g_assert_true (g_str_has_prefix (command.output, "site-7: 299 messages in "));
  g_assert_true (g_str_has_suffix (command.output, ": damaged\n"));
  g_assert_nonnull (strstr (command.errors, "message 100 of spool "));
  g_assert_nonnull (strstr (command.errors, "call 'penstock spool check --repair --pipeline "
                                            "site-7'; starting the pipeline does the same\n"));
  g_assert_cmpint (command.status, ==, 1);
  /* the others can be looked at */
  test_run (spool, &command, "show --pipeline site-7 --topic a/103/u");
  g_assert_nonnull (strstr (command.output, "{\"position\":103,"));
  g_assert_nonnull (strstr (command.errors, "message 100 of spool "));
  g_assert_cmpint (command.status, ==, 1);
}

static void
test_damage_of_the_structure (PenTestSpool *spool, gconstpointer data)
{
  g_auto (PenCommand) command = { 0 };

  g_assert_cmpint (truncate (spool->path, 65536 + 100), ==, 0);
  test_run (spool, &command, "ls");
  g_assert_nonnull (strstr (command.output, "site-7    ?"));
  g_assert_nonnull (strstr (command.errors, "is damaged"));
  g_assert_cmpint (command.status, ==, 1);
  test_run (spool, &command, "check");
  g_assert_nonnull (strstr (command.errors, "is damaged"));
  g_assert_cmpint (command.status, ==, 1);
  test_run (spool, &command, "drop --pipeline site-7 --yes");
  g_assert_cmpint (command.status, ==, 0);
  g_assert_false (g_file_test (spool->path, G_FILE_TEST_EXISTS));
}

static void
test_damage_is_repaired (PenTestSpool *spool, gconstpointer data)
{
  g_auto (PenCommand) command = { 0 };

  test_flip (spool);
  test_run (spool, &command, "check --repair");
  g_assert_nonnull (strstr (command.output, "site-7: 299 messages in "));
  g_assert_true (g_str_has_suffix (command.output, ": good\n"));
  g_assert_cmpint (command.status, ==, 0);
  test_run (spool, &command, "ls");
  g_assert_nonnull (strstr (command.output, "mysql"));
  g_assert_nonnull (strstr (command.errors, ".db.damaged-"));
  g_assert_nonnull (strstr (command.errors, "is what was damaged before a repair"));
  g_assert_cmpint (command.status, ==, 0);
  test_run (spool, &command, "drop --pipeline site-7");
  g_assert_nonnull (strstr (command.errors, "; and also '"));
  g_assert_nonnull (strstr (command.errors, ".db.damaged-"));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add ("/spool-damage/of-a-message", PenTestSpool, NULL, test_set_up,
              test_damage_of_a_message, pen_test_spool_tear_down);
  g_test_add ("/spool-damage/of-the-structure", PenTestSpool, NULL, test_set_up,
              test_damage_of_the_structure, pen_test_spool_tear_down);
  g_test_add ("/spool-damage/is-repaired", PenTestSpool, NULL, test_set_up, test_damage_is_repaired,
              pen_test_spool_tear_down);
  return g_test_run ();
}
