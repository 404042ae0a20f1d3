/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where events go. How they are batched and how many may wait are properties that every sink has.
 */

#include "config.h"

#include "pen-sink.h"

#include "pen-element-private.h"
#include "pen-value.h"

#define DEFAULT_BATCH_EVENTS 500
#define DEFAULT_BATCH_BYTES (G_GUINT64_CONSTANT (1) << 20)
#define DEFAULT_LINGER_US 0
#define DEFAULT_QUEUE_EVENTS 10000
#define DEFAULT_QUEUE_BYTES (G_GUINT64_CONSTANT (16) << 20)
#define MAX_EVENTS 1000000
#define MAX_BYTES (G_GUINT64_CONSTANT (1) << 30)
#define MAX_LINGER_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

typedef struct
{
  /* constant after start */
  guint batch_events;
  guint64 batch_bytes;
  gint64 linger_us;
  guint queue_events;
  guint64 queue_bytes;
  /* atomic enough: set in start, read after it */
  gint64 flush_interval_us;
} PenSinkPrivate;

enum
{
  PROP_0,
  PROP_BATCH_EVENTS,
  PROP_BATCH_BYTES,
  PROP_LINGER,
  PROP_QUEUE_EVENTS,
  PROP_QUEUE_BYTES,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (PenSink, pen_sink, PEN_TYPE_ELEMENT)

static PenSinkPrivate *
pen_sink_get_private (PenSink *self)
{
  return pen_sink_get_instance_private (self);
}

static void
pen_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const PenSinkPrivate *private = pen_sink_get_private (PEN_SINK (object));

