/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A running process, for those who look into it: found by its socket, which is in one of a few
 * folders. Who it is it says itself: no process has to be guessed from the name of a file.
 */

#include "config.h"

#include "pen-cli-peer.h"

#include "pen-cli-socket.h"
#include "pen-cli-state.h"
#include "pen-suggest.h"

#include <errno.h>
#include <unistd.h>

/* for a process that is busy reading the keyfiles of thousands of sites */
#define ANSWER_TIMEOUT_MS 10000
#define MAX_PATHS_SHOWN 3

typedef struct
{
  const PenCliPeerChoice *choice;
  char *state_folder; /* (nullable): the one that was chosen */
  GPtrArray *peers;   /* (element-type PenCliPeer): those that fit */
  GPtrArray *others;  /* (element-type PenCliPeer) */
  GPtrArray *faults;  /* (element-type utf8) */
} PenCliPeerSearch;

/* documented in the header */
void
pen_cli_peer_free (PenCliPeer *self)
{
  pen_cli_wire_clear (&self->wire);
  g_free (self->version);
  g_free (self->started);
  g_free (self->state_folder);
  g_strfreev (self->paths);
  g_free (self);
}

static void
pen_cli_peer_release (gpointer data)
{
  pen_cli_peer_free (data);
}

/* documented in the header, as what follows */
void
pen_cli_peer_begin (PenJsonWriter *writer, GString *request, const char *name)
{
  pen_json_writer_init (writer, request);
  pen_json_writer_begin_object (writer);
  pen_cli_wire_put_number (writer, "protocol", PEN_CLI_PROTOCOL);
  pen_cli_wire_put_text (writer, "request", name);
}

gboolean
pen_cli_peer_send (PenCliPeer *self, PenJsonWriter *writer, GString *request)
{
  pen_json_writer_end_object (writer);
  g_string_append_c (request, '\n');
  return pen_cli_wire_write (&self->wire, request, ANSWER_TIMEOUT_MS);
}

PenJson *
pen_cli_peer_receive (PenCliPeer *self, int timeout_ms, PenCliWireResult *result)
{
  g_autoptr (GBytes) line = NULL;
  PenJson *json = NULL;

  *result = pen_cli_wire_read (&self->wire, timeout_ms, &line);
  if (*result != PEN_CLI_WIRE_LINE)
    return NULL;
  json = pen_json_new_from_bytes (line, NULL);
  if (json == NULL)
    *result = PEN_CLI_WIRE_CLOSED;
  return json;
}

static char *
pen_cli_peer_take_path (const PenJson *json, PenJsonNode node)
{
  g_autofree char *uri = pen_json_dup_string (json, node, NULL);

  return uri != NULL ? g_filename_from_uri (uri, NULL /* host */, NULL) : NULL;
}

static void
pen_cli_peer_take_about (PenCliPeer *self, const PenJson *json)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  PenJsonNode list = pen_json_get_member (json, 0 /* the whole */, "paths");
  PenJsonNode node = list != PEN_JSON_NO_NODE ? pen_json_get_first_child (json, list) : list;
  PenJsonNode state = pen_json_get_member (json, 0, "state_folder");

  self->pid = (int) pen_cli_wire_get_number (json, 0, "pid", 0);
  self->version = pen_cli_wire_dup_text (json, 0, "version");
  self->started = pen_cli_wire_dup_text (json, 0, "started");
  self->state_folder = state != PEN_JSON_NO_NODE ? pen_cli_peer_take_path (json, state) : NULL;
  for (; node != PEN_JSON_NO_NODE; node = pen_json_get_next_sibling (json, node))
    {
      g_autofree char *path = pen_cli_peer_take_path (json, node);

      if (path != NULL)
        g_strv_builder_add (paths, path);
    }
  self->paths = g_strv_builder_end (paths);
}

