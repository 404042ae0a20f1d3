/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the contestants of the in-process benchmark share.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *text; /* SIMDJSON_PADDING bytes more can be read behind it */
  gsize length;
  gpointer prepared; /* by the contestant, for itself */
} BenchPayload;

/* Works on one payload and returns a number that nobody could know without the work: how much came
 * out, for instance. Ends the process where the payload is refused. */
typedef gsize (*BenchWork) (BenchPayload *payload);

typedef struct
{
  const char *name;
  const char *label;
  BenchWork work;
  gpointer (*prepare) (const BenchPayload *payload); /* nullable */
  void (*unprepare) (gpointer prepared);             /* nullable */
} BenchContestant;

/* The naive way with json-glib: parse, restructure by its objects, generate. */
gsize bench_json_glib_parse (BenchPayload *payload);
gsize bench_json_glib_ammp (BenchPayload *payload);
char *bench_json_glib_restructure (const char *text, gsize length, gsize *n_restructured);

/* Ours. */
gsize bench_penstock_scan (BenchPayload *payload);
gsize bench_penstock_document (BenchPayload *payload);
gpointer bench_penstock_prepare_write (const BenchPayload *payload);
void bench_penstock_unprepare_write (gpointer prepared);
gsize bench_penstock_write (BenchPayload *payload);
gsize bench_penstock_ammp (BenchPayload *payload);
GBytes *bench_penstock_restructure (const char *text, gsize length);

/* Others'. */
gsize bench_yajl_parse (BenchPayload *payload);
gsize bench_simdjson_dom (BenchPayload *payload);
const char *bench_simdjson_get_kernel (void);

G_END_DECLS
