/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a pipeline is, for whoever looks from outside: a live view, a monitoring system.
 *
 * They look from threads of their own, at any time, also while a reload replaces the pipeline, and
 * must never hold up its lane. So what they see is not the pipeline but this: names and figures
 * that are constant or atomic, and that stay as long as somebody holds them. Only what an element
 * complains of is asked of the element itself, which the pipeline takes away before it goes.
 */

#include "config.h"

#include "pen-status.h"

#include <string.h>

typedef struct
{
  PenStatusElement seen; /* first */
  PenElement *element;   /* lock; NULL once it has gone */
} PenStatusEntry;

struct _PenStatus
{
  gatomicrefcount references;
  /* constant after start */
  char *name;
  char *path;
  const char *fleet; /* interned */
  PenMetrics *metrics;
  GArray *entries; /* of PenStatusEntry */
  /* atomic */
  int state;
  gint64 since_us;
  /* lock: the elements of the entries, failure */
  GMutex lock;
  char *failure;
};

static void
pen_status_entry_clear (gpointer data)
{
  PenStatusEntry *entry = data;

  g_free ((char *) entry->seen.name);
  g_free ((char *) entry->seen.plugin);
  pen_metrics_unref (entry->seen.metrics);
}

static const char *
pen_status_find_fleet (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  if (g_str_has_suffix (name, ".pipeline"))
    name[strlen (name) - strlen (".pipeline")] = '\0';
  return g_intern_string (name);
}

/* documented in the header, as what follows */
PenStatus *
pen_status_new (const char *name, const char *path, gboolean is_of_fleet)
{
  PenStatus *self = g_new0 (PenStatus, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->name = g_strdup (name);
  self->path = g_strdup (path);
  self->fleet = is_of_fleet ? pen_status_find_fleet (path) : NULL;
  self->metrics = pen_metrics_new ();
  self->entries = g_array_new (FALSE, FALSE, sizeof (PenStatusEntry));
  g_array_set_clear_func (self->entries, pen_status_entry_clear);
  pen_status_set_state (self, PEN_STATUS_STARTING);
  return self;
}

void
pen_status_add_element (PenStatus *self,
                        PenElementKind kind,
                        const char *plugin,
                        PenElement *element)
{
  const PenStatusEntry entry = {
    .seen = {
      .kind = kind,
      .name = g_strdup (pen_element_get_name (element)),
      .plugin = g_strdup (plugin),
      .metrics = pen_metrics_ref (pen_element_get_metrics (element)),
    },
    .element = element,
  };

  g_array_append_val (self->entries, entry);
}

void
pen_status_set_state (PenStatus *self, PenStatusState state)
{
  __atomic_store_n (&self->since_us, g_get_monotonic_time (), __ATOMIC_RELAXED);
  g_atomic_int_set (&self->state, state);
}

void
pen_status_fail (PenStatus *self, const char *message)
{
  g_mutex_lock (&self->lock);
  if (self->failure == NULL)
    self->failure = g_strdup (message);
  g_mutex_unlock (&self->lock);
  pen_status_set_state (self, PEN_STATUS_FAILED);
}

void
pen_status_detach (PenStatus *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < self->entries->len; i++)
    g_array_index (self->entries, PenStatusEntry, i).element = NULL;
}

PenStatus *
pen_status_ref (PenStatus *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
pen_status_unref (PenStatus *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_array_unref (self->entries);
  pen_metrics_unref (self->metrics);
  g_mutex_clear (&self->lock);
  g_free (self->failure);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

const char *
pen_status_get_name (const PenStatus *self)
{
  return self->name;
}

const char *
pen_status_get_path (const PenStatus *self)
{
  return self->path;
}

const char *
pen_status_get_fleet (const PenStatus *self)
{
  return self->fleet;
}

PenStatusState
pen_status_get_state (const PenStatus *self)
{
  return (PenStatusState) g_atomic_int_get (&self->state);
}

const char *
pen_status_state_get_nick (PenStatusState state)
{
  static const char *const nicks[] = { "starting", "running", "draining", "ended", "failed" };

  return nicks[state];
}

gint64
pen_status_get_since (const PenStatus *self)
{
  return __atomic_load_n (&self->since_us, __ATOMIC_RELAXED);
}

PenMetrics *
pen_status_get_metrics (const PenStatus *self)
{
  return self->metrics;
}

guint
pen_status_get_n_elements (const PenStatus *self)
{
  return self->entries->len;
}

const PenStatusElement *
pen_status_get_element (const PenStatus *self, guint index)
{
  return &g_array_index (self->entries, PenStatusEntry, index).seen;
}

char *
pen_status_dup_complaint (PenStatus *self, guint index)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  PenElement *element = g_array_index (self->entries, PenStatusEntry, index).element;

  return element != NULL ? pen_element_dup_complaint (element) : NULL;
}

char *
pen_status_dup_failure (PenStatus *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_strdup (self->failure);
}
