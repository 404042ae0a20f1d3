/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * penstock test: keyfiles that test themselves, through transforms that pass, reject, keep and wait
 * as the first letter of a payload says (transform-script).
 */

#include "config.h"

#include "pen-command.h"

#include <string.h>

typedef struct
{
  char *folder;
  char *path;
  char *modules;
} TestFixture;

static void
test_set_up (TestFixture *fixture, gconstpointer data)
{
  fixture->folder = pen_test_make_folder ();
  fixture->path = g_build_filename (fixture->folder, "site.pipeline", NULL);
  fixture->modules = g_build_filename (g_getenv ("G_TEST_BUILDDIR"), "core", "modules", NULL);
}

static void
test_tear_down (TestFixture *fixture, gconstpointer data)
{
  pen_test_remove_folder (fixture->folder);
  g_free (fixture->path);
  g_free (fixture->modules);
}

/* A source and a sink whose settings nobody has here; what goes in comes out. */
#define PLAIN                                                                                      \
  "[source mqtt]\nhost=${env:PENSTOCK_TEST_NOWHERE}\ntopics=a\nusername=x\n"                       \
  "password=${file:/nowhere/password}\n\n[sink file]\npath=${env:PENSTOCK_TEST_NOWHERE}\n\n"
#define SCRIPT                                                                                     \
  "[source file]\npath=${env:PENSTOCK_TEST_NOWHERE}\n\n[transform script]\n\n[sink stdout]\n\n"

/* Runs the tests of @text; returns what is printed to standard output without the folder's name. */
static char *
test_run (TestFixture *fixture, const char *text, int expected_status)
{
  g_auto (PenCommand) command = { 0 };
  GString *output;

  pen_test_write_file (fixture->folder, "site.pipeline", text);
  pen_command_run (&command, NULL, "--plugin-path", fixture->modules, "test", fixture->path, NULL);
  if (command.status != expected_status)
    g_error ("status %d: %s%s", command.status, command.output, command.errors);
  output = g_string_new (command.output);
  g_string_replace (output, fixture->folder, "", 0);
  return g_string_free (output, FALSE);
}

#define test_assert_run(fixture, text, status, expected)                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *output_ = test_run ((fixture), (text), (status));                             \
    g_assert_cmpstr (output_, ==, (expected));                                                     \
  }                                                                                                \
  G_STMT_END

static void
test_command_passes (TestFixture *fixture, gconstpointer data)
{
  test_assert_run (fixture,
                   PLAIN "[test several]\ninput={\"b\": 1, \"a\": [2]};x\\;y; z\n"
                         "expect={\"a\":[2],\"b\":1};x\\;y;z\n\n"
                         "[test exactly # so]\ninput=[ 1]\nexpect=[ 1]\nexact=true\n",
                   0,
                   "TAP version 13\n1..2\nok 1 - /site.pipeline: several\n"
                   "ok 2 - /site.pipeline: exactly \\# so\n");
}

static void
test_command_fails (TestFixture *fixture, gconstpointer data)
{
  test_assert_run (fixture,
                   PLAIN "[test differs]\ninput={\"a\":1.0};b\nexpect={\"a\":1}\n\n"
                         "[test is missing]\ninput=a\nexpect=a;b\n",
                   1,
                   "TAP version 13\n1..2\n"
                   "not ok 1 - /site.pipeline: differs\n"
                   "  ---\n  at: \"/site.pipeline:10\"\n  failures:\n"
                   "    - message: \"event 1 of 2: $.a: expected 1, got 1.0\"\n"
                   "      expected: |\n        {\"a\":1}\n      actual: |\n        {\"a\":1.0}\n"
                   "    - message: \"event 2 of 2 was not expected\"\n"
                   "      actual: |\n        b\n  ...\n"
                   "not ok 2 - /site.pipeline: is missing\n"
                   "  ---\n  at: \"/site.pipeline:14\"\n  failures:\n"
                   "    - message: \"event 2 of 2 did not come\"\n"
                   "      expected: |\n        b\n  ...\n");
}

