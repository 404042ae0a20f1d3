/* SPDX-FileCopyrightText: The Penstock authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One connection to a broker, from name look-up to its end: a struct mosquitto that is used once.
 * A new connection is a new one, so nothing of an old one can reach it.
 *
 * Opening: name look-up, connect () and the TLS hand-shake block, so they run on a thread, when it
 * is this connection's turn (pen-mqtt-gate.c). What libmosquitto does there
 * cannot be interrupted: the kernel gives up connecting to a silent host after about two minutes
 * per address. Whoever does not want to wait closes the connection, and the thread throws it away
 * when it comes back. Its end is told through an eventfd, which a lane watches like any other
 * descriptor. Until then only the thread touches the client, afterwards only the lane.
 *
 * Acknowledgements: libmosquitto queues a message's PUBACK before it calls us with the message, but
 * with mosquitto_threaded_set (client, true) the queue leaves in mosquitto_loop_write () only, all
 * of it at once. Who calls pen_mqtt_connection_write () therefore says: everything received so far
 * is delivered. It is the only function that writes, the connection's own pings included.
 * tests/sources/mqtt/ pins this behaviour, which libmosquitto does not document.
 *
 * mosquitto_loop () and its kin use select () and so cannot take a descriptor above 1,023; they are
 * not used here.
 */

#include "config.h"

#include "pen-mqtt-connection.h"

#include "pen-mqtt-context.h"
#include "pen-mqtt-farewell.h"
#include "pen-mqtt-gate.h"
#include "pen-mqtt-tls.h"
#include "pen-mqtt-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often a hand-shake looks whether it is still wanted. */
#define HANDSHAKE_SLICE_MS 250
/* The most that one round of a lane reads of one connection. */
#define READS_PER_ROUND 2 /* 64 KiB each; with more, a batch is cold again when it is written */
#define PACKETS_PER_ROUND 256
#define MAXIMUM_LOG 2048
#define FIRST_MQTT_REASON 128
/* of CONNACK */
#define FLAG_SESSION_PRESENT 1
#define DAY_S (24 * 60 * 60)

struct _PenMqttConnection
{
  gint n_references; /* atomic: the owner's, and the thread's that opens it */
  gint is_unwanted;  /* atomic */

  /* constant */
  PenMqttOptions *options;
  const PenMqttHandlers *handlers;

  PenMqttTurn turn; /* the gate's */

  /* the thread that opens it, afterwards lane; -1 once it is open */
  int wake_fd;

  /* the thread that opens it, afterwards lane */
  struct mosquitto *client;
  PenMqttTls tls;
  PenMqttContext *context; /* (nullable) */
  char *fault;             /* why it could not be opened */
  GString *log;

  /* lane */
  gpointer owner;
  PenMqttWire wire;
  int fd;
  int end_status;
  int end_errno;
  int end_reason; /* of a DISCONNECT of the broker */
  char *duplicate_mark;
  gboolean is_duplicate;
  gboolean is_greeted;
};

