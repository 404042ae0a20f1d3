/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Messages of an MQTT broker, each acknowledged when the pipeline is done with it.
 *
 * The invariant: nothing is written while a message with QoS 1 is held, that is, pushed and not yet
 * settled. libmosquitto's queue leaves as a whole (see pen-mqtt-connection.c), so anything that
 * was written, be it a ping, would take the acknowledgement of a held message along.
 *
 * What follows:
 * - Pings cannot be sent while something is held, nor answers seen while reading is paused. When
 *   that has lasted longer than the keep-alive allows, the connection is given up without a word
 *   (parked), and made again when everything has settled and reading may go on. The broker keeps
 *   the session's queue meanwhile.
 * - A stream that never ends, with a sink that is always busy, would never leave a moment with
 *   nothing held. So reading stops when something has been held for a second, or as many messages
 *   are as the window allows, until all have settled.
 * - A sink that takes longer for a window than the keep-alive allows would get the same messages
 *   again and again, for each connection is given up before their acknowledgements leave. So the
 *   window, a thousand at first, becomes half of what the sink has taken when a connection is given
 *   up, and is doubled with each full one that was acknowledged.
 * - A connection that breaks takes its unsent acknowledgements along: the broker sends those
 *   messages again. Positions of an old connection cannot acknowledge anything on a new one,
 *   because each connection has a libmosquitto client of its own.
 */

#include "config.h"

#include "pen-mqtt-source.h"

#include "pen-mqtt-connection.h"
#include "pen-mqtt-reasons.h"
#include "pen-mqtt-source-settings.h"
#include "pen-mqtt-subscriptions.h"

#include <mqtt_protocol.h>

#define SECOND_US ((gint64) G_USEC_PER_SEC)
#define FIRST_RETRY_US SECOND_US
#define LAST_RETRY_US (60 * SECOND_US)
/* A connection that has lasted this long was a good one. */
#define STABLE_US (10 * SECOND_US)
/* So many bad ones in a row are not a coincidence. */
#define MANY_SHORT 3
#define MAXIMUM_HELD_US SECOND_US
/* The broker gives up after 1.5 times the keep-alive; ticks come 8 times in it. */
#define PATIENCE_PERCENT 125
#define TICKS_PER_KEEP_ALIVE 8
#define LONGEST_TICK_US (10 * SECOND_US)
#define RESUBSCRIBE_US (60 * SECOND_US)
/* Certificates that expire sooner are warned of with every connection. */
#define FEW_DAYS 14

typedef enum
{
  PEN_MQTT_STOPPED,
  PEN_MQTT_OPENING,   /* a thread connects */
  PEN_MQTT_GREETING,  /* waits for the broker to accept the login */
  PEN_MQTT_CONNECTED, /* reads */
  PEN_MQTT_WAITING,   /* for the time to try again */
  PEN_MQTT_PARKED,    /* for everything to settle, and for reading to be allowed */
} PenMqttState;

struct _PenMqttSource
{
  PenSource parent;

  /* constant after start */
  PenMqttSourceSettings settings;
  char *client_id;
  char *address; /* "host:port", for messages */
  PenMetric *connections;

  /* lane */
  PenMqttState state;
  PenMqttConnection *connection;
  PenMqttSubscriptions subscriptions;
  gboolean is_paused;
  gboolean is_waiting;  /* for its turn to connect, when that was looked at last */
  gboolean is_enough;   /* for this round of reading */
  gint64 round_us;      /* wall clock when it began: what is read in it has arrived before */
  guint window;         /* so many messages may be held */
  GIOCondition watched; /* what the socket is watched for */
  guint64 last_held;    /* position of the last message whose acknowledgement is queued */
  guint64 acknowledged; /* position of the last whose has left, or never will */
  gint64 held_since_us;
  gint64 connected_us;
  gint64 last_write_us;
  gint64 retry_us;
  guint n_short; /* connections in a row that were lost as soon as they were made */
  guint timer_retry;
  guint timer_deadline;
  guint timer_tick;
  guint timer_more;
  guint timer_subscribe;

  /* lane, of this connection: what callbacks have left for the end of the reading */
  gboolean is_greeted;
  int greeting;
  GStrv pending; /* topics whose SUBACK has not come */
  GStrv refused; /* topics that the broker refused */
};

G_DEFINE_FINAL_TYPE (PenMqttSource, pen_mqtt_source, PEN_TYPE_SOURCE)

