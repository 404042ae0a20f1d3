/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What has come out at the other end: which numbers, how often, in which order, and which lines are
 * none of ours.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How a line begins that a proxy has made up. */
#define PEN_CHAOS_FOREIGN "{\"flood\":"

typedef struct
{
  guint n_lines;      /* whole lines that were published */
  guint n_numbers;    /* different ones among them */
  guint n_disordered; /* numbers that came first after a higher one had come */
  guint n_foreign;    /* lines that the flood of a proxy made */
  guint n_torn;       /* all others: parts of lines, lines glued together */
} PenChaosTally;

typedef struct _PenChaosLedger PenChaosLedger;

PenChaosLedger *pen_chaos_ledger_new (const char *path);
void pen_chaos_ledger_free (PenChaosLedger *self);
/* Reads what is new; of a pipe, what there is. */
void pen_chaos_ledger_read (PenChaosLedger *self);
const PenChaosTally *pen_chaos_ledger_get_tally (const PenChaosLedger *self);
gboolean pen_chaos_ledger_has (const PenChaosLedger *self, guint number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenChaosLedger, pen_chaos_ledger_free)

G_END_DECLS
