/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a running process tells others about what it runs: a file in STATE/run/, from which
 * 'penstock plan' sees what a reload would change.
 *
 * The file is locked as long as the process lives, however it ends: one without a lock is stale,
 * and the next process sweeps it away. Each version is a new file, which is locked before it gets
 * the name that others look for, so that nobody reads half of one, or one that seems stale.
 *
 * Values of a definition, secrets among them, are there as keyed digests alone. The key is the
 * record's own, so nothing can be computed beforehand; whoever can read the record at all (mode
 * 0600) can read the process's memory as well.
 */

#include "config.h"

#include "pen-cli-record.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#define SALT_BYTES 32
/* hexadecimal; 64 bits are plenty to tell two values apart */
#define DIGEST_LENGTH 16
/* pipelines that end together are told together */
#define LINGER_MS 200
/* and of thousands that end, writing takes at most so much of the time */
#define LINGER_SHARE 20
/* a temporary file that is younger may not have its lock yet */
#define TEMPORARY_SECONDS 60

struct _PenCliRecord
{
  const PenCli *cli;
  PenEngine *engine;
  PenCliRecordOptions options;
  char *folder;
  char *path;
  char *temporary;
  GBytes *salt;
  char *started;
  int fd; /* of the file that has the name now, or -1 */
  guint timer;
  gint64 took_us; /* to write it the last time */
  gulong handler;
  gboolean has_told; /* that it cannot be written */
};

PenCliPart *
pen_cli_part_new (const char *group, const char *key, const char *digest)
{
  PenCliPart *self = g_new (PenCliPart, 1);

  self->group = g_strdup (group);
  self->key = g_strdup (key);
  self->digest = g_strdup (digest);
  return self;
}

void
pen_cli_part_free (gpointer data)
{
  PenCliPart *self = data;

  g_free (self->group);
  g_free (self->key);
  g_free (self->digest);
  g_free (self);
}

typedef struct
{
  GPtrArray *parts;
  GBytes *salt;
} PenCliParts;

/* The names take part, so that equal values of two keys do not show. */
static void
pen_cli_parts_add (const char *group, const char *key, const char *text, gpointer user_data)
{
  PenCliParts *self = user_data;
  gsize length = 0;
  const guchar *salt = g_bytes_get_data (self->salt, &length);
  GHmac *hmac = g_hmac_new (G_CHECKSUM_SHA256, salt, length);
  g_autofree char *digest = NULL;

  if (key == NULL)
    key = "";
  /* with their final NULs, which no text holds */
  g_hmac_update (hmac, (const guchar *) group, (gssize) strlen (group) + 1);
  g_hmac_update (hmac, (const guchar *) key, (gssize) strlen (key) + 1);
  g_hmac_update (hmac, (const guchar *) text, (gssize) strlen (text));
  digest = g_strndup (g_hmac_get_string (hmac), DIGEST_LENGTH);
  g_hmac_unref (hmac);
  g_ptr_array_add (self->parts, pen_cli_part_new (group, key, digest));
}

/* documented in the header */
GPtrArray *
pen_cli_parts_new (const PenDefinition *definition, GBytes *salt)
{
  PenCliParts parts = { g_ptr_array_new_with_free_func (pen_cli_part_free), salt };

  pen_definition_foreach_value (definition, pen_cli_parts_add, &parts);
  return parts.parts;
}

static void
pen_cli_record_put (PenJsonWriter *writer, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  pen_json_writer_key (writer, key);
  pen_json_writer_string (writer, valid, -1);
}

/* A path may be any bytes, JSON may not: it is a file's URI. */
static void
pen_cli_record_put_path (PenJsonWriter *writer, const char *path)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *uri = g_filename_to_uri (absolute, NULL /* host */, NULL);

  pen_json_writer_string (writer, uri != NULL ? uri : "", -1);
}

typedef struct
{
  PenJsonWriter *writer;
  GBytes *salt;
} PenCliRecordPipelines;