static void
test_command_dead_letters (TestFixture *fixture, gconstpointer data)
{
  test_assert_run (fixture,
                   SCRIPT "[test as expected]\ninput=a;reject;out;drop;skip\nexpect=<a>;<skip>\n"
                          "expect-dead-letter=bad_letter;bad_letter;part_bad\n",
                   0, "TAP version 13\n1..1\nok 1 - /site.pipeline: as expected\n");
  test_assert_run (fixture, SCRIPT "[test other]\ninput=reject;reject\nexpect-dead-letter=good\n",
                   1,
                   "TAP version 13\n1..1\nnot ok 1 - /site.pipeline: other\n"
                   "  ---\n  at: \"/site.pipeline:8\"\n  failures:\n"
                   "    - message: \"dead letter 1 of 2 has another reason\"\n"
                   "      expected: |\n        good\n"
                   "      actual: |\n        bad_letter: transform script: begins with r\n"
                   "    - message: \"dead letter 2 of 2 was not expected\"\n"
                   "      actual: |\n        bad_letter: transform script: begins with r\n  ...\n");
}

/* What is kept comes at the end, unless drain=false; what asks for a second gets it by wait. */
static void
test_command_time (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *output
      = test_run (fixture,
                  SCRIPT "[test kept]\ninput=keep\nexpect=keep\n\n"
                         "[test kept back]\ninput=keep\ndrain=false\n\n"
                         "[test too early]\ninput=tick\ndrain=false\nwait=999ms\n\n"
                         "[test in time]\ninput=tick\ndrain=false\nwait=1s\nexpect=tick\n\n"
                         "[test between]\ninput=tick;x\ndrain=false\ninterval=1s\n"
                         "expect=tick;<x>\n",
                  0);

  g_assert_true (g_str_has_prefix (output, "TAP version 13\n1..5\nok 1 - "));
}

/* The events of one sink of two, from one source of two. */
static void
test_command_choice (TestFixture *fixture, gconstpointer data)
{
  static const char *const keyfile
      = "[source file one]\npath=a\n\n[sink file raw]\npath=b\n\n[source file two]\npath=c\n\n"
        "[transform script]\nfrom=one;two\n\n[transform script again]\n\n[sink file made]\npath=d\n"
        "\n[test raw of one]\nsource=one\nsink=raw\ninput=x\nexpect=x\ntopic=t/1\n"
        "expect-topic=t/1\n\n"
        "[test raw of two]\nsource=two\nsink=raw\ninput=x\n\n"
        "[test made of two]\nsource=two\nsink=made\ninput=2\nexpect=<<2>>;<<2>>\n";
  g_autofree char *output = test_run (fixture, keyfile, 0);

  g_assert_cmpstr (output, ==,
                   "TAP version 13\n1..3\nok 1 - /site.pipeline: raw of one\n"
                   "ok 2 - /site.pipeline: raw of two\nok 3 - /site.pipeline: made of two\n");
}

/* Topics count where they are expected. */
static void
test_command_topics (TestFixture *fixture, gconstpointer data)
{
  test_assert_run (fixture, PLAIN "[test other]\ntopic=a/1\ninput=x\nexpect=x\nexpect-topic=a/2\n",
                   1,
                   "TAP version 13\n1..1\nnot ok 1 - /site.pipeline: other\n"
                   "  ---\n  at: \"/site.pipeline:10\"\n  failures:\n"
                   "    - message: \"the topic of event 1 is another one\"\n"
                   "      expected: |\n        a/2\n      actual: |\n        a/1\n  ...\n");
}

/* What a transform is set to comes from this machine, as it needs it here. */
static void
test_command_environment (TestFixture *fixture, gconstpointer data)
{
  g_setenv ("PENSTOCK_TEST_VID", "device", TRUE);
  test_assert_run (fixture,
                   "[source file]\npath=${env:PENSTOCK_TEST_NOWHERE}\n\n[transform ammp]\n"
                   "missing-vid=${env:PENSTOCK_TEST_VID}\n\n[sink stdout]\n\n"
                   "[test the device]\ninput={\"t\":1,\"r\":[{\"_d\":\"meter\",\"E\":1}]}\n"
                   "expect={\"time\":\"1970-01-01T00:00:01+00:00\",\"data\":{\"meter\":{\"E\":1}}}"
                   "\n",
                   0, "TAP version 13\n1..1\nok 1 - /site.pipeline: the device\n");
}

