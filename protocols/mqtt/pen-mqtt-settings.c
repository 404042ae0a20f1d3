/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties that all who connect to an MQTT broker have: their types, defaults and ranges,
 * what holds them, and what can be wrong with them as a whole.
 *
 * The room is linked into each module that speaks MQTT, but a process has one table of types, so
 * the enumerations are registered by whoever comes first.
 */

#include "config.h"

#include "pen-mqtt-settings.h"

#include "pen-mqtt-files.h"
#include "pen-mqtt-topics.h"

#include <string.h>

#define SECOND_US G_USEC_PER_SEC

#define DEFAULT_PORT 0
#define DEFAULT_VERSION PEN_MQTT_VERSION_5
#define DEFAULT_KEEP_ALIVE (60 * (gint64) SECOND_US)
#define DEFAULT_WILL_QOS 0
#define DEFAULT_WILL_RETAIN FALSE
#define DEFAULT_TLS PEN_MQTT_TLS_AUTO
#define DEFAULT_TLS_INSECURE FALSE
#define DEFAULT_CONNECT_TIMEOUT (30 * (gint64) SECOND_US)

#define PORT_PLAIN 1883
#define PORT_TLS 8883
#define MAXIMUM_STRING 65535
/* Certificates that expire sooner are warned of. */
#define MANY_DAYS 30
#define DAY_S (24 * 60 * 60)

/* Where a property's value is in PenMqttSettings; its type is the field's. */
static const gsize pen_mqtt_offsets[PEN_MQTT_N_PROPERTIES] = {
  [PEN_MQTT_PROP_HOST] = G_STRUCT_OFFSET (PenMqttSettings, host),
  [PEN_MQTT_PROP_PORT] = G_STRUCT_OFFSET (PenMqttSettings, port),
  [PEN_MQTT_PROP_VERSION] = G_STRUCT_OFFSET (PenMqttSettings, version),
  [PEN_MQTT_PROP_CLIENT_ID] = G_STRUCT_OFFSET (PenMqttSettings, client_id),
  [PEN_MQTT_PROP_KEEP_ALIVE] = G_STRUCT_OFFSET (PenMqttSettings, keep_alive_us),
  [PEN_MQTT_PROP_USERNAME] = G_STRUCT_OFFSET (PenMqttSettings, username),
  [PEN_MQTT_PROP_PASSWORD] = G_STRUCT_OFFSET (PenMqttSettings, password),
  [PEN_MQTT_PROP_WILL_TOPIC] = G_STRUCT_OFFSET (PenMqttSettings, will_topic),
  [PEN_MQTT_PROP_WILL_PAYLOAD] = G_STRUCT_OFFSET (PenMqttSettings, will_payload),
  [PEN_MQTT_PROP_WILL_QOS] = G_STRUCT_OFFSET (PenMqttSettings, will_qos),
  [PEN_MQTT_PROP_WILL_RETAIN] = G_STRUCT_OFFSET (PenMqttSettings, will_retain),
  [PEN_MQTT_PROP_TLS] = G_STRUCT_OFFSET (PenMqttSettings, tls),
  [PEN_MQTT_PROP_CAFILE] = G_STRUCT_OFFSET (PenMqttSettings, cafile),
  [PEN_MQTT_PROP_CERTFILE] = G_STRUCT_OFFSET (PenMqttSettings, certfile),
  [PEN_MQTT_PROP_KEYFILE] = G_STRUCT_OFFSET (PenMqttSettings, keyfile),
  [PEN_MQTT_PROP_KEY_PASSWORD] = G_STRUCT_OFFSET (PenMqttSettings, key_password),
  [PEN_MQTT_PROP_TLS_INSECURE] = G_STRUCT_OFFSET (PenMqttSettings, tls_insecure),
  [PEN_MQTT_PROP_CONNECT_TIMEOUT] = G_STRUCT_OFFSET (PenMqttSettings, connect_timeout_us),
};

static GType
pen_mqtt_enum_get_type (const char *name, const GEnumValue *values)
{
  G_LOCK_DEFINE_STATIC (types);
  GType type;

  G_LOCK (types);
  type = g_type_from_name (name);
  if (type == G_TYPE_INVALID)
    type = g_enum_register_static (name, values);
  G_UNLOCK (types);
  return type;
}

