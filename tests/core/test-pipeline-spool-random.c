/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random pipelines with a spool, run after run on one state folder, each ended by a crash, a stop
 * or a sink that fails for good at a random moment. In the end, what every sink got is compared
 * with what the messages in the spool must come to in one run without any accident: nothing is
 * missing, nothing out of order, windows are as if nothing had happened, and what came twice is
 * marked as replayed.
 *
 *   PENSTOCK_TEST_SEED=N       plays one story, the one that a failure names
 *   PENSTOCK_TEST_SCHEDULES=N  plays that many
 */

#include "config.h"

#include "modules/pen-loom.h"
#include "modules/pen-puppet.h"
#include "pen-pipeline.h"
#include "pen-spool-store.h"
#include "pen-test.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define SECOND ((gint64) G_USEC_PER_SEC)
#define N_STORIES 100
#define MAX_ELEMENTS 12
#define MAX_SPINS 200
#define MAX_LONELY_SPINS (100 * 1000 * 1000)
#define PATIENCE_MS 60000
#define REJECTED_OF 25 /* every so many of the texts that a sink gets */

typedef struct _TestStory TestStory;

/* What a sink, or the dead-letter sink, was asked to write. */
typedef struct
{
  char *text;
  guint run;
  gboolean is_replayed;
} TestSeen;

typedef struct
{
  TestStory *story;
  PenElementKind kind;
  char *name;
  guint inputs[MAX_ELEMENTS];
  guint n_inputs;
  guint size; /* of a loom */
  gboolean is_read;
  PenPuppetStrings strings;
  GPtrArray *pushed; /* of char, of this run */
  GPtrArray *seen;   /* of TestSeen */
  GRand *random;
} TestElement;

struct _TestStory
{
  guint32 seed;
  GRand *random;
  PenRegistry *registry;
  PenLane *lane;
  PenWorkers *workers;
  PenPipeline *pipeline;
  char *state;
  char *keyfile;
  TestElement elements[MAX_ELEMENTS];
  guint n_elements;
  guint n_messages;
  guint run;
  gboolean has_ended;
  GHashTable *acknowledged; /* texts */

  GMutex lock; /* n_started, is_calm, is_fatal, and what sinks have seen */
  guint n_started;
  gboolean is_calm;
  gboolean is_fatal; /* the next write of any sink ends the run */
};

static void test_fail (TestStory *story, const char *format, ...)
    G_GNUC_PRINTF (2, 3) G_GNUC_NORETURN;

static void
test_fail (TestStory *story, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_error ("PENSTOCK_TEST_SEED=%u: %s\n%s", story->seed, message, story->keyfile);
}

static gboolean
test_happens (GRand *random, int percent)
{
  return g_rand_int_range (random, 0, 100) < percent;
}

static void
test_seen_free (gpointer data)
{
  TestSeen *self = data;

  g_free (self->text);
  g_free (self);
}

/* --- What the elements do --- */

static void
test_on_started (gpointer data, PenElement *element)
{
  TestElement *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->story->lock);

  self->story->n_started += self->kind == PEN_KIND_SOURCE;
}

static void
test_on_settle (gpointer data, PenSource *source, guint64 position)
{
  TestElement *self = data;

  for (guint i = 0; i < position; i++)
    g_hash_table_add (self->story->acknowledged, g_strdup (g_ptr_array_index (self->pushed, i)));
}

static char *
test_read_text (const PenEvent *event, gboolean is_letter)
{
  gsize length = 0;
  const char *data = pen_event_get_data (event, &length);
  g_autoptr (JsonNode) letter = NULL;
  g_autofree char *text = g_strndup (data, length);
  JsonObject *object = NULL;
  const char *payload = NULL;

  if (!is_letter)
    return g_steal_pointer (&text);
  letter = json_from_string (text, NULL);
  g_assert_nonnull (letter);
  object = json_node_get_object (letter);
  payload = json_object_get_string_member (object, "payload");
  return g_strdup (json_object_get_string_member_with_default (object, "stage_payload", payload));
}

/* A sink always rejects the same. */
static gboolean
test_is_rejected (const TestElement *self, const char *text)
{
  g_autofree char *both = g_strconcat (text, self->name, NULL);

  return self->kind == PEN_KIND_SINK && g_str_hash (both) % REJECTED_OF == 0;
}

