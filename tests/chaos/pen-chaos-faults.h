/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The faults, by what they happen to.
 */

#pragma once

#include "pen-chaos.h"

G_BEGIN_DECLS

void pen_chaos_add_process_faults (void);
void pen_chaos_add_network_faults (void);
void pen_chaos_add_disk_faults (void);
void pen_chaos_add_system_faults (void);

G_END_DECLS
