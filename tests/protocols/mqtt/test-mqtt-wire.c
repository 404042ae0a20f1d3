/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands between OpenSSL and the socket: how many reads and writes it makes, and that nothing
 * is lost, doubled or out of order when the socket is full, or a round ends before what was read is
 * taken. Two ends of a socket pair, and no certificates.
 */

#include "config.h"

#include "pen-mqtt-wire.h"
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
  PenMqttWire wire;
  guint n_writes; /* to the socket */
  guint n_reads;  /* of it */
} Fixture;

static long
test_count (BIO *bio,
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
  else if (operation == BIO_CB_READ)
    fixture->n_reads++;
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
  pen_mqtt_wire_insert (&fixture->wire, fixture->ends[0]);
  socket = BIO_next (SSL_get_wbio (fixture->ends[0]));
  BIO_set_callback_arg (socket, (char *) fixture);
  BIO_set_callback_ex (socket, test_count);
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
  g_assert_null (fixture->wire.filter);
  g_assert_false (pen_mqtt_wire_has_unsent (&fixture->wire));
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
test_wire_makes_one_write (Fixture *fixture, gconstpointer data)
{
  for (guint round = 0; round < 3; round++)
    {
      guint first = round * 100;

      fixture->n_writes = 0;
      pen_mqtt_wire_begin_writing (&fixture->wire);
      for (guint i = 0; i < 100; i++)
        g_assert_true (test_send (fixture, first + i));
      g_assert_cmpuint (fixture->n_writes, ==, 0);
      g_assert_cmpuint (test_receive (fixture, first), ==, first);
      g_assert_true (pen_mqtt_wire_has_unsent (&fixture->wire));
      g_assert_true (pen_mqtt_wire_end_writing (&fixture->wire));
      g_assert_cmpuint (fixture->n_writes, ==, 1);
      g_assert_false (pen_mqtt_wire_has_unsent (&fixture->wire));
      g_assert_cmpuint (test_receive (fixture, first), ==, first + 100);
    }
}

static void
test_wire_lets_through_outside (Fixture *fixture, gconstpointer data)
{
  g_assert_true (test_send (fixture, 0));
  g_assert_cmpuint (test_receive (fixture, 0), ==, 1);
  pen_mqtt_wire_begin_writing (&fixture->wire);
  g_assert_true (test_send (fixture, 1));
  g_assert_true (test_send (fixture, 2));
  /* what OpenSSL says by itself, it flushes */
  g_assert_cmpint (BIO_flush (SSL_get_wbio (fixture->ends[0])), ==, 1);
  g_assert_cmpuint (test_receive (fixture, 1), ==, 3);
  g_assert_true (pen_mqtt_wire_end_writing (&fixture->wire));
  g_assert_true (test_send (fixture, 3));
  g_assert_cmpuint (test_receive (fixture, 3), ==, 4);
}

/* The other end does not read, then reads a little now and then. */
static void
test_wire_full_socket (Fixture *fixture, gconstpointer data)
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

      pen_mqtt_wire_begin_writing (&fixture->wire);
      while (n_sent < 20000 && !is_full)
        if (test_send (fixture, n_sent))
          n_sent++;
        else
          is_full = TRUE;
      g_assert_true (n_sent == 20000 || SSL_want_write (fixture->ends[0]));
      g_assert_true (pen_mqtt_wire_end_writing (&fixture->wire));
      if (fixture->wire.unsent != NULL)
        g_assert_cmpuint (fixture->wire.unsent->len, <=, MAXIMUM_UNSENT);
      was_full |= is_full && pen_mqtt_wire_has_unsent (&fixture->wire);
      n_received = test_receive (fixture, n_received);
    }
  g_assert_cmpuint (n_received, ==, 20000);
  g_assert_true (was_full);
  g_assert_false (pen_mqtt_wire_has_unsent (&fixture->wire));
}

static void
test_wire_broken_socket (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (shutdown (fixture->fds[1], SHUT_RDWR), ==, 0);
  pen_mqtt_wire_begin_writing (&fixture->wire);
  g_assert_true (test_send (fixture, 0));
  errno = 0;
  g_assert_false (pen_mqtt_wire_end_writing (&fixture->wire));
  g_assert_cmpint (errno, ==, EPIPE);
  g_assert_false (test_send (fixture, 1));
}

/* Its SSL goes while something is kept, as when libmosquitto ends a connection. */
static void
test_wire_without_ssl (Fixture *fixture, gconstpointer data)
{
  pen_mqtt_wire_begin_writing (&fixture->wire);
  g_assert_true (test_send (fixture, 0));
  g_clear_pointer (&fixture->ends[0], SSL_free);
  g_assert_false (pen_mqtt_wire_has_unsent (&fixture->wire));
  g_assert_true (pen_mqtt_wire_end_writing (&fixture->wire));
  pen_mqtt_wire_begin_writing (&fixture->wire);
  g_assert_true (pen_mqtt_wire_end_writing (&fixture->wire));
}

