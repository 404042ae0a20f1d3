/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What somebody means who names a pipeline, or an element of one.
 */

#pragma once

#include "pen-engine.h"

G_BEGIN_DECLS

typedef struct
{
  char *pipeline;
  PenElementKind kind;
  char *element; /* (nullable): NULL: all of the kind */
} PenCliPlace;

/* @text: "PIPELINE", which means its sinks, or "PIPELINE.ELEMENT": an element is "source mqtt",
 * "source-mqtt", and "mqtt" or "source" where there is one only. On the engine's thread. Returns
 * (transfer full) (nullable): what is wrong with @text */
char *pen_cli_place_find (PenCliPlace *self, PenEngine *engine, const char *text);
void pen_cli_place_clear (PenCliPlace *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenCliPlace, pen_cli_place_clear)

G_END_DECLS
