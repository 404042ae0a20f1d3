/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The payloads that the load is made of: the lines of a file, over and over, each with a number of
 * its own.
 */

#pragma once

#include <glib.h>

/* What stands in a payload at the stamp's field: always ten digits, so from here on. */
#define BENCH_STAMP_FIRST G_GUINT64_CONSTANT (1000000000)
#define BENCH_STAMP_RANGE G_GUINT64_CONSTANT (9000000000)
#define BENCH_STAMP_DIGITS 10

typedef struct _BenchCorpus BenchCorpus;

BenchCorpus *bench_corpus_load (const char *path, const char *stamp_field, GError **error);
void bench_corpus_free (BenchCorpus *self);
gsize bench_corpus_get_length (BenchCorpus *self, guint64 index);
void bench_corpus_write (BenchCorpus *self, guint64 index, guint64 stamp, guint8 *to);
const char *bench_corpus_find_stamp (const char *text, gsize length, const char *stamp_field);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchCorpus, bench_corpus_free)
