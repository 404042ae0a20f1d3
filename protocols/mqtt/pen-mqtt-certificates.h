/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is wrong with the files of a TLS connection, said before it is tried.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The files as the properties name them; any may be NULL. */
typedef struct
{
  const char *cafile;
  const char *certfile;
  const char *keyfile;
  const char *key_password;
} PenMqttCertificates;

/* When nothing works any more, in seconds since 1970; 0 where there is no file. */
typedef struct
{
  gint64 ca_s;
  gint64 certificate_s;
} PenMqttExpiry;

/* @property is the one that names the file at fault. */
typedef void (*PenMqttFaultFunc) (const char *property, const char *message, gpointer user_data);

gboolean pen_mqtt_certificates_check (const PenMqttCertificates *files,
                                      gint64 now_s,
                                      PenMqttFaultFunc report,
                                      gpointer user_data,
                                      PenMqttExpiry *expiry);

G_END_DECLS
