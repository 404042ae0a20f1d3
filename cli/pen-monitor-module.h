/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the module that answers --listen exports: opened only then, so that no other run pays for an
 * HTTP library.
 */

#pragma once

#include "pen-engine.h"

G_BEGIN_DECLS

#define PEN_MONITOR_MODULE_NAME "monitor.so"
#define PEN_MONITOR_MODULE_SYMBOL "pen_monitor_module"
/* grows with each change of what follows */
#define PEN_MONITOR_MODULE_VERSION 1

typedef struct _PenMonitor PenMonitor;

typedef struct
{
  guint version;
  /* @sockets (element-type GSocket) listen; @engine has its pipelines, and outlives it */
  PenMonitor *(*start) (PenEngine *engine, GPtrArray *sockets);
  void (*stop) (PenMonitor *self);
} PenMonitorModule;

G_END_DECLS
