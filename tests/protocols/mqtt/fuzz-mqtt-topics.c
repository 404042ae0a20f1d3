/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: a filter and a topic, separated by a line break. A filter that a topic was
 * generalised to must be valid whenever the topic is, and must match it.
 */

#include "config.h"

#include "pen-mqtt-topics.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *filter = g_strndup ((const char *) data, size);
  char *line_break = strchr (filter, '\n');
  const char *topic = line_break == NULL ? "" : line_break + 1;
  g_autoptr (GPtrArray) filters = NULL;
  gboolean is_topic;

  if (line_break != NULL)
    *line_break = '\0';
  if (pen_mqtt_filter_find_fault (filter) == NULL)
    pen_mqtt_filter_matches (filter, topic);
  is_topic = pen_mqtt_filter_find_fault (topic) == NULL && strpbrk (topic, "+#") == NULL;
  if (!is_topic)
    return 0;
  filters = pen_mqtt_topic_generalise (topic, NULL);
  for (guint i = 0; i < filters->len; i++)
    g_assert_true (pen_mqtt_filter_matches (filters->pdata[i], topic));
  return 0;
}