static GType
pen_mqtt_tls_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { PEN_MQTT_TLS_AUTO, "on for port 8883 or when a file is set", "auto" },
    { PEN_MQTT_TLS_ON, "always", "on" },
    { PEN_MQTT_TLS_OFF, "never", "off" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, pen_mqtt_enum_get_type ("PenMqttTlsMode", values));
  return type;
}

static GType
pen_mqtt_version_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { PEN_MQTT_VERSION_3_1_1, "MQTT 3.1.1", "3.1.1" },
    { PEN_MQTT_VERSION_5, "MQTT 5", "5" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, pen_mqtt_enum_get_type ("PenMqttVersion", values));
  return type;
}

static void
pen_mqtt_settings_install_broker (GParamSpec **specs)
{
  specs[PEN_MQTT_PROP_HOST]
      = g_param_spec_string ("host", NULL, "Host name or address of the broker", NULL,
                             PEN_PARAM_DEFAULTS | PEN_PARAM_REQUIRED);
  specs[PEN_MQTT_PROP_PORT]
      = g_param_spec_int ("port", NULL, "TCP port; 0: 8883 with TLS, 1883 without", 0, 65535,
                          DEFAULT_PORT, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_VERSION]
      = g_param_spec_enum ("version", NULL, "Version of MQTT", pen_mqtt_version_get_type (),
                           DEFAULT_VERSION, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_USERNAME]
      = g_param_spec_string ("username", NULL, "Name to log in with", NULL, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_PASSWORD] = g_param_spec_string ("password", NULL, "Password to log in with",
                                                       NULL, PEN_PARAM_DEFAULTS | PEN_PARAM_SECRET);
  specs[PEN_MQTT_PROP_CONNECT_TIMEOUT] = pen_param_spec_duration (
      "connect-timeout", "How long the broker may take for each step of connecting", SECOND_US / 10,
      600 * (gint64) SECOND_US, DEFAULT_CONNECT_TIMEOUT, PEN_PARAM_DEFAULTS);
}

static void
pen_mqtt_settings_install_session (GParamSpec **specs)
{
  specs[PEN_MQTT_PROP_CLIENT_ID]
      = g_param_spec_string ("client-id", NULL, "Id of the session; by default penstock-PIPELINE",
                             NULL, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_KEEP_ALIVE] = pen_param_spec_duration (
      "keep-alive", "Longest silence until broker and client test the connection",
      5 * (gint64) SECOND_US, 65535 * (gint64) SECOND_US, DEFAULT_KEEP_ALIVE, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_WILL_TOPIC] = g_param_spec_string (
      "will-topic", NULL, "Topic that the broker publishes to when the connection breaks", NULL,
      PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_WILL_PAYLOAD] = g_param_spec_string (
      "will-payload", NULL, "What the broker publishes then", NULL, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_WILL_QOS]
      = g_param_spec_int ("will-qos", NULL, "Quality of service of the will", 0, 2,
                          DEFAULT_WILL_QOS, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_WILL_RETAIN]
      = g_param_spec_boolean ("will-retain", NULL, "Whether the broker keeps the will",
                              DEFAULT_WILL_RETAIN, PEN_PARAM_DEFAULTS);
}

static void
pen_mqtt_settings_install_tls (GParamSpec **specs)
{
  specs[PEN_MQTT_PROP_TLS] = g_param_spec_enum (
      "tls", NULL, "Whether to use TLS; auto: for port 8883 or when a file below is set",
      pen_mqtt_tls_mode_get_type (), DEFAULT_TLS, PEN_PARAM_DEFAULTS);
  specs[PEN_MQTT_PROP_CAFILE] = g_param_spec_string (
      "cafile", NULL, "PEM file of the CAs to trust; by default those of the system", NULL,
      PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_CONTENT);
  specs[PEN_MQTT_PROP_CERTFILE]
      = g_param_spec_string ("certfile", NULL, "PEM file of the client's certificate", NULL,
                             PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_CONTENT);
  specs[PEN_MQTT_PROP_KEYFILE]
      = g_param_spec_string ("keyfile", NULL, "PEM file of the client's private key", NULL,
                             PEN_PARAM_DEFAULTS | PEN_PARAM_PATH | PEN_PARAM_CONTENT);
  specs[PEN_MQTT_PROP_KEY_PASSWORD] = g_param_spec_string (
      "key-password", NULL, "What opens the key file", NULL, PEN_PARAM_DEFAULTS | PEN_PARAM_SECRET);
  specs[PEN_MQTT_PROP_TLS_INSECURE] = g_param_spec_boolean (
      "tls-insecure", NULL, "Accept any certificate: whoever answers gets the password",
      DEFAULT_TLS_INSECURE, PEN_PARAM_DEFAULTS);
}