static void
pen_cli_record_put_pipeline (const PenDefinition *definition,
                             PenEngineState state,
                             gpointer user_data)
{
  static const char *const names[] = {
    [PEN_ENGINE_RUNNING] = "running",
    [PEN_ENGINE_STOPPING] = "stopping",
    [PEN_ENGINE_ENDED] = "ended",
    [PEN_ENGINE_FAILED] = "failed",
  };
  const PenCliRecordPipelines *self = user_data;
  g_autoptr (GPtrArray) parts = pen_cli_parts_new (definition, self->salt);

  pen_json_writer_begin_object (self->writer);
  pen_cli_record_put (self->writer, "name", pen_definition_get_name (definition));
  pen_json_writer_key (self->writer, "file");
  pen_cli_record_put_path (self->writer, pen_definition_get_path (definition));
  pen_cli_record_put (self->writer, "state", names[state]);
  pen_json_writer_key (self->writer, "parts");
  pen_json_writer_begin_array (self->writer);
  for (guint i = 0; i < parts->len; i++)
    {
      const PenCliPart *part = g_ptr_array_index (parts, i);

      pen_json_writer_string (self->writer, part->group, -1);
      pen_json_writer_string (self->writer, part->key, -1);
      pen_json_writer_string (self->writer, part->digest, -1);
    }
  pen_json_writer_end_array (self->writer);
  pen_json_writer_end_object (self->writer);
}

static char *
pen_cli_record_format_now (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  return g_date_time_format (now, "%Y-%m-%dT%H:%M:%S+00:00");
}

static void
pen_cli_record_put_head (PenCliRecord *self, PenJsonWriter *writer)
{
  /* processes in containers may have the same number */
  g_autofree char *namespace = g_file_read_link ("/proc/self/ns/pid", NULL);
  g_autofree char *salt = g_base64_encode (g_bytes_get_data (self->salt, NULL), SALT_BYTES);

  pen_json_writer_key (writer, "format");
  pen_json_writer_int64 (writer, PEN_CLI_RECORD_FORMAT);
  pen_cli_record_put (writer, "version", PACKAGE_VERSION);
  pen_json_writer_key (writer, "pid");
  pen_json_writer_int64 (writer, getpid ());
  pen_cli_record_put (writer, "namespace", namespace != NULL ? namespace : "");
  pen_cli_record_put (writer, "started", self->started);
  pen_json_writer_key (writer, "strict");
  pen_json_writer_boolean (writer, self->options.is_strict);
  pen_json_writer_key (writer, "watch");
  pen_json_writer_boolean (writer, self->options.watches);
  pen_cli_record_put (writer, "salt", salt);
  pen_json_writer_key (writer, "paths");
  pen_json_writer_begin_array (writer);
  for (guint i = 1; self->cli->arguments[i] != NULL; i++)
    pen_cli_record_put_path (writer, self->cli->arguments[i]);
  pen_json_writer_end_array (writer);
}

static GString *
pen_cli_record_format (PenCliRecord *self)
{
  GString *text = g_string_new (NULL);
  PenJsonWriter writer;
  PenCliRecordPipelines pipelines = { &writer, self->salt };

  pen_json_writer_init (&writer, text);
  pen_json_writer_begin_object (&writer);
  pen_cli_record_put_head (self, &writer);
  pen_json_writer_key (&writer, "pipelines");
  pen_json_writer_begin_array (&writer);
  pen_engine_foreach_pipeline (self->engine, pen_cli_record_put_pipeline, &pipelines);
  pen_json_writer_end_array (&writer);
  pen_json_writer_end_object (&writer);
  g_string_append_c (text, '\n');
  return text;
}

/* FALSE with errno set */
static gboolean
pen_cli_record_write_all (int fd, const GString *text)
{
  gsize n_written = 0;

  while (n_written < text->len)
    {
      gssize result = write (fd, text->str + n_written, text->len - n_written);

      if (result < 0 && errno != EINTR)
        return FALSE;
      n_written += result > 0 ? (gsize) result : 0;
    }
  return TRUE;
}

