/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A spool in a folder of its own, and records to put into it: made from a number, so that a test
 * knows them again.
 */

#pragma once

#include "pen-spool-store.h"

G_BEGIN_DECLS

#define PEN_TEST_SPOOL_NAME "site-7"
/* Records of this seed and above have payloads of 900 bytes, so that a page of a spool has up to
 * PEN_TEST_SPOOL_PER_PAGE of them; others are of all kinds. */
#define PEN_TEST_SPOOL_EVEN 1000000000
#define PEN_TEST_SPOOL_PER_PAGE 8

typedef struct
{
  char *folder; /* the state folder */
  char *path;   /* of the database */
  PenSpoolStore *store;
  GString *told; /* a line each */
} PenTestSpool;

void pen_test_spool_set_up (PenTestSpool *self, gconstpointer data);
void pen_test_spool_tear_down (PenTestSpool *self, gconstpointer data);
/* in place of the store that it has; fails the test if it does not open */
void pen_test_spool_open (PenTestSpool *self, PenSpoolStoreFlags flags);
PenSpoolStore *
pen_test_spool_try_open (PenTestSpool *self, PenSpoolStoreFlags flags, GError **error);
void pen_test_spool_close (PenTestSpool *self, gboolean all_settled);
/* Commits @n_records, of the seeds from @seed on, and deletes what nobody waits for, if it is worth
 * it. */
void pen_test_spool_fill (PenTestSpool *self, guint64 seed, guint n_records);
/* deletes nothing */
void pen_test_spool_move (PenTestSpool *self, const char *sink, guint64 delivered, guint64 until);
/* how many are left from @after on, all of them in order and as they were made: with the seed that
 * is their position plus @offset */
guint pen_test_spool_count (PenTestSpool *self, guint64 after, gint64 offset);

PenSpoolRecord *pen_test_spool_make_record (guint64 seed);
void pen_test_spool_assert_record (const PenSpoolRecord *record, guint64 seed);

G_END_DECLS
