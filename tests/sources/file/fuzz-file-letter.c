/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: dead letters. What can be played comes out the same when it becomes a letter again.
 */

#include "config.h"

#include "pen-dead-letter.h"
#include "pen-file-letter.h"
#include "pen-fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) text = g_bytes_new_static (data, size);
  g_autoptr (PenEvent) event = pen_file_letter_read (text, 1000, NULL, 0, NULL /* part */, NULL);
  g_autoptr (PenEvent) letter = NULL;
  g_autoptr (PenEvent) again = NULL;

  if (event == NULL)
    return 0;
  letter = pen_dead_letter_new (event, "pipeline", "element", "reason", "message");
  again
      = pen_file_letter_read (pen_event_get_payload (letter), 1000, NULL, 0, NULL /* part */, NULL);
  g_assert_nonnull (again);
  g_assert_true (g_bytes_equal (pen_event_get_payload (event), pen_event_get_payload (again)));
  return 0;
}
