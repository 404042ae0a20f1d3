/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What --listen serves: /metrics for Prometheus, /healthz for whoever restarts a process that
 * hangs, /readyz for whoever wants to know whether all is well. Everything is read from a thread of
 * its own and changes nothing.
 */

#include "config.h"

#include "pen-monitor.h"

#include "pen-exposition.h"
#include "pen-http-server.h"
#include "pen-readiness.h"

#include <string.h>

/* how long a lane may take to answer */
#define PROBE_US (2 * G_USEC_PER_SEC)
#define JSON_TYPE "application/json"
#define STATUS_OK 200
#define STATUS_BAD_REQUEST 400
#define STATUS_NOT_FOUND 404
#define STATUS_UNAVAILABLE 503

struct _PenMonitor
{
  PenEngine *engine;
  PenHttpServer *server;
};

static gboolean
pen_monitor_go_on (GString *text, gpointer stream)
{
  return pen_exposition_write_some (stream, text);
}

static void
pen_monitor_free_exposition (gpointer stream)
{
  pen_exposition_free (stream);
}

static void
pen_monitor_serve_metrics (const PenHttpRequest *request, PenHttpReply *reply, gpointer user_data)
{
  PenMonitor *self = user_data;
  gboolean is_open_metrics = strstr (request->accept, "application/openmetrics-text") != NULL;
  PenHttpFigures figures;
  PenExpositionHttp http;

  pen_http_server_get_figures (self->server, &figures);
  http = (PenExpositionHttp){ figures.n_requests, figures.n_refused, figures.n_cut };
  pen_http_reply_set_stream (
      reply, is_open_metrics ? PEN_EXPOSITION_OPEN_METRICS : PEN_EXPOSITION_TEXT, pen_monitor_go_on,
      pen_exposition_new (pen_engine_list_statuses (self->engine), &http, is_open_metrics),
      pen_monitor_free_exposition);
}

static void
pen_monitor_serve_health (const PenHttpRequest *request, PenHttpReply *reply, gpointer user_data)
{
  PenMonitor *self = user_data;
  guint n_lanes = 0;
  guint n_answers = 0;
  gboolean is_alive = pen_engine_probe_lanes (self->engine, PROBE_US, &n_lanes, &n_answers);
  GString *text = g_string_new (NULL);

  g_string_printf (text, "{\"alive\":%s,\"lanes\":%u,\"answering\":%u}\n",
                   is_alive ? "true" : "false", n_lanes, n_answers);
  pen_http_reply_set_text (reply, is_alive ? STATUS_OK : STATUS_UNAVAILABLE, JSON_TYPE, text);
}

static const char *
pen_monitor_get_parameter (const PenHttpRequest *request, const char *name)
{
  return request->query != NULL ? g_hash_table_lookup (request->query, name) : NULL;
}

static void
pen_monitor_serve_readiness (const PenHttpRequest *request, PenHttpReply *reply, gpointer user_data)
{
  PenMonitor *self = user_data;
  g_autoptr (GPtrArray) statuses = pen_engine_list_statuses (self->engine);
  const char *pipeline = pen_monitor_get_parameter (request, "pipeline");
  const char *stuck = pen_monitor_get_parameter (request, "stuck-after");
  gint64 stuck_us = PEN_READINESS_STUCK_US;
  gboolean is_ready = FALSE;
  GString *text = NULL;

  if (stuck != NULL && !pen_duration_parse (stuck, &stuck_us, NULL))
    {
      pen_http_reply_set_text (
          reply, STATUS_BAD_REQUEST, JSON_TYPE,
          g_string_new ("{\"error\":\"stuck-after is a duration, such as 90s or 5min\"}\n"));
      return;
    }
  text = pen_readiness_write (statuses, pipeline, stuck_us, &is_ready);
  if (text == NULL)
    pen_http_reply_set_text (reply, STATUS_NOT_FOUND, JSON_TYPE,
                             g_string_new ("{\"error\":\"there is no such pipeline\"}\n"));
  else
    pen_http_reply_set_text (reply, is_ready ? STATUS_OK : STATUS_UNAVAILABLE, JSON_TYPE, text);
}

static void
pen_monitor_serve_index (const PenHttpRequest *request, PenHttpReply *reply, gpointer user_data)
{
  pen_http_reply_set_text (reply, STATUS_OK, "text/plain; charset=utf-8",
                           g_string_new ("Penstock " PACKAGE_VERSION "\n"
                                         "/metrics  for Prometheus\n"
                                         "/healthz  whether the process is alive\n"
                                         "/readyz   whether every pipeline does its work\n"));
}

static const PenHttpRoute pen_monitor_routes[] = {
  { "/", pen_monitor_serve_index },
  { "/metrics", pen_monitor_serve_metrics },
  { "/healthz", pen_monitor_serve_health },
  { "/readyz", pen_monitor_serve_readiness },
  { NULL, NULL },
};

/* documented in the header of the module */
PenMonitor *
pen_monitor_start (PenEngine *engine, GPtrArray *sockets)
{
  PenMonitor *self = g_new0 (PenMonitor, 1);

  self->engine = g_object_ref (engine);
  self->server = pen_http_server_new (pen_monitor_routes, NULL /* bounds */, self);
  for (guint i = 0; i < sockets->len; i++)
    pen_http_server_add_socket (self->server, g_ptr_array_index (sockets, i));
  pen_http_server_start (self->server);
  return self;
}

void
pen_monitor_stop (PenMonitor *self)
{
  pen_http_server_free (self->server);
  g_object_unref (self->engine);
  g_free (self);
}
