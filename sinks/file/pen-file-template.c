/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A path with places that are filled for each event: {topic}, {pipeline}, {time:FORMAT}.
 *
 * A topic comes from outside, so it never decides about more than a part of one file's name: it
 * cannot name a folder, leave one, hide a file, or grow beyond what a file's name may hold. Two
 * topics of MQTT never share a file: '/' becomes '+', which no topic can hold, and every other byte
 * that is changed becomes '%' and two digits.
 */

#include "config.h"

#include "pen-file-template.h"

#include <string.h>

/* A file's name has 255 bytes at most; this leaves room for the rest of it. */
#define MAX_PART_BYTES 160
/* Digits of the checksum that stands for what a part has beyond that. */
#define CHECKSUM_DIGITS 16

typedef enum
{
  PEN_FILE_PIECE_TEXT,
  PEN_FILE_PIECE_TOPIC,
  PEN_FILE_PIECE_PIPELINE,
  PEN_FILE_PIECE_TIME,
} PenFilePieceKind;

typedef struct
{
  PenFilePieceKind kind;
  char *text; /* itself, or the format of the time */
} PenFilePiece;

struct _PenFileTemplate
{
  GArray *pieces; /* of PenFilePiece */
  gboolean local_time;
  gboolean is_constant;
  /* what was expanded last: most events are of the same second and topic as the one before */
  GString *path;
  char *topic;
  gint64 second;
  gboolean has_path;
};

static void
pen_file_piece_clear (gpointer data)
{
  PenFilePiece *piece = data;

  g_free (piece->text);
}

static void
pen_file_template_add (PenFileTemplate *self, PenFilePieceKind kind, const char *text, gsize length)
{
  PenFilePiece piece = { .kind = kind, .text = g_strndup (text, length) };

  if (kind == PEN_FILE_PIECE_TOPIC || kind == PEN_FILE_PIECE_TIME)
    self->is_constant = FALSE;
  g_array_append_val (self->pieces, piece);
}

/* The time's @format gives a text for any time, and one without what a path cannot hold. */
static gboolean
pen_file_template_format_is_good (const char *format)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (0);
  g_autofree char *text = g_date_time_format (time, format);

  return text != NULL && *text != '\0';
}

static gboolean
pen_file_template_add_place (PenFileTemplate *self, const char *name, gsize length, GError **error)
{
  g_autofree char *place = g_strndup (name, length);

  if (g_str_equal (place, "topic"))
    pen_file_template_add (self, PEN_FILE_PIECE_TOPIC, "", 0);
  else if (g_str_equal (place, "pipeline"))
    pen_file_template_add (self, PEN_FILE_PIECE_PIPELINE, "", 0);
  else if (g_str_has_prefix (place, "time:"))
    {
      const char *format = place + strlen ("time:");

      if (!pen_file_template_format_is_good (format))
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "path",
                                 "'{%s}' has no time format that strftime knows, for example "
                                 "'{time:%%Y-%%m-%%d}'",
                                 place);
          return FALSE;
        }
      pen_file_template_add (self, PEN_FILE_PIECE_TIME, format, strlen (format));
    }
  else
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "path",
                             "unknown place '{%s}'; there are '{topic}', '{pipeline}' and "
                             "'{time:FORMAT}', and '{{' is a brace",
                             place);
      return FALSE;
    }
  return TRUE;
}

static gboolean
pen_file_template_parse (PenFileTemplate *self, const char *text, GError **error)
{
  const char *cursor = text;

  while (*cursor != '\0')
    {
      gsize n_plain = strcspn (cursor, "{}");
      const char *end;

      if (n_plain > 0)
        pen_file_template_add (self, PEN_FILE_PIECE_TEXT, cursor, n_plain);
      cursor += n_plain;
      if (*cursor == '\0')
        break;
      if (cursor[0] == cursor[1])
        {
          pen_file_template_add (self, PEN_FILE_PIECE_TEXT, cursor, 1);
          cursor += 2;
          continue;
        }
      end = *cursor == '{' ? strchr (cursor, '}') : NULL;
      if (end == NULL)
        {
          pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "path",
                                 "'%c' without its partner in '%s'; a brace itself is written "
                                 "'%c%c'",
                                 *cursor, text, *cursor, *cursor);
          return FALSE;
        }
      if (!pen_file_template_add_place (self, cursor + 1, (gsize) (end - cursor - 1), error))
        return FALSE;
      cursor = end + 1;
    }
  return TRUE;
}

