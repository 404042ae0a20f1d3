/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only shows across files: two pipelines that use what only one may.
 */

#include "config.h"

#include "pen-command.h"

static const struct
{
  const char *name;
  const char *text;
} test_files[] = {
  { "a.pipeline", "[source mqtt]\nhost=broker\nclient-id=x\ntopics=t\n[sink file]\npath=out\n" },
  { "b.pipeline", "[source mqtt]\nhost=broker\nclient-id=x\ntopics=t\n[sink file]\npath=out\n" },
  { "c.pipeline",
    "[source mqtt]\nhost=other\nclient-id=x\ntopics=t\n[sink file]\npath={pipeline}\n" },
  { "d.pipeline", "[source mqtt]\nhost=broker\ntopics=t\n[sink file]\npath={pipeline}\n" },
  { "e.pipeline", "[source mqtt]\nhost=broker\nclient-id=penstock-d\ntopics=t\n[sink stdout]\n" },
  { "f.pipeline", "[source mqtt one]\nhost=broker\ntopics=t\n"
                  "[source mqtt two]\nhost=broker\ntopics=t\nclient-id=penstock-f-one\n"
                  "[sink stdout]\nfrom=one;two\n" },
};

static const char *const test_expected
    = "@/b.pipeline:3:11: error: client id 'x' at broker:1883 is used in '@/a.pipeline' already: "
      "two clients with one id throw each other out for ever\n"
      "@/b.pipeline:6:6: error: file '@/out' is used in '@/a.pipeline' already: their lines and "
      "their rotation would get mixed up\n"
      "@/e.pipeline:3:11: error: client id 'penstock-d' at broker:1883 is used in "
      "'@/d.pipeline' already: two clients with one id throw each other out for ever\n"
      "@/f.pipeline:7:11: error: client id 'penstock-f-one' at broker:1883 is used in line 1 "
      "already: two clients with one id throw each other out for ever\n";

static void
test_fleet_claims (void)
{
  char *folder = pen_test_make_folder ();
  g_auto (PenCommand) command = { 0 };
  g_autoptr (GString) expected = g_string_new (test_expected);

  for (guint i = 0; i < G_N_ELEMENTS (test_files); i++)
    pen_test_write_file (folder, test_files[i].name, test_files[i].text);
  pen_command_run (&command, NULL, "check", folder, NULL);
  g_string_replace (expected, "@", folder, 0 /* all */);
  g_assert_cmpstr (command.output, ==, expected->str);
  g_assert_cmpint (command.status, ==, 1);
  pen_test_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/fleet/claims", test_fleet_claims);
  return g_test_run ();
}
