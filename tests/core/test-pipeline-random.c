/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random pipelines under random schedules, against a model of what they owe: transforms that pass,
 * split, drop, skip, reject, hold and merge; sinks that reject, fail, block and come back in any
 * order; dead letters that are kept or lost; and ends of every kind. Whatever happens, a source may
 * acknowledge what has its outcome, all of that once it is quiet, and nothing else, in order.
 *
 *   PENSTOCK_TEST_SEED=N       plays one schedule, the one that a failure names
 *   PENSTOCK_TEST_SCHEDULES=N  plays that many
 */

#include "config.h"

#include "modules/pen-puppet.h"
#include "pen-event-private.h"
#include "pen-flow-model.h"
#include "pen-pipeline.h"
#include "pen-test.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define SECOND ((gint64) G_USEC_PER_SEC)
#define N_SCHEDULES 8000
#define MAX_NODES 16
#define MAX_EVENTS 1500 /* then nothing is multiplied any more */
#define MAX_LETTERS 101 /* for the parts of one event */
#define MAX_SPINS 3000
#define PATIENCE_MS 30000

typedef enum
{
  TEST_FINISH,  /* the sources end by themselves */
  TEST_STOP,    /* a signal, and time enough */
  TEST_GIVE_UP, /* a signal, and sinks that never come back */
  TEST_FAIL,    /* a sink will never work again */
  N_ENDINGS,
} TestEnding;

typedef struct _TestPlay TestPlay;

/* An element, and what it does. */
typedef struct
{
  TestPlay *play;
  guint node;
  PenElementKind kind;
  char *name;
  PenElement *element;
  PenPuppetStrings strings;
  gboolean is_read;
  gboolean blocks;

  /* lane */
  GPtrArray *held; /* of PenEvent */

  /* the play's lock */
  GRand *random;
  gboolean is_stopped;
  gboolean is_shut; /* a worker waits */
  gboolean is_writing;
  int fatal_code; /* 0: none */
} TestPlayer;

struct _TestPlay
{
  PenFlowModel *model;
  PenLane *lane;
  PenPipeline *pipeline;
  GRand *random; /* of the lane */
  TestPlayer players[MAX_NODES];
  guint n_players;
  TestPlayer *dead_letter;
  gboolean has_ended;
  gboolean is_pushing;

  GMutex lock;
  GCond opened;
  gboolean is_calm; /* nothing fails for now any more */
  guint n_stuck;    /* fails always */
  guint n_started;
};

typedef struct
{
  PenRegistry *registry;
  PenLane *lane;
  PenWorkers *workers;
} Fixture;

/* --- Events: their payload is "e" and the model's number --- */

static GBytes *
test_make_payload (guint event)
{
  char *text = g_strdup_printf ("e%u", event);

  return g_bytes_new_take (text, strlen (text));
}

static guint
test_parse_payload (TestPlay *play, const char *text)
{
  char *end = NULL;
  guint64 event = text[0] == 'e' ? g_ascii_strtoull (text + 1, &end, 10) : 0;

  if (end == NULL || *end != '\0')
    pen_flow_model_fail (play->model, "'%s' is no event", text);
  return (guint) event;
}

static guint
test_get_number (TestPlay *play, const PenEvent *event)
{
  gsize length = 0;
  const char *data = pen_event_get_data (event, &length);
  g_autofree char *text = g_strndup (data, length);

  return test_parse_payload (play, text);
}

