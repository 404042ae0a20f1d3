/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is said of the MQTT sink's properties before anything starts. What it shares with the
 * source is tested there.
 */

#include "config.h"

#include "pen-harness.h"
#include "pen-mqtt-sink.h"

static char *
test_check (const char *set, const char *first, ...)
{
  g_autoptr (PenElement) element
      = g_object_new (PEN_TYPE_MQTT_SINK, "host", "broker.example", "topic", "t", NULL);
  g_autofree char *names = g_strdup_printf ("host topic %s", set);
  va_list arguments;
  char *findings;

  va_start (arguments, first);
  g_object_set_valist (G_OBJECT (element), first, arguments);
  va_end (arguments);
  findings = pen_harness_check (element, names, FALSE /* environment */);
  return g_strchomp (findings);
}

static void
test_findings (void)
{
  g_autofree char *good = test_check ("qos retain", "qos", 2, "retain", TRUE, NULL);
  g_autofree char *wildcard = test_check ("topic", "topic", "a/#", NULL);
  g_autofree char *shared = test_check ("topic", "topic", "$share/g/a", NULL);
  g_autofree char *old = test_check ("content-type message-expiry", "version", 0, "content-type",
                                     "text/plain", "message-expiry", G_USEC_PER_SEC * 5L, NULL);
  g_autofree char *url = test_check ("host", "host", "mqtt://broker", NULL);
  g_autofree char *timeout
      = test_check ("acknowledge-timeout", "qos", 0, "acknowledge-timeout", 5000000L, NULL);

  g_assert_cmpstr (good, ==, "");
  g_assert_cmpstr (wildcard, ==,
                   "error: topic: 'a/#' has a wildcard: one publishes to a topic, "
                   "not to a pattern");
  g_assert_cmpstr (shared, ==,
                   "error: topic: '$share/g/a' is a shared subscription: one publishes "
                   "to the topic behind the group's name");
  g_assert_cmpstr (old, ==,
                   "error: content-type: MQTT 3.1.1 does not have it: set version=5\n"
                   "error: message-expiry: MQTT 3.1.1 does not have it: set version=5");
  g_assert_cmpstr (url, ==, "error: host: 'mqtt://broker' is a URL: give the host's name alone");
  g_assert_cmpstr (timeout, ==, "warning: acknowledge-timeout: it has no effect with qos=0");
}

static void
test_count_notify (GObject *object, GParamSpec *spec, gpointer user_data)
{
  guint *n_notified = user_data;

  (*n_notified)++;
}

/* Every property takes its default and gives it back, and tells only of changes. */
static void
test_properties (void)
{
  g_autoptr (PenElement) element = g_object_new (PEN_TYPE_MQTT_SINK, NULL);
  guint n_properties = 0;
  guint n_notified = 0;
  g_autofree GParamSpec **specs
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n_properties);

  g_signal_connect (element, "notify", G_CALLBACK (test_count_notify), &n_notified);
  for (guint i = 0; i < n_properties; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      if (specs[i]->owner_type != PEN_TYPE_MQTT_SINK)
        continue;
      g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
      g_assert_true (g_param_value_defaults (specs[i], &value));
      g_object_set_property (G_OBJECT (element), specs[i]->name, &value);
    }
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (element, "host", "a", "topic", "b", "qos", 2, "in-flight", 7, NULL);
  g_object_set (element, "host", "a", "topic", "b", "qos", 2, "in-flight", 7, NULL);
  g_assert_cmpuint (n_notified, ==, 4);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/mqtt-sink/settings/findings", test_findings);
  g_test_add_func ("/mqtt-sink/settings/properties", test_properties);
  return g_test_run ();
}
