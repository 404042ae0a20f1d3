/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An event loop that many pipelines share.
 *
 * GLib's main context polls: each descriptor in it costs with every round, a timer source likewise.
 * So a lane has exactly one GSource, ready when its one epoll set is or when its earliest timer is
 * due, and finds its descriptors by epoll and its timers in a balanced tree. What elements hand on
 * in a round is delivered at its end: the deferred functions run after all descriptors and timers
 * of the round, so that a burst of messages makes one batch.
 *
 * A quiet pipeline's cost is that of waking up, so a lane with a thread of its own wakes up with
 * one system call: in place of poll () its context waits in the epoll set, in which the context's
 * own wake-up descriptor is too, and the round takes what was found there. Two things of GLib would
 * each cost more calls a round: a source that may not recurse is taken out of the context while it
 * is dispatched, and setting a ready time wakes the context, each by a write and a read of an
 * eventfd. So the source may recurse, which does nothing, and says by itself when it is due.
 *
 * A busy pipeline would wake up for each message as well, if it is done with one before the next
 * has come: a broker sends them one by one. So the rounds of a lane that hardly waits begin no
 * sooner than ROUND_US after each other, and find several messages each. That is how much longer a
 * message waits at most; a quiet lane's does not.
 */

#include "config.h"

#include "pen-lane.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_A_ROUND 64
#define TIMERS_A_ROUND 256
/* A lane is busy that has waited no longer than this for a round, on the average of some. */
#define BUSY_WAIT_US 60
#define LONGEST_WAIT_US 800 /* so that what was long ago is soon forgotten */
#define N_WAITS 8
#define ROUND_US 250
#define MAX_TEST_ROUNDS 10000

typedef struct
{
  int fd;
  PenElement *element;
  PenWatchFunc func;
  gboolean is_dead; /* unwatched in the round that is under way */
} PenLaneWatch;

typedef struct
{
  guint id;
  gint64 due_us;
  PenLaneFunc func; /* of the runtime's own, or NULL */
  PenElement *element;
  PenTimerFunc element_func;
  gpointer user_data;
} PenLaneTimer;

typedef struct
{
  GSource source;
  PenLane *lane;
} PenLaneSource;

struct _PenLane
{
  /* constant after start */
  GMainContext *context;
  GThread *thread;
  GMainLoop *loop;
  GSource *source;
  int epoll_fd;
  /* lane */
  int wakeup_fd; /* of the context, or -1: not in the epoll set */
  int n_ready;   /* what was found, or -1: not looked yet */
  gint64 woken_us;
  gint64 waits_us; /* N_WAITS times the average that was waited for a round */
  struct epoll_event ready[EVENTS_A_ROUND];
  GHashTable *watches; /* fd → PenLaneWatch */
  GPtrArray *dead_watches;
  GSequence *timers;        /* of PenLaneTimer, by due time, then id */
  GHashTable *timer_places; /* id → GSequenceIter */
  guint last_timer;
  GPtrArray *deferred;
  gboolean is_in_round;
  gboolean has_test_clock;
  gint64 test_monotonic_us;
  gint64 test_real_us;
};

typedef struct
{
  PenLaneFunc func;
  gpointer user_data;
} PenLaneCall;

static int
pen_lane_compare_timers (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenLaneTimer *first = a;
  const PenLaneTimer *second = b;

  if (first->due_us != second->due_us)
    return first->due_us < second->due_us ? -1 : 1;
  return first->id < second->id ? -1 : first->id > second->id;
}

/* Of lanes with a thread of their own. */
static GPrivate pen_lane_of_thread;

/* In how many microseconds the source is due by itself: at once for what is deferred, else when the
 * first timer is; -1: not at all. */
static gint64
pen_lane_get_delay (PenLane *self)
{
  const PenLaneTimer *first = NULL;

  if (self->is_in_round)
    return -1;
  if (self->deferred->len > 0)
    return 0;
  if (self->has_test_clock || g_sequence_is_empty (self->timers))
    return -1;
  first = g_sequence_get (g_sequence_get_begin_iter (self->timers));
  return MAX (first->due_us - g_get_monotonic_time (), 0);
}

static gboolean
pen_lane_source_prepare (GSource *source, int *timeout_ms)
{
  gint64 delay_us = pen_lane_get_delay (((PenLaneSource *) source)->lane);

  *timeout_ms = delay_us < 0 ? -1 : (int) MIN ((delay_us + 999) / 1000, G_MAXINT);
  return delay_us == 0;
}

