/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lays out rows under headers. A table for a terminal is that of Python's tabulate, of which many
 * scripts are known: two blanks between columns, dashes under headers, a column at least two wider
 * than its header, numbers and what is above them to the right, everything else to the left.
 *
 * Rows come one at a time, so a column is as wide as what it has held so far, and only grows.
 */

#include "config.h"

#include "pen-table-layout.h"

#include "pen-table-cell.h"

#include <string.h>

#define GAP "  "
/* How much wider than its header a column is. */
#define HEADER_PADDING 2

typedef struct
{
  char *header; /* harmless */
  char *name;   /* as it is, for CSV */
  guint width;
  gboolean is_known; /* whether a value was there that says the next */
  gboolean is_right;
  char *cell; /* of this row */
} PenTableColumn;

struct _PenTableLayout
{
  PenTableOptions options;
  GPtrArray *columns; /* (element-type PenTableColumn) */
  PenFields *fields;
  gboolean has_header;
  guint n_rows; /* since the last header */
};

static void
pen_table_column_free (gpointer data)
{
  PenTableColumn *column = data;

  g_free (column->header);
  g_free (column->name);
  g_free (column->cell);
  g_free (column);
}

static void
pen_table_layout_add_column (PenTableLayout *self, const char *name)
{
  PenTableColumn *column = g_new0 (PenTableColumn, 1);

  column->name = g_strdup (name);
  column->header = pen_table_make_harmless (name, strlen (name));
  pen_table_cut (&column->header, self->options.max_width);
  column->width = pen_table_get_width (column->header) + HEADER_PADDING;
  g_ptr_array_add (self->columns, column);
}

/* documented in the header */
PenTableLayout *
pen_table_layout_new (const PenTableOptions *options, GError **error)
{
  g_autoptr (PenTableLayout) self = g_new0 (PenTableLayout, 1);

  self->options = *options;
  self->columns = g_ptr_array_new_with_free_func (pen_table_column_free);
  self->fields = pen_fields_new (options->pipeline);
  for (guint i = 0; options->columns != NULL && options->columns[i] != NULL; i++)
    {
      const char *text = options->columns[i];
      const char *place = strrchr (text, '=');
      g_autofree char *header
          = g_strstrip (place != NULL ? g_strndup (text, (gsize) (place - text)) : g_strdup (text));
      g_autofree char *source = g_strstrip (g_strdup (place != NULL ? place + 1 : text));

      if (!pen_fields_add (self->fields, source, error))
        return NULL;
      pen_table_layout_add_column (self, header);
    }
  self->options.columns = NULL;
  self->options.pipeline = NULL;
  return g_steal_pointer (&self);
}

/* documented in the header */
void
pen_table_layout_free (PenTableLayout *self)
{
  g_ptr_array_unref (self->columns);
  g_clear_pointer (&self->fields, pen_fields_free);
  g_free (self);
}

/* --- Reading an event --- */

/* Makes a column for each member of the first event. */
static gboolean
pen_table_layout_discover (PenTableLayout *self, PenEvent *event, GError **error)
{
  PenFieldValue value;
  gboolean is_room = TRUE;

  while (is_room)
    {
      g_autofree char *name = NULL;

      if (!pen_fields_read (self->fields, event, error))
        return FALSE;
      name = pen_fields_dup_other (self->fields, &value);
      if (name == NULL)
        break;
      is_room = pen_fields_add_member (self->fields, name, NULL);
      if (is_room)
        pen_table_layout_add_column (self, name);
    }
  if (self->columns->len > 0)
    return TRUE;
  g_set_error (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE,
               "the first event has no members of which columns could be made");
  return FALSE;
}

static char *
pen_table_layout_make_cell (PenTableLayout *self, const PenFieldValue *value)
{
  gboolean is_data = self->options.format == PEN_TABLE_FORMAT_CSV;
  g_autoptr (GString) text = g_string_new (NULL);
  char *cell;

  pen_table_append_value (text, value, is_data ? 0 : self->options.digits);
  if (is_data && !self->options.is_terminal && strlen (text->str) == text->len)
    return g_strndup (text->str, text->len);
  cell = pen_table_make_harmless (text->str, text->len);
  if (!is_data)
    pen_table_cut (&cell, self->options.max_width);
  return cell;
}

/* Where each row is a table of its own, it owes nothing to the one before. */
static void
pen_table_layout_begin_table (PenTableLayout *self)
{
  if (self->options.header_every != 1)
    return;
  for (guint i = 0; i < self->columns->len; i++)
    {
      PenTableColumn *column = g_ptr_array_index (self->columns, i);

      column->width = pen_table_get_width (column->header) + HEADER_PADDING;
      column->is_known = column->is_right = FALSE;
    }
}

static gboolean
pen_table_layout_read (PenTableLayout *self, PenEvent *event, GError **error)
{
  if (self->columns->len == 0 ? !pen_table_layout_discover (self, event, error)
                              : !pen_fields_read (self->fields, event, error))
    return FALSE;
  pen_table_layout_begin_table (self);
  for (guint i = 0; i < self->columns->len; i++)
    {
      PenTableColumn *column = g_ptr_array_index (self->columns, i);
      const PenFieldValue *value = pen_fields_get_value (self->fields, i);
      guint width;

      g_free (column->cell);
      column->cell = pen_table_layout_make_cell (self, value);
      if (self->options.format == PEN_TABLE_FORMAT_CSV)
        {
          /* what is not there and what is empty are not the same */
          if (value->type == PEN_JSON_NULL)
            g_clear_pointer (&column->cell, g_free);
          continue;
        }
      if (!column->is_known && value->type != PEN_JSON_NULL)
        {
          column->is_known = TRUE;
          column->is_right = value->type == PEN_JSON_NUMBER;
        }
      width = pen_table_get_width (column->cell);
      column->width = MAX (column->width, width);
    }
  return TRUE;
}

