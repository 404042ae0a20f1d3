/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a running process and those who look into it say to each other: lines of JSON.
 */

#pragma once

#include "pen-json.h"

G_BEGIN_DECLS

/* Stands in each request and in the answer to "about". */
#define PEN_CLI_PROTOCOL 1
#define PEN_CLI_REQUEST_MAX_BYTES 4096
#define PEN_CLI_ANSWER_MAX_BYTES (1024 * 1024)

typedef enum
{
  PEN_CLI_WIRE_LINE,
  PEN_CLI_WIRE_NOTHING,  /* nothing yet, or a signal has come */
  PEN_CLI_WIRE_CLOSED,   /* by the other side, or broken */
  PEN_CLI_WIRE_TOO_LONG, /* a line over the limit */
} PenCliWireResult;

/* One end, for one thread. */
typedef struct
{
  int fd; /* not blocking */
  gsize max_line;
  GString *input;
  gsize n_searched; /* of the input, for the end of a line */
} PenCliWire;

/* Takes @fd. */
void pen_cli_wire_init (PenCliWire *self, int fd, gsize max_line);
void pen_cli_wire_clear (PenCliWire *self);
/* @line (out) (transfer full): without its end. @timeout_ms: -1: none */
PenCliWireResult pen_cli_wire_read (PenCliWire *self, int timeout_ms, GBytes **line);
/* All of @text, or FALSE: the other side is gone, or took nothing for @timeout_ms. */
gboolean pen_cli_wire_write (PenCliWire *self, const GString *text, int timeout_ms);

/* (transfer full) (nullable): of a member that is text or null */
char *pen_cli_wire_dup_text (const PenJson *json, PenJsonNode object, const char *name);
/* @otherwise: if there is no such member; G_MININT64 if it is no such number */
gint64 pen_cli_wire_get_number (const PenJson *json,
                                PenJsonNode object,
                                const char *name,
                                gint64 otherwise);
/* For a writer: a member that is text, made valid UTF-8. */
void pen_cli_wire_put_text (PenJsonWriter *writer, const char *key, const char *text);
void pen_cli_wire_put_number (PenJsonWriter *writer, const char *key, gint64 number);

G_END_DECLS