/* Reads a letter: which event it is about. What it gives back must be the message. */
static guint
test_read_letter (TestPlay *play, const PenEvent *letter)
{
  gsize length = 0;
  const char *data = pen_event_get_data (letter, &length);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object = NULL;
  const char *payload = NULL;
  const char *stage = NULL;
  guint event = 0;
  int message = 0;

  if (!json_parser_load_from_data (parser, data, (gssize) length, NULL))
    pen_flow_model_fail (play->model, "a letter is not JSON");
  object = json_node_get_object (json_parser_get_root (parser));
  payload = json_object_get_string_member (object, "payload");
  stage = json_object_get_string_member_with_default (object, "stage_payload", payload);
  event = test_parse_payload (play, stage);
  message = pen_flow_model_get_message (play->model, event);
  if (message < 0 ? json_object_get_boolean_member_with_default (object, "replayable", TRUE)
                        || test_parse_payload (play, payload) != event
                  : !json_object_get_boolean_member_with_default (object, "replayable", TRUE)
                        || test_parse_payload (play, payload) != (guint) message)
    pen_flow_model_fail (play->model, "event %u has the letter %.*s", event, (int) length, data);
  return event;
}

static gboolean
test_happens (GRand *random, int percent)
{
  return g_rand_int_range (random, 0, 100) < percent;
}

/* --- What the elements do --- */

static void
test_on_started (gpointer data, PenElement *element)
{
  TestPlayer *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->play->lock);

  self->play->n_started++;
}

static void
test_on_stopped (gpointer data, PenElement *element)
{
  TestPlayer *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->play->lock);

  self->is_stopped = TRUE;
  if (self->kind == PEN_KIND_TRANSFORM && g_rand_boolean (self->random))
    g_ptr_array_set_size (self->held, 0); /* which gives nothing an outcome */
}

static void
test_on_settle (gpointer data, PenSource *source, guint64 position)
{
  TestPlayer *self = data;

  if (self->is_stopped)
    pen_flow_model_fail (self->play->model, "source %u settles after it was stopped", self->node);
  if (self->play->is_pushing)
    pen_flow_model_fail (self->play->model, "source %u settles while it pushes", self->node);
  pen_flow_model_settle (self->play->model, self->node, position);
}

/* A new event made of @origins goes out. */
static void
test_put_out (TestPlayer *self, PenOutput *output, PenEvent *const *origins, guint n_origins)
{
  g_autofree guint *numbers = g_new (guint, n_origins);
  g_autoptr (GBytes) payload = NULL;
  guint made = 0;

  for (guint i = 0; i < n_origins; i++)
    numbers[i] = test_get_number (self->play, origins[i]);
  made = pen_flow_model_make (self->play->model, numbers, n_origins);
  payload = test_make_payload (made);
  pen_output_push (output, pen_event_merge (origins, n_origins, payload));
  pen_flow_model_give (self->play->model, self->node, made);
}

/* All that is held goes: as one, one by one, or nowhere. */
static void
test_release (TestPlayer *self, PenOutput *output)
{
  PenFlowModel *model = self->play->model;
  PenEvent *const *held = (PenEvent *const *) self->held->pdata;
  int how = g_rand_int_range (self->random, 0, 4);

  if (self->held->len == 0)
    return;
  if (how <= 1)
    test_put_out (self, output, held, self->held->len);
  for (guint i = 0; i < self->held->len; i++)
    {
      if (how == 2)
        test_put_out (self, output, held + i, 1);
      else if (how == 3)
        {
          pen_flow_model_get_counts (model, self->node)->n_dropped++;
          pen_output_drop (output, "unneeded");
        }
      pen_flow_model_finish (model, self->node, test_get_number (self->play, held[i]));
    }
  g_ptr_array_set_size (self->held, 0);
}

static void
test_hold (TestPlayer *self, PenTransform *transform, PenEvent *event)
{
  gint64 now_us = pen_element_get_monotonic_time (PEN_ELEMENT (transform));

  g_ptr_array_add (self->held, pen_event_ref (event));
  if (test_happens (self->random, 70))
    pen_transform_schedule (transform, now_us + g_rand_int_range (self->random, 0, (int) SECOND));
}

static gboolean
test_is_holding_more_of (TestPlayer *self, PenEvent *event)
{
  for (guint i = 0; i < self->held->len; i++)
    if (pen_event_is_of_same (g_ptr_array_index (self->held, i), event))
      return TRUE;
  return FALSE;
}

