/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between OpenSSL and the socket: many small records in one write.
 *
 * libmosquitto writes each packet by itself, so each acknowledgement is a record of TLS (26 bytes)
 * and a write (2), which sends a segment of TCP and wakes the broker: more than all else that is
 * done with a message of QoS 1. So a filter stands before the socket's BIO on the writing side. It
 * keeps what comes between begin and end, and writes it at the end, all at once.
 *
 * For libmosquitto what is kept here is written. So nothing is kept but what may be written, and
 * what the socket did not take is not forgotten: has_unsent says so until a later begin and end
 * have written it. There is no more of it than MAXIMUM_UNSENT: beyond that libmosquitto is told to
 * wait, as by the socket itself. Outside of begin and end all goes through at once, in its order
 * (what OpenSSL has to say by itself, the last alert). OpenSSL flushes then, which writes too.
 */

#include "config.h"

#include "pen-mqtt-gather.h"

#define MAXIMUM_UNSENT (16 * 1024)
/* What a quiet connection needs, and so keeps. */
#define USUAL_UNSENT 256

/* Writes what is kept, as far as the socket takes it; FALSE with errno if it is broken. */
static gboolean
pen_mqtt_gather_write_out (PenMqttGather *self)
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
pen_mqtt_gather_on_write (BIO *bio, const char *data, int length)
{
  PenMqttGather *self = BIO_get_data (bio);

  BIO_clear_retry_flags (bio);
  if (self->unsent == NULL)
    self->unsent = g_byte_array_sized_new (USUAL_UNSENT);
  if (self->unsent->len + (gsize) length > MAXIMUM_UNSENT)
    {
      if (!pen_mqtt_gather_write_out (self))
        return -1;
      if (pen_mqtt_gather_has_unsent (self))
        {
          BIO_set_retry_write (bio);
          return -1;
        }
      if (self->unsent == NULL)
        self->unsent = g_byte_array_sized_new (USUAL_UNSENT);
    }
  g_byte_array_append (self->unsent, (const guint8 *) data, (guint) length);
  return self->is_open || pen_mqtt_gather_write_out (self) ? length : -1;
}

static long
pen_mqtt_gather_on_control (BIO *bio, int command, long number, void *pointer)
{
  PenMqttGather *self = BIO_get_data (bio);

  /* OpenSSL asks some twenty times a record; the kernel must not encrypt what passes here. */
  if (command == BIO_CTRL_GET_KTLS_SEND || command == BIO_CTRL_GET_KTLS_RECV)
    return 0;
  if (command == BIO_CTRL_FLUSH && !pen_mqtt_gather_write_out (self))
    return -1;
  return BIO_ctrl (BIO_next (bio), command, number, pointer);
}

static int
pen_mqtt_gather_on_create (BIO *bio)
{
  BIO_set_init (bio, 1);
  return 1;
}

/* With its SSL, which libmosquitto frees when a connection ends. */
static int
pen_mqtt_gather_on_destroy (BIO *bio)
{
  PenMqttGather *self = BIO_get_data (bio);

  if (self != NULL)
    {
      self->filter = NULL;
      g_clear_pointer (&self->unsent, g_byte_array_unref);
    }
  return 1;
}

static gpointer
pen_mqtt_gather_make_method (gpointer user_data)
{
  BIO_METHOD *method = BIO_meth_new (BIO_get_new_index () | BIO_TYPE_FILTER, "gathers writes");

  if (method == NULL)
    return NULL;
  BIO_meth_set_write (method, pen_mqtt_gather_on_write);
  BIO_meth_set_ctrl (method, pen_mqtt_gather_on_control);
  BIO_meth_set_create (method, pen_mqtt_gather_on_create);
  BIO_meth_set_destroy (method, pen_mqtt_gather_on_destroy);
  return method;
}

/* Takes its place in @ssl, whose hand-shake is over. @self must live as long as @ssl. Without
 * memory for it, all goes the usual way. */
void
pen_mqtt_gather_insert (PenMqttGather *self, SSL *ssl)
{
  static GOnce method = G_ONCE_INIT;
  BIO *socket = SSL_get_wbio (ssl);
  BIO *filter = NULL;

  g_once (&method, pen_mqtt_gather_make_method, NULL);
  if (method.retval != NULL)
    filter = BIO_new (method.retval);
  if (filter == NULL)
    return;
  self->filter = filter;
  BIO_set_data (filter, self);
  BIO_up_ref (socket);
  BIO_push (filter, socket);
  SSL_set0_wbio (ssl, filter);
}

/* What is written from now on is kept. */
void
pen_mqtt_gather_begin (PenMqttGather *self)
{
  self->is_open = self->filter != NULL;
}

/* Writes what was kept, as far as the socket takes it; FALSE with errno if it is broken. */
gboolean
pen_mqtt_gather_end (PenMqttGather *self)
{
  self->is_open = FALSE;
  return pen_mqtt_gather_write_out (self);
}

/* Whether begin and end are to be called again when the socket takes more. */
gboolean
pen_mqtt_gather_has_unsent (const PenMqttGather *self)
{
  return self->unsent != NULL && self->unsent->len > 0;
}