static gboolean
pen_lane_source_check (GSource *source)
{
  return pen_lane_get_delay (((PenLaneSource *) source)->lane) == 0;
}

/* Puts the descriptor by which the context is woken into the epoll set. */
static gboolean
pen_lane_adopt_wakeup (PenLane *self, int fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

  if (fd == self->wakeup_fd)
    return TRUE;
  if (self->wakeup_fd >= 0)
    epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, self->wakeup_fd, NULL);
  self->wakeup_fd = epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? fd : -1;
  return self->wakeup_fd >= 0;
}

/* Waits for the next round. */
static void
pen_lane_wait (PenLane *self, int timeout_ms)
{
  gint64 begin_us = g_get_monotonic_time ();
  gint64 early_us = self->woken_us + ROUND_US - begin_us;

  if (timeout_ms != 0 && early_us > 0 && self->waits_us < N_WAITS * BUSY_WAIT_US)
    {
      g_usleep ((gulong) early_us);
      begin_us = g_get_monotonic_time ();
    }
  self->n_ready = epoll_wait (self->epoll_fd, self->ready, EVENTS_A_ROUND, timeout_ms);
  self->woken_us = g_get_monotonic_time ();
  self->waits_us -= self->waits_us / N_WAITS;
  self->waits_us += MIN (self->woken_us - begin_us, LONGEST_WAIT_US);
}

/* What the context of a lane's thread calls instead of poll (). There are two descriptors in it,
 * its own and the epoll set, unless somebody has attached a source of his own. */
static gint
pen_lane_poll (GPollFD *fds, guint n_fds, gint timeout_ms)
{
  PenLane *self = g_private_get (&pen_lane_of_thread);
  GPollFD *set = NULL;
  GPollFD *wakeup = NULL;

  for (guint i = 0; i < n_fds && n_fds == 2; i++)
    if (self != NULL && fds[i].fd == self->epoll_fd)
      set = &fds[i];
    else
      wakeup = &fds[i];
  if (set == NULL || wakeup == NULL || !pen_lane_adopt_wakeup (self, wakeup->fd))
    return g_poll (fds, n_fds, timeout_ms);
  pen_lane_wait (self, timeout_ms);
  for (int i = 0; i < self->n_ready; i++)
    if (self->ready[i].data.ptr == NULL)
      wakeup->revents = G_IO_IN;
    else
      set->revents = G_IO_IN;
  return self->n_ready;
}

static GIOCondition
pen_lane_from_epoll (guint32 events)
{
  guint condition = 0;

  if (events & EPOLLIN)
    condition |= G_IO_IN;
  if (events & EPOLLOUT)
    condition |= G_IO_OUT;
  if (events & EPOLLERR)
    condition |= G_IO_ERR;
  if (events & (EPOLLHUP | EPOLLRDHUP))
    condition |= G_IO_HUP;
  return (GIOCondition) condition;
}

static void
pen_lane_dispatch_descriptors (PenLane *self)
{
  if (self->n_ready < 0)
    self->n_ready = epoll_wait (self->epoll_fd, self->ready, EVENTS_A_ROUND, 0);
  for (int i = 0; i < self->n_ready; i++)
    {
      PenLaneWatch *watch = self->ready[i].data.ptr;

      /* without one it is the context's wake-up */
      if (watch != NULL && !watch->is_dead)
        watch->func (watch->element, watch->fd, pen_lane_from_epoll (self->ready[i].events));
    }
  self->n_ready = -1;
}

static void
pen_lane_dispatch_timers (PenLane *self)
{
  gint64 now_us = pen_lane_get_monotonic_time (self);
  guint last_of_round = self->last_timer; /* one added meanwhile waits for the next round */

  for (guint i = 0; i < TIMERS_A_ROUND; i++)
    {
      GSequenceIter *first = g_sequence_get_begin_iter (self->timers);
      PenLaneTimer timer;

      if (g_sequence_iter_is_end (first))
        return;
      timer = *(PenLaneTimer *) g_sequence_get (first);
      if (timer.due_us > now_us || timer.id > last_of_round)
        return;
      g_hash_table_remove (self->timer_places, GUINT_TO_POINTER (timer.id));
      g_sequence_remove (first);
      if (timer.func != NULL)
        timer.func (timer.user_data);
      else
        timer.element_func (timer.element, timer.user_data);
    }
}

/* What is deferred while this runs is done too: a batch written here may settle what a source then
 * acknowledges. */