/* Asks who it is. (transfer full) (nullable): NULL if nobody is there, or with @fault set */
static PenCliPeer *
pen_cli_peer_new (const char *path, char **fault)
{
  g_autoptr (PenCliPeer) self = g_new0 (PenCliPeer, 1);
  g_autoptr (GString) request = g_string_new (NULL);
  g_autoptr (PenJson) answer = NULL;
  g_autofree char *refusal = NULL;
  PenCliWireResult result = PEN_CLI_WIRE_NOTHING;
  PenJsonWriter writer;
  int fd = pen_cli_socket_connect (path);

  self->wire.fd = -1;
  if (fd < 0)
    {
      if (errno != ECONNREFUSED && errno != ENOENT)
        *fault = g_strdup_printf ("'%s' cannot be used: %s", path, g_strerror (errno));
      return NULL;
    }
  pen_cli_wire_init (&self->wire, fd, PEN_CLI_ANSWER_MAX_BYTES);
  pen_cli_peer_begin (&writer, request, "about");
  pen_cli_peer_send (self, &writer, request); /* what comes back says what became of it */
  answer = pen_cli_peer_receive (self, ANSWER_TIMEOUT_MS, &result);
  if (answer == NULL)
    {
      *fault = g_strdup_printf ("the process at '%s' %s", path,
                                result == PEN_CLI_WIRE_NOTHING
                                    ? "does not answer: it is stopped, or very busy"
                                    : "has not answered: it has just ended, or is no penstock");
      return NULL;
    }
  refusal = pen_cli_wire_dup_text (answer, 0 /* the whole */, "error");
  if (refusal != NULL)
    {
      *fault = g_strdup_printf ("the process at '%s' says: %s", path, refusal);
      return NULL;
    }
  pen_cli_peer_take_about (self, answer);
  return g_steal_pointer (&self);
}

static void
pen_cli_peer_search_folder (PenCliPeerSearch *self, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) paths = pen_cli_socket_list (folder, &error);

  if (paths == NULL)
    g_ptr_array_add (self->faults, g_strdup_printf ("what runs cannot be seen: %s; try it as root, "
                                                    "or as the user that runs it",
                                                    error->message));
  for (guint i = 0; paths != NULL && paths[i] != NULL; i++)
    {
      char *fault = NULL;
      PenCliPeer *peer = pen_cli_peer_new (paths[i], &fault);

      if (fault != NULL)
        g_ptr_array_add (self->faults, fault);
      if (peer == NULL)
        continue;
      if ((self->choice->pid == 0 || self->choice->pid == peer->pid)
          && (self->state_folder == NULL
              || g_strcmp0 (self->state_folder, peer->state_folder) == 0))
        g_ptr_array_add (self->peers, peer);
      else
        g_ptr_array_add (self->others, peer);
    }
}

static void
pen_cli_peer_describe (const GPtrArray *peers)
{
  for (guint i = 0; i < peers->len; i++)
    {
      const PenCliPeer *peer = g_ptr_array_index (peers, i);
      guint n_paths = g_strv_length (peer->paths);
      g_autoptr (GString) paths = g_string_new (NULL);

      for (guint j = 0; j < MIN (n_paths, MAX_PATHS_SHOWN); j++)
        g_string_append_printf (paths, " %s", peer->paths[j]);
      if (n_paths > MAX_PATHS_SHOWN)
        g_string_append_printf (paths, " and %u others", n_paths - MAX_PATHS_SHOWN);
      fprintf (stderr, "  --pid %d runs%s with --state-dir %s since %s\n", peer->pid, paths->str,
               peer->state_folder, peer->started);
    }
}

static void
pen_cli_peer_tell_none (const PenCli *cli, const PenCliPeerSearch *self, GStrv folders)
{
  g_autofree char *list = g_strjoinv (", ", folders);

  for (guint i = 0; i < self->faults->len; i++)
    fprintf (stderr, "penstock %s: %s\n", cli->command->name,
             (const char *) g_ptr_array_index (self->faults, i));
  if (self->others->len > 0)
    {
      fprintf (stderr, "penstock %s: no such process; there is\n", cli->command->name);
      pen_cli_peer_describe (self->others);
      return;
    }
  fprintf (stderr,
           "penstock %s: no running process was found, in %s; try it as root, or as the user that "
           "runs it, and with the same --state-dir\n",
           cli->command->name, list);
}

/* documented in the header */
PenCliPeer *
pen_cli_peer_find (const PenCli *cli, const PenCliPeerChoice *choice, int *status)
{
  g_autofree char *state = pen_cli_find_state_folder (cli, choice->state_dir, status);
  g_autoptr (GPtrArray) peers = g_ptr_array_new_with_free_func (pen_cli_peer_release);
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func (pen_cli_peer_release);
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  PenCliPeerSearch search
      = { choice, choice->state_dir != NULL ? state : NULL, peers, others, faults };
  g_auto (GStrv) folders = NULL;

  if (state == NULL)
    return NULL;
  folders = pen_cli_socket_list_folders (state);
  for (guint i = 0; folders[i] != NULL; i++)
    pen_cli_peer_search_folder (&search, folders[i]);
  if (peers->len == 1)
    return g_ptr_array_steal_index (peers, 0);
  *status = PEN_CLI_FAULTY;
  if (peers->len == 0)
    {
      pen_cli_peer_tell_none (cli, &search, folders);
      return NULL;
    }
  *status = PEN_CLI_USAGE;
  fprintf (stderr, "penstock %s: %u processes run; choose one:\n", cli->command->name, peers->len);
  pen_cli_peer_describe (peers);
  return NULL;
}
