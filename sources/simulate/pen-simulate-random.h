/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random numbers that are the same for the same seed, on every machine and with every GLib.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 state[4];
} PenSimulateRandom;

/* @stream tells several of one seed from each other. */
void pen_simulate_random_init (PenSimulateRandom *self, guint64 seed, const char *stream);
guint64 pen_simulate_random_next (PenSimulateRandom *self);
/* From @minimum to @maximum, both included. */
gint64 pen_simulate_random_get_between (PenSimulateRandom *self, gint64 minimum, gint64 maximum);
/* From 0 up to but not including 1. */
double pen_simulate_random_get_unit (PenSimulateRandom *self);

G_END_DECLS
