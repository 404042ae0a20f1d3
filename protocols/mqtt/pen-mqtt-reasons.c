/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a broker's refusals mean, in words: the return codes of CONNACK of MQTT 3.1.1 (3.2.2.3), the
 * reason codes of MQTT 5 (2.4), and those of SUBACK in both.
 */

#include "config.h"

#include "pen-mqtt-reasons.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

/* The return codes of 3.1.1 as the reason codes that MQTT 5 has for the same. */
static int
pen_mqtt_translate_return_code (int code)
{
  static const int reasons[] = { MQTT_RC_SUCCESS,
                                 MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION,
                                 MQTT_RC_CLIENTID_NOT_VALID,
                                 MQTT_RC_SERVER_UNAVAILABLE,
                                 MQTT_RC_BAD_USERNAME_OR_PASSWORD,
                                 MQTT_RC_NOT_AUTHORIZED };

  return code >= 0 && code < (int) G_N_ELEMENTS (reasons) ? reasons[code] : code;
}

static char *
pen_mqtt_describe_login (const char *username, const char *what)
{
  if (username == NULL)
    return g_strdup_printf ("the broker refused the login: %s; no username is set", what);
  return g_strdup_printf ("the broker refused the login of '%s': %s", username, what);
}

/**
 * pen_mqtt_describe_refusal:
 * @reason: of a CONNACK, not success
 * @is_mqtt_5: the version that was asked for
 * @username: (nullable): who logged in
 * @client_id: with which id
 *
 * Returns: (transfer full): what the broker refused, and what to do
 *
 * Threads: any
 */
char *
pen_mqtt_describe_refusal (int reason,
                           gboolean is_mqtt_5,
                           const char *username,
                           const char *client_id)
{
  switch (pen_mqtt_translate_return_code (reason))
    {
    case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
      return g_strdup_printf ("the broker does not speak MQTT %s: set version=%s",
                              is_mqtt_5 ? "5" : "3.1.1", is_mqtt_5 ? "3.1.1" : "5");
    case MQTT_RC_CLIENTID_NOT_VALID:
      return g_strdup_printf ("the broker refused the client id '%s': set client-id", client_id);
    case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
      return pen_mqtt_describe_login (username, "username or password is wrong");
    case MQTT_RC_NOT_AUTHORIZED:
      return pen_mqtt_describe_login (
          username, "not authorised (username or password is wrong, or may not connect)");
    case MQTT_RC_BANNED:
      return g_strdup_printf ("the broker has banned the client id '%s'", client_id);
    case MQTT_RC_SERVER_UNAVAILABLE:
    case MQTT_RC_SERVER_BUSY:
      return g_strdup ("the broker is up but not available at the moment");
    case MQTT_RC_BAD_AUTHENTICATION_METHOD:
      return g_strdup ("the broker wants another way of authentication than a password");
    case MQTT_RC_USE_ANOTHER_SERVER:
    case MQTT_RC_SERVER_MOVED:
      return g_strdup ("the broker says that another server is to be used: change host");
    default:
      return g_strdup_printf ("the broker refused the connection: %s",
                              mosquitto_reason_string (reason));
    }
}

/**
 * pen_mqtt_describe_subscription:
 * @granted: of a SUBACK, for one topic
 *
 * Returns: (nullable): why it was refused; NULL if it was granted
 *
 * Threads: any
 */
const char *
pen_mqtt_describe_subscription (int granted)
{
  switch (granted)
    {
    case 0:
    case 1:
    case 2:
      return NULL;
    case MQTT_RC_NOT_AUTHORIZED:
      return "not authorised";
    case MQTT_RC_TOPIC_FILTER_INVALID:
      return "the broker does not accept this topic";
    case MQTT_RC_SHARED_SUBS_NOT_SUPPORTED:
      return "the broker has no shared subscriptions";
    case MQTT_RC_WILDCARD_SUBS_NOT_SUPPORTED:
      return "the broker has no wildcards";
    case MQTT_RC_QUOTA_EXCEEDED:
      return "the broker's quota is exceeded";
    default:
      return "refused (it may not be allowed for this login)";
    }
}
