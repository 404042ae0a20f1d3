/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The HTTP server answers, and bounds what a client can take from it: connections, time, memory.
 */

#include "config.h"

#include "pen-http-client.h"
#include "pen-http-server.h"

#include <string.h>

#define N_PIECES 2000
#define PIECE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"
#define TIMEOUT_MS 20000

typedef struct
{
  PenHttpServer *server;
  guint port;
  int n_freed; /* atomic */
} Fixture;

typedef struct
{
  Fixture *fixture;
  guint n_pieces;
} Stream;

static gboolean
test_go_on (GString *text, gpointer data)
{
  Stream *stream = data;

  g_string_append (text, PIECE);
  return ++stream->n_pieces < N_PIECES;
}

static void
test_free_stream (gpointer data)
{
  Stream *stream = data;

  g_atomic_int_inc (&stream->fixture->n_freed);
  g_free (stream);
}

static void
test_serve_stream (const PenHttpRequest *request, PenHttpReply *reply, gpointer user_data)
{
  Stream *stream = g_new0 (Stream, 1);

  stream->fixture = user_data;
  pen_http_reply_set_stream (reply, "text/plain", test_go_on, stream, test_free_stream);
}

static void
test_serve_text (const PenHttpRequest *request, PenHttpReply *reply, gpointer user_data)
{
  const char *name = request->query != NULL ? g_hash_table_lookup (request->query, "name") : "";

  pen_http_reply_set_text (reply, 418, "text/plain",
                           g_string_new (g_strcmp0 (name, "a b") == 0 ? "named" : request->accept));
}

static const PenHttpRoute routes[] = {
  { "/stream", test_serve_stream },
  { "/text", test_serve_text },
  { NULL, NULL },
};

static void
test_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  g_socket_bind (socket, any, TRUE, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_listen (socket, NULL));
  address = g_socket_get_local_address (socket, NULL);
  fixture->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  fixture->server = pen_http_server_new (routes, data, fixture);
  pen_http_server_add_socket (fixture->server, socket);
  pen_http_server_start (fixture->server);
}

static void
test_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->server, pen_http_server_free);
}

static void
test_http_answers (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  guint status = 0;

  text = pen_http_client_get (fixture->port, "/text", "Accept: a/b, c/d", &status);
  g_assert_cmpuint (status, ==, 418);
  g_assert_cmpstr (text, ==, "a/b, c/d");
  g_clear_pointer (&text, g_free);
  text = pen_http_client_get (fixture->port, "/text?name=a%20b", NULL, &status);
  g_assert_cmpstr (text, ==, "named");
  g_clear_pointer (&text, g_free);
  text = pen_http_client_get (fixture->port, "/text/below", NULL, &status);
  g_assert_cmpuint (status, ==, 404);
}

static void
test_http_streams (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  guint status = 0;

  text = pen_http_client_get (fixture->port, "/stream", NULL, &status);
  g_assert_cmpuint (status, ==, 200);
  g_assert_cmpuint (strlen (text), ==, N_PIECES * strlen (PIECE));
  g_assert_cmpint (g_atomic_int_get (&fixture->n_freed), <=, 1);
}

static char *
test_ask (Fixture *fixture, const char *request)
{
  g_autoptr (GSocketConnection) connection = pen_http_client_connect (fixture->port);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_output_stream_write_all (output, request, strlen (request), NULL, NULL, NULL);
  return pen_http_client_read_all (connection);
}

static void
test_http_only_reads (Fixture *fixture, gconstpointer data)
{
  g_autofree char *post
      = test_ask (fixture, "POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  g_autofree char *head = test_ask (fixture, "HEAD /text HTTP/1.1\r\nHost: x\r\n\r\n");
  g_autofree char *noise = test_ask (fixture, "\x16\x03\x01 what is this\r\n\r\n");

  g_assert_true (g_str_has_prefix (post, "HTTP/1.1 405 "));
  g_assert_nonnull (strstr (post, "Allow: GET, HEAD\r\n"));
  g_assert_true (g_str_has_prefix (head, "HTTP/1.1 418 "));
  g_assert_true (g_str_has_suffix (head, "\r\n\r\n"));
  g_test_message ("noise is answered '%s'", noise);
  g_assert_null (strstr (noise, " 418 "));
}

/* Headers without end are not kept for ever. */
static void
test_http_bounds_a_request (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) request = g_string_new ("GET /text HTTP/1.1\r\n");
  g_autofree char *answer = NULL;

  while (request->len < 1024 * 1024)
    g_string_append (request, "X: " PIECE);
  answer = test_ask (fixture, request->str);
  g_assert_null (strstr (answer, " 418 "));
}

static gboolean
test_is_cut (gpointer user_data)
{
  PenHttpFigures figures;

  pen_http_server_get_figures (((Fixture *) user_data)->server, &figures);
  return figures.n_cut == 2;
}

/* Two that say nothing have both places; a third is sent away, until they are. */
static void
test_http_bounds_connections (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketConnection) first = pen_http_client_connect (fixture->port);
  g_autoptr (GSocketConnection) second = pen_http_client_connect (fixture->port);
  g_autofree char *refused = test_ask (fixture, "GET /text HTTP/1.0\r\n\r\n");
  g_autofree char *cut = pen_http_client_read_all (first);
  g_autofree char *answer = NULL;
  PenHttpFigures figures;

  g_assert_cmpstr (refused, ==, "");
  g_assert_cmpstr (cut, ==, "");
  g_assert_true (pen_test_wait (test_is_cut, fixture, TIMEOUT_MS));
  g_free (pen_http_client_read_all (second));
  answer = test_ask (fixture, "GET /text HTTP/1.0\r\n\r\n");
  g_assert_nonnull (strstr (answer, " 418 "));
  pen_http_server_get_figures (fixture->server, &figures);
  g_assert_cmpint (figures.n_refused, ==, 1);
  g_assert_cmpint (figures.n_requests, ==, 1);
}

/* A client that reads nothing of a long answer costs a piece of it, and is cut. */
static void
test_http_goes_while_clients_wait (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketConnection) silent = pen_http_client_connect (fixture->port);
  g_autoptr (GSocketConnection) slow = pen_http_client_connect (fixture->port);
  const char *request = "GET /stream HTTP/1.0\r\n\r\n";

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (slow)), request,
                             strlen (request), NULL, NULL, NULL);
  g_clear_pointer (&fixture->server, pen_http_server_free);
}

int
main (int argc, char **argv)
{
  static const PenHttpBounds narrow = { .max_connections = 2, .max_us = 700 * 1000 };

  pen_test_init (&argc, &argv);
#define ADD(path, bounds, func)                                                                    \
  g_test_add ("/http-server/" path, Fixture, bounds, test_set_up, test_http_##func, test_tear_down)
  ADD ("answers", NULL, answers);
  ADD ("streams", NULL, streams);
  ADD ("only-reads", NULL, only_reads);
  ADD ("bounds-a-request", NULL, bounds_a_request);
  ADD ("bounds-connections", &narrow, bounds_connections);
  ADD ("goes-while-clients-wait", NULL, goes_while_clients_wait);
#undef ADD
  return g_test_run ();
}
