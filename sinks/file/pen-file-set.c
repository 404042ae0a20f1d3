/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files that one sink has open: no more than max-open-files at a time, the one that was not
 * used for the longest goes first. And what becomes of those that are full or old.
 *
 * Rotated files are compressed and removed by one thread; what it has to do is found in the folder
 * (pen-file-archive.c), so that nothing but names of files waits for it, each at most once.
 */

#include "config.h"

#include "pen-file-set.h"

#include "pen-file-archive.h"

/* An open file and its place among those used lately. */
typedef struct
{
  PenFileTarget *target;
  GList link;
} PenFileSlot;

struct _PenFileSet
{
  /* constant */
  PenElement *element; /* not ours: it owns us */
  PenFileSetOptions options;

  /* lane, or worker if the sink blocks */
  GHashTable *slots; /* path -> PenFileSlot */
  GQueue recent;     /* of slots, the one used last first */

  GThreadPool *tidiers; /* one thread */
  GCancellable *cancellable;
  GMutex lock;        /* guards untidy */
  GHashTable *untidy; /* paths whose rotated files are to be looked at */
};

/* --- Rotated files --- */

static void
pen_file_set_tidy_now (gpointer data, gpointer user_data)
{
  PenFileSet *self = user_data;
  g_autofree char *path = g_strdup (data);
  g_autoptr (GError) error = NULL;

  /* Forgotten first: a rotation from here on asks for another look. */
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->untidy, path);
  g_mutex_unlock (&self->lock);
  if (!pen_file_archive_tidy (path, self->options.compress, self->options.keep, self->cancellable,
                              &error))
    pen_element_log (self->element, G_LOG_LEVEL_WARNING, "%s", error->message);
}

/* Asks for the rotated files of @path to be compressed and thinned out, on the thread for that. */
void
pen_file_set_tidy (PenFileSet *self, const char *path)
{
  char *key;

  if (!self->options.compress && self->options.keep == 0)
    return;
  g_mutex_lock (&self->lock);
  if (!g_hash_table_contains (self->untidy, path))
    {
      key = g_strdup (path);
      g_hash_table_add (self->untidy, key);
      g_thread_pool_push (self->tidiers, key, NULL /* error */);
    }
  g_mutex_unlock (&self->lock);
}

/* --- Open files --- */

static void
pen_file_slot_free (gpointer data)
{
  PenFileSlot *slot = data;

  pen_file_target_free (slot->target);
  g_free (slot);
}