static void
pen_mqtt_source_clear_timer (PenMqttSource *self, guint *timer)
{
  if (*timer != 0)
    pen_element_remove_timer (PEN_ELEMENT (self), *timer);
  *timer = 0;
}

static void
pen_mqtt_source_set_timer (PenMqttSource *self, guint *timer, gint64 delay_us, PenTimerFunc func)
{
  pen_mqtt_source_clear_timer (self, timer);
  *timer = pen_element_add_timer (PEN_ELEMENT (self), delay_us, func, NULL);
}

static void
pen_mqtt_source_clear_timers (PenMqttSource *self)
{
  pen_mqtt_source_clear_timer (self, &self->timer_retry);
  pen_mqtt_source_clear_timer (self, &self->timer_deadline);
  pen_mqtt_source_clear_timer (self, &self->timer_tick);
  pen_mqtt_source_clear_timer (self, &self->timer_more);
  pen_mqtt_source_clear_timer (self, &self->timer_subscribe);
}

static gboolean
pen_mqtt_source_is_holding (PenMqttSource *self)
{
  return self->last_held > pen_source_get_settled (PEN_SOURCE (self));
}

/* Others, of QoS 0 or rejected, that came between them count too. */
static guint64
pen_mqtt_source_get_n_held (PenMqttSource *self)
{
  guint64 settled = pen_source_get_settled (PEN_SOURCE (self));

  return self->last_held > settled ? self->last_held - settled : 0;
}

/* --- What a message becomes --- */

static void
pen_mqtt_source_describe_event (PenEvent *event, const mosquitto_property *properties)
{
  const mosquitto_property *at;
  char *text = NULL;
  char *name = NULL;

  if (mosquitto_property_read_string (properties, MQTT_PROP_CONTENT_TYPE, &text, false) != NULL)
    pen_event_set_content_type (event, text);
  free (text);
  text = NULL;
  at = mosquitto_property_read_string_pair (properties, MQTT_PROP_USER_PROPERTY, &name, &text,
                                            false);
  while (at != NULL)
    {
      pen_event_add_user_property (event, name, text);
      free (name);
      free (text);
      at = mosquitto_property_read_string_pair (at, MQTT_PROP_USER_PROPERTY, &name, &text, true);
    }
}

static guint64
pen_mqtt_source_hand_on (PenMqttSource *self, PenEvent *event, PenMqttVerdict verdict)
{
  PenSource *source = PEN_SOURCE (self);
  gsize length = 0;

  pen_event_get_data (event, &length);
  if (verdict == PEN_MQTT_UNEXPECTED)
    return pen_source_reject (source, event, "unexpected_topic",
                              "topic '%s' is none of ours: the broker's session of client id '%s' "
                              "still holds an older subscription",
                              pen_event_get_topic (event), self->client_id);
  if (length > self->settings.max_payload_bytes)
    return pen_source_reject (source, event, "too_large",
                              "the payload has %" G_GSIZE_FORMAT
                              " bytes; max-payload is %" G_GUINT64_FORMAT,
                              length, self->settings.max_payload_bytes);
  return pen_source_push (source, event);
}

static void
pen_mqtt_source_reconcile (PenMqttSource *self, const char *topic)
{
  g_autoptr (GPtrArray) filters = pen_mqtt_subscriptions_suspect (&self->subscriptions, topic);

  if (filters == NULL || filters->len == 0)
    return;
  pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_INFO,
                   "the session of client id '%s' at %s holds a subscription that topics= does not "
                   "name and that brings topic '%s': unsubscribing from all that match it",
                   self->client_id, self->address, topic);
  pen_element_count (PEN_ELEMENT (self), "subscriptions_reconciled", NULL, 1);
  pen_mqtt_connection_unsubscribe (self->connection, filters);
}

static void
pen_mqtt_source_on_received (gpointer owner,
                             const struct mosquitto_message *message,
                             const mosquitto_property *properties,
                             gboolean is_duplicate)
{
  PenMqttSource *self = owner;
  PenMqttVerdict verdict
      = pen_mqtt_subscriptions_judge (&self->subscriptions, message->topic, properties);
  g_autoptr (GBytes) payload = g_bytes_new (message->payload, (gsize) message->payloadlen);
  PenEvent *event = pen_event_new (payload, message->topic, self->round_us);
  guint64 position;

  if (message->retain)
    pen_element_count (PEN_ELEMENT (self), "messages_retained", NULL, 1);
  if (is_duplicate)
    pen_element_count (PEN_ELEMENT (self), "messages_duplicate", NULL, 1);
  pen_event_set_flags (event, (message->retain ? PEN_EVENT_RETAINED : PEN_EVENT_NONE)
                                  | (is_duplicate ? PEN_EVENT_DUPLICATE : PEN_EVENT_NONE));
  if (verdict != PEN_MQTT_EXPECTED)
    pen_mqtt_source_reconcile (self, message->topic);
  pen_mqtt_source_describe_event (event, properties);
  position = pen_mqtt_source_hand_on (self, event, verdict);
  if (message->qos == 0)
    return;
  if (!pen_mqtt_source_is_holding (self))
    self->held_since_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));
  self->last_held = position;
  self->is_enough |= pen_mqtt_source_get_n_held (self) >= self->window;
}

