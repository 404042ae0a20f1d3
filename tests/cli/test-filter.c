/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which messages are meant, and how figures look.
 */

#include "config.h"

#include "pen-cli-filter.h"
#include "pen-cli-terminal.h"
#include "pen-test.h"

#define SECOND_US ((gint64) G_USEC_PER_SEC)
#define NOW_US (1700000000 * SECOND_US)

static void
test_filter_times (void)
{
  static const struct
  {
    const char *text;
    gint64 time_us; /* 0: none */
    const char *message;
  } table[] = {
    { "2h", NOW_US - 7200 * SECOND_US, NULL },
    { "0s", NOW_US, NULL },
    { "2023-11-14T22:13:20Z", NOW_US, NULL },
    { "2023-11-14T23:13:20+01:00", NOW_US, NULL },
    { "2023-11-14T22:13:20.25Z", NOW_US + SECOND_US / 4, NULL },
    { "20231114T221320Z", NOW_US, NULL },
    { "2023-11-14T22:13:20", 0,
      "'2023-11-14T22:13:20' is no time without Z (UTC) or an offset such as +01:00; write "
      "2026-01-31T03:00:00Z, or how long ago it was, such as 30min, 2h or 7d" },
    { "yesterday", 0,
      "'yesterday' is no time; write 2026-01-31T03:00:00Z, or how long ago it was, such as 30min, "
      "2h or 7d" },
    { "", 0,
      "'' is no time; write 2026-01-31T03:00:00Z, or how long ago it was, such as 30min, 2h or "
      "7d" },
    { "-2h", 0,
      "'-2h' is no time; write 2026-01-31T03:00:00Z, or how long ago it was, such as 30min, 2h or "
      "7d" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 time_us = 0;
      gboolean is_good = pen_cli_time_parse (table[i].text, NOW_US, &time_us, &error);

      g_assert_cmpstr (error != NULL ? error->message : NULL, ==, table[i].message);
      g_assert_cmpint (time_us, ==, table[i].time_us);
      g_assert_true (is_good == (table[i].message == NULL));
    }
}

/* The examples of the standard, and its corners. */
static void
test_filter_topics (void)
{
  static const struct
  {
    const char *filter;
    const char *matching; /* separated by blanks */
    const char *others;
  } table[] = {
    { "a/b", "a/b", "a a/ a/b/ a/b/c /a/b A/b a/bc" },
    { "sport/tennis/player1/#",
      "sport/tennis/player1 sport/tennis/player1/ranking sport/tennis/player1/score/wimbledon",
      "sport/tennis/player10 sport/tennis" },
    { "sport/#", "sport sport/ sport/x", "sports" },
    { "#", "a a/b / /a", "$SYS/a" },
    { "+", "a", "a/ /a a/b $SYS" },
    { "+/+", "/finance a/b a/", "a a/b/c $SYS/a" },
    { "/+", "/finance /", "finance" },
    { "sport/+", "sport/ sport/a", "sport sport/a/b" },
    { "sport/+/player1", "sport/tennis/player1 sport//player1", "sport/player1" },
    { "+/monitor/Clients", "x/monitor/Clients", "$SYS/monitor/Clients" },
    { "$SYS/#", "$SYS $SYS/a/b", "SYS" },
    { "$SYS/monitor/+", "$SYS/monitor/Clients", "$SYS/monitor" },
    { "a/", "a/", "a a/b" },
    { "+/#", "a a/b /", "$a/b" },
    { "a//b", "a//b", "a/b a/x/b" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (GStrv) matching = g_strsplit (table[i].matching, " ", -1);
      g_auto (GStrv) others = g_strsplit (table[i].others, " ", -1);
      g_autoptr (GError) error = NULL;

      pen_cli_topic_filter_check (table[i].filter, &error);
      g_assert_no_error (error);
      for (guint j = 0; matching[j] != NULL; j++)
        {
          g_test_message ("%s %s", table[i].filter, matching[j]);
          g_assert_true (pen_cli_topic_matches (table[i].filter, matching[j]));
        }
      for (guint j = 0; others[j] != NULL; j++)
        {
          g_test_message ("%s %s", table[i].filter, others[j]);
          g_assert_false (pen_cli_topic_matches (table[i].filter, others[j]));
        }
    }
}

static void
test_filter_refuses_topics (void)
{
  static const char *const filters[] = { "", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+/c", "##" };

  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (pen_cli_topic_filter_check (filters[i], &error));
      g_assert_nonnull (strstr (error->message, " is no topic filter: "));
    }
}

static void
test_filter_matches (void)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("x", 1);
  g_autoptr (PenEvent) event = pen_event_new (payload, "a/b", NOW_US);
  g_autoptr (PenEvent) without_topic = pen_event_new (payload, NULL, NOW_US);
  static const struct
  {
    const char *from;
    const char *to;
    const char *topic;
    gboolean matches;
    gboolean matches_without_topic;
  } table[] = {
    { NULL, NULL, NULL, TRUE, TRUE },
    { "0s", NULL, NULL, TRUE, TRUE }, /* from is in, to is out */
    { NULL, "0s", NULL, FALSE, FALSE },
    { "1us", "0s", NULL, FALSE, FALSE },
    { NULL, NULL, "a/+", TRUE, FALSE },
    { NULL, NULL, "#", TRUE, FALSE },
    { NULL, NULL, "b", FALSE, FALSE },
    { "1h", "2100-01-01T00:00:00Z", "a/b", TRUE, FALSE },
  };
  g_autoptr (GError) error = NULL;
  g_auto (PenCliFilter) wrong = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (PenCliFilter) filter = { 0 };

      g_assert_true (pen_cli_filter_init (&filter, table[i].from, table[i].to, table[i].topic,
                                          NOW_US, &error));
      g_assert_true (pen_cli_filter_matches (&filter, event) == table[i].matches);
      g_assert_true (pen_cli_filter_matches (&filter, without_topic)
                     == table[i].matches_without_topic);
      g_assert_true (pen_cli_filter_is_open (&filter) == (i == 0));
    }
  g_assert_false (pen_cli_filter_init (&wrong, "1h", "2h", NULL, NOW_US, &error));
  g_assert_cmpstr (error->message, ==, "--from 1h is not before --to 2h");
}

