/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A small HTTP server on a thread of its own, for what only reads.
 *
 * libsoup speaks the protocol; what it leaves open is bounded here. A connection is for one
 * request, which the answer says: a scrape every few seconds can afford a new one, so one deadline
 * covers a client that sends nothing, one that sends a byte a second, and one that does not read.
 * There are only so many connections; more are closed at once. No body is kept, and a request that
 * is not a GET or HEAD is refused. Long answers are made a piece at a time, when the one before
 * has been sent, so that a slow client costs no more memory than a fast one.
 */

#include "config.h"

#include "pen-http-server.h"

#include <libsoup/soup.h>

#define MAX_CONNECTIONS 64
#define MAX_US (30 * G_USEC_PER_SEC)
/* a round of the loop takes so many of a socket's connections */
#define ACCEPTS_A_ROUND 16
/* how long nobody is let in after that was not possible: there are no descriptors left */
#define PAUSE_MS 1000
#define TEXT_TYPE "text/plain; charset=utf-8"

struct _PenHttpServer
{
  /* constant after start */
  const PenHttpRoute *routes;
  PenHttpBounds bounds;
  gpointer user_data;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GPtrArray *sockets; /* (element-type GSocket) */
  /* the thread */
  SoupServer *soup;
  GHashTable *connections; /* of PenHttpConnection */
  /* atomic */
  PenMetric n_requests;
  PenMetric n_refused;
  PenMetric n_cut;
};

typedef struct
{
  PenHttpServer *server;
  GSocketConnection *stream; /* not owned: libsoup does, and drops it at the end */
  GSource *deadline;
} PenHttpConnection;

/* An answer that is made a piece at a time. */
typedef struct
{
  SoupServerMessage *message; /* not owned */
  PenHttpMoreFunc more;
  gpointer stream;
  GDestroyNotify free;
} PenHttpStream;

struct _PenHttpReply
{
  SoupServerMessage *message;
  gboolean is_set;
};

/* --- Connections --- */

static void
pen_http_connection_free (gpointer data)
{
  PenHttpConnection *self = data;

  g_source_destroy (self->deadline);
  g_source_unref (self->deadline);
  g_free (self);
}

static void
pen_http_connection_gone (gpointer data, GObject *stream)
{
  PenHttpConnection *self = data;

  g_hash_table_remove (self->server->connections, self);
}

/* libsoup finds the end of the stream, or that it cannot write, and drops it. */
static void
pen_http_connection_cut (PenHttpConnection *self)
{
  g_socket_shutdown (g_socket_connection_get_socket (self->stream), TRUE, TRUE, NULL);
}

static gboolean
pen_http_connection_is_late (gpointer data)
{
  PenHttpConnection *self = data;

  pen_metric_add (&self->server->n_cut, 1);
  pen_http_connection_cut (self);
  return G_SOURCE_REMOVE;
}

/* Takes @socket. */
static void
pen_http_server_take (PenHttpServer *self, GSocket *socket)
{
  g_autoptr (GSocket) taken = socket;
  g_autoptr (GSocketConnection) stream = NULL;
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_get_remote_address (socket, NULL);
  PenHttpConnection *connection = NULL;

  if (g_hash_table_size (self->connections) >= self->bounds.max_connections)
    {
      pen_metric_add (&self->n_refused, 1);
      return;
    }
  g_socket_set_blocking (socket, FALSE);
  stream = g_socket_connection_factory_create_connection (socket);
  connection = g_new0 (PenHttpConnection, 1);
  connection->server = self;
  connection->stream = stream;
  connection->deadline = g_timeout_source_new ((guint) (self->bounds.max_us / 1000));
  g_source_set_callback (connection->deadline, pen_http_connection_is_late, connection, NULL);
  g_source_attach (connection->deadline, self->context);
  g_hash_table_add (self->connections, connection);
  g_object_weak_ref (G_OBJECT (stream), pen_http_connection_gone, connection);
  soup_server_accept_iostream (self->soup, G_IO_STREAM (stream), local, remote, NULL);
}

typedef struct
{
  PenHttpServer *server;
  GSocket *socket; /* the server's */
} PenHttpDoor;

static void pen_http_door_open (PenHttpServer *server, GSocket *socket);

