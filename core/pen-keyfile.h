/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The text of a keyfile as groups, keys and raw values, each with its place.
 */

#pragma once

#include "pen-diagnostic.h"

G_BEGIN_DECLS

typedef struct
{
  char *key;
  char *value; /* raw: no escapes read, nothing substituted */
  PenPlace key_place;
  PenPlace value_place;
} PenKeyfileEntry;

typedef struct
{
  char *name; /* what stands between the brackets */
  PenPlace place;
  GPtrArray *entries;     /* (element-type PenKeyfileEntry), each key once */
  GHashTable *index;      /* (nullable): key to PenKeyfileEntry, where there are many */
  gboolean is_incomplete; /* a line in it could not be read, which was told */
} PenKeyfileGroup;

/* Groups in the order of the file; several may have the same name. */
typedef struct
{
  GPtrArray *groups;      /* (element-type PenKeyfileGroup) */
  gboolean is_incomplete; /* a group could not be made out, which was told, and is not here */
} PenKeyfile;

#define PEN_KEYFILE_MAX_BYTES (16 * 1024 * 1024)
/* The one group that may have thousands of keys: how many, and the one of them that is no row. */
#define PEN_KEYFILE_SITES_GROUP "sites"
#define PEN_KEYFILE_MAX_SITES 100000
#define PEN_KEYFILE_COLUMNS_KEY "columns"

PEN_RUNTIME_EXPORT
PenKeyfile *pen_keyfile_scan (const char *text, gsize length, PenReport *report);
PEN_RUNTIME_EXPORT
void pen_keyfile_free (PenKeyfile *self);
PEN_RUNTIME_EXPORT
const PenKeyfileEntry *pen_keyfile_group_find (const PenKeyfileGroup *self, const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenKeyfile, pen_keyfile_free)

G_END_DECLS
