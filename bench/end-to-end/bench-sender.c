/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishes N payloads on a link, as fast as it takes them or at a rate: the half that the load
 * generator and the source without a broker have in common. It costs little, so that it leaves
 * the machine to what is measured: one write for a batch, one look at what came back in between.
 */

#include "config.h"

#include "bench-sender.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#define N_IDS 65536
/* Without acknowledgements nothing comes but pings: a look after so many writes will do. */
#define WRITES_PER_READ 64

struct _BenchSender
{
  BenchSenderOptions options;
  BenchLink *link; /* not owned */
  BenchCorpus *corpus;
  GPtrArray *topics;
  guint version;
  BenchSenderFunc handler;
  gpointer user_data;
  GByteArray *input;
  GByteArray *output;
  gsize written; /* of the output */
  guint64 n_made;
  guint64 n_before; /* made before what is being sent */
  guint64 n_wanted;
  guint n_in_flight;
  gboolean in_flight[N_IDS];
  guint last_id;
  gint64 began_us;
  gboolean is_closed;
};

/* A line that whoever started the program reads: what, the microsecond, and more. */
void
bench_sender_tell (const char *what, gint64 time_us, const char *more)
{
  printf ("%s %" G_GINT64_FORMAT " %s\n", what, time_us, more);
  fflush (stdout);
}

/* Sets the defaults. */
GOptionGroup *
bench_sender_make_options (BenchSenderOptions *options)
{
  GOptionGroup *group = g_option_group_new ("load", "What is sent", "What is sent", NULL, NULL);
  GOptionEntry entries[] = {
    { "count", 'n', 0, G_OPTION_ARG_INT64, &options->count, "Messages (1000)", "N" },
    { "warm-up", 0, 0, G_OPTION_ARG_INT64, &options->warm_up,
      "Messages before those; behind them it says \"warm\" and waits for a line on the standard "
      "input",
      "N" },
    { "rate", 'r', 0, G_OPTION_ARG_INT, &options->rate,
      "Messages a second (0: as fast as they are taken)", "N" },
    { "qos", 'q', 0, G_OPTION_ARG_INT, &options->qos, "Quality of service, 0 or 1 (0)", "QOS" },
    { "batch", 'b', 0, G_OPTION_ARG_INT, &options->batch,
      "Messages in one write, which is one TLS record (1)", "N" },
    { "window", 'w', 0, G_OPTION_ARG_INT, &options->window,
      "Messages of QoS 1 without an acknowledgement at a time (1000)", "N" },
    { "topic", 't', 0, G_OPTION_ARG_STRING, &options->topic,
      "Topic; % becomes a number from 0 (a/bench-%/u/data)", "TOPIC" },
    { "topics", 0, 0, G_OPTION_ARG_INT, &options->n_topics, "Number of topics (1)", "N" },
    { "corpus", 'c', 0, G_OPTION_ARG_FILENAME, &options->corpus,
      "Payloads, one a line, used over and over", "FILE" },
    { "stamp", 's', 0, G_OPTION_ARG_STRING, &options->stamp,
      "Number of ten digits in each payload that becomes 1000000000 + the message's number",
      "FIELD" },
    { "stamp-time", 0, 0, G_OPTION_ARG_NONE, &options->stamp_time,
      "… + the microsecond of publishing (CLOCK_MONOTONIC) instead", NULL },
    { NULL },
  };

  *options = (BenchSenderOptions){
    .count = 1000, .batch = 1, .window = 1000, .n_topics = 1, .topic = "a/bench-%/u/data"
  };
  g_option_group_add_entries (group, entries);
  return group;
}

