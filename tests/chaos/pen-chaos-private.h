/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stage and account share.
 */

#pragma once

#include "pen-chaos.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A kill of the broker: what it confirmed in between, it may not have saved. */
typedef struct
{
  gint64 saved_us;   /* it has on its disk what it confirmed before */
  gint64 started_us; /* it is there again */
} PenChaosGap;

struct _PenChaos
{
  /* constant after start */
  const char *name;
  const PenChaosPlan *plan;
  gboolean has_spool;
  char *folder;
  char *output_folder;
  char *state_folder;
  char *keyfile;
  GRand *random;

  PenBroker *broker;
  PenChaosProxy *proxy;
  PenChaosLoad *load;
  PenChaosLedger *ledger;
  GSubprocess *process;
  gint64 *clock; /* shared with the command; NULL: it has no clock of its own */
  gboolean is_skipped;
  gboolean is_reader_held;
  gboolean is_ending; /* the command is told to end */

  /* the account */
  gint64 begun_us;
  gint64 ended_us; /* of the load */
  guint n_faults;
  guint n_ends;           /* of the command, by itself */
  gint64 fault_over_us;   /* 0: nothing is waited for */
  guint n_numbers_before; /* when the fault was over */
  GArray *recoveries;     /* of gint64 µs */
  GArray *gaps;           /* of PenChaosGap */
  gint64 memory_before_kib;
  gint64 memory_marked_kib; /* the most until pen_chaos_mark_memory (); 0: never called */
  gint64 memory_most_kib;
  gint64 memory_looked_us;
};

/* Reads what has come, and looks at what is to be measured. */
void pen_chaos_look (PenChaos *self);
gboolean pen_chaos_wait (PenChaos *self, PenTestCondition condition, guint timeout_ms);

/* pen-chaos-account.c */
void pen_chaos_settle_account (PenChaos *self);
void pen_chaos_show_log (PenChaos *self);

G_END_DECLS
