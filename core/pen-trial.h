/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a keyfile expects of itself: the keys of a [test NAME] are this object's properties, as the
 * keys of an element are the element's.
 */

#pragma once

#include "pen-diagnostic.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define PEN_TYPE_TRIAL (pen_trial_get_type ())
PEN_RUNTIME_EXPORT
G_DECLARE_FINAL_TYPE (PenTrial, pen_trial, PEN, TRIAL, GObject)

struct _PenTrial
{
  GObject parent_instance;

  /* constant once it is part of a definition */
  char *name;
  PenPlace place; /* of its group */
  GStrv input;    /* nullable, as all texts that follow */
  char *input_file;
  char *topic;
  char *time;
  gint64 interval_us;
  gint64 wait_us;
  GStrv expect;
  char *expect_file;
  char *expect_topic;
  GStrv expect_dead_letter;
  char *source;
  char *sink;
  char *site;
  gboolean exact;
  gboolean drain;
};

PEN_RUNTIME_EXPORT
PenTrial *pen_trial_new (const char *name, PenPlace place);
/* When it begins, in microseconds since 1970; FALSE if its time is none. */
PEN_RUNTIME_EXPORT
gboolean pen_trial_get_start (const PenTrial *self, gint64 *start_us);

G_END_DECLS
