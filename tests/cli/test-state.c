/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which folder is the state folder.
 */

#include "config.h"

#include "pen-cli-state.h"
#include "pen-test.h"

static char *
test_find (const char *option, const char *systemd)
{
  PenCli cli = { .command = &pen_cli_run };
  int status = -1;
  char *folder;

  if (systemd != NULL)
    g_setenv ("STATE_DIRECTORY", systemd, TRUE /* overwrite */);
  else
    g_unsetenv ("STATE_DIRECTORY");
  folder = pen_cli_find_state_folder (&cli, option, &status);
  g_unsetenv ("STATE_DIRECTORY");
  g_assert_cmpint (status, ==, folder != NULL ? -1 : 2);
  return folder;
}

static void
test_state_finds (void)
{
  g_autofree char *current = g_get_current_dir ();
  g_autofree char *user = g_build_filename (g_get_user_state_dir (), "penstock", NULL);
  g_autofree char *relative = g_build_filename (current, "here", NULL);
  const struct
  {
    const char *option;
    const char *systemd;
    const char *expected;
  } table[] = {
    { NULL, NULL, user },
    { NULL, "", user },
    { NULL, "/var/lib/penstock", "/var/lib/penstock" },
    { NULL, "/var/lib/private/../a:/var/lib/b", "/var/lib/a" },
    { NULL, ":/var/lib/b", user },
    { "here", NULL, relative },
    { "./here/", "/var/lib/penstock", relative },
    { "/srv/state", NULL, "/srv/state" },
    { "", "/var/lib/penstock", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autofree char *folder = test_find (table[i].option, table[i].systemd);

      g_assert_cmpstr (folder, ==, table[i].expected);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/state/finds", test_state_finds);
  return g_test_run ();
}
