/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Appends events to files, one line each. The path may depend on the event; what a batch has for
 * one file is written together, in its order, and no more files than max-open-files are open at a
 * time.
 *
 * An event is accepted when its line is whole in the file, and, with fsync=batch, on the disk. The
 * files of a batch are independent: one that cannot be written does not hold up the others.
 */

#include "config.h"

#include "pen-file-sink.h"

#include "pen-file-set.h"
#include "pen-file-template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum
{
  PEN_FILE_SYNC_NEVER,
  PEN_FILE_SYNC_BATCH,
  PEN_FILE_SYNC_INTERVAL,
} PenFileSync;

typedef enum
{
  PEN_FILE_COMPRESS_NONE,
  PEN_FILE_COMPRESS_GZIP,
} PenFileCompress;

#define DEFAULT_FORMAT PEN_LINE_FORMAT_LINES
#define DEFAULT_MODE "0640"
#define DEFAULT_LOCAL_TIME FALSE
#define DEFAULT_MAX_OPEN_FILES 64
#define LARGEST_MAX_OPEN_FILES 4096
#define DEFAULT_FSYNC PEN_FILE_SYNC_BATCH
#define DEFAULT_FSYNC_INTERVAL_US (1 * G_USEC_PER_SEC)
#define LEAST_FSYNC_INTERVAL_US (10 * G_TIME_SPAN_MILLISECOND)
#define DEFAULT_ROTATE_SIZE 0
#define DEFAULT_ROTATE_INTERVAL_US 0
#define DEFAULT_COMPRESS PEN_FILE_COMPRESS_NONE
#define DEFAULT_KEEP 0
#define LARGEST_KEEP 1000000
#define LARGEST_INTERVAL_US (366 * G_TIME_SPAN_DAY)
/* How often it is looked whether the time of a file that nothing is written to is over. */
#define LONGEST_ROTATION_DELAY_US (10 * G_USEC_PER_SEC)

struct _PenFileSink
{
  PenSink parent_instance;

  /* constant after start */
  char *path;
  PenLineFormat format;
  char *mode;
  gboolean local_time;
  guint max_open_files;
  PenFileSync fsync;
  gint64 fsync_interval_us;
  guint64 rotate_size;
  gint64 rotate_interval_us;
  PenFileCompress compress;
  guint keep;

  gboolean is_on_lane; /* it was asked whether it blocks, and does not */

  /* lane, or worker if it blocks */
  PenFileTemplate *template;
  PenFileSet *files;
  PenLines *lines;
};

enum
{
  PROP_0,
  PROP_PATH,
  PROP_FORMAT,
  PROP_MODE,
  PROP_LOCAL_TIME,
  PROP_MAX_OPEN_FILES,
  PROP_FSYNC,
  PROP_FSYNC_INTERVAL,
  PROP_ROTATE_SIZE,
  PROP_ROTATE_INTERVAL,
  PROP_COMPRESS,
  PROP_KEEP,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenFileSink, pen_file_sink, PEN_TYPE_SINK)

static GType
pen_file_sync_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_FILE_SYNC_NEVER, "PEN_FILE_SYNC_NEVER", "never" },
    { PEN_FILE_SYNC_BATCH, "PEN_FILE_SYNC_BATCH", "batch" },
    { PEN_FILE_SYNC_INTERVAL, "PEN_FILE_SYNC_INTERVAL", "interval" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenFileSync", values));
  return type;
}

static GType
pen_file_compress_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_FILE_COMPRESS_NONE, "PEN_FILE_COMPRESS_NONE", "none" },
    { PEN_FILE_COMPRESS_GZIP, "PEN_FILE_COMPRESS_GZIP", "gzip" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenFileCompress", values));
  return type;
}

static gboolean
pen_file_sink_parse_mode (const char *text, mode_t *mode)
{
  guint64 value;

  if (text == NULL || strlen (text) > 4
      || !g_ascii_string_to_unsigned (text, 8, 0, 0777, &value, NULL))
    return FALSE;
  *mode = (mode_t) value;
  return (value & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR);
}

/* --- Writing --- */

/* The events of a batch that go to one file. */
typedef struct
{
  char *path;
  GArray *indices; /* of guint, into the batch */
  guint next;      /* first that was neither laid out nor rejected */
} PenFileGroup;

static void
pen_file_group_free (gpointer data)
{
  PenFileGroup *group = data;

  g_free (group->path);
  g_array_unref (group->indices);
  g_free (group);
}

