/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All pipelines of a process: which lane each lives on, what a reload changes, and when the run is
 * over.
 *
 * An entry is a pipeline's place. When its pipeline has ended the entry goes too, unless there is a
 * definition that takes its place: a pipeline that a reload changed is replaced on the same lane,
 * after it has drained and closed, so that two of one name never run side by side (they would share
 * a client id, or a file).
 */

#include "config.h"

#include "pen-engine.h"

#include "pen-pipeline.h"
#include "pen-settings.h"

/* Beyond the drain timeout, until a lane that does not answer is left behind. */
#define GRACE_US (5 * G_USEC_PER_SEC)

/* Everything is for the thread that started the engine. */
typedef struct
{
  PenEngine *engine;
  PenLane *lane;
  PenDefinition *definition;
  PenPipeline *pipeline;
  PenStatus *status;        /* the engine's: of the pipeline */
  PenDefinition *successor; /* takes its place when it has ended */
  gboolean is_leaving;      /* was asked to stop */
  gboolean has_ended;
} PenEngineEntry;

/* What an element counted in pipelines that are gone. */
typedef struct
{
  char *pipeline;
  char *element;
  PenElementKind kind;
  PenMetrics *metrics;
} PenEnginePast;

struct _PenEngine
{
  GObject parent_instance;

  /* constant after start */
  GMainContext *context;
  char *state_folder;
  guint n_lanes;
  PenLane **lanes;
  PenWorkers *workers;
  GPtrArray *entries; /* of PenEngineEntry */
  /* the thread that started it */
  guint n_running;
  guint next_lane;
  gboolean is_stopping;
  gboolean is_finished;
  gboolean has_abandoned; /* something of a pipeline that is gone never came back */
  GSource *stop_deadline;
  PenOutcome outcome; /* of the pipelines that are gone */
  GPtrArray *past;    /* of PenEnginePast: what they counted */
  GPtrArray *taps;    /* of PenTap */
  /* lock */
  GMutex lock;
  GPtrArray *statuses; /* (element-type PenStatus): of the entries' pipelines */
};

enum
{
  SIGNAL_FINISHED,
  SIGNAL_PIPELINE_ENDED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PenEngine, pen_engine, G_TYPE_OBJECT)

static gboolean
pen_engine_any_abandoned (PenEngine *self)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      if (entry->has_ended && pen_pipeline_has_abandoned (entry->pipeline))
        return TRUE;
    }
  return self->has_abandoned;
}

static void
pen_engine_entry_free (gpointer data)
{
  PenEngineEntry *entry = data;

  g_clear_pointer (&entry->pipeline, pen_pipeline_free);
  g_clear_pointer (&entry->successor, pen_definition_unref);
  pen_definition_unref (entry->definition);
  g_free (entry);
}

static void
pen_engine_past_free (gpointer data)
{
  PenEnginePast *past = data;

  g_free (past->pipeline);
  g_free (past->element);
  pen_metrics_unref (past->metrics);
  g_free (past);
}

/* A sink that never came back still refers to its lane: then lanes and workers stay until the
 * process ends, which nothing waits for. */
static void
pen_engine_finalize (GObject *object)
{
  PenEngine *self = PEN_ENGINE (object);
  gboolean has_abandoned = pen_engine_any_abandoned (self);

  for (guint i = 0; i < self->n_lanes && !has_abandoned; i++)
    pen_lane_join (self->lanes[i]);
  if (!has_abandoned)
    pen_workers_free (self->workers, TRUE /* wait */);
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->past);
  g_ptr_array_unref (self->statuses);
  g_mutex_clear (&self->lock);
  g_ptr_array_unref (self->taps);
  for (guint i = 0; i < self->n_lanes && !has_abandoned; i++)
    pen_lane_free (self->lanes[i]);
  g_free (self->lanes);
  g_free (self->state_folder);
  g_clear_pointer (&self->stop_deadline, g_source_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  G_OBJECT_CLASS (pen_engine_parent_class)->finalize (object);
}

