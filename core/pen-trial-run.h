/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs the tests of a definition: its transforms alone, on a clock of their own.
 */

#pragma once

#include "pen-definition.h"

G_BEGIN_DECLS

/* One thing that was not as expected. */
typedef struct
{
  char *message;
  char *expected; /* nullable */
  char *actual;   /* nullable */
} PenTrialFailure;

/* (transfer full) (element-type PenTrialFailure): empty if it passed. On a context of its own, in
 * the caller's thread. */
PEN_RUNTIME_EXPORT
GPtrArray *pen_trial_run (const PenTrial *trial, const PenDefinition *definition);

G_END_DECLS
