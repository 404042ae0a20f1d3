/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads events from a file: one a line, or dead letters to be played again. It ends with the file,
 * or follows it as `tail -F` does.
 *
 * One round of the lane reads one piece and hands on its lines, so that a huge file leaves the lane
 * to others in between; a pause takes effect between two lines, and what was read waits in the
 * splitter. Descriptors that can be polled (pipes, terminals) are read when they say so, the others
 * by a timer that runs out at once.
 */

#include "config.h"

#include "pen-file-source.h"

#include "pen-file-letter.h"
#include "pen-file-reader.h"
#include "pen-file-splitter.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum
{
  PEN_FILE_FORMAT_LINES,
  PEN_FILE_FORMAT_DEAD_LETTERS,
} PenFileFormat;

typedef enum
{
  PEN_FILE_START_BEGINNING,
  PEN_FILE_START_END,
} PenFileStart;

#define DEFAULT_FORMAT PEN_FILE_FORMAT_LINES
#define DEFAULT_FOLLOW FALSE
#define DEFAULT_START_AT PEN_FILE_START_BEGINNING
#define DEFAULT_POLL_INTERVAL_US (1 * G_USEC_PER_SEC)
#define LEAST_POLL_INTERVAL_US (10 * G_TIME_SPAN_MILLISECOND)
#define LARGEST_POLL_INTERVAL_US (1 * G_TIME_SPAN_HOUR)
#define DEFAULT_MAX_LINE (G_GUINT64_CONSTANT (1) << 20)
#define LARGEST_MAX_LINE (G_GUINT64_CONSTANT (256) << 20)
/* A letter may hold its message twice (payload, stage_payload), each byte of it as \u001f, and its
 * own members besides. */
#define LETTER_FACTOR 12
#define LETTER_EXTRA_BYTES (256 * 1024)
/* Lines handed on in one round. */
#define LINES_A_ROUND 2000

struct _PenFileSource
{
  PenSource parent_instance;

  /* constant after start */
  char *path;
  PenFileFormat format;
  gboolean follow;
  PenFileStart start_at;
  gint64 poll_interval_us;
  char *topic;
  guint64 max_line;

  /* lane */
  PenFileReader *reader; /* NULL: waits for the file to appear */
  PenFileSplitter *splitter;
  guint timer;
  gboolean is_at_end;   /* nothing more comes behind what the splitter holds */
  gboolean is_replaced; /* another file has the path: one more look at this one, then on to that */
  gboolean is_over;
  /* the message that was played last: the event itself would keep it from being settled */
  GBytes *last_payload;
  char *last_topic;
  gint64 last_arrival_us;
};

enum
{
  PROP_0,
  PROP_PATH,
  PROP_FORMAT,
  PROP_FOLLOW,
  PROP_START_AT,
  PROP_POLL_INTERVAL,
  PROP_TOPIC,
  PROP_MAX_LINE,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenFileSource, pen_file_source, PEN_TYPE_SOURCE)

static GType
pen_file_format_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_FILE_FORMAT_LINES, "PEN_FILE_FORMAT_LINES", "lines" },
    { PEN_FILE_FORMAT_DEAD_LETTERS, "PEN_FILE_FORMAT_DEAD_LETTERS", "dead-letters" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenFileFormat", values));
  return type;
}

static GType
pen_file_start_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_FILE_START_BEGINNING, "PEN_FILE_START_BEGINNING", "beginning" },
    { PEN_FILE_START_END, "PEN_FILE_START_END", "end" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenFileStart", values));
  return type;
}

/* --- Lines --- */

static void
pen_file_source_reject_too_large (PenFileSource *self, const PenFileLine *line, PenEvent *event)
{
  g_autofree char *limit = pen_size_format (self->max_line);

  pen_event_set_full_size (event, line->full_length);
  pen_source_reject (PEN_SOURCE (self), event, "too_large",
                     "line %" G_GUINT64_FORMAT " of '%s' has %" G_GUINT64_FORMAT
                     " bytes, more than max-line (%s) allows",
                     line->number, self->path, line->full_length, limit);
}

/* Whether the message of @event was the last one that was played; it is from now on. */
static gboolean
pen_file_source_has_just_played (PenFileSource *self, const PenEvent *event)
{
  GBytes *payload = pen_event_get_payload (event);
  const char *topic = pen_event_get_topic (event);
  gint64 arrival_us = pen_event_get_arrival (event);

  if (self->last_payload != NULL && self->last_arrival_us == arrival_us
      && g_strcmp0 (self->last_topic, topic) == 0 && g_bytes_equal (self->last_payload, payload))
    return TRUE;
  g_clear_pointer (&self->last_payload, g_bytes_unref);
  self->last_payload = g_bytes_ref (payload);
  g_free (self->last_topic);
  self->last_topic = g_strdup (topic);
  self->last_arrival_us = arrival_us;
  return FALSE;
}