/* A new file in place of the one before. FALSE with errno set. */
static gboolean
pen_cli_record_replace (PenCliRecord *self, const GString *text)
{
  int fd;
  int code;

  if (g_mkdir_with_parents (self->folder, 0700) != 0)
    return FALSE;
  g_unlink (self->temporary);
  fd = open (self->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return FALSE;
  if (flock (fd, LOCK_EX | LOCK_NB) != 0 || !pen_cli_record_write_all (fd, text)
      || g_rename (self->temporary, self->path) != 0)
    {
      code = errno;
      close (fd);
      g_unlink (self->temporary);
      errno = code;
      return FALSE;
    }
  if (self->fd >= 0)
    close (self->fd);
  self->fd = fd;
  return TRUE;
}

static void
pen_cli_record_remove (PenCliRecord *self)
{
  if (self->fd < 0)
    return;
  g_unlink (self->path);
  close (self->fd);
  self->fd = -1;
}

/* documented in the header */
void
pen_cli_record_write (PenCliRecord *self)
{
  gint64 begun_us = g_get_monotonic_time ();
  g_autoptr (GString) text = pen_cli_record_format (self);
  int code;

  g_clear_handle_id (&self->timer, g_source_remove);
  if (pen_cli_record_replace (self, text))
    {
      self->took_us = g_get_monotonic_time () - begun_us;
      self->has_told = FALSE;
      return;
    }
  code = errno;
  /* rather none than one that is no longer true */
  pen_cli_record_remove (self);
  if (!self->has_told)
    g_info ("'penstock plan' will not see this process: '%s' cannot be written: %s; a folder that "
            "can be is named by --state-dir",
            self->path, g_strerror (code));
  self->has_told = TRUE;
}

static gboolean
pen_cli_record_on_timer (gpointer user_data)
{
  PenCliRecord *self = user_data;

  self->timer = 0;
  pen_cli_record_write (self);
  return G_SOURCE_REMOVE;
}

static void
pen_cli_record_on_ended (PenEngine *engine, gpointer user_data)
{
  PenCliRecord *self = user_data;
  gint64 linger_ms = MAX (LINGER_MS, self->took_us * LINGER_SHARE / G_TIME_SPAN_MILLISECOND);

  if (self->timer == 0)
    self->timer = g_timeout_add ((guint) linger_ms, pen_cli_record_on_timer, self);
}

/* Whether the process that wrote @path is gone. */
static gboolean
pen_cli_record_is_stale (const char *path)
{
  gboolean is_temporary = g_str_has_suffix (path, PEN_CLI_RECORD_TEMPORARY_SUFFIX);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  gboolean is_stale;

  if (fd < 0)
    return FALSE;
  is_stale = fstat (fd, &status) == 0 && S_ISREG (status.st_mode)
             && (!is_temporary
                 || g_get_real_time () / G_USEC_PER_SEC - status.st_mtime > TEMPORARY_SECONDS)
             && flock (fd, LOCK_SH | LOCK_NB) == 0;
  close (fd);
  return is_stale;
}

static void
pen_cli_record_sweep (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if ((g_str_has_suffix (name, PEN_CLI_RECORD_SUFFIX)
           || g_str_has_suffix (name, PEN_CLI_RECORD_TEMPORARY_SUFFIX))
          && pen_cli_record_is_stale (path))
        g_unlink (path);
    }
}

static GBytes *
pen_cli_record_make_salt (void)
{
  guint8 *salt = g_malloc (SALT_BYTES);

  /* up to 256 bytes come at once or not at all (getrandom(2)) */
  if (getrandom (salt, SALT_BYTES, 0) != SALT_BYTES)
    for (guint i = 0; i < SALT_BYTES; i++)
      salt[i] = (guint8) g_random_int ();
  return g_bytes_new_take (salt, SALT_BYTES);
}

/*
 * pen_cli_record_new:
 * @cli: the call of 'penstock run', whose arguments are its paths
 * @state_folder: where to keep it
 * @engine: what is told
 * @options: how it was called
 *
 * Sweeps away what processes left that are gone. Nothing is written before
 * pen_cli_record_write ().
 *
 * Returns: (transfer full): the record
 */
PenCliRecord *
pen_cli_record_new (const PenCli *cli,
                    const char *state_folder,
                    PenEngine *engine,
                    const PenCliRecordOptions *options)
{
  PenCliRecord *self = g_new0 (PenCliRecord, 1);

  self->cli = cli;
  self->engine = g_object_ref (engine);
  self->options = *options;
  self->salt = pen_cli_record_make_salt ();
  self->started = pen_cli_record_format_now ();
  self->fd = -1;
  self->folder = g_build_filename (state_folder, PEN_CLI_RECORD_FOLDER, NULL);
  /* another container's process with our number may have the same folder */
  self->path = g_strdup_printf ("%s/%d-%08x" PEN_CLI_RECORD_SUFFIX, self->folder, (int) getpid (),
                                g_random_int ());
  self->temporary = g_strconcat (self->path, PEN_CLI_RECORD_TEMPORARY_SUFFIX, NULL);
  pen_cli_record_sweep (self->folder);
  self->handler
      = g_signal_connect (engine, "pipeline-ended", G_CALLBACK (pen_cli_record_on_ended), self);
  return self;
}

/* documented in the header */
void
pen_cli_record_free (PenCliRecord *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_signal_handler_disconnect (self->engine, self->handler);
  pen_cli_record_remove (self);
  g_object_unref (self->engine);
  g_bytes_unref (self->salt);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->temporary);
  g_free (self->started);
  g_free (self);
}
