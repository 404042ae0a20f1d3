/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: fields and a template. The first line is the template, each further one a field.
 * What is accepted as JSON makes JSON.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-simulate-model.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  PenSimulateSettings settings = { .is_json = TRUE };
  g_autoptr (PenSimulateModel) model = NULL;
  const char *property;

  if (lines[0] == NULL || !g_utf8_validate (text, -1, NULL))
    return 0;
  settings.template = *lines[0] != '\0' ? lines[0] : NULL;
  settings.fields = (const char *const *) lines + 1;
  model = pen_simulate_model_new (&settings, &property, NULL);
  if (model == NULL || !pen_simulate_model_begin (model, NULL, 1, &property, NULL))
    return 0;
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (PenEvent) event = pen_simulate_model_make (model, 0, i * G_TIME_SPAN_HOUR);
      gsize length;
      const char *payload = pen_event_get_data (event, &length);

      g_assert_true (pen_json_validate (payload, length, NULL));
    }
  return 0;
}