static void
test_write_event (TestElement *self, PenBatch *batch, guint index)
{
  const PenEvent *event = pen_batch_get_event (batch, index);
  TestSeen *seen = g_new0 (TestSeen, 1);

  seen->text = test_read_text (event, self->kind == PEN_KIND_DEAD_LETTER);
  seen->run = self->story->run;
  seen->is_replayed = (pen_event_get_flags (event) & PEN_EVENT_REPLAYED) != 0;
  g_ptr_array_add (self->seen, seen);
  if (test_is_rejected (self, seen->text))
    pen_batch_reject (batch, index, "bad", "not wanted");
  else
    pen_batch_accept (batch, index);
}

static gboolean
test_on_write (gpointer data, PenSink *sink, PenBatch *batch, GError **error)
{
  TestElement *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->story->lock);
  gboolean fails
      = self->story->is_fatal || (!self->story->is_calm && test_happens (self->random, 30));

  for (guint i = 0; i < pen_batch_get_n_events (batch); i++)
    {
      if (fails && test_happens (self->random, 30))
        break;
      if (pen_batch_is_open (batch, i))
        test_write_event (self, batch, i);
    }
  if (fails)
    pen_element_set_error (error,
                           self->story->is_fatal ? PEN_ELEMENT_ERROR_FAIL : PEN_ELEMENT_ERROR_RETRY,
                           "later", "the test wants it");
  return !fails;
}

/* --- A random pipeline --- */

static TestElement *
test_add_element (TestStory *story, PenElementKind kind, const char *name)
{
  TestElement *self = &story->elements[story->n_elements++];

  *self = (TestElement){ .story = story, .kind = kind, .name = g_strdup (name) };
  self->pushed = g_ptr_array_new_with_free_func (g_free);
  self->seen = g_ptr_array_new_with_free_func (test_seen_free);
  self->random = g_rand_new_with_seed (g_rand_int (story->random));
  self->strings = (PenPuppetStrings){
    .data = self, .started = test_on_started, .settle = test_on_settle, .write = test_on_write
  };
  return self;
}

static void
test_choose_inputs (TestStory *story, TestElement *reader, gboolean takes_unread, GString *text)
{
  guint last = (guint) (reader - story->elements) - 1;

  while (story->elements[last].kind == PEN_KIND_SINK)
    last--;
  g_string_append (text, "from=");
  for (guint i = 0; i <= last; i++)
    {
      TestElement *input = &story->elements[i];

      if (!(takes_unread && !input->is_read) && !(i == last && reader->n_inputs == 0)
          && !test_happens (story->random, 60 / (int) (last + 1)))
        continue;
      g_string_append_printf (text, "%s;", input->name);
      input->is_read = TRUE;
      reader->inputs[reader->n_inputs++] = i;
    }
  g_string_append_c (text, '\n');
}

static void
test_write_element (TestStory *story,
                    PenElementKind kind,
                    guint index,
                    guint n_of_kind,
                    GString *text)
{
  static const char *const groups[] = { "source puppet", "transform loom", "sink puppet" };
  g_autofree char *name = g_strdup_printf ("%c%u", "otk"[kind], index);
  TestElement *self = test_add_element (story, kind, name);

  g_string_append_printf (text, "[%s %s]\n", groups[kind], name);
  if (kind != PEN_KIND_SOURCE)
    test_choose_inputs (story, self, kind == PEN_KIND_SINK && index + 1 == n_of_kind, text);
  if (kind == PEN_KIND_TRANSFORM)
    {
      self->size = (guint) g_rand_int_range (story->random, 1, 6);
      g_string_append_printf (text, "size=%u\n", self->size);
    }
  else if (kind == PEN_KIND_SINK)
    g_string_append_printf (text, "blocks=%s\nbatch-events=%d\n",
                            test_happens (story->random, 25) ? "true" : "false",
                            g_rand_int_range (story->random, 1, 20));
}