static PenFileGroup *
pen_file_group_new (const char *path, guint n_events)
{
  PenFileGroup *group = g_new0 (PenFileGroup, 1);

  group->path = g_strdup (path);
  group->indices = g_array_sized_new (FALSE, FALSE, sizeof (guint), n_events);
  return group;
}

/* The group of @path, made if need be; the table is of those that there are, from the second on:
 * mostly there is one. */
static PenFileGroup *
pen_file_sink_find_group (GPtrArray *groups, GHashTable **by_path, const char *path, guint n_events)
{
  PenFileGroup *group = NULL;

  if (*by_path == NULL && groups->len > 0)
    {
      *by_path = g_hash_table_new (g_str_hash, g_str_equal);
      group = g_ptr_array_index (groups, 0);
      g_hash_table_insert (*by_path, group->path, group);
    }
  group = *by_path != NULL ? g_hash_table_lookup (*by_path, path) : NULL;
  if (group != NULL)
    return group;
  group = pen_file_group_new (path, groups->len == 0 ? n_events : 0);
  g_ptr_array_add (groups, group);
  if (*by_path != NULL)
    g_hash_table_insert (*by_path, group->path, group);
  return group;
}

static GPtrArray *
pen_file_sink_group (PenFileSink *self, PenBatch *batch)
{
  g_autoptr (GHashTable) by_path = NULL;
  GPtrArray *groups = g_ptr_array_new_with_free_func (pen_file_group_free);
  const char *pipeline = pen_element_get_pipeline_name (PEN_ELEMENT (self));
  PenFileGroup *group = NULL;

  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      PenEvent *event = pen_batch_get_event (batch, i);
      const char *path;

      if (!pen_batch_is_open (batch, i))
        continue;
      path = pen_file_template_expand (self->template, pipeline, pen_event_get_topic (event),
                                       pen_event_get_arrival (event));
      if (group == NULL || !g_str_equal (group->path, path))
        group = pen_file_sink_find_group (groups, &by_path, path, pen_batch_get_n_events (batch));
      g_array_append_val (group->indices, i);
    }
  return groups;
}

/* Lays out as many events of @group as the file takes before it is rotated: none if it is full. */
static void
pen_file_sink_lay_out (PenFileSink *self,
                       PenFileGroup *group,
                       PenFileTarget *target,
                       PenBatch *batch,
                       gboolean is_bounded)
{
  guint64 size = pen_file_target_get_size (target);

  pen_lines_clear (self->lines);
  for (; group->next < group->indices->len; group->next++)
    {
      guint index = g_array_index (group->indices, guint, group->next);
      PenEvent *event = pen_batch_get_event (batch, index);
      guint64 size_before = size + pen_lines_get_n_bytes (self->lines);
      gsize length = g_bytes_get_size (pen_event_get_payload (event)) + 1;

      if (pen_file_target_has_written (target, event))
        pen_batch_accept (batch, index);
      else if (is_bounded && size_before > 0 && size_before + length > self->rotate_size)
        break;
      else
        pen_lines_append (self->lines, batch, index);
    }
}

/* Writes what was laid out, and accepts what is safe where it was promised to be. */
static gboolean
pen_file_sink_write_lines (PenFileSink *self,
                           PenFileTarget *target,
                           PenBatch *batch,
                           gint64 now_us,
                           GError **error)
{
  g_autoptr (GError) sync_error = NULL;
  guint n_written = 0;
  gboolean is_good = pen_file_target_write (target, self->lines, batch, now_us, &n_written, error);

  if (self->fsync == PEN_FILE_SYNC_BATCH && !pen_file_target_sync (target, &sync_error))
    {
      pen_file_target_undo (target);
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&sync_error));
      return FALSE;
    }
  for (guint i = 0; i < n_written; i++)
    pen_batch_accept (batch, pen_lines_get_index (self->lines, i));
  return is_good;
}