static void
pen_mqtt_wipe (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

void
pen_mqtt_options_free (PenMqttOptions *self)
{
  g_free (self->host);
  g_free (self->client_id);
  g_free (self->username);
  pen_mqtt_wipe (self->password);
  g_free (self->will_topic);
  g_free (self->will_payload);
  g_free (self->cafile);
  g_free (self->certfile);
  g_free (self->keyfile);
  pen_mqtt_wipe (self->key_password);
  g_free (self);
}

static void
pen_mqtt_connection_unref (PenMqttConnection *self)
{
  if (!g_atomic_int_dec_and_test (&self->n_references))
    return;
  if (self->client != NULL)
    mosquitto_destroy (self->client);
  pen_mqtt_tls_clear (&self->tls);
  g_clear_pointer (&self->context, pen_mqtt_context_unref);
  pen_mqtt_options_free (self->options);
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  g_string_free (self->log, TRUE);
  g_free (self->fault);
  g_free (self->duplicate_mark);
  g_free (self);
}

/* --- What libmosquitto calls --- */

static void
pen_mqtt_connection_on_log (struct mosquitto *client, void *user_data, int level, const char *text)
{
  PenMqttConnection *self = user_data;

  if (level == MOSQ_LOG_ERR && self->log->len < MAXIMUM_LOG)
    g_string_append_printf (self->log, "%s\n", text);
  else if (level == MOSQ_LOG_DEBUG && self->duplicate_mark != NULL
           && g_str_has_prefix (text, self->duplicate_mark))
    self->is_duplicate = TRUE;
}

static void
pen_mqtt_connection_on_connect (struct mosquitto *client,
                                void *user_data,
                                int reason,
                                int flags,
                                const mosquitto_property *properties)
{
  PenMqttConnection *self = user_data;

  self->is_greeted = TRUE;
  if (reason == 0 && (flags & FLAG_SESSION_PRESENT) != 0)
    self->duplicate_mark
        = g_strdup_printf ("Client %s received PUBLISH (d1", self->options->client_id);
  else
    mosquitto_log_callback_set (client, NULL);
  if (self->owner != NULL)
    self->handlers->greeted (self->owner, reason, flags, properties);
}

/* libmosquitto keeps the duplicate flag to itself, except for a line in its log, and formatting
 * that costs more than all else that is done with a message. But a broker repeats messages only
 * when a session is resumed, before anything new: so the log is heard until the first message that
 * is none, and not at all in a new session. */
static gboolean
pen_mqtt_connection_take_duplicate (PenMqttConnection *self,
                                    const struct mosquitto_message *message)
{
  gboolean is_duplicate = self->is_duplicate;

  self->is_duplicate = FALSE;
  if (self->duplicate_mark != NULL && !is_duplicate && message->qos > 0)
    {
      mosquitto_log_callback_set (self->client, NULL);
      g_clear_pointer (&self->duplicate_mark, g_free);
    }
  return is_duplicate;
}

/* Called up to twice: with the broker's reason first, where it gave one. */
static void
pen_mqtt_connection_on_disconnect (struct mosquitto *client,
                                   void *user_data,
                                   int reason,
                                   const mosquitto_property *properties)
{
  PenMqttConnection *self = user_data;

  if (reason >= FIRST_MQTT_REASON && self->end_reason == 0)
    self->end_reason = reason;
}

static void
pen_mqtt_connection_on_message (struct mosquitto *client,
                                void *user_data,
                                const struct mosquitto_message *message,
                                const mosquitto_property *properties)
{
  PenMqttConnection *self = user_data;

  gboolean is_duplicate = pen_mqtt_connection_take_duplicate (self, message);

  if (self->owner != NULL && self->handlers->received != NULL)
    self->handlers->received (self->owner, message, properties, is_duplicate);
}

static void
pen_mqtt_connection_on_subscribe (struct mosquitto *client,
                                  void *user_data,
                                  int id,
                                  int n_topics,
                                  const int *granted,
                                  const mosquitto_property *properties)
{
  PenMqttConnection *self = user_data;

  if (self->owner != NULL && self->handlers->subscribed != NULL)
    self->handlers->subscribed (self->owner, n_topics, granted);
}

static void
pen_mqtt_connection_on_publish (struct mosquitto *client,
                                void *user_data,
                                int id,
                                int reason,
                                const mosquitto_property *properties)
{
  PenMqttConnection *self = user_data;

  if (self->owner != NULL && self->handlers->published != NULL)
    self->handlers->published (self->owner, id, reason);
}

static PenMqttTlsOptions
pen_mqtt_connection_get_tls_options (PenMqttConnection *self)
{
  const PenMqttOptions *options = self->options;

  return (PenMqttTlsOptions){
    options->host,
    { options->cafile, options->certfile, options->keyfile, options->key_password },
    options->tls_insecure,
  };
}

static char *
pen_mqtt_connection_describe_tls (PenMqttConnection *self)
{
  const PenMqttTlsOptions tls = pen_mqtt_connection_get_tls_options (self);

  return pen_mqtt_tls_describe (&self->tls, &tls, self->log->str);
}

/* --- On the thread that opens --- */

G_GNUC_PRINTF (2, 3)
static void
pen_mqtt_connection_fail (PenMqttConnection *self, const char *format, ...)
{
  va_list arguments;

  if (self->fault != NULL)
    return;
  va_start (arguments, format);
  self->fault = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

/* FALSE with what is wrong with the files. */
static gboolean
pen_mqtt_connection_set_tls (PenMqttConnection *self)
{
  const PenMqttTlsOptions tls = pen_mqtt_connection_get_tls_options (self);

  self->context = pen_mqtt_context_get (&tls, &self->fault);
  if (self->context == NULL)
    return FALSE;
  mosquitto_int_option (self->client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  mosquitto_void_option (self->client, MOSQ_OPT_SSL_CTX, pen_mqtt_context_get_ssl (self->context));
  return TRUE;
}

static int
pen_mqtt_connection_set_options (PenMqttConnection *self)
{
  const PenMqttOptions *options = self->options;
  int status = MOSQ_ERR_SUCCESS;

  mosquitto_threaded_set (self->client, TRUE);
  mosquitto_int_option (self->client, MOSQ_OPT_PROTOCOL_VERSION,
                        options->is_mqtt_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option (self->client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option (self->client, MOSQ_OPT_RECEIVE_MAXIMUM, PEN_MQTT_MAXIMUM_HELD);
  if (options->send_maximum > 0)
    mosquitto_int_option (self->client, MOSQ_OPT_SEND_MAXIMUM, (int) options->send_maximum);
  mosquitto_log_callback_set (self->client, pen_mqtt_connection_on_log);
  mosquitto_connect_v5_callback_set (self->client, pen_mqtt_connection_on_connect);
  mosquitto_disconnect_v5_callback_set (self->client, pen_mqtt_connection_on_disconnect);
  mosquitto_message_v5_callback_set (self->client, pen_mqtt_connection_on_message);
  mosquitto_subscribe_v5_callback_set (self->client, pen_mqtt_connection_on_subscribe);
  mosquitto_publish_v5_callback_set (self->client, pen_mqtt_connection_on_publish);
  if (options->username != NULL || options->password != NULL)
    status = mosquitto_username_pw_set (self->client, options->username, options->password);
  if (status == MOSQ_ERR_SUCCESS && options->will_topic != NULL)
    status = mosquitto_will_set (
        self->client, options->will_topic,
        options->will_payload == NULL ? 0 : (int) strlen (options->will_payload),
        options->will_payload, options->will_qos, options->will_retain);
  return status;
}

static int
pen_mqtt_connection_connect (PenMqttConnection *self)
{
  const PenMqttOptions *options = self->options;
  mosquitto_property *properties = NULL;
  int status;

  if (options->is_mqtt_5 && options->session_expiry_s > 0)
    mosquitto_property_add_int32 (&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                  options->session_expiry_s);
  errno = 0;
  status = mosquitto_connect_bind_v5 (self->client, options->host, (int) options->port,
                                      (int) options->keep_alive_s, NULL, properties);
  self->end_errno = errno;
  mosquitto_property_free_all (&properties);
  return status;
}

static void
pen_mqtt_connection_fail_tls (PenMqttConnection *self)
{
  g_autofree char *reason = pen_mqtt_connection_describe_tls (self);

  pen_mqtt_connection_fail (self, "%s", reason);
}

/* The broker's end is closed: OpenSSL tells that as an error or not at all. */
static gboolean
pen_mqtt_connection_is_hung_up (int fd)
{
  char byte;
  gssize n_bytes = recv (fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

  return n_bytes == 0 || (n_bytes < 0 && errno != EAGAIN && errno != EINTR);
}

static void
pen_mqtt_connection_shake_hands (PenMqttConnection *self)
{
  gint64 deadline = g_get_monotonic_time () + self->options->connect_timeout_us;
  SSL *ssl = mosquitto_ssl_get (self->client);

  while (!SSL_is_init_finished (ssl))
    {
      struct pollfd watched
          = { mosquitto_socket (self->client), SSL_want_write (ssl) ? POLLOUT : POLLIN, 0 };

      if (g_atomic_int_get (&self->is_unwanted))
        return;
      if (g_get_monotonic_time () >= deadline)
        {
          pen_mqtt_connection_fail (self,
                                    "no answer to the TLS hand-shake: is this the right port?");
          return;
        }
      if (poll (&watched, 1, HANDSHAKE_SLICE_MS) <= 0)
        continue;
      if (mosquitto_loop_read (self->client, 1) != MOSQ_ERR_SUCCESS
          || mosquitto_socket (self->client) < 0)
        {
          pen_mqtt_connection_fail_tls (self);
          return;
        }
      if (!SSL_is_init_finished (ssl) && pen_mqtt_connection_is_hung_up (watched.fd))
        {
          pen_mqtt_connection_fail (self, "the other side closed the connection during the TLS "
                                          "hand-shake: is this the right port?");
          return;
        }
    }
}

static void
pen_mqtt_connection_fail_connect (PenMqttConnection *self, int status)
{
  switch (status)
    {
    case MOSQ_ERR_EAI:
      pen_mqtt_connection_fail (self, "cannot resolve the host name: %s",
                                self->end_errno == EAI_SYSTEM ? "the system's resolver failed"
                                                              : gai_strerror (self->end_errno));
      break;
    case MOSQ_ERR_ERRNO:
      if (self->end_errno == EMFILE || self->end_errno == ENFILE)
        pen_mqtt_connection_fail (self, "%s", PEN_MQTT_NO_DESCRIPTOR);
      else
        pen_mqtt_connection_fail (self, "cannot connect: %s", g_strerror (self->end_errno));
      break;
    case MOSQ_ERR_TLS:
      pen_mqtt_connection_fail_tls (self);
      break;
    default:
      pen_mqtt_connection_fail (self, "cannot connect: %s", mosquitto_strerror (status));
    }
}

static void
pen_mqtt_connection_try_open (PenMqttConnection *self)
{
  int status;

  self->client = mosquitto_new (self->options->client_id, self->options->clean_session, self);
  if (self->client == NULL)
    {
      pen_mqtt_connection_fail (self, "cannot make a client: %s",
                                errno == EMFILE ? PEN_MQTT_NO_DESCRIPTOR : g_strerror (errno));
      return;
    }
  status = pen_mqtt_connection_set_options (self);
  if (status != MOSQ_ERR_SUCCESS)
    {
      pen_mqtt_connection_fail (self, "cannot use these settings: %s", mosquitto_strerror (status));
      return;
    }
  if (self->options->tls && !pen_mqtt_connection_set_tls (self))
    return;
  status = pen_mqtt_connection_connect (self);
  if (status != MOSQ_ERR_SUCCESS)
    pen_mqtt_connection_fail_connect (self, status);
  else if (self->options->tls)
    pen_mqtt_connection_shake_hands (self);
}

static void
pen_mqtt_connection_open_on_thread (gpointer user_data)
{
  PenMqttConnection *self = user_data;
  const guint64 one = 1;

  pen_mqtt_farewell_await (self->options->client_id);
  pen_mqtt_tls_verify_for (&self->tls);
  if (!g_atomic_int_get (&self->is_unwanted))
    pen_mqtt_connection_try_open (self);
  pen_mqtt_tls_verify_for (NULL);
  pen_mqtt_turn_end (&self->turn);
  if (write (self->wake_fd, &one, sizeof one) != sizeof one)
    g_warning ("cannot wake the owner of an MQTT connection: %s", g_strerror (errno));
  pen_mqtt_connection_unref (self);
}

static gpointer
pen_mqtt_prepare_libraries (gpointer user_data)
{
  /* OpenSSL would clean up at the end of the process under the feet of threads that connect. */
  OPENSSL_init_crypto (OPENSSL_INIT_NO_ATEXIT, NULL);
  /* Counts its calls without a lock, so it is called once for all connections. */
  mosquitto_lib_init ();
  return NULL;
}

/* --- On the lane --- */

/**
 * pen_mqtt_connection_open:
 * @options: (transfer full): whom to connect to, and how
 * @handlers: what to call
 * @owner: given to @handlers
 *
 * Begins to connect. When the descriptor of [func@get_wake_fd] is readable, [func@finish_open]
 * has the outcome.
 *
 * Returns: (nullable): the connection; NULL without a descriptor for it
 *
 * Threads: lane
 */
PenMqttConnection *
pen_mqtt_connection_open (PenMqttOptions *options, const PenMqttHandlers *handlers, gpointer owner)
{
  static GOnce once = G_ONCE_INIT;
  PenMqttConnection *self;
  int wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (wake_fd < 0)
    {
      pen_mqtt_options_free (options);
      return NULL;
    }
  self = g_new0 (PenMqttConnection, 1);
  self->n_references = 2;
  self->options = options;
  self->handlers = handlers;
  self->owner = owner;
  self->wake_fd = wake_fd;
  self->fd = -1;
  self->log = g_string_new (NULL);
  g_once (&once, pen_mqtt_prepare_libraries, NULL);
  pen_mqtt_turn_await (&self->turn, options->host, options->port,
                       pen_mqtt_connection_open_on_thread, self);
  return self;
}

/* FALSE: others are before it. Threads: lane */
gboolean
pen_mqtt_connection_has_begun (PenMqttConnection *self)
{
  return pen_mqtt_turn_has_begun (&self->turn);
}

/* It takes long: others do not wait for it any more. Threads: lane */
void
pen_mqtt_connection_let_others (PenMqttConnection *self)
{
  pen_mqtt_turn_yield (&self->turn);
}

/* Readable when the connection has been made or could not be; -1 after that. Threads: lane */
int
pen_mqtt_connection_get_wake_fd (PenMqttConnection *self)
{
  return self->wake_fd;
}

/**
 * pen_mqtt_connection_finish_open:
 * @self: a connection whose wake descriptor is readable
 * @reason: (out): why it could not be made
 *
 * Takes the connection over from the thread that made it. The first thing to do is to write.
 *
 * Returns: whether it was made
 *
 * Threads: lane
 */
gboolean
pen_mqtt_connection_finish_open (PenMqttConnection *self, char **reason)
{
  guint64 count;

  /* Reading what the thread wrote last puts all that it did before this. */
  if (read (self->wake_fd, &count, sizeof count) != sizeof count)
    g_warning ("the owner of an MQTT connection was woken by nothing: %s", g_strerror (errno));
  /* with thousands of connections each descriptor counts */
  close (self->wake_fd);
  self->wake_fd = -1;
  if (self->fault != NULL)
    {
      *reason = g_strdup (self->fault);
      return FALSE;
    }
  self->fd = mosquitto_socket (self->client);
  if (self->options->tls)
    pen_mqtt_wire_insert (&self->wire, mosquitto_ssl_get (self->client));
  return TRUE;
}

/* The socket; -1 before the connection is open. Threads: lane */
int
pen_mqtt_connection_get_fd (PenMqttConnection *self)
{
  return self->fd;
}

static gboolean
pen_mqtt_connection_note (PenMqttConnection *self, int status)
{
  if (status == MOSQ_ERR_SUCCESS && mosquitto_socket (self->client) >= 0)
    return TRUE;
  self->end_errno = errno;
  self->end_status = status;
  return FALSE;
}

/**
 * pen_mqtt_connection_has_buffered:
 * @self: an open connection
 *
 * Returns: whether something was read ahead, of which the descriptor will not tell
 *
 * Threads: lane
 */
gboolean
pen_mqtt_connection_has_buffered (PenMqttConnection *self)
{
  return pen_mqtt_wire_has_ahead (&self->wire);
}

static gboolean
pen_mqtt_connection_has_more (PenMqttConnection *self)
{
  int n_bytes = 0;

  if (self->options->tls)
    return pen_mqtt_wire_has_more (&self->wire);
  return ioctl (self->fd, FIONREAD, &n_bytes) == 0 && n_bytes > 0;
}

static PenMqttReadStatus
pen_mqtt_connection_read_round (PenMqttConnection *self, const gboolean *is_enough)
{
  for (guint n = 0; n < PACKETS_PER_ROUND; n++)
    {
      errno = 0;
      if (!pen_mqtt_connection_note (self, mosquitto_loop_read (self->client, 1)))
        return PEN_MQTT_READ_LOST;
      if (*is_enough)
        return PEN_MQTT_READ_DONE;
      if (!pen_mqtt_connection_has_more (self))
        break;
    }
  if (pen_mqtt_wire_was_cut_short (&self->wire))
    return PEN_MQTT_READ_MORE;
  return PEN_MQTT_READ_DONE;
}

/**
 * pen_mqtt_connection_read:
 * @self: an open connection
 * @is_enough: looked at after each message: stops reading
 *
 * Reads what has come, but not more than one connection may take of a round of its lane.
 *
 * Returns: whether to come again, and why
 *
 * Threads: lane
 */
PenMqttReadStatus
pen_mqtt_connection_read (PenMqttConnection *self, const gboolean *is_enough)
{
  PenMqttReadStatus status = PEN_MQTT_READ_DONE;

  pen_mqtt_wire_begin_reading (&self->wire, READS_PER_ROUND);
  status = pen_mqtt_connection_read_round (self, is_enough);
  pen_mqtt_wire_end_reading (&self->wire);
  return status;
}

/* Whether something is queued, there or on its way to the socket. Threads: lane */
gboolean
pen_mqtt_connection_wants_write (PenMqttConnection *self)
{
  return mosquitto_want_write (self->client) || pen_mqtt_wire_has_unsent (&self->wire);
}

/**
 * pen_mqtt_connection_write:
 * @self: an open connection
 *
 * Writes all that is queued, acknowledgements of everything received so far included.
 *
 * Returns: FALSE if the connection has ended
 *
 * Threads: lane
 */
gboolean
pen_mqtt_connection_write (PenMqttConnection *self)
{
  int status = MOSQ_ERR_SUCCESS;

  errno = 0;
  pen_mqtt_wire_begin_writing (&self->wire);
  if (mosquitto_want_write (self->client))
    status = mosquitto_loop_write (self->client, 1);
  if (!pen_mqtt_connection_note (self, status))
    return FALSE;
  return pen_mqtt_wire_end_writing (&self->wire) || pen_mqtt_connection_note (self, MOSQ_ERR_ERRNO);
}

/**
 * pen_mqtt_connection_tick:
 * @self: an open connection that is read and written
 *
 * Queues a ping when one is due, notices that the last was not answered, and frees what a quiet
 * connection does not need.
 *
 * Returns: FALSE if the connection has ended
 *
 * Threads: lane
 */
gboolean
pen_mqtt_connection_tick (PenMqttConnection *self)
{
  errno = 0;
  if (!pen_mqtt_connection_note (self, mosquitto_loop_misc (self->client)))
    return FALSE;
  pen_mqtt_wire_rest (&self->wire);
  return TRUE;
}

/**
 * pen_mqtt_connection_subscribe:
 * @self: an open connection
 * @topics: (array zero-terminated=1): filters
 * @qos: 0 or 1
 * @options: of MQTT 5
 * @identifier: of MQTT 5; 0: none
 *
 * Queues one packet with all subscriptions.
 *
 * Returns: a status of libmosquitto
 *
 * Threads: lane
 */
int
pen_mqtt_connection_subscribe (PenMqttConnection *self,
                               const char *const *topics,
                               int qos,
                               int options,
                               guint32 identifier)
{
  mosquitto_property *properties = NULL;
  int status;

  if (self->options->is_mqtt_5 && identifier != 0)
    mosquitto_property_add_varint (&properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, identifier);
  status = mosquitto_subscribe_multiple (self->client, NULL, (int) g_strv_length ((char **) topics),
                                         (char *const *) topics, qos, options, properties);
  mosquitto_property_free_all (&properties);
  return status;
}

/* Queues one packet; of filters that were not subscribed nothing comes of it. Threads: lane */
int
pen_mqtt_connection_unsubscribe (PenMqttConnection *self, GPtrArray *filters)
{
  return mosquitto_unsubscribe_multiple (self->client, NULL, (int) filters->len,
                                         (char *const *) filters->pdata, NULL);
}

/**
 * pen_mqtt_connection_publish:
 * @self: an open connection that is greeted
 * @message: what to publish; it is copied
 * @id: (out): by which `published` names it; never 0
 *
 * Queues it. What is beyond the window of acknowledgements, ours and the broker's, waits until some
 * have come.
 *
 * Returns: a status of libmosquitto
 *
 * Threads: lane
 */
int
pen_mqtt_connection_publish (PenMqttConnection *self, const PenMqttMessage *message, int *id)
{
  *id = 0;
  return mosquitto_publish_v5 (self->client, id, message->topic, (int) message->length,
                               message->payload, message->qos, message->retain,
                               self->options->is_mqtt_5 ? message->properties : NULL);
}

static gint64
pen_mqtt_count_days (gint64 expiry_s)
{
  if (expiry_s == 0 || expiry_s == G_MAXINT64)
    return G_MAXINT64;
  return (expiry_s - g_get_real_time () / G_USEC_PER_SEC) / DAY_S;
}

/* Days until the files and the broker's certificate expire. Threads: lane */
void
pen_mqtt_connection_get_days_left (PenMqttConnection *self, PenMqttDaysLeft *days)
{
  PenMqttExpiry expiry = { 0, 0 };

  if (self->context != NULL)
    expiry = pen_mqtt_context_get_expiry (self->context);
  days->ca = pen_mqtt_count_days (expiry.ca_s);
  days->certificate = pen_mqtt_count_days (expiry.certificate_s);
  days->broker = pen_mqtt_count_days (self->tls.expiry_s);
}

/* With TLS 1.3 a client's certificate is judged after the hand-shake, and what the broker says of
 * it may be lost with the connection. */
static char *
pen_mqtt_connection_describe_silence (PenMqttConnection *self)
{
  const char *hint = "does this port want TLS?";

  if (self->options->tls)
    hint = self->options->certfile == NULL
               ? "does it ask for a client certificate? set certfile and keyfile"
               : "does it accept the client certificate in certfile?";
  return g_strdup_printf ("the broker closed the connection before it answered the login: %s",
                          hint);
}

static char *
pen_mqtt_connection_describe_errno (PenMqttConnection *self)
{
  if (self->end_errno == EPROTO && self->log->len > 0)
    return pen_mqtt_connection_describe_tls (self);
  if (!self->is_greeted)
    return pen_mqtt_connection_describe_silence (self);
  if (self->end_errno == EPROTO)
    return g_strdup ("the TLS connection broke off");
  if (self->end_errno == 0 || self->end_errno == EPIPE || self->end_errno == ECONNRESET)
    return g_strdup ("the broker closed the connection");
  return g_strdup_printf ("the connection broke: %s", g_strerror (self->end_errno));
}

/**
 * pen_mqtt_connection_describe_end:
 * @self: a connection that has ended
 *
 * Returns: (transfer full): why, for an operator
 *
 * Threads: lane
 */
char *
pen_mqtt_connection_describe_end (PenMqttConnection *self)
{
  if (self->end_reason == MQTT_RC_SESSION_TAKEN_OVER)
    return g_strdup_printf ("another client has connected with the id '%s'",
                            self->options->client_id);
  if (self->end_reason != 0)
    return g_strdup_printf ("the broker ended the connection: %s",
                            mosquitto_reason_string (self->end_reason));
  switch (self->end_status)
    {
    case MOSQ_ERR_ERRNO:
      return pen_mqtt_connection_describe_errno (self);
    case MOSQ_ERR_KEEPALIVE:
      return g_strdup_printf ("the broker has not answered for %u s (keep-alive)",
                              self->options->keep_alive_s);
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_DUPLICATE_PROPERTY:
      return g_strdup ("what came is not MQTT: is this the right port, and does it speak TLS?");
    case MOSQ_ERR_NOMEM:
      return g_strdup ("not enough memory for a packet that the broker announced");
    default:
      return self->is_greeted ? g_strdup ("the broker closed the connection")
                              : pen_mqtt_connection_describe_silence (self);
    }
}

/**
 * pen_mqtt_connection_close:
 * @self: (transfer full): an open connection with nothing held
 *
 * Writes what is queued, says good-bye, and closes.
 *
 * Threads: lane
 */
void
pen_mqtt_connection_close (PenMqttConnection *self)
{
  g_autofree char *client_id = g_strdup (self->options->client_id);
  int fd = -1;

  self->owner = NULL;
  if (self->client != NULL && mosquitto_socket (self->client) >= 0)
    {
      /* libmosquitto closes its own as soon as the good-bye is written */
      fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 0);
      mosquitto_disconnect (self->client);
      mosquitto_loop_write (self->client, 1);
    }
  pen_mqtt_connection_unref (self);
  if (fd >= 0)
    pen_mqtt_farewell (fd, client_id);
}

/**
 * pen_mqtt_connection_drop:
 * @self: (transfer full): a connection in any state
 *
 * Ends it without writing anything: what was not acknowledged stays so. One that is being made is
 * left to the thread that makes it.
 *
 * Threads: lane
 */
void
pen_mqtt_connection_drop (PenMqttConnection *self)
{
  self->owner = NULL;
  g_atomic_int_set (&self->is_unwanted, 1);
  if (pen_mqtt_turn_end (&self->turn))
    pen_mqtt_connection_unref (self); /* the thread's */
  if (self->fd >= 0 && mosquitto_socket (self->client) == self->fd)
    shutdown (self->fd, SHUT_RDWR);
  pen_mqtt_connection_unref (self);
}
