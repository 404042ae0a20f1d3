/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What --listen serves.
 */

#pragma once

#include "pen-monitor-module.h"

G_BEGIN_DECLS

PenMonitor *pen_monitor_start (PenEngine *engine, GPtrArray *sockets);
void pen_monitor_stop (PenMonitor *self);

G_END_DECLS
