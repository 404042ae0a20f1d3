/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Substitution: what is put in for what, what is refused with which words at which column, and what
 * is marked as not to be shown.
 */

#include "config.h"

#include "pen-substitution.h"
#include "pen-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  char *folder;
  PenReport report;
  PenSubstitution *substitution;
} Fixture;

/* All that was told so far, a line each, without the name of the folder. */
static char *
test_substitution_tell (Fixture *fixture)
{
  g_autoptr (GPtrArray) findings
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (GString) text = g_string_new (NULL);

  pen_report_finish (&fixture->report, findings);
  pen_report_init (&fixture->report, "x");
  for (guint i = 0; i < findings->len; i++)
    {
      g_autofree char *line = pen_diagnostic_format (g_ptr_array_index (findings, i));

      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", line);
    }
  g_string_replace (text, fixture->folder, "FOLDER", 0);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_substitution_add (Fixture *fixture, const char *name, const char *text, guint line)
{
  pen_substitution_add_variable (fixture->substitution, name, text, (PenPlace){ line, 5 });
}

static void
test_substitution_set_up (Fixture *fixture, gconstpointer data)
{
  gboolean wants_environment = data == NULL;
  g_autofree char *latin = NULL;

  fixture->folder = pen_test_make_folder ();
  pen_test_write_file (fixture->folder, "secret", "pa$$ss${env:SITE}\n");
  pen_test_write_file (fixture->folder, "dos", "line\r\n");
  pen_test_write_file (fixture->folder, "two", "one\ntwo\n\n");
  pen_test_write_file (fixture->folder, "latin", "M\374hle\n");
  pen_test_write_file (fixture->folder, "empty", "");
  latin = g_strnfill (64 * 1024 + 1, 'x');
  pen_test_write_file (fixture->folder, "large", latin);
  g_setenv ("SITE", "north", TRUE);
  g_setenv ("EMPTY", "", TRUE);
  g_setenv ("TRICKY", "${env:SITE};$$", TRUE);
  g_setenv ("LATIN", "M\374hle", TRUE);
  g_unsetenv ("MISSING");
  g_setenv ("CREDENTIALS_DIRECTORY", fixture->folder, TRUE);
  pen_report_init (&fixture->report, "x");
  fixture->substitution
      = pen_substitution_new (fixture->folder, wants_environment, &fixture->report);
  test_substitution_add (fixture, "site", "mill-7", 1);
  test_substitution_add (fixture, "place", "${env:SITE}", 2);
}

static void
test_substitution_tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *told = test_substitution_tell (fixture);

  g_clear_pointer (&fixture->report.findings, g_ptr_array_unref);
  pen_substitution_free (fixture->substitution);
  pen_test_remove_folder (fixture->folder);
}

static const struct
{
  const char *text;
  const char *expanded;
  guint origins;
} cases[] = {
  { "", "", 0 },
  { "plain", "plain", PEN_ORIGIN_LITERAL },
  { "$share/g/a/#", "$share/g/a/#", PEN_ORIGIN_LITERAL },
  { "$ConnectionString", "$ConnectionString", PEN_ORIGIN_LITERAL },
  { "5$", "5$", PEN_ORIGIN_LITERAL },
  { "a$$b$$", "a$b$", PEN_ORIGIN_LITERAL },
  { "$${env:SITE}", "${env:SITE}", PEN_ORIGIN_LITERAL },
  { "$$$$", "$$", PEN_ORIGIN_LITERAL },
  { "pa\\ss\\;", "pa\\ss\\;", PEN_ORIGIN_LITERAL },
  { "{topic}/{time:%Y}", "{topic}/{time:%Y}", PEN_ORIGIN_LITERAL },
  { "${env:SITE}", "north", PEN_ORIGIN_ENVIRONMENT },
  { "a/${env:SITE}/b", "a/north/b", PEN_ORIGIN_LITERAL | PEN_ORIGIN_ENVIRONMENT },
  { "${env:SITE}${env:SITE}", "northnorth", PEN_ORIGIN_ENVIRONMENT },
  { "${env:EMPTY}", "", PEN_ORIGIN_ENVIRONMENT },
  { "${env:EMPTY:-full}", "full", PEN_ORIGIN_ENVIRONMENT | PEN_ORIGIN_DEFAULT },
  { "${env:MISSING:-}", "", PEN_ORIGIN_ENVIRONMENT },
  { "${env:MISSING:-a:-$b}", "a:-$b", PEN_ORIGIN_ENVIRONMENT | PEN_ORIGIN_DEFAULT },
  { "${env:SITE:-south}", "north", PEN_ORIGIN_ENVIRONMENT | PEN_ORIGIN_DEFAULT },
  { "${env:TRICKY}", "${env:SITE};$$", PEN_ORIGIN_ENVIRONMENT },
  { "${file:secret}", "pa$$ss${env:SITE}", PEN_ORIGIN_FILE },
  { "${file:dos}", "line", PEN_ORIGIN_FILE },
  { "${file:two}", "one\ntwo\n", PEN_ORIGIN_FILE },
  { "${file:empty}", "", PEN_ORIGIN_FILE },
  { "${credential:secret}", "pa$$ss${env:SITE}", PEN_ORIGIN_CREDENTIAL },
  { "${site}", "mill-7", PEN_ORIGIN_LITERAL },
  { "${place}/${site}", "north/mill-7", PEN_ORIGIN_LITERAL | PEN_ORIGIN_ENVIRONMENT },
};

