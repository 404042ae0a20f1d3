/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A load generator: publishes N payloads to a broker, as fast as it takes them or at a rate. It
 * writes MQTT 3.1.1 itself, several messages with one write and without waiting for their
 * acknowledgements, so that it takes little of the machine that it shares with what is measured.
 * A broker's unix socket costs least.
 *
 * It says on its standard output, with the microsecond (CLOCK_MONOTONIC): "connected T TLS", with
 * --warm-up "warm T N", and "sent T N" when all of it is sent, and with QoS 1 acknowledged.
 */

#include "config.h"

#include "bench-link.h"
#include "bench-packet.h"
#include "bench-sender.h"

#include <gio/gio.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *option_address = "127.0.0.1";
static int option_port = 1883;
static char *option_cafile;
static char *option_username;
static gboolean option_wait;

static const GOptionEntry option_entries[] = {
  { "address", 'a', 0, G_OPTION_ARG_STRING, &option_address,
    "IPv4 address of the broker, or path of its unix socket (127.0.0.1)", "ADDRESS" },
  { "port", 'p', 0, G_OPTION_ARG_INT, &option_port, "Its port (1883)", "PORT" },
  { "cafile", 0, 0, G_OPTION_ARG_FILENAME, &option_cafile,
    "With TLS, and this file for the broker's certificate (plain)", "FILE" },
  { "username", 'u', 0, G_OPTION_ARG_STRING, &option_username,
    "Name to log in with; its password is in $BENCH_PASSWORD", "NAME" },
  { "wait", 0, 0, G_OPTION_ARG_NONE, &option_wait,
    "Send when a line has come on the standard input", NULL },
  { NULL },
};

static gboolean
bench_load_on_packet (const BenchPacket *packet, gpointer user_data, GError **error)
{
  gboolean *is_accepted = user_data;

  if (packet->type == BENCH_PACKET_CONNACK && packet->length >= 2 && packet->body[1] == 0)
    {
      *is_accepted = TRUE;
      return TRUE;
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               "the broker refused the login, or sent what nobody asked for (packet %d)",
               (int) packet->type);
  return FALSE;
}

static void
bench_load_tell_number (const char *what, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  bench_sender_tell (what, g_get_monotonic_time (), text);
}

static gboolean
bench_load_is_open (BenchSender *sender, GError **error)
{
  if (!bench_sender_is_closed (sender))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the broker ended the connection");
  return FALSE;
}

static gboolean
bench_load_run (const BenchSenderOptions *options, GError **error)
{
  g_autoptr (BenchLink) link
      = bench_link_connect (option_address, (guint) option_port, option_cafile, error);
  g_autoptr (BenchSender) sender = link != NULL ? bench_sender_new (options, link, error) : NULL;
  g_autofree char *client_id = g_strdup_printf ("bench-load-%d", (int) getpid ());
  g_autofree char *tls = NULL;
  gboolean is_accepted = FALSE;
  gboolean unused;
  char line[64];

  if (sender == NULL)
    return FALSE;
  bench_sender_set_handler (sender, bench_load_on_packet, &is_accepted);
  bench_packet_put_connect (bench_sender_get_output (sender), client_id, option_username,
                            option_username != NULL ? g_getenv ("BENCH_PASSWORD") : NULL);
  while (!is_accepted)
    if (!bench_sender_step (sender, -1, &unused, error) || !bench_load_is_open (sender, error))
      return FALSE;
  tls = bench_link_describe (link);
  bench_sender_tell ("connected", g_get_monotonic_time (), tls);
  if (option_wait && read (STDIN_FILENO, line, sizeof line) <= 0)
    return TRUE;
  if (options->warm_up > 0)
    {
      if (!bench_sender_send (sender, options->warm_up, error))
        return FALSE;
      bench_load_tell_number ("warm", options->warm_up);
      if (read (STDIN_FILENO, line, sizeof line) <= 0)
        return TRUE;
    }
  if (!bench_sender_send (sender, options->count, error) || !bench_load_is_open (sender, error))
    return FALSE;
  bench_load_tell_number ("sent", options->count);
  bench_packet_put_empty (bench_sender_get_output (sender), BENCH_PACKET_DISCONNECT);
  bench_sender_finish (sender);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  BenchSenderOptions options;

  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  g_option_context_set_summary (context, "Publishes payloads to an MQTT broker.");
  g_option_context_add_main_entries (context, option_entries, NULL);
  g_option_context_add_group (context, bench_sender_make_options (&options));
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || !bench_sender_check (&options, &error))
    {
      g_printerr ("bench-load: error: %s; see --help-all\n", error->message);
      return 2;
    }
  if (!bench_load_run (&options, &error))
    {
      g_printerr ("bench-load: error: %s\n", error->message);
      return 1;
    }
  return 0;
}
