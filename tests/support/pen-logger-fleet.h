/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What data loggers send: one payload to look at closely, and those of a fleet of sites.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One reading round of one site: 958 bytes, as the ammp transform's documentation has them. */
extern const char pen_logger_sample[];

/* The payloads of as many sites, all different: (element-type GBytes) (transfer full). They are the
 * same ones each time, on every machine, and the first ones of a larger fleet. */
GPtrArray *pen_logger_fleet_new (guint n_sites);

G_END_DECLS
