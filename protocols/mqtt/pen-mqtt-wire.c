/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between OpenSSL and the socket: many small records in one read, and in one write.
 *
 * Reading: without this, OpenSSL reads a record's five-byte header and its body in two calls. Its
 * own read-ahead takes many records in one, but moves all that is left of them to the front of its
 * buffer for each, to align it: with 64 records of 1 KB, 32 KiB for every message. So the filter
 * reads ahead itself, into memory that the connections of a lane share; OpenSSL takes from there
 * what it wants. What a round leaves there is kept by its connection. A round may read the socket
 * so many times, which libmosquitto has no way to limit; then the socket pretends to be empty.
 * SSL_pending (), which libmosquitto asks, does not know what was read ahead: has_more does.
 *
 * Writing: libmosquitto writes each packet by itself, so each acknowledgement is a record of TLS
 * (26 bytes) and a write (2), which sends a segment of TCP and wakes the broker: more than all else
 * that is done with a message of QoS 1. So what comes between begin and end of writing is kept, and
 * written at the end, all at once. For libmosquitto it is written already. So nothing is kept but
 * what may be written, and what the socket did not take is not forgotten: has_unsent says so until
 * a later begin and end have written it. There is no more of it than MAXIMUM_UNSENT: beyond that
 * libmosquitto is told to wait, as by the socket itself. Outside of begin and end all goes through
 * at once, in its order (what OpenSSL has to say by itself, the last alert). OpenSSL flushes then,
 * which writes too.
 *
 * OpenSSL's buffers are 16 KiB. Thousands of connections cannot keep them, and one that is busy
 * cannot get and free them with each message. So only a busy one keeps them, until it rests; the
 * few rounds of logging in and subscribing are not enough.
 */

#include "config.h"

#include "pen-mqtt-wire.h"

#include <string.h>

#define READ_AHEAD_SIZE (64 * 1024)
/* Rounds that follow each other within this time use the same buffers. */
#define BUSY_US (100 * G_TIME_SPAN_MILLISECOND)
#define BUSY_ROUNDS 16
#define MAXIMUM_UNSENT (16 * 1024)
/* What a quiet connection needs, and so keeps. */
#define USUAL_UNSENT 256

/* What the lane's connections read into, one at a time. */
static GPrivate pen_mqtt_wire_ahead = G_PRIVATE_INIT (g_free);

static guint8 *
pen_mqtt_wire_get_ahead (void)
{
  guint8 *ahead = g_private_get (&pen_mqtt_wire_ahead);

  if (ahead == NULL)
    {
      ahead = g_malloc (READ_AHEAD_SIZE);
      g_private_set (&pen_mqtt_wire_ahead, ahead);
    }
  return ahead;
}

/* As read (2). */
static int
pen_mqtt_wire_read_ahead (PenMqttWire *self, BIO *bio)
{
  guint8 *ahead = NULL;
  int n_bytes = 0;

  if (self->reads_left == 0)
    {
      self->is_empty = TRUE;
      BIO_set_retry_read (bio);
      return -1;
    }
  self->reads_left--;
  ahead = pen_mqtt_wire_get_ahead ();
  n_bytes = BIO_read (BIO_next (bio), ahead, READ_AHEAD_SIZE);
  BIO_copy_next_retry (bio);
  self->is_empty = n_bytes <= 0;
  if (n_bytes > 0)
    {
      self->ahead = ahead;
      self->n_ahead = (gsize) n_bytes;
    }
  return n_bytes;
}

static int
pen_mqtt_wire_on_read (BIO *bio, char *data, int length)
{
  PenMqttWire *self = BIO_get_data (bio);
  gsize n_bytes = 0;

  BIO_clear_retry_flags (bio);
  if (self->n_ahead == 0)
    {
      int status = self->is_reading ? pen_mqtt_wire_read_ahead (self, bio)
                                    : BIO_read (BIO_next (bio), data, length);

      if (!self->is_reading)
        BIO_copy_next_retry (bio);
      if (!self->is_reading || status <= 0)
        return status;
    }
  n_bytes = MIN ((gsize) length, self->n_ahead);
  memcpy (data, self->ahead, n_bytes);
  self->ahead += n_bytes;
  self->n_ahead -= n_bytes;
  if (self->n_ahead == 0)
    g_clear_pointer (&self->kept, g_free);
  return (int) n_bytes;
}

