/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A connection to a broker, driven by whoever waits for it: it has no thread and no timer of its
 * own. pen_mqtt_sender_connect () and pen_mqtt_sender_await () wait, with a deadline, for what the
 * broker owes us; pen_mqtt_sender_keep () does what is due now and returns: a ping, the answer to
 * one, the next step of connecting again.
 *
 * What is under way when a connection is lost has no outcome: it may have arrived or not, and
 * whoever published it publishes it again. The broker keeps no session of us, so nothing of an old
 * connection reaches a new one.
 */

#include "config.h"

#include "pen-mqtt-sender.h"

#include "pen-mqtt-reasons.h"

#include <errno.h>
#include <poll.h>

#define TICK_US G_USEC_PER_SEC
#define LONGEST_POLL_MS 1000
#define FIRST_RETRY_US ((gint64) G_USEC_PER_SEC)
#define LAST_RETRY_US (60 * FIRST_RETRY_US)
/* A connection that has lasted this long was a good one; so many bad ones are no coincidence. */
#define STABLE_US (10 * (gint64) G_USEC_PER_SEC)
#define MANY_SHORT 3
/* Of an idle round: open, take over, write the login, read the answer. */
#define STEPS_TO_KEEP 4
#define FEW_DAYS 14

typedef enum
{
  PEN_MQTT_SENDER_CLOSED,
  PEN_MQTT_SENDER_OPENING,  /* a thread connects */
  PEN_MQTT_SENDER_GREETING, /* waits for the broker to accept the login */
  PEN_MQTT_SENDER_CONNECTED,
} PenMqttSenderState;

struct _PenMqttSender
{
  /* constant */
  PenMqttSenderOptions options;
  PenMetric *n_connections;

  PenMqttSenderState state;
  PenMqttConnection *connection;
  gint64 deadline_us; /* of the step of connecting */
  gint64 retry_us;
  gint64 not_before_us; /* while nobody waits */
  gint64 connected_us;
  gint64 ticked_us;
  guint n_short;
  gboolean is_greeted;
  int greeting;
  gboolean has_more;     /* to read, of which no descriptor will tell */
  gboolean has_progress; /* an outcome has come since this was last looked at */
  GHashTable *under_way; /* packet id to the number */
  GArray *unwritten;     /* of guint: numbers of QoS 0 that are not in the socket yet */
};

static void
pen_mqtt_sender_on_greeted (gpointer owner,
                            int reason,
                            int flags,
                            const mosquitto_property *properties)
{
  PenMqttSender *self = owner;

  self->is_greeted = TRUE;
  self->greeting = reason;
}

static void
pen_mqtt_sender_on_published (gpointer owner, int id, int reason)
{
  PenMqttSender *self = owner;
  gpointer number;

  /* those of QoS 0 are told of before they are in the socket */
  if (!g_hash_table_steal_extended (self->under_way, GINT_TO_POINTER (id), NULL, &number))
    return;
  self->has_progress = TRUE;
  self->options.outcome (self->options.user_data, GPOINTER_TO_UINT (number), reason);
}

/* --- The end of a connection --- */

static void
pen_mqtt_sender_release (PenMqttSender *self, gboolean politely)
{
  PenMqttConnection *connection = g_steal_pointer (&self->connection);

  self->state = PEN_MQTT_SENDER_CLOSED;
  self->has_more = FALSE;
  g_hash_table_remove_all (self->under_way);
  g_array_set_size (self->unwritten, 0);
  if (connection == NULL)
    return;
  if (politely && pen_mqtt_connection_get_fd (connection) >= 0)
    pen_mqtt_connection_close (connection);
  else
    pen_mqtt_connection_drop (connection);
}

static gboolean
pen_mqtt_sender_lose (PenMqttSender *self, const char *reason, GError **error)
{
  gint64 delay_us = (gint64) ((double) self->retry_us * g_random_double_range (0.75, 1.25));

  pen_mqtt_sender_release (self, FALSE);
  pen_element_count (self->options.element, "connection_failures", NULL, 1);
  self->not_before_us = g_get_monotonic_time () + delay_us;
  self->retry_us = MIN (self->retry_us * 2, LAST_RETRY_US);
  pen_element_set_error (error, PEN_ELEMENT_ERROR_RETRY, "connection_lost", "%s: %s",
                         self->options.address, reason);
  return FALSE;
}