/* What was put out of its message before it fails is thrown away, and skipped parts with it. */
static gboolean
test_refuse (TestPlayer *self, PenEvent *event, PenOutput *output, GError **error)
{
  PenFlowModel *model = self->play->model;
  guint number = test_get_number (self->play, event);

  if (test_happens (self->random, 30))
    pen_output_push (output, pen_event_ref (event));
  if (test_happens (self->random, 30))
    pen_output_push (output, pen_event_derive (event, pen_event_get_payload (event)));
  if (test_happens (self->random, 20))
    {
      pen_flow_model_get_counts (model, self->node)->n_skipped++;
      pen_output_skip (output, "part_bad", "part 0");
    }
  pen_flow_model_reject (model, self->node, number);
  pen_flow_model_finish (model, self->node, number);
  if (test_happens (self->random, 80))
    pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad", "event %u", number);
  return FALSE;
}

static void
test_skip_parts (TestPlayer *self, guint number, PenOutput *output)
{
  static const guint how_many[] = { 1, 2, 100, 101, 102, 150 };
  PenFlowModel *model = self->play->model;
  guint n_parts
      = how_many[g_rand_int_range (self->random, 0, test_happens (self->random, 5) ? 6 : 2)];

  for (guint i = 0; i < n_parts; i++)
    pen_output_skip (output, "part_bad", "part %u", i);
  pen_flow_model_get_counts (model, self->node)->n_skipped += n_parts;
  for (guint i = 0; i < MIN (n_parts, MAX_LETTERS); i++)
    pen_flow_model_reject (model, self->node, number);
}

static gboolean
test_on_process (gpointer data,
                 PenTransform *transform,
                 PenEvent *event,
                 PenOutput *output,
                 GError **error)
{
  TestPlayer *self = data;
  PenFlowModel *model = self->play->model;
  gboolean may_multiply = pen_flow_model_get_n_events (model) < MAX_EVENTS;
  guint number = test_get_number (self->play, event);
  int dice = g_rand_int_range (self->random, 0, 100);

  pen_flow_model_expect (model, self->node, number);
  if (test_happens (self->random, 30) && (dice >= 10 || !test_is_holding_more_of (self, event)))
    test_release (self, output);
  if (dice < 10)
    return test_refuse (self, event, output, error);
  if (dice < 25)
    {
      test_hold (self, transform, event);
      return TRUE;
    }
  if (dice < 35 && may_multiply)
    test_skip_parts (self, number, output);
  if (dice < 60)
    {
      pen_output_push (output, pen_event_ref (event));
      pen_flow_model_give (model, self->node, number);
    }
  else if (dice < 85)
    for (int i = g_rand_int_range (self->random, 0, may_multiply ? 3 : 1); i >= 0; i--)
      test_put_out (self, output, &event, 1);
  else if (dice < 97)
    {
      pen_flow_model_get_counts (model, self->node)->n_dropped++;
      pen_output_drop (output, "unneeded");
    }
  pen_flow_model_finish (model, self->node, number);
  return TRUE;
}

static void
test_on_tick (gpointer data, PenTransform *transform, PenOutput *output)
{
  test_release (data, output);
}

static void
test_on_drain (gpointer data, PenTransform *transform, PenOutput *output)
{
  test_release (data, output);
}

/* How a write ends. Some events of the batch may have their outcome already. */
static gboolean
test_end_write (TestPlayer *self, gboolean fails, GError **error)
{
  int how = g_rand_int_range (self->random, 0, 3);

  if (fails && how == 0)
    pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "later", "the test wants it");
  else if (fails && how == 1)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "of another domain");
  return !fails;
}

