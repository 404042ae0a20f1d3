/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Measures contestants in one process, in turns: each round takes all of them, one after the other,
 * each for some milliseconds, so that what disturbs the machine meets them alike. What is printed
 * is the processor time of each turn; bench/inproc makes a table of it.
 *
 *   bench-inproc measure CORPUS,… ROUNDS [NAME…]
 *                                        a line for each turn: CORPUS NAME NANOSECONDS-A-PAYLOAD
 *   bench-inproc count CORPUS NAME       goes over the corpus once in bench_count (), for callgrind
 *   bench-inproc repeat CORPUS NAME N    goes over the corpus N times, for perf
 *   bench-inproc describe CORPUS         its payloads and bytes, those of a count, and a line for
 *                                        each contestant
 *
 * A corpus is "sample", "fleet", or a file with a payload a line.
 */

#include "config.h"

#include "bench-contest.h"
#include "pen-logger-fleet.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <time.h>

#define N_SITES 1000
#define N_COUNTED_SITES 100
#define TURN_NS (G_GINT64_CONSTANT (10) * 1000 * 1000)

/* simdjson reads up to 64 bytes behind a text. */
#define PADDING 64

typedef struct
{
  const char *name;
  GArray *payloads; /* (element-type BenchPayload) */
  gsize n_bytes;
} BenchCorpus;

static gsize
bench_memcpy (BenchPayload *payload)
{
  static char target[1024 * 1024];

  memcpy (target, payload->text, payload->length);
  /* The compiler must not leave out what nobody looks at. */
  __asm__ volatile("" : : "r"(target) : "memory");
  return payload->length;
}

static gsize
bench_utf8_validate (BenchPayload *payload)
{
  return g_utf8_validate_len (payload->text, payload->length, NULL) ? payload->length : 0;
}

static const BenchContestant contestants[] = {
  { "memcpy", "memcpy of the payload", bench_memcpy, NULL, NULL },
  { "scan", "pen-json: scan", bench_penstock_scan, NULL, NULL },
  { "simdjson-dom", "simdjson: DOM parse", bench_simdjson_dom, NULL, NULL },
  { "ammp", "ammp transform, bytes to bytes", bench_penstock_ammp, NULL, NULL },
  { "document", "pen-json: document", bench_penstock_document, NULL, NULL },
  { "write", "pen-json: writer", bench_penstock_write, bench_penstock_prepare_write,
    bench_penstock_unprepare_write },
  { "utf8-validate", "g_utf8_validate of the payload", bench_utf8_validate, NULL, NULL },
  { "yajl-parse", "yajl: parse, no callbacks", bench_yajl_parse, NULL, NULL },
  { "json-glib-parse", "json-glib: parse", bench_json_glib_parse, NULL, NULL },
  { "json-glib-ammp", "json-glib: parse, restructure, generate", bench_json_glib_ammp, NULL, NULL },
};

/* --- Corpora --- */

static void
bench_corpus_add (BenchCorpus *self, const char *text, gsize length)
{
  char *padded = g_malloc0 (length + PADDING);
  BenchPayload payload = { .text = memcpy (padded, text, length), .length = length };

  g_array_append_val (self->payloads, payload);
  self->n_bytes += length;
}

static void
bench_corpus_add_file (BenchCorpus *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  char *line;
  char *end;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("a corpus is sample, fleet, or a file with a payload a line: %s", error->message);
  for (line = text; (end = strchr (line, '\n')) != NULL; line = end + 1)
    bench_corpus_add (self, line, (gsize) (end - line));
  if (self->payloads->len == 0)
    g_error ("there is no line in \"%s\"", path);
}

