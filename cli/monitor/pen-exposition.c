/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Figures as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0.
 *
 * Both want all samples of a metric together, so the pipelines are walked once for each metric, and
 * what is written is handed on a piece at a time: thousands of pipelines cost time, but no memory.
 * How many samples there are is bounded by what is defined: pipelines, their elements, what an
 * element counts (PenMetrics bounds it, reasons included). A fleet's histograms, which have most
 * samples, are those of all its sites together.
 */

#include "config.h"

#include "pen-exposition-private.h"

#include "pen-readiness.h"

#include <math.h>
#include <string.h>

#define PIECE_BYTES (32 * 1024)
/* names that plugins count under and that are not known here */
#define MAX_OTHERS 100
#define MICROSECOND_DIGITS 6

struct _PenExposition
{
  GPtrArray *statuses;
  PenExpositionHttp http;
  gboolean is_open_metrics;
  gint64 now_us;
  GArray *families;  /* of PenFamily, with interned figures */
  GHashTable *names; /* of families: of what others have */
  guint family;      /* where it is */
  guint index;
  gboolean has_head;
};

/* A sample that is looked for in an element's figures. */
typedef struct
{
  const PenExposition *exposition;
  const PenFamily *family;
  PenStatus *status;
  const PenStatusElement *element; /* NULL: of the pipeline */
  GString *text;
} PenExpositionSearch;

/* documented in the private header, as what follows */
void
pen_exposition_append_parts (GString *text, gint64 value, guint n_digits)
{
  guint64 whole = (guint64) MAX (value, 0);
  guint64 divisor = 1;

  for (guint i = 0; i < n_digits; i++)
    divisor *= 10;
  g_string_append_printf (text, "%" G_GUINT64_FORMAT, whole / divisor);
  if (whole % divisor != 0)
    g_string_append_printf (text, ".%0*" G_GUINT64_FORMAT, (int) n_digits, whole % divisor);
}

void
pen_exposition_append_label (GString *text, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  g_string_append_printf (text, "%s=\"", name);
  for (const char *byte = valid; *byte != '\0'; byte++)
    if (*byte == '\n')
      g_string_append (text, "\\n");
    else
      {
        if (*byte == '\\' || *byte == '"')
          g_string_append_c (text, '\\');
        g_string_append_c (text, *byte);
      }
  g_string_append_c (text, '"');
}

void
pen_exposition_append_head (GString *text,
                            const char *prefix,
                            const char *name,
                            PenFamilyType type,
                            const char *help,
                            gboolean is_open_metrics)
{
  static const char *const types[] = { "counter", "gauge", "histogram" };
  const char *ending = type == PEN_FAMILY_COUNTER && !is_open_metrics ? "_total" : "";

  g_string_append_printf (text, "# HELP %s%s%s %s\n", prefix, name, ending, help);
  g_string_append_printf (text, "# TYPE %s%s%s %s\n", prefix, name, ending, types[type]);
}

static void
pen_exposition_append_sample (PenExpositionSearch *search, const char *reason, gint64 value)
{
  const PenFamily *family = search->family;
  GString *text = search->text;

  g_string_append_printf (text, "penstock_%s%s{", family->name,
                          family->type == PEN_FAMILY_COUNTER ? "_total" : "");
  pen_exposition_append_label (text, "pipeline", pen_status_get_name (search->status));
  if (search->element != NULL)
    {
      g_string_append_printf (text, ",kind=\"%s\",",
                              pen_element_kind_get_nick (search->element->kind));
      pen_exposition_append_label (text, "element", search->element->name);
    }
  if (reason != NULL)
    {
      g_string_append_c (text, ',');
      pen_exposition_append_label (text, family->reason != NULL ? family->reason : "reason",
                                   reason);
    }
  g_string_append (text, "} ");
  if (family->scale == PEN_FAMILY_PLAIN)
    g_string_append_printf (text, "%" G_GINT64_FORMAT, value);
  else if (family->scale == PEN_FAMILY_SECONDS)
    pen_exposition_append_parts (text, value, MICROSECOND_DIGITS);
  else
    pen_exposition_append_parts (text, value > 0 ? search->exposition->now_us - value : 0,
                                 MICROSECOND_DIGITS);
  g_string_append_c (text, '\n');
}

static void
pen_exposition_take_metric (const char *name,
                            const char *reason,
                            PenMetricKind kind,
                            gint64 value,
                            gpointer user_data)
{
  PenExpositionSearch *search = user_data;

  if (name == search->family->figure)
    pen_exposition_append_sample (search, reason, value);
}

static void
pen_exposition_append_elements (PenExpositionSearch *search)
{
  for (guint i = 0; i < pen_status_get_n_elements (search->status); i++)
    {
      search->element = pen_status_get_element (search->status, i);
      if (search->family->kinds & (1U << search->element->kind))
        pen_metrics_foreach (search->element->metrics, pen_exposition_take_metric, search);
    }
}

static void
pen_exposition_append_state (PenExpositionSearch *search)
{
  PenStatusState state = pen_status_get_state (search->status);
  const char *figure = search->family->figure;
  gboolean value = state == PEN_STATUS_FAILED;

  if (g_str_equal (figure, "running"))
    value = state == PEN_STATUS_RUNNING;
  else if (g_str_equal (figure, "ready"))
    value = pen_readiness_judge (search->status, PEN_READINESS_STUCK_US, NULL, NULL);
  pen_exposition_append_sample (search, NULL, value);
}