static void
pen_engine_class_init (PenEngineClass *class)
{
  G_OBJECT_CLASS (class)->finalize = pen_engine_finalize;

  signals[SIGNAL_FINISHED] = g_signal_new ("finished", G_TYPE_FROM_CLASS (class), G_SIGNAL_RUN_LAST,
                                           0,               /* class_offset */
                                           NULL,            /* accumulator */
                                           NULL,            /* accu_data */
                                           NULL,            /* c_marshaller */
                                           G_TYPE_NONE, 0); /* n_params */
  signals[SIGNAL_PIPELINE_ENDED] = g_signal_new ("pipeline-ended", G_TYPE_FROM_CLASS (class),
                                                 G_SIGNAL_RUN_LAST, 0, /* class_offset */
                                                 NULL,                 /* accumulator */
                                                 NULL,                 /* accu_data */
                                                 NULL,                 /* c_marshaller */
                                                 G_TYPE_NONE, 0);      /* n_params */
}

static void
pen_engine_init (PenEngine *self)
{
  self->entries = g_ptr_array_new_with_free_func (pen_engine_entry_free);
  self->past = g_ptr_array_new_with_free_func (pen_engine_past_free);
  self->taps = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_tap_unref);
  self->workers = pen_workers_new ();
  g_mutex_init (&self->lock);
  self->statuses = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_status_unref);
}

typedef void (*PenEngineFunc) (PenEngineEntry *entry);

typedef struct
{
  PenEngine *engine;
  PenEngineEntry *entry;
  PenEngineFunc func;
} PenEngineCall;

static gboolean
pen_engine_run_call (gpointer data)
{
  const PenEngineCall *call = data;

  call->func (call->entry);
  return G_SOURCE_REMOVE;
}

static void
pen_engine_free_call (gpointer data)
{
  PenEngineCall *call = data;

  g_object_unref (call->engine);
  g_free (call);
}

/* On the thread that started the engine, and not before it returns to its loop. */
static void
pen_engine_call (PenEngineEntry *entry, PenEngineFunc func)
{
  PenEngineCall *call = g_new (PenEngineCall, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  call->engine = g_object_ref (entry->engine);
  call->entry = entry;
  call->func = func;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, pen_engine_run_call, call, pen_engine_free_call);
  g_source_attach (source, entry->engine->context);
}

static void pen_engine_entry_handle_end (PenEngineEntry *entry);

static void
pen_engine_entry_handle_close (PenEngineEntry *entry)
{
  pen_engine_stop (entry->engine);
}

static void
pen_engine_on_ended (gpointer owner, PenPipeline *pipeline)
{
  pen_engine_call (owner, pen_engine_entry_handle_end);
}

static void
pen_engine_on_closed (gpointer owner, PenPipeline *pipeline)
{
  pen_engine_call (owner, pen_engine_entry_handle_close);
}

static const PenPipelineFunctions pen_engine_pipeline_functions = {
  .ended = pen_engine_on_ended,
  .closed = pen_engine_on_closed,
};

static void
pen_engine_start_pipeline (gpointer data)
{
  pen_pipeline_start (data);
}

static void
pen_engine_stop_pipeline (gpointer data)
{
  pen_pipeline_stop (data);
}

static void
pen_engine_free_pipeline (gpointer data)
{
  pen_pipeline_free (data);
}

/* What is seen of the entry: at the end, or in the place of the pipeline before. */
static void
pen_engine_entry_show (PenEngineEntry *entry)
{
  PenEngine *self = entry->engine;
  PenStatus *status = pen_status_ref (pen_pipeline_get_status (entry->pipeline));
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint index;

  if (entry->status != NULL && g_ptr_array_find (self->statuses, entry->status, &index))
    {
      g_ptr_array_index (self->statuses, index) = status;
      pen_status_unref (entry->status);
    }
  else
    g_ptr_array_add (self->statuses, status);
  entry->status = status;
}

static void
pen_engine_entry_hide (PenEngineEntry *entry)
{
  PenEngine *self = entry->engine;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_ptr_array_remove (self->statuses, entry->status);
}

static void
pen_engine_entry_open (PenEngineEntry *entry)
{
  entry->pipeline = pen_pipeline_new (entry->definition, entry->lane, entry->engine->workers,
                                      &pen_engine_pipeline_functions, entry);
  pen_pipeline_set_state_folder (entry->pipeline, entry->engine->state_folder);
  entry->is_leaving = FALSE;
  entry->has_ended = FALSE;
  pen_engine_entry_show (entry);
}

/* On the way to a lane. */
typedef struct
{
  PenPipeline *pipeline;
  PenTap *tap;
} PenEngineTap;

static void
pen_engine_open_tap (gpointer data)
{
  g_autofree PenEngineTap *self = data;
  g_autoptr (PenTap) tap = self->tap;

  pen_pipeline_add_tap (self->pipeline, tap);
}

