/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Windows of all kinds over random events, out of order, repeated and with gaps: against a model
 * that looks at every event each time, and against themselves after crashes at any place.
 *
 *   PENSTOCK_TEST_SEED=N       plays one case, the one that a failure names
 *   PENSTOCK_TEST_CASES=N      plays more of them
 */

#include "config.h"

#include "pen-harness.h"
#include "pen-token-private.h"
#include "pen-window-plan.h"
#include "pen-window-transform.h"

#include <stdlib.h>
#include <string.h>

#define N_CASES 300
#define MAX_EVENTS 120
#define MAX_SIZES 3
#define N_GROUPS 3

typedef struct
{
  gint64 time; /* seconds */
  guint group;
  gint64 eighths; /* the value; G_MININT64: none */
  guint style;    /* how it is written */
} TestEvent;

typedef struct
{
  PenWindowKind kind;
  guint n_sizes;
  gint64 sizes[MAX_SIZES];
  gint64 hop;
  gint64 offset;
  gint64 lateness;
  gint64 lag;
  guint n_events;
  TestEvent events[MAX_EVENTS];
} TestCase;

/* --- What is played --- */

static void
test_choose_events (TestCase *self, GRand *random)
{
  gint64 time = g_rand_int_range (random, -100, 100);

  self->n_events = (guint) g_rand_int_range (random, 1, MAX_EVENTS);
  for (guint i = 0; i < self->n_events; i++)
    {
      TestEvent *event = &self->events[i];

      time += g_rand_int_range (random, 0, 10) == 0 ? g_rand_int_range (random, 0, 200)
                                                    : g_rand_int_range (random, -2, 6);
      event->time = time - (g_rand_boolean (random) ? g_rand_int_range (random, 0, 40) : 0);
      event->group = (guint) g_rand_int_range (random, 0, N_GROUPS);
      event->eighths
          = g_rand_int_range (random, 0, 10) == 0 ? G_MININT64 : g_rand_int_range (random, -40, 40);
      event->style = (guint) g_rand_int_range (random, 0, 2);
    }
}

static void
test_choose_case (TestCase *self, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  gint64 least = 100;

  *self = (TestCase){ .kind = (PenWindowKind) g_rand_int_range (random, 0, 3) };
  self->n_sizes = (guint) g_rand_int_range (random, 1, MAX_SIZES + 1);
  for (guint i = 0; i < self->n_sizes; i++)
    {
      /* of different lengths, which tell them apart */
      self->sizes[i] = g_rand_int_range (random, 3, 20) + 20 * (gint64) i;
      least = MIN (least, self->sizes[i]);
    }
  if (self->kind == PEN_WINDOW_HOPPING)
    self->hop = g_rand_int_range (random, 1, (gint32) least + 1);
  if (self->kind != PEN_WINDOW_SLIDING && g_rand_boolean (random))
    self->lateness = g_rand_int_range (random, 0, 30);
  self->offset = g_rand_int_range (random, 0, 5);
  self->lag = g_rand_boolean (random) ? g_rand_int_range (random, 0, 60) : 0;
  test_choose_events (self, random);
}

/* The text of a value: halves and whole numbers are also written in another way. */
static char *
test_write_value (const TestEvent *event)
{
  if (event->eighths == G_MININT64)
    return g_strdup ("null");
  if (event->eighths % 8 == 0 && event->style == 0)
    return g_strdup_printf ("%d", (int) (event->eighths / 8));
  return g_strdup_printf ("%.3f", (double) event->eighths / 8);
}

static PenEvent *
test_make_event (const TestCase *self, guint index, PenToken *token)
{
  const TestEvent *event = &self->events[index];
  g_autofree char *value = test_write_value (event);
  g_autofree char *text
      = g_strdup_printf ("{\"t\":%d,\"g\":%u,\"x\":%s}", (int) event->time, event->group, value);
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));
  PenEvent *made = pen_event_new (payload, "test", index);

  if (token != NULL)
    pen_event_add_token (made, token);
  return made;
}