/* One round of a group: up to the file's end, or the group's. */
static gboolean
pen_file_sink_write_round (PenFileSink *self,
                           PenFileGroup *group,
                           PenBatch *batch,
                           gint64 now_us,
                           GError **error)
{
  PenFileTarget *target = pen_file_set_get (self->files, group->path, now_us, error);
  gboolean is_bounded
      = target != NULL && self->rotate_size > 0 && pen_file_target_is_regular (target);
  gboolean is_good = target != NULL && pen_file_target_begin (target, error);

  if (is_good)
    {
      pen_file_sink_lay_out (self, group, target, batch, is_bounded);
      is_good = pen_file_sink_write_lines (self, target, batch, now_us, error);
    }
  if (is_good && group->next < group->indices->len
      && !pen_file_set_rotate (self->files, target, now_us))
    {
      pen_file_sink_lay_out (self, group, target, batch, FALSE /* is_bounded */);
      is_good = pen_file_sink_write_lines (self, target, batch, now_us, error);
    }
  /* it is gone if it was rotated */
  target = is_good ? NULL : pen_file_set_peek (self->files, group->path);
  if (target != NULL && pen_file_target_is_broken (target))
    pen_file_set_close (self->files, target);
  return is_good;
}

static gboolean
pen_file_sink_write_group (PenFileSink *self,
                           PenFileGroup *group,
                           PenBatch *batch,
                           gint64 now_us,
                           GError **error)
{
  g_autoptr (GError) cause = NULL;
  gboolean is_good = TRUE;

  while (is_good && group->next < group->indices->len)
    is_good = pen_file_sink_write_round (self, group, batch, now_us, &cause);
  if (is_good)
    return TRUE;
  if (!g_error_matches (cause, PEN_ELEMENT_ERROR, PEN_ELEMENT_ERROR_REJECT))
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  for (guint i = 0; i < group->indices->len; i++)
    {
      guint index = g_array_index (group->indices, guint, i);

      if (pen_batch_is_open (batch, index))
        pen_batch_reject (batch, index, pen_element_error_get_reason (cause), "%s", cause->message);
    }
  return TRUE;
}

static gboolean
pen_file_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  PenFileSink *self = PEN_FILE_SINK (sink);
  g_autoptr (GPtrArray) groups = pen_file_sink_group (self, batch);
  gint64 now_us = pen_element_get_real_time (PEN_ELEMENT (self));
  gboolean is_good = TRUE;

  for (guint i = 0; i < groups->len; i++)
    if (!pen_file_sink_write_group (self, g_ptr_array_index (groups, i), batch, now_us,
                                    is_good ? error : NULL))
      is_good = FALSE;
  pen_lines_clear (self->lines);
  return is_good;
}

static gboolean
pen_file_sink_flush (PenSink *sink, GError **error)
{
  PenFileSink *self = PEN_FILE_SINK (sink);
  gboolean is_good
      = self->fsync != PEN_FILE_SYNC_INTERVAL || pen_file_set_sync (self->files, error);

  pen_file_set_rotate_old (self->files, pen_element_get_real_time (PEN_ELEMENT (self)));
  return is_good;
}

static gboolean
pen_file_sink_blocks (PenSink *sink)
{
  PenFileSink *self = PEN_FILE_SINK (sink);
  struct stat status;

  self->is_on_lane
      = self->fsync == PEN_FILE_SYNC_NEVER
        && (self->path == NULL || stat (self->path, &status) != 0 || S_ISREG (status.st_mode));
  return !self->is_on_lane;
}

/* --- Life --- */

static void
pen_file_sink_choose_flush_interval (PenFileSink *self)
{
  gint64 interval_us = self->fsync == PEN_FILE_SYNC_INTERVAL ? self->fsync_interval_us : 0;

  if (self->rotate_interval_us > 0)
    {
      gint64 delay_us = MIN (self->rotate_interval_us, LONGEST_ROTATION_DELAY_US);

      interval_us = interval_us > 0 ? MIN (interval_us, delay_us) : delay_us;
    }
  pen_sink_set_flush_interval (PEN_SINK (self), interval_us);
}

static void
pen_file_sink_release (PenFileSink *self)
{
  g_clear_pointer (&self->files, pen_file_set_free);
  g_clear_pointer (&self->lines, pen_lines_free);
  g_clear_pointer (&self->template, pen_file_template_free);
}

static gboolean
pen_file_sink_prepare (PenFileSink *self, GError **error)
{
  PenFileSetOptions options = {
    .file = { .format = self->format,
              .is_durable = self->fsync != PEN_FILE_SYNC_NEVER,
              .may_wait = !self->is_on_lane },
    .max_open_files = self->max_open_files,
    .sync_on_close = self->fsync == PEN_FILE_SYNC_INTERVAL,
    .rotate_interval_us = self->rotate_interval_us,
    .local_time = self->local_time,
    .compress = self->compress == PEN_FILE_COMPRESS_GZIP,
    .keep = self->keep,
  };

  if (self->path == NULL || !pen_file_sink_parse_mode (self->mode, &options.file.mode))
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration",
                             "path and mode must be set, mode like '%s'", DEFAULT_MODE);
      return FALSE;
    }
  self->template = pen_file_template_new (self->path, self->local_time, error);
  self->files = pen_file_set_new (PEN_ELEMENT (self), &options);
  self->lines = pen_lines_new (self->format);
  return self->template != NULL;
}

