/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the subcommands of penstock share: their options, their way to plugins and to the log, and
 * how they end.
 */

#pragma once

#include "pen-definition.h"
#include "pen-log-private.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

G_BEGIN_DECLS

/* Exit statuses; part of the command's interface. */
enum
{
  PEN_CLI_DONE = 0,
  PEN_CLI_FAULTY = 1, /* a definition is faulty, or something could not be delivered or written */
  PEN_CLI_USAGE = 2,
  PEN_CLI_FAILED = 3, /* a pipeline failed for good */
};

typedef struct _PenCli PenCli;

typedef struct
{
  const char *name;
  const char *arguments;   /* what follows the options: "FILE|DIR..." */
  const char *summary;     /* one line, for the list of commands */
  const char *description; /* what --help says below the options, with examples */
  int (*run) (PenCli *cli);
} PenCliCommand;

/* One call of the command. */
struct _PenCli
{
  const PenCliCommand *command; /* NULL before its name is read */
  GStrv arguments;              /* what is left to read; the first is the command's own name */
  GPtrArray *plugin_folders;    /* (element-type filename) */
  gboolean wants_help;
  GLogLevelFlags log_level;
  PenLogFormat log_format;
};

gboolean
pen_cli_parse_format (const PenCli *self, const char *format, gboolean *as_json, int *status);
gboolean pen_cli_parse (PenCli *self, const GOptionEntry *options, int *status);
void pen_cli_print_help (PenCli *self,
                         const GOptionEntry *options,
                         const char *summary,
                         const char *description,
                         FILE *stream);
int pen_cli_complain (const PenCli *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
PenRegistry *pen_cli_open (PenCli *self);
int pen_cli_write (const PenCli *self, const GString *text);
gboolean pen_cli_wants_colour (FILE *stream);
/* An array of what pen_definition_load () found. */
void pen_cli_describe_diagnostics (JsonBuilder *builder, GPtrArray *diagnostics);

extern const PenCliCommand pen_cli_run;
extern const PenCliCommand pen_cli_check;
extern const PenCliCommand pen_cli_inspect;
extern const PenCliCommand pen_cli_graph;
extern const PenCliCommand pen_cli_test;
extern const PenCliCommand pen_cli_plan;
extern const PenCliCommand pen_cli_spool;
extern const PenCliCommand pen_cli_tap;
extern const PenCliCommand pen_cli_top;

G_END_DECLS
