/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is said of the MQTT source's properties before anything starts, message by message, and the
 * words for what a broker refuses.
 */

#include "config.h"

#include "pen-certificates.h"
#include "pen-harness.h"
#include "pen-mqtt-reasons.h"
#include "pen-mqtt-settings.h"
#include "pen-mqtt-source.h"

#include <glib/gstdio.h>
#include <mqtt_protocol.h>
#include <string.h>

typedef struct
{
  const char *set; /* KEY=VALUE, separated by blanks; the values are read as a keyfile's are */
  const char *findings;
} TestRow;

static void
test_set (GObject *object, const char *name, const char *text)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_assert_nonnull (spec);
  g_value_init (&value, spec->value_type);
  if (G_VALUE_HOLDS_STRING (&value))
    g_value_set_string (&value, text);
  else if (G_VALUE_HOLDS (&value, G_TYPE_STRV))
    g_value_take_boxed (&value, g_strsplit (text, ";", -1));
  else if (G_VALUE_HOLDS_INT (&value))
    g_value_set_int (&value, (int) g_ascii_strtoll (text, NULL, 10));
  else if (G_VALUE_HOLDS_BOOLEAN (&value))
    g_value_set_boolean (&value, g_str_equal (text, "true"));
  else if (G_VALUE_HOLDS_ENUM (&value))
    g_value_set_enum (&value,
                      g_enum_get_value_by_nick (G_PARAM_SPEC_ENUM (spec)->enum_class, text)->value);
  else
    g_value_set_int64 (&value, g_ascii_strtoll (text, NULL, 10));
  g_object_set_property (object, name, &value);
}

/* The element of a row, and the names that it sets. */
static PenElement *
test_make (const char *set, char **names)
{
  g_autoptr (GString) all = g_string_new ("host topics");
  PenElement *element = g_object_new (PEN_TYPE_MQTT_SOURCE, NULL);
  g_auto (GStrv) pairs = g_strsplit (set, " ", -1);

  test_set (G_OBJECT (element), "host", "broker.example");
  test_set (G_OBJECT (element), "topics", "t/#");
  for (guint i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

      if (g_strv_length (pair) < 2)
        continue;
      test_set (G_OBJECT (element), pair[0], pair[1]);
      g_string_append_printf (all, " %s", pair[0]);
    }
  *names = g_string_free (g_steal_pointer (&all), FALSE);
  return element;
}