/* --- The end of a connection --- */

static void pen_mqtt_source_connect (PenMqttSource *self);
static void pen_mqtt_source_pump (PenMqttSource *self);

/* Ends the connection, if there is one. @politely: with what is queued, and a good-bye. */
static void
pen_mqtt_source_release (PenMqttSource *self, gboolean politely)
{
  PenElement *element = PEN_ELEMENT (self);
  PenMqttConnection *connection = g_steal_pointer (&self->connection);
  int fd;

  pen_mqtt_source_clear_timers (self);
  g_clear_pointer (&self->pending, g_strfreev);
  g_clear_pointer (&self->refused, g_strfreev);
  if (connection == NULL)
    return;
  fd = pen_mqtt_connection_get_fd (connection);
  pen_element_unwatch (element, pen_mqtt_connection_get_wake_fd (connection));
  if (fd >= 0)
    pen_element_unwatch (element, fd);
  self->watched = 0;
  if (politely && fd >= 0)
    pen_mqtt_connection_close (connection);
  else
    pen_mqtt_connection_drop (connection);
  pen_source_set_connected (PEN_SOURCE (self), FALSE);
}

static void
pen_mqtt_source_unpark (PenMqttSource *self)
{
  if (self->state == PEN_MQTT_PARKED && !self->is_paused && !pen_mqtt_source_is_holding (self))
    pen_mqtt_source_connect (self);
}

static void
pen_mqtt_source_on_retry (PenElement *element, gpointer user_data)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);

  self->timer_retry = 0;
  self->state = PEN_MQTT_PARKED;
  pen_mqtt_source_unpark (self);
}

static void
pen_mqtt_source_wait (PenMqttSource *self)
{
  /* So that a thousand pipelines do not come back to a broker at the same moment. */
  gint64 delay_us = (gint64) ((double) self->retry_us * g_random_double_range (0.75, 1.25));

  self->state = PEN_MQTT_WAITING;
  pen_mqtt_source_set_timer (self, &self->timer_retry, delay_us, pen_mqtt_source_on_retry);
  self->retry_us = MIN (self->retry_us * 2, LAST_RETRY_US);
}

/* The connection could not be made, or has ended, not by us. */
static void
pen_mqtt_source_lose (PenMqttSource *self, const char *reason)
{
  pen_mqtt_source_release (self, FALSE);
  pen_element_count (PEN_ELEMENT (self), "connection_failures", NULL, 1);
  if (!self->settings.reconnect)
    {
      self->state = PEN_MQTT_STOPPED;
      pen_element_fail (PEN_ELEMENT (self),
                        pen_element_error_new (PEN_ELEMENT_ERROR_FAIL, "connection_failed",
                                               "%s: %s", self->address, reason));
      return;
    }
  pen_element_complain (PEN_ELEMENT (self), "%s: %s; trying again", self->address, reason);
  pen_mqtt_source_wait (self);
}

/* The broker, or something on the way to it, has ended the connection. */
static void
pen_mqtt_source_lose_connection (PenMqttSource *self)
{
  g_autofree char *reason = pen_mqtt_connection_describe_end (self->connection);
  g_autofree char *more = NULL;
  gint64 now_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));

  if (!self->is_greeted || now_us - self->connected_us >= STABLE_US)
    self->n_short = 0;
  else if (++self->n_short >= MANY_SHORT)
    more = g_strdup_printf ("%s; that happens again and again right after it is made: is another "
                            "client using the id '%s'?",
                            reason, self->client_id);
  if (self->is_greeted && self->n_short == 0)
    self->retry_us = FIRST_RETRY_US;
  pen_mqtt_source_lose (self, more != NULL ? more : reason);
}

