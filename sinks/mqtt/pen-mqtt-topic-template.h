/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A topic with places that are filled for each event.
 */

#pragma once

#include <penstock.h>

G_BEGIN_DECLS

typedef struct _PenMqttTopicTemplate PenMqttTopicTemplate;

PenMqttTopicTemplate *pen_mqtt_topic_template_new (const char *text, GError **error);
void pen_mqtt_topic_template_free (PenMqttTopicTemplate *self);
const char *pen_mqtt_topic_template_expand (PenMqttTopicTemplate *self,
                                            const char *pipeline,
                                            PenEvent *event,
                                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PenMqttTopicTemplate, pen_mqtt_topic_template_free)

G_END_DECLS