static void
pen_engine_close_tap (gpointer data)
{
  g_autofree PenEngineTap *self = data;
  g_autoptr (PenTap) tap = self->tap;

  pen_pipeline_remove_tap (self->pipeline, tap);
}

static void
pen_engine_entry_pass_tap (PenEngineEntry *entry, PenTap *tap, PenLaneFunc func)
{
  PenEngineTap *pass = g_new (PenEngineTap, 1);

  pass->pipeline = entry->pipeline;
  pass->tap = pen_tap_ref (tap);
  pen_lane_invoke (entry->lane, func, pass);
}

static gboolean
pen_engine_entry_has_tap (const PenEngineEntry *entry, const PenTap *tap)
{
  return g_str_equal (pen_definition_get_name (entry->definition), pen_tap_get_pipeline (tap));
}

/* Before it starts, so that they miss nothing. */
static void
pen_engine_entry_open_taps (PenEngineEntry *entry)
{
  const GPtrArray *taps = entry->engine->taps;

  for (guint i = 0; i < taps->len; i++)
    if (pen_engine_entry_has_tap (entry, g_ptr_array_index (taps, i)))
      pen_engine_entry_pass_tap (entry, g_ptr_array_index (taps, i), pen_engine_open_tap);
}

static void
pen_engine_entry_end_taps (PenEngineEntry *entry)
{
  const GPtrArray *taps = entry->engine->taps;

  for (guint i = 0; i < taps->len; i++)
    if (pen_engine_entry_has_tap (entry, g_ptr_array_index (taps, i)))
      pen_tap_set_state (g_ptr_array_index (taps, i), PEN_TAP_ENDED);
}

static void
pen_engine_entry_start (PenEngineEntry *entry)
{
  entry->engine->n_running++;
  pen_engine_entry_open_taps (entry);
  pen_lane_invoke (entry->lane, pen_engine_start_pipeline, entry->pipeline);
}

static void
pen_engine_entry_stop (PenEngineEntry *entry)
{
  if (entry->is_leaving || entry->has_ended)
    return;
  entry->is_leaving = TRUE;
  pen_lane_invoke (entry->lane, pen_engine_stop_pipeline, entry->pipeline);
}

/* One for all pipelines of a name that have gone, so that reloads do not pile up. */
static PenEnginePast *
pen_engine_get_past (PenEngine *self,
                     const char *pipeline,
                     PenElementKind kind,
                     const char *element)
{
  PenEnginePast *past = NULL;

  for (guint i = 0; i < self->past->len; i++)
    {
      past = g_ptr_array_index (self->past, i);
      if (past->kind == kind && g_str_equal (past->pipeline, pipeline)
          && g_str_equal (past->element, element))
        return past;
    }
  past = g_new0 (PenEnginePast, 1);
  past->pipeline = g_strdup (pipeline);
  past->element = g_strdup (element);
  past->kind = kind;
  past->metrics = pen_metrics_new ();
  g_ptr_array_add (self->past, past);
  return past;
}

static void
pen_engine_keep_counter (const char *name,
                         const char *reason,
                         PenMetricKind kind,
                         gint64 value,
                         gpointer user_data)
{
  PenEnginePast *past = user_data;

  if (kind == PEN_METRIC_COUNTER)
    pen_metric_add (pen_metrics_get (past->metrics, kind, name, reason), value);
}

static void
pen_engine_keep_counters (const char *pipeline,
                          PenElementKind kind,
                          const char *element,
                          PenMetrics *metrics,
                          gpointer user_data)
{
  pen_metrics_foreach (metrics, pen_engine_keep_counter,
                       pen_engine_get_past (user_data, pipeline, kind, element));
}

/* The pipeline goes, its outcome and what it counted stay. On its lane, which may still have to do
 * with it. */
static void
pen_engine_entry_close (PenEngineEntry *entry)
{
  PenEngine *self = entry->engine;

  self->outcome = MAX (self->outcome, pen_pipeline_get_outcome (entry->pipeline));
  self->has_abandoned |= pen_pipeline_has_abandoned (entry->pipeline);
  pen_pipeline_foreach_metrics (entry->pipeline, pen_engine_keep_counters, self);
  pen_lane_invoke (entry->lane, pen_engine_free_pipeline, g_steal_pointer (&entry->pipeline));
}

