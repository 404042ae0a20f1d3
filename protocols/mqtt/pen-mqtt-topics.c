/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MQTT topic filters, by chapter 4.7 (topic names and filters) and 4.8.2 (shared subscriptions) of
 * OASIS MQTT Version 5.0; the rules are those of 3.1.1, which knows no shared subscriptions but
 * whose brokers mostly do.
 *
 * All functions are plain walks over the bytes; nothing here knows libmosquitto.
 */

#include "config.h"

#include "pen-mqtt-topics.h"

#include <string.h>

#define SHARE_PREFIX "$share/"
/* Two bytes hold the length of every MQTT string. */
#define MAXIMUM_LENGTH 65535
/* Mosquitto's TOPIC_HIERARCHY_LIMIT: it closes the connection of who sends more. */
#define MAXIMUM_LEVELS 200
/* Up to here every filter that matches a topic is listed: 3 * 2^8 - 1 of them. */
#define MAXIMUM_GENERALISED_LEVELS 8

/* Characters that brokers may refuse by MQTT 5, 1.5.4, and that libmosquitto does refuse. */
static gboolean
pen_mqtt_has_forbidden_character (const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);

      if (character < 0x20 || (character >= 0x7f && character <= 0x9f)
          || (character >= 0xfdd0 && character <= 0xfdef) || (character & 0xfffe) == 0xfffe)
        return TRUE;
    }
  return FALSE;
}

/* The filter proper: what stands behind "$share/GROUP/", or all of it; NULL if that is cut off. */
static const char *
pen_mqtt_filter_skip_group (const char *filter)
{
  const char *slash;

  if (!g_str_has_prefix (filter, SHARE_PREFIX))
    return filter;
  slash = strchr (filter + strlen (SHARE_PREFIX), '/');
  return slash == NULL ? NULL : slash + 1;
}

static const char *
pen_mqtt_filter_find_group_fault (const char *filter)
{
  const char *group = filter + strlen (SHARE_PREFIX);
  gsize length = strcspn (group, "/");

  if (length == 0)
    return "the group of a shared subscription has no name: $share/GROUP/TOPIC";
  if (strcspn (group, "+#") < length)
    return "the group of a shared subscription holds a wildcard: $share/GROUP/TOPIC";
  if (group[length] == '\0' || group[length + 1] == '\0')
    return "a shared subscription without a topic: $share/GROUP/TOPIC";
  return NULL;
}

static const char *
pen_mqtt_filter_find_level_fault (const char *filter)
{
  guint n_levels = 0;

  for (const char *level = filter; level != NULL; n_levels++)
    {
      gsize length = strcspn (level, "/");
      gboolean is_last = level[length] == '\0';

      if (memchr (level, '#', length) != NULL && (length != 1 || !is_last))
        return "'#' stands alone, and as the last level: 'a/#'";
      if (memchr (level, '+', length) != NULL && length != 1)
        return "'+' takes the whole level: 'a/+/c'";
      level = is_last ? NULL : level + length + 1;
    }
  if (n_levels > MAXIMUM_LEVELS)
    return "it has more than 200 levels";
  return NULL;
}

/**
 * pen_mqtt_filter_find_fault:
 * @filter: a topic filter, perhaps a shared one
 *
 * Returns: (nullable): what is wrong with it, NULL if nothing is
 *
 * Threads: any
 */
const char *
pen_mqtt_filter_find_fault (const char *filter)
{
  const char *fault = NULL;

  if (filter[0] == '\0')
    return "it is empty";
  if (strlen (filter) > MAXIMUM_LENGTH)
    return "it is longer than 65535 bytes";
  if (!g_utf8_validate (filter, -1, NULL))
    return "it is not valid UTF-8";
  if (pen_mqtt_has_forbidden_character (filter))
    return "it holds a control character or one that is none in Unicode";
  if (g_str_equal (filter, "$share"))
    return "a shared subscription without a topic: $share/GROUP/TOPIC";
  if (pen_mqtt_filter_is_shared (filter))
    fault = pen_mqtt_filter_find_group_fault (filter);
  return fault != NULL ? fault : pen_mqtt_filter_find_level_fault (filter);
}

/**
 * pen_mqtt_filter_is_shared:
 * @filter: a topic filter
 *
 * Returns: whether it is one of `$share/GROUP/TOPIC`, of whose messages each goes to one member
 *
 * Threads: any
 */
gboolean
pen_mqtt_filter_is_shared (const char *filter)
{
  return g_str_has_prefix (filter, SHARE_PREFIX);
}