  switch (id)
    {
    case PROP_BATCH_EVENTS:
      g_value_set_uint (value, private->batch_events);
      break;
    case PROP_BATCH_BYTES:
      g_value_set_uint64 (value, private->batch_bytes);
      break;
    case PROP_LINGER:
      g_value_set_int64 (value, private->linger_us);
      break;
    case PROP_QUEUE_EVENTS:
      g_value_set_uint (value, private->queue_events);
      break;
    case PROP_QUEUE_BYTES:
      g_value_set_uint64 (value, private->queue_bytes);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pen_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PenSinkPrivate *private = pen_sink_get_private (PEN_SINK (object));

  switch (id)
    {
    case PROP_BATCH_EVENTS:
      private
      ->batch_events = g_value_get_uint (value);
      break;
    case PROP_BATCH_BYTES:
      private
      ->batch_bytes = g_value_get_uint64 (value);
      break;
    case PROP_LINGER:
      private
      ->linger_us = g_value_get_int64 (value);
      break;
    case PROP_QUEUE_EVENTS:
      private
      ->queue_events = g_value_get_uint (value);
      break;
    case PROP_QUEUE_BYTES:
      private
      ->queue_bytes = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
}

static gboolean
pen_sink_real_flush (PenSink *self, GError **error)
{
  return TRUE;
}

static gboolean
pen_sink_real_blocks (PenSink *self)
{
  return PEN_SINK_GET_CLASS (self)->may_block;
}

static void
pen_sink_class_init (PenSinkClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = pen_sink_get_property;
  object_class->set_property = pen_sink_set_property;
  class->flush = pen_sink_real_flush;
  class->blocks = pen_sink_real_blocks;

  properties[PROP_BATCH_EVENTS]
      = g_param_spec_uint ("batch-events", NULL, "Events written together at most", 1, MAX_EVENTS,
                           DEFAULT_BATCH_EVENTS, PEN_PARAM_DEFAULTS);
  properties[PROP_BATCH_BYTES]
      = pen_param_spec_size ("batch-bytes",
                             "Bytes written together at most; a larger "
                             "event makes a batch of its own",
                             1, MAX_BYTES, DEFAULT_BATCH_BYTES, PEN_PARAM_DEFAULTS);
  properties[PROP_LINGER]
      = pen_param_spec_duration ("linger",
                                 "How long an event waits for others to be written with it; 0s: "
                                 "only for those that have arrived already",
                                 0, MAX_LINGER_US, DEFAULT_LINGER_US, PEN_PARAM_DEFAULTS);
  properties[PROP_QUEUE_EVENTS] = g_param_spec_uint (
      "queue-events", NULL, "Events that may wait for this sink before its sources are paused", 1,
      MAX_EVENTS, DEFAULT_QUEUE_EVENTS, PEN_PARAM_DEFAULTS);
  properties[PROP_QUEUE_BYTES] = pen_param_spec_size (
      "queue-bytes", "Bytes that may wait for this sink before its sources are paused", 1,
      MAX_BYTES, DEFAULT_QUEUE_BYTES, PEN_PARAM_DEFAULTS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
pen_sink_init (PenSink *self)
{
  PenSinkPrivate *private = pen_sink_get_private (self);

  private->batch_events = DEFAULT_BATCH_EVENTS;
  private->batch_bytes = DEFAULT_BATCH_BYTES;
  private->linger_us = DEFAULT_LINGER_US;
  private->queue_events = DEFAULT_QUEUE_EVENTS;
  private->queue_bytes = DEFAULT_QUEUE_BYTES;
}

/* As the class has it. */
gboolean
pen_sink_write (PenSink *self, PenBatch *batch, GError **error)
{
  return PEN_SINK_GET_CLASS (self)->write (self, batch, error);
}

/* As the class has it. */
gboolean
pen_sink_flush (PenSink *self, GError **error)
{
  return PEN_SINK_GET_CLASS (self)->flush (self, error);
}

/* As the class has it. */
gboolean
pen_sink_blocks (PenSink *self)
{
  return PEN_SINK_GET_CLASS (self)->blocks (self);
}

/* 0: only before stop. */
gint64
pen_sink_get_flush_interval (PenSink *self)
{
  return pen_sink_get_private (self)->flush_interval_us;
}

/**
 * pen_sink_set_flush_interval:
 * @self: a sink, in its `start`
 * @interval_us: how often `flush` is called; 0: only before `stop`
 *
 * Threads: as `start`
 */
void
pen_sink_set_flush_interval (PenSink *self, gint64 interval_us)
{
  pen_sink_get_private (self)->flush_interval_us = interval_us;
}

/**
 * pen_sink_get_batch_events:
 * @self: a sink
 *
 * Returns: events written together at most
 *
 * Threads: any
 */
guint
pen_sink_get_batch_events (PenSink *self)
{
  return pen_sink_get_private (self)->batch_events;
}

/**
 * pen_sink_set_batch_events:
 * @self: a sink that has not started
 * @batch_events: events written together at most
 *
 * For a class whose batches cost much beside their events, as a commit does, and that installs the
 * property `batch-events` with a default of its own.
 *
 * Threads: any
 */
void
pen_sink_set_batch_events (PenSink *self, guint batch_events)
{
  pen_sink_get_private (self)->batch_events = batch_events;
}

/**
 * pen_sink_get_batch_bytes:
 * @self: a sink
 *
 * Returns: bytes written together at most
 *
 * Threads: any
 */
guint64
pen_sink_get_batch_bytes (PenSink *self)
{
  return pen_sink_get_private (self)->batch_bytes;
}

/**
 * pen_sink_get_linger:
 * @self: a sink
 *
 * Returns: how long an event waits for others, in microseconds
 *
 * Threads: any
 */
gint64
pen_sink_get_linger (PenSink *self)
{
  return pen_sink_get_private (self)->linger_us;
}

/**
 * pen_sink_get_queue_events:
 * @self: a sink
 *
 * Returns: events that may wait for it
 *
 * Threads: any
 */
guint
pen_sink_get_queue_events (PenSink *self)
{
  return pen_sink_get_private (self)->queue_events;
}

/**
 * pen_sink_get_queue_bytes:
 * @self: a sink
 *
 * Returns: bytes that may wait for it
 *
 * Threads: any
 */
guint64
pen_sink_get_queue_bytes (PenSink *self)
{
  return pen_sink_get_private (self)->queue_bytes;
}