static void
test_filter_figures (void)
{
  static const struct
  {
    guint64 count;
    const char *as_count;
    const char *as_bytes;
  } counts[] = {
    { 0, "0", "0 B" },
    { 999, "999", "999 B" },
    { 1000, "1,000", "1000 B" },
    { 1024, "1,024", "1.0 KiB" },
    { 1234567, "1,234,567", "1.2 MiB" },
    { 1048575, "1,048,575", "1.0 MiB" },
    { 123456, "123,456", "120.6 KiB" },
    { G_MAXUINT64, "18,446,744,073,709,551,615", "16777216.0 TiB" },
  };
  static const struct
  {
    gint64 seconds;
    const char *text;
  } ages[] = {
    { -5, "0s" },           { 0, "0s" },     { 59, "59s" },      { 60, "1min" },
    { 61, "1min 1s" },      { 3600, "1h" },  { 3659, "1h" },     { 7380, "2h 3min" },
    { 86399, "23h 59min" }, { 86400, "1d" }, { 90000, "1d 1h" }, { 8640000, "100d" },
  };
  g_autofree char *time = pen_cli_format_time (NOW_US);

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autofree char *count = pen_cli_format_count (counts[i].count);
      g_autofree char *bytes = pen_cli_format_bytes (counts[i].count);

      g_assert_cmpstr (count, ==, counts[i].as_count);
      g_assert_cmpstr (bytes, ==, counts[i].as_bytes);
    }
  for (guint i = 0; i < G_N_ELEMENTS (ages); i++)
    {
      g_autofree char *age = pen_cli_format_age (ages[i].seconds * SECOND_US);

      g_assert_cmpstr (age, ==, ages[i].text);
    }
  g_assert_cmpstr (time, ==, "2023-11-14T22:13:20Z");
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/filter/times", test_filter_times);
  g_test_add_func ("/filter/topics", test_filter_topics);
  g_test_add_func ("/filter/refuses-topics", test_filter_refuses_topics);
  g_test_add_func ("/filter/matches", test_filter_matches);
  g_test_add_func ("/filter/figures", test_filter_figures);
  return g_test_run ();
}