static BenchCorpus *
bench_corpus_new (const char *name, guint n_sites)
{
  BenchCorpus *self = g_new0 (BenchCorpus, 1);

  self->name = name;
  self->payloads = g_array_new (FALSE, FALSE, sizeof (BenchPayload));
  if (g_str_equal (name, "sample"))
    bench_corpus_add (self, pen_logger_sample, strlen (pen_logger_sample));
  else if (g_str_equal (name, "fleet"))
    {
      g_autoptr (GPtrArray) fleet = pen_logger_fleet_new (n_sites);

      for (guint i = 0; i < fleet->len; i++)
        {
          gsize length;
          const char *text = g_bytes_get_data (fleet->pdata[i], &length);

          bench_corpus_add (self, text, length);
        }
    }
  else
    bench_corpus_add_file (self, name);
  return self;
}

static BenchPayload *
bench_corpus_get (BenchCorpus *self, guint index)
{
  return &g_array_index (self->payloads, BenchPayload, index);
}

static void
bench_corpus_free (BenchCorpus *self)
{
  for (guint i = 0; i < self->payloads->len; i++)
    g_free ((char *) bench_corpus_get (self, i)->text);
  g_array_unref (self->payloads);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchCorpus, bench_corpus_free)

static void
bench_corpus_prepare (BenchCorpus *self, const BenchContestant *contestant)
{
  if (contestant->prepare == NULL)
    return;
  for (guint i = 0; i < self->payloads->len; i++)
    bench_corpus_get (self, i)->prepared = contestant->prepare (bench_corpus_get (self, i));
}

static void
bench_corpus_unprepare (BenchCorpus *self, const BenchContestant *contestant)
{
  if (contestant->prepare == NULL)
    return;
  for (guint i = 0; i < self->payloads->len; i++)
    contestant->unprepare (bench_corpus_get (self, i)->prepared);
}

/* Both ways of restructuring must come to the same, as json-glib reads it. */
static void
bench_corpus_check (BenchCorpus *self)
{
  for (guint i = 0; i < self->payloads->len; i++)
    {
      const BenchPayload *payload = bench_corpus_get (self, i);
      g_autoptr (GBytes) bytes = bench_penstock_restructure (payload->text, payload->length);
      gsize length;
      const char *ours = g_bytes_get_data (bytes, &length);
      g_autofree char *ours_copy = g_strndup (ours, length);
      g_autofree char *naive
          = bench_json_glib_restructure (payload->text, payload->length, NULL /* length */);
      g_autoptr (JsonNode) our_node = json_from_string (ours_copy, NULL);
      g_autoptr (JsonNode) naive_node = json_from_string (naive, NULL);

      if (our_node == NULL || naive_node == NULL || !json_node_equal (our_node, naive_node))
        g_error ("payload %u of %s is restructured differently: %s and %s", i, self->name,
                 ours_copy, naive);
    }
}

/* --- Measuring --- */

/* What the work returned, so that no compiler leaves it out. */
static gsize bench_sum;

static gint64
bench_get_cpu_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* Goes over all payloads once. callgrind counts what is done in here. */
static G_GNUC_NO_INLINE void
bench_count (BenchCorpus *corpus, BenchWork work)
{
  for (guint i = 0; i < corpus->payloads->len; i++)
    bench_sum += work (bench_corpus_get (corpus, i));
}

static double
bench_take_turn (BenchCorpus *corpus, const BenchContestant *contestant)
{
  gint64 n_worked = 0;
  gint64 begin;
  gint64 elapsed;
  guint n_passes = MAX (1, 200 / corpus->payloads->len);

  bench_corpus_prepare (corpus, contestant);
  bench_count (corpus, contestant->work);
  begin = bench_get_cpu_ns ();
  do
    {
      for (guint i = 0; i < n_passes; i++)
        bench_count (corpus, contestant->work);
      n_worked += (gint64) n_passes * corpus->payloads->len;
      elapsed = bench_get_cpu_ns () - begin;
    }
  while (elapsed < TURN_NS);
  bench_corpus_unprepare (corpus, contestant);
  return (double) elapsed / (double) n_worked;
}

static const BenchContestant *
bench_find_contestant (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (contestants); i++)
    if (g_str_equal (name, contestants[i].name))
      return &contestants[i];
  g_error ("there is no contestant \"%s\"", name);
}

