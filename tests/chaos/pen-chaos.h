/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stage of the kill matrix: a broker, the penstock command, a load, faults, and the account
 * that is settled at the end.
 */

#pragma once

#include "pen-broker.h"
#include "pen-chaos-ledger.h"
#include "pen-chaos-load.h"
#include "pen-chaos-proxy.h"
#include "pen-test.h"

G_BEGIN_DECLS

/* A working instance answers within this; the source may wait for 75 s until it tries again. */
#define PEN_CHAOS_WAIT_MS 120000

/* What a scenario wants; zero-initialise. */
typedef struct
{
  const char *source_keys; /* further lines of [source mqtt] */
  const char *sink_keys;   /* further lines of [sink file] */
  gboolean has_proxy;      /* between penstock and the broker */
  gboolean has_clock;      /* whose wall clock can be set */
  gboolean writes_to_pipe; /* a FIFO, read only while nobody holds it up */
  gboolean saves;          /* the broker: so that it can be killed */
  gboolean is_plain;       /* no TLS: so that a proxy can talk along */
  gboolean is_supervised;  /* a command that ends is started again, and that is counted */
  guint output_mib;        /* a file system of its own for the output; 0: none */
  guint state_mib;         /* the same for the state folder */
} PenChaosPlan;

typedef struct _PenChaos PenChaos;

/* From the environment, for all scenarios. */
typedef struct
{
  guint32 seed;
  guint n_faults; /* of each scenario; 0: its own number */
  guint rate;     /* messages a second */
  guint minutes;  /* of the blocked sink; 0: its short form */
  gboolean is_loss_expected;
  const char *results; /* a file that a line of JSON is appended to for each scenario, or NULL */
} PenChaosSettings;

const PenChaosSettings *pen_chaos_get_settings (void);
guint pen_chaos_get_n_faults (guint short_form);

typedef void (*PenChaosFunc) (PenChaos *self);

/* A case with the spool and one without, or only one of them. */
typedef enum
{
  PEN_CHAOS_DIRECT = 1 << 0,
  PEN_CHAOS_SPOOL = 1 << 1,
  PEN_CHAOS_BOTH = PEN_CHAOS_DIRECT | PEN_CHAOS_SPOOL,
} PenChaosModes;

void
pen_chaos_add (const char *name, PenChaosModes modes, const PenChaosPlan *plan, PenChaosFunc func);

/* The parts of the stage. */
PenBroker *pen_chaos_get_broker (PenChaos *self);
PenChaosProxy *pen_chaos_get_proxy (PenChaos *self);
const char *pen_chaos_get_output_folder (PenChaos *self);
const char *pen_chaos_get_state_folder (PenChaos *self);
guint pen_chaos_get_n_numbers (PenChaos *self);

/* The command. */
GPid pen_chaos_get_pid (PenChaos *self);
void pen_chaos_write_keyfile (PenChaos *self, const char *more_pipeline_keys);
void pen_chaos_spawn (PenChaos *self);
void pen_chaos_kill (PenChaos *self);
void pen_chaos_signal (PenChaos *self, int signal_number);
void pen_chaos_set_clock (PenChaos *self, gint64 offset_us);
void pen_chaos_kill_broker (PenChaos *self);

/* Time. */
guint pen_chaos_random (PenChaos *self, guint from, guint below);
void pen_chaos_pass (PenChaos *self, guint milliseconds);
void pen_chaos_let_settle (PenChaos *self, guint index);
gboolean pen_chaos_await_numbers (PenChaos *self, guint n_more);
void pen_chaos_expect_numbers (PenChaos *self, guint n_more);
/* A fault is over; how long it takes until the next number comes is written down. */
void pen_chaos_fault_over (PenChaos *self);
/* The fault has left no interruption to be measured. */
void pen_chaos_fault_counted (PenChaos *self);
void pen_chaos_hold_reader (PenChaos *self, gboolean is_held);
/* From now on the growth of memory counts; up to now it is told apart from what comes. */
void pen_chaos_watch_memory (PenChaos *self);
void pen_chaos_mark_memory (PenChaos *self);
void pen_chaos_skip (PenChaos *self, const char *reason);

G_END_DECLS
