/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: a keyfile read as a definition, with the plugins of this build.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-judge-definition.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static PenRegistry *registry;

  if (registry == NULL)
    registry = pen_registry_new (NULL);
  pen_judge_definition (registry, (const char *) data, size);
  return 0;
}
