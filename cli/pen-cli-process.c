/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The processes that run with a state folder: reads what pen-cli-record.c has written. A record
 * whose lock can be had is that of a process that is gone, and left out.
 */

#include "config.h"

#include "pen-cli-process.h"

#include "pen-cli-record.h"
#include "pen-text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define MAX_PROCESSES 1000
#define PARTS_STRIDE 3 /* group, key, digest */

static void
pen_cli_running_free (gpointer data)
{
  PenCliRunning *self = data;

  g_free (self->name);
  g_free (self->path);
  g_clear_pointer (&self->parts, g_ptr_array_unref);
  g_free (self);
}

static void
pen_cli_process_free (gpointer data)
{
  PenCliProcess *self = data;

  g_free (self->started);
  g_strfreev (self->paths);
  g_clear_pointer (&self->salt, g_bytes_unref);
  g_ptr_array_unref (self->pipelines);
  g_free (self);
}

/* A member that is text, or NULL. */
static char *
pen_cli_process_take_text (PenJson *json, PenJsonNode object, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, object, name);

  if (node == PEN_JSON_NO_NODE)
    return NULL;
  return pen_json_dup_string (json, node, NULL);
}

static gint64
pen_cli_process_take_number (PenJson *json, PenJsonNode object, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, object, name);
  gint64 value = -1;

  if (node != PEN_JSON_NO_NODE)
    pen_json_get_int64 (json, node, &value, NULL);
  return value;
}

static gboolean
pen_cli_process_take_boolean (PenJson *json, PenJsonNode object, const char *name)
{
  PenJsonNode node = pen_json_get_member (json, object, name);

  return node != PEN_JSON_NO_NODE && pen_json_get_node_type (json, node) == PEN_JSON_TRUE;
}

/* The texts of an array. */
static GStrv
pen_cli_process_take_list (PenJson *json, PenJsonNode object, const char *name)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  PenJsonNode list = pen_json_get_member (json, object, name);
  PenJsonNode node = PEN_JSON_NO_NODE;

  if (list != PEN_JSON_NO_NODE && pen_json_get_node_type (json, list) == PEN_JSON_ARRAY)
    node = pen_json_get_first_child (json, list);
  for (; node != PEN_JSON_NO_NODE; node = pen_json_get_next_sibling (json, node))
    {
      g_autofree char *text = pen_json_dup_string (json, node, NULL);

      if (text != NULL)
        g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

static char *
pen_cli_process_take_path (PenJson *json, PenJsonNode object, const char *name)
{
  g_autofree char *uri = pen_cli_process_take_text (json, object, name);

  return uri != NULL ? g_filename_from_uri (uri, NULL /* host */, NULL) : NULL;
}

static PenEngineState
pen_cli_process_take_state (PenJson *json, PenJsonNode object)
{
  g_autofree char *text = pen_cli_process_take_text (json, object, "state");

  if (g_strcmp0 (text, "stopping") == 0)
    return PEN_ENGINE_STOPPING;
  if (g_strcmp0 (text, "ended") == 0)
    return PEN_ENGINE_ENDED;
  return g_strcmp0 (text, "failed") == 0 ? PEN_ENGINE_FAILED : PEN_ENGINE_RUNNING;
}

static PenCliRunning *
pen_cli_running_new (PenJson *json, PenJsonNode object)
{
  PenCliRunning *self = g_new0 (PenCliRunning, 1);
  g_auto (GStrv) texts = pen_cli_process_take_list (json, object, "parts");
  guint n_texts = g_strv_length (texts);

  self->name = pen_cli_process_take_text (json, object, "name");
  self->path = pen_cli_process_take_path (json, object, "file");
  self->state = pen_cli_process_take_state (json, object);
  self->parts = g_ptr_array_new_with_free_func (pen_cli_part_free);
  for (guint i = 0; i + PARTS_STRIDE <= n_texts; i += PARTS_STRIDE)
    g_ptr_array_add (self->parts, pen_cli_part_new (texts[i], texts[i + 1], texts[i + 2]));
  if (self->name != NULL && self->path != NULL)
    return self;
  pen_cli_running_free (self);
  return NULL;
}

static void
pen_cli_process_take_pipelines (PenCliProcess *self, PenJson *json)
{
  PenJsonNode list = pen_json_get_member (json, 0 /* the whole */, "pipelines");
  PenJsonNode node = PEN_JSON_NO_NODE;

  if (list != PEN_JSON_NO_NODE && pen_json_get_node_type (json, list) == PEN_JSON_ARRAY)
    node = pen_json_get_first_child (json, list);
  for (; node != PEN_JSON_NO_NODE; node = pen_json_get_next_sibling (json, node))
    {
      PenCliRunning *running = pen_cli_running_new (json, node);

      if (running != NULL)
        g_ptr_array_add (self->pipelines, running);
    }
}

static GStrv
pen_cli_process_take_paths (PenJson *json)
{
  g_auto (GStrv) uris = pen_cli_process_take_list (json, 0 /* the whole */, "paths");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; uris[i] != NULL; i++)
    {
      g_autofree char *path = g_filename_from_uri (uris[i], NULL /* host */, NULL);

      if (path != NULL)
        g_strv_builder_add (builder, path);
    }
  return g_strv_builder_end (builder);
}

