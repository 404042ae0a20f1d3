/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a run came to, in one line.
 */

#pragma once

#include "pen-engine.h"

G_BEGIN_DECLS

char *pen_cli_summarize (PenEngine *engine);

G_END_DECLS
