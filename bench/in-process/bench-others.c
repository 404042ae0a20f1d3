/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * yajl's parser without callbacks: what it costs to have a text checked, and nothing done with it.
 */

#include "config.h"

#include "bench-contest.h"

#include <yajl/yajl_parse.h>

gsize
bench_yajl_parse (BenchPayload *payload)
{
  static const yajl_callbacks none = { 0 };
  yajl_handle handle = yajl_alloc (&none, NULL, NULL);
  yajl_status status = yajl_parse (handle, (const unsigned char *) payload->text, payload->length);

  if (status == yajl_status_ok)
    status = yajl_complete_parse (handle);
  if (status != yajl_status_ok)
    g_error ("yajl: %s", yajl_status_to_string (status));
  yajl_free (handle);
  return payload->length;
}