static void
test_write_event (TestPlayer *self, PenBatch *batch, guint index, gboolean rejects, gboolean tells)
{
  PenFlowModel *model = self->play->model;
  PenFlowCounts *counts = pen_flow_model_get_counts (model, self->node);
  const PenEvent *event = pen_batch_get_event (batch, index);
  guint number = self->kind == PEN_KIND_DEAD_LETTER ? test_read_letter (self->play, event)
                                                    : test_get_number (self->play, event);

  pen_flow_model_expect (model, self->node, number);
  if (rejects)
    pen_flow_model_reject (model, self->node, number);
  else
    counts->n_sent++;
  pen_flow_model_finish (model, self->node, number);
  if (rejects && tells)
    pen_batch_reject (batch, index, "bad", "event %u", number);
  else if (tells)
    pen_batch_accept (batch, index);
}

/* A worker waits here until the test lets it. */
static void
test_wait_for_opening_locked (TestPlayer *self)
{
  self->is_writing = TRUE;
  while (self->blocks && self->is_shut)
    g_cond_wait (&self->play->opened, &self->play->lock);
  self->is_writing = FALSE;
}

static gboolean
test_on_write (gpointer data, PenSink *sink, PenBatch *batch, GError **error)
{
  TestPlayer *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->play->lock);
  gboolean is_calm = self->play->is_calm;
  gboolean rejects_all = test_happens (self->random, 5);
  gboolean fails = self->play->n_stuck > 0 || (!is_calm && test_happens (self->random, 25));

  test_wait_for_opening_locked (self);
  if (self->fatal_code != 0)
    {
      pen_element_set_error (error, (PenElementError) self->fatal_code, "over",
                             "the test wants it");
      return FALSE;
    }
  if (fails && test_happens (self->random, 50))
    return test_end_write (self, TRUE, error);
  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      if (!pen_batch_is_open (batch, i))
        continue;
      if (fails && test_happens (self->random, 40))
        return test_end_write (self, TRUE, error);
      test_write_event (self, batch, i, rejects_all || test_happens (self->random, 10),
                        fails || !rejects_all);
    }
  if (fails || !rejects_all)
    return test_end_write (self, fails, error);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_REJECT, "bad", "the whole batch");
  return FALSE;
}

/* --- A random pipeline --- */

static TestPlayer *
test_add_player (TestPlay *play, PenElementKind kind, const char *name)
{
  TestPlayer *self = &play->players[play->n_players++];

  *self = (TestPlayer){ .play = play, .kind = kind, .name = g_strdup (name) };
  self->node = pen_flow_model_add_node (play->model);
  self->held = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_event_unref);
  self->random = g_rand_new_with_seed (g_rand_int (play->random));
  self->strings = (PenPuppetStrings){ .data = self,
                                      .started = test_on_started,
                                      .stopped = test_on_stopped,
                                      .settle = test_on_settle,
                                      .process = test_on_process,
                                      .tick = test_on_tick,
                                      .drain = test_on_drain,
                                      .write = test_on_write };
  return self;
}

static void
test_add_input (TestPlay *play, TestPlayer *reader, TestPlayer *input, GString *text)
{
  g_string_append_printf (text, "%s;", input->name);
  input->is_read = TRUE;
  pen_flow_model_add_reader (play->model, input->node, reader->node);
}

/* Some of the elements before it; a sink also takes what nobody reads yet if it is the last. */
static void
test_write_inputs (TestPlay *play, TestPlayer *reader, gboolean takes_unread, GString *text)
{
  guint last = reader->node - 1;
  gboolean has_any = FALSE;

  g_string_append (text, "from=");
  while (play->players[last].kind != PEN_KIND_SOURCE
         && play->players[last].kind != PEN_KIND_TRANSFORM)
    last--;
  for (guint i = 0; i <= last; i++)
    {
      TestPlayer *input = &play->players[i];

      if (!(takes_unread && !input->is_read) && !test_happens (play->random, 100 / (int) (last + 1))
          && !(i == last && !has_any))
        continue;
      test_add_input (play, reader, input, text);
      has_any = TRUE;
    }
  g_string_append_c (text, '\n');
}

