/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only shows across files: two pipelines that use what only one may.
 */

#include "config.h"

#include "pen-command.h"

typedef struct
{
  const char *name;
  const char *text;
} TestFile;

/* What check says of @files; '@' stands for their folder. */
static void
test_fleet_check (const TestFile *files, guint n_files, const char *expected, int status)
{
  char *folder = pen_test_make_folder ();
  g_auto (PenCommand) command = { 0 };
  g_autoptr (GString) text = g_string_new (expected);

  for (guint i = 0; i < n_files; i++)
    pen_test_write_file (folder, files[i].name, files[i].text);
  pen_command_run (&command, NULL, "check", folder, NULL);
  g_string_replace (text, "@", folder, 0 /* all */);
  g_assert_cmpstr (command.output, ==, text->str);
  g_assert_cmpint (command.status, ==, status);
  pen_test_remove_folder (folder);
}

static const TestFile test_claiming[] = {
  { "a.pipeline", "[source mqtt]\nhost=broker\nclient-id=x\ntopics=t/a\n[sink file]\npath=out\n" },
  { "b.pipeline",
    "[source mqtt]\nhost=Broker\nclient-id=x\ntopics=t/b\n[sink file]\npath=./new/../out\n" },
  { "c.pipeline",
    "[source mqtt]\nhost=other\nclient-id=x\ntopics=t\n[sink file]\npath={pipeline}\n" },
  { "d.pipeline", "[source mqtt]\nhost=broker\ntopics=t/d\n[sink file]\npath={pipeline}\n" },
  { "e.pipeline", "[source mqtt]\nhost=broker\nclient-id=penstock-d\ntopics=t/e\n[sink stdout]\n" },
  { "f.pipeline", "[source mqtt one]\nhost=broker\ntopics=t/f\n"
                  "[source mqtt two]\nhost=broker\ntopics=t/g\nclient-id=penstock-f-one\n"
                  "[sink stdout]\nfrom=one;two\n" },
  { "g.pipeline", "[source mqtt]\nhost=broker\ntopics=t/h\n[sink file]\npath=/dev/null\n" },
  { "h.pipeline", "[source mqtt]\nhost=broker\ntopics=t/i\n[sink file]\npath=/dev/null\n" },
};

static void
test_fleet_claims (void)
{
  test_fleet_check (
      test_claiming, G_N_ELEMENTS (test_claiming),
      "@/b.pipeline:3:11: error: client id 'x' at broker:1883 is used in '@/a.pipeline' already: "
      "two clients with one id throw each other out for ever\n"
      "@/b.pipeline:6:6: error: file '@/out' is used in '@/a.pipeline' already: their lines and "
      "their rotation would get mixed up\n"
      "@/e.pipeline:3:11: error: client id 'penstock-d' at broker:1883 is used in "
      "'@/d.pipeline' already: two clients with one id throw each other out for ever\n"
      "@/f.pipeline:7:11: error: client id 'penstock-f-one' at broker:1883 is used in line 1 "
      "already: two clients with one id throw each other out for ever\n",
      1);
}

#define TEST_TWICE                                                                                 \
  "a message that matches both is processed twice; narrow one of them, or give both one shared "   \
  "subscription: $share/GROUP/TOPIC\n"

static const TestFile test_overlapping[] = {
  { "a.pipeline", "[source mqtt]\nhost=broker\ntopics=a/+/data;b/1\n[sink stdout]\n" },
  { "b.pipeline", "[source mqtt]\nhost=broker\ntopics=c;a/7/#\n[sink stdout]\n" },
  { "c.pipeline", "[source mqtt]\nhost=broker\nport=1884\ntopics=#\n[sink stdout]\n" },
  { "d.pipeline", "[source mqtt]\nhost=broker\nclient-id=d\ntopics=$share/g/d/#\n[sink stdout]\n" },
  { "e.pipeline", "[source mqtt]\nhost=broker\nclient-id=e\ntopics=$share/g/d/#\n[sink stdout]\n" },
  { "f.pipeline", "[source mqtt one]\nhost=broker\ntopics=f/+;f/1\n"
                  "[source mqtt two]\nhost=BROKER\ntopics=f/2\n"
                  "[sink stdout]\nfrom=one;two\n" },
  { "g.pipeline", "[source mqtt]\nhost=broker\ntopics=d/9\n[sink stdout]\n" },
  { "h.pipeline", "[source mqtt]\nhost=broker\ntopics=$share/h/h\n[sink stdout]\n" },
  { "i.pipeline", "[source mqtt]\nhost=broker\ntopics=+/1\n[sink stdout]\n" },
};