static void
test_write_keyfile (TestStory *story)
{
  const int most[] = { 3, 5, 4 };
  const int least[] = { 1, 0, 1 };
  GString *text = g_string_new ("[pipeline]\nname=story\nspool=true\nspool-keep=3650d\n"
                                "drain-timeout=2s\n");

  for (guint kind = PEN_KIND_SOURCE; kind <= PEN_KIND_SINK; kind++)
    {
      guint n_of_kind = (guint) g_rand_int_range (story->random, least[kind], most[kind]);

      for (guint i = 0; i < n_of_kind; i++)
        test_write_element (story, (PenElementKind) kind, i, n_of_kind, text);
    }
  test_add_element (story, PEN_KIND_DEAD_LETTER, "letters");
  g_string_append (text, "[dead-letter puppet letters]\n");
  story->keyfile = g_string_free (text, FALSE);
}

/* --- What must come of it --- */

typedef struct
{
  TestStory *story;
  guint sink;
  gboolean feeds[MAX_ELEMENTS];
  GPtrArray *held[MAX_ELEMENTS]; /* of char */
  GPtrArray *outcomes;           /* of char, for the sink, in order */
  guint n_in_order;              /* of those: the rest is drained, in any order */
  GHashTable *rejected;          /* texts, of all sinks */
} TestOracle;

static void
test_oracle_mark (TestOracle *self, guint index)
{
  const TestElement *element = &self->story->elements[index];

  self->feeds[index] = TRUE;
  for (guint i = 0; i < element->n_inputs; i++)
    test_oracle_mark (self, element->inputs[i]);
}

static void test_oracle_process (TestOracle *self, guint index, const char *text);

/* @text goes to all that read from @index. */
static void
test_oracle_hand_on (TestOracle *self, guint index, const char *text)
{
  for (guint i = 0; i < self->story->n_elements; i++)
    for (guint j = 0; self->feeds[i] && j < self->story->elements[i].n_inputs; j++)
      if (self->story->elements[i].inputs[j] == index)
        test_oracle_process (self, i, text);
}

static void
test_oracle_put_out (TestOracle *self, guint index, const char *text, const char *suffix)
{
  g_autofree char *made = g_strconcat (text, ".", self->story->elements[index].name, suffix, NULL);

  test_oracle_hand_on (self, index, made);
}

static void
test_oracle_merge (TestOracle *self, guint index, guint group)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GPtrArray *held = self->held[index];
  guint size = self->story->elements[index].size;
  guint n_parts = 0;

  g_string_append_printf (text, "(%u:", group * size);
  for (guint i = 0; i < held->len;)
    {
      const char *part = g_ptr_array_index (held, i);

      if (pen_loom_get_group (part, size) != group)
        {
          i++;
          continue;
        }
      g_string_append_printf (text, "%s%s", n_parts++ == 0 ? "" : "+", part);
      g_ptr_array_remove_index (held, i);
    }
  g_string_append_c (text, ')');
  test_oracle_put_out (self, index, text->str, "");
}

static void
test_oracle_close (TestOracle *self, guint index, guint before)
{
  guint earliest = 0;

  while (earliest < before)
    {
      earliest = before;
      for (guint i = 0; i < self->held[index]->len; i++)
        earliest = MIN (earliest, pen_loom_get_group (g_ptr_array_index (self->held[index], i),
                                                      self->story->elements[index].size));
      if (earliest < before)
        test_oracle_merge (self, index, earliest);
    }
}

static void
test_oracle_process (TestOracle *self, guint index, const char *text)
{
  const TestElement *element = &self->story->elements[index];
  PenLoomAction action;

  if (element->kind == PEN_KIND_SINK)
    {
      g_ptr_array_add (self->outcomes, g_strdup (text));
      if (test_is_rejected (element, text))
        g_hash_table_add (self->rejected, g_strdup (text));
      return;
    }
  action = pen_loom_choose (element->name, text);
  if (action != PEN_LOOM_REJECT)
    test_oracle_close (self, index, pen_loom_get_group (text, element->size));
  switch (action)
    {
    case PEN_LOOM_DROP:
      break;
    case PEN_LOOM_REJECT:
      g_hash_table_add (self->rejected, g_strdup (text));
      break;
    case PEN_LOOM_HOLD:
      g_ptr_array_add (self->held[index], g_strdup (text));
      break;
    case PEN_LOOM_SPLIT:
      test_oracle_put_out (self, index, text, "0");
      test_oracle_put_out (self, index, text, "1");
      break;
    case PEN_LOOM_PASS:
    default:
      test_oracle_put_out (self, index, text, "");
      break;
    }
}