/* Installs the properties, with their ids. Threads: any */
void
pen_mqtt_settings_install (GObjectClass *class)
{
  GParamSpec *specs[PEN_MQTT_N_PROPERTIES] = { NULL };

  pen_mqtt_settings_install_broker (specs);
  pen_mqtt_settings_install_session (specs);
  pen_mqtt_settings_install_tls (specs);
  for (guint id = 1; id < PEN_MQTT_N_PROPERTIES; id++)
    if (specs[id] != NULL)
      g_object_class_install_property (class, id, specs[id]);
}

/* Threads: any */
void
pen_mqtt_settings_init (PenMqttSettings *self)
{
  self->port = DEFAULT_PORT;
  self->version = DEFAULT_VERSION;
  self->keep_alive_us = DEFAULT_KEEP_ALIVE;
  self->will_qos = DEFAULT_WILL_QOS;
  self->will_retain = DEFAULT_WILL_RETAIN;
  self->tls = DEFAULT_TLS;
  self->tls_insecure = DEFAULT_TLS_INSECURE;
  self->connect_timeout_us = DEFAULT_CONNECT_TIMEOUT;
}

static void
pen_mqtt_settings_free_secret (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* Threads: any */
void
pen_mqtt_settings_clear (PenMqttSettings *self)
{
  g_free (self->host);
  g_free (self->client_id);
  g_free (self->username);
  pen_mqtt_settings_free_secret (self->password);
  g_free (self->will_topic);
  g_free (self->will_payload);
  g_free (self->cafile);
  g_free (self->certfile);
  g_free (self->keyfile);
  pen_mqtt_settings_free_secret (self->key_password);
}

static gboolean
pen_mqtt_settings_set_string (char **field, const char *text)
{
  if (g_strcmp0 (*field, text) == 0)
    return FALSE;
  pen_mqtt_settings_free_secret (*field);
  *field = g_strdup (text);
  return TRUE;
}

static gboolean
pen_mqtt_settings_set_strings (GStrv *field, const char *const *texts)
{
  if (*field == NULL || texts == NULL)
    {
      if ((const char *const *) *field == texts)
        return FALSE;
    }
  else if (g_strv_equal ((const char *const *) *field, texts))
    return FALSE;
  g_strfreev (*field);
  *field = g_strdupv ((GStrv) texts);
  return TRUE;
}

static gboolean
pen_mqtt_settings_set_number (int *field, int number)
{
  gboolean has_changed = *field != number;

  *field = number;
  return has_changed;
}

static gboolean
pen_mqtt_settings_set_large (gint64 *field, gint64 number)
{
  gboolean has_changed = *field != number;

  *field = number;
  return has_changed;
}

/* Stores @value; TRUE if that changes anything. Threads: any */
gboolean
pen_mqtt_field_set (gpointer field, const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    return pen_mqtt_settings_set_string (field, g_value_get_string (value));
  if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    return pen_mqtt_settings_set_strings (field, g_value_get_boxed (value));
  if (G_VALUE_HOLDS_INT (value))
    return pen_mqtt_settings_set_number (field, g_value_get_int (value));
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return pen_mqtt_settings_set_number (field, g_value_get_boolean (value));
  if (G_VALUE_HOLDS_ENUM (value))
    return pen_mqtt_settings_set_number (field, g_value_get_enum (value));
  if (G_VALUE_HOLDS_UINT64 (value))
    return pen_mqtt_settings_set_large (field, (gint64) g_value_get_uint64 (value));
  return pen_mqtt_settings_set_large (field, g_value_get_int64 (value));
}

/* Fills @value. Threads: any */
void
pen_mqtt_field_get (gconstpointer field, GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(char *const *) field);
  else if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    g_value_set_boxed (value, *(const GStrv *) field);
  else if (G_VALUE_HOLDS_INT (value))
    g_value_set_int (value, *(const int *) field);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const gboolean *) field);
  else if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, *(const int *) field);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const guint64 *) field);
  else
    g_value_set_int64 (value, *(const gint64 *) field);
}

