/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the JSON scanner, document and writer against the slow reader.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-judge-json.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  pen_judge_json ((const char *) data, size);
  return 0;
}
