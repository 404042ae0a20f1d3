/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads for sinks that block. A sink has at most one batch under way, so the pool is bounded by
 * the number of sinks and by MAX_THREADS; beyond that, batches wait for a thread. A database that
 * never answers costs a thread and holds up nobody until so many do. Spools have threads of their
 * own, which wait for nothing but the disk: sinks that hang must not keep messages from being
 * saved.
 */

#include "config.h"

#include "pen-workers.h"

/* A thread that waits costs some 20 KiB. */
#define MAX_THREADS 4096
#define MAX_DISK_THREADS 32

struct _PenWorkers
{
  gint is_full; /* atomic: all threads were busy, which was told */
  GThreadPool *pool;
  GThreadPool *disk_pool;
};

typedef struct
{
  PenWorkFunc func;
  gpointer user_data;
} PenWork;

static void
pen_workers_run (gpointer data, gpointer user_data)
{
  g_autofree PenWork *work = data;

  work->func (work->user_data);
}

/* documented in the header, as what follows */
PenWorkers *
pen_workers_new (void)
{
  PenWorkers *self = g_new0 (PenWorkers, 1);

  self->pool = g_thread_pool_new (pen_workers_run, NULL, /* user_data */
                                  MAX_THREADS, FALSE,    /* exclusive */
                                  NULL);                 /* a shared pool cannot fail */
  self->disk_pool = g_thread_pool_new (pen_workers_run, NULL, MAX_DISK_THREADS, FALSE, NULL);
  return self;
}

void
pen_workers_free (PenWorkers *self, gboolean wait)
{
  g_thread_pool_free (self->pool, FALSE /* immediate */, wait);
  g_thread_pool_free (self->disk_pool, FALSE /* immediate */, wait);
  g_free (self);
}

/* Who waits for a thread is not to wonder why. */
static void
pen_workers_tell (PenWorkers *self)
{
  if (g_thread_pool_get_num_threads (self->pool) < MAX_THREADS)
    g_atomic_int_set (&self->is_full, FALSE);
  else if (g_thread_pool_unprocessed (self->pool) > 0
           && g_atomic_int_compare_and_exchange (&self->is_full, FALSE, TRUE))
    g_warning ("all %d threads for sinks that block are in use: other sinks wait until one of them "
               "returns",
               MAX_THREADS);
}

static void
pen_workers_push_to (GThreadPool *pool, PenWorkFunc func, gpointer user_data)
{
  PenWork *work = g_new (PenWork, 1);

  work->func = func;
  work->user_data = user_data;
  /* an error means that no thread could be started now; the work stays queued */
  g_thread_pool_push (pool, work, NULL);
}

void
pen_workers_push (PenWorkers *self, PenWorkFunc func, gpointer user_data)
{
  pen_workers_push_to (self->pool, func, user_data);
  pen_workers_tell (self);
}

void
pen_workers_push_disk (PenWorkers *self, PenWorkFunc func, gpointer user_data)
{
  pen_workers_push_to (self->disk_pool, func, user_data);
}