/* Stores @value; TRUE if that changes anything. Threads: any */
gboolean
pen_mqtt_settings_set (PenMqttSettings *self, guint id, const GValue *value)
{
  return pen_mqtt_field_set (G_STRUCT_MEMBER_P (self, pen_mqtt_offsets[id]), value);
}

/* Fills @value. Threads: any */
void
pen_mqtt_settings_get (const PenMqttSettings *self, guint id, GValue *value)
{
  pen_mqtt_field_get (G_STRUCT_MEMBER_P (self, pen_mqtt_offsets[id]), value);
}

/* Threads: any */
gboolean
pen_mqtt_settings_uses_tls (const PenMqttSettings *self)
{
  if (self->tls != PEN_MQTT_TLS_AUTO)
    return self->tls == PEN_MQTT_TLS_ON;
  return self->port == PORT_TLS || self->cafile != NULL || self->certfile != NULL
         || self->keyfile != NULL || self->tls_insecure;
}

/* Threads: any */
guint
pen_mqtt_settings_get_port (const PenMqttSettings *self)
{
  if (self->port != 0)
    return (guint) self->port;
  return pen_mqtt_settings_uses_tls (self) ? PORT_TLS : PORT_PLAIN;
}

/* For one connection, with a session that ends with it. Threads: any */
PenMqttOptions *
pen_mqtt_settings_make_options (const PenMqttSettings *self, const char *client_id)
{
  PenMqttOptions *options = g_new0 (PenMqttOptions, 1);

  options->host = g_strdup (self->host);
  options->port = pen_mqtt_settings_get_port (self);
  options->client_id = g_strdup (client_id);
  options->clean_session = TRUE;
  options->keep_alive_s = (guint) ((self->keep_alive_us + SECOND_US - 1) / SECOND_US);
  options->is_mqtt_5 = self->version == PEN_MQTT_VERSION_5;
  options->username = g_strdup (self->username);
  options->password = g_strdup (self->password);
  options->will_topic = g_strdup (self->will_topic);
  options->will_payload = g_strdup (self->will_payload);
  options->will_qos = self->will_qos;
  options->will_retain = self->will_retain;
  options->tls = pen_mqtt_settings_uses_tls (self);
  options->connect_timeout_us = self->connect_timeout_us;
  if (!options->tls)
    return options;
  options->cafile = g_strdup (self->cafile);
  options->certfile = g_strdup (self->certfile);
  options->keyfile = g_strdup (self->keyfile);
  options->key_password = g_strdup (self->key_password);
  options->tls_insecure = self->tls_insecure;
  return options;
}

/* --- What can be wrong with them --- */

static void
pen_mqtt_settings_check_login (const PenMqttSettings *self, PenCheck *check)
{
  if (self->client_id != NULL
      && (self->client_id[0] == '\0' || strlen (self->client_id) > MAXIMUM_STRING
          || !g_utf8_validate (self->client_id, -1, NULL)))
    pen_check_error (check, "client-id", "it must be UTF-8 and have 1 to 65535 bytes");
  if (self->password != NULL && self->username == NULL)
    pen_check_error (check, "password", "a password without username");
}

static void
pen_mqtt_settings_check_will (const PenMqttSettings *self, PenCheck *check)
{
  static const char *const others[] = { "will-payload", "will-qos", "will-retain" };

  if (self->will_topic != NULL
      && (pen_mqtt_filter_find_fault (self->will_topic) != NULL
          || strpbrk (self->will_topic, "+#") != NULL))
    pen_check_error (check, "will-topic", "'%s' is not a topic: it must have no wildcards",
                     self->will_topic);
  for (guint i = 0; self->will_topic == NULL && i < G_N_ELEMENTS (others); i++)
    if (pen_check_is_set (check, others[i]))
      pen_check_error (check, others[i], "it has no effect without will-topic");
}

static void
pen_mqtt_settings_report_fault (const char *property, const char *message, gpointer check)
{
  pen_check_error (check, property, "%s", message);
}

