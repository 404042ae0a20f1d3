/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The lane: timers in their order, descriptors by epoll, what is deferred at the end of a round.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-lane.h"

#include <signal.h>
#include <unistd.h>

typedef struct
{
  PenLane *lane;
  GString *story;
  PenLaneDeferred deferred;
} Fixture;

typedef struct
{
  Fixture *fixture;
  const char *word;
} Word;

static void
test_fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_assert_true (g_main_context_acquire (NULL));
  fixture->lane = pen_lane_new (g_main_context_default ());
  fixture->story = g_string_new (NULL);
}

static void
test_fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  pen_lane_free (fixture->lane);
  g_string_free (fixture->story, TRUE);
  g_main_context_release (NULL);
}

static void
test_tell (gpointer data)
{
  const Word *word = data;

  g_string_append_printf (word->fixture->story, "%s ", word->word);
}

static void
test_lane_timers_by_time_then_order (Fixture *fixture, gconstpointer data)
{
  Word words[]
      = { { fixture, "late" }, { fixture, "first" }, { fixture, "second" }, { fixture, "never" } };
  guint removed = 0;

  pen_lane_set_test_clock (fixture->lane, 1000, 5000);
  pen_lane_add_timer (fixture->lane, 300, test_tell, &words[0]);
  pen_lane_add_timer (fixture->lane, 100, test_tell, &words[1]);
  removed = pen_lane_add_timer (fixture->lane, 100, test_tell, &words[3]);
  pen_lane_add_timer (fixture->lane, 100, test_tell, &words[2]);
  pen_lane_remove_timer (fixture->lane, removed);
  pen_lane_remove_timer (fixture->lane, removed);
  pen_lane_advance (fixture->lane, 99);
  g_assert_cmpstr (fixture->story->str, ==, "");
  pen_lane_advance (fixture->lane, 1);
  g_assert_cmpstr (fixture->story->str, ==, "first second ");
  pen_lane_advance (fixture->lane, 1000);
  g_assert_cmpstr (fixture->story->str, ==, "first second late ");
  g_assert_cmpint (pen_lane_get_monotonic_time (fixture->lane), ==, 2100);
  g_assert_cmpint (pen_lane_get_real_time (fixture->lane), ==, 6100);
}

static void
test_defer_and_tell (gpointer data)
{
  const Word *word = data;

  pen_lane_defer (word->fixture->lane, &word->fixture->deferred);
  test_tell (data);
}

static void
test_lane_deferred_once_at_the_end (Fixture *fixture, gconstpointer data)
{
  Word words[] = { { fixture, "a" }, { fixture, "b" }, { fixture, "end" } };

  fixture->deferred.func = test_tell;
  fixture->deferred.user_data = &words[2];
  pen_lane_set_test_clock (fixture->lane, 0, 0);
  pen_lane_add_timer (fixture->lane, 10, test_defer_and_tell, &words[0]);
  pen_lane_add_timer (fixture->lane, 10, test_defer_and_tell, &words[1]);
  pen_lane_advance (fixture->lane, 10);
  g_assert_cmpstr (fixture->story->str, ==, "a b end ");

  pen_lane_defer (fixture->lane, &fixture->deferred);
  pen_lane_cancel_deferred (fixture->lane, &fixture->deferred);
  pen_lane_advance (fixture->lane, 10);
  g_assert_cmpstr (fixture->story->str, ==, "a b end ");
}

static gboolean
test_has_story (gpointer data)
{
  return ((Fixture *) data)->story->len > 0;
}

static void
test_lane_deferred_outside_of_a_round (Fixture *fixture, gconstpointer data)
{
  Word word = { fixture, "done" };

  fixture->deferred.func = test_tell;
  fixture->deferred.user_data = &word;
  pen_lane_defer (fixture->lane, &fixture->deferred);
  g_assert_true (pen_test_wait (test_has_story, fixture, 5000));
  g_assert_cmpstr (fixture->story->str, ==, "done ");
}

static void
test_lane_real_timer (Fixture *fixture, gconstpointer data)
{
  Word word = { fixture, "rung" };

  pen_lane_add_timer (fixture->lane, 2000, test_tell, &word);
  g_assert_true (pen_test_wait (test_has_story, fixture, 5000));
}

static Fixture *watching;

static void
test_read_byte (PenElement *element, int fd, GIOCondition condition)
{
  char byte = '\0';

  g_assert_true (condition & G_IO_IN);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  g_string_append_c (watching->story, byte);
  if (byte == '!')
    pen_lane_unwatch (watching->lane, fd);
}

static void
test_lane_watches (Fixture *fixture, gconstpointer data)
{
  int fds[2] = { -1, -1 };

  watching = fixture;
  g_assert_cmpint (pipe (fds), ==, 0);
  pen_lane_watch (fixture->lane, NULL, fds[0], G_IO_IN, test_read_byte);
  g_assert_cmpint (write (fds[1], "a!b", 3), ==, 3);
  while (fixture->story->len < 2)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (fixture->story->str, ==, "a!");
  pen_lane_unwatch (fixture->lane, fds[0]);
  close (fds[0]);
  close (fds[1]);
}

static void
test_tell_thread (gpointer data)
{
  GThread **thread = data;

  g_atomic_pointer_set (thread, g_thread_self ());
}

static void
test_lane_own_thread (Fixture *fixture, gconstpointer data)
{
  PenLane *lane = pen_lane_new (NULL);
  GThread *thread = NULL;

  g_assert_false (pen_lane_is_current (lane));
  pen_lane_invoke (lane, test_tell_thread, &thread);
  pen_lane_join (lane);
  pen_lane_free (lane);
  g_assert_nonnull (g_atomic_pointer_get (&thread));
  g_assert_true (g_atomic_pointer_get (&thread) != g_thread_self ());
}

