/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Distances of words and the guesses made of them.
 */

#include "config.h"

#include "pen-spelling.h"
#include "pen-test.h"

static void
test_spelling_distance (void)
{
  static const struct
  {
    const char *a;
    const char *b;
    guint distance;
  } table[] = {
    { "", "", 0 },          { "host", "host", 0 },
    { "Host", "hOST", 0 },  { "", "host", 4 },
    { "host", "", 4 },      { "hots", "host", 1 },
    { "hst", "host", 1 },   { "hosst", "host", 1 },
    { "most", "host", 1 },  { "keep_alive", "keep-alive", 1 },
    { "ohst", "host", 1 },  { "ca", "abc", 3 },
    { "topic", "port", 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_assert_cmpuint (pen_spelling_get_distance (table[i].a, table[i].b), ==, table[i].distance);
      g_assert_cmpuint (pen_spelling_get_distance (table[i].b, table[i].a), ==, table[i].distance);
    }
}

static void
test_spelling_nearest (void)
{
  static const char *const keys[] = { "host", "port", "topics", "tls", "qos", NULL };

  g_assert_cmpstr (pen_spelling_get_nearest ("hots", keys), ==, "host");
  g_assert_cmpstr (pen_spelling_get_nearest ("topic", keys), ==, "topics");
  g_assert_cmpstr (pen_spelling_get_nearest ("TLS", keys), ==, "tls");
  g_assert_cmpstr (pen_spelling_get_nearest ("qs", keys), ==, "qos");
  g_assert_null (pen_spelling_get_nearest ("", keys));
  g_assert_null (pen_spelling_get_nearest ("xy", keys));
  g_assert_null (pen_spelling_get_nearest ("password", keys));
}

static void
test_spelling_leaves_long_words_alone (void)
{
  g_autofree char *longest = g_strnfill (64, 'a');
  g_autofree char *longer = g_strnfill (65, 'a');
  const char *const candidates[] = { longest, NULL };

  g_assert_cmpuint (pen_spelling_get_distance (longest, "a"), ==, 63);
  g_assert_cmpuint (pen_spelling_get_distance (longer, longest), ==, G_MAXUINT);
  g_assert_null (pen_spelling_get_nearest (longer, candidates));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/spelling/distance", test_spelling_distance);
  g_test_add_func ("/spelling/nearest", test_spelling_nearest);
  g_test_add_func ("/spelling/leaves-long-words-alone", test_spelling_leaves_long_words_alone);
  return g_test_run ();
}
