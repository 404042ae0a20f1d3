/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One end of a stream, plain or TLS, that never blocks after it is made. What is given to one call
 * of bench_link_write is one TLS record, up to 16 KiB, and one write.
 */

#include "config.h"

#include "bench-link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES 65536

struct _BenchLink
{
  int fd;
  SSL *ssl; /* NULL: plain */
};

static void
bench_link_set_errno (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (errno), "%s: %s", what,
               g_strerror (errno));
}

static void
bench_link_set_ssl_error (GError **error, const char *what)
{
  char text[256] = "the other side ended the connection";

  if (ERR_peek_error () != 0)
    ERR_error_string_n (ERR_get_error (), text, sizeof text);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", what, text);
}

/* A listener on the loopback and a port that the kernel chooses. */
int
bench_link_listen (guint *port, GError **error)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (listener < 0 || bind (listener, (struct sockaddr *) &address, length) != 0
      || listen (listener, 1) != 0
      || getsockname (listener, (struct sockaddr *) &address, &length) != 0)
    {
      bench_link_set_errno (error, "cannot listen on 127.0.0.1");
      if (listener >= 0)
        close (listener);
      return -1;
    }
  *port = ntohs (address.sin_port);
  return listener;
}

/* Takes @ssl_context, which may be NULL for a plain link. */
static BenchLink *
bench_link_new (int fd, SSL_CTX *ssl_context, gboolean is_server, GError **error)
{
  g_autoptr (BenchLink) self = g_new0 (BenchLink, 1);
  int one = 1;

  self->fd = fd;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* of no use to a unix socket */
  if (ssl_context != NULL)
    {
      self->ssl = SSL_new (ssl_context);
      SSL_CTX_free (ssl_context);
      SSL_set_mode (self->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      SSL_set_options (self->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
      SSL_set_fd (self->ssl, fd);
      if ((is_server ? SSL_accept (self->ssl) : SSL_connect (self->ssl)) != 1)
        {
          bench_link_set_ssl_error (error, "TLS handshake");
          return NULL;
        }
      /* not sooner: what was read with the handshake would be waited for in vain */
      SSL_set_read_ahead (self->ssl, 1);
    }
  if (!g_unix_set_fd_nonblocking (fd, TRUE, error))
    return NULL;
  return g_steal_pointer (&self);
}

static SSL_CTX *
bench_link_make_server (const char *certfile, const char *keyfile, GError **error)
{
  SSL_CTX *context = SSL_CTX_new (TLS_server_method ());

  if (SSL_CTX_use_certificate_chain_file (context, certfile) != 1
      || SSL_CTX_use_PrivateKey_file (context, keyfile, SSL_FILETYPE_PEM) != 1)
    {
      bench_link_set_ssl_error (error, certfile);
      SSL_CTX_free (context);
      return NULL;
    }
  return context;
}

/* Waits for one connection. Without @certfile it is plain. */
BenchLink *
bench_link_accept (int listener, const char *certfile, const char *keyfile, GError **error)
{
  SSL_CTX *context = NULL;
  int fd;

  if (certfile != NULL)
    {
      context = bench_link_make_server (certfile, keyfile, error);
      if (context == NULL)
        return NULL;
    }
  fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    {
      bench_link_set_errno (error, "accept");
      SSL_CTX_free (context);
      return NULL;
    }
  return bench_link_new (fd, context, TRUE, error);
}

static int
bench_link_open (const char *address, guint port, GError **error)
{
  struct sockaddr_un local = { .sun_family = AF_UNIX };
  struct sockaddr_in internet = { .sin_family = AF_INET, .sin_port = htons ((guint16) port) };
  gboolean is_local = strchr (address, '/') != NULL;
  int fd = socket (is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int status;

  if (is_local)
    {
      g_strlcpy (local.sun_path, address, sizeof local.sun_path);
      status = connect (fd, (struct sockaddr *) &local, sizeof local);
    }
  else
    {
      inet_pton (AF_INET, address, &internet.sin_addr);
      status = connect (fd, (struct sockaddr *) &internet, sizeof internet);
    }
  if (status == 0)
    return fd;
  bench_link_set_errno (error, address);
  close (fd);
  return -1;
}

/* @address is an IPv4 address or the path of a unix socket. Without @cafile the link is plain. */
BenchLink *
bench_link_connect (const char *address, guint port, const char *cafile, GError **error)
{
  SSL_CTX *context = NULL;
  int fd = bench_link_open (address, port, error);

  if (fd < 0)
    return NULL;
  if (cafile != NULL)
    {
      context = SSL_CTX_new (TLS_client_method ());
      SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
      if (SSL_CTX_load_verify_locations (context, cafile, NULL) != 1)
        {
          bench_link_set_ssl_error (error, cafile);
          SSL_CTX_free (context);
          close (fd);
          return NULL;
        }
    }
  return bench_link_new (fd, context, FALSE, error);
}

void
bench_link_free (BenchLink *self)
{
  if (self->ssl != NULL)
    {
      SSL_shutdown (self->ssl);
      SSL_free (self->ssl);
    }
  close (self->fd);
  g_free (self);
}

/* "TLSv1.3 TLS_AES_256_GCM_SHA384" or "plain" */
char *
bench_link_describe (BenchLink *self)
{
  if (self->ssl == NULL)
    return g_strdup ("plain");
  return g_strdup_printf ("%s %s", SSL_get_version (self->ssl), SSL_get_cipher_name (self->ssl));
}

static BenchLinkState
bench_link_judge (BenchLink *self, ssize_t result, GError **error)
{
  if (self->ssl != NULL)
    {
      int reason = SSL_get_error (self->ssl, (int) result);

      if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
        return BENCH_LINK_AGAIN;
      if (reason != SSL_ERROR_ZERO_RETURN)
        bench_link_set_ssl_error (error, "TLS");
      return BENCH_LINK_CLOSED;
    }
  if (result < 0 && (errno == EAGAIN || errno == EINTR))
    return BENCH_LINK_AGAIN;
  if (result < 0)
    bench_link_set_errno (error, "socket");
  return BENCH_LINK_CLOSED;
}

/* Appends what is there, up to 64 KiB. Closed without an error is the other side's good-bye. */
BenchLinkState
bench_link_read (BenchLink *self, GByteArray *to, GError **error)
{
  guint before = to->len;
  ssize_t n_read;

  g_byte_array_set_size (to, before + READ_BYTES);
  ERR_clear_error ();
  if (self->ssl != NULL)
    n_read = SSL_read (self->ssl, to->data + before, READ_BYTES);
  else
    n_read = read (self->fd, to->data + before, READ_BYTES);
  g_byte_array_set_size (to, before + (n_read > 0 ? (guint) n_read : 0));
  return n_read > 0 ? BENCH_LINK_DONE : bench_link_judge (self, n_read, error);
}

/* @written counts up by what was taken. After BENCH_LINK_AGAIN come again with the same data. */
BenchLinkState
bench_link_write (BenchLink *self, const guint8 *data, gsize length, gsize *written, GError **error)
{
  ssize_t result;

  ERR_clear_error ();
  if (self->ssl != NULL)
    result = SSL_write (self->ssl, data, (int) length);
  else
    result = send (self->fd, data, length, MSG_NOSIGNAL);
  if (result <= 0)
    return bench_link_judge (self, result, error);
  *written += (gsize) result;
  return BENCH_LINK_DONE;
}

/* Waits until it can be read or, with @for_writing, written, or @other (-1: none) can be read.
 * @timeout_us -1: for ever. TRUE if @other can be read. */
gboolean
bench_link_wait (BenchLink *self, gboolean for_writing, int other, gint64 timeout_us)
{
  struct pollfd watched[] = {
    { .fd = self->fd, .events = (short) (POLLIN | (for_writing ? POLLOUT : 0)) },
    { .fd = other, .events = POLLIN },
  };
  struct timespec timeout
      = { .tv_sec = timeout_us / G_USEC_PER_SEC, .tv_nsec = timeout_us % G_USEC_PER_SEC * 1000 };

  if (self->ssl != NULL && SSL_pending (self->ssl) > 0)
    return FALSE;
  if (ppoll (watched, 2, timeout_us < 0 ? NULL : &timeout, NULL) <= 0)
    return FALSE;
  return watched[1].revents != 0;
}

gboolean
bench_link_write_all (BenchLink *self, const guint8 *data, gsize length, GError **error)
{
  gsize written = 0;

  while (written < length)
    {
      BenchLinkState state
          = bench_link_write (self, data + written, length - written, &written, error);

      if (state == BENCH_LINK_CLOSED)
        {
          if (error != NULL && *error == NULL)
            g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the other side left");
          return FALSE;
        }
      if (state == BENCH_LINK_AGAIN)
        bench_link_wait (self, TRUE, -1, -1);
    }
  return TRUE;
}