/* What is wrong with the only file there is, is better told now than with the first event. */
static gboolean
pen_file_sink_open_only_file (PenFileSink *self, GError **error)
{
  PenElement *element = PEN_ELEMENT (self);
  gint64 now_us = pen_element_get_real_time (element);
  const char *path;

  if (!pen_file_template_is_constant (self->template))
    return TRUE;
  path = pen_file_template_expand (self->template, pen_element_get_pipeline_name (element),
                                   NULL /* topic */, now_us);
  if (pen_file_set_get (self->files, path, now_us, error) == NULL)
    return FALSE;
  pen_file_set_tidy (self->files, path);
  return TRUE;
}

static gboolean
pen_file_sink_start (PenElement *element, GError **error)
{
  PenFileSink *self = PEN_FILE_SINK (element);

  pen_file_sink_choose_flush_interval (self);
  if (pen_file_sink_prepare (self, error) && pen_file_sink_open_only_file (self, error))
    return TRUE;
  pen_file_sink_release (self);
  return FALSE;
}

static void
pen_file_sink_stop (PenElement *element)
{
  pen_file_sink_release (PEN_FILE_SINK (element));
}

static void
pen_file_sink_check_combinations (PenFileSink *self, PenCheck *check)
{
  gboolean rotates = self->rotate_size > 0 || self->rotate_interval_us > 0;

  if (!rotates && pen_check_is_set (check, "compress"))
    pen_check_warning (check, "compress",
                       "only rotated files are compressed; set rotate-size or rotate-interval");
  if (!rotates && pen_check_is_set (check, "keep"))
    pen_check_warning (check, "keep",
                       "only rotated files are removed; set rotate-size or rotate-interval");
  if (self->fsync != PEN_FILE_SYNC_INTERVAL && pen_check_is_set (check, "fsync-interval"))
    pen_check_warning (check, "fsync-interval", "has no effect without fsync=interval");
}

static void
pen_file_sink_check_environment (PenFileSink *self, PenFileTemplate *template, PenCheck *check)
{
  g_autofree char *folder = pen_file_template_get_folder (template);
  struct stat status;

  if (stat (self->path, &status) < 0)
    pen_check_output_folder (check, "path", folder);
  else if (S_ISDIR (status.st_mode))
    pen_check_error (check, "path", "'%s' is a folder; name a file in it", self->path);
  else if (access (self->path, W_OK) < 0)
    pen_check_error (check, "path", "cannot write to '%s': %s", self->path, g_strerror (errno));
}

/* The file that @path leads to, be it written with links or with "..". */
static char *
pen_file_sink_resolve (const char *path, gboolean wants_environment)
{
  g_autofree char *canonical = g_canonicalize_filename (path, NULL);
  g_autofree char *folder = g_path_get_dirname (canonical);
  g_autofree char *name = g_path_get_basename (canonical);
  g_autofree char *real = wants_environment ? realpath (canonical, NULL) : NULL;
  g_autofree char *real_folder = wants_environment ? realpath (folder, NULL) : NULL;

  if (real != NULL)
    return g_steal_pointer (&real);
  return real_folder != NULL ? g_build_filename (real_folder, name, NULL)
                             : g_steal_pointer (&canonical);
}

/* What is filled in for each event is the same for both, but for the pipeline's name. */
static void
pen_file_sink_claim (PenFileSink *self, PenCheck *check)
{
  const char *pipeline = pen_element_get_pipeline_name (PEN_ELEMENT (self));
  g_autoptr (GString) path = g_string_new (self->path);
  g_autofree char *file = NULL;
  struct stat status;

  if (pen_check_wants_environment (check) && stat (self->path, &status) == 0
      && S_ISCHR (status.st_mode))
    return; /* /dev/null and the like have room for all */
  if (pipeline != NULL)
    g_string_replace (path, "{pipeline}", pipeline, 0 /* all */);
  file = pen_file_sink_resolve (path->str, pen_check_wants_environment (check));
  pen_check_claim (check, "path", "their lines and their rotation would get mixed up", "file '%s'",
                   file);
}

