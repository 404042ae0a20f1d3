/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is wrong with a keyfile, and where, in the form that editors and compilers have agreed upon.
 * The number of errors of one file is bounded: a file that is no keyfile at all would have one for
 * each of its lines.
 */

#include "config.h"

#include "pen-diagnostic.h"

#define MAX_ERRORS 1000

/*
 * pen_diagnostic_free:
 * @self: (transfer full): a finding
 *
 * Threads: any
 */
void
pen_diagnostic_free (PenDiagnostic *self)
{
  g_free (self->file);
  g_free (self->message);
  g_free (self);
}

/*
 * pen_diagnostic_format:
 * @self: a finding
 *
 * Returns: (transfer full): one line, without its end
 *
 * Threads: any
 */
char *
pen_diagnostic_format (const PenDiagnostic *self)
{
  const char *level = self->level == PEN_DIAGNOSTIC_ERROR ? "error" : "warning";

  if (self->line == 0)
    return g_strdup_printf ("%s: %s: %s", self->file, level, self->message);
  return g_strdup_printf ("%s:%u:%u: %s: %s", self->file, self->line, self->column, level,
                          self->message);
}

static void
pen_report_add (PenReport *self, PenDiagnosticLevel level, PenPlace place, char *message)
{
  PenDiagnostic *diagnostic = g_new0 (PenDiagnostic, 1);

  diagnostic->level = level;
  diagnostic->file = g_strdup (self->file);
  diagnostic->line = place.line;
  diagnostic->column = place.column;
  diagnostic->message = message;
  diagnostic->row_line = self->row.line;
  diagnostic->row_column = self->row.column;
  g_ptr_array_add (self->findings, diagnostic);
}

/*
 * pen_report_init:
 * @self: a report
 * @file: what findings call the file; must live as long as @self
 *
 * Threads: any
 */
void
pen_report_init (PenReport *self, const char *file)
{
  *self = (PenReport){ .file = file };
  self->findings = g_ptr_array_new_with_free_func ((GDestroyNotify) pen_diagnostic_free);
}

/*
 * pen_report_error:
 * @self: a report
 * @place: line and column at fault
 * @format: what is wrong with it and what to do
 * @...: arguments of @format
 *
 * Threads: any
 */
void
pen_report_error (PenReport *self, PenPlace place, const char *format, ...)
{
  va_list arguments;

  self->n_errors++;
  if (self->n_errors > MAX_ERRORS)
    {
      self->n_left_out++;
      return;
    }
  va_start (arguments, format);
  pen_report_add (self, PEN_DIAGNOSTIC_ERROR, place, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/*
 * pen_report_warning:
 * @self: a report
 * @place: line and column that it concerns
 * @format: what is doubtful and what to do
 * @...: arguments of @format
 *
 * Threads: any
 */
void
pen_report_warning (PenReport *self, PenPlace place, const char *format, ...)
{
  va_list arguments;

  if (self->findings->len > 2 * MAX_ERRORS)
    return;
  va_start (arguments, format);
  pen_report_add (self, PEN_DIAGNOSTIC_WARNING, place, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/*
 * pen_report_take:
 * @self: a report
 * @diagnostic: (transfer full): a finding of another report on the same file
 *
 * Threads: any
 */
void
pen_report_take (PenReport *self, PenDiagnostic *diagnostic)
{
  gboolean is_error = diagnostic->level == PEN_DIAGNOSTIC_ERROR;
  gboolean is_left_out
      = is_error ? self->n_errors >= MAX_ERRORS : self->findings->len > 2 * MAX_ERRORS;

  self->n_errors += is_error;
  self->n_left_out += is_error && is_left_out;
  if (is_left_out)
    pen_diagnostic_free (diagnostic);
  else
    g_ptr_array_add (self->findings, diagnostic);
}

static int
pen_report_compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PenDiagnostic *left = *(PenDiagnostic *const *) a;
  const PenDiagnostic *right = *(PenDiagnostic *const *) b;

  if (left->line != right->line)
    return left->line < right->line ? -1 : 1;
  if (left->column != right->column)
    return left->column < right->column ? -1 : 1;
  return 0;
}

/*
 * pen_report_finish:
 * @self: a report; empty afterwards
 * @diagnostics: (element-type PenDiagnostic): what the findings are appended to
 *
 * Returns: whether nothing is wrong; there may be warnings
 *
 * Threads: any
 */
gboolean
pen_report_finish (PenReport *self, GPtrArray *diagnostics)
{
  g_autoptr (GPtrArray) findings = g_steal_pointer (&self->findings);

  /* Merge sort, so stable: what was found first at a place stays first. */
  g_qsort_with_data (findings->pdata, (int) findings->len, sizeof (gpointer), pen_report_compare,
                     NULL);
  if (self->n_left_out > 0)
    {
      PenDiagnostic *rest = g_new0 (PenDiagnostic, 1);

      rest->file = g_strdup (self->file);
      rest->message = g_strdup_printf ("%u more errors are not shown", self->n_left_out);
      g_ptr_array_add (findings, rest);
    }
  g_ptr_array_extend_and_steal (diagnostics, g_steal_pointer (&findings));
  return self->n_errors == 0;
}
