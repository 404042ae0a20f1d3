/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the keyfile scanner against GKeyFile.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-judge-keyfile.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  pen_judge_keyfile ((const char *) data, size);
  return 0;
}