static void
pen_mqtt_settings_warn_of_expiry (PenCheck *check, const char *property, gint64 expiry_s)
{
  gint64 days = (expiry_s - g_get_real_time () / G_USEC_PER_SEC) / DAY_S;

  if (expiry_s > 0 && days < MANY_DAYS)
    pen_check_warning (check, property,
                       "its certificate expires in %" G_GINT64_FORMAT " days: renew it", days);
}

static void
pen_mqtt_settings_check_tls (const PenMqttSettings *self, PenCheck *check)
{
  static const char *const keys[]
      = { "cafile", "certfile", "keyfile", "key-password", "tls-insecure" };
  const PenMqttCertificates files
      = { self->cafile, self->certfile, self->keyfile, self->key_password };
  PenMqttExpiry expiry;
  gboolean uses_tls = pen_mqtt_settings_uses_tls (self);

  for (guint i = 0; !uses_tls && i < G_N_ELEMENTS (keys); i++)
    if (pen_check_is_set (check, keys[i]))
      pen_check_error (check, keys[i], "it has no effect without TLS: set tls=on");
  if (!uses_tls && self->password != NULL)
    pen_check_warning (check, "password",
                       "it is sent without encryption: everyone on the way can read it; set tls=on "
                       "and the broker's TLS port");
  if (!uses_tls)
    return;
  if (self->tls_insecure)
    pen_check_warning (check, "tls-insecure",
                       "THE BROKER'S CERTIFICATE IS NOT VERIFIED: anyone can pose as the broker "
                       "and read the password; set cafile instead");
  if (self->certfile != NULL && self->keyfile == NULL)
    pen_check_error (check, "certfile", "a certificate needs its private key: set keyfile");
  if (self->keyfile != NULL && self->certfile == NULL)
    pen_check_error (check, "keyfile", "a private key needs its certificate: set certfile");
  if (self->key_password != NULL && self->keyfile == NULL)
    pen_check_error (check, "key-password", "it has no effect without keyfile");
  if (self->keyfile != NULL)
    pen_check_private_file (check, "keyfile", self->keyfile);
  if (!pen_check_wants_environment (check)
      || !pen_mqtt_files_check (&files, g_get_real_time () / G_USEC_PER_SEC,
                                pen_mqtt_settings_report_fault, check, &expiry))
    return;
  pen_mqtt_settings_warn_of_expiry (check, "cafile", expiry.ca_s);
  pen_mqtt_settings_warn_of_expiry (check, "certfile", expiry.certificate_s);
}

/* Says all that is wrong with the properties as a whole. Threads: any */
void
pen_mqtt_settings_check (const PenMqttSettings *self, PenCheck *check)
{
  if (self->host != NULL && self->host[0] == '\0')
    pen_check_error (check, "host", "it is empty");
  else if (self->host != NULL && strstr (self->host, "://") != NULL)
    pen_check_error (check, "host", "'%s' is a URL: give the host's name alone", self->host);
  pen_mqtt_settings_check_login (self, check);
  pen_mqtt_settings_check_will (self, check);
  pen_mqtt_settings_check_tls (self, check);
}

/* Says what no other client of the broker may have. Threads: any */
void
pen_mqtt_settings_check_client_id (const PenMqttSettings *self,
                                   const char *client_id,
                                   PenCheck *check)
{
  g_autofree char *host = g_ascii_strdown (self->host, -1);

  pen_check_claim (check, self->client_id != NULL ? "client-id" : NULL,
                   "two clients with one id throw each other out for ever",
                   "client id '%s' at %s:%u", client_id, host, pen_mqtt_settings_get_port (self));
}

/* Logs what an operator should not do. Threads: any */
void
pen_mqtt_settings_warn (const PenMqttSettings *self, PenElement *element, const char *address)
{
  gboolean uses_tls = pen_mqtt_settings_uses_tls (self);

  if (uses_tls && self->tls_insecure)
    pen_element_log (element, G_LOG_LEVEL_WARNING,
                     "%s: TLS-INSECURE: THE BROKER'S CERTIFICATE IS NOT VERIFIED; anyone can pose "
                     "as the broker",
                     address);
  if (!uses_tls && self->password != NULL)
    pen_element_log (element, G_LOG_LEVEL_WARNING,
                     "%s: the password is sent without encryption: set tls=on", address);
}