/* Writes what is kept, as far as the socket takes it; FALSE with errno if it is broken. */
static gboolean
pen_mqtt_wire_write_out (PenMqttWire *self)
{
  BIO *socket = self->filter != NULL ? BIO_next (self->filter) : NULL;
  gsize n_written = 0;

  if (self->unsent == NULL || socket == NULL)
    return TRUE;
  while (n_written < self->unsent->len)
    {
      int n_bytes = BIO_write (socket, self->unsent->data + n_written,
                               (int) (self->unsent->len - n_written));

      if (n_bytes <= 0)
        break;
      n_written += (gsize) n_bytes;
    }
  if (n_written < self->unsent->len)
    {
      g_byte_array_remove_range (self->unsent, 0, (guint) n_written);
      return BIO_should_retry (socket);
    }
  if (n_written > USUAL_UNSENT)
    g_clear_pointer (&self->unsent, g_byte_array_unref);
  else
    g_byte_array_set_size (self->unsent, 0);
  return TRUE;
}

static int
pen_mqtt_wire_on_write (BIO *bio, const char *data, int length)
{
  PenMqttWire *self = BIO_get_data (bio);

  BIO_clear_retry_flags (bio);
  if (self->unsent == NULL)
    self->unsent = g_byte_array_sized_new (USUAL_UNSENT);
  if (self->unsent->len + (gsize) length > MAXIMUM_UNSENT)
    {
      if (!pen_mqtt_wire_write_out (self))
        return -1;
      if (pen_mqtt_wire_has_unsent (self))
        {
          BIO_set_retry_write (bio);
          return -1;
        }
      if (self->unsent == NULL)
        self->unsent = g_byte_array_sized_new (USUAL_UNSENT);
    }
  g_byte_array_append (self->unsent, (const guint8 *) data, (guint) length);
  return self->is_writing || pen_mqtt_wire_write_out (self) ? length : -1;
}

static long
pen_mqtt_wire_on_control (BIO *bio, int command, long number, void *pointer)
{
  PenMqttWire *self = BIO_get_data (bio);

  /* OpenSSL asks some twenty times a record; the kernel must not encrypt what passes here. */
  if (command == BIO_CTRL_GET_KTLS_SEND || command == BIO_CTRL_GET_KTLS_RECV)
    return 0;
  if (command == BIO_CTRL_FLUSH && !pen_mqtt_wire_write_out (self))
    return -1;
  return BIO_ctrl (BIO_next (bio), command, number, pointer);
}

static int
pen_mqtt_wire_on_create (BIO *bio)
{
  BIO_set_init (bio, 1);
  return 1;
}

/* With its SSL, which libmosquitto frees when a connection ends. */
static int
pen_mqtt_wire_on_destroy (BIO *bio)
{
  PenMqttWire *self = BIO_get_data (bio);

  if (self != NULL)
    {
      self->filter = NULL;
      self->ssl = NULL;
      self->n_ahead = 0;
      g_clear_pointer (&self->kept, g_free);
      g_clear_pointer (&self->unsent, g_byte_array_unref);
    }
  return 1;
}

static gpointer
pen_mqtt_wire_make_method (gpointer user_data)
{
  BIO_METHOD *method
      = BIO_meth_new (BIO_get_new_index () | BIO_TYPE_FILTER, "reads ahead, gathers writes");

  if (method == NULL)
    return NULL;
  BIO_meth_set_read (method, pen_mqtt_wire_on_read);
  BIO_meth_set_write (method, pen_mqtt_wire_on_write);
  BIO_meth_set_ctrl (method, pen_mqtt_wire_on_control);
  BIO_meth_set_create (method, pen_mqtt_wire_on_create);
  BIO_meth_set_destroy (method, pen_mqtt_wire_on_destroy);
  return method;
}

/* Takes its place in @ssl, whose hand-shake is over. @self must live as long as @ssl. Without
 * memory for it, all goes the usual way, a packet at a time. */