static void
test_findings (void)
{
  static const TestRow rows[] = {
    { "", "" },
    { "qos=0 port=1883 version=3.1.1 clean-session=true", "" },
    { "port=8883 username=u password=p", "" },
    { "topics=$share/g/a client-id=site-1", "" },
    { "will-topic=w will-payload=gone will-qos=2 will-retain=true", "" },
    { "qos=2", "error: qos: 2 is not offered: libmosquitto would confirm a message before it is "
               "delivered; use 1, "
               "which QoS 2 publishers are served at as well" },
    { "topics=a/#/b;x", "error: topics: topic 'a/#/b' cannot be subscribed to: '#' stands alone, "
                        "and as the last level: "
                        "'a/#'" },
    { "topics=a;b;a", "error: topics: topic 'a' is listed twice" },
    { "topics=a;", "error: topics: topic '' cannot be subscribed to: it is empty" },
    { "topics=$share/g/a", "warning: topics: instances that share a subscription need different "
                           "ids: set client-id, for example "
                           "to site-${env:HOSTNAME}" },
    { "host=mqtts://broker", "error: host: 'mqtts://broker' is a URL: give the host's name alone" },
    { "host=", "error: host: it is empty" },
    { "client-id=", "error: client-id: it must be UTF-8 and have 1 to 65535 bytes" },
    { "version=3.1.1 session-expiry=1000000",
      "error: session-expiry: MQTT 3.1.1 does not have it: set version=5" },
    { "version=3.1.1 retain-handling=never",
      "error: retain-handling: MQTT 3.1.1 does not have it: set version=5" },
    { "clean-session=true session-expiry=1000000",
      "warning: session-expiry: it has no effect with clean-session=true" },
    { "tls=on password=p", "error: password: a password without username" },
    { "username=u password=p", "warning: password: it is sent without encryption: everyone on the "
                               "way can read it; set tls=on and the "
                               "broker's TLS port" },
    { "will-payload=gone", "error: will-payload: it has no effect without will-topic" },
    { "will-topic=a/+", "error: will-topic: 'a/+' is not a topic: it must have no wildcards" },
    { "tls=off cafile=ca.crt", "error: cafile: it has no effect without TLS: set tls=on" },
    { "tls-insecure=true", "warning: tls-insecure: THE BROKER'S CERTIFICATE IS NOT VERIFIED: "
                           "anyone can pose as the broker and read "
                           "the password; set cafile instead" },
    { "certfile=c.crt", "error: certfile: a certificate needs its private key: set keyfile" },
    { "keyfile=c.key", "error: keyfile: a private key needs its certificate: set certfile" },
    { "tls=on key-password=p", "error: key-password: it has no effect without keyfile" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *names = NULL;
      g_autoptr (PenElement) element = test_make (rows[i].set, &names);
      g_autofree char *findings = pen_harness_check (element, names, FALSE);

      g_test_message ("%s", rows[i].set);
      g_strchomp (findings);
      g_assert_cmpstr (findings, ==, rows[i].findings);
    }
}

/* Files are looked at only where the environment is wanted. */
static void
test_files (void)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *set = NULL;
  g_autofree char *names = NULL;
  g_autoptr (PenElement) element = NULL;
  g_autofree char *without = NULL;
  g_autofree char *with = NULL;

  pen_certificates_make (folder);
  set = g_strdup_printf ("cafile=%s/ca-expired.crt certfile=%s/client.crt keyfile=%s/server.key",
                         folder, folder, folder);
  element = test_make (set, &names);
  without = pen_harness_check (element, names, FALSE);
  with = pen_harness_check (element, names, TRUE);
  g_assert_cmpstr (without, ==, "");
  g_assert_true (
      g_pattern_match_simple ("error: cafile: cafile '*ca-expired.crt'*expired on*\n"
                              "error: keyfile: the key in keyfile '*server.key' does not belong*",
                              with));
  pen_test_remove_folder (g_steal_pointer (&folder));
}

/* A private key that everyone can read is warned of. */
static void
test_open_key (void)
{
  g_autofree char *folder = pen_test_make_folder ();
  g_autofree char *key = g_build_filename (folder, "client.key", NULL);
  g_autofree char *set = g_strdup_printf ("certfile=%s/client.crt keyfile=%s", folder, key);
  g_autofree char *expected = NULL;
  g_autofree char *names = NULL;
  g_autoptr (PenElement) element = test_make (set, &names);
  g_autofree char *closed = NULL;
  g_autofree char *without = NULL;
  g_autofree char *open = NULL;

  pen_certificates_make (folder);
  g_assert_no_errno (g_chmod (folder, 0755));
  g_assert_no_errno (g_chmod (key, 0640));
  closed = pen_harness_check (element, names, TRUE);
  g_assert_no_errno (g_chmod (key, 0644));
  without = pen_harness_check (element, names, FALSE);
  open = pen_harness_check (element, names, TRUE);
  expected = g_strdup_printf ("warning: keyfile: every user of this machine can read '%s' (mode "
                              "0644); do: chmod o-rwx '%s'\n",
                              key, key);
  g_assert_null (strstr (closed, "every user"));
  g_assert_cmpstr (without, ==, "");
  g_assert_nonnull (strstr (open, expected));
  pen_test_remove_folder (g_steal_pointer (&folder));
}