static void
pen_engine_entry_succeed (PenEngineEntry *entry)
{
  pen_engine_entry_close (entry);
  pen_definition_unref (entry->definition);
  entry->definition = g_steal_pointer (&entry->successor);
  pen_engine_entry_open (entry);
  pen_engine_entry_start (entry);
}

static void
pen_engine_finish (PenEngine *self)
{
  if (self->is_finished)
    return;
  self->is_finished = TRUE;
  if (self->stop_deadline != NULL)
    g_source_destroy (self->stop_deadline);
  g_signal_emit (self, signals[SIGNAL_FINISHED], 0);
}

/* Nothing takes its place. */
static void
pen_engine_entry_leave (PenEngineEntry *entry)
{
  PenEngine *self = entry->engine;

  pen_engine_entry_end_taps (entry);
  if (!entry->is_leaving || self->is_stopping)
    return;
  /* gone from the files */
  pen_engine_entry_close (entry);
  pen_engine_entry_hide (entry);
  g_ptr_array_remove (self->entries, entry);
}

static void
pen_engine_entry_handle_end (PenEngineEntry *entry)
{
  PenEngine *self = entry->engine;

  entry->has_ended = TRUE;
  self->n_running--;
  if (entry->successor != NULL && !self->is_stopping)
    pen_engine_entry_succeed (entry);
  else
    pen_engine_entry_leave (entry);
  g_signal_emit (self, signals[SIGNAL_PIPELINE_ENDED], 0);
  if (self->n_running == 0)
    pen_engine_finish (self);
}

/* @n_lanes: 0: as many as processors. */
PenEngine *
pen_engine_new (guint n_lanes)
{
  PenEngine *self = g_object_new (PEN_TYPE_ENGINE, NULL);

  self->n_lanes = n_lanes > 0 ? n_lanes : g_get_num_processors ();
  self->lanes = g_new0 (PenLane *, self->n_lanes);
  for (guint i = 0; i < self->n_lanes; i++)
    self->lanes[i] = pen_lane_new (NULL);
  return self;
}

void
pen_engine_set_state_folder (PenEngine *self, const char *state_folder)
{
  g_free (self->state_folder);
  self->state_folder = g_strdup (state_folder);
}

static PenEngineEntry *
pen_engine_add_entry (PenEngine *self, PenDefinition *definition)
{
  PenEngineEntry *entry = g_new0 (PenEngineEntry, 1);

  entry->engine = self;
  entry->definition = pen_definition_ref (definition);
  entry->lane = self->lanes[self->next_lane++ % self->n_lanes];
  pen_engine_entry_open (entry);
  g_ptr_array_add (self->entries, entry);
  return entry;
}

/* Before pen_engine_start (). */
void
pen_engine_add (PenEngine *self, PenDefinition *definition)
{
  pen_engine_add_entry (self, definition);
}

void
pen_engine_start (PenEngine *self)
{
  self->context = g_main_context_ref_thread_default ();
  for (guint i = 0; i < self->entries->len; i++)
    pen_engine_entry_start (g_ptr_array_index (self->entries, i));
}

/* A pipeline gives up by itself when its time to drain is over. One that did not is on a lane where
 * an element does not return, and nobody can help it: the rest does not wait for it. */
static gboolean
pen_engine_leave_behind (gpointer data)
{
  static GPtrArray *left_behind = NULL; /* whose lanes may come back at any time */
  PenEngine *self = data;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      if (!entry->has_ended)
        g_critical ("%s: does not stop: an element of it, or of another pipeline on its lane, does "
                    "not return; what it holds was not acknowledged",
                    pen_definition_get_name (entry->definition));
    }
  if (left_behind == NULL)
    left_behind = g_ptr_array_new ();
  g_ptr_array_add (left_behind, g_object_ref (self));
  self->has_abandoned = TRUE;
  self->outcome = PEN_OUTCOME_FAILED;
  pen_engine_finish (self);
  return G_SOURCE_REMOVE;
}

void
pen_engine_stop (PenEngine *self)
{
  gint64 longest_us = 0;

  if (self->is_stopping || self->is_finished)
    return;
  self->is_stopping = TRUE;
  for (guint i = 0; i < self->entries->len; i++)
    {
      PenEngineEntry *entry = g_ptr_array_index (self->entries, i);
      PenSettings *settings = pen_definition_get_settings (entry->definition);

      longest_us = MAX (longest_us, pen_settings_get_drain_timeout (settings));
      pen_engine_entry_stop (entry);
    }
  self->stop_deadline
      = g_timeout_source_new ((guint) MIN ((longest_us + GRACE_US) / 1000, G_MAXUINT));
  g_source_set_callback (self->stop_deadline, pen_engine_leave_behind, self, NULL);
  g_source_attach (self->stop_deadline, self->context);
}