static void
pen_exposition_append_of_status (PenExposition *self, const PenFamily *family, GString *text)
{
  PenExpositionSearch search = {
    .exposition = self,
    .family = family,
    .status = g_ptr_array_index (self->statuses, self->index),
    .text = text,
  };

  if (family->type == PEN_FAMILY_HISTOGRAM)
    pen_exposition_append_histograms (text, search.status, family->figure, family->name);
  else if (family->origin == PEN_FAMILY_OF_ELEMENT)
    pen_exposition_append_elements (&search);
  else if (family->origin == PEN_FAMILY_OF_PIPELINE)
    pen_metrics_foreach (pen_status_get_metrics (search.status), pen_exposition_take_metric,
                         &search);
  else
    pen_exposition_append_state (&search);
}

/* The next pipeline's part of the family that is under way; the head before the first sample. */
static void
pen_exposition_go_on (PenExposition *self, GString *text)
{
  const PenFamily *family = &g_array_index (self->families, PenFamily, self->family);
  gboolean is_last = self->index >= self->statuses->len;
  gsize length = text->len;

  if (!is_last)
    pen_exposition_append_of_status (self, family, text);
  else if (family->type == PEN_FAMILY_HISTOGRAM)
    pen_exposition_append_fleet_histograms (text, self->statuses, family->figure, family->name);
  if (text->len > length && !self->has_head)
    {
      g_autoptr (GString) head = g_string_new (NULL);

      pen_exposition_append_head (head, "penstock_", family->name, family->type, family->help,
                                  self->is_open_metrics);
      g_string_insert_len (text, (gssize) length, head->str, (gssize) head->len);
      self->has_head = TRUE;
    }
  self->index++;
  if (!is_last)
    return;
  self->index = 0;
  self->has_head = FALSE;
  self->family++;
}

/* --- What plugins count besides --- */

/* "frames_us" becomes frames_seconds */
static char *
pen_exposition_make_name (const PenExposition *self, const char *figure, PenFamilyScale *scale)
{
  g_autofree char *name = g_strdup (figure);

  *scale = PEN_FAMILY_PLAIN;
  g_strcanon (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_", '_');
  if (g_str_has_suffix (name, "_us"))
    {
      g_autofree char *stem = g_strndup (name, strlen (name) - strlen ("_us"));

      *scale = PEN_FAMILY_SECONDS;
      g_free (name);
      name = g_strconcat (stem, "_seconds", NULL);
    }
  else if (g_str_has_suffix (name, "_total"))
    name[strlen (name) - strlen ("_total")] = '\0';
  if (!g_hash_table_contains (self->names, name))
    return g_steal_pointer (&name);
  return g_strconcat ("plugin_", name, NULL);
}

static void
pen_exposition_find_other (const char *name,
                           const char *reason,
                           PenMetricKind kind,
                           gint64 value,
                           gpointer user_data)
{
  PenExposition *self = user_data;
  PenFamily family = { .figure = name, .kinds = PEN_FAMILY_ALL_KINDS };
  g_autofree char *own = NULL;

  for (guint i = 0; i < self->families->len; i++)
    if (g_array_index (self->families, PenFamily, i).figure == name)
      return;
  own = pen_exposition_make_name (self, name, &family.scale);
  if (self->families->len >= pen_n_families + MAX_OTHERS
      || g_hash_table_contains (self->names, own))
    return;
  family.name = g_intern_string (own);
  family.type = kind == PEN_METRIC_COUNTER ? PEN_FAMILY_COUNTER : PEN_FAMILY_GAUGE;
  family.help = "Counted by a plugin, whose README says what it is.";
  g_hash_table_add (self->names, (char *) family.name);
  g_array_append_val (self->families, family);
}

static void
pen_exposition_find_others (PenExposition *self)
{
  for (guint i = 0; i < self->statuses->len; i++)
    {
      PenStatus *status = g_ptr_array_index (self->statuses, i);

      for (guint j = 0; j < pen_status_get_n_elements (status); j++)
        pen_metrics_foreach (pen_status_get_element (status, j)->metrics, pen_exposition_find_other,
                             self);
    }
}

/* documented in the header, as what follows */
PenExposition *
pen_exposition_new (GPtrArray *statuses, const PenExpositionHttp *http, gboolean is_open_metrics)
{
  PenExposition *self = g_new0 (PenExposition, 1);

  self->statuses = statuses;
  self->http = *http;
  self->is_open_metrics = is_open_metrics;
  self->now_us = g_get_real_time ();
  self->families = g_array_sized_new (FALSE, FALSE, sizeof (PenFamily), pen_n_families);
  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < pen_n_families; i++)
    {
      PenFamily family = pen_families[i];

      family.figure = g_intern_static_string (family.figure);
      g_array_append_val (self->families, family);
      if (family.name != NULL)
        g_hash_table_add (self->names, (char *) family.name);
    }
  pen_exposition_find_others (self);
  return self;
}

void
pen_exposition_free (PenExposition *self)
{
  g_ptr_array_unref (self->statuses);
  g_array_unref (self->families);
  g_hash_table_unref (self->names);
  g_free (self);
}

gboolean
pen_exposition_write_some (PenExposition *self, GString *text)
{
  if (self->family == 0 && self->index == 0)
    pen_exposition_append_process (text, self->statuses, &self->http, self->is_open_metrics);
  while (text->len < PIECE_BYTES && self->family < self->families->len)
    if (g_array_index (self->families, PenFamily, self->family).name != NULL)
      pen_exposition_go_on (self, text);
    else
      self->family++;
  if (self->family < self->families->len)
    return TRUE;
  if (self->is_open_metrics)
    g_string_append (text, "# EOF\n");
  return FALSE;
}
