/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random keyfiles, good and damaged: what the scanner accepts, GKeyFile reads alike, and every
 * place that it tells is where it says.
 */

#include "config.h"

#include "pen-corpus.h"
#include "pen-guard.h"
#include "pen-judge-keyfile.h"
#include "pen-random-json.h"
#include "pen-test.h"

#define LIMIT (64 * 1024)
#define N_TEXTS 20000

static void
test_keyfile_random_append_line (GString *text)
{
  static const char *const groups[] = {
    "[pipeline]",  "[source mqtt]",  "  [sink stdout]", "[sink file archive]\t",
    "[variables]", "[sink  stdout]", "[s\xc3\xa9]",
  };
  static const char *const keys[]
      = { "host", "  port", "key-file ", "a.b", "x_y", "\ttopics\t", "Encoding", "name", "q" };
  static const char *const values[] = {
    "",           "8883",          "a/#;b/+/c", "pa\\ss", "${env:HOME:-x}",
    "$share/g/#", "\\s\\n\\t\\\\", "  x  ",     "#",      "[x]",
    "a=b",        "\xe2\x82\xac",  "x # y",     "\t",     "\"quoted\"",
    "a;b\\;c;",
  };
  static const char *const others[]
      = { "", "# comment", "  # [group]", "#", "\t ", "; no comment", "novalue", "=", "[open" };
  gint kind = g_test_rand_int_range (0, 12);

  if (kind < 2)
    g_string_append (text, pen_random_pick (groups, G_N_ELEMENTS (groups)));
  else if (kind < 10)
    {
      g_string_append (text, pen_random_pick (keys, G_N_ELEMENTS (keys)));
      g_string_append_c (text, '=');
      g_string_append (text, pen_random_pick (values, G_N_ELEMENTS (values)));
    }
  else
    g_string_append (text, pen_random_pick (others, pen_random_chance (8) ? 9 : 5));
  g_string_append (text, pen_random_chance (6) ? "\r\n" : "\n");
}

/* Returns how many were accepted. */
static guint
test_keyfile_random_judge (guint n_mutations)
{
  g_autoptr (PenGuard) guard = pen_guard_new (LIMIT);
  guint n_accepted = 0;

  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      gint n_lines = g_test_rand_int_range (0, 8);

      if (n_lines > 0)
        g_string_append (text, "[pipeline]\n");
      for (gint line = 0; line < n_lines; line++)
        test_keyfile_random_append_line (text);
      for (guint round = 0; round < n_mutations; round++)
        pen_random_json_mutate (text);
      n_accepted
          += pen_judge_keyfile (pen_guard_put (guard, text->str, text->len), text->len) ? 1 : 0;
    }
  return n_accepted;
}

static void
test_keyfile_random_good (void)
{
  g_assert_cmpuint (test_keyfile_random_judge (0), >, N_TEXTS / 4);
}

static void
test_keyfile_random_damaged (void)
{
  g_assert_cmpuint (test_keyfile_random_judge (1), >, N_TEXTS / 20);
}

static void
test_keyfile_random_check_seed (const char *name,
                                const char *text,
                                gsize length,
                                gpointer user_data)
{
  gboolean accepted = pen_judge_keyfile (text, length);

  if (accepted != (pen_corpus_get_verdict (name) == PEN_SLOW_JSON_ACCEPTED))
    g_test_fail_printf ("%s was %s", name, accepted ? "accepted" : "refused");
}

static void
test_keyfile_random_corpus (void)
{
  g_assert_cmpuint (
      pen_corpus_foreach ("core/corpus/keyfile", test_keyfile_random_check_seed, NULL), >, 10);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/keyfile/random/good", test_keyfile_random_good);
  g_test_add_func ("/keyfile/random/damaged", test_keyfile_random_damaged);
  g_test_add_func ("/keyfile/corpus", test_keyfile_random_corpus);
  return g_test_run ();
}