/* After "finished": whether a thread is still in an element. */
gboolean
pen_engine_has_abandoned (PenEngine *self)
{
  return pen_engine_any_abandoned (self);
}

/* One that will be replaced is as its successor is: about to run. Whoever reloads may have mended
 * what another failed of. */
static PenEngineState
pen_engine_entry_get_state (PenEngineEntry *entry)
{
  if (entry->successor != NULL)
    return PEN_ENGINE_RUNNING;
  if (entry->has_ended && pen_pipeline_get_outcome (entry->pipeline) == PEN_OUTCOME_FAILED)
    return PEN_ENGINE_FAILED;
  if (entry->has_ended && !entry->is_leaving)
    return PEN_ENGINE_ENDED;
  return entry->is_leaving ? PEN_ENGINE_STOPPING : PEN_ENGINE_RUNNING;
}

/* documented in the header */
PenEngineChange
pen_engine_decide (const char *path,
                   PenEngineState state,
                   gboolean is_defined,
                   gboolean is_equal,
                   const char *const *faulty_paths)
{
  gboolean may_stay = state == PEN_ENGINE_RUNNING || state == PEN_ENGINE_ENDED;

  if (!is_defined)
    {
      g_autofree char *folder = g_path_get_dirname (path);

      if (state == PEN_ENGINE_STOPPING)
        return PEN_ENGINE_GONE;
      /* of a folder that cannot be read nobody knows what is gone from it */
      if (g_strv_contains (faulty_paths, path) || g_strv_contains (faulty_paths, folder))
        return PEN_ENGINE_KEPT;
      return state == PEN_ENGINE_RUNNING ? PEN_ENGINE_STOPPED : PEN_ENGINE_GONE;
    }
  return may_stay && is_equal ? PEN_ENGINE_UNCHANGED : PEN_ENGINE_REPLACED;
}

/* What becomes of a pipeline that was there before. */
static PenEngineChange
pen_engine_entry_reload (PenEngineEntry *entry,
                         PenDefinition *definition,
                         const char *const *faulty_paths)
{
  const PenDefinition *own = entry->successor != NULL ? entry->successor : entry->definition;
  PenEngineChange change = pen_engine_decide (
      pen_definition_get_path (own), pen_engine_entry_get_state (entry), definition != NULL,
      definition != NULL && pen_definition_equal (own, definition), faulty_paths);

  if (change != PEN_ENGINE_STOPPED && change != PEN_ENGINE_REPLACED)
    return change;
  g_clear_pointer (&entry->successor, pen_definition_unref);
  entry->successor = definition != NULL ? pen_definition_ref (definition) : NULL;
  if (definition != NULL && entry->has_ended)
    pen_engine_entry_succeed (entry);
  else
    pen_engine_entry_stop (entry);
  return change;
}

/* After pen_engine_start (): makes what runs equal to @definitions (element-type PenDefinition), by
 * difference. A pipeline is known by its name; one whose file is among @faulty_paths goes on as it
 * is. @func hears of each. */
void
pen_engine_reload (PenEngine *self,
                   GPtrArray *definitions,
                   const char *const *faulty_paths,
                   PenEngineChangeFunc func,
                   gpointer user_data)
{
  guint n_before = self->entries->len;
  g_autoptr (GHashTable) index = pen_definition_index (definitions);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (self->is_stopping || self->is_finished)
    return;
  for (guint i = 0; i < n_before; i++)
    {
      PenEngineEntry *entry = g_ptr_array_index (self->entries, i);
      char *name = g_strdup (pen_definition_get_name (entry->definition));
      PenDefinition *definition = g_hash_table_lookup (index, name);

      g_hash_table_add (names, name);
      func (name, pen_engine_entry_reload (entry, definition, faulty_paths), user_data);
    }
  for (guint i = 0; i < definitions->len; i++)
    {
      PenDefinition *definition = g_ptr_array_index (definitions, i);

      if (g_hash_table_contains (names, pen_definition_get_name (definition)))
        continue;
      pen_engine_entry_start (pen_engine_add_entry (self, definition));
      func (pen_definition_get_name (definition), PEN_ENGINE_STARTED, user_data);
    }
}

