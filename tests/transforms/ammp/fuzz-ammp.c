/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the AMMP transform against the slow one, in all three ways to deal with a missing
 * vendor ID. The memory is kept from one payload to the next, as the transform keeps it.
 */

#include "config.h"

#include "pen-fuzz.h"
#include "pen-judge-ammp.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static PenAmmpPayload *payload;

  if (payload == NULL)
    payload = pen_ammp_payload_new ();
  for (int missing_vid = 0; missing_vid < 3; missing_vid++)
    pen_judge_ammp (payload, (const char *) data, size, (PenSlowMissingVid) missing_vid);
  return 0;
}
