/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Topic filters: validity, matching, and the filters that a topic can have come through. The
 * examples of chapters 4.7 and 4.8.2 of the MQTT 5 specification are all in here.
 */

#include "config.h"

#include "pen-mqtt-topics.h"
#include "pen-test.h"

#include <string.h>

static void
test_valid (void)
{
  const char *filters[]
      = { "a",      "/",          "//",           "#",          "+",
          "+/+",    "/+",         "a/#",          "a/+/c",      "sport/tennis/+/#",
          "$SYS/#", "$share/g/a", "$share/g/+/#", "$share/g//", "å/水/😀",
          " ",      "$shared/x",  "$share-x/y" };

  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_test_message ("filter '%s'", filters[i]);
      g_assert_cmpstr (pen_mqtt_filter_find_fault (filters[i]), ==, NULL);
    }
}

static void
test_invalid (void)
{
  static const struct
  {
    const char *filter;
    const char *fault;
  } rows[] = {
    { "", "empty" },
    { "a#", "'#' stands alone" },
    { "#/a", "'#' stands alone" },
    { "a/#/b", "'#' stands alone" },
    { "a/b#", "'#' stands alone" },
    { "##", "'#' stands alone" },
    { "a+", "'+' takes the whole" },
    { "+a/b", "'+' takes the whole" },
    { "a/++", "'+' takes the whole" },
    { "$share", "without a topic" },
    { "$share/", "no name" },
    { "$share//a", "no name" },
    { "$share/g", "without a topic" },
    { "$share/g/", "without a topic" },
    { "$share/g+/a", "holds a wildcard" },
    { "$share/#/a", "holds a wildcard" },
    { "$share/g/a#", "'#' stands alone" },
    { "a\xff", "UTF-8" },
    { "a\n", "control character" },
    { "a\xef\xbf\xbf", "none in Unicode" },
    { "\xc2\x80", "control character" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const char *fault = pen_mqtt_filter_find_fault (rows[i].filter);
      g_autofree char *shown = g_strescape (rows[i].filter, NULL);

      g_test_message ("filter '%s'", shown);
      g_assert_nonnull (fault);
      g_assert_nonnull (strstr (fault, rows[i].fault));
    }
}

static void
test_limits (void)
{
  g_autofree char *longest = g_strnfill (65535, 'a');
  g_autofree char *too_long = g_strnfill (65536, 'a');
  g_autofree char *deepest = g_strnfill (199, '/');
  g_autofree char *too_deep = g_strnfill (200, '/');

  g_assert_null (pen_mqtt_filter_find_fault (longest));
  g_assert_nonnull (pen_mqtt_filter_find_fault (too_long));
  g_assert_null (pen_mqtt_filter_find_fault (deepest));
  g_assert_nonnull (pen_mqtt_filter_find_fault (too_deep));
}

static void
test_matches (void)
{
  static const struct
  {
    const char *filter;
    const char *topic;
    gboolean matches;
  } rows[] = {
    { "a/b", "a/b", TRUE },
    { "a/b", "a/c", FALSE },
    { "a/b", "a", FALSE },
    { "a", "a/b", FALSE },
    { "a", "A", FALSE },
    { "a", "ab", FALSE },
    { "ab", "a", FALSE },
    { "sport/tennis/player1/#", "sport/tennis/player1", TRUE },
    { "sport/tennis/player1/#", "sport/tennis/player1/ranking", TRUE },
    { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", TRUE },
    { "sport/tennis/player1/#", "sport/tennis/player2", FALSE },
    { "sport/#", "sport", TRUE },
    { "sport/#", "sports", FALSE },
    { "#", "sport/tennis", TRUE },
    { "#", "/", TRUE },
    { "sport/tennis/+", "sport/tennis/player1", TRUE },
    { "sport/tennis/+", "sport/tennis/player1/ranking", FALSE },
    { "sport/+", "sport", FALSE },
    { "sport/+", "sport/", TRUE },
    { "+/+", "/finance", TRUE },
    { "/+", "/finance", TRUE },
    { "+", "/finance", FALSE },
    { "+/tennis/#", "sport/tennis", TRUE },
    { "+", "", TRUE },
    { "#", "$SYS/broker", FALSE },
    { "+/broker", "$SYS/broker", FALSE },
    { "$SYS/#", "$SYS/broker", TRUE },
    { "$SYS/monitor/+", "$SYS/monitor/Clients", TRUE },
    { "a/#", "a/$x", TRUE },
    { "$share/g/a/+", "a/b", TRUE },
    { "$share/g/a/+", "$share/g/a/b", FALSE },
    { "$share/g/#", "$SYS/x", FALSE },
    { "$share/g", "g", FALSE },
    { "//", "//", TRUE },
    { "//", "/", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_test_message ("'%s' and '%s'", rows[i].filter, rows[i].topic);
      g_assert_cmpint (pen_mqtt_filter_matches (rows[i].filter, rows[i].topic), ==,
                       rows[i].matches);
    }
}

static void
test_several (void)
{
  const char *filters[] = { "a/+", "b", NULL };

  g_assert_true (pen_mqtt_filters_match (filters, "b"));
  g_assert_true (pen_mqtt_filters_match (filters, "a/x"));
  g_assert_false (pen_mqtt_filters_match (filters, "c"));
  g_assert_true (pen_mqtt_filter_is_shared ("$share/g/a"));
  g_assert_false (pen_mqtt_filter_is_shared ("share/g/a"));
}

static void
test_generalise_lists_all (void)
{
  g_autoptr (GPtrArray) filters = pen_mqtt_topic_generalise ("a/b", NULL);
  const char *expected[]
      = { "#", "a/#", "+/#", "a/b", "a/b/#", "+/b", "+/b/#", "a/+", "a/+/#", "+/+", "+/+/#" };

  g_assert_cmpuint (filters->len, ==, G_N_ELEMENTS (expected));
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpstr (filters->pdata[i], ==, expected[i]);
}

/* 3 * 2^n - 1 filters, each different, valid, and matching. */
static void
test_generalise_is_complete (void)
{
  g_autoptr (GString) topic = g_string_new ("t0");

  for (guint n = 1; n <= 12; n++)
    {
      g_autoptr (GPtrArray) filters = pen_mqtt_topic_generalise (topic->str, NULL);
      g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

      for (guint i = 0; i < filters->len; i++)
        {
          g_assert_null (pen_mqtt_filter_find_fault (filters->pdata[i]));
          g_assert_true (pen_mqtt_filter_matches (filters->pdata[i], topic->str));
          g_assert_true (g_hash_table_add (seen, filters->pdata[i]));
        }
      g_assert_cmpuint (filters->len, ==, n <= 8 ? 3 * (1u << n) - 1 : 2 * n + 2);
      g_string_append_printf (topic, "/t%u", n);
    }
}

static void
test_generalise_leaves_wanted (void)
{
  const char *wanted[] = { "a/+", "a/#", "other", NULL };
  g_autoptr (GPtrArray) filters = pen_mqtt_topic_generalise ("a/b", wanted);
  g_autoptr (GPtrArray) deep = pen_mqtt_topic_generalise ("a/b/c/d/e/f/g/h/i", wanted);

  g_assert_cmpuint (filters->len, ==, 9);
  for (guint i = 0; i < filters->len; i++)
    g_assert_false (g_strv_contains (wanted, filters->pdata[i]));
  for (guint i = 0; i < deep->len; i++)
    g_assert_false (g_strv_contains (wanted, deep->pdata[i]));
}

/* All of up to three levels out of @words. */
static GPtrArray *
test_list_topics (const char *const *words, guint n_words)
{
  GPtrArray *topics = g_ptr_array_new_with_free_func (g_free);

  for (guint a = 0; a < n_words; a++)
    {
      g_ptr_array_add (topics, g_strdup (words[a]));
      for (guint b = 0; b < n_words; b++)
        {
          g_ptr_array_add (topics, g_strjoin ("/", words[a], words[b], NULL));
          for (guint c = 0; c < n_words; c++)
            g_ptr_array_add (topics, g_strjoin ("/", words[a], words[b], words[c], NULL));
        }
    }
  return topics;
}

/* Which of @topics @filter matches. */
static GArray *
test_list_matches (const char *filter, const GPtrArray *topics)
{
  GArray *matches = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < topics->len; i++)
    if (pen_mqtt_filter_matches (filter, g_ptr_array_index (topics, i)))
      g_array_append_val (matches, i);
  return matches;
}

static gboolean
test_have_common (const GArray *a, const GArray *b)
{
  guint j = 0;

  for (guint i = 0; i < a->len; i++)
    {
      while (j < b->len && g_array_index (b, guint, j) < g_array_index (a, guint, i))
        j++;
      if (j < b->len && g_array_index (b, guint, j) == g_array_index (a, guint, i))
        return TRUE;
    }
  return FALSE;
}

/* Two filters overlap exactly if some topic matches both, and then one's prefix is a beginning of
 * the other's. "x" is in no filter: it stands for all that only wildcards match. */
static void
test_overlaps_is_exact (void)
{
  static const char *const filter_words[] = { "a", "ab", "", "$a", "+", "#" };
  static const char *const topic_words[] = { "a", "ab", "", "$a", "x" };
  g_autoptr (GPtrArray) filters = test_list_topics (filter_words, G_N_ELEMENTS (filter_words));
  g_autoptr (GPtrArray) topics = test_list_topics (topic_words, G_N_ELEMENTS (topic_words));
  g_autoptr (GPtrArray) matches = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  guint n_overlaps = 0;

  for (guint i = filters->len; i > 0; i--)
    if (pen_mqtt_filter_find_fault (g_ptr_array_index (filters, i - 1)) != NULL)
      g_ptr_array_remove_index (filters, i - 1);
  for (guint i = 0; i < filters->len; i++)
    g_ptr_array_add (matches, test_list_matches (g_ptr_array_index (filters, i), topics));
  for (guint i = 0; i < filters->len; i++)
    for (guint j = 0; j < filters->len; j++)
      {
        const char *a = g_ptr_array_index (filters, i);
        const char *b = g_ptr_array_index (filters, j);
        gboolean expected
            = test_have_common (g_ptr_array_index (matches, i), g_ptr_array_index (matches, j));
        g_autofree char *a_prefix = pen_mqtt_filter_get_prefix (a);
        g_autofree char *b_prefix = pen_mqtt_filter_get_prefix (b);

        if (pen_mqtt_filter_overlaps (a, b) != expected)
          g_error ("'%s' and '%s': expected %d", a, b, expected);
        g_assert_true (!expected || g_str_has_prefix (a_prefix, b_prefix)
                       || g_str_has_prefix (b_prefix, a_prefix));
        n_overlaps += expected;
      }
  g_assert_cmpuint (filters->len, >, 100);
  g_assert_cmpuint (n_overlaps, >, 1000);
}

static void
test_repeats (void)
{
  static const struct
  {
    const char *a;
    const char *b;
    gboolean repeats;
  } rows[] = {
    { "a/#", "a/b", TRUE },
    { "a/b", "a/b", TRUE },
    { "a/b", "a/c", FALSE },
    { "$share/g/a/#", "a/b", TRUE },
    { "$share/g/a/#", "$share/g/a/#", FALSE },
    { "$share/g/a/#", "$share/g/a/b", TRUE },
    { "$share/g/a/#", "$share/h/a/#", FALSE },
    { "$share/g/a/#", "$share/gg/a/#", FALSE },
    { "$share/g/a", "$share/g/b", FALSE },
    { "$SYS/#", "#", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_test_message ("'%s' and '%s'", rows[i].a, rows[i].b);
      g_assert_cmpint (pen_mqtt_filter_repeats (rows[i].a, rows[i].b), ==, rows[i].repeats);
      g_assert_cmpint (pen_mqtt_filter_repeats (rows[i].b, rows[i].a), ==, rows[i].repeats);
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/mqtt/topics/valid", test_valid);
  g_test_add_func ("/mqtt/topics/invalid", test_invalid);
  g_test_add_func ("/mqtt/topics/limits", test_limits);
  g_test_add_func ("/mqtt/topics/matches", test_matches);
  g_test_add_func ("/mqtt/topics/several", test_several);
  g_test_add_func ("/mqtt/topics/overlaps-is-exact", test_overlaps_is_exact);
  g_test_add_func ("/mqtt/topics/repeats", test_repeats);
  g_test_add_func ("/mqtt/topics/generalise/lists-all", test_generalise_lists_all);
  g_test_add_func ("/mqtt/topics/generalise/is-complete", test_generalise_is_complete);
  g_test_add_func ("/mqtt/topics/generalise/leaves-wanted", test_generalise_leaves_wanted);
  return g_test_run ();
}