static void
test_oracle_init (TestOracle *self, TestStory *story, guint sink, GHashTable *rejected)
{
  *self = (TestOracle){ .story = story, .sink = sink, .rejected = rejected };
  self->outcomes = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < story->n_elements; i++)
    self->held[i] = g_ptr_array_new_with_free_func (g_free);
  test_oracle_mark (self, sink);
}

static void
test_oracle_clear (TestOracle *self)
{
  for (guint i = 0; i < self->story->n_elements; i++)
    g_ptr_array_unref (self->held[i]);
  g_ptr_array_unref (self->outcomes);
}

static void
test_oracle_run (TestOracle *self, const GPtrArray *records)
{
  for (guint i = 0; i < records->len; i++)
    {
      const PenSpoolRecord *record = g_ptr_array_index (records, i);
      g_autofree char *text = test_read_text (record->event, FALSE);

      for (guint j = 0; j < self->story->n_elements; j++)
        if (g_str_equal (self->story->elements[j].name, record->source))
          test_oracle_hand_on (self, j, text);
    }
  self->n_in_order = self->outcomes->len;
  for (guint i = 0; i < self->story->n_elements; i++)
    if (self->feeds[i])
      test_oracle_close (self, i, G_MAXUINT);
}

/* --- A run --- */

static void
test_on_ended (gpointer owner, PenPipeline *pipeline)
{
  ((TestStory *) owner)->has_ended = TRUE;
}

static void
test_on_closed (gpointer owner, PenPipeline *pipeline)
{
}

static const PenPipelineFunctions test_functions = {
  .ended = test_on_ended,
  .closed = test_on_closed,
};

static gboolean
test_has_started (gpointer data)
{
  TestStory *story = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&story->lock);
  guint n_sources = 0;

  for (guint i = 0; i < story->n_elements; i++)
    n_sources += story->elements[i].kind == PEN_KIND_SOURCE;
  return story->n_started == n_sources;
}

static gboolean
test_has_ended (gpointer data)
{
  return ((TestStory *) data)->has_ended;
}

static void
test_turn (TestStory *story)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  pen_lane_advance (story->lane, SECOND / 100);
}

static gboolean
test_turn_and_look (gpointer data)
{
  gpointer *pair = data;

  test_turn (pair[0]);
  return ((PenTestCondition) pair[1]) (pair[0]);
}

/* Turns until @condition holds: threads have to come back, from the disk above all. */
static void
test_await (TestStory *story, PenTestCondition condition, const char *what)
{
  gpointer pair[] = { story, condition };

  for (guint i = 0; i < MAX_SPINS; i++)
    {
      if (condition (story))
        return;
      test_turn (story);
      g_thread_yield ();
    }
  if (!pen_test_wait (test_turn_and_look, pair, PATIENCE_MS))
    test_fail (story, "%s does not happen", what);
}

static void
test_load (TestStory *story)
{
  g_autoptr (GPtrArray) diagnostics
      = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
  g_autoptr (PenDefinition) definition
      = pen_definition_parse ("story.pipeline", story->keyfile, strlen (story->keyfile),
                              story->registry, PEN_DEFINITION_NONE, diagnostics);

  if (definition == NULL)
    test_fail (story, "%s", pen_diagnostic_format (g_ptr_array_index (diagnostics, 0)));
  story->has_ended = FALSE;
  story->is_fatal = FALSE;
  story->n_started = 0;
  story->run++;
  story->pipeline
      = pen_pipeline_new (definition, story->lane, story->workers, &test_functions, story);
  pen_pipeline_set_state_folder (story->pipeline, story->state);
  for (guint i = 0; i < story->n_elements; i++)
    {
      TestElement *element = &story->elements[i];

      g_ptr_array_set_size (element->pushed, 0);
      g_object_set_data (
          G_OBJECT (pen_pipeline_get_element (story->pipeline, element->kind, element->name)),
          PEN_PUPPET_STRINGS, &element->strings);
    }
}

