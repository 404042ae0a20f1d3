/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Delivery tokens: settled in any order and on any thread, told in the order of receipt.
 */

#include "config.h"

#include "pen-test.h"

#include "pen-event-private.h"
#include "pen-token-private.h"

#define N_TOKENS 1000

typedef struct
{
  PenTokenQueue *queue;
  guint64 position;
  guint n_calls;
} Fixture;

static void
test_fixture_settle (guint64 position, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_cmpuint (position, >, fixture->position);
  fixture->position = position;
  fixture->n_calls++;
}

static void
test_fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_assert_true (g_main_context_acquire (NULL));
  fixture->queue = pen_token_queue_new (NULL, test_fixture_settle, fixture);
}

static void
test_fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->queue, pen_token_queue_close);
  g_main_context_release (NULL);
}

static void
test_token_waits_for_the_oldest (Fixture *fixture, gconstpointer data)
{
  PenToken *first = pen_token_queue_take (fixture->queue);
  PenToken *second = pen_token_queue_take (fixture->queue);
  PenToken *third = pen_token_queue_take (fixture->queue);

  g_assert_cmpuint (pen_token_get_position (third), ==, 3);
  pen_token_unref (second);
  g_assert_cmpuint (fixture->n_calls, ==, 0);
  pen_token_unref (first);
  g_assert_cmpuint (fixture->position, ==, 2);
  g_assert_cmpuint (fixture->n_calls, ==, 1);
  g_assert_cmpuint (pen_token_queue_get_n_open (fixture->queue), ==, 1);
  pen_token_unref (third);
  g_assert_cmpuint (fixture->position, ==, 3);
  g_assert_cmpuint (pen_token_queue_get_settled (fixture->queue), ==, 3);
}

static void
test_token_settles_with_the_last_holder (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  PenEvent *event = pen_event_new (bytes, "a/b", 1);
  PenEvent *half = NULL;
  PenEvent *other_half = NULL;

  pen_event_take_token (event, pen_token_queue_take (fixture->queue));
  half = pen_event_derive (event, bytes);
  other_half = pen_event_derive (event, bytes);
  pen_event_unref (event);
  pen_event_unref (half);
  g_assert_cmpuint (fixture->position, ==, 0);
  pen_event_unref (other_half);
  g_assert_cmpuint (fixture->position, ==, 1);
}

static void
test_token_merged_event_holds_all (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  PenEvent *events[3] = { NULL };
  PenEvent *merged = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    {
      events[i] = pen_event_new (bytes, NULL, i);
      pen_event_take_token (events[i], pen_token_queue_take (fixture->queue));
    }
  merged = pen_event_merge (events, G_N_ELEMENTS (events), bytes);
  g_assert_null (pen_event_get_single_origin (merged));
  g_assert_cmpint (pen_event_get_arrival (merged), ==, 2);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    pen_event_unref (events[i]);
  g_assert_cmpuint (fixture->position, ==, 0);
  pen_event_unref (merged);
  g_assert_cmpuint (fixture->position, ==, 3);
}

static void
test_token_merged_again_holds_all (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  PenEvent *events[4] = { NULL };
  PenEvent *pairs[2] = { NULL };
  PenEvent *merged = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    {
      events[i] = pen_event_new (bytes, "a", i);
      pen_event_take_token (events[i], pen_token_queue_take (fixture->queue));
    }
  pairs[0] = pen_event_merge (events, 2, bytes);
  pairs[1] = pen_event_merge (events + 2, 2, bytes);
  merged = pen_event_merge (pairs, 2, bytes);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    pen_event_unref (events[i]);
  pen_event_unref (pairs[0]);
  pen_event_unref (pairs[1]);
  g_assert_cmpuint (fixture->position, ==, 0);
  pen_event_unref (merged);
  g_assert_cmpuint (fixture->position, ==, 4);
}

