/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A module that is no plugin: its author forgot PEN_PLUGIN_DEFINE.
 */

#include "config.h"

extern int pen_undescribed_answer (void);

int
pen_undescribed_answer (void)
{
  return 42;
}
