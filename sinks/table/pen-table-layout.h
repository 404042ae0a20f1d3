/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lays out rows under headers: a table for a terminal, CSV, Markdown.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef enum
{
  PEN_TABLE_FORMAT_TABLE,
  PEN_TABLE_FORMAT_CSV,
  PEN_TABLE_FORMAT_MARKDOWN,
} PenTableFormat;

typedef struct
{
  const char *const
      *columns; /* (nullable): HEADER or HEADER=PLACE; none: the first event's members */
  const char *pipeline;
  PenTableFormat format;
  guint digits;
  guint header_every;
  guint max_width;
  gboolean is_terminal; /* CSV is made harmless too */
} PenTableOptions;

typedef struct _PenTableLayout PenTableLayout;

/* (transfer full) (nullable) */
PenTableLayout *pen_table_layout_new (const PenTableOptions *options, GError **error);
void pen_table_layout_free (PenTableLayout *self);
/* (transfer full) (nullable): the row of an event, with the headers above it if they are due.
 * PEN_JSON_ERROR: it has no row. */
GBytes *pen_table_layout_append (PenTableLayout *self, PenEvent *event, GError **error);
/* Whether the headers were never asked for, or the rows under the last ones are complete. */
gboolean pen_table_layout_is_header_due (const PenTableLayout *self);
/* The last headers were not written: they come again. */
void pen_table_layout_repeat_header (PenTableLayout *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenTableLayout, pen_table_layout_free)

G_END_DECLS