static void
pen_lane_run_deferred (PenLane *self)
{
  for (guint i = 0; i < self->deferred->len; i++)
    {
      PenLaneDeferred *deferred = g_ptr_array_index (self->deferred, i);

      if (deferred == NULL)
        continue; /* cancelled */
      deferred->is_queued = FALSE;
      deferred->func (deferred->user_data);
    }
  g_ptr_array_set_size (self->deferred, 0);
}

static void
pen_lane_run_round (PenLane *self)
{
  self->is_in_round = TRUE;
  pen_lane_dispatch_descriptors (self);
  pen_lane_dispatch_timers (self);
  pen_lane_run_deferred (self);
  g_ptr_array_set_size (self->dead_watches, 0);
  self->is_in_round = FALSE;
}

static gboolean
pen_lane_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  PenLane *self = ((PenLaneSource *) source)->lane;

  if (!self->is_in_round)
    pen_lane_run_round (self);
  return G_SOURCE_CONTINUE;
}

static gpointer
pen_lane_run (gpointer data)
{
  PenLane *self = data;

  g_private_set (&pen_lane_of_thread, self);
  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* documented in the header, as what follows */
PenLane *
pen_lane_new (GMainContext *context)
{
  static GSourceFuncs functions = {
    .prepare = pen_lane_source_prepare,
    .check = pen_lane_source_check,
    .dispatch = pen_lane_source_dispatch,
  };
  PenLane *self = g_new0 (PenLane, 1);

  self->context = context != NULL ? g_main_context_ref (context) : g_main_context_new ();
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->wakeup_fd = -1;
  self->n_ready = -1;
  self->waits_us = N_WAITS * LONGEST_WAIT_US;
  self->watches = g_hash_table_new (NULL, NULL);
  self->dead_watches = g_ptr_array_new_with_free_func (g_free);
  self->timers = g_sequence_new (g_free);
  self->timer_places = g_hash_table_new (NULL, NULL);
  self->deferred = g_ptr_array_new ();
  self->source = g_source_new (&functions, sizeof (PenLaneSource));
  ((PenLaneSource *) self->source)->lane = self;
  g_source_set_static_name (self->source, "penstock lane");
  g_source_set_can_recurse (self->source, TRUE);
  g_source_add_unix_fd (self->source, self->epoll_fd, G_IO_IN);
  g_source_attach (self->source, self->context);
  if (context == NULL)
    {
      g_main_context_set_poll_func (self->context, pen_lane_poll);
      self->loop = g_main_loop_new (self->context, FALSE);
      self->thread = g_thread_new ("lane", pen_lane_run, self);
    }
  return self;
}

static void
pen_lane_quit (gpointer data)
{
  g_main_loop_quit (data);
}

void
pen_lane_join (PenLane *self)
{
  if (self->thread == NULL)
    return;
  pen_lane_invoke (self, pen_lane_quit, self->loop);
  g_thread_join (g_steal_pointer (&self->thread));
  g_main_loop_unref (self->loop);
}

void
pen_lane_free (PenLane *self)
{
  GHashTableIter iter;
  gpointer watch;

  pen_lane_join (self);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_hash_table_iter_init (&iter, self->watches);
  while (g_hash_table_iter_next (&iter, NULL, &watch))
    g_free (watch);
  g_hash_table_unref (self->watches);
  g_ptr_array_unref (self->dead_watches);
  g_hash_table_unref (self->timer_places);
  g_sequence_free (self->timers);
  g_ptr_array_unref (self->deferred);
  close (self->epoll_fd);
  g_main_context_unref (self->context);
  g_free (self);
}

GMainContext *
pen_lane_get_context (PenLane *self)
{
  return self->context;
}

static gboolean
pen_lane_call (gpointer data)
{
  const PenLaneCall *call = data;

  call->func (call->user_data);
  return G_SOURCE_REMOVE;
}

void
pen_lane_invoke (PenLane *self, PenLaneFunc func, gpointer user_data)
{
  PenLaneCall *call = g_new (PenLaneCall, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  call->func = func;
  call->user_data = user_data;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, pen_lane_call, call, g_free);
  g_source_attach (source, self->context);
}

gboolean
pen_lane_is_current (PenLane *self)
{
  return g_main_context_is_owner (self->context);
}

gint64
pen_lane_get_monotonic_time (PenLane *self)
{
  return self->has_test_clock ? self->test_monotonic_us : g_get_monotonic_time ();
}

gint64
pen_lane_get_real_time (PenLane *self)
{
  return self->has_test_clock ? self->test_real_us : g_get_real_time ();
}

void
pen_lane_defer (PenLane *self, PenLaneDeferred *deferred)
{
  if (deferred->is_queued)
    return;
  deferred->is_queued = TRUE;
  g_ptr_array_add (self->deferred, deferred);
}

void
pen_lane_cancel_deferred (PenLane *self, PenLaneDeferred *deferred)
{
  guint index = 0;

  if (!deferred->is_queued)
    return;
  deferred->is_queued = FALSE;
  if (g_ptr_array_find (self->deferred, deferred, &index))
    self->deferred->pdata[index] = NULL;
}

void
pen_lane_watch (PenLane *self,
                PenElement *element,
                int fd,
                GIOCondition condition,
                PenWatchFunc func)
{
  PenLaneWatch *watch = g_hash_table_lookup (self->watches, GINT_TO_POINTER (fd));
  int operation = watch != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  struct epoll_event event = { 0 };

  if (watch == NULL)
    {
      watch = g_new0 (PenLaneWatch, 1);
      watch->fd = fd;
      g_hash_table_insert (self->watches, GINT_TO_POINTER (fd), watch);
    }
  watch->element = element;
  watch->func = func;
  event.data.ptr = watch;
  if (condition & G_IO_IN)
    event.events |= EPOLLIN | EPOLLRDHUP;
  if (condition & G_IO_OUT)
    event.events |= EPOLLOUT;
  if (epoll_ctl (self->epoll_fd, operation, fd, &event) != 0)
    g_critical ("descriptor %d cannot be watched: %s", fd, g_strerror (errno));
}

void
pen_lane_unwatch (PenLane *self, int fd)
{
  PenLaneWatch *watch = NULL;

  if (!g_hash_table_steal_extended (self->watches, GINT_TO_POINTER (fd), NULL, (gpointer *) &watch))
    return;
  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
  watch->is_dead = TRUE;
  /* what was found but not dispatched yet may name it */
  if (self->is_in_round || self->n_ready > 0)
    g_ptr_array_add (self->dead_watches, watch);
  else
    g_free (watch);
}

static guint
pen_lane_insert_timer (PenLane *self, PenLaneTimer *timer, gint64 delay_us)
{
  timer->id = ++self->last_timer;
  timer->due_us = pen_lane_get_monotonic_time (self) + MAX (delay_us, 0);
  g_hash_table_insert (
      self->timer_places, GUINT_TO_POINTER (timer->id),
      g_sequence_insert_sorted (self->timers, timer, pen_lane_compare_timers, NULL));
  return timer->id;
}

guint
pen_lane_add_timer (PenLane *self, gint64 delay_us, PenLaneFunc func, gpointer user_data)
{
  PenLaneTimer *timer = g_new0 (PenLaneTimer, 1);

  timer->func = func;
  timer->user_data = user_data;
  return pen_lane_insert_timer (self, timer, delay_us);
}

guint
pen_lane_add_element_timer (PenLane *self,
                            PenElement *element,
                            gint64 delay_us,
                            PenTimerFunc func,
                            gpointer user_data)
{
  PenLaneTimer *timer = g_new0 (PenLaneTimer, 1);

  timer->element = element;
  timer->element_func = func;
  timer->user_data = user_data;
  return pen_lane_insert_timer (self, timer, delay_us);
}

void
pen_lane_remove_timer (PenLane *self, guint timer)
{
  gpointer place = NULL;

  if (!g_hash_table_steal_extended (self->timer_places, GUINT_TO_POINTER (timer), NULL, &place))
    return;
  g_sequence_remove (place);
}

void
pen_lane_set_test_clock (PenLane *self, gint64 monotonic_us, gint64 real_us)
{
  self->has_test_clock = TRUE;
  self->test_monotonic_us = monotonic_us;
  self->test_real_us = real_us;
}

/* Moves the clock from timer to timer, so that each sees the time that it was set to. Rounds are
 * bounded because a timer of no delay may set itself again for ever. */
void
pen_lane_advance (PenLane *self, gint64 us)
{
  gint64 goal_us = self->test_monotonic_us + us;

  for (guint round = 0; round < MAX_TEST_ROUNDS && !g_sequence_is_empty (self->timers); round++)
    {
      const PenLaneTimer *first = g_sequence_get (g_sequence_get_begin_iter (self->timers));
      gint64 step_us = MAX (first->due_us - self->test_monotonic_us, 0);

      if (first->due_us > goal_us)
        break;
      self->test_monotonic_us += step_us;
      self->test_real_us += step_us;
      pen_lane_run_round (self);
    }
  self->test_real_us += goal_us - self->test_monotonic_us;
  self->test_monotonic_us = goal_us;
  pen_lane_run_round (self);
}