/* The broker, or something on the way to it, has ended the connection. */
static gboolean
pen_mqtt_sender_lose_connection (PenMqttSender *self, GError **error)
{
  g_autofree char *reason = pen_mqtt_connection_describe_end (self->connection);
  g_autofree char *more = NULL;
  gboolean was_connected = self->state == PEN_MQTT_SENDER_CONNECTED;

  if (was_connected && g_get_monotonic_time () - self->connected_us >= STABLE_US)
    self->n_short = 0;
  else if (was_connected && ++self->n_short >= MANY_SHORT)
    more = g_strdup_printf ("%s; that happens again and again right after it is made: is another "
                            "client using the id '%s', or does the broker not take what is sent?",
                            reason, self->options.client_id);
  return pen_mqtt_sender_lose (self, more != NULL ? more : reason, error);
}

/* --- Connecting --- */

static gboolean
pen_mqtt_sender_open (PenMqttSender *self, GError **error)
{
  static const PenMqttHandlers handlers
      = { pen_mqtt_sender_on_greeted, NULL, NULL, pen_mqtt_sender_on_published };
  PenMqttOptions *connect
      = pen_mqtt_settings_make_options (self->options.settings, self->options.client_id);

  connect->send_maximum = self->options.in_flight;
  self->is_greeted = FALSE;
  self->has_progress = FALSE;
  self->connection = pen_mqtt_connection_open (connect, &handlers, self);
  if (self->connection == NULL)
    return pen_mqtt_sender_lose (self, PEN_MQTT_NO_DESCRIPTOR, error);
  self->state = PEN_MQTT_SENDER_OPENING;
  self->deadline_us = g_get_monotonic_time () + self->options.settings->connect_timeout_us;
  return TRUE;
}

static gboolean
pen_mqtt_sender_poll (int fd, short events, int timeout_ms)
{
  struct pollfd watched = { fd, events, 0 };

  return poll (&watched, 1, timeout_ms) > 0;
}

/* Waits for the thread that opens the connection. */
static gboolean
pen_mqtt_sender_await_open (PenMqttSender *self, int timeout_ms, GError **error)
{
  g_autofree char *reason = NULL;

  if (!pen_mqtt_sender_poll (pen_mqtt_connection_get_wake_fd (self->connection), POLLIN,
                             timeout_ms))
    {
      /* waiting for its turn is not the broker's fault */
      if (!pen_mqtt_connection_has_begun (self->connection))
        self->deadline_us = g_get_monotonic_time () + self->options.settings->connect_timeout_us;
      return TRUE;
    }
  if (!pen_mqtt_connection_finish_open (self->connection, &reason))
    return pen_mqtt_sender_lose (self, reason, error);
  self->state = PEN_MQTT_SENDER_GREETING;
  /* what the hand-shake has read beyond itself */
  self->has_more = pen_mqtt_connection_has_buffered (self->connection);
  self->ticked_us = g_get_monotonic_time ();
  self->deadline_us = self->ticked_us + self->options.settings->connect_timeout_us;
  return TRUE;
}

static void
pen_mqtt_sender_tell_days (PenMqttSender *self, const char *what, const char *property, gint64 days)
{
  PenMetrics *metrics = pen_element_get_metrics (self->options.element);

  if (days == G_MAXINT64)
    return;
  pen_metric_set (pen_metrics_get (metrics, PEN_METRIC_GAUGE, "certificate_days_left", property),
                  days);
  if (days < FEW_DAYS)
    pen_element_log (self->options.element, G_LOG_LEVEL_WARNING,
                     "%s: %s expires in %" G_GINT64_FORMAT " days", self->options.address, what,
                     days);
}

/* The broker has let us in, or not. */
static gboolean
pen_mqtt_sender_welcome (PenMqttSender *self, GError **error)
{
  const PenMqttSettings *settings = self->options.settings;
  PenMqttDaysLeft days;

  if (self->greeting != 0)
    {
      g_autofree char *reason
          = pen_mqtt_describe_refusal (self->greeting, settings->version == PEN_MQTT_VERSION_5,
                                       settings->username, self->options.client_id);

      return pen_mqtt_sender_lose (self, reason, error);
    }
  self->state = PEN_MQTT_SENDER_CONNECTED;
  self->connected_us = g_get_monotonic_time ();
  pen_metric_add (self->n_connections, 1);
  pen_mqtt_connection_get_days_left (self->connection, &days);
  pen_mqtt_sender_tell_days (self, "the CA in cafile", "cafile", days.ca);
  pen_mqtt_sender_tell_days (self, "the certificate in certfile", "certfile", days.certificate);
  pen_mqtt_sender_tell_days (self, "the broker's certificate", "broker", days.broker);
  pen_element_log (self->options.element, G_LOG_LEVEL_INFO, "%s: connected as '%s'%s",
                   self->options.address, self->options.client_id,
                   pen_mqtt_settings_uses_tls (settings) ? ", TLS" : "");
  return TRUE;
}