static void
pen_file_sink_check (PenElement *element, PenCheck *check)
{
  PenFileSink *self = PEN_FILE_SINK (element);
  g_autoptr (PenFileTemplate) template = NULL;
  g_autoptr (GError) error = NULL;
  mode_t mode;

  pen_file_sink_check_combinations (self, check);
  if (!pen_file_sink_parse_mode (self->mode, &mode))
    pen_check_error (check, "mode",
                     "'%s' is not a file's mode: octal, at most 0777, and its owner must be able "
                     "to read and write, for example %s",
                     self->mode != NULL ? self->mode : "", DEFAULT_MODE);
  if (self->path == NULL || *self->path == '\0')
    return;
  if (g_str_equal (self->path, "-"))
    {
      pen_check_error (check, "path", "standard output is [sink stdout], not a file called '-'");
      return;
    }
  if (g_str_has_suffix (self->path, "/"))
    {
      pen_check_error (check, "path", "'%s' is a folder; name a file in it", self->path);
      return;
    }
  template = pen_file_template_new (self->path, self->local_time, &error);
  if (template == NULL)
    pen_check_error (check, "path", "%s", error->message);
  else if (pen_check_wants_environment (check))
    pen_file_sink_check_environment (self, template, check);
  pen_file_sink_claim (self, check);
}

