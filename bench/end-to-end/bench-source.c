/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A source of messages without a broker: takes one subscriber over MQTT 3.1.1 or 5, grants it
 * whatever it subscribes to, and publishes N payloads to it. A broker's own noise is several times
 * what a good consumer costs; here there is none.
 *
 * It says on its standard output, a line each, with the microsecond (CLOCK_MONOTONIC):
 *
 *   listening 0 PORT
 *   connected T VERSION TLS      CONNECT has come
 *   subscribed T QOS             SUBACK is on its way
 *   warm T N                     with --warm-up: so many are sent
 *   sent T N                     all of it is sent, and with QoS 1 acknowledged
 *   left T N                     the subscriber has gone
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

typedef struct
{
  BenchSender *sender;
  BenchPacketGreeting greeting;
  char *tls;
  guint qos;
  gboolean is_subscribed;
} BenchSource;

static char *option_certificate;
static char *option_key;
static gboolean option_plain;
static gboolean option_wait;

static const GOptionEntry option_entries[] = {
  { "cert", 0, 0, G_OPTION_ARG_FILENAME, &option_certificate, "Certificate (PEM)", "FILE" },
  { "key", 0, 0, G_OPTION_ARG_FILENAME, &option_key, "Its private key (PEM)", "FILE" },
  { "plain", 0, 0, G_OPTION_ARG_NONE, &option_plain, "Without TLS", NULL },
  { "wait", 0, 0, G_OPTION_ARG_NONE, &option_wait,
    "Send when the subscriber is there and a line has come on the standard input", NULL },
  { NULL },
};

static gboolean
bench_source_greet (BenchSource *self, const BenchPacket *packet, GError **error)
{
  g_autofree char *more = NULL;

  if (!bench_packet_read_connect (packet, &self->greeting, error))
    return FALSE;
  more = g_strdup_printf ("%s %s", self->greeting.version == 5 ? "5" : "3.1.1", self->tls);
  bench_sender_tell ("connected", g_get_monotonic_time (), more);
  bench_sender_set_peer (self->sender, self->greeting.version, self->greeting.receive_maximum);
  bench_packet_put_connack (bench_sender_get_output (self->sender), self->greeting.version);
  return TRUE;
}

static gboolean
bench_source_on_packet (const BenchPacket *packet, gpointer user_data, GError **error)
{
  BenchSource *self = user_data;
  GByteArray *output = bench_sender_get_output (self->sender);
  guint version = self->greeting.version;

  if (version == 0)
    return bench_source_greet (self, packet, error);
  switch (packet->type)
    {
    case BENCH_PACKET_SUBSCRIBE:
      self->is_subscribed = TRUE;
      return bench_packet_put_suback (output, version, packet, &self->qos, error);
    case BENCH_PACKET_UNSUBSCRIBE:
      bench_packet_put_unsuback (output, version, packet);
      return TRUE;
    case BENCH_PACKET_PINGREQ:
      bench_packet_put_empty (output, BENCH_PACKET_PINGRESP);
      return TRUE;
    case BENCH_PACKET_DISCONNECT:
      return TRUE;
    default:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "a packet of type %d, which a subscriber does not send", (int) packet->type);
      return FALSE;
    }
}

static void
bench_source_tell_number (const char *what, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  bench_sender_tell (what, g_get_monotonic_time (), text);
}

/* Serves the subscriber until it has subscribed and, with @for_line, a line has come on the
 * standard input. @is_over: it has left, or the standard input has ended. */
static gboolean
bench_source_await (BenchSource *self, gboolean for_line, gboolean *is_over, GError **error)
{
  gboolean is_told = self->is_subscribed;
  char line[64];

  while (for_line || !is_told)
    {
      gboolean is_asked = FALSE;

      if (!bench_sender_step (self->sender, for_line ? STDIN_FILENO : -1, &is_asked, error))
        return FALSE;
      *is_over = bench_sender_is_closed (self->sender)
                 || (is_asked && read (STDIN_FILENO, line, sizeof line) <= 0);
      if (*is_over)
        return TRUE;
      for_line = for_line && !is_asked;
      if (self->is_subscribed && !is_told)
        {
          bench_source_tell_number ("subscribed", self->qos);
          is_told = TRUE;
        }
    }
  return TRUE;
}

static gboolean
bench_source_send (BenchSource *self,
                   const char *what,
                   guint64 count,
                   gboolean *is_over,
                   GError **error)
{
  if (!bench_sender_send (self->sender, count, error))
    return FALSE;
  *is_over = bench_sender_is_closed (self->sender);
  if (!*is_over)
    bench_source_tell_number (what, count);
  return TRUE;
}

/* From its CONNECT until it has the messages and leaves. */
static gboolean
bench_source_serve (BenchSource *self, const BenchSenderOptions *options, GError **error)
{
  gboolean is_over = FALSE;

  if (!bench_source_await (self, option_wait, &is_over, error))
    return FALSE;
  if (!is_over && self->qos < options->qos)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the subscriber asked for QoS %u only",
                   self->qos);
      return FALSE;
    }
  if (!is_over && options->warm_up > 0
      && (!bench_source_send (self, "warm", options->warm_up, &is_over, error)
          || (!is_over && !bench_source_await (self, TRUE, &is_over, error))))
    return FALSE;
  if (!is_over && !bench_source_send (self, "sent", options->count, &is_over, error))
    return FALSE;
  while (!bench_sender_is_closed (self->sender) && !is_over)
    {
      gboolean unused;

      if (!bench_sender_step (self->sender, -1, &unused, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
bench_source_run (const BenchSenderOptions *options, GError **error)
{
  g_autoptr (BenchLink) link = NULL;
  g_autoptr (BenchSender) sender = NULL;
  BenchSource self = { 0 };
  guint port;
  int listener = bench_link_listen (&port, error);
  gboolean is_served;

  if (listener < 0)
    return FALSE;
  bench_source_tell_number ("listening", port);
  link = bench_link_accept (listener, option_plain ? NULL : option_certificate, option_key, error);
  close (listener);
  if (link == NULL)
    return FALSE;
  sender = bench_sender_new (options, link, error);
  if (sender == NULL)
    return FALSE;
  self.sender = sender;
  self.tls = bench_link_describe (link);
  bench_sender_set_handler (sender, bench_source_on_packet, &self);
  is_served = bench_source_serve (&self, options, error);
  g_free (self.tls);
  if (is_served)
    bench_source_tell_number ("left", options->count);
  return is_served;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  BenchSenderOptions options;
  gboolean is_good;

  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  g_option_context_set_summary (context, "Publishes to one MQTT subscriber, without a broker.");
  g_option_context_add_main_entries (context, option_entries, NULL);
  g_option_context_add_group (context, bench_sender_make_options (&options));
  is_good = g_option_context_parse (context, &argc, &argv, &error)
            && bench_sender_check (&options, &error);
  if (is_good && !option_plain && (option_certificate == NULL || option_key == NULL))
    {
      g_set_error (&error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "give --cert and --key, or --plain");
      is_good = FALSE;
    }
  if (!is_good)
    {
      g_printerr ("bench-source: error: %s; see --help-all\n", error->message);
      return 2;
    }
  if (!bench_source_run (&options, &error))
    {
      g_printerr ("bench-source: error: %s\n", error->message);
      return 1;
    }
  return 0;
}