/**
 * pen_mqtt_filter_matches:
 * @filter: a valid topic filter; of a shared one, its group does not count
 * @topic: the topic of a message
 *
 * Returns: whether a subscription to the filter brings messages of the topic
 *
 * Threads: any
 */
gboolean
pen_mqtt_filter_matches (const char *filter, const char *topic)
{
  const char *at = pen_mqtt_filter_skip_group (filter);

  /* 4.7.2: a wildcard does not stand for a first level such as $SYS. */
  if (at == NULL || (topic[0] == '$' && (at[0] == '+' || at[0] == '#')))
    return FALSE;
  while (TRUE)
    {
      gsize filter_length = strcspn (at, "/");
      gsize topic_length = strcspn (topic, "/");

      if (at[0] == '#')
        return TRUE;
      if (at[0] != '+' && (filter_length != topic_length || memcmp (at, topic, filter_length) != 0))
        return FALSE;
      at += filter_length;
      topic += topic_length;
      if (*topic == '\0')
        /* 4.7.1.2: "a/#" matches "a" as well */
        return *at == '\0' || g_str_equal (at, "/#");
      if (*at == '\0')
        return FALSE;
      at++;
      topic++;
    }
}

static const char *
pen_mqtt_level_find_end (const char *level)
{
  while (*level != '/' && *level != '\0')
    level++;
  return level;
}

/**
 * pen_mqtt_filter_overlaps:
 * @filter: a valid topic filter; of a shared one, its group does not count
 * @other: another one
 *
 * A plain walk, byte by byte: a fleet of thousands asks for each pair that begins alike.
 *
 * Returns: whether there is a topic that both match
 *
 * Threads: any
 */
gboolean
pen_mqtt_filter_overlaps (const char *filter, const char *other)
{
  const char *a = filter[0] == '$' ? pen_mqtt_filter_skip_group (filter) : filter;
  const char *b = other[0] == '$' ? pen_mqtt_filter_skip_group (other) : other;

  if (a == NULL || b == NULL)
    return FALSE;
  /* 4.7.2, as above */
  if ((a[0] == '$' && (b[0] == '+' || b[0] == '#'))
      || (b[0] == '$' && (a[0] == '+' || a[0] == '#')))
    return FALSE;
  while (TRUE)
    {
      if (a[0] == '#' || b[0] == '#')
        return TRUE;
      if (a[0] == '+' || b[0] == '+')
        {
          a = pen_mqtt_level_find_end (a);
          b = pen_mqtt_level_find_end (b);
        }
      while (*a == *b && *a != '/' && *a != '\0')
        {
          a++;
          b++;
        }
      if ((*a != '/' && *a != '\0') || (*b != '/' && *b != '\0'))
        return FALSE;
      if (*a == '\0')
        return *b == '\0' || g_str_equal (b, "/#");
      if (*b == '\0')
        return g_str_equal (a, "/#");
      a++;
      b++;
    }
}

/**
 * pen_mqtt_filter_repeats:
 * @filter: a valid topic filter
 * @other: the one of another client
 *
 * By MQTT 5, 4.8.2, a shared subscription is its group and its filter together: the broker sends a
 * message to one client of each that matches. So the same one is work shared, another filter of
 * the same group is not. Two groups are two on purpose.
 *
 * Returns: whether a message may be brought by both, and nobody seems to want that
 *
 * Threads: any
 */
gboolean
pen_mqtt_filter_repeats (const char *filter, const char *other)
{
  if (filter[0] == '$' && pen_mqtt_filter_is_shared (filter) && pen_mqtt_filter_is_shared (other))
    {
      const char *group = filter + strlen (SHARE_PREFIX);
      gsize length = strcspn (group, "/");
      const char *others = other + strlen (SHARE_PREFIX);

      if (g_str_equal (filter, other) || length != strcspn (others, "/")
          || memcmp (group, others, length) != 0)
        return FALSE;
    }
  return pen_mqtt_filter_overlaps (filter, other);
}

/**
 * pen_mqtt_filter_get_prefix:
 * @filter: a valid topic filter; of a shared one, its group does not count
 *
 * Returns: (transfer full): what all topics that it matches begin with
 *
 * Threads: any
 */
char *
pen_mqtt_filter_get_prefix (const char *filter)
{
  const char *begin = pen_mqtt_filter_skip_group (filter);
  gsize length;

  if (begin == NULL)
    return g_strdup ("");
  length = strcspn (begin, "+#");
  /* 4.7.1.2, as above: what "a/#" matches begins with "a" */
  if (length > 0 && begin[length] == '#')
    length--;
  return g_strndup (begin, length);
}

