/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The penstock command as a bridge between two real brokers over TLS, killed between PUBLISH and
 * PUBACK, and with the second broker away: every message that the first has confirmed reaches those
 * who listen to the second.
 */

#include "config.h"

#include "pen-broker.h"
#include "pen-certificates.h"
#include "pen-command.h"
#include "pen-mqtt-publisher.h"
#include "pen-mqtt-receiver.h"

#include <glib/gstdio.h>
#include <string.h>

#define WAIT_MS 60000
#define N_HELD 15
#define N_STREAM 3000

typedef struct
{
  char *folders[2];
  PenBroker *brokers[2]; /* from, to */
} TestBridge;

static void
test_start (TestBridge *bridge)
{
  const PenBrokerOptions options = { .certificate = "server", .extra = "max_queued_messages 0" };
  g_autofree char *text = NULL;

  for (guint i = 0; i < 2; i++)
    {
      bridge->folders[i] = pen_test_make_folder ();
      pen_certificates_make (bridge->folders[i]);
      bridge->brokers[i] = pen_broker_new (bridge->folders[i], &options);
      pen_broker_start (bridge->brokers[i]);
    }
  text = g_strdup_printf ("[pipeline]\nname=bridge\n\n"
                          "[source mqtt]\nhost=127.0.0.1\nport=%u\ncafile=ca.crt\ntopics=t/#\n\n"
                          "[sink mqtt]\nhost=127.0.0.1\nport=%u\ncafile=%s/ca.crt\n"
                          "topic=copy/{topic}\n",
                          pen_broker_get_port (bridge->brokers[0]),
                          pen_broker_get_port (bridge->brokers[1]), bridge->folders[1]);
  pen_test_write_file (bridge->folders[0], "bridge.pipeline", text);
}

static void
test_stop (TestBridge *bridge)
{
  for (guint i = 0; i < 2; i++)
    {
      pen_broker_free (bridge->brokers[i]);
      pen_test_remove_folder (bridge->folders[i]);
    }
}

static GSubprocess *
test_spawn (TestBridge *bridge)
{
  g_autofree char *keyfile = g_build_filename (bridge->folders[0], "bridge.pipeline", NULL);

  return pen_command_spawn (G_SUBPROCESS_FLAGS_STDERR_SILENCE, "run", keyfile, NULL);
}

static void
test_kill (GSubprocess *process)
{
  g_subprocess_force_exit (process);
  g_subprocess_wait (process, NULL, NULL);
  g_object_unref (process);
}

typedef struct
{
  PenBroker *broker;
  const char *text;
} TestLogWait;

static gboolean
test_has_logged (gpointer user_data)
{
  const TestLogWait *wait = user_data;
  g_autofree char *log = pen_broker_read_log (wait->broker);

  return strstr (log, wait->text) != NULL;
}

static void
test_await_log (PenBroker *broker, const char *text)
{
  TestLogWait wait = { broker, text };

  g_assert_true (pen_test_wait (test_has_logged, &wait, WAIT_MS));
}

static void
test_send (PenMqttPublisher *publisher, guint first, guint n_messages)
{
  for (guint i = first; i < first + n_messages; i++)
    {
      g_autofree char *payload = g_strdup_printf ("%u", i);

      pen_mqtt_publisher_send (publisher, "t/a", payload, -1, 1);
    }
}

/* The second broker takes what is published and says nothing; then the process is killed. */
static void
test_killed_unconfirmed (void)
{
  TestBridge bridge = { { NULL, NULL }, { NULL, NULL } };
  g_autoptr (PenMqttReceiver) receiver = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  g_autofree char *log = NULL;
  GSubprocess *process;

  if (pen_broker_find_program () == NULL)
    {
      g_test_skip ("Mosquitto is not installed");
      return;
    }
  test_start (&bridge);
  receiver = pen_mqtt_receiver_new (pen_broker_get_plain_port (bridge.brokers[1]), "receiver");
  process = test_spawn (&bridge);
  test_await_log (bridge.brokers[0], "Sending SUBACK to penstock-bridge");
  pen_broker_suspend (bridge.brokers[1], TRUE);
  publisher = pen_mqtt_publisher_new (pen_broker_get_plain_port (bridge.brokers[0]), NULL, NULL);
  test_send (publisher, 0, N_HELD);
  g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
  test_await_log (bridge.brokers[0], "Sending PUBLISH to penstock-bridge (d0, q1, r0, m15");
  test_kill (process);
  log = pen_broker_read_log (bridge.brokers[0]);
  g_assert_null (strstr (log, "Received PUBACK from penstock-bridge"));
  pen_broker_suspend (bridge.brokers[1], FALSE);
  process = test_spawn (&bridge);
  g_assert_true (pen_mqtt_receiver_wait_different (receiver, N_HELD));
  g_assert_cmpstr (pen_mqtt_receiver_get (receiver, 0)->topic, ==, "copy/t/a");
  test_await_log (bridge.brokers[0], "Received PUBACK from penstock-bridge");
  test_kill (process);
  test_stop (&bridge);
}

typedef struct
{
  PenMqttPublisher *publisher;
  PenMqttReceiver *receiver;
  guint n_payloads;
} TestStream;

/* Goes on publishing meanwhile. */
static gboolean
test_has_received (gpointer user_data)
{
  const TestStream *stream = user_data;

  pen_mqtt_publisher_run (stream->publisher, 1);
  return pen_mqtt_receiver_count_different (stream->receiver) >= stream->n_payloads;
}

/* Under a stream of messages the process is killed, then the second broker started again (killed it
 * would lose what it has confirmed), then the process killed once more. */
static void
test_killed_in_a_stream (void)
{
  TestBridge bridge = { { NULL, NULL }, { NULL, NULL } };
  g_autoptr (PenMqttReceiver) receiver = NULL;
  g_autoptr (PenMqttPublisher) publisher = NULL;
  GSubprocess *process;
  TestStream stream;

  if (pen_broker_find_program () == NULL)
    {
      g_test_skip ("Mosquitto is not installed");
      return;
    }
  test_start (&bridge);
  receiver = pen_mqtt_receiver_new (pen_broker_get_plain_port (bridge.brokers[1]), "receiver");
  process = test_spawn (&bridge);
  test_await_log (bridge.brokers[0], "Sending SUBACK to penstock-bridge");
  publisher = pen_mqtt_publisher_new (pen_broker_get_plain_port (bridge.brokers[0]), NULL, NULL);
  for (guint round = 0; round < 3; round++)
    {
      test_send (publisher, round * N_STREAM, N_STREAM);
      stream = (TestStream){ publisher, receiver, round * N_STREAM + N_STREAM / 10 };
      g_assert_true (pen_test_wait (test_has_received, &stream, WAIT_MS));
      if (round == 1)
        {
          pen_broker_stop (bridge.brokers[1]);
          pen_broker_start (bridge.brokers[1]);
        }
      else
        {
          test_kill (process);
          process = test_spawn (&bridge);
        }
      g_assert_true (pen_mqtt_publisher_flush (publisher, WAIT_MS));
      g_assert_true (pen_mqtt_receiver_wait_different (receiver, (round + 1) * N_STREAM));
    }
  g_test_message ("%u messages came as %u", 3 * N_STREAM, pen_mqtt_receiver_count (receiver));
  test_kill (process);
  test_stop (&bridge);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/mqtt-bridge/killed-unconfirmed", test_killed_unconfirmed);
  g_test_add_func ("/mqtt-bridge/killed-in-a-stream", test_killed_in_a_stream);
  return g_test_run ();
}
