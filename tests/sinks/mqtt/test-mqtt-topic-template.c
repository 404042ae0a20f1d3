/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Topics that are made of events: what each place becomes, and what data may not become.
 */

#include "config.h"

#include "pen-mqtt-topic-template.h"
#include "pen-test.h"

#include <string.h>

#define ARRIVAL_US (G_GINT64_CONSTANT (1718389665) * G_USEC_PER_SEC)

static PenEvent *
test_make_event (const char *topic, const char *payload)
{
  g_autoptr (GBytes) bytes = g_bytes_new (payload, strlen (payload));

  return pen_event_new (bytes, topic, ARRIVAL_US);
}

/* What an event's topic is, or why it has none. */
static char *
test_expand (const char *text, const char *topic, const char *payload)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PenMqttTopicTemplate) template = pen_mqtt_topic_template_new (text, &error);
  g_autoptr (PenEvent) event = test_make_event (topic, payload);
  const char *expanded;

  g_assert_no_error (error);
  expanded = pen_mqtt_topic_template_expand (template, "site-7", event, &error);
  if (expanded != NULL)
    return g_strdup (expanded);
  g_assert_error (error, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT);
  g_assert_cmpstr (pen_element_error_get_reason (error), ==, "bad_topic");
  return g_strdup_printf ("! %s", error->message);
}

static void
test_places (void)
{
  static const struct
  {
    const char *text;
    const char *topic;
    const char *payload;
    const char *expanded;
  } rows[] = {
    { "STATS", NULL, "", "STATS" },
    { "{topic}", "a/b/c", "", "a/b/c" },
    { "copy/{topic}", "a/b/c", "", "copy/a/b/c" },
    { "n/{topic:2}/x", "a/b/c", "", "n/b/x" },
    { "{topic:-1}/{topic:1}", "a/b/c", "", "c/a" },
    { "{pipeline}/{time:%Y-%m-%d}", NULL, "", "site-7/2024-06-14" },
    { "session/{field:session_id}", NULL, "{\"session_id\": 12, \"x\": 1}", "session/12" },
    { "{field:unit}", NULL, "{\"unit\": \"\\u00b0C\"}", "\302\260C" },
    { "{field:v}", NULL, "{\"v\": 1.50e3}", "1.50e3" },
    { "{field:on}", NULL, "{\"on\": true}", "true" },
    { "{{a}}", NULL, "", "{a}" },
    { "$aws/things/{field:id}", NULL, "{\"id\": \"$x\"}", "$aws/things/$x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *expanded = test_expand (rows[i].text, rows[i].topic, rows[i].payload);

      g_assert_cmpstr (expanded, ==, rows[i].expanded);
    }
}

static void
test_harmful (void)
{
  static const struct
  {
    const char *text;
    const char *topic;
    const char *payload;
    const char *pattern;
  } rows[] = {
    { "{topic}", NULL, "", "! the event has no topic of its own" },
    { "{topic}", "", "", "! the event has no topic of its own" },
    { "{topic:1}", NULL, "", "! the event has no topic of its own" },
    { "{topic:4}", "a/b/c", "", "! topic 'a/b/c' has no level 4" },
    { "{topic:-4}", "a/b/c", "", "! topic 'a/b/c' has no level -4" },
    { "{topic:2}", "a//c", "", "! level 2 of topic 'a//c' is empty" },
    { "{topic}", "a/+/c", "", "! cannot publish to topic 'a/+/c': it has a wildcard" },
    { "{topic}", "$SYS/x", "", "! cannot publish to topic '$SYS/x': topics that begin with*" },
    { "{topic}", "a\x01", "", "! cannot publish to topic 'a\\001': it has a control character" },
    { "{topic}", "a\xff", "", "! cannot publish to topic *: it is not UTF-8" },
    { "{field:id}", NULL, "{\"id\": \"a/b\"}", "! field 'id' is 'a/b', which cannot be a level*" },
    { "{field:id}", NULL, "{\"id\": \"+\"}", "! field 'id' is '+', which cannot be a level*" },
    { "{field:id}", NULL, "{\"id\": \"#\"}", "! field 'id' is '#', which cannot be a level*" },
    { "{field:id}", NULL, "{\"id\": \"\"}", "! field 'id' is '', which cannot be a level*" },
    { "{field:id}", NULL, "{\"id\": \"a\\u0000b\"}", "! field 'id' is 'a*', which cannot be a *" },
    { "{field:id}", NULL, "{\"id\": null}", "! field 'id' is neither a string nor a number" },
    { "{field:id}", NULL, "{\"id\": [1]}", "! field 'id' is neither a string nor a number" },
    { "{field:id}", NULL, "{\"di\": 1}", "! the payload has no field 'id'" },
    { "{field:id}", NULL, "[1]", "! the payload is not a JSON object, so it has no field 'id'" },
    { "{field:id}", NULL, "not JSON", "! the payload is not a JSON object*" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *expanded = test_expand (rows[i].text, rows[i].topic, rows[i].payload);

      g_test_message ("%s of %s: %s", rows[i].text, rows[i].payload, expanded);
      g_assert_true (g_pattern_match_simple (rows[i].pattern, expanded));
    }
}

/* 65,535 bytes are a topic, one more are not. */
static void
test_long (void)
{
  g_autofree char *longest = g_strnfill (65535, 'x');
  g_autofree char *longer = g_strnfill (65536, 'x');
  g_autofree char *good = test_expand ("{topic}", longest, "");
  g_autofree char *bad = test_expand ("{topic}", longer, "");

  g_assert_cmpstr (good, ==, longest);
  g_assert_true (g_str_has_suffix (bad, "it is longer than 65535 bytes"));
}

static void
test_faults (void)
{
  static const struct
  {
    const char *text;
    const char *pattern;
  } rows[] = {
    { "", "it is empty" },
    { "a/+/b", "'a/+/b' has a wildcard*" },
    { "{topic}/#", "'{topic}/#' has a wildcard*" },
    { "{topic", "'{' without its partner*" },
    { "topic}", "'}' without its partner*" },
    { "{}", "unknown place '{}'*" },
    { "{topics}", "unknown place '{topics}'*" },
    { "{topic:0}", "unknown place '{topic:0}'*" },
    { "{topic:x}", "unknown place '{topic:x}'*" },
    { "{topic:1001}", "unknown place '{topic:1001}'*" },
    { "{field:}", "unknown place '{field:}'*" },
    { "{time:}", "unknown place '{time:}'*" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PenMqttTopicTemplate) template
          = pen_mqtt_topic_template_new (rows[i].text, &error);

      g_test_message ("%s", rows[i].text);
      g_assert_null (template);
      g_assert_true (g_pattern_match_simple (rows[i].pattern, error->message));
    }
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/mqtt/topic-template/places", test_places);
  g_test_add_func ("/mqtt/topic-template/harmful", test_harmful);
  g_test_add_func ("/mqtt/topic-template/long", test_long);
  g_test_add_func ("/mqtt/topic-template/faults", test_faults);
  return g_test_run ();
}
