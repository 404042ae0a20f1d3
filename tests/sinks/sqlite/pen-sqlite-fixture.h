/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A SQLite sink in a folder of its own, and a look at its database as another program has it.
 */

#pragma once

#include "pen-harness.h"

#include "pen-sqlite-sink.h"

#include <sqlite3.h>

G_BEGIN_DECLS

typedef struct
{
  char *folder;
  char *path;
  PenHarness *harness;
  PenElement *sink;
} PenSqliteFixture;

void pen_sqlite_fixture_set_up (PenSqliteFixture *self, gconstpointer data);
void pen_sqlite_fixture_tear_down (PenSqliteFixture *self, gconstpointer data);
/* Lists are separated by semicolons. */
void pen_sqlite_fixture_set_columns (PenSqliteFixture *self, const char *columns);
void pen_sqlite_fixture_set_key (PenSqliteFixture *self, const char *key);
/* Starts another sink with the same properties' defaults and the same database. */
PenHarness *pen_sqlite_fixture_make_sink (PenSqliteFixture *self);
/* One batch; all that is open of it must be written. */
void pen_sqlite_fixture_write (PenSqliteFixture *self, PenBatch *batch);
/* (transfer full): a batch of payloads of the topic "topic" */
PenBatch *pen_sqlite_make_batch (const char *first, ...) G_GNUC_NULL_TERMINATED;
sqlite3 *pen_sqlite_open (const char *path);
void pen_sqlite_run (const char *path, const char *sql);
/* (transfer full): values between "|", rows between "\n", NULL as "NULL" */
char *pen_sqlite_query (const char *path, const char *sql);

#define pen_sqlite_assert_query(path, sql, expected)                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *rows_ = pen_sqlite_query ((path), (sql));                                     \
    g_assert_cmpstr (rows_, ==, (expected));                                                       \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