/* The time of arrival is that of the test. */
static void
test_command_arrival (TestFixture *fixture, gconstpointer data)
{
  test_assert_run (fixture,
                   "[source file]\npath=-\n\n[transform window]\nwindows=1min\n"
                   "functions=mean(v)\n\n[sink stdout]\n\n"
                   "[test a minute]\ntime=2026-06-01T12:00:00Z\ninput={\"v\":1};{\"v\":4}\n"
                   "interval=30s\nwait=30s\ndrain=false\nexpect={\"start\":"
                   "\"2026-06-01T12:00:00+00:00\",\"end\":\"2026-06-01T12:01:00+00:00\","
                   "\"v_mean\":2.5}\n",
                   0, "TAP version 13\n1..1\nok 1 - /site.pipeline: a minute\n");
}

/* Texts that a block of YAML cannot hold are quoted. */
static void
test_command_blanks (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *output = NULL;

  pen_test_write_file (fixture->folder, "in.txt", " a\nb\tc\n");
  output = test_run (fixture, PLAIN "[test x]\ninput-file=in.txt\nexpect=x\n", 1);
  g_assert_nonnull (strstr (output, "      expected: |\n        x\n      actual: \" a\"\n"));
  g_assert_nonnull (strstr (output, "      actual: \"b\\tc\"\n"));
}

static void
test_command_many (TestFixture *fixture, gconstpointer data)
{
  g_autofree char *output
      = test_run (fixture, PLAIN "[test all]\ninput=1;2;3;4;5;6;7;8;9;10;11;12\n", 1);

  g_assert_nonnull (strstr (output, "\"event 10 of 12 was not expected\""));
  g_assert_null (strstr (output, "\"event 11 of 12 was not expected\""));
  g_assert_nonnull (strstr (output, "\"2 more differences are not shown\""));
}

static void
test_command_files (TestFixture *fixture, gconstpointer data)
{
  pen_test_write_file (fixture->folder, "in.jsonl", "a\n\n  \nb;c\n{\"d\": 1}");
  pen_test_write_file (fixture->folder, "out.jsonl", "a\nb;c\n{\"d\":1}\n");
  test_assert_run (fixture, PLAIN "[test lines]\ninput-file=in.jsonl\nexpect-file=out.jsonl\n\n", 0,
                   "TAP version 13\n1..1\nok 1 - /site.pipeline: lines\n");
  test_assert_run (
      fixture, PLAIN "[test bytes]\ninput-file=in.jsonl\nexpect-file=out.jsonl\nexact=true\n\n", 1,
      "TAP version 13\n1..1\nnot ok 1 - /site.pipeline: bytes\n"
      "  ---\n  at: \"/site.pipeline:10\"\n  failures:\n"
      "    - message: \"event 3 of 3: they differ from byte 6 on\"\n"
      "      expected: |\n        {\"d\":1}\n      actual: |\n        {\"d\": 1}\n  ...\n");
}

static void
test_command_sites (TestFixture *fixture, gconstpointer data)
{
  static const char *const sites = "[sites]\ncolumns=node\nmill=n1\nschool=n2\n\n";
  g_autofree char *keyfile
      = g_strconcat (sites, PLAIN,
                     "[test first]\ninput=a ${node}\nexpect=a n1\n\n"
                     "[test second]\nsite=school\ninput=a ${node}\nexpect=a n2\n",
                     NULL);

  test_assert_run (fixture, keyfile, 0,
                   "TAP version 13\n1..2\nok 1 - /site.pipeline: first\n"
                   "ok 2 - /site.pipeline: second\n");
}

static void
test_command_faulty (TestFixture *fixture, gconstpointer data)
{
  g_auto (PenCommand) none = { 0 };
  g_auto (PenCommand) without = { 0 };

  test_assert_run (fixture, PLAIN "[test a]\ninput=x\nhots=y\n", 1,
                   "TAP version 13\n1..1\nnot ok 1 - /site.pipeline: the keyfile is faulty\n");
  pen_command_run (&none, NULL, "test", NULL);
  g_assert_cmpint (none.status, ==, 2);
  pen_test_write_file (fixture->folder, "site.pipeline",
                       "[source file]\npath=-\n\n[sink stdout]\n");
  pen_command_run (&without, NULL, "test", fixture->folder, NULL);
  g_assert_cmpint (without.status, ==, 0);
  g_assert_nonnull (strstr (without.output, "1..0\n# no [test NAME] in "));
  g_assert_cmpstr (without.errors, ==, "0 passed, 0 failed\n");
}

