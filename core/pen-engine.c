/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All pipelines of a process: which lane each lives on, and when the run is over.
 */

#include "config.h"

#include "pen-engine.h"

#include "pen-pipeline.h"

typedef struct
{
  PenEngine *engine;
  PenLane *lane;
  PenPipeline *pipeline;
} PenEngineEntry;

struct _PenEngine
{
  GObject parent_instance;

  /* constant after start */
  GMainContext *context;
  guint n_lanes;
  PenLane **lanes;
  PenWorkers *workers;
  GPtrArray *entries; /* of PenEngineEntry */
  /* the thread that started it */
  guint n_running;
  gboolean is_stopping;
  gboolean is_finished;
};

enum
{
  SIGNAL_FINISHED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PenEngine, pen_engine, G_TYPE_OBJECT)

static gboolean
pen_engine_has_abandoned (PenEngine *self)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      if (pen_pipeline_has_abandoned (entry->pipeline))
        return TRUE;
    }
  return FALSE;
}

static void
pen_engine_entry_free (gpointer data)
{
  PenEngineEntry *entry = data;

  pen_pipeline_free (entry->pipeline);
  g_free (entry);
}

/* A sink that never came back still refers to its lane: then lanes and workers stay until the
 * process ends, which nothing waits for. */
static void
pen_engine_finalize (GObject *object)
{
  PenEngine *self = PEN_ENGINE (object);
  gboolean has_abandoned = pen_engine_has_abandoned (self);

  for (guint i = 0; i < self->n_lanes && !has_abandoned; i++)
    pen_lane_join (self->lanes[i]);
  if (!has_abandoned)
    pen_workers_free (self->workers, TRUE /* wait */);
  g_ptr_array_unref (self->entries);
  for (guint i = 0; i < self->n_lanes && !has_abandoned; i++)
    pen_lane_free (self->lanes[i]);
  g_free (self->lanes);
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
}

static void
pen_engine_init (PenEngine *self)
{
  self->entries = g_ptr_array_new_with_free_func (pen_engine_entry_free);
  self->workers = pen_workers_new ();
}

static gboolean
pen_engine_pipeline_ended (gpointer data)
{
  PenEngine *self = data;

  self->n_running--;
  if (self->n_running == 0 && !self->is_finished)
    {
      self->is_finished = TRUE;
      g_signal_emit (self, signals[SIGNAL_FINISHED], 0);
    }
  return G_SOURCE_REMOVE;
}

static gboolean
pen_engine_output_closed (gpointer data)
{
  pen_engine_stop (data);
  return G_SOURCE_REMOVE;
}

/* On the thread that started the engine, and not before it returns to its loop. */
static void
pen_engine_call (PenEngine *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->context);
}

static void
pen_engine_on_ended (gpointer owner, PenPipeline *pipeline)
{
  pen_engine_call (owner, pen_engine_pipeline_ended);
}

static void
pen_engine_on_closed (gpointer owner, PenPipeline *pipeline)
{
  pen_engine_call (owner, pen_engine_output_closed);
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

/* Before pen_engine_start (). */
void
pen_engine_add (PenEngine *self, PenDefinition *definition)
{
  PenEngineEntry *entry = g_new0 (PenEngineEntry, 1);

  entry->engine = self;
  entry->lane = self->lanes[self->entries->len % self->n_lanes];
  entry->pipeline = pen_pipeline_new (definition, entry->lane, self->workers,
                                      &pen_engine_pipeline_functions, self);
  g_ptr_array_add (self->entries, entry);
}

void
pen_engine_start (PenEngine *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->n_running = self->entries->len;
  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      pen_lane_invoke (entry->lane, pen_engine_start_pipeline, entry->pipeline);
    }
}

void
pen_engine_stop (PenEngine *self)
{
  if (self->is_stopping || self->is_finished)
    return;
  self->is_stopping = TRUE;
  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      pen_lane_invoke (entry->lane, pen_engine_stop_pipeline, entry->pipeline);
    }
}

/* After "finished". */
PenOutcome
pen_engine_get_outcome (PenEngine *self)
{
  PenOutcome outcome = PEN_OUTCOME_DONE;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const PenEngineEntry *entry = g_ptr_array_index (self->entries, i);

      outcome = MAX (outcome, pen_pipeline_get_outcome (entry->pipeline));
    }
  return outcome;
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
