/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a process tells of its pipelines, twice: from the difference come the rates.
 */

#pragma once

#include "pen-cli-peer.h"

G_BEGIN_DECLS

/* How many buckets a process may tell. */
#define PEN_CLI_TOP_MAX_BUCKETS 32

/* The figures that are added up. */
typedef enum
{
  PEN_CLI_TOP_SOURCES,
  PEN_CLI_TOP_CONNECTED,
  PEN_CLI_TOP_RECEIVED,
  PEN_CLI_TOP_BYTES_RECEIVED,
  PEN_CLI_TOP_DELIVERED,
  PEN_CLI_TOP_DROPPED,
  PEN_CLI_TOP_REJECTED,
  PEN_CLI_TOP_DEAD_LETTERS,
  PEN_CLI_TOP_FAILURES,
  PEN_CLI_TOP_QUEUED,
  PEN_CLI_TOP_SPOOLED,
  PEN_CLI_TOP_SPOOL_BYTES,
  PEN_CLI_TOP_N_FIGURES,
} PenCliTopFigure;

typedef struct
{
  char *name;
  char *state;     /* "running" */
  gint64 since_us; /* how long it has been so */
  gint64 figures[PEN_CLI_TOP_N_FIGURES];
  double rates[PEN_CLI_TOP_N_FIGURES]; /* a second; of what only grows */
  gint64 latencies[PEN_CLI_TOP_MAX_BUCKETS];
  gint64 latency_us;  /* what 95 of 100 deliveries since the last look did not exceed, or -1 */
  char *complaint;    /* (nullable) */
  char *complaint_of; /* (nullable): an element */
  GStrv elements;
} PenCliTopRow;

typedef struct
{
  gint64 taken_us; /* by the process's monotonic clock */
  gint64 latency_bounds[PEN_CLI_TOP_MAX_BUCKETS];
  guint n_bounds;
  GPtrArray *rows;    /* (element-type PenCliTopRow) */
  PenCliTopRow total; /* nothing in it is allocated */
} PenCliTopLook;

/* (transfer full) (nullable): what runs now; NULL if the process is gone. @before (nullable): the
 * look before, for the rates; without it they are since the pipelines began. @patterns (nullable):
 * (element-type GPatternSpec): only pipelines that fit one */
PenCliTopLook *
pen_cli_top_look (PenCliPeer *peer, const PenCliTopLook *before, const GPtrArray *patterns);
void pen_cli_top_look_free (PenCliTopLook *self);

/* The name of a figure in JSON. */
const char *pen_cli_top_get_figure_name (PenCliTopFigure figure);

/* What the rows may be sorted by: an index into these names, which end with NULL. */
extern const char *const pen_cli_top_sort_names[];
void pen_cli_top_sort (PenCliTopLook *self, guint by);

/* The table: at most @width columns wide, 0 for any. Of the rows, those from @first on, and at
 * most @n_rows. Each line ends with a newline. */
typedef struct
{
  guint width;
  guint first;
  guint n_rows;
  guint sorted_by;
  gboolean has_bold;
} PenCliTopLayout;

void pen_cli_top_append_table (GString *text,
                               const PenCliPeer *peer,
                               const PenCliTopLook *look,
                               const PenCliTopLayout *layout);
void pen_cli_top_append_json (GString *text, const PenCliPeer *peer, const PenCliTopLook *look);

/* What looks like a screenful until somebody presses q. The exit status. */
int pen_cli_top_show (const PenCli *cli,
                      PenCliPeer *peer,
                      const GPtrArray *patterns,
                      guint sorted_by,
                      gint64 interval_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliTopLook, pen_cli_top_look_free)

G_END_DECLS