/* The first of those that overlap is named, in the order of the files; one warning each. */
static void
test_fleet_overlaps (void)
{
  test_fleet_check (
      test_overlapping, G_N_ELEMENTS (test_overlapping),
      "@/b.pipeline:3:8: warning: 'a/7/#' overlaps 'a/+/data' in '@/a.pipeline', line "
      "3: " TEST_TWICE "@/f.pipeline:6:8: warning: 'f/2' overlaps 'f/+' in line 3: " TEST_TWICE
      "@/g.pipeline:3:8: warning: 'd/9' overlaps '$share/g/d/#' in '@/d.pipeline', line "
      "4: " TEST_TWICE
      "@/h.pipeline:3:8: warning: 'topics' in [source mqtt]: instances that share a subscription "
      "need different ids: set client-id, for example to site-${env:HOSTNAME}\n"
      "@/i.pipeline:3:8: warning: '+/1' overlaps 'b/1' in '@/a.pipeline', line 3: " TEST_TWICE,
      0);
}

/* A pipeline that is not taken, here for its name, is not compared with either. */
static void
test_fleet_leaves_faulty_out (void)
{
  static const TestFile files[] = {
    { "a.pipeline", "[source mqtt]\nhost=broker\ntopics=a\n[sink stdout]\n" },
    { "b.pipeline", "[pipeline]\nname=a\n"
                    "[source mqtt]\nhost=broker\ntopics=b;a\n[sink stdout]\n" },
    { "c.pipeline", "[source mqtt]\nhost=broker\ntopics=b\n[sink stdout]\n" },
  };

  test_fleet_check (files, G_N_ELEMENTS (files),
                    "@/b.pipeline:2:6: error: there is a pipeline 'a' already, in '@/a.pipeline'; "
                    "a name is used once\n",
                    1);
}

/* Sites of one file against each other were told before; here they are against other files. */
static void
test_fleet_has_sites (void)
{
  static const TestFile files[] = {
    { "a.pipeline", "[sites]\ncolumns=id\nx=one\ny=two\n[source mqtt]\nhost=broker\n"
                    "client-id=${id}\ntopics=t/${site}\n[sink stdout]\n" },
    { "a-y.pipeline", "[source mqtt]\nhost=broker\ntopics=u\n[sink stdout]\n" },
    { "b.pipeline", "[sites]\ncolumns=id\np=three\nq=two\nr=four;five\n[source mqtt]\n"
                    "host=broker\nclient-id=${id}\ntopics=t/${site}\n[sink stdout]\n" },
    { "c.pipeline", "[sites]\nx=\nz=\n[source mqtt]\nhost=broker\nclient-id=c-${site}\n"
                    "topics=t/${site}\n[sink stdout]\n" },
  };

  test_fleet_check (
      files, G_N_ELEMENTS (files),
      "@/a.pipeline:4:1: error: there is a pipeline 'a-y' already, in '@/a-y.pipeline'; a name is "
      "used once\n"
      "@/b.pipeline:5:3: error: 'r' has 2 values, and [sites] has 1 column; a ';' within a value "
      "is written '\\;'\n"
      "@/c.pipeline:2:1: warning: 't/x' overlaps 't/x' in '@/a.pipeline', line 3: " TEST_TWICE,
      1);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/fleet/claims", test_fleet_claims);
  g_test_add_func ("/fleet/overlaps", test_fleet_overlaps);
  g_test_add_func ("/fleet/leaves-faulty-out", test_fleet_leaves_faulty_out);
  g_test_add_func ("/fleet/has-sites", test_fleet_has_sites);
  return g_test_run ();
}