static void
test_token_closed_queue_is_silent (Fixture *fixture, gconstpointer data)
{
  PenToken *token = pen_token_queue_take (fixture->queue);

  g_clear_pointer (&fixture->queue, pen_token_queue_close);
  pen_token_unref (token);
  g_assert_cmpuint (fixture->n_calls, ==, 0);
}

static void
test_token_random_order (Fixture *fixture, gconstpointer data)
{
  PenToken *tokens[N_TOKENS];
  gboolean is_settled[N_TOKENS + 1] = { FALSE };

  for (guint i = 0; i < N_TOKENS; i++)
    tokens[i] = pen_token_queue_take (fixture->queue);
  for (guint n_left = N_TOKENS; n_left > 0; n_left--)
    {
      guint which = (guint) g_test_rand_int_range (0, (gint) n_left);
      guint64 position = pen_token_get_position (tokens[which]);
      guint64 oldest = 0;

      is_settled[position] = TRUE;
      pen_token_unref (tokens[which]);
      tokens[which] = tokens[n_left - 1];
      while (oldest < N_TOKENS && is_settled[oldest + 1])
        oldest++;
      g_assert_cmpuint (fixture->position, ==, oldest);
    }
  g_assert_cmpuint (fixture->position, ==, N_TOKENS);
}

static gpointer
test_drop_tokens (gpointer data)
{
  PenToken **tokens = data;

  for (guint i = 0; i < N_TOKENS; i++)
    pen_token_unref (tokens[i]);
  return NULL;
}

static gboolean
test_all_settled (gpointer data)
{
  return ((Fixture *) data)->position == N_TOKENS;
}

static void
test_token_other_thread (Fixture *fixture, gconstpointer data)
{
  PenToken *tokens[N_TOKENS];
  GThread *thread = NULL;

  for (guint i = 0; i < N_TOKENS; i++)
    tokens[i] = pen_token_queue_take (fixture->queue);
  thread = g_thread_new ("dropper", test_drop_tokens, tokens);
  g_assert_true (pen_test_wait (test_all_settled, fixture, 10000));
  g_thread_join (thread);
}

static void
test_close_queue (guint64 position, gpointer user_data)
{
  PenTokenQueue **queue = user_data;

  g_clear_pointer (queue, pen_token_queue_close);
}

static void
test_token_closes_when_told (Fixture *fixture, gconstpointer data)
{
  PenTokenQueue *queue = pen_token_queue_new (NULL, test_close_queue, &queue);
  PenToken *first = pen_token_queue_take (queue);
  PenToken *second = pen_token_queue_take (queue);

  pen_token_unref (second);
  pen_token_unref (first);
  g_assert_null (queue);
}

/* Random schedules: the lane takes tokens while it and other threads hold and drop them. */

#define N_DROPPERS 3
#define N_SCHEDULED 20000

typedef struct
{
  PenTokenQueue *queue;
  GAsyncQueue *dropped[N_DROPPERS];
  gint *n_holders; /* atomic; by position, set to 0 before the last holder lets go */
  guint64 position;
} Schedule;

static void
test_schedule_settle (guint64 position, gpointer user_data)
{
  Schedule *schedule = user_data;

  g_assert_cmpuint (position, >, schedule->position);
  while (schedule->position < position)
    {
      schedule->position++;
      g_assert_cmpint (g_atomic_int_get (&schedule->n_holders[schedule->position]), ==, 0);
    }
}

static void
test_schedule_drop (Schedule *schedule, PenToken *token)
{
  g_atomic_int_dec_and_test (&schedule->n_holders[pen_token_get_position (token)]);
  pen_token_unref (token);
}

typedef struct
{
  Schedule *schedule;
  GAsyncQueue *tokens;
} Dropper;