/* --- A connection that is open --- */

static gboolean
pen_mqtt_sender_tick (PenMqttSender *self, GError **error)
{
  gint64 now_us = g_get_monotonic_time ();

  if (now_us - self->ticked_us < TICK_US)
    return TRUE;
  self->ticked_us = now_us;
  if (self->state == PEN_MQTT_SENDER_CONNECTED && now_us - self->connected_us >= STABLE_US)
    self->retry_us = FIRST_RETRY_US;
  return pen_mqtt_connection_tick (self->connection)
         || pen_mqtt_sender_lose_connection (self, error);
}

/* What has left for the socket is done with. */
static void
pen_mqtt_sender_settle_unwritten (PenMqttSender *self)
{
  for (guint i = 0; i < self->unwritten->len; i++)
    self->options.outcome (self->options.user_data, g_array_index (self->unwritten, guint, i), 0);
  self->has_progress |= self->unwritten->len > 0;
  g_array_set_size (self->unwritten, 0);
}

static gboolean
pen_mqtt_sender_write (PenMqttSender *self, GError **error)
{
  if (pen_mqtt_connection_wants_write (self->connection)
      && !pen_mqtt_connection_write (self->connection))
    return pen_mqtt_sender_lose_connection (self, error);
  if (self->unwritten->len > 0 && !pen_mqtt_connection_wants_write (self->connection))
    pen_mqtt_sender_settle_unwritten (self);
  return TRUE;
}

/* Writes what is queued, and reads what comes within @timeout_ms. */
static gboolean
pen_mqtt_sender_exchange (PenMqttSender *self, int timeout_ms, GError **error)
{
  static const gboolean is_enough = FALSE;
  int fd = pen_mqtt_connection_get_fd (self->connection);
  PenMqttReadStatus status;
  gboolean wants_write;

  if (!pen_mqtt_sender_write (self, error))
    return FALSE;
  wants_write = pen_mqtt_connection_wants_write (self->connection);
  if (pen_mqtt_sender_poll (fd, (short) (POLLIN | (wants_write ? POLLOUT : 0)),
                            self->has_more || self->has_progress ? 0 : timeout_ms)
      || self->has_more)
    {
      status = pen_mqtt_connection_read (self->connection, &is_enough);
      if (status == PEN_MQTT_READ_LOST)
        return pen_mqtt_sender_lose_connection (self, error);
      self->has_more = status == PEN_MQTT_READ_MORE;
    }
  return pen_mqtt_sender_tick (self, error);
}

/* One step towards being connected, or of staying it. */
static gboolean
pen_mqtt_sender_step (PenMqttSender *self, int timeout_ms, GError **error)
{
  if (self->state == PEN_MQTT_SENDER_CLOSED)
    return pen_mqtt_sender_open (self, error);
  if (self->state == PEN_MQTT_SENDER_OPENING)
    {
      if (!pen_mqtt_sender_await_open (self, timeout_ms, error))
        return FALSE;
    }
  else if (self->state == PEN_MQTT_SENDER_GREETING)
    {
      gboolean is_good
          = pen_mqtt_sender_exchange (self, timeout_ms, self->is_greeted ? NULL : error);

      /* a broker that refuses closes as well */
      if (self->is_greeted && (is_good || self->greeting != 0))
        {
          if (!is_good && error != NULL)
            g_clear_error (error);
          return pen_mqtt_sender_welcome (self, error);
        }
      if (!is_good)
        return FALSE;
    }
  else
    return pen_mqtt_sender_exchange (self, timeout_ms, error);
  if (g_get_monotonic_time () < self->deadline_us)
    return TRUE;
  return pen_mqtt_sender_lose (self,
                               self->state == PEN_MQTT_SENDER_OPENING
                                   ? "no connection within connect-timeout"
                                   : "no answer to the login within connect-timeout",
                               error);
}

/* --- What the sink calls --- */

