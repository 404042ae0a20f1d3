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

#define MAX_THREADS 512
#define MAX_DISK_THREADS 32

struct _PenWorkers
{
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
}

void
pen_workers_push_disk (PenWorkers *self, PenWorkFunc func, gpointer user_data)
{
  pen_workers_push_to (self->disk_pool, func, user_data);
}