/* No file is open yet. @element is told of in the log; it must live longer. */
PenFileSet *
pen_file_set_new (PenElement *element, const PenFileSetOptions *options)
{
  PenFileSet *self = g_new0 (PenFileSet, 1);

  self->element = element;
  self->options = *options;
  self->slots = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, pen_file_slot_free);
  g_queue_init (&self->recent);
  self->tidiers
      = g_thread_pool_new (pen_file_set_tidy_now, self, 1, FALSE /* exclusive */, NULL /* error */);
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  self->untidy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/* Closes all files. What is not compressed by now waits for the next run. */
void
pen_file_set_free (PenFileSet *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_pool_free (self->tidiers, TRUE /* drop the rest */, TRUE /* wait */);
  while (self->recent.tail != NULL)
    pen_file_set_close (self, ((PenFileSlot *) self->recent.tail->data)->target);
  g_hash_table_unref (self->slots);
  g_hash_table_unref (self->untidy);
  g_object_unref (self->cancellable);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* The open file for @path, or NULL; does not count as use. */
PenFileTarget *
pen_file_set_peek (PenFileSet *self, const char *path)
{
  PenFileSlot *slot = g_hash_table_lookup (self->slots, path);

  return slot != NULL ? slot->target : NULL;
}

/* @target is gone after this. */
void
pen_file_set_close (PenFileSet *self, PenFileTarget *target)
{
  const char *path = pen_file_target_get_path (target);
  PenFileSlot *slot = g_hash_table_lookup (self->slots, path);
  g_autoptr (GError) error = NULL;

  if (self->options.sync_on_close && !pen_file_target_sync (target, &error))
    pen_element_log (self->element, G_LOG_LEVEL_WARNING, "%s", error->message);
  g_queue_unlink (&self->recent, &slot->link);
  g_hash_table_remove (self->slots, path);
}

static PenFileTarget *
pen_file_set_open (PenFileSet *self, const char *path, GError **error)
{
  g_autofree char *notice = NULL;
  PenFileTarget *target;
  PenFileSlot *slot;

  while (g_hash_table_size (self->slots) >= self->options.max_open_files)
    pen_file_set_close (self, ((PenFileSlot *) self->recent.tail->data)->target);
  target = pen_file_target_open (path, &self->options.file, &notice, error);
  if (notice != NULL)
    pen_element_log (self->element, G_LOG_LEVEL_WARNING, "%s", notice);
  if (target == NULL)
    return NULL;
  slot = g_new0 (PenFileSlot, 1);
  slot->target = target;
  slot->link.data = slot;
  g_hash_table_insert (self->slots, (char *) pen_file_target_get_path (target), slot);
  g_queue_push_head_link (&self->recent, &slot->link);
  return target;
}

/* --- Rotation --- */

/* Which of the intervals since 1970 a time lies in; days begin at midnight. */
static gint64
pen_file_set_get_period (PenFileSet *self, gint64 time_us)
{
  gint64 offset_us = 0;

  if (self->options.local_time)
    {
      g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (time_us / G_USEC_PER_SEC);

      offset_us = time != NULL ? g_date_time_get_utc_offset (time) : 0;
    }
  return (time_us + offset_us) / self->options.rotate_interval_us;
}

static gboolean
pen_file_set_is_old (PenFileSet *self, PenFileTarget *target, gint64 now_us)
{
  return self->options.rotate_interval_us > 0 && pen_file_target_is_regular (target)
         && pen_file_target_get_size (target) > 0
         && pen_file_set_get_period (self, pen_file_target_get_begun (target))
                != pen_file_set_get_period (self, now_us);
}

/* Renames the file and closes it: @target is gone. If that fails (FALSE), it is written on:
 * readings matter more. */
gboolean
pen_file_set_rotate (PenFileSet *self, PenFileTarget *target, gint64 now_us)
{
  g_autofree char *path = g_strdup (pen_file_target_get_path (target));
  g_autoptr (GError) error = NULL;

  if (!pen_file_archive_rotate (path, now_us, &error))
    {
      pen_element_complain (self->element, "%s; writing on without rotation", error->message);
      return FALSE;
    }
  pen_file_set_close (self, target);
  pen_file_set_tidy (self, path);
  return TRUE;
}

/* Rotates those whose time is over though nothing is written to them. */
void
pen_file_set_rotate_old (PenFileSet *self, gint64 now_us)
{
  GList *next;

  for (GList *link = self->recent.head; link != NULL; link = next)
    {
      PenFileTarget *target = ((PenFileSlot *) link->data)->target;

      next = link->next;
      if (pen_file_set_is_old (self, target, now_us) && pen_file_target_is_in_place (target))
        pen_file_set_rotate (self, target, now_us);
    }
}

/* The open file for @path: opened again if it was moved, rotated if its time is over. */
PenFileTarget *
pen_file_set_get (PenFileSet *self, const char *path, gint64 now_us, GError **error)
{
  PenFileSlot *slot = g_hash_table_lookup (self->slots, path);
  PenFileTarget *target = slot != NULL ? slot->target : NULL;

  if (target != NULL && !pen_file_target_is_in_place (target))
    {
      pen_element_log (self->element, G_LOG_LEVEL_INFO,
                       "'%s' was moved or deleted: opening it again", path);
      pen_file_set_close (self, target);
      target = NULL;
    }
  if (target != NULL && self->recent.head == &slot->link && self->options.rotate_interval_us == 0)
    return target;
  if (target == NULL)
    target = pen_file_set_open (self, path, error);
  if (target != NULL && pen_file_set_is_old (self, target, now_us)
      && pen_file_set_rotate (self, target, now_us))
    target = pen_file_set_open (self, path, error);
  if (target == NULL)
    return NULL;
  slot = g_hash_table_lookup (self->slots, path);
  g_queue_unlink (&self->recent, &slot->link);
  g_queue_push_head_link (&self->recent, &slot->link);
  return target;
}

/* Brings what was written to the disk; tells the first failure. */
gboolean
pen_file_set_sync (PenFileSet *self, GError **error)
{
  gboolean is_good = TRUE;

  for (GList *link = self->recent.head; link != NULL; link = link->next)
    if (!pen_file_target_sync (((PenFileSlot *) link->data)->target, is_good ? error : NULL))
      is_good = FALSE;
  return is_good;
}