/* Drops what it is given, the last of a few first, until it is given its own schedule. */
static gpointer
test_schedule_run_dropper (gpointer data)
{
  Dropper *dropper = data;
  PenToken *held[7] = { NULL };

  for (guint i = 0;; i++)
    {
      guint place = i * 5 % G_N_ELEMENTS (held);
      gpointer token = g_async_queue_pop (dropper->tokens);

      if (held[place] != NULL)
        test_schedule_drop (dropper->schedule, held[place]);
      held[place] = token == dropper->schedule ? NULL : token;
      if (token == dropper->schedule)
        break;
    }
  for (guint i = 0; i < G_N_ELEMENTS (held); i++)
    if (held[i] != NULL)
      test_schedule_drop (dropper->schedule, held[i]);
  return NULL;
}

/* Hands the token to a few of the threads and keeps it for a while itself. */
static void
test_schedule_spread (Schedule *schedule, PenToken *token, PenToken **kept)
{
  guint64 position = pen_token_get_position (token);
  guint mask = (guint) g_test_rand_int_range (0, 1 << N_DROPPERS);
  PenToken **place = &kept[g_test_rand_int_range (0, 16)];

  g_atomic_int_set (&schedule->n_holders[position], 1);
  for (guint i = 0; i < N_DROPPERS; i++)
    if (mask & 1 << i)
      {
        g_atomic_int_inc (&schedule->n_holders[position]);
        g_async_queue_push (schedule->dropped[i], pen_token_ref (token));
      }
  if (*place != NULL)
    test_schedule_drop (schedule, *place);
  *place = token;
}

static gboolean
test_schedule_is_over (gpointer data)
{
  return ((Schedule *) data)->position == N_SCHEDULED;
}

static void
test_token_random_schedules (Fixture *fixture, gconstpointer data)
{
  Schedule schedule = { .n_holders = g_new0 (gint, N_SCHEDULED + 1) };
  PenToken *kept[16] = { NULL };
  Dropper droppers[N_DROPPERS];
  GThread *threads[N_DROPPERS];

  schedule.queue = pen_token_queue_new (NULL, test_schedule_settle, &schedule);
  for (guint i = 0; i < N_DROPPERS; i++)
    {
      schedule.dropped[i] = g_async_queue_new ();
      droppers[i] = (Dropper){ &schedule, schedule.dropped[i] };
      threads[i] = g_thread_new ("dropper", test_schedule_run_dropper, &droppers[i]);
    }
  for (guint i = 0; i < N_SCHEDULED; i++)
    {
      test_schedule_spread (&schedule, pen_token_queue_take (schedule.queue), kept);
      if (g_test_rand_int_range (0, 10) == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    if (kept[i] != NULL)
      test_schedule_drop (&schedule, kept[i]);
  for (guint i = 0; i < N_DROPPERS; i++)
    g_async_queue_push (schedule.dropped[i], &schedule);
  g_assert_true (pen_test_wait (test_schedule_is_over, &schedule, 10000));
  for (guint i = 0; i < N_DROPPERS; i++)
    {
      g_thread_join (threads[i]);
      g_async_queue_unref (schedule.dropped[i]);
    }
  g_assert_cmpuint (pen_token_queue_get_n_open (schedule.queue), ==, 0);
  g_assert_cmpuint (pen_token_queue_get_pushed (schedule.queue), ==, N_SCHEDULED);
  pen_token_queue_close (schedule.queue);
  g_free (schedule.n_holders);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, NULL, test_fixture_set_up, func, test_fixture_tear_down)
  ADD ("/token/waits-for-the-oldest", test_token_waits_for_the_oldest);
  ADD ("/token/settles-with-the-last-holder", test_token_settles_with_the_last_holder);
  ADD ("/token/merged-event-holds-all", test_token_merged_event_holds_all);
  ADD ("/token/merged-again-holds-all", test_token_merged_again_holds_all);
  ADD ("/token/closed-queue-is-silent", test_token_closed_queue_is_silent);
  ADD ("/token/random-order", test_token_random_order);
  ADD ("/token/other-thread", test_token_other_thread);
  ADD ("/token/closes-when-told", test_token_closes_when_told);
  ADD ("/token/random-schedules", test_token_random_schedules);
#undef ADD
  return g_test_run ();
}
