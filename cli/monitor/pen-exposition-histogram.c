/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Histograms as Prometheus reads them: the buckets add up, and their sum is the count, so that a
 * figure that grows meanwhile cannot contradict another.
 */

#include "config.h"

#include "pen-exposition-private.h"

#include <math.h>
#include <string.h>

#define LE_BYTES 32

/* What has been added up, of one element or of a fleet's. */
typedef struct
{
  const char *group_label; /* "pipeline" or "fleet" */
  const char *group;
  PenElementKind kind;
  const char *element;
  const PenHistogramScale *scale; /* NULL: there is none */
  gint64 sum;
  gint64 counts[PEN_HISTOGRAM_MAX_BOUNDS + 1];
} PenHistogramTally;

typedef struct
{
  const char *figure;
  PenHistogramTally *tally;
} PenHistogramSearch;

static void
pen_exposition_add_histogram (const char *name, const PenHistogram *histogram, gpointer user_data)
{
  PenHistogramSearch *search = user_data;
  PenHistogramTally *tally = search->tally;

  if (name != search->figure)
    return;
  tally->scale = histogram->scale;
  tally->sum += pen_metric_get (&histogram->sum);
  for (guint i = 0; i <= histogram->scale->n_bounds; i++)
    tally->counts[i] += pen_metric_get (&histogram->counts[i]);
}

static void
pen_exposition_append_start (GString *text,
                             const PenHistogramTally *tally,
                             const char *name,
                             const char *ending)
{
  g_string_append_printf (text, "penstock_%s%s{", name, ending);
  pen_exposition_append_label (text, tally->group_label, tally->group);
  g_string_append_printf (text, ",kind=\"%s\",", pen_element_kind_get_nick (tally->kind));
  pen_exposition_append_label (text, "element", tally->element);
}

/* "0.005", "1.0": the same in both formats, or a series would change its name with the scraper. */
static void
pen_exposition_format_bound (char *buffer, const PenHistogramScale *scale, guint index)
{
  double bound = (double) scale->bounds[index] * scale->unit;

  g_ascii_formatd (buffer, LE_BYTES, "%.6g", bound);
  if (strpbrk (buffer, ".e") == NULL)
    g_strlcat (buffer, ".0", LE_BYTES);
}

static void
pen_exposition_append_tally (GString *text, const PenHistogramTally *tally, const char *name)
{
  guint n_digits = (guint) lround (-log10 (tally->scale->unit));
  gint64 count = 0;

  for (guint i = 0; i <= tally->scale->n_bounds; i++)
    {
      char bound[LE_BYTES] = "+Inf";

      if (i < tally->scale->n_bounds)
        pen_exposition_format_bound (bound, tally->scale, i);
      count += tally->counts[i];
      pen_exposition_append_start (text, tally, name, "_bucket");
      g_string_append_printf (text, ",le=\"%s\"} %" G_GINT64_FORMAT "\n", bound, count);
    }
  pen_exposition_append_start (text, tally, name, "_sum");
  g_string_append (text, "} ");
  pen_exposition_append_parts (text, tally->sum, n_digits);
  g_string_append_c (text, '\n');
  pen_exposition_append_start (text, tally, name, "_count");
  g_string_append_printf (text, "} %" G_GINT64_FORMAT "\n", count);
}

/* documented in the private header, as what follows */
void
pen_exposition_append_histograms (GString *text,
                                  PenStatus *status,
                                  const char *figure,
                                  const char *name)
{
  if (pen_status_get_fleet (status) != NULL)
    return;
  for (guint i = 0; i < pen_status_get_n_elements (status); i++)
    {
      const PenStatusElement *element = pen_status_get_element (status, i);
      PenHistogramTally tally = {
        .group_label = "pipeline",
        .group = pen_status_get_name (status),
        .kind = element->kind,
        .element = element->name,
      };
      PenHistogramSearch search = { figure, &tally };

      pen_metrics_foreach_histogram (element->metrics, pen_exposition_add_histogram, &search);
      if (tally.scale != NULL)
        pen_exposition_append_tally (text, &tally, name);
    }
}

static PenHistogramTally *
pen_exposition_get_tally (GPtrArray *tallies,
                          GHashTable *index,
                          const char *fleet,
                          const PenStatusElement *element)
{
  g_autofree char *key = g_strdup_printf ("%s/%d/%s", fleet, (int) element->kind, element->name);
  PenHistogramTally *tally = g_hash_table_lookup (index, key);

  if (tally != NULL)
    return tally;
  tally = g_new0 (PenHistogramTally, 1);
  tally->group_label = "fleet";
  tally->group = fleet;
  tally->kind = element->kind;
  tally->element = element->name;
  g_ptr_array_add (tallies, tally);
  g_hash_table_insert (index, g_steal_pointer (&key), tally);
  return tally;
}

void
pen_exposition_append_fleet_histograms (GString *text,
                                        GPtrArray *statuses,
                                        const char *figure,
                                        const char *name)
{
  g_autoptr (GPtrArray) tallies = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < statuses->len; i++)
    {
      PenStatus *status = g_ptr_array_index (statuses, i);
      const char *fleet = pen_status_get_fleet (status);

      for (guint j = 0; fleet != NULL && j < pen_status_get_n_elements (status); j++)
        {
          const PenStatusElement *element = pen_status_get_element (status, j);
          PenHistogramSearch search
              = { figure, pen_exposition_get_tally (tallies, index, fleet, element) };

          pen_metrics_foreach_histogram (element->metrics, pen_exposition_add_histogram, &search);
        }
    }
  for (guint i = 0; i < tallies->len; i++)
    {
      const PenHistogramTally *tally = g_ptr_array_index (tallies, i);

      if (tally->scale != NULL)
        pen_exposition_append_tally (text, tally, name);
    }
}