/* At any time. */
void
pen_engine_foreach_pipeline (PenEngine *self, PenEngineStateFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      func (entry->successor != NULL ? entry->successor : entry->definition,
            pen_engine_entry_get_state (entry), user_data);
    }
}

/* (nullable) */
static PenEngineEntry *
pen_engine_find_tapped (PenEngine *self, const PenTap *tap)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      if (pen_engine_entry_has_tap (entry, tap))
        return entry;
    }
  return NULL;
}

void
pen_engine_add_tap (PenEngine *self, PenTap *tap)
{
  PenEngineEntry *entry = pen_engine_find_tapped (self, tap);

  g_ptr_array_add (self->taps, pen_tap_ref (tap));
  if (entry != NULL && !entry->has_ended)
    pen_engine_entry_pass_tap (entry, tap, pen_engine_open_tap);
  else
    pen_tap_set_state (tap, PEN_TAP_ENDED);
}

void
pen_engine_remove_tap (PenEngine *self, PenTap *tap)
{
  PenEngineEntry *entry = pen_engine_find_tapped (self, tap);

  if (entry != NULL)
    pen_engine_entry_pass_tap (entry, tap, pen_engine_close_tap);
  g_ptr_array_remove (self->taps, tap);
}

/* After "finished". */
PenOutcome
pen_engine_get_outcome (PenEngine *self)
{
  PenOutcome outcome = self->outcome;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      /* one that was left behind is still its lane's */
      if (entry->has_ended)
        outcome = MAX (outcome, pen_pipeline_get_outcome (entry->pipeline));
    }
  return outcome;
}

/* documented in the header */
GPtrArray *
pen_engine_list_statuses (PenEngine *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GPtrArray *list = g_ptr_array_new_full (self->statuses->len, (GDestroyNotify) pen_status_unref);

  for (guint i = 0; i < self->statuses->len; i++)
    g_ptr_array_add (list, pen_status_ref (g_ptr_array_index (self->statuses, i)));
  return list;
}

typedef struct
{
  gatomicrefcount references;
  GMutex lock; /* guards n_answers */
  GCond answered;
  guint n_answers;
} PenEngineProbe;

static void
pen_engine_probe_unref (PenEngineProbe *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->answered);
  g_free (self);
}

/* On a lane, perhaps long after whoever asked has gone. */
static void
pen_engine_probe_answer (gpointer data)
{
  PenEngineProbe *self = data;

  g_mutex_lock (&self->lock);
  self->n_answers++;
  g_cond_signal (&self->answered);
  g_mutex_unlock (&self->lock);
  pen_engine_probe_unref (self);
}

/* documented in the header */
gboolean
pen_engine_probe_lanes (PenEngine *self, gint64 timeout_us, guint *n_lanes, guint *n_answers)
{
  PenEngineProbe *probe = g_new0 (PenEngineProbe, 1);
  gint64 end_us = g_get_monotonic_time () + timeout_us;
  gboolean is_in_time = TRUE;

  g_atomic_ref_count_init (&probe->references);
  g_mutex_init (&probe->lock);
  g_cond_init (&probe->answered);
  for (guint i = 0; i < self->n_lanes; i++)
    {
      g_atomic_ref_count_inc (&probe->references);
      pen_lane_invoke (self->lanes[i], pen_engine_probe_answer, probe);
    }
  g_mutex_lock (&probe->lock);
  while (probe->n_answers < self->n_lanes && is_in_time)
    is_in_time = g_cond_wait_until (&probe->answered, &probe->lock, end_us);
  *n_lanes = self->n_lanes;
  *n_answers = probe->n_answers;
  g_mutex_unlock (&probe->lock);
  pen_engine_probe_unref (probe);
  return *n_answers == *n_lanes;
}

/* At any time. */
void
pen_engine_foreach_metrics (PenEngine *self, PenEngineMetricsFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      pen_pipeline_foreach_metrics (entry->pipeline, func, user_data);
    }
}

/* At any time. */
void
pen_engine_foreach_past_metrics (PenEngine *self, PenEngineMetricsFunc func, gpointer user_data)
{
  for (guint i = 0; i < self->past->len; i++)
    {
      const PenEnginePast *past = g_ptr_array_index (self->past, i);

      func (past->pipeline, past->kind, past->element, past->metrics, user_data);
    }
}
