/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows events as rows of a table on standard output, for eyes, or as CSV or Markdown.
 */

#include "config.h"

#include "pen-table-sink.h"

#include "pen-table-layout.h"

#include <unistd.h>

#define DEFAULT_FORMAT PEN_TABLE_FORMAT_TABLE
#define DEFAULT_DIGITS 6
#define LARGEST_DIGITS 17
#define DEFAULT_HEADER_EVERY 20
#define LARGEST_HEADER_EVERY 1000000
#define DEFAULT_MAX_WIDTH 60
#define LEAST_MAX_WIDTH 2
#define LARGEST_MAX_WIDTH 10000

struct _PenTableSink
{
  PenSink parent_instance;

  /* constant after start */
  char **columns;
  PenTableFormat format;
  guint digits;
  guint header_every;
  guint max_width;

  /* lane, or worker if it blocks */
  PenStandardOutput *output;
  PenTableLayout *layout;
  PenEvent *headed; /* in a write: the last event that has the headers above it */
};

enum
{
  PROP_0,
  PROP_COLUMNS,
  PROP_FORMAT,
  PROP_DIGITS,
  PROP_HEADER_EVERY,
  PROP_MAX_WIDTH,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (PenTableSink, pen_table_sink, PEN_TYPE_SINK)

static GType
pen_table_format_get_type (void)
{
  static const GEnumValue values[] = {
    { PEN_TABLE_FORMAT_TABLE, "PEN_TABLE_FORMAT_TABLE", "table" },
    { PEN_TABLE_FORMAT_CSV, "PEN_TABLE_FORMAT_CSV", "csv" },
    { PEN_TABLE_FORMAT_MARKDOWN, "PEN_TABLE_FORMAT_MARKDOWN", "markdown" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("PenTableFormat", values));
  return type;
}

/* --- Writing --- */

static void
pen_table_sink_lay_out (PenLines *lines, PenBatch *batch, guint index, gpointer user_data)
{
  PenTableSink *self = user_data;
  PenEvent *event = pen_batch_get_event (batch, index);
  gboolean is_header_due = pen_table_layout_is_header_due (self->layout);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) text = pen_table_layout_append (self->layout, event, &error);

  if (text == NULL)
    {
      gboolean is_json = g_error_matches (error, PEN_JSON_ERROR, PEN_JSON_ERROR_TYPE);

      pen_batch_reject (batch, index, is_json ? "not_an_object" : "invalid_json", "%s",
                        error->message);
      return;
    }
  if (is_header_due)
    self->headed = event;
  pen_lines_append_text (lines, text, index);
}

/* Whether the headers above @event were not even begun. */
static gboolean
pen_table_sink_is_left (PenTableSink *self, PenBatch *batch, PenEvent *event)
{
  if (pen_standard_output_get_torn (self->output) == event)
    return FALSE;
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    if (pen_batch_get_event (batch, i) == event)
      return pen_batch_is_open (batch, i);
  return FALSE;
}

static gboolean
pen_table_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  PenTableSink *self = PEN_TABLE_SINK (sink);
  gboolean is_good;

  self->headed = NULL;
  is_good = pen_standard_output_write (self->output, batch, pen_table_sink_lay_out, self, error);
  if (!is_good && self->headed != NULL && pen_table_sink_is_left (self, batch, self->headed))
    pen_table_layout_repeat_header (self->layout);
  self->headed = NULL;
  return is_good;
}

static gboolean
pen_table_sink_blocks (PenSink *sink)
{
  return pen_standard_output_blocks ();
}

/* --- Life --- */

static PenTableLayout *
pen_table_sink_make_layout (PenTableSink *self, GError **error)
{
  PenTableOptions options = {
    .columns = (const char *const *) self->columns,
    .pipeline = pen_element_get_pipeline_name (PEN_ELEMENT (self)),
    .format = self->format,
    .digits = self->digits,
    .header_every = self->header_every,
    .max_width = self->max_width,
    .is_terminal = isatty (STDOUT_FILENO),
  };

  return pen_table_layout_new (&options, error);
}

static void
pen_table_sink_release (PenTableSink *self)
{
  g_clear_pointer (&self->output, pen_standard_output_free);
  g_clear_pointer (&self->layout, pen_table_layout_free);
}

static gboolean
pen_table_sink_start (PenElement *element, GError **error)
{
  PenTableSink *self = PEN_TABLE_SINK (element);

  pen_table_sink_release (self);
  self->output = pen_standard_output_new (PEN_LINE_FORMAT_LINES, error);
  if (self->output != NULL)
    self->layout = pen_table_sink_make_layout (self, error);
  if (self->layout != NULL)
    return TRUE;
  pen_table_sink_release (self);
  return FALSE;
}