static gboolean
pen_http_door_reopen (gpointer data)
{
  const PenHttpDoor *self = data;

  pen_http_door_open (self->server, self->socket);
  return G_SOURCE_REMOVE;
}

static void
pen_http_door_attach (PenHttpServer *server, GSocket *socket, GSource *source, GSourceFunc func)
{
  PenHttpDoor *door = g_new (PenHttpDoor, 1);

  door->server = server;
  door->socket = socket;
  g_source_set_callback (source, func, door, g_free);
  g_source_attach (source, server->context);
  g_source_unref (source);
}

static gboolean
pen_http_door_on_incoming (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  const PenHttpDoor *self = user_data;

  for (guint i = 0; i < ACCEPTS_A_ROUND; i++)
    {
      g_autoptr (GError) error = NULL;
      GSocket *accepted = g_socket_accept (socket, NULL, &error);

      if (accepted != NULL)
        pen_http_server_take (self->server, accepted);
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        break;
      else
        {
          /* whoever waits goes on waiting, and would wake us again and again */
          pen_http_door_attach (self->server, socket, g_timeout_source_new (PAUSE_MS),
                                pen_http_door_reopen);
          return G_SOURCE_REMOVE;
        }
    }
  return G_SOURCE_CONTINUE;
}

static void
pen_http_door_open (PenHttpServer *server, GSocket *socket)
{
  pen_http_door_attach (server, socket, g_socket_create_source (socket, G_IO_IN, NULL),
                        G_SOURCE_FUNC (pen_http_door_on_incoming));
}

/* --- Answers --- */

static void
pen_http_stream_free (gpointer data, GClosure *closure)
{
  PenHttpStream *self = data;

  self->free (self->stream);
  g_free (self);
}

static void
pen_http_stream_go_on (SoupServerMessage *message, gpointer data)
{
  PenHttpStream *self = data;
  SoupMessageBody *body = soup_server_message_get_response_body (message);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GBytes) bytes = NULL;
  gboolean is_last = FALSE;

  if (self->more == NULL)
    return;
  while (text->len == 0 && !is_last)
    is_last = !self->more (text, self->stream);
  bytes = g_string_free_to_bytes (g_steal_pointer (&text));
  if (g_bytes_get_size (bytes) > 0)
    soup_message_body_append_bytes (body, bytes);
  if (!is_last)
    return;
  self->more = NULL;
  soup_message_body_complete (body);
}

/* documented in the header, as what follows */
void
pen_http_reply_set_text (PenHttpReply *self, guint status, const char *content_type, GString *text)
{
  gsize length = text->len;

  self->is_set = TRUE;
  soup_server_message_set_status (self->message, status, NULL /* reason */);
  soup_server_message_set_response (self->message, content_type, SOUP_MEMORY_TAKE,
                                    g_string_free (text, FALSE), length);
}

void
pen_http_reply_set_stream (PenHttpReply *self,
                           const char *content_type,
                           PenHttpMoreFunc more,
                           gpointer stream,
                           GDestroyNotify free)
{
  SoupServerMessage *message = self->message;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  PenHttpStream *pieces = g_new0 (PenHttpStream, 1);

  self->is_set = TRUE;
  pieces->message = message;
  pieces->more = more;
  pieces->stream = stream;
  pieces->free = free;
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL /* reason */);
  soup_message_headers_set_content_type (headers, content_type, NULL /* parameters */);
  soup_message_headers_set_encoding (headers,
                                     soup_server_message_get_http_version (message) == SOUP_HTTP_1_0
                                         ? SOUP_ENCODING_EOF
                                         : SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  g_signal_connect_data (message, "wrote-chunk", G_CALLBACK (pen_http_stream_go_on), pieces,
                         pen_http_stream_free, 0);
  pen_http_stream_go_on (message, pieces);
}

static const PenHttpRoute *
pen_http_server_find_route (PenHttpServer *self, const char *path)
{
  for (const PenHttpRoute *route = self->routes; route->path != NULL; route++)
    if (g_str_equal (route->path, path))
      return route;
  return NULL;
}

