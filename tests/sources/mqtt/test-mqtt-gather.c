/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands between OpenSSL and the socket: how many writes it makes, and that nothing is lost,
 * doubled or out of order when the socket is full. Two ends of a socket pair, and no certificates.
 */

#include "config.h"

#include "pen-mqtt-gather.h"
#include "pen-test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_LENGTH 4
#define MAXIMUM_UNSENT (16 * 1024)

typedef struct
{
  int fds[2];
  SSL_CTX *contexts[2];
  SSL *ends[2]; /* ours, and the other */
  PenMqttGather gather;
  guint n_writes; /* to the socket */
} Fixture;

static long
test_count_write (BIO *bio,
                  int operation,
                  const char *data,
                  size_t length,
                  int argument,
                  long long_argument,
                  int result,
                  size_t *processed)
{
  Fixture *fixture = (Fixture *) (void *) BIO_get_callback_arg (bio);

  if (operation == BIO_CB_WRITE)
    fixture->n_writes++;
  return result;
}

static SSL *
test_make_end (Fixture *fixture, int end)
{
  SSL_CTX *context = SSL_CTX_new (end == 0 ? TLS_client_method () : TLS_server_method ());
  BIO *bio = BIO_new_socket (fixture->fds[end], BIO_NOCLOSE);
  SSL *ssl = NULL;

  SSL_CTX_set_max_proto_version (context, TLS1_2_VERSION);
  g_assert_cmpint (SSL_CTX_set_cipher_list (context, "ADH:@SECLEVEL=0"), ==, 1);
  SSL_CTX_set_dh_auto (context, 1);
  ssl = SSL_new (context);
  SSL_set_bio (ssl, bio, bio);
  if (end == 0)
    SSL_set_connect_state (ssl);
  else
    SSL_set_accept_state (ssl);
  fixture->contexts[end] = context;
  return ssl;
}

static void
test_fixture_set_up (Fixture *fixture, gconstpointer data)
{
  BIO *socket = NULL;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fixture->fds), ==, 0);
  for (int end = 0; end < 2; end++)
    fixture->ends[end] = test_make_end (fixture, end);
  while (!SSL_is_init_finished (fixture->ends[0]) || !SSL_is_init_finished (fixture->ends[1]))
    for (int end = 0; end < 2; end++)
      SSL_do_handshake (fixture->ends[end]);
  pen_mqtt_gather_insert (&fixture->gather, fixture->ends[0]);
  socket = BIO_next (SSL_get_wbio (fixture->ends[0]));
  BIO_set_callback_arg (socket, (char *) fixture);
  BIO_set_callback_ex (socket, test_count_write);
}

static void
test_fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  for (int end = 0; end < 2; end++)
    {
      SSL_free (fixture->ends[end]);
      SSL_CTX_free (fixture->contexts[end]);
      close (fixture->fds[end]);
    }
  g_assert_null (fixture->gather.filter);
  g_assert_false (pen_mqtt_gather_has_unsent (&fixture->gather));
}

/* As libmosquitto does it; FALSE if it has to come again. */
static gboolean
test_send (Fixture *fixture, guint number)
{
  guint8 packet[PACKET_LENGTH];

  memcpy (packet, &number, sizeof packet);
  return SSL_write (fixture->ends[0], packet, sizeof packet) == sizeof packet;
}

/* What the other end gets without waiting: packets from @first on. */
static guint
test_receive (Fixture *fixture, guint first)
{
  guint number = 0;

  while (SSL_read (fixture->ends[1], &number, sizeof number) == sizeof number)
    g_assert_cmpuint (number, ==, first++);
  return first;
}

static void
test_gather_makes_one_write (Fixture *fixture, gconstpointer data)
{
  for (guint round = 0; round < 3; round++)
    {
      guint first = round * 100;

      fixture->n_writes = 0;
      pen_mqtt_gather_begin (&fixture->gather);
      for (guint i = 0; i < 100; i++)
        g_assert_true (test_send (fixture, first + i));
      g_assert_cmpuint (fixture->n_writes, ==, 0);
      g_assert_cmpuint (test_receive (fixture, first), ==, first);
      g_assert_true (pen_mqtt_gather_has_unsent (&fixture->gather));
      g_assert_true (pen_mqtt_gather_end (&fixture->gather));
      g_assert_cmpuint (fixture->n_writes, ==, 1);
      g_assert_false (pen_mqtt_gather_has_unsent (&fixture->gather));
      g_assert_cmpuint (test_receive (fixture, first), ==, first + 100);
    }
}