/* Those named, or all of them, on each corpus: in each round all corpora have their turns. */
static int
bench_measure (const char *corpus_names, guint n_rounds, const char *const *names)
{
  g_autoptr (GPtrArray) corpora
      = g_ptr_array_new_with_free_func ((GDestroyNotify) bench_corpus_free);
  g_auto (GStrv) split = g_strsplit (corpus_names, ",", -1);
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();

  for (guint i = 0; split[i] != NULL; i++)
    {
      g_ptr_array_add (corpora, bench_corpus_new (split[i], N_SITES));
      bench_corpus_check (corpora->pdata[i]);
    }
  for (guint i = 0; names[i] != NULL; i++)
    g_ptr_array_add (chosen, (gpointer) bench_find_contestant (names[i]));
  for (guint i = 0; names[0] == NULL && i < G_N_ELEMENTS (contestants); i++)
    g_ptr_array_add (chosen, (gpointer) &contestants[i]);
  for (guint turn = 0; turn < n_rounds * corpora->len * chosen->len; turn++)
    {
      BenchCorpus *corpus = corpora->pdata[turn / chosen->len % corpora->len];
      const BenchContestant *contestant = chosen->pdata[turn % chosen->len];

      g_print ("%s %s %.1f\n", corpus->name, contestant->name,
               bench_take_turn (corpus, contestant));
    }
  return 0;
}

static int
bench_count_instructions (const char *name, const char *contestant_name)
{
  const BenchContestant *contestant = bench_find_contestant (contestant_name);
  g_autoptr (BenchCorpus) corpus = bench_corpus_new (name, N_COUNTED_SITES);

  bench_corpus_prepare (corpus, contestant);
  /* Memory that is kept from payload to payload is not what is counted. */
  for (guint i = 0; i < corpus->payloads->len; i++)
    bench_sum += contestant->work (bench_corpus_get (corpus, i));
  bench_count (corpus, contestant->work);
  bench_corpus_unprepare (corpus, contestant);
  return 0;
}

static int
bench_repeat (const char *name, const char *contestant_name, guint n_passes)
{
  const BenchContestant *contestant = bench_find_contestant (contestant_name);
  g_autoptr (BenchCorpus) corpus = bench_corpus_new (name, N_SITES);

  bench_corpus_prepare (corpus, contestant);
  for (guint i = 0; i < n_passes; i++)
    bench_count (corpus, contestant->work);
  bench_corpus_unprepare (corpus, contestant);
  return 0;
}

static int
bench_describe (const char *name)
{
  g_autoptr (BenchCorpus) all = bench_corpus_new (name, N_SITES);
  g_autoptr (BenchCorpus) counted = bench_corpus_new (name, N_COUNTED_SITES);

  g_print ("corpus %u %" G_GSIZE_FORMAT " %u %" G_GSIZE_FORMAT "\n", all->payloads->len,
           all->n_bytes, counted->payloads->len, counted->n_bytes);
  for (guint i = 0; i < G_N_ELEMENTS (contestants); i++)
    g_print ("contestant %s %s\n", contestants[i].name, contestants[i].label);
  g_print ("simdjson %s\n", bench_simdjson_get_kernel ());
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc >= 4 && g_str_equal (argv[1], "measure"))
    return bench_measure (argv[2], (guint) g_ascii_strtoull (argv[3], NULL, 10),
                          (const char *const *) argv + 4);
  if (argc == 4 && g_str_equal (argv[1], "count"))
    return bench_count_instructions (argv[2], argv[3]);
  if (argc == 5 && g_str_equal (argv[1], "repeat"))
    return bench_repeat (argv[2], argv[3], (guint) g_ascii_strtoull (argv[4], NULL, 10));
  if (argc == 3 && g_str_equal (argv[1], "describe"))
    return bench_describe (argv[2]);
  g_printerr ("usage: bench-inproc measure CORPUS,… ROUNDS [NAME…] | count CORPUS NAME |"
              " repeat CORPUS NAME N | describe CORPUS\n");
  return 2;
}
