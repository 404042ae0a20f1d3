/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files of a TLS connection: whether they are good, told by whoever is needed for it.
 */

#pragma once

#include "pen-mqtt-certificates.h"

#include <openssl/x509.h>

G_BEGIN_DECLS

gboolean pen_mqtt_files_check (const PenMqttCertificates *files,
                               gint64 now_s,
                               PenMqttFaultFunc report,
                               gpointer user_data,
                               PenMqttExpiry *expiry);
gboolean
pen_mqtt_files_are_good (const PenMqttCertificates *files, gint64 now_s, PenMqttExpiry *expiry);
gboolean pen_mqtt_files_trust (X509_STORE *store, const char *cafile, gint64 now_s);

G_END_DECLS
