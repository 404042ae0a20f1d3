/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a broker's refusals mean, in words.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *pen_mqtt_describe_refusal (int reason,
                                 gboolean is_mqtt_5,
                                 const char *username,
                                 const char *client_id);
const char *pen_mqtt_describe_subscription (int granted);

G_END_DECLS
