/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the window transform. The first line is a function as a keyfile has it, each other
 * one a payload. Whatever they are, what comes out is JSON.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-harness.h"
#include "pen-window-plan.h"
#include "pen-window-transform.h"

#include <stdlib.h>
#include <string.h>

static PenElement *
test_make_element (const char *function, PenWindowKind kind)
{
  const char *const windows[] = { "1min", NULL };
  const char *const functions[] = { function, "p90(x)", "stddev(x)", "rate(x)", "max(x)", NULL };
  const char *const groups[] = { "g", NULL };

  return g_object_new (PEN_TYPE_WINDOW_TRANSFORM, "kind", kind, "windows", windows, "functions",
                       functions, "group-by", groups, "time-field", "t", "hop",
                       kind == PEN_WINDOW_HOPPING ? 20 * G_USEC_PER_SEC : (gint64) 0, "max-bytes",
                       (guint64) 65536, "max-groups", 3, "expected-interval", G_USEC_PER_SEC, NULL);
}

static void
test_check_outputs (PenHarness *harness)
{
  PenEvent *event = NULL;

  while ((event = pen_harness_pull (harness)) != NULL)
    {
      gsize length;
      const char *text = pen_event_get_data (event, &length);

      if (!pen_json_validate (text, length, NULL))
        abort ();
      pen_event_unref (event);
    }
}

static void
test_play (char *const *lines, PenWindowKind kind)
{
  PenElement *element = test_make_element (lines[0], kind);
  g_autofree char *told = pen_harness_check (element, NULL, TRUE);
  g_autoptr (PenHarness) harness = NULL;

  if (*told != '\0')
    {
      g_object_unref (element);
      return;
    }
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  for (guint i = 1; lines[i] != NULL; i++)
    {
      g_autofree char *reason = NULL;

      pen_harness_push_text (harness, lines[i]);
      pen_harness_pull_rejection (harness, NULL, &reason, NULL);
      test_check_outputs (harness);
    }
  pen_harness_drain (harness);
  test_check_outputs (harness);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 100);

  if (lines[0] == NULL || !g_utf8_validate (lines[0], -1, NULL))
    return 0;
  for (int kind = 0; kind < 3; kind++)
    test_play (lines, (PenWindowKind) kind);
  return 0;
}