/* Of a message with several skipped parts there are as many letters, one behind the other: it is
 * played with the first. Only a letter that says that it is about a further part is left out; two
 * equal messages at one time are two. */
static void
pen_file_source_push_letter (PenFileSource *self, const PenFileLine *line, PenEvent *event)
{
  g_autoptr (GError) error = NULL;
  guint part = 0;
  PenEvent *played
      = pen_file_letter_read (pen_event_get_payload (event), self->max_line, self->topic,
                              pen_event_get_arrival (event), &part, &error);

  if (played == NULL)
    {
      pen_source_reject (PEN_SOURCE (self), event, pen_element_error_get_reason (error),
                         "line %" G_GUINT64_FORMAT " of '%s': %s", line->number, self->path,
                         error->message);
      return;
    }
  pen_event_unref (event);
  if (pen_file_source_has_just_played (self, played) && part > 1)
    {
      pen_element_count (PEN_ELEMENT (self), "letters_joined", NULL, 1);
      pen_event_unref (played);
      return;
    }
  pen_source_push (PEN_SOURCE (self), played);
}

static void
pen_file_source_push_line (PenFileSource *self, const PenFileLine *line, gint64 now_us)
{
  g_autoptr (GBytes) payload = g_bytes_new (line->text, line->length);
  PenEvent *event = pen_event_new (payload, self->topic, now_us);

  if (line->is_too_large)
    pen_file_source_reject_too_large (self, line, event);
  else if (self->format == PEN_FILE_FORMAT_DEAD_LETTERS)
    pen_file_source_push_letter (self, line, event);
  else
    pen_source_push (PEN_SOURCE (self), event);
}

/* --- Rounds --- */

/* A round asks for the next one. */
static void pen_file_source_on_timer (PenElement *element, gpointer user_data);

static void
pen_file_source_schedule (PenFileSource *self, gint64 delay_us)
{
  if (self->timer == 0 && !self->is_over && !pen_source_is_paused (PEN_SOURCE (self)))
    self->timer = pen_element_add_timer (PEN_ELEMENT (self), delay_us, pen_file_source_on_timer,
                                         NULL /* user_data */);
}

/* Hands on lines that were read; TRUE when there is none left and more may be read. */
static gboolean
pen_file_source_emit (PenFileSource *self)
{
  gint64 now_us = pen_element_get_real_time (PEN_ELEMENT (self));
  PenFileLine line;

  for (guint i = 0; i < LINES_A_ROUND; i++)
    {
      gboolean has_line;

      if (pen_source_is_paused (PEN_SOURCE (self)))
        return FALSE;
      has_line = pen_file_splitter_next (self->splitter, &line)
                 || (self->is_at_end && pen_file_splitter_take_rest (self->splitter, &line));
      if (!has_line)
        return TRUE;
      pen_file_source_push_line (self, &line, now_us);
    }
  pen_file_source_schedule (self, 0);
  return FALSE;
}

static void
pen_file_source_close (PenFileSource *self)
{
  if (self->reader == NULL)
    return;
  pen_element_unwatch (PEN_ELEMENT (self), pen_file_reader_get_fd (self->reader));
  g_clear_pointer (&self->reader, pen_file_reader_free);
  pen_source_set_connected (PEN_SOURCE (self), FALSE);
}

static void
pen_file_source_finish (PenFileSource *self)
{
  self->is_over = TRUE;
  pen_file_source_close (self);
  pen_source_finish (PEN_SOURCE (self));
}

/* The lines read so far have been handed on, what is left is the beginning of one. */
static void
pen_file_source_drop_rest (PenFileSource *self, const char *reason, const char *why)
{
  g_autoptr (GBytes) payload = NULL;
  PenFileLine line;

  if (!pen_file_splitter_take_rest (self->splitter, &line))
    return;
  payload = g_bytes_new (line.text, line.length);
  pen_source_reject (
      PEN_SOURCE (self),
      pen_event_new (payload, self->topic, pen_element_get_real_time (PEN_ELEMENT (self))), reason,
      "line %" G_GUINT64_FORMAT " of '%s' was not complete when %s", line.number, self->path, why);
}

