/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lets others look into a running process.
 *
 * The main loop, which has nothing else to do while pipelines run, takes them in; each has a thread
 * of its own, which may wait for him, and which is there only as long as he is: a process that
 * nobody looks into has a socket and no more. No lane ever waits for any of them. All is bounded:
 * how many they are, how long a request is, how long one may not read what he asked for.
 *
 * What only the engine's thread may do is done there (pen_cli_control_call). It never waits for a
 * client's thread, but for the end of all of them when the run is over, and then they are told to
 * go first: is_closing is set, and their sockets are shut down, for reading first, which ends every
 * poll (), and then, for those who do not read, altogether.
 */

#include "config.h"

#include "pen-cli-control-private.h"

#include "pen-cli-socket.h"
#include "pen-suggest.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 8
/* one who does not read for so long is sent away */
#define WRITE_TIMEOUT_MS 10000
/* until descriptors are looked for again, when there are none left */
#define BREATH_MS 1000
#define FAREWELL_US (500 * (gint64) 1000)

struct _PenCliControl
{
  /* constant after start */
  PenEngine *engine;
  GMainContext *context;
  char *state_folder;
  char *started;
  GStrv paths;
  /* the engine's thread */
  PenCliSocket *socket;
  guint source;
  GPtrArray *clients; /* of PenCliControlClient */
  /* lock */
  GMutex lock;
  GCond cond;
  gboolean is_closing;
};

typedef struct
{
  PenCliControl *control;
  PenCliControlFunc func;
  gpointer data;
  gboolean is_done; /* control's lock */
} PenCliControlCall;

/* documented in the header */
PenEngine *
pen_cli_control_get_engine (PenCliControl *self)
{
  return self->engine;
}

static gboolean
pen_cli_control_run_call (gpointer data)
{
  PenCliControlCall *call = data;
  PenCliControl *self = call->control;

  call->func (call->data);
  g_mutex_lock (&self->lock);
  call->is_done = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

/* documented in the header */
gboolean
pen_cli_control_call (PenCliControl *self, PenCliControlFunc func, gpointer data)
{
  PenCliControlCall call = { .control = self, .func = func, .data = data };
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, pen_cli_control_run_call, &call, NULL);
  g_source_attach (source, self->context);
  g_mutex_lock (&self->lock);
  while (!call.is_done && !self->is_closing)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
  /* closing is done by the thread that would run it: it does not run now */
  g_source_destroy (source);
  return call.is_done;
}

/* documented in the header */
gboolean
pen_cli_control_send (PenCliControlClient *self, GString *text)
{
  g_string_append_c (text, '\n');
  return pen_cli_wire_write (&self->wire, text, WRITE_TIMEOUT_MS);
}

static GString *
pen_cli_control_format_error (const char *message)
{
  GString *text = g_string_new (NULL);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_text (&writer, "error", message);
  pen_json_writer_end_object (&writer);
  return text;
}

/* documented in the header */
gboolean
pen_cli_control_refuse (PenCliControlClient *self, const char *message)
{
  g_autoptr (GString) text = pen_cli_control_format_error (message);

  return pen_cli_control_send (self, text);
}

static void
pen_cli_control_put_path (PenJsonWriter *writer, const char *path)
{
  g_autofree char *uri = g_filename_to_uri (path, NULL /* host */, NULL);

  pen_json_writer_string (writer, uri != NULL ? uri : "", -1);
}

static gboolean
pen_cli_control_answer_about (PenCliControlClient *self, PenJson *request)
{
  const PenCliControl *control = self->control;
  g_autoptr (GString) text = g_string_new (NULL);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_wire_put_number (&writer, "protocol", PEN_CLI_PROTOCOL);
  pen_cli_wire_put_text (&writer, "version", PACKAGE_VERSION);
  pen_cli_wire_put_number (&writer, "pid", getpid ());
  pen_cli_wire_put_text (&writer, "started", control->started);
  pen_json_writer_key (&writer, "state_folder");
  pen_cli_control_put_path (&writer, control->state_folder);
  pen_json_writer_key (&writer, "paths");
  pen_json_writer_begin_array (&writer);
  for (guint i = 0; control->paths[i] != NULL; i++)
    pen_cli_control_put_path (&writer, control->paths[i]);
  pen_json_writer_end_array (&writer);
  pen_json_writer_end_object (&writer);
  return pen_cli_control_send (self, text);
}

