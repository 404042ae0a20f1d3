/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MQTT topic filters: which are valid, what they match, and which could have matched.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

const char *pen_mqtt_filter_find_fault (const char *filter);
gboolean pen_mqtt_filter_is_shared (const char *filter);
gboolean pen_mqtt_filter_matches (const char *filter, const char *topic);
gboolean pen_mqtt_filter_overlaps (const char *filter, const char *other);
gboolean pen_mqtt_filter_repeats (const char *filter, const char *other);
char *pen_mqtt_filter_get_prefix (const char *filter);
gboolean pen_mqtt_filters_match (const char *const *filters, const char *topic);
GPtrArray *pen_mqtt_topic_generalise (const char *topic, const char *const *wanted);

G_END_DECLS
