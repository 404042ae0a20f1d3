/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Failures that repeat, told once.
 */

#pragma once

#include "pen-version.h"

G_BEGIN_DECLS

/**
 * PenComplaint:
 *
 * A failure that may repeat: told when it begins, then at most once a minute with a count, and
 * once when it is over. Zero-initialised, not thread-safe, part of the struct that complains.
 */
typedef struct
{
  /*< private >*/
  char *message;
  gint64 told_us;
  guint n_told;
  guint64 untold;
} PenComplaint;

PEN_AVAILABLE_IN_1_0
char *pen_complaint_raise (PenComplaint *self, gint64 now_us, const char *message);
PEN_AVAILABLE_IN_1_0
gboolean pen_complaint_release (PenComplaint *self);
PEN_AVAILABLE_IN_1_0
void pen_complaint_clear (PenComplaint *self);

G_END_DECLS