/* What the sink took while the connection lasted would just have been in time: half of that. */
static void
pen_mqtt_source_narrow_window (PenMqttSource *self)
{
  guint64 settled = MAX (pen_source_get_settled (PEN_SOURCE (self)), self->acknowledged);

  self->window = (guint) MAX (MIN (self->window, settled - self->acknowledged) / 2, 1);
}

/* Gives the connection up, to be made again when nothing is in its way. */
static void
pen_mqtt_source_park (PenMqttSource *self)
{
  gboolean is_holding = pen_mqtt_source_is_holding (self);

  pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_INFO,
                   "%s: leaving the connection until %s: that takes longer than the keep-alive "
                   "allows; the broker keeps what comes meanwhile",
                   self->address,
                   is_holding ? "the messages received so far are delivered"
                              : "there is room for more messages");
  pen_element_count (PEN_ELEMENT (self), "connections_parked", NULL, 1);
  if (is_holding)
    pen_mqtt_source_narrow_window (self);
  pen_mqtt_source_release (self, !is_holding);
  self->state = PEN_MQTT_PARKED;
  pen_mqtt_source_unpark (self);
}

/* --- Reading and writing --- */

static gboolean
pen_mqtt_source_may_read (PenMqttSource *self)
{
  gint64 now_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));

  if (self->is_paused)
    return FALSE;
  if (!pen_mqtt_source_is_holding (self))
    return TRUE;
  return pen_mqtt_source_get_n_held (self) < self->window
         && now_us - self->held_since_us < MAXIMUM_HELD_US;
}

static void
pen_mqtt_source_on_more (PenElement *element, gpointer user_data)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);

  self->timer_more = 0;
  pen_mqtt_source_pump (self);
}

/* Writes what is queued, unless something is held; FALSE if the connection was lost over it. */
static gboolean
pen_mqtt_source_flush (PenMqttSource *self)
{
  if (pen_mqtt_source_is_holding (self) || !pen_mqtt_connection_wants_write (self->connection))
    return TRUE;
  if (!pen_mqtt_connection_write (self->connection))
    {
      pen_mqtt_source_lose_connection (self);
      return FALSE;
    }
  self->last_write_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));
  if (self->last_held - self->acknowledged >= self->window)
    self->window = MIN (self->window * 2, PEN_MQTT_MAXIMUM_HELD);
  self->acknowledged = self->last_held;
  return TRUE;
}

static void
pen_mqtt_source_on_ready (PenElement *element, int fd, GIOCondition condition)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);

  if ((condition & G_IO_OUT) != 0 && !pen_mqtt_source_flush (self))
    return;
  pen_mqtt_source_pump (self);
}

/* Watches the socket for what may be done with it. */
static void
pen_mqtt_source_watch (PenMqttSource *self)
{
  int fd = pen_mqtt_connection_get_fd (self->connection);
  GIOCondition wanted = 0;

  if (pen_mqtt_source_may_read (self))
    wanted |= G_IO_IN;
  if (!pen_mqtt_source_is_holding (self) && pen_mqtt_connection_wants_write (self->connection))
    wanted |= G_IO_OUT;
  if (wanted == self->watched)
    return;
  if ((wanted & ~self->watched & G_IO_IN) != 0 && self->timer_more == 0
      && pen_mqtt_connection_has_buffered (self->connection))
    pen_mqtt_source_set_timer (self, &self->timer_more, 0, pen_mqtt_source_on_more);
  self->watched = wanted;
  if (wanted == 0)
    pen_element_unwatch (PEN_ELEMENT (self), fd);
  else
    pen_element_watch (PEN_ELEMENT (self), fd, wanted, pen_mqtt_source_on_ready);
}

static gboolean
pen_mqtt_source_is_open (PenMqttSource *self)
{
  return self->state == PEN_MQTT_GREETING || self->state == PEN_MQTT_CONNECTED;
}

/* Something has changed that decides about reading and writing. */
static void
pen_mqtt_source_update (PenMqttSource *self)
{
  if (pen_mqtt_source_is_open (self) && pen_mqtt_source_flush (self))
    pen_mqtt_source_watch (self);
  pen_mqtt_source_unpark (self);
}

static void
pen_mqtt_source_recover (PenMqttSource *self)
{
  pen_element_recover (PEN_ELEMENT (self), "%s: connected and subscribed again", self->address);
}

