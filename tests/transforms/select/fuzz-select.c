/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the select transform. The first line is a field as a keyfile has it, the second one
 * that is set, the third a path that is dropped; the rest is a payload. Whatever they are, what
 * comes out is JSON.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-harness.h"
#include "pen-select-transform.h"

#include <stdlib.h>
#include <string.h>

static PenElement *
test_make_element (char *const *lines, gboolean rest)
{
  const char *const fields[] = { lines[0], NULL };
  const char *const set[] = { *lines[1] != '\0' ? lines[1] : NULL, NULL };
  const char *const drop[] = { rest && *lines[2] != '\0' ? lines[2] : NULL, NULL };

  return g_object_new (PEN_TYPE_SELECT_TRANSFORM, "fields", fields, "set", set, "drop", drop,
                       "rest", rest, "invalid", PEN_SELECT_SKIP, NULL);
}

static void
test_play (char *const *lines, gboolean rest)
{
  PenElement *element = test_make_element (lines, rest);
  g_autofree char *told = pen_harness_check (element, NULL, TRUE);
  g_autoptr (PenHarness) harness = NULL;
  g_autoptr (PenEvent) event = NULL;

  if (*told != '\0')
    {
      g_object_unref (element);
      return;
    }
  harness = pen_harness_new (element);
  pen_harness_start (harness);
  pen_harness_push (harness, pen_harness_make_event (lines[3], "a/b/c"));
  event = pen_harness_pull (harness);
  if (event != NULL)
    {
      gsize length;
      const char *text = pen_event_get_data (event, &length);

      if (!pen_json_validate (text, length, NULL))
        abort ();
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 4);

  if (g_strv_length (lines) < 4)
    return 0;
  for (guint i = 0; i < 3; i++)
    if (!g_utf8_validate (lines[i], -1, NULL))
      return 0;
  test_play (lines, FALSE);
  test_play (lines, TRUE);
  return 0;
}