static void
pen_file_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenFileSink *self = PEN_FILE_SINK (object);

  switch (id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, (gint) self->format);
      break;
    case PROP_MODE:
      g_value_set_string (value, self->mode);
      break;
    case PROP_LOCAL_TIME:
      g_value_set_boolean (value, self->local_time);
      break;
    case PROP_MAX_OPEN_FILES:
      g_value_set_uint (value, self->max_open_files);
      break;
    case PROP_FSYNC:
      g_value_set_enum (value, (gint) self->fsync);
      break;
    case PROP_FSYNC_INTERVAL:
      g_value_set_int64 (value, self->fsync_interval_us);
      break;
    case PROP_ROTATE_SIZE:
      g_value_set_uint64 (value, self->rotate_size);
      break;
    case PROP_ROTATE_INTERVAL:
      g_value_set_int64 (value, self->rotate_interval_us);
      break;
    case PROP_COMPRESS:
      g_value_set_enum (value, (gint) self->compress);
      break;
    case PROP_KEEP:
      g_value_set_uint (value, self->keep);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_file_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenFileSink *self = PEN_FILE_SINK (object);

  switch (id)
    {
    case PROP_PATH:
      g_free (self->path);
      self->path = g_value_dup_string (value);
      break;
    case PROP_FORMAT:
      self->format = (PenLineFormat) g_value_get_enum (value);
      break;
    case PROP_MODE:
      g_free (self->mode);
      self->mode = g_value_dup_string (value);
      break;
    case PROP_LOCAL_TIME:
      self->local_time = g_value_get_boolean (value);
      break;
    case PROP_MAX_OPEN_FILES:
      self->max_open_files = g_value_get_uint (value);
      break;
    case PROP_FSYNC:
      self->fsync = (PenFileSync) g_value_get_enum (value);
      break;
    case PROP_FSYNC_INTERVAL:
      self->fsync_interval_us = g_value_get_int64 (value);
      break;
    case PROP_ROTATE_SIZE:
      self->rotate_size = g_value_get_uint64 (value);
      break;
    case PROP_ROTATE_INTERVAL:
      self->rotate_interval_us = g_value_get_int64 (value);
      break;
    case PROP_COMPRESS:
      self->compress = (PenFileCompress) g_value_get_enum (value);
      break;
    case PROP_KEEP:
      self->keep = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_file_sink_finalize (GObject *object)
{
  PenFileSink *self = PEN_FILE_SINK (object);

  pen_file_sink_release (self);
  g_free (self->path);
  g_free (self->mode);
  G_OBJECT_CLASS (pen_file_sink_parent_class)->finalize (object);
}

static void
pen_file_sink_install_path_properties (void)
{
  properties[PROP_PATH] = g_param_spec_string (
      "path", NULL,
      "File to append to; {topic}, {pipeline} and {time:%Y-%m-%d} are filled for each event", NULL,
      PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED | PEN_PARAM_PATH);
  properties[PROP_FORMAT] = g_param_spec_enum (
      "format", NULL,
      "How an event is written: on one line, raw (bytes as they are, nothing between them) or "
      "pretty (JSON indented)",
      PEN_TYPE_LINE_FORMAT, (gint) DEFAULT_FORMAT, PEN_PARAM_DEFAULTS);
  properties[PROP_MODE] = g_param_spec_string (
      "mode", NULL, "Permissions of a new file, octal; the umask is not applied", DEFAULT_MODE,
      PEN_PARAM_DEFAULTS);
  properties[PROP_LOCAL_TIME] = g_param_spec_boolean (
      "local-time", NULL,
      "Whether {time:…} and the days of rotate-interval are of the local time zone instead of UTC",
      DEFAULT_LOCAL_TIME, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_OPEN_FILES] = g_param_spec_uint (
      "max-open-files", NULL,
      "Files kept open at a time; the one that was not used for the longest is closed", 1,
      LARGEST_MAX_OPEN_FILES, DEFAULT_MAX_OPEN_FILES, PEN_PARAM_DEFAULTS);
}

static void
pen_file_sink_install_disk_properties (void)
{
  properties[PROP_FSYNC] = g_param_spec_enum (
      "fsync", NULL,
      "When what was written is forced to the disk: after each batch and before it is "
      "acknowledged, in an interval, or never (left to the system)",
      pen_file_sync_get_type (), (gint) DEFAULT_FSYNC, PEN_PARAM_DEFAULTS);
  properties[PROP_FSYNC_INTERVAL] = pen_param_spec_duration (
      "fsync-interval", "Time between two syncs with fsync=interval", LEAST_FSYNC_INTERVAL_US,
      LARGEST_INTERVAL_US, DEFAULT_FSYNC_INTERVAL_US, PEN_PARAM_DEFAULTS);
  properties[PROP_ROTATE_SIZE] = pen_param_spec_size (
      "rotate-size", "Size that a file does not exceed before it is rotated; 0B: no limit", 0,
      G_MAXINT64, DEFAULT_ROTATE_SIZE, PEN_PARAM_DEFAULTS);
  properties[PROP_ROTATE_INTERVAL] = pen_param_spec_duration (
      "rotate-interval", "Time after which a file is rotated, counted from midnight; 0s: never", 0,
      LARGEST_INTERVAL_US, DEFAULT_ROTATE_INTERVAL_US, PEN_PARAM_DEFAULTS);
  properties[PROP_COMPRESS] = g_param_spec_enum (
      "compress", NULL, "How rotated files are compressed: none or gzip",
      pen_file_compress_get_type (), (gint) DEFAULT_COMPRESS, PEN_PARAM_DEFAULTS);
  properties[PROP_KEEP] = g_param_spec_uint (
      "keep", NULL, "Rotated files of one path that are kept, the newest; 0: all", 0, LARGEST_KEEP,
      DEFAULT_KEEP, PEN_PARAM_DEFAULTS);
}

static void
pen_file_sink_class_init (PenFileSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSinkClass *sink_class = PEN_SINK_CLASS (class);

  object_class->get_property = pen_file_sink_get_property;
  object_class->set_property = pen_file_sink_set_property;
  object_class->finalize = pen_file_sink_finalize;
  element_class->check = pen_file_sink_check;
  element_class->start = pen_file_sink_start;
  element_class->stop = pen_file_sink_stop;
  sink_class->write = pen_file_sink_write;
  sink_class->flush = pen_file_sink_flush;
  sink_class->blocks = pen_file_sink_blocks;

  pen_file_sink_install_path_properties ();
  pen_file_sink_install_disk_properties ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_file_sink_init (PenFileSink *self)
{
  self->format = DEFAULT_FORMAT;
  self->mode = g_strdup (DEFAULT_MODE);
  self->local_time = DEFAULT_LOCAL_TIME;
  self->max_open_files = DEFAULT_MAX_OPEN_FILES;
  self->fsync = DEFAULT_FSYNC;
  self->fsync_interval_us = DEFAULT_FSYNC_INTERVAL_US;
  self->rotate_size = DEFAULT_ROTATE_SIZE;
  self->rotate_interval_us = DEFAULT_ROTATE_INTERVAL_US;
  self->compress = DEFAULT_COMPRESS;
  self->keep = DEFAULT_KEEP;
}

PEN_PLUGIN_DEFINE ("file",
                   "Appends events to files, with rotation",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sinks/file/README.md",
                   pen_file_sink_get_type)
