/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What test-instructions runs under callgrind: one piece of work over one corpus, in
 * pen_count_payloads (). It holds the code to be counted itself, compiled with flags of its own, so
 * that its figures are the same whatever build it is part of.
 *
 *   count-instructions describe            a line for each case: its name and number of payloads
 *   count-instructions CASE
 */

#include "config.h"

#include "pen-ammp-payload.h"
#include "pen-logger-fleet.h"

#include <string.h>
#include <sys/random.h>

#define N_SITES 100

/* --- What the rest of the library would be needed for --- */

/* Hashes are seeded with this: the same each time, so that the same fields find the same slots. */
ssize_t
getrandom (void *buffer, size_t length, unsigned int flags)
{
  memset (buffer, 0x5a, length);
  return (ssize_t) length;
}

/* Of ammp's, for payloads that it rejects: here there are none. */
void
pen_element_set_error (GError **error,
                       PenElementError code,
                       const char *reason,
                       const char *format,
                       ...)
{
  g_error ("a payload was rejected: %s", reason);
}

/* --- Work --- */

typedef struct
{
  const char *name;
  gboolean is_fleet;
  gsize (*work) (GBytes *payload);
} CountCase;

static gsize
test_count_ammp (GBytes *payload)
{
  static PenAmmpPayload *memory = NULL;
  g_autoptr (GBytes) converted = NULL;
  gsize length;
  const char *text = g_bytes_get_data (payload, &length);

  if (memory == NULL)
    memory = pen_ammp_payload_new ();
  if (!pen_ammp_payload_convert (memory, text, length, PEN_AMMP_MISSING_VID_SKIP, &converted, NULL))
    g_error ("a payload was rejected");
  return g_bytes_get_size (converted);
}

static gsize
test_count_scan (GBytes *payload)
{
  gsize length;
  const char *text = g_bytes_get_data (payload, &length);

  return pen_json_validate (text, length, NULL) ? length : 0;
}

static gsize
test_count_document (GBytes *payload)
{
  g_autoptr (PenJson) document = pen_json_new_from_bytes (payload, NULL);

  return pen_json_get_n_nodes (document);
}

static const CountCase cases[] = {
  { "ammp-sample", FALSE, test_count_ammp },       { "ammp-fleet", TRUE, test_count_ammp },
  { "scan-sample", FALSE, test_count_scan },       { "scan-fleet", TRUE, test_count_scan },
  { "document-fleet", TRUE, test_count_document },
};

static gsize pen_count_sum;

static G_GNUC_NO_INLINE void
pen_count_payloads (GPtrArray *payloads, gsize (*work) (GBytes *payload))
{
  for (guint i = 0; i < payloads->len; i++)
    pen_count_sum += work (payloads->pdata[i]);
}

static GPtrArray *
test_count_make_payloads (const CountCase *each)
{
  GPtrArray *payloads = NULL;

  if (each->is_fleet)
    return pen_logger_fleet_new (N_SITES);
  payloads = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (payloads, g_bytes_new_static (pen_logger_sample, strlen (pen_logger_sample)));
  return payloads;
}

static int
test_count_run (const CountCase *each)
{
  g_autoptr (GPtrArray) payloads = test_count_make_payloads (each);

  /* What is kept from payload to payload, and the addresses of functions, are there then. */
  for (guint i = 0; i < payloads->len; i++)
    pen_count_sum += each->work (payloads->pdata[i]);
  pen_count_payloads (payloads, each->work);
  return pen_count_sum > 0 ? 0 : 1;
}

int
main (int argc, char **argv)
{
  gboolean describes = argc == 2 && g_str_equal (argv[1], "describe");

  for (guint i = 0; argc == 2 && i < G_N_ELEMENTS (cases); i++)
    {
      if (describes)
        g_print ("%s %u\n", cases[i].name, cases[i].is_fleet ? N_SITES : 1);
      else if (g_str_equal (argv[1], cases[i].name))
        return test_count_run (&cases[i]);
    }
  return describes ? 0 : 2;
}
