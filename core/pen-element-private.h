/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an element needs of whoever runs it, as a table of functions: the runtime stands above the
 * elements, and nothing looks up. The pipeline is one such host, the test harness another.
 */

#pragma once

#include "pen-element.h"
#include "pen-sink.h"
#include "pen-source.h"
#include "pen-transform.h"

G_BEGIN_DECLS

/* The kinds of groups in a keyfile that make an element. */
typedef enum
{
  PEN_KIND_SOURCE,
  PEN_KIND_TRANSFORM,
  PEN_KIND_SINK,
  PEN_KIND_DEAD_LETTER, /* a sink plugin that takes what was rejected */
} PenElementKind;

typedef struct _PenHost PenHost;

/* All functions are called on the lane, except log and complain (any thread). */
typedef struct
{
  guint64 (*push) (PenHost *host, PenSource *source, PenEvent *event);
  guint64 (*reject) (PenHost *host,
                     PenSource *source,
                     PenEvent *event,
                     const char *reason,
                     const char *message);
  void (*set_connected) (PenHost *host, PenSource *source, gboolean connected);
  void (*finish) (PenHost *host, PenSource *source);
  void (*fail) (PenHost *host, PenElement *element, GError *error);
  void (*schedule) (PenHost *host, PenTransform *transform, gint64 monotonic_us);

  gint64 (*get_monotonic_time) (PenHost *host);
  gint64 (*get_real_time) (PenHost *host);
  void (*watch) (PenHost *host,
                 PenElement *element,
                 int fd,
                 GIOCondition condition,
                 PenWatchFunc func);
  void (*unwatch) (PenHost *host, PenElement *element, int fd);
  guint (*add_timer) (PenHost *host,
                      PenElement *element,
                      gint64 delay_us,
                      PenTimerFunc func,
                      gpointer user_data);
  void (*remove_timer) (PenHost *host, PenElement *element, guint timer);
} PenHostFunctions;

struct _PenHost
{
  const PenHostFunctions *functions;
};

PEN_RUNTIME_EXPORT
const char *pen_element_kind_get_nick (PenElementKind kind);
PEN_RUNTIME_EXPORT
void pen_element_attach (PenElement *self,
                         PenHost *host,
                         PenElementKind kind,
                         const char *pipeline_name,
                         const char *name,
                         gboolean only_of_kind);
PEN_RUNTIME_EXPORT
void pen_element_detach (PenElement *self);
PEN_RUNTIME_EXPORT
PenHost *pen_element_get_host (PenElement *self);
PEN_RUNTIME_EXPORT
gboolean pen_element_start (PenElement *self, GError **error);
PEN_RUNTIME_EXPORT
void pen_element_stop (PenElement *self);
/* (transfer full) (nullable): what it complains of and has not recovered from. From any thread. */
PEN_RUNTIME_EXPORT
char *pen_element_dup_complaint (PenElement *self);
PEN_RUNTIME_EXPORT
void pen_element_run_check (PenElement *self, PenCheck *check);

PEN_RUNTIME_EXPORT
void pen_source_pause (PenSource *self);
PEN_RUNTIME_EXPORT
void pen_source_resume (PenSource *self);
PEN_RUNTIME_EXPORT
void pen_source_settle (PenSource *self, guint64 position);
PEN_RUNTIME_EXPORT
gboolean pen_source_must_settle_soon (PenSource *self);

/* What a transform's output is to whoever runs it. */
struct _PenOutput
{
  void (*push) (PenOutput *self, PenEvent *event);
  void (*drop) (PenOutput *self, const char *reason);
  void (*skip) (PenOutput *self, const char *reason, const char *message);
};

PEN_RUNTIME_EXPORT
gboolean
pen_transform_process (PenTransform *self, PenEvent *event, PenOutput *output, GError **error);
PEN_RUNTIME_EXPORT
void pen_transform_tick (PenTransform *self, gint64 now_us, PenOutput *output);
PEN_RUNTIME_EXPORT
void pen_transform_drain (PenTransform *self, PenOutput *output);
PEN_RUNTIME_EXPORT
gboolean pen_transform_holds (PenTransform *self);

PEN_RUNTIME_EXPORT
gboolean pen_sink_write (PenSink *self, PenBatch *batch, GError **error);
PEN_RUNTIME_EXPORT
gboolean pen_sink_flush (PenSink *self, GError **error);
PEN_RUNTIME_EXPORT
gboolean pen_sink_blocks (PenSink *self);
PEN_RUNTIME_EXPORT
gint64 pen_sink_get_flush_interval (PenSink *self);

G_END_DECLS
