/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A small HTTP server on a thread of its own, for what only reads.
 */

#pragma once

#include <penstock.h>

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _PenHttpServer PenHttpServer;
typedef struct _PenHttpReply PenHttpReply;

/* A GET (or HEAD, which a handler answers alike). */
typedef struct
{
  const char *path;
  GHashTable *query;  /* (nullable) (element-type utf8 utf8) */
  const char *accept; /* what the client would like; "" if it does not say */
} PenHttpRequest;

/* On the server's thread: sets @reply. */
typedef void (*PenHttpHandler) (const PenHttpRequest *request,
                                PenHttpReply *reply,
                                gpointer user_data);

/* Appends what comes next, some ten KiB at a time; FALSE: that is all. On the server's thread. */
typedef gboolean (*PenHttpMoreFunc) (GString *text, gpointer stream);

/* All of a kind end with a NULL path. */
typedef struct
{
  const char *path;
  PenHttpHandler handler;
} PenHttpRoute;

/* Since the start; from any thread. */
typedef struct
{
  gint64 n_requests;
  gint64 n_refused; /* connections: there were too many */
  gint64 n_cut;     /* connections: they took too long */
} PenHttpFigures;

/* Bounds; 0: as compiled in. For tests. */
typedef struct
{
  guint max_connections;
  gint64 max_us; /* of a connection, which is for one request */
} PenHttpBounds;

PenHttpServer *
pen_http_server_new (const PenHttpRoute *routes, const PenHttpBounds *bounds, gpointer user_data);
/* Before it starts: takes connections of a socket that listens. */
void pen_http_server_add_socket (PenHttpServer *self, GSocket *socket);
void pen_http_server_start (PenHttpServer *self);
void pen_http_server_get_figures (PenHttpServer *self, PenHttpFigures *figures);
/* Cuts what is under way, and waits for the thread. */
void pen_http_server_free (PenHttpServer *self);

/* Takes @text. */
void
pen_http_reply_set_text (PenHttpReply *self, guint status, const char *content_type, GString *text);
/* Takes @stream, which is freed with @free when all is sent or nobody wants it any more. */
void pen_http_reply_set_stream (PenHttpReply *self,
                                const char *content_type,
                                PenHttpMoreFunc more,
                                gpointer stream,
                                GDestroyNotify free);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenHttpServer, pen_http_server_free)

G_END_DECLS
