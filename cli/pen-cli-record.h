/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a running process tells others about what it runs.
 */

#pragma once

#include "pen-cli.h"
#include "pen-engine.h"

G_BEGIN_DECLS

/* of a record's name, in STATE/run/ */
#define PEN_CLI_RECORD_FOLDER "run"
#define PEN_CLI_RECORD_SUFFIX ".json"
#define PEN_CLI_RECORD_TEMPORARY_SUFFIX ".tmp"
#define PEN_CLI_RECORD_FORMAT 1
#define PEN_CLI_RECORD_MAX_BYTES (64 * 1024 * 1024)

/* A value of a definition, which its digest stands for. */
typedef struct
{
  char *group;
  char *key; /* "" for the group itself */
  char *digest;
} PenCliPart;

typedef struct
{
  gboolean is_strict;
  gboolean watches;
} PenCliRecordOptions;

typedef struct _PenCliRecord PenCliRecord;

PenCliPart *pen_cli_part_new (const char *group, const char *key, const char *digest);
void pen_cli_part_free (gpointer self);
/* (transfer full) (element-type PenCliPart): equal for equal definitions */
GPtrArray *pen_cli_parts_new (const PenDefinition *definition, GBytes *salt);

PenCliRecord *pen_cli_record_new (const PenCli *cli,
                                  const char *state_folder,
                                  PenEngine *engine,
                                  const PenCliRecordOptions *options);
/* After start and after each reload. */
void pen_cli_record_write (PenCliRecord *self);
/* Takes it away. */
void pen_cli_record_free (PenCliRecord *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenCliRecord, pen_cli_record_free)

G_END_DECLS
