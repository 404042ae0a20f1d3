/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is suggested for which slip of the pen, and what is not; lists and quotes in messages.
 */

#include "config.h"

#include "pen-suggest.h"
#include "pen-test.h"

static const char *const keys[] = { "host",     "port",      "topics",   "tls", "qos",
                                    "username", "client-id", "clean-up", "a",   "c-l-i-e-n-t" };

static const struct
{
  const char *word;
  const char *suggestion;
} cases[] = {
  { "hots", "host" },
  { "hst", "host" },
  { "hosst", "host" },
  { "Host", "host" },
  { "topic", "topics" },
  { "TLS", "tls" },
  { "qs", "qos" },
  { "client_id", "client-id" },
  { "clientid", "client-id" },
  { "user", "username" },
  { "client", "client-id" },
  { "c_l_i_e_n_t", "c-l-i-e-n-t" },
  { "cl", NULL },
  { "cle-", NULL },
  { "", NULL },
  { "b", NULL },
  { "xy", NULL },
  { "password", NULL },
  { "a-word-that-is-longer-than-any-key-or-plugin-or-nick-could-ever-be-in-truth", NULL },
};

static void
test_suggest_nearest (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (pen_suggest (cases[i].word, keys, G_N_ELEMENTS (keys)), ==,
                     cases[i].suggestion);
  g_assert_null (pen_suggest ("host", NULL, 0));
}

static GPtrArray *
test_make_words (guint n_words)
{
  GPtrArray *words = g_ptr_array_new ();

  for (guint i = 0; i < n_words; i++)
    g_ptr_array_add (words, (gpointer) keys[i]);
  return words;
}

static void
test_suggest_hint (void)
{
  g_autoptr (GPtrArray) words = test_make_words (4);
  g_autofree char *hint = pen_suggest_hint ("hots", words);
  g_autofree char *nothing = pen_suggest_hint ("bicycle", words);

  g_assert_cmpstr (hint, ==, "; did you mean 'host'?");
  g_assert_cmpstr (nothing, ==, "");
}

static void
test_suggest_list (void)
{
  static const char *const lists[] = { "", "host", "host and port", "host, port and topics" };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GPtrArray) words = test_make_words (i);
      g_autofree char *list = pen_suggest_list (words, "and");

      g_assert_cmpstr (list, ==, lists[i]);
    }
}

static void
test_suggest_quotes (void)
{
  static const struct
  {
    const char *text;
    const char *quoted;
  } quotes[] = {
    { "", "''" },
    { "host", "'host'" },
    { "a\tb\n", "'a\\x09b\\x0a'" },
    { "\033[31mred", "'\\x1b[31mred'" },
    { "na\303\257ve", "'na\303\257ve'" },
    { "na\357ve", "'na\\xefve'" },
    { "cut\303", "'cut\\xc3'" },
  };
  g_autofree char *long_text = g_strnfill (1000, 'x');
  g_autofree char *quoted_long = pen_quote (long_text);

  for (gsize i = 0; i < G_N_ELEMENTS (quotes); i++)
    {
      g_autofree char *quoted = pen_quote (quotes[i].text);

      g_assert_cmpstr (quoted, ==, quotes[i].quoted);
    }
  g_assert_cmpuint (strlen (quoted_long), ==, 85);
  g_assert_true (g_str_has_suffix (quoted_long, "x...'"));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/suggest/nearest", test_suggest_nearest);
  g_test_add_func ("/suggest/hint", test_suggest_hint);
  g_test_add_func ("/suggest/list", test_suggest_list);
  g_test_add_func ("/suggest/quotes", test_suggest_quotes);
  return g_test_run ();
}