/* The end of a file that is followed: has it been cut, or has another one taken its place? */
static void
pen_file_source_look (PenFileSource *self)
{
  PenFileLine line;

  switch (pen_file_reader_look (self->reader))
    {
    case PEN_FILE_TRUNCATED:
      pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_INFO,
                       "'%s' was cut: reading it from its beginning", self->path);
      pen_file_source_drop_rest (self, "torn_line", "the file was cut");
      pen_file_splitter_reset (self->splitter);
      pen_file_reader_rewind (self->reader);
      pen_file_source_schedule (self, 0);
      return;
    case PEN_FILE_REPLACED:
      /* Who wrote to the old file may not know yet that it was renamed. */
      if (!self->is_replaced)
        {
          self->is_replaced = TRUE;
          break;
        }
      self->is_replaced = FALSE;
      if (pen_file_splitter_take_rest (self->splitter, &line))
        pen_file_source_push_line (self, &line, pen_element_get_real_time (PEN_ELEMENT (self)));
      pen_file_splitter_reset (self->splitter);
      pen_file_source_close (self);
      pen_file_source_schedule (self, 0);
      return;
    case PEN_FILE_GONE:
    case PEN_FILE_SAME:
    default:
      break;
    }
  pen_file_source_schedule (self, self->poll_interval_us);
}

static void
pen_file_source_on_end (PenFileSource *self)
{
  if (self->follow)
    {
      pen_file_source_look (self);
      return;
    }
  pen_element_unwatch (PEN_ELEMENT (self), pen_file_reader_get_fd (self->reader));
  self->is_at_end = TRUE;
  if (pen_file_source_emit (self))
    pen_file_source_finish (self);
}

static void
pen_file_source_on_error (PenFileSource *self, GError *error)
{
  if (!self->follow)
    {
      self->is_over = TRUE;
      pen_file_source_close (self);
      pen_element_fail (PEN_ELEMENT (self), error);
      return;
    }
  pen_element_complain (PEN_ELEMENT (self), "%s; trying again", error->message);
  g_error_free (error);
  pen_file_source_close (self);
  pen_file_splitter_reset (self->splitter);
  pen_file_source_schedule (self, self->poll_interval_us);
}

static void
pen_file_source_read (PenFileSource *self)
{
  GError *error = NULL;
  gsize room;
  char *buffer = pen_file_splitter_reserve (self->splitter, &room);
  gssize n_bytes = pen_file_reader_read (self->reader, buffer, room, &error);

  if (n_bytes == PEN_FILE_READER_ERROR)
    pen_file_source_on_error (self, error);
  else if (n_bytes == PEN_FILE_READER_END)
    pen_file_source_on_end (self);
  else if (n_bytes > 0)
    {
      pen_file_splitter_commit (self->splitter, (gsize) n_bytes);
      self->is_replaced = FALSE;
      if (pen_file_source_emit (self) && !pen_file_reader_can_poll (self->reader))
        pen_file_source_schedule (self, 0);
    }
}

static void
pen_file_source_on_readable (PenElement *element, int fd, GIOCondition condition)
{
  PenFileSource *self = PEN_FILE_SOURCE (element);

  if (!pen_source_is_paused (PEN_SOURCE (self)) && pen_file_source_emit (self))
    pen_file_source_read (self);
}

static void
pen_file_source_begin_reading (PenFileSource *self)
{
  if (pen_file_reader_can_poll (self->reader))
    pen_element_watch (PEN_ELEMENT (self), pen_file_reader_get_fd (self->reader), G_IO_IN,
                       pen_file_source_on_readable);
  else
    pen_file_source_schedule (self, 0);
}

static gboolean
pen_file_source_open (PenFileSource *self, GError **error)
{
  self->reader = pen_file_reader_open (self->path, self->follow, error);
  if (self->reader == NULL)
    return FALSE;
  pen_source_set_connected (PEN_SOURCE (self), TRUE);
  return TRUE;
}

/* A file that is followed need not be there yet. */
static void
pen_file_source_try_open (PenFileSource *self)
{
  g_autoptr (GError) error = NULL;

  if (!pen_file_source_open (self, &error))
    {
      pen_element_complain (PEN_ELEMENT (self), "%s; waiting for it", error->message);
      pen_file_source_schedule (self, self->poll_interval_us);
      return;
    }
  pen_element_recover (PEN_ELEMENT (self), "reading '%s'", self->path);
  pen_file_source_begin_reading (self);
}