/* --- A table for a terminal --- */

static void
pen_table_append_blanks (GString *text, guint n_blanks)
{
  for (guint i = 0; i < n_blanks; i++)
    g_string_append_c (text, ' ');
}

static void
pen_table_end_line (GString *text)
{
  while (text->len > 0 && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  g_string_append_c (text, '\n');
}

static void
pen_table_layout_put_line (PenTableLayout *self, GString *text, gboolean is_header)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenTableColumn *column = g_ptr_array_index (self->columns, i);
      const char *cell = is_header ? column->header : column->cell;
      guint n_blanks = column->width - pen_table_get_width (cell);

      g_string_append (line, i > 0 ? GAP : "");
      if (column->is_right)
        pen_table_append_blanks (line, n_blanks);
      g_string_append (line, cell);
      if (!column->is_right)
        pen_table_append_blanks (line, n_blanks);
    }
  pen_table_end_line (line);
  g_string_append_len (text, line->str, (gssize) line->len);
}

static void
pen_table_layout_put_dashes (PenTableLayout *self, GString *text)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenTableColumn *column = g_ptr_array_index (self->columns, i);

      g_string_append (text, i > 0 ? GAP : "");
      for (guint j = 0; j < column->width; j++)
        g_string_append_c (text, '-');
    }
  g_string_append_c (text, '\n');
}

/* --- CSV --- */

/* RFC 4180, 2.5 to 2.7; lines end as all lines here do, in a newline alone. */
static void
pen_table_layout_put_csv (PenTableLayout *self, GString *text, gboolean is_header)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenTableColumn *column = g_ptr_array_index (self->columns, i);
      const char *cell = is_header ? column->name : column->cell;

      g_string_append (text, i > 0 ? "," : "");
      if (cell == NULL)
        continue;
      if (*cell != '\0' && strpbrk (cell, ",\"\r\n") == NULL)
        {
          g_string_append (text, cell);
          continue;
        }
      g_string_append_c (text, '"');
      for (; *cell != '\0'; cell++)
        g_string_append (text, *cell == '"' ? "\"\"" : (char[]){ *cell, '\0' });
      g_string_append_c (text, '"');
    }
  g_string_append_c (text, '\n');
}

/* --- Markdown --- */

static void
pen_table_layout_put_markdown (PenTableLayout *self, GString *text, gboolean is_header)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenTableColumn *column = g_ptr_array_index (self->columns, i);

      g_string_append (text, "| ");
      for (const char *p = is_header ? column->header : column->cell; *p != '\0'; p++)
        {
          if (*p == '|' || *p == '\\')
            g_string_append_c (text, '\\');
          g_string_append_c (text, *p);
        }
      g_string_append_c (text, ' ');
    }
  g_string_append (text, "|\n");
}

static void
pen_table_layout_put_markdown_rule (PenTableLayout *self, GString *text)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const PenTableColumn *column = g_ptr_array_index (self->columns, i);

      g_string_append (text, column->is_right ? "| ---: " : "| --- ");
    }
  g_string_append (text, "|\n");
}

/* --- All of it --- */

static void
pen_table_layout_put_header (PenTableLayout *self, GString *text)
{
  switch (self->options.format)
    {
    case PEN_TABLE_FORMAT_CSV:
      pen_table_layout_put_csv (self, text, TRUE);
      break;
    case PEN_TABLE_FORMAT_MARKDOWN:
      pen_table_layout_put_markdown (self, text, TRUE);
      pen_table_layout_put_markdown_rule (self, text);
      break;
    case PEN_TABLE_FORMAT_TABLE:
    default:
      pen_table_layout_put_line (self, text, TRUE);
      pen_table_layout_put_dashes (self, text);
    }
  self->has_header = TRUE;
  self->n_rows = 0;
}

static void
pen_table_layout_put_row (PenTableLayout *self, GString *text)
{
  switch (self->options.format)
    {
    case PEN_TABLE_FORMAT_CSV:
      pen_table_layout_put_csv (self, text, FALSE);
      break;
    case PEN_TABLE_FORMAT_MARKDOWN:
      pen_table_layout_put_markdown (self, text, FALSE);
      break;
    case PEN_TABLE_FORMAT_TABLE:
    default:
      pen_table_layout_put_line (self, text, FALSE);
    }
  self->n_rows++;
}

/* documented in the header */
gboolean
pen_table_layout_is_header_due (const PenTableLayout *self)
{
  return !self->has_header
         || (self->options.format == PEN_TABLE_FORMAT_TABLE && self->options.header_every > 0
             && self->n_rows >= self->options.header_every);
}

/* documented in the header */
void
pen_table_layout_repeat_header (PenTableLayout *self)
{
  self->has_header = FALSE;
}

/* documented in the header */
GBytes *
pen_table_layout_append (PenTableLayout *self, PenEvent *event, GError **error)
{
  GString *text = NULL;

  if (!pen_table_layout_read (self, event, error))
    return NULL;
  text = g_string_new (NULL);
  if (pen_table_layout_is_header_due (self))
    pen_table_layout_put_header (self, text);
  pen_table_layout_put_row (self, text);
  return g_string_free_to_bytes (text);
}
