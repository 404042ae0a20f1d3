/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * TLS and logins against a real broker: what is let in, and the one line that is said of what is
 * not. The whole message is compared, with the port in it replaced.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <string.h>

static void
test_start_broker (PenMqttFixture *fixture, const char *certificate)
{
  const PenBrokerOptions options = { .certificate = certificate };

  pen_mqtt_fixture_start_broker (fixture, &options);
}

static PenElement *
test_make (PenMqttFixture *fixture, const char *cafile)
{
  g_autofree char *path = pen_mqtt_fixture_find (fixture, cafile);

  return pen_mqtt_fixture_make (fixture, "cafile", path, NULL);
}

static void
test_is_let_in (PenMqttFixture *fixture, PenElement *element)
{
  g_autoptr (PenHarness) harness = pen_mqtt_fixture_run (element);

  pen_mqtt_fixture_send (fixture, "t/a", "hello");
  pen_mqtt_fixture_assert_next (harness, "t/a", "hello");
}

/* It complains in exactly this way, and tries again. */
static void
test_complains (PenElement *element, const char *pattern)
{
  g_autoptr (PenHarness) harness = pen_harness_new (element);
  g_autofree char *whole = g_strdup_printf ("127.0.0.1:*: %s; trying again", pattern);

  pen_harness_start (harness);
  if (!pen_mqtt_fixture_wait_log (harness, whole))
    g_error ("nothing like '%s' was logged", whole);
  g_assert_false (pen_harness_is_connected (harness));
  g_assert_null (pen_harness_get_failure (harness));
}

/* A second after midnight, so to say, a day less is left. */
static void
test_days_left (PenHarness *harness, const char *what, gint64 days)
{
  gint64 left = pen_harness_get_count (harness, "certificate_days_left", what);

  g_assert_cmpint (left, >=, days - 1);
  g_assert_cmpint (left, <=, days);
}

static void
test_right_ca (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  test_start_broker (fixture, "server");
  harness = pen_mqtt_fixture_run (test_make (fixture, "ca.crt"));
  test_days_left (harness, "cafile", 365);
  test_days_left (harness, "broker", 90);
}

/* A root of X.509 version 1, without extensions. */
static void
test_old_root (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server-v1");
  test_is_let_in (fixture, test_make (fixture, "ca-v1.crt"));
}

static void
test_by_address (PenMqttFixture *fixture)
{
  PenElement *element;

  test_start_broker (fixture, "server");
  element = test_make (fixture, "ca.crt");
  g_object_set (element, "host", "127.0.0.1", NULL);
  test_is_let_in (fixture, element);
}

static void
test_wrong_ca (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server");
  test_complains (test_make (fixture, "ca-other.crt"),
                  "the broker's certificate is signed by an unknown CA ('CN=Test root'): it is not "
                  "in cafile '*/ca-other.crt'");
}

static void
test_system_store (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server");
  test_complains (pen_mqtt_fixture_make (fixture, "tls", 1, NULL),
                  "the broker's certificate is signed by an unknown CA ('CN=Test root'): this "
                  "system does not trust it; set cafile");
}

static void
test_expired (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server-expired");
  test_complains (test_make (fixture, "ca.crt"),
                  "the broker's certificate expired on * UTC ('CN=localhost')");
}

static void
test_early (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server-early");
  test_complains (test_make (fixture, "ca.crt"),
                  "the broker's certificate is not valid before * UTC ('CN=localhost'): is this "
                  "machine's clock right?");
}

static void
test_wrong_host (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server-other");
  test_complains (test_make (fixture, "ca.crt"),
                  "the broker's certificate is for another host (DNS:other.example), not for "
                  "'127.0.0.1'");
}

static void
test_insecure (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server-expired");
  test_is_let_in (fixture, pen_mqtt_fixture_make (fixture, "tls-insecure", TRUE, NULL));
  g_assert_true (pen_mqtt_fixture_has_log ("*TLS-INSECURE*"));
}

static void
test_bad_file (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server");
  test_complains (test_make (fixture, "ca-expired.crt"),
                  "cafile '*/ca-expired.crt': the certificate of 'CN=Test root of old' expired on "
                  "* UTC");
}

static void
test_tls_to_plain_port (PenMqttFixture *fixture)
{
  PenElement *element;

  test_start_broker (fixture, "server");
  element = test_make (fixture, "ca.crt");
  g_object_set (element, "port", pen_broker_get_plain_port (fixture->broker), NULL);
  test_complains (element, "the other side closed the connection during the TLS hand-shake*");
}

static void
test_plain_to_tls_port (PenMqttFixture *fixture)
{
  test_start_broker (fixture, "server");
  test_complains (
      pen_mqtt_fixture_make (fixture, "tls", 2, NULL),
      "the broker closed the connection before it answered the login: does this port want TLS?");
}

/* --- Clients with certificates --- */

static void
test_start_strict_broker (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server", .client_ca = "ca" };

  pen_mqtt_fixture_start_broker (fixture, &options);
}

static PenElement *
test_make_client (PenMqttFixture *fixture, const char *certfile, const char *keyfile)
{
  g_autofree char *certificate = pen_mqtt_fixture_find (fixture, certfile);
  g_autofree char *key = pen_mqtt_fixture_find (fixture, keyfile);
  PenElement *element = test_make (fixture, "ca.crt");

  g_object_set (element, "certfile", certificate, "keyfile", key, NULL);
  return element;
}

