/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pages of a SQLite database and of its log, read without SQLite: whatever is damaged, the rest
 * can be looked at.
 */

#pragma once

#include "pen-spool-store.h"

G_BEGIN_DECLS

/* Of a page there is an image in the database, and one in the log for each transaction that has
 * changed it. */
typedef enum
{
  PEN_SPOOL_PAGE_LIVE = 1 << 0,  /* what SQLite would read */
  PEN_SPOOL_PAGE_FREE = 1 << 1,  /* that, but nothing refers to it any more */
  PEN_SPOOL_PAGE_STALE = 1 << 2, /* there is a newer one, or nobody has committed it */
} PenSpoolPageKind;

/* The cell of a leaf of a table. */
typedef struct
{
  PenSpoolPageKind kind;
  gint64 row_id;
  const guint8 *record; /* until the function returns */
  gsize length;
} PenSpoolCell;

typedef struct
{
  /* Whether the row is worth reading all of it, as parts of it may lie on other pages. */
  gboolean (*wants) (gint64 row_id, PenSpoolPageKind kind, gsize length, gpointer user_data);
  /* FALSE: it is not right, so try with other images of those other pages, if there are any */
  gboolean (*take) (const PenSpoolCell *cell, gpointer user_data);
  /* FALSE: break off */
  gboolean (*progress) (double done, gpointer user_data);
} PenSpoolPageFunctions;

typedef struct _PenSpoolPages PenSpoolPages;

/* @fd, @wal_fd: descriptors, -1 if there is no such file; they stay the caller's */
PEN_RUNTIME_EXPORT
PenSpoolPages *pen_spool_pages_new (int fd, int wal_fd);
PEN_RUNTIME_EXPORT
void pen_spool_pages_free (PenSpoolPages *self);
/* Whether there is more in the log than SQLite would read, that does not look like a remainder. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_pages_is_log_damaged (const PenSpoolPages *self);
/* Of all leaves of these kinds, the live ones first, then from the newest to the oldest. FALSE if
 * it was broken off. */
PEN_RUNTIME_EXPORT
gboolean pen_spool_pages_foreach (PenSpoolPages *self,
                                  PenSpoolPageKind kinds,
                                  const PenSpoolPageFunctions *functions,
                                  gpointer user_data);

/* A column of a record: @data NULL for SQL's NULL and for numbers. */
typedef struct
{
  const guint8 *data;
  gsize length;
  gint64 number;
} PenSpoolColumn;

/* FALSE: the record does not have exactly @n_columns, or is none */
PEN_RUNTIME_EXPORT
gboolean pen_spool_record_parse (const guint8 *record,
                                 gsize length,
                                 PenSpoolColumn *columns,
                                 guint n_columns);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSpoolPages, pen_spool_pages_free)

G_END_DECLS