static void
test_write_sink_keys (TestPlay *play, TestPlayer *self, GString *text)
{
  static const char *const lingers[] = { "0s", "1ms", "200ms" };

  self->blocks = test_happens (play->random, 20);
  g_string_append_printf (text, "blocks=%s\nbatch-events=%d\nqueue-events=%d\nlinger=%s\n",
                          self->blocks ? "true" : "false", g_rand_int_range (play->random, 1, 20),
                          g_rand_int_range (play->random, 1, 40),
                          lingers[g_rand_int_range (play->random, 0, G_N_ELEMENTS (lingers))]);
}

/* The sinks come last, so that all above them are there to read from. */
static char *
test_write_keyfile (TestPlay *play)
{
  static const char *const kinds[] = { "source", "transform", "sink" };
  const guint n_of_kind[] = { (guint) g_rand_int_range (play->random, 1, 3),
                              (guint) g_rand_int_range (play->random, 0, 6),
                              (guint) g_rand_int_range (play->random, 1, 4) };
  GString *text = g_string_new ("[pipeline]\ndrain-timeout=1h\n");

  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (guint i = 0; i < n_of_kind[kind]; i++)
      {
        g_autofree char *name
            = g_strdup_printf ("%c%u", kinds[kind][0] == 's' ? kinds[kind][1] : 't', i);
        TestPlayer *player = test_add_player (play, (PenElementKind) kind, name);
        gboolean is_last = kind == PEN_KIND_SINK && i + 1 == n_of_kind[kind];

        g_string_append_printf (text, "[%s puppet %s]\n", kinds[kind], name);
        if (kind != PEN_KIND_SOURCE)
          test_write_inputs (play, player, is_last, text);
        if (kind == PEN_KIND_SINK)
          test_write_sink_keys (play, player, text);
      }
  if (g_rand_boolean (play->random))
    {
      play->dead_letter = test_add_player (play, PEN_KIND_DEAD_LETTER, "letters");
      pen_flow_model_set_dead_letter (play->model, play->dead_letter->node);
      g_string_append (text, "[dead-letter puppet letters]\n");
      test_write_sink_keys (play, play->dead_letter, text);
    }
  return g_string_free (text, FALSE);
}

static void
test_on_ended (gpointer owner, PenPipeline *pipeline)
{
  ((TestPlay *) owner)->has_ended = TRUE;
}

static void
test_on_closed (gpointer owner, PenPipeline *pipeline)
{
}

static const PenPipelineFunctions test_functions = {
  .ended = test_on_ended,
  .closed = test_on_closed,
};

static void
test_play_init (TestPlay *play, Fixture *fixture, guint32 seed)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition = NULL;
  g_autofree char *text = NULL;

  *play = (TestPlay){ .lane = fixture->lane };
  g_mutex_init (&play->lock);
  g_cond_init (&play->opened);
  g_random_set_seed (seed); /* of back-offs */
  play->random = g_rand_new_with_seed (seed);
  play->model = pen_flow_model_new (seed);
  text = test_write_keyfile (play);
  definition = pen_definition_parse ("random.pipeline", text, strlen (text), fixture->registry,
                                     PEN_DEFINITION_NONE, diagnostics);
  if (definition == NULL)
    pen_flow_model_fail (play->model, "%s\n%s", text,
                         pen_diagnostic_format (g_ptr_array_index (diagnostics, 0)));
  play->pipeline
      = pen_pipeline_new (definition, fixture->lane, fixture->workers, &test_functions, play);
  for (guint i = 0; i < play->n_players; i++)
    {
      TestPlayer *player = &play->players[i];

      player->element = pen_pipeline_get_element (play->pipeline, player->kind, player->name);
      g_object_ref (player->element);
      g_object_set_data (G_OBJECT (player->element), PEN_PUPPET_STRINGS, &player->strings);
    }
}