static PenHarness *
test_start (const TestCase *self)
{
  const char *const groups[] = { "g", NULL };
  const char *const functions[] = { "count(*) as {window}.n",       "count(x) as {window}.count",
                                    "sum(x) as {window}.sum",       "mean(x) as {window}.mean",
                                    "min(x) as {window}.min",       "max(x) as {window}.max",
                                    "first(x) as {window}.first",   "last(x) as {window}.last",
                                    "median(x) as {window}.median", NULL };
  g_auto (GStrv) windows = g_new0 (char *, MAX_SIZES + 1);
  PenElement *element = NULL;
  PenHarness *harness = NULL;

  for (guint i = 0; i < self->n_sizes; i++)
    windows[i] = g_strdup_printf ("%ds", (int) self->sizes[i]);
  element = g_object_new (PEN_TYPE_WINDOW_TRANSFORM, "kind", self->kind, "windows", windows,
                          "functions", functions, "group-by", groups, "time-field", "t", "hop",
                          self->hop * G_USEC_PER_SEC, "offset", self->offset * G_USEC_PER_SEC,
                          "allowed-lateness", self->lateness * G_USEC_PER_SEC, "group-lag",
                          self->lag * G_USEC_PER_SEC, "time-format", PEN_WINDOW_UNIT_SECONDS, NULL);
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  return harness;
}

/* --- The model --- */

typedef struct
{
  const TestCase *played;
  guint n_seen;
  gboolean is_in[MAX_EVENTS]; /* of the window that is looked at */
} TestModel;

static gint64
test_model_find_closed (const TestModel *self, guint n_seen, guint group)
{
  gint64 newest = G_MININT32;
  gint64 own = G_MININT32;

  for (guint i = 0; i < n_seen; i++)
    {
      newest = MAX (newest, self->played->events[i].time);
      if (self->played->events[i].group == group)
        own = MAX (own, self->played->events[i].time);
    }
  return MAX (newest - self->played->lag, own) - self->played->lateness;
}

static int
test_compare_eighths (gconstpointer a, gconstpointer b)
{
  const TestEvent *first = *(const TestEvent *const *) a;
  const TestEvent *second = *(const TestEvent *const *) b;

  return (first->eighths > second->eighths) - (first->eighths < second->eighths);
}

static int
test_compare_times (gconstpointer a, gconstpointer b)
{
  const TestEvent *first = *(const TestEvent *const *) a;
  const TestEvent *second = *(const TestEvent *const *) b;

  if (first->time != second->time)
    return first->time < second->time ? -1 : 1;
  return (first > second) - (first < second);
}

/* By value, then as before: events lie in the order in which they came. */
static const TestEvent *
test_model_find_extreme (const GPtrArray *by_time, int direction)
{
  const TestEvent *best = NULL;

  for (guint i = 0; i < by_time->len; i++)
    {
      const TestEvent *event = g_ptr_array_index (by_time, i);

      if (best == NULL || event->eighths * direction > best->eighths * direction
          || (event->eighths == best->eighths && direction > 0))
        best = event;
    }
  return best;
}

static void
test_append_double (GString *text, const char *window, const char *name, double value)
{
  char number[PEN_JSON_DOUBLE_SIZE];

  pen_json_format_double (value, number);
  g_string_append_printf (text, ",\"%s.%s\":%s", window, name, number);
}

static void
test_append_text (GString *text, const char *window, const char *name, const TestEvent *event)
{
  g_autofree char *value = test_write_value (event);

  g_string_append_printf (text, ",\"%s.%s\":%s", window, name, value);
}

static void
test_model_append_values (GString *text, const char *window, GPtrArray *values)
{
  gint64 eighths = 0;
  gboolean is_whole = TRUE;
  guint n = values->len;

  for (guint i = 0; i < n; i++)
    {
      const TestEvent *event = g_ptr_array_index (values, i);

      eighths += event->eighths;
      is_whole &= event->eighths % 8 == 0 && event->style == 0;
    }
  g_ptr_array_sort (values, test_compare_times);
  if (is_whole)
    g_string_append_printf (text, ",\"%s.sum\":%d", window, (int) (eighths / 8));
  else
    test_append_double (text, window, "sum", (double) eighths / 8);
  test_append_double (text, window, "mean", (double) eighths / 8 / n);
  test_append_text (text, window, "min", test_model_find_extreme (values, -1));
  test_append_text (text, window, "max", test_model_find_extreme (values, 1));
  test_append_text (text, window, "first", g_ptr_array_index (values, 0));
  test_append_text (text, window, "last", g_ptr_array_index (values, n - 1));
  g_ptr_array_sort (values, test_compare_eighths);
  test_append_double (
      text, window, "median",
      (double) (((const TestEvent *) g_ptr_array_index (values, n / 2))->eighths
                + ((const TestEvent *) g_ptr_array_index (values, (n - 1) / 2))->eighths)
          / 16);
}

