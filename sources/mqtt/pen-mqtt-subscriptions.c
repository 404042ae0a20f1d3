/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a session is subscribed to, and what it should not be.
 *
 * A persistent session keeps its subscriptions, also those that the keyfile no longer names, and
 * MQTT has no way to list them. They show when a message comes that none of ours explains: then
 * every filter that matches its topic, except ours, is unsubscribed. That loses nothing, while
 * beginning a clean session would lose what the broker has queued. What cannot be found are shared
 * subscriptions of groups that the keyfile does not name any more.
 *
 * With MQTT 5 every subscription of ours carries an identifier made of all topics. A message with
 * it is expected, whatever its topic (a broker may rename topics), and a message without it came
 * through an old filter, also where that overlaps with one of ours and brings everything twice.
 */

#include "config.h"

#include "pen-mqtt-subscriptions.h"

#include "pen-mqtt-topics.h"

#include <mqtt_protocol.h>
#include <string.h>

#define SHARE_PREFIX "$share/"
/* Of MQTT 5, 3.8.2.1.2. */
#define MAXIMUM_IDENTIFIER 268435455
/* So many topics are looked into per connection; each takes one packet. */
#define MAXIMUM_STRANGE 32

/* The same topics give the same identifier in every run, others most likely another one. */
static guint32
pen_mqtt_make_identifier (const char *const *topics, int qos)
{
  g_autofree char *all = g_strjoinv ("\n", (char **) topics);

  return (g_str_hash (all) * 3 + (guint32) qos) % MAXIMUM_IDENTIFIER + 1;
}

/* @topics must live as long. Threads: lane */
void
pen_mqtt_subscriptions_init (PenMqttSubscriptions *self, const char *const *topics, int qos)
{
  self->topics = topics;
  self->identifier = pen_mqtt_make_identifier (topics, qos);
  self->strange = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/* Threads: lane */
void
pen_mqtt_subscriptions_clear (PenMqttSubscriptions *self)
{
  g_clear_pointer (&self->strange, g_hash_table_unref);
}

/* A new connection. Threads: lane */
void
pen_mqtt_subscriptions_begin (PenMqttSubscriptions *self,
                              gboolean has_session,
                              gboolean has_identifiers)
{
  self->has_session = has_session;
  self->has_identifiers = has_identifiers;
  g_hash_table_remove_all (self->strange);
}

static gboolean
pen_mqtt_subscriptions_find_identifier (const PenMqttSubscriptions *self,
                                        const mosquitto_property *properties)
{
  guint32 identifier = 0;
  const mosquitto_property *at = mosquitto_property_read_varint (
      properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, &identifier, false);

  while (at != NULL)
    {
      if (identifier == self->identifier)
        return TRUE;
      at = mosquitto_property_read_varint (at, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, &identifier,
                                           true);
    }
  return FALSE;
}

/**
 * pen_mqtt_subscriptions_judge:
 * @self: subscriptions
 * @topic: of a message
 * @properties: (nullable): its properties
 *
 * Returns: how it came to us
 *
 * Threads: lane
 */
PenMqttVerdict
pen_mqtt_subscriptions_judge (const PenMqttSubscriptions *self,
                              const char *topic,
                              const mosquitto_property *properties)
{
  /* In a session that has just begun there is nothing old: the broker knows what it sends. */
  if (!self->has_session)
    return PEN_MQTT_EXPECTED;
  if (self->has_identifiers && pen_mqtt_subscriptions_find_identifier (self, properties))
    return PEN_MQTT_EXPECTED;
  if (!pen_mqtt_filters_match (self->topics, topic))
    return PEN_MQTT_UNEXPECTED;
  return self->has_identifiers ? PEN_MQTT_OVERLAPPED : PEN_MQTT_EXPECTED;
}

/* The same filters once more for each group that we share. */
static void
pen_mqtt_subscriptions_add_groups (const PenMqttSubscriptions *self, GPtrArray *filters)
{
  guint n_plain = filters->len;

  for (guint i = 0; self->topics[i] != NULL; i++)
    {
      const char *topic = self->topics[i];
      gsize n_bytes = strlen (SHARE_PREFIX);

      if (!pen_mqtt_filter_is_shared (topic))
        continue;
      n_bytes += strcspn (topic + n_bytes, "/");
      for (guint n = 0; n < n_plain; n++)
        {
          g_autofree char *filter
              = g_strdup_printf ("%.*s/%s", (int) n_bytes, topic, (char *) filters->pdata[n]);

          if (!g_strv_contains (self->topics, filter))
            g_ptr_array_add (filters, g_steal_pointer (&filter));
        }
    }
}

/**
 * pen_mqtt_subscriptions_suspect:
 * @self: subscriptions
 * @topic: of a message that was not expected
 *
 * Lists the filters through which it can have come, except ours: once for each topic, and for a
 * bounded number of topics per connection.
 *
 * Returns: (nullable) (transfer container) (element-type utf8): what to unsubscribe from
 *
 * Threads: lane
 */
GPtrArray *
pen_mqtt_subscriptions_suspect (PenMqttSubscriptions *self, const char *topic)
{
  GPtrArray *filters;

  if (g_hash_table_size (self->strange) >= MAXIMUM_STRANGE
      || !g_hash_table_add (self->strange, g_strdup (topic)))
    return NULL;
  filters = pen_mqtt_topic_generalise (topic, self->topics);
  pen_mqtt_subscriptions_add_groups (self, filters);
  return filters;
}