static void
pen_mqtt_source_on_tick (PenElement *element, gpointer user_data)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);
  gint64 now_us = pen_element_get_monotonic_time (element);
  gint64 keep_alive_us = self->settings.broker.keep_alive_us;
  gboolean is_blocked = self->is_paused || pen_mqtt_source_is_holding (self);

  pen_mqtt_source_set_timer (self, &self->timer_tick,
                             MIN (keep_alive_us / TICKS_PER_KEEP_ALIVE, LONGEST_TICK_US),
                             pen_mqtt_source_on_tick);
  if (is_blocked && now_us - self->last_write_us > keep_alive_us / 100 * PATIENCE_PERCENT)
    {
      pen_mqtt_source_park (self);
      return;
    }
  if (now_us - self->connected_us >= STABLE_US)
    {
      self->n_short = 0;
      self->retry_us = FIRST_RETRY_US;
      if (self->refused == NULL && self->pending == NULL)
        pen_mqtt_source_recover (self);
    }
  if (is_blocked)
    return;
  if (!pen_mqtt_connection_tick (self->connection))
    pen_mqtt_source_lose_connection (self);
  else
    pen_mqtt_source_update (self);
}

/* --- Subscribing --- */

/* Waiting for one's turn is not the broker's fault: its time begins with that. */
static gboolean
pen_mqtt_source_has_time (PenMqttSource *self)
{
  gboolean has_waited = self->is_waiting;

  self->is_waiting = !pen_mqtt_connection_has_begun (self->connection);
  return self->is_waiting || has_waited;
}

static void
pen_mqtt_source_on_deadline (PenElement *element, gpointer user_data)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);
  gint64 timeout_us = self->settings.broker.connect_timeout_us;
  g_autofree char *time = pen_duration_format (timeout_us);
  g_autofree char *reason = NULL;

  self->timer_deadline = 0;
  if (self->state == PEN_MQTT_OPENING && pen_mqtt_source_has_time (self))
    {
      pen_mqtt_source_set_timer (self, &self->timer_deadline, timeout_us,
                                 pen_mqtt_source_on_deadline);
      return;
    }
  if (self->state == PEN_MQTT_OPENING && self->settings.reconnect)
    {
      pen_mqtt_connection_let_others (self->connection);
      /* The thread cannot be interrupted; the kernel tries on, and so may yet get through. */
      pen_element_complain (element, "%s: no connection within %s; still trying", self->address,
                            time);
      return;
    }
  if (self->state != PEN_MQTT_OPENING && (self->is_paused || pen_mqtt_source_is_holding (self)))
    {
      /* The answer may be there: it was not read, or its question not sent. */
      pen_mqtt_source_set_timer (self, &self->timer_deadline, timeout_us,
                                 pen_mqtt_source_on_deadline);
      return;
    }
  reason = g_strdup_printf ("no %s within %s",
                            self->state == PEN_MQTT_OPENING    ? "connection"
                            : self->state == PEN_MQTT_GREETING ? "answer to the login"
                                                               : "answer to the subscription",
                            time);
  pen_mqtt_source_lose (self, reason);
}

static void
pen_mqtt_source_subscribe (PenMqttSource *self, const char *const *topics)
{
  int status = pen_mqtt_connection_subscribe (
      self->connection, topics, self->settings.qos, (int) self->settings.retain_handling << 4,
      self->subscriptions.has_identifiers ? self->subscriptions.identifier : 0);

  if (status != MOSQ_ERR_SUCCESS)
    {
      g_autofree char *reason
          = g_strdup_printf ("cannot subscribe: %s", mosquitto_strerror (status));

      pen_mqtt_source_lose (self, reason);
      return;
    }
  g_strfreev (self->pending);
  self->pending = g_strdupv ((char **) topics);
  pen_mqtt_source_set_timer (self, &self->timer_deadline, self->settings.broker.connect_timeout_us,
                             pen_mqtt_source_on_deadline);
  pen_mqtt_source_update (self);
}

static void
pen_mqtt_source_on_resubscribe (PenElement *element, gpointer user_data)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);
  g_auto (GStrv) topics = g_steal_pointer (&self->refused);

  self->timer_subscribe = 0;
  pen_mqtt_source_subscribe (self, (const char *const *) topics);
}

static void
pen_mqtt_source_complain_of (PenMqttSource *self, const char *topic, int granted)
{
  const char *why = pen_mqtt_describe_subscription (granted);

  if (why != NULL)
    pen_element_complain (PEN_ELEMENT (self), "%s: cannot subscribe to topic '%s': %s",
                          self->address, topic, why);
  else if (granted < self->settings.qos)
    pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_WARNING,
                     "%s: the broker serves topic '%s' at QoS 0 only: messages may be lost",
                     self->address, topic);
}

