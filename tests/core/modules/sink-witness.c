/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sink that tells what no file has: whether an event is new or was played again, its time of
 * arrival and its topic. A line an event, on standard output.
 */

#include "config.h"

#include <penstock.h>
#include <stdio.h>

#define PEN_TYPE_WITNESS_SINK (pen_witness_sink_get_type ())
G_DECLARE_FINAL_TYPE (PenWitnessSink, pen_witness_sink, PEN, WITNESS_SINK, PenSink)

struct _PenWitnessSink
{
  PenSink parent_instance;
};

G_DEFINE_FINAL_TYPE (PenWitnessSink, pen_witness_sink, PEN_TYPE_SINK)

static gboolean
pen_witness_sink_write (PenSink *sink, PenBatch *batch, GError **error)
{
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      const PenEvent *event = pen_batch_get_event (batch, i);
      gboolean is_replayed = (pen_event_get_flags (event) & PEN_EVENT_REPLAYED) != 0;
      gsize length = 0;
      const char *data = pen_event_get_data (event, &length);

      printf ("%s %" G_GINT64_FORMAT " %s ", is_replayed ? "replayed" : "new",
              pen_event_get_arrival (event),
              pen_event_get_topic (event) != NULL ? pen_event_get_topic (event) : "-");
      fwrite (data, 1, length, stdout);
      putchar ('\n');
    }
  fflush (stdout);
  return TRUE;
}

static void
pen_witness_sink_class_init (PenWitnessSinkClass *class)
{
  PEN_SINK_CLASS (class)->write = pen_witness_sink_write;
}

static void
pen_witness_sink_init (PenWitnessSink *self)
{
}

PEN_PLUGIN_DEFINE ("witness",
                   "Tells what becomes of events",
                   "1.0",
                   "LGPL-2.1-or-later",
                   "-",
                   pen_witness_sink_get_type)
