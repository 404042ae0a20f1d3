/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Looks at events as they pass an element of a running pipeline.
 *
 * An element that nobody looks at has no list of taps, and one branch finds that out. One that is
 * looked at pays as little as can be, and never what the one who looks decides: each tap has a
 * number of events that it may still copy, which is granted from outside, bit by bit, so that the
 * lane reads no clock; all others are counted. A copy has bytes of its own, so that it holds
 * neither a message's token nor a large payload, and goes into a list that is bounded in events and
 * bytes. The list's lock is tried, not waited for: the other side holds it to take the list away as
 * a whole, and if it just does, the event is one more that was not shown.
 */

#include "config.h"

#include "pen-tap.h"

#include <string.h>

#define MAX_PROPERTY_BYTES 4096

struct _PenTap
{
  gatomicrefcount references;
  /* constant */
  char *pipeline;
  PenElementKind kind;
  char *element;
  gsize max_payload;
  /* atomic */
  gint n_granted;
  guint64 n_passed;
  /* lock */
  GMutex lock;
  PenTapState state;
  guint n_openings;
  GPtrArray *records;
  gsize n_bytes;
};

static void
pen_tap_record_free (gpointer data)
{
  PenTapRecord *record = data;

  g_free (record->element);
  pen_event_unref (record->event);
  g_free (record);
}

/* documented in the header, as what follows */
PenTap *
pen_tap_new (const char *pipeline, PenElementKind kind, const char *element, gsize max_payload)
{
  PenTap *self = g_new0 (PenTap, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->pipeline = g_strdup (pipeline);
  self->kind = kind;
  self->element = g_strdup (element);
  self->max_payload = max_payload;
  self->records = g_ptr_array_new_with_free_func (pen_tap_record_free);
  return self;
}

PenTap *
pen_tap_ref (PenTap *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
pen_tap_unref (PenTap *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_ptr_array_unref (self->records);
  g_mutex_clear (&self->lock);
  g_free (self->pipeline);
  g_free (self->element);
  g_free (self);
}

const char *
pen_tap_get_pipeline (const PenTap *self)
{
  return self->pipeline;
}

gboolean
pen_tap_fits (const PenTap *self, PenElementKind kind, const char *element)
{
  return self->kind == kind && (self->element == NULL || g_str_equal (self->element, element));
}

void
pen_tap_set_state (PenTap *self, PenTapState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->state = state;
  if (state == PEN_TAP_OPEN)
    self->n_openings++;
}

PenTapState
pen_tap_get_state (PenTap *self, guint *n_openings)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *n_openings = self->n_openings;
  return self->state;
}

void
pen_tap_grant (PenTap *self, guint n, guint most)
{
  gint before = g_atomic_int_get (&self->n_granted);

  while (!g_atomic_int_compare_and_exchange_full (
      &self->n_granted, before, (gint) MIN ((guint) MAX (before, 0) + n, most), &before))
    ;
}

GPtrArray *
pen_tap_collect (PenTap *self)
{
  GPtrArray *empty = g_ptr_array_new_with_free_func (pen_tap_record_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GPtrArray *records = self->records;

  self->records = empty;
  self->n_bytes = 0;
  return records;
}

guint64
pen_tap_get_n_passed (PenTap *self)
{
  return __atomic_load_n (&self->n_passed, __ATOMIC_ACQUIRE);
}

/* Returns how many bytes were copied. */
static gsize
pen_tap_copy_properties (PenEvent *copy, const PenEvent *event)
{
  guint n_properties = pen_event_get_n_user_properties (event);
  gsize n_bytes = 0;

  for (guint i = 0; i < n_properties; i++)
    {
      const char *name = NULL;
      const char *value = NULL;
      gsize length;

      pen_event_get_user_property (event, i, &name, &value);
      length = strlen (name) + strlen (value);
      if (n_bytes + length > MAX_PROPERTY_BYTES)
        break;
      n_bytes += length;
      pen_event_add_user_property (copy, name, value);
    }
  return n_bytes;
}

static PenTapRecord *
pen_tap_record_new (const PenTap *self, const char *label, const PenEvent *event, gsize *n_bytes)
{
  PenTapRecord *record = g_new (PenTapRecord, 1);
  const char *topic = pen_event_get_topic (event);
  gsize length = 0;
  const char *data = pen_event_get_data (event, &length);
  gsize n_copied = MIN (length, self->max_payload);
  g_autoptr (GBytes) payload = g_bytes_new (data, n_copied);

  record->element = g_strdup (label);
  record->passed_us = g_get_real_time ();
  record->event = pen_event_new (payload, topic, pen_event_get_arrival (event));
  pen_event_set_flags (record->event, pen_event_get_flags (event));
  pen_event_set_full_size (record->event, pen_event_get_full_size (event));
  if (pen_event_get_content_type (event) != NULL)
    pen_event_set_content_type (record->event, pen_event_get_content_type (event));
  *n_bytes = sizeof *record + n_copied + (topic != NULL ? strlen (topic) : 0)
             + pen_tap_copy_properties (record->event, event);
  return record;
}

static gboolean
pen_tap_use_grant (PenTap *self)
{
  /* only the lane takes away */
  if (g_atomic_int_get (&self->n_granted) <= 0)
    return FALSE;
  g_atomic_int_add (&self->n_granted, -1);
  return TRUE;
}

static void
pen_tap_copy (PenTap *self, const char *label, const PenEvent *event)
{
  gsize n_bytes = 0;
  PenTapRecord *record = pen_tap_record_new (self, label, event, &n_bytes);

  if (g_mutex_trylock (&self->lock))
    {
      if (self->records->len < PEN_TAP_MAX_RECORDS && self->n_bytes + n_bytes <= PEN_TAP_MAX_BYTES)
        {
          g_ptr_array_add (self->records, g_steal_pointer (&record));
          self->n_bytes += n_bytes;
        }
      g_mutex_unlock (&self->lock);
    }
  g_clear_pointer (&record, pen_tap_record_free);
}

void
pen_tap_show (PenTap *self, const char *label, const PenEvent *event)
{
  if (pen_tap_use_grant (self))
    pen_tap_copy (self, label, event);
  /* last, so that whoever has read this finds the copy */
  __atomic_fetch_add (&self->n_passed, 1, __ATOMIC_RELEASE);
}

void
pen_taps_show (GPtrArray *taps, const char *label, const PenEvent *event)
{
  for (guint i = 0; i < taps->len; i++)
    pen_tap_show (g_ptr_array_index (taps, i), label, event);
}