/**
 * pen_mqtt_filters_match:
 * @filters: (array zero-terminated=1): valid topic filters
 * @topic: the topic of a message
 *
 * Returns: whether any of the filters matches
 *
 * Threads: any
 */
gboolean
pen_mqtt_filters_match (const char *const *filters, const char *topic)
{
  for (gsize i = 0; filters[i] != NULL; i++)
    if (pen_mqtt_filter_matches (filters[i], topic))
      return TRUE;
  return FALSE;
}

/* The levels of @topic up to @n_levels; those whose bit is set in @plus become '+'. */
static char *
pen_mqtt_generalise_levels (char **levels, guint n_levels, guint plus, gboolean with_rest)
{
  GString *filter = g_string_new (NULL);

  for (guint i = 0; i < n_levels; i++)
    {
      if (i > 0)
        g_string_append_c (filter, '/');
      g_string_append (filter, (plus & (1u << i)) != 0 ? "+" : levels[i]);
    }
  if (with_rest)
    g_string_append (filter, n_levels > 0 ? "/#" : "#");
  return g_string_free (filter, FALSE);
}

/* Takes @candidate, unless it is wanted or is a wildcard that does not stand for $SYS. */
static void
pen_mqtt_add_candidate (GPtrArray *candidates,
                        char *candidate,
                        const char *topic,
                        const char *const *wanted)
{
  if ((wanted != NULL && g_strv_contains (wanted, candidate))
      || !pen_mqtt_filter_matches (candidate, topic))
    g_free (candidate);
  else
    g_ptr_array_add (candidates, candidate);
}

/* Of a deep topic only the likely ones: itself, its branches, and each with one '+'. */
static void
pen_mqtt_add_few (GPtrArray *candidates,
                  char **levels,
                  const char *topic,
                  const char *const *wanted)
{
  guint n_levels = g_strv_length (levels);

  pen_mqtt_add_candidate (candidates, g_strdup (topic), topic, wanted);
  for (guint n = 0; n <= MIN (n_levels, MAXIMUM_LEVELS); n++)
    {
      g_autoptr (GStrvBuilder) one_plus = g_strv_builder_new ();
      g_autoptr (GStrvBuilder) branch = g_strv_builder_new ();
      g_auto (GStrv) parts = NULL;
      g_auto (GStrv) branch_parts = NULL;

      for (guint i = 0; i < n_levels; i++)
        g_strv_builder_add (one_plus, i == n ? "+" : levels[i]);
      for (guint i = 0; i < n; i++)
        g_strv_builder_add (branch, levels[i]);
      g_strv_builder_add (branch, "#");
      parts = g_strv_builder_end (one_plus);
      branch_parts = g_strv_builder_end (branch);
      if (n < n_levels)
        pen_mqtt_add_candidate (candidates, g_strjoinv ("/", parts), topic, wanted);
      pen_mqtt_add_candidate (candidates, g_strjoinv ("/", branch_parts), topic, wanted);
    }
}

/**
 * pen_mqtt_topic_generalise:
 * @topic: the topic of a message that no known filter explains
 * @wanted: (nullable) (array zero-terminated=1): filters that are to be left out
 *
 * Lists the filters that the message can have come through. A topic of n levels matches
 * 3 * 2^n - 1 filters at most: 47 for four levels, 767 for eight. Of deeper topics only
 * those with one wildcard are listed.
 *
 * Returns: (transfer container) (element-type utf8): filters, without groups
 *
 * Threads: any
 */
GPtrArray *
pen_mqtt_topic_generalise (const char *topic, const char *const *wanted)
{
  GPtrArray *candidates = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) levels = g_strsplit (topic, "/", MAXIMUM_LEVELS + 1);
  guint n_levels = g_strv_length (levels);

  if (n_levels > MAXIMUM_GENERALISED_LEVELS)
    {
      pen_mqtt_add_few (candidates, levels, topic, wanted);
      return candidates;
    }
  for (guint n = 0; n <= n_levels; n++)
    for (guint plus = 0; plus < (1u << n); plus++)
      {
        if (n > 0 && n == n_levels)
          pen_mqtt_add_candidate (candidates, pen_mqtt_generalise_levels (levels, n, plus, FALSE),
                                  topic, wanted);
        pen_mqtt_add_candidate (candidates, pen_mqtt_generalise_levels (levels, n, plus, TRUE),
                                topic, wanted);
      }
  return candidates;
}
