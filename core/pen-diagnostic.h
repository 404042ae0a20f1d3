/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is wrong with a keyfile, and where.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

typedef enum
{
  PEN_DIAGNOSTIC_ERROR,
  PEN_DIAGNOSTIC_WARNING,
} PenDiagnosticLevel;

/* One finding; line and column count from 1, the column in bytes; 0 where there is none. */
typedef struct
{
  PenDiagnosticLevel level;
  char *file;
  guint line;
  guint column;
  char *message;
  /* Where it may stand as well: in the row of a site, if not all sites have it. 0: it may not. */
  guint row_line;
  guint row_column;
} PenDiagnostic;

PEN_RUNTIME_EXPORT
void pen_diagnostic_free (PenDiagnostic *self);
/* "site.pipeline:12:6: error: unknown key 'hots' in [source mqtt]; did you mean 'host'?" */
PEN_RUNTIME_EXPORT
char *pen_diagnostic_format (const PenDiagnostic *self);

/* A place in a keyfile. */
typedef struct
{
  guint line;
  guint column;
} PenPlace;

/* Collects the findings of one file, in the order in which they are found. */
typedef struct
{
  const char *file;
  GPtrArray *findings; /* (element-type PenDiagnostic) */
  guint n_errors;
  guint n_left_out; /* errors beyond the bound */
  PenPlace row;     /* of the findings to come, as PenDiagnostic has it */
} PenReport;

PEN_RUNTIME_EXPORT
void pen_report_init (PenReport *self, const char *file);
PEN_RUNTIME_EXPORT
void pen_report_error (PenReport *self, PenPlace place, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
PEN_RUNTIME_EXPORT
void pen_report_warning (PenReport *self, PenPlace place, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* Takes over a finding of another report. */
PEN_RUNTIME_EXPORT
void pen_report_take (PenReport *self, PenDiagnostic *diagnostic);
/* Moves all findings, in the order of lines, to @diagnostics; TRUE if none was an error. */
PEN_RUNTIME_EXPORT
gboolean pen_report_finish (PenReport *self, GPtrArray *diagnostics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenDiagnostic, pen_diagnostic_free)

G_END_DECLS