gboolean
bench_sender_check (const BenchSenderOptions *options, GError **error)
{
  const char *wrong = NULL;

  if (options->corpus == NULL)
    wrong = "--corpus is missing";
  else if (options->qos > 1)
    wrong = "--qos is 0 or 1";
  else if (options->batch < 1 || options->batch > 1000)
    wrong = "--batch is from 1 to 1000";
  else if (options->window < 1 || options->window > 60000)
    wrong = "--window is from 1 to 60000";
  else if (options->n_topics < 1 || options->n_topics > 1000000)
    wrong = "--topics is from 1 to 1000000";
  else if (options->n_topics > 1 && strchr (options->topic, '%') == NULL)
    wrong = "several --topics need a % in --topic";
  else if (options->rate > 1000000)
    wrong = "--rate is from 0 to 1000000";
  else if (options->stamp_time && options->stamp == NULL)
    wrong = "--stamp-time needs a --stamp";
  if (wrong != NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return wrong == NULL;
}

static GPtrArray *
bench_sender_make_topics (const BenchSenderOptions *options)
{
  GPtrArray *topics = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) parts = g_strsplit (options->topic, "%", 2);

  for (guint i = 0; i < options->n_topics; i++)
    g_ptr_array_add (topics, parts[1] == NULL ? g_strdup (options->topic)
                                              : g_strdup_printf ("%s%u%s", parts[0], i, parts[1]));
  return topics;
}

BenchSender *
bench_sender_new (const BenchSenderOptions *options, BenchLink *link, GError **error)
{
  g_autoptr (BenchSender) self = g_new0 (BenchSender, 1);

  self->options = *options;
  self->link = link;
  self->version = 4;
  self->input = g_byte_array_new ();
  self->output = g_byte_array_new ();
  self->topics = bench_sender_make_topics (options);
  self->corpus = bench_corpus_load (options->corpus, options->stamp, error);
  return self->corpus != NULL ? g_steal_pointer (&self) : NULL;
}

void
bench_sender_free (BenchSender *self)
{
  g_clear_pointer (&self->corpus, bench_corpus_free);
  g_ptr_array_unref (self->topics);
  g_byte_array_unref (self->input);
  g_byte_array_unref (self->output);
  g_free (self);
}

void
bench_sender_set_peer (BenchSender *self, guint version, guint receive_maximum)
{
  self->version = version;
  self->options.window = MIN (self->options.window, receive_maximum);
}

void
bench_sender_set_handler (BenchSender *self, BenchSenderFunc handler, gpointer user_data)
{
  self->handler = handler;
  self->user_data = user_data;
}

/* What is appended here is sent before anything else. */
GByteArray *
bench_sender_get_output (BenchSender *self)
{
  return self->output;
}

/* The other side has said good-bye. */
gboolean
bench_sender_is_closed (BenchSender *self)
{
  return self->is_closed;
}

static gboolean
bench_sender_take_acknowledgement (BenchSender *self, const BenchPacket *packet, GError **error)
{
  guint id = bench_packet_read_id (packet);

  if (!self->in_flight[id])
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "an acknowledgement of %u, which is not on its way", id);
      return FALSE;
    }
  if (packet->length > 2 && packet->body[2] >= 0x80)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "message refused: reason %u",
                   packet->body[2]);
      return FALSE;
    }
  self->in_flight[id] = FALSE;
  self->n_in_flight--;
  return TRUE;
}

/* The packets that are whole. */
static gboolean
bench_sender_take_packets (BenchSender *self, GError **error)
{
  gsize at = 0;
  gsize used = 1;
  BenchPacket packet;

  while (used > 0)
    {
      gboolean is_good = bench_packet_next (self->input->data + at, self->input->len - at, &used,
                                            &packet, error);

      if (is_good && used > 0 && packet.type == BENCH_PACKET_PUBACK)
        is_good = bench_sender_take_acknowledgement (self, &packet, error);
      else if (is_good && used > 0)
        is_good = self->handler (&packet, self->user_data, error);
      if (!is_good)
        return FALSE;
      self->is_closed = self->is_closed || (used > 0 && packet.type == BENCH_PACKET_DISCONNECT);
      at += used;
    }
  if (at > 0)
    g_byte_array_remove_range (self->input, 0, (guint) at);
  return TRUE;
}

/* All that is there. */
static gboolean
bench_sender_read (BenchSender *self, GError **error)
{
  BenchLinkState state;

  do
    {
      state = bench_link_read (self->link, self->input, error);
      if (!bench_sender_take_packets (self, error))
        return FALSE;
    }
  while (state == BENCH_LINK_DONE && !self->is_closed);
  self->is_closed = self->is_closed || (state == BENCH_LINK_CLOSED && *error == NULL);
  return state != BENCH_LINK_CLOSED || self->is_closed;
}