static void
pen_mqtt_source_on_subscribed (gpointer owner, int n_topics, const int *granted)
{
  PenMqttSource *self = owner;
  g_autoptr (GStrvBuilder) refused = g_strv_builder_new ();
  g_auto (GStrv) pending = g_steal_pointer (&self->pending);

  pen_mqtt_source_clear_timer (self, &self->timer_deadline);
  for (int i = 0; i < n_topics && pending != NULL && pending[i] != NULL; i++)
    {
      pen_mqtt_source_complain_of (self, pending[i], granted[i]);
      if (pen_mqtt_describe_subscription (granted[i]) != NULL)
        g_strv_builder_add (refused, pending[i]);
    }
  g_strfreev (self->refused);
  self->refused = g_strv_builder_end (refused);
}

/* After reading: what became of the subscriptions. */
static void
pen_mqtt_source_judge_subscriptions (PenMqttSource *self)
{
  guint n_refused = g_strv_length (self->refused);

  if (n_refused > 0 && !self->settings.reconnect)
    {
      g_autofree char *reason
          = g_strdup_printf ("cannot subscribe to topic '%s'", self->refused[0]);

      pen_mqtt_source_lose (self, reason);
      return;
    }
  if (n_refused == 0)
    {
      g_clear_pointer (&self->refused, g_strfreev);
      pen_element_recover (PEN_ELEMENT (self), "%s: connected and subscribed again", self->address);
    }
  else
    /* An operator may have allowed it meanwhile. */
    pen_mqtt_source_set_timer (self, &self->timer_subscribe, RESUBSCRIBE_US,
                               pen_mqtt_source_on_resubscribe);
  if (n_refused < g_strv_length (self->settings.topics))
    pen_source_set_connected (PEN_SOURCE (self), TRUE);
}

/* --- Connecting --- */

static void
pen_mqtt_source_on_greeted (gpointer owner,
                            int reason,
                            int flags,
                            const mosquitto_property *properties)
{
  PenMqttSource *self = owner;
  guint8 has_identifiers = self->settings.broker.version == PEN_MQTT_VERSION_5;

  self->is_greeted = TRUE;
  self->greeting = reason;
  self->connected_us = pen_element_get_monotonic_time (PEN_ELEMENT (self));
  mosquitto_property_read_byte (properties, MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE, &has_identifiers,
                                false);
  pen_mqtt_subscriptions_begin (&self->subscriptions, (flags & 1) != 0, has_identifiers != 0);
}

static void
pen_mqtt_source_tell_days (PenMqttSource *self, const char *what, const char *property, gint64 days)
{
  PenMetrics *metrics = pen_element_get_metrics (PEN_ELEMENT (self));

  if (days == G_MAXINT64)
    return;
  pen_metric_set (pen_metrics_get (metrics, PEN_METRIC_GAUGE, "certificate_days_left", property),
                  days);
  /* what stays true between two connections */
  pen_metric_set (
      pen_metrics_get (metrics, PEN_METRIC_GAUGE, "certificate_expiry_timestamp_us", property),
      pen_element_get_real_time (PEN_ELEMENT (self)) + days * G_TIME_SPAN_DAY);
  if (days < FEW_DAYS)
    pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_WARNING,
                     "%s: %s expires in %" G_GINT64_FORMAT " days", self->address, what, days);
}

/* The broker has let us in. */
static void
pen_mqtt_source_welcome (PenMqttSource *self)
{
  PenMqttDaysLeft days;

  self->state = PEN_MQTT_CONNECTED;
  pen_metric_add (self->connections, 1);
  pen_mqtt_connection_get_days_left (self->connection, &days);
  pen_mqtt_source_tell_days (self, "the CA in cafile", "cafile", days.ca);
  pen_mqtt_source_tell_days (self, "the certificate in certfile", "certfile", days.certificate);
  pen_mqtt_source_tell_days (self, "the broker's certificate", "broker", days.broker);
  pen_element_log (PEN_ELEMENT (self), G_LOG_LEVEL_INFO, "%s: connected as '%s', %s session%s",
                   self->address, self->client_id,
                   self->subscriptions.has_session ? "resumed" : "new",
                   pen_mqtt_settings_uses_tls (&self->settings.broker) ? ", TLS" : "");
  self->last_write_us = self->connected_us;
  pen_mqtt_source_set_timer (
      self, &self->timer_tick,
      MIN (self->settings.broker.keep_alive_us / TICKS_PER_KEEP_ALIVE, LONGEST_TICK_US),
      pen_mqtt_source_on_tick);
  pen_mqtt_source_subscribe (self, (const char *const *) self->settings.topics);
}