/* A template of @text, or NULL and what is wrong with it. */
PenFileTemplate *
pen_file_template_new (const char *text, gboolean local_time, GError **error)
{
  g_autoptr (PenFileTemplate) self = g_new0 (PenFileTemplate, 1);

  self->pieces = g_array_new (FALSE, FALSE, sizeof (PenFilePiece));
  g_array_set_clear_func (self->pieces, pen_file_piece_clear);
  self->local_time = local_time;
  self->is_constant = TRUE;
  self->path = g_string_new (NULL);
  if (!pen_file_template_parse (self, text, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
pen_file_template_free (PenFileTemplate *self)
{
  g_array_unref (self->pieces);
  g_string_free (self->path, TRUE);
  g_free (self->topic);
  g_free (self);
}

/* Whether all events of a pipeline go to the same file. */
gboolean
pen_file_template_is_constant (const PenFileTemplate *self)
{
  return self->is_constant;
}

/* The folder that all files lie in or below: what stands before the first place. */
char *
pen_file_template_get_folder (const PenFileTemplate *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < self->pieces->len; i++)
    {
      const PenFilePiece *piece = &g_array_index (self->pieces, PenFilePiece, i);

      if (piece->kind != PEN_FILE_PIECE_TEXT)
        break;
      g_string_append (text, piece->text);
    }
  g_string_append_c (text, 'x'); /* the dirname of "folder/" is its parent, of "folder/x" itself */
  return g_path_get_dirname (text->str);
}

/* Where a part of at most @limit bytes can be cut without cutting a character or a %XX. */
static gsize
pen_file_template_find_cut (const char *part, gsize limit)
{
  gsize cut = limit;

  while (cut > 0 && ((guchar) part[cut] & 0xc0) == 0x80)
    cut--;
  for (gsize back = 1; back <= 2 && back <= cut; back++)
    if (part[cut - back] == '%')
      return cut - back;
  return cut;
}

/* Appends @value, which may come from anyone, as a part of one file's name. */
static void
pen_file_template_append_harmless (GString *path, const char *value)
{
  gboolean is_utf8 = g_utf8_validate (value, -1, NULL);
  gsize start = path->len;

  for (const char *byte = value; *byte != '\0'; byte++)
    {
      gboolean is_leading_dot = *byte == '.' && path->len == start;
      gboolean is_strange = (guchar) *byte < 0x20 || *byte == 0x7f || (!is_utf8 && *byte & 0x80);

      if (*byte == '/')
        g_string_append_c (path, '+');
      else if (is_leading_dot || is_strange || *byte == '+' || *byte == '%' || *byte == '\\')
        g_string_append_printf (path, "%%%02X", (guchar) *byte);
      else
        g_string_append_c (path, *byte);
    }
  if (path->len == start)
    g_string_append_c (path, '_');
  if (path->len - start > MAX_PART_BYTES)
    {
      g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, value, -1);
      gsize room = MAX_PART_BYTES - CHECKSUM_DIGITS - 1;

      g_string_truncate (path, start + pen_file_template_find_cut (path->str + start, room));
      g_string_append_printf (path, "~%.*s", CHECKSUM_DIGITS, sum);
    }
}

static void
pen_file_template_append_time (PenFileTemplate *self, const char *format, gint64 second)
{
  /* A time that GDateTime cannot hold (beyond the year 9999) is written as the epoch. */
  g_autoptr (GDateTime) time = self->local_time ? g_date_time_new_from_unix_local (second)
                                                : g_date_time_new_from_unix_utc (second);
  g_autofree char *text = NULL;

  if (time == NULL)
    time = g_date_time_new_from_unix_utc (0);
  text = g_date_time_format (time, format);
  g_string_append (self->path, text != NULL ? text : "_");
}

/* The path for one event; valid until the next call. */
const char *
pen_file_template_expand (PenFileTemplate *self,
                          const char *pipeline,
                          const char *topic,
                          gint64 arrival_us)
{
  gint64 second = arrival_us / G_USEC_PER_SEC;
  gboolean is_same
      = self->has_path
        && (self->is_constant || (second == self->second && g_strcmp0 (topic, self->topic) == 0));

  if (is_same)
    return self->path->str;
  g_string_truncate (self->path, 0);
  for (guint i = 0; i < self->pieces->len; i++)
    {
      const PenFilePiece *piece = &g_array_index (self->pieces, PenFilePiece, i);

      switch (piece->kind)
        {
        case PEN_FILE_PIECE_TOPIC:
          pen_file_template_append_harmless (self->path, topic != NULL ? topic : "");
          break;
        case PEN_FILE_PIECE_PIPELINE:
          pen_file_template_append_harmless (self->path, pipeline != NULL ? pipeline : "");
          break;
        case PEN_FILE_PIECE_TIME:
          pen_file_template_append_time (self, piece->text, second);
          break;
        case PEN_FILE_PIECE_TEXT:
        default:
          g_string_append (self->path, piece->text);
          break;
        }
    }
  if (g_strcmp0 (topic, self->topic) != 0)
    {
      g_free (self->topic);
      self->topic = g_strdup (topic);
    }
  self->second = second;
  self->has_path = TRUE;
  return self->path->str;
}
