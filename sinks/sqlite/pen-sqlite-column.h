/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A column as a keyfile declares it, and what SQLite makes of its type.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

/* What becomes of a value in a column: section 3 of sqlite.org/datatype3.html. */
typedef enum
{
  PEN_SQLITE_NONE, /* which SQLite calls BLOB: everything stays as it is */
  PEN_SQLITE_TEXT,
  PEN_SQLITE_NUMBER, /* INTEGER and NUMERIC: whole numbers and others */
  PEN_SQLITE_REAL,
} PenSqliteAffinity;

typedef struct
{
  char *name;
  char *declaration;    /* what stands behind the name in CREATE TABLE; "" if nothing */
  char *place;          /* as PenFields has it */
  gboolean is_member;   /* the place is the name of a member, whatever is in it */
  gboolean is_fleeting; /* its value's text is gone when the next event is read */
  PenSqliteAffinity affinity;
  gboolean is_key;
} PenSqliteColumn;

/* (transfer full) (nullable): from NAME [TYPE …][=PLACE] */
PenSqliteColumn *pen_sqlite_column_parse (const char *text, GError **error);
/* (transfer full): for the member @name */
PenSqliteColumn *pen_sqlite_column_new_for_member (const char *name, const char *declaration);
void pen_sqlite_column_free (PenSqliteColumn *self);
/* Whether it is declared with that keyword, as PRIMARY KEY or UNIQUE are. */
gboolean pen_sqlite_column_declares (const PenSqliteColumn *self, const char *keyword);
PenSqliteAffinity pen_sqlite_affinity_of (const char *type);
/* What a column is declared as whose first value this is. */
const char *pen_sqlite_type_of (const PenFieldValue *value);
/* (transfer full): "name", with quotes in it doubled */
char *pen_sqlite_quote (const char *name);
/* (nullable): what is wrong with a name */
const char *pen_sqlite_find_fault (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenSqliteColumn, pen_sqlite_column_free)

G_END_DECLS