static void
pen_mqtt_source_refuse (PenMqttSource *self)
{
  g_autofree char *reason = pen_mqtt_describe_refusal (
      self->greeting, self->settings.broker.version == PEN_MQTT_VERSION_5,
      self->settings.broker.username, self->client_id);

  pen_mqtt_source_lose (self, reason);
}

static void
pen_mqtt_source_pump (PenMqttSource *self)
{
  PenMqttReadStatus status;

  if (!pen_mqtt_source_is_open (self))
    return;
  if (!pen_mqtt_source_may_read (self))
    {
      pen_mqtt_source_watch (self);
      return;
    }
  self->is_enough = FALSE;
  self->round_us = pen_element_get_real_time (PEN_ELEMENT (self));
  status = pen_mqtt_connection_read (self->connection, &self->is_enough);
  if (self->state == PEN_MQTT_GREETING && self->is_greeted && self->greeting != 0)
    pen_mqtt_source_refuse (self);
  else if (status == PEN_MQTT_READ_LOST)
    pen_mqtt_source_lose_connection (self);
  else if (self->state == PEN_MQTT_GREETING && self->is_greeted)
    pen_mqtt_source_welcome (self);
  else if (self->refused != NULL && self->timer_subscribe == 0)
    pen_mqtt_source_judge_subscriptions (self);
  if (!pen_mqtt_source_is_open (self))
    return;
  pen_mqtt_source_update (self);
  if (status == PEN_MQTT_READ_MORE && pen_mqtt_source_is_open (self))
    pen_mqtt_source_set_timer (self, &self->timer_more, 0, pen_mqtt_source_on_more);
}

static void
pen_mqtt_source_on_opened (PenElement *element, int fd, GIOCondition condition)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);
  g_autofree char *reason = NULL;

  pen_element_unwatch (element, fd);
  if (!pen_mqtt_connection_finish_open (self->connection, &reason))
    {
      pen_mqtt_source_lose (self, reason);
      return;
    }
  self->state = PEN_MQTT_GREETING;
  pen_mqtt_source_set_timer (self, &self->timer_deadline, self->settings.broker.connect_timeout_us,
                             pen_mqtt_source_on_deadline);
  pen_mqtt_source_update (self);
}

static void
pen_mqtt_source_connect (PenMqttSource *self)
{
  static const PenMqttHandlers handlers = {
    pen_mqtt_source_on_greeted,
    pen_mqtt_source_on_received,
    pen_mqtt_source_on_subscribed,
  };

  self->state = PEN_MQTT_OPENING;
  self->is_waiting = FALSE;
  self->is_greeted = FALSE;
  self->acknowledged = self->last_held;
  self->connection = pen_mqtt_connection_open (
      pen_mqtt_source_settings_make_options (&self->settings, self->client_id), &handlers, self);
  if (self->connection == NULL)
    {
      pen_mqtt_source_lose (self, PEN_MQTT_NO_DESCRIPTOR);
      return;
    }
  pen_element_watch (PEN_ELEMENT (self), pen_mqtt_connection_get_wake_fd (self->connection),
                     G_IO_IN, pen_mqtt_source_on_opened);
  pen_mqtt_source_set_timer (self, &self->timer_deadline, self->settings.broker.connect_timeout_us,
                             pen_mqtt_source_on_deadline);
}

/* --- What the pipeline calls --- */

static void
pen_mqtt_source_pause (PenSource *source)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (source);

  self->is_paused = TRUE;
  self->is_enough = TRUE;
  if (pen_mqtt_source_is_open (self))
    pen_mqtt_source_watch (self);
}

static void
pen_mqtt_source_resume (PenSource *source)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (source);

  self->is_paused = FALSE;
  pen_mqtt_source_update (self);
}

static void
pen_mqtt_source_settle (PenSource *source, guint64 position)
{
  pen_mqtt_source_update (PEN_MQTT_SOURCE (source));
}

static char *
pen_mqtt_source_make_client_id (PenMqttSource *self)
{
  PenElement *element = PEN_ELEMENT (self);
  const char *pipeline = pen_element_get_pipeline_name (element);

  if (self->settings.broker.client_id != NULL)
    return g_strdup (self->settings.broker.client_id);
  if (pen_element_is_only_of_kind (element))
    return g_strdup_printf ("penstock-%s", pipeline);
  return g_strdup_printf ("penstock-%s-%s", pipeline, pen_element_get_name (element));
}

