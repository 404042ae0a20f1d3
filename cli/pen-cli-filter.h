/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which messages of a spool are meant: by time of arrival, and by topic.
 */

#pragma once

#include "pen-event.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 from_us; /* G_MININT64: any */
  gint64 to_us;   /* not itself; G_MAXINT64: any */
  char *topic;    /* (nullable): an MQTT topic filter */
} PenCliFilter;

/* All may be NULL. @now_us: what "2h" is counted back from */
gboolean pen_cli_filter_init (PenCliFilter *self,
                              const char *from,
                              const char *to,
                              const char *topic,
                              gint64 now_us,
                              GError **error);
void pen_cli_filter_clear (PenCliFilter *self);
/* Whether it lets everything through. */
gboolean pen_cli_filter_is_open (const PenCliFilter *self);
gboolean pen_cli_filter_matches (const PenCliFilter *self, const PenEvent *event);

/* What a time is: RFC 3339, or how long ago. */
gboolean pen_cli_time_parse (const char *text, gint64 now_us, gint64 *time_us, GError **error);
gboolean pen_cli_topic_filter_check (const char *filter, GError **error);
gboolean pen_cli_topic_matches (const char *filter, const char *topic);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PenCliFilter, pen_cli_filter_clear)

G_END_DECLS
