/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Servers that are no good brokers: silent ones, ones that talk garbage, that close in the middle
 * of a packet, that refuse. Each is a script: the bytes that are sent to whoever connects, and what
 * happens then.
 */

#include "config.h"

#include "pen-mqtt-fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum
{
  TEST_STAYS, /* keeps the connection */
  TEST_CLOSES,
} TestEnd;

typedef struct
{
  const char *bytes;
  gsize length;
  TestEnd end;
  const char *granted; /* what SUBSCRIBE is answered with; NULL: nothing */
} TestScript;

typedef struct
{
  const TestScript *script;
  GSocketService *service;
  guint port;
  GPtrArray *connections;
  char received[4096];
} TestServer;

/* CONNACK of MQTT 5: accepted, new session, no properties. */
#define CONNACK "\x20\x03\x00\x00\x00"
/* SUBACK of the first SUBSCRIBE, for one topic. */
#define SUBACK(granted) "\x90\x04\x00\x01\x00" granted
#define SCRIPT(bytes, end)                                                                         \
  {                                                                                                \
    bytes, sizeof (bytes) - 1, end, NULL                                                           \
  }

/* Neither our CONNECT nor our SUBSCRIBE has this byte, except as the latter's first. */
#define SUBSCRIBE '\x82'

static void
test_on_received (GObject *input, GAsyncResult *result, gpointer user_data)
{
  TestServer *self = user_data;
  gssize length = g_input_stream_read_finish (G_INPUT_STREAM (input), result, NULL);
  GIOStream *stream = self->connections->len == 0 ? NULL : self->connections->pdata[0];

  if (length <= 0 || stream == NULL)
    return;
  if (memchr (self->received, SUBSCRIBE, (gsize) length) != NULL)
    g_output_stream_write_all (g_io_stream_get_output_stream (stream), self->script->granted, 6,
                               NULL, NULL, NULL);
  else
    g_input_stream_read_async (G_INPUT_STREAM (input), self->received, sizeof self->received, 0,
                               NULL, test_on_received, self);
}

static gboolean
test_serve (GSocketService *service,
            GSocketConnection *connection,
            GObject *source,
            gpointer user_data)
{
  TestServer *self = user_data;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_output_stream_write_all (output, self->script->bytes, self->script->length, NULL, NULL, NULL);
  if (self->script->end == TEST_STAYS)
    g_ptr_array_add (self->connections, g_object_ref (connection));
  else
    g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  if (self->script->granted != NULL)
    g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                               self->received, sizeof self->received, 0, NULL, test_on_received,
                               self);
  return TRUE;
}

static void
test_server_start (TestServer *self, const TestScript *script)
{
  g_autoptr (GError) error = NULL;

  self->script = script;
  self->connections = g_ptr_array_new_with_free_func (g_object_unref);
  self->service = g_socket_service_new ();
  self->port
      = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (self->service), NULL, &error);
  g_assert_no_error (error);
  g_signal_connect (self->service, "incoming", G_CALLBACK (test_serve), self);
  g_socket_service_start (self->service);
}

static void
test_server_stop (TestServer *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_clear_object (&self->service);
  g_ptr_array_unref (self->connections);
}

static PenElement *
test_make (PenMqttFixture *fixture, guint port)
{
  return pen_mqtt_fixture_make (fixture, "port", port, "connect-timeout", (gint64) 300000, NULL);
}

/* It complains in exactly this way, hands nothing on, and goes on trying. */
static void
test_complains (PenMqttFixture *fixture, const TestScript *script, const char *pattern)
{
  TestServer server;
  g_autofree char *whole = g_strdup_printf ("127.0.0.1:*: %s; trying again", pattern);
  g_autoptr (PenHarness) harness = NULL;

  test_server_start (&server, script);
  harness = pen_harness_new (test_make (fixture, server.port));
  pen_harness_start (harness);
  if (!pen_mqtt_fixture_wait_log (harness, whole))
    g_error ("nothing like '%s' was logged", whole);
  g_assert_true (pen_mqtt_fixture_wait_count (harness, "connection_failures", 2));
  g_assert_cmpuint (pen_harness_get_n_events (harness), ==, 0);
  test_server_stop (&server);
}

static void
test_silent (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT ("", TEST_STAYS);

  test_complains (fixture, &script, "no answer to the login within 300ms");
}

static void
test_silent_tls (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT ("", TEST_STAYS);
  g_autofree char *cafile = pen_mqtt_fixture_find (fixture, "ca.crt");
  TestServer server;
  g_autoptr (PenHarness) harness = NULL;
  PenElement *element;

  test_server_start (&server, &script);
  element = test_make (fixture, server.port);
  g_object_set (element, "cafile", cafile, NULL);
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_log (
      harness,
      "127.0.0.1:*: no answer to the TLS hand-shake: is this the right port?; trying again"));
  test_server_stop (&server);
}

