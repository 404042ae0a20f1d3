/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches: what a sink is given, and what it says of each event.
 */

#include "config.h"

#include "pen-batch-private.h"
#include "pen-test.h"

static PenEvent *
test_make_event (const char *text)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  return pen_event_new (payload, "a/b", 1);
}

static PenBatch *
test_make_batch (void)
{
  PenBatch *batch = pen_batch_new ();

  pen_batch_take (batch, test_make_event ("one"));
  pen_batch_take (batch, test_make_event ("three"));
  pen_batch_take (batch, test_make_event (""));
  return batch;
}

static void
test_batch_holds_events (void)
{
  g_autoptr (PenBatch) batch = test_make_batch ();
  g_autoptr (PenEvent) event = test_make_event ("1234567");
  gsize length;

  g_assert_cmpuint (pen_batch_get_n_bytes (batch), ==, 8);
  pen_batch_append (batch, event);
  g_assert_cmpuint (pen_batch_get_n_events (batch), ==, 4);
  g_assert_cmpuint (pen_batch_get_n_bytes (batch), ==, 15);
  g_assert_true (pen_batch_get_event (batch, 3) == event);
  pen_event_get_data (pen_batch_get_event (batch, 1), &length);
  g_assert_cmpuint (length, ==, 5);
}

static void
test_batch_keeps_outcomes (void)
{
  g_autoptr (PenBatch) batch = test_make_batch ();
  const char *reason = NULL;
  const char *message = NULL;

  g_assert_cmpuint (pen_batch_get_n_open (batch), ==, 3);
  pen_batch_accept (batch, 0);
  pen_batch_reject (batch, 2, "bad_column", "column '%s' is missing", "time");

  g_assert_cmpuint (pen_batch_get_n_open (batch), ==, 1);
  g_assert_false (pen_batch_is_open (batch, 0));
  g_assert_true (pen_batch_is_open (batch, 1));
  g_assert_false (pen_batch_is_open (batch, 2));
  g_assert_false (pen_batch_get_rejection (batch, 0, &reason, &message));
  g_assert_false (pen_batch_get_rejection (batch, 1, &reason, &message));
  g_assert_true (pen_batch_get_rejection (batch, 2, &reason, &message));
  g_assert_cmpstr (reason, ==, "bad_column");
  g_assert_cmpstr (message, ==, "column 'time' is missing");
}

static void
test_batch_refuses_a_second_outcome (void)
{
  g_autoptr (PenBatch) batch = test_make_batch ();

  pen_batch_accept (batch, 0);
  g_test_expect_message ("penstock", G_LOG_LEVEL_CRITICAL, "*pen_batch_is_open*failed*");
  pen_batch_accept (batch, 0);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (pen_batch_get_n_open (batch), ==, 2);
}

/* As a value of GObject, which a binding makes of it. */
static void
test_batch_is_boxed (void)
{
  g_autoptr (PenBatch) batch = test_make_batch ();
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_set_boxed (g_value_init (&value, PEN_TYPE_BATCH), batch);
  g_assert_true (g_value_get_boxed (&value) == batch);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/batch/holds-events", test_batch_holds_events);
  g_test_add_func ("/batch/keeps-outcomes", test_batch_keeps_outcomes);
  g_test_add_func ("/batch/refuses-a-second-outcome", test_batch_refuses_a_second_outcome);
  g_test_add_func ("/batch/is-boxed", test_batch_is_boxed);
  return g_test_run ();
}
