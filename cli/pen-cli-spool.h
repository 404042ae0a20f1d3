/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the commands for spools share.
 */

#pragma once

#include "pen-cli-filter.h"
#include "pen-cli-terminal.h"
#include "pen-spool-admin.h"

G_BEGIN_DECLS

/* One call. */
typedef struct
{
  PenCli *cli;
  char *state_folder;
  char *pipeline;
  char *sink;
  PenCliFilter filter;
  gint64 limit;
  gboolean wants_all;
  gboolean wants_repair;
  gboolean wants_names;
  gboolean is_sure; /* --yes */
  gboolean as_json;
  PenCliProgress progress;
  guint n_damages; /* that the store has told */
} PenCliSpool;

/* What a walk through a spool does with a message. FALSE: enough */
typedef gboolean (*PenCliSpoolFunc) (PenCliSpool *self,
                                     const PenSpoolRecord *record,
                                     gpointer user_data);

/* Prints what is wrong, behind the command's name. */
void pen_cli_spool_tell (PenCliSpool *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* (transfer full): whose spools there are; NULL: told */
GStrv pen_cli_spool_list (PenCliSpool *self, int *status);
/* NULL: told, and why it is no good is in @status. */
PenSpoolStore *
pen_cli_spool_open (PenCliSpool *self, const char *pipeline, PenSpoolStoreFlags flags, int *status);
/* That a running pipeline has it, and what to do. Returns the exit status. */
int pen_cli_spool_tell_locked (PenCliSpool *self, const char *pipeline);
/* Whether self->sink is one of @cursors; told if not. */
gboolean pen_cli_spool_check_sink (PenCliSpool *self, GPtrArray *cursors, int *status);
/* All messages of @store up to position @last, in order; few are in memory at a time. */
gboolean pen_cli_spool_walk (PenCliSpool *self,
                             PenSpoolStore *store,
                             guint64 last,
                             const char *what,
                             PenCliSpoolFunc func,
                             gpointer user_data,
                             GError **error);

int pen_cli_spool_ls (PenCliSpool *self);
int pen_cli_spool_show (PenCliSpool *self);
int pen_cli_spool_check (PenCliSpool *self);
int pen_cli_spool_replay (PenCliSpool *self);
int pen_cli_spool_drop (PenCliSpool *self);

G_END_DECLS