static void
test_substitution_expands (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (PenExpansion) expansion = { 0 };
      g_autofree char *told = NULL;
      gboolean is_good = pen_substitution_expand (fixture->substitution, cases[i].text, 0,
                                                  (PenPlace){ 3, 7 }, &expansion);

      told = test_substitution_tell (fixture);
      g_assert_cmpstr (told, ==, "");
      g_assert_true (is_good);
      g_assert_cmpstr (expansion.text, ==, cases[i].expanded);
      g_assert_cmphex (expansion.origins, ==, cases[i].origins);
    }
}

static const struct
{
  const char *text;
  const char *told;
} faults[] = {
  { "a${env:MISSING}b${nope}",
    "x:3:8: error: the environment variable 'MISSING' is not set; set it, or give it a default: "
    "${env:MISSING:-default}\n"
    "x:3:23: error: 'nope' is not in [variables]; an environment variable is written ${env:NAME}, "
    "and a dollar sign $$" },
  { "${sit}", "x:3:7: error: 'sit' is not in [variables]; did you mean 'site'?" },
  { "${env:}", "x:3:7: error: '' is not the name of an environment variable; write ${env:NAME} or "
               "${env:NAME:-default}" },
  { "${env:A B}",
    "x:3:7: error: 'A B' is not the name of an environment variable; write ${env:NAME} or "
    "${env:NAME:-default}" },
  { "${env:LATIN}", "x:3:7: error: the environment variable 'LATIN' is not UTF-8 text" },
  { "${site:-x}",
    "x:3:7: error: only an environment variable has a default: ${env:NAME:-default}" },
  { "${ENV:SITE}", "x:3:7: error: 'ENV' is no kind of substitution; did you mean 'env'?" },
  { "${vault:x}",
    "x:3:7: error: 'vault' is no kind of substitution; there are ${NAME}, ${env:NAME}, "
    "${file:PATH} and ${credential:NAME}" },
  { "${}",
    "x:3:7: error: '' is not the name of a variable; write ${NAME}, ${env:NAME}, ${file:PATH} or "
    "${credential:NAME}, or $$ for a dollar sign" },
  { "ab${site", "x:3:9: error: this '${' has no '}'; for a dollar sign, write '$$'" },
  { "${env:MISSING:-${site}}", "x:3:7: error: a substitution cannot stand within another one" },
  { "${file:}", "x:3:7: error: ${file:} names no file; write ${file:PATH}" },
  { "${file:gone}",
    "x:3:7: error: the file cannot be read: 'FOLDER/gone': No such file or directory" },
  { "${file:/}", "x:3:7: error: the file cannot be read: '/': Is a directory" },
  { "${file:/dev/null}",
    "x:3:7: error: the file cannot be read: '/dev/null': it is not a regular file" },
  { "${file:large}",
    "x:3:7: error: the file cannot be read: 'FOLDER/large': it has more than 65536 bytes" },
  { "${file:latin}",
    "x:3:7: error: the file cannot be used: 'FOLDER/latin': it is not UTF-8 text" },
  { "${credential:../secret}",
    "x:3:7: error: '../secret' is not the name of a credential; write ${credential:NAME}" },
  { "${credential:gone}",
    "x:3:7: error: the credential 'gone' cannot be read: 'FOLDER/gone': No such file or "
    "directory" },
};