/* Everything that `check` has to say of a test, and that a run has nothing to say of it. */
static void
test_command_check (TestFixture *fixture, gconstpointer data)
{
  static const char *const keyfile
      = "[source file a]\npath=-\n\n[source file b]\npath=x\n\n[transform ammp]\nfrom=a;b\n\n"
        "[sink file one]\npath=y\n\n[sink file two]\npath=z\n\n"
        "[test]\n[test of nothing]\nsource=a\nsink=one\n[test all wrong]\nsource=c\n"
        "input=x\ninput-file=/nowhere\nexpect=x\nexpect-file=y\ntime=noon\n"
        "expect-dead-letter=not one word\nsite=mill\nwait=5\n[test all wrong]\nsource=a\nsink=two\n"
        "input=x\ndrian=false\n";
  static const char *const expected[] = {
    ":16:1: error: a test has a name that says what it shows: [test NAME]\n",
    ":17:1: error: [test of nothing] has no input; ",
    ":20:1: error: [test all wrong] does not say which sink it means; there are one and two: set",
    ":21:8: error: there is no source 'c'; there are a and b",
    ":23:1: error: 'input-file' and 'input' in [test all wrong]: write the payloads in one of them",
    ":25:1: error: 'expect-file' and 'expect' in [test all wrong]: ",
    ":26:6: error: 'noon' is no time; write it as '2026-06-01T12:00:00Z'",
    ":27:20: error: 'not one word' is no reason of a dead letter; ",
    ":28:1: error: 'site' in [test all wrong]: this file has no [sites]",
    ":29:6: error: bad value '5' for 'wait' in [test all wrong]; ",
    ":30:7: error: there is a test 'all wrong' already, in line 20; ",
    ":34:1: error: unknown key 'drian' in [test all wrong]; did you mean 'drain'?",
  };
  g_auto (PenCommand) check = { 0 };
  g_auto (PenCommand) graph = { 0 };

  pen_test_write_file (fixture->folder, "site.pipeline", keyfile);
  pen_command_run (&check, NULL, "check", "--no-environment", fixture->path, NULL);
  g_assert_cmpint (check.status, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    if (strstr (check.output, expected[i]) == NULL)
      g_error ("'%s' is not in:\n%s", expected[i], check.output);
  g_assert_nonnull (strstr (check.errors, ": 12 errors, "));
  pen_command_run (&graph, NULL, "graph", fixture->path, NULL);
  g_assert_cmpint (graph.status, ==, 0);
}

/* A faulty test does not keep a pipeline from running. */
static void
test_command_run_ignores (TestFixture *fixture, gconstpointer data)
{
  g_auto (PenCommand) command = { 0 };

  pen_test_write_file (fixture->folder, "site.pipeline",
                       "[source file]\npath=-\n\n[sink stdout]\n\n[test x]\nsink=none\nwhat=1\n");
  pen_command_run (&command, "{}\n", "run", fixture->path, NULL);
  g_assert_cmpstr (command.output, ==, "{}\n");
  g_assert_cmpint (command.status, ==, 0);
}

#define test_add(path, func)                                                                       \
  g_test_add ("/cli-test/" path, TestFixture, NULL, test_set_up, func, test_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  test_add ("passes", test_command_passes);
  test_add ("fails", test_command_fails);
  test_add ("dead-letters", test_command_dead_letters);
  test_add ("time", test_command_time);
  test_add ("choice", test_command_choice);
  test_add ("topics", test_command_topics);
  test_add ("environment", test_command_environment);
  test_add ("arrival", test_command_arrival);
  test_add ("blanks", test_command_blanks);
  test_add ("many", test_command_many);
  test_add ("files", test_command_files);
  test_add ("sites", test_command_sites);
  test_add ("faulty", test_command_faulty);
  test_add ("check", test_command_check);
  test_add ("run-ignores", test_command_run_ignores);
  return g_test_run ();
}