static void
test_uses_tls (void)
{
  static const struct
  {
    const char *set;
    gboolean uses_tls;
    guint port;
  } rows[] = {
    { "", FALSE, 1883 },
    { "port=8883", TRUE, 8883 },
    { "port=1884", FALSE, 1884 },
    { "cafile=x", TRUE, 8883 },
    { "cafile=x port=1883", TRUE, 1883 },
    { "certfile=x", TRUE, 8883 },
    { "tls-insecure=true", TRUE, 8883 },
    { "tls=on", TRUE, 8883 },
    { "tls=on port=1883", TRUE, 1883 },
    { "tls=off port=8883", FALSE, 8883 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      PenMqttSettings settings = { 0 };
      g_autofree char *names = NULL;
      g_autoptr (PenElement) element = test_make (rows[i].set, &names);

      pen_mqtt_settings_init (&settings);
      g_object_get (element, "port", &settings.port, "cafile", &settings.cafile, "certfile",
                    &settings.certfile, "tls", &settings.tls, "tls-insecure",
                    &settings.tls_insecure, NULL);
      g_test_message ("%s", rows[i].set);
      g_assert_cmpint (pen_mqtt_settings_uses_tls (&settings), ==, rows[i].uses_tls);
      g_assert_cmpuint (pen_mqtt_settings_get_port (&settings), ==, rows[i].port);
      pen_mqtt_settings_clear (&settings);
    }
}

/* Every property takes its default and gives it back, and tells only of changes. */
static void
test_count_notify (GObject *object, GParamSpec *spec, gpointer user_data)
{
  guint *n_notified = user_data;

  (*n_notified)++;
}

static void
test_properties (void)
{
  g_autoptr (PenElement) element = g_object_new (PEN_TYPE_MQTT_SOURCE, NULL);
  guint n_properties = 0;
  guint n_notified = 0;
  g_autofree GParamSpec **specs
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n_properties);

  g_signal_connect (element, "notify", G_CALLBACK (test_count_notify), &n_notified);
  for (guint i = 0; i < n_properties; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
      g_assert_true (g_param_value_defaults (specs[i], &value));
      g_object_set_property (G_OBJECT (element), specs[i]->name, &value);
    }
  g_assert_cmpuint (n_properties, ==, 25);
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (element, "host", "a", "password", "b", "qos", 0, NULL);
  g_object_set (element, "host", "a", "password", "b", "qos", 0, NULL);
  g_assert_cmpuint (n_notified, ==, 3);
}

static void
test_refusals (void)
{
  static const struct
  {
    int reason;
    gboolean is_mqtt_5;
    const char *text;
  } rows[] = {
    { 1, FALSE, "the broker does not speak MQTT 3.1.1: set version=5" },
    { MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION, TRUE,
      "the broker does not speak MQTT 5: set version=3.1.1" },
    { 2, FALSE, "the broker refused the client id 'me': set client-id" },
    { 3, FALSE, "the broker is up but not available at the moment" },
    { 4, FALSE, "the broker refused the login of 'site': username or password is wrong" },
    { MQTT_RC_BAD_USERNAME_OR_PASSWORD, TRUE,
      "the broker refused the login of 'site': username or password is wrong" },
    { MQTT_RC_BANNED, TRUE, "the broker has banned the client id 'me'" },
    { MQTT_RC_SERVER_MOVED, TRUE,
      "the broker says that another server is to be used: change host" },
    { MQTT_RC_BAD_AUTHENTICATION_METHOD, TRUE,
      "the broker wants another way of authentication than a password" },
    { MQTT_RC_QUOTA_EXCEEDED, TRUE, "the broker refused the connection: Quota exceeded" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text
          = pen_mqtt_describe_refusal (rows[i].reason, rows[i].is_mqtt_5, "site", "me");

      g_assert_cmpstr (text, ==, rows[i].text);
    }
}

static void
test_subscriptions (void)
{
  g_assert_null (pen_mqtt_describe_subscription (0));
  g_assert_null (pen_mqtt_describe_subscription (1));
  g_assert_cmpstr (pen_mqtt_describe_subscription (0x87), ==, "not authorised");
  g_assert_cmpstr (pen_mqtt_describe_subscription (0x8f), ==,
                   "the broker does not accept this topic");
  g_assert_cmpstr (pen_mqtt_describe_subscription (0x97), ==, "the broker's quota is exceeded");
  g_assert_cmpstr (pen_mqtt_describe_subscription (0x9e), ==,
                   "the broker has no shared subscriptions");
  g_assert_cmpstr (pen_mqtt_describe_subscription (0xa2), ==, "the broker has no wildcards");
  g_assert_nonnull (pen_mqtt_describe_subscription (0x80));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/mqtt/settings/findings", test_findings);
  g_test_add_func ("/mqtt/settings/files", test_files);
  g_test_add_func ("/mqtt/settings/open-key", test_open_key);
  g_test_add_func ("/mqtt/settings/uses-tls", test_uses_tls);
  g_test_add_func ("/mqtt/settings/properties", test_properties);
  g_test_add_func ("/mqtt/settings/refusals", test_refusals);
  g_test_add_func ("/mqtt/settings/subscriptions", test_subscriptions);
  return g_test_run ();
}