static void
test_client_certificate (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness = NULL;

  test_start_strict_broker (fixture);
  harness = pen_mqtt_fixture_run (test_make_client (fixture, "client.crt", "client.key"));
  test_days_left (harness, "certfile", 30);
}

static void
test_encrypted_key (PenMqttFixture *fixture)
{
  PenElement *element;

  test_start_strict_broker (fixture);
  element = test_make_client (fixture, "client.crt", "client-encrypted.key");
  g_object_set (element, "key-password", PEN_CERTIFICATES_KEY_PASSWORD, NULL);
  test_is_let_in (fixture, element);
}

static void
test_no_client_certificate (PenMqttFixture *fixture)
{
  test_start_strict_broker (fixture);
  test_complains (test_make (fixture, "ca.crt"),
                  "the broker *: does it ask for a client certificate? set certfile and keyfile");
}

static void
test_stranger (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server", .client_ca = "ca-other" };

  pen_mqtt_fixture_start_broker (fixture, &options);
  test_complains (test_make_client (fixture, "client.crt", "client.key"),
                  "the broker *: does it accept the client certificate in certfile*?");
}

/* --- Logins --- */

static PenElement *
test_make_login (PenMqttFixture *fixture, const char *username, const char *password)
{
  const PenBrokerOptions options
      = { .certificate = "server", .username = "site", .password = "pa\\ss;word" };
  PenElement *element;

  pen_mqtt_fixture_start_broker (fixture, &options);
  element = test_make (fixture, "ca.crt");
  g_object_set (element, "username", username, "password", password, NULL);
  return element;
}

static void
test_right_password (PenMqttFixture *fixture)
{
  g_autoptr (PenHarness) harness
      = pen_mqtt_fixture_run (test_make_login (fixture, "site", "pa\\ss;word"));

  g_assert_true (pen_harness_is_connected (harness));
}

static void
test_wrong_password (PenMqttFixture *fixture)
{
  test_complains (test_make_login (fixture, "site", "guess"),
                  "the broker refused the login of 'site': not authorised (username or password is "
                  "wrong, or may not connect)");
  g_assert_false (pen_mqtt_fixture_has_log ("*guess*"));
}

static void
test_wrong_password_old_version (PenMqttFixture *fixture)
{
  PenElement *element = test_make_login (fixture, "site", "guess");

  g_object_set (element, "version", 0, NULL);
  test_complains (element, "the broker refused the login of 'site': not authorised*");
}

static void
test_no_login (PenMqttFixture *fixture)
{
  test_complains (test_make_login (fixture, NULL, NULL),
                  "the broker refused the login: not authorised*; no username is set");
}

static void
test_gives_up (PenMqttFixture *fixture)
{
  PenElement *element = test_make_login (fixture, "site", "guess");
  g_autoptr (PenHarness) harness = NULL;
  const GError *failure;

  g_object_set (element, "reconnect", FALSE, NULL);
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_count (harness, "connection_failures", 1));
  failure = pen_harness_get_failure (harness);
  g_assert_error (failure, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_FAIL);
  g_assert_nonnull (strstr (failure->message, "refused the login of 'site'"));
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/tls/right-ca", test_right_ca);
  pen_mqtt_fixture_add ("/mqtt/tls/root-of-version-1", test_old_root);
  pen_mqtt_fixture_add ("/mqtt/tls/by-address", test_by_address);
  pen_mqtt_fixture_add ("/mqtt/tls/wrong-ca", test_wrong_ca);
  pen_mqtt_fixture_add ("/mqtt/tls/system-store", test_system_store);
  pen_mqtt_fixture_add ("/mqtt/tls/expired", test_expired);
  pen_mqtt_fixture_add ("/mqtt/tls/early", test_early);
  pen_mqtt_fixture_add ("/mqtt/tls/wrong-host", test_wrong_host);
  pen_mqtt_fixture_add ("/mqtt/tls/insecure", test_insecure);
  pen_mqtt_fixture_add ("/mqtt/tls/bad-file", test_bad_file);
  pen_mqtt_fixture_add ("/mqtt/tls/tls-to-plain-port", test_tls_to_plain_port);
  pen_mqtt_fixture_add ("/mqtt/tls/plain-to-tls-port", test_plain_to_tls_port);
  pen_mqtt_fixture_add ("/mqtt/tls/client-certificate", test_client_certificate);
  pen_mqtt_fixture_add ("/mqtt/tls/encrypted-key", test_encrypted_key);
  pen_mqtt_fixture_add ("/mqtt/tls/no-client-certificate", test_no_client_certificate);
  pen_mqtt_fixture_add ("/mqtt/tls/stranger", test_stranger);
  pen_mqtt_fixture_add ("/mqtt/login/right-password", test_right_password);
  pen_mqtt_fixture_add ("/mqtt/login/wrong-password", test_wrong_password);
  pen_mqtt_fixture_add ("/mqtt/login/wrong-password-3.1.1", test_wrong_password_old_version);
  pen_mqtt_fixture_add ("/mqtt/login/none", test_no_login);
  pen_mqtt_fixture_add ("/mqtt/login/gives-up", test_gives_up);
  return g_test_run ();
}