static const struct
{
  const char *name;
  gboolean (*answer) (PenCliControlClient *self, PenJson *request);
} pen_cli_control_requests[] = {
  { "about", pen_cli_control_answer_about },
  { "pipelines", pen_cli_control_answer_pipelines },
  { "tap", pen_cli_control_answer_tap },
};

static gboolean
pen_cli_control_answer (PenCliControlClient *self, GBytes *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PenJson) request = pen_json_new_from_bytes (line, &error);
  g_autofree char *name = NULL;

  if (request == NULL)
    {
      g_autofree char *message = g_strdup_printf ("the request is no JSON: %s", error->message);

      return pen_cli_control_refuse (self, message);
    }
  if (pen_cli_wire_get_number (request, 0 /* the whole */, "protocol", 0) != PEN_CLI_PROTOCOL)
    return pen_cli_control_refuse (self, "this is penstock " PACKAGE_VERSION
                                         ", which speaks another protocol: use that version");
  name = pen_cli_wire_dup_text (request, 0, "request");
  for (guint i = 0; i < G_N_ELEMENTS (pen_cli_control_requests); i++)
    if (g_strcmp0 (name, pen_cli_control_requests[i].name) == 0)
      return pen_cli_control_requests[i].answer (self, request);
  return pen_cli_control_refuse (self, "there is no such request");
}

static gpointer
pen_cli_control_serve (gpointer data)
{
  PenCliControlClient *self = data;
  PenCliControl *control = self->control;
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      g_autoptr (GBytes) line = NULL;
      PenCliWireResult result = pen_cli_wire_read (&self->wire, -1 /* no timeout */, &line);

      if (result == PEN_CLI_WIRE_TOO_LONG)
        pen_cli_control_refuse (self, "the request is too long");
      if (result != PEN_CLI_WIRE_NOTHING)
        goes_on = result == PEN_CLI_WIRE_LINE && pen_cli_control_answer (self, line);
    }
  g_mutex_lock (&control->lock);
  pen_cli_wire_clear (&self->wire);
  self->is_gone = TRUE;
  g_cond_broadcast (&control->cond);
  g_mutex_unlock (&control->lock);
  return NULL;
}

static void
pen_cli_control_client_free (gpointer data)
{
  PenCliControlClient *self = data;

  g_thread_join (self->thread);
  g_free (self);
}

/* Forgets those who have gone by themselves. */
static void
pen_cli_control_reap (PenCliControl *self)
{
  for (guint i = self->clients->len; i-- > 0;)
    {
      const PenCliControlClient *client = g_ptr_array_index (self->clients, i);
      gboolean is_gone;

      g_mutex_lock (&self->lock);
      is_gone = client->is_gone;
      g_mutex_unlock (&self->lock);
      if (is_gone)
        g_ptr_array_remove_index (self->clients, i);
    }
}