static void
test_no_suback (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT (CONNACK, TEST_STAYS);

  test_complains (fixture, &script, "no answer to the subscription within 300ms");
}

static void
test_garbage (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT ("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", TEST_STAYS);

  test_complains (fixture, &script, "what came is not MQTT*");
}

static void
test_web_server (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT (
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", TEST_CLOSES);

  test_complains (fixture, &script, "*");
}

static void
test_closes_at_once (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT ("", TEST_CLOSES);

  test_complains (fixture, &script,
                  "the broker closed the connection before it answered the login: does this port "
                  "want TLS?");
}

/* A message whose end never comes. */
static void
test_closes_in_packet (PenMqttFixture *fixture)
{
  const TestScript script
      = SCRIPT (CONNACK SUBACK ("\x01") "\x32\x40\x00\x03t/a\x00\x07\x00{\"r\":", TEST_CLOSES);

  test_complains (fixture, &script, "the *");
}

/* Announces 256 MiB, and closes. */
static void
test_closes_after_promise (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT (CONNACK SUBACK ("\x01") "\x30\xff\xff\xff\x7f", TEST_CLOSES);

  test_complains (fixture, &script, "the *");
}

static void
test_packet_identifier_zero (PenMqttFixture *fixture)
{
  const TestScript script
      = SCRIPT (CONNACK SUBACK ("\x01") "\x32\x08\x00\x03t/a\x00\x00\x00", TEST_STAYS);

  test_complains (fixture, &script, "what came is not MQTT*");
}

static void
test_other_version (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT ("\x20\x02\x00\x01", TEST_CLOSES);

  test_complains (fixture, &script, "the broker does not speak MQTT 5: set version=3.1.1");
}

static void
test_bad_client_id (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT ("\x20\x03\x00\x85\x00", TEST_CLOSES);

  test_complains (fixture, &script,
                  "the broker refused the client id 'penstock-test': set client-id");
}

static void
test_taken_over (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT (CONNACK SUBACK ("\x01") "\xe0\x02\x8e\x00", TEST_CLOSES);

  test_complains (fixture, &script, "another client has connected with the id 'penstock-test'*");
}

static void
test_shuts_down (PenMqttFixture *fixture)
{
  const TestScript script = SCRIPT (CONNACK SUBACK ("\x01") "\xe0\x01\x8b", TEST_CLOSES);

  test_complains (fixture, &script, "the broker ended the connection: *hutting down*");
}

/* A refused topic is told, and the connection is kept. */
static void
test_refuses_topic (PenMqttFixture *fixture)
{
  const TestScript script = { CONNACK, sizeof CONNACK - 1, TEST_STAYS, SUBACK ("\x87") };
  TestServer server;
  g_autoptr (PenHarness) harness = NULL;

  test_server_start (&server, &script);
  harness = pen_harness_new (test_make (fixture, server.port));
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_log (
      harness, "127.0.0.1:*: cannot subscribe to topic 't/#': not authorised"));
  g_assert_false (pen_harness_is_connected (harness));
  g_assert_cmpint (pen_harness_get_count (harness, "connection_failures", NULL), ==, 0);
  g_clear_pointer (&harness, pen_harness_free);
  test_server_stop (&server);
}

static void
test_grants_less (PenMqttFixture *fixture)
{
  const TestScript script = { CONNACK, sizeof CONNACK - 1, TEST_STAYS, SUBACK ("\x00") };
  TestServer server;
  g_autoptr (PenHarness) harness = NULL;

  test_server_start (&server, &script);
  harness = pen_harness_new (test_make (fixture, server.port));
  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_log (harness, "*serves topic 't/#' at QoS 0 only*"));
  g_assert_true (pen_harness_is_connected (harness));
  g_clear_pointer (&harness, pen_harness_free);
  test_server_stop (&server);
}

static void
test_unknown_host (PenMqttFixture *fixture)
{
  PenElement *element = pen_mqtt_fixture_make (fixture, "host", "no-such-host.invalid", NULL);
  g_autoptr (PenHarness) harness = pen_harness_new (element);

  pen_harness_start (harness);
  g_assert_true (pen_mqtt_fixture_wait_log (
      harness, "no-such-host.invalid:1883: cannot resolve the host name: *; trying again"));
}

/* A host that takes no connection: its queue of two is full. */
static int
test_make_full_listener (guint *port, int *fillers, guint n_fillers)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (listener, 0), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  *port = ntohs (address.sin_port);
  for (guint i = 0; i < n_fillers; i++)
    {
      fillers[i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      (void) !connect (fillers[i], (struct sockaddr *) &address, sizeof address);
    }
  return listener;
}

