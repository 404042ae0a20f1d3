/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the properties of a window transform mean together: which windows, fields and results.
 */

#pragma once

#include "pen-window-function.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_WINDOW_TUMBLING,
  PEN_WINDOW_HOPPING,
  PEN_WINDOW_SLIDING,
} PenWindowKind;

typedef enum
{
  PEN_WINDOW_EMIT_CLOSE,
  PEN_WINDOW_EMIT_EVENT,
} PenWindowEmit;

typedef enum
{
  PEN_WINDOW_REFUSE_DROP,
  PEN_WINDOW_REFUSE_REJECT,
} PenWindowRefuse;

typedef enum
{
  PEN_WINDOW_UNIT_SECONDS,
  PEN_WINDOW_UNIT_MILLISECONDS,
  PEN_WINDOW_UNIT_MICROSECONDS,
  PEN_WINDOW_UNIT_ISO, /* only for what is written */
} PenWindowUnit;

/* The properties, as they are set. */
typedef struct
{
  PenWindowKind kind;
  char **windows;
  gint64 hop_us;
  gint64 offset_us;
  char **fields;
  char **functions;
  char *name;
  char **group_by;
  gboolean group_by_topic;
  char *time_field;
  PenWindowUnit time_unit;
  gint64 allowed_lateness_us;
  gint64 group_lag_us;
  gint64 max_ahead_us;
  PenWindowRefuse late;
  PenWindowRefuse invalid;
  gint64 expected_interval_us;
  PenWindowEmit emit;
  char *start_field;
  char *end_field;
  PenWindowUnit time_format;
  gboolean blanks;
  gboolean hold;
  guint max_groups;
  guint max_events;
  guint64 max_bytes;
} PenWindowSettings;

typedef struct
{
  char *text;
  gint64 size_us;
} PenWindowSize;

typedef struct
{
  PenJsonPath *path;
  char *name;
  PenWindowNeeds needs;
} PenWindowField;

/* A result: a function of a field, or of the events. */
typedef struct
{
  const PenWindowCall *call;
  int field;    /* -1: the events */
  char **names; /* for each window */
} PenWindowColumn;

typedef struct
{
  const PenWindowSettings *settings; /* the caller's */
  GArray *sizes;                     /* of PenWindowSize: as in the keyfile */
  GArray *fields;                    /* of PenWindowField */
  GPtrArray *calls;                  /* of PenWindowCall */
  GArray *columns;                   /* of PenWindowColumn */
  GArray *groups;                    /* of PenWindowField */
  PenJsonPath *time;                 /* (nullable): NULL for the time of arrival */
  gint64 longest_us;
} PenWindowPlan;

/* Hears of what is wrong with a property. */
typedef void (*PenWindowReport) (const char *property, const char *message, gpointer user_data);

/* (transfer full) (nullable): NULL if anything was wrong */
PenWindowPlan *
pen_window_plan_new (const PenWindowSettings *settings, PenWindowReport report, gpointer user_data);
void pen_window_plan_free (PenWindowPlan *self);
/* (nullable): the name under which a result says when its window began or ended */
const char *pen_window_plan_get_start_field (const PenWindowPlan *self);
const char *pen_window_plan_get_end_field (const PenWindowPlan *self);

#define PEN_WINDOW_GET_FIELD(plan, i) (&g_array_index ((plan)->fields, PenWindowField, (i)))
#define PEN_WINDOW_GET_GROUP(plan, i) (&g_array_index ((plan)->groups, PenWindowField, (i)))
#define PEN_WINDOW_GET_SIZE(plan, i) (&g_array_index ((plan)->sizes, PenWindowSize, (i)))
#define PEN_WINDOW_GET_COLUMN(plan, i) (&g_array_index ((plan)->columns, PenWindowColumn, (i)))

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenWindowPlan, pen_window_plan_free)

G_END_DECLS