/* The other end sends packets @first to @last, a record each, in one piece. */
static void
test_send_back (Fixture *fixture, guint first, guint last)
{
  for (guint number = first; number <= last; number++)
    g_assert_cmpint (SSL_write (fixture->ends[1], &number, sizeof number), ==, sizeof number);
}

/* What we get of it in one round, as libmosquitto takes it: a byte, then the rest. Returns the
 * number after the last. */
static guint
test_read_round (Fixture *fixture, guint first, guint n_packets)
{
  pen_mqtt_wire_begin_reading (&fixture->wire, 2 /* reads */);
  for (guint n = 0; n < n_packets; n++)
    {
      guint number = 0;

      if (SSL_read (fixture->ends[0], &number, 1) != 1)
        break;
      g_assert_cmpint (SSL_read (fixture->ends[0], (guint8 *) &number + 1, sizeof number - 1), ==,
                       sizeof number - 1);
      g_assert_cmpuint (number, ==, first++);
      if (!pen_mqtt_wire_has_more (&fixture->wire))
        break;
    }
  pen_mqtt_wire_end_reading (&fixture->wire);
  return first;
}

static void
test_wire_makes_one_read (Fixture *fixture, gconstpointer data)
{
  fixture->n_reads = 0;
  test_send_back (fixture, 0, 99);
  g_assert_cmpuint (test_read_round (fixture, 0, 1000), ==, 100);
  g_assert_cmpuint (fixture->n_reads, ==, 1);
  g_assert_false (pen_mqtt_wire_was_cut_short (&fixture->wire));
  g_assert_false (pen_mqtt_wire_has_ahead (&fixture->wire));
}

/* A round that takes less than was read: the rest is kept, though another connection of the lane
 * reads into the same memory meanwhile. */
static void
test_wire_keeps_what_a_round_leaves (Fixture *fixture, gconstpointer data)
{
  Fixture other = { 0 };

  test_fixture_set_up (&other, NULL);
  test_send_back (fixture, 0, 99);
  test_send_back (&other, 500, 599);
  g_assert_cmpuint (test_read_round (fixture, 0, 10), ==, 10);
  g_assert_true (pen_mqtt_wire_was_cut_short (&fixture->wire));
  g_assert_cmpuint (test_read_round (&other, 500, 20), ==, 520);
  g_assert_cmpuint (test_read_round (fixture, 10, 10), ==, 20);
  g_assert_true (pen_mqtt_wire_has_ahead (&fixture->wire));
  test_send_back (fixture, 100, 120);
  /* of what came meanwhile, the descriptor tells */
  g_assert_cmpuint (test_read_round (fixture, 20, 1000), ==, 100);
  g_assert_cmpuint (test_read_round (fixture, 100, 1000), ==, 121);
  g_assert_cmpuint (test_read_round (&other, 520, 1000), ==, 600);
  g_assert_false (pen_mqtt_wire_has_ahead (&fixture->wire));
  test_fixture_tear_down (&other, NULL);
}

/* A stream without end: a round has so many reads and no more. Records are cut by its ends. */
static void
test_wire_bounds_a_round (Fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *large = g_malloc0 (16000);
  guint8 taken[4096];
  gsize n_sent = 0;
  gsize n_taken = 0;
  guint n_rounds = 0;

  while (SSL_write (fixture->ends[1], large, 16000) == 16000)
    n_sent += 16000;
  g_assert_cmpuint (n_sent, >, 2 * 64 * 1024);
  while (n_taken < n_sent)
    {
      fixture->n_reads = 0;
      pen_mqtt_wire_begin_reading (&fixture->wire, 2 /* reads */);
      for (int n_bytes = 1; n_bytes > 0;)
        {
          n_bytes = SSL_read (fixture->ends[0], taken, sizeof taken);
          n_taken += n_bytes > 0 ? (gsize) n_bytes : 0;
        }
      pen_mqtt_wire_end_reading (&fixture->wire);
      g_assert_cmpuint (fixture->n_reads, <=, 2);
      n_rounds++;
      g_assert_cmpuint (n_rounds, <, 1000);
    }
  g_assert_cmpuint (n_rounds, >, 1);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/mqtt-wire/makes-one-write", test_wire_makes_one_write);
  ADD ("/mqtt-wire/lets-through-outside", test_wire_lets_through_outside);
  ADD ("/mqtt-wire/full-socket", test_wire_full_socket);
  ADD ("/mqtt-wire/broken-socket", test_wire_broken_socket);
  ADD ("/mqtt-wire/without-ssl", test_wire_without_ssl);
  ADD ("/mqtt-wire/makes-one-read", test_wire_makes_one_read);
  ADD ("/mqtt-wire/keeps-what-a-round-leaves", test_wire_keeps_what_a_round_leaves);
  ADD ("/mqtt-wire/bounds-a-round", test_wire_bounds_a_round);
#undef ADD
  return g_test_run ();
}