/* Appends the results of the events that are in the window. */
static guint
test_model_append (const TestModel *self, GString *text, guint size)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  g_autofree char *window = g_strdup_printf ("%ds", (int) self->played->sizes[size]);
  guint n_in = 0;

  for (guint i = 0; i < self->n_seen; i++)
    {
      if (!self->is_in[i])
        continue;
      n_in++;
      if (self->played->events[i].eighths != G_MININT64)
        g_ptr_array_add (values, (gpointer) &self->played->events[i]);
    }
  g_string_append_printf (text, ",\"%s.n\":%u,\"%s.count\":%u", window, n_in, window, values->len);
  if (values->len > 0)
    test_model_append_values (text, window, values);
  else
    for (guint i = 0; i < 7; i++)
      g_string_append_printf (
          text, ",\"%s.%s\":null", window,
          ((const char *const[]){ "sum", "mean", "min", "max", "first", "last", "median" })[i]);
  return n_in;
}

/* Of the group, all that are no older than its newest by the window's length; of all groups, what
 * is too old is as if it had never been. */
static void
test_model_slide (TestModel *self, GPtrArray *results)
{
  const TestCase *played = self->played;
  guint group = played->events[self->n_seen - 1].group;
  GString *text = g_string_new (NULL);
  gint64 longest = 0;
  gint64 horizon = G_MININT32;
  gint64 newest = G_MININT32;

  for (guint i = 0; i < played->n_sizes; i++)
    longest = MAX (longest, played->sizes[i]);
  for (guint i = 0; i < self->n_seen; i++)
    horizon = MAX (horizon, played->events[i].time - 2 * longest - played->lag);
  for (guint i = 0; i < self->n_seen; i++)
    if (played->events[i].group == group && played->events[i].time >= horizon)
      newest = MAX (newest, played->events[i].time);
  g_string_append_printf (text, "{\"g\":%u", group);
  for (guint i = 0; i < played->n_sizes; i++)
    {
      for (guint j = 0; j < self->n_seen; j++)
        self->is_in[j] = played->events[j].group == group && played->events[j].time >= horizon
                         && newest - played->events[j].time <= played->sizes[i];
      test_model_append (self, text, i);
    }
  g_string_append_c (text, '}');
  g_ptr_array_add (results, g_string_free (text, FALSE));
}

/* The window of @group that begins at @start, if it has closed between the last event and this. */
static void
test_model_close (TestModel *self,
                  guint group,
                  guint size,
                  gint64 start,
                  gboolean is_end,
                  GPtrArray *results)
{
  gint64 end = start + self->played->sizes[size];
  gint64 closed = test_model_find_closed (self, self->n_seen, group);
  gint64 closed_before = test_model_find_closed (self, self->n_seen - 1, group);
  GString *text = NULL;

  if (is_end ? end <= closed : end > closed || (self->n_seen > 1 && end <= closed_before))
    return;
  for (guint i = 0; i < self->n_seen; i++)
    {
      const TestEvent *event = &self->played->events[i];

      self->is_in[i] = event->group == group && event->time >= start && event->time < end
                       && test_model_find_closed (self, i + 1, group) < end;
    }
  text = g_string_new (NULL);
  g_string_append_printf (text, "{\"g\":%u,\"start\":%d,\"end\":%d", group, (int) start, (int) end);
  if (test_model_append (self, text, size) > 0)
    {
      g_string_append_c (text, '}');
      g_ptr_array_add (results, g_string_free (text, FALSE));
    }
  else
    g_string_free (text, TRUE);
}

static void
test_model_close_all (TestModel *self, gboolean is_end, GPtrArray *results)
{
  gint64 least = G_MAXINT32;
  gint64 newest = G_MININT32;

  for (guint i = 0; i < self->n_seen; i++)
    {
      least = MIN (least, self->played->events[i].time);
      newest = MAX (newest, self->played->events[i].time);
    }
  for (guint group = 0; group < N_GROUPS; group++)
    for (guint size = 0; size < self->played->n_sizes; size++)
      for (gint64 start = least - self->played->sizes[size]; start <= newest; start++)
        {
          gint64 hop = self->played->hop > 0 ? self->played->hop : self->played->sizes[size];

          if ((start - self->played->offset) % hop == 0)
            test_model_close (self, group, size, start, is_end, results);
        }
}

/* --- The comparison --- */

static int
test_compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
test_pull_all (PenHarness *harness)
{
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);
  char *text = NULL;

  while ((text = pen_harness_pull_text (harness)) != NULL)
    g_ptr_array_add (texts, text);
  return texts;
}

static void
test_expect_same (GPtrArray *actual, GPtrArray *expected)
{
  g_ptr_array_sort (actual, test_compare_texts);
  g_ptr_array_sort (expected, test_compare_texts);
  for (guint i = 0; i < MAX (actual->len, expected->len); i++)
    g_assert_cmpstr (i < actual->len ? g_ptr_array_index (actual, i) : NULL, ==,
                     i < expected->len ? g_ptr_array_index (expected, i) : NULL);
}