static void
pen_file_source_on_timer (PenElement *element, gpointer user_data)
{
  PenFileSource *self = PEN_FILE_SOURCE (element);

  self->timer = 0;
  if (self->is_over || !pen_file_source_emit (self))
    return;
  if (self->is_at_end)
    pen_file_source_finish (self);
  else if (self->reader == NULL)
    pen_file_source_try_open (self);
  else if (!pen_file_reader_can_poll (self->reader))
    pen_file_source_read (self);
}

/* --- Life --- */

static void
pen_file_source_halt (PenFileSource *self)
{
  if (self->timer != 0)
    pen_element_remove_timer (PEN_ELEMENT (self), self->timer);
  self->timer = 0;
  if (self->reader != NULL)
    pen_element_unwatch (PEN_ELEMENT (self), pen_file_reader_get_fd (self->reader));
}

static void
pen_file_source_pause (PenSource *source)
{
  pen_file_source_halt (PEN_FILE_SOURCE (source));
}

static void
pen_file_source_resume (PenSource *source)
{
  PenFileSource *self = PEN_FILE_SOURCE (source);

  if (self->is_over)
    return;
  pen_file_source_schedule (self, 0);
  if (self->reader != NULL && !self->is_at_end && pen_file_reader_can_poll (self->reader))
    pen_file_source_begin_reading (self);
}

static gboolean
pen_file_source_start (PenElement *element, GError **error)
{
  PenFileSource *self = PEN_FILE_SOURCE (element);
  guint64 max_bytes = self->max_line;

  if (self->path == NULL)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "configuration", "path is not set");
      return FALSE;
    }
  if (self->format == PEN_FILE_FORMAT_DEAD_LETTERS)
    max_bytes = LETTER_FACTOR * max_bytes + LETTER_EXTRA_BYTES;
  self->is_at_end = FALSE;
  self->is_replaced = FALSE;
  self->is_over = FALSE;
  g_clear_pointer (&self->last_payload, g_bytes_unref);
  pen_source_set_connected (PEN_SOURCE (self), FALSE);
  if (!self->follow && !pen_file_source_open (self, error))
    return FALSE;
  g_clear_pointer (&self->splitter, pen_file_splitter_free);
  self->splitter = pen_file_splitter_new (max_bytes);
  if (self->reader == NULL)
    pen_file_source_try_open (self);
  else
    pen_file_source_begin_reading (self);
  if (self->reader != NULL && self->follow && self->start_at == PEN_FILE_START_END)
    pen_file_reader_skip_to_end (self->reader);
  return TRUE;
}

static void
pen_file_source_stop (PenElement *element)
{
  PenFileSource *self = PEN_FILE_SOURCE (element);

  pen_file_source_halt (self);
  self->is_over = TRUE;
  pen_file_source_close (self);
  g_clear_pointer (&self->splitter, pen_file_splitter_free);
}

static void
pen_file_source_check_environment (PenFileSource *self, PenCheck *check)
{
  struct stat status;

  if (stat (self->path, &status) < 0)
    {
      if (errno != ENOENT || !self->follow)
        pen_check_error (check, "path", "cannot read '%s': %s", self->path, g_strerror (errno));
    }
  else if (S_ISDIR (status.st_mode))
    pen_check_error (check, "path", "'%s' is a folder; name a file in it", self->path);
  else if (access (self->path, R_OK) < 0)
    pen_check_error (check, "path", "cannot read '%s': %s", self->path, g_strerror (errno));
}

static void
pen_file_source_check (PenElement *element, PenCheck *check)
{
  PenFileSource *self = PEN_FILE_SOURCE (element);
  gboolean is_stdin = g_strcmp0 (self->path, "-") == 0;

  if (self->follow && is_stdin)
    pen_check_error (check, "follow",
                     "standard input cannot be followed; without follow it is read to its end");
  if (self->follow && self->path != NULL && g_str_has_suffix (self->path, ".gz"))
    pen_check_error (check, "follow", "a compressed file cannot be followed: '%s'", self->path);
  if (!self->follow && pen_check_is_set (check, "start-at"))
    pen_check_warning (check, "start-at", "has no effect without follow=true");
  if (!self->follow && pen_check_is_set (check, "poll-interval"))
    pen_check_warning (check, "poll-interval", "has no effect without follow=true");
  if (self->path != NULL && !is_stdin && pen_check_wants_environment (check))
    pen_file_source_check_environment (self, check);
}