void
pen_mqtt_wire_insert (PenMqttWire *self, SSL *ssl)
{
  static GOnce method = G_ONCE_INIT;
  BIO *socket = SSL_get_wbio (ssl);
  BIO *filter = NULL;

  g_once (&method, pen_mqtt_wire_make_method, NULL);
  if (method.retval != NULL)
    filter = BIO_new (method.retval);
  if (filter == NULL)
    return;
  self->filter = filter;
  self->ssl = ssl;
  BIO_set_data (filter, self);
  BIO_up_ref (socket);
  BIO_push (filter, socket);
  /* one for each direction */
  BIO_up_ref (filter);
  SSL_set0_rbio (ssl, filter);
  SSL_set0_wbio (ssl, filter);
}

/* --- Reading --- */

static void
pen_mqtt_wire_set_busy (PenMqttWire *self, gboolean is_busy)
{
  if (is_busy == self->is_busy)
    return;
  self->is_busy = is_busy;
  if (is_busy)
    SSL_clear_mode (self->ssl, SSL_MODE_RELEASE_BUFFERS);
  else
    SSL_set_mode (self->ssl, SSL_MODE_RELEASE_BUFFERS);
}

/* Allows @n_reads of the socket until it pretends to be empty. */
void
pen_mqtt_wire_begin_reading (PenMqttWire *self, guint n_reads)
{
  gint64 now_us = g_get_monotonic_time ();

  self->is_reading = TRUE;
  self->reads_left = n_reads;
  self->is_empty = self->filter == NULL;
  self->n_close = now_us - self->round_us < BUSY_US ? MIN (self->n_close + 1, BUSY_ROUNDS) : 0;
  if (self->filter != NULL)
    pen_mqtt_wire_set_busy (self, self->n_close == BUSY_ROUNDS);
  self->round_us = now_us;
}

/* Before another connection reads. */
void
pen_mqtt_wire_end_reading (PenMqttWire *self)
{
  self->is_reading = FALSE;
  if (self->n_ahead == 0 || self->kept != NULL)
    return;
  self->kept = g_memdup2 (self->ahead, self->n_ahead);
  self->ahead = self->kept;
}

/* Whether there is something of which the descriptor does not tell. */
gboolean
pen_mqtt_wire_has_ahead (const PenMqttWire *self)
{
  return self->n_ahead > 0 || (self->ssl != NULL && SSL_has_pending (self->ssl) == 1);
}

/* Whether another call of mosquitto_loop_read () can bring something in this round. A record that
 * is not complete counts as pending: not when the socket has no more of it. */
gboolean
pen_mqtt_wire_has_more (const PenMqttWire *self)
{
  return self->n_ahead > 0 || (!self->is_empty && pen_mqtt_wire_has_ahead (self));
}

/* Whether the round ended though there is more: not of a record of which the descriptor will tell,
 * then the last read was empty, and not because no more were allowed. */
gboolean
pen_mqtt_wire_was_cut_short (const PenMqttWire *self)
{
  return pen_mqtt_wire_has_ahead (self)
         && (self->n_ahead > 0 || self->reads_left == 0 || !self->is_empty);
}

/* Comes now and then: frees the buffers of a connection that is no longer busy. */
void
pen_mqtt_wire_rest (PenMqttWire *self)
{
  if (!self->is_busy || self->filter == NULL || g_get_monotonic_time () - self->round_us < BUSY_US)
    return;
  pen_mqtt_wire_set_busy (self, FALSE);
  if (SSL_has_pending (self->ssl) == 0)
    SSL_free_buffers (self->ssl);
}

/* --- Writing --- */

/* What is written from now on is kept. */
void
pen_mqtt_wire_begin_writing (PenMqttWire *self)
{
  self->is_writing = self->filter != NULL;
}

/* Writes what was kept, as far as the socket takes it; FALSE with errno if it is broken. */
gboolean
pen_mqtt_wire_end_writing (PenMqttWire *self)
{
  self->is_writing = FALSE;
  return pen_mqtt_wire_write_out (self);
}

/* Whether begin and end are to be called again when the socket takes more. */
gboolean
pen_mqtt_wire_has_unsent (const PenMqttWire *self)
{
  return self->unsent != NULL && self->unsent->len > 0;
}