/* While it connects, stopping does not wait for it; the thread ends by itself. */
static void
test_stopped_while_connecting (PenMqttFixture *fixture)
{
  int fillers[4];
  guint port = 0;
  int listener = test_make_full_listener (&port, fillers, G_N_ELEMENTS (fillers));
  PenElement *element = test_make (fixture, port);
  PenHarness *harness;
  gint64 begin_us;

  g_object_set (element, "host", "127.0.0.1", NULL);
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  g_assert_true (
      pen_mqtt_fixture_wait_log (harness, "127.0.0.1:*: no connection within 300ms; still trying"));
  begin_us = g_get_monotonic_time ();
  pen_harness_free (harness);
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, G_USEC_PER_SEC);
  close (listener);
  for (guint i = 0; i < G_N_ELEMENTS (fillers); i++)
    close (fillers[i]);
}

static void
test_stopped_at_once (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  g_autofree char *cafile = pen_mqtt_fixture_find (fixture, "ca.crt");

  pen_mqtt_fixture_start_broker (fixture, &options);
  for (guint i = 0; i < 50; i++)
    {
      PenHarness *harness
          = pen_harness_new (pen_mqtt_fixture_make (fixture, "cafile", cafile, NULL));

      pen_harness_start (harness);
      /* a different moment of connecting each time */
      g_assert_false (pen_harness_wait (harness, 1, i % 10));
      pen_harness_free (harness);
    }
}

/* --- Descriptors that select () cannot take --- */

static void
test_many_descriptors (PenMqttFixture *fixture)
{
  const PenBrokerOptions options = { .certificate = "server" };
  g_autofree char *cafile = pen_mqtt_fixture_find (fixture, "ca.crt");
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  PenMqttPublisher *publisher;
  PenHarness *harness;
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  if (limit.rlim_max < 2000)
    {
      g_test_skip ("the limit of descriptors is below 2,000");
      return;
    }
  limit.rlim_cur = limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  pen_mqtt_fixture_start_broker (fixture, &options);
  publisher = pen_mqtt_fixture_publish (fixture);
  for (int fd = 0; fd < 1100; g_array_append_val (fds, fd))
    fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  harness = pen_mqtt_fixture_run (pen_mqtt_fixture_make (fixture, "cafile", cafile, NULL));
  pen_mqtt_publisher_send (publisher, "t/a", "above", -1, 1);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  pen_mqtt_fixture_assert_next (harness, "t/a", "above");
  pen_harness_free (harness);
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
  pen_mqtt_publisher_free (publisher);
}

int
main (int argc, char **argv)
{
  pen_mqtt_fixture_init (&argc, &argv);
  pen_mqtt_fixture_add ("/mqtt/hostile/silent", test_silent);
  pen_mqtt_fixture_add ("/mqtt/hostile/silent-tls", test_silent_tls);
  pen_mqtt_fixture_add ("/mqtt/hostile/no-suback", test_no_suback);
  pen_mqtt_fixture_add ("/mqtt/hostile/garbage", test_garbage);
  pen_mqtt_fixture_add ("/mqtt/hostile/web-server", test_web_server);
  pen_mqtt_fixture_add ("/mqtt/hostile/closes-at-once", test_closes_at_once);
  pen_mqtt_fixture_add ("/mqtt/hostile/closes-in-packet", test_closes_in_packet);
  pen_mqtt_fixture_add ("/mqtt/hostile/closes-after-promise", test_closes_after_promise);
  pen_mqtt_fixture_add ("/mqtt/hostile/packet-identifier-zero", test_packet_identifier_zero);
  pen_mqtt_fixture_add ("/mqtt/hostile/other-version", test_other_version);
  pen_mqtt_fixture_add ("/mqtt/hostile/bad-client-id", test_bad_client_id);
  pen_mqtt_fixture_add ("/mqtt/hostile/taken-over", test_taken_over);
  pen_mqtt_fixture_add ("/mqtt/hostile/shuts-down", test_shuts_down);
  pen_mqtt_fixture_add ("/mqtt/hostile/refuses-topic", test_refuses_topic);
  pen_mqtt_fixture_add ("/mqtt/hostile/grants-less", test_grants_less);
  pen_mqtt_fixture_add ("/mqtt/hostile/unknown-host", test_unknown_host);
  pen_mqtt_fixture_add ("/mqtt/hostile/stopped-while-connecting", test_stopped_while_connecting);
  pen_mqtt_fixture_add ("/mqtt/hostile/stopped-at-once", test_stopped_at_once);
  pen_mqtt_fixture_add ("/mqtt/hostile/many-descriptors", test_many_descriptors);
  return g_test_run ();
}