/* --- A random schedule --- */

static gboolean
test_is_writing (TestPlay *play)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&play->lock);

  for (guint i = 0; i < play->n_players; i++)
    if (play->players[i].is_writing)
      return TRUE;
  return FALSE;
}

static void
test_turn (TestPlay *play)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  if (!test_is_writing (play))
    pen_lane_advance (play->lane, SECOND);
}

static gboolean
test_has_started (gpointer data)
{
  TestPlay *play = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&play->lock);

  return play->n_started == play->n_players;
}

static gboolean
test_has_ended (gpointer data)
{
  return ((TestPlay *) data)->has_ended && !test_is_writing (data);
}

/* Is what may be acknowledged acknowledged? */
static gboolean
test_is_quiet (gpointer data)
{
  TestPlay *play = data;

  for (guint i = 0; i < play->n_players; i++)
    if (play->players[i].kind == PEN_KIND_SOURCE
        && pen_flow_model_get_settled (play->model, i) != pen_flow_model_get_due (play->model, i))
      return FALSE;
  return TRUE;
}

static gboolean
test_turn_and_look (gpointer data)
{
  gpointer *pair = data;

  test_turn (pair[0]);
  return ((PenTestCondition) pair[1]) (pair[0]);
}

/* Turns until @condition holds: threads of workers may have to come back first. */
static void
test_await (TestPlay *play, PenTestCondition condition, const char *what)
{
  gpointer pair[] = { play, condition };

  for (guint i = 0; i < MAX_SPINS; i++)
    {
      if (condition (play))
        return;
      test_turn (play);
      g_thread_yield ();
    }
  if (!pen_test_wait (test_turn_and_look, pair, PATIENCE_MS))
    pen_flow_model_fail (play->model, "%s does not happen", what);
}

static void
test_push (TestPlay *play, TestPlayer *source)
{
  PenFlowModel *model = play->model;
  guint event = pen_flow_model_receive (model, source->node);
  g_autoptr (GBytes) payload = test_make_payload (event);
  PenEvent *message = pen_event_new (payload, "random/topic", SECOND);
  guint64 position = 0;

  play->is_pushing = TRUE;
  if (test_happens (play->random, 90))
    {
      pen_flow_model_give (model, source->node, event);
      position = pen_source_push (PEN_SOURCE (source->element), message);
    }
  else
    {
      pen_flow_model_reject (model, source->node, event);
      position = pen_source_reject (PEN_SOURCE (source->element), message, "bad", "unwanted");
    }
  play->is_pushing = FALSE;
  pen_flow_model_received (model, source->node, event, position);
}

static void
test_set_shut (TestPlay *play, gboolean is_shut, guint only)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&play->lock);

  for (guint i = 0; i < play->n_players; i++)
    if (i == only || only == MAX_NODES)
      play->players[i].is_shut = is_shut;
  g_cond_broadcast (&play->opened);
}

static void
test_play_some (TestPlay *play, int n_steps)
{
  for (int i = 0; i < n_steps; i++)
    {
      int dice = g_rand_int_range (play->random, 0, 100);
      guint some = (guint) g_rand_int_range (play->random, 0, (int) play->n_players);

      if (dice < 60)
        test_push (play, &play->players[play->players[some].kind == PEN_KIND_SOURCE ? some : 0]);
      else if (dice < 75)
        pen_lane_advance (play->lane, 0);
      else if (dice < 85)
        pen_lane_advance (play->lane, g_rand_int_range (play->random, 0, (int) SECOND / 3));
      else if (dice < 92)
        test_set_shut (play, g_rand_boolean (play->random), some);
      else
        g_main_context_iteration (NULL, FALSE);
    }
}