static void
test_gather_lets_through_outside (Fixture *fixture, gconstpointer data)
{
  g_assert_true (test_send (fixture, 0));
  g_assert_cmpuint (test_receive (fixture, 0), ==, 1);
  pen_mqtt_gather_begin (&fixture->gather);
  g_assert_true (test_send (fixture, 1));
  g_assert_true (test_send (fixture, 2));
  /* what OpenSSL says by itself, it flushes */
  g_assert_cmpint (BIO_flush (SSL_get_wbio (fixture->ends[0])), ==, 1);
  g_assert_cmpuint (test_receive (fixture, 1), ==, 3);
  g_assert_true (pen_mqtt_gather_end (&fixture->gather));
  g_assert_true (test_send (fixture, 3));
  g_assert_cmpuint (test_receive (fixture, 3), ==, 4);
}

/* The other end does not read, then reads a little now and then. */
static void
test_gather_full_socket (Fixture *fixture, gconstpointer data)
{
  const int n_bytes = 8192;
  guint n_sent = 0;
  guint n_received = 0;
  gboolean was_full = FALSE;

  g_assert_cmpint (setsockopt (fixture->fds[0], SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof n_bytes),
                   ==, 0);
  for (guint round = 0; round < 20000 && n_received < 20000; round++)
    {
      gboolean is_full = FALSE;

      pen_mqtt_gather_begin (&fixture->gather);
      while (n_sent < 20000 && !is_full)
        if (test_send (fixture, n_sent))
          n_sent++;
        else
          is_full = TRUE;
      g_assert_true (n_sent == 20000 || SSL_want_write (fixture->ends[0]));
      g_assert_true (pen_mqtt_gather_end (&fixture->gather));
      if (fixture->gather.unsent != NULL)
        g_assert_cmpuint (fixture->gather.unsent->len, <=, MAXIMUM_UNSENT);
      was_full |= is_full && pen_mqtt_gather_has_unsent (&fixture->gather);
      n_received = test_receive (fixture, n_received);
    }
  g_assert_cmpuint (n_received, ==, 20000);
  g_assert_true (was_full);
  g_assert_false (pen_mqtt_gather_has_unsent (&fixture->gather));
}

static void
test_gather_broken_socket (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (shutdown (fixture->fds[1], SHUT_RDWR), ==, 0);
  pen_mqtt_gather_begin (&fixture->gather);
  g_assert_true (test_send (fixture, 0));
  errno = 0;
  g_assert_false (pen_mqtt_gather_end (&fixture->gather));
  g_assert_cmpint (errno, ==, EPIPE);
  g_assert_false (test_send (fixture, 1));
}

/* Its SSL goes while something is kept, as when libmosquitto ends a connection. */
static void
test_gather_without_ssl (Fixture *fixture, gconstpointer data)
{
  pen_mqtt_gather_begin (&fixture->gather);
  g_assert_true (test_send (fixture, 0));
  g_clear_pointer (&fixture->ends[0], SSL_free);
  g_assert_false (pen_mqtt_gather_has_unsent (&fixture->gather));
  g_assert_true (pen_mqtt_gather_end (&fixture->gather));
  pen_mqtt_gather_begin (&fixture->gather);
  g_assert_true (pen_mqtt_gather_end (&fixture->gather));
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/mqtt-gather/makes-one-write", test_gather_makes_one_write);
  ADD ("/mqtt-gather/lets-through-outside", test_gather_lets_through_outside);
  ADD ("/mqtt-gather/full-socket", test_gather_full_socket);
  ADD ("/mqtt-gather/broken-socket", test_gather_broken_socket);
  ADD ("/mqtt-gather/without-ssl", test_gather_without_ssl);
#undef ADD
  return g_test_run ();
}