/* Threads: worker */
PenMqttSender *
pen_mqtt_sender_new (const PenMqttSenderOptions *options)
{
  PenMqttSender *self = g_new0 (PenMqttSender, 1);

  self->options = *options;
  self->retry_us = FIRST_RETRY_US;
  self->under_way = g_hash_table_new (NULL, NULL);
  self->unwritten = g_array_new (FALSE, FALSE, sizeof (guint));
  self->n_connections = pen_metrics_get (pen_element_get_metrics (options->element),
                                         PEN_METRIC_COUNTER, "connections", NULL);
  return self;
}

/* Says good-bye where there is someone. Threads: any */
void
pen_mqtt_sender_free (PenMqttSender *self)
{
  pen_mqtt_sender_release (self, self->state == PEN_MQTT_SENDER_CONNECTED);
  g_hash_table_unref (self->under_way);
  g_array_unref (self->unwritten);
  g_free (self);
}

/* Ends the connection without a word: what is under way has no outcome. Threads: worker */
void
pen_mqtt_sender_drop (PenMqttSender *self)
{
  pen_mqtt_sender_release (self, FALSE);
}

/**
 * pen_mqtt_sender_connect:
 * @self: a sender
 * @error: why there is no connection
 *
 * Waits until there is one. A connection that was lost while nobody looked is made again.
 *
 * Threads: worker
 */
gboolean
pen_mqtt_sender_connect (PenMqttSender *self, GError **error)
{
  if (self->state == PEN_MQTT_SENDER_CONNECTED && pen_mqtt_sender_exchange (self, 0, NULL))
    return TRUE;
  while (self->state != PEN_MQTT_SENDER_CONNECTED)
    if (!pen_mqtt_sender_step (self, LONGEST_POLL_MS, error))
      return FALSE;
  return TRUE;
}

/**
 * pen_mqtt_sender_keep:
 * @self: a sender that publishes nothing at the moment
 * @error: what is wrong with the connection
 *
 * Does what is due, without waiting.
 *
 * Threads: worker
 */
gboolean
pen_mqtt_sender_keep (PenMqttSender *self, GError **error)
{
  if (self->state == PEN_MQTT_SENDER_CLOSED && g_get_monotonic_time () < self->not_before_us)
    return TRUE;
  for (guint n = 0; n < STEPS_TO_KEEP; n++)
    {
      if (!pen_mqtt_sender_step (self, 0, error))
        return FALSE;
      if (self->state == PEN_MQTT_SENDER_CONNECTED)
        break;
    }
  return self->state != PEN_MQTT_SENDER_CONNECTED || pen_mqtt_sender_write (self, error);
}

/**
 * pen_mqtt_sender_publish:
 * @self: a sender that is connected
 * @message: what to publish
 * @number: by which `outcome` names it
 *
 * Queues it; [func@await] sends it.
 *
 * Returns: a status of libmosquitto
 *
 * Threads: worker
 */
int
pen_mqtt_sender_publish (PenMqttSender *self, const PenMqttMessage *message, guint number)
{
  int id = 0;
  int status = pen_mqtt_connection_publish (self->connection, message, &id);

  if (status != MOSQ_ERR_SUCCESS)
    return status;
  if (message->qos == 0)
    g_array_append_val (self->unwritten, number);
  else
    g_hash_table_insert (self->under_way, GINT_TO_POINTER (id), GUINT_TO_POINTER (number));
  return status;
}

/* Messages that have no outcome yet. Threads: worker */
guint
pen_mqtt_sender_get_n_under_way (PenMqttSender *self)
{
  return g_hash_table_size (self->under_way) + self->unwritten->len;
}

/**
 * pen_mqtt_sender_await:
 * @self: a sender that is connected
 * @n_left: so many may stay under way
 * @error: why the others have no outcome
 *
 * Sends what was published and waits for what the broker says of it.
 *
 * Threads: worker
 */
gboolean
pen_mqtt_sender_await (PenMqttSender *self, guint n_left, GError **error)
{
  gint64 since_us = g_get_monotonic_time ();

  while (pen_mqtt_sender_get_n_under_way (self) > n_left)
    {
      gint64 left_us = since_us + self->options.acknowledge_timeout_us - g_get_monotonic_time ();

      if (left_us <= 0)
        return pen_mqtt_sender_lose (
            self, "the broker has not acknowledged anything within acknowledge-timeout", error);
      self->has_progress = FALSE;
      if (!pen_mqtt_sender_exchange (self, (int) CLAMP (left_us / 1000, 1, LONGEST_POLL_MS), error))
        return FALSE;
      if (self->has_progress)
        since_us = g_get_monotonic_time ();
    }
  return TRUE;
}
