/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is ours of the contest: the scanner, the document, the writer, the ammp transform.
 */

#include "config.h"

#include "bench-contest.h"
#include "pen-ammp-payload.h"

#include <string.h>

gsize
bench_penstock_scan (BenchPayload *payload)
{
  g_autoptr (GError) error = NULL;

  if (!pen_json_validate (payload->text, payload->length, &error))
    g_error ("penstock: %s", error->message);
  return payload->length;
}

gsize
bench_penstock_document (BenchPayload *payload)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (payload->text, payload->length);
  g_autoptr (PenJson) document = pen_json_new_from_bytes (bytes, &error);

  if (document == NULL)
    g_error ("penstock: %s", error->message);
  return pen_json_get_n_nodes (document);
}

/* --- The writer --- */

/* One call of the writer: of a container, its end if there is no key and no value. */
typedef struct
{
  char *key; /* decoded; NULL for an element */
  char *string;
  PenJsonSlice value;
} BenchStep;

static void
bench_step_clear (gpointer data)
{
  BenchStep *self = data;

  g_free (self->key);
  g_free (self->string);
}

static void
bench_prepare_node (GArray *steps, const PenJson *document, PenJsonNode node)
{
  BenchStep step = { 0 };
  PenJsonSlice key;
  PenJsonNode child;

  pen_json_get_slice (document, node, &step.value);
  if (pen_json_get_key (document, node, &key))
    step.key = pen_json_slice_decode (&key, NULL);
  if (step.value.type == PEN_JSON_STRING)
    step.string = pen_json_slice_decode (&step.value, NULL);
  g_array_append_val (steps, step);
  if (step.value.type < PEN_JSON_ARRAY)
    return;
  child = pen_json_get_first_child (document, node);
  for (; child != PEN_JSON_NO_NODE; child = pen_json_get_next_sibling (document, child))
    bench_prepare_node (steps, document, child);
  step = (BenchStep){ .value = { .type = step.value.type } };
  g_array_append_val (steps, step);
}

/* Takes a payload apart: what is measured is writing it again. */
gpointer
bench_penstock_prepare_write (const BenchPayload *payload)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (payload->text, payload->length);
  g_autoptr (PenJson) document = pen_json_new_from_bytes (bytes, NULL);
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (BenchStep));

  g_assert (document != NULL);
  g_array_set_clear_func (steps, bench_step_clear);
  bench_prepare_node (steps, document, 0);
  return steps;
}

void
bench_penstock_unprepare_write (gpointer prepared)
{
  g_array_unref (prepared);
}

static void
bench_write_step (PenJsonWriter *writer, const BenchStep *step)
{
  if (step->key != NULL)
    pen_json_writer_key (writer, step->key);
  if (step->value.type == PEN_JSON_OBJECT && step->value.text == NULL)
    pen_json_writer_end_object (writer);
  else if (step->value.type == PEN_JSON_OBJECT)
    pen_json_writer_begin_object (writer);
  else if (step->value.type == PEN_JSON_ARRAY && step->value.text == NULL)
    pen_json_writer_end_array (writer);
  else if (step->value.type == PEN_JSON_ARRAY)
    pen_json_writer_begin_array (writer);
  else if (step->value.type == PEN_JSON_STRING)
    pen_json_writer_string (writer, step->string, -1);
  else
    pen_json_writer_raw (writer, step->value.text, step->value.length);
}

gsize
bench_penstock_write (BenchPayload *payload)
{
  const GArray *steps = payload->prepared;
  g_autoptr (GString) text = g_string_sized_new (payload->length);
  PenJsonWriter writer;

  pen_json_writer_init (&writer, text);
  for (guint i = 0; i < steps->len; i++)
    bench_write_step (&writer, &g_array_index (steps, BenchStep, i));
  return text->len;
}

/* --- The transform --- */

GBytes *
bench_penstock_restructure (const char *text, gsize length)
{
  static PenAmmpPayload *memory = NULL;
  g_autoptr (GError) error = NULL;
  GBytes *converted = NULL;

  if (memory == NULL)
    memory = pen_ammp_payload_new ();
  if (!pen_ammp_payload_convert (memory, text, length, PEN_AMMP_MISSING_VID_SKIP, &converted,
                                 &error))
    g_error ("ammp: %s", error->message);
  return converted;
}

gsize
bench_penstock_ammp (BenchPayload *payload)
{
  g_autoptr (GBytes) converted = bench_penstock_restructure (payload->text, payload->length);

  return g_bytes_get_size (converted);
}
