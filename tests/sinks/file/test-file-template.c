/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Paths filled for each event: what they become, and that no topic gets out of its folder.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-file-template.h"

#include <string.h>

#define ARRIVAL_US G_GINT64_CONSTANT (1767323045678901) /* 2026-01-02T03:04:05.678901Z */

static char *
test_expand (const char *text, const char *topic)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PenFileTemplate) template = pen_file_template_new (text, FALSE, &error);

  g_assert_no_error (error);
  return g_strdup (pen_file_template_expand (template, "site 7/north", topic, ARRIVAL_US));
}

#define test_assert_expands(text, topic, expected)                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *path_ = test_expand ((text), (topic));                                        \
    g_assert_cmpstr (path_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

static void
test_template_places (void)
{
  test_assert_expands ("/a/b.jsonl", "t", "/a/b.jsonl");
  test_assert_expands ("x/{topic}.jsonl", "a/b827/u/data", "x/a+b827+u+data.jsonl");
  test_assert_expands ("{pipeline}-{time:%Y-%m-%d}.jsonl", "t", "site 7+north-2026-01-02.jsonl");
  test_assert_expands ("{time:%Y/%m/%d/%H%M%S}", "t", "2026/01/02/030405");
  test_assert_expands ("{{topic}}/{topic}{topic}", "t", "{topic}/tt");
}

static void
test_template_harmless (void)
{
  test_assert_expands ("x/{topic}", "..", "x/%2E.");
  test_assert_expands ("x/{topic}", ".", "x/%2E");
  test_assert_expands ("x/{topic}", "../../etc/passwd", "x/%2E.+..+etc+passwd");
  test_assert_expands ("x/{topic}", "/etc/passwd", "x/+etc+passwd");
  test_assert_expands ("x/{topic}", "a+b%c\\d", "x/a%2Bb%25c%5Cd");
  test_assert_expands ("x/{topic}", "new\nline\x7f", "x/new%0Aline%7F");
  test_assert_expands ("x/{topic}", "", "x/_");
  test_assert_expands ("x/{topic}", NULL, "x/_");
  test_assert_expands ("x/{topic}", "Zähler/ü", "x/Zähler+ü");
  test_assert_expands ("x/{topic}", "bad\xff", "x/bad%FF");
  test_assert_expands ("x/{topic}", "{time:%Y}", "x/{time:%25Y}");
}

/* Whatever a topic holds, it becomes one part of a name, and another topic another one. */
static void
test_template_random_topics (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const char bytes[] = "./%+\\_~ab{}\x01\xc3\xa4";

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *topic = g_new0 (char, 8);
      gint32 length = g_test_rand_int_range (1, 7);
      char *path;
      const char *other;

      for (gint32 j = 0; j < length; j++)
        topic[j] = bytes[g_test_rand_int_range (0, (gint32) strlen (bytes))];
      path = test_expand ("{topic}", topic);
      g_assert_null (strchr (path, '/'));
      g_assert_cmpint (path[0], !=, '.');
      g_assert_cmpint (path[0], !=, '\0');
      other = g_hash_table_lookup (seen, path);
      if (other != NULL)
        g_assert_cmpstr (other, ==, topic);
      g_hash_table_insert (seen, path, g_steal_pointer (&topic));
    }
}

static void
test_template_long_topics (void)
{
  g_autofree char *filler = g_strnfill (60000, 'a');
  g_autofree char *one = g_strconcat (filler, "1", NULL);
  g_autofree char *two = g_strconcat (filler, "2", NULL);
  g_autofree char *path_one = test_expand ("{topic}", one);
  g_autofree char *path_two = test_expand ("{topic}", two);

  g_assert_cmpuint (strlen (path_one), ==, 160);
  g_assert_cmpstr (path_one, !=, path_two);
  g_assert_true (strncmp (path_one, path_two, 143) == 0);
  for (guint i = 0; i < 6; i++)
    {
      /* the cut lands on every byte of a character and of a %XX */
      g_autofree char *text
          = g_strconcat (filler + 60000 - 140 + i, "ä", "\x01", "ö\x02", filler, NULL);
      g_autofree char *path = test_expand ("{topic}", text);
      const char *cut = strrchr (path, '~');

      g_assert_true (g_utf8_validate (path, -1, NULL));
      g_assert_true (cut[-1] != '%' && cut[-2] != '%');
      g_assert_cmpuint (strlen (path), <=, 160);
    }
}

static void
test_template_changes (void)
{
  g_autoptr (PenFileTemplate) template = pen_file_template_new ("{topic}/{time:%S}", FALSE, NULL);

  g_assert_cmpstr (pen_file_template_expand (template, "p", "a", 0), ==, "a/00");
  g_assert_cmpstr (pen_file_template_expand (template, "p", "b", 0), ==, "b/00");
  g_assert_cmpstr (pen_file_template_expand (template, "p", "b", G_USEC_PER_SEC), ==, "b/01");
  g_assert_cmpstr (pen_file_template_expand (template, "p", NULL, G_USEC_PER_SEC), ==, "_/01");
  g_assert_false (pen_file_template_is_constant (template));
}

static void
test_template_constant (void)
{
  g_autoptr (PenFileTemplate) template = pen_file_template_new ("/a/{pipeline}/x", FALSE, NULL);
  g_autofree char *folder = pen_file_template_get_folder (template);
  g_autoptr (PenFileTemplate) plain = pen_file_template_new ("x.jsonl", FALSE, NULL);
  g_autofree char *plain_folder = pen_file_template_get_folder (plain);

  g_assert_true (pen_file_template_is_constant (template));
  g_assert_cmpstr (folder, ==, "/a");
  g_assert_cmpstr (plain_folder, ==, ".");
}

static void
test_template_local_time (void)
{
  g_autoptr (PenFileTemplate) template = NULL;

  g_setenv ("TZ", "UTC-5:30", TRUE); /* POSIX: east of Greenwich */
  template = pen_file_template_new ("{time:%H:%M}", TRUE, NULL);
  g_assert_cmpstr (pen_file_template_expand (template, "p", NULL, ARRIVAL_US), ==, "08:34");
}

static void
test_template_faults (void)
{
  const char *const faults[][2] = {
    { "{topics}", "unknown place '{topics}'; there are '{topic}', '{pipeline}' and "
                  "'{time:FORMAT}', and '{{' is a brace" },
    { "a{topic", "'{' without its partner in 'a{topic'; a brace itself is written '{{'" },
    { "a}b", "'}' without its partner in 'a}b'; a brace itself is written '}}'" },
    { "{time:}", "'{time:}' has no time format that strftime knows, for example "
                 "'{time:%Y-%m-%d}'" },
    { "{time:%Q}", "'{time:%Q}' has no time format that strftime knows, for example "
                   "'{time:%Y-%m-%d}'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pen_file_template_new (faults[i][0], FALSE, &error));
      g_assert_cmpstr (error->message, ==, faults[i][1]);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/file-template/places", test_template_places);
  g_test_add_func ("/file-template/harmless", test_template_harmless);
  g_test_add_func ("/file-template/random-topics", test_template_random_topics);
  g_test_add_func ("/file-template/long-topics", test_template_long_topics);
  g_test_add_func ("/file-template/changes", test_template_changes);
  g_test_add_func ("/file-template/constant", test_template_constant);
  g_test_add_func ("/file-template/local-time", test_template_local_time);
  g_test_add_func ("/file-template/faults", test_template_faults);
  return g_test_run ();
}
