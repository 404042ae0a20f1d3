/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one symbol of the module.
 */

#include "config.h"

#include "pen-monitor.h"

extern const PenMonitorModule pen_monitor_module;

__attribute__ ((visibility ("default"))) const PenMonitorModule pen_monitor_module = {
  .version = PEN_MONITOR_MODULE_VERSION,
  .start = pen_monitor_start,
  .stop = pen_monitor_stop,
};
