/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * simdjson's DOM parse, the way it is fastest: one parser for all payloads, whose texts are padded
 * already, so that nothing is allocated or copied.
 */

#include <cstdio>
#include <cstdlib>

#include <simdjson.h>

#include "bench-contest.h"

extern "C" gsize
bench_simdjson_dom (BenchPayload *payload)
{
  static simdjson::dom::parser parser;
  simdjson::dom::element root;
  auto error = parser
                   .parse (reinterpret_cast<const uint8_t *> (payload->text), payload->length,
                           false /* realloc_if_needed */)
                   .get (root);

  if (error)
    {
      std::fprintf (stderr, "simdjson: %s\n", simdjson::error_message (error));
      std::abort ();
    }
  return static_cast<gsize> (root.type ());
}

extern "C" const char *
bench_simdjson_get_kernel (void)
{
  /* The library's own text lives as long as the process. */
  static const std::string name = simdjson::get_active_implementation ()->name ();

  return name.c_str ();
}