static void
test_substitution_refuses (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_auto (PenExpansion) expansion = { 0 };
      g_autofree char *told = NULL;

      g_assert_false (pen_substitution_expand (fixture->substitution, faults[i].text, 0,
                                               (PenPlace){ 3, 7 }, &expansion));
      g_assert_null (expansion.text);
      told = test_substitution_tell (fixture);
      g_assert_cmpstr (told, ==, faults[i].told);
    }
}

static void
test_substitution_without_credentials (Fixture *fixture, gconstpointer data)
{
  g_auto (PenExpansion) expansion = { 0 };
  g_autofree char *told = NULL;

  g_unsetenv ("CREDENTIALS_DIRECTORY");
  g_assert_false (pen_substitution_expand (fixture->substitution, "${credential:secret}", 0,
                                           (PenPlace){ 1, 1 }, &expansion));
  told = test_substitution_tell (fixture);
  g_assert_cmpstr (told, ==,
                   "x:1:1: error: there is no credential 'secret': systemd passed none to this "
                   "process (CREDENTIALS_DIRECTORY is not set); see LoadCredential= in "
                   "systemd.exec");
}

/* A FIFO that nobody writes to: refused, not waited for. */
static void
test_substitution_refuses_fifo (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "fifo", NULL);
  g_auto (PenExpansion) expansion = { 0 };
  g_autofree char *told = NULL;

  g_assert_no_errno (mkfifo (path, 0600));
  g_assert_false (pen_substitution_expand (fixture->substitution, "${file:fifo}", 0,
                                           (PenPlace){ 1, 1 }, &expansion));
  told = test_substitution_tell (fixture);
  g_assert_cmpstr (told, ==,
                   "x:1:1: error: the file cannot be read: 'FOLDER/fifo': it is not a regular "
                   "file");
}

static void
test_substitution_bounds (Fixture *fixture, gconstpointer data)
{
  g_autofree char *content = g_strnfill (60 * 1024, 'x');
  g_auto (PenExpansion) expansion = { 0 };
  g_autofree char *told = NULL;

  pen_test_write_file (fixture->folder, "big", content);
  g_assert_false (pen_substitution_expand (
      fixture->substitution, "${file:big}${file:big}${file:big}${file:big}${file:big}${file:big}",
      0, (PenPlace){ 1, 1 }, &expansion));
  told = test_substitution_tell (fixture);
  g_assert_cmpstr (told, ==,
                   "x:1:1: error: this value is too long with what was put in; at most 262144 "
                   "bytes");
}

static void
test_substitution_list_items (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *text;
    const char *expanded;
  } items[] = {
    { "a\\;b", "a;b" },
    { "a\\b\\\\;", "a\\b\\;" },
    { "${env:MISSING:-x\\;y}", "x;y" },
    { "${env:TRICKY}", "${env:SITE};$$" },
  };
  g_auto (PenExpansion) unclosed = { 0 };
  g_autofree char *told = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    {
      g_auto (PenExpansion) expansion = { 0 };

      g_assert_true (pen_substitution_expand (fixture->substitution, items[i].text,
                                              PEN_EXPAND_LIST_ITEM, (PenPlace){ 1, 1 },
                                              &expansion));
      g_assert_cmpstr (expansion.text, ==, items[i].expanded);
    }
  g_assert_false (pen_substitution_expand (fixture->substitution, "${env:MISSING:-x",
                                           PEN_EXPAND_LIST_ITEM, (PenPlace){ 1, 1 }, &unclosed));
  told = test_substitution_tell (fixture);
  g_assert_cmpstr (told, ==,
                   "x:1:1: error: this '${' has no '}'; a list is split at ';' first, so write "
                   "'\\;' for a ';' within the braces, and '$$' for a dollar sign");
}

/* Told once, where the variable stands, and not again where it is used. */
static void
test_substitution_variables (Fixture *fixture, gconstpointer data)
{
  g_auto (PenExpansion) expansion = { 0 };
  g_autofree char *told = NULL;

  test_substitution_add (fixture, "bad", "x${env:MISSING}", 8);
  test_substitution_add (fixture, "nested", "${site}", 9);
  g_assert_false (pen_substitution_expand (fixture->substitution, "${bad}${nested}", 0,
                                           (PenPlace){ 12, 1 }, &expansion));
  told = test_substitution_tell (fixture);
  g_assert_cmpstr (told, ==,
                   "x:8:6: error: the environment variable 'MISSING' is not set; set it, or give "
                   "it a default: ${env:MISSING:-default}\n"
                   "x:9:5: error: a variable cannot use another variable");
}

