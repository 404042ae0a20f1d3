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
gboolean pen_check_is_set (const PenCheck *self, const char *property);
PEN_AVAILABLE_IN_1_0
gboolean pen_check_wants_environment (const PenCheck *self);

G_END_DECLS
