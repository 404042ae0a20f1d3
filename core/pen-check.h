/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an element says of its configuration before anything starts.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PenCheck:
 *
 * Collects what is wrong with an element's configuration. Each finding names the property at
 * fault, so that it is shown at the line and column of its value in the keyfile.
 */
typedef struct _PenCheck PenCheck;

/**
 * PenOverlapFunc:
 * @what: what one element reads
 * @other: what another one reads from the same place
 *
 * Must be symmetric, and depend on nothing but its arguments.
 *
 * Returns: whether there is something that both would get
 *
 * Threads: any
 */
typedef gboolean (*PenOverlapFunc) (const char *what, const char *other);

/**
 * PenInterest:
 * @where: (not nullable): the place: "topics at broker:1883"; only what is read from the same place
 *   is compared
 * @what: (not nullable): what is read there, as @overlaps understands it
 * @prefix: (not nullable): how all that it stands for begins, "" if nobody knows: what begins
 *   otherwise is not compared at all, so that fleets of thousands are checked quickly
 * @overlaps: (not nullable): whether two have something in common
 * @why: (not nullable): what happens to that, and what to do
 *
 * What a source reads, so that others may be found that read it as well.
 */
typedef struct
{
  const char *where;
  const char *what;
  const char *prefix;
  PenOverlapFunc overlaps;
  const char *why;
} PenInterest;

PEN_AVAILABLE_IN_1_0
void pen_check_error (PenCheck *self, const char *property, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
PEN_AVAILABLE_IN_1_0
void pen_check_warning (PenCheck *self, const char *property, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
PEN_AVAILABLE_IN_1_0
void
pen_check_claim (PenCheck *self, const char *property, const char *why, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
PEN_AVAILABLE_IN_1_0
void pen_check_interest (PenCheck *self, const char *property, const PenInterest *interest);
PEN_AVAILABLE_IN_1_0
void pen_check_private_file (PenCheck *self, const char *property, const char *path);
PEN_AVAILABLE_IN_1_0
void pen_check_output_folder (PenCheck *self, const char *property, const char *folder);
PEN_AVAILABLE_IN_1_0
gboolean pen_check_is_set (const PenCheck *self, const char *property);
PEN_AVAILABLE_IN_1_0
gboolean pen_check_wants_environment (const PenCheck *self);

G_END_DECLS
