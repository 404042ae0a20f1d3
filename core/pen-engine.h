/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All pipelines of a process.
 */

#pragma once

#include "pen-definition.h"
#include "pen-status.h"
#include "pen-tap.h"

G_BEGIN_DECLS

#define PEN_TYPE_ENGINE (pen_engine_get_type ())
PEN_RUNTIME_EXPORT
G_DECLARE_FINAL_TYPE (PenEngine, pen_engine, PEN, ENGINE, GObject)

/* Why a run ended, in the order of precedence. */
typedef enum
{
  PEN_OUTCOME_DONE,        /* asked to, or the sources ended and everything was delivered */
  PEN_OUTCOME_UNDELIVERED, /* the sources ended and something could not be delivered */
  PEN_OUTCOME_FAILED,      /* a pipeline failed for good */
} PenOutcome;

/* Signal "finished": emitted once on the context that called pen_engine_start, when every pipeline
 * has ended, by itself or because of pen_engine_stop. Signal "pipeline-ended": one has, and there
 * may be others. Everything below is for that thread. */
PEN_RUNTIME_EXPORT
PenEngine *pen_engine_new (guint n_lanes);
/* Before pen_engine_add (): where the spools are. */
PEN_RUNTIME_EXPORT
void pen_engine_set_state_folder (PenEngine *self, const char *state_folder);
PEN_RUNTIME_EXPORT
void pen_engine_add (PenEngine *self, PenDefinition *definition);
PEN_RUNTIME_EXPORT
void pen_engine_start (PenEngine *self);
PEN_RUNTIME_EXPORT
void pen_engine_stop (PenEngine *self);
PEN_RUNTIME_EXPORT
gboolean pen_engine_has_abandoned (PenEngine *self);
/* What a reload does to a pipeline. */
typedef enum
{
  PEN_ENGINE_UNCHANGED, /* runs on */
  PEN_ENGINE_KEPT,      /* runs on as it was: its new file is faulty */
  PEN_ENGINE_STARTED,   /* is new */
  PEN_ENGINE_REPLACED,  /* drains, then begins again */
  PEN_ENGINE_STOPPED,   /* drains: it is gone from the files */
  PEN_ENGINE_GONE,      /* nothing: it is gone from the files, and drains already or has ended */
} PenEngineChange;

typedef void (*PenEngineChangeFunc) (const char *pipeline,
                                     PenEngineChange change,
                                     gpointer user_data);
PEN_RUNTIME_EXPORT
void pen_engine_reload (PenEngine *self,
                        GPtrArray *definitions,
                        const char *const *faulty_paths,
                        PenEngineChangeFunc func,
                        gpointer user_data);
/* How a pipeline is that a reload finds. */
typedef enum
{
  PEN_ENGINE_RUNNING,  /* or about to */
  PEN_ENGINE_STOPPING, /* a reload has stopped it, and it still drains */
  PEN_ENGINE_ENDED,    /* its sources have */
  PEN_ENGINE_FAILED,   /* for good */
} PenEngineState;

/* What a reload does to a pipeline that is there before: one of @path, in @state; @is_defined says
 * whether its name is still among the definitions, and @is_equal whether that definition is equal
 * to its own. */
PEN_RUNTIME_EXPORT
PenEngineChange pen_engine_decide (const char *path,
                                   PenEngineState state,
                                   gboolean is_defined,
                                   gboolean is_equal,
                                   const char *const *faulty_paths);

/* Called for every pipeline; @definition is the one that a reload compares with. */
typedef void (*PenEngineStateFunc) (const PenDefinition *definition,
                                    PenEngineState state,
                                    gpointer user_data);
PEN_RUNTIME_EXPORT
void pen_engine_foreach_pipeline (PenEngine *self, PenEngineStateFunc func, gpointer user_data);
PEN_RUNTIME_EXPORT
PenOutcome pen_engine_get_outcome (PenEngine *self);

/* (transfer full) (element-type PenStatus): how the pipelines are that run now or have ended by
 * themselves, in the order in which they came. From any thread. */
PEN_RUNTIME_EXPORT
GPtrArray *pen_engine_list_statuses (PenEngine *self);

/* After pen_engine_start (): @tap is opened at the pipeline whose name it has, and again at each
 * that takes its place. */
PEN_RUNTIME_EXPORT
void pen_engine_add_tap (PenEngine *self, PenTap *tap);
PEN_RUNTIME_EXPORT
void pen_engine_remove_tap (PenEngine *self, PenTap *tap);
/* Whether all lanes answer within @timeout_us, for which it may block; how many do. One that does
 * not is stuck in an element. After pen_engine_start (), from any thread but a lane. */
PEN_RUNTIME_EXPORT
gboolean
pen_engine_probe_lanes (PenEngine *self, gint64 timeout_us, guint *n_lanes, guint *n_answers);

/* Called for every element; @metrics is only read. */
typedef void (*PenEngineMetricsFunc) (const char *pipeline,
                                      PenElementKind kind,
                                      const char *element,
                                      PenMetrics *metrics,
                                      gpointer user_data);
PEN_RUNTIME_EXPORT
void pen_engine_foreach_metrics (PenEngine *self, PenEngineMetricsFunc func, gpointer user_data);
/* The same for pipelines that a reload replaced or stopped: counters alone, one set for all that
 * had the same pipeline and element name. */
PEN_RUNTIME_EXPORT
void
pen_engine_foreach_past_metrics (PenEngine *self, PenEngineMetricsFunc func, gpointer user_data);

G_END_DECLS