static void
test_calm_down (TestPlay *play)
{
  g_mutex_lock (&play->lock);
  play->is_calm = TRUE;
  g_mutex_unlock (&play->lock);
  test_set_shut (play, FALSE, MAX_NODES);
}

static void
test_give_up (TestPlay *play)
{
  g_mutex_lock (&play->lock);
  play->n_stuck = 1;
  g_mutex_unlock (&play->lock);
  if (g_rand_boolean (play->random))
    test_set_shut (play, TRUE, MAX_NODES);
  pen_pipeline_stop (play->pipeline);
  pen_lane_advance (play->lane, 3601 * SECOND);
  if (!play->has_ended)
    pen_flow_model_fail (play->model, "the time to drain has no end");
  test_set_shut (play, FALSE, MAX_NODES);
}

static void
test_fail (TestPlay *play)
{
  TestPlayer *sink = &play->players[play->n_players - 1];

  g_mutex_lock (&play->lock);
  sink->fatal_code
      = g_rand_boolean (play->random) ? PEN_ELEMENT_ERROR_FAIL : PEN_ELEMENT_ERROR_CLOSED;
  g_mutex_unlock (&play->lock);
  test_play_some (play, g_rand_int_range (play->random, 1, 20));
  test_calm_down (play);
  for (guint i = 0; i < 5; i++)
    test_turn (play);
  pen_pipeline_stop (play->pipeline); /* should that sink have got nothing */
}

static void
test_play_end (TestPlay *play, TestEnding ending)
{
  switch (ending)
    {
    case TEST_GIVE_UP:
      test_give_up (play);
      break;
    case TEST_FAIL:
      test_fail (play);
      break;
    case TEST_FINISH:
      test_calm_down (play);
      for (guint i = 0; i < play->n_players; i++)
        if (play->players[i].kind == PEN_KIND_SOURCE)
          pen_source_finish (PEN_SOURCE (play->players[i].element));
      break;
    case TEST_STOP:
    case N_ENDINGS:
    default:
      test_calm_down (play);
      if (g_rand_boolean (play->random))
        test_await (play, test_is_quiet, "that all is acknowledged");
      pen_pipeline_stop (play->pipeline);
      break;
    }
  test_await (play, test_has_ended, "the end");
}

/* --- What must be so in the end --- */

static guint
test_count (TestPlayer *player, const char *name)
{
  static const char *const reasons[] = { NULL, "bad", "error", "part_bad", "unneeded" };
  PenMetrics *metrics = pen_element_get_metrics (player->element);
  gint64 sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    sum += pen_metric_get (pen_metrics_get (metrics, PEN_METRIC_COUNTER, name, reasons[i]));
  return (guint) sum;
}