static void
test_judge (const TestCase *played)
{
  g_autoptr (PenHarness) harness = test_start (played);
  TestModel model = { .played = played };

  for (guint i = 0; i <= played->n_events; i++)
    {
      g_autoptr (GPtrArray) expected = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GPtrArray) actual = NULL;
      gboolean is_end = i == played->n_events;

      if (is_end)
        pen_harness_drain (harness);
      else
        pen_harness_push (harness, test_make_event (played, i, NULL));
      model.n_seen = MIN (i + 1, played->n_events);
      if (played->kind != PEN_WINDOW_SLIDING)
        test_model_close_all (&model, is_end, expected);
      else if (!is_end)
        test_model_slide (&model, expected);
      actual = test_pull_all (harness);
      test_expect_same (actual, expected);
    }
}

/* --- Crashes --- */

static void
test_on_settled (guint64 position, gpointer user_data)
{
}

/* Plays from event @first on, of which the results from @emitted on count. */
static GPtrArray *
test_play (const TestCase *played,
           guint first,
           guint emitted,
           guint behind,
           guint64 *needed_before,
           guint64 *needed)
{
  g_autoptr (PenHarness) harness = test_start (played);
  PenTokenQueue *tokens = pen_token_queue_new (NULL, test_on_settled, NULL);
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  for (guint i = first; i < behind; i++)
    {
      PenToken *token = pen_token_queue_take_at (tokens, i + 1);
      char *text = NULL;

      needed_before[i] = pen_token_queue_get_settled (tokens);
      pen_harness_push (harness, test_make_event (played, i, token));
      pen_token_unref (token);
      while ((text = pen_harness_pull_text (harness)) != NULL)
        {
          if (i >= emitted)
            g_ptr_array_add (texts, g_strdup_printf ("%u %s", i, text));
          g_free (text);
        }
      needed[i] = pen_token_queue_get_settled (tokens);
    }
  g_clear_pointer (&harness, pen_harness_free);
  pen_token_queue_close (tokens);
  return texts;
}

/* Everything up to @delivered was written when a run ended; the next begins with the oldest that
 * was held then, or when the first that was not written had come. */
static void
test_crash (const TestCase *played, GPtrArray *whole, guint delivered, guint64 oldest)
{
  guint64 unused[MAX_EVENTS] = { 0 };
  g_autoptr (GPtrArray) texts
      = test_play (played, (guint) oldest, delivered, played->n_events, unused, unused);
  guint n_skipped = 0;

  for (; n_skipped < whole->len
         && strtoul (g_ptr_array_index (whole, n_skipped), NULL, 10) < delivered;
       n_skipped++)
    ;
  for (guint i = 0; i < MAX (texts->len, whole->len - n_skipped); i++)
    g_assert_cmpstr (i < texts->len ? g_ptr_array_index (texts, i) : NULL, ==,
                     n_skipped + i < whole->len ? g_ptr_array_index (whole, n_skipped + i) : NULL);
}

static void
test_survive (const TestCase *played)
{
  guint64 needed_before[MAX_EVENTS] = { 0 };
  guint64 needed[MAX_EVENTS] = { 0 };
  g_autoptr (GPtrArray) whole = test_play (played, 0, 0, played->n_events, needed_before, needed);

  for (guint delivered = 1; delivered < played->n_events; delivered += 7)
    {
      g_assert_cmpuint (needed_before[delivered], <=, delivered);
      test_crash (played, whole, delivered, needed_before[delivered]);
    }
}

static guint
test_get_number_of (const char *variable, guint usual)
{
  const char *text = g_getenv (variable);

  return text != NULL ? (guint) strtoul (text, NULL, 10) : usual;
}

static void
test_random (void (*play) (const TestCase *played))
{
  gboolean is_one = g_getenv ("PENSTOCK_TEST_SEED") != NULL;
  guint first = test_get_number_of ("PENSTOCK_TEST_SEED", 1);
  guint n_cases = is_one ? 1 : test_get_number_of ("PENSTOCK_TEST_CASES", N_CASES);

  for (guint seed = first; seed < first + n_cases; seed++)
    {
      TestCase played;

      g_test_message ("PENSTOCK_TEST_SEED=%u", seed);
      test_choose_case (&played, seed);
      play (&played);
    }
}

static void
test_random_agrees (void)
{
  test_random (test_judge);
}

static void
test_random_survives (void)
{
  test_random (test_survive);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/window/random/agrees", test_random_agrees);
  g_test_add_func ("/window/random/survives", test_random_survives);
  return g_test_run ();
}