static void
pen_cli_control_turn_away (int fd)
{
  g_autofree char *message
      = g_strdup_printf ("%d others look into this process already; try again later", MAX_CLIENTS);
  g_autoptr (GString) text = pen_cli_control_format_error (message);

  g_string_append_c (text, '\n');
  /* he may not get it, and nobody waits for him */
  if (send (fd, text->str, text->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    g_debug ("somebody who looked into this process was turned away without a word");
  close (fd);
}

static gboolean
pen_cli_control_on_connection (int listening_fd, GIOCondition condition, gpointer user_data);

static gboolean
pen_cli_control_open_door (gpointer user_data)
{
  PenCliControl *self = user_data;

  self->source = g_unix_fd_add (pen_cli_socket_get_fd (self->socket), G_IO_IN,
                                pen_cli_control_on_connection, self);
  return G_SOURCE_REMOVE;
}

static gboolean
pen_cli_control_on_connection (int listening_fd, GIOCondition condition, gpointer user_data)
{
  PenCliControl *self = user_data;
  g_autoptr (GError) error = NULL;
  PenCliControlClient *client = NULL;
  int fd = accept4 (listening_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd < 0 && errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
    return G_SOURCE_CONTINUE; /* he has gone again */
  if (fd < 0)
    {
      /* he stays at the door, and would be announced again and again */
      self->source = g_timeout_add (BREATH_MS, pen_cli_control_open_door, self);
      return G_SOURCE_REMOVE;
    }
  pen_cli_control_reap (self);
  if (self->clients->len >= MAX_CLIENTS)
    {
      pen_cli_control_turn_away (fd);
      return G_SOURCE_CONTINUE;
    }
  client = g_new0 (PenCliControlClient, 1);
  client->control = self;
  pen_cli_wire_init (&client->wire, fd, PEN_CLI_REQUEST_MAX_BYTES);
  client->thread = g_thread_try_new ("control", pen_cli_control_serve, client, &error);
  if (client->thread != NULL)
    {
      g_ptr_array_add (self->clients, client);
      return G_SOURCE_CONTINUE;
    }
  g_warning ("somebody who looks into this process was turned away: %s", error->message);
  pen_cli_wire_clear (&client->wire);
  g_free (client);
  return G_SOURCE_CONTINUE;
}

static GStrv
pen_cli_control_make_absolute (GStrv paths)
{
  g_autoptr (GStrvBuilder) absolute = g_strv_builder_new ();

  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autofree char *path = g_canonicalize_filename (paths[i], NULL /* the working folder */);

      g_strv_builder_add (absolute, path);
    }
  return g_strv_builder_end (absolute);
}

/* documented in the header, as what follows */
PenCliControl *
pen_cli_control_new (const char *state_folder, PenEngine *engine, GStrv paths)
{
  g_autoptr (GError) error = NULL;
  PenCliSocket *socket = pen_cli_socket_new (state_folder, &error);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  PenCliControl *self = NULL;

  if (socket == NULL)
    {
      g_warning ("'penstock top' and 'penstock tap' will not see this process: there is no place "
                 "for its socket: %s; a folder is named by RUNTIME_DIRECTORY, XDG_RUNTIME_DIR or "
                 "--state-dir",
                 error->message);
      return NULL;
    }
  self = g_new0 (PenCliControl, 1);
  self->engine = g_object_ref (engine);
  self->context = g_main_context_ref_thread_default ();
  self->state_folder = g_strdup (state_folder);
  self->started = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S+00:00");
  self->paths = pen_cli_control_make_absolute (paths);
  self->socket = socket;
  self->clients = g_ptr_array_new_with_free_func (pen_cli_control_client_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  pen_cli_control_open_door (self);
  return self;
}

/* How many are still there. */
static guint
pen_cli_control_shut_down_locked (PenCliControl *self, int how)
{
  guint n = 0;

  for (guint i = 0; i < self->clients->len; i++)
    {
      const PenCliControlClient *client = g_ptr_array_index (self->clients, i);

      if (client->is_gone)
        continue;
      shutdown (client->wire.fd, how);
      n++;
    }
  return n;
}

/* Nobody is heard any more; there is a moment for what is still to be said. */
static void
pen_cli_control_send_away (PenCliControl *self)
{
  gint64 end_us = g_get_monotonic_time () + FAREWELL_US;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_closing = TRUE;
  g_cond_broadcast (&self->cond);
  while (pen_cli_control_shut_down_locked (self, SHUT_RD) > 0
         && g_cond_wait_until (&self->cond, &self->lock, end_us))
    ;
  pen_cli_control_shut_down_locked (self, SHUT_RDWR);
}

void
pen_cli_control_free (PenCliControl *self)
{
  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_pointer (&self->socket, pen_cli_socket_free);
  pen_cli_control_send_away (self);
  g_ptr_array_unref (self->clients); /* joins their threads */
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_main_context_unref (self->context);
  g_object_unref (self->engine);
  g_strfreev (self->paths);
  g_free (self->state_folder);
  g_free (self->started);
  g_free (self);
}