static void
test_push (TestStory *story, TestElement *source)
{
  PenElement *element = pen_pipeline_get_element (story->pipeline, PEN_KIND_SOURCE, source->name);
  char *text = g_strdup_printf ("m%u", story->n_messages++);
  g_autoptr (GBytes) payload = g_bytes_new (text, strlen (text));

  g_ptr_array_add (source->pushed, text);
  pen_source_push (PEN_SOURCE (element), pen_event_new (payload, "a/b", SECOND));
}

static void
test_play_some (TestStory *story, int n_steps)
{
  for (int i = 0; i < n_steps; i++)
    {
      int dice = g_rand_int_range (story->random, 0, 100);

      if (dice < 50)
        test_push (story, &story->elements[story->elements[1].kind == PEN_KIND_SOURCE
                                               ? g_rand_int_range (story->random, 0, 2)
                                               : 0]);
      else if (dice < 70)
        pen_lane_advance (story->lane, g_rand_int_range (story->random, 0, 50000));
      else
        for (int j = g_rand_int_range (story->random, 1, 100); j > 0; j--)
          {
            g_main_context_iteration (NULL, FALSE);
            g_thread_yield ();
          }
    }
}

/* In the end a process has no memory; here, workers have to come back first. */
static void
test_end_run (TestStory *story)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_object_unref);
  gboolean are_alone = FALSE;

  for (guint i = 0; i < story->n_elements; i++)
    g_ptr_array_add (kept, g_object_ref (pen_pipeline_get_element (
                               story->pipeline, story->elements[i].kind, story->elements[i].name)));
  g_clear_pointer (&story->pipeline, pen_pipeline_free);
  for (guint i = 0; !are_alone && i < MAX_LONELY_SPINS; i++)
    {
      are_alone = TRUE;
      for (guint j = 0; j < kept->len; j++)
        are_alone
            &= g_atomic_int_get ((gint *) &G_OBJECT (g_ptr_array_index (kept, j))->ref_count) == 1;
      g_main_context_iteration (NULL, FALSE);
      g_thread_yield ();
    }
  if (!are_alone)
    test_fail (story, "the workers do not come back");
  g_free (pen_test_take_log ());
}

static void
test_play_run (TestStory *story)
{
  test_load (story);
  pen_pipeline_start (story->pipeline);
  test_await (story, test_has_started, "the start");
  test_play_some (story, g_rand_int_range (story->random, 1, 60));
  if (test_happens (story->random, 15))
    {
      g_mutex_lock (&story->lock);
      story->is_fatal = TRUE;
      g_mutex_unlock (&story->lock);
      test_play_some (story, 10);
    }
  if (story->is_fatal || test_happens (story->random, 40))
    {
      pen_pipeline_stop (story->pipeline); /* unless it has done so itself */
      test_await (story, test_has_ended, "the end");
    }
  test_end_run (story);
}

/* Nothing fails any more, the sources end, and everything has to come out. */
static void
test_play_last_run (TestStory *story)
{
  test_load (story);
  story->is_calm = TRUE;
  pen_pipeline_start (story->pipeline);
  test_await (story, test_has_started, "the start");
  test_play_some (story, 10);
  for (guint i = 0; i < story->n_elements; i++)
    if (story->elements[i].kind == PEN_KIND_SOURCE)
      pen_source_finish (PEN_SOURCE (
          pen_pipeline_get_element (story->pipeline, PEN_KIND_SOURCE, story->elements[i].name)));
  test_await (story, test_has_ended, "the end");
  test_end_run (story);
}

/* --- What is compared --- */

static GPtrArray *
test_read_spool (TestStory *story)
{
  const PenSpoolStoreFunctions functions = { NULL, NULL };
  g_autoptr (GError) error = NULL;
  PenSpoolStore *store = pen_spool_store_open (story->state, "story", PEN_SPOOL_STORE_READ_ONLY,
                                               &functions, NULL, &error);
  guint64 last = 0;
  GPtrArray *records = NULL;

  g_assert_no_error (error);
  records = pen_spool_store_read (store, 0, G_MAXUINT, G_MAXUINT64, &last, &error);
  g_assert_no_error (error);
  pen_spool_store_close (store, FALSE /* all_settled */);
  return records;
}