static gboolean
pen_mqtt_source_start (PenElement *element, GError **error)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);
  PenMetrics *metrics = pen_element_get_metrics (element);

  if (self->settings.broker.host == NULL || self->settings.topics == NULL || self->settings.qos > 1)
    {
      pen_element_set_error (error, PEN_ELEMENT_ERROR_FAIL, "bad_settings",
                             "host and topics must be set, and qos must be 0 or 1");
      return FALSE;
    }
  g_free (self->client_id);
  self->client_id = pen_mqtt_source_make_client_id (self);
  g_free (self->address);
  self->address = g_strdup_printf ("%s:%u", self->settings.broker.host,
                                   pen_mqtt_settings_get_port (&self->settings.broker));
  pen_mqtt_subscriptions_clear (&self->subscriptions);
  pen_mqtt_subscriptions_init (&self->subscriptions, (const char *const *) self->settings.topics,
                               self->settings.qos);
  self->connections = pen_metrics_get (metrics, PEN_METRIC_COUNTER, "connections", NULL);
  self->retry_us = FIRST_RETRY_US;
  self->window = PEN_MQTT_MAXIMUM_HELD;
  self->is_paused = pen_source_is_paused (PEN_SOURCE (self));
  pen_mqtt_settings_warn (&self->settings.broker, element, self->address);
  pen_source_set_connected (PEN_SOURCE (self), FALSE);
  pen_mqtt_source_connect (self);
  return TRUE;
}

static void
pen_mqtt_source_stop (PenElement *element)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);

  self->state = PEN_MQTT_STOPPED;
  pen_mqtt_source_release (self, !pen_mqtt_source_is_holding (self));
}

/* A broker sends only so many messages ahead of their acknowledgements: 20, says Mosquitto. */
static gboolean
pen_mqtt_source_must_settle_soon (PenSource *source)
{
  return PEN_MQTT_SOURCE (source)->settings.qos > 0;
}

static void
pen_mqtt_source_check (PenElement *element, PenCheck *check)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (element);
  g_autofree char *client_id = pen_mqtt_source_make_client_id (self);

  pen_mqtt_source_settings_check (&self->settings, check);
  if (self->settings.broker.host != NULL)
    pen_mqtt_source_settings_check_fleet (&self->settings, client_id, check);
}

static void
pen_mqtt_source_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  if (pen_mqtt_source_settings_set (&PEN_MQTT_SOURCE (object)->settings, id, value))
    g_object_notify_by_pspec (object, spec);
}

static void
pen_mqtt_source_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  pen_mqtt_source_settings_get (&PEN_MQTT_SOURCE (object)->settings, id, value);
}

static void
pen_mqtt_source_finalize (GObject *object)
{
  PenMqttSource *self = PEN_MQTT_SOURCE (object);

  if (self->connection != NULL)
    pen_mqtt_connection_drop (self->connection);
  pen_mqtt_source_settings_clear (&self->settings);
  pen_mqtt_subscriptions_clear (&self->subscriptions);
  g_strfreev (self->pending);
  g_strfreev (self->refused);
  g_free (self->client_id);
  g_free (self->address);
  G_OBJECT_CLASS (pen_mqtt_source_parent_class)->finalize (object);
}

static void
pen_mqtt_source_class_init (PenMqttSourceClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  PenElementClass *element_class = PEN_ELEMENT_CLASS (class);
  PenSourceClass *source_class = PEN_SOURCE_CLASS (class);

  object_class->set_property = pen_mqtt_source_set_property;
  object_class->get_property = pen_mqtt_source_get_property;
  object_class->finalize = pen_mqtt_source_finalize;
  element_class->check = pen_mqtt_source_check;
  element_class->start = pen_mqtt_source_start;
  element_class->stop = pen_mqtt_source_stop;
  source_class->pause = pen_mqtt_source_pause;
  source_class->resume = pen_mqtt_source_resume;
  source_class->settle = pen_mqtt_source_settle;
  source_class->must_settle_soon = pen_mqtt_source_must_settle_soon;
  pen_mqtt_source_settings_install (object_class);
}

static void
pen_mqtt_source_init (PenMqttSource *self)
{
  pen_mqtt_source_settings_init (&self->settings);
}

PEN_PLUGIN_DEFINE ("mqtt",
                   "Receives messages of an MQTT broker and acknowledges them when delivered",
                   PACKAGE_VERSION,
                   "LGPL-2.1-or-later",
                   "sources/mqtt/README.md",
                   pen_mqtt_source_get_type)
