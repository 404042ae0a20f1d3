/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts of an exposition share: the families of metrics, and how a sample is written.
 */

#pragma once

#include "pen-exposition.h"
#include "pen-metrics-private.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_FAMILY_COUNTER,
  PEN_FAMILY_GAUGE,
  PEN_FAMILY_HISTOGRAM,
} PenFamilyType;

/* How a value is told. */
typedef enum
{
  PEN_FAMILY_PLAIN,
  PEN_FAMILY_SECONDS, /* of microseconds */
  PEN_FAMILY_AGE,     /* seconds since; 0 stays 0 */
} PenFamilyScale;

typedef enum
{
  PEN_FAMILY_OF_ELEMENT,
  PEN_FAMILY_OF_PIPELINE, /* of its own figures */
  PEN_FAMILY_OF_STATUS,   /* what its state says */
} PenFamilyOrigin;

#define PEN_FAMILY_ALL_KINDS 0xf

/* One metric, of all that have it. */
typedef struct
{
  PenFamilyOrigin origin;
  guint kinds;        /* a bit for each PenElementKind */
  const char *figure; /* its name in a PenMetrics */
  const char *name;   /* for Prometheus, with unit, without _total; penstock_ comes before it */
  PenFamilyType type;
  PenFamilyScale scale;
  const char *reason; /* name of the label that a reason becomes */
  const char *help;
} PenFamily;

/* What is always known, in the order in which it is written; without a name, it is not. */
extern const PenFamily pen_families[];
extern const guint pen_n_families;

/* A whole number of parts, of which ten to the power of @n_digits make one. */
void pen_exposition_append_parts (GString *text, gint64 value, guint n_digits);
/* HELP and TYPE. */
void pen_exposition_append_head (GString *text,
                                 const char *prefix,
                                 const char *name,
                                 PenFamilyType type,
                                 const char *help,
                                 gboolean is_open_metrics);
/* NAME="VALUE" */
void pen_exposition_append_label (GString *text, const char *name, const char *value);

/* pen-exposition-process.c */
void pen_exposition_append_process (GString *text,
                                    GPtrArray *statuses,
                                    const PenExpositionHttp *http,
                                    gboolean is_open_metrics);

/* pen-exposition-histogram.c; @figure is interned. Of a pipeline that is no site. */
void pen_exposition_append_histograms (GString *text,
                                       PenStatus *status,
                                       const char *figure,
                                       const char *name);
/* Of the sites of each fleet together. */
void pen_exposition_append_fleet_histograms (GString *text,
                                             GPtrArray *statuses,
                                             const char *figure,
                                             const char *name);

G_END_DECLS