static void
pen_http_server_answer (SoupServer *soup,
                        SoupServerMessage *message,
                        const char *path,
                        GHashTable *query,
                        gpointer user_data)
{
  PenHttpServer *self = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  const char *method = soup_server_message_get_method (message);
  const char *accept
      = soup_message_headers_get_list (soup_server_message_get_request_headers (message), "Accept");
  const PenHttpRoute *route = pen_http_server_find_route (self, path);
  const PenHttpRequest request = { path, query, accept != NULL ? accept : "" };
  PenHttpReply reply = { message, FALSE };

  pen_metric_add (&self->n_requests, 1);
  soup_message_headers_replace (headers, "Connection", "close");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    {
      soup_message_headers_replace (headers, "Allow", "GET, HEAD");
      pen_http_reply_set_text (&reply, SOUP_STATUS_METHOD_NOT_ALLOWED, TEXT_TYPE,
                               g_string_new ("only GET and HEAD\n"));
      return;
    }
  if (route != NULL)
    route->handler (&request, &reply, self->user_data);
  if (!reply.is_set)
    pen_http_reply_set_text (&reply, SOUP_STATUS_NOT_FOUND, TEXT_TYPE,
                             g_string_new ("there is nothing here\n"));
}

/* Nothing that is served reads a body. */
static void
pen_http_server_on_request (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
}

/* --- The thread --- */

static gpointer
pen_http_server_run (gpointer data)
{
  PenHttpServer *self = data;

  g_main_context_push_thread_default (self->context);
  self->soup = soup_server_new ("server-header", NULL, NULL);
  soup_server_add_handler (self->soup, NULL /* all paths */, pen_http_server_answer, self, NULL);
  g_signal_connect (self->soup, "request-started", G_CALLBACK (pen_http_server_on_request), self);
  for (guint i = 0; i < self->sockets->len; i++)
    {
      GSocket *socket = g_ptr_array_index (self->sockets, i);

      g_socket_set_blocking (socket, FALSE);
      pen_http_door_open (self, socket);
    }
  g_main_loop_run (self->loop);
  soup_server_disconnect (self->soup);
  g_clear_object (&self->soup);
  while (g_main_context_iteration (self->context, FALSE))
    ; /* what libsoup was about to do */
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

PenHttpServer *
pen_http_server_new (const PenHttpRoute *routes, const PenHttpBounds *bounds, gpointer user_data)
{
  PenHttpServer *self = g_new0 (PenHttpServer, 1);

  self->routes = routes;
  self->bounds.max_connections
      = bounds != NULL && bounds->max_connections > 0 ? bounds->max_connections : MAX_CONNECTIONS;
  self->bounds.max_us = bounds != NULL && bounds->max_us > 0 ? bounds->max_us : MAX_US;
  self->user_data = user_data;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  self->connections = g_hash_table_new_full (NULL, NULL, pen_http_connection_free, NULL);
  return self;
}

void
pen_http_server_add_socket (PenHttpServer *self, GSocket *socket)
{
  g_ptr_array_add (self->sockets, g_object_ref (socket));
}

void
pen_http_server_start (PenHttpServer *self)
{
  self->thread = g_thread_new ("http", pen_http_server_run, self);
}

void
pen_http_server_get_figures (PenHttpServer *self, PenHttpFigures *figures)
{
  figures->n_requests = pen_metric_get (&self->n_requests);
  figures->n_refused = pen_metric_get (&self->n_refused);
  figures->n_cut = pen_metric_get (&self->n_cut);
}

static gboolean
pen_http_server_quit (gpointer data)
{
  PenHttpServer *self = data;
  GHashTableIter iter;
  gpointer connection;

  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &connection, NULL))
    pen_http_connection_cut (connection);
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

/* Those that libsoup still holds. */
static void
pen_http_server_forget_connections (PenHttpServer *self)
{
  GHashTableIter iter;
  gpointer connection;

  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &connection, NULL))
    g_object_weak_unref (G_OBJECT (((PenHttpConnection *) connection)->stream),
                         pen_http_connection_gone, connection);
}

void
pen_http_server_free (PenHttpServer *self)
{
  if (self->thread != NULL)
    {
      /* as a source: a call that this thread could make itself would be made too soon */
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_callback (source, pen_http_server_quit, self, NULL);
      g_source_attach (source, self->context);
      g_thread_join (self->thread);
    }
  pen_http_server_forget_connections (self);
  for (guint i = 0; i < self->sockets->len; i++)
    g_socket_close (g_ptr_array_index (self->sockets, i), NULL);
  g_ptr_array_unref (self->sockets);
  g_hash_table_unref (self->connections);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}