/* What wakes a lane with a thread of its own: all of it, in one wait. */
typedef struct
{
  PenLane *lane;
  PenLaneDeferred deferred;
  int fds[2];
  gint n_bytes;    /* atomic, as what follows */
  gint n_timers;   /* which set themselves again */
  gint n_deferred; /* once for each timer */
} Awake;

static Awake awake;

static void
test_awake_read (PenElement *element, int fd, GIOCondition condition)
{
  char byte = '\0';

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  g_atomic_int_inc (&awake.n_bytes);
}

static void
test_awake_ring (gpointer data)
{
  g_atomic_int_inc (&awake.n_timers);
  pen_lane_defer (awake.lane, &awake.deferred);
  pen_lane_add_timer (awake.lane, 500, test_awake_ring, NULL);
}

static void
test_awake_end (gpointer data)
{
  g_atomic_int_inc (&awake.n_deferred);
}

static void
test_awake_begin (gpointer data)
{
  pen_lane_watch (awake.lane, NULL, awake.fds[0], G_IO_IN, test_awake_read);
  pen_lane_add_timer (awake.lane, 0, test_awake_ring, NULL);
}

static void
test_awake_unwatch (gpointer data)
{
  pen_lane_unwatch (awake.lane, awake.fds[0]);
  close (awake.fds[0]);
}

static gboolean
test_awake_has_all (gpointer data)
{
  int n_wanted = GPOINTER_TO_INT (data);

  return g_atomic_int_get (&awake.n_bytes) >= n_wanted
         && g_atomic_int_get (&awake.n_timers) >= n_wanted
         && g_atomic_int_get (&awake.n_deferred) >= n_wanted;
}

static void
test_lane_own_thread_wakes (Fixture *fixture, gconstpointer data)
{
  awake = (Awake){ .lane = pen_lane_new (NULL), .deferred = { .func = test_awake_end } };
  g_assert_cmpint (pipe (awake.fds), ==, 0);
  pen_lane_invoke (awake.lane, test_awake_begin, NULL);
  for (int i = 1; i <= 20; i++)
    {
      g_assert_cmpint (write (awake.fds[1], "x", 1), ==, 1);
      g_assert_true (pen_test_wait (test_awake_has_all, GINT_TO_POINTER (i), 20000));
    }
  pen_lane_invoke (awake.lane, test_awake_unwatch, NULL);
  pen_lane_join (awake.lane);
  pen_lane_free (awake.lane);
  g_assert_cmpint (awake.n_bytes, ==, 20);
  g_assert_cmpint (write (awake.fds[1], "x", 1), ==, -1);
  close (awake.fds[1]);
}

/* A busy lane: bytes that come faster than rounds are short. */
#define N_BUSY 4000
#define BUSY_BYTE_US 20

typedef struct
{
  PenLane *lane;
  int fds[2];
  gint n_bytes;  /* atomic, as what follows */
  gint n_rounds; /* that read something */
} Busy;

static Busy busy;

static void
test_busy_read (PenElement *element, int fd, GIOCondition condition)
{
  char bytes[N_BUSY];
  gssize n_bytes = read (fd, bytes, sizeof bytes);

  g_assert_cmpint (n_bytes, >, 0);
  g_atomic_int_add (&busy.n_bytes, (gint) n_bytes);
  g_atomic_int_inc (&busy.n_rounds);
}

static void
test_busy_begin (gpointer data)
{
  pen_lane_watch (busy.lane, NULL, busy.fds[0], G_IO_IN, test_busy_read);
}

static void
test_busy_end (gpointer data)
{
  pen_lane_unwatch (busy.lane, busy.fds[0]);
}

static gboolean
test_busy_has_all (gpointer data)
{
  return g_atomic_int_get (&busy.n_bytes) == N_BUSY;
}

static void
test_lane_busy_takes_several (Fixture *fixture, gconstpointer data)
{
  gint64 next_us = g_get_monotonic_time ();

  busy = (Busy){ .lane = pen_lane_new (NULL) };
  g_assert_cmpint (pipe (busy.fds), ==, 0);
  pen_lane_invoke (busy.lane, test_busy_begin, NULL);
  for (guint i = 0; i < N_BUSY; i++)
    {
      while (g_get_monotonic_time () < next_us)
        continue;
      next_us += BUSY_BYTE_US;
      g_assert_cmpint (write (busy.fds[1], "x", 1), ==, 1);
    }
  g_assert_true (pen_test_wait (test_busy_has_all, NULL, 20000));
  pen_lane_invoke (busy.lane, test_busy_end, NULL);
  pen_lane_join (busy.lane);
  pen_lane_free (busy.lane);
  close (busy.fds[0]);
  close (busy.fds[1]);
  g_test_message ("%d bytes in %d rounds", busy.n_bytes, busy.n_rounds);
  g_assert_cmpint (busy.n_rounds, <, N_BUSY / 3);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  signal (SIGPIPE, SIG_IGN);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/lane/timers-by-time-then-order", test_lane_timers_by_time_then_order);
  ADD ("/lane/deferred-once-at-the-end", test_lane_deferred_once_at_the_end);
  ADD ("/lane/deferred-outside-of-a-round", test_lane_deferred_outside_of_a_round);
  ADD ("/lane/real-timer", test_lane_real_timer);
  ADD ("/lane/watches", test_lane_watches);
  ADD ("/lane/own-thread", test_lane_own_thread);
  ADD ("/lane/own-thread-wakes", test_lane_own_thread_wakes);
  ADD ("/lane/busy-takes-several", test_lane_busy_takes_several);
#undef ADD
  return g_test_run ();
}