static PenCliProcess *
pen_cli_process_new (PenJson *json)
{
  PenCliProcess *self = g_new0 (PenCliProcess, 1);
  g_autofree char *namespace = pen_cli_process_take_text (json, 0 /* the whole */, "namespace");
  g_autofree char *own = g_file_read_link ("/proc/self/ns/pid", NULL);
  g_autofree char *salt = pen_cli_process_take_text (json, 0, "salt");
  gsize length = 0;
  guchar *bytes = g_base64_decode (salt != NULL ? salt : "", &length);

  self->pid = (int) pen_cli_process_take_number (json, 0, "pid");
  self->is_near = g_strcmp0 (namespace, own) == 0;
  self->is_strict = pen_cli_process_take_boolean (json, 0, "strict");
  self->watches = pen_cli_process_take_boolean (json, 0, "watch");
  self->started = pen_cli_process_take_text (json, 0, "started");
  self->paths = pen_cli_process_take_paths (json);
  self->salt = g_bytes_new_take (bytes, length);
  self->pipelines = g_ptr_array_new_with_free_func (pen_cli_running_free);
  pen_cli_process_take_pipelines (self, json);
  return self;
}

/* Whether some process holds the lock. */
static gboolean
pen_cli_process_is_alive (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  gboolean is_alive;

  if (fd < 0)
    return errno != ENOENT;
  is_alive = flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close (fd);
  return is_alive;
}

static PenCliProcess *
pen_cli_process_load (const char *path, GError **error)
{
  g_autoptr (GString) text
      = pen_text_file_read (path, PEN_CLI_RECORD_MAX_BYTES, PEN_TEXT_FILE_NONE, NULL, error);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (PenJson) json = NULL;

  if (text == NULL)
    return NULL;
  bytes = g_string_free_to_bytes (g_steal_pointer (&text));
  json = pen_json_new_from_bytes (bytes, error);
  if (json == NULL)
    return NULL;
  if (pen_cli_process_take_number (json, 0 /* the whole */, "format") == PEN_CLI_RECORD_FORMAT)
    return pen_cli_process_new (json);
  g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                       "it is of another version of penstock");
  return NULL;
}

static int
pen_cli_process_compare (gconstpointer a, gconstpointer b)
{
  const PenCliProcess *one = *(const PenCliProcess *const *) a;
  const PenCliProcess *other = *(const PenCliProcess *const *) b;

  return one->pid < other->pid ? -1 : one->pid > other->pid;
}

/* documented in the header */
GPtrArray *
pen_cli_processes_load (const char *state_folder, GPtrArray *faults, GError **error)
{
  g_autoptr (GPtrArray) processes = g_ptr_array_new_with_free_func (pen_cli_process_free);
  g_autofree char *folder = g_build_filename (state_folder, PEN_CLI_RECORD_FOLDER, NULL);
  g_autoptr (GError) folder_error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &folder_error);
  const char *name;

  if (dir == NULL && !g_error_matches (folder_error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_propagate_error (error, g_steal_pointer (&folder_error));
      return NULL;
    }
  while (dir != NULL && processes->len < MAX_PROCESSES && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autoptr (GError) record_error = NULL;
      PenCliProcess *process;

      if (!g_str_has_suffix (name, PEN_CLI_RECORD_SUFFIX) || !pen_cli_process_is_alive (path))
        continue;
      process = pen_cli_process_load (path, &record_error);
      if (process != NULL)
        g_ptr_array_add (processes, process);
      else if (g_file_test (path, G_FILE_TEST_EXISTS)) /* it may have ended meanwhile */
        g_ptr_array_add (faults,
                         g_strdup_printf ("'%s' cannot be used: %s", path, record_error->message));
    }
  g_ptr_array_sort (processes, pen_cli_process_compare);
  return g_steal_pointer (&processes);
}