static void
test_compare_counts (TestPlayer *player)
{
  const PenFlowCounts *counts = pen_flow_model_get_counts (player->play->model, player->node);
  const struct
  {
    const char *name;
    guint expected;
  } rows[] = {
    { "events_received", counts->n_received }, { "events_sent", counts->n_sent },
    { "events_dropped", counts->n_dropped },   { "events_rejected", counts->n_rejected },
    { "parts_skipped", counts->n_skipped },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (test_count (player, rows[i].name) != rows[i].expected)
      pen_flow_model_fail (player->play->model, "%s of %s is %u, expected %u", rows[i].name,
                           player->name, test_count (player, rows[i].name), rows[i].expected);
}

static void
test_compare_end (TestPlay *play, TestEnding ending)
{
  PenOutcome outcome = pen_pipeline_get_outcome (play->pipeline);
  gboolean is_complete = ending == TEST_FINISH;

  for (guint i = 0; i < play->n_players; i++)
    {
      test_compare_counts (&play->players[i]);
      if (is_complete && play->players[i].kind == PEN_KIND_SOURCE
          && pen_flow_model_get_settled (play->model, i)
                 != pen_flow_model_get_n_messages (play->model, i))
        pen_flow_model_fail (play->model, "source %u ends with open messages", i);
    }
  if (!test_is_quiet (play))
    pen_flow_model_fail (play->model, "it ends before all is acknowledged");
  if (outcome
      != (is_complete && pen_flow_model_get_n_lost (play->model) > 0 ? PEN_OUTCOME_UNDELIVERED
                                                                     : PEN_OUTCOME_DONE))
    pen_flow_model_fail (play->model, "the outcome is %d", outcome);
}

/* An outlet keeps its sink until the worker has come back. */
static gboolean
test_are_alone (gpointer data)
{
  TestPlay *play = data;

  for (guint i = 0; i < play->n_players; i++)
    if (g_atomic_int_get ((gint *) &G_OBJECT (play->players[i].element)->ref_count) != 1)
      return FALSE;
  return TRUE;
}

static void
test_play_clear (TestPlay *play)
{
  if (g_rand_boolean (play->random)) /* what is held may go before or after */
    for (guint i = 0; i < play->n_players; i++)
      g_ptr_array_set_size (play->players[i].held, 0);
  pen_pipeline_free (play->pipeline);
  test_await (play, test_are_alone, "that the workers come back");
  for (guint i = 0; i < play->n_players; i++)
    {
      TestPlayer *player = &play->players[i];

      g_ptr_array_unref (player->held);
      g_object_unref (player->element);
      g_rand_free (player->random);
      g_free (player->name);
    }
  g_rand_free (play->random);
  pen_flow_model_free (play->model);
  g_mutex_clear (&play->lock);
  g_cond_clear (&play->opened);
}

/* Returns how many events there were. */
static guint
test_play (Fixture *fixture, guint32 seed)
{
  TestPlay play;
  TestEnding ending;
  guint n_events = 0;

  test_play_init (&play, fixture, seed);
  ending = (TestEnding) g_rand_int_range (play.random, 0, N_ENDINGS);
  pen_pipeline_start (play.pipeline);
  test_await (&play, test_has_started, "the start");
  test_play_some (&play, g_rand_int_range (play.random, 1, 60));
  test_play_end (&play, ending);
  if (ending == TEST_FINISH || ending == TEST_STOP)
    test_compare_end (&play, ending);
  n_events = pen_flow_model_get_n_events (play.model);
  test_play_clear (&play);
  return n_events;
}

static guint
test_get_number_of (const char *variable, guint fallback)
{
  const char *text = g_getenv (variable);

  return text == NULL ? fallback : (guint) g_ascii_strtoull (text, NULL, 10);
}

static void
test_pipeline_random (void)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  const char *const folders[] = { modules, NULL };
  gboolean is_one = g_getenv ("PENSTOCK_TEST_SEED") != NULL;
  guint32 first = test_get_number_of ("PENSTOCK_TEST_SEED", (guint32) g_test_rand_int ());
  guint n_schedules = is_one ? 1 : test_get_number_of ("PENSTOCK_TEST_SCHEDULES", N_SCHEDULES);
  Fixture fixture = { 0 };
  guint64 n_events = 0;

  g_test_message ("schedules %u to %u", first, first + n_schedules - 1);
  g_assert_true (g_main_context_acquire (NULL));
  fixture.registry = pen_registry_new (folders);
  fixture.lane = pen_lane_new (g_main_context_default ());
  fixture.workers = pen_workers_new ();
  pen_lane_set_test_clock (fixture.lane, SECOND, SECOND);
  for (guint i = 0; i < n_schedules; i++)
    {
      n_events += test_play (&fixture, first + i);
      g_free (pen_test_take_log ());
    }
  g_test_message ("%" G_GUINT64_FORMAT " events", n_events);
  pen_workers_free (fixture.workers, TRUE);
  pen_lane_free (fixture.lane);
  pen_registry_free (fixture.registry);
  g_main_context_release (NULL);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/pipeline/random", test_pipeline_random);
  return g_test_run ();
}