static void
pen_table_sink_stop (PenElement *element)
{
  pen_table_sink_release (PEN_TABLE_SINK (element));
}

static void
pen_table_sink_check (PenElement *element, PenCheck *check)
{
  PenTableSink *self = PEN_TABLE_SINK (element);
  g_autoptr (GError) error = NULL;
  g_autoptr (PenTableLayout) layout = pen_table_sink_make_layout (self, &error);

  if (layout == NULL)
    pen_check_error (check, "columns", "%s", error->message);
  if (self->format != PEN_TABLE_FORMAT_TABLE && pen_check_is_set (check, "header-every"))
    pen_check_warning (check, "header-every",
                       "has no effect here: CSV and Markdown have their headers once, at the top");
  if (self->format == PEN_TABLE_FORMAT_CSV && pen_check_is_set (check, "digits"))
    pen_check_warning (check, "digits", "has no effect on CSV, whose numbers stay as they came");
}

static void
pen_table_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenTableSink *self = PEN_TABLE_SINK (object);

  switch (id)
    {
    case PROP_COLUMNS:
      g_value_set_boxed (value, self->columns);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, (gint) self->format);
      break;
    case PROP_DIGITS:
      g_value_set_uint (value, self->digits);
      break;
    case PROP_HEADER_EVERY:
      g_value_set_uint (value, self->header_every);
      break;
    case PROP_MAX_WIDTH:
      g_value_set_uint (value, self->max_width);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_table_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenTableSink *self = PEN_TABLE_SINK (object);

  switch (id)
    {
    case PROP_COLUMNS:
      g_strfreev (self->columns);
      self->columns = g_value_dup_boxed (value);
      break;
    case PROP_FORMAT:
      self->format = (PenTableFormat) g_value_get_enum (value);
      break;
    case PROP_DIGITS:
      self->digits = g_value_get_uint (value);
      break;
    case PROP_HEADER_EVERY:
      self->header_every = g_value_get_uint (value);
      break;
    case PROP_MAX_WIDTH:
      self->max_width = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
pen_table_sink_finalize (GObject *object)
{
  PenTableSink *self = PEN_TABLE_SINK (object);

  pen_table_sink_release (self);
  g_strfreev (self->columns);
  G_OBJECT_CLASS (pen_table_sink_parent_class)->finalize (object);
}

static void
pen_table_sink_class_init (PenTableSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSinkClass *sink_class = PEN_SINK_CLASS (class);

  object_class->get_property = pen_table_sink_get_property;
  object_class->set_property = pen_table_sink_set_property;
  object_class->finalize = pen_table_sink_finalize;
  element_class->check = pen_table_sink_check;
  element_class->start = pen_table_sink_start;
  element_class->stop = pen_table_sink_stop;
  sink_class->write = pen_table_sink_write;
  sink_class->blocks = pen_table_sink_blocks;

  properties[PROP_COLUMNS] = g_param_spec_boxed (
      "columns", NULL,
      "Columns as NAME, or HEADER=PLACE in the event; none: the members of the first event",
      G_TYPE_STRV, PEN_PARAM_DEFAULTS);
  properties[PROP_FORMAT]
      = g_param_spec_enum ("format", NULL, "What is written: an aligned table, csv or markdown",
                           pen_table_format_get_type (), (gint) DEFAULT_FORMAT, PEN_PARAM_DEFAULTS);
  properties[PROP_DIGITS] = g_param_spec_uint (
      "digits", NULL, "Significant digits of a number with a fraction or exponent; 0: as it came",
      0, LARGEST_DIGITS, DEFAULT_DIGITS, PEN_PARAM_DEFAULTS);
  properties[PROP_HEADER_EVERY] = g_param_spec_uint (
      "header-every", NULL,
      "Rows of a table under one line of headers; 1: each row is a table of its own; 0: all", 0,
      LARGEST_HEADER_EVERY, DEFAULT_HEADER_EVERY, PEN_PARAM_DEFAULTS);
  properties[PROP_MAX_WIDTH] = g_param_spec_uint (
      "max-width", NULL, "Columns of the terminal that a cell takes at most; longer ones are cut",
      LEAST_MAX_WIDTH, LARGEST_MAX_WIDTH, DEFAULT_MAX_WIDTH, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_table_sink_init (PenTableSink *self)
{
  self->format = DEFAULT_FORMAT;
  self->digits = DEFAULT_DIGITS;
  self->header_every = DEFAULT_HEADER_EVERY;
  self->max_width = DEFAULT_MAX_WIDTH;
}

PEN_PLUGIN_DEFINE ("table",
                   "Shows events as rows of a table on standard output",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sinks/table/README.md",
                   pen_table_sink_get_type)