/* Writes what is to be written; TRUE also if it could not all be. */
static gboolean
bench_sender_write (BenchSender *self, GError **error)
{
  while (self->written < self->output->len)
    {
      BenchLinkState state
          = bench_link_write (self->link, self->output->data + self->written,
                              self->output->len - self->written, &self->written, error);

      if (state == BENCH_LINK_AGAIN)
        return TRUE;
      if (state == BENCH_LINK_CLOSED)
        {
          self->is_closed = *error == NULL;
          return self->is_closed;
        }
    }
  g_byte_array_set_size (self->output, 0);
  self->written = 0;
  return TRUE;
}

static guint
bench_sender_take_id (BenchSender *self)
{
  do
    self->last_id = self->last_id % (N_IDS - 1) + 1;
  while (self->in_flight[self->last_id]);
  self->in_flight[self->last_id] = TRUE;
  self->n_in_flight++;
  return self->last_id;
}

static void
bench_sender_make (BenchSender *self)
{
  guint64 index = self->n_made++;
  guint64 stamp = self->options.stamp_time ? (guint64) g_get_monotonic_time () : index;
  guint id = self->options.qos > 0 ? bench_sender_take_id (self) : 0;
  guint8 *payload = bench_packet_put_publish (
      self->output, self->version, self->topics->pdata[index % self->topics->len],
      self->options.qos, id, bench_corpus_get_length (self->corpus, index));

  bench_corpus_write (self->corpus, index, stamp, payload);
}

/* How many may be made now, at most a batch; @wait_us says for how long it is none. */
static guint
bench_sender_count_due (BenchSender *self, gint64 *wait_us)
{
  guint64 due = self->n_wanted;
  guint n_due;

  *wait_us = -1;
  if (self->options.rate > 0 && self->n_made < self->n_wanted)
    {
      gint64 passed_us = g_get_monotonic_time () - self->began_us;
      gint64 next_us
          = (gint64) ((self->n_made - self->n_before) * G_USEC_PER_SEC / self->options.rate);

      due = self->n_before + (guint64) passed_us * self->options.rate / G_USEC_PER_SEC + 1;
      due = MIN (due, self->n_wanted);
      if (due <= self->n_made)
        {
          *wait_us = MAX (next_us - passed_us, 1);
          return 0;
        }
    }
  n_due = (guint) MIN (due - self->n_made, MIN (self->options.batch, self->options.window));
  if (self->options.qos > 0 && n_due > self->options.window - self->n_in_flight)
    return 0; /* a whole batch or nothing: records are as large as they were asked for */
  return n_due;
}

/* Writes what is left, waits until something comes or @other can be read, and reads it. */
gboolean
bench_sender_step (BenchSender *self, int other, gboolean *other_ready, GError **error)
{
  if (!bench_sender_write (self, error))
    return FALSE;
  *other_ready = bench_link_wait (self->link, self->output->len > 0, other, -1);
  return bench_sender_read (self, error);
}

static gboolean
bench_sender_is_done (BenchSender *self)
{
  return self->is_closed
         || (self->n_made == self->n_wanted && self->output->len == 0 && self->n_in_flight == 0);
}

/* Sends @count more, until all of them are acknowledged or the other side leaves. */
gboolean
bench_sender_send (BenchSender *self, guint64 count, GError **error)
{
  guint n_writes = 0;

  self->n_before = self->n_made;
  self->n_wanted = self->n_made + count;
  self->began_us = g_get_monotonic_time ();
  while (!bench_sender_is_done (self))
    {
      gint64 wait_us;
      guint n_due = bench_sender_count_due (self, &wait_us);
      gboolean is_full = self->output->len > 0;

      for (guint i = 0; i < n_due && !is_full; i++)
        bench_sender_make (self);
      if (!bench_sender_write (self, error))
        return FALSE;
      is_full = self->output->len > 0;
      if (!is_full && n_due > 0 && ++n_writes % WRITES_PER_READ != 0)
        continue;
      if ((is_full || n_due == 0) && !bench_sender_is_done (self))
        bench_link_wait (self->link, is_full, -1, is_full ? -1 : wait_us);
      if (!bench_sender_read (self, error))
        return FALSE;
    }
  return TRUE;
}

/* Until all is written, or cannot be. */
void
bench_sender_finish (BenchSender *self)
{
  bench_link_write_all (self->link, self->output->data + self->written,
                        self->output->len - self->written, NULL);
  g_byte_array_set_size (self->output, 0);
  self->written = 0;
}