static gboolean
test_substitution_is_hidden (Fixture *fixture, const char *text)
{
  g_auto (PenExpansion) expansion = { 0 };

  g_assert_true (
      pen_substitution_expand (fixture->substitution, text, 0, (PenPlace){ 1, 1 }, &expansion));
  return expansion.is_hidden;
}

static void
test_substitution_hides (Fixture *fixture, gconstpointer data)
{
  g_assert_false (test_substitution_is_hidden (fixture, "literal ${env:SITE} ${place} $${site}"));
  g_assert_true (test_substitution_is_hidden (fixture, "${file:secret}"));
  g_assert_true (test_substitution_is_hidden (fixture, "a${credential:secret}"));

  test_substitution_add (fixture, "key", "${file:secret}", 3);
  g_assert_true (test_substitution_is_hidden (fixture, "${key}"));

  pen_substitution_hide (fixture->substitution, "$$${env:SITE:-x}");
  g_assert_true (test_substitution_is_hidden (fixture, "${env:SITE}"));
  g_assert_true (test_substitution_is_hidden (fixture, "${env:SITE:-other}"));
  g_assert_false (test_substitution_is_hidden (fixture, "${site}"));

  pen_substitution_hide (fixture->substitution, "${site}");
  g_assert_true (test_substitution_is_hidden (fixture, "${site}"));
  g_assert_false (test_substitution_is_hidden (fixture, "${env:EMPTY}"));
}

/* A secret is not spelt out because its '${' was not meant as one. */
static void
test_substitution_keeps_secrets (Fixture *fixture, gconstpointer data)
{
  static const char *const secrets[]
      = { "${hunter2}",       "${hunter2 x}",           "${hunter2:x}",
          "${env:hunter2 x}", "${credential:/hunter2}", "${env:A:-hunter2${x}}",
          "${hunter2" };

  for (gsize i = 0; i < G_N_ELEMENTS (secrets); i++)
    {
      g_auto (PenExpansion) expansion = { 0 };
      g_autofree char *told = NULL;

      g_assert_false (pen_substitution_expand (fixture->substitution, secrets[i], PEN_EXPAND_SECRET,
                                               (PenPlace){ 1, 1 }, &expansion));
      told = test_substitution_tell (fixture);
      g_assert_cmpstr (told, !=, "");
      g_assert_null (strstr (told, "hunter2"));
    }
}

static void
test_substitution_without_environment (Fixture *fixture, gconstpointer data)
{
  static const char *const unknown[]
      = { "${env:MISSING}", "a${env:SITE}", "${file:gone}", "${credential:x}", "${place}" };
  g_auto (PenExpansion) known = { 0 };
  g_autofree char *told = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (unknown); i++)
    {
      g_auto (PenExpansion) expansion = { 0 };

      g_assert_true (pen_substitution_expand (fixture->substitution, unknown[i], 0,
                                              (PenPlace){ 1, 1 }, &expansion));
      g_assert_null (expansion.text);
    }
  g_assert_true (pen_substitution_expand (fixture->substitution, "${site}/${env:SITE:-default}", 0,
                                          (PenPlace){ 1, 1 }, &known));
  g_assert_cmpstr (known.text, ==, "mill-7/default");
  told = test_substitution_tell (fixture);
  g_assert_cmpstr (told, ==, "");
}

#define ADD_TEST(name, func, data)                                                                 \
  g_test_add ("/substitution/" name, Fixture, data, test_substitution_set_up, func,                \
              test_substitution_tear_down)

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  ADD_TEST ("expands", test_substitution_expands, NULL);
  ADD_TEST ("refuses", test_substitution_refuses, NULL);
  ADD_TEST ("refuses-fifo", test_substitution_refuses_fifo, NULL);
  ADD_TEST ("without-credentials", test_substitution_without_credentials, NULL);
  ADD_TEST ("bounds", test_substitution_bounds, NULL);
  ADD_TEST ("list-items", test_substitution_list_items, NULL);
  ADD_TEST ("variables", test_substitution_variables, NULL);
  ADD_TEST ("hides", test_substitution_hides, NULL);
  ADD_TEST ("keeps-secrets", test_substitution_keeps_secrets, NULL);
  ADD_TEST ("without-environment", test_substitution_without_environment, "");
  return g_test_run ();
}