static void
pen_file_source_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenFileSource *self = PEN_FILE_SOURCE (object);

  switch (id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, (gint) self->format);
      break;
    case PROP_FOLLOW:
      g_value_set_boolean (value, self->follow);
      break;
    case PROP_START_AT:
      g_value_set_enum (value, (gint) self->start_at);
      break;
    case PROP_POLL_INTERVAL:
      g_value_set_int64 (value, self->poll_interval_us);
      break;
    case PROP_TOPIC:
      g_value_set_string (value, self->topic);
      break;
    case PROP_MAX_LINE:
      g_value_set_uint64 (value, self->max_line);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_file_source_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenFileSource *self = PEN_FILE_SOURCE (object);

  switch (id)
    {
    case PROP_PATH:
      g_free (self->path);
      self->path = g_value_dup_string (value);
      break;
    case PROP_FORMAT:
      self->format = (PenFileFormat) g_value_get_enum (value);
      break;
    case PROP_FOLLOW:
      self->follow = g_value_get_boolean (value);
      break;
    case PROP_START_AT:
      self->start_at = (PenFileStart) g_value_get_enum (value);
      break;
    case PROP_POLL_INTERVAL:
      self->poll_interval_us = g_value_get_int64 (value);
      break;
    case PROP_TOPIC:
      g_free (self->topic);
      self->topic = g_value_dup_string (value);
      break;
    case PROP_MAX_LINE:
      self->max_line = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_file_source_finalize (GObject *object)
{
  PenFileSource *self = PEN_FILE_SOURCE (object);

  g_clear_pointer (&self->reader, pen_file_reader_free);
  g_clear_pointer (&self->splitter, pen_file_splitter_free);
  g_clear_pointer (&self->last_payload, g_bytes_unref);
  g_free (self->last_topic);
  g_free (self->path);
  g_free (self->topic);
  G_OBJECT_CLASS (pen_file_source_parent_class)->finalize (object);
}

static void
pen_file_source_install_properties (GObjectClass *object_class)
{
  properties[PROP_PATH] = g_param_spec_string (
      "path", NULL,
      "File to read, one event per line; - is standard input; a name ending in .gz is decompressed",
      NULL, PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED | PEN_PARAM_PATH);
  properties[PROP_FORMAT] = g_param_spec_enum (
      "format", NULL, "What a line is: an event's payload, or a dead letter to be played again",
      pen_file_format_get_type (), (gint) DEFAULT_FORMAT, PEN_PARAM_DEFAULTS);
  properties[PROP_FOLLOW] = g_param_spec_boolean (
      "follow", NULL,
      "Whether to go on at the end of the file, through rotation and truncation, for ever",
      DEFAULT_FOLLOW, PEN_PARAM_DEFAULTS);
  properties[PROP_START_AT] = g_param_spec_enum (
      "start-at", NULL, "Where following begins in a file that is there at the start",
      pen_file_start_get_type (), (gint) DEFAULT_START_AT, PEN_PARAM_DEFAULTS);
  properties[PROP_POLL_INTERVAL] = pen_param_spec_duration (
      "poll-interval", "How often a file that is followed is looked at", LEAST_POLL_INTERVAL_US,
      LARGEST_POLL_INTERVAL_US, DEFAULT_POLL_INTERVAL_US, PEN_PARAM_DEFAULTS);
  properties[PROP_TOPIC] = g_param_spec_string (
      "topic", NULL, "Topic of the events; dead letters bring their own", NULL, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_LINE] = pen_param_spec_size (
      "max-line", "Size of the largest payload; a longer line is rejected, its beginning kept", 1,
      LARGEST_MAX_LINE, DEFAULT_MAX_LINE, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_file_source_class_init (PenFileSourceClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSourceClass *source_class = PEN_SOURCE_CLASS (class);

  object_class->get_property = pen_file_source_get_property;
  object_class->set_property = pen_file_source_set_property;
  object_class->finalize = pen_file_source_finalize;
  element_class->check = pen_file_source_check;
  element_class->start = pen_file_source_start;
  element_class->stop = pen_file_source_stop;
  source_class->pause = pen_file_source_pause;
  source_class->resume = pen_file_source_resume;
  pen_file_source_install_properties (object_class);
}

static void
pen_file_source_init (PenFileSource *self)
{
  self->format = DEFAULT_FORMAT;
  self->follow = DEFAULT_FOLLOW;
  self->start_at = DEFAULT_START_AT;
  self->poll_interval_us = DEFAULT_POLL_INTERVAL_US;
  self->max_line = DEFAULT_MAX_LINE;
}

PEN_PLUGIN_DEFINE ("file",
                   "Reads events from a file or standard input, one per line",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sources/file/README.md",
                   pen_file_source_get_type)