/* What was acknowledged is in the spool, and nothing twice. */
static void
test_compare_spool (TestStory *story, const GPtrArray *records)
{
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iterator;
  gpointer text = NULL;

  for (guint i = 0; i < records->len; i++)
    if (!g_hash_table_add (
            kept,
            test_read_text (((PenSpoolRecord *) g_ptr_array_index (records, i))->event, FALSE)))
      test_fail (story, "record %u is there twice", i);
  g_hash_table_iter_init (&iterator, story->acknowledged);
  while (g_hash_table_iter_next (&iterator, &text, NULL))
    if (!g_hash_table_contains (kept, text))
      test_fail (story, "'%s' was acknowledged, and is not in the spool", (char *) text);
}

static int
test_find (const GPtrArray *texts, const char *text)
{
  for (guint i = 0; i < texts->len; i++)
    if (g_str_equal (g_ptr_array_index (texts, i), text))
      return (int) i;
  return -1;
}

/* All that a failure may be understood by. */
static void
test_tell_sink (const TestElement *sink, const GPtrArray *outcomes)
{
  for (guint i = 0; i < outcomes->len; i++)
    g_test_message ("%u: %s", i, (char *) g_ptr_array_index (outcomes, i));
  for (guint i = 0; i < sink->seen->len; i++)
    {
      const TestSeen *seen = g_ptr_array_index (sink->seen, i);

      g_test_message ("run %u: %s%s", seen->run, seen->text,
                      seen->is_replayed ? " (replayed)" : "");
    }
}

/* A run goes on where the last one was, or before that; a step back is a repetition. */
static void
test_compare_seen (const TestElement *sink,
                   const TestOracle *oracle,
                   guint n_seen,
                   int *newest,
                   int *last)
{
  const TestSeen *seen = g_ptr_array_index (sink->seen, n_seen);
  const TestSeen *before = n_seen > 0 ? g_ptr_array_index (sink->seen, n_seen - 1) : NULL;
  gboolean goes_on = before != NULL && before->run == seen->run;
  int index = test_find (oracle->outcomes, seen->text);
  const char *fault = NULL;

  if (index < 0)
    fault = "to which nothing comes";
  else if (index <= *newest && !seen->is_replayed)
    fault = "again, without a mark";
  else if (index < (int) oracle->n_in_order && (goes_on ? index != *last + 1 : index > *newest + 1))
    fault = "out of order";
  if (fault != NULL)
    {
      test_tell_sink (sink, oracle->outcomes);
      test_fail (sink->story, "%s got '%s' in run %u, %s", sink->name, seen->text, seen->run,
                 fault);
    }
  *newest = MAX (*newest, MIN (index, (int) oracle->n_in_order - 1));
  *last = index;
}

static void
test_compare_sink (TestStory *story, const TestElement *sink, const TestOracle *oracle)
{
  g_autoptr (GHashTable) texts = g_hash_table_new (g_str_hash, g_str_equal);
  int newest = -1;
  int last = -1;

  for (guint i = 0; i < sink->seen->len; i++)
    {
      test_compare_seen (sink, oracle, i, &newest, &last);
      g_hash_table_add (texts, ((const TestSeen *) g_ptr_array_index (sink->seen, i))->text);
    }
  for (guint i = 0; i < oracle->outcomes->len; i++)
    if (!g_hash_table_contains (texts, g_ptr_array_index (oracle->outcomes, i)))
      {
        test_tell_sink (sink, oracle->outcomes);
        test_fail (story, "%s did not get '%s'", sink->name,
                   (char *) g_ptr_array_index (oracle->outcomes, i));
      }
}

static void
test_compare_letters (TestStory *story, const TestElement *letters, GHashTable *rejected)
{
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iterator;
  gpointer text = NULL;

  for (guint i = 0; i < letters->seen->len; i++)
    {
      const TestSeen *seen = g_ptr_array_index (letters->seen, i);

      g_hash_table_add (told, seen->text);
      if (!g_hash_table_contains (rejected, seen->text))
        test_fail (story, "there is a letter of '%s', which nobody rejects", seen->text);
    }
  g_hash_table_iter_init (&iterator, rejected);
  while (g_hash_table_iter_next (&iterator, &text, NULL))
    if (!g_hash_table_contains (told, text))
      test_fail (story, "there is no letter of '%s'", (char *) text);
}

