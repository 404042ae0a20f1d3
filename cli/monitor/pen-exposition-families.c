/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The metrics that Penstock itself counts, under the names that monitoring systems keep: those, and
 * their labels, stay as they are.
 *
 * By https://prometheus.io/docs/practices/naming/: base units, the unit last in the name, and
 * seconds where an element counts microseconds.
 */

#include "config.h"

#include "pen-exposition-private.h"

#define SOURCES (1 << PEN_KIND_SOURCE)
#define TRANSFORMS (1 << PEN_KIND_TRANSFORM)
#define SINKS (1 << PEN_KIND_SINK | 1 << PEN_KIND_DEAD_LETTER)

#define COUNTER(figure, kinds, name, reason, help)                                                 \
  {                                                                                                \
    PEN_FAMILY_OF_ELEMENT, kinds, figure, name, PEN_FAMILY_COUNTER, PEN_FAMILY_PLAIN, reason, help \
  }
#define GAUGE(figure, name, scale, reason, help)                                                   \
  {                                                                                                \
    PEN_FAMILY_OF_ELEMENT, PEN_FAMILY_ALL_KINDS, figure, name, PEN_FAMILY_GAUGE, scale, reason,    \
        help                                                                                       \
  }
#define HISTOGRAM(figure, name, help)                                                              \
  {                                                                                                \
    PEN_FAMILY_OF_ELEMENT, PEN_FAMILY_ALL_KINDS, figure, name, PEN_FAMILY_HISTOGRAM,               \
        PEN_FAMILY_PLAIN, NULL, help                                                               \
  }

const PenFamily pen_families[] = {
  { PEN_FAMILY_OF_STATUS, 0, "running", "pipeline_running", PEN_FAMILY_GAUGE, PEN_FAMILY_PLAIN,
    NULL, "Whether the pipeline runs: it has started, and neither drains nor has ended." },
  { PEN_FAMILY_OF_STATUS, 0, "failed", "pipeline_failed", PEN_FAMILY_GAUGE, PEN_FAMILY_PLAIN, NULL,
    "Whether the pipeline has failed for good." },
  { PEN_FAMILY_OF_STATUS, 0, "ready", "pipeline_ready", PEN_FAMILY_GAUGE, PEN_FAMILY_PLAIN, NULL,
    "Whether /readyz finds nothing wrong with the pipeline." },
  { PEN_FAMILY_OF_PIPELINE, 0, "spool_size_bytes", "spool_size_bytes", PEN_FAMILY_GAUGE,
    PEN_FAMILY_PLAIN, NULL, "Bytes of the pipeline's spool, without what is free in its file." },
  COUNTER ("events_received",
           PEN_FAMILY_ALL_KINDS,
           "events_received",
           NULL,
           "Events that the element took in."),
  COUNTER ("events_sent",
           SOURCES | TRANSFORMS,
           "events_sent",
           NULL,
           "Events that a source or transform handed on."),
  COUNTER ("events_sent",
           SINKS,
           "events_delivered",
           NULL,
           "Events that a sink has written and the system behind it has taken."),
  COUNTER ("bytes_received", SOURCES, "received_bytes", NULL, "Payload that a source took in."),
  COUNTER ("bytes_sent", SINKS, "delivered_bytes", NULL, "Payload that a sink has written."),
  COUNTER ("events_dropped",
           PEN_FAMILY_ALL_KINDS,
           "events_dropped",
           "reason",
           "Events that ended on purpose; they count as delivered."),
  COUNTER ("events_rejected",
           PEN_FAMILY_ALL_KINDS,
           "events_rejected",
           "reason",
           "Events, or parts of them, that the element cannot take."),
  COUNTER ("events_dead_lettered",
           PEN_FAMILY_ALL_KINDS,
           "events_dead_lettered",
           "reason",
           "Rejected events that went to the dead letters; others were only logged."),
  COUNTER ("parts_skipped",
           PEN_FAMILY_ALL_KINDS,
           "parts_skipped",
           "reason",
           "Parts of events that a transform left out."),
  COUNTER ("values_replaced",
           PEN_FAMILY_ALL_KINDS,
           "values_replaced",
           "reason",
           "Values that another of the same event replaced."),
  COUNTER ("batches", SINKS, "batches", NULL, "Batches that a sink has written."),
  COUNTER ("failures",
           SINKS,
           "failures",
           NULL,
           "Calls of a sink that failed: opening, writing, flushing."),
  COUNTER ("retries",
           SINKS,
           "retries",
           NULL,
           "Calls of a sink that were put off to be tried again."),
  COUNTER ("connections", SOURCES, "connections", NULL, "Connections that a source made."),
  COUNTER ("connection_failures",
           SOURCES,
           "connection_failures",
           NULL,
           "Connections that a source could not make, or lost."),
  COUNTER ("reconnects", SOURCES, "reconnects", NULL, "Connections of a source after its first."),
  GAUGE ("connected", "connected", PEN_FAMILY_PLAIN, NULL, "Whether a source can receive."),
  GAUGE ("connection_changed_timestamp_us",
         "connection_changed_timestamp_seconds",
         PEN_FAMILY_SECONDS,
         NULL,
         "When a source last connected or lost its connection."),
  GAUGE ("certificate_expiry_timestamp_us",
         "certificate_expiry_timestamp_seconds",
         PEN_FAMILY_SECONDS,
         "certificate",
         "When a certificate expires, no more than a day too early."),
  GAUGE ("queue_events",
         "queue_events",
         PEN_FAMILY_PLAIN,
         NULL,
         "Events in memory that wait for a sink, or that it is writing."),
  GAUGE ("queue_oldest_timestamp_us",
         "queue_oldest_age_seconds",
         PEN_FAMILY_AGE,
         NULL,
         "How long ago the oldest of those arrived; 0 if there are none."),
  GAUGE ("spool_events",
         "spool_events",
         PEN_FAMILY_PLAIN,
         NULL,
         "Events in the spool that wait for a sink."),
  GAUGE ("spool_oldest_timestamp_us",
         "spool_oldest_age_seconds",
         PEN_FAMILY_AGE,
         NULL,
         "How long ago the oldest of those arrived; 0 if there are none."),
  HISTOGRAM ("process_seconds",
             "process_seconds",
             "Time that a transform takes for an event; one in sixteen is measured for all."),
  HISTOGRAM ("write_seconds",
             "write_seconds",
             "Time that a sink takes for a batch; one in sixteen is measured for all."),
  HISTOGRAM ("batch_events", "batch_events", "Events in a batch."),
  HISTOGRAM ("delivery_latency_seconds",
             "delivery_latency_seconds",
             "Time from the arrival of an event to its delivery."),
  /* what stands in the expiry too, and does not grow old there */
  { PEN_FAMILY_OF_ELEMENT, 0, "certificate_days_left", NULL, PEN_FAMILY_GAUGE, PEN_FAMILY_PLAIN,
    NULL, NULL },
};

const guint pen_n_families = G_N_ELEMENTS (pen_families);
