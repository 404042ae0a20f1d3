/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The floor under every consumer on libmosquitto: subscribes over TLS, counts, and keeps nothing.
 * When it has counted --count messages it writes a line to the standard output.
 */

#include "config.h"

#include <glib.h>
#include <locale.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>

static char *option_cafile;
static char *option_username;
static const char *option_topic = "#";
static int option_port;
static int option_qos;
static gint64 option_count = 1000;
static gint64 option_warm_up;

static const GOptionEntry option_entries[] = {
  { "port", 'p', 0, G_OPTION_ARG_INT, &option_port, "Port on 127.0.0.1", "PORT" },
  { "cafile", 0, 0, G_OPTION_ARG_FILENAME, &option_cafile, "For the broker's certificate", "FILE" },
  { "username", 'u', 0, G_OPTION_ARG_STRING, &option_username,
    "Name to log in with; its password is in $BENCH_PASSWORD", "NAME" },
  { "topic", 't', 0, G_OPTION_ARG_STRING, &option_topic, "Topic filter (#)", "TOPIC" },
  { "qos", 'q', 0, G_OPTION_ARG_INT, &option_qos, "Quality of service, 0 or 1 (0)", "QOS" },
  { "warm-up", 0, 0, G_OPTION_ARG_INT64, &option_warm_up,
    "Messages before those; a line is written behind them, too", "N" },
  { "count", 'n', 0, G_OPTION_ARG_INT64, &option_count, "Messages (1000)", "N" },
  { NULL },
};

static gint64 n_messages;

static void
bench_count_on_connect (struct mosquitto *client,
                        void *user_data,
                        int reason,
                        int flags,
                        const mosquitto_property *properties)
{
  if (reason == 0)
    mosquitto_subscribe (client, NULL, option_topic, option_qos);
}

static void
bench_count_on_message (struct mosquitto *client,
                        void *user_data,
                        const struct mosquitto_message *message,
                        const mosquitto_property *properties)
{
  n_messages++;
  if (n_messages == option_warm_up || n_messages == option_warm_up + option_count)
    {
      puts ("done");
      fflush (stdout);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  struct mosquitto *client;
  int status;

  setlocale (LC_ALL, "");
  g_option_context_set_summary (context, "Counts an MQTT broker's messages.");
  g_option_context_add_main_entries (context, option_entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("bench-count: error: %s\n", error->message);
      return 2;
    }
  mosquitto_lib_init ();
  client = mosquitto_new (NULL, true, NULL);
  mosquitto_int_option (client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  if (option_username != NULL)
    mosquitto_username_pw_set (client, option_username, g_getenv ("BENCH_PASSWORD"));
  mosquitto_connect_v5_callback_set (client, bench_count_on_connect);
  mosquitto_message_v5_callback_set (client, bench_count_on_message);
  if (option_cafile != NULL)
    mosquitto_tls_set (client, option_cafile, NULL, NULL, NULL, NULL);
  status = mosquitto_connect (client, "127.0.0.1", option_port, 60);
  if (status == MOSQ_ERR_SUCCESS)
    status = mosquitto_loop_forever (client, -1, 1);
  g_printerr ("bench-count: error: %s\n", mosquitto_strerror (status));
  mosquitto_destroy (client);
  return 1;
}