static void
test_compare (TestStory *story)
{
  g_autoptr (GPtrArray) records = test_read_spool (story);
  g_autoptr (GHashTable) rejected = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  test_compare_spool (story, records);
  for (guint i = 0; i < story->n_elements; i++)
    if (story->elements[i].kind == PEN_KIND_SINK)
      {
        TestOracle oracle;

        test_oracle_init (&oracle, story, i, rejected);
        test_oracle_run (&oracle, records);
        test_compare_sink (story, &story->elements[i], &oracle);
        test_oracle_clear (&oracle);
      }
  test_compare_letters (story, &story->elements[story->n_elements - 1], rejected);
}

static void
test_story_clear (TestStory *story)
{
  for (guint i = 0; i < story->n_elements; i++)
    {
      g_ptr_array_unref (story->elements[i].pushed);
      g_ptr_array_unref (story->elements[i].seen);
      g_rand_free (story->elements[i].random);
      g_free (story->elements[i].name);
    }
  g_hash_table_unref (story->acknowledged);
  g_free (story->keyfile);
  g_rand_free (story->random);
  g_mutex_clear (&story->lock);
  pen_test_remove_folder (story->state);
}

/* In memory where that can be: here a crash is one of the process and not of the machine, and most
 * of the time would be waiting for the disk. */
static char *
test_make_state_folder (void)
{
  char *folder = g_strdup ("/dev/shm/penstock-test-XXXXXX");

  if (g_mkdtemp (folder) != NULL)
    return folder;
  g_free (folder);
  return pen_test_make_folder ();
}

/* Returns how many messages there were. */
static guint
test_play (const TestStory *fixture, guint32 seed)
{
  TestStory story = {
    .registry = fixture->registry, .lane = fixture->lane, .workers = fixture->workers, .seed = seed
  };
  guint n_messages = 0;

  g_mutex_init (&story.lock);
  g_random_set_seed (seed);
  story.random = g_rand_new_with_seed (seed);
  story.state = test_make_state_folder ();
  story.acknowledged = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  test_write_keyfile (&story);
  for (int i = g_rand_int_range (story.random, 1, 6); i > 0; i--)
    test_play_run (&story);
  test_play_last_run (&story);
  test_compare (&story);
  n_messages = story.n_messages;
  test_story_clear (&story);
  return n_messages;
}

static guint
test_get_number_of (const char *variable, guint fallback)
{
  const char *text = g_getenv (variable);

  return text == NULL ? fallback : (guint) g_ascii_strtoull (text, NULL, 10);
}

static void
test_pipeline_spool_random (void)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "core", "modules", NULL);
  const char *const folders[] = { modules, NULL };
  gboolean is_one = g_getenv ("PENSTOCK_TEST_SEED") != NULL;
  guint32 first = test_get_number_of ("PENSTOCK_TEST_SEED", (guint32) g_test_rand_int ());
  guint n_stories = is_one ? 1 : test_get_number_of ("PENSTOCK_TEST_SCHEDULES", N_STORIES);
  TestStory fixture = { 0 };
  guint64 n_messages = 0;

  g_test_message ("stories %u to %u", first, first + n_stories - 1);
  g_assert_true (g_main_context_acquire (NULL));
  fixture.registry = pen_registry_new (folders);
  fixture.lane = pen_lane_new (g_main_context_default ());
  fixture.workers = pen_workers_new ();
  pen_lane_set_test_clock (fixture.lane, SECOND, SECOND);
  for (guint i = 0; i < n_stories; i++)
    n_messages += test_play (&fixture, first + i);
  g_test_message ("%" G_GUINT64_FORMAT " messages", n_messages);
  pen_workers_free (fixture.workers, TRUE);
  pen_lane_free (fixture.lane);
  pen_registry_free (fixture.registry);
  g_main_context_release (NULL);
}

int
main (int argc, char **argv)
{
  pen_test_init (&argc, &argv);
  g_test_add_func ("/pipeline/spool/random", test_pipeline_spool_random);
  return g_test_run ();
}
